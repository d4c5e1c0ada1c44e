"""The commands on the contract, each on a real local chain: what they send, export and refuse."""

import json
import shlex
import socket
import subprocess
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account
from web3 import HTTPProvider, Web3

from ops import anvil
from ops.cli.bootstrap import system_tools
from ops.cli.main import cli
from ops.onchain.artefact import abi
from ops.onchain.deployment import PROXY
from ops.onchain.exports import safe_checksum
from ops.seed.files import CATALOGUE_FILE

CAST = Path(__file__).parents[2] / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
ADMIN, MINTER, PAUSER, NEXT, STRANGER = (Account.from_key(key).address for key in anvil.KEYS)
A_CONTRACT = PROXY
"""Stands for a Safe where it is only asked whether there is one."""

DELAY = 2 * 86_400
URI = "https://vouchers.example.com/api/v1/metadata/1001"
SALTS = count(1)


class Line:
    """The command line over one contract's settings. `salt` is the deployment's."""

    def __init__(self, environ: Mapping[str, str], salt: str = "0x" + "00" * 32) -> None:
        self.environ = dict(environ)
        self.salt = salt

    def __call__(self, *args: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, args, obj=system_tools(self.environ))
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--json").stdout)

    def refused(self, *args: str) -> str:
        """Refused with one sentence, and nothing on standard output."""
        result = self(*args, exit_code=1)
        assert result.stdout == ""
        return result.stderr

    def verdicts(self, *args: str, exit_code: int = 0) -> dict[str, tuple[bool | None, str]]:
        command = ("verify", "--salt", self.salt, *args, "--json")
        told = json.loads(self(*command, exit_code=exit_code).stdout)
        return {one["check"]: (one["ok"], one["found"]) for one in told}


@pytest.fixture
def bare(rpc_url: str) -> Line:
    """Settings of a chain without our contract."""
    return Line({"CHAIN_ID": str(anvil.CHAIN_ID), "RPC_URLS": rpc_url})


@pytest.fixture
def line(bare: Line) -> Line:
    """A contract of its own for each test, with its roles and one voucher type."""
    salt = "0x" + next(SALTS).to_bytes(32, "big").hex()
    deployed = bare.json(
        *("deploy", "--admin", ADMIN, "--admin-delay", str(DELAY), "--salt", salt),
        *("--from", STRANGER, "--local"),
    )
    made = Line(
        bare.environ
        | {
            "CONTRACT_ADDRESS": deployed["contract"],
            "DEPLOY_BLOCK": str(deployed["deployBlock"]),
        },
        salt,
    )
    made("role", "grant", "MINTER", MINTER, "--from", ADMIN, "--local")
    made("role", "grant", "PAUSER", PAUSER, "--from", ADMIN, "--local")
    made("type", "create", "1001", "--max-supply", "9", "--uri", URI, "--from", ADMIN, "--local")
    return made


def _contract(web3: Web3, line: Line) -> Any:
    address = Web3.to_checksum_address(line.environ["CONTRACT_ADDRESS"])
    return web3.eth.contract(address=address, abi=abi())


# --------------------------------------------------------------------------------------- deploying


def test_deploy_tells_the_address_before_it_is_there(bare: Line, web3: Web3) -> None:
    told = ("deploy", "--admin", ADMIN, "--salt", "0x" + "f1" * 32, "--from", STRANGER)
    planned = bare.json(*told, "--dry-run")
    assert "sent" not in planned
    assert "export" not in planned
    assert web3.eth.get_code(planned["contract"]) == b""
    sent = bare.json(*told, "--local")
    assert sent["contract"] == planned["contract"]
    assert sent["deployBlock"] == sent["sent"][0]["blockNumber"] == web3.eth.block_number
    assert len(web3.eth.get_code(planned["contract"])) > 0
    assert "already" in bare.refused(*told, "--local")


def test_deploy_gives_the_sender_no_right(line: Line) -> None:
    verdicts = line.verdicts("--admin", ADMIN, "--minter", MINTER, "--pauser", PAUSER)
    assert STRANGER not in json.dumps(verdicts)
    assert verdicts["ADMIN_ROLE"] == (True, ADMIN)


def test_deploy_wants_a_day_of_delay_on_a_public_chain(rpc_url: str) -> None:
    line = Line({"CHAIN_ID": "56", "RPC_URLS": rpc_url})
    told = line.refused("deploy", "--admin", ADMIN, "--admin-delay", "3600", "--from", ADMIN)
    assert "at least 86400" in told


def test_deploy_as_safe_is_a_call_of_the_deployment_proxy(bare: Line, web3: Web3) -> None:
    told = ("deploy", "--admin", ADMIN, "--salt", "0x" + "f2" * 32, "--from", A_CONTRACT)
    made = bare.json(*told, "--as", "safe")
    (transaction,) = made["export"]["transactions"]
    assert transaction["to"] == PROXY
    fields: Any = {"from": STRANGER, "to": PROXY, "data": transaction["data"]}
    web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction(fields))
    assert len(web3.eth.get_code(made["contract"])) > 0


def test_deploy_looks_whether_the_admin_is_there() -> None:
    with anvil.start(chain_id=97) as testnet:
        line = Line({"CHAIN_ID": "97", "RPC_URLS": testnet.rpc_url})
        deploy = ("deploy", "--from", STRANGER, "--dry-run", "--admin")
        told = line.refused(*deploy, ADMIN)
        assert f"there is no contract at --admin {ADMIN} on chain 97" in told
        line(*deploy, ADMIN, "--admin-is-key")
        line(*deploy, A_CONTRACT)


def test_deploy_names_a_malformed_salt(bare: Line) -> None:
    told = bare("deploy", "--admin", ADMIN, "--salt", "0x12", "--from", ADMIN, exit_code=2)
    assert "0x12 must be 0x followed by 64 hexadecimal digits" in told.stderr


# ------------------------------------------------------------------------------------ handing over


def _cast(rpc_url: str, command: str) -> None:
    """Run the printed line, with the node's own account in place of the Ledger."""
    words = shlex.split(command)
    assert words[0] == "cast"
    assert words[-1] == "--ledger"
    subprocess.run(
        [CAST, *words[1:-1], "--unlocked", "--rpc-url", rpc_url],
        check=True,
        capture_output=True,
        timeout=60,
    )


def test_the_printed_cast_line_does_what_it_says(line: Line, rpc_url: str, web3: Web3) -> None:
    uri = "https://x/{id}?$HOME=(1)&b;c#d"
    for command in (
        ("type", "create", "1002", "--max-supply", "5", "--uri", uri),
        ("role", "grant", "PAUSER", NEXT),
        ("type", "disable", "1001"),
        ("pause",),
    ):
        (printed,) = line.json(*command, "--from", ADMIN)["export"]
        _cast(rpc_url, printed)
    contract = _contract(web3, line)
    assert contract.functions.uri(1002).call() == uri
    assert contract.functions.voucherType(1002).call()[0] == 5
    assert contract.functions.voucherType(1001).call()[4] is False
    assert contract.functions.paused().call() is True
    assert NEXT in line.verdicts()["PAUSER_ROLE"][1]


def test_the_unsigned_transactions_sign_and_mine(line: Line, web3: Web3) -> None:
    (unsigned,) = line.json("pause", "--from", PAUSER, "--as", "unsigned")["export"]
    del unsigned["serialized"]
    signed = Account.sign_transaction(unsigned, anvil.KEYS[2])
    sent = web3.eth.send_raw_transaction(signed.raw_transaction)
    assert web3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    assert line.verdicts()["paused"] == (None, "yes")


def test_the_safe_file_is_written_whole_with_its_checksum(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "pause.json"
    line("role", "grant", "PAUSER", A_CONTRACT, "--from", ADMIN, "--local")
    said = line("pause", "--from", A_CONTRACT, "--as", "safe", "--out", str(out)).stdout
    batch = json.loads(out.read_text("utf-8"))
    assert str(out) in said
    assert batch["meta"]["checksum"] == safe_checksum(batch)
    assert batch["chainId"] == str(anvil.CHAIN_ID)
    assert batch["meta"]["createdFromSafeAddress"] == A_CONTRACT
    assert batch["transactions"][0]["data"] == "0x8456cb59"
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_cannot_be_written_is_one_sentence(line: Line, tmp_path: Path) -> None:
    told = line.refused("pause", "--from", ADMIN, "--out", str(tmp_path / "missing/pause.sh"))
    assert "cannot be written (No such file or directory)" in told


@pytest.mark.parametrize("there", ["/dev/null", "folder", "link"])
def test_nothing_but_a_file_is_ever_replaced(line: Line, tmp_path: Path, there: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").write_text("kept", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    args = ("pause", "--from", PAUSER, "--out", str(tmp_path / there))
    told = line(*args, exit_code=2 if there == "folder" else 1).stderr
    assert "is a directory" in told or "is there and is not a file; nothing was written" in told
    assert (tmp_path / "kept").read_text("utf-8") == "kept"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "kept", "link"]


def _set_code(web3: Web3, account: str, code: str) -> None:
    web3.provider.make_request("anvil_setCode", [account, code])  # type: ignore[arg-type]


def test_the_form_has_to_be_the_signers(line: Line, web3: Web3) -> None:
    told = line.refused("pause", "--from", PAUSER, "--as", "safe")
    assert f"there is no Safe at {PAUSER} on chain 31337" in told
    line("role", "grant", "PAUSER", A_CONTRACT, "--from", ADMIN, "--local")
    for form in ("cast", "unsigned"):
        told = line.refused("pause", "--from", A_CONTRACT, "--as", form)
        assert "is a contract and cannot sign a transaction: give --as safe" in told
    _set_code(web3, PAUSER, "0xef0100" + "11" * 20)
    line("pause", "--from", PAUSER, "--as", "cast")
    assert "there is no Safe" in line.refused("pause", "--from", PAUSER, "--as", "safe")
    _set_code(web3, PAUSER, "0x")


def test_an_unsigned_transaction_tells_what_it_costs(line: Line, web3: Web3) -> None:
    args = ("pause", "--from", PAUSER, "--as", "unsigned", "--gas-price-gwei", "0.05")
    (unsigned,) = line.json(*args)["export"]
    assert int(unsigned["gasPrice"], 16) == 50_000_000
    most = int(unsigned["gas"], 16) * 50_000_000 / 10**18
    nonce = web3.eth.get_transaction_count(Web3.to_checksum_address(PAUSER))
    assert f"0.05 gwei, at most {most:.6f} BNB in all, nonce {nonce}" in line(*args).stdout


def test_an_absurd_gas_price_is_not_believed() -> None:
    with anvil.start() as dear:
        parameters = [hex(10**15)]
        Web3(HTTPProvider(dear.rpc_url)).provider.make_request(
            "anvil_setNextBlockBaseFeePerGas",  # type: ignore[arg-type]
            parameters,
        )
        line = Line({"CHAIN_ID": str(anvil.CHAIN_ID), "RPC_URLS": dear.rpc_url})
        args = ("deploy", "--admin", ADMIN, "--from", STRANGER, "--as", "unsigned")
        told = line.refused(*args)
        assert "gwei; above 100 it has to be asked for with --gas-price-gwei" in told
        (unsigned,) = line.json(*args, "--gas-price-gwei", "0.1")["export"]
        assert int(unsigned["gasPrice"], 16) == 10**8


def test_a_uri_that_could_steer_a_terminal_is_refused(line: Line) -> None:
    for uri in ("https://x/\x1b[2K", "https://x/\nNothing is wrong.", "x", "", "https://x/ y"):
        told = line("type", "set-uri", "1001", uri, "--from", ADMIN, exit_code=2)
        assert "must be http://, https:// or ipfs://" in told.stderr


def test_calls_are_told_in_words(line: Line) -> None:
    said = line("role", "grant", "MINTER", NEXT, "--from", ADMIN, "--dry-run").stdout
    assert f"Grant MINTER_ROLE to {NEXT}" in said
    assert "grantRole(bytes32,address)" in said
    assert "nothing was produced" in said


def test_a_call_that_would_be_refused_produces_nothing(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = line.refused("unpause", "--from", ADMIN, "--out", str(out))
    assert "the contract is not paused" in told
    told = line.refused("pause", "--from", STRANGER, "--out", str(out))
    assert f"{STRANGER} does not hold PAUSER_ROLE" in told
    assert not out.exists()


def test_local_sending_is_for_the_local_chain_alone() -> None:
    with anvil.start(chain_id=97) as other:
        line = Line({"CHAIN_ID": "97", "RPC_URLS": other.rpc_url})
        args = ("deploy", "--admin", ADMIN, "--admin-is-key", "--from", STRANGER, "--local")
        told = line.refused(*args)
    assert "--local sends on chain 31337 only; nothing was sent" in told


def test_local_sending_needs_an_account_of_the_node(line: Line) -> None:
    unknown = "0x000000000000000000000000000000000000bEEF"
    line("role", "grant", "PAUSER", unknown, "--from", ADMIN, "--local")
    assert f"cannot sign for {unknown}" in line.refused("pause", "--from", unknown, "--local")


# -------------------------------------------------------------------------- types, roles, the admin


def test_a_type_is_created_disabled_enabled_and_renamed(line: Line, web3: Web3) -> None:
    functions = _contract(web3, line).functions
    line("type", "disable", "1001", "--from", ADMIN, "--local")
    assert functions.voucherType(1001).call()[4] is False
    line("type", "enable", "1001", "--from", ADMIN, "--local")
    assert functions.voucherType(1001).call()[4] is True
    line("type", "set-uri", "1001", "https://x/new", "--from", ADMIN, "--local")
    assert functions.uri(1001).call() == "https://x/new"


def test_type_create_refuses_what_cannot_be(line: Line) -> None:
    again = ("type", "create", "1001", "--max-supply", "1", "--uri", URI, "--from", ADMIN)
    assert "the voucher type 1001 was created before" in line.refused(*again)
    zero = ("type", "create", "7", "--max-supply", "0", "--uri", URI, "--from", ADMIN)
    assert "'--max-supply': 0 is not in the range" in line(*zero, exit_code=2).stderr
    assert "there is no voucher type 7" in line.refused("type", "disable", "7", "--from", ADMIN)


def test_rotate_grants_first_and_revokes_once_the_new_holder_is_seen(
    line: Line, rpc_url: str
) -> None:
    rotate = ("role", "rotate", "MINTER", "--old", MINTER, "--new", NEXT, "--from", ADMIN)
    first = line.json(*rotate)
    assert [first["done"], first["steps"][0]["calls"][0]["function"]] == [
        False,
        "grantRole(bytes32,address)",
    ]
    assert line.json(*rotate) == first
    _cast(rpc_url, first["steps"][0]["export"][0])
    assert line.verdicts("--minter", MINTER, "--minter", NEXT)["MINTER_ROLE"][0] is True
    second = line.json(*rotate)
    assert second["steps"][0]["calls"][0]["function"] == "revokeRole(bytes32,address)"
    _cast(rpc_url, second["steps"][0]["export"][0])
    assert line.json(*rotate) == {"done": True, "steps": []}
    assert line.verdicts("--minter", NEXT)["MINTER_ROLE"] == (True, NEXT)


def test_rotate_sends_both_steps_on_a_local_chain(line: Line) -> None:
    done = line.json(
        *("role", "rotate", "pauser", "--old", PAUSER, "--new", NEXT, "--from", ADMIN, "--local")
    )
    assert done["done"] is True
    assert [step["calls"][0]["words"].split()[0] for step in done["steps"]] == ["Grant", "Revoke"]
    assert line.verdicts("--pauser", NEXT)["PAUSER_ROLE"][0] is True


def test_roles_are_neither_granted_nor_revoked_twice(line: Line) -> None:
    told = line.refused("role", "grant", "MINTER", MINTER, "--from", ADMIN)
    assert f"{MINTER} holds MINTER_ROLE already" in told
    told = line.refused("role", "revoke", "MINTER", NEXT, "--from", ADMIN)
    assert f"{NEXT} does not hold MINTER_ROLE" in told
    neither = ("role", "rotate", "MINTER", "--old", STRANGER, "--new", NEXT, "--from", ADMIN)
    assert f"neither {STRANGER} nor {NEXT} holds MINTER_ROLE" in line.refused(*neither, "--local")
    same = ("role", "rotate", "MINTER", "--old", MINTER, "--new", MINTER, "--from", ADMIN)
    assert "the same account" in line.refused(*same)


def test_the_admin_moves_in_two_steps_after_the_delay(line: Line, web3: Web3) -> None:
    assert "no admin transfer was begun" in line.refused("admin", "accept", "--from", NEXT)
    assert "no admin transfer was begun" in line.refused("admin", "cancel", "--from", ADMIN)
    assert "is the admin already" in line.refused("admin", "begin", ADMIN, "--from", ADMIN)
    line("admin", "begin", NEXT, "--from", ADMIN, "--local")
    assert line.verdicts()["pending admin"][1].startswith(NEXT)
    told = line.refused("admin", "accept", "--from", STRANGER)
    assert f"{NEXT} was proposed as admin" in told
    assert "can be accepted after" in line.refused("admin", "accept", "--from", NEXT)
    line("admin", "cancel", "--from", ADMIN, "--local")
    assert line.verdicts()["pending admin"] == (None, "none")
    line("admin", "begin", NEXT, "--from", ADMIN, "--local")
    for method, argument in (("evm_increaseTime", DELAY + 1), ("evm_mine", None)):
        parameters = [] if argument is None else [argument]
        web3.provider.make_request(method, parameters)  # type: ignore[arg-type]
    line("admin", "accept", "--from", NEXT, "--local")
    assert line.verdicts("--admin", NEXT)["ADMIN_ROLE"] == (True, NEXT)


# ----------------------------------------------------------------------------------------- reading


def test_balance_tells_what_an_account_holds(line: Line, web3: Web3) -> None:
    functions = _contract(web3, line).functions
    web3.eth.wait_for_transaction_receipt(
        functions.mint(STRANGER, 1001, 4).transact({"from": MINTER})
    )
    assert line.json("balance", STRANGER)["balances"] == {"1001": 4}
    assert line.json("balance", STRANGER, "--token-id", "5")["balances"] == {"5": 0}


def test_balance_takes_the_stored_catalogues_types(line: Line, tmp_path: Path) -> None:
    line.environ |= {"STORE": "sql", "DATABASE_URL": f"sqlite:///{tmp_path}/vouchers.db"}
    line("store", "migrate")
    assert line.json("balance", STRANGER)["balances"] == {"1001": 0}
    line("catalog", "load", str(CATALOGUE_FILE))
    types = [one["tokenId"] for one in json.loads(CATALOGUE_FILE.read_text("utf-8"))["types"]]
    assert line.json("balance", STRANGER)["balances"] == {str(one): 0 for one in sorted(types)}


# ------------------------------------------------------------------------------------------ faults


def test_a_wrong_chain_is_refused_in_one_sentence(line: Line) -> None:
    line.environ["CHAIN_ID"] = "56"
    told = line.refused("pause", "--from", PAUSER, "--local")
    assert "serves chain 31337, CHAIN_ID is 56; nothing was done" in told


def test_a_missing_contract_is_refused_in_one_sentence(line: Line) -> None:
    line.environ["CONTRACT_ADDRESS"] = STRANGER
    told = line.refused("pause", "--from", PAUSER)
    assert f"there is no contract at CONTRACT_ADDRESS {STRANGER} on chain 31337" in told


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_an_rpc_that_is_down_is_one_sentence_without_its_url(line: Line) -> None:
    line.environ["RPC_URLS"] = f"http://127.0.0.1:{_closed_port()}/secret-key"
    told = line.refused("pause", "--from", PAUSER)
    assert told == "Error: 127.0.0.1 cannot be reached (ConnectionError); nothing was done\n"


def test_the_next_rpc_is_taken_where_one_is_down(line: Line) -> None:
    line.environ["RPC_URLS"] = f"http://127.0.0.1:{_closed_port()},{line.environ['RPC_URLS']}"
    assert "Pause" in line("pause", "--from", PAUSER, "--dry-run").stdout


def test_missing_settings_are_all_named(bare: Line) -> None:
    told = Line({})("pause", "--from", PAUSER, exit_code=2).stderr
    for name in ("CHAIN_ID", "RPC_URLS", "CONTRACT_ADDRESS", "DEPLOY_BLOCK"):
        assert f"{name}: is required" in told
    assert "STORE" not in told


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("0x12", "must be 0x followed by 40 hexadecimal digits"),
        ("0x" + "00" * 20, "must not be the zero address"),
        (ADMIN.replace("F", "f", 1), "has a wrong EIP-55 checksum"),
    ],
)
def test_a_malformed_address_names_its_rule(line: Line, given: str, rule: str) -> None:
    told = line("role", "grant", "MINTER", given, "--from", ADMIN, exit_code=2).stderr
    assert rule in told
