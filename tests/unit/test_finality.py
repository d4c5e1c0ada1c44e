"""When a block can no longer be taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finality import FinalityRule, confirmations_of, final_height

RULE = FinalityRule(confirmations=3, fallback_blocks=240)


@pytest.mark.parametrize(
    ("head", "finalized", "expected"),
    [
        (1000, 998, 998),  # 3 confirmations: block 998 has 998, 999 and 1000
        (1000, 1000, 998),  # finality alone is not enough
        (1000, 900, 900),  # depth alone is not enough
        (1000, None, 760),  # no tag: the fallback depth
        (1000, 500, 760),  # a tag that is stuck
        (1000, 0, 760),  # a tag that says nothing
        (1000, 5000, 998),  # a tag beyond the head proves nothing more
        (1, None, -239),
    ],
)
def test_final_height(head: int, finalized: int | None, expected: int) -> None:
    assert final_height(RULE, head=head, finalized=finalized) == expected


@given(
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.integers(1, 1000),
    st.integers(1, 100_000),
)
def test_a_final_block_is_deep_and_finalized(
    head: int, finalized: int | None, confirmations: int, fallback: int
) -> None:
    rule = FinalityRule(confirmations=confirmations, fallback_blocks=fallback)
    height = final_height(rule, head=head, finalized=finalized)
    assert head - height + 1 >= confirmations
    assert height <= max(finalized or -fallback, head - fallback)
    if height >= 0:
        assert confirmations_of(height, head=head) >= confirmations


def test_confirmations_count_the_burns_own_block() -> None:
    assert [confirmations_of(10, head=head) for head in (8, 9, 10, 11, 12)] == [0, 0, 1, 2, 3]
