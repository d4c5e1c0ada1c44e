"""The listener as a scheduled Lambda: `listener_fn.handler.handler`.

EventBridge cannot schedule below a minute, and a function that polls all its minute is dear: it
does so only while an order awaits its burn.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any, Protocol

from chalicelib.usecases.scan import ScanResult
from listener_fn.bootstrap import make_listener
from listener_fn.listener import Listener

RESERVE_SECONDS = 5.0
"""No pass begins with less time left."""

MAX_FAILURES = 3
"""Failed passes in a row after which the rest of the minute is left to the next invocation."""

SUMMED = ("blocks", "burns", "matched", "exceptions", "lost", "expired")


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended by force."""


def handler(_event: object, context: Context) -> dict[str, Any]:
    """Scan once, or as long as there is something to wait for; what it came to."""
    return scan_for_a_while(
        _listener(), lambda: context.get_remaining_time_in_millis() / 1000, time.sleep
    )


def scan_for_a_while(
    listener: Listener, remaining: Callable[[], float], wait: Callable[[float], None]
) -> dict[str, Any]:
    """Passes within `remaining()` seconds, `wait(seconds)` between them.

    Answers the fields of `ScanResult` summed over the passes (as of the last one where a sum means
    nothing), and how many `passes` there were.
    """
    results: list[ScanResult] = []
    try:
        while True:
            results.append(listener.scan())
            if not _goes_on(listener, results[-1]):
                break
            pause = 0.0 if results[-1].backlog else listener.pause()
            if remaining() - pause < RESERVE_SECONDS:
                break
            wait(pause)
    finally:
        listener.release()
    summary = asdict(results[-1])
    for name in SUMMED:
        summary[name] = sum(getattr(result, name) for result in results)
    return {**summary, "passes": len(results)}


def _goes_on(listener: Listener, result: ScanResult) -> bool:
    if not result.mine:
        return False
    if result.error:
        return listener.failures < MAX_FAILURES
    return result.backlog or listener.awaits_burn()


@cache
def _listener() -> Listener:
    """One listener for the life of the execution environment."""
    return make_listener(os.environ)
