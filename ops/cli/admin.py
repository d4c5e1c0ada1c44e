"""`vouchers admin …`: the admin role moves in two steps."""

import click

from chalicelib.domain.errors import Refused
from ops.cli.bootstrap import Tools
from ops.cli.onchain import ADDRESS, Signing, hand_over, open_contract, signing_options
from ops.cli.output import moment


@click.group()
def admin() -> None:
    """Move the admin role: begun by the admin, accepted by the next one after the delay.

    docs/runbooks/admin-to-safe.md walks through it.

    \b
    Examples:
      vouchers admin begin 0xSafe --from 0xAdmin
      vouchers admin accept --from 0xSafe --as safe --out accept.json
    """


@admin.command()
@click.argument("account", type=ADDRESS)
@signing_options
@click.pass_obj
def begin(tools: Tools, account: str, signing: Signing) -> None:
    """Propose ACCOUNT as the next admin. A proposal that is pending is replaced."""
    contract = open_contract(tools)
    current = contract.admin()
    if account == current:
        raise Refused(f"{account} is the admin already; nothing was produced")
    call = contract.begin_admin_transfer(account)
    hand_over(tools, contract.node, [call], signing, title="Begin admin transfer")


@admin.command()
@signing_options
@click.pass_obj
def accept(tools: Tools, signing: Signing) -> None:
    """Take the admin role. The proposed account signs, once the delay is over."""
    contract = open_contract(tools)
    pending = contract.pending_admin()
    if pending is None:
        raise Refused("no admin transfer was begun; nothing was produced")
    if pending.account != signing.sender:
        raise Refused(
            f"{pending.account} was proposed as admin, not {signing.sender}; nothing was produced"
        )
    if contract.node.time() <= pending.acceptable_after:
        when = moment(pending.acceptable_after)
        raise Refused(f"the transfer can be accepted after {when}; nothing was produced")
    call = contract.accept_admin_transfer()
    hand_over(tools, contract.node, [call], signing, title="Accept the admin role")


@admin.command()
@signing_options
@click.pass_obj
def cancel(tools: Tools, signing: Signing) -> None:
    """Withdraw the proposal. The admin signs."""
    contract = open_contract(tools)
    if contract.pending_admin() is None:
        raise Refused("no admin transfer was begun; nothing was produced")
    call = contract.cancel_admin_transfer()
    hand_over(tools, contract.node, [call], signing, title="Cancel admin transfer")
