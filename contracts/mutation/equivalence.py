"""Arguments that a surviving mutant is equivalent: no caller can tell it from the contract."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from mutation.operators import Mutant
from mutation.sandbox import Failed
from mutation.trials import KILLED, NOT_COMPILED, SURVIVED, Outcome

FILE = Path(__file__).with_name("equivalent.toml")


def read_arguments() -> dict[str, str]:
    """Why each mutant, by id, is equivalent. Raises Failed for an id given twice or without why."""
    arguments: dict[str, str] = {}
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8")).get("equivalent", []):
        mutant, why = str(entry.get("mutant", "")), str(entry.get("why", "")).strip()
        if not mutant or not why:
            raise Failed(f"{FILE.name}: an entry needs `mutant` and `why`: {entry}")
        if mutant in arguments:
            raise Failed(f"{FILE.name}: two arguments for {mutant}")
        arguments[mutant] = why
    return arguments


def problems(
    tried: Iterable[tuple[Mutant, Outcome]], arguments: Mapping[str, str]
) -> Iterable[str]:
    """Survivors that nobody argues for, arguments that do not hold, mutants that do not compile."""
    for mutant, outcome in tried:
        if outcome.verdict == NOT_COMPILED:
            yield f"does not compile, so its operator is wrong: {mutant.id}"
        elif outcome.verdict == SURVIVED and mutant.id not in arguments:
            yield f"survived, and {FILE.name} does not argue for it: {mutant.id}"
        elif outcome.verdict == KILLED and mutant.id in arguments:
            yield f"argued equivalent, but {outcome.failed[0]} kills it: {mutant.id}"
        elif outcome.verdict != SURVIVED and mutant.id in arguments:
            yield f"needs no argument, having the {outcome.verdict}: {mutant.id}"


def unknown(mutants: Iterable[Mutant], arguments: Mapping[str, str]) -> Iterable[str]:
    """Arguments for mutants that do not exist (any more)."""
    known = {mutant.id for mutant in mutants}
    return (
        f"argued equivalent, but there is no such mutant: {id_}"
        for id_ in arguments
        if id_ not in known
    )
