"""The wallet's order history and receipts on the real running system, signed for real."""

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.states.history import (
    delivered,
    expect_check,
    expect_history,
    expect_notice,
    expect_row,
    of_this_device,
    row,
    sign_in,
)
from tests.e2e.steps import MEETING_ROOM, expect_stage, order_id
from tests.e2e.wallet import pending, reject
from tests.e2e.world import World

STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])"


def test_a_wallet_signs_in_and_sees_its_orders_and_no_others(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: 1})
    done = delivered(world, wallet)
    waits = world.place(wallet.account, MEETING_ROOM)
    foreign = world.place(world.chain.account(), MEETING_ROOM)
    page = world.connected(wallet)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.headers.get("authorization", "")))

    wallet.next("personal_sign", reject())
    sign_in(page)
    expect_notice(page, "signIn.rejected")
    expect(page.get_by_test_id("history-row")).to_have_count(0)
    page.get_by_test_id("history-sign-in").click()
    expect_history(page, "list")
    expect_row(page, done)
    expect_row(page, waits)
    expect(row(page, foreign)).to_have_count(0)

    asked = next(call for call in reversed(wallet.calls) if call.method == "personal_sign")
    message = bytes.fromhex(asked.params[0][2:]).decode()
    portal = world.stack["portalUrl"].rstrip("/")
    assert message.startswith(f"{portal} wants you to sign in"), message
    assert wallet.address in message
    assert wallet.sent == [], "signing in sends no transaction"

    tokens = {token.removeprefix("Bearer ") for token in requests if token}
    assert len(tokens) == 1
    assert tokens.pop() not in page.evaluate(STORED)

    row(page, waits).click()
    expect(page.get_by_test_id("status")).to_have_attribute("data-stage", "unsigned")
    page.get_by_test_id("back").click()
    expect_row(page, done)
    assert wallet.asked("personal_sign") == 2, "coming back needs no further signature"

    wallet.use_account(world.chain.account())
    world.tell(page)
    expect_notice(page, "signIn.switched")
    expect(row(page, done)).to_have_count(0)


@pytest.mark.slow
def test_a_burned_order_is_found_again_on_a_device_that_knows_nothing(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = world.place(wallet.account, MEETING_ROOM)
    world.burn(wallet.account, placed)
    page = world.connected(wallet)
    assert placed.order_id not in page.evaluate(STORED)
    sign_in(page)
    row(page, placed).click()
    expect_stage(page, "ready")
    assert order_id(page) == placed.order_id
    expect(page.get_by_test_id("qr")).to_be_visible()
    page.reload()
    expect_stage(page, "ready")


def test_a_receipt_proves_itself_and_is_printed_without_the_page_around_it(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = delivered(world, wallet)
    page = world.connected(wallet)
    sign_in(page)
    row(page, placed).click()
    expect_check(page, "hash", "ok")
    expect_check(page, "burn", "ok")

    order = world.api("GET", f"/orders/{placed.order_id}")
    receipt = page.get_by_test_id("receipt")
    chain = order["chain"]
    for shown in (
        placed.order_id,
        " ".join(placed.code[at : at + 4] for at in range(0, 16, 4)),
        wallet.address,
        world.stack["contractAddress"],
        chain["txHash"],
        chain["blockHash"],
        str(chain["blockNumber"]),
        chain["serial"],
        order["orderHash"],
        order["order"]["orderRef"],
    ):
        expect(receipt).to_contain_text(shown)

    expect(page.get_by_text("hashStruct")).to_be_hidden()
    page.evaluate("window.print = () => document.body.setAttribute('data-printed', '')")
    page.get_by_test_id("print").click()
    expect(page.locator("body[data-printed]")).to_have_count(1)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_text("hashStruct")).to_be_visible()
    expect(page.get_by_test_id("print")).to_be_hidden()
    expect(page.get_by_test_id("my-orders")).to_be_hidden()
    expect(page.get_by_test_id("back")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_a_device_lists_what_it_keeps_once(world: World) -> None:
    page = of_this_device(world)
    page.get_by_test_id("history-sign-in").click()
    expect_history(page, "list")
    expect(page.get_by_test_id("history-row")).to_have_count(1)


def test_an_order_is_taken_back_by_signature(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = world.place(wallet.account, MEETING_ROOM)
    page = world.connected(wallet)
    sign_in(page)
    row(page, placed).click()
    cancel = page.get_by_test_id("cancel-order")
    wallet.next("eth_signTypedData_v4", reject(), pending())
    cancel.click()
    expect_notice(page, "cancel.rejected")
    # A double press is one question.
    cancel.dispatch_event("click")
    cancel.dispatch_event("click")
    expect(cancel).to_be_disabled()
    world.release(page, wallet)
    expect_stage(page, "cancelled")
    assert world.status(placed) == "CANCELLED"
    _, asked = (call for call in wallet.calls if call.method == "eth_signTypedData_v4")
    signed = json.loads(asked.params[1])
    assert signed["message"]["orderHash"] == placed.order_hash
    assert world.chain.held(wallet.address, MEETING_ROOM) == 1
