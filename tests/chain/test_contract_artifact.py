"""The committed contract artefact and golden vectors are what their sources give."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from ops import anvil
from ops.onchain.deployment import DeploymentPlan
from ops.onchain.node import Node

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = "contracts/build.py"
SOURCE = "contracts/src/FiveSOfficeVouchers.sol"
ARTIFACT = "contracts/abi/FiveSOfficeVouchers.json"
VECTORS = "tests/vectors/make_vectors.py"


def run(script: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the two scripts read and write, in another place."""
    for name in (BUILD, SOURCE, ARTIFACT, "contracts/foundry.toml", "contracts/solc-shim.mjs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "tests" / "vectors", tmp_path / "tests" / "vectors")
    (tmp_path / "node_modules").symlink_to(REPOSITORY / "node_modules")
    return tmp_path


def test_committed_artifact_is_what_the_source_compiles_to(tmp_path: Path) -> None:
    done = run(REPOSITORY / BUILD, "--check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_artifact_is_the_same_bytes_wherever_it_is_built(copy: Path) -> None:
    (copy / ARTIFACT).unlink()
    done = run(copy / BUILD, cwd=copy)
    assert done.returncode == 0, done.stderr
    assert (copy / ARTIFACT).read_bytes() == (REPOSITORY / ARTIFACT).read_bytes()


def test_check_fails_when_the_source_has_moved_on(copy: Path) -> None:
    source = copy / SOURCE
    changed = source.read_text().replace(
        "MAX_ORDER_LIFETIME = 7 days", "MAX_ORDER_LIFETIME = 8 days"
    )
    source.write_text(changed)
    done = run(copy / BUILD, "--check", cwd=copy)
    assert done.returncode == 1
    assert "bytecode" in done.stderr
    assert "run contracts/build.py" in done.stderr


def test_check_fails_when_the_artifact_was_edited(copy: Path) -> None:
    artifact = json.loads((copy / ARTIFACT).read_text())
    (copy / ARTIFACT).write_text(json.dumps(dict.fromkeys(artifact, "edited")))
    done = run(copy / BUILD, "--check", cwd=copy)
    assert done.returncode == 1
    assert f"different: {', '.join(sorted(artifact))}" in done.stderr


def test_check_fails_when_the_artifact_is_missing(copy: Path) -> None:
    (copy / ARTIFACT).unlink()
    done = run(copy / BUILD, "--check", cwd=copy)
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert not (copy / ARTIFACT).exists()


def test_build_fails_with_the_compilers_words(copy: Path) -> None:
    before = (copy / ARTIFACT).read_bytes()
    (copy / SOURCE).write_text(
        (copy / SOURCE).read_text().replace("uint64 private", "uint63 private")
    )
    done = run(copy / BUILD, cwd=copy)
    assert done.returncode == 1
    assert "uint63" in done.stderr
    assert (copy / ARTIFACT).read_bytes() == before


def test_build_says_what_to_install(copy: Path) -> None:
    (copy / "node_modules").unlink()
    done = run(copy / BUILD, cwd=copy)
    assert done.returncode == 1
    assert "npm ci" in done.stderr


def test_standard_json_compiles_by_itself_to_the_committed_bytecode(tmp_path: Path) -> None:
    written, empty = tmp_path / "new" / "input.json", tmp_path / "empty"
    empty.mkdir()
    done = run(REPOSITORY / BUILD, "--standard-json", str(written), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    committed = json.loads((REPOSITORY / ARTIFACT).read_text())
    assert f"solc {committed['compiler']['version']}" in done.stdout

    compiled = subprocess.run(
        ["node", REPOSITORY / "contracts/solc-shim.mjs", "--standard-json"],
        input=written.read_bytes(),
        capture_output=True,
        cwd=empty,
        check=True,
    )
    output = json.loads(compiled.stdout)
    assert "errors" not in output
    contract = output["contracts"]["src/FiveSOfficeVouchers.sol"]["FiveSOfficeVouchers"]
    assert contract["abi"] == committed["abi"]
    assert "0x" + contract["evm"]["bytecode"]["object"] == committed["bytecode"]
    deployed = contract["evm"]["deployedBytecode"]
    assert "0x" + deployed["object"] == committed["deployedBytecode"]
    assert deployed["immutableReferences"] == committed["immutableReferences"]


def test_standard_json_is_not_written_for_another_contract_than_the_committed(copy: Path) -> None:
    source = copy / SOURCE
    source.write_text(source.read_text().replace("= 7 days", "= 8 days"))
    done = run(copy / BUILD, "--standard-json", "input.json", cwd=copy)
    assert done.returncode == 1
    assert "different: bytecode" in done.stderr
    assert not (copy / "input.json").exists()


def test_standard_json_says_when_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(REPOSITORY / BUILD, "--standard-json", str(tmp_path / "file/in.json"), cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_deployment_costs_what_its_snapshot_says() -> None:
    snapshot = json.loads((REPOSITORY / "contracts/snapshots/Deployment.json").read_text())
    deployer = Account.from_key(anvil.KEYS[0]).address
    plan = DeploymentPlan(admin=deployer, admin_delay=2 * 86_400, salt=bytes(32))
    with anvil.start() as running:
        node = Node(running.rpc_url, timeout=10)
        receipt = node.send(plan.call, sender=deployer)
        assert node.code(plan.address)
    assert snapshot == {"deployment, through the deployment proxy": str(receipt.gas_used)}


def test_committed_vectors_are_what_their_script_makes(copy: Path) -> None:
    done = run(copy / VECTORS, "--check", cwd=copy)
    assert done.returncode == 0, done.stderr
    cancel = copy / "tests/vectors/cancel.json"
    cancel.write_text(cancel.read_text().replace("1795255200", "1795255201", 1))
    done = run(copy / VECTORS, "--check", cwd=copy)
    assert done.returncode == 1
    assert "cancel.json" in done.stderr
