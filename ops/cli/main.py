"""`vouchers`: the group of all commands, and how it ends.

Exit codes: 0 done, 1 refused or failed (nothing was changed), 2 wrong usage or settings.
"""

from pathlib import Path

import click

from chalicelib.domain.errors import InvalidInput, VoucherError
from chalicelib.ports import StoreUnavailable
from chalicelib.settings import SettingsError
from ops.cli.admin import admin
from ops.cli.airdrop import airdrop
from ops.cli.balance import balance
from ops.cli.bootstrap import Tools, environment, system_tools
from ops.cli.catalog import catalog
from ops.cli.deploy import deploy
from ops.cli.doctor import doctor
from ops.cli.exceptions import exceptions
from ops.cli.order import order
from ops.cli.pause import pause, unpause
from ops.cli.reconcile import reconcile_command
from ops.cli.rehearse import rehearse
from ops.cli.role import role
from ops.cli.site import site
from ops.cli.staff import staff
from ops.cli.store import store
from ops.cli.type import voucher_type
from ops.cli.verify import verify


class Refusal(click.ClickException):
    """The command was refused or failed; nothing was changed."""

    exit_code = 1


class WrongSettings(click.ClickException):
    """Settings are missing or wrong."""

    exit_code = 2


class VouchersGroup(click.Group):
    """Turns the project's errors into sentences and exit codes, for every command alike."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command.

        Raises:
            Refusal: what the command was refused for.
            WrongSettings: naming every problem.
        """
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WrongSettings(_settings_message(error)) from error
        except InvalidInput as error:
            lines = [f"{field.field}: {field.message}" for field in error.fields]
            raise Refusal("\n       ".join(lines)) from error
        except VoucherError as error:
            raise Refusal(error.message) from error
        except StoreUnavailable as error:
            message = f"The store cannot be used: {error}. `vouchers doctor` looks closer."
            raise Refusal(message) from error


def _settings_message(error: SettingsError) -> str:
    problems = "\n".join(f"  {problem}" for problem in error.problems)
    return (
        f"{len(error.problems)} setting(s) are missing or wrong:\n{problems}\n"
        "Set them in the environment or in .env; .env.example explains each."
    )


@click.group(cls=VouchersGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings to read, under those of the environment.  [default: .env where there is one]",
)
@click.pass_context
def cli(ctx: click.Context, env_file: Path | None) -> None:
    """Set up and look after a voucher system.

    Settings come from the environment and from .env; .env.example explains each. A new system is
    set up in this order:

    \b
      vouchers deploy --admin 0xSafe --from 0xDeployer
      vouchers type create 1001 --max-supply 5000 --uri https://… --from 0xSafe --as safe
      vouchers verify
      vouchers store migrate
      vouchers site add HCM_ROX_T09 --vi "ROX Tower, tầng 9" --en "ROX Tower, floor 9"
      vouchers catalog load ops/seed/catalogue.json
      vouchers staff add thu.ha --role ADMIN
      vouchers doctor

    No command holds a key: those on the contract hand over what a hardware wallet or a Safe signs.

    Exit codes: 0 done, 1 refused or failed (nothing was changed, unless it says so), 2 wrong usage
    or settings; what `verify`, `doctor` and `reconcile` answer with is told in their help.
    """
    if ctx.obj is None:
        ctx.obj = system_tools(environment(env_file))
    assert isinstance(ctx.obj, Tools)  # noqa: S101 - narrows click's Any


for command in (
    *(admin, airdrop, balance, catalog, deploy, doctor, exceptions, order, pause),
    *(reconcile_command, rehearse, role, site, staff, store, unpause, verify, voucher_type),
):
    cli.add_command(command)


def main() -> None:
    """Entry point of the `vouchers` script."""
    cli(prog_name="vouchers")
