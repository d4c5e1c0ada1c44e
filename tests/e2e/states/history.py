"""States of the wallet's order history, of receipts, and of what else the portal loads later."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.faults import Fault, Held, altered, gateway_error, problem, unauthorised
from tests.e2e.states import state
from tests.e2e.states.portal import declined
from tests.e2e.steps import AI_SUITE, MEETING_ROOM
from tests.e2e.wallet import Call, Wallet, as_usual, fail, pending, reject
from tests.e2e.world import Placed, World

COLOUR_PRINT = 2001
RECEIPT_MS = 20_000
NO_SIGNATURE = "0x" + "00" * 65
CONTRACT_CODE = "0x600160005260206000f3"
ORDERS = "/wallets/*/orders"


def history(page: Page) -> None:
    """Go to the wallet's orders."""
    page.get_by_test_id("my-orders").click()
    expect(page.get_by_test_id("history")).to_be_visible()


def sign_in(page: Page) -> None:
    """Go to the wallet's orders and prove to be its owner."""
    history(page)
    page.get_by_test_id("history-sign-in").click()


def expect_history(page: Page, phase: str) -> None:
    expect(page.get_by_test_id("history")).to_have_attribute("data-state", phase)


def expect_notice(page: Page, key: str) -> None:
    expect(page.get_by_test_id("notice")).to_have_attribute("data-notice", key)


def expect_check(page: Page, check: str, result: str) -> None:
    shown = page.locator(f'[data-check="{check}"]')
    expect(shown).to_have_attribute("data-result", result, timeout=RECEIPT_MS)


def expect_row(page: Page, placed: Placed) -> None:
    expect(row(page, placed)).to_be_visible()


def row(page: Page, placed: Placed) -> Any:
    """The line of that order."""
    return page.locator(f'[data-testid="history-row"][data-order-id="{placed.order_id}"]')


def delivered(world: World, wallet: Wallet, token_id: int = MEETING_ROOM) -> Placed:
    """An order of that wallet, redeemed and handed over; the wallet holds its voucher."""
    placed = world.place(wallet.account, token_id)
    world.burn(wallet.account, placed)
    world.chain.mine(4)
    world.until(lambda: world.status(placed) == "VALID", f"{placed.order_hash} is VALID")
    world.deliver(placed)
    return placed


def receipt(world: World, wallet: Wallet, placed: Placed) -> Page:
    """The portal with the receipt of a delivered order open."""
    page = world.connected(wallet)
    sign_in(page)
    row(page, placed).click()
    expect(page.get_by_test_id("receipt")).to_have_attribute("data-state", "delivered")
    return page


# ---------------------------------------------------------------- signing in


@state("portal", "history-no-wallet")
def history_no_wallet(world: World) -> Iterator[Page]:
    """Nobody is connected and this device keeps nothing."""
    page = world.portal(world.wallet())
    history(page)
    expect_history(page, "device")
    yield page


def of_this_device(world: World) -> Page:
    """The orders of a customer who has not signed in: the one made here."""
    page, _ = declined(world)
    history(page)
    expect_history(page, "sign-in")
    expect(page.get_by_test_id("history-row")).to_have_count(1)
    return page


@state("portal", "history-device")
def history_device(world: World) -> Iterator[Page]:
    """An order that this device keeps is listed before signing in."""
    page = of_this_device(world)
    expect(page.get_by_test_id("history-row")).to_contain_text(":")
    yield page


@state("portal", "history-sign-in")
def history_sign_in(world: World) -> Iterator[Page]:
    """What signing in means, and that it costs nothing."""
    page = world.connected(world.wallet())
    history(page)
    expect_history(page, "sign-in")
    yield page


@state("portal", "history-waiting")
def history_waiting(world: World) -> Iterator[Page]:
    """The wallet shows the text to sign."""
    wallet = world.wallet()
    wallet.always("personal_sign", pending())
    page = world.connected(wallet)
    sign_in(page)
    expect_history(page, "waiting")
    yield page


def not_signed_in(world: World, wallet: Wallet, key: str) -> Iterator[Page]:
    """The sign-in fails, and why is told."""
    page = world.connected(wallet)
    sign_in(page)
    expect_notice(page, key)
    expect_history(page, "sign-in")
    yield page


@state("portal", "history-rejected")
def history_rejected(world: World) -> Iterator[Page]:
    """The customer declined to sign."""
    wallet = world.wallet()
    wallet.always("personal_sign", reject())
    yield from not_signed_in(world, wallet, "signIn.rejected")


@state("portal", "history-request-open")
def history_request_open(world: World) -> Iterator[Page]:
    """The wallet has another request open."""
    wallet = world.wallet()
    wallet.always("personal_sign", fail(-32002, "Request already pending."))
    yield from not_signed_in(world, wallet, "wallet.pending")


@state("portal", "history-refused")
def history_refused(world: World) -> Iterator[Page]:
    """The signature is not the account's."""
    wallet = world.wallet()
    wallet.always("personal_sign", lambda _wallet, _call: NO_SIGNATURE)
    yield from not_signed_in(world, wallet, "signIn.refused")


@state("portal", "history-contract-wallet")
def history_contract_wallet(world: World) -> Iterator[Page]:
    """A contract's signature cannot sign in: plain keys only."""
    wallet = world.wallet()
    world.chain.rpc("anvil_setCode", wallet.address, CONTRACT_CODE)
    wallet.always("personal_sign", lambda _wallet, _call: NO_SIGNATURE)
    for page in not_signed_in(world, wallet, "signIn.contract"):
        # However often it is asked.
        expect(page.get_by_test_id("history-sign-in")).to_have_count(0)
        expect(page.get_by_test_id("history-back")).to_be_visible()
        yield page


@state("portal", "history-sign-in-down")
def history_sign_in_down(world: World) -> Iterator[Page]:
    """The API does not answer when the customer wants to sign in."""
    page = world.connected(world.wallet())
    world.faults(page).on("POST", "/auth/wallet/nonce", gateway_error())
    sign_in(page)
    expect_notice(page, "api.offline")
    yield page


# ---------------------------------------------------------------- the list


@state("portal", "history-empty")
def history_empty(world: World) -> Iterator[Page]:
    """Signed in, and nothing was ever redeemed."""
    page = world.connected(world.wallet())
    sign_in(page)
    expect_history(page, "list")
    yield page


def some_orders(world: World, wallet: Wallet) -> list[Placed]:
    """One delivered, one ready, one not signed, oldest first; another day's is the first of all."""
    done = delivered(world, wallet)
    ready = world.place(wallet.account, AI_SUITE, aiAccount="lan.nguyen@example.com")
    world.burn(wallet.account, ready)
    world.chain.mine(4)
    world.until(lambda: world.status(ready) == "VALID", f"{ready.order_hash} is VALID")
    return [done, ready, world.place(wallet.account, COLOUR_PRINT)]


def days_apart(page: dict[str, Any]) -> None:
    """As if the oldest order had been made some days before the others."""
    page["items"][-1]["createdAt"] = "2026-01-19T03:12:00Z"


def vouchers() -> Mapping[int, int]:
    """What `some_orders` redeems."""
    return {MEETING_ROOM: 1, AI_SUITE: 1, COLOUR_PRINT: 1}


@state("portal", "history-list")
def history_list(world: World) -> Iterator[Page]:
    """Every order of the wallet by day, whatever became of it."""
    wallet = world.wallet(vouchers())
    orders = some_orders(world, wallet)
    page = world.connected(wallet)
    world.faults(page).on("GET", ORDERS, altered(days_apart))
    sign_in(page)
    expect_history(page, "list")
    for placed in orders:
        expect_row(page, placed)
    yield page


def first_page(page: dict[str, Any]) -> None:
    """As if there were more orders than the list brings at once."""
    page["nextCursor"] = "later"


@state("portal", "history-more")
def history_more(world: World) -> Iterator[Page]:
    """There are more orders than were fetched."""
    wallet = world.wallet(vouchers())
    world.place(wallet.account, COLOUR_PRINT)
    page = world.connected(wallet)
    world.faults(page).on("GET", ORDERS, altered(first_page), times=1)
    sign_in(page)
    expect(page.get_by_test_id("history-more")).to_be_enabled()
    yield page


@state("portal", "history-more-failed")
def history_more_failed(world: World) -> Iterator[Page]:
    """The earlier orders did not come; what is there stays."""
    wallet = world.wallet(vouchers())
    placed = world.place(wallet.account, COLOUR_PRINT)
    page = world.connected(wallet)
    faults = world.faults(page)
    faults.on("GET", ORDERS, gateway_error())
    faults.on("GET", ORDERS, altered(first_page), times=1)
    sign_in(page)
    page.get_by_test_id("history-more").click()
    expect_notice(page, "history.failed")
    expect_row(page, placed)
    yield page


@state("portal", "history-loading")
def history_loading(world: World) -> Iterator[Page]:
    """Signed in; the list is on its way."""
    page = world.connected(world.wallet())
    world.faults(page).on("GET", ORDERS, Held())
    sign_in(page)
    expect_history(page, "loading")
    yield page


@state("portal", "history-down")
def history_down(world: World) -> Iterator[Page]:
    """Signed in, but the API does not answer."""
    page = world.connected(world.wallet())
    world.faults(page).on("GET", ORDERS, gateway_error())
    sign_in(page)
    expect_history(page, "failed")
    yield page


@state("portal", "history-session-over")
def history_session_over(world: World) -> Iterator[Page]:
    """The sign-in has ended: one tap signs in again."""
    page = world.connected(world.wallet())
    world.faults(page).on("GET", ORDERS, unauthorised)
    sign_in(page)
    expect_notice(page, "signIn.over")
    yield page


@state("portal", "history-switched")
def history_switched(world: World) -> Iterator[Page]:
    """Another account was chosen in the wallet: its owner has to sign in."""
    wallet = world.wallet()
    page = world.connected(wallet)
    sign_in(page)
    expect_history(page, "list")
    wallet.use_account(world.chain.account())
    world.tell(page)
    expect_notice(page, "signIn.switched")
    expect_history(page, "sign-in")
    yield page


# ---------------------------------------------------------------- receipts


@state("portal", "receipt", core=True)
def receipt_proved(world: World) -> Iterator[Page]:
    """A receipt whose proof this device has checked."""
    wallet = world.wallet({MEETING_ROOM: 1})
    page = receipt(world, wallet, delivered(world, wallet))
    expect_check(page, "hash", "ok")
    expect_check(page, "burn", "ok")
    yield page


def with_node_saying(world: World, change: Callable[[Any], Any], result: str) -> Iterator[Page]:
    """A receipt while the wallet's node says something else of the transaction."""
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = delivered(world, wallet)

    def told(wallet: Wallet, call: Call) -> Any:
        return change(as_usual(wallet, call))

    wallet.always("eth_getTransactionReceipt", told)
    page = receipt(world, wallet, placed)
    expect_check(page, "burn", result)
    yield page


@state("portal", "receipt-mismatch")
def receipt_mismatch(world: World) -> Iterator[Page]:
    """The chain says otherwise than the receipt."""

    def fewer(told: dict[str, Any]) -> dict[str, Any]:
        return told | {"blockHash": "0x" + "11" * 32, "logs": []}

    yield from with_node_saying(world, fewer, "bad")


@state("portal", "receipt-unknown")
def receipt_unknown(world: World) -> Iterator[Page]:
    """The wallet's node does not know the transaction: nothing is claimed."""
    yield from with_node_saying(world, lambda _told: None, "none")


@state("portal", "receipt-no-wallet")
def receipt_no_wallet(world: World) -> Iterator[Page]:
    """Without a wallet only the order hash is checked."""
    wallet = world.wallet({MEETING_ROOM: 1})
    page = receipt(world, wallet, delivered(world, wallet))
    wallet.leave()
    world.tell(page)
    expect_check(page, "burn", "none")
    yield page


@state("portal", "receipt-forged")
def receipt_forged(world: World) -> Iterator[Page]:
    """What the receipt says is not what the order hash was made of."""
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = delivered(world, wallet)
    page = world.connected(wallet)

    def more(order: dict[str, Any]) -> None:
        order["amount"] += 1

    world.faults(page).on("GET", "/orders/*", altered(more))
    sign_in(page)
    row(page, placed).click()
    expect_check(page, "hash", "bad")
    expect_check(page, "burn", "bad")
    yield page


def instead_of_receipt(world: World, fault: Fault, kind: str) -> Iterator[Page]:
    """The page where a receipt cannot be shown."""
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = delivered(world, wallet)
    page = world.connected(wallet)
    world.faults(page).on("GET", "/orders/*", fault)
    sign_in(page)
    row(page, placed).click()
    expect(page.get_by_test_id("receipt")).to_have_attribute("data-state", kind)
    yield page


@state("portal", "receipt-offline")
def receipt_offline(world: World) -> Iterator[Page]:
    """The API does not answer."""
    yield from instead_of_receipt(world, gateway_error(), "offline")


@state("portal", "receipt-limited")
def receipt_limited(world: World) -> Iterator[Page]:
    """Asked too often: the receipt is waited for."""
    fault = problem(429, "RATE_LIMITED", retry_after=42)
    yield from instead_of_receipt(world, fault, "loading")


@state("portal", "receipt-gone")
def receipt_gone(world: World) -> Iterator[Page]:
    """The API does not know the order."""
    yield from instead_of_receipt(world, problem(404, "ORDER_NOT_FOUND"), "gone")


@state("portal", "receipt-not-yet")
def receipt_not_yet(world: World) -> Iterator[Page]:
    """The order is not delivered (any more: an incident took it back)."""

    def valid(order: dict[str, Any]) -> None:
        order["status"] = "VALID"

    yield from instead_of_receipt(world, altered(valid), "open")


@state("portal", "receipt-explorer")
def receipt_explorer(world: World) -> Iterator[Page]:
    """Where the chain has an explorer, the receipt names the transaction's page there."""
    wallet = world.wallet({MEETING_ROOM: 1})
    placed = delivered(world, wallet)
    page = world.connected(wallet)

    def explored(order: dict[str, Any]) -> None:
        order["chain"]["explorerUrl"] = f"https://testnet.bscscan.com/tx/{order['chain']['txHash']}"

    world.faults(page).on("GET", "/orders/*", altered(explored))
    sign_in(page)
    row(page, placed).click()
    expect(page.locator(".receipt-link a")).to_be_visible()
    yield page


# ---------------------------------------------------------------- the wallet shows the voucher


def offered(world: World, wallet: Wallet, key: str) -> Iterator[Page]:
    """A voucher is offered to the wallet, and what came of it is told."""
    page = world.connected(wallet)
    page.get_by_test_id(f"add-{MEETING_ROOM}").click()
    expect_notice(page, key)
    yield page


@state("portal", "voucher-in-wallet")
def voucher_in_wallet(world: World) -> Iterator[Page]:
    """The wallet took the voucher into its list."""
    yield from offered(world, world.wallet({MEETING_ROOM: 1}), "watch.done")


@state("portal", "voucher-not-in-wallet")
def voucher_not_in_wallet(world: World) -> Iterator[Page]:
    """The wallet cannot show vouchers."""
    wallet = world.wallet({MEETING_ROOM: 1})
    wallet.always("wallet_watchAsset", fail(-32602, "Asset of type 'ERC1155' not supported"))
    yield from offered(world, wallet, "watch.unsupported")


def waits_for_the_wallet(page: Page, button: str) -> None:
    """Press what the wallet is asked for, and does not answer."""
    page.get_by_test_id(button).click()
    expect(page.get_by_test_id(button)).to_be_disabled()


@state("portal", "voucher-offered")
def voucher_offered(world: World) -> Iterator[Page]:
    """The wallet asks whether to show the voucher."""
    wallet = world.wallet({MEETING_ROOM: 1})
    wallet.always("wallet_watchAsset", pending())
    page = world.connected(wallet)
    waits_for_the_wallet(page, f"add-{MEETING_ROOM}")
    yield page


# ---------------------------------------------------------------- an order is taken back


@state("portal", "cancelling")
def cancelling(world: World) -> Iterator[Page]:
    """The wallet asks whether to take the order back."""
    page, wallet = declined(world)
    wallet.always("eth_signTypedData_v4", pending())
    waits_for_the_wallet(page, "cancel-order")
    expect(page.get_by_test_id("sign")).to_be_disabled()
    yield page
