"""Faults planted on purpose: for each property of the contract, what makes a named test fail."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mutation.sandbox import Failed
from mutation.trials import KILLED, Outcome

FILE = Path(__file__).with_name("planted.toml")


@dataclass(frozen=True, slots=True)
class Fault:
    """`original`, which occurs once in the source, becomes `replacement`, and all `tests` fail."""

    property: int
    breaks: str
    original: str
    replacement: str
    tests: tuple[str, ...]

    def applied_to(self, source: str) -> str:
        """The source with this fault. Raises Failed unless there is exactly one place for it."""
        places = source.count(self.original)
        if places != 1:
            raise Failed(f"{self}: `original` occurs {places} times in the source, not once")
        return source.replace(self.original, self.replacement)

    def needs_invariants(self) -> bool:
        """Whether a named test is an invariant."""
        return any(name.startswith("invariant_") for name in self.tests)

    def problem(self, outcome: Outcome) -> str | None:
        """What is wrong with the tests, going by this fault's outcome, if anything is."""
        if outcome.verdict != KILLED:
            return f"{self}: {outcome.verdict}"
        passed = sorted(set(self.tests) - {test.name for test in outcome.failed})
        return f"{self}: passed by {', '.join(passed)}" if passed else None

    def __str__(self) -> str:
        return f'planted fault of property {self.property}, "{self.breaks}"'


def read_faults(source: str) -> tuple[dict[int, str], list[Fault]]:
    """The properties by number, and the faults in their order.

    Raises Failed if a property has no fault, or a fault no property, test or place in `source`.
    """
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    properties = {int(number): text for number, text in data["properties"].items()}
    faults = [_fault(entry) for entry in data["fault"]]
    if {fault.property for fault in faults} != properties.keys():
        raise Failed(f"{FILE.name}: every property needs a fault, and every fault a property")
    for fault in faults:
        if not fault.tests:
            raise Failed(f"{fault}: `tests` is empty")
        fault.applied_to(source)
    return properties, sorted(faults, key=lambda fault: fault.property)


def _fault(entry: Mapping[str, object]) -> Fault:
    try:
        return Fault(**{**entry, "tests": tuple(entry["tests"])})  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise Failed(f"{FILE.name}: {entry.get('breaks', entry)}: {error}") from error
