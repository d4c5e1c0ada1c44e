"""DynamoDB engines for the store's contract suite.

Dynoxide is the one to trust. Moto runs in this process, gets races wrong, and is a second opinion
on everything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from uuid import uuid4

from moto import mock_aws
from pynamodb.connection import Connection

from chalicelib.adapters.dynamo import DynamoStore
from chalicelib.adapters.dynamo.table import connect, create_table_over, introduce
from ops.dynoxide import DynoxideFailed, start, use_local_credentials
from tests.contract.engines import Engine, EngineMissing, FreshData

REGION = "ap-southeast-1"


@contextmanager
def _dynoxide() -> Iterator[FreshData]:
    use_local_credentials()
    try:
        with start() as engine:
            yield _tables(engine.endpoint)
    except DynoxideFailed as failed:
        raise EngineMissing(str(failed)) from failed


@contextmanager
def _moto() -> Iterator[FreshData]:
    with mock_aws():
        yield _tables(None)


def _tables(endpoint: str | None) -> FreshData:
    return lambda: partial(open_store, endpoint, new_table(endpoint))


def new_table(endpoint: str | None) -> str:
    """The name of a table just made."""
    table = f"vouchers-{uuid4()}"
    create_table_over(_connection(endpoint), table)
    return table


def open_store(endpoint: str | None, table: str) -> DynamoStore:
    """A store, as another process would open it but for the connection."""
    return DynamoStore(connected(endpoint, table), table)


def connected(endpoint: str | None, table: str) -> Connection:
    """The connection of this process, introduced to the table."""
    connection = _connection(endpoint)
    with suppress(ValueError):  # introduced before
        introduce(connection, table)
    return connection


@cache
def _connection(endpoint: str | None) -> Connection:
    """One for each process: making botocore's client takes far longer than most tests."""
    use_local_credentials()  # another process may be older than this one's
    return connect(region=REGION, endpoint=endpoint)


ENGINES = (
    Engine("dynoxide", _dynoxide),
    Engine("moto", _moto, trusts_races=False, shared_by_processes=False),
)
