"""What the SQL adapter promises beyond the port: its schema, its indexes, what its errors tell."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, event, inspect

from chalicelib.adapters.sql import (
    SchemaMismatch,
    SqlStore,
    check_schema,
    migrate,
    open_sql_store,
)
from chalicelib.adapters.sql.database import Database
from chalicelib.adapters.sql.migrations import MIGRATIONS, Migration, migrations
from chalicelib.adapters.sql.tables import LISTENER_CURSOR, METADATA, SESSIONS
from chalicelib.domain.exceptions import ExceptionKind, raise_exception
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import OrderFilter
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Outcome, Redemption
from chalicelib.domain.staff import Session, SessionKind, WalletNonce
from chalicelib.ports import Change, Delete, Insert, Record, StoreUnavailable, Update
from tests.contract.data import conflict_of, stored
from tests.contract.engines import EngineMissing
from tests.contract.postgres import Server, running_postgres
from tests.contract.team import at_once
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    NOW,
    OTHER_SITE,
    SITE,
    STRANGER,
    a_block,
    a_burn,
    a_catalogue,
    a_site,
    an_order,
    in_status,
)

IN_VERSION_1 = {
    *("proven", "last_serial", "expired_through", "chain_id", "contract", "lease_owner"),
    *("lease_until", "heartbeat", "scanned", "seen_serial"),
}
"""What a cursor held when there was but the first migration."""

NEXT = len(migrations()) + 1
"""Number of a migration that there is not yet."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with running_postgres() as running:
            yield running
    except EngineMissing as missing:
        pytest.skip(f"NOT TESTED on PostgreSQL: {missing}")


@contextmanager
def new_role(server: Server, name: str) -> Iterator[str]:
    """The URL of an empty schema on the server."""
    with closing(psycopg.connect(server.url(), autocommit=True)) as admin:
        admin.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN").format(psycopg.sql.Identifier(name)))
        admin.execute(
            psycopg.sql.SQL("CREATE SCHEMA AUTHORIZATION {}").format(psycopg.sql.Identifier(name))
        )
        yield server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/vouchers.db"
        return
    server: Server = request.getfixturevalue("server")
    role = f"r{abs(hash(request.node.name)) % 10**9}"
    with new_role(server, role) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    migrate(url)
    with closing(open_sql_store(url)) as opened:
        yield opened


def copied_migrations(folder: Path, **more: str) -> Path:
    """The real migrations, and more of them."""
    folder.mkdir()
    for migration in migrations():
        (folder / migration.path.name).write_text(migration.path.read_text())
    for name, code in more.items():
        (folder / f"{name}.sql").write_text(code)
    return folder


def fill_as_version_1(url: str, records: list[Record]) -> None:
    """The records, the cursor without what it had not then."""
    with closing(SqlStore(Database(url))) as old_store:
        old_store.commit(list(map(Insert, records)))
        with old_store._database.writing() as connection:
            (row,) = connection.exec_driver_sql("SELECT body FROM listener_cursor")
            body = {
                name: told for name, told in from_json(row.body).items() if name in IN_VERSION_1
            }
            connection.execute(LISTENER_CURSOR.table.update().values(body=to_json(body).decode()))


class TestMigrations:
    def test_all_are_run_once(self, url: str) -> None:
        assert migrate(url) == tuple(range(1, len(migrations()) + 1))
        assert migrate(url) == ()
        check_schema(url)

    def test_what_is_stored_survives_them(self, store: SqlStore, url: str) -> None:
        store.commit([Insert(an_order())])
        migrate(url)
        assert store.order(an_order().order_id) == an_order()

    def test_a_database_without_exceptions_gets_them_and_keeps_the_rest(
        self, url: str, tmp_path: Path
    ) -> None:
        old = tmp_path / "old"
        old.mkdir()
        shutil.copy(MIGRATIONS / "0001_initial.sql", old)
        assert migrate(url, folder=old) == (1,)
        with pytest.raises(SchemaMismatch, match="has schema version 1, this program needs"):
            check_schema(url)
        cursor = Cursor(a_block(), 7, NOW, CHAIN_ID, CONTRACT, lease_owner="worker-1")
        entry = Redemption(a_burn(an_order()), Outcome.LATE, final=True)
        records: list[Record] = [an_order(), a_site(), cursor, entry]
        fill_as_version_1(url, records)

        assert migrate(url) == tuple(range(2, NEXT))
        with closing(open_sql_store(url)) as store:
            assert [stored(store, record) for record in records] == records
            raised = raise_exception(entry.burn, ExceptionKind.LATE, NOW)
            store.commit([Insert(raised)])
            assert store.exceptions(open_only=True, limit=5).items == (raised,)

    def test_those_who_migrate_at_once_wait_for_each_other(self, url: str) -> None:
        ran = at_once([partial(migrate, url)] * 4)
        versions = sorted(version for mine in ran for version in mine)
        assert versions == list(range(1, len(migrations()) + 1))

    def test_a_later_one_is_run_on_top(self, url: str, tmp_path: Path) -> None:
        migrate(url)
        folder = copied_migrations(
            tmp_path / "more",
            **{f"{NEXT:04}_notes": "CREATE TABLE notes (note $text PRIMARY KEY) $options;\n"},
        )
        assert migrate(url, folder=folder) == (NEXT,)
        with reading(url) as connection:
            assert inspect(connection).has_table("notes")

    def test_one_that_fails_changes_nothing(self, url: str, tmp_path: Path) -> None:
        migrate(url)
        folder = copied_migrations(
            tmp_path / "more",
            **{f"{NEXT:04}_broken": "CREATE TABLE a (x $text);\nCREATE TABLE orders (x $text);\n"},
        )
        with pytest.raises(StoreUnavailable):
            migrate(url, folder=folder)
        with reading(url) as connection:
            assert not inspect(connection).has_table("a")
        check_schema(url)

    @pytest.mark.parametrize(
        "name",
        [f"{NEXT + 1:04}_gap", "0001_again", f"{NEXT}_short", f"{NEXT:04}_UPPER"],
        ids=["gap", "again", "short", "upper"],
    )
    def test_numbers_that_are_not_whole_are_refused(self, tmp_path: Path, name: str) -> None:
        folder = copied_migrations(tmp_path / "more", **{name: "SELECT 1;\n"})
        with pytest.raises(SchemaMismatch, match=r"migration 000\d_<name>\.sql expected"):
            migrations(folder)

    def test_a_checkout_without_them_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(SchemaMismatch, match="run from a whole checkout"):
            check_schema(f"sqlite:///{tmp_path}/x.db", folder=tmp_path)

    def test_statements_are_split_and_comments_dropped(self, tmp_path: Path) -> None:
        path = tmp_path / "0001_x.sql"
        path.write_text("-- a; b\nCREATE TABLE a (x $integer); \n\nINSERT INTO a VALUES (';');")
        assert Migration(1, path).statements("postgresql") == [
            "CREATE TABLE a (x BIGINT)",
            "INSERT INTO a VALUES (';')",
        ]

    def test_the_tables_are_what_the_adapter_thinks(self, url: str) -> None:
        migrate(url)
        with reading(url) as connection:
            look = inspect(connection)
            assert set(look.get_table_names()) == {*METADATA.tables, "schema_version"}
            for name, table in METADATA.tables.items():
                stored = {column["name"]: column for column in look.get_columns(name)}
                assert set(stored) == {column.name for column in table.columns}
                keys = look.get_pk_constraint(name)["constrained_columns"]
                assert keys == [column.name for column in table.primary_key]
                for column in table.columns:
                    assert isinstance(
                        stored[column.name]["type"].as_generic().python_type(),
                        column.type.python_type,
                    )
                    assert stored[column.name]["nullable"] == column.nullable, (name, column.name)

    def test_an_order_hash_is_unique_by_the_schema(self, url: str) -> None:
        migrate(url)
        with reading(url) as connection:
            unique = inspect(connection).get_unique_constraints("orders")
        assert [one["column_names"] for one in unique] == [["order_hash"]]


class TestSchemaVersion:
    def test_an_empty_database_names_the_command(self, url: str) -> None:
        for refused in (check_schema, open_sql_store):
            with pytest.raises(SchemaMismatch, match="run `vouchers store migrate`"):
                refused(url)

    def test_looking_makes_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(SchemaMismatch, match="there is no database file yet"):
            open_sql_store(f"sqlite:///{tmp_path}/none.db")
        assert list(tmp_path.iterdir()) == []

    def test_an_older_one_names_both_versions(self, url: str, tmp_path: Path) -> None:
        migrate(url)
        folder = copied_migrations(
            tmp_path / "more", **{f"{NEXT:04}_more": "CREATE TABLE b (x $text);\n"}
        )
        with pytest.raises(
            SchemaMismatch,
            match=f"has schema version {NEXT - 1}, this program needs {NEXT}: run `vouchers",
        ):
            check_schema(url, folder=folder)

    def test_a_newer_one_is_left_alone(self, url: str, tmp_path: Path) -> None:
        folder = copied_migrations(
            tmp_path / "more", **{f"{NEXT:04}_more": "CREATE TABLE b (x $text);\n"}
        )
        migrate(url, folder=folder)
        for refused in (check_schema, migrate, open_sql_store):
            with pytest.raises(SchemaMismatch, match="run a newer version of the program"):
                refused(url)


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    database = Database(url)
    try:
        with database.reading() as connection:
            yield connection
    finally:
        database.close()


def plans(
    url: str, store: SqlStore, explain: Callable[[Connection, str, object], str]
) -> list[str]:
    """How the engine answers every read of the port."""
    statements: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", note)
    order = an_order()
    place = f"{NOW}.{order.order_hash}"
    store.order(order.order_id)
    store.order_by_hash(order.order_hash)
    store.orders_with_hashes([order.order_hash, an_order(2).order_hash])
    store.history(order.order_hash)
    every_status = frozenset(OrderStatus)
    for cursor in (None, place):
        store.orders_of_customer(CUSTOMER, limit=10, cursor=cursor)
        store.orders_of_site(SITE, statuses=every_status, limit=10, cursor=cursor)
        store.orders_of_site(
            SITE,
            statuses=every_status,
            among=OrderFilter(NOW, NOW + 60, "0x12345678", "12345678"),
            limit=10,
            cursor=cursor,
        )
        store.orders_expiring(after=0, through=NOW, limit=10, cursor=cursor)
        store.audit(day="2026-11-21", limit=10, cursor=cursor)
    store.redemptions(1, 100)
    store.exception("12-0123abcd")
    for cursor in (None, f"{0:019}-0123abcd"):
        store.exceptions(open_only=True, limit=10, cursor=cursor)
        store.exceptions(open_only=False, limit=10, cursor=cursor)
    for read in (store.reservation, store.session, store.wallet_nonce, store.staff):
        read("name")
    event.remove(engine, "before_cursor_execute", note)
    assert len(statements) == 4 + 2 * (1 + 3 * len(OrderStatus) + 1 + 1) + 1 + 1 + 4 + 4
    with engine.connect() as connection:
        return [explain(connection, *statement) for statement in statements]


class TestIndexes:
    """Every read that could grow with the data goes through an index, in the order of the index."""

    def test_on_sqlite(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/vouchers.db"
        migrate(url)

        def explain(connection: Connection, statement: str, parameters: object) -> str:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            return "; ".join(row[3] for row in rows)

        with closing(open_sql_store(url)) as store:
            for plan in plans(url, store, explain):
                assert plan.startswith("SEARCH"), plan
                assert "SCAN" not in plan
                assert "TEMP B-TREE" not in plan

    def test_on_postgresql(self, server: Server) -> None:
        def explain(connection: Connection, statement: str, parameters: object) -> str:
            # So few rows are read as a whole: without that, it shows whether an index can serve.
            for off in ("seqscan", "sort", "bitmapscan"):
                connection.exec_driver_sql(f"SET enable_{off} = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)  # type: ignore[arg-type]
            return "\n".join(row[0] for row in rows)

        with new_role(server, "explained") as url:
            migrate(url)
            with closing(open_sql_store(url)) as store:
                for plan in plans(url, store, explain):
                    assert "Index Scan" in plan, plan
                    assert "Seq Scan" not in plan
                    assert "Sort" not in plan


def an_entry(serial: int, *, version: int = 1) -> Redemption:
    """A final ledger entry of an order's burn."""
    burn = a_burn(an_order(serial), serial=serial)
    return Redemption(burn, Outcome.MATCHED, final=True, version=version)


class TestCommits:
    def test_like_changes_go_in_one_statement(self, store: SqlStore) -> None:
        orders = [an_order(number) for number in range(20)]
        store.commit([Insert(a_site()), *map(Insert, orders)])
        entries = [an_entry(serial) for serial in range(1, 21)]
        changes: list[Change] = [Update(replace(a_site(), version=2))]
        for order, entry in zip(orders, entries, strict=True):
            changes += [Update(in_status(OrderStatus.VALID, order)), Insert(entry)]
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(" ".join(statement.removeprefix("INSERT ").split()[:2]))

        event.listen(store._database.engine, "before_cursor_execute", note)
        store.commit(changes)
        event.remove(store._database.engine, "before_cursor_execute", note)
        writes = [words for words in sent if words != "BEGIN IMMEDIATE"]
        assert writes == ["UPDATE orders", "INTO redemptions", "UPDATE sites"]
        assert store.redemptions(1, 20) == tuple(entries)

    def test_an_order_that_moves_touches_the_one_index_of_its_status(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/vouchers.db"
        migrate(url)
        sent: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, parameters: object, *_: Any) -> None:
            sent.append((statement, parameters))

        with closing(open_sql_store(url)) as store:
            store.commit([Insert(an_order())])
            event.listen(store._database.engine, "before_cursor_execute", note)
            store.commit([Update(in_status(OrderStatus.VALID))])
        (update,) = [one for one in sent if one[0].startswith("UPDATE")]
        with reading(url) as connection:
            program = connection.exec_driver_sql(f"EXPLAIN {update[0]}", update[1]).all()
            pages = "SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0"
            names = {row.rootpage: row.name for row in connection.exec_driver_sql(pages)}
        opened = {step.p1: names[step.p2] for step in program if step.opcode == "OpenWrite"}
        rewritten = {opened[step.p1] for step in program if step.opcode == "IdxInsert"}
        assert rewritten == {"orders_by_site"}

    @pytest.mark.parametrize(
        "other",
        [
            {"customer": STRANGER},
            {"site_id": OTHER_SITE},
            {"order_hash": "0x" + "ab" * 32},
            {"created_at": NOW + 1},
            {"expires_at": NOW + 1},
        ],
        ids=str,
    )
    def test_an_order_keeps_what_it_is_known_by(
        self, store: SqlStore, other: dict[str, Any]
    ) -> None:
        store.commit([Insert(an_order())])
        change = Update(replace(an_order(), version=2, **other))
        assert conflict_of(store, change) == change
        assert store.order(an_order().order_id) == an_order()

    def test_a_stale_change_that_fits_when_looked_for_is_stored(
        self, store: SqlStore, url: str
    ) -> None:
        """Somebody takes the record away after the slice met it, and before it is looked for."""
        in_the_way = an_entry(2, version=5)
        store.commit([Insert(in_the_way)])
        entries = [an_entry(serial) for serial in range(1, 4)]
        begun = 0
        with closing(open_sql_store(url)) as other:

            def begin(_connection: Connection) -> None:
                nonlocal begun
                begun += 1
                if begun == 2:
                    other.commit([Delete(in_the_way)])

            event.listen(store._database.engine, "begin", begin)
            store.commit([Insert(entry) for entry in entries])
        assert begun == 2
        assert store.redemptions(1, 3) == tuple(entries)


class TestSessions:
    def test_one_of_an_earlier_version_has_spent_nothing(self, store: SqlStore) -> None:
        session = Session("5e", SessionKind.STAFF, "a", 1, "h", NOW, "r", NOW, NOW)
        store.commit([Insert(session)])
        with store._database.writing() as connection:
            (row,) = connection.exec_driver_sql("SELECT body FROM sessions")
            body = from_json(row.body)
            del body["spent_hash"], body["spent_at"]
            connection.execute(SESSIONS.table.update().values(body=to_json(body).decode()))
        assert store.session("5e") == session


class TestPurge:
    def test_only_what_ran_out_goes(self, store: SqlStore) -> None:
        def session(name: str, expires_at: int) -> Session:
            return Session(name, SessionKind.STAFF, "a", 1, "", NOW, "", NOW, expires_at)

        for name, expires_at in (("old", NOW), ("new", NOW + 1)):
            store.commit(
                [
                    Insert(Reservation(name, "ORD", "digest", expires_at)),
                    Insert(session(name, expires_at)),
                    Insert(WalletNonce(name, CUSTOMER, "text", expires_at)),
                ]
            )
            store.count(name, ["a", "b"], expires_at=expires_at)
        store.commit([Insert(an_order(expires_at=NOW - 1000)), Insert(a_catalogue())])
        assert store.purge(NOW) == 5
        assert store.purge(NOW) == 0
        assert (store.reservation("old"), store.session("old"), store.wallet_nonce("old")) == (
            None,
            None,
            None,
        )
        assert store.reservation("new") is not None
        assert store.session("new") is not None
        assert store.wallet_nonce("new") is not None
        assert store.count("new", ["a"], expires_at=NOW + 1) == (2,)
        assert store.count("old", ["a"], expires_at=NOW + 1) == (1,)
        assert store.order(an_order(expires_at=NOW - 1000).order_id) is not None
        assert store.catalogue() is not None


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        ["", "nonsense", "mysql://root:hunter2@host/db", "postgresql://u:hunter2@host:port/db"],
    )
    def test_one_that_is_none_names_the_setting_and_keeps_the_password(self, url: str) -> None:
        with pytest.raises(StoreUnavailable, match="DATABASE_URL: must be sqlite:///") as refused:
            open_sql_store(url)
        assert "hunter2" not in str(refused.value)
        assert refused.value.__cause__ is None

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_sqlite_needs_a_file(self, url: str) -> None:
        with pytest.raises(StoreUnavailable, match="SQLite needs a file"):
            migrate(url)

    def test_nobody_there(self, tmp_path: Path) -> None:
        url = f"postgresql://user:hunter2@/db?host={tmp_path}"
        with pytest.raises(StoreUnavailable, match="SQL: OperationalError") as refused:
            open_sql_store(url)
        assert "hunter2" not in str(refused.value)

    def test_a_folder_that_is_not_there_is_made(self, tmp_path: Path) -> None:
        migrate(f"sqlite:///{tmp_path}/some/more/vouchers.db")
        check_schema(f"sqlite:///{tmp_path}/some/more/vouchers.db")

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreUnavailable, match="DATABASE_URL: its folder cannot be made"):
            migrate(f"sqlite:///{tmp_path}/file/vouchers.db")

    def test_a_database_that_is_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="SQL: SQLITE_CANTOPEN"):
            migrate(f"sqlite:///{tmp_path}")


class TestEngineErrors:
    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "x.db").write_bytes(b"not a database" * 100)
        with pytest.raises(StoreUnavailable, match="SQL: SQLITE_NOTADB"):
            open_sql_store(f"sqlite:///{tmp_path}/x.db")

    def test_a_lost_table_tells_no_key(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/vouchers.db"
        migrate(url)
        with closing(open_sql_store(url)) as store:
            with closing(sqlite3.connect(tmp_path / "vouchers.db")) as other:
                other.execute("DROP TABLE orders")
            for ask in (
                partial(store.order, an_order().order_id),
                partial(store.commit, [Insert(an_order())]),
            ):
                with pytest.raises(StoreUnavailable, match="SQL: SQLITE_ERROR") as failed:
                    ask()
                assert an_order().order_id not in f"{failed.value} {failed.value.__cause__}"

    def test_connections_that_broke_are_made_anew(self, server: Server) -> None:
        with new_role(server, "broken") as url:
            migrate(url)
            with closing(open_sql_store(url)) as store:
                store.commit([Insert(a_site())])
                with closing(psycopg.connect(server.url(), autocommit=True)) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE usename = 'broken'"
                    )
                assert store.sites() == (a_site(),)
                store.commit([Update(replace(a_site(), version=2))])

    def test_a_server_that_stopped(self, server: Server) -> None:
        del server  # skips where there is none
        with running_postgres() as own:
            url = own.url()
            migrate(url)
            store = open_sql_store(url)
            store.ping()
        with closing(store), pytest.raises(StoreUnavailable, match="SQL: "):
            store.ping()

    def test_conflicts_leave_nothing_in_the_servers_log(self, server: Server) -> None:
        """PostgreSQL writes the key of a violated constraint into its log; ids are secrets."""
        with new_role(server, "logged") as url:
            migrate(url)
            with closing(open_sql_store(url)) as store:
                store.commit([Insert(an_order())])
                conflict_of(store, Insert(an_order()))
        assert an_order().order_id not in (server.folder / "log").read_text()


class TestPowerCut:
    def test_what_was_committed_survives_a_killed_process(self, tmp_path: Path) -> None:
        """The process ends itself by SIGKILL right after the commit, and within the next one."""
        url = f"sqlite:///{tmp_path}/vouchers.db"
        migrate(url)
        code = (
            "import os, signal, sys\n"
            "from chalicelib.adapters.sql import open_sql_store\n"
            "from chalicelib.ports import Insert\n"
            "from tests.fakes import a_site, a_staff\n"
            "store = open_sql_store(sys.argv[1])\n"
            "store.commit([Insert(a_site())])\n"
            "with store._database.writing() as connection:\n"
            "    connection.exec_driver_sql('DELETE FROM sites')\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, url], check=False, cwd=MIGRATIONS.parents[1]
        )
        assert ended.returncode == -signal.SIGKILL
        with closing(open_sql_store(url)) as store:
            assert store.sites() == (a_site(),)
            store.commit([Update(replace(a_site(), version=2))])

    def test_sqlite_logs_ahead_and_syncs(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/vouchers.db"
        migrate(url)
        with reading(url) as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous")
            ]
        assert settings == ["wal", 2]
