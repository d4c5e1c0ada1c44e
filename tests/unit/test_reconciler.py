"""Reconciliation on schedule: when it runs, what it costs, and what it tells."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import BlockRef, Burn, Redemption
from chalicelib.ports import Delete, Insert, StoreUnavailable, Update
from chalicelib.usecases.reconcile import Deployed
from chalicelib.usecases.scan import ScanResult
from listener_fn.reconciler import RETRY_SECONDS, WHOLE_EVERY_SECONDS, Reconciler, Verdict
from tests.fakes import CHAIN_ID, CONTRACT, ROOM, FixedClock, RecordingTelemetry, a_block
from tests.unit.fake_endpoint import FakeEndpoint
from tests.unit.test_reconcile import PRINT, a_cursor, burn_of, entry_of

HOUR = 3600
PAGE = 10
IDLE = ScanResult()


class CountingStore(MemoryStore):
    """Pages of ten; keeps which serials were asked for."""

    def __init__(self) -> None:
        super().__init__(max_changes=PAGE)
        self.asked: list[tuple[int, int]] = []
        self.down = False

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        if self.down:
            raise StoreUnavailable("the store is down")
        self.asked.append((first, last))
        return super().redemptions(first, last)

    def drop(self, serial: int) -> None:
        (entry,) = super().redemptions(serial, serial)
        self.commit([Delete(entry)])

    def proven(self, number: int, *, last_serial: int) -> None:
        """Let the listener have proven so far."""
        cursor = self.cursor()
        assert cursor is not None
        self.commit([Update(_at(cursor, a_block(number), last_serial))])


def _at(cursor: Cursor, proven: BlockRef, last_serial: int) -> Cursor:
    return replace(
        cursor,
        proven=proven,
        scanned=proven.number,
        last_serial=last_serial,
        seen_serial=max(cursor.seen_serial, last_serial),
        version=cursor.version + 1,
    )


class World:
    """A listener's ledger, the endpoints, and the reconciler between them."""

    def __init__(self, burns: Sequence[Burn], *, proven: int = 90, endpoints: int = 1) -> None:
        self.burns = list(burns)
        self.store = CountingStore()
        self.store.commit([Insert(replace(a_cursor(proven), version=1))])
        self.add(burns)
        self.store.proven(proven, last_serial=len(burns))
        self.endpoints = [
            FakeEndpoint(self.burns, name=f"{letter}.example") for letter in "abc"[:endpoints]
        ]
        self.clock = FixedClock()
        self.telemetry = RecordingTelemetry()
        self.reconciler = self.restarted()

    def restarted(self, every_seconds: int = HOUR) -> Reconciler:
        self.reconciler = Reconciler(
            store=self.store,
            endpoints=self.endpoints,
            deployed=Deployed(CHAIN_ID, CONTRACT, 10),
            clock=self.clock,
            telemetry=self.telemetry,
            every_seconds=every_seconds,
        )
        return self.reconciler

    def add(self, burns: Sequence[Burn]) -> None:
        for start in range(0, len(burns), PAGE):
            self.store.commit([Insert(entry_of(one)) for one in burns[start : start + PAGE]])

    def passes(self, count: int, result: ScanResult = IDLE) -> None:
        for _ in range(count):
            self.reconciler.after_pass(result)

    def once(self) -> Verdict:
        return self.reconciler.reconcile_once(may_go_on=lambda: True)

    def told(self) -> list[dict[str, Any]]:
        """The events since the last time."""
        events = list(self.telemetry.events)
        self.telemetry.events.clear()
        return events

    def measured(self) -> list[float]:
        return [value for name, value, _ in map(_named, self.telemetry.metrics) if name == METRIC]


OTHER_BLOCK = {"number": "0x1", "hash": "0x" + "ab" * 32, "timestamp": "0x1"}
METRIC = "ReconciliationDifference"


def _named(metric: tuple[Any, ...]) -> tuple[str, float, str]:
    return metric[0], metric[1], metric[2]


def burned(count: int) -> list[Burn]:
    return [
        burn_of(serial, block=19 + serial, token_id=PRINT if serial % 3 == 0 else ROOM)
        for serial in range(1, count + 1)
    ]


def names(events: Sequence[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in events]


def test_equal_is_told_with_a_metric_of_zero() -> None:
    world = World(burned(25))
    assert world.once() is Verdict.EQUAL
    (event,) = world.told()
    assert event == {
        "name": "reconciliation_equal",
        "block": 90,
        "redemptions": 25,
        "provider": "a.example",
    }
    assert world.measured() == [0]


def test_a_difference_is_an_error_that_names_all() -> None:
    world = World(burned(25))
    world.store.drop(3)
    world.store.drop(4)
    assert world.once() is Verdict.DIFFERENT
    by_token = {event["token"]: event for event in world.told()}
    assert by_token == {
        ROOM: {
            "name": "reconciliation_difference",
            "level": "ERROR",
            "block": 90,
            "provider": "a.example",
            "token": ROOM,
            "contract": 17,
            "ledger": 16,
            "difference": -1,
            "missing": "3 to 4",
            "extra": "",
            "misplaced": "",
        },
        PRINT: by_token[PRINT],
    }
    assert (by_token[PRINT]["contract"], by_token[PRINT]["ledger"]) == (8, 7)
    assert world.measured() == [2]


def test_serials_alone_that_differ_are_told_of_no_token() -> None:
    burns = burned(3)
    world = World([])
    world.burns += burns
    world.add([burns[0], burns[1], replace(burns[2], serial=7)])
    world.store.proven(90, last_serial=7)
    assert world.once() is Verdict.DIFFERENT
    (event,) = world.told()
    assert (event["token"], event["missing"], event["extra"]) == (None, "3", "7")
    assert world.measured() == [2]


def test_entries_beyond_the_last_serial_are_seen() -> None:
    burns = burned(4)
    world = World(burns)
    world.add([replace(burn_of(5, block=40))])
    assert world.once() is Verdict.DIFFERENT
    assert {event["extra"] for event in world.told()} == {"5"}


def test_burns_that_are_not_final_yet_are_no_difference() -> None:
    world = World(burned(12))
    late = burn_of(13, block=95)
    world.burns.append(late)
    world.store.commit([Insert(entry_of(late, final=False))])
    assert world.once() is Verdict.EQUAL


def test_serials_that_run_ahead_of_the_proven_block_are_no_difference() -> None:
    """While a backlog is caught up, or the proof is held, the ledger holds more than is proven."""
    world = World(burned(60), proven=50)
    assert world.once() is Verdict.EQUAL
    world.store.proven(90, last_serial=60)
    assert world.once() is Verdict.EQUAL
    assert [event["redemptions"] for event in world.told()] == [31, 60]


# ------------------------------------------------------------------------------------- when it runs


def test_it_runs_at_most_once_in_the_interval() -> None:
    world = World(burned(5))
    world.passes(10)
    assert names(world.told()) == ["reconciliation_equal"]
    world.clock.advance(HOUR - 1)
    world.passes(3)
    assert world.told() == []
    world.clock.advance(1)
    world.passes(3)
    assert names(world.told()) == ["reconciliation_equal"]


def test_it_never_runs_where_it_is_switched_off() -> None:
    world = World(burned(5))
    world.restarted(every_seconds=0)
    world.passes(3)
    assert (world.told(), world.store.asked) == ([], [])


@pytest.mark.parametrize(
    "result",
    [ScanResult(mine=False), ScanResult(backlog=True), ScanResult(error="provider is down")],
    ids=["lease-held-by-another", "backlog", "failed"],
)
def test_it_leaves_passes_alone_that_did_not_settle(result: ScanResult) -> None:
    world = World(burned(5))
    world.passes(3, result)
    assert (world.told(), world.store.asked, world.endpoints[0].calls) == ([], [], [])


def test_a_long_ledger_keeps_no_pass_waiting_for_more_than_a_page() -> None:
    world = World(burned(65))
    for read in range(1, 8):
        world.passes(1)
        assert len(world.store.asked) == read
    assert world.told() == []
    world.passes(1)
    assert names(world.told()) == ["reconciliation_equal"]


def test_what_runs_out_of_time_goes_on_from_there() -> None:
    world = World(burned(65))
    steps = iter([True] * 4 + [False])
    assert world.reconciler.reconcile_once(may_go_on=lambda: next(steps)) is Verdict.SKIPPED
    (event,) = world.told()
    assert event["why"] == "the time is up; serials up to 40 are read"
    world.store.asked.clear()
    assert world.once() is Verdict.EQUAL
    assert world.store.asked[0] == (41, 50)


# ------------------------------------------------------------------------------------ what it costs


def test_in_between_only_what_is_new_is_read() -> None:
    world = World(burned(65))
    assert world.once() is Verdict.EQUAL
    world.store.asked.clear()
    more = burned(68)[65:]
    world.burns += more
    world.add(more)
    world.store.proven(91, last_serial=68)
    assert world.once() is Verdict.EQUAL
    assert {first for first, _ in world.store.asked} == {66, 69}
    assert world.endpoints[0].batches == 2 * 3


def test_once_a_day_the_whole_ledger_is_read() -> None:
    world = World(burned(25))
    assert world.once() is Verdict.EQUAL
    world.store.drop(3)
    world.clock.advance(HOUR)
    assert world.once() is Verdict.EQUAL
    world.clock.advance(WHOLE_EVERY_SECONDS)
    assert world.once() is Verdict.DIFFERENT


# ------------------------------------------------------------------------ what is no difference yet


def test_blocks_taken_back_since_the_last_time_raise_no_alarm() -> None:
    before = burned(25)
    world = World(before)
    assert world.once() is Verdict.EQUAL
    # The last three were on a branch that is gone; others took their serials.
    after = [*before[:22], *(replace(one, amount=5) for one in before[22:])]
    world.burns[:] = after
    for one in after[22:]:
        (entry,) = world.store.redemptions(one.serial, one.serial)
        world.store.commit([Update(replace(entry, burn=one, version=entry.version + 1))])
    world.told()
    assert world.once() is Verdict.EQUAL
    assert names(world.told()) == ["reconciliation_equal"]
    assert world.measured() == [0, 0]


def test_one_endpoint_that_tells_nonsense_raises_no_alarm() -> None:
    world = World(burned(25), endpoints=2)
    world.endpoints[0].burns = world.burns[:20]
    assert world.once() is Verdict.EQUAL
    (event,) = world.told()
    assert event["provider"] == "b.example"


def test_a_difference_that_stays_is_told_each_time_and_its_end_too() -> None:
    world = World(burned(25))
    (lost,) = world.store.redemptions(25, 25)
    world.store.drop(25)
    assert [world.once(), world.once()] == [Verdict.DIFFERENT, Verdict.DIFFERENT]
    world.store.commit([Insert(lost)])
    assert world.once() is Verdict.EQUAL
    assert world.measured() == [1, 1, 0]


# ----------------------------------------------------------------------------- nothing is concluded


def test_the_next_endpoint_is_asked_where_one_cannot_tell() -> None:
    world = World(burned(5), endpoints=3)
    world.endpoints[0].down = True
    world.endpoints[1].branch = "b"
    assert world.once() is Verdict.EQUAL
    assert world.told()[0]["provider"] == "c.example"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"down": True}, "a.example: a.example: ConnectionError"),
        ({"keeps": 5}, "does not tell the contract's state as of block 90, 10 blocks below"),
        ({"branch": "b"}, "one of them follows another branch"),
        ({"head": 80}, "knows no block 90: its newest is 80"),
        ({"told": {"eth_call": "0x"}}, "a.example: a 32-byte word is malformed"),
        ({"told": {"eth_getBlockByNumber": OTHER_BLOCK}}, "block 1 told for 90"),
        ({"told": {"eth_getBlockByNumber": {"number": hex(90)}}}, "a 32-byte word is malformed"),
    ],
    ids=["down", "pruned", "fork", "behind", "no-word", "other-block", "no-hash"],
)
def test_what_cannot_be_compared_is_a_warning_with_why(facts: dict[str, Any], why: str) -> None:
    world = World(burned(5))
    for name, value in facts.items():
        setattr(world.endpoints[0], name, value)
    world.passes(9)
    (event,) = world.told()
    assert (event["name"], event["level"]) == ("reconciliation_skipped", "WARNING")
    assert why in event["why"]
    assert world.measured() == []


def test_what_was_skipped_is_tried_again_before_the_interval_is_over() -> None:
    world = World(burned(5))
    world.store.down = True
    world.passes(5)
    (event,) = world.told()
    assert event["why"] == "the store is down"
    world.store.down = False
    world.clock.advance(RETRY_SECONDS)
    world.passes(5)
    assert names(world.told()) == ["reconciliation_equal"]


def test_before_the_listener_ran_nothing_is_compared() -> None:
    world = World([])
    world.store = CountingStore()
    world.restarted()
    assert world.once() is Verdict.SKIPPED
    assert world.told()[0]["why"] == "the listener has not run yet"
