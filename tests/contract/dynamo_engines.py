"""DynamoDB engines for the store's contract suite.

Dynoxide is the one to trust. Moto runs in this process, gets races wrong, and is a second opinion
on everything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

from moto import mock_aws

from chalicelib.adapters.dynamo import create_table, open_dynamo_store
from ops.dynoxide import DynoxideFailed, start, use_local_credentials
from tests.contract.engines import Engine, EngineMissing, FreshData, Opener

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
    numbers = count(1)

    def fresh() -> Opener:
        table = f"vouchers-{next(numbers)}"
        create_table(table=table, region=REGION, endpoint=endpoint)
        return partial(open_dynamo_store, table=table, region=REGION, endpoint=endpoint)

    return fresh


ENGINES = (
    Engine("dynoxide", _dynoxide),
    Engine("moto", _moto, trusts_races=False, shared_by_processes=False),
)
