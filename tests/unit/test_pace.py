"""How soon the next pass follows, and what a long catch-up tells of itself."""

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.progress import Cursor, Heartbeat, advance
from chalicelib.ports import Insert, StoreUnavailable, Update
from chalicelib.usecases.scan import ScanResult
from listener_fn.pace import (
    FAST_SECONDS,
    MEASURE_EVERY_SECONDS,
    TELL_EVERY_SECONDS,
    WINDOW_SECONDS,
    CatchUp,
    PassMetrics,
    next_pause,
)
from tests.fakes import CHAIN_ID, CONTRACT, NOW, FixedClock, RecordingTelemetry, a_block

USUAL = 1.0


@pytest.mark.parametrize(
    ("result", "pause"),
    [
        (ScanResult(), USUAL),
        (ScanResult(pending=1), FAST_SECONDS),
        (ScanResult(pending=1, held="1 of 2 providers confirm"), USUAL),
        (ScanResult(backlog=True), 0.0),
        (ScanResult(backlog=True, pending=1), 0.0),
        (ScanResult(error="provider is down", pending=1, backlog=True), USUAL),
        (ScanResult(mine=False, pending=1), USUAL),
    ],
)
def test_passes_follow_faster_while_there_is_something_to_wait_for(
    result: ScanResult, pause: float
) -> None:
    assert next_pause(USUAL, result) == pause


def test_a_pause_shorter_than_fast_stays() -> None:
    assert next_pause(0.05, ScanResult(pending=1)) == 0.05


def test_a_pass_every_few_seconds_is_measured_and_its_success_only_if_it_was_one() -> None:
    telemetry, clock = RecordingTelemetry(), FixedClock()
    metrics = PassMetrics(telemetry, clock)
    metrics.note(ScanResult(), seconds=0.25)
    clock.advance(MEASURE_EVERY_SECONDS - 1)
    metrics.note(ScanResult(), seconds=0.5)
    clock.advance(1)
    metrics.note(ScanResult(error="provider is down"), seconds=10.0)
    assert telemetry.metrics == [
        ("ScanSeconds", 0.25, "Seconds"),
        ("LastSuccessTime", NOW, "Seconds"),
        ("ScanSeconds", 10.0, "Seconds"),
    ]


class Backlog:
    """A catch-up as its passes tell it; the store holds a cursor as far as they got."""

    def __init__(self, blocks: int) -> None:
        self.store = MemoryStore()
        self.telemetry = RecordingTelemetry()
        self.now = 1000.0
        self.head, self.read = blocks, 0
        self.catch_up = CatchUp(self.store, self.telemetry)
        start = a_block(0)
        self.store.commit([Insert(Cursor(start, 0, 0, chain_id=CHAIN_ID, contract=CONTRACT))])

    def passes(self, blocks: int, *, seconds: float, mined: int = 0, burns: int = 0) -> None:
        """A pass ends that read `blocks`; meanwhile `mined` were added to the chain."""
        self.now += seconds
        self.head += mined
        self.read += blocks
        cursor = self.store.cursor()
        assert cursor is not None
        beat = Heartbeat(at=0, succeeded_at=0, head=a_block(self.head))
        self.store.commit([Update(advance(cursor, scanned=self.read, heartbeat=beat))])
        backlog = self.read < self.head
        self.catch_up.note(ScanResult(blocks=blocks, burns=burns, backlog=backlog), self.now)

    def told(self, name: str) -> list[dict[str, object]]:
        """The fields of the events of that name."""
        return [
            {field: value for field, value in event.items() if field != "name"}
            for event in self.telemetry.events
            if event["name"] == name
        ]


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(1000)


def test_catch_up_tells_progress_speed_and_time_left(backlog: Backlog) -> None:
    for _ in range(3):
        backlog.passes(100, seconds=TELL_EVERY_SECONDS, burns=7)
    told = backlog.told("catching_up")
    assert [one["blocks"] for one in told] == [100, 200, 300]
    assert [one["blocksLeft"] for one in told] == [900, 800, 700]
    assert [one["burns"] for one in told] == [7, 14, 21]
    assert [one["blocksPerSecond"] for one in told] == [None, 20.0, 20.0]
    assert [one["etaSeconds"] for one in told] == [None, 40, 35]


def test_time_left_counts_the_blocks_that_are_mined_meanwhile(backlog: Backlog) -> None:
    for _ in range(2):
        backlog.passes(100, seconds=TELL_EVERY_SECONDS, mined=50)
    last = backlog.told("catching_up")[-1]
    # 900 blocks are left, and of 20 read in a second 10 are gained on the chain.
    assert (last["blocksPerSecond"], last["blocksLeft"], last["etaSeconds"]) == (20.0, 900, 90)


def test_no_time_left_is_told_while_the_chain_is_faster(backlog: Backlog) -> None:
    for _ in range(2):
        backlog.passes(100, seconds=TELL_EVERY_SECONDS, mined=100)
    last = backlog.told("catching_up")[-1]
    assert (last["blocksPerSecond"], last["etaSeconds"]) == (20.0, None)


def test_speed_is_that_of_the_last_minute(backlog: Backlog) -> None:
    backlog.passes(300, seconds=5.0)
    backlog.passes(1, seconds=WINDOW_SECONDS + 1)
    backlog.passes(50, seconds=5.0)
    assert backlog.told("catching_up")[-1]["blocksPerSecond"] == 10.0


def test_progress_is_told_every_few_seconds_and_the_end_once(backlog: Backlog) -> None:
    for _ in range(20):
        backlog.passes(50, seconds=TELL_EVERY_SECONDS / 4, burns=1)
    assert [told["blocks"] for told in backlog.told("catching_up")] == [50, 250, 450, 650, 850]
    assert backlog.told("caught_up") == [{"blocks": 1000, "burns": 20, "seconds": 23.8}]
    backlog.passes(0, seconds=1.0)
    assert len(backlog.told("caught_up")) == 1


def test_a_second_catch_up_is_told_from_its_own_begin(backlog: Backlog) -> None:
    for mined in (0, 1000):
        backlog.passes(500, seconds=1.0, mined=mined)
        backlog.passes(500, seconds=1.0)
    assert [told["blocks"] for told in backlog.told("caught_up")] == [1000, 1000]


def test_a_listener_in_step_tells_nothing() -> None:
    backlog = Backlog(3)
    backlog.passes(3, seconds=1.0)
    backlog.passes(1, seconds=1.0, mined=1)
    assert backlog.telemetry.events == []


def test_a_failed_pass_does_not_end_the_catch_up(backlog: Backlog) -> None:
    backlog.passes(500, seconds=1.0)
    backlog.catch_up.note(ScanResult(error="provider is down"), backlog.now + 1)
    assert backlog.told("caught_up") == []
    backlog.passes(500, seconds=2.0)
    assert [told["blocks"] for told in backlog.told("caught_up")] == [1000]


def test_progress_is_left_out_while_the_store_does_not_answer() -> None:
    class Down(MemoryStore):
        def cursor(self) -> Cursor | None:
            raise StoreUnavailable("down")

    telemetry = RecordingTelemetry()
    CatchUp(Down(), telemetry).note(ScanResult(backlog=True), 1.0)
    assert telemetry.events == []
