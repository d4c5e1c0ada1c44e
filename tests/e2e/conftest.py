"""The running system for end-to-end tests: the same `make demo` that people start."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
STOP_SECONDS = 30.0


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `stack.json` of a demo started for these tests says; stopped at their end."""
    subprocess.run(["node", "frontends/build.mjs", "--demo"], cwd=ROOT, check=True)
    state = tmp_path_factory.mktemp("stack")
    log = state / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "ops.stack", "demo", "--state-dir", str(state)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        published = state / "stack.json"
        deadline = time.monotonic() + START_SECONDS
        while not published.exists():
            assert demo.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        yield json.loads(published.read_text("utf-8"))
    finally:
        demo.terminate()
        demo.wait(STOP_SECONDS)
