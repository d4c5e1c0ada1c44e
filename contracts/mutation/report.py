"""The committed report: written from a run's results, checked against the source without one."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import build

from mutation.operators import Mutant
from mutation.planted import Fault
from mutation.sandbox import Failed
from mutation.trials import KILLED, SAME_BYTECODE, Outcome

FILE = build.HERE.parent / "docs" / "contract-mutation.md"
REMEDY = "run contracts/mutate.py --report and commit the result"

BY_COMPILER = "equivalent: same bytecode"
BY_ARGUMENT = "equivalent: see above"
ROW = re.compile(r"^\| (?P<mutant>`.+`) \| (?P<result>.+) \|$")
TEST = re.compile(r"`\w+\.(?P<name>\w+)`")

INTRODUCTION = """\
# Mutation report of the voucher contract

Made by `contracts/mutate.py --report` from `contracts/{source}` with
`sha256:{hash}`.
`make contracts` fails when this is not the report of the contract as it is.

**How it is made.** Each mutant is the contract with one small fault, made at a node of the
compiler's syntax tree. It is compiled with the settings of the real one and deployed by the Foundry
tests in its place: first by unit and fuzz tests, then, if they all pass, by the invariants at their
full length. A test that fails kills the mutant. Tests that judge the bytecode itself, its gas or
size, do not count: what kills here is behaviour, which a second build of the unchanged contract
with other bytecode proves by passing them all. A mutant that survives is equivalent, because it has
the same bytecode or for the reason given below, or else the run fails.

| | |
|---|---|
| Mutants | {total} |
| Killed | {killed} |
| Equivalent, with the same bytecode | {same} |
| Equivalent, for the reason given | {argued} |
| Survivors | 0 |
"""


def result_of(mutant: Mutant, outcome: Outcome) -> str:
    """The report's word on one mutant; one that survived is argued for."""
    if outcome.verdict == KILLED:
        own = [test for test in outcome.failed if f"_{mutant.function}_" in test.name]
        return f"`{(own or outcome.failed)[0]}`"
    return BY_COMPILER if outcome.verdict == SAME_BYTECODE else BY_ARGUMENT


def render(
    source: str,
    results: Sequence[tuple[Mutant, str]],
    arguments: Mapping[str, str],
    properties: Mapping[int, str],
    faults: Iterable[Fault],
) -> str:
    """The report, in Markdown; `results` are each mutant's `result_of`."""
    count = Counter(_kind(result) for _, result in results)
    introduction = INTRODUCTION.format(
        source=build.SOURCE_NAME,
        hash=hashlib.sha256(source.encode()).hexdigest(),
        total=len(results),
        killed=count["killed"],
        same=count[BY_COMPILER],
        argued=count[BY_ARGUMENT],
    )
    parts = [
        introduction,
        _planted(properties, faults),
        _by_operator(results),
        _argued(arguments),
        _all(results),
    ]
    return "\n".join(parts)


def check(
    source: str,
    mutants: Sequence[Mutant],
    arguments: Mapping[str, str],
    properties: Mapping[int, str],
    faults: Sequence[Fault],
) -> None:
    """Raise Failed, saying why, unless the committed report is that of this source and these files.

    The results themselves are taken from the report: only a run can make them.
    """
    if not FILE.exists():
        raise Failed(f"{FILE} is missing: {REMEDY}")
    committed = FILE.read_text(encoding="utf-8")
    told = {row["mutant"]: row["result"] for row in map(ROW.match, committed.splitlines()) if row}
    untold = [mutant.id for mutant in mutants if _code(mutant.id) not in told]
    if untold:
        raise Failed(f"{FILE} lacks {len(untold)} mutants, first {untold[0]}: {REMEDY}")
    results = [(mutant, told[_code(mutant.id)]) for mutant in mutants]
    argued = {mutant.id for mutant, result in results if result == BY_ARGUMENT}
    if argued != arguments.keys():
        raise Failed(f"{FILE} has other equivalent mutants than are argued for: {REMEDY}")
    if render(source, results, arguments, properties, faults) != committed:
        raise Failed(f"{FILE} is not the report of this source: {REMEDY}")
    named = {row["name"] for row in TEST.finditer(committed)} | _named(faults)
    if missing := sorted(named - _test_names()):
        raise Failed(f"{FILE} names tests that do not exist: {', '.join(missing)}: {REMEDY}")


def _test_names() -> set[str]:
    files: Iterable[Path] = (build.HERE / "test").rglob("*.sol")
    return {
        name
        for file in files
        for name in re.findall(r"\bfunction (\w+)\(", file.read_text(encoding="utf-8"))
    }


def _named(faults: Iterable[Fault]) -> set[str]:
    return {name for fault in faults for name in fault.tests}


def _kind(result: str) -> str:
    return result if result in {BY_COMPILER, BY_ARGUMENT} else "killed"


def _code(text: str) -> str:
    """`text` as code within a table's cell."""
    return "`" + text.replace("|", "\\|") + "`"


def _planted(properties: Mapping[int, str], faults: Iterable[Fault]) -> str:
    lines = [
        "## Planted faults",
        "",
        "Each property of the contract, what was planted against it, and the tests that were named",
        "beforehand and failed (`contracts/mutate.py --planted`).",
        "",
        "| Property | Planted fault | Tests that fail |",
        "|---|---|---|",
    ]
    shown: set[int] = set()
    for fault in faults:
        number = fault.property
        text = f"**{number}.** {properties[number]}" if number not in shown else f"**{number}.**"
        shown.add(number)
        tests = "<br>".join(f"`{name}`" for name in fault.tests)
        lines.append(f"| {text} | {fault.breaks} | {tests} |")
    return "\n".join(lines) + "\n"


def _by_operator(results: Iterable[tuple[Mutant, str]]) -> str:
    counts: dict[str, Counter[str]] = {}
    for mutant, result in results:
        counts.setdefault(mutant.operator, Counter())[_kind(result)] += 1
    lines = [
        "## By operator",
        "",
        "| Operator | Mutants | Killed | Same bytecode | Argued |",
        "|---|--:|--:|--:|--:|",
    ]
    for operator, count in sorted(counts.items()):
        kinds = f"{count['killed']} | {count[BY_COMPILER]} | {count[BY_ARGUMENT]}"
        lines.append(f"| {operator} | {count.total()} | {kinds} |")
    return "\n".join(lines) + "\n"


def _argued(arguments: Mapping[str, str]) -> str:
    lines = ["## Equivalent, and why", ""]
    for mutant, why in arguments.items():
        lines += [f"- `{mutant}`", f"  {' '.join(why.split())}"]
    return "\n".join(lines) + "\n"


def _all(results: Iterable[tuple[Mutant, str]]) -> str:
    lines = [
        "## All mutants",
        "",
        "In source order, each with a test that kills it: the first by name of those named for the",
        "mutated function, or else of all that fail.",
        "",
        "| Mutant | Killed by |",
        "|---|---|",
    ]
    lines += [f"| {_code(mutant.id)} | {result} |" for mutant, result in results]
    return "\n".join(lines) + "\n"
