"""The listener as a long-running worker (VPS): `python -m listener_fn.worker`.

It scans every POLL_SECONDS, without pause while it has to catch up, and ends after the pass at hand
on SIGTERM or SIGINT. Exit codes: 0 stopped, 1 a pass of `--once` failed, 2 wrong settings or wrong
chain, 3 the chain abandoned a block that was proven final.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

from chalicelib.ports import StoreUnavailable
from chalicelib.settings import SettingsError
from chalicelib.usecases.scan import ForeignCursor, ForkBelowFinality
from listener_fn.bootstrap import make_listener
from listener_fn.chain import WrongChain
from listener_fn.listener import Listener

EXIT_FAILED = 1
EXIT_SETTINGS = 2
EXIT_FORK = 3

PURGE_EVERY_SECONDS = 3600

EPILOG = """\
Settings come from the environment; .env.example explains each:
  STORE with DATABASE_URL or DYNAMODB_TABLE, CHAIN_ID, CONTRACT_ADDRESS, RPC_URLS, DEPLOY_BLOCK,
  CONFIRMATIONS, FINALITY_FALLBACK_BLOCKS, POLL_SECONDS, MAX_BLOCK_RANGE, RPC_TIMEOUT_SECONDS,
  LOG_LEVEL
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        listener = make_listener(os.environ)
        for problem in listener.providers.verify():
            listener.telemetry.event("provider_unavailable", level="WARNING", error=problem)
    except SettingsError as error:
        return _refuse("\n".join(error.problems), EXIT_SETTINGS)
    except WrongChain as error:
        return _refuse(f"RPC_URLS: {error}", EXIT_SETTINGS)
    except StoreUnavailable as error:
        return _refuse(f"The store cannot be used: {error}", EXIT_FAILED)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        return catch_up(listener, stop) if given.once else run(listener, stop)
    except ForeignCursor as error:
        return _refuse(str(error), EXIT_SETTINGS)
    except ForkBelowFinality as error:
        return _refuse(f"{error}; nothing is stored any more until this is looked into", EXIT_FORK)
    finally:
        listener.release()


def run(listener: Listener, stop: threading.Event) -> int:
    """Scan until `stop` is set; once an hour, let go of what ran out."""
    listener.telemetry.event("listener_started", owner=listener.owner)
    purge_at = 0
    while not stop.is_set():
        if listener.clock.now() >= purge_at:
            listener.purge()
            purge_at = listener.clock.now() + PURGE_EVERY_SECONDS
        if not _step(listener):
            stop.wait(listener.pause())
    listener.telemetry.event("listener_stopped", owner=listener.owner)
    return 0


def catch_up(listener: Listener, stop: threading.Event) -> int:
    """Scan until nothing is left to catch up, or a pass fails, or `stop` is set."""
    while _step(listener) and not stop.is_set():
        pass
    return EXIT_FAILED if listener.failures else 0


def _step(listener: Listener) -> bool:
    """One pass; whether the next one should follow at once."""
    result = listener.scan()
    if result.backlog:
        listener.telemetry.event(
            "catching_up", blocks=result.blocks, burns=result.burns, lagBlocks=result.lag_blocks
        )
    return result.backlog


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m listener_fn.worker",
        description="Follow the chain: match burns to orders, confirm them, expire what is late.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="catch up with the chain, then end")
    return parser


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
