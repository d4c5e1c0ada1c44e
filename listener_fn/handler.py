"""The listener as a scheduled Lambda: `listener_fn.handler.handler`.

EventBridge cannot schedule below a minute, and a function that polls all its minute is dear: it
does so only while an order awaits its burn.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from chalicelib.usecases.scan import ScanResult
from listener_fn.bootstrap import Scheduled, make_scheduled
from listener_fn.listener import Listener
from listener_fn.pace import CatchUp, PassMetrics, next_pause

RESERVE_SECONDS = 5.0
"""No pass begins that would leave less time, should it take as long as the longest one so far."""

MAX_FAILURES = 3
"""Failed passes in a row after which the rest of the minute is left to the next invocation."""

SUMMED = ("blocks", "burns", "matched", "exceptions", "lost", "expired")


class Ended(StrEnum):
    """Why an invocation ended."""

    IDLE = "idle"
    """Nothing is left to catch up, and no order awaits its burn."""

    TIME = "time"
    """The next pass might have outlasted the invocation."""

    FAILURES = "failures"
    """Several passes in a row failed."""

    LEASE = "lease"
    """Another listener is at work."""

    CRASH = "crash"
    """A pass raised: the listener cannot go on."""


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended by force."""


def handler(event: object, context: Context) -> dict[str, Any]:
    """Scan once, or as long as there is something to wait for; what it came to.

    For the event `{"action": "reconcile"}`, which a schedule of its own sends: compare ledger and
    contract, as far as the time goes; `reconciliation` tells the verdict.
    """

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    if isinstance(event, dict) and event.get("action") == "reconcile":
        verdict = _made().reconciler.reconcile_once(may_go_on=lambda: remaining() > RESERVE_SECONDS)
        return {"reconciliation": verdict.value}
    return scan_for_a_while(_made().listener, remaining, time.sleep)


def scan_for_a_while(
    listener: Listener, remaining: Callable[[], float], wait: Callable[[float], None]
) -> dict[str, Any]:
    """Passes within `remaining()` seconds, `wait(seconds)` between them.

    Answers the fields of `ScanResult` summed over the passes (as of the last one where a sum means
    nothing), how many `passes` there were, the `seconds` used, and why it `ended`. Passes, seconds
    and reason are told as event `invocation` as well, also where a pass raises.
    """
    begun = remaining()
    results: list[ScanResult] = []
    ended = Ended.CRASH
    try:
        ended = _scan(listener, results, remaining, wait)
    finally:
        listener.release()
        used = round(begun - remaining(), 3)
        _tell(listener, passes=len(results), seconds=used, ended=ended)
    summary = asdict(results[-1])
    for name in SUMMED:
        summary[name] = sum(getattr(result, name) for result in results)
    return {**summary, "passes": len(results), "seconds": used, "ended": ended.value}


def _scan(
    listener: Listener,
    results: list[ScanResult],
    remaining: Callable[[], float],
    wait: Callable[[float], None],
) -> Ended:
    """Add passes to `results` until it is time to end."""
    catch_up = CatchUp(listener.store, listener.telemetry)
    metrics = PassMetrics(listener.telemetry, listener.clock)
    longest = 0.0
    while True:
        before = remaining()
        result = listener.scan()
        results.append(result)
        left = remaining()
        longest = max(longest, before - left)
        metrics.note(result, seconds=before - left)
        catch_up.note(result, -left)
        done = _done(listener, result)
        if done is not None:
            return done
        pause = next_pause(listener.pause(), result)
        if remaining() - pause - longest < RESERVE_SECONDS:
            return Ended.TIME
        wait(pause)


def _done(listener: Listener, result: ScanResult) -> Ended | None:
    """Why no pass is to follow; `None` where one is."""
    if not result.mine:
        return Ended.LEASE
    if result.error:
        return Ended.FAILURES if listener.failures >= MAX_FAILURES else None
    return None if result.backlog or listener.awaits_burn() else Ended.IDLE


def _tell(listener: Listener, *, passes: int, seconds: float, ended: Ended) -> None:
    listener.telemetry.event("invocation", passes=passes, seconds=seconds, ended=ended.value)
    listener.telemetry.metric("InvocationSeconds", seconds, "Seconds", ended=ended.value)
    listener.telemetry.metric("InvocationPasses", passes)


@cache
def _made() -> Scheduled:
    """One listener for the life of the execution environment."""
    return make_scheduled(os.environ)
