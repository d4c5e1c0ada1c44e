"""The store in memory: the reference that every engine is compared with, and the tests' store."""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from chalicelib.domain.audit import AuditItem
from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.errors import invalid
from chalicelib.domain.exceptions import EXCEPTION_PLACE, ExceptionRecord, exception_place
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import ANY_ORDER, OrderFilter
from chalicelib.domain.orders import HistoryRecord, Order, OrderStatus
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.staff import Session, Staff, WalletNonce
from chalicelib.ports import (
    Change,
    Check,
    Conflict,
    Delete,
    Insert,
    Page,
    Record,
)

LARGEST_COMMIT = 2000

T = TypeVar("T")
Key = tuple[str, str | int | tuple[str, int]]


def key_of(record: Record) -> Key:  # noqa: C901 - one line for each kind of record
    """What a record is found by: its kind and name."""
    match record:
        case Order():
            return "order", record.order_id
        case Redemption():
            return "redemption", record.serial
        case HistoryRecord():
            return "history", (record.order_hash, record.entry.seq)
        case ExceptionRecord():
            return "exception", record.exception_id
        case Cursor():
            return "cursor", ""
        case Catalogue():
            return "catalogue", ""
        case Reservation():
            return "reservation", record.key_hash
        case Site():
            return "site", record.site_id
        case Staff():
            return "staff", record.username
        case Session():
            return "session", record.session_id
        case WalletNonce():
            return "nonce", record.nonce
        case AuditItem():
            return "audit", record.audit_id


def _keys_of(change: Change) -> Iterator[Key]:
    """What a change touches: an order that comes or goes takes its hash along, an exception its
    place among the open ones.
    """
    yield key_of(change.record)
    match change.record:
        case Order() if isinstance(change, Insert | Delete):
            yield "hash", change.record.order_hash
        case ExceptionRecord() if not isinstance(change, Check):
            yield "open exception", change.record.exception_id


class MemoryStore:
    """`chalicelib.ports.Store` in this process. Threads may share it.

    `max_changes` may be as few as another store's, to stand in for it.
    """

    def __init__(self, *, max_changes: int = LARGEST_COMMIT) -> None:
        self._max_changes = max_changes
        self._lock = threading.Lock()
        self._records: dict[Key, Record] = {}
        self._order_ids: dict[str, str] = {}
        self._counters: dict[tuple[str, str], int] = {}

    @property
    def max_changes(self) -> int:
        """See `Store`."""
        return self._max_changes

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        keys = [key for change in changes for key in _keys_of(change)]
        if not 0 < len(keys) <= self.max_changes:
            raise ValueError(f"a commit takes 1 to {self.max_changes} changes, not {len(keys)}")
        if len(set(keys)) < len(keys):
            raise ValueError("a commit takes no record twice")
        with self._lock:
            for change in changes:
                if not self._fits(change):
                    raise Conflict(change)
            for change in changes:
                self._apply(change)

    def _fits(self, change: Change) -> bool:
        record = change.record
        stored = self._records.get(key_of(record))
        match change:
            case Insert():
                taken = isinstance(record, Order) and record.order_hash in self._order_ids
                return stored is None and not taken
            case Check() | Delete():
                return stored is not None and stored.version == record.version
            case _:
                return stored is not None and stored.version == record.version - 1

    def _apply(self, change: Change) -> None:
        record = change.record
        if isinstance(change, Check):
            return
        if isinstance(change, Delete):
            del self._records[key_of(record)]
            if isinstance(record, Order):
                del self._order_ids[record.order_hash]
            return
        self._records[key_of(record)] = record
        if isinstance(record, Order):
            self._order_ids[record.order_hash] = record.order_id

    def _get(self, key: Key, kind: type[T]) -> T | None:
        found = self._records.get(key)
        return found if isinstance(found, kind) else None

    def _all(self, kind: type[T]) -> list[T]:
        with self._lock:
            return [record for record in self._records.values() if isinstance(record, kind)]

    def order(self, order_id: str) -> Order | None:
        """See `Store`."""
        return self._get(("order", order_id), Order)

    def order_by_hash(self, order_hash: str) -> Order | None:
        """See `Store`."""
        order_id = self._order_ids.get(order_hash)
        return None if order_id is None else self.order(order_id)

    def orders_with_hashes(self, hashes: Collection[str]) -> dict[str, Order]:
        """See `Store`."""
        if len(hashes) > self.max_changes:
            raise ValueError(f"at most {self.max_changes} order hashes at once")
        found = {order_hash: self.order_by_hash(order_hash) for order_hash in hashes}
        return {order_hash: order for order_hash, order in found.items() if order is not None}

    def history(self, order_hash: str) -> tuple[HistoryRecord, ...]:
        """See `Store`."""
        found = [item for item in self._all(HistoryRecord) if item.order_hash == order_hash]
        return tuple(sorted(found, key=lambda item: item.entry.seq))

    def orders_of_customer(
        self, customer: str, *, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`."""
        mine = [order for order in self._all(Order) if order.customer == customer]
        return _order_page(mine, limit, cursor, _by_creation, latest_first=True)

    def orders_of_site(
        self,
        site_id: str,
        *,
        statuses: frozenset[OrderStatus],
        among: OrderFilter = ANY_ORDER,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Order]:
        """See `Store`."""
        found = [
            order
            for order in self._all(Order)
            if order.site_id == site_id and order.status in statuses and among.fits_order(order)
        ]
        return _order_page(found, limit, cursor, _by_expiry, latest_first=True)

    def orders_expiring(
        self, *, after: int, through: int, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`."""
        found = [order for order in self._all(Order) if after < order.expires_at <= through]
        return _order_page(found, limit, cursor, _by_expiry)

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        """See `Store`."""
        if last - first >= self.max_changes:
            raise ValueError(f"at most {self.max_changes} serials at once")
        found = (self._get(("redemption", serial), Redemption) for serial in range(first, last + 1))
        return tuple(entry for entry in found if entry is not None)

    def exception(self, exception_id: str) -> ExceptionRecord | None:
        """See `Store`."""
        return self._get(("exception", exception_id), ExceptionRecord)

    def exceptions(
        self, *, open_only: bool, limit: int, cursor: str | None = None
    ) -> Page[ExceptionRecord]:
        """See `Store`."""
        if cursor is not None and not EXCEPTION_PLACE.fullmatch(cursor):
            raise invalid("cursor", "pattern", "is none that this list gave out")
        found = [one for one in self._all(ExceptionRecord) if one.is_open or not open_only]
        return _page(found, limit, cursor, lambda one: exception_place(one.exception_id))

    def cursor(self) -> Cursor | None:
        """See `Store`."""
        return self._get(("cursor", ""), Cursor)

    def reservation(self, key_hash: str) -> Reservation | None:
        """See `Store`."""
        return self._get(("reservation", key_hash), Reservation)

    def catalogue(self) -> Catalogue | None:
        """See `Store`."""
        return self._get(("catalogue", ""), Catalogue)

    def sites(self) -> tuple[Site, ...]:
        """See `Store`."""
        return tuple(sorted(self._all(Site), key=lambda site: site.site_id))

    def staff(self, username: str) -> Staff | None:
        """See `Store`."""
        return self._get(("staff", username), Staff)

    def all_staff(self) -> tuple[Staff, ...]:
        """See `Store`."""
        return tuple(sorted(self._all(Staff), key=lambda staff: staff.username))

    def session(self, session_id: str) -> Session | None:
        """See `Store`."""
        return self._get(("session", session_id), Session)

    def wallet_nonce(self, nonce: str) -> WalletNonce | None:
        """See `Store`."""
        return self._get(("nonce", nonce), WalletNonce)

    def audit(self, *, day: str, limit: int, cursor: str | None = None) -> Page[AuditItem]:
        """See `Store`."""
        found = [
            item
            for item in self._all(AuditItem)
            if datetime.fromtimestamp(item.at, UTC).strftime("%Y-%m-%d") == day
        ]
        return _page(found, limit, cursor, lambda item: item.audit_id)

    def count(self, bucket: str, members: Sequence[str], *, expires_at: int) -> tuple[int, ...]:
        """See `Store`. `expires_at` is kept to by nobody here: a process forgets when it ends."""
        del expires_at
        with self._lock:
            for member in dict.fromkeys(members):
                self._counters[bucket, member] = self._counters.get((bucket, member), 0) + 1
            return tuple(self._counters[bucket, member] for member in members)

    def purge(self, now: int) -> int:
        """See `Store`. Counters stay: a process forgets when it ends."""
        with self._lock:
            gone = [
                key
                for key, record in self._records.items()
                if isinstance(record, Reservation | Session | WalletNonce)
                and record.expires_at <= now
            ]
            for key in gone:
                del self._records[key]
        return len(gone)

    def ping(self) -> None:
        """See `Store`. Memory always answers."""


def _order_page(
    found: Iterable[Order],
    limit: int,
    cursor: str | None,
    place: Callable[[Order], str],
    *,
    latest_first: bool = False,
) -> Page[Order]:
    if cursor is not None and not _PLACE.fullmatch(cursor):
        raise invalid("cursor", "pattern", "is none that this list gave out")
    return _page(found, limit, cursor, place, latest_first=latest_first)


def _by_creation(order: Order) -> str:
    return f"{order.created_at:015d}.{order.order_hash}"


def _by_expiry(order: Order) -> str:
    return f"{order.expires_at:015d}.{order.order_hash}"


_PLACE = re.compile(r"[0-9]{15}\.0x[0-9a-f]{64}")


def _page(
    found: Iterable[T],
    limit: int,
    cursor: str | None,
    place: Callable[[T], str],
    *,
    latest_first: bool = False,
) -> Page[T]:
    """A page in the order of `place`; the cursor is the place of the last item given out."""
    items = sorted(found, key=place, reverse=latest_first)
    if cursor is not None:
        after = cursor
        items = [i for i in items if (place(i) < after if latest_first else place(i) > after)]
    taken = tuple(items[:limit])
    return Page(taken, place(taken[-1]) if taken and len(items) > limit else None)
