"""Workers as processes of their own that tests start, watch and kill.

Each is forked from a server process that has imported everything, so that a kill finds a worker at
work and not at importing web3. What runs is what `python -m listener_fn.worker` runs, with a lease
short enough to see it pass on.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import chalicelib.adapters.sql  # noqa: F401 - imported before the fork
from chalicelib.domain.progress import Cursor
from chalicelib.ports import Store
from listener_fn.bootstrap import make_supervisor

LEASE_SECONDS = 2
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.005

_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker under way; its output goes to `log`."""

    process: ForkServerProcess
    log: Path

    @property
    def pid(self) -> int:
        """The process."""
        assert self.process.pid is not None
        return self.process.pid

    def leads(self, cursor: Cursor | None) -> bool:
        """Whether the lease was last taken by this one."""
        return cursor is not None and f"-{self.pid}-" in cursor.lease_owner

    def kill(self) -> None:
        """SIGKILL: nothing is put in order."""
        self.process.kill()
        self.process.join()

    def freeze(self) -> None:
        """SIGSTOP: as a host that hangs for a while."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        self.process.join(DEADLINE_SECONDS)
        assert self.process.exitcode is not None, "the worker does not stop"
        return self.process.exitcode


@contextmanager
def running(
    environ: Mapping[str, str], log: Path, *, lease_seconds: int = LEASE_SECONDS
) -> Iterator[Worker]:
    """A worker from its start until the context is left; its settings are `environ` alone."""
    process = _processes.Process(target=_work, args=(dict(environ), log, lease_seconds))
    process.start()
    try:
        yield Worker(process, log)
    finally:
        process.kill()
        process.join()
        process.close()


def wait_for(met: Callable[[], object], what: str, *, seconds: float = DEADLINE_SECONDS) -> None:
    """Ask until `met`; `what` names it should it not be in time."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL_SECONDS)


def lead_of(store: Store, workers: list[Worker]) -> Worker | None:
    """Which of them holds the lease."""
    cursor = store.cursor()
    return next((worker for worker in workers if worker.leads(cursor)), None)


def _work(environ: dict[str, str], log: Path, lease_seconds: int) -> None:
    os.environ.clear()
    os.environ.update(environ)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    supervisor = make_supervisor(environ)
    listener = supervisor.listener
    listener.settings = replace(listener.settings, lease_seconds=lease_seconds)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.ask_to_stop())
    sys.exit(supervisor.run())
