"""Portal, listener, API and command line know the contract that the committed artefact describes.

Each check below compares one of them with an artefact. With the committed one it has to hold; with
a copy in which something was changed it has to fail, which shows that the check can.
"""

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.abi import (
    abi_to_signature,
    event_abi_to_log_topic,
    function_abi_to_4byte_selector,
    get_abi_input_types,
)

from chalicelib.api.schemas import CallOrder
from chalicelib.api.views import call_order
from chalicelib.domain.order_hash import (
    EIP712_NAME,
    EIP712_VERSION,
    ORDER_TYPEHASH,
    keccak256,
)
from chalicelib.domain.orders import new_order
from chalicelib.usecases.scan import LONGEST_ORDER_SECONDS
from listener_fn import books, decoding
from ops import anvil
from ops.deploy_local import LocalChain
from ops.onchain import reverts, roles

REPOSITORY = Path(__file__).resolve().parents[2]
ARTEFACT = "contracts/abi/FiveSOfficeVouchers.json"
Artefact = dict[str, Any]

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
CUSTOMER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ORDER = new_order(
    order_id="ORD_20261121_7KQ2M9XVB4TRWZ3HCD5N",
    customer=CUSTOMER,
    token_id=1001,
    amount=2,
    site_id="HCM_ROX_T09",
    created_at=1_795_253_400,
    expires_at=1_795_255_200,
    request_id="r",
)

NOT_MET_BY_THE_PORTAL = {
    # of the admin's, minter's and pauser's functions
    *("AccessControlBadConfirmation", "AccessControlEnforcedDefaultAdminDelay"),
    *("AccessControlEnforcedDefaultAdminRules", "AccessControlInvalidDefaultAdmin"),
    *("AccessControlUnauthorizedAccount", "BatchAlreadyMinted", "BatchIdMismatch"),
    *("ERC1155InvalidReceiver", "ExpectedPause", "MaxSupplyExceeded"),
    *("SafeCastOverflowedUintDowncast", "VoucherTypeExists", "ZeroMaxSupply"),
    # of transfers, of approvals, of redeemOrderBySig
    *("ERC1155InvalidApprover", "ERC1155InvalidArrayLength", "ERC1155InvalidOperator"),
    *("ERC1155InvalidSender", "ERC1155MissingApprovalForAll", "InvalidSignature"),
    # only of a hash that hashes to zero, and of the constructor
    *("ZeroOrderHash", "InvalidShortString", "StringTooLong"),
}
"""Errors that `redeemOrder` cannot revert with; for every other one the portal has words."""

COPIES = {
    "listener_fn/books.py": {"redemptionCount()", "redeemed(uint256)"},
    "listener_fn/decoding.py": {"VoucherRedeemed(address,uint256,uint256,bytes32,uint256)"},
    "frontends/tests/later-proof.test.ts": {
        "VoucherRedeemed(address,uint256,uint256,bytes32,uint256)"
    },
    "frontends/tests/portal-signing.test.ts": {"OrderExpired(uint64)"},
    "frontends/tests/wallet.test.ts": {
        "redeemOrder((bytes32,address,uint256,uint256,bytes32,uint64),bytes32)",
        "balanceOfBatch(address[],uint256[])",
        "ERC1155InsufficientBalance(address,uint256,uint256,uint256)",
        "OrderExpired(uint64)",
    },
}
"""Where a part of the ABI is written out by hand: the listener's, which is checked here, and what
the portal's own tests expect of it, made with `cast`."""

SOURCES = ("chalicelib", "listener_fn", "ops", "infra", "frontends")
SUFFIXES = {".py", ".ts", ".mjs", ".js", ".sh", ".json", ".html"}


@pytest.fixture(scope="module")
def committed() -> Artefact:
    artefact: Artefact = json.loads((REPOSITORY / ARTEFACT).read_text("utf-8"))
    return artefact


# ------------------------------------------------------------------------------- reading an ABI


def entries(artefact: Artefact, kind: str) -> dict[str, dict[str, Any]]:
    """The ABI's entries of one kind, by name."""
    return {item["name"]: item for item in artefact["abi"] if item["type"] == kind}


def selector(entry: Mapping[str, Any]) -> str:
    """First four bytes of calldata, or of revert data."""
    as_function: Any = {**entry, "type": "function"}
    return "0x" + function_abi_to_4byte_selector(as_function).hex()


def topic(event: Any) -> str:
    """The event's first topic."""
    return "0x" + event_abi_to_log_topic(event).hex()


def calldata(function: Any, *values: object) -> str:
    """A call, encoded by a general encoder; mappings are tuples by name."""
    arranged = [
        _arranged(parameter, value)
        for parameter, value in zip(function["inputs"], values, strict=True)
    ]
    return selector(function) + encode(get_abi_input_types(function), arranged).hex()


def _arranged(parameter: Mapping[str, Any], value: Any) -> object:
    if parameter["type"] == "tuple":
        return tuple(_arranged(part, value[part["name"]]) for part in parameter["components"])
    return bytes.fromhex(value[2:]) if parameter["type"] == "bytes32" else value


# ------------------------------------------------------------------------------------ listener


def check_listener(artefact: Artefact) -> None:
    """A log laid out as the ABI says is decoded to what was put in; so is the count."""
    event = entries(artefact, "event")["VoucherRedeemed"]
    given: dict[str, Any] = {
        "user": CUSTOMER,
        "tokenId": 1001,
        "amount": 2,
        "orderHash": bytes.fromhex("5a" * 32),
        "serial": 7,
    }
    assert event["anonymous"] is False
    assert {item["name"] for item in event["inputs"]} == given.keys()
    words = {
        item["name"]: encode([item["type"]], [given[item["name"]]]).hex()
        for item in event["inputs"]
    }
    indexed = [item["name"] for item in event["inputs"] if item["indexed"]]
    in_data = [item["name"] for item in event["inputs"] if not item["indexed"]]
    log = {
        "address": CONTRACT.lower(),
        "topics": [topic(event), *("0x" + words[name] for name in indexed)],
        "data": "0x" + "".join(words[name] for name in in_data),
        "blockHash": "0x" + "aa" * 32,
        "blockNumber": "0x10",
        "blockTimestamp": "0x6b01732d",
        "transactionHash": "0x" + "bb" * 32,
        "logIndex": "0x3",
    }
    (burn,) = decoding.burns([log], contract=CONTRACT.lower(), first=0, last=99, times={})
    assert (burn.user, burn.token_id, burn.amount) == (CUSTOMER, 1001, 2)
    assert (burn.order_hash, burn.serial) == ("0x" + "5a" * 32, 7)
    count = entries(artefact, "function")["redemptionCount"]
    assert selector(count) == books.COUNT_SELECTOR
    assert [item["type"] for item in count["outputs"]] == ["uint256"]


# ----------------------------------------------------------------------------- API and back end


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys artefacts on a local chain."""

    chain: LocalChain

    def functions(self, artefact: Artefact) -> Any:
        """The functions of what the artefact's bytecode deploys, by the artefact's ABI."""
        eth = self.chain.web3.eth
        factory = eth.contract(abi=artefact["abi"], bytecode=artefact["bytecode"])
        admin = Account.from_key(anvil.KEYS[0]).address
        receipt = self.chain.send(anvil.KEYS[0], factory.constructor(admin, 0))
        return eth.contract(address=receipt["contractAddress"], abi=artefact["abi"]).functions


@pytest.fixture(scope="module")
def deployer() -> Iterator[Deployer]:
    with anvil.start() as running:
        yield Deployer(LocalChain(running.rpc_url))


def check_api(artefact: Artefact) -> None:
    """What the API answers as `order` is the tuple that both redeeming functions take."""
    answered = [field.alias for field in CallOrder.model_fields.values()]
    for name in ("redeemOrder", "redeemOrderBySig", "orderHashOf"):
        order = entries(artefact, "function")[name]["inputs"][0]
        assert [part["name"] for part in order["components"]] == answered
        types = [part["type"] for part in order["components"]]
        assert types == ["bytes32", "address", "uint256", "uint256", "bytes32", "uint64"]


def check_back_end(artefact: Artefact, deployer: Deployer) -> None:
    """Type hash, EIP-712 domain, order hash, lifetime and roles are the deployed contract's."""
    functions = deployer.functions(artefact)
    assert functions.ORDER_TYPEHASH().call() == ORDER_TYPEHASH
    fields, name, version, chain_id, _, salt, extensions = functions.eip712Domain().call()
    assert (name, version) == (EIP712_NAME, EIP712_VERSION)
    assert (fields, chain_id, salt, extensions) == (b"\x0f", anvil.CHAIN_ID, bytes(32), [])
    order = call_order(ORDER).model_dump(by_alias=True)
    assert "0x" + functions.orderHashOf(order).call().hex() == ORDER.order_hash
    assert functions.MAX_ORDER_LIFETIME().call() == LONGEST_ORDER_SECONDS
    for role in roles.Role:
        assert functions[role.value]().call() == role.identifier
    assert "0x" + functions[roles.ADMIN_ROLE]().call().hex() in roles.NAMES


# -------------------------------------------------------------------------------- command line


def check_command_line(artefact: Artefact) -> None:
    """Every error has a sentence that names only what the error tells."""
    errors = entries(artefact, "error")
    assert reverts.SENTENCES.keys() == errors.keys()
    for name, error in errors.items():
        told = {item["name"]: f"<{item['name']}>" for item in error["inputs"]}
        assert reverts.sentence(name, told)


# -------------------------------------------------------------------------------------- portal

DRIVER = """
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { contractAbi } from "./contract-abi.mjs";

await build({
  entryPoints: ["portal/contract.ts"], outfile: "contract.mjs",
  bundle: true, format: "esm", platform: "node", plugins: [contractAbi],
});
const { balances, errorName, redemption } = await import("./contract.mjs");
const { contract, order, orderHash, owner, tokenIds, selectors } = JSON.parse(readFileSync(0));
let asked;
const provider = {
  async request({ params: [call] }) {
    asked = call.data;
    return `0x${[32, 2, 7, 9].map((n) => n.toString(16).padStart(64, "0")).join("")}`;
  },
};
const held = await balances(provider, contract, owner, tokenIds);
console.log(JSON.stringify({
  redemption: redemption(contract, order, orderHash).data,
  balances: asked,
  held: held.map(Number),
  errors: Object.fromEntries(selectors.map((one) => [one, errorName(one)])),
}));
"""


def built_portal(artefact: Artefact, place: Path) -> dict[str, Any]:
    """What the portal's code encodes and names when it is built beside that artefact."""
    pages = place / "frontends"
    for name in ("contract-abi.mjs", "portal/abi.ts", "portal/contract.ts"):
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "frontends" / name, pages / name)
    (place / ARTEFACT).parent.mkdir(parents=True)
    (place / ARTEFACT).write_text(json.dumps(artefact), "utf-8")
    (place / "node_modules").symlink_to(REPOSITORY / "node_modules")
    (pages / "drive.mjs").write_text(DRIVER, "utf-8")
    given = {
        "contract": CONTRACT,
        "owner": CUSTOMER,
        "tokenIds": [1001, 6001],
        "order": call_order(ORDER).model_dump(by_alias=True),
        "orderHash": ORDER.order_hash,
        "selectors": [selector(error) for error in entries(artefact, "error").values()],
    }
    done = subprocess.run(
        ["node", "drive.mjs"],
        input=json.dumps(given),
        cwd=pages,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def check_portal(artefact: Artefact, place: Path) -> None:
    """Calls and errors are the ABI's, as a general encoder has them; each error has words."""
    portal = built_portal(artefact, place)
    functions, errors = entries(artefact, "function"), entries(artefact, "error")
    order = call_order(ORDER).model_dump(by_alias=True)
    assert portal["redemption"] == calldata(functions["redeemOrder"], order, ORDER.order_hash)
    assert portal["balances"] == calldata(
        functions["balanceOfBatch"], [CUSTOMER, CUSTOMER], [1001, 6001]
    )
    assert portal["held"] == [7, 9]
    assert portal["errors"] == {selector(error): name for name, error in errors.items()}


def check_portal_words(artefact: Artefact) -> None:
    """In each language, words for exactly the errors that `redeemOrder` can revert with."""
    for language in ("en", "vi"):
        words = (REPOSITORY / f"frontends/portal/messages/{language}.ts").read_text("utf-8")
        worded = set(re.findall(r'"revert\.(\w+)"', words)) - {"other"}
        assert worded == entries(artefact, "error").keys() - NOT_MET_BY_THE_PORTAL
    assert entries(artefact, "error").keys() >= NOT_MET_BY_THE_PORTAL


def check_portal_order(artefact: Artefact) -> None:
    """The portal's type of the API's answer has the fields of the tuple."""
    text = (REPOSITORY / "frontends/shared/wire.ts").read_text("utf-8")
    declared = re.search(r"interface ContractOrder \{(.*?)\}", text, re.DOTALL)
    assert declared is not None
    order = entries(artefact, "function")["redeemOrder"]["inputs"][0]
    fields = re.findall(r"readonly (\w+):", declared[1])
    assert fields == [part["name"] for part in order["components"]]


# ------------------------------------------------------------------------------------- copies


def copies(artefact: Artefact, root: Path) -> dict[str, set[str]]:
    """By file, the ABI entries that sources write out: quoted signatures, selectors, topics."""
    wanted: dict[str, str] = {}
    for item in artefact["abi"]:
        if item["type"] == "constructor":
            continue
        signature = abi_to_signature(item)
        wanted |= {f"{quote}{signature}{quote}": signature for quote in "\"'"}
        wanted[topic(item) if item["type"] == "event" else selector(item)] = signature
    pattern = re.compile("|".join(re.escape(text) for text in wanted))
    found: dict[str, set[str]] = {}
    for path in sources(root):
        for text in pattern.findall(path.read_text("utf-8")):
            found.setdefault(path.relative_to(root).as_posix(), set()).add(wanted[text])
    return found


def sources(root: Path) -> Iterator[Path]:
    """Every source file; not what was built from them."""
    for folder in SOURCES:
        for place, folders, files in os.walk(root / folder):
            folders[:] = [name for name in folders if not name.startswith("dist")]
            yield from (Path(place, name) for name in files if Path(name).suffix in SUFFIXES)


def test_no_source_holds_a_copy_of_the_abi_but_the_known(committed: Artefact) -> None:
    assert copies(committed, REPOSITORY) == COPIES


def test_a_new_copy_is_found(committed: Artefact, tmp_path: Path) -> None:
    for number, text in enumerate(
        (
            'const ABI = ["mint(address,uint256,uint256)"];',
            f"TOPIC = '{topic(entries(committed, 'event')['VoucherMinted'])}'",
            f"data.startswith('{selector(entries(committed, 'function')['pause'])}')",
        )
    ):
        path = tmp_path / "ops" / f"copy{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert copies(committed, tmp_path) == {
        "ops/copy0.py": {"mint(address,uint256,uint256)"},
        "ops/copy1.py": {"VoucherMinted(address,uint256,uint256)"},
        "ops/copy2.py": {"pause()"},
    }


# ---------------------------------------------------------------- the committed artefact, and drift


def test_the_listener_reads_the_artefacts_event(committed: Artefact) -> None:
    check_listener(committed)


def test_the_api_answers_the_artefacts_tuple(committed: Artefact) -> None:
    check_api(committed)


def test_the_back_end_hashes_as_the_artefact(committed: Artefact, deployer: Deployer) -> None:
    check_back_end(committed, deployer)


def test_the_command_line_knows_the_artefacts_errors(committed: Artefact) -> None:
    check_command_line(committed)


def test_the_portal_is_built_from_the_artefact(committed: Artefact, tmp_path: Path) -> None:
    check_portal(committed, tmp_path / "committed")
    check_portal_words(committed)
    check_portal_order(committed)
    # Whatever changes there, the portal built beside it changes with it.
    changed = planted(committed, swap_order_fields)
    changed = planted(changed, renamed("error", "OrderExpired", "OrderTooLate"))
    check_portal(changed, tmp_path / "changed")


def planted(artefact: Artefact, change: Callable[[Artefact], None]) -> Artefact:
    """A copy of the artefact with something changed."""
    changed = copy.deepcopy(artefact)
    change(changed)
    assert changed != artefact
    return changed


def renamed(kind: str, name: str, other: str) -> Callable[[Artefact], None]:
    """Give an entry another name."""

    def change(artefact: Artefact) -> None:
        entries(artefact, kind)[name]["name"] = other

    return change


def swap_order_fields(artefact: Artefact) -> None:
    """tokenId and amount trade places, which no type and no selector tells."""
    for function in entries(artefact, "function").values():
        for parameter in function["inputs"]:
            if parameter["type"] == "tuple":
                parts = parameter["components"]
                parts[2], parts[3] = parts[3], parts[2]


def swap_event_data(artefact: Artefact) -> None:
    """amount and serial trade places, which the topic does not tell."""
    inputs = entries(artefact, "event")["VoucherRedeemed"]["inputs"]
    inputs[2], inputs[4] = inputs[4], inputs[2]


def swap_event_topics(artefact: Artefact) -> None:
    """amount is indexed instead of tokenId, which the topic does not tell."""
    inputs = entries(artefact, "event")["VoucherRedeemed"]["inputs"]
    inputs[1]["indexed"], inputs[2]["indexed"] = False, True


def swap_event_names(artefact: Artefact) -> None:
    """tokenId and amount trade places, which the topic does not tell."""
    inputs = entries(artefact, "event")["VoucherRedeemed"]["inputs"]
    inputs[1]["name"], inputs[2]["name"] = inputs[2]["name"], inputs[1]["name"]


def retype_serial(artefact: Artefact) -> None:
    entries(artefact, "event")["VoucherRedeemed"]["inputs"][4]["type"] = "uint64"


def retype_expiry(artefact: Artefact) -> None:
    order = entries(artefact, "function")["redeemOrder"]["inputs"][0]
    order["components"][5]["type"] = "uint256"


def patched(before: bytes, after: bytes) -> Callable[[Artefact], None]:
    """Replace a constant in the bytecode."""

    def change(artefact: Artefact) -> None:
        artefact["bytecode"] = artefact["bytecode"].replace(before.hex(), after.hex())

    return change


@pytest.mark.parametrize(
    "change",
    [
        swap_event_data,
        swap_event_topics,
        swap_event_names,
        retype_serial,
        renamed("event", "VoucherRedeemed", "Redeemed"),
        renamed("function", "redemptionCount", "count"),
    ],
)
def test_drift_of_the_event_is_seen(
    committed: Artefact, change: Callable[[Artefact], None]
) -> None:
    with pytest.raises((AssertionError, KeyError, decoding.Malformed)):
        check_listener(planted(committed, change))


@pytest.mark.parametrize("change", [swap_order_fields, retype_expiry])
def test_drift_of_the_order_is_seen(
    committed: Artefact, change: Callable[[Artefact], None]
) -> None:
    with pytest.raises(AssertionError):
        check_api(planted(committed, change))


@pytest.mark.parametrize(
    "change",
    [
        swap_order_fields,
        patched(ORDER_TYPEHASH, keccak256(b"Order(string orderId)")),
        patched(EIP712_NAME.encode(), b"6" + EIP712_NAME[1:].encode()),
        patched(keccak256(b"MINTER_ROLE"), keccak256(b"MINTERS_ROLE")),
        patched((7 * 86_400).to_bytes(3, "big"), (8 * 86_400).to_bytes(3, "big")),
    ],
    ids=["order", "type hash", "domain name", "role", "lifetime"],
)
def test_drift_of_the_hashes_is_seen(
    committed: Artefact, deployer: Deployer, change: Callable[[Artefact], None]
) -> None:
    with pytest.raises(AssertionError):
        check_back_end(planted(committed, change), deployer)


@pytest.mark.parametrize("check", [check_command_line, check_portal_words])
def test_drift_of_the_errors_is_seen(
    committed: Artefact, check: Callable[[Artefact], None]
) -> None:
    for name in ("OrderExpired", "MaxSupplyExceeded"):
        with pytest.raises(AssertionError):
            check(planted(committed, renamed("error", name, "Other")))
    added = {"type": "error", "name": "Other", "inputs": []}
    with pytest.raises(AssertionError):
        check(planted(committed, lambda it: it["abi"].append(added)))


def test_drift_of_an_errors_parameters_is_seen(committed: Artefact) -> None:
    def change(artefact: Artefact) -> None:
        entries(artefact, "error")["OrderExpired"]["inputs"][0]["name"] = "deadline"

    with pytest.raises(KeyError):
        check_command_line(planted(committed, change))


def test_drift_of_the_portals_order_is_seen(committed: Artefact, tmp_path: Path) -> None:
    def change(artefact: Artefact) -> None:
        order = entries(artefact, "function")["redeemOrder"]["inputs"][0]
        order["components"][0]["name"] = "orderId"

    changed = planted(committed, change)
    with pytest.raises(AssertionError):
        check_portal_order(changed)
    with pytest.raises(AssertionError):
        built_portal(changed, tmp_path)
