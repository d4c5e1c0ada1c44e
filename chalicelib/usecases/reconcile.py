"""Compare the ledger with the contract's own totals (spec: Redemptions and exceptions).

As of which block: the listener's proven height by default. Up to there every burn is final and in
the ledger, and its entries never change again, so the ledger can be added up to any block below
while the listener goes on. The contract's totals, however, can be read only where the provider
still keeps the state, on most of them of the last 128 blocks. Where the two do not meet, nothing is
concluded: neither equal nor different.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chalicelib.domain.progress import Cursor
from chalicelib.domain.reconciliation import Comparison, add_up, compare
from chalicelib.domain.redemptions import BlockRef, Redemption
from chalicelib.ports import MAX_CHANGES, ContractBooks, Store


class NotComparable(Exception):
    """There is no block as of which ledger and contract could be compared; says why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The contract to compare with: its chain, address, and the block it was deployed in."""

    chain_id: int
    contract: str
    block: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison came to, and as of which block."""

    block: BlockRef
    comparison: Comparison


def reconcile(
    *,
    store: Store,
    books: ContractBooks,
    deployed: Deployed,
    block: int | None = None,
    progress: Callable[[int], None],
) -> Reconciliation:
    """Compare ledger and contract as of `block`, by default the listener's proven height.

    Voucher types are those of catalogue and ledger: a burn of any other has a serial that the
    ledger misses. `progress` is told how many more serials were read.

    Raises:
        NotComparable: the block is not proven, or nothing is; or the ledger is another contract's.
        ChainUnavailable: the provider does not tell the totals as of that block.
        StoreUnavailable: the ledger cannot be read.
    """
    catalogue = store.catalogue()
    asked = {kind.token_id for kind in (catalogue.types if catalogue else ())}
    while True:
        cursor, at = _comparable(store, books, deployed, block)
        # The contract comes first: by the time a long ledger is read, its state may be forgotten.
        told = books.totals(at, asked)
        entries = _entries(store, cursor.seen_serial, progress)
        kept = add_up(entries, through=at.number)
        unheard_of = kept.redeemed.keys() - asked
        if not unheard_of:
            return Reconciliation(at, compare(told, kept))
        asked |= unheard_of


def _comparable(
    store: Store, books: ContractBooks, deployed: Deployed, block: int | None
) -> tuple[Cursor, BlockRef]:
    """The listener's cursor, and the block as of which to compare."""
    cursor = store.cursor()
    if cursor is None:
        raise NotComparable("the listener has not run yet")
    if (cursor.chain_id, cursor.contract) != (deployed.chain_id, deployed.contract):
        raise NotComparable(
            f"the store was filled from contract {cursor.contract} on chain {cursor.chain_id},"
            f" not {deployed.contract} on chain {deployed.chain_id}"
        )
    proven = cursor.proven
    if proven.number < deployed.block:
        raise NotComparable(
            f"the listener has proven the ledger up to block {proven.number} only, before the"
            f" contract's first, {deployed.block}"
        )
    number = proven.number if block is None else block
    if not deployed.block <= number <= proven.number:
        raise NotComparable(
            f"block {number} lies outside {deployed.block} to {proven.number}, from the contract's"
            " deployment to what the listener has proven"
        )
    own, at = books.blocks([proven.number, number])
    if own != proven:
        raise NotComparable(
            f"block {proven.number} was {proven.hash} when the listener proved it final, the"
            f" provider tells {own.hash}: one of them follows another branch"
        )
    return cursor, at


def _entries(store: Store, last: int, progress: Callable[[int], None]) -> Iterator[Redemption]:
    """What is in the ledger up to serial `last`, and beyond up to the first empty page."""
    first = 1
    while True:
        through = first + MAX_CHANGES - 1
        page = store.redemptions(first, through)
        yield from page
        if through >= last and not page:
            return
        progress(len(page))
        first = through + 1
