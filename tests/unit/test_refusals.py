"""What endpoints say when they refuse to tell logs, and what they mean by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener_fn.ranges import FORGET_AFTER, Ranges
from listener_fn.refusals import Refusal, allowed_blocks, refusal_of

WIDE, MUCH, BEYOND = Refusal.RANGE_TOO_WIDE, Refusal.TOO_MUCH, Refusal.BEYOND_HEAD
OFTEN, PRUNED, OFF, OTHER = (
    Refusal.RATE_LIMITED,
    Refusal.PRUNED,
    Refusal.DISABLED,
    Refusal.OTHER,
)

SAID = [
    # BNB Chain's own nodes and public endpoints
    (200, -32005, "limit exceeded", OFF, None),
    (200, -32000, "exceed maximum block range: 5000", WIDE, 5000),
    (200, -32000, "exceed maximum block range: 50000", WIDE, 50_000),
    (200, -32000, "invalid block range params", BEYOND, None),
    (200, -32602, "invalid block range", BEYOND, None),
    # providers
    (
        200,
        -32602,
        (
            "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block"
            " range and no limit on the response size. Based on your parameters, this block range"
            " should work: [0x10, 0x73]"
        ),
        WIDE,
        100,
    ),
    (
        200,
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.",
        WIDE,
        10,
    ),
    (200, -32614, "eth_getLogs is limited to a 10,000 range", WIDE, 10_000),
    (200, -32614, "eth_getLogs and eth_newFilter are limited to a 5 blocks range", WIDE, 5),
    (
        200,
        -32005,
        "query returned more than 10000 results. Try with this block range [0x64, 0xC7].",
        WIDE,
        100,
    ),
    (200, -32005, "query returned more than 10000 results", MUCH, None),
    (200, -32602, "query exceeds max results 20000, retry with the range 100-149", MUCH, 50),
    (200, -32000, "block range is too wide", WIDE, None),
    (200, -32701, "Please specify an address in your request or, reduce block range", WIDE, None),
    (200, -32603, "backend response too large", MUCH, None),
    (200, -32000, "query timeout exceeded", MUCH, None),
    (413, None, "", MUCH, None),
    (200, -32005, "daily request count exceeded, request rate limited", OFTEN, None),
    (429, None, "", OFTEN, None),
    (200, 429, "Your app has exceeded its compute units per second capacity.", OFTEN, None),
    (200, -32090, "Too many requests, reason: call rate limit exhausted", OFTEN, None),
    (200, -32000, "missing trie node 7a1f (path )", PRUNED, None),
    (200, -32000, "History has been pruned for this block", PRUNED, None),
    (403, None, "Archive requests require a personal token", PRUNED, None),
    (200, -32601, "the method eth_getLogs does not exist/is not available", OFF, None),
    (200, -32000, "eth_getLogs is disabled", OFF, None),
    (200, -32000, "header not found", BEYOND, None),
    (200, -32000, "One of the blocks specified in filter is unknown block", BEYOND, None),
    (200, -32603, "Internal error", OTHER, None),
    (502, None, "", OTHER, None),
]


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning", "allowed"),
    SAID,
    ids=[f"{meaning}-{place}" for place, (*_, meaning, _) in enumerate(SAID)],
)
def test_refusals_are_told_apart(
    status: int, code: int | None, message: str, meaning: Refusal, allowed: int | None
) -> None:
    assert refusal_of(status=status, code=code, message=message) is meaning
    assert allowed_blocks(message) == allowed


def test_asking_for_less_is_tried_where_less_may_help() -> None:
    assert {one for one in Refusal if one.shrinks} == {WIDE, MUCH}


@given(st.text(max_size=300), st.none() | st.integers(), st.none() | st.integers(100, 599))
def test_any_message_is_some_refusal(message: str, code: int | None, status: int | None) -> None:
    assert refusal_of(status=status, code=code, message=message) in Refusal
    allowed = allowed_blocks(message)
    assert allowed is None or allowed >= 1


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_ranges_come_to_what_the_endpoint_takes_and_stay_there(start: int, most: int) -> None:
    ranges = Ranges(start)
    answered: list[int] = []
    for _ in range(FORGET_AFTER - 1 + 40):
        if ranges.size <= most:
            answered.append(ranges.size)
            ranges.taken(ranges.size)
        else:
            ranges.refused(ranges.size)
    assert all(size >= 1 for size in answered)
    assert max(answered) > most // 2
    assert len(answered) >= FORGET_AFTER // 2


def test_a_limit_that_is_named_is_taken_at_its_word() -> None:
    ranges = Ranges(2000)
    ranges.refused(2000, allowed=10)
    assert ranges.size == 10
    ranges.refused(10, allowed=5000)
    assert ranges.size == 5
