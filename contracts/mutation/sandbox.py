"""A copy of the contract's tests that judges other builds of the contract."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import build

# What judges the compiler's output and not what the contract does: gas, size, committed artefact.
NOT_BEHAVIOUR_FILES = ("Gas.t.sol", "Size.t.sol")
NOT_BEHAVIOUR_SUITES = {"ArtifactTest"}
TIME_LIMIT = 300  # seconds for one run of the tests
RERUN_DATA = ("fuzz", "invariant")
# Sequences of one call find next to nothing, and take no time.
NO_INVARIANTS = {"FOUNDRY_INVARIANT_RUNS": "1", "FOUNDRY_INVARIANT_DEPTH": "1"}


class Failed(Exception):
    """Something other than a mutant went wrong; the message says what."""


@dataclass(frozen=True, slots=True)
class Test:
    """A Foundry test; `suite` is the test contract's name."""

    suite: str
    name: str

    def __str__(self) -> str:
        return f"{self.suite}.{self.name}"


class Sandbox:
    """The contract's directory, copied to `place` and compiled there once.

    The copy is compiled with dynamic test linking: its tests deploy whatever bytecode the compiled
    artefact of the contract holds. So a mutant is tried by writing its bytecode there, and nothing
    has to be compiled again.
    """

    def __init__(self, place: Path) -> None:
        """Raises Failed if the copy does not compile."""
        self._contracts = place / "contracts"
        name = build.CONTRACT_NAME
        self._artifact = self._contracts / "out" / f"{name}.sol" / f"{name}.json"
        shutil.rmtree(place, ignore_errors=True)
        repository = build.HERE.parent
        ignored = shutil.ignore_patterns("out", "cache", "proofs", ".*", *NOT_BEHAVIOUR_FILES)
        shutil.copytree(build.HERE, self._contracts, ignore=ignored)
        shutil.copytree(repository / "tests" / "vectors", place / "tests" / "vectors")
        (place / "node_modules").symlink_to(build.NODE_MODULES)
        done = self._forge("build")
        if done.returncode != 0:
            raise Failed(f"the tests do not compile:\n{done.stdout}{done.stderr}")
        self._template = json.loads(self._artifact.read_text(encoding="utf-8"))

    def failures(self, bytecode: str, *, invariants: bool) -> list[Test]:
        """The behavioural tests that fail for this creation bytecode, sorted by name.

        All of them are run, or all but the invariants, which take the most time. A run beyond the
        time limit counts as a failure, named `timeout`. Raises Failed if forge gives no results.
        """
        for directory in RERUN_DATA:  # no mutant is tried with the inputs that another failed on
            shutil.rmtree(self._contracts / "cache" / directory, ignore_errors=True)
        written = json.dumps(
            {
                **self._template,
                "bytecode": {**self._template["bytecode"], "object": f"0x{bytecode}"},
            }
        )
        self._artifact.write_text(written, encoding="utf-8")
        try:
            # A choice of tests by option would make forge compile all of them again.
            done = self._forge("test", "--json", **({} if invariants else NO_INVARIANTS))
        except subprocess.TimeoutExpired:
            return [Test("forge", "timeout")]
        if self._artifact.read_text(encoding="utf-8") != written:
            raise Failed("forge compiled the contract again, so the mutant was not tested")
        return [
            test
            for test in _failed_tests(done)
            if test.suite not in NOT_BEHAVIOUR_SUITES
            and (invariants or not test.name.startswith("invariant_"))
        ]

    def _forge(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {
            "FOUNDRY_DYNAMIC_TEST_LINKING": "true",
            "FORGE_SNAPSHOT_CHECK": "false",
            "FORGE_SNAPSHOT_EMIT": "false",
            **environment,
        }
        return subprocess.run(
            [self._contracts / "test.sh", *arguments],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
        )


def _failed_tests(done: subprocess.CompletedProcess[str]) -> list[Test]:
    try:
        suites = json.loads(done.stdout)
    except ValueError:
        suites = {}
    results = [
        (Test(suite.rpartition(":")[2], name.partition("(")[0]), result["status"])
        for suite, outcome in suites.items()
        for name, result in outcome["test_results"].items()
    ]
    if not results:
        raise Failed(f"forge ran no tests:\n{done.stdout}{done.stderr}")
    return sorted((test for test, status in results if status == "Failure"), key=str)
