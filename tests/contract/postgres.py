"""A private PostgreSQL server for tests: its own directory, a socket instead of a port."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.contract.engines import EngineMissing

SUPERUSER = "vouchers"
START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05
FAST_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")
"""Nothing here has to survive a power cut; how transactions are isolated stays the same."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, reached through a socket in `folder`."""

    folder: Path

    def url(self, user: str = SUPERUSER) -> str:
        """Its database as `user` sees it."""
        return f"postgresql://{user}@/postgres?host={self.folder}"


@contextmanager
def running_postgres() -> Iterator[Server]:
    """Run a server from when it answers until the context is left.

    Raises:
        EngineMissing: PostgreSQL is not installed.
    """
    programs = _programs()
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="vouchers-pg-"))
    try:
        if "user" in owner:
            os.chown(folder, owner["user"], owner["group"])
        _initialise(programs, folder, owner)
        with _serving(programs, folder, owner):
            yield Server(folder)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """The folder of `initdb` and `postgres`."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not packaged:
        raise EngineMissing(
            "PostgreSQL is neither on the PATH nor in /usr/lib/postgresql (Debian: apt-get install"
            " postgresql)"
        )
    return packaged[-1].parent


def _owner() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _initialise(programs: Path, folder: Path, owner: dict[str, Any]) -> None:
    done = subprocess.run(
        [
            programs / "initdb",
            f"--pgdata={folder / 'data'}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **owner,
    )
    if done.returncode != 0:
        raise EngineMissing(f"initdb failed: {done.stderr.strip()}")


@contextmanager
def _serving(programs: Path, folder: Path, owner: dict[str, Any]) -> Iterator[None]:
    settings = [*FAST_SETTINGS, f"unix_socket_directories={folder}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                programs / "postgres",
                "-D",
                folder / "data",
                *(part for setting in settings for part in ("-c", setting)),
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **owner,
        )
    try:
        _wait(server, folder)
        yield
    finally:
        server.send_signal(2)  # "fast": end every session, then shut down
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise EngineMissing(f"PostgreSQL does not come up: {(folder / 'log').read_text()}")
