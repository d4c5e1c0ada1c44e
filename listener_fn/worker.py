"""The listener as a long-running worker (VPS): `python -m listener_fn.worker`.

It scans every POLL_SECONDS, faster while a burn is pending, without pause while it has to catch up,
and ends after the pass at hand on SIGTERM or SIGINT, after 25 seconds at the latest: give systemd
or Compose 30 (`TimeoutStopSec`, `stop_grace_period`). With METRICS_PORT it answers `/metrics` and
`/healthz`; under systemd (`Type=notify`, `WatchdogSec` of 10 or more) it reports for itself.

Exit codes: 0 stopped, 1 a pass of `--once` failed, 2 wrong settings or wrong chain, 3 the chain
abandoned a block that was proven final, 4 a pass was stuck twice in a row: start it again.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence

from chalicelib.ports import StoreUnavailable
from chalicelib.settings import SettingsError
from chalicelib.usecases.scan import ForeignCursor, ForkBelowFinality
from listener_fn.bootstrap import make_supervisor
from listener_fn.supervisor import EXIT_FAILED

COLLECT_AFTER = (50_000, 20, 100)
"""Objects, and collections of the younger ones, between two collections of garbage."""

EXIT_SETTINGS = 2
EXIT_FORK = 3

EPILOG = """\
Settings come from the environment; .env.example explains each:
  STORE with DATABASE_URL or DYNAMODB_TABLE, CHAIN_ID, CONTRACT_ADDRESS, RPC_URLS, DEPLOY_BLOCK,
  CONFIRMATIONS, FINALITY_FALLBACK_BLOCKS, POLL_SECONDS, MAX_BLOCK_RANGE, RPC_TIMEOUT_SECONDS,
  RPC_QUORUM, LEASE_SECONDS, RECONCILE_SECONDS, WATCHDOG_SECONDS, METRICS_PORT, METRICS_HOST,
  READY_MAX_LAG_SECONDS, LOG_LEVEL
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        supervisor = make_supervisor(os.environ)
    except SettingsError as error:
        return _refuse("\n".join(error.problems), EXIT_SETTINGS)
    except StoreUnavailable as error:
        return _refuse(f"The store cannot be used: {error}", EXIT_FAILED)
    # A pass that works off a backlog makes many thousands of objects and no cycles: looking for
    # some took a good part of its time.
    gc.set_threshold(*COLLECT_AFTER)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.ask_to_stop())
    try:
        code = supervisor.run(once=given.once)
    except ForeignCursor as error:
        return _refuse(str(error), EXIT_SETTINGS)
    except ForkBelowFinality as error:
        return _refuse(f"{error}; nothing is stored any more until this is looked into", EXIT_FORK)
    if supervisor.abandoned:
        # An ordinary exit would wait for the thread that was given up.
        sys.stdout.flush()
        os._exit(code)
    return code


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
