"""Bugs to plant in the listener, each breaking one rule, and what is to catch it.

A simulated world is worth what it catches: `test_planted.py` plants each of these and looks for a
world that breaks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.domain import matching, redemptions
from chalicelib.domain.orders import Order, expire
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import BlockRef, Burn, Redemption
from chalicelib.ports import Change, Insert, Update
from chalicelib.usecases import changes as order_history
from chalicelib.usecases import scan, scan_slice
from listener_fn import chain, providers
from tests.sim.run import ORDINARY
from tests.sim.world import Options

ANY_TIME = {"proven_time": 10**11}

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug. `caught_by` is a pattern of what `Broken` says, `seed` a world that catches it."""

    name: str
    plant: Plant
    caught_by: str
    seed: int = 0
    options: Options = ORDINARY


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """A check that checks nothing."""


def _parents_unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "check_joins", _nothing)
    patch.setattr(chain, "_joins", lambda _headers: True)


def _cursor_first(patch: pytest.MonkeyPatch) -> None:
    def write(self: Any, changes: Sequence[Change], after: Cursor) -> None:
        self.store.commit([Update(after)])
        self.cursor = after
        if changes:
            self.store.commit(changes)

    patch.setattr(scan._Pass, "_write", write)


def _gap_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "check_continues", _nothing)


def _count_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "check_count", _nothing)


def _places_unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "check_places", _nothing)


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    def write(self: Any, changes: Sequence[Change], after: Cursor) -> None:
        stored = self.store.cursor()
        after = replace(after, version=stored.version + 1)
        self.store.commit([*changes, Update(after)])
        self.cursor = after

    patch.setattr(scan._Pass, "_write", write)


def _expiry_by(when: Callable[[Any, BlockRef], int]) -> Plant:
    """Deadlines are settled by another time than that of the proven block."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        due = scan._Pass._due

        def by_that(self: Any, final: BlockRef) -> list[str]:
            return due(self, replace(final, time=when(self, final)))

        patch.setattr(scan._Pass, "_due", by_that)
        patch.setattr(
            scan_slice, "expire", lambda *args, **kwargs: expire(*args, **kwargs | ANY_TIME)
        )

    return plant


def _finality(rule: Callable[[Any, int, int | None], int]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(scan, "final_height", lambda r, *, head, finalized: rule(r, head, finalized))

    return plant


def _quorum_of_one(patch: pytest.MonkeyPatch) -> None:
    made = providers.Providers.__init__

    def init(self: Any, members: Any, *, quorum: int, **rest: Any) -> None:
        made(self, members, quorum=1, **rest)

    patch.setattr(providers.Providers, "__init__", init)


def _orphans_forgotten(patch: pytest.MonkeyPatch) -> None:
    def record(known: Redemption | None, *args: Any, **kwargs: Any) -> Redemption | None:
        after = redemptions.record(known, *args, **kwargs)
        return replace(after, orphans=()) if after else None

    patch.setattr(scan_slice, "record", record)


def _valid_on_pending(patch: pytest.MonkeyPatch) -> None:
    def apply(order: Order, burn: Burn, *, final: bool, **rest: Any) -> Order:
        return matching.apply_burn(order, burn, final=True, **rest)

    patch.setattr(scan_slice, "apply_burn", apply)


def _late_accepted(patch: pytest.MonkeyPatch) -> None:
    def judge(burn: Burn, order: Order | None) -> redemptions.Outcome:
        in_time = replace(burn, block=replace(burn.block, time=0))
        return matching.judge(in_time, order)

    patch.setattr(scan_slice, "judge", judge)


def _lost_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan_slice.Slice, "_lose", _nothing)


def _history_dropped(patch: pytest.MonkeyPatch) -> None:
    def order_changes(before: Order, after: Order) -> list[Change]:
        made = order_history.order_changes(before, after)
        return [change for change in made if not isinstance(change, Insert)]

    patch.setattr(scan_slice, "order_changes", order_changes)


def _gap_not_read_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan._Pass, "_last_contiguous_block", lambda self: self.cursor.scanned)


def _halts_ignored(patch: pytest.MonkeyPatch) -> None:
    held = scan._Pass._held

    def ignoring(self: Any, *args: Any, **kwargs: Any) -> str:
        halts, self.cursor = self.cursor, replace(self.cursor, halts=())
        try:
            return held(self, *args, **kwargs)
        finally:
            self.cursor = halts

    patch.setattr(scan._Pass, "_held", ignoring)


def _incident_untold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan_slice.Slice, "_halt", _nothing)


def _not_taken_back(patch: pytest.MonkeyPatch) -> None:
    """A rewind moves the cursor, and leaves what was final as it is."""

    def rest(self: Any) -> None:
        self._write([], replace(self.cursor, rewinding=False, version=self.cursor.version + 1))

    patch.setattr(scan._Pass, "_take_back", rest)


DEEP = Options(deep_forks=True)

PLANTED = (
    Planted("parent hashes unchecked", _parents_unchecked, "not final", seed=59),
    Planted("cursor committed first", _cursor_first, "proven to .* without redemption"),
    Planted("serial gap ignored", _gap_ignored, "without redemption", seed=15),
    Planted("tail count ignored", _count_ignored, "without redemption", seed=10),
    Planted(
        "blocks of burns not read again",
        _places_unchecked,
        "no true burn|on no chain|final",
        seed=238,
    ),
    Planted("no fence", _no_fence, "went back|forgot|without|changed", seed=7),
    Planted("expiry by wall clock", _expiry_by(lambda one, _: one.clock.now()), "expired"),
    Planted(
        "expiry by the head's time", _expiry_by(lambda one, _: one.head.time), "expired", seed=6
    ),
    Planted(
        "finality by depth only",
        _finality(lambda rule, head, _: head - rule.confirmations + 1),
        "final",
        seed=1,
    ),
    Planted(
        "finality by tag only",
        _finality(lambda rule, head, tag: tag or head - rule.fallback_blocks),
        "final",
        seed=4,
    ),
    Planted(
        "quorum of one", _quorum_of_one, "no true burn|on no chain|without redemption|final", seed=2
    ),
    Planted("orphans forgotten", _orphans_forgotten, "forgot an orphan", seed=1),
    Planted("VALID on a pending burn", _valid_on_pending, "VALID by a burn that is not final"),
    Planted("late burns accepted", _late_accepted, "does not fit", seed=5),
    Planted("lost burns ignored", _lost_ignored, "not at rest|final", seed=9),
    Planted("displaced history dropped", _history_dropped, "history of", seed=6),
    Planted("a gap is not read again", _gap_not_read_again, "not at rest", seed=15),
    Planted(
        "incident does not halt", _halts_ignored, "went on while an incident", seed=95, options=DEEP
    ),
    Planted("incident untold", _incident_untold, "there is no incident", seed=70, options=DEEP),
    Planted(
        "rewind takes nothing back",
        _not_taken_back,
        "not at rest|without|final",
        seed=14,
        options=DEEP,
    ),
)
