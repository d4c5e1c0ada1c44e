"""How SQLite and PostgreSQL are reached: connections, transactions, and what their errors mean."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from chalicelib.ports import StoreUnavailable

POOL_SIZE = 10
POOL_OVERFLOW = 10
WAIT_SECONDS = 10
"""How long anything may wait: for a lock, a pooled connection, a connection to open, an answer."""

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
}


class Database:
    """One database. Threads may share it; each process opens its own."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()
        options = _sqlite_options() if self.on_sqlite else _postgresql_options(self.url)
        self._engine = create_engine(
            self.url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=WAIT_SECONDS,
            hide_parameters=True,  # they hold order ids
            **options,
        )
        if self.on_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite's own waiting for a lock polls with growing pauses; threads of one process queue.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if self.on_sqlite else nullcontext()
        )

    @property
    def on_sqlite(self) -> bool:
        """Whether it is a file on this host."""
        return self.dialect == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for single statements, each on its own.

        Raises:
            StoreUnavailable: the engine failed.
        """
        with _engine_errors(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction, which is stored unless an exception leaves the context.

        On SQLite it holds the one write lock from its beginning, so it never has to give up half
        way; on PostgreSQL (READ COMMITTED) it locks the rows it touches.

        Raises:
            StoreUnavailable: the engine failed.
        """
        with _engine_errors(), self._turn, self._engine.begin() as connection:
            if self.on_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, for tools that look at the schema."""
        return self._engine


def parse_url(url: str) -> URL:
    """`sqlite:///path/to/file.db` or `postgresql://user:password@host/database`.

    Raises:
        StoreUnavailable: naming `DATABASE_URL` and the rule; never the URL, which may hold a
            password.
    """
    try:
        parsed = make_url(url)
        driver = _DRIVERS[parsed.get_backend_name()]
    except (ArgumentError, KeyError, ValueError):
        raise StoreUnavailable(
            "DATABASE_URL: must be sqlite:///path/to/file.db or postgresql://user@host/database"
        ) from None
    if driver.startswith("sqlite") and parsed.database in (None, "", ":memory:"):
        raise StoreUnavailable("DATABASE_URL: SQLite needs a file: sqlite:///path/to/file.db")
    return parsed.set(drivername=driver)


def _sqlite_options() -> dict[str, Any]:
    # The driver starts no transaction on its own accord; `writing` does, as it has to be done.
    return {"isolation_level": "AUTOCOMMIT", "connect_args": {"timeout": WAIT_SECONDS}}


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Once for each connection. What was committed survives a power cut (`synchronous`)."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _postgresql_options(url: URL) -> dict[str, Any]:
    milliseconds = WAIT_SECONDS * 1000
    settings = (
        f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        f" -c idle_in_transaction_session_timeout={milliseconds}"
    )
    own = url.query.get("options", ())
    options = " ".join([settings, *([own] if isinstance(own, str) else own)])
    return {
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": WAIT_SECONDS,
            "options": options,
            "application_name": "vouchers",
        },
    }


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"SQL: {_cause(error)}") from error


def _cause(error: SQLAlchemyError) -> str:
    """What the driver calls it. Its message stays out: it may hold keys, or the address."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return type(error).__name__
    return getattr(error.orig, "sqlite_errorname", None) or type(error.orig).__name__
