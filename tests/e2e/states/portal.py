"""The portal's states: from the first look to the code, and all that may go wrong on the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.faults import Held, altered, problem, request_dropped
from tests.e2e.states import state
from tests.e2e.steps import AI_SUITE, MEETING_ROOM, ON_CHAIN_MS, expect_stage, order_id
from tests.e2e.wallet import (
    Outcome,
    Wallet,
    answer_lost,
    busy,
    fail,
    insufficient_funds,
    pending,
    reject,
)
from tests.e2e.world import DESKTOP, PHONE, World

COLOUR_PRINT = 2001
COWORKING = 3001
ELSEWHERE = 1
SEND = "eth_sendTransaction"
SWITCH = "wallet_switchEthereumChain"
ORDER = "/orders/*"
HELD = {MEETING_ROOM: 3, COLOUR_PRINT: 12, COWORKING: 1, AI_SUITE: 2}


def expect_screen(page: Page, name: str) -> None:
    expect(page.locator("main")).to_have_attribute("data-screen", name, timeout=ON_CHAIN_MS)


def expect_notice(page: Page, key: str) -> None:
    shown = page.locator(f'[data-notice="{key}"]')
    expect(shown).to_be_visible(timeout=ON_CHAIN_MS)
    expect(shown).not_to_be_empty()


def customer(world: World, **options: Any) -> Wallet:
    """A wallet with a few kinds of vouchers."""
    return world.wallet(HELD, **options)


def redeem(page: Page, world: World, token_id: int = MEETING_ROOM) -> None:
    """From the vouchers to the order, whose redemption the wallet is asked for."""
    page.get_by_test_id(f"voucher-{token_id}").click()
    page.get_by_test_id(f"site-{world.site}").check()
    page.get_by_test_id("redeem").click()


def arrived(world: World, **options: Any) -> tuple[Page, Wallet]:
    """A customer with a connected wallet, its vouchers on the screen."""
    wallet = customer(world, **options)
    return world.connected(wallet), wallet


def ordered(world: World, *outcomes: Outcome) -> tuple[Page, Wallet]:
    """An order of a customer whose wallet, asked to send, does that."""
    page, wallet = arrived(world)
    wallet.next(SEND, *outcomes)
    redeem(page, world)
    return page, wallet


def declined(world: World) -> tuple[Page, Wallet]:
    """An order that its customer did not confirm: it waits."""
    page, wallet = ordered(world, reject())
    expect_notice(page, "problem.rejected")
    return page, wallet


def disconnect(page: Page) -> None:
    """Leave the wallet, as its sheet offers."""
    page.get_by_test_id("account").click()
    page.get_by_test_id("disconnect").click()


@contextmanager
def sent(world: World, wallet: Wallet | None = None) -> Iterator[tuple[Page, Wallet]]:
    """An order whose transaction waits to be mined, on a chain that stands still."""
    wallet = wallet or customer(world)
    page = world.connected(wallet)
    with world.chain.frozen():
        redeem(page, world)
        expect_stage(page, "submitted")
        world.until(lambda: wallet.asked("eth_getTransactionByHash") > 0, "the page has seen it")
        yield page, wallet


def told(world: World, page: Page, change: Callable[[Any], Any]) -> None:
    """The API tells the order's state differently from now on."""
    world.faults(page).on("GET", ORDER, altered(change))


def ready(world: World) -> tuple[Page, Wallet]:
    """An order that reception may deliver."""
    page, wallet = arrived(world)
    redeem(page, world)
    expect_stage(page, "ready")
    expect(page.get_by_test_id("qr")).to_be_visible()
    return page, wallet


# ---------------------------------------------------------------- before a wallet is connected


@state("portal", "loading")
def loading(world: World) -> Iterator[Page]:
    """The portal has not heard from the API yet."""
    page = world.portal(customer(world))
    world.faults(page).on("GET", "/config", Held())
    page.reload()
    expect_screen(page, "loading")
    yield page


@state("portal", "down")
def down(world: World) -> Iterator[Page]:
    """The API does not answer."""
    page = world.portal(customer(world))
    world.faults(page).on("*", "/**", request_dropped)
    page.reload()
    expect_screen(page, "down")
    yield page


@state("portal", "no-wallet", core=True, devices=(DESKTOP,))
def no_wallet(world: World) -> Iterator[Page]:
    """No wallet in a computer's browser."""
    page = world.portal()
    expect_screen(page, "no-wallet")
    yield page


@state("portal", "no-wallet-phone", devices=(PHONE,))
def no_wallet_phone(world: World) -> Iterator[Page]:
    """No wallet in a phone's browser."""
    page = world.portal()
    expect_screen(page, "no-wallet")
    yield page


@state("portal", "welcome", core=True)
def welcome(world: World) -> Iterator[Page]:
    """A wallet is there, not connected yet."""
    page = world.portal(customer(world))
    expect_screen(page, "welcome")
    yield page


@state("portal", "wallets", core=True)
def wallets(world: World) -> Iterator[Page]:
    """Several wallets to choose from."""
    others = [
        Wallet(world.chain, world.chain.account(), name=name, rdns=f"test.{at}", colour=colour)
        for at, (name, colour) in enumerate([("Rabby", "%237084ff"), ("OKX Wallet", "%23111111")])
    ]
    page = world.portal(customer(world, name="MetaMask", colour="%23f6851b"), *others)
    page.get_by_test_id("connect").click()
    expect(page.get_by_test_id("wallets")).to_be_visible()
    yield page


@state("portal", "wallets-none", devices=(PHONE,))
def wallets_none(world: World) -> Iterator[Page]:
    """A wallet is asked for where none is, away from the first page."""
    page = world.portal()
    page.get_by_test_id("my-orders").click()
    page.locator("main .primary").click()
    expect(page.get_by_test_id("wallets").get_by_test_id("get-wallet")).to_be_visible()
    yield page


@state("portal", "connecting")
def connecting(world: World) -> Iterator[Page]:
    """The wallet asks whether to connect."""
    wallet = customer(world, name="MetaMask", colour="%23f6851b")
    page = world.portal(wallet)
    wallet.next("eth_requestAccounts", pending())
    page.get_by_test_id("connect").click()
    expect_screen(page, "connecting")
    yield page


def refused_connection(world: World, outcome: Outcome, key: str) -> Page:
    wallet = customer(world)
    page = world.portal(wallet)
    wallet.next("eth_requestAccounts", outcome)
    page.get_by_test_id("connect").click()
    expect_notice(page, key)
    return page


@state("portal", "connect.rejected")
def connect_rejected(world: World) -> Iterator[Page]:
    """The customer declined to connect."""
    yield refused_connection(world, reject(), "connect.rejected")


@state("portal", "connect.pending")
def connect_pending(world: World) -> Iterator[Page]:
    """The wallet is locked or asks already."""
    yield refused_connection(world, busy(), "connect.pending")


@state("portal", "connect-failed")
def connect_failed(world: World) -> Iterator[Page]:
    """The wallet cannot connect, and says why."""
    yield refused_connection(world, fail(-32603, "No account is unlocked."), "problem.wallet")


@state("portal", "kept")
def kept(world: World) -> Iterator[Page]:
    """Orders of this device, with no wallet connected."""
    page, _ = declined(world)
    page.get_by_test_id("back").click()
    expect_screen(page, "vouchers")
    disconnect(page)
    expect_screen(page, "welcome")
    expect(page.get_by_test_id("kept-order")).to_be_visible()
    yield page


# ---------------------------------------------------------------- network and vouchers


def elsewhere(world: World, *outcomes: Outcome) -> Page:
    wallet = customer(world, chain_id=ELSEWHERE)
    page = world.connected(wallet)
    expect_screen(page, "wrong-network")
    wallet.next(SWITCH, *outcomes)
    if outcomes:
        page.get_by_test_id("switch-network").click()
    return page


@state("portal", "wrong-network", core=True)
def wrong_network(world: World) -> Iterator[Page]:
    """The wallet is on another chain."""
    yield elsewhere(world)


@state("portal", "switching")
def switching(world: World) -> Iterator[Page]:
    """The wallet asks whether to switch."""
    page = elsewhere(world, pending())
    expect(page.get_by_test_id("switch-network")).to_be_disabled()
    yield page


@state("portal", "network.rejected")
def network_rejected(world: World) -> Iterator[Page]:
    """The customer declined to switch."""
    page = elsewhere(world, reject())
    expect_notice(page, "network.rejected")
    yield page


@state("portal", "network.failed")
def network_failed(world: World) -> Iterator[Page]:
    """The wallet cannot switch by itself."""
    page = elsewhere(world, fail(-32603, "Not supported."))
    expect_notice(page, "network.failed")
    yield page


@state("portal", "no-vouchers")
def no_vouchers(world: World) -> Iterator[Page]:
    """The account holds no voucher."""
    page = world.connected(world.wallet())
    expect_screen(page, "no-vouchers")
    yield page


@state("portal", "vouchers", core=True)
def vouchers(world: World) -> Iterator[Page]:
    """The account's vouchers."""
    page, _ = arrived(world)
    expect(page.get_by_test_id(f"voucher-{AI_SUITE}")).to_be_visible()
    yield page


@state("portal", "vouchers-loading")
def vouchers_loading(world: World) -> Iterator[Page]:
    """The account's vouchers are being read."""
    wallet = customer(world)
    wallet.always("eth_call", pending())
    yield world.connected(wallet)


@state("portal", "vouchers.failed")
def vouchers_failed(world: World) -> Iterator[Page]:
    """The wallet's node does not answer."""
    wallet = customer(world)
    wallet.always("eth_call", fail(-32603, "Internal error"))
    page = world.connected(wallet)
    expect_notice(page, "vouchers.failed")
    yield page


@state("portal", "vouchers-again")
def vouchers_again(world: World) -> Iterator[Page]:
    """The account's vouchers are being read once more."""
    wallet = customer(world)
    wallet.always("eth_call", fail(-32603, "Internal error"))
    page = world.connected(wallet)
    expect_notice(page, "vouchers.failed")
    wallet.always("eth_call", pending())
    page.get_by_test_id("retry").click()
    expect(page.get_by_test_id("retry").locator(".spinner")).to_be_visible()
    yield page


@state("portal", "account")
def account(world: World) -> Iterator[Page]:
    """The connected wallet: its address, and how to leave."""
    page, _ = arrived(world)
    page.get_by_test_id("account").click()
    expect(page.get_by_test_id("account-sheet")).to_be_visible()
    yield page


@state("portal", "account.changed")
def account_changed(world: World) -> Iterator[Page]:
    """The account was changed in the wallet while choosing."""
    page, wallet = arrived(world)
    page.get_by_test_id(f"voucher-{MEETING_ROOM}").click()
    expect_screen(page, "redeem")
    wallet.use_account(world.chain.account({MEETING_ROOM: 1}))
    world.tell(page)
    expect_notice(page, "account.changed")
    yield page


# ---------------------------------------------------------------- choosing


@state("portal", "redeem")
def choosing(world: World) -> Iterator[Page]:
    """Choosing the site."""
    page, _ = arrived(world)
    page.get_by_test_id(f"voucher-{MEETING_ROOM}").click()
    expect_screen(page, "redeem")
    yield page


@state("portal", "redeem-errors", core=True)
def choosing_errors(world: World) -> Iterator[Page]:
    """Something was left out."""
    page, _ = arrived(world)
    page.get_by_test_id(f"voucher-{AI_SUITE}").click()
    page.get_by_test_id("amount").fill("50")
    page.get_by_test_id("redeem").click()
    expect(page.locator("[role=alert]").first).to_be_visible()
    expect(page.get_by_test_id("amount")).to_be_focused()
    yield page


@state("portal", "placing")
def placing(world: World) -> Iterator[Page]:
    """The order is being made."""
    page, _ = arrived(world)
    world.faults(page).on("POST", "/orders", Held())
    redeem(page, world)
    expect(page.get_by_test_id("redeem")).to_be_disabled()
    yield page


@state("portal", "problem.limit")
def rate_limited(world: World) -> Iterator[Page]:
    """Too many orders at once."""
    page, _ = arrived(world)
    world.faults(page).on("POST", "/orders", problem(429, "RATE_LIMITED", retry_after=42))
    redeem(page, world)
    expect_notice(page, "problem.limit")
    yield page


@state("portal", "problem.offline")
def placing_offline(world: World) -> Iterator[Page]:
    """The API does not answer while the order is made."""
    page, _ = arrived(world)
    world.faults(page).on("POST", "/orders", request_dropped)
    redeem(page, world)
    expect_notice(page, "problem.offline")
    yield page


@state("portal", "problem.api")
def placing_refused(world: World) -> Iterator[Page]:
    """The API does not take the order."""
    page, _ = arrived(world)
    world.faults(page).on("POST", "/orders", problem(409, "IDEMPOTENCY_KEY_REUSED"))
    redeem(page, world)
    expect_notice(page, "problem.api")
    yield page


# ---------------------------------------------------------------- signing


@state("portal", "checking")
def checking(world: World) -> Iterator[Page]:
    """The contract is asked before anything is signed."""
    page, wallet = arrived(world)
    wallet.always("eth_estimateGas", pending())
    redeem(page, world)
    expect_stage(page, "checking")
    yield page


@state("portal", "signing", core=True)
def signing(world: World) -> Iterator[Page]:
    """The wallet asks to confirm."""
    page, _ = ordered(world, pending())
    expect_stage(page, "signing")
    yield page


@state("portal", "problem.rejected", core=True)
def rejected(world: World) -> Iterator[Page]:
    """The customer declined: the order is kept."""
    page, _ = declined(world)
    yield page


@state("portal", "problem.pending")
def request_open(world: World) -> Iterator[Page]:
    """The wallet has a request open already."""
    page, _ = ordered(world, busy())
    expect_notice(page, "problem.pending")
    yield page


@state("portal", "problem.wallet")
def wallet_failed(world: World) -> Iterator[Page]:
    """The wallet does not do it, and says why."""
    page, _ = ordered(world, fail(4100, "This account is not allowed to sign."))
    expect_notice(page, "problem.wallet")
    yield page


@state("portal", "problem.gas")
def no_gas(world: World) -> Iterator[Page]:
    """Nothing to pay the network's fee with."""
    page, _ = arrived(world, wei=0)
    help_url = "https://www.bnbchain.org/en/testnet-faucet"
    world.faults(page).on("GET", "/config", altered(lambda said: {**said, "gasHelpUrl": help_url}))
    page.reload()
    redeem(page, world)
    expect_notice(page, "problem.gas")
    expect(page.get_by_test_id("gas-help").get_by_role("link")).to_have_attribute("href", help_url)
    yield page


@state("portal", "problem.gasUnknown")
def no_gas_told_by_the_wallet(world: World) -> Iterator[Page]:
    """The wallet says that there is not enough for the fee."""
    page, _ = ordered(world, insufficient_funds())
    expect_notice(page, "problem.gasUnknown")
    yield page


@state("portal", "problem.account")
def other_account(world: World) -> Iterator[Page]:
    """The wallet is on another account than the order's."""
    page, wallet = declined(world)
    wallet.use_account(world.chain.account())
    world.tell(page)
    page.get_by_test_id("sign").click()
    expect_notice(page, "problem.account")
    yield page


@state("portal", "revert.EnforcedPause")
def paused(world: World) -> Iterator[Page]:
    """Redemptions are paused."""
    page, _ = arrived(world)
    world.chain.pause(paused=True)
    try:
        redeem(page, world)
        expect_notice(page, "revert.EnforcedPause")
        yield page
    finally:
        world.chain.pause(paused=False)


@state("portal", "revert.other")
def refused(world: World) -> Iterator[Page]:
    """The contract refuses with an error that has no words of its own."""
    page, wallet = arrived(world)
    # MaxSupplyExceeded(uint256,uint256,uint256), which no redemption can meet.
    data = "0xb14d3f5b" + "00" * 96
    wallet.always("eth_estimateGas", fail(3, "execution reverted", data))
    redeem(page, world)
    expect_notice(page, "revert.other")
    yield page


@state("portal", "unsigned-no-wallet")
def unsigned_without_wallet(world: World) -> Iterator[Page]:
    """The order waits, and no wallet is connected."""
    page, _ = declined(world)
    disconnect(page)
    expect(page.get_by_test_id("account")).to_be_hidden()
    yield page


# ---------------------------------------------------------------- on the chain


@state("portal", "looking")
def looking(world: World) -> Iterator[Page]:
    """The wallet's answer was lost."""
    page, wallet = arrived(world)
    with world.chain.frozen():
        wallet.next(SEND, answer_lost())
        redeem(page, world)
        expect_stage(page, "looking")
        yield page


@state("portal", "submitted")
def submitted(world: World) -> Iterator[Page]:
    """Sent, not on the chain yet."""
    with sent(world) as (page, _):
        expect(page.get_by_test_id("qr")).to_be_visible()
        yield page


@state("portal", "seen")
def seen(world: World) -> Iterator[Page]:
    """The wallet's node has it, the API has not seen it."""
    with sent(world) as (page, _):
        told(world, page, lambda view: {**view, "status": "CREATED", "chain": None})
        world.chain.mine()
        expect_stage(page, "seen")
        yield page


@state("portal", "confirming", core=True)
def confirming(world: World) -> Iterator[Page]:
    """The burn is on the chain and counts its confirmations."""
    with sent(world) as (page, _):
        world.chain.mine(2)
        expect(page.get_by_test_id("confirmations")).to_contain_text("2", timeout=ON_CHAIN_MS)
        yield page


@state("portal", "finality")
def finality(world: World) -> Iterator[Page]:
    """Confirmed often enough, and waiting for finality."""

    def not_final(view: Any) -> Any:
        chain = {**view["chain"], "confirmations": 3, "final": False}
        return {**view, "status": "PENDING_CHAIN", "chain": chain, "redeemable": False}

    with sent(world) as (page, _):
        world.chain.mine()
        expect_stage(page, "confirming")
        told(world, page, not_final)
        expect(page.get_by_test_id("confirmations")).to_contain_text("3 ")
        expect(page.get_by_test_id("confirmations")).to_contain_text(", ")
        yield page


@state("portal", "tx.spedUp")
def sped_up(world: World) -> Iterator[Page]:
    """The wallet sent it again with a higher fee."""
    with sent(world) as (page, wallet):
        wallet.speed_up(wallet.sent[0])
        world.chain.mine()
        expect_notice(page, "tx.spedUp")
        expect_stage(page, "confirming")
        yield page


@state("portal", "tx.cancelled")
def cancelled_in_the_wallet(world: World) -> Iterator[Page]:
    """The customer cancelled the transaction in the wallet."""
    with sent(world) as (page, wallet):
        wallet.cancel(wallet.sent[0])
        world.chain.mine()
        expect_notice(page, "tx.cancelled")
        yield page


@state("portal", "tx.dropped")
def dropped(world: World) -> Iterator[Page]:
    """The network has forgotten the transaction."""
    with sent(world) as (page, wallet):
        world.chain.drop(wallet.sent[0])
        expect_notice(page, "tx.dropped")
        yield page


@state("portal", "reorged")
def reorged(world: World) -> Iterator[Page]:
    """It was on the chain, and the chain took it back."""
    with sent(world) as (page, wallet):
        world.chain.mine()
        expect_stage(page, "confirming")
        world.chain.reorg(1)
        wallet.send_again(wallet.sent[0])
        told(world, page, lambda view: {**view, "status": "CREATED", "chain": None})
        expect_stage(page, "reorged")
        yield page


@state("portal", "ready", core=True)
def ready_for_reception(world: World) -> Iterator[Page]:
    """The code, for reception."""
    page, _ = ready(world)
    yield page


@state("portal", "code.only")
def code_without_image(world: World) -> Iterator[Page]:
    """The API gives no QR code: the code is told."""
    page, _ = arrived(world)
    world.faults(page).on("GET", "/orders/*/qr.svg", problem(404, "ORDER_NOT_FOUND"))
    redeem(page, world)
    expect_stage(page, "ready")
    expect(page.get_by_test_id("order-code")).to_be_visible()
    expect(page.locator(".code .spinner")).to_have_count(0)
    yield page


@state("portal", "large-code")
def large_code(world: World) -> Iterator[Page]:
    """The code over the whole screen."""
    page, _ = ready(world)
    page.get_by_test_id("enlarge").click()
    expect(page.get_by_test_id("large-code")).to_be_visible()
    yield page


@state("portal", "delivered")
def delivered(world: World) -> Iterator[Page]:
    """Handed over."""
    page, _ = ready(world)
    world.hand_over(order_id(page))
    expect_stage(page, "delivered")
    yield page


# ---------------------------------------------------------------- what ends otherwise


def ended(world: World, **change: Any) -> Page:
    """An unsigned order of which the API tells `change`."""
    page, _ = declined(world)
    told(world, page, lambda view: {**view, **change})
    page.reload()
    return page


@state("portal", "expiring")
def expiring(world: World) -> Iterator[Page]:
    """The time is over, and whether a burn was in time is being proved."""
    page = ended(world, reason="EXPIRY_BEING_CHECKED")
    expect_stage(page, "expiring")
    yield page


@state("portal", "expired")
def expired(world: World) -> Iterator[Page]:
    """Nothing was confirmed in time."""
    page = ended(world, status="EXPIRED", reason="EXPIRED")
    expect_stage(page, "expired")
    yield page


@state("portal", "cancelled")
def cancelled(world: World) -> Iterator[Page]:
    """The order was taken back."""
    page = ended(world, status="CANCELLED", reason="CANCELLED")
    expect_stage(page, "cancelled")
    yield page


@state("portal", "exception")
def exception(world: World) -> Iterator[Page]:
    """A burn that does not fit the order."""
    page = ended(world, exception="WRONG_AMOUNT", reason="EXCEPTION")
    expect_stage(page, "exception")
    # Nothing turns ready here.
    expect(page.get_by_text("once this page says")).to_have_count(0)
    expect(page.get_by_text("whoever shows it")).to_have_count(0)
    yield page


# ---------------------------------------------------------------- no connection


@state("portal", "stale.text")
def stale(world: World) -> Iterator[Page]:
    """The order as it was when the connection went."""
    page, _ = ready(world)
    world.faults(page).on("GET", ORDER, request_dropped)
    expect_notice(page, "stale.text")
    yield page


@state("portal", "order-loading")
def order_loading(world: World) -> Iterator[Page]:
    """The order is being asked for."""
    page, _ = declined(world)
    world.faults(page).on("GET", ORDER, Held())
    page.reload()
    expect_screen(page, "order")
    yield page


@state("portal", "order-down")
def order_down(world: World) -> Iterator[Page]:
    """The API does not answer, and the order was not seen before."""
    page, _ = declined(world)
    world.faults(page).on("GET", ORDER, request_dropped)
    page.reload()
    expect(page.locator("main h1")).to_be_visible()
    yield page


@state("portal", "order.gone")
def order_gone(world: World) -> Iterator[Page]:
    """The order is not known any more."""
    page, _ = declined(world)
    world.faults(page).on("GET", ORDER, problem(404, "ORDER_NOT_FOUND"))
    # The page looks at once then; a reload could come before or after what it tells.
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_notice(page, "order.gone")
    yield page


@state("portal", "order.lost")
def order_lost(world: World) -> Iterator[Page]:
    """The API does not know an order that something was sent for: the code and that stay."""
    with sent(world) as (page, wallet):
        world.faults(page).on("GET", ORDER, problem(404, "ORDER_NOT_FOUND"))
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.get_by_test_id("lost")).to_contain_text(wallet.sent[0])
        yield page


@state("portal", "problem.later")
def later_failed(world: World) -> Iterator[Page]:
    """A screen that is loaded later cannot be loaded."""
    page, _ = arrived(world)
    expect_screen(page, "vouchers")
    page.route("**/later-*.js", lambda route: route.abort())
    page.get_by_test_id("my-orders").click()
    expect_notice(page, "problem.later")
    yield page
