"""The audit re-scan: prove the ledger equal to the chain, log by log (spec: Redemptions and
exceptions).

Every `VoucherRedeemed` log from the deployment to the proven height is read again and held against
its ledger entry and its order. Up to there entries do not change while the listener goes on, so
both are streams in serial order, and memory does not grow with them.

The endpoint proves itself complete first: its logs are numbered without gap, and as many as the
contract counts. One that withholds a log proves nothing about the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from chalicelib.domain.completeness import Inconsistent, check_continues, check_count
from chalicelib.domain.exceptions import exception_id
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.domain.rescan import (
    Difference,
    entry_differences,
    exception_differences,
    outcome_differences,
)
from chalicelib.ports import ContractBooks, Store
from chalicelib.usecases.reconcile import Deployed, NotComparable, comparable, entries_from

MOST_LISTED = 100
"""Differences that are listed; all are counted."""

ReadLogs = Callable[[int, int], Iterator[Burn]]
"""The contract's burns from one block to another, both included, in the chain's order; raises
`ChainUnavailable`."""


@dataclass(frozen=True, slots=True)
class Rescan:
    """What a re-scan came to: as of which block, how many logs it read, how many differences it
    found, and the first `MOST_LISTED` of them."""

    block: BlockRef
    logs: int
    count: int
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.count == 0


@dataclass(slots=True)
class _Findings:
    count: int = 0
    listed: list[Difference] = field(default_factory=list)

    def add(self, found: Iterator[Difference]) -> None:
        for one in found:
            self.count += 1
            if len(self.listed) < MOST_LISTED:
                self.listed.append(one)


def audit_rescan(
    *, store: Store, books: ContractBooks, read_logs: ReadLogs, deployed: Deployed
) -> Rescan:
    """Compare every log up to the proven height with its ledger entry and its order.

    Raises:
        NotComparable: the listener has not proven anything yet, or took proven blocks back
            meanwhile; the ledger is another contract's; or the endpoint's logs do not add up.
        ChainUnavailable: the endpoint does not tell the logs, or the contract's count.
        StoreUnavailable: the ledger cannot be read.
    """
    _, at = comparable(store, books, deployed, None)
    # The count comes first: by the time all logs are read, the state may be forgotten.
    counted = books.totals(at, ()).count
    found = _Findings()
    burns = read_logs(deployed.block, at.number)
    last = 0
    try:
        while some := tuple(islice(burns, store.max_changes)):
            _check_new(some, last_serial=last)
            _compare(store, some, found)
            last = some[-1].serial
        check_count((), last_serial=last, count=counted)
    except Inconsistent as error:
        raise NotComparable(f"the endpoint's logs do not add up: {error}") from error
    found.add(_extra(store, last, at))
    if found.count:
        _check_still(store, books, deployed, at)
    return Rescan(at, last, found.count, tuple(found.listed))


def _check_new(burns: Sequence[Burn], *, last_serial: int) -> None:
    """The serials of `burns` go on where the last one was. Raises `Inconsistent`."""
    check_continues(burns, last_serial=last_serial)
    if burns[0].serial <= last_serial:
        raise Inconsistent(f"redemption {burns[0].serial} is told twice")


def _compare(store: Store, burns: Sequence[Burn], found: _Findings) -> None:
    """Burns with serials in a row against their ledger entries and orders."""
    entries = {one.serial: one for one in store.redemptions(burns[0].serial, burns[-1].serial)}
    orders = store.orders_with_hashes({burn.order_hash for burn in burns})
    for burn in burns:
        entry = entries.get(burn.serial)
        found.add(entry_differences(burn, entry))
        if entry is not None:
            found.add(outcome_differences(burn, entry.outcome, orders.get(burn.order_hash)))
            if entry.is_exception:
                record = store.exception(exception_id(burn))
                found.add(exception_differences(burn, entry.outcome, record))


def _extra(store: Store, last: int, at: BlockRef) -> Iterator[Difference]:
    """Ledger entries up to block `at` whose serials the chain has not reached."""
    cursor = store.cursor()
    seen = cursor.seen_serial if cursor else 0
    for entry in entries_from(store, last + 1, seen):
        if entry.on_chain and entry.burn.block.number <= at.number:
            yield Difference(entry.serial, "entry", None, entry.burn.tx_hash)


def _check_still(store: Store, books: ContractBooks, deployed: Deployed, at: BlockRef) -> None:
    """What was compared still stands: no proven block was taken back meanwhile."""
    comparable(store, books, deployed, at.number)
    if books.blocks([at.number]) != (at,):
        raise NotComparable(f"block {at.number} was replaced meanwhile")
