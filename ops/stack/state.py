"""What other programs may know of the running stack, and one stack at a time."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STATE_FILE = "stack.json"
LOCK_FILE = "stack.lock"


class AlreadyRunning(Exception):
    """Another stack uses the directory."""


@contextmanager
def claim(directory: Path) -> Iterator[None]:
    """Hold `directory` for one stack; a state file left behind by a killed one is removed.

    Raises:
        AlreadyRunning: another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"A stack is running from {directory} already (see {directory / STATE_FILE})."
                " Stop it first, or choose another --state-dir."
            ) from None
        state = directory / STATE_FILE
        state.unlink(missing_ok=True)
        try:
            yield
        finally:
            state.unlink(missing_ok=True)


def publish(directory: Path, state: Mapping[str, Any]) -> None:
    """Write the state file at once and for its owner only: it holds passwords."""
    draft = directory / f"{STATE_FILE}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=2)
        file.write("\n")
    draft.replace(directory / STATE_FILE)
