"""`vouchers verify`, on a real local chain: what it finds, and who tries to fool it."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import rlp
from click.testing import CliRunner, Result
from web3 import HTTPProvider, Web3

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.order_hash import keccak256
from ops import anvil
from ops.cli.bootstrap import Tools, system_tools
from ops.cli.main import cli
from ops.deploy_local import LocalChain
from ops.onchain.artefact import abi
from ops.onchain.deployment import PROXY, DeploymentPlan, runtime_code
from ops.onchain.errors import NodeFailed
from ops.onchain.logs import Log
from ops.onchain.node import Node
from ops.onchain.roles import Role
from ops.seed.files import CATALOGUE_FILE
from tests.ops.test_onchain_commands import ADMIN, MINTER, NEXT, PAUSER, STRANGER, URI, Line

DELAY = 2 * 86_400
DAY = 86_400
SALTS = count(1)
ROLE_GRANTED = keccak256(b"RoleGranted(bytes32,address,address)")
ROLES_SLOT, ADMIN_SLOT = 5, 7
"""Of the contract's storage: `_roles` and `_currentDefaultAdmin` (docs/contract.md)."""


class Verify:
    """`vouchers verify` over one contract's settings, through endpoints that may be fakes.

    `endpoints` maps the URLs of RPC_URLS to what is opened for them.
    """

    def __init__(self, environ: dict[str, str], *, salt: str) -> None:
        self.environ = dict(environ)
        self.salt = salt
        self.endpoints: dict[str, Callable[[], Node]] = {}

    def __call__(self, *args: str, exit_code: int = 0, tools: Tools | None = None) -> Result:
        result = CliRunner().invoke(cli, ["verify", *args], obj=tools or self.tools())
        assert result.exit_code == exit_code, result.output
        return result

    def tools(self) -> Tools:
        tools = system_tools(self.environ)
        if not self.endpoints:
            return tools
        return replace(tools, open_node=lambda url, _timeout: self.endpoints[url]())

    def through(self, **endpoints: Callable[[], Node]) -> None:
        """Ask these endpoints, in this order; each answers as `<name>.example`."""
        self.endpoints = {f"http://{name}.example": node for name, node in endpoints.items()}
        self.environ["RPC_URLS"] = ",".join(self.endpoints)

    def told(self, *args: str, exit_code: int = 0) -> dict[str, tuple[bool | None, str]]:
        """All verdicts by name."""
        said = self("--salt", self.salt, *args, "--json", exit_code=exit_code).stdout
        return {one["check"]: (one["ok"], one["found"]) for one in json.loads(said)}

    def wrong(self, *args: str) -> dict[str, str]:
        """What is wrong, by name; there has to be something."""
        told = self.told(*args, exit_code=1)
        return {check: found for check, (ok, found) in told.items() if ok is False}

    def refused(self, *args: str) -> str:
        """Refused with one sentence, and nothing on standard output."""
        result = self("--salt", self.salt, *args, exit_code=1)
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        return result.stderr


class Endpoint(Node):
    """The real chain, told as somebody wants it told."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        keeps: Callable[[Log], bool] = lambda _log: True,
    ) -> None:
        super().__init__(url, timeout=10.0)
        self.name = name
        self._keeps = keeps

    def logs(self, *args: Any, **kwargs: Any) -> Iterator[Log]:
        return filter(self._keeps, super().logs(*args, **kwargs))


def _settings(rpc_url: str, contract: str, block: int) -> dict[str, str]:
    return {
        "CHAIN_ID": str(anvil.CHAIN_ID),
        "RPC_URLS": rpc_url,
        "CONTRACT_ADDRESS": contract,
        "DEPLOY_BLOCK": str(block),
    }


def _set_up(environ: dict[str, str]) -> None:
    """Roles and one voucher type."""
    line = Line(environ)
    line("role", "grant", "MINTER", MINTER, "--from", ADMIN, "--local")
    line("role", "grant", "PAUSER", PAUSER, "--from", ADMIN, "--local")
    line("type", "create", "1001", "--max-supply", "9", "--uri", URI, "--from", ADMIN, "--local")


def _deployed(rpc_url: str, delay: int = DELAY) -> Verify:
    """A contract of its own, with nothing set up."""
    plan = DeploymentPlan(admin=ADMIN, admin_delay=delay, salt=next(SALTS).to_bytes(32, "big"))
    receipt = Node(rpc_url, timeout=10.0).send(plan.call, sender=STRANGER)
    settings = _settings(rpc_url, plan.address, receipt.block)
    return Verify(settings, salt="0x" + plan.salt.hex())


@pytest.fixture
def verify(rpc_url: str) -> Verify:
    made = _deployed(rpc_url)
    _set_up(made.environ)
    return made


def _contract(web3: Web3, verify: Verify) -> Any:
    address = Web3.to_checksum_address(verify.environ["CONTRACT_ADDRESS"])
    return web3.eth.contract(address=address, abi=abi())


def _sent(web3: Web3, call: Any, sender: str) -> None:
    assert web3.eth.wait_for_transaction_receipt(call.transact({"from": sender}))["status"] == 1


def _wait(web3: Web3, seconds: int) -> None:
    for method, parameters in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
        web3.provider.make_request(method, parameters)  # type: ignore[arg-type]


def _admin_moved(web3: Web3, verify: Verify) -> None:
    functions = _contract(web3, verify).functions
    _sent(web3, functions.beginDefaultAdminTransfer(NEXT), ADMIN)
    _wait(web3, DELAY + 1)
    _sent(web3, functions.acceptDefaultAdminTransfer(), NEXT)


def _set_code(web3: Web3, verify: Verify, code: bytes) -> None:
    parameters = [verify.environ["CONTRACT_ADDRESS"], "0x" + code.hex()]
    web3.provider.make_request("anvil_setCode", parameters)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ what is right


def test_nothing_is_wrong_with_what_was_set_up(verify: Verify, tmp_path: Path) -> None:
    catalogue = json.loads(CATALOGUE_FILE.read_text("utf-8"))
    catalogue["types"] = [kind for kind in catalogue["types"] if kind["tokenId"] == 1001]
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(catalogue), "utf-8")
    told = verify.told(
        *("--admin", ADMIN, "--minter", MINTER, "--pauser", PAUSER, "--catalog", str(file))
    )
    assert told["bytecode"] == (True, "what the committed source compiles to")
    assert told["creation"] == (
        True,
        f"made by the committed creation code (admin {ADMIN}, delay {DELAY} s, salt {verify.salt})",
    )
    assert told["role history"] == (None, "4 events, told by 127.0.0.1 alone")
    assert told["ADMIN_ROLE"] == (True, ADMIN)
    assert told["pending admin"] == (True, "none")
    assert told["admin delay"] == (None, f"{DELAY} s")
    assert told["pending admin delay"] == (True, "none")
    assert told["type 1001"] == (True, f"enabled, minted 0 of 9, redeemed 0, {URI}")
    assert told["paused"] == (None, "no")


def test_what_nothing_was_said_about_is_only_told(verify: Verify) -> None:
    told = verify.told()
    assert {check for check, (ok, _) in told.items() if ok} == {"bytecode", "creation"}
    assert told["MINTER_ROLE"] == (None, MINTER)


def test_each_thing_that_is_wrong_is_told(verify: Verify) -> None:
    Line(verify.environ)("type", "disable", "1001", "--from", ADMIN, "--local")
    wrong = verify.wrong("--admin", NEXT, "--minter", NEXT, "--catalog", str(CATALOGUE_FILE))
    assert wrong["ADMIN_ROLE"] == f"{ADMIN}, expected {NEXT}"
    assert wrong["MINTER_ROLE"] == f"{MINTER}; expected {NEXT}"
    assert wrong["type 1001"].startswith("disabled")
    assert wrong["type 2001"] == "in the catalogue, never created"


# ------------------------------------------------------------------------------- code and creation


def test_another_contract_is_not_taken_for_ours(verify: Verify, web3: Web3) -> None:
    code = bytearray(_code(web3, verify))
    code[-1] ^= 1
    _set_code(web3, verify, bytes(code))
    assert verify.wrong() == {"bytecode": "another contract's"}


def _code(web3: Web3, verify: Verify) -> bytes:
    address = Web3.to_checksum_address(verify.environ["CONTRACT_ADDRESS"])
    return bytes(web3.eth.get_code(address))


def test_the_code_belongs_to_this_chain_and_address(verify: Verify, rpc_url: str) -> None:
    """Its immutables hold the EIP-712 domain that signatures are checked against."""
    other = _deployed(rpc_url)
    web3 = Web3(HTTPProvider(rpc_url))
    assert _code(web3, verify) == runtime_code(31337, verify.environ["CONTRACT_ADDRESS"])
    for code in (
        _code(web3, other),
        runtime_code(56, verify.environ["CONTRACT_ADDRESS"]),
    ):
        _set_code(web3, verify, code)
        assert verify.wrong() == {"bytecode": "another contract's"}


def _forged(web3: Web3, rpc_url: str) -> Verify:
    """The genuine code, put there by a constructor that tells what the genuine one would, and
    makes a minter in silence."""
    nonce = web3.eth.get_transaction_count(Web3.to_checksum_address(STRANGER))
    preimage: bytes = rlp.encode([bytes.fromhex(STRANGER[2:]), nonce])
    address = Web3.to_checksum_address(keccak256(preimage)[12:].hex())
    admin = _word(ADMIN)
    init = b"".join(
        (
            _stored(_member(bytes(32), ADMIN), (1).to_bytes(32, "big")),
            _stored(ADMIN_SLOT.to_bytes(32, "big"), admin),
            _stored(_member(Role.MINTER.identifier, STRANGER), (1).to_bytes(32, "big")),
            *(b"\x7f" + topic for topic in (_word(PROXY), admin, bytes(32), ROLE_GRANTED)),
            b"\x5f\x5f\xa4",  # an event without data, of four topics
        )
    )
    code = runtime_code(anvil.CHAIN_ID, address)
    length, start = len(code), len(init) + 13
    returned = b"\x62%b\x80\x62%b\x5f\x39\x5f\xf3" % (
        length.to_bytes(3, "big"),
        start.to_bytes(3, "big"),
    )
    fields: Any = {"from": STRANGER, "data": "0x" + (init + returned + code).hex()}
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction(fields))
    assert receipt["status"] == 1
    assert receipt["contractAddress"] == address
    return Verify(_settings(rpc_url, address, receipt["blockNumber"]), salt="0x" + "00" * 32)


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _member(role: bytes, account: str) -> bytes:
    """The slot that says whether an account holds a role."""
    members = keccak256(role + ROLES_SLOT.to_bytes(32, "big"))
    return keccak256(_word(account) + members)


def _stored(slot: bytes, value: bytes) -> bytes:
    return b"\x7f" + value + b"\x7f" + slot + b"\x55"


def test_a_minter_hidden_by_another_constructor_is_found_out(web3: Web3, rpc_url: str) -> None:
    verify = _forged(web3, rpc_url)
    functions = _contract(web3, verify).functions
    assert functions.hasRole(Role.MINTER.identifier, STRANGER).call() is True
    wrong = verify.wrong("--admin", ADMIN)
    assert set(wrong) == {"creation"}
    assert wrong["creation"] == (
        f"cannot be proven: the committed creation code with admin {ADMIN}, delay 0 or 172800 s"
        f" and salt {verify.salt} makes another address; give --salt and --admin-delay of the"
        " deployment"
    )


def test_the_salt_has_to_be_the_deployments(verify: Verify) -> None:
    verify.salt = "0x" + "00" * 32
    assert "give --salt and --admin-delay" in verify.wrong()["creation"]


def test_the_first_delay_has_to_be_given_once_it_changed(rpc_url: str, web3: Web3) -> None:
    verify = _deployed(rpc_url, delay=DAY + 60)
    assert verify.told()["creation"][0] is True
    _sent(web3, _contract(web3, verify).functions.changeDefaultAdminDelay(DAY), ADMIN)
    _wait(web3, DAY)
    wrong = verify.wrong()["creation"]
    assert f"delay {DAY} or 172800 s" in wrong
    assert verify.told("--admin-delay", str(DAY + 60))["creation"][0] is True
    assert f"delay {DAY} s" in verify.wrong("--admin-delay", str(DAY))["creation"]


def test_creation_is_proven_after_the_admin_moved(verify: Verify, web3: Web3) -> None:
    _admin_moved(web3, verify)
    told = verify.told("--admin", NEXT)
    assert told["creation"][0] is True
    assert f"admin {ADMIN}" in told["creation"][1]


def test_a_plain_creation_cannot_be_proven(rpc_url: str) -> None:
    deployed = LocalChain(rpc_url).deploy(anvil.KEYS[0], minter=MINTER)
    settings = _settings(rpc_url, deployed.address, deployed.block)
    assert Verify(settings, salt="0x" + "00" * 32).wrong() == {
        "creation": f"cannot be proven: {ADMIN} created it, not the deterministic deployment proxy"
    }


# -------------------------------------------------------------------------------------- the events


def test_a_deploy_block_that_is_too_late_is_refused(verify: Verify, web3: Web3) -> None:
    verify.environ["DEPLOY_BLOCK"] = str(int(verify.environ["DEPLOY_BLOCK"]) + 1)
    told = verify.refused()
    assert "the events that 127.0.0.1 tells do not begin with the deployment" in told
    assert "check DEPLOY_BLOCK, or ask another node" in told
    verify.environ["DEPLOY_BLOCK"] = str(web3.eth.block_number)
    _admin_moved(web3, verify)
    assert "do not begin with the deployment" in verify.refused()


def test_a_deploy_block_that_is_not_there_yet_is_refused(verify: Verify, web3: Web3) -> None:
    head = web3.eth.block_number
    verify.environ["DEPLOY_BLOCK"] = str(head + 1)
    told = verify.refused()
    assert f"DEPLOY_BLOCK is {head + 1}, the newest block of 127.0.0.1 is {head}" in told


def test_an_endpoint_that_forgot_all_events_is_refused(verify: Verify, rpc_url: str) -> None:
    verify.through(pruned=lambda: Endpoint(rpc_url, "pruned", keeps=lambda _log: False))
    assert "the events that pruned tells do not begin with the deployment" in verify.refused()


def test_an_endpoint_that_forgot_the_first_events_is_refused(verify: Verify, rpc_url: str) -> None:
    first = int(verify.environ["DEPLOY_BLOCK"])
    verify.through(pruned=lambda: Endpoint(rpc_url, "p", keeps=lambda log: log.block > first))
    assert "do not begin with the deployment" in verify.refused()


def test_an_admin_that_the_events_do_not_tell_of_is_wrong(
    verify: Verify, rpc_url: str, web3: Web3
) -> None:
    _admin_moved(web3, verify)
    moved = web3.eth.block_number
    assert verify.told("--admin", NEXT)["ADMIN_ROLE"] == (True, NEXT)
    verify.through(liar=lambda: Endpoint(rpc_url, "liar", keeps=lambda log: log.block < moved))
    assert verify.wrong("--admin", NEXT) == {
        "ADMIN_ROLE by events": f"{ADMIN} by the events, {NEXT} by name"
    }


def test_a_holder_by_events_has_to_hold_the_role_by_name(verify: Verify, rpc_url: str) -> None:
    Line(verify.environ)("role", "revoke", "MINTER", MINTER, "--from", ADMIN, "--local")
    verify.through(
        liar=lambda: Endpoint(rpc_url, "liar", keeps=lambda log: log.event != "RoleRevoked")
    )
    assert verify.wrong() == {
        "MINTER_ROLE by name": f"{MINTER} held it by the events, and does not"
    }


def _without_minter(log: Log) -> bool:
    return bool(log.arguments.get("account") != MINTER)


@pytest.mark.parametrize("liar_first", [True, False])
def test_two_endpoints_that_disagree_are_both_named(
    verify: Verify, rpc_url: str, *, liar_first: bool
) -> None:
    endpoints = {
        "liar": lambda: Endpoint(rpc_url, "liar", keeps=_without_minter),
        "good": lambda: Endpoint(rpc_url, "good"),
    }
    order: Iterable[str] = ("liar", "good") if liar_first else ("good", "liar")
    verify.through(**{name: endpoints[name] for name in order})
    said = (
        "liar tells 3 events, good tells 4" if liar_first else "good tells 4 events, liar tells 3"
    )
    assert verify.wrong() == {"role history": said}


def test_two_endpoints_that_tell_as_many_other_events_disagree(
    verify: Verify, rpc_url: str
) -> None:
    verify.through(
        one=lambda: Endpoint(rpc_url, "one", keeps=_without_minter),
        two=lambda: Endpoint(
            rpc_url, "two", keeps=lambda log: bool(log.arguments.get("account") != PAUSER)
        ),
    )
    assert verify.wrong() == {
        "role history": "one tells 3 events, two tells 3, and they are not the same"
    }


def test_two_endpoints_that_agree_are_told(verify: Verify, rpc_url: str) -> None:
    never_asked = Endpoint(rpc_url, "three", keeps=lambda _log: False)
    verify.through(
        one=lambda: Endpoint(rpc_url, "one"),
        two=lambda: Endpoint(rpc_url, "two"),
        three=lambda: never_asked,
    )
    assert verify.told()["role history"] == (True, "4 events, told alike by one and two")


@pytest.mark.parametrize("down", ["one", "two"])
def test_an_endpoint_that_is_down_is_replaced_by_the_next(
    verify: Verify, rpc_url: str, down: str
) -> None:
    def opened(name: str) -> Callable[[], Node]:
        return lambda: (
            Node("http://127.0.0.1:1", timeout=1.0) if name == down else Endpoint(rpc_url, name)
        )

    verify.through(one=opened("one"), two=opened("two"), three=opened("three"))
    first, second = (name for name in ("one", "two", "three") if name != down)
    told = f"4 events, told alike by {first} and {second}"
    assert verify.told()["role history"] == (True, told)
    verify.through(one=opened("one"), two=opened("two"))
    assert verify.told()["role history"] == (None, f"4 events, told by {first} alone")


class NoLogs(Endpoint):
    """It answers, and refuses to tell logs, as several public endpoints do."""

    def logs(self, *args: Any, **kwargs: Any) -> Iterator[Log]:
        raise NodeFailed(f"{self.name} refuses to tell logs, even of one block")


def test_a_second_endpoint_without_logs_is_told(verify: Verify, rpc_url: str) -> None:
    verify.through(one=lambda: Endpoint(rpc_url, "one"), two=lambda: NoLogs(rpc_url, "two"))
    told = "4 events, told by one alone: two refuses to tell logs, even of one block"
    assert verify.told()["role history"] == (None, told)
    verify.through(two=lambda: NoLogs(rpc_url, "two"), one=lambda: Endpoint(rpc_url, "one"))
    assert "two refuses to tell logs" in verify.refused()


# --------------------------------------------------------------------------- the admin to come


def test_a_pending_admin_has_to_be_the_one_named(verify: Verify, web3: Web3) -> None:
    functions = _contract(web3, verify).functions
    named = ("--admin", ADMIN, "--pending-admin", NEXT)
    assert verify.wrong(*named)["pending admin"] == f"none; expected {NEXT}"
    _sent(web3, functions.beginDefaultAdminTransfer(NEXT), ADMIN)
    ok, told = verify.told()["pending admin"]
    assert ok is None
    assert told.startswith(f"{NEXT}, can accept after 20")
    wrong = verify.wrong("--admin", ADMIN)
    assert set(wrong) == {"pending admin"}
    assert wrong["pending admin"].endswith("; expected none")
    assert verify.told(*named)["pending admin"] == (True, told)
    another = verify.wrong("--pending-admin", STRANGER)["pending admin"]
    assert another == f"{told}; expected {STRANGER}"


def test_a_pending_delay_has_to_be_the_one_named(verify: Verify, web3: Web3) -> None:
    functions = _contract(web3, verify).functions
    named = ("--admin", ADMIN, "--pending-admin-delay", str(DAY))
    assert verify.wrong(*named)["pending admin delay"] == f"none; expected {DAY} s"
    _sent(web3, functions.changeDefaultAdminDelay(DAY), ADMIN)
    ok, told = verify.told()["pending admin delay"]
    assert ok is None
    assert told.startswith(f"{DAY} s from 20")
    assert verify.wrong("--admin", ADMIN) == {"pending admin delay": f"{told}; expected none"}
    assert verify.told(*named)["pending admin delay"] == (True, told)
    another = verify.wrong("--pending-admin-delay", "90000")
    assert another == {"pending admin delay": f"{told}; expected 90000 s"}


def test_a_delay_that_is_too_short_is_wrong_on_a_public_chain() -> None:
    plan = DeploymentPlan(admin=ADMIN, admin_delay=DAY - 1, salt=bytes(32))
    with anvil.start(chain_id=97) as testnet:
        web3 = Web3(HTTPProvider(testnet.rpc_url))
        fields: Any = {"from": STRANGER, "to": plan.call.to, "data": plan.call.data}
        web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction(fields))
        settings = _settings(testnet.rpc_url, plan.address, 1) | {"CHAIN_ID": "97"}
        verify = Verify(settings, salt="0x" + "00" * 32)
        assert verify.wrong() == {"admin delay": f"{DAY - 1} s, at least {DAY} on a public chain"}
        _sent(web3, _contract(web3, verify).functions.changeDefaultAdminDelay(DAY), ADMIN)
        _wait(web3, 5 * DAY)
        assert verify.told("--admin-delay", str(DAY - 1))["admin delay"] == (None, f"{DAY} s")
        _sent(web3, _contract(web3, verify).functions.changeDefaultAdminDelay(0), ADMIN)
        wrong = verify.wrong("--admin-delay", str(DAY - 1), "--pending-admin-delay", "0")
        assert set(wrong) == {"pending admin delay"}
        assert wrong["pending admin delay"].endswith(f", at least {DAY} on a public chain")


def test_a_short_delay_is_only_told_on_the_local_chain(rpc_url: str) -> None:
    assert _deployed(rpc_url, delay=0).told()["admin delay"] == (None, "0 s")


# ---------------------------------------------------------------------------- types and catalogue


def test_what_the_chain_says_cannot_steer_the_terminal(verify: Verify, web3: Web3) -> None:
    uri = "https://x/\x1b[2K\r✓ all is well\n\u202e"
    _sent(web3, _contract(web3, verify).functions.setTokenURI(1001, uri), ADMIN)
    said = verify("--salt", verify.salt).stdout
    assert r"https://x/\x1b[2K\r✓ all is well\n\u202e" in said
    assert all(one.isprintable() for one in said.replace("\n", ""))
    assert verify.told()["type 1001"][1].endswith(uri)


def test_a_store_without_a_catalogue_is_told(verify: Verify) -> None:
    tools = replace(
        system_tools(verify.environ | {"STORE": "sql", "DATABASE_URL": "sqlite://"}),
        open_store=lambda _settings: MemoryStore(),
    )
    said = verify("--salt", verify.salt, tools=tools).stdout
    assert "· catalogue: none loaded in the store: types are not compared\n" in said
    assert "· type 1001: " in said


def test_types_that_are_compared_with_nothing_are_told(verify: Verify) -> None:
    assert verify.told()["catalogue"] == (None, "none given: types are not compared")
    assert "catalogue" not in verify.told("--catalog", str(CATALOGUE_FILE), exit_code=1)


def test_a_catalogue_file_that_is_wrong_is_refused(verify: Verify, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text('{"types": [{"tokenId": "x"}]}', "utf-8")
    result = verify("--catalog", str(file), exit_code=1)
    assert result.stdout == ""
    assert "tokenId" in result.stderr


def test_help_says_that_one_endpoint_can_leave_events_out() -> None:
    said = " ".join(CliRunner().invoke(cli, ["verify", "--help"]).stdout.split())
    assert "One endpoint alone can leave events out" in said
