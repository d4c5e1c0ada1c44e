"""Airdrops: what of a list is refused, how it is split, and that a real chain mints it once."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import HTTPProvider, Web3

from chalicelib.domain.errors import InvalidInput, Refused
from chalicelib.domain.order_hash import checksum_address, keccak256
from ops import anvil
from ops.cli.bootstrap import system_tools
from ops.cli.main import cli
from ops.cli.onchain import GAS_HEADROOM, MAX_TRANSACTION_GAS
from ops.onchain.airdrop import Entry, Source, batch_id, make_plan, read_list, read_plan, salt_of
from ops.onchain.artefact import abi
from ops.onchain.calls import Call
from ops.onchain.errors import NodeFailed
from ops.onchain.exports import safe_checksum
from ops.onchain.node import Node, Receipt
from ops.onchain.safe import LocalSafe
from tests.ops.runbook import CAST, Exercise, exercised
from tests.ops.test_onchain_commands import Line

ADMIN, MINTER, PAUSER, OWNER, STRANGER = (Account.from_key(key).address for key in anvil.KEYS)
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ROOM = 1001
SUPPLY = 100_000
SALTS = count(1)
SOURCE = Source(file="list.csv", sha256="00" * 32)
REVERTS, STOPS = "0x5f5ffd", "0x00"
"""Code without ERC-1155 hooks: refuses every call; accepts every call and answers nothing."""


def accounts(number: int, *, of: str = "") -> list[str]:
    """Addresses nobody has the keys of, the same in every run."""
    return [
        checksum_address("0x" + keccak256(f"{of}{place}".encode())[:20].hex())
        for place in range(number)
    ]


def as_csv(rows: Sequence[tuple[str, int | str]]) -> str:
    return "\n".join(["address,amount", *(f"{address},{amount}" for address, amount in rows)])


def read(text: str | bytes, *, accept_lowercase: bool = False) -> tuple[Entry, ...]:
    content = text.encode() if isinstance(text, str) else text
    return read_list(content, contract=CONTRACT, max_supply=500, accept_lowercase=accept_lowercase)


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    return [f"{one.field}: {one.message}" for one in refused.value.fields]


# ---------------------------------------------------------------------------------------- the list

ADDRESSES = (
    st.binary(min_size=20, max_size=20)
    .filter(any)
    .map(lambda raw: checksum_address("0x" + raw.hex()))
)
LISTS = st.lists(
    st.tuples(ADDRESSES.filter(lambda one: one != CONTRACT), st.integers(1, 500)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[0],
)
BLANK = st.sampled_from(["", " ", "\t", "  "])


@given(
    rows=LISTS,
    batch_size=st.integers(1, 50),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    swapped=st.booleans(),
    quoted=st.booleans(),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_any_valid_list_is_its_batches_one_after_another(
    rows: list[tuple[str, int]],
    batch_size: int,
    line_end: str,
    mark: str,
    swapped: bool,
    quoted: bool,
    data: st.DataObject,
) -> None:
    lines = []
    places = []
    for cells in [("address", "amount"), *((one, str(amount)) for one, amount in rows)]:
        lines += [data.draw(BLANK) for _ in range(data.draw(st.integers(0, 2)))]
        around = data.draw(BLANK)
        told = [f'"{one}"' if quoted else f"{around}{one}{around}" for one in cells]
        lines.append(",".join(reversed(told) if swapped else told))
        places.append(len(lines))
    entries = read(mark + line_end.join(lines))
    assert [(one.line, one.address, one.amount) for one in entries] == [
        (place, *row) for place, row in zip(places[1:], rows, strict=True)
    ]

    plan = make_plan(
        entries,
        batch_size=batch_size,
        salt=salt_of("x"),
        chain_id=anvil.CHAIN_ID,
        contract=CONTRACT,
        token_id=ROOM,
        source=SOURCE,
    )
    together = [
        row for batch in plan.batches for row in zip(batch.recipients, batch.amounts, strict=True)
    ]
    assert together == rows
    sizes = [len(batch.recipients) for batch in plan.batches]
    assert set(sizes[:-1]) <= {batch_size}
    assert 1 <= sizes[-1] <= batch_size
    assert len({batch.batch_id for batch in plan.batches}) == len(sizes)
    assert (plan.totals.batches, plan.totals.recipients) == (len(sizes), len(rows))
    assert plan.totals.amount == sum(amount for _, amount in rows)
    again = read_plan(plan.as_text().encode(), chain_id=anvil.CHAIN_ID, contract=CONTRACT)
    assert again == plan


def test_every_bad_line_is_told_at_once_with_its_number() -> None:
    fresh = iter(accounts(20))
    one, two = next(fresh), next(fresh)
    digits = "must be a whole number in digits alone"
    values = "must be 2 values with a comma between them"
    lines: list[tuple[str, str | None]] = [
        ("\ufeffaddress , amount", None),
        ("", None),
        (f"{one},5", None),
        (f"{next(fresh)[:-1]},5", "must be 0x followed by 40 hexadecimal digits"),
        (f"0x{'zz' * 20},5", "must be 0x followed by 40 hexadecimal digits"),
        (f"{_mistyped(next(fresh))},5", "has a wrong EIP-55 checksum"),
        (f"{next(fresh).lower()},5", "without the EIP-55 checksum that would show a typing error"),
        (f"0x{next(fresh)[2:].upper()},5", "without the EIP-55 checksum"),
        (f"0x{'00' * 20},5", "must not be the zero address"),
        (f"{CONTRACT},5", "is the voucher contract itself"),
        (f"{next(fresh)},-1", f"amount -1 {digits}"),
        (f"{next(fresh)},1e3", f"amount 1e3 {digits}"),
        (f"{next(fresh)},2.0", f"amount 2.0 {digits}"),
        (f"{next(fresh)},\u0663", f"amount \u0663 {digits}"),
        (f"{next(fresh)},", digits),
        (f"{next(fresh)},0", "amount 0 must be at least 1"),
        (f"{next(fresh)},501", "amount 501 is above the type's max supply of 500"),
        (f"{next(fresh)},{'9' * 5000}", "is above the type's max supply of 500"),
        (f"{one},7", f"address {one} stands in line 3 already"),
        (f"{two},1,1", values),
        (f"{two}", values),
        (f'"{two},1', values),
        (f"{two},x", digits),
        (f" {two} , 9 ", f"address {two} stands in line 23 already"),
    ]
    told = dict(problem.split(": ", 1) for problem in problems("\r\n".join(map(_first, lines))))
    for number, (_, said) in enumerate(lines, start=1):
        if said is not None:
            assert said in told.pop(f"line {number}")
    assert told == {}


def _first(pair: tuple[str, str | None]) -> str:
    return pair[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the list: is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "the list: is empty"),
        (b"address,amount\n", "the list: has a header and no recipients"),
        (f"{MINTER},5\n".encode(), "line 1: must be the header address,amount"),
        (b"\naddress;amount\n", "line 2: must be the header address,amount"),
        (b"address,amount,name\n", "(in either order, no other columns); it is address,amount,n"),
        (b"address,address\n", "line 1: must be the header address,amount"),
        ("address,amount\n".encode("utf-16"), "the list: is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_list_is_refused(content: bytes, said: str) -> None:
    (told,) = problems(content)
    assert said in told


def test_lowercase_is_taken_when_asked_for_and_repetitions_still_found() -> None:
    (one,) = accounts(1)
    assert read(as_csv([(one.lower(), 1)]), accept_lowercase=True) == (Entry(2, one, 1),)
    with pytest.raises(InvalidInput, match="stands in line 2 already"):
        read(as_csv([(one, 1), (one.lower(), 1)]), accept_lowercase=True)


def test_a_salt_is_bytes_or_a_name() -> None:
    assert salt_of("") == "0x" + "00" * 32
    assert salt_of("0x" + "AB" * 32) == "0x" + "ab" * 32
    assert salt_of("2026-12") == "0x" + keccak256(b"2026-12").hex()
    with pytest.raises(InvalidInput, match="--salt: must be 0x followed by 64"):
        salt_of("0x12")


# ---------------------------------------------------------------------------------------- the plan


def _plan_json() -> dict[str, Any]:
    entries = [Entry(place, address, 2) for place, address in enumerate(accounts(5))]
    plan = make_plan(
        entries,
        batch_size=2,
        salt=salt_of(""),
        chain_id=anvil.CHAIN_ID,
        contract=CONTRACT,
        token_id=ROOM,
        source=SOURCE,
    )
    decoded: dict[str, Any] = json.loads(plan.as_text())
    return decoded


def _rehashed(plan: dict[str, Any], number: int) -> None:
    batch = plan["batches"][number - 1]
    batch["batchId"] = batch_id(
        plan["tokenId"], batch["recipients"], batch["amounts"], batch["salt"]
    )


def _more_for_one(plan: dict[str, Any]) -> None:
    plan["batches"][0]["amounts"][0] = 3


def _more_for_one_rehashed(plan: dict[str, Any]) -> None:
    _more_for_one(plan)
    _rehashed(plan, 1)


def _another_recipient(plan: dict[str, Any]) -> None:
    plan["batches"][1]["recipients"][0] = STRANGER


def _one_twice(plan: dict[str, Any]) -> None:
    plan["batches"][1]["recipients"][0] = plan["batches"][0]["recipients"][0]
    _rehashed(plan, 2)


def _one_twice_in_lower_case(plan: dict[str, Any]) -> None:
    plan["batches"][1]["recipients"][0] = plan["batches"][0]["recipients"][0].lower()
    _rehashed(plan, 2)


def _amount_missing(plan: dict[str, Any]) -> None:
    plan["batches"][2]["amounts"] = []


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_more_for_one, "the plan: batch 1 hashes to 0x"),
        (_more_for_one_rehashed, "the plan: the totals are not those of the batches"),
        (_another_recipient, "the plan: batch 2 hashes to 0x"),
        (_one_twice, "the plan: an address stands in it twice"),
        (_one_twice_in_lower_case, "batches[1].recipients[0]: must carry its EIP-55 checksum"),
        (_amount_missing, "the plan: batch 3 has 1 recipients and 0 amounts"),
        (lambda plan: plan["batches"].pop(), "the totals are not those of the batches"),
        (lambda plan: plan["batches"].reverse(), None),
        (lambda plan: plan.update(tokenId=1002), "the plan: batch 1 hashes to 0x"),
        (lambda plan: plan["batches"][0].update(salt="0x" + "01" * 32), "batch 1 hashes to 0x"),
        (lambda plan: plan.update(version=2), "version: Input should be 1"),
        (lambda plan: plan.update(format="list"), "format: Input should be 'vouchers-airdrop-pl"),
        (lambda plan: plan.update(note="x"), "note: Extra inputs are not permitted"),
        (lambda plan: plan.pop("source"), "source: Field required"),
        (lambda plan: plan["batches"][0]["amounts"].__setitem__(0, "2"), "batches[0].amounts[0]: "),
        (lambda plan: plan.update(batches=[]), "batches: "),
        (lambda plan: plan.update(chainId=56), "chainId: is 56; CHAIN_ID is 31337"),
        (lambda plan: plan.update(contract=STRANGER), f"contract: is {STRANGER}; CONTRACT_ADDRESS"),
    ],
)
def test_an_edited_plan_is_refused(
    edit: Callable[[dict[str, Any]], object], said: str | None
) -> None:
    plan = _plan_json()
    edit(plan)
    content = json.dumps(plan).encode()
    if said is None:  # the order of batches means nothing
        assert read_plan(content, chain_id=anvil.CHAIN_ID, contract=CONTRACT)
        return
    with pytest.raises(InvalidInput) as refused:
        read_plan(content, chain_id=anvil.CHAIN_ID, contract=CONTRACT)
    assert said in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^the plan: "):
        read_plan(content, chain_id=anvil.CHAIN_ID, contract=CONTRACT)


# ------------------------------------------------------------------------------------- on the chain


class Drop:
    """The command line in a folder, over a contract of its own."""

    def __init__(self, line: Line, folder: Path) -> None:
        self.line = line
        self.folder = folder
        self.web3 = Web3(HTTPProvider(line.environ["RPC_URLS"]))
        address = Web3.to_checksum_address(line.environ["CONTRACT_ADDRESS"])
        self.contract: Any = self.web3.eth.contract(address=address, abi=abi())

    def write(self, rows: Sequence[tuple[str, int | str]], name: str = "list.csv") -> Path:
        path = self.folder / name
        path.write_text(as_csv(rows), "utf-8")
        return path

    def planning(self, file: Path, *args: str, out: str = "plan.json") -> list[str]:
        """The command that plans `file` to `out`."""
        told = ["airdrop", "plan", str(file), "--token-id", str(ROOM), "--from", MINTER]
        return [*told, "--out", str(self.folder / out), *args]

    def plan(
        self,
        rows: Sequence[tuple[str, int | str]],
        *args: str,
        batch_size: int = 2,
        out: str = "plan.json",
    ) -> Path:
        """Plan these rows; where the plan is."""
        self.line(*self.planning(self.write(rows), "--batch-size", str(batch_size), *args, out=out))
        return self.folder / out

    def export(self, plan: Path, *args: str) -> Any:
        return self.line.json("airdrop", "export", str(plan), "--from", MINTER, *args)

    def status(self, plan: Path, *, exit_code: int) -> Any:
        told = self.line("airdrop", "status", str(plan), "--json", exit_code=exit_code)
        return json.loads(told.stdout)

    def minted(self) -> int:
        """Vouchers of the type ever minted."""
        return int(self.contract.functions.minted(ROOM).call())

    def balances(self, addresses: Sequence[str]) -> list[int]:
        call = self.contract.functions.balanceOfBatch(addresses, [ROOM] * len(addresses))
        return list(call.call())

    def request(self, method: str, *params: Any) -> None:
        answer = self.web3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def drop(rpc_url: str, tmp_path: Path) -> Drop:
    """A contract of its own for each test, with a minter and one voucher type."""
    return _new_drop(rpc_url, tmp_path)


def _new_drop(rpc_url: str, folder: Path, *, minter: str = MINTER, supply: int = SUPPLY) -> Drop:
    line = Line({"CHAIN_ID": str(anvil.CHAIN_ID), "RPC_URLS": rpc_url})
    salt = "0x" + next(SALTS).to_bytes(32, "big").hex()
    deployed = line.json(
        *("deploy", "--admin", ADMIN, "--admin-delay", "0", "--salt", salt),
        *("--from", ADMIN, "--local"),
    )
    line.environ["CONTRACT_ADDRESS"] = deployed["contract"]
    line.environ["DEPLOY_BLOCK"] = str(deployed["deployBlock"])
    line("role", "grant", "MINTER", minter, "--from", ADMIN, "--local")
    create = ("type", "create", str(ROOM), "--max-supply", str(supply), "--uri", "https://x/{id}")
    line(*create, "--from", ADMIN, "--local")
    return Drop(line, folder)


def _rows(number: int, *, of: str = "") -> list[tuple[str, int | str]]:
    return [(one, place % 7 + 1) for place, one in enumerate(accounts(number, of=of))]


def _amounts(rows: Sequence[tuple[str, int | str]]) -> list[int]:
    return [int(amount) for _, amount in rows]


def test_a_list_is_planned_minted_and_told_as_minted(drop: Drop) -> None:
    rows = _rows(5)
    told = drop.line.json(*drop.planning(drop.write(rows), "--batch-size", "2"))
    assert told["totals"] == {"batches": 3, "recipients": 5, "amount": 15}
    plan = drop.folder / "plan.json"
    before = drop.status(plan, exit_code=1)
    assert before["remaining"] == {"batches": 3, "recipients": 5, "amount": 15}
    assert drop.minted() == 0

    exported = drop.export(plan, "--local")
    assert exported["batches"] == [1, 2, 3]
    assert len(exported["sent"]) == 3
    assert drop.balances(accounts(5)) == _amounts(rows)
    assert drop.minted() == 15
    after = drop.status(plan, exit_code=0)
    assert after["remaining"] == {"batches": 0, "recipients": 0, "amount": 0}
    assert all(batch["minted"] for batch in after["batches"])

    again = drop.export(plan, "--local")
    assert again == {"batches": [], "mintedBefore": [1, 2, 3]}
    assert drop.minted() == 15


def test_the_plan_names_batches_as_the_contract_does(drop: Drop) -> None:
    path = drop.plan(_rows(3), "--salt", "2026-12")
    for batch in json.loads(path.read_text("utf-8"))["batches"]:
        theirs = drop.contract.functions.batchIdOf(
            ROOM, batch["recipients"], batch["amounts"], batch["salt"]
        ).call()
        assert batch["batchId"] == "0x" + theirs.hex()


class Disagreeing(Node):
    """A node behind which the contract hashes batches in another way."""

    def view(self, contract: str, name: str, *arguments: Any) -> Any:
        answer = super().view(contract, name, *arguments)
        return keccak256(answer) if name == "batchIdOf" else answer


def test_a_contract_that_hashes_otherwise_gets_no_plan(drop: Drop) -> None:
    tools = system_tools(drop.line.environ)
    tools.open_node = lambda url, timeout: Disagreeing(url, timeout=timeout)
    refused = CliRunner().invoke(cli, drop.planning(drop.write(_rows(1))), obj=tools)
    assert refused.exit_code == 1
    assert "Error: the contract gives batch 1 the id 0x" in refused.stderr
    assert drop.files() == {"list.csv"}


def test_a_run_that_stopped_half_way_goes_on_and_mints_once(drop: Drop) -> None:
    rows = _rows(5)
    plan = drop.plan(rows)
    drop.export(plan, "--local", "--batch", "2")
    assert drop.balances(accounts(5)) == [0, 0, 3, 4, 0]
    status = drop.status(plan, exit_code=1)
    assert [batch["minted"] for batch in status["batches"]] == [False, True, False]
    rest = drop.export(plan, "--local")
    assert (rest["batches"], rest["mintedBefore"]) == ([1, 3], [2])
    assert drop.balances(accounts(5)) == _amounts(rows)
    assert drop.minted() == 15


class Breaking(Node):
    """A node that sends one transaction and then breaks."""

    breaks_with: BaseException
    sent = 0

    def send(self, call: Call, *, sender: str) -> Receipt:
        if self.sent:
            raise self.breaks_with
        self.sent += 1
        return super().send(call, sender=sender)


@pytest.mark.parametrize(
    ("fault", "said"),
    [(KeyboardInterrupt(), "interrupted"), (NodeFailed("it cannot be reached"), "it cannot be re")],
)
def test_an_interruption_while_sending_says_how_far_it_came(
    drop: Drop, fault: BaseException, said: str
) -> None:
    def open_breaking(url: str, timeout: float) -> Node:
        node = Breaking(url, timeout=timeout)
        node.breaks_with = fault
        return node

    plan = drop.plan(_rows(5))
    tools = system_tools(drop.line.environ)
    tools.open_node = open_breaking
    command = ("airdrop", "export", str(plan), "--from", MINTER, "--local")
    stopped: Result = CliRunner().invoke(cli, command, obj=tools)
    assert stopped.exit_code == 1
    assert f"Error: {said}" in stopped.stderr
    assert "stopped after 1 of 3 batches. Run the same command again" in stopped.stderr
    assert drop.minted() == 3
    assert drop.export(plan, "--local")["batches"] == [2, 3]
    assert drop.minted() == 15


def test_a_list_is_minted_again_only_under_another_salt(drop: Drop) -> None:
    rows = _rows(3)
    drop.export(drop.plan(rows), "--local")
    renamed = drop.write(rows, "copy of list.csv")
    size = ("--batch-size", "2")
    told = drop.line.refused(*drop.planning(renamed, *size, out="again.json"))
    assert "this list was minted before, all of it" in told
    assert "again.json" not in drop.files()
    drop.export(drop.plan(rows, "--salt", "2026-12", out="again.json"), "--local")
    assert drop.balances(accounts(3)) == [2 * amount for amount in _amounts(rows)]


def test_two_plans_do_not_disturb_each_other(drop: Drop) -> None:
    first = drop.plan(_rows(3, of="a"), out="a.json")
    second = drop.plan(_rows(3, of="b"), out="b.json")
    drop.export(second, "--local")
    assert drop.status(first, exit_code=1)["remaining"]["batches"] == 2
    assert drop.status(second, exit_code=0)["remaining"]["batches"] == 0
    drop.export(first, "--local")
    assert drop.minted() == 12


def test_a_lost_plan_is_made_again_and_goes_on(drop: Drop) -> None:
    rows = _rows(5)
    plan = drop.plan(rows)
    kept = plan.read_text("utf-8")
    drop.export(plan, "--local", "--batch", "1")
    plan.unlink()
    told = drop.line(*drop.planning(drop.write(rows), "--batch-size", "2")).stdout
    assert "batches 1 were minted before" in told
    assert plan.read_text("utf-8") == kept


def test_nothing_is_written_when_anything_is_wrong(drop: Drop) -> None:
    file = drop.write([(MINTER, 1), (MINTER, 2)])
    assert "line 3: address" in drop.line.refused(*drop.planning(file))
    drop.line(*drop.planning(drop.write(_rows(2)), "--dry-run"))
    assert drop.files() == {"list.csv"}


def test_a_plan_is_not_written_over(drop: Drop) -> None:
    plan = drop.plan(_rows(2))
    kept = plan.read_text("utf-8")
    told = drop.line.refused(*drop.planning(drop.write(_rows(3))))
    assert "exists; a plan is the record of what is minted" in told
    assert plan.read_text("utf-8") == kept


def test_what_the_chain_does_not_allow_is_told_at_once(rpc_url: str, tmp_path: Path) -> None:
    drop = _new_drop(rpc_url, tmp_path, supply=10)
    plan = drop.plan(_rows(3))
    for command in (("pause",), ("type", "disable", str(ROOM))):
        drop.line(*command, "--from", ADMIN, "--local")
    drop.line("role", "revoke", "MINTER", MINTER, "--from", ADMIN, "--local")
    state = (
        f"voucher type {ROOM} is disabled; the contract is paused; {MINTER} does not hold"
        " MINTER_ROLE"
    )
    told = drop.line.refused(*drop.planning(drop.write(_rows(5)), out="more.json"))
    assert f"Error: {state}; the airdrop comes to 15 of voucher type {ROOM}, 10 can still" in told
    told = drop.line.refused("airdrop", "export", str(plan), "--from", MINTER)
    assert told == f"Error: {state}; nothing was produced\n"
    assert drop.files() == {"list.csv", "plan.json"}


def test_a_type_that_does_not_exist_is_refused(drop: Drop) -> None:
    command = [*drop.planning(drop.write(_rows(1))), "--token-id", "7"]
    assert "there is no voucher type 7" in drop.line.refused(*command)


def test_headroom_counts_what_was_minted_before(rpc_url: str, tmp_path: Path) -> None:
    drop = _new_drop(rpc_url, tmp_path, supply=15)
    plan = drop.plan(_rows(5))
    drop.export(plan, "--local", "--batch", "1")
    told = drop.line.refused(*drop.planning(drop.write(_rows(5, of="b")), out="b.json"))
    assert f"the airdrop comes to 15 of voucher type {ROOM}, 12 can still be minted" in told
    drop.export(plan, "--local")
    assert drop.minted() == 15


def test_each_recipient_that_takes_no_vouchers_is_named_with_its_line(drop: Drop) -> None:
    rows = _rows(45, of="deaf")
    deaf, dumb = rows[19][0], rows[41][0]
    drop.request("anvil_setCode", deaf, REVERTS)
    drop.request("anvil_setCode", dumb, STOPS)
    told = drop.line.refused(*drop.planning(drop.write(rows)))
    assert (
        f"line 21: Mint 6 of voucher type {ROOM} to {deaf}: the contract refuses: {deaf} d" in told
    )
    assert f"line 43: Mint 7 of voucher type {ROOM} to {dumb}: the account is a contract" in told
    assert told.count("Mint") == 2
    assert drop.files() == {"list.csv"}


def test_a_recipient_that_refuses_after_planning_is_named_with_its_batch(drop: Drop) -> None:
    rows = _rows(5, of="late")
    plan = drop.plan(rows)
    late = rows[2][0]
    drop.request("anvil_setCode", late, REVERTS)
    told = drop.line.refused("airdrop", "export", str(plan), "--from", MINTER, "--local")
    assert f"Error: batch 2: Mint 3 of voucher type {ROOM} to {late}: " in told
    assert drop.minted() == 0
    drop.export(plan, "--local", "--batch", "1", "--batch", "3")
    rest = drop.folder / "rest.csv"
    drop.line("airdrop", "status", str(plan), "--remaining", str(rest), exit_code=1)
    assert rest.read_text("utf-8").strip() == as_csv(rows[2:4])
    for taken in (rest, plan):
        told = drop.line.refused("airdrop", "status", str(plan), "--remaining", str(taken))
        assert f"{taken} exists" in told


def test_a_plan_is_never_overwritten_by_its_export(drop: Drop) -> None:
    plan = drop.plan(_rows(3))
    before = plan.read_bytes()
    args = ("airdrop", "export", str(plan), "--from", MINTER, "--out", str(plan))
    assert "--out is the plan itself" in drop.line.refused(*args)
    assert plan.read_bytes() == before


def test_a_batch_that_needs_too_much_gas_names_a_size_that_fits(drop: Drop) -> None:
    file = drop.write(_rows(450))
    told = drop.line.refused(*drop.planning(file, "--batch-size", "450"))
    assert "batch 1 needs" in told
    assert str(MAX_TRANSACTION_GAS) in told
    fitting = told.partition("--batch-size of at most ")[2].partition(";")[0]
    planned = drop.line.json(*drop.planning(file, "--batch-size", fitting))
    assert planned["largestBatchGas"] * GAS_HEADROOM <= MAX_TRANSACTION_GAS


def test_a_batch_number_beyond_the_plan_is_refused(drop: Drop) -> None:
    plan = drop.plan(_rows(3))
    told = drop.line.refused("airdrop", "export", str(plan), "--from", MINTER, "--batch", "3")
    assert "has 2 batches, none numbered 3" in told


def test_a_plan_of_another_contract_or_chain_is_refused(drop: Drop, tmp_path: Path) -> None:
    plan = drop.plan(_rows(1))
    address = drop.line.environ["CONTRACT_ADDRESS"]
    other = _new_drop(drop.line.environ["RPC_URLS"], tmp_path)
    told = other.line.refused("airdrop", "export", str(plan), "--from", MINTER)
    assert f"contract: is {address}; CONTRACT_ADDRESS is" in told
    drop.line.environ["CHAIN_ID"] = "56"
    for command in (("export", str(plan), "--from", MINTER), ("status", str(plan))):
        told = drop.line.refused("airdrop", *command)
        assert "serves chain 31337, CHAIN_ID is 56; nothing was done" in told


def test_an_rpc_that_is_down_is_one_sentence_and_no_plan(drop: Drop) -> None:
    drop.line.environ["RPC_URLS"] = "http://127.0.0.1:9/secret-key"
    told = drop.line.refused(*drop.planning(drop.write(_rows(1))))
    assert told == "Error: 127.0.0.1 cannot be reached (ConnectionError); nothing was done\n"
    assert drop.files() == {"list.csv"}


# --------------------------------------------------------------------------------------- exporting


def test_the_script_of_cast_lines_mints_full_batches(drop: Drop) -> None:
    rows = _rows(400)
    plan = drop.plan(rows, batch_size=200)
    script = drop.folder / "airdrop.sh"
    drop.export(plan, "--out", str(script))
    text = script.read_text("utf-8")
    assert text.count("--ledger") == 2
    script.write_text(text.replace("--ledger", "--unlocked"), "utf-8")
    paths = f"{CAST.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-e", script],
        env={"PATH": paths, "ETH_RPC_URL": drop.line.environ["RPC_URLS"]},
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert drop.minted() == sum(_amounts(rows))
    drop.status(plan, exit_code=0)


def test_unsigned_transactions_are_signed_and_sent_in_their_order(drop: Drop) -> None:
    rows = _rows(5)
    plan = drop.plan(rows)
    for unsigned in drop.export(plan, "--as", "unsigned")["export"]:
        signed = Account.sign_transaction(
            {key: value for key, value in unsigned.items() if key != "serialized"}, anvil.KEYS[1]
        )
        sent = drop.web3.eth.send_raw_transaction(signed.raw_transaction)
        assert drop.web3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    assert drop.balances(accounts(5)) == _amounts(rows)


def test_a_batch_signed_twice_mints_once(drop: Drop) -> None:
    plan = drop.plan(_rows(1))
    (unsigned,) = drop.export(plan, "--as", "unsigned")["export"]
    drop.export(plan, "--local")
    nonce = drop.web3.eth.get_transaction_count(Web3.to_checksum_address(MINTER))
    late = {key: value for key, value in unsigned.items() if key != "serialized"}
    signed = Account.sign_transaction(late | {"nonce": hex(nonce)}, anvil.KEYS[1])
    sent = drop.web3.eth.send_raw_transaction(signed.raw_transaction)
    assert drop.web3.eth.wait_for_transaction_receipt(sent)["status"] == 0
    assert drop.minted() == 1


def test_each_batch_is_a_safe_file_of_its_own(drop: Drop, request: pytest.FixtureRequest) -> None:
    plan = drop.plan(_rows(5))
    told = drop.line.refused("airdrop", "export", str(plan), "--from", MINTER, "--as", "safe")
    assert "give --out NAME.json" in told
    # The minter stands for a Safe: all that is asked of it here is to be a contract.
    drop.request("anvil_setCode", MINTER, REVERTS)
    request.addfinalizer(lambda: drop.request("anvil_setCode", MINTER, "0x"))
    out = ("--as", "safe", "--out", str(drop.folder / "safe.json"))
    files = drop.export(plan, *out, "--batch", "1", "--batch", "3")["files"]
    assert [Path(file).name for file in files] == ["safe-1.json", "safe-3.json"]
    planned = json.loads(plan.read_text("utf-8"))["batches"]
    for file, number in zip(files, (1, 3), strict=True):
        safe = json.loads(Path(file).read_text("utf-8"))
        assert safe["meta"]["checksum"] == safe_checksum(safe)
        (transaction,) = safe["transactions"]
        batch = planned[number - 1]
        assert transaction["data"] == drop.contract.encode_abi(
            "airdrop",
            [batch["batchId"], ROOM, batch["recipients"], batch["amounts"], batch["salt"]],
        )
    one = drop.export(plan, "--as", "safe", "--batch", "2")["export"]
    assert one["meta"]["checksum"] == safe_checksum(one)


def test_a_dry_run_of_an_export_produces_nothing(drop: Drop) -> None:
    plan = drop.plan(_rows(3))
    for form in (("--local",), ("--as", "safe", "--out", str(drop.folder / "safe.json")), ()):
        told = drop.export(plan, "--dry-run", *form)
        assert len(told["calls"]) == 2
        assert not {"sent", "export", "files"} & set(told)
    assert drop.minted() == 0
    assert drop.files() == {"list.csv", "plan.json"}


# ------------------------------------------------------------------------------------- the runbook


class Operator:
    """Works through the runbook, for the same list on one new contract after another."""

    def __init__(self, rpc_url: str, folder: Path, book: Exercise, names: dict[str, str]) -> None:
        self.rows = _rows(401, of="runbook")
        self.book = book
        self._rpc_url = rpc_url
        self._folder = folder
        self._names = names
        names |= {"TOKEN_ID": str(ROOM), "BATCHES": "3", "ACCOUNTS": str(len(self.rows))}
        names["VOUCHERS"] = str(sum(_amounts(self.rows)))

    def begin(self, minter: str = MINTER) -> Drop:
        """A contract where nothing is minted, the list, no plan."""
        drop = _new_drop(self._rpc_url, self._folder, minter=minter)
        self.book.environ = drop.line.environ
        self._names["MINTER"] = minter
        for path in self._folder.iterdir():
            path.unlink()
        drop.write(self.rows)
        return drop

    def minted_as_listed(self, drop: Drop) -> bool:
        """Whether everyone has what the list says."""
        return drop.balances([one for one, _ in self.rows]) == _amounts(self.rows)


def test_the_runbook_does_what_it_says(rpc_url: str, tmp_path: Path) -> None:
    """Every command of it, with a Ledger's cast lines run and a Safe's files executed."""
    names: dict[str, str] = {}
    queue: list[Path] = []
    with exercised(
        "airdrop.md", environ={}, names=names, folder=tmp_path, sign_with_safe=queue.append
    ) as book:
        operator = Operator(rpc_url, tmp_path, book, names)
        _sign_with_a_hardware_wallet(operator)
        _go_on_after_an_interruption(operator)
        _sign_with_a_safe(operator, queue)
        _correct_the_list(operator)
        _leave_out_who_refuses_later(operator)


def _sign_with_a_hardware_wallet(operator: Operator) -> None:
    drop, book = operator.begin(), operator.book
    book.section("1. Check the list")
    assert drop.files() == {"list.csv"}
    book.section("2. Write the plan")
    book.section("With a hardware wallet")
    book.section("4. See that it is minted")
    assert operator.minted_as_listed(drop)
    book.section("The same list again, on purpose")


def _go_on_after_an_interruption(operator: Operator) -> None:
    drop, book = operator.begin(), operator.book
    book.section("2. Write the plan")
    drop.export(drop.folder / "plan.json", "--local", "--batch", "1")
    book.section("It was interrupted")
    book.section("4. See that it is minted")
    assert operator.minted_as_listed(drop)


def _sign_with_a_safe(operator: Operator, queue: list[Path]) -> None:
    url = operator.book.environ["RPC_URLS"]
    safe = LocalSafe.deploy(url, owners=[OWNER, STRANGER], threshold=2, payer=ADMIN)
    drop, book = operator.begin(minter=safe.address), operator.book
    book.section("2. Write the plan")
    book.section("With a Safe")
    book.section("The Safe transaction was never executed")
    assert [path.name for path in queue] == [
        *("airdrop-1.json", "airdrop-2.json", "airdrop-3.json", "again-1.json")
    ]
    for path in queue[1:]:
        _execute(safe, drop.folder / path)
    book.section("4. See that it is minted")
    with pytest.raises(Refused, match="was minted before"):
        _execute(safe, drop.folder / queue[0])
    assert operator.minted_as_listed(drop)


def _execute(safe: LocalSafe, path: Path) -> None:
    transaction = safe.load(path.read_text("utf-8"))
    for owner in safe.owners:
        safe.approve(transaction, owner=owner)
    safe.execute(transaction, sender=ADMIN)


def _correct_the_list(operator: Operator) -> None:
    drop, book = operator.begin(), operator.book
    (first, _), (second, _) = operator.rows[:2]
    wrong: list[tuple[str, int | str]] = [(first, 1), (_mistyped(second), 1), (MINTER, 1)]
    drop.write([*wrong, (PAUSER, "1e3"), (first, 2)])
    book.section("A line is refused")
    drop.write(operator.rows)
    drop.request("anvil_setCode", second, REVERTS)
    book.section("A recipient is refused")
    drop.request("anvil_setCode", second, "0x")
    assert drop.files() == {"list.csv"}


def _leave_out_who_refuses_later(operator: Operator) -> None:
    drop, book = operator.begin(), operator.book
    late = operator.rows[250][0]
    book.section("2. Write the plan")
    drop.request("anvil_setCode", late, REVERTS)
    book.section("A recipient is refused after planning")
    rest = drop.folder / "rest.csv"
    kept = [one for one in rest.read_text("utf-8").splitlines() if late not in one]
    rest.write_text("\n".join(kept), "utf-8")
    book.section("Plan the rest")
    drop.export(drop.folder / "plan-rest.json", "--local")
    assert drop.balances([one for one, _ in operator.rows]) == [
        0 if one == late else int(amount) for one, amount in operator.rows
    ]


def _mistyped(address: str) -> str:
    """The address with the case of its last letter turned."""
    place = max(place for place, letter in enumerate(address) if letter.isalpha())
    return address[:place] + address[place].swapcase() + address[place + 1 :]
