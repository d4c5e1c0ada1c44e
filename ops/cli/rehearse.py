"""`vouchers rehearse`: the runbooks, played through on a chain of its own."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from chalicelib.domain.errors import Refused
from ops import anvil
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option

if TYPE_CHECKING:
    from ops.rehearsal import Run, Step

RPC_SECONDS = 10.0
TERMINATED = 128 + signal.SIGTERM


@click.command()
@click.option("--keep", is_flag=True, help="Leave the chain running afterwards, until Ctrl-C.")
@json_option
@click.pass_context
def rehearse(ctx: click.Context, *, keep: bool, as_json: bool) -> None:
    """Play the runbooks through on a local chain that is started for it.

    Deploys the contract, creates the catalogue's voucher types and mints; then the emergency stop,
    the rotation of keys, planned and after a theft, and the move of the admin role to a 2-of-3
    Safe made of Safe's own bytecode. Every command is one that an operator types, and after each
    the contract is asked whether it did what the runbook says.

    Needs no settings, no key and no network: only what `make setup` installs.

    Exit code 0 where every step came out as it must, 1 at the first that did not.

    \b
    Examples:
      vouchers rehearse
      vouchers rehearse --keep
    """
    from ops.rehearsal import Stage, StepFailed, play  # noqa: PLC0415 - web3 is slow to import

    report = Report(as_json=as_json)
    with (
        _terminable(),
        _chain() as rpc_url,
        TemporaryDirectory(prefix="vouchers-rehearsal-") as folder,
    ):
        node = ctx.ensure_object(Tools).open_node(rpc_url, RPC_SECONDS)
        stage = Stage(rpc_url, node, run=_runner(ctx), tell=report.tell)
        failure: StepFailed | None = None
        try:
            play(stage, Path(folder))
        except StepFailed as error:
            failure = error
        report.close(stage.settings, passed=failure is None)
        if keep:
            _wait_for_ctrl_c(stage.settings)
        if failure is not None:
            raise failure


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends this as Ctrl-C does: chain and folder go with it."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _chain() -> Iterator[str]:
    try:
        with anvil.start() as chain:
            yield chain.rpc_url
    except anvil.AnvilFailed as error:
        raise Refused(f"{error}; nothing was done") from error


def _runner(ctx: click.Context) -> "Run":
    """Runs commands of the same command line under other settings, and keeps what they print."""
    tools, group = ctx.ensure_object(Tools), ctx.find_root().command

    def run(args: Sequence[str], settings: Mapping[str, str]) -> str:
        printed = StringIO()
        with redirect_stdout(printed):
            code = group.main(
                list(args), standalone_mode=False, obj=replace(tools, environ=settings)
            )
        if code:
            raise Refused(printed.getvalue().strip())
        return printed.getvalue()

    return run


@dataclass(slots=True)
class Report:
    """The steps as they go for people, all at the end for programs."""

    as_json: bool
    steps: list["Step"] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def tell(self, step: "Step") -> None:
        """A step is over."""
        if not self.as_json:
            if not self.steps or self.steps[-1].part != step.part:
                click.secho(f"\n{step.part}", bold=True)
            click.echo(_in_words(step))
        self.steps.append(step)

    def close(self, settings: Mapping[str, str], *, passed: bool) -> None:
        """The rehearsal is over."""
        seconds = round(time.monotonic() - self.began, 1)
        verdict = "each came out as it must." if passed else "the last one failed."
        data = {
            "passed": passed,
            "seconds": seconds,
            "settings": dict(settings),
            "steps": [asdict(step) for step in self.steps],
        }
        emit(data, f"\n{len(self.steps)} steps in {seconds} s; {verdict}", as_json=self.as_json)


def _in_words(step: "Step") -> str:
    done = step.problem is None
    mark = click.style("✓", fg="green") if done else click.style("✗", fg="red")
    lines = [f"{step.number:3} {mark} {step.title}"]
    lines += [click.style(f"      {line}", dim=line.startswith("$")) for line in step.log]
    lines += [f"      {line}" for line in (step.problem or "").splitlines()]
    return "\n".join(lines)


def _wait_for_ctrl_c(settings: Mapping[str, str]) -> None:
    """Tell how to reach the chain, and block until this process is interrupted or terminated."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    told = "\n".join(f"  export {name}={value}" for name, value in settings.items())
    click.echo(f"The chain runs until Ctrl-C:\n{told}", err=True)
    signal.sigwait(ends)
