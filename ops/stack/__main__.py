"""`python -m ops.stack demo|run`: what `make demo` and `make run` do."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from chalicelib.ports import StoreUnavailable
from chalicelib.settings import SettingsError
from ops.anvil import AnvilFailed
from ops.cli.bootstrap import environment
from ops.deploy_local import NotLocal, Reverted
from ops.dynoxide import DynoxideFailed
from ops.redeem_once import RedemptionFailed
from ops.stack.demo import run_demo
from ops.stack.ports import PortTaken
from ops.stack.run import run_stack
from ops.stack.state import AlreadyRunning, claim
from ops.stack.supervisor import StackFailed, Stopped

EXPECTED = (
    AlreadyRunning,
    AnvilFailed,
    DynoxideFailed,
    NotLocal,
    PortTaken,
    RedemptionFailed,
    Reverted,
    StackFailed,
)
"""Ends that are told in a sentence; anything else is a fault of ours and shows its trace."""

INTERRUPTED = 130
SETTINGS_WRONG = 2
LAST_PORT = 65535

F = TypeVar("F", bound=Callable[..., Any])


def _shared_options(command: F) -> F:
    for name, what in (
        ("RECEPTION_PORT", "reception console"),
        ("PORTAL_PORT", "portal"),
        ("API_PORT", "API"),
    ):
        command = click.option(
            f"--{name.lower().replace('_', '-')}",
            type=click.IntRange(1, LAST_PORT),
            help=f"Port of the {what}, or none at all; {name} says the same.",
        )(command)
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".local"),
        show_default=True,
        help="Where stack.json, logs and data go; one stack at a time in each.",
    )(command)


class StackGroup(click.Group):
    """Turns what can happen into sentences and exit codes."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; end with the exit code that goes with what happened."""
        try:
            return super().invoke(ctx)
        except Stopped:
            click.echo("\nStopped before it was up.", err=True)
            ctx.exit(INTERRUPTED)
        except SettingsError as error:
            click.echo("Error: settings are missing or wrong (see .env.example):", err=True)
            for problem in error.problems:
                click.echo(f"  {problem}", err=True)
            ctx.exit(SETTINGS_WRONG)
        except StoreUnavailable as error:
            raise click.ClickException(
                f"The store cannot be used: {error}. `vouchers doctor` looks closer."
            ) from error
        except EXPECTED as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=StackGroup, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run the whole system on this machine, until Ctrl-C.

    Exit codes: 0 stopped as asked (demo --once: the order ended DELIVERED), 1 something failed,
    2 wrong usage or settings, 130 stopped before it was up.
    """


@cli.command()
@click.option("--once", is_flag=True, help="Drive one redemption through it, then stop.")
@click.option(
    "--store",
    type=click.Choice(["sql", "dynamodb"]),
    envvar="STORE",
    default="sql",
    show_default=True,
    help="SQLite file or local DynamoDB engine; STORE says the same.",
)
@_shared_options
def demo(*, once: bool, store: str, state_dir: Path, **ports: int | None) -> None:
    """On a local chain, with contract, catalogue, sites, logins and demo wallets."""
    directory = state_dir.resolve()
    wanted = _wanted_ports(ports, os.environ)
    with claim(directory):
        run_demo(store=store, once=once, state_dir=directory, wanted_ports=wanted)


@cli.command()
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings to read, under those of the environment.  [default: .env where there is one]",
)
@_shared_options
def run(*, env_file: Path | None, state_dir: Path, **ports: int | None) -> None:
    """On the chain and the store that the settings name; nothing is seeded."""
    directory = state_dir.resolve()
    environ = environment(env_file)
    wanted = _wanted_ports(ports, environ)
    with claim(directory):
        run_stack(environ=environ, state_dir=directory, wanted_ports=wanted)


def _wanted_ports(
    ports: Mapping[str, int | None], environ: Mapping[str, str]
) -> dict[str, int | None]:
    """The ports asked for by option, else by setting."""
    wanted: dict[str, int | None] = {}
    for option, given in ports.items():
        name = option.upper()
        text = environ.get(name, "").strip()
        if given is None and text and not (text.isdecimal() and 0 < int(text) <= LAST_PORT):
            raise click.UsageError(f"{name}: must be a port from 1 to {LAST_PORT}, not {text!r}")
        wanted[name] = given if given is not None or not text else int(text)
    return wanted


if __name__ == "__main__":
    cli(prog_name="python -m ops.stack")
