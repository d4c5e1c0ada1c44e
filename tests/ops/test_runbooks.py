"""The runbooks, exercised: every command of theirs on a local chain, signed as they say to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from web3 import HTTPProvider, Web3

from ops import anvil
from ops.cli.bootstrap import system_tools
from ops.cli.main import cli
from ops.onchain.deployment import DeploymentPlan
from ops.onchain.node import Node
from ops.onchain.safe import LocalSafe
from ops.rehearsal import People
from tests.ops.runbook import Exercise, Step, exercised, missing, read

DELAY = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Chain:
    """A local chain with a Safe on it."""

    rpc_url: str
    node: Node
    people: People
    safe: LocalSafe

    def wait(self, seconds: int) -> None:
        provider = Web3(HTTPProvider(self.rpc_url)).provider
        provider.make_request("evm_increaseTime", [seconds])  # type: ignore[arg-type]
        provider.make_request("evm_mine", [])  # type: ignore[arg-type]

    def sign_with_safe(self, file: Path) -> None:
        """What two owners do with a file, in the Safe's own interface."""
        transaction = self.safe.load(file.read_text("utf-8"))
        for owner in self.people.owners[:2]:
            self.safe.approve(transaction, owner=owner)
        self.safe.execute(transaction, sender=self.people.customer)


@pytest.fixture(scope="module")
def running() -> Iterator[Chain]:
    with anvil.start() as running:
        node = Node(running.rpc_url, timeout=10.0)
        people = People.of(node.accounts())
        safe = LocalSafe.deploy(
            running.rpc_url, owners=people.owners, threshold=2, payer=people.customer
        )
        yield Chain(running.rpc_url, node, people, safe)


@pytest.fixture
def chain(running: Chain) -> Iterator[Chain]:
    """The chain as it was before any test: each deploys the same contract, as the runbooks do."""
    provider = Web3(HTTPProvider(running.rpc_url)).provider
    before = provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    yield running
    provider.make_request("evm_revert", [before])  # type: ignore[arg-type]


def _contract(chain: Chain, admin: str) -> dict[str, str]:
    """Settings of a contract of its own, before anybody has a role but the admin."""
    plan = DeploymentPlan(admin=admin, admin_delay=DELAY, salt=bytes(32))
    receipt = chain.node.send(plan.call, sender=chain.people.customer)
    return {
        "CHAIN_ID": str(anvil.CHAIN_ID),
        "RPC_URLS": chain.rpc_url,
        "CONTRACT_ADDRESS": plan.address,
        "DEPLOY_BLOCK": str(receipt.block),
    }


def _cli(environ: dict[str, str], *args: str) -> None:
    result = CliRunner().invoke(cli, args, obj=system_tools(environ))
    assert result.exit_code == 0, result.output


def _granted(chain: Chain, environ: dict[str, str], folder: Path, role: str, account: str) -> None:
    file = folder / "set-up.json"
    args = ["role", "grant", role, account, "--from", chain.safe.address]
    _cli(environ, *args, "--as", "safe", "--out", str(file))
    chain.sign_with_safe(file)


def test_pause(chain: Chain, tmp_path: Path) -> None:
    environ = _contract(chain, chain.safe.address)
    _granted(chain, environ, tmp_path, "PAUSER", chain.people.pauser)
    names = {**environ, "PAUSER": chain.people.pauser, "SAFE": chain.safe.address}
    with exercised(
        "pause.md",
        environ=environ,
        names=names,
        folder=tmp_path,
        sign_with_safe=chain.sign_with_safe,
    ) as runbook:
        runbook.section("Stop")
        runbook.section("Resume")


def test_key_rotation(chain: Chain, tmp_path: Path) -> None:
    people = chain.people
    environ = _contract(chain, chain.safe.address)
    for role, account in (("MINTER", people.minter), ("PAUSER", people.pauser)):
        _granted(chain, environ, tmp_path, role, account)
    names = {
        **environ,
        "SAFE": chain.safe.address,
        "OLD": people.minter,
        "NEW": people.next_minter,
        "PAUSER": people.pauser,
    }
    with exercised(
        "key-rotation.md",
        environ=environ,
        names=names,
        folder=tmp_path,
        sign_with_safe=chain.sign_with_safe,
    ) as runbook:
        runbook.section("Planned")
        names |= {"OLD": people.next_minter, "NEW": people.last_minter}
        runbook.section("A stolen minter")
        _cli(environ, "pause", "--from", people.pauser, "--local")
        names |= {"OLD": people.pauser, "NEW": people.next_pauser}
        runbook.section("A stolen pauser")


def test_admin_to_safe(chain: Chain, tmp_path: Path) -> None:
    admin = chain.people.admin
    environ = _contract(chain, admin)
    _cli(
        environ,
        *(
            "type",
            "create",
            "1001",
            "--max-supply",
            "9",
            "--uri",
            "https://x/1",
            "--from",
            admin,
            "--local",
        ),
    )
    names = {**environ, "ADMIN": admin, "SAFE": chain.safe.address}
    with exercised(
        "admin-to-safe.md",
        environ=environ,
        names=names,
        folder=tmp_path,
        sign_with_safe=chain.sign_with_safe,
    ) as runbook:
        runbook.section("Begin")
        runbook.section("Undo")
        runbook.section("Begin")
        chain.wait(DELAY + 1)
        runbook.section("Accept")


# ----------------------------------------------------------------------- how runbooks are exercised

STEP = """## Stop

1. First.

   ```sh
   vouchers pause --from $PAUSER \\
     --dry-run
   ```
   ```text
   Pause: …
   … (nothing else)
   ```
"""


def test_a_runbook_is_read_step_by_step() -> None:
    (step,) = read(STEP)
    assert isinstance(step, Step)
    assert step.section == "Stop"
    assert step.line == 6
    assert step.command == "vouchers pause --from $PAUSER --dry-run"
    assert step.expected == ("Pause: …", "… (nothing else)")
    assert step.exit_code == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("```sh", "```bash"), "line 6: mark commands as `sh`"),
        (("```sh", "```"), "line 6: mark commands as `sh`"),
        (("```text", "```json"), "line 6: say in a `text` fence"),
        ((" \\\n", "\n"), "line 6: one command to a fence"),
        (("vouchers", "rm"), "line 6: only `vouchers` commands"),
        (("Pause: …\n   … (nothing else)", "…"), "expects nothing"),
    ],
)
def test_a_runbook_whose_commands_would_escape_is_refused(
    change: tuple[str, str], problem: str
) -> None:
    old, new = change
    assert STEP.count(old) >= 1
    with pytest.raises(AssertionError, match=problem):
        read(STEP.replace(old, new))


@pytest.mark.parametrize(
    ("expected", "lost"),
    [
        (("a", "c"), None),
        (("a…z", "c"), "a…z"),
        (("c", "a"), "a"),
        (("b…e",), None),
        (("b.d",), "b.d"),
    ],
)
def test_expected_lines_are_looked_for_in_order(
    expected: tuple[str, ...], lost: str | None
) -> None:
    assert missing(expected, "a\nb d e\nc\n") == lost


PAUSING = """## Stop
```sh
vouchers pause --from $ADMIN
```
```text
%s
```
## Look
```sh
vouchers verify
```
```text
· paused: yes
```
"""


@pytest.mark.parametrize("expected", ["Unpause", "Error: the contract is paused"])
def test_a_promise_that_is_not_kept_is_found(chain: Chain, tmp_path: Path, expected: str) -> None:
    environ = _contract(chain, chain.people.admin)
    names = {"ADMIN": chain.people.admin}
    runbook = Exercise(PAUSING % expected, environ=environ, names=names, folder=tmp_path)
    with pytest.raises(AssertionError, match=r"line 3: vouchers pause"):
        runbook.section("Stop")


def test_what_is_handed_over_is_signed_and_what_is_left_out_is_told(
    chain: Chain, tmp_path: Path
) -> None:
    environ = _contract(chain, chain.people.admin)
    names = {"ADMIN": chain.people.admin}
    runbook = Exercise(PAUSING % "Pause", environ=environ, names=names, folder=tmp_path)
    runbook.section("Stop")
    assert runbook.left_out() == ["vouchers verify"]
    runbook.section("Look")
    assert runbook.left_out() == []
