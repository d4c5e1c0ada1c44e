"""The listener's cursor only goes forward."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.progress import (
    ANCHOR_DISTANCE,
    ANCHOR_GROWTH,
    DEEPEST_REWIND,
    Cursor,
    Heartbeat,
    advance,
    rewind,
    taken_back,
)
from tests.fakes import CHAIN_ID, CONTRACT, NOW, a_block

CURSOR = Cursor(
    proven=a_block(100),
    last_serial=7,
    expired_through=NOW,
    chain_id=CHAIN_ID,
    contract=CONTRACT,
    lease_owner="one",
    lease_until=NOW + 60,
    scanned=100,
    seen_serial=9,
    version=5,
)


def test_what_is_not_told_stays() -> None:
    assert advance(CURSOR) == replace(CURSOR, version=6)


def test_all_moves_at_once() -> None:
    beat = Heartbeat(at=NOW, succeeded_at=NOW, head=a_block(110))
    after = advance(
        CURSOR,
        proven=a_block(108),
        last_serial=12,
        expired_through=NOW + 1,
        lease_owner="",
        lease_until=0,
        heartbeat=beat,
        scanned=109,
        seen_serial=13,
        halts=("1-aabbccdd",),
    )
    assert after == Cursor(
        anchors=(CURSOR.proven,),
        halts=("1-aabbccdd",),
        proven=a_block(108),
        last_serial=12,
        expired_through=NOW + 1,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        lease_owner="",
        lease_until=0,
        heartbeat=beat,
        scanned=109,
        seen_serial=13,
        version=6,
    )
    assert (CURSOR.head_number, after.head_number) == (100, 110)
    assert advance(after).heartbeat == beat


@pytest.mark.parametrize(
    "back", [{"proven": a_block(99)}, {"last_serial": 6}, {"expired_through": NOW - 1}]
)
def test_nothing_proven_goes_back(back: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        advance(CURSOR, **back)


def test_a_proven_block_cannot_be_exchanged_for_another_of_its_height() -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        advance(CURSOR, proven=a_block(100, branch="b"))
    assert advance(CURSOR, proven=a_block(100)).proven == CURSOR.proven


def test_reading_may_start_again_but_not_below_what_is_proven() -> None:
    ahead = advance(CURSOR, scanned=500)
    assert ahead.scanned == 500
    assert advance(ahead, scanned=200).scanned == 200
    assert advance(ahead, scanned=50).scanned == 100
    assert advance(ahead, proven=a_block(600)).scanned == 600


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20)), max_size=10))
def test_the_highest_serial_seen_never_goes_back(steps: list[tuple[int, int]]) -> None:
    cursor = CURSOR
    for scanned, seen in steps:
        after = advance(cursor, scanned=scanned, seen_serial=seen)
        assert after.seen_serial == max(cursor.seen_serial, seen)
        assert after.seen_serial >= after.last_serial
        assert after.scanned >= after.proven.number
        assert after.version == cursor.version + 1
        cursor = after


def test_halts_stay_until_they_are_told_anew() -> None:
    halted = advance(CURSOR, halts=("1-abcdef01",))
    assert advance(halted, last_serial=8).halts == ("1-abcdef01",)
    assert advance(halted, halts=()).halts == ()


@given(steps=st.lists(st.integers(1, 5000), min_size=1, max_size=300))
def test_anchors_are_few_and_lie_at_growing_distances(steps: list[int]) -> None:
    cursor = CURSOR
    for step in steps:
        cursor = advance(cursor, proven=a_block(cursor.proven.number + step))
    distances = [cursor.proven.number - anchor.number for anchor in cursor.anchors]
    assert distances == sorted(set(distances))
    assert cursor.anchors[-1] == CURSOR.proven
    assert len(distances) <= 8
    for near, far in zip([ANCHOR_DISTANCE + max(steps), *distances], distances, strict=False):
        # Whatever the depth of a fork: the next anchor below it is not far beyond.
        assert far <= max(steps) + near * ANCHOR_GROWTH or far > DEEPEST_REWIND


def test_rewind_goes_back_and_expiry_with_it() -> None:
    cursor = advance(CURSOR, proven=a_block(300), expired_through=NOW + 900)
    back = rewind(cursor, a_block(200, time=NOW + 20))
    assert (back.proven, back.scanned, back.expired_through) == (
        a_block(200, time=NOW + 20),
        200,
        NOW + 19,
    )
    assert back.anchors == (CURSOR.proven,)
    assert back.rewinding
    assert back.last_serial == cursor.last_serial
    half = taken_back(back, last_serial=cursor.last_serial - 1, done=False)
    assert half.rewinding
    done = taken_back(half, last_serial=half.last_serial, done=True)
    assert not done.rewinding
    with pytest.raises(ValueError, match="only a rewind"):
        taken_back(done, last_serial=1, done=True)
    with pytest.raises(ValueError, match="goes back"):
        rewind(cursor, a_block(301))
