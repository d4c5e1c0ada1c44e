"""How soon the next pass follows, and what both shells tell of passes."""

from collections import deque
from dataclasses import dataclass, field

from chalicelib.ports import Clock, Store, StoreUnavailable, Telemetry
from chalicelib.usecases.scan import ScanResult

FAST_SECONDS = 0.2
"""Pause while a burn is pending: its order is VALID within a second of the block that confirms it,
at 0.45 seconds a block."""

TELL_EVERY_SECONDS = 5.0
MEASURE_EVERY_SECONDS = 5
WINDOW_SECONDS = 60.0
"""Progress is measured over that long."""


def next_pause(usual: float, result: ScanResult) -> float:
    """Seconds from a pass to the next one: `usual`, less while there is something to wait for."""
    if result.error or not result.mine:
        return usual
    if result.backlog:
        return 0.0
    return min(usual, FAST_SECONDS) if result.pending and not result.held else usual


@dataclass(slots=True)
class PassMetrics:
    """Measures passes: the next one every few seconds, and every one that takes longer."""

    telemetry: Telemetry
    clock: Clock
    due_at: int = 0

    def note(self, result: ScanResult, *, seconds: float) -> None:
        """Take in what a pass came to, and how long it took."""
        now = self.clock.now()
        if now < self.due_at:
            return
        self.due_at = now + MEASURE_EVERY_SECONDS
        self.telemetry.metric("ScanSeconds", seconds, "Seconds")
        if not result.error:
            self.telemetry.metric("LastSuccessTime", now, "Seconds")


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far the catch-up was at a time (monotonic seconds)."""

    at: float
    blocks: int
    left: int


@dataclass(slots=True)
class CatchUp:
    """Tells how a backlog is worked off: `catching_up` every few seconds, `caught_up` at its end.

    Speed is measured over the last minute. The time left takes into account that the chain goes on
    meanwhile; it is not told while the listener gains nothing on it.
    """

    store: Store
    telemetry: Telemetry
    began_at: float | None = None
    blocks: int = 0
    burns: int = 0
    marks: deque[_Mark] = field(default_factory=deque)

    def note(self, result: ScanResult, now: float) -> None:
        """Take in what a pass came to; it ended `now` (monotonic seconds)."""
        if self.began_at is None:
            if not result.backlog:
                return
            self.began_at = now
        self.blocks += result.blocks
        self.burns += result.burns
        if not result.backlog:
            if not result.error:
                self._end(self.began_at, now)
            return
        if not self.marks or now - self.marks[-1].at >= TELL_EVERY_SECONDS:
            self._tell(now)

    def _tell(self, now: float) -> None:
        left = self._blocks_left()
        if left is None:
            return
        self.marks.append(_Mark(now, self.blocks, left))
        while now - self.marks[0].at > WINDOW_SECONDS:
            self.marks.popleft()
        first = self.marks[0]
        seconds = now - first.at
        gained = first.left - left
        self.telemetry.event(
            "catching_up",
            blocks=self.blocks,
            blocksLeft=left,
            burns=self.burns,
            blocksPerSecond=round((self.blocks - first.blocks) / seconds, 1) if seconds else None,
            etaSeconds=round(left * seconds / gained) if gained > 0 else None,
        )

    def _end(self, began_at: float, now: float) -> None:
        self.telemetry.event(
            "caught_up",
            blocks=self.blocks,
            burns=self.burns,
            seconds=round(now - began_at, 1),
        )
        self.began_at, self.blocks, self.burns = None, 0, 0
        self.marks.clear()

    def _blocks_left(self) -> int | None:
        """Blocks up to the head not read yet; `None` where the store does not tell."""
        try:
            cursor = self.store.cursor()
        except StoreUnavailable:
            return None
        return max(0, cursor.head_number - cursor.scanned) if cursor else None
