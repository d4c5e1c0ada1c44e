"""What web3.py's own decoding tells of the contract, and whether the ledger says the same.

The listener decodes logs by itself; here the chain is read another way, so that what both say is
not one mistake made twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from eth_account import Account

from chalicelib.adapters.security import SystemEntropy
from chalicelib.domain.matching import judge
from chalicelib.domain.orders import HistoryEntry, Order, OrderStatus
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.domain.staff import Role, Staff
from chalicelib.ports import MAX_CHANGES, Store
from chalicelib.usecases.deliver import Delivered, deliver
from ops import anvil
from ops.deploy_local import Deployment, LocalChain
from tests.chain.test_listener import COLOUR_PRINT, MEETING_ROOM, Stack

SITE = "HCM_ROX_T09"

RECEPTIONIST = Staff(
    username="reception1",
    display_name="Reception",
    role=Role.RECEPTION,
    sites=(SITE,),
    password_hash="",
    must_change_password=False,
)


@dataclass(frozen=True, slots=True)
class Deed:
    """A burn's transaction as it was signed, so that it can be mined again."""

    raw: str
    tx_hash: str


def burns_of_chain(chain: LocalChain, deployed: Deployment) -> list[Burn]:
    """All burns on the chain as web3.py decodes them; the contract counts as many."""
    events = chain.contract(deployed.address).events.VoucherRedeemed()
    times: dict[int, int] = {}
    burns = [_burn(chain, log, times) for log in events.get_logs(from_block=deployed.block)]
    count = chain.contract(deployed.address).functions.redemptionCount().call()
    assert [burn.serial for burn in burns] == list(range(1, count + 1))
    return burns


def ledger_of(store: Store) -> list[Redemption]:
    """All ledger entries."""
    cursor = store.cursor()
    assert cursor is not None
    entries = [
        entry
        for first in range(1, cursor.seen_serial + 1, MAX_CHANGES)
        for entry in store.redemptions(first, first + MAX_CHANGES - 1)
    ]
    assert [entry.serial for entry in entries] == list(range(1, cursor.seen_serial + 1))
    return entries


def check_ledger(store: Store, chain: LocalChain, deployed: Deployment) -> list[Redemption]:
    """The ledger is the chain, log by log, while both are at rest; the entries on the chain.

    What the chain abandoned is kept as an orphan, what lies at or below the proven block is final,
    and nothing else is.
    """
    burns = burns_of_chain(chain, deployed)
    cursor = store.cursor()
    assert cursor is not None
    own = chain.web3.eth.get_block(cursor.proven.number)
    assert cursor.proven.hash == own["hash"].to_0x_hex()
    standing = [entry for entry in ledger_of(store) if entry.on_chain]
    assert [entry.burn for entry in standing] == burns
    for entry in standing:
        assert entry.final == (entry.burn.block.number <= cursor.proven.number), entry
        assert entry.burn not in entry.orphans
    assert cursor.last_serial == sum(entry.final for entry in standing)
    return standing


def check_orders(store: Store, order_ids: Iterable[str]) -> dict[OrderStatus, int]:
    """Every order has the status that its burns give it; how many have each.

    VALID or delivered if and only if exactly one matching burn is final, PENDING_CHAIN with one not
    final yet, else as it was made.
    """
    standing: dict[str, list[Redemption]] = {}
    for entry in ledger_of(store):
        if entry.on_chain:
            standing.setdefault(entry.burn.order_hash, []).append(entry)
    found: dict[OrderStatus, int] = {}
    for order_id in order_ids:
        order = store.order(order_id)
        assert order is not None
        _check_order(order, standing.get(order.order_hash, []))
        _check_history(history_of(store, order))
        found[order.status] = found.get(order.status, 0) + 1
    return found


def history_of(store: Store, order: Order) -> list[HistoryEntry]:
    """All moves of an order, oldest first."""
    return [*(record.entry for record in store.history(order.order_hash)), *order.history]


def moves_to(store: Store, order: Order, status: OrderStatus) -> int:
    """How often the order moved to that status."""
    stored = store.order(order.order_id)
    assert stored is not None
    return sum(entry.target is status for entry in history_of(store, stored))


def redeem(stack: Stack, order: Order, key: str = anvil.KEYS[2]) -> Deed:
    """Burn for an order, and keep the transaction."""
    receipt = stack.chain.redeem_order(key, stack.deployed.address, order)
    tx_hash = receipt["transactionHash"].to_0x_hex()
    return Deed(stack.chain.request("eth_getRawTransactionByHash", tx_hash), tx_hash)


def hand_over(store: Store, order: Order, *, now: int) -> Delivered:
    """The receptionist of its site delivers the order."""
    return deliver(
        order.order_id,
        RECEPTIONIST,
        note="",
        desk_site="",
        store=store,
        entropy=SystemEntropy(),
        now=now,
        request_id="at-the-desk",
    )


def settle(stack: Stack, *, met: Callable[[], bool] | None = None, passes: int = 60) -> None:
    """Scan until a pass has nothing left to do, or until `met`; that takes a few passes at most."""
    result = None
    for _ in range(passes):
        result = stack.listener.scan()
        if met() if met else not result.error and not result.backlog and is_at_rest(stack):
            return
    raise AssertionError(f"not settled after {passes} passes: {result}")


def mint_more(stack: Stack, *, each: int) -> None:
    """Vouchers for long runs."""
    for key in anvil.KEYS[2:4]:
        stack.chain.mint(
            anvil.KEYS[1],
            stack.deployed.address,
            to=Account.from_key(key).address,
            vouchers={MEETING_ROOM: each, COLOUR_PRINT: each},
        )


def is_at_rest(stack: Stack) -> bool:
    """Whether all that is final is proved, and the newest block was seen."""
    cursor = stack.store.cursor()
    assert cursor is not None
    web3 = stack.chain.web3
    head = web3.eth.block_number
    finalized = web3.eth.get_block("finalized")["number"]
    confirmed = head - stack.listener.settings.finality.confirmations + 1
    height = max(stack.deployed.block - 1, min(finalized, confirmed))
    own = web3.eth.get_block(cursor.proven.number)["hash"].to_0x_hex()
    at_head = cursor.head_number == head
    return at_head and cursor.proven.number >= height and cursor.proven.hash == own


def _check_order(order: Order, entries: list[Redemption]) -> None:
    fitting = [
        entry
        for entry in entries
        if judge(entry.burn, replace(order, status=OrderStatus.CREATED, burn=None))
        is Outcome.MATCHED
    ]
    assert len(fitting) <= 1, "the contract takes an order of a customer once"
    if not fitting:
        unspent = OrderStatus.DELIVERED if order.delivery else OrderStatus.CREATED
        assert order.status is unspent, order
        assert order.burn is None
        return
    (entry,) = fitting
    expected = {OrderStatus.VALID, OrderStatus.DELIVERED} if entry.final else _waiting(order)
    assert order.status in expected, (order, entry)
    assert entry.outcome is Outcome.MATCHED
    assert order.burn == entry.burn


def _waiting(order: Order) -> set[OrderStatus]:
    delivered = order.delivery is not None
    return {OrderStatus.DELIVERED if delivered else OrderStatus.PENDING_CHAIN}


def _check_history(moves: list[HistoryEntry]) -> None:
    assert [move.seq for move in moves] == list(range(1, len(moves) + 1))
    for before, after in pairwise(moves):
        assert after.source is before.target
    assert sum(move.target is OrderStatus.DELIVERED for move in moves) <= 1


def _burn(chain: LocalChain, log: Any, times: dict[int, int]) -> Burn:
    number, told = log["blockNumber"], log["args"]
    if number not in times:
        times[number] = chain.web3.eth.get_block(number)["timestamp"]
    return Burn(
        serial=told["serial"],
        user=told["user"],
        token_id=told["tokenId"],
        amount=told["amount"],
        order_hash="0x" + told["orderHash"].hex(),
        tx_hash=log["transactionHash"].to_0x_hex(),
        log_index=log["logIndex"],
        block=BlockRef(number, log["blockHash"].to_0x_hex(), times[number]),
    )
