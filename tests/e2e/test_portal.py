"""The portal on the running demo: places and history, focus, reloads and returns, the code itself.

What wallets refuse and chains do is in test_wallet_faults.py; each state's looks in test_states.py.
"""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.faults import Held, altered, problem, request_dropped
from tests.e2e.states.portal import (
    COLOUR_PRINT,
    HELD,
    SEND,
    arrived,
    customer,
    declined,
    disconnect,
    expect_notice,
    expect_screen,
    ordered,
    ready,
    redeem,
    sent,
)
from tests.e2e.steps import AI_SUITE, MEETING_ROOM, expect_stage, order_id
from tests.e2e.wallet import Wallet, pending, reject
from tests.e2e.world import DESKTOP, PHONE, Device, World

pytestmark = pytest.mark.timeout(120)

HEADING_HAS_FOCUS = "document.activeElement === document.querySelector('main h1')"
KEEPS_NOTHING = """
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, {
      get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
    });
  }
"""
# How many pixels of what has the focus lie under the bar that holds the form's button.
UNDER_THE_BAR = """
() => {
  const element = document.activeElement;
  const bar = document.querySelector(".bottom");
  const outside = element !== document.body && !bar.contains(element);
  const covers = outside && getComputedStyle(bar).position === "sticky";
  const { bottom } = (element.closest("label") ?? element).getBoundingClientRect();
  return {
    testid: element.dataset.testid ?? element.className,
    hidden: covers ? Math.max(0, Math.round(bottom - bar.getBoundingClientRect().top)) : 0,
  };
}
"""
COUNT_WAKE_LOCKS = """
  window.wakeLocks = 0;
  navigator.wakeLock.request = async () => {
    window.wakeLocks += 1;
    return { release: async () => { window.wakeLocks -= 1; } };
  };
"""


def expect_title(page: Page, start: str) -> None:
    page.wait_for_function("(start) => document.title.startsWith(start)", arg=start)


def expect_heading_focused(page: Page) -> None:
    page.wait_for_function(HEADING_HAS_FOCUS)


def test_three_taps_from_opening_to_the_wallet(world: World) -> None:
    page, wallet = declined(world)
    page.get_by_test_id("back").click()
    disconnect(page)
    page.reload()
    page.get_by_test_id("connect").click()
    page.get_by_test_id(f"voucher-{MEETING_ROOM}").click()
    page.get_by_test_id("redeem").click()
    expect_stage(page, "ready")
    assert world.chain.burns(wallet.address) == 1


def test_back_reload_and_title_follow_the_customer(world: World) -> None:
    page, _ = arrived(world)
    expect_title(page, "Your vouchers")
    expect_heading_focused(page)
    page.get_by_test_id(f"voucher-{AI_SUITE}").click()
    expect_heading_focused(page)
    page.get_by_test_id(f"site-{world.site}").check()
    page.get_by_test_id("aiAccount").fill("lan@example.com")
    page.reload()
    expect(page.get_by_test_id("aiAccount")).to_have_value("lan@example.com")
    expect(page.get_by_test_id(f"site-{world.site}")).to_be_checked()
    page.go_back()
    expect_screen(page, "vouchers")
    page.go_forward()
    expect(page.get_by_test_id("aiAccount")).to_have_value("lan@example.com")
    page.get_by_test_id("redeem").click()
    expect_stage(page, "ready")
    expect_title(page, "Ready · ")
    identifier = order_id(page)
    page.reload()
    expect_stage(page, "ready")
    assert order_id(page) == identifier
    assert identifier not in page.url
    page.go_back()
    # Not to the form: one order is made by one press.
    expect_screen(page, "vouchers")
    page.get_by_test_id("kept-order").click()
    expect_stage(page, "ready")


@pytest.mark.slow
def test_the_code_is_large_white_and_stays_lit(world: World) -> None:
    wallet = customer(world)
    page = world.portal(wallet, color_scheme="dark")
    page.add_init_script(COUNT_WAKE_LOCKS)
    page.reload()
    page.get_by_test_id("connect").click()
    redeem(page, world)
    expect_stage(page, "ready")
    assert page.evaluate("wakeLocks") == 1
    page.get_by_test_id("enlarge").click()
    large = page.get_by_test_id("large-code")
    expect(large).to_have_css("background-color", "rgb(255, 255, 255)")
    box = large.bounding_box()
    assert box
    assert box["width"] == world.device.width
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(page.get_by_test_id("enlarge")).to_be_focused()
    world.hand_over(order_id(page))
    expect_stage(page, "delivered")
    page.wait_for_function("wakeLocks === 0")


def test_a_phone_is_sent_into_the_wallets_own_browser(world: World) -> None:
    page = world.portal()
    host = world.stack["portalUrl"].removeprefix("http://").rstrip("/")
    link = page.get_by_test_id("get-wallet")
    expect(link).to_have_attribute("href", f"https://metamask.app.link/dapp/{host}/")


def test_a_computer_is_shown_where_to_get_a_wallet(world: World) -> None:
    world.device = DESKTOP
    page = world.portal()
    link = page.get_by_test_id("get-wallet")
    expect(link).to_have_attribute("href", "https://metamask.io/download")
    expect(page.get_by_test_id("reload")).to_be_visible()


def test_an_icon_from_elsewhere_is_not_fetched(world: World) -> None:
    wallet = customer(world)
    page = world.portal(wallet)
    expect_screen(page, "welcome")
    page.evaluate(
        """() => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", {detail: {
             info: {uuid: "1", name: "Other", rdns: "x.other", icon: "https://example.com/i.png"},
             provider: {request: async () => []}}}))"""
    )
    page.get_by_test_id("connect").click()
    other = page.get_by_test_id("wallet-x.other")
    expect(other).to_be_visible()
    expect(other.locator("img")).to_have_count(0)


def test_a_wallet_that_only_knows_the_old_way_is_found(world: World) -> None:
    page = world.portal()
    page.add_init_script("window.ethereum = {request: async () => ['0x' + '12'.repeat(20)]}")
    page.reload()
    expect(page.get_by_test_id("connect")).to_be_visible()


def test_an_expired_order_is_made_again_with_one_tap(world: World) -> None:
    page, wallet = arrived(world)
    wallet.next(SEND, reject())
    page.get_by_test_id(f"voucher-{AI_SUITE}").click()
    page.get_by_test_id("amount").fill("2")
    page.get_by_test_id(f"site-{world.site}").check()
    page.get_by_test_id("aiAccount").fill("lan@example.com")
    page.get_by_test_id("redeem").click()
    expect_notice(page, "problem.rejected")
    faults = world.faults(page)
    faults.on("GET", "/orders/*", altered(lambda view: {**view, "status": "EXPIRED"}))
    page.reload()
    expect_stage(page, "expired")
    expect(page.get_by_test_id("status").locator("..")).to_contain_text("Nothing was used")
    page.get_by_test_id("new-order").click()
    faults.lift()
    expect(page.get_by_test_id("amount")).to_have_value("2")
    expect(page.get_by_test_id(f"site-{world.site}")).to_be_checked()
    expect(page.get_by_test_id("aiAccount")).to_have_value("lan@example.com")
    page.get_by_test_id("redeem").click()
    expect_stage(page, "ready")
    assert world.chain.burns(wallet.address) == 1


def test_a_reload_while_the_wallet_asks_ends_with_one_burn(world: World) -> None:
    page, wallet = ordered(world, pending())
    expect_stage(page, "signing")
    page.reload()
    expect_stage(page, "looking")
    world.release(page, wallet)
    expect_stage(page, "ready")
    assert world.chain.burns(wallet.address) == 1
    assert wallet.asked(SEND) == 1


@pytest.mark.slow
def test_a_browser_that_keeps_nothing_claims_nothing(world: World) -> None:
    wallet = customer(world)
    page = world.portal(wallet)
    page.add_init_script(KEEPS_NOTHING)
    page.reload()
    page.get_by_test_id("connect").click()
    wallet.next(SEND, pending(), reject())
    redeem(page, world)
    expect_stage(page, "signing")
    page.reload()
    expect_stage(page, "unsigned")
    page.get_by_test_id("sign").click()
    # The first dialog is open still: it is not said that nothing will be used.
    expect_notice(page, "problem.rejectedAgain")
    world.release(page, wallet)
    expect_stage(page, "ready")
    assert world.chain.burns(wallet.address) == 1


@pytest.mark.slow
def test_a_dialog_that_was_given_up_and_confirmed_late_burns_once(world: World) -> None:
    page, wallet = ordered(world, pending())
    expect_stage(page, "signing")
    page.get_by_test_id("stuck").click()
    expect_stage(page, "looking")
    expect_notice(page, "tx.dropped")
    page.get_by_test_id("sign").click()
    expect_stage(page, "ready")
    world.release(page, wallet)
    expect(page.locator("[data-notice]")).to_have_count(0)
    assert len(wallet.sent) == 1
    assert world.chain.burns(wallet.address) == 1


@pytest.mark.slow
def test_the_order_stays_on_the_screen_while_offline(world: World) -> None:
    page, _ = ready(world)
    faults = world.faults(page)
    faults.on("GET", "/orders/*", request_dropped)
    expect_notice(page, "stale.text")
    expect(page.get_by_test_id("qr")).to_be_visible()
    faults.lift()
    expect(page.locator('[data-notice="stale.text"]')).to_be_hidden(timeout=40_000)


@pytest.mark.slow
def test_a_double_press_and_a_lost_answer_make_one_order(world: World) -> None:
    page, wallet = arrived(world)
    made: list[Any] = []

    def lose_first(route: Any) -> None:
        answer = route.fetch()
        made.append(answer.json()["orderId"])
        if len(made) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    world.faults(page).on("POST", "/orders", lose_first)
    redeem(page, world)
    expect_notice(page, "problem.offline")
    page.get_by_test_id("redeem").dblclick()
    expect_stage(page, "ready")
    assert len(set(made)) == 1
    assert world.chain.burns(wallet.address) == 1


@pytest.mark.slow
def test_the_keyboard_keeps_its_place_while_a_button_waits(world: World) -> None:
    page, _ = arrived(world)
    page.get_by_test_id(f"voucher-{COLOUR_PRINT}").click()
    page.get_by_test_id(f"site-{world.site}").check()
    more = page.get_by_role("button", name="One more")
    for _ in range(HELD[COLOUR_PRINT]):
        more.press("Enter")
    expect(page.get_by_test_id("amount")).to_have_value(str(HELD[COLOUR_PRINT]))
    expect(more).to_be_disabled()
    expect(more).to_be_focused()
    held = Held()
    world.faults(page).on("POST", "/orders", held)
    page.get_by_test_id("redeem").press("Enter")
    expect(page.get_by_test_id("redeem")).to_be_disabled()
    expect(page.get_by_test_id("redeem")).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("bar", ["plain", "notice", "errors"])
def test_the_focus_does_not_lie_under_the_bar(world: World, device: Device, bar: str) -> None:
    """WCAG 2.2, 2.4.11, and more: not even a part of what has the focus is covered."""
    world.device = device
    page, _ = arrived(world)
    page.get_by_test_id(f"voucher-{AI_SUITE}").click()
    expect_heading_focused(page)
    if bar == "notice":
        page.get_by_test_id(f"site-{world.site}").check()
        page.get_by_test_id("aiAccount").fill("lan@example.com")
        world.faults(page).on("POST", "/orders", problem(409, "IDEMPOTENCY_KEY_REUSED"))
    elif bar == "errors":
        page.get_by_test_id("amount").fill("50")
    if bar != "plain":
        page.get_by_test_id("redeem").click()
        expect(page.locator("[role=alert]").first).to_be_visible()
    # The lowest window in which the bar stands still, where the most lies under it.
    page.set_viewport_size({"width": device.width, "height": 641})
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    covered, reached = [], set()
    for _ in range(20):
        page.keyboard.press("Tab")
        where = page.evaluate(UNDER_THE_BAR)
        reached.add(where["testid"])
        if where["hidden"] > 0:
            covered.append(where)
    assert {"aiAccount", "redeem"} <= reached
    assert covered == []


@pytest.mark.slow
def test_another_account_cannot_sign_and_the_right_one_can(world: World) -> None:
    page, wallet = declined(world)
    first = wallet.account
    wallet.use_account(world.chain.account())
    world.tell(page)
    page.get_by_test_id("sign").click()
    expect_notice(page, "problem.account")
    wallet.use_account(first)
    world.tell(page)
    expect(page.locator('[data-notice="problem.account"]')).to_be_hidden()
    page.get_by_test_id("sign").click()
    expect_stage(page, "ready")


def test_the_address_to_send_gas_to_is_copied(world: World) -> None:
    page, wallet = arrived(world, wei=0)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    redeem(page, world)
    expect_notice(page, "problem.gas")
    copy = page.get_by_test_id("gas-help").get_by_test_id("copy")
    # Browsers inside wallets may refuse it: the address is selected then, to be copied by hand.
    page.evaluate("() => { navigator.clipboard.writeText = async () => { throw 'refused' } }")
    copy.click()
    page.wait_for_function(
        "wanted => String(getSelection()) === wanted", arg=wallet.address.lower()
    )
    page.evaluate("delete navigator.clipboard.writeText")
    copy.click()
    expect(page.get_by_test_id("copy")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == wallet.address.lower()


def test_the_last_wallet_is_connected_again_without_asking(world: World) -> None:
    wallet = customer(world)
    other = Wallet(world.chain, world.chain.account(), name="Other", rdns="test.other")
    page = world.portal(other, wallet)
    page.get_by_test_id("connect").click()
    page.get_by_test_id(f"wallet-{wallet.rdns}").click()
    expect_screen(page, "vouchers")
    page.reload()
    expect_screen(page, "vouchers")
    assert wallet.asked("eth_requestAccounts") == 1
    assert other.asked("eth_requestAccounts") == 0


@pytest.mark.slow
def test_what_was_told_on_the_way_is_gone_once_the_code_is_ready(world: World) -> None:
    with sent(world) as (page, wallet):
        wallet.speed_up(wallet.sent[0])
        world.chain.mine()
        expect_notice(page, "tx.spedUp")
    expect_stage(page, "ready")
    expect(page.locator("[data-notice]")).to_have_count(0)


@pytest.mark.slow
def test_a_device_whose_clock_is_wrong_shows_the_time_that_is_left(world: World) -> None:
    page, _ = ordered(world, reject())
    expect_notice(page, "problem.rejected")
    page.clock.install(time=time.time() - 2 * 3600)
    page.reload()
    expect(page.get_by_test_id("time-left")).to_contain_text(re.compile(r"\b2\d:\d\d\b"))
    page.get_by_test_id("cancel-order").click()
    expect_stage(page, "cancelled")
