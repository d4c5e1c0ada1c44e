"""Starts the stack's programs, watches them, and stops every one of them, whatever happens.

Each program runs in a session of its own, so a Ctrl-C in the terminal reaches the runner alone,
which stops them in order. Where `setpriv` (util-linux) is there, the kernel also stops them should
the runner itself be killed.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0
TAIL_LINES = 25
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackFailed(Exception):
    """A program of the stack did not come up, or ended; says which and shows its log's end."""


class Stopped(BaseException):
    """Ctrl-C, or somebody asked the runner to stop. No error: nothing should swallow it."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program that was started, where its output goes, and whether others stand on it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    foundation: bool


class Supervisor:
    """Use as a context: all that was started in it is stopped when it is left.

    Only for the main thread, which is where signals arrive.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._children: list[Child] = []
        self._stop_asked = False
        self._deaf = False
        self._handlers: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}

    def __enter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for one in STOP_SIGNALS:
            self._handlers[one] = signal.signal(one, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._deaf = True
        finally:
            self._stop_all()
        for one, handler in self._handlers.items():
            signal.signal(one, handler)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name; each leads a process group of its own."""
        return {child.name: child.process.pid for child in self._children}

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        sockets: Sequence[socket.socket] = (),
        foundation: bool = False,
    ) -> None:
        """Start a program; its output goes to `<log_dir>/<name>.log`.

        It inherits `sockets` under their own numbers; close them here afterwards. A `foundation`,
        such as a store, is stopped once all others have ended.
        """
        log = self._log_dir / f"{name}.log"
        # A signal between fork and bookkeeping would leave a program nobody knows of.
        with self._undisturbed(), log.open("wb") as output:
            process = subprocess.Popen(
                [*_tied_to_us(), *command],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[one.fileno() for one in sockets],
            )
            self._children.append(Child(name, process, log, foundation))

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Poll until `ready()`.

        Raises:
            StackFailed: a program ended meanwhile, or `seconds` passed.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self._check_alive()
            if time.monotonic() > deadline:
                raise StackFailed(f"{what} did not happen within {seconds:.0f} s.{self._tails()}")
            time.sleep(POLL_SECONDS)
        self._check_alive()

    def watch(self) -> None:
        """Wait until a signal asks for the end.

        Raises:
            StackFailed: one of the programs ended by itself.
        """
        try:
            while True:
                self._check_alive()
                time.sleep(POLL_SECONDS)
        except Stopped:
            return

    def _check_alive(self) -> None:
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise StackFailed(f"{child.name} ended {_how(code)}.{_tail(child)}")

    def _tails(self) -> str:
        return "".join(_tail(child) for child in self._children[-1:])

    def _stop_all(self) -> None:
        _stop([child for child in self._children if not child.foundation])
        _stop([child for child in self._children if child.foundation])

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        first = not self._stop_asked
        self._stop_asked = True
        if first and not self._deaf:
            self._deaf = True
            raise Stopped

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        self._deaf = True
        yield
        if self._stop_asked:
            raise Stopped
        self._deaf = False


def _tied_to_us() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _stop(children: Sequence[Child]) -> None:
    """Ask all of them to end, wait, and end those that do not."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        _end_group(child)
        child.process.wait()


def _end_group(child: Child) -> None:
    """End a program that does not, and what it may have left behind in its process group."""
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)


def _how(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _tail(child: Child) -> str:
    lines = child.log.read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    shown = "\n".join(f"    {line}" for line in lines) or "    (empty)"
    return f"\n  The end of {child.log}:\n{shown}"
