"""The ledger entry of a burn, also across forks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.redemptions import Burn, Outcome, Redemption, orphan, record
from tests.fakes import a_block, a_burn, an_order

BURN = a_burn(an_order())
FORKED = a_burn(an_order(2), block=a_block(branch="b"))


def test_the_first_reading_makes_an_entry() -> None:
    entry = record(None, BURN, Outcome.MATCHED, final=False)
    assert entry == Redemption(BURN, Outcome.MATCHED, final=False)
    assert entry is not None
    assert (entry.serial, entry.on_chain, entry.is_exception) == (1, True, False)


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.MATCHED])
def test_everything_but_a_match_is_an_exception(outcome: Outcome) -> None:
    assert Redemption(BURN, outcome, final=True).is_exception


@pytest.mark.parametrize("final", [True, False])
def test_the_same_reading_changes_nothing(final: bool) -> None:
    known = Redemption(BURN, Outcome.LATE, final=final)
    assert record(known, BURN, Outcome.LATE, final=final) is None


def test_becoming_final_keeps_all_else() -> None:
    known = Redemption(BURN, Outcome.MATCHED, final=False, orphans=(FORKED,), version=4)
    after = record(known, BURN, Outcome.MATCHED, final=True)
    assert after == replace(known, final=True, version=5)


def test_another_burn_with_the_serial_keeps_the_first_as_an_orphan() -> None:
    known = Redemption(BURN, Outcome.MATCHED, final=False)
    after = record(known, FORKED, Outcome.UNKNOWN_ORDER, final=False)
    assert after == Redemption(
        FORKED, Outcome.UNKNOWN_ORDER, final=False, orphans=(BURN,), version=2
    )
    assert after is not None
    back = record(after, BURN, Outcome.MATCHED, final=True)
    assert back == Redemption(BURN, Outcome.MATCHED, final=True, orphans=(FORKED,), version=3)


def test_a_lost_burn_stays_in_sight_and_may_come_back() -> None:
    lost = orphan(Redemption(BURN, Outcome.MATCHED, final=False))
    assert (lost.on_chain, lost.orphans, lost.version) == (False, (BURN,), 2)
    assert orphan(lost) is lost
    back = record(lost, BURN, Outcome.MATCHED, final=False)
    assert back == Redemption(BURN, Outcome.MATCHED, final=False, version=3)


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize(
    ("burn", "outcome"), [(FORKED, Outcome.MATCHED), (BURN, Outcome.LATE), (FORKED, Outcome.LATE)]
)
def test_a_final_entry_never_changes(burn: Burn, outcome: Outcome, final: bool) -> None:
    known = Redemption(BURN, Outcome.MATCHED, final=True)
    with pytest.raises(ValueError, match="redemption 1 is final"):
        record(known, burn, outcome, final=final)


def test_a_final_entry_is_neither_lost_nor_pending_again() -> None:
    known = Redemption(BURN, Outcome.MATCHED, final=True)
    with pytest.raises(ValueError, match="redemption 1 is final"):
        record(known, BURN, Outcome.MATCHED, final=False)
    with pytest.raises(ValueError, match="redemption 1 is final"):
        orphan(known)


def test_the_same_redemption_may_be_mined_elsewhere() -> None:
    elsewhere = replace(BURN, block=a_block(105, branch="b"), log_index=9)
    assert BURN.is_same_redemption(elsewhere)
    assert not BURN.is_same_redemption(FORKED)
    assert not BURN.is_same_redemption(replace(BURN, tx_hash="0x" + "33" * 32))


branches = st.lists(st.sampled_from("abcx"), min_size=1, max_size=12)


@given(branches)
def test_no_burn_that_held_a_serial_is_ever_forgotten(story: list[str]) -> None:
    """Forks to and fro (`x`: the burn is gone, nothing in its place yet), then finality."""
    known: Redemption | None = None
    seen = set()
    for branch in story:
        if branch == "x":
            known = orphan(known) if known else None
            continue
        burn = replace(BURN, block=a_block(branch=branch))
        seen.add(burn)
        after = record(known, burn, Outcome.MATCHED, final=False)
        if after is not None:
            assert after.version == (known.version + 1 if known else 1)
            known = after
        assert known is not None
        assert known.burn == burn
        assert known.on_chain
    if known is None:
        assert not seen
        return
    assert {known.burn, *known.orphans} == seen
    assert len(known.orphans) == len(set(known.orphans))
