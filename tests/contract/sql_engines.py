"""SQLite and PostgreSQL for the contract suite."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import psycopg

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
    """A database for each set of data, copied from a migrated one."""
    numbers = count()
    with running_postgres() as url, psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE empty")
        migrate(url.replace("/postgres?", "/empty?"))

        def fresh() -> Opener:
            name = f"data{next(numbers)}"
            admin.execute(f"CREATE DATABASE {name} TEMPLATE empty")
            return partial(open_sql_store, url.replace("/postgres?", f"/{name}?"))

        yield fresh


ENGINES = (Engine("sqlite", _sqlite), Engine("postgresql", _postgresql))
