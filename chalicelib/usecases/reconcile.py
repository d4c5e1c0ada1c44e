"""Compare the ledger with the contract's own totals (spec: Redemptions and exceptions).

As of which block: the listener's proven height by default. Up to there every burn is final and in
the ledger, and its entries never change again, so the ledger can be added up to any block below
while the listener goes on. The contract's totals, however, can be read only where the provider
still keeps the state, on most of them of the last 128 blocks. Where the two do not meet, nothing is
concluded: neither equal nor different.

`reconcile` reads all of the ledger at once. Whoever compares again and again keeps a `Tally`, reads
on from there a page at a time with `read_on`, and compares with `reconcile_tally`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from chalicelib.domain.progress import Cursor
from chalicelib.domain.reconciliation import (
    NOTHING,
    Comparison,
    LedgerTotals,
    add_up,
    compare,
)
from chalicelib.domain.redemptions import BlockRef, Redemption
from chalicelib.ports import ContractBooks, Store


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


@dataclass(frozen=True, slots=True)
class Tally:
    """The ledger added up: all entries with serials up to `through`, which will not change."""

    through: int = 0
    totals: LedgerTotals = NOTHING


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
    asked = _catalogued(store)
    while True:
        cursor, at = comparable(store, books, deployed, block)
        # The contract comes first: by the time a long ledger is read, its state may be forgotten.
        told = books.totals(at, asked)
        entries = entries_from(store, 1, cursor.seen_serial, progress)
        kept = add_up(entries, through=at.number)
        unheard_of = kept.redeemed.keys() - asked
        if not unheard_of:
            return Reconciliation(at, compare(told, kept))
        asked |= unheard_of


def read_on(store: Store, tally: Tally) -> Tally:
    """`tally` with the next page of entries that lie within the proven height; itself where there
    are none.

    Reads one page, and the cursor. Entries so deep change only where proven blocks are taken back:
    a tally of before may be wrong then.

    Raises:
        NotComparable: the listener has not run yet.
        StoreUnavailable: the ledger cannot be read.
    """
    cursor = _cursor(store)
    last = min(tally.through + store.max_changes, cursor.last_serial)
    if last <= tally.through:
        return tally
    page = store.redemptions(tally.through + 1, last)
    height = cursor.proven.number
    settled = tuple(takewhile(lambda entry: entry.burn.block.number <= height, page))
    if len(settled) < len(page):
        last = page[len(settled)].serial - 1
    if last == tally.through:
        return tally
    return Tally(last, add_up(settled, through=height, onto=tally.totals))


def reconcile_tally(
    *, store: Store, books: ContractBooks, deployed: Deployed, tally: Tally
) -> Reconciliation:
    """Compare the contract with `tally` and the entries beyond it, as of the proven height.

    Reads the entries beyond, so there should be few: see `read_on`. Otherwise like `reconcile`,
    and raises what that raises.
    """
    cursor, at = comparable(store, books, deployed, None)
    beyond = entries_from(store, tally.through + 1, cursor.seen_serial)
    kept = add_up(beyond, through=at.number, onto=tally.totals)
    return Reconciliation(
        at, compare(books.totals(at, _catalogued(store) | kept.redeemed.keys()), kept)
    )


def comparable(
    store: Store, books: ContractBooks, deployed: Deployed, block: int | None
) -> tuple[Cursor, BlockRef]:
    """The listener's cursor, and the block as of which to compare: `block`, by default the proven
    one.

    Raises:
        NotComparable: the block is not proven, or nothing is; or the ledger is another contract's.
        ChainUnavailable: the provider does not tell that block.
        StoreUnavailable: the cursor cannot be read.
    """
    cursor = _cursor(store)
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


def _cursor(store: Store) -> Cursor:
    cursor = store.cursor()
    if cursor is None:
        raise NotComparable("the listener has not run yet")
    return cursor


def _catalogued(store: Store) -> set[int]:
    catalogue = store.catalogue()
    return {kind.token_id for kind in (catalogue.types if catalogue else ())}


def entries_from(
    store: Store, first: int, last: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Redemption]:
    """What is in the ledger from serial `first` to `last`, and beyond up to the first empty page;
    `progress` is told how many more serials were read."""
    while True:
        through = first + store.max_changes - 1
        page = store.redemptions(first, through)
        yield from page
        if through >= last and not page:
            return
        progress(len(page))
        first = through + 1
