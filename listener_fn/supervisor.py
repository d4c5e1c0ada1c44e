"""Passes under supervision, for as long as the worker runs.

Passes run one after another in a thread of their own. The thread that supervises them never waits
for one without bound: a stuck pass is told with its stack, and when it is stuck a second time in a
row the process ends so that systemd or Compose starts a new one. No thread is killed: slices are
atomic, so a process may end between any two steps of a pass.
"""

import contextlib
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NoReturn, TypeVar

from chalicelib.usecases.scan import ScanResult
from listener_fn import systemd
from listener_fn.listener import Listener
from listener_fn.pace import CatchUp, PassMetrics, next_pause

EXIT_FAILED = 1
EXIT_STUCK = 4

STRIKES = 2
"""Times in a row that a pass may be stuck before the process ends."""

STOP_SECONDS = 25.0
"""How long a pass may still take when the worker is told to stop."""

TICK_SECONDS = 1.0
PURGE_EVERY_SECONDS = 3600

T = TypeVar("T")


class Abandoned(Exception):
    """A pass did not end in time; its thread still runs. `code` is what to exit with."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a pass did not end in time; exit code {code}")
        self.code = code


@dataclass(slots=True)
class Watchdog:
    """Counts how many times in a row `limit` seconds ran out with nothing done."""

    limit: float
    since: float = 0.0
    strikes: int = 0

    def begin(self, now: float) -> None:
        """Something is begun."""
        self.since, self.strikes = now, 0

    def ran_out(self, now: float) -> bool:
        """Whether the time just ran out, once more; it then begins anew."""
        if now - self.since < self.limit:
            return False
        self.since = now
        self.strikes += 1
        return True


@dataclass(slots=True)
class Health:
    """Whether passes succeed, for `/healthz`. Times are monotonic seconds.

    A pass succeeds when it ends without error, also where another worker holds the lease.
    """

    max_age: float
    succeeded_at: float
    error: str = ""

    def note(self, result: ScanResult, now: float) -> None:
        """Take in what a pass came to."""
        self.error = result.error
        if not result.error:
            self.succeeded_at = now

    def told(self, now: float) -> dict[str, str | float]:
        """`status` is `ok` while the last success is at most `max_age` seconds old, else `failing`
        with a `reason`."""
        age = round(now - self.succeeded_at, 1)
        if age <= self.max_age:
            return {"status": "ok", "secondsSinceSuccess": age}
        why = self.error or "the pass under way has not ended"
        reason = f"no pass has succeeded for {age} s, {self.max_age:g} s allowed: {why}"
        return {"status": "failing", "secondsSinceSuccess": age, "reason": reason}


@dataclass(slots=True)
class Supervisor:
    """Runs a listener's passes until it is told to stop.

    `after_pass` runs after each pass, in its thread and under the same watchdog. `abandoned` says
    that a thread was left behind, for which an ordinary exit would wait.
    """

    listener: Listener
    watchdog: Watchdog
    health: Health
    notify: Callable[[str], None]
    after_pass: Callable[[ScanResult], None] = lambda _result: None
    monotonic: Callable[[], float] = time.monotonic
    stop_seconds: float = STOP_SECONDS
    tick_seconds: float = TICK_SECONDS
    abandoned: bool = False
    _stop_by: float = math.inf
    _told: SimpleQueue[None] = field(default_factory=SimpleQueue)
    _purge_at: int = 0
    _metrics: PassMetrics = field(init=False)
    _catch_up: CatchUp = field(init=False)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="scan")
    )

    def __post_init__(self) -> None:
        self._metrics = PassMetrics(self.listener.telemetry, self.listener.clock)
        self._catch_up = CatchUp(self.listener.store, self.listener.telemetry)

    def ask_to_stop(self) -> None:
        """Let the pass under way be the last one.

        A signal's handler may call this at any moment: unlike an `Event`, whose lock the thread
        that it interrupts may hold, a `SimpleQueue` is made for that.
        """
        self._stop_by = self.monotonic() + self.stop_seconds
        self._told.put(None)

    @property
    def _stopping(self) -> bool:
        return self._stop_by < math.inf

    def run(self, *, once: bool = False) -> int:
        """Scan until told to stop, or `once`: until nothing is left to catch up, or a pass fails.

        Answers the exit code: 0, 1 where a pass of `once` failed, 4 where one was stuck.

        Raises:
            ForeignCursor, ForkBelowFinality: see `scan`.
        """
        try:
            return self._catch_up_once() if once else self._follow()
        except Abandoned as abandoned:
            return abandoned.code
        finally:
            self._leave()

    def _follow(self) -> int:
        telemetry, owner = self.listener.telemetry, self.listener.owner
        telemetry.event("listener_started", owner=owner)
        self.notify(systemd.READY)
        while not self._stopping:
            result = self._supervised(self._pass)
            self._rest(next_pause(self.listener.pause(), result))
        telemetry.event("listener_stopped", owner=owner)
        return 0

    def _catch_up_once(self) -> int:
        while self._supervised(self._pass).backlog and not self._stopping:
            pass
        return EXIT_FAILED if self.listener.failures else 0

    def _leave(self) -> None:
        """Give the lease back, unless the thread that would do so is busy."""
        self.notify(systemd.STOPPING)
        if not self.abandoned:
            with contextlib.suppress(Abandoned):
                self._supervised(self.listener.release)
            self.listener.providers.close()
        self._thread.shutdown(wait=False)

    # ------------------------------------------------------------------ in the scanning thread

    def _pass(self) -> ScanResult:
        """One pass; once an hour, let go of what ran out before it."""
        now = self.listener.clock.now()
        if now >= self._purge_at:
            self.listener.purge()
            self._purge_at = now + PURGE_EVERY_SECONDS
        begun = self.monotonic()
        result = self.listener.scan()
        ended = self.monotonic()
        self.health.note(result, ended)
        self._metrics.note(result, seconds=ended - begun)
        self._catch_up.note(result, ended)
        self.after_pass(result)
        return result

    # ----------------------------------------------------------------- in the supervising thread

    def _supervised(self, task: Callable[[], T]) -> T:
        """What `task` answers or raises, run in the scanning thread.

        Raises:
            Abandoned: it was stuck too often in a row, or still runs long after the worker was told
                to stop.
        """
        self.watchdog.begin(self.monotonic())
        future = self._thread.submit(task)
        while not self._ended(future):
            self.notify(systemd.ALIVE)
            now = self.monotonic()
            if now >= self._stop_by:
                self._abandon("pass_abandoned", code=0, level="WARNING")
            if self.watchdog.ran_out(now):
                self._tell_stuck()
        return future.result()

    def _ended(self, future: Future[T]) -> bool:
        return bool(wait([future], timeout=self.tick_seconds).done)

    def _tell_stuck(self) -> None:
        telemetry, limit = self.listener.telemetry, self.watchdog.limit
        telemetry.metric("StuckPasses", 1)
        telemetry.event("scan_stuck", level="WARNING", seconds=limit, stack=_other_stacks())
        if self.watchdog.strikes >= STRIKES:
            self._abandon("watchdog_restart", code=EXIT_STUCK, level="ERROR")

    def _abandon(self, event: str, *, code: int, level: str) -> NoReturn:
        self.abandoned = True
        self.listener.telemetry.event(event, level=level, owner=self.listener.owner)
        raise Abandoned(code)

    def _rest(self, seconds: float) -> None:
        """Wait so long, or until told to stop."""
        until = self.monotonic() + seconds
        while not self._stopping:
            self.notify(systemd.ALIVE)
            left = until - self.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(Empty):
                self._told.get(timeout=min(left, self.tick_seconds))


def _other_stacks() -> str:
    """What every thread but this one is doing: the scanning one may wait for another."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the one way to them
        if ident != threading.get_ident()
    )
