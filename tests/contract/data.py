"""One set of data, what is opened onto it, and how any record is looked up again."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self, TypeVar

from chalicelib.domain.audit import AuditItem
from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.exceptions import ExceptionRecord
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.orders import HistoryRecord, Order
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.staff import Session, Staff, WalletNonce
from chalicelib.ports import Change, Check, Conflict, Delete, Insert, Page, Record, Store, Update
from tests.contract.engines import Opener

T = TypeVar("T")

MAX_PAGES = 1000


class Data:
    """A set of data, in a context that closes all stores opened onto it."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self._opened = ExitStack()

    def open(self) -> Store:
        """One more store onto the data."""
        store = self.opener()
        self._opened.callback(close, store)
        return store

    def close(self) -> None:
        """Close all stores opened onto it."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def close(store: Store) -> None:
    """Close what holds connections; the port itself knows no end."""
    getattr(store, "close", lambda: None)()


def stored(store: Store, record: Record) -> Record | None:
    """What `store` holds under the key of `record`."""
    match record:
        case Order():
            return store.order(record.order_id)
        case HistoryRecord():
            moves = store.history(record.order_hash)
            return next((move for move in moves if move.entry.seq == record.entry.seq), None)
        case Redemption():
            return next(iter(store.redemptions(record.serial, record.serial)), None)
        case ExceptionRecord():
            return store.exception(record.exception_id)
        case AuditItem():
            day = day_of(record)
            items = every(partial(store.audit, day=day, limit=50))
            return next((item for item in items if item.audit_id == record.audit_id), None)
        case _:
            return _stored_under_a_name(store, record)


def _stored_under_a_name(
    store: Store, record: Cursor | Catalogue | Reservation | Session | Site | Staff | WalletNonce
) -> Record | None:
    match record:
        case Cursor():
            return store.cursor()
        case Catalogue():
            return store.catalogue()
        case Reservation():
            return store.reservation(record.key_hash)
        case Session():
            return store.session(record.session_id)
        case Site():
            return next((site for site in store.sites() if site.site_id == record.site_id), None)
        case Staff():
            return store.staff(record.username)
        case WalletNonce():
            return store.wallet_nonce(record.nonce)


def day_of(item: AuditItem) -> str:
    """The day under which an audit item is listed."""
    return datetime.fromtimestamp(item.at, UTC).strftime("%Y-%m-%d")


def every(fetch: Callable[..., Page[T]]) -> list[T]:
    """All items of a list (which takes `cursor`), page after page; one without end fails."""
    items: list[T] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = fetch(cursor=cursor)
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            return items
    raise AssertionError(f"the list goes on after {MAX_PAGES} pages")


def fits(store: Store, change: Change) -> bool:
    """Whether the stored version is the one that the change expects."""
    known = stored(store, change.record)
    match change:
        case Insert():
            taken = isinstance(change.record, Order) and store.order_by_hash(
                change.record.order_hash
            )
            return known is None and not taken
        case Update():
            return known is not None and known.version == change.record.version - 1
        case Delete() | Check():
            return known is not None and known.version == change.record.version


def conflict_of(store: Store, *changes: Change) -> Change:
    """The change that a commit was refused for; a commit that is not refused fails."""
    try:
        store.commit(changes)
    except Conflict as conflict:
        return conflict.change
    raise AssertionError("the commit was stored")


def assert_same(found: object, expected: object) -> None:
    """Equal, and of the same types all the way down: no text for an enumeration, no list for a
    tuple."""
    assert found == expected
    assert _types(found) == _types(expected)


def _types(value: object) -> object:
    if is_dataclass(value):
        return type(value), [_types(getattr(value, part.name)) for part in fields(value)]
    if isinstance(value, tuple):
        return [_types(part) for part in value]
    return dict if isinstance(value, dict) else type(value)
