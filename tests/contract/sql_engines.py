"""SQLite and PostgreSQL for the contract suite."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from chalicelib.adapters.sql import migrate, open_sql_store
from tests.contract.engines import Engine, FreshData, Opener
from tests.contract.postgres import running_postgres


@contextmanager
def _sqlite() -> Iterator[FreshData]:
    numbers = count()
    with tempfile.TemporaryDirectory(prefix="vouchers-sqlite-") as name:
        folder = Path(name)
        migrate(f"sqlite:///{folder}/empty.db")

        def fresh() -> Opener:
            path = folder / f"{next(numbers)}.db"
            shutil.copy(folder / "empty.db", path)
            return partial(open_sql_store, f"sqlite:///{path}")

        yield fresh


@contextmanager
def _postgresql() -> Iterator[FreshData]:
    """A role for each set of data: its tables are in the schema of its name."""
    numbers = count()
    with running_postgres() as server, psycopg.connect(server.url(), autocommit=True) as admin:

        def fresh() -> Opener:
            name = f"data{next(numbers)}"
            role = sql.Identifier(name)
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            admin.execute(sql.SQL("CREATE SCHEMA AUTHORIZATION {}").format(role))
            migrate(server.url(name))
            return partial(open_sql_store, server.url(name))

        yield fresh


ENGINES = (Engine("sqlite", _sqlite), Engine("postgresql", _postgresql))
