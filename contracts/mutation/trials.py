"""Trials: builds with a fault, compiled and tested in parallel, and the verdict on each."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from mutation.sandbox import Failed, NotCompiled, Sandbox, Test, creation_code

KILLED = "killed"
SAME_BYTECODE = "same bytecode"
NOT_COMPILED = "does not compile"
SURVIVED = "survived"

Item = TypeVar("Item")
CLEAR_LINE = "\x1b[K"
LINE_EVERY = 30  # seconds, where stderr is a file
# Builds of the same source with other bytecode: tests of behaviour pass them too.
OTHER_BUILD = {"optimizer": {"enabled": True, "runs": 1}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one build: the verdict, and the failed tests, sorted, of a killed one."""

    verdict: str
    failed: tuple[Test, ...] = ()


class Laboratory:
    """Sandboxes for `jobs` trials at a time, under `place`.

    The unchanged contract passes their tests, and so does a build of it with other bytecode: what
    fails a test in here, fails it by behaviour.
    """

    def __init__(self, place: Path, jobs: int, source: str) -> None:
        """Raises Failed if the unchanged contract fails a test."""
        self._jobs = jobs
        self._original = creation_code(source)
        self._free: SimpleQueue[Sandbox] = SimpleQueue()
        with ThreadPoolExecutor(jobs) as pool:
            for sandbox in pool.map(Sandbox, (place / f"sandbox-{n}" for n in range(jobs))):
                self._free.put(sandbox)
        for bytecode in (self._original, creation_code(source, OTHER_BUILD)):
            if failed := self._failures(bytecode, invariants=True):
                names = ", ".join(str(test) for test in failed)
                raise Failed(f"tests fail that should not, without any fault: {names}")

    def outcome(self, source: str, *, invariants: bool) -> Outcome:
        """Test the contract with this source text, with the invariants too or as a second step.

        A build whose bytecode is the original's is not tested: it is the same contract.
        """
        try:
            bytecode = creation_code(source)
        except NotCompiled:
            return Outcome(NOT_COMPILED)
        if bytecode == self._original:
            return Outcome(SAME_BYTECODE)
        failed = () if invariants else self._failures(bytecode, invariants=False)
        failed = failed or self._failures(bytecode, invariants=True)
        return Outcome(KILLED if failed else SURVIVED, tuple(failed))

    def try_all(self, items: Sequence[Item], trial: Callable[[Item], Outcome]) -> list[Outcome]:
        """The outcome of each item's trial, in the items' order, with progress on stderr."""
        with ThreadPoolExecutor(self._jobs) as pool:
            return list(progress(pool.map(trial, items), len(items)))

    def _failures(self, bytecode: str, *, invariants: bool) -> Sequence[Test]:
        sandbox = self._free.get()
        try:
            return sandbox.failures(bytecode, invariants=invariants)
        finally:
            self._free.put(sandbox)


def progress(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
    """Pass the outcomes on, and count them in a line on stderr, with the time that is left."""
    begin = time.monotonic()
    counts: dict[str, int] = {}
    terminal = sys.stderr.isatty()
    last_line = begin
    for done, outcome in enumerate(outcomes, 1):
        counts[outcome.verdict] = counts.get(outcome.verdict, 0) + 1
        now = time.monotonic()
        if terminal or now - last_line > LINE_EVERY or done == total:
            left = (now - begin) / done * (total - done)
            told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
            end = "\r" if terminal and done < total else "\n"
            print(
                CLEAR_LINE * terminal + f"{done}/{total}: {told}; {left:.0f} s left",
                end=end,
                file=sys.stderr,
                flush=True,
            )
            last_line = now
        yield outcome
