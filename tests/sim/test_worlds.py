"""The listener in many simulated worlds: the same every time, and others every time."""

import os
import subprocess
import sys
from collections.abc import Callable
from random import SystemRandom
from typing import Any

import pytest

from tests.sim.node import FAULTS, LIES
from tests.sim.run import Failed, live, live_all, main
from tests.sim.world import Options, World

BATCH = 400
"""Worlds in a batch. Two batches a side share the two cores of `make test`."""

LATEST_SEED = 10**9


@pytest.mark.parametrize("first", [0, BATCH])
def test_fixed_worlds_keep_every_promise(
    first: int, record_property: Callable[[str, Any], None]
) -> None:
    record_property("seeds", f"fixed: {first} to {first + BATCH - 1}")
    live_all(range(first, first + BATCH))


@pytest.mark.parametrize("batch", [1, 2])
def test_fresh_worlds_keep_every_promise(
    batch: int, record_property: Callable[[str, Any], None]
) -> None:
    first = SystemRandom().randrange(LATEST_SEED)
    record_property(
        "seeds",
        f"fresh, batch {batch}: {first} to {first + BATCH - 1}"
        f" (again: make sim FIRST={first} SEEDS={BATCH})",
    )
    live_all(range(first, first + BATCH))


def test_worlds_that_fork_below_finality_keep_every_promise() -> None:
    tally = live_all(range(200), Options(deep_forks=True))
    assert tally.counts["deep_forks"] > 200
    assert tally.counts["rewinds"] > 80


def test_worlds_on_sqlite_keep_every_promise() -> None:
    live_all(range(8), Options(sqlite=True))


def test_every_fault_happens_and_every_kind_of_move() -> None:
    tally = live_all(range(150))
    assert set(FAULTS) | {"lies_told", "dead_branch", "tag_ahead"} <= set(tally.faults)
    assert {"crash_before_commit", "crash_after_commit", "crash_at_read"} <= set(tally.faults)
    assert {"store_down_before_commit", "store_down_after_commit"} <= set(tally.faults)
    assert {"burn_final", "burn_seen", "burn_lost", "order_expired"} <= set(tally.events)
    assert {"lease_lost", "lease_taken", "provider_set_aside", "reorg"} <= set(tally.events)
    assert tally.counts["delivered"] > 0
    assert len(LIES) == 5


def test_a_seed_is_the_same_world_in_every_process() -> None:
    def told(hash_seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "tests.sim.run", "--seed", "7"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    story = told("1")
    assert story == told("2")
    assert story.count("\n") > 100


def test_a_broken_promise_tells_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_world: World) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(World, "run", fail)
    with pytest.raises(Failed, match=r"seed 123: ValueError: a bug\nreplay: make sim SEED=123"):
        live(123)
    assert main(["--seeds", "3", "--first", "40", "--deep-forks"]) == 1
    assert 'replay: make sim SEED=40 ARGS="--deep-forks"' in capsys.readouterr().err
