"""The tables, and the one way in which any record becomes a row and comes back.

A field of the record that has a column of its own goes there, a column that is no field of the
record (`derived`) is worked out from it, and all other fields go into `body` as JSON.
`ops/migrations` makes the tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, RowMapping, Table, Text

from chalicelib.domain.audit import AuditItem
from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.exceptions import ExceptionRecord, exception_place
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.orders import HistoryRecord, Order
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.staff import Session, Staff, WalletNonce
from chalicelib.ports import Record

R = TypeVar("R", bound=Record)

BODY = "body"
ONLY = "only"
"""Name of the row in a table that holds one record."""

METADATA = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _integer(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _key(column: Column[Any]) -> Column[Any]:
    column.primary_key = True
    return column


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[R]):
    """How records of one kind are stored.

    `fixed` are columns beside the key that no update changes: what a record is known by. An update
    leaves them and their indexes alone, and so meets no row where they differ. `columns` tells what
    a record has in each column.
    """

    record: type[R]
    table: Table
    derived: Mapping[str, Callable[[R], str | int]] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    columns: Mapping[str, Callable[[R], Any]] = field(init=False)
    key: tuple[str, ...] = field(init=False)
    _adapter: TypeAdapter[R] = field(init=False)
    _own_columns: set[str] = field(init=False)

    def __post_init__(self) -> None:
        names = {column.name for column in self.table.columns}
        own_columns = names & {part.name for part in fields(self.record)}
        plain = {name: attrgetter(name) for name in own_columns}
        columns = {**plain, **self.derived, BODY: self._body_of}
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "key", tuple(column.name for column in self.table.primary_key))
        object.__setattr__(self, "_adapter", TypeAdapter(self.record))
        object.__setattr__(self, "_own_columns", own_columns)

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that no update changes."""
        return (*self.key, *self.fixed)

    def row_of(self, record: R) -> dict[str, Any]:
        """All columns of a record's row."""
        return {name: value_of(record) for name, value_of in self.columns.items()}

    def key_of(self, record: R) -> tuple[str | int, ...]:
        """The primary key of a record's row."""
        return tuple(self.columns[name](record) for name in self.key)

    def record_of(self, row: RowMapping) -> R:
        """The record in a row of its table."""
        values = from_json(row[BODY])
        for name in self._own_columns:
            values[name] = row[name]
        return self._adapter.validate_python(values)

    def _body_of(self, record: R) -> str:
        return self._adapter.dump_json(record, exclude=self._own_columns).decode()


def _table(name: str, *columns: Column[Any]) -> Table:
    """A table of records: `columns`, the version that guards every change, and the body."""
    return Table(name, METADATA, *columns, _integer("version"), _text(BODY))


def _utc_day(item: AuditItem) -> str:
    return datetime.fromtimestamp(item.at, UTC).date().isoformat()


ORDERS = Kind(
    Order,
    _table(
        "orders",
        _key(_text("order_id")),
        Column("order_hash", Text, nullable=False, unique=True),
        _text("customer"),
        _text("site_id"),
        _text("status"),
        _integer("created_at"),
        _integer("expires_at"),
        Column("sealed_meta", LargeBinary),
    ),
    derived={"status": lambda order: str(order.status)},
    fixed=("order_hash", "customer", "site_id", "created_at", "expires_at"),
)
ORDER_HISTORY = Kind(
    HistoryRecord,
    _table("order_history", _key(_text("order_hash")), _key(_integer("seq"))),
    derived={"seq": lambda move: move.entry.seq},
)
REDEMPTIONS = Kind(
    Redemption,
    _table("redemptions", _key(_integer("serial"))),
    derived={"serial": lambda entry: entry.serial},
)
EXCEPTIONS = Kind(
    ExceptionRecord,
    _table(
        "exceptions",
        _key(_text("exception_id")),
        Column("place", Text, nullable=False, unique=True),
        _integer("open"),
    ),
    derived={
        "place": lambda one: exception_place(one.exception_id),
        "open": lambda one: int(one.is_open),
    },
    fixed=("place",),
)
LISTENER_CURSOR = Kind(
    Cursor, _table("listener_cursor", _key(_text("name"))), derived={"name": lambda _: ONLY}
)
CATALOGUE = Kind(
    Catalogue, _table("catalogue", _key(_text("name"))), derived={"name": lambda _: ONLY}
)
RESERVATIONS = Kind(
    Reservation, _table("reservations", _key(_text("key_hash")), _integer("expires_at"))
)
SITES = Kind(Site, _table("sites", _key(_text("site_id"))))
STAFF = Kind(Staff, _table("staff", _key(_text("username"))))
SESSIONS = Kind(Session, _table("sessions", _key(_text("session_id")), _integer("expires_at")))
WALLET_NONCES = Kind(
    WalletNonce, _table("wallet_nonces", _key(_text("nonce")), _integer("expires_at"))
)
AUDIT_ITEMS = Kind(
    AuditItem,
    _table("audit_items", _key(_text("audit_id")), _text("day")),
    derived={"day": _utc_day},
)

COUNTERS = Table(
    "counters",
    METADATA,
    _key(_text("bucket")),
    _key(_text("member")),
    _integer("value"),
    _integer("expires_at"),
)

EXPIRING = (RESERVATIONS.table, SESSIONS.table, WALLET_NONCES.table, COUNTERS)
"""Tables whose rows are of no use after `expires_at`."""

_ALL: tuple[Kind[Any], ...] = (
    ORDERS,
    ORDER_HISTORY,
    REDEMPTIONS,
    EXCEPTIONS,
    LISTENER_CURSOR,
    CATALOGUE,
    RESERVATIONS,
    SITES,
    STAFF,
    SESSIONS,
    WALLET_NONCES,
    AUDIT_ITEMS,
)
_BY_RECORD = {kind.record: kind for kind in _ALL}


def kind_of(record: Record) -> Kind[Any]:
    """How a record is stored."""
    return _BY_RECORD[type(record)]
