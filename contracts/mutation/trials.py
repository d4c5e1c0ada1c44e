"""Trials: builds with a fault, compiled and tested in parallel, and the verdict on each."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from mutation.compiler import Compiler, NotCompiled
from mutation.sandbox import Failed, Sandbox, Test

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
    """Sandboxes for `jobs` trials at a time, under `place`; ends with `close`.

    The unchanged contract passes their tests, and so does a build of it with other bytecode: what
    fails a test in here, fails it by behaviour.
    """

    def __init__(self, place: Path, jobs: int, source: str) -> None:
        """Raises Failed if the unchanged contract fails a test."""
        self._jobs = jobs
        with ThreadPoolExecutor(jobs) as pool:
            places = (place / f"sandbox-{number}" for number in range(jobs))
            sandboxes = list(pool.map(Sandbox, places))
        self._free: SimpleQueue[tuple[Compiler, Sandbox]] = SimpleQueue()
        for sandbox in sandboxes:
            self._free.put((Compiler(), sandbox))
        with self._bench() as (compiler, sandbox):
            self._original = compiler.creation_code(source)
            other = compiler.creation_code(source, OTHER_BUILD)
            for bytecode in (self._original, other):
                if failed := sandbox.failures(bytecode, invariants=True):
                    names = ", ".join(str(test) for test in failed)
                    raise Failed(f"tests fail that should not, without any fault: {names}")

    def close(self) -> None:
        """End what runs on, once all trials are done."""
        while not self._free.empty():
            self._free.get()[0].close()

    def outcome(self, source: str, *, invariants: bool) -> Outcome:
        """Test the contract with this source text, with the invariants too or as a second step.

        A build whose bytecode is the original's is not tested: it is the same contract.
        """
        with self._bench() as (compiler, sandbox):
            try:
                bytecode = compiler.creation_code(source)
            except NotCompiled:
                return Outcome(NOT_COMPILED)
            if bytecode == self._original:
                return Outcome(SAME_BYTECODE)
            failed = [] if invariants else sandbox.failures(bytecode, invariants=False)
            failed = failed or sandbox.failures(bytecode, invariants=True)
            return Outcome(KILLED if failed else SURVIVED, tuple(failed))

    def try_all(self, items: Sequence[Item], trial: Callable[[Item], Outcome]) -> list[Outcome]:
        """The outcome of each item's trial, in the items' order, with progress on stderr."""
        with ThreadPoolExecutor(self._jobs) as pool:
            return list(progress(pool.map(trial, items), len(items)))

    @contextmanager
    def _bench(self) -> Iterator[tuple[Compiler, Sandbox]]:
        bench = self._free.get()
        try:
            yield bench
        finally:
            self._free.put(bench)


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
