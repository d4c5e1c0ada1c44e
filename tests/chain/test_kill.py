"""The worker is killed at any moment, over and over, while burns keep coming and the chain forks.

Nothing is put in order by a killed process: whatever it had stored is all that the next one finds.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import OrderStatus
from ops import anvil
from tests.chain.books import check_ledger, check_orders, is_at_rest, ledger_of, mint_more, moves_to
from tests.chain.test_listener import Stack, deploy, listener_of
from tests.chain.traffic import Traffic, going_on
from tests.chain.workers import Worker, running, wait_for

S = OrderStatus

FINALIZED_LAG = 24
DEEPEST_FORK = 20
KEPT_STATES = 128

PASS_SECONDS = 0.15
"""A bit more than a pass takes."""

WRITE_SECONDS = 0.003
"""A bit more than a commit takes."""

ENOUGH_FOR_ORPHANS = 100
"""Kills during which a pass surely has seen a burn that a fork then took."""

START_SECONDS = 0.25
"""A bit more than a forked worker takes from its start to its first pass."""


@pytest.fixture
def rpc_url() -> Iterator[str]:
    with anvil.start(finalized_lag=FINALIZED_LAG, kept_states=KEPT_STATES) as running_chain:
        yield running_chain.rpc_url


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "vouchers.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def open_stack(rpc_url: str, database: Path) -> Callable[[], Stack]:
    """Opens the same contract and store, each time over connections of its own."""
    chain, deployed = deploy(rpc_url)
    chain.mine(DEEPEST_FORK + FINALIZED_LAG)

    def open_one() -> Stack:
        store = open_sql_store(f"sqlite:///{database}")
        return Stack(type(chain)(rpc_url), deployed, store, listener_of(store, [rpc_url], deployed))

    return open_one


@pytest.fixture
def environ(open_stack: Callable[[], Stack], rpc_url: str, database: Path) -> dict[str, str]:
    return open_stack().environ(
        STORE="sql",
        DATABASE_URL=f"sqlite:///{database}",
        # Two endpoints of one node: what one tells, the other has to confirm.
        RPC_URLS=f"{rpc_url},{rpc_url.replace(anvil.HOST, 'localhost')}",
        POLL_SECONDS="0.02",
    )


@pytest.mark.parametrize(
    ("kills", "seed"),
    [
        pytest.param(10, 1, id="10"),
        pytest.param(200, 2, id="200", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_atomic_progress_survives_kills_at_random_points(
    open_stack: Callable[[], Stack],
    environ: dict[str, str],
    database: Path,
    tmp_path: Path,
    kills: int,
    seed: int,
) -> None:
    stack, drawn, log = open_stack(), random.Random(seed), tmp_path / "log"
    mint_more(stack, each=4500)
    floor = stack.chain.web3.eth.block_number
    stack.chain.mine(2)
    traffic = Traffic(open_stack(), seed, deepest=DEEPEST_FORK, floor=floor)
    advanced = 0
    with going_on(traffic):
        for _ in range(kills):
            before = _version(stack)
            with running(environ, log, lease_seconds=1) as worker:
                _let_it_get_somewhere(worker, stack, database, drawn)
                worker.kill()
            advanced += _version(stack) > before
    assert advanced >= kills / 2, "most kills came before the worker had done anything"
    assert traffic.forks > 0

    stack.chain.mine(FINALIZED_LAG)
    with running(environ, log, lease_seconds=1) as worker:
        wait_for(lambda: is_at_rest(stack), "the books catch up")
        assert worker.stop() == 0
    assert {entry.final for entry in check_ledger(stack.store, stack.chain, stack.deployed)} == {
        True
    }
    found = check_orders(stack.store, [order.order_id for order in traffic.orders])
    assert found.get(S.DELIVERED, 0) == traffic.delivered
    assert set(found) <= {S.CREATED, S.VALID, S.DELIVERED}
    for order in traffic.orders:
        redeemed = stack.status(order) in (S.VALID, S.DELIVERED)
        assert moves_to(stack.store, order, S.VALID) == redeemed
    orphaned = any(entry.orphans for entry in ledger_of(stack.store))
    assert orphaned or kills < ENOUGH_FOR_ORPHANS


def _let_it_get_somewhere(
    worker: Worker, stack: Stack, database: Path, drawn: random.Random
) -> None:
    """Return while the worker starts, or is anywhere in a pass, or is at storing something."""
    where = drawn.random()
    if where < 0.1:
        time.sleep(drawn.uniform(0, START_SECONDS))
        return
    wait_for(lambda: worker.leads(stack.store.cursor()), "the worker takes the lease")
    if where < 0.5:
        time.sleep(drawn.uniform(0, PASS_SECONDS))
        return
    log = Path(f"{database}-wal")
    before = _written(log)
    wait_for(lambda: _written(log) != before, "somebody writes")
    time.sleep(drawn.uniform(0, WRITE_SECONDS))


def _written(file: Path) -> tuple[int, int]:
    told = file.stat()
    return told.st_size, told.st_mtime_ns


def _version(stack: Stack) -> int:
    cursor = stack.store.cursor()
    return cursor.version if cursor else 0
