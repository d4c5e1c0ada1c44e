"""Forks on a real chain, of every depth and with every fate of the burns they touch.

A fork takes back the newest blocks. What becomes of a burn in them is up to the miners: it may be
gone, come back at once, elsewhere or in another order, or be sent again later by the wallet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from eth_account import Account

from chalicelib.adapters.security import SystemEntropy
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.exceptions import ExceptionKind, ExceptionRecord
from chalicelib.domain.orders import Actor, ActorKind, Order, OrderStatus
from chalicelib.domain.redemptions import Burn
from chalicelib.usecases.resolve_exception import Resolver, acknowledge_incident
from chalicelib.usecases.scan import ForkBelowFinality
from ops import anvil
from tests.chain.books import (
    Deed,
    burns_of_chain,
    check_ledger,
    check_orders,
    hand_over,
    is_at_rest,
    ledger_of,
    moves_to,
    redeem,
    settle,
)
from tests.chain.test_listener import ALICE, ALICE_KEY, BOB, BOB_KEY, Stack, deploy, listener_of

S = OrderStatus

DEEPEST = 20
SHORT = (7, DEEPEST)
DEEPEST_BELOW = 90
FINAL_EARLY, FINAL_LATE = 2, 24
"""Blocks by which finality trails the head: most forks go below it, or none does."""


KEPT_STATES = 128
"""As full nodes do; anvil loses its way in a fork once it has put older states on disk."""


@dataclass(frozen=True, slots=True)
class Touched:
    """An order, and its burn in the `offset`th of the blocks that a fork takes back."""

    order: Order
    deed: Deed
    offset: int


Fate = Callable[[Stack, int, list[Touched]], None]
"""Forks the chain so many blocks deep, and does with the burns what its name says."""


def _fork(stack: Stack, depth: int, mined_again: list[tuple[Touched, int]]) -> None:
    head = stack.chain.web3.eth.block_number
    before = stack.chain.web3.eth.get_block(head - depth + 1)["hash"]
    pairs = [[burn.deed.raw, offset] for burn, offset in mined_again]
    # Blocks of the same contents and the same second would be the same blocks.
    stack.chain.request("anvil_setCoinbase", Account.create().address)
    stack.chain.request("anvil_reorg", depth, pairs)
    assert stack.chain.web3.eth.block_number == head
    assert stack.chain.web3.eth.get_block(head - depth + 1)["hash"] != before


def dropped(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Gone."""
    _fork(stack, depth, [])


def returned(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Mined again at the same heights."""
    _fork(stack, depth, [(burn, burn.offset) for burn in burns])


def moved(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Mined again, all in the newest block."""
    _fork(stack, depth, [(burn, depth - 1) for burn in burns])


def exchanged(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Mined again in the opposite order, so that each has another's serial."""
    offsets = [burn.offset for burn in reversed(burns)]
    _fork(stack, depth, list(zip(burns, offsets, strict=True)))


def halved(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Of two customers, only one's burns are mined again."""
    _fork(stack, depth, [(burn, burn.offset) for burn in burns if burn.order.customer == BOB])


def sent_again(stack: Stack, depth: int, burns: list[Touched]) -> None:
    """Gone, scanned as gone, then sent anew as they were signed."""
    _fork(stack, depth, [])
    stack.listener.scan()
    for burn in burns:
        sent = stack.chain.web3.eth.send_raw_transaction(burn.deed.raw)  # type: ignore[arg-type]
        stack.chain.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.02)


FATES: tuple[Fate, ...] = (dropped, returned, moved, exchanged, halved, sent_again)


def _cases(depths: Sequence[int]) -> list[object]:
    """All depths with all fates; the short form takes three depths."""
    return [
        pytest.param(
            depth,
            fate,
            id=f"{depth}-{fate.__name__}",
            marks=() if depth in (depths[0], *SHORT) else pytest.mark.slow,
        )
        for depth, fate in product(depths, FATES)
    ]


@pytest.fixture(scope="module")
def chains() -> Iterator[dict[int, str]]:
    """URLs of chains by how far their finality trails."""
    with (
        anvil.start(finalized_lag=FINAL_EARLY, kept_states=KEPT_STATES) as early,
        anvil.start(finalized_lag=FINAL_LATE, kept_states=KEPT_STATES) as late,
    ):
        yield {FINAL_EARLY: early.rpc_url, FINAL_LATE: late.rpc_url}


Forkable = Callable[[int], Stack]


@pytest.fixture
def stack_on(chains: dict[int, str], tmp_path: Path) -> Forkable:
    """A fresh contract with enough blocks on top, an empty store and its listener."""

    def make(finalized_lag: int) -> Stack:
        rpc_url = chains[finalized_lag]
        url = f"sqlite:///{tmp_path / 'vouchers.db'}"
        migrate(url)
        chain, deployed = deploy(rpc_url)
        chain.mine(DEEPEST_BELOW)
        store = open_sql_store(url)
        return Stack(chain, deployed, store, listener_of(store, [rpc_url], deployed))

    return make


def _burn_in_new_blocks(stack: Stack, blocks: int) -> list[Touched]:
    """So many new blocks, with burns in the first, one in the middle, and the last."""
    burns: list[Touched] = []
    wanted = sorted({0, blocks // 2, blocks - 1})
    for offset in range(blocks):
        if offset not in wanted:
            stack.chain.mine()
            continue
        customer, key = ((ALICE, ALICE_KEY), (BOB, BOB_KEY))[len(burns) % 2]
        order = stack.order(customer=customer)
        burns.append(Touched(order, redeem(stack, order, key), offset))
    return burns


def _check(stack: Stack, burns: list[Touched], seen: list[Burn]) -> None:
    """The books are the chain's, and all that was ever seen is still in them."""
    check_ledger(stack.store, stack.chain, stack.deployed)
    check_orders(stack.store, [burn.order.order_id for burn in burns])
    for entry in ledger_of(stack.store):
        assert len(set(entry.orphans)) == len(entry.orphans)
        assert {burn for burn in seen if burn.serial == entry.serial} <= {
            entry.burn,
            *entry.orphans,
        }


def _redeem_what_was_lost(stack: Stack, burns: list[Touched]) -> None:
    for burn in burns:
        if stack.status(burn.order) is S.CREATED:
            stack.redeem(burn.order, ALICE_KEY if burn.order.customer == ALICE else BOB_KEY)


@pytest.mark.parametrize(("depth", "fate"), _cases(range(1, DEEPEST + 1)))
def test_fork_handling_above_finality(stack_on: Forkable, depth: int, fate: Fate) -> None:
    stack = stack_on(FINAL_LATE)
    burns = _burn_in_new_blocks(stack, depth)
    settle(stack)
    assert {stack.status(burn.order) for burn in burns} == {S.PENDING_CHAIN}
    seen = burns_of_chain(stack.chain, stack.deployed)

    fate(stack, depth, burns)
    settle(stack)
    _check(stack, burns, seen)

    _redeem_what_was_lost(stack, burns)
    stack.chain.mine(FINAL_LATE)
    settle(stack)
    _check(stack, burns, seen)
    assert {stack.status(burn.order) for burn in burns} == {S.VALID}
    assert {moves_to(stack.store, burn.order, S.VALID) for burn in burns} == {1}


@pytest.mark.parametrize(
    ("depth", "fate"), _cases([*range(FINAL_EARLY + 1, DEEPEST + 1), DEEPEST_BELOW])
)
def test_fork_handling_below_finality(stack_on: Forkable, depth: int, fate: Fate) -> None:
    stack = stack_on(FINAL_EARLY)
    burns = _burn_in_new_blocks(stack, depth - FINAL_EARLY)
    stack.chain.mine(FINAL_EARLY)
    settle(stack)
    assert {stack.status(burn.order) for burn in burns} == {S.VALID}
    seen = burns_of_chain(stack.chain, stack.deployed)
    delivered = burns[0]
    hand_over(stack.store, delivered.order, now=seen[0].block.time)

    fate(stack, depth, burns)
    settle(stack, met=lambda: is_at_rest(stack) or bool(_halts(stack)))
    if not _is_redeemed(stack, delivered):
        _check_incident(stack, burns)
        if fate is halved:
            _acknowledge(stack)
        else:
            stack.chain.web3.eth.send_raw_transaction(delivered.deed.raw)  # type: ignore[arg-type]
    stack.chain.mine(FINAL_EARLY)
    settle(stack)
    assert _halts(stack) == ()
    assert _open_exceptions(stack) == []
    _check(stack, burns, seen)

    _redeem_what_was_lost(stack, burns)
    stack.chain.mine(FINAL_EARLY)
    settle(stack)
    _check(stack, burns, seen)
    assert stack.status(delivered.order) is S.DELIVERED
    assert {stack.status(burn.order) for burn in burns[1:]} <= {S.VALID}
    assert {moves_to(stack.store, burn.order, S.VALID) for burn in burns[1:]} <= {2}


def test_fork_handling_ends_loudly_below_the_deepest_rewind(stack_on: Forkable) -> None:
    stack = stack_on(FINAL_EARLY)
    (burn,) = _burn_in_new_blocks(stack, 1)
    stack.chain.mine(12)
    stack.listener.settings = replace(stack.listener.settings, deepest_rewind=5)
    settle(stack)
    before = (stack.store.redemptions(1, 1), stack.store.order(burn.order.order_id))
    dropped(stack, 13, [burn])
    with pytest.raises(ForkBelowFinality):
        settle(stack)
    assert (stack.store.redemptions(1, 1), stack.store.order(burn.order.order_id)) == before
    cursor = stack.store.cursor()
    assert cursor is not None
    assert cursor.heartbeat is not None
    assert cursor.heartbeat.error


def _check_incident(stack: Stack, burns: list[Touched]) -> None:
    """A service was handed over for a burn that is gone: until somebody has looked at it, nothing
    becomes VALID, however final its burn is."""
    delivered, *others = burns
    (incident,) = _open_exceptions(stack)
    assert incident.kind is ExceptionKind.DELIVERED_REORGED
    assert incident.burn.tx_hash == delivered.deed.tx_hash
    assert _halts(stack) == (incident.exception_id,)
    stack.chain.mine(FINAL_EARLY + 1)
    for _ in range(3):
        stack.listener.scan()
        assert stack.status(delivered.order) is S.DELIVERED
        assert {stack.status(burn.order) for burn in others} <= {S.CREATED, S.PENDING_CHAIN}
        for burn in others:
            redeemed = _is_redeemed(stack, burn)
            assert stack.status(burn.order) is (S.PENDING_CHAIN if redeemed else S.CREATED)


def _acknowledge(stack: Stack) -> None:
    (incident,) = _open_exceptions(stack)
    acknowledge_incident(
        incident.exception_id,
        Resolver(
            store=stack.store,
            entropy=SystemEntropy(),
            actor=Actor(ActorKind.ADMIN, "admin"),
            reason="the customer paid at the desk",
            now=incident.raised_at + 1,
            request_id="by-hand",
        ),
    )


def _is_redeemed(stack: Stack, burn: Touched) -> bool:
    return burn.order.order_hash in {
        one.order_hash for one in burns_of_chain(stack.chain, stack.deployed)
    }


def _halts(stack: Stack) -> tuple[str, ...]:
    cursor = stack.store.cursor()
    assert cursor is not None
    return cursor.halts


def _open_exceptions(stack: Stack) -> list[ExceptionRecord]:
    return list(stack.store.exceptions(open_only=True, limit=100).items)
