"""The benchmarks run, at a size that takes no time: figures are no test, that they come about is.

What they count instead of timing is asserted: calls, read units, and books equal to the chain.
"""

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from bench import latency
from bench.api_load import sqlite_engine
from bench.chain_of_burns import BurnChain, burn_chain, seed
from bench.faults import FAULTS, outcomes
from bench.listener import GOAL_IDLE_REQUESTS, GOAL_IDLE_UNITS, environ_of, idle_passes, run_stage
from bench.stages import STAGES, Incomplete
from tests.chain.fault_proxy import always, drop_log, edit, logs, proxy_to

BURNS, BLOCKS, RANGE = 60, 6, 50


@pytest.fixture(scope="module")
def chain() -> Iterator[BurnChain]:
    with burn_chain(BURNS, BLOCKS) as running:
        yield running


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_counts_every_burn(chain: BurnChain, stage: str, tmp_path: Path) -> None:
    with sqlite_engine() as engine:
        seed(engine.store, chain.plan)
        environ = environ_of(chain, engine, block_range=RANGE)
        environ["BENCH_PROFILE"] = str(tmp_path / "profile")
        told = STAGES[stage](environ)
    assert told.events == BURNS
    assert told.seconds > 0
    assert told.memory_peak >= told.memory_before > 0


def test_stage_runs_in_a_process_of_its_own(chain: BurnChain) -> None:
    with sqlite_engine() as engine:
        told = run_stage("decoded", environ_of(chain, engine, block_range=RANGE))
    assert (told.events, told.cpu_seconds > 0) == (BURNS, True)


def test_catch_up_that_ends_short_is_no_measurement(chain: BurnChain) -> None:
    with proxy_to(chain.rpc_url) as proxy, sqlite_engine() as engine:
        proxy.add(always(logs(), edit(drop_log())))
        environ = environ_of(chain, engine, block_range=RANGE, rpc_urls=[proxy.url])
        with pytest.raises(Incomplete):
            STAGES["whole"](environ)


def test_idle_pass_takes_two_requests_and_two_read_units_at_most() -> None:
    with redirect_stdout(StringIO()):
        requests, reads, _ = idle_passes()
    assert 0 < requests <= GOAL_IDLE_REQUESTS
    assert 0 < reads <= GOAL_IDLE_UNITS


def test_single_fault_leaves_the_books_equal_to_the_chain() -> None:
    rows = list(outcomes(BURNS, BLOCKS, block_range=RANGE, providers=(1,)))
    assert {row.fault for row in rows} == set(FAULTS)
    assert [row for row in rows if not row.holds(BURNS)] == []


def test_latency_is_measured_from_the_confirming_block() -> None:
    told = latency.measure("worker", 0.2, 4, poll=0.2, gap=0.2)
    assert len(told) == 4
    assert all(0 < one < latency.SETTLE_SECONDS for one in told)
