"""The store port on SQL: reads by index, and one transaction of guarded statements."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_
from sqlalchemy.exc import DataError

from chalicelib.adapters.sql.commit import INSERT, LARGEST_COMMIT, commit
from chalicelib.adapters.sql.database import Database
from chalicelib.adapters.sql.migrations import check_schema
from chalicelib.adapters.sql.tables import (
    AUDIT_ITEMS,
    CATALOGUE,
    COUNTERS,
    EXCEPTIONS,
    EXPIRING,
    LISTENER_CURSOR,
    ONLY,
    ORDER_HISTORY,
    ORDERS,
    REDEMPTIONS,
    RESERVATIONS,
    SESSIONS,
    SITES,
    STAFF,
    WALLET_NONCES,
    Kind,
)
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
from chalicelib.ports import LOOKS_PER_ITEM, Change, Page, Record

R = TypeVar("R", bound=Record)

_ORDERS = ORDERS.table.c
_BY_CREATION = (_ORDERS.created_at, _ORDERS.order_hash)
_BY_EXPIRY = (_ORDERS.expires_at, _ORDERS.order_hash)
_LATEST_EXPIRY_FIRST = tuple(column.desc() for column in _BY_EXPIRY)


def open_sql_store(url: str) -> "SqlStore":
    """The store in the database at `url`: `sqlite:///path/to/file.db` or
    `postgresql://user:password@host/database`.

    Raises:
        SchemaMismatch: the schema is not this program's; `vouchers store migrate` helps.
        StoreUnavailable: the URL is none of those, or the engine does not answer.
    """
    check_schema(url)
    return SqlStore(Database(url))


class SqlStore:
    """`chalicelib.ports.Store` in a database. Threads may share it; each process opens its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = INSERT[database.dialect]

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._database.close()

    @property
    def max_changes(self) -> int:
        """See `Store`."""
        return LARGEST_COMMIT

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        commit(self._database, changes)

    def order(self, order_id: str) -> Order | None:
        """See `Store`."""
        return self._one(ORDERS, _ORDERS.order_id == order_id)

    def order_by_hash(self, order_hash: str) -> Order | None:
        """See `Store`."""
        return self._one(ORDERS, _ORDERS.order_hash == order_hash)

    def orders_with_hashes(self, hashes: Collection[str]) -> dict[str, Order]:
        """See `Store`."""
        if len(hashes) > self.max_changes:
            raise ValueError(f"at most {self.max_changes} order hashes at once")
        possible = [order_hash for order_hash in hashes if "\0" not in order_hash]
        found = self._list(ORDERS, _ORDERS.order_hash.in_(possible))
        return {order.order_hash: order for order in found}

    def history(self, order_hash: str) -> tuple[HistoryRecord, ...]:
        """See `Store`."""
        columns = ORDER_HISTORY.table.c
        return self._list(ORDER_HISTORY, columns.order_hash == order_hash, by=(columns.seq,))

    def orders_of_customer(
        self, customer: str, *, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`."""
        mine = and_(_ORDERS.customer == customer, *_before(_BY_CREATION, cursor))
        latest_first = tuple(column.desc() for column in _BY_CREATION)
        found = self._list(ORDERS, mine, by=latest_first, limit=limit + 1)
        return _page(found, limit, _creation_place)

    def orders_of_site(
        self,
        site_id: str,
        *,
        statuses: frozenset[OrderStatus],
        among: OrderFilter = ANY_ORDER,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Order]:
        """See `Store`. One look into the index for each status, then merged."""
        begun = and_(_ORDERS.site_id == site_id, *_before(_BY_EXPIRY, cursor), *_living(among))
        stretches = [and_(_ORDERS.status == status.value, begun) for status in sorted(statuses)]
        floor = None
        if among != ANY_ORDER:
            floor = self._last_looked_at(stretches, limit * LOOKS_PER_ITEM)
            wanted = [*_fitting(among), *([tuple_(*_BY_EXPIRY) >= floor] if floor else [])]
            stretches = [and_(stretch, *wanted) for stretch in stretches]
        found = [
            order
            for stretch in stretches
            for order in self._list(ORDERS, stretch, by=_LATEST_EXPIRY_FIRST, limit=limit + 1)
        ]
        found.sort(key=lambda order: (order.expires_at, order.order_hash), reverse=True)
        page = _page(found, limit, _expiry_place)
        if floor is None or page.next_cursor is not None:
            return page
        return Page(page.items, f"{floor[0]}.{floor[1]}")

    def orders_expiring(
        self, *, after: int, through: int, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`. Earliest first."""
        due = and_(_ORDERS.expires_at > after, _ORDERS.expires_at <= through)
        if cursor is not None:
            due = and_(due, tuple_(*_BY_EXPIRY) > _parse_place(cursor))
        found = self._list(ORDERS, due, by=_BY_EXPIRY, limit=limit + 1)
        return _page(found, limit, _expiry_place)

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        """See `Store`."""
        if last - first >= self.max_changes:
            raise ValueError(f"at most {self.max_changes} serials at once")
        serial = REDEMPTIONS.table.c.serial
        return self._list(REDEMPTIONS, serial.between(first, last), by=(serial,))

    def exception(self, exception_id: str) -> ExceptionRecord | None:
        """See `Store`."""
        return self._one(EXCEPTIONS, EXCEPTIONS.table.c.exception_id == exception_id)

    def exceptions(
        self, *, open_only: bool, limit: int, cursor: str | None = None
    ) -> Page[ExceptionRecord]:
        """See `Store`."""
        if cursor is not None and not EXCEPTION_PLACE.fullmatch(cursor):
            raise invalid("cursor", "pattern", "is none that this list gave out")
        columns = EXCEPTIONS.table.c
        wanted = [columns.place > (cursor or ""), *([columns.open == 1] if open_only else [])]
        found = self._list(EXCEPTIONS, *wanted, by=(columns.place,), limit=limit + 1)
        return _page(found, limit, lambda one: exception_place(one.exception_id))

    def cursor(self) -> Cursor | None:
        """See `Store`."""
        return self._one(LISTENER_CURSOR, LISTENER_CURSOR.table.c.name == ONLY)

    def reservation(self, key_hash: str) -> Reservation | None:
        """See `Store`."""
        return self._one(RESERVATIONS, RESERVATIONS.table.c.key_hash == key_hash)

    def catalogue(self) -> Catalogue | None:
        """See `Store`."""
        return self._one(CATALOGUE, CATALOGUE.table.c.name == ONLY)

    def sites(self) -> tuple[Site, ...]:
        """See `Store`."""
        return self._list(SITES, by=(SITES.table.c.site_id,))

    def staff(self, username: str) -> Staff | None:
        """See `Store`."""
        return self._one(STAFF, STAFF.table.c.username == username)

    def all_staff(self) -> tuple[Staff, ...]:
        """See `Store`."""
        return self._list(STAFF, by=(STAFF.table.c.username,))

    def session(self, session_id: str) -> Session | None:
        """See `Store`."""
        return self._one(SESSIONS, SESSIONS.table.c.session_id == session_id)

    def wallet_nonce(self, nonce: str) -> WalletNonce | None:
        """See `Store`."""
        return self._one(WALLET_NONCES, WALLET_NONCES.table.c.nonce == nonce)

    def audit(self, *, day: str, limit: int, cursor: str | None = None) -> Page[AuditItem]:
        """See `Store`. The cursor is the id of the last item given out."""
        columns = AUDIT_ITEMS.table.c
        wanted = columns.day == day
        if cursor is not None:
            wanted = and_(wanted, columns.audit_id > cursor)
        found = self._list(AUDIT_ITEMS, wanted, by=(columns.audit_id,), limit=limit + 1)
        return _page(found, limit, lambda item: item.audit_id)

    def count(self, bucket: str, members: Sequence[str], *, expires_at: int) -> tuple[int, ...]:
        """See `Store`. Counters whose time has run out go with `purge`."""
        if not members:
            return ()
        insert = self._insert(COUNTERS).values(
            [
                {"bucket": bucket, "member": member, "value": 1, "expires_at": expires_at}
                for member in sorted(set(members))
            ]
        )
        counted = insert.on_conflict_do_update(
            index_elements=[COUNTERS.c.bucket, COUNTERS.c.member],
            set_={"value": COUNTERS.c.value + 1, "expires_at": insert.excluded.expires_at},
        ).returning(COUNTERS.c.member, COUNTERS.c.value)
        with self._database.writing() as connection:
            values = {row.member: row.value for row in connection.execute(counted)}
        return tuple(values[member] for member in members)

    def ping(self) -> None:
        """See `Store`."""
        with self._database.reading() as connection:
            connection.execute(select(LISTENER_CURSOR.table.c.version)).first()

    def purge(self, now: int) -> int:
        """See `Store`."""
        removed = 0
        for table in EXPIRING:
            with self._database.writing() as connection:
                gone = connection.execute(delete(table).where(table.c.expires_at <= now))
                removed += gone.rowcount
        return removed

    def _last_looked_at(
        self, stretches: Sequence[ColumnElement[bool]], looks: int
    ) -> tuple[int, str] | None:
        """The place below which none of these stretches of the index is to be looked at, so that
        each is no longer than `looks`; `None` where all of them are shorter."""
        lasts: list[tuple[int, str]] = []
        for stretch in stretches:
            query = select(*_BY_EXPIRY).where(stretch).order_by(*_LATEST_EXPIRY_FIRST)
            with self._database.reading() as connection:
                lasts += [
                    (row.expires_at, row.order_hash)
                    for row in connection.execute(query.offset(looks - 1).limit(1))
                ]
        return max(lasts, default=None)

    def _one(self, kind: Kind[R], where: ColumnElement[bool]) -> R | None:
        found = self._list(kind, where)
        return found[0] if found else None

    def _list(
        self,
        kind: Kind[R],
        *where: ColumnElement[bool],
        by: Sequence[ColumnElement[Any]] = (),
        limit: int | None = None,
    ) -> tuple[R, ...]:
        query = select(kind.table).where(*where).order_by(*by).limit(limit)
        with self._database.reading() as connection:
            try:
                rows = connection.execute(query).mappings().all()
            except DataError:
                return ()  # asks for what the engine cannot hold, such as a NUL in a text
        return tuple(kind.record_of(row) for row in rows)


def _creation_place(order: Order) -> str:
    return f"{order.created_at}.{order.order_hash}"


def _expiry_place(order: Order) -> str:
    return f"{order.expires_at}.{order.order_hash}"


_PLACE = re.compile(r"([0-9]{1,15})\.(0x[0-9a-f]{64})")


def _parse_place(cursor: str) -> tuple[int, str]:
    parsed = _PLACE.fullmatch(cursor)
    if parsed is None:
        raise invalid("cursor", "pattern", "is none that this list gave out")
    return int(parsed[1]), parsed[2]


def _before(
    columns: Sequence[ColumnElement[Any]], cursor: str | None
) -> tuple[ColumnElement[bool], ...]:
    """What comes after `cursor` in a list that goes down."""
    return () if cursor is None else (tuple_(*columns) < _parse_place(cursor),)


def _living(among: OrderFilter) -> tuple[ColumnElement[bool], ...]:
    """The stretch of expiry in which every order lies that fits."""
    if among == ANY_ORDER:
        return ()
    return (_ORDERS.expires_at.between(among.created_from, among.latest_expiry),)


def _fitting(among: OrderFilter) -> tuple[ColumnElement[bool], ...]:
    """`OrderFilter.fits` as the engine tells it. What is searched for holds no wildcard."""
    created = _ORDERS.created_at.between(among.created_from, among.created_to)
    searched = [
        *([_ORDERS.order_hash.like(among.hash_start + "%")] if among.hash_start else []),
        *([func.lower(_ORDERS.customer).like("%" + among.wallet_end)] if among.wallet_end else []),
    ]
    return (created, or_(*searched)) if searched else (created,)


def _page(found: Sequence[R], limit: int, place: Callable[[R], str]) -> Page[R]:
    """A page of the first `limit`; whoever asked for one more knows whether there is a next."""
    items = tuple(found[:limit])
    return Page(items, place(items[-1]) if items and len(found) > limit else None)
