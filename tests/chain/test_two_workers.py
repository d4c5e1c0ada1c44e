"""Several workers on one store: one leads, the others wait, and none can harm the books."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from chalicelib.adapters.dynamo import open_dynamo_store
from chalicelib.adapters.dynamo.table import create_table
from chalicelib.adapters.sql import SqlStore, migrate, open_sql_store
from chalicelib.domain.orders import OrderStatus
from chalicelib.ports import Store
from ops import anvil, dynoxide
from ops.deploy_local import LocalChain
from tests.chain.books import check_ledger, check_orders, is_at_rest, mint_more, moves_to
from tests.chain.test_listener import Stack, deploy, listener_of
from tests.chain.traffic import Traffic, going_on
from tests.chain.workers import LEASE_SECONDS, Worker, lead_of, running, wait_for
from tests.contract.engines import EngineMissing
from tests.contract.postgres import running_postgres

S = OrderStatus

FINALIZED_LAG = 24
DEEPEST_FORK = 20
KEPT_STATES = 128

TAKEOVER_SECONDS = LEASE_SECONDS + 3
"""The lease runs out, in whole seconds, and the next pass of another takes it."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A store that processes share: their settings for it, and how to open it here."""

    environ: dict[str, str]
    open: Callable[[], Store]


@contextmanager
def _sqlite(folder: Path) -> Iterator[Shared]:
    url = f"sqlite:///{folder / 'vouchers.db'}"
    migrate(url)
    yield Shared({"STORE": "sql", "DATABASE_URL": url}, lambda: open_sql_store(url))


@contextmanager
def _postgresql(_: Path) -> Iterator[Shared]:
    with running_postgres() as server:
        url = server.url()
        migrate(url)
        yield Shared({"STORE": "sql", "DATABASE_URL": url}, lambda: open_sql_store(url))


@contextmanager
def _dynamodb(_: Path) -> Iterator[Shared]:
    dynoxide.use_local_credentials()
    with dynoxide.start() as engine:
        table, region = f"vouchers-{uuid4()}", "ap-southeast-1"
        create_table(table=table, region=region, endpoint=engine.endpoint)
        environ = {
            "STORE": "dynamodb",
            "DYNAMODB_TABLE": table,
            "DYNAMODB_ENDPOINT": engine.endpoint,
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        yield Shared(
            environ, lambda: open_dynamo_store(table=table, region=region, endpoint=engine.endpoint)
        )


LONG = ((3, 2), (2, 10), (3, 10))
"""Workers at once, and how many leaders are killed."""

STORES = {"sqlite": _sqlite, "postgresql": _postgresql, "dynamodb": _dynamodb}


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("dynamodb", marks=pytest.mark.slow)])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    with ExitStack() as stores:
        try:
            yield stores.enter_context(STORES[request.param](tmp_path))
        except EngineMissing as missing:
            pytest.skip(str(missing))


@pytest.fixture
def rpc_url() -> Iterator[str]:
    with anvil.start(finalized_lag=FINALIZED_LAG, kept_states=KEPT_STATES) as running_chain:
        yield running_chain.rpc_url


@pytest.fixture
def open_stack(rpc_url: str, shared: Shared) -> Iterator[Callable[[], Stack]]:
    """Opens the same contract and store, each time over connections of its own."""
    chain, deployed = deploy(rpc_url)
    chain.mine(DEEPEST_FORK + FINALIZED_LAG)
    with ExitStack() as stores:

        def open_one() -> Stack:
            store = shared.open()
            if isinstance(store, SqlStore):
                stores.callback(store.close)
            return Stack(
                LocalChain(rpc_url), deployed, store, listener_of(store, [rpc_url], deployed)
            )

        yield open_one


@pytest.fixture
def stack(open_stack: Callable[[], Stack]) -> Stack:
    return open_stack()


@pytest.fixture
def environ(stack: Stack, shared: Shared) -> dict[str, str]:
    return stack.environ(POLL_SECONDS="0.02", **shared.environ)


def _started(
    processes: ExitStack,
    count: int,
    environ: dict[str, str],
    folder: Path,
    *,
    lease_seconds: int = LEASE_SECONDS,
) -> list[Worker]:
    """That many workers, each with its log in `folder`, until `processes` is left."""
    return [
        processes.enter_context(
            running(environ, folder / f"{number}.log", lease_seconds=lease_seconds)
        )
        for number in range(count)
    ]


def _another_leads(stack: Stack, workers: list[Worker], than: Worker) -> Worker:
    """The one that takes the lease over, in time."""
    others = [worker for worker in workers if worker is not than]
    wait_for(lambda: lead_of(stack.store, others), "another takes over", seconds=TAKEOVER_SECONDS)
    leader = lead_of(stack.store, others)
    assert leader is not None
    return leader


def _first_to_lead(stack: Stack, workers: list[Worker]) -> Worker:
    wait_for(lambda: lead_of(stack.store, workers), "one takes the lease")
    leader = lead_of(stack.store, workers)
    assert leader is not None
    return leader


def _check_at_rest(stack: Stack, traffic: Traffic) -> None:
    """Once all is final and read, the books are the chain's, each order was made VALID once."""
    stack.chain.mine(FINALIZED_LAG)
    wait_for(lambda: is_at_rest(stack), "the books catch up")
    entries = check_ledger(stack.store, stack.chain, stack.deployed)
    assert len(entries) > 0
    found = check_orders(stack.store, [order.order_id for order in traffic.orders])
    assert found.get(S.VALID, 0) + found.get(S.DELIVERED, 0) > 0
    assert found.get(S.DELIVERED, 0) == traffic.delivered
    for order in traffic.orders:
        redeemed = stack.status(order) in (S.VALID, S.DELIVERED)
        assert moves_to(stack.store, order, S.VALID) == redeemed


@pytest.mark.parametrize(
    ("count", "rounds"), [(2, 2), *(pytest.param(*more, marks=pytest.mark.slow) for more in LONG)]
)
def test_atomic_progress_of_workers_at_once_when_the_leader_is_killed(
    open_stack: Callable[[], Stack],
    stack: Stack,
    environ: dict[str, str],
    tmp_path: Path,
    count: int,
    rounds: int,
) -> None:
    mint_more(stack, each=4500)
    floor = stack.chain.web3.eth.block_number
    stack.chain.mine(2)
    traffic = Traffic(open_stack(), count + rounds, deepest=DEEPEST_FORK, floor=floor)
    with ExitStack() as processes:
        workers = _started(processes, count, environ, tmp_path)
        with going_on(traffic):
            leader = _first_to_lead(stack, workers)
            for number in range(count, count + rounds):
                leader.kill()
                workers.remove(leader)
                log = tmp_path / f"{number}.log"
                workers.append(processes.enter_context(running(environ, log)))
                leader = _another_leads(stack, workers, leader)
        _check_at_rest(stack, traffic)
        assert {worker.stop() for worker in workers} == {0}


def test_atomic_progress_when_a_leader_hangs_and_comes_back(
    open_stack: Callable[[], Stack], stack: Stack, environ: dict[str, str], tmp_path: Path
) -> None:
    mint_more(stack, each=4500)
    floor = stack.chain.web3.eth.block_number
    stack.chain.mine(2)
    traffic = Traffic(open_stack(), 7, deepest=DEEPEST_FORK, floor=floor)
    with ExitStack() as processes:
        workers = _started(processes, 2, environ, tmp_path)
        with going_on(traffic):
            for _ in range(2):
                hung = _hung_leader(stack, workers)
                before = len(hung.log.read_text())
                hung.thaw()
                wait_for(partial(_is_back, stack, hung, since=before), "it notices, or leads again")
        _check_at_rest(stack, traffic)
        assert {worker.stop() for worker in workers} == {0}


def test_one_worker_leads_and_gives_the_lease_back_when_it_stops(
    open_stack: Callable[[], Stack], stack: Stack, environ: dict[str, str], tmp_path: Path
) -> None:
    mint_more(stack, each=4500)
    floor = stack.chain.web3.eth.block_number
    stack.chain.mine(2)
    traffic = Traffic(open_stack(), 11, deepest=DEEPEST_FORK, floor=floor)
    with ExitStack() as processes:
        workers = _started(processes, 3, environ, tmp_path, lease_seconds=3600)
        with going_on(traffic):
            leader = _first_to_lead(stack, workers)
            waiting = [worker for worker in workers if worker is not leader]
            wait_for(
                lambda: all(_told(worker, "lease_held_by_another") for worker in waiting),
                "the others wait",
            )
            cursor = stack.store.cursor()
            assert cursor is not None
            enough = cursor.version + 20
            wait_for(lambda: _version(stack) >= enough, "the leader goes on")
            assert lead_of(stack.store, workers) is leader
            assert not any(_told(worker, "lease_taken") for worker in waiting)
            assert leader.stop() == 0
            _another_leads(stack, waiting, leader)
        _check_at_rest(stack, traffic)
        assert {worker.stop() for worker in waiting} == {0}


def _hung_leader(stack: Stack, workers: list[Worker]) -> Worker:
    """A leader that hangs, once another has taken over.

    One that hangs in the middle of a commit keeps SQLite's write lock: then nobody can take over.
    """
    for _ in range(5):
        hung = _first_to_lead(stack, workers)
        hung.freeze()
        try:
            _another_leads(stack, workers, hung)
        except AssertionError:
            hung.thaw()
        else:
            return hung
    raise AssertionError("nobody took over from a leader that hung, five times")


def _is_back(stack: Stack, hung: Worker, *, since: int) -> bool:
    """Whether it says that another leads, before its next pass or within the one it hung in; or
    leads, should that one have been too slow."""
    told = [_told(hung, name, since=since) for name in ("lease_held_by_another", "lease_lost")]
    return any(told) or hung.leads(stack.store.cursor())


def _told(worker: Worker, event: str, *, since: int = 0) -> bool:
    """Whether that event is in its log, past the first `since` characters."""
    return worker.log.exists() and event in worker.log.read_text()[since:]


def _version(stack: Stack) -> int:
    cursor = stack.store.cursor()
    return cursor.version if cursor else 0
