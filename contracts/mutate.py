#!/usr/bin/env python3
"""Mutation testing of the voucher contract: do its tests notice when it is wrong?

    contracts/mutate.py                  try every mutant
    contracts/mutate.py --list           name the mutants
    contracts/mutate.py --only _redeem   try those with this in their name, or by number in the list
    contracts/mutate.py --planted        plant the faults of mutation/planted.toml instead
    contracts/mutate.py --report         do both, and write docs/contract-mutation.md
    contracts/mutate.py --check-report   see that the report is that of this source; tries nothing

A mutant is the contract with one small fault. It is killed when a test fails; one that survives
needs a test that kills it, or an argument in mutation/equivalent.toml that nobody can tell it from
the contract. All happens in copies below .local/mutation. Needs Node.js and what
`npm ci --ignore-scripts` installs, and nothing of Python beyond the standard library.

Exit codes: 0 all is well; 1 the tests, the arguments or the report are not; 2 it could not run.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import build
from mutation import equivalence, planted, report
from mutation.compiler import NotCompiled, syntax_tree
from mutation.operators import Mutant, mutants_of
from mutation.planted import Fault
from mutation.sandbox import Failed
from mutation.trials import Laboratory, Outcome

WORKPLACE = build.HERE.parent / ".local" / "mutation"


class Unsound(Exception):
    """The tests, the arguments or the report are found wanting; the message has a line for each."""


def read_mutants(source: str) -> list[Mutant]:
    """All mutants of the contract, in source order."""
    return mutants_of(source.encode(), syntax_tree(source), build.CONTRACT_NAME)


def choose(mutants: Sequence[Mutant], wanted: Sequence[str]) -> list[Mutant]:
    """The mutants with one of these numbers in the list, or one of these texts in their names.

    Raises Failed if there is none.
    """
    chosen = [
        mutant
        for number, mutant in enumerate(mutants, 1)
        if any(text == str(number) or (not text.isdigit() and text in mutant.id) for text in wanted)
    ]
    if not chosen:
        raise Failed(f"no mutant is {' or '.join(wanted)}: see --list")
    return chosen


def try_mutants(
    laboratory: Laboratory, source: str, mutants: Sequence[Mutant]
) -> list[tuple[Mutant, Outcome]]:
    """Each mutant with its outcome."""

    def trial(mutant: Mutant) -> Outcome:
        changed = mutant.applied_to(source.encode()).decode()
        return laboratory.outcome(changed, invariants=False)

    return list(zip(mutants, laboratory.try_all(mutants, trial), strict=True))


def try_faults(laboratory: Laboratory, source: str, faults: Sequence[Fault]) -> list[str]:
    """What is wrong with the tests, going by the planted faults."""

    def trial(fault: Fault) -> Outcome:
        return laboratory.outcome(fault.applied_to(source), invariants=fault.needs_invariants())

    outcomes = laboratory.try_all(faults, trial)
    found = (fault.problem(outcome) for fault, outcome in zip(faults, outcomes, strict=True))
    return [problem for problem in found if problem]


def run(arguments: argparse.Namespace) -> str:
    """Do what was asked for; what to tell about it. Raises Unsound, Failed or BuildError."""
    source = build.source_path(build.SOURCE_NAME).read_text(encoding="utf-8")
    properties, faults = planted.read_faults(source)
    mutants = read_mutants(source)
    if arguments.list:
        return "\n".join(f"{number:4} {mutant.id}" for number, mutant in enumerate(mutants, 1))
    argued = equivalence.read_arguments()
    problems = list(equivalence.unknown(mutants, argued))
    if arguments.check_report:
        stop_on(problems)
        try:
            report.check(source, mutants, argued, properties, faults)
        except Failed as error:
            raise Unsound(str(error)) from error
        return f"{report.FILE.name}: up to date"

    chosen = choose(mutants, arguments.only) if arguments.only else mutants
    WORKPLACE.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=WORKPLACE) as place,
        closing(Laboratory(Path(place), arguments.jobs, source)) as laboratory,
    ):
        if arguments.planted or arguments.report:
            problems += try_faults(laboratory, source, faults)
        tried = [] if arguments.planted else try_mutants(laboratory, source, chosen)
    problems += equivalence.problems(tried, argued)
    stop_on(problems)
    if arguments.planted:
        return f"{len(faults)} planted faults: each makes the tests named for it fail"
    results = [(mutant, report.result_of(mutant, outcome)) for mutant, outcome in tried]
    if arguments.report:
        text = report.render(source, results, argued, properties, faults)
        report.FILE.write_text(text, encoding="utf-8")
        return f"{report.FILE.name}: written"
    return "\n".join(f"{result}  {mutant.id}" for mutant, result in results)


def stop_on(problems: Sequence[str]) -> None:
    """Raise Unsound if there are any."""
    if problems:
        raise Unsound("\n".join(problems))


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="name the mutants and stop")
    what.add_argument(
        "--only", action="append", metavar="TEXT|N", help="these mutants only; may be repeated"
    )
    what.add_argument("--planted", action="store_true", help="the planted faults, no mutants")
    what.add_argument("--report", action="store_true", help="both, and write the report")
    what.add_argument("--check-report", action="store_true", help="is the report up to date?")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="trials at a time"
    )
    arguments = parser.parse_args(given)
    if arguments.jobs < 1:
        parser.error("--jobs has to be at least 1")
    return arguments


def main() -> int:
    """Run the command line; what is wrong goes to stderr."""
    arguments = parse()
    try:
        print(run(arguments))
    except Unsound as error:
        print(error, file=sys.stderr)
        return 1
    except (Failed, NotCompiled, build.BuildError) as error:
        print(f"contracts/mutate.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
