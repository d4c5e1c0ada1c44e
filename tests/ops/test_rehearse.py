"""`vouchers rehearse`, the faults it finds, and the Safe that it plays with."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_account import Account

from chalicelib.domain.errors import Refused
from ops import anvil
from ops.cli.bootstrap import system_tools
from ops.cli.main import VouchersGroup, cli
from ops.onchain.calls import Call
from ops.onchain.contract import VoucherContract
from ops.onchain.deployment import DeploymentPlan
from ops.onchain.errors import NodeFailed
from ops.onchain.exports import safe_batch
from ops.onchain.node import Node
from ops.onchain.roles import Role
from ops.onchain.safe import LocalSafe, Operation
from ops.rehearsal import People

ROOT = Path(__file__).parents[2]
ADMIN, _, PAUSER, _, _ = (Account.from_key(key).address for key in anvil.KEYS)


# -------------------------------------------------------------------------------------- it passes


def test_a_rehearsal_that_is_terminated_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "rehearse"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        # The first step is told as soon as it is over: chain and folder are there by then.
        assert process.stdout.readline() == "\n"
        assert process.stdout.readline().startswith("Set-up")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not Path(f"/proc/{children[0]}").exists()
    assert list(tmp_path.iterdir()) == []


def test_it_passes_without_settings_and_keeps_the_chain_until_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "rehearse", "--json", "--keep"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            # A rehearsal that ends early closes the pipe: reading never outlasts the process.
            told = ""
            while "export DEPLOY_BLOCK" not in told:
                line = process.stderr.readline()
                assert line, told
                told += line
            rpc_url = told.split("RPC_URLS=")[1].split()[0]
            assert Node(rpc_url, timeout=10.0).head() > 0
        finally:
            process.send_signal(signal.SIGINT)
        report = json.loads(process.stdout.read())
        assert process.wait(timeout=30) == 0
    assert report["passed"] is True
    assert report["settings"]["RPC_URLS"] == rpc_url
    assert [step["number"] for step in report["steps"]] == list(range(1, len(report["steps"]) + 1))
    assert len({step["part"] for step in report["steps"]}) == 4
    assert all(step["problem"] is None and step["log"] for step in report["steps"])
    with pytest.raises(NodeFailed):
        Node(rpc_url, timeout=10.0).head()


def test_it_says_in_a_sentence_what_is_not_installed(tmp_path: Path) -> None:
    for part in ("chalicelib", "ops", "contracts/abi"):
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", ".local")
        )
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "rehearse"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "anvil is missing: run `make setup`" in done.stderr
    assert done.stderr.count("\n") == 1


# -------------------------------------------------------------------------------- what it finds

Fault = Callable[[list[str]], list[str]]


class Planted(VouchersGroup):
    """The command line with a fault: what is typed is not what is done."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("vouchers", cli.commands, params=cli.params, callback=cli.callback)
        self._fault = fault

    def main(self, args: Any = None, *rest: Any, **named: Any) -> Any:
        return super().main(self._fault(list(args)), *rest, **named)


def _nothing_for(*command: str) -> Fault:
    """A command that says nothing and does nothing."""
    return lambda args: ["verify"] if args[: len(command)] == list(command) else args


def _rotate_grants_only(args: list[str]) -> list[str]:
    if args[:3] != ["role", "rotate", "MINTER"]:
        return args
    return ["role", "grant", "MINTER", args[args.index("--new") + 1], *args[-3:]]


def _pauser_resumes(args: list[str]) -> list[str]:
    return [ADMIN if one == PAUSER else one for one in args] if args[0] == "unpause" else args


def _no_delay(args: list[str]) -> list[str]:
    return ["0" if one == "172800" else one for one in args]


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (_nothing_for("type", "create", "6001"), "step 3, Minter and pauser get their roles"),
        (_nothing_for("pause"), "step 5, The pauser stops the contract"),
        (_pauser_resumes, "step 8, The pauser cannot resume"),
        (_rotate_grants_only, "step 10, The minter's key is replaced"),
        (_nothing_for("role", "revoke", "MINTER"), "step 14, A stolen minter's key is shut out"),
        (_no_delay, "step 18, It cannot be accepted before the 2 days are over"),
    ],
)
def test_a_planted_fault_ends_it_at_its_step(fault: Fault, step: str) -> None:
    result = CliRunner().invoke(Planted(fault), ["rehearse"], obj=system_tools({}))
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith(f"Error: {step}")
    number = int(step.split()[1].rstrip(","))
    marks = re.findall(r"^ *(\d+) (✓|✗) ", result.stdout, re.MULTILINE)
    assert marks == [*((str(done), "✓") for done in range(1, number)), (str(number), "✗")]


def test_a_failure_is_told_to_programs_too() -> None:
    planted = Planted(_nothing_for("pause"))
    result = CliRunner().invoke(planted, ["rehearse", "--json"], obj=system_tools({}))
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["passed"] is False
    assert [step["problem"] is None for step in report["steps"]] == [True] * 4 + [False]


# ----------------------------------------------------------------------------------- its Safe


@dataclass(frozen=True, slots=True)
class Ruled:
    """A contract whose admin is a Safe."""

    safe: LocalSafe
    contract: VoucherContract
    people: People

    def file(self, *calls: Call) -> dict[str, Any]:
        """What the command line exports for these calls."""
        return safe_batch(
            calls, chain_id=anvil.CHAIN_ID, safe=self.safe.address, name="x", created_at=1
        )


@pytest.fixture(scope="module")
def ruled() -> Iterator[Ruled]:
    with anvil.start() as running:
        node = Node(running.rpc_url, timeout=10.0)
        people = People.of(node.accounts())
        safe = LocalSafe.deploy(
            running.rpc_url, owners=people.owners, threshold=2, payer=people.customer
        )
        plan = DeploymentPlan(admin=safe.address, admin_delay=0, salt=bytes(32))
        node.send(plan.call, sender=people.customer)
        yield Ruled(safe, VoucherContract(node, plan.address), people)


def test_the_safe_executes_a_single_call(ruled: Ruled) -> None:
    grant = ruled.contract.grant(Role.MINTER, ruled.people.minter)
    transaction = ruled.safe.load(json.dumps(ruled.file(grant)))
    assert transaction.operation is Operation.CALL
    assert (transaction.to, transaction.data) == (grant.to, grant.data)
    for owner in ruled.people.owners[1:]:
        ruled.safe.approve(transaction, owner=owner)
    ruled.safe.execute(transaction, sender=ruled.people.customer)
    assert ruled.contract.has_role(Role.MINTER, ruled.people.minter)


def test_the_safe_executes_several_calls_at_once(ruled: Ruled) -> None:
    contract, people = ruled.contract, ruled.people
    calls = [contract.grant(Role.PAUSER, one) for one in (people.pauser, people.next_pauser)]
    transaction = ruled.safe.load(json.dumps(ruled.file(*calls)))
    assert transaction.operation is Operation.DELEGATE_CALL
    for owner in people.owners[:2]:
        ruled.safe.approve(transaction, owner=owner)
    ruled.safe.execute(transaction, sender=people.customer)
    assert contract.has_role(Role.PAUSER, people.pauser)
    assert contract.has_role(Role.PAUSER, people.next_pauser)


def test_several_calls_are_made_all_or_none(ruled: Ruled) -> None:
    account = ruled.people.last_minter
    calls = [ruled.contract.grant(Role.PAUSER, account), ruled.contract.unpause()]
    transaction = ruled.safe.load(json.dumps(ruled.file(*calls)))
    for owner in ruled.people.owners[:2]:
        ruled.safe.approve(transaction, owner=owner)
    with pytest.raises(Refused):
        ruled.safe.execute(transaction, sender=ruled.people.customer)
    assert not ruled.contract.has_role(Role.PAUSER, account)


def test_one_owner_and_strangers_are_not_enough(ruled: Ruled) -> None:
    transaction = ruled.safe.load(json.dumps(ruled.file(ruled.contract.pause())))
    ruled.safe.approve(transaction, owner=ruled.people.owners[2])
    with pytest.raises(Refused, match="only an owner can approve"):
        ruled.safe.approve(transaction, owner=ruled.people.minter)
    with pytest.raises(Refused, match="too few owners have approved"):
        ruled.safe.execute(transaction, sender=ruled.people.customer)
    assert not ruled.contract.paused()


def test_an_approval_is_for_one_transaction_only(ruled: Ruled) -> None:
    pause = ruled.safe.load(json.dumps(ruled.file(ruled.contract.pause())))
    grant = ruled.contract.grant(Role.PAUSER, ADMIN)
    other = ruled.safe.load(json.dumps(ruled.file(grant)))
    for owner in ruled.people.owners[:2]:
        ruled.safe.approve(pause, owner=owner)
    with pytest.raises(Refused, match="too few owners have approved"):
        ruled.safe.execute(other, sender=ruled.people.customer)


def _changed_byte(batch: dict[str, Any]) -> None:
    data = batch["transactions"][0]["data"]
    batch["transactions"][0]["data"] = data[:-1] + ("0" if data[-1] != "0" else "1")


def _another_chain(batch: dict[str, Any]) -> None:
    batch["chainId"] = "56"


def _another_receiver(batch: dict[str, Any]) -> None:
    batch["transactions"][0]["to"] = ADMIN


def _a_value(batch: dict[str, Any]) -> None:
    batch["transactions"][0]["value"] = "1"


def _one_more(batch: dict[str, Any]) -> None:
    batch["transactions"] *= 2


@pytest.mark.parametrize(
    "change", [_changed_byte, _another_chain, _another_receiver, _a_value, _one_more]
)
def test_a_changed_file_is_refused(ruled: Ruled, change: Callable[[dict[str, Any]], None]) -> None:
    batch = ruled.file(ruled.contract.pause())
    change(batch)
    with pytest.raises(Refused, match="checksum is wrong"):
        ruled.safe.load(json.dumps(batch))


def test_a_file_for_another_chain_or_safe_is_refused(ruled: Ruled) -> None:
    calls = [ruled.contract.pause()]
    made = {"chain_id": anvil.CHAIN_ID, "safe": ruled.safe.address, "name": "x", "created_at": 1}
    for name, other, problem in (
        ("chain_id", 56, "the file is for chain 56"),
        ("safe", ADMIN, f"the file is for the Safe {ADMIN}"),
    ):
        fields: Any = made | {name: other}
        with pytest.raises(Refused, match=problem):
            ruled.safe.load(json.dumps(safe_batch(calls, **fields)))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"chainId": 1, "meta": {}, "transactions": []}'])
def test_what_is_no_file_of_the_builder_is_refused(ruled: Ruled, text: str) -> None:
    with pytest.raises(Refused, match="not one of Safe's Transaction Builder"):
        ruled.safe.load(text)


def test_a_safe_is_made_on_a_local_chain_only() -> None:
    with anvil.start(chain_id=97) as other, pytest.raises(Refused, match="chain 31337 only"):
        LocalSafe.deploy(other.rpc_url, owners=[ADMIN], threshold=1, payer=ADMIN)
