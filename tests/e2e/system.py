"""The running system: the same `make demo` that people start."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
STOP_SECONDS = 30.0


@contextmanager
def running_demo(state: Path) -> Iterator[dict[str, Any]]:
    """What `stack.json` of a demo started in `state` says; stopped when the context is left."""
    subprocess.run(["node", "frontends/build.mjs", "--demo"], cwd=ROOT, check=True)
    state.mkdir(parents=True, exist_ok=True)
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
