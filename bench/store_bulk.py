"""Burns/s through a store as the listener writes them: read the orders, decide, commit a slice.

    python -m bench.store_bulk [--store sqlite|postgresql|dynamodb] [--burns N]

Every burn matches an order of its own: a guarded update of the order and a new ledger entry, and a
guarded update of the cursor for each slice, in slices as large as the store takes. Wall time and
this process's CPU time; a server's own is not in it. Beside SQLite stands the floor of the same
run: the bare `sqlite3` module doing the same statements over the same rows, prepared beforehand, in
a second copy of the database. Its figures promise nothing about another machine's disk.
"""

import argparse
import gc
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from operator import itemgetter
from pathlib import Path

from chalicelib.adapters.dynamo import create_table, open_dynamo_store
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.adapters.sql.tables import LISTENER_CURSOR, ORDERS, REDEMPTIONS
from chalicelib.domain.matching import apply_burn, judge
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    make_order_id,
    new_order,
)
from chalicelib.domain.progress import Cursor, advance
from chalicelib.domain.redemptions import BlockRef, Burn, Redemption, record
from chalicelib.ports import Change, Insert, Store, Update
from chalicelib.usecases.changes import order_changes
from ops import dynoxide
from tests.contract.engines import EngineMissing
from tests.contract.postgres import running_postgres

START = 1_790_000_000
TTL_SECONDS = 1800
CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
LISTENER = Actor(ActorKind.LISTENER, "listener")
REQUEST_ID = "2f1d9a46-6d0b-4a3e-9f0e-4b1c6e0d7a55"
BURNS_PER_BLOCK = 25
REGION = "ap-southeast-1"
TABLE = "store-bulk"

BURNS = {"sqlite": 50_000, "postgresql": 20_000, "dynamodb": 2_000}
"""Burns of a run, unless told: so many that it takes seconds."""


class Wrong(Exception):
    """What the store holds afterwards is not what was decided: the figures would mean nothing."""


@dataclass(slots=True)
class Times:
    """Wall and CPU seconds by what they were spent on."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what happens inside towards `part`."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[part] = self.wall.get(part, 0.0) + time.perf_counter() - wall
        self.cpu[part] = self.cpu.get(part, 0.0) + time.process_time() - cpu

    def table(self, title: str, burns: int) -> str:
        """Rates and shares, in Markdown."""
        rows = [(part, self.wall[part], self.cpu[part]) for part in self.wall]
        rows.append(("all", sum(self.wall.values()), sum(self.cpu.values())))
        return "\n".join(
            f"| {title} | {part} | {burns / wall:,.0f} | {burns / cpu:,.0f} |"
            f" {wall / burns * 1e6:.1f} | {cpu / burns * 1e6:.1f} |"
            for part, wall, cpu in rows
        )


HEAD = """| through | part | burns/s | burns/CPU-s | wall µs/burn | CPU µs/burn |
|---|---|---:|---:|---:|---:|"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one store and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.store_bulk", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--store", choices=sorted(BURNS), default="sqlite")
    parser.add_argument("--burns", type=int, help="at least 1")
    options = parser.parse_args(arguments)
    burns = BURNS[options.store] if options.burns is None else options.burns
    if burns < 1:
        parser.error(f"--burns: at least 1, not {burns}")
    try:
        lines = _MEASURES[options.store](burns)
    except EngineMissing as missing:
        print(f"NOT MEASURED: {missing}", file=sys.stderr)
        return 1
    print(HEAD, *lines, sep="\n")
    return 0


def _sqlite(count: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="vouchers-bulk-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/store.db"
        migrate(url)
        with closing(open_sql_store(url)) as store:
            burns = prepare(store, count)
        shutil.copy(folder / "store.db", folder / "floor.db")
        with closing(open_sql_store(url)) as store:
            times, committed = run(store, burns)
        floor = _floor(folder / "floor.db", burns, committed)
    return [times.table("SQLite store", count), floor.table("bare sqlite3", count)]


def _postgresql(count: int) -> list[str]:
    with running_postgres() as server:
        migrate(server.url())
        with closing(open_sql_store(server.url())) as store:
            times, _ = run(store, prepare(store, count))
    return [times.table("PostgreSQL store (fsync off)", count)]


def _dynamodb(count: int) -> list[str]:
    dynoxide.use_local_credentials()
    try:
        with dynoxide.start() as engine:
            create_table(table=TABLE, region=REGION, endpoint=engine.endpoint)
            store = open_dynamo_store(table=TABLE, region=REGION, endpoint=engine.endpoint)
            times, _ = run(store, prepare(store, count))
    except dynoxide.DynoxideFailed as failed:
        raise EngineMissing(str(failed)) from failed
    return [times.table("DynamoDB store (dynoxide)", count)]


_MEASURES: dict[str, Callable[[int], list[str]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "dynamodb": _dynamodb,
}


def prepare(store: Store, count: int) -> list[Burn]:
    """Store a cursor and `count` orders; the burns they wait for."""
    store.commit([Insert(_cursor())])
    burns: list[Burn] = []
    for start in range(0, count, store.max_changes // 2):
        serials = range(start + 1, min(count, start + store.max_changes // 2) + 1)
        orders = [_order(serial) for serial in serials]
        store.commit([Insert(order) for order in orders])
        burns += [_burn(order, serial) for serial, order in zip(serials, orders, strict=True)]
    return burns


def run(store: Store, burns: Sequence[Burn]) -> tuple[Times, list["Rows"]]:
    """Read, decide and commit all `burns`; the times, and the rows of each commit.

    Raises:
        Wrong: an order is not VALID or a ledger entry is missing afterwards.
    """
    times = Times()
    committed: list[Rows] = []
    gc.freeze()  # the collector need not go through what only the measurement holds
    cursor = store.cursor() or _cursor()
    size = (store.max_changes - 1) // 2
    for start in range(0, len(burns), size):
        part = burns[start : start + size]
        with times.of("read orders"):
            orders = store.orders_with_hashes([burn.order_hash for burn in part])
        with times.of("decide"):
            cursor = advance(cursor, last_serial=part[-1].serial)
            changes: list[Change] = [Update(cursor)]
            for burn in part:
                changes += _decide(burn, orders.get(burn.order_hash))
        with times.of("commit"):
            store.commit(changes)
        committed.append(_rows(changes))
    _check(store, burns)
    return times, committed


def _decide(burn: Burn, order: Order | None) -> list[Change]:
    outcome = judge(burn, order)
    entry = record(None, burn, outcome, final=True)
    if order is None or entry is None:
        raise Wrong(f"burn {burn.serial} found no order, or its entry is there already")
    after = apply_burn(
        order, burn, final=True, actor=LISTENER, at=burn.block.time + 2, request_id=REQUEST_ID
    )
    return [*order_changes(order, after), Insert(entry)]


def _check(store: Store, burns: Sequence[Burn]) -> None:
    for start in range(0, len(burns), store.max_changes):
        part = burns[start : start + store.max_changes]
        orders = store.orders_with_hashes([burn.order_hash for burn in part])
        valid = [order for order in orders.values() if order.status is OrderStatus.VALID]
        entries = store.redemptions(part[0].serial, part[-1].serial)
        if len(valid) != len(part) or tuple(entry.burn for entry in entries) != tuple(part):
            raise Wrong(f"of burns {part[0].serial} to {part[-1].serial} some are not stored")


def _floor(path: Path, burns: Sequence[Burn], committed: Sequence["Rows"]) -> Times:
    """The same reads and writes by `sqlite3` alone, of rows made before the clock starts."""
    times = Times()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        for number, rows in enumerate(committed):
            hashes = [burns[serial - 1].order_hash for serial, *_ in rows.entries]
            marks = ",".join("?" * len(hashes))
            with times.of("read orders"):
                query = f"SELECT * FROM orders WHERE order_hash IN ({marks})"
                found = connection.execute(query, hashes).fetchall()
            with times.of("commit"):
                connection.execute("BEGIN IMMEDIATE")
                stored = [
                    connection.executemany(statement, parameters).rowcount
                    for statement, parameters in (
                        (_UPDATE_CURSOR, rows.cursors),
                        (_UPDATE_ORDER, rows.orders),
                        (_INSERT_ENTRY, rows.entries),
                    )
                ]
                connection.execute("COMMIT")
            if [len(found), *stored] != [len(hashes), 1, len(hashes), len(hashes)]:
                raise Wrong(f"the floor's slice {number} missed rows")
    return times


_UPDATE_CURSOR = (
    "UPDATE listener_cursor SET version = ?, body = ? WHERE name = 'only' AND version = ?"
)
_UPDATE_ORDER = (
    "UPDATE orders SET status = ?, version = ?, body = ? WHERE order_id = ? AND version = ?"
)
_INSERT_ENTRY = "INSERT INTO redemptions (serial, version, body) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Rows:
    """A commit as parameters of the three statements above."""

    cursors: list[tuple[int, str, int]] = field(default_factory=list)
    orders: list[tuple[str, int, str, str, int]] = field(default_factory=list)
    entries: list[tuple[int, int, str]] = field(default_factory=list)


def _rows(changes: Sequence[Change]) -> Rows:
    rows = Rows()
    for change in changes:
        version = change.record.version
        match change.record:
            case Cursor() as cursor:
                body = LISTENER_CURSOR.row_of(cursor)["body"]
                rows.cursors.append((version, body, version - 1))
            case Order() as order:
                body = ORDERS.row_of(order)["body"]
                rows.orders.append((order.status.value, version, body, order.order_id, version - 1))
            case Redemption() as entry:
                rows.entries.append((entry.serial, version, REDEMPTIONS.row_of(entry)["body"]))
    rows.orders.sort(key=itemgetter(3))
    return rows


def _cursor() -> Cursor:
    return Cursor(
        proven=_block(1), last_serial=0, expired_through=0, chain_id=56, contract=CONTRACT
    )


def _order(number: int) -> Order:
    made_at = START + number // BURNS_PER_BLOCK
    entropy = sha256(f"order {number}".encode()).digest()[:10]
    return new_order(
        order_id=make_order_id(created_at=made_at, entropy=entropy),
        created_at=made_at,
        expires_at=made_at + TTL_SECONDS,
        customer=CUSTOMER,
        token_id=1001,
        amount=1,
        site_id="HCM_ROX_T09",
        request_id=REQUEST_ID,
        sealed_meta=bytes(96),
    )


def _burn(order: Order, serial: int) -> Burn:
    return Burn(
        serial=serial,
        user=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        order_hash=order.order_hash,
        tx_hash="0x" + sha256(f"transaction {serial}".encode()).hexdigest(),
        log_index=serial % BURNS_PER_BLOCK,
        block=_block(100 + serial // BURNS_PER_BLOCK),
    )


def _block(number: int) -> BlockRef:
    return BlockRef(number, "0x" + sha256(f"block {number}".encode()).hexdigest(), START + number)


if __name__ == "__main__":
    sys.exit(main())
