"""A DynamoDB engine on this machine, for the demo, the tests and the benchmarks.

Dynoxide is a static binary from npm (`@dynoxide/linux-x64`, pinned by the lock file). It takes any
credentials and forgets everything when it stops, unless it is given a directory.
"""

import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BINARY = Path(__file__).parents[1] / "node_modules/@dynoxide/linux-x64/dynoxide"
START_ATTEMPTS = 3
START_SECONDS = 20.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


class DynoxideFailed(Exception):
    """The engine is not installed, or does not come up."""


@dataclass(frozen=True, slots=True)
class Dynoxide:
    """A running engine: where it answers, and its process id."""

    endpoint: str
    pid: int


@contextmanager
def start(port: int = 0, data_dir: Path | None = None) -> Iterator[Dynoxide]:
    """Run an engine on 127.0.0.1, from when it answers until the context is left.

    Port 0 finds a free one. With `data_dir` the data is kept there, else in memory.

    Raises:
        DynoxideFailed: saying why, and what to do.
    """
    process, endpoint = _start(port, data_dir)
    try:
        yield Dynoxide(endpoint, process.pid)
    finally:
        _stop(process)


def use_local_credentials() -> None:
    """Give botocore credentials that mean nothing, where the environment has none.

    Engines on this machine take any; without them botocore looks for a cloud that is not there.
    """
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")


def command(port: int, data_dir: Path | None) -> list[str]:
    """How to start the engine on 127.0.0.1, for those who look after the process themselves.

    Raises:
        DynoxideFailed: it is not installed.
    """
    if not BINARY.exists():
        raise DynoxideFailed(
            f"{BINARY} is missing: run `make setup` (it exists for Linux on x86-64 only, "
            f"this is {platform.system()} on {platform.machine()})"
        )
    serve = [str(BINARY), "serve", "--host", "127.0.0.1", "--port", str(port)]
    if data_dir is None:
        return serve
    data_dir.mkdir(parents=True, exist_ok=True)
    return [*serve, "--db-path", str(data_dir / "dynoxide.db")]


def answers(port: int) -> bool:
    """Whether an engine answers on that port."""
    probe = subprocess.run(
        [str(BINARY), "healthcheck", "--port", str(port)], capture_output=True, check=False
    )
    return probe.returncode == 0


def _start(port: int, data_dir: Path | None) -> tuple[subprocess.Popen[bytes], str]:
    # A port found free may be taken before the engine binds it: then it exits, and we look again.
    for _ in range(1 if port else START_ATTEMPTS):
        chosen = port or _free_port()
        process = subprocess.Popen(
            command(chosen, data_dir),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if _comes_up(process, chosen):
            return process, f"http://127.0.0.1:{chosen}"
        _stop(process)
    raise DynoxideFailed(f"dynoxide does not come up on port {port or '(any free one)'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _comes_up(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        healthy = answers(port)
        # Whoever took the port from us may answer too: only a living process counts.
        if process.poll() is not None:
            return False
        if healthy:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
