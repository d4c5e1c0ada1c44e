"""The mutation report is that of the contract, and the tool that makes it can find fault."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MUTATE = "contracts/mutate.py"
SOURCE = "contracts/src/FiveSOfficeVouchers.sol"
ARGUMENTS = "contracts/mutation/equivalent.toml"
PLANTED = "contracts/mutation/planted.toml"
REPORT = "docs/contract-mutation.md"

ZERO_AMOUNT = "remove-if in _redeem: if (amount == 0) revert ZeroAmount(); => (nothing)"


def mutate(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, repository / MUTATE, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def edit(file: Path, original: str, replacement: str) -> None:
    text = file.read_text()
    assert original in text
    file.write_text(text.replace(original, replacement))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all that mutation testing reads and writes."""
    ignored = shutil.ignore_patterns("out", "cache", "proofs", ".*", "__pycache__")
    shutil.copytree(REPOSITORY / "contracts", tmp_path / "contracts", ignore=ignored)
    shutil.copytree(REPOSITORY / "tests" / "vectors", tmp_path / "tests" / "vectors")
    (tmp_path / REPORT).parent.mkdir()
    shutil.copy(REPOSITORY / REPORT, tmp_path / REPORT)
    (tmp_path / "node_modules").symlink_to(REPOSITORY / "node_modules")
    return tmp_path


def test_committed_report_is_that_of_the_source() -> None:
    done = mutate(REPOSITORY, "--check-report")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("original", "replacement", "complaint"),
    [
        ("MAX_ORDER_LIFETIME = 7 days", "MAX_ORDER_LIFETIME = 8 days", "lacks"),
        ("// The burn succeeded", "// The burn was successful", "not the report of this source"),
    ],
)
def test_check_fails_when_the_source_has_moved_on(
    copy: Path, original: str, replacement: str, complaint: str
) -> None:
    edit(copy / SOURCE, original, replacement)
    done = mutate(copy, "--check-report")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "run contracts/mutate.py --report" in done.stderr


def test_check_fails_when_a_figure_was_edited(copy: Path) -> None:
    edit(copy / REPORT, "| Survivors | 0 |", "| Survivors | none |")
    done = mutate(copy, "--check-report")
    assert done.returncode == 1
    assert "not the report of this source" in done.stderr


def test_check_fails_when_a_test_that_kills_was_renamed(copy: Path) -> None:
    name = "test_redeemAndBurn_failsIfTheHashIsZero"
    edit(copy / "contracts/test/Redeem.t.sol", f"function {name}(", "function test_other(")
    done = mutate(copy, "--check-report")
    assert done.returncode == 1
    assert name in done.stderr


def test_check_fails_for_an_argument_about_no_mutant(copy: Path) -> None:
    with (copy / ARGUMENTS).open("a") as file:
        file.write('\n[[equivalent]]\nmutant = "remove-if in nowhere: x"\nwhy = "because"\n')
    done = mutate(copy, "--check-report")
    assert done.returncode == 1
    assert "there is no such mutant: remove-if in nowhere: x" in done.stderr


def test_an_argument_has_to_say_why(copy: Path) -> None:
    with (copy / ARGUMENTS).open("a") as file:
        file.write(f'\n[[equivalent]]\nmutant = "{ZERO_AMOUNT}"\nwhy = " "\n')
    done = mutate(copy, "--check-report")
    assert done.returncode == 2
    assert "needs `mutant` and `why`" in done.stderr


def test_a_planted_fault_needs_its_place_in_the_source(copy: Path) -> None:
    edit(copy / PLANTED, "books.redeemed += uint64(amount);", "books.redeemed += amount;")
    done = mutate(copy, "--planted")
    assert done.returncode == 2
    assert "occurs 0 times" in done.stderr


def test_every_property_has_a_planted_fault(copy: Path) -> None:
    edit(copy / PLANTED, "[properties]", '[properties]\n11 = "Another promise."')
    done = mutate(copy, "--check-report")
    assert done.returncode == 2
    assert "every property needs a fault" in done.stderr


def test_mutants_are_named_once_each_and_change_no_comment() -> None:
    done = mutate(REPOSITORY, "--list")
    assert done.returncode == 0, done.stderr
    names = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()]
    assert len(names) == len(set(names)) > 250
    assert not [name for name in names if "//" in name or "@dev" in name]
    assert ZERO_AMOUNT in names


def test_only_needs_a_mutant() -> None:
    done = mutate(REPOSITORY, "--only", "no such thing")
    assert done.returncode == 2
    assert "no mutant is no such thing" in done.stderr


@pytest.mark.slow
def test_a_mutant_that_no_test_kills_is_told(copy: Path) -> None:
    for file in (copy / "contracts" / "test").glob("*.t.sol"):
        if file.name != "Airdrop.t.sol":
            file.unlink()
    done = mutate(copy, "--only", ZERO_AMOUNT, "--jobs", "1")
    assert done.returncode == 1
    assert f"survived, and equivalent.toml does not argue for it: {ZERO_AMOUNT}" in done.stderr


@pytest.mark.slow
def test_an_argument_about_a_killed_mutant_is_told(copy: Path) -> None:
    with (copy / ARGUMENTS).open("a") as file:
        file.write(f'\n[[equivalent]]\nmutant = "{ZERO_AMOUNT}"\nwhy = "because"\n')
    done = mutate(copy, "--only", ZERO_AMOUNT, "--jobs", "1")
    assert done.returncode == 1
    assert "argued equivalent, but RedeemAndBurnTest.test_redeemAndBurn_fails" in done.stderr


@pytest.mark.slow
def test_tests_that_fail_without_a_fault_prove_nothing(copy: Path) -> None:
    edit(copy / "contracts/test/Redeem.t.sol", "balance: 8, redeemed: 2", "balance: 7, redeemed: 2")
    done = mutate(copy, "--only", ZERO_AMOUNT, "--jobs", "1")
    assert done.returncode == 2
    assert "tests fail that should not" in done.stderr


@pytest.mark.slow
def test_a_named_test_that_a_planted_fault_passes_is_told(copy: Path) -> None:
    edit(
        copy / PLANTED,
        'tests = ["test_redeemAndBurn_failsIfTheHashIsZero"]',
        'tests = ["test_redeemAndBurn_failsIfTheAmountIsZero"]',
    )
    done = mutate(copy, "--planted")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        'planted fault of property 5, "The hash zero is accepted.":'
        " passed by test_redeemAndBurn_failsIfTheAmountIsZero"
    )


@pytest.mark.slow
def test_every_planted_fault_makes_its_tests_fail() -> None:
    done = mutate(REPOSITORY, "--planted")
    assert done.returncode == 0, done.stderr
