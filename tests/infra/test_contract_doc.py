"""docs/contract.md says what the contract is: its ABI, storage, tests and gas."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = "docs/contract.md"
GAS_TABLE = "contracts/gas_table.py"
PROPERTIES = 10

ROW = re.compile(r"^\| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"`((?:test|testFuzz|invariant|check)_\w+)`")
WORD = re.compile(r"`([A-Z]\w+)`")


@pytest.fixture(scope="module")
def text() -> str:
    return (REPOSITORY / DOCUMENT).read_text("utf-8")


@pytest.fixture(scope="module")
def abi() -> list[dict[str, Any]]:
    artefact = json.loads((REPOSITORY / "contracts/abi/FiveSOfficeVouchers.json").read_text())
    entries: list[dict[str, Any]] = artefact["abi"]
    return entries


def section(text: str, heading: str) -> str:
    """What stands below `## heading`."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table's rows, headings included, without code marks."""
    return [
        [cell.strip().strip("`") for cell in row.split("|")]
        for row in ROW.findall(text.replace("||", "| |"))
    ]


def told(entry: dict[str, Any]) -> str:
    """An ABI entry as the document writes it."""
    answers = ", ".join(_parameter(one) for one in entry.get("outputs", []))
    takes = ", ".join(_parameter(one) for one in entry["inputs"])
    return f"{entry['name']}({takes})" + (f" → {answers}" if answers else "")


def _parameter(one: dict[str, Any]) -> str:
    kind = one["internalType"].split(".")[-1] if one["type"] == "tuple" else one["type"]
    return " ".join(
        word for word in (kind, "indexed" * one.get("indexed", False), one["name"]) if word
    )


def of_kind(abi: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [entry for entry in abi if entry["type"] == kind]


def selector(entry: dict[str, Any]) -> str:
    as_function: Any = {**entry, "type": "function"}
    return "0x" + function_abi_to_4byte_selector(as_function).hex()


@pytest.mark.parametrize(("heading", "kind"), [("Functions", "function"), ("Errors", "error")])
def test_every_function_and_error_is_documented_and_nothing_else(
    text: str, abi: list[dict[str, Any]], heading: str, kind: str
) -> None:
    documented = [row[:2] for row in rows(section(text, heading)) if row[0].startswith("0x")]
    expected = [[selector(entry), told(entry)] for entry in of_kind(abi, kind)]
    assert sorted(documented) == sorted(expected)


def test_every_event_is_documented_and_nothing_else(text: str, abi: list[dict[str, Any]]) -> None:
    events = section(text, "Events")
    documented = [row[0] for row in rows(events) if "(" in row[0]]
    assert sorted(documented) == sorted(told(entry) for entry in of_kind(abi, "event"))
    (redeemed,) = (one for one in abi if one.get("name") == "VoucherRedeemed")
    topic: Any = redeemed
    assert f"`0x{event_abi_to_log_topic(topic).hex()}`" in events


def test_functions_emit_and_revert_with_what_there_is(text: str, abi: list[dict[str, Any]]) -> None:
    events = {entry["name"] for entry in of_kind(abi, "event")}
    errors = {entry["name"] for entry in of_kind(abi, "error")}
    emitted: set[str] = set()
    for line in section(text, "Functions").splitlines():
        cells = line.split("|")
        if len(cells) != 8 or "0x" not in cells[1]:
            continue
        emits, reverts = set(WORD.findall(cells[5])), set(WORD.findall(cells[6]))
        assert emits <= events, line
        assert reverts <= errors, line
        emitted |= emits
    assert emitted == events - {"RoleAdminChanged", "EIP712DomainChanged"}


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_storage_is_the_compilers(text: str) -> None:
    build = load(REPOSITORY / "contracts/build.py")
    request = build.read_input()
    request["settings"]["outputSelection"] = {
        build.SOURCE_NAME: {build.CONTRACT_NAME: ["storageLayout"]}
    }
    output = build.compile_standard_json(request)
    layout = output["contracts"][build.SOURCE_NAME][build.CONTRACT_NAME]["storageLayout"]
    types = layout["types"]
    variables = [
        [one["slot"], str(one["offset"]), one["label"], types[one["type"]]["label"]]
        for one in layout["storage"]
    ]
    (books,) = (one for name, one in types.items() if "VoucherType" in name and "members" in one)
    assert books["numberOfBytes"] == "32"
    fields = [
        [str(one["offset"]), one["label"], types[one["type"]]["label"]] for one in books["members"]
    ]
    storage = [row for row in rows(section(text, "Storage")) if row[0].isdigit()]
    assert [row[:4] for row in storage if len(row) == 5] == variables
    assert [row for row in storage if len(row) == 3] == fields


def test_every_test_that_is_named_exists(text: str) -> None:
    sources = [
        *(REPOSITORY / "contracts/test").rglob("*.sol"),
        *(REPOSITORY / "contracts/proofs").rglob("*.sol"),
        *(REPOSITORY / "tests").rglob("*.py"),
    ]
    code = "\n".join(path.read_text("utf-8") for path in sources)
    existing = set(re.findall(r"^\s*(?:function|def) (\w+)\(", code, re.MULTILINE))
    named = set(NAME.findall(text))
    assert named - existing == set()


def test_every_property_has_tests(text: str) -> None:
    properties = section(text, "Properties, and what holds them")
    items = re.split(r"^(\d+)\. ", properties, flags=re.MULTILINE)
    numbers, held = items[1::2], items[2::2]
    assert numbers == [str(number) for number in range(1, PROPERTIES + 1)]
    for number, item in zip(numbers, held, strict=True):
        assert NAME.search(item), number


def test_files_and_sections_that_are_named_exist(text: str) -> None:
    paths = re.findall(r"`((?:contracts|docs|tests)/[\w./-]+)", text)
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) == anchors


# ---------------------------------------------------------------------------------- the gas table


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of what the gas table is made of, and of the document."""
    for name in (GAS_TABLE, DOCUMENT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "contracts/snapshots", tmp_path / "contracts/snapshots")
    return tmp_path


def gas_table(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, place / GAS_TABLE, *arguments], capture_output=True, text=True, check=False
    )


def test_gas_table_is_that_of_the_snapshots() -> None:
    done = gas_table(REPOSITORY, "--check")
    assert done.returncode == 0, done.stderr


def test_gas_table_that_is_old_is_noticed_and_mended(place: Path) -> None:
    snapshot = place / "contracts/snapshots/Transactions.json"
    gas = json.loads(snapshot.read_text())
    snapshot.write_text(json.dumps({**gas, "mint, to a holder": "45421"}))
    done = gas_table(place, "--check")
    assert done.returncode == 1
    assert "--write" in done.stderr
    assert gas_table(place, "--write").returncode == 0
    assert gas_table(place, "--check").returncode == 0
    assert "| mint, to a holder | 45,421 | 0.0020 |" in (place / DOCUMENT).read_text()


def test_gas_table_needs_its_place_in_the_document(place: Path) -> None:
    (place / DOCUMENT).write_text("# The voucher contract\n")
    done = gas_table(place, "--write")
    assert done.returncode == 1
    assert "no place for the table" in done.stderr


def test_gas_table_reckons_at_the_prices_given(place: Path) -> None:
    for snapshot in (place / "contracts/snapshots").iterdir():
        snapshot.unlink()
    (place / "contracts/snapshots/Transactions.json").write_text(
        '{"airdrop of 100, to new holders": "3000000", "mint": "50000"}'
    )
    done = gas_table(place, "--gas-price-gwei", "3", "--bnb-usd", "600")
    assert done.returncode == 0
    assert done.stdout.splitlines()[4:] == [
        "| airdrop of 100, to new holders | 3,000,000 | 5.4000 |",
        "| airdrop of 100, to new holders: each recipient | 30,000 | 0.0540 |",
        "| mint | 50,000 | 0.0900 |",
    ]


@pytest.mark.parametrize("price", ["0", "-1", "nan", "cheap"])
def test_gas_table_refuses_a_price_that_is_none(place: Path, price: str) -> None:
    done = gas_table(place, "--bnb-usd", price)
    assert done.returncode == 2
    assert "--bnb-usd" in done.stderr
