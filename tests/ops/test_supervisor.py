"""The runner's supervisor: it names who died, and leaves nobody behind."""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from ops.stack.ports import HOST, Port, PortTaken, port_of
from ops.stack.progress import Progress
from ops.stack.supervisor import StackFailed, Stopped, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
FRAGILE = [sys.executable, "-c", "import sys; print('no such table'); sys.exit(3)"]
STUBBORN = [
    sys.executable,
    "-c",
    """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
""",
]
WITH_CHILD = [
    sys.executable,
    "-c",
    """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
""",
]


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def signal_soon(number: int) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()


def test_leaving_stops_everything_whatever_happened(tmp_path: Path) -> None:
    pids: dict[str, int] = {}

    def fail_after_starting_two() -> None:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("one", SLEEPER, env=os.environ)
            supervisor.start("two", SLEEPER, env=os.environ)
            pids.update(supervisor.pids)
            assert all(alive(pid) for pid in pids.values())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_starting_two()
    assert list(pids) == ["one", "two"]
    assert all(gone(pid) for pid in pids.values())


def test_who_died_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    pids: dict[str, int] = {}

    def watch_one_die() -> None:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("steady", SLEEPER, env=os.environ)
            supervisor.start("fragile", FRAGILE, env=os.environ)
            pids.update(supervisor.pids)
            supervisor.watch()

    with pytest.raises(StackFailed) as failed:
        watch_one_die()
    assert "fragile ended with exit code 3." in str(failed.value)
    assert "no such table" in str(failed.value)
    assert str(tmp_path / "fragile.log") in str(failed.value)
    assert gone(pids["steady"])


def test_what_does_not_come_up_in_time_is_named(tmp_path: Path) -> None:
    def wait_in_vain() -> None:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("mute", SLEEPER, env=os.environ)
            supervisor.wait_until(lambda: False, what="an answer", seconds=0.2)

    with pytest.raises(StackFailed, match="an answer did not happen within 0 s"):
        wait_in_vain()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_watching_and_stops_everything(tmp_path: Path, number: int) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("one", SLEEPER, env=os.environ)
        pid = supervisor.pids["one"]
        signal_soon(number)
        supervisor.watch()
    assert gone(pid)


def test_a_signal_during_start_up_stops_what_was_started(tmp_path: Path) -> None:
    pids: dict[str, int] = {}

    def come_up_slowly() -> None:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("one", SLEEPER, env=os.environ)
            pids.update(supervisor.pids)
            signal_soon(signal.SIGINT)
            supervisor.wait_until(lambda: False, what="nothing", seconds=30)

    with pytest.raises(Stopped):
        come_up_slowly()
    assert gone(pids["one"])


def test_signals_are_the_callers_again_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Supervisor(tmp_path):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_who_will_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.stack.supervisor.GRACE_SECONDS", 0.3)
    ready = tmp_path / "ready"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("stubborn", [*STUBBORN, str(ready)], env=os.environ)
        pid = supervisor.pids["stubborn"]
        supervisor.wait_until(ready.exists, what="start", seconds=20)
    assert gone(pid)


def test_children_of_children_are_stopped_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("parent", [*WITH_CHILD, str(note)], env=os.environ)
        supervisor.wait_until(
            lambda: note.exists() and note.read_text() != "", what="a child", seconds=20
        )
    assert gone(int(note.read_text()))


def test_a_taken_port_is_avoided_unless_it_was_asked_for() -> None:
    with socket.create_server((HOST, 0)) as other:
        taken = port_of(other)
        with Port("API_PORT", taken).listen(Progress()) as found:
            assert port_of(found) != taken
        with pytest.raises(PortTaken, match=f"API_PORT: port {taken} on 127.0.0.1 is taken"):
            Port("API_PORT", 1, wanted=taken).listen(Progress())
    with Port("API_PORT", taken).listen(Progress()) as found:
        assert port_of(found) == taken
