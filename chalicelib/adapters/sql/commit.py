"""All changes or none: one transaction of guarded statements, each for many records at once.

Every statement meets a row only in the version its change expects, so the number of rows it met
tells whether all were as expected.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

from chalicelib.adapters.sql.database import Database
from chalicelib.adapters.sql.tables import Kind, kind_of
from chalicelib.domain.exceptions import ExceptionRecord
from chalicelib.domain.orders import Order
from chalicelib.ports import Change, Check, Conflict, Delete, Insert, Record, Update

LARGEST_COMMIT = 2000
"""Changes in a commit: so many that a sync to disk weighs little, so few that other writers wait
no longer than they would for a slow disk."""

INSERT: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""Inserts that can leave a row alone, by dialect."""

_DIALECTS: dict[str, Any] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}
"""Each with parameters by position."""

Values = Mapping[str, Callable[[Any], Any]]
"""What a record has for each parameter of a statement."""

Run = Sequence[Change]
"""Changes of one kind to records of one kind, one at least."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """Compiled once, for the driver itself: SQLAlchemy's own work for each row takes longer than
    the engine's. `parameters` tell what a record has in the place of each placeholder.
    """

    text: str
    parameters: tuple[Callable[[Any], Any], ...]
    returns_rows: bool

    def parameters_of(self, record: Record) -> tuple[Any, ...]:
        return tuple(value_of(record) for value_of in self.parameters)


class _StaleRun(Exception):
    """One of these changes met another state."""

    def __init__(self, run: Run) -> None:
        super().__init__("stale")
        self.run = run


def commit(database: Database, changes: Sequence[Change]) -> None:
    """Store all `changes` or none, as `Store.commit` promises.

    In the order of the records' keys, so that no two commits deadlock.

    Raises:
        Conflict: a change met another state.
        ValueError: too many changes, none, or one record twice.
        StoreUnavailable: the engine failed.
    """
    planned = _in_order(changes)
    try:
        _store(database, [list(run) for _, run in groupby(planned, _kinds_of)])
    except _StaleRun as stale:
        if len(stale.run) == 1:
            raise Conflict(stale.run[0]) from None
    else:
        return
    # A run does not tell which of its changes is stale: one by one they do.
    try:
        _store(database, [[change] for change in planned])
    except _StaleRun as stale:
        raise Conflict(stale.run[0]) from None


def _store(database: Database, runs: Sequence[Run]) -> None:
    # All rows are made before others who write have to wait.
    planned = [(run, *_rows_of(run, database.dialect)) for run in runs]
    with database.writing() as connection:
        for run, statement, rows in planned:
            if _rows_met(connection, statement, rows) != len(run):
                raise _StaleRun(run)


def _rows_of(run: Run, dialect: str) -> tuple[_Statement, list[tuple[Any, ...]]]:
    """The statement that carries out a run, and its parameters for each change."""
    kind, change = _kinds_of(run[0])
    statement = _STATEMENTS[change](kind, dialect)
    return statement, [statement.parameters_of(one.record) for one in run]


def _rows_met(connection: Connection, statement: _Statement, rows: list[tuple[Any, ...]]) -> int:
    """Carry out a run; how many of its records were in the version that their change expects."""
    if statement.returns_rows:
        found = (connection.exec_driver_sql(statement.text, row).first() for row in rows)
        return sum(row is not None for row in found)
    counted = {"preserve_rowcount": True}
    return connection.exec_driver_sql(statement.text, rows, execution_options=counted).rowcount


def _kinds_of(change: Change) -> tuple[Kind[Any], type[Change]]:
    return kind_of(change.record), type(change)


@cache
def _insert(kind: Kind[Any], dialect: str) -> _Statement:
    # Not by its error: PostgreSQL would write the key, an order id, into its log.
    insert = INSERT[dialect](kind.table).on_conflict_do_nothing()
    return _compiled(insert, dialect, kind.columns)


@cache
def _update(kind: Kind[Any], dialect: str) -> _Statement:
    changing = {name: value for name, value in kind.columns.items() if name not in kind.identity}
    expected = {**_expected(kind), _IS + "version": lambda record: record.version - 1}
    return _compiled(update(kind.table).where(_is_expected(kind)), dialect, changing, expected)


@cache
def _delete(kind: Kind[Any], dialect: str) -> _Statement:
    gone = delete(kind.table).where(_is_expected(kind))
    return _compiled(gone, dialect, {}, _expected(kind))


@cache
def _check(kind: Kind[Any], dialect: str) -> _Statement:
    query = select(kind.table.c.version).where(_is_expected(kind)).with_for_update()
    return _compiled(query, dialect, {}, _expected(kind))


_STATEMENTS: Mapping[type[Change], Callable[[Kind[Any], str], _Statement]] = {
    Insert: _insert,
    Update: _update,
    Delete: _delete,
    Check: _check,
}
_IS = "is_"
"""Before the name of a column whose value is expected to be stored already."""


def _is_expected(kind: Kind[Any]) -> ColumnElement[bool]:
    columns = kind.table.c
    return and_(*(columns[name] == bindparam(_IS + name) for name in (*kind.identity, "version")))


def _expected(kind: Kind[Any]) -> Values:
    """What `_is_expected` compares with, where a change expects the version it carries."""
    return {_IS + name: kind.columns[name] for name in (*kind.identity, "version")}


def _compiled(
    clause: ClauseElement, dialect: str, columns: Values, others: Values | None = None
) -> _Statement:
    """A statement that writes `columns`, its other parameters being `others`."""
    compiled: Any = clause.compile(dialect=_DIALECTS[dialect], column_keys=list(columns))
    values = {**columns, **(others or {})}
    parameters = tuple(values[name] for name in compiled.positiontup)
    return _Statement(compiled.string, parameters, returns_rows=isinstance(clause, Select))


def _in_order(changes: Sequence[Change]) -> list[Change]:
    """The changes by table and key.

    Raises:
        ValueError: too many changes, none, or one record twice.
    """
    placed = {_place_of(change.record): change for change in changes}
    # An order that comes or goes takes its hash along.
    hashes = [
        change.record.order_hash
        for change in changes
        if isinstance(change, Insert | Delete) and isinstance(change.record, Order)
    ]
    weight = sum(map(_weight, changes))
    if not 0 < weight <= LARGEST_COMMIT:
        raise ValueError(f"a commit takes 1 to {LARGEST_COMMIT} changes, not {weight}")
    if len(placed) < len(changes) or len(set(hashes)) < len(hashes):
        raise ValueError("a commit takes no record twice")
    return [placed[place] for place in sorted(placed)]


def _weight(change: Change) -> int:
    """As how many changes it counts (`Store.commit`)."""
    match change.record:
        case Order():
            return 2 if isinstance(change, Insert | Delete) else 1
        case ExceptionRecord():
            return 1 if isinstance(change, Check) else 2
        case _:
            return 1


def _place_of(record: Record) -> tuple[str, tuple[str | int, ...]]:
    kind = kind_of(record)
    return kind.table.name, kind.key_of(record)
