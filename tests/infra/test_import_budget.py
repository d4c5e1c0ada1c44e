"""What importing the API costs: a cold start is billed, and every request may be one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORT_BUDGET_CPU_SECONDS = 0.7
FORBIDDEN = ("web3", "sqlalchemy", "eth_account", "boto3", "cryptography", "PIL", "gunicorn")
IMPORTED_ON_USE = ("coincurve", "argon2", "qrcode", "png")

_PROBE = """
import json, sys, time
started = time.process_time()
import app
print(json.dumps({"cpu": time.process_time() - started, "modules": sorted(sys.modules)}))
"""


def import_app() -> dict[str, object]:
    """Import `app` in a fresh interpreter, settings absent as when it is packaged."""
    environment = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME")}
    done = subprocess.run(
        [sys.executable, "-c", _PROBE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """Everything that importing the API brings in."""
    found = import_app()["modules"]
    assert isinstance(found, list)
    return set(found)


@pytest.mark.parametrize("name", [*FORBIDDEN, *IMPORTED_ON_USE])
def test_importing_the_api_leaves_out(modules: set[str], name: str) -> None:
    assert name not in modules


def test_import_stays_within_its_budget() -> None:
    # CPU seconds, and the best of three: other load on the machine must not decide.
    best = min(float(str(import_app()["cpu"])) for _ in range(3))
    assert best <= IMPORT_BUDGET_CPU_SECONDS
