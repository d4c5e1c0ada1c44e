"""The scheduled Lambda at its real pace, without a Lambda: `python -m bench.scheduled`.

One warm execution environment is invoked every minute and may use that minute up, as EventBridge
and the function's time-out have it, until SIGTERM.
"""

import os
import signal
import sys
import threading
import time
from functools import partial

from listener_fn.bootstrap import make_scheduled
from listener_fn.handler import scan_for_a_while

PERIOD_SECONDS = 60.0


class Stopped(Exception):
    """The process was asked to stop while the listener paused."""


def _until(end: float) -> float:
    return end - time.monotonic()


def main() -> int:
    """Invoke and invoke again."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    listener = make_scheduled(os.environ).listener
    try:
        while True:
            ends = time.monotonic() + PERIOD_SECONDS
            scan_for_a_while(listener, partial(_until, ends), wait)
            wait(max(0.0, ends - time.monotonic()))
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())
