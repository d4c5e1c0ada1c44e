"""Whether the system is fit to serve, told by name."""

from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.ports import Store, StoreUnavailable
from chalicelib.usecases.health import Readiness, check_ready
from tests.fakes import CHAIN_ID, CONTRACT, NOW, a_block, stored


class SilentStore(MemoryStore):
    """A store whose engine does not answer."""

    def ping(self) -> None:
        """Fails."""
        raise StoreUnavailable("password=hunter2")


def _store(heartbeat: Heartbeat | None, *, halts: tuple[str, ...] = ()) -> MemoryStore:
    cursor = Cursor(
        proven=a_block(100),
        last_serial=0,
        expired_through=0,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        heartbeat=heartbeat,
        halts=halts,
    )
    return stored(MemoryStore(), cursor)


def _beat(**changes: Any) -> Heartbeat:
    facts: dict[str, Any] = {"at": NOW, "succeeded_at": NOW, "head": a_block(103)}
    return Heartbeat(**(facts | changes))


def _ready(store: Store, now: int = NOW) -> Readiness:
    return check_ready(store=store, now=now, max_lag_seconds=180)


@pytest.mark.parametrize("now", [NOW - 5, NOW, NOW + 180])
def test_all_is_well_with_a_fresh_heartbeat(now: int) -> None:
    ready = _ready(_store(_beat()), now)
    assert ready.ready
    assert ready.lag_seconds == max(0, now - NOW)
    assert (ready.lag_blocks, ready.head, ready.proven) == (3, 103, 100)


def test_a_listener_that_lags_is_named() -> None:
    ready = _ready(_store(_beat()), NOW + 181)
    assert not ready.ready
    assert (ready.store, ready.rpc) == ("", "")
    assert ready.listener == "last succeeded 181 seconds ago"


def test_a_proven_height_that_stands_still_is_named() -> None:
    now = a_block(100).time + 181
    ready = _ready(_store(_beat(at=now, succeeded_at=now)), now)
    assert not ready.ready
    assert ready.listener == "the proven height is 181 seconds old"


def test_a_failing_provider_is_named() -> None:
    ready = _ready(_store(_beat(error="rpc.example: time-out")))
    assert not ready.ready
    assert (ready.listener, ready.rpc) == ("", "rpc.example: time-out")


@pytest.mark.parametrize("told_by_rpc", ["", "rpc.example: time-out"])
def test_an_incident_that_halts_is_the_listeners_not_the_providers(told_by_rpc: str) -> None:
    halted = "halted by incident 7-0badc0de until acknowledged"
    store = _store(_beat(error=told_by_rpc or halted), halts=("7-0badc0de",))
    ready = _ready(store, NOW + 500)
    assert not ready.ready
    assert (ready.listener, ready.rpc) == (halted, told_by_rpc)


@pytest.mark.parametrize("store", [MemoryStore(), _store(None)])
def test_a_listener_that_never_ran_is_named(store: MemoryStore) -> None:
    ready = _ready(store)
    assert not ready.ready
    assert ready.listener == "has not run yet"
    assert ready.lag_seconds is None


def test_a_store_that_fails_is_named_without_its_secrets() -> None:
    ready = _ready(SilentStore())
    assert not ready.ready
    assert ready.store == "does not answer"
    assert "hunter2" not in repr(ready)


def test_a_head_behind_the_proven_height_is_no_negative_lag() -> None:
    assert _ready(_store(_beat(head=a_block(90)))).lag_blocks == 0
