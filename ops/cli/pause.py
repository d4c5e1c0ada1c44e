"""`vouchers pause` and `vouchers unpause`: the emergency stop."""

import click

from ops.cli.bootstrap import Tools
from ops.cli.onchain import Signing, hand_over, open_contract, signing_options


@click.command()
@signing_options
@click.pass_obj
def pause(tools: Tools, signing: Signing) -> None:
    """Stop minting, transfers and redemptions at once.

    The pauser or the admin signs. Roles, voucher types and their addresses can still be changed.
    docs/runbooks/pause.md says when, and what to do next.

    \b
    Examples:
      vouchers pause --from 0xPauser
      vouchers pause --from 0xSafe --as safe --out pause.json
    """
    contract = open_contract(tools)
    hand_over(tools, contract.node, [contract.pause()], signing, title="Pause")


@click.command()
@signing_options
@click.pass_obj
def unpause(tools: Tools, signing: Signing) -> None:
    """Resume what `vouchers pause` stopped. Only the admin can.

    \b
    Examples:
      vouchers unpause --from 0xAdminSafe --as safe --out unpause.json
    """
    contract = open_contract(tools)
    hand_over(tools, contract.node, [contract.unpause()], signing, title="Unpause")
