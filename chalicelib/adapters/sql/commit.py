"""All changes or none: one transaction of guarded statements, each for many records at once.

Every statement meets a row only in the version its change expects, so the number of rows it met
tells whether all were as expected.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
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
from sqlalchemy import (
    Delete as DeleteRows,
)
from sqlalchemy import (
    Update as UpdateRows,
)
from sqlalchemy.dialects import postgresql, sqlite

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

Run = Sequence[Change]
"""Changes of one kind to records of one kind."""


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
    with database.writing() as connection:
        for run in runs:
            if _rows_met(connection, run) != len(run):
                raise _StaleRun(run)


def _rows_met(connection: Connection, run: Run) -> int:
    """Carry out a run; how many of its records were in the version that their change expects."""
    kind, change = _kinds_of(run[0])
    if change is Check:
        query = _check(kind)
        found = (connection.execute(query, _expected(kind, one)).first() for one in run)
        return sum(row is not None for row in found)
    if change is Insert:
        insert = _insert(kind, connection.dialect.name)
        return connection.execute(insert, [kind.row_of(one.record) for one in run]).rowcount
    if change is Delete:
        return connection.execute(_delete(kind), [_expected(kind, one) for one in run]).rowcount
    rows = [{**kind.changing_of(one.record), **_expected(kind, one)} for one in run]
    return connection.execute(_update(kind), rows).rowcount


def _kinds_of(change: Change) -> tuple[Kind[Any], type[Change]]:
    return kind_of(change.record), type(change)


@cache
def _insert(kind: Kind[Any], dialect: str) -> postgresql.Insert | sqlite.Insert:
    # Not by its error: PostgreSQL would write the key, an order id, into its log.
    insert = INSERT[dialect](kind.table).on_conflict_do_nothing()
    return insert.execution_options(preserve_rowcount=True)


@cache
def _update(kind: Kind[Any]) -> UpdateRows:
    return update(kind.table).where(_is_expected(kind))


@cache
def _delete(kind: Kind[Any]) -> DeleteRows:
    return delete(kind.table).where(_is_expected(kind))


@cache
def _check(kind: Kind[Any]) -> Select[Any]:
    return select(kind.table.c.version).where(_is_expected(kind)).with_for_update()


def _is_expected(kind: Kind[Any]) -> ColumnElement[bool]:
    columns = kind.table.c
    return and_(*(columns[name] == bindparam(f"is_{name}") for name in (*kind.identity, "version")))


def _expected(kind: Kind[Any], change: Change) -> dict[str, str | int]:
    """Parameters of `_is_expected`."""
    record = change.record
    expected = {f"is_{name}": get(record) for name, get in kind.identity.items()}
    expected["is_version"] = record.version - isinstance(change, Update)
    return expected


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
    return kind.table.name, tuple(get(record) for get in kind.key.values())
