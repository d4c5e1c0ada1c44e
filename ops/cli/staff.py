"""`vouchers staff …`: who may sign in."""

import click

from chalicelib.domain.staff import Role, Staff
from chalicelib.usecases.manage import Issued, add_staff, disable_staff, reset_staff
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option, table


@click.group()
def staff() -> None:
    """Receptionists and administrators.

    \b
    Examples:
      vouchers staff add thu.ha --role ADMIN
      vouchers staff add minh.tran --role RECEPTION --site HCM_ROX_T09 --name "Trần Minh"
      vouchers staff reset minh.tran
      vouchers staff disable minh.tran
      vouchers staff list --json
    """


@staff.command()
@click.argument("username")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--site", "sites", multiple=True, help="Where they serve; may be given repeatedly.")
@click.option(
    "--name", "display_name", default="", help="Shown in the console.  [default: USERNAME]"
)
@json_option
@click.pass_obj
def add(
    tools: Tools,
    username: str,
    role: str,
    sites: tuple[str, ...],
    display_name: str,
    *,
    as_json: bool,
) -> None:
    """Add a member of staff and print a one-time password.

    The password is shown this once and has to be changed at the first sign-in. A receptionist
    needs at least one --site and delivers there only; an administrator delivers nowhere.
    """
    issued = add_staff(
        username,
        display_name=display_name,
        role=Role(role),
        sites=sites,
        store=tools.store,
        passwords=tools.passwords,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    _emit_issued(issued, f"Added {username} ({role}).", as_json=as_json)


@staff.command()
@click.argument("username")
@json_option
@click.pass_obj
def reset(tools: Tools, username: str, *, as_json: bool) -> None:
    """Give a member of staff a new one-time password; all their sessions end."""
    issued = reset_staff(
        username,
        store=tools.store,
        passwords=tools.passwords,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    _emit_issued(issued, f"Reset {username}; all sessions ended.", as_json=as_json)


@staff.command()
@click.argument("username")
@click.pass_obj
def disable(tools: Tools, username: str) -> None:
    """Shut a member of staff out; all their sessions end at the next request."""
    _set_disabled(tools, username, disabled=True)
    click.echo(f"Disabled {username}; all sessions ended.")


@staff.command()
@click.argument("username")
@click.pass_obj
def enable(tools: Tools, username: str) -> None:
    """Let a disabled member of staff sign in again, with the password they had."""
    _set_disabled(tools, username, disabled=False)
    click.echo(f"Enabled {username}.")


@staff.command("list")
@json_option
@click.pass_obj
def list_staff(tools: Tools, *, as_json: bool) -> None:
    """List everybody, with role, sites and state."""
    now = tools.clock.now()
    members = tools.store.all_staff()
    data = [
        {
            "username": one.username,
            "displayName": one.display_name,
            "role": one.role.value,
            "sites": list(one.sites),
            "state": _state(one, now),
        }
        for one in members
    ]
    rows = [
        (one.username, one.display_name, one.role, ", ".join(one.sites) or "none", _state(one, now))
        for one in members
    ]
    nobody = "There is nobody yet. Begin with: vouchers staff add USERNAME --role ADMIN"
    text = table(("USERNAME", "NAME", "ROLE", "SITES", "STATE"), rows) if rows else nobody
    emit(data, text, as_json=as_json)


def _state(staff: Staff, now: int) -> str:
    if staff.disabled:
        return "disabled"
    if now < staff.locked_until:
        return "locked"
    return "must change password" if staff.must_change_password else "active"


def _set_disabled(tools: Tools, username: str, *, disabled: bool) -> None:
    disable_staff(
        username,
        disabled=disabled,
        store=tools.store,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )


def _emit_issued(issued: Issued, done: str, *, as_json: bool) -> None:
    data = {
        "username": issued.staff.username,
        "displayName": issued.staff.display_name,
        "role": issued.staff.role.value,
        "sites": issued.staff.sites,
        "oneTimePassword": issued.one_time_password,
    }
    text = (
        f"{done}\n"
        f"One-time password: {issued.one_time_password}\n"
        "It is shown this once and has to be changed at the first sign-in."
    )
    emit(data, text, as_json=as_json)
