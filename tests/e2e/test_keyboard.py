"""Whole flows with the keyboard alone: Tab, arrows, Enter, Space, Escape and letters."""

import secrets

import pytest
from playwright.sync_api import expect

from tests.e2e.faults import request_dropped
from tests.e2e.keyboard import focused, press, read, tab_to, write
from tests.e2e.states.console import UNDECIDED, expect_notice
from tests.e2e.steps import AI_SUITE, MEETING_ROOM, expect_answer, expect_stage
from tests.e2e.wallet import Wallet
from tests.e2e.world import DESKTOP, World

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def world(world: World) -> World:
    """At a desk with a keyboard."""
    world.device = DESKTOP
    return world


def test_a_customer_redeems_by_keyboard(world: World) -> None:
    wallet = world.wallet({AI_SUITE: 2})
    other = Wallet(world.chain, world.chain.account(), name="Other", rdns="test.other")
    page = world.portal(other, wallet)
    press(page, "connect")
    press(page, f"wallet-{wallet.rdns}")
    press(page, f"voucher-{AI_SUITE}")
    press(page, f"site-{world.site}", "Space")
    write(page, "aiAccount", "lan@example.com")
    press(page, "redeem", "Space")
    expect_stage(page, "ready")
    expect(page.get_by_test_id("qr")).to_be_visible()
    assert world.chain.burns(wallet.address) == 1


def test_the_wallet_chooser_closes_with_escape(world: World) -> None:
    one, two = world.wallet(), world.wallet(name="Other", rdns="test.other")
    page = world.portal(one, two)
    press(page, "connect")
    tab_to(page, "wallet-test.other")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("wallet-test.other")).to_be_hidden()
    press(page, "connect", "Space")
    expect(page.get_by_test_id("wallet-test.other")).to_be_visible()


def test_a_receptionist_delivers_by_keyboard(world: World) -> None:
    first, second = world.ready(MEETING_ROOM), world.ready(MEETING_ROOM)
    staff = world.staff()
    page = world.console()
    write(page, "username", staff["username"])
    write(page, "password", staff["password"])
    page.keyboard.press("Enter")
    for placed in (first, second):
        expect(page.get_by_test_id("code")).to_be_visible()
        write(page, "code", placed.code)
        page.keyboard.press("Enter")
        expect_answer(page, "deliverable")
        read(page)
        press(page, "deliver")
        expect_answer(page, "done")
        press(page, "next")
        assert world.status(placed) == "DELIVERED"
    expect(page.get_by_test_id("code")).to_be_visible()


def test_the_focus_stays_where_somebody_is_refused_or_asked(world: World) -> None:
    placed = world.ready(MEETING_ROOM)
    page = world.console()
    write(page, "username", f"nobody.{secrets.token_hex(4)}")
    write(page, "password", "wrong password here")
    press(page, "sign-in")
    expect_notice(page, "login.wrong")
    expect(page.get_by_test_id("sign-in")).to_be_focused()

    page = world.desk()
    write(page, "code", placed.code)
    page.keyboard.press("Enter")
    expect_answer(page, "deliverable")
    world.faults(page).on("POST", "/orders/*/deliver", request_dropped)
    read(page)
    press(page, "deliver")
    expect_answer(page, "unsure")
    press(page, "next")
    for key in ("Escape", "Enter"):
        press(page, "sign-out")
        expect(page.get_by_test_id("leaving")).to_be_visible()
        tab_to(page, "stay")
        page.keyboard.press(key)
        expect(page.get_by_test_id("leaving")).not_to_be_attached()
        expect(page.get_by_test_id("sign-out")).to_be_focused()


def test_the_keyboard_keeps_its_place_at_the_desk(world: World) -> None:
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    page.evaluate(UNDECIDED)
    for close in ("Enter", "Escape"):
        press(page, "camera")
        expect(page.get_by_test_id("camera-cancel")).to_be_focused()
        page.keyboard.press(close)
        expect(page.get_by_test_id("camera")).to_be_focused()

    write(page, "code", placed.code)
    page.keyboard.press("Enter")
    expect_answer(page, "deliverable")
    faults = world.faults(page)
    faults.on("POST", "/orders/*/deliver", request_dropped)
    read(page)
    press(page, "deliver")
    expect_answer(page, "unsure")
    press(page, "next")
    faults.lift()
    expect(page.get_by_test_id("acknowledge")).to_be_visible()
    press(page, "acknowledge")
    expect(page.get_by_test_id("presses")).not_to_be_attached()
    expect(page.get_by_test_id("camera")).to_be_focused()


def test_a_focus_that_is_not_drawn_is_found(world: World) -> None:
    page = world.browser.new_page()
    page.set_content("<style>button { outline: none }</style><button data-testid=a>A</button>")
    with pytest.raises(AssertionError, match="no focus ring"):
        tab_to(page, "a")
    page.set_content("<button data-testid=a>A</button><button tabindex=-1 data-testid=b>B</button>")
    tab_to(page, "a")
    where = focused(page)
    assert where
    assert where["ring"]
    with pytest.raises(AssertionError, match="does not reach"):
        tab_to(page, "b")
    page.close()
