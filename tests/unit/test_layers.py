"""The layer rules bite: each planted violation is found, under the name of the rule it breaks."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]

DOMAIN = "The domain is pure: standard types in, standard types out"
USE_CASES = "Use cases know the domain and the ports, nothing else"
CHALICELIB = "chalicelib knows neither the listener, nor the operator's tools, nor web3"
ADAPTERS = "Adapters do not know each other"
ROOTS = "Only composition roots choose adapters"
KEYLESS = "The command line holds no key"

PLANTED = [
    (DOMAIN, "chalicelib/domain/orders.py", "import time"),
    (DOMAIN, "chalicelib/domain/matching.py", "from chalicelib.ports import Store"),
    (USE_CASES, "chalicelib/usecases/deliver.py", "import boto3"),
    (USE_CASES, "chalicelib/ports.py", "from chalicelib.adapters.memory import MemoryStore"),
    (CHALICELIB, "chalicelib/adapters/telemetry.py", "import web3"),
    (CHALICELIB, "chalicelib/bootstrap.py", "from listener_fn import chain"),
    (ADAPTERS, "chalicelib/adapters/memory.py", "import chalicelib.adapters.security"),
    (ROOTS, "chalicelib/api/problems.py", "from chalicelib.adapters.memory import MemoryStore"),
    (KEYLESS, "ops/onchain/node.py", "from eth_account import Account"),
    (KEYLESS, "ops/cli/pause.py", "def late():\n    import ops.deploy_local"),
    (ROOTS, "listener_fn/chain.py", "def late():\n    import chalicelib.adapters.dynamo"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages' modules and the rules, apart from the originals."""
    for package in CONFIG["root_packages"]:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if not (name.endswith(".py") or Path(folder, name).is_dir())
                or name == "__pycache__"
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path) -> tuple[int, dict[str, str], str]:
    """Exit code, each rule with its verdict, and all that was printed."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    told = done.stdout + done.stderr
    verdicts = {
        line.rpartition(" ")[0]: line.rpartition(" ")[2]
        for line in told.splitlines()
        if line.endswith((" KEPT", " BROKEN"))
    }
    return done.returncode, verdicts, told


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == {one["name"] for one in CONFIG["contracts"]}


def test_the_untouched_packages_keep_every_rule(copy: Path) -> None:
    code, verdicts, told = _lint(copy)
    assert code == 0, told
    assert verdicts == {one["name"]: "KEPT" for one in CONFIG["contracts"]}


@pytest.mark.parametrize(("rule", "module", "line"), PLANTED)
def test_a_planted_violation_breaks_its_rule(copy: Path, rule: str, module: str, line: str) -> None:
    with (copy / module).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    code, verdicts, told = _lint(copy)
    assert code == 1, told
    assert verdicts[rule] == "BROKEN", told
    planted = module.removesuffix(".py").replace("/", ".")
    assert f"{planted} -> " in told
