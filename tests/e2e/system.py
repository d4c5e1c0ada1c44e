"""The running system: the same `make demo` that people start."""

import json
import os
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
    """What `stack.json` of a demo started in `state` says; stopped when the context is left.

    The sites are built into `state` too, so that another build does not change them underway.
    """
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"FRONTENDS_DIST": str(state / "dist")}
    build = ["node", "frontends/build.mjs", "--demo"]
    built = subprocess.run(build, cwd=ROOT, env=environment, check=False, capture_output=True)
    assert built.returncode == 0, built.stdout.decode() + built.stderr.decode()
    log = state / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "ops.stack", "demo", "--state-dir", str(state)],
            cwd=ROOT,
            env=environment,
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
