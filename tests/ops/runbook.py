"""Works through a runbook on a local chain, as an operator would, and compares what it promises.

How a runbook is written, so that it reads well and can be exercised:

- Each step's command stands alone in a fence marked `sh`: one `vouchers` or `curl` command, which
  may go on over lines that end in a backslash; `curl` may be followed by a pipe. Every such fence
  is exercised; other marks for shell commands (`bash`, `console`, none) are refused, so that no
  command escapes.
- The next fence, marked `text`, says what to expect: each of its lines appears in the output, in
  that order, with other lines between them or not. `…` stands for anything within a line; a line
  of `…` alone is for the reader. A line that begins with `Error:` or `✗` says that the command ends
  with exit code 1, and a line `exit code N` with N; otherwise it ends with 0.
- A fence marked `json` holds lines of the listener's log, each with the fields that matter: an
  event with these fields is in the log. `…` stands for anything within a text or in place of a
  value.
- `$NAME` in any of them is filled in from `names`.
- A system that runs needs its time: what is only looked at, that is the log and what `curl`
  answers, is looked at again until it is as expected or `patience` seconds are over.
- What the output hands over is then signed, as the text around the step says to: a printed
  `cast send … --ledger` line is run with Foundry's own cast, the node's account in place of the
  Ledger; a Safe Transaction Builder file goes to `sign_with_safe`.
"""

import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from click.testing import CliRunner

from ops.cli.bootstrap import system_tools
from ops.cli.main import cli

RUNBOOKS = Path(__file__).parents[2] / "docs/runbooks"
CAST = Path(__file__).parents[2] / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
CAST_SECONDS = 60
LOOK_AGAIN_SECONDS = 0.2
EXIT_CODE = re.compile(r"exit code (\d+)")
SHELL_MARKS = {"", "bash", "shell", "zsh", "console", "shell-session"}
FENCE = re.compile(r"^(?:\d+\.)? *```(\S*)[^\n]*\n(.*?)^ *``` *$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FOR_LEDGER = "Run with ETH_RPC_URL set and the Ledger unlocked:"
FOR_SAFE = "Load into the Safe's Transaction Builder (drag and drop):"


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what to expect of it. `line` is the command's in the runbook."""

    section: str
    line: int
    command: str
    expected: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        for line in self.expected:
            if said := EXIT_CODE.fullmatch(line):
                return int(said[1])
        return int(any(line.startswith(("Error:", "✗")) for line in self.expected))

    @property
    def output(self) -> tuple[str, ...]:
        """What the command prints."""
        return tuple(line for line in self.expected if not EXIT_CODE.fullmatch(line))

    @property
    def only_looks(self) -> bool:
        """Whether doing it again changes nothing."""
        return self.command.startswith("curl ")


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the log. `line` is its place in the runbook."""

    section: str
    line: int
    text: str

    def is_in(self, log: str, names: Mapping[str, str]) -> bool:
        """Whether one of the log's whole lines has all its fields."""
        wanted: dict[str, Any] = json.loads(Template(self.text).substitute(names))
        whole = [one for one in log.splitlines(keepends=True) if one.startswith("{")]
        events = [json.loads(one) for one in whole if one.endswith("\n")]
        return any(
            all(name in event and _fits(value, event[name]) for name, value in wanted.items())
            for event in events
        )


def _fits(wanted: Any, told: Any) -> bool:
    if wanted == "…":
        return True
    if isinstance(wanted, str) and isinstance(told, str):
        pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
        return re.fullmatch(pattern, told, re.DOTALL) is not None
    return bool(wanted == told)


def read(text: str) -> tuple[Step | Logged, ...]:
    """The steps of a runbook and its log lines, in order; `section` is the heading above.

    Raises:
        AssertionError: the runbook is not written as this module's docstring says.
    """
    headings = [(found.start(), found[1]) for found in HEADING.finditer(_without_fences(text))]
    fences = list(FENCE.finditer(text))
    steps: list[Step | Logged] = []
    for place, fence in enumerate(fences):
        line = text.count("\n", 0, fence.start()) + 2
        assert fence[1] not in SHELL_MARKS, f"line {line}: mark commands as `sh`"
        above = [title for start, title in headings if start < fence.start()]
        if fence[1] == "json":
            lines = _lines(fence[2])
            steps += [Logged(above[-1], line + at, one) for at, one in enumerate(lines)]
        if fence[1] != "sh":
            continue
        following = fences[place + 1] if place + 1 < len(fences) else None
        assert following is not None, f"line {line}: say in a `text` fence what to expect"
        assert following[1] == "text", f"line {line}: say in a `text` fence what to expect"
        steps.append(Step(above[-1], line, _one_command(fence[2], line), _lines(following[2])))
    return tuple(steps)


def _without_fences(text: str) -> str:
    """The text with its fences blanked: a `#` in a command is no heading. Places stay the same."""
    return FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), text)


def _one_command(fence: str, line: int) -> str:
    joined = re.sub(r"\\\n *", "", fence).strip()
    assert "\n" not in joined, f"line {line}: one command to a fence, or no expectation is its own"
    known = joined.startswith(("vouchers ", "curl "))
    assert known, f"line {line}: only `vouchers` commands and `curl` are exercised"
    return joined


def _lines(fence: str) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in fence.splitlines() if line.strip() not in {"", "…"})
    assert lines, "an expectation that expects nothing"
    return lines


def missing(expected: tuple[str, ...], output: str) -> str | None:
    """The first of the expected lines that the output does not have in its place."""
    rest = iter(output.splitlines())
    for line in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        if not any(pattern.search(one) for one in rest):
            return line
    return None


class Exercise:
    """A runbook being worked through, section by section, in `folder`, where files are written."""

    def __init__(
        self,
        text: str,
        *,
        environ: Mapping[str, str],
        names: Mapping[str, str],
        folder: Path,
        sign_with_safe: Callable[[Path], None] | None = None,
        log: Path | None = None,
        patience: float = 0.0,
    ) -> None:
        """`environ` holds the settings of the command line, `names` what `$NAME`s stand for, `log`
        is the listener's."""
        self.environ = dict(environ)
        self._steps = read(text)
        self._names = names
        self._folder = folder
        self._sign_with_safe = sign_with_safe
        self._log = log
        self._patience = patience
        self._done: set[Step | Logged] = set()

    def section(self, title: str) -> list[str]:
        """Do the steps under a heading, and sign what each hands over; what each printed. Look for
        its lines in the log.

        Raises:
            AssertionError: naming the line of the first step that is not as the runbook says.
        """
        steps = [step for step in self._steps if step.section == title]
        assert steps, f"the runbook has no steps under {title!r}"
        return [self._do(step) if isinstance(step, Step) else self._look_up(step) for step in steps]

    def left_out(self) -> list[str]:
        """Commands that were not exercised, and log lines that were not looked for."""
        left = [step for step in self._steps if step not in self._done]
        return [step.command if isinstance(step, Step) else step.text for step in left]

    def _look_up(self, logged: Logged) -> str:
        assert self._log is not None, "there is no log to look into"
        deadline = time.monotonic() + self._patience
        while not logged.is_in(log := self._log.read_text("utf-8"), self._names):
            assert time.monotonic() < deadline, f"line {logged.line}: {logged.text}\n\n{log}"
            time.sleep(LOOK_AGAIN_SECONDS)
        self._done.add(logged)
        return logged.text

    def _look(self, step: Step, command: str, expected: tuple[str, ...]) -> str:
        """Run a command that changes nothing until it answers as expected."""
        deadline = time.monotonic() + self._patience
        while True:
            done = subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, check=False
            )
            output = done.stdout + done.stderr
            lost = missing(expected, output)
            if lost is None and done.returncode == step.exit_code:
                self._done.add(step)
                return output
            told = f"line {step.line}: {command}\nexit code {done.returncode}\nexpected: {lost}"
            assert time.monotonic() < deadline, f"{told}\n\n{output}"
            time.sleep(LOOK_AGAIN_SECONDS)

    def _do(self, step: Step) -> str:
        where = f"line {step.line}: {step.command}"
        command = Template(step.command).substitute(self._names)
        expected = tuple(Template(line).substitute(self._names) for line in step.output)
        if step.only_looks:
            return self._look(step, command, expected)
        words = shlex.split(command)
        with chdir(self._folder):
            result = CliRunner().invoke(cli, words[1:], obj=system_tools(self.environ))
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert result.exit_code == step.exit_code, f"{where}\n{result.output}"
            lost = missing(expected, result.output)
            assert lost is None, f"{where}\nexpected: {lost}\n\n{result.output}"
            self._sign(result.output)
        self._done.add(step)
        return result.output

    def _sign(self, output: str) -> None:
        for line in output.splitlines():
            if line.startswith("cast send "):
                self._cast(line)
            elif line.startswith(FOR_LEDGER) and (file := line.removeprefix(FOR_LEDGER).strip()):
                for one in Path(file).read_text("utf-8").splitlines():
                    self._cast(one)
            elif line.startswith(FOR_SAFE) and (file := line.removeprefix(FOR_SAFE).strip()):
                assert self._sign_with_safe is not None, "there is no Safe to sign with"
                self._sign_with_safe(Path(file))

    def _cast(self, line: str) -> None:
        words = shlex.split(line)
        assert words[-1] == "--ledger"
        done = subprocess.run(
            [CAST, *words[1:-1], "--unlocked", "--rpc-url", self.environ["RPC_URLS"]],
            capture_output=True,
            text=True,
            timeout=CAST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@contextmanager
def exercised(
    name: str,
    *,
    environ: Mapping[str, str],
    names: Mapping[str, str],
    folder: Path,
    sign_with_safe: Callable[[Path], None] | None = None,
    log: Path | None = None,
    patience: float = 0.0,
) -> Iterator[Exercise]:
    """Work through `docs/runbooks/NAME`; at the end, no command may have been left out."""
    exercise = Exercise(
        (RUNBOOKS / name).read_text("utf-8"),
        environ=environ,
        names=names,
        folder=folder,
        sign_with_safe=sign_with_safe,
        log=log,
        patience=patience,
    )
    yield exercise
    assert exercise.left_out() == []
