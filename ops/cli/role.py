"""`vouchers role …`: who may mint, and who may pause."""

from typing import TYPE_CHECKING

import click

from chalicelib.domain.errors import Refused
from ops.cli.bootstrap import Tools
from ops.cli.onchain import (
    ADDRESS,
    HandedOver,
    Signing,
    hand_over,
    open_contract,
    prepare,
    signing_options,
)
from ops.cli.output import emit
from ops.onchain.calls import Call
from ops.onchain.roles import Role

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract


ROLE = click.Choice(Role, case_sensitive=False)


@click.group()
def role() -> None:
    """The roles MINTER and PAUSER. The admin signs.

    docs/runbooks/key-rotation.md walks through the change of a key. `vouchers verify` tells who
    holds which role.

    \b
    Examples:
      vouchers role grant MINTER 0xNew --from 0xAdmin
      vouchers role rotate MINTER --old 0xOld --new 0xNew --from 0xAdmin
    """


@role.command()
@click.argument("which", metavar="ROLE", type=ROLE)
@click.argument("account", type=ADDRESS)
@signing_options
@click.pass_obj
def grant(tools: Tools, which: Role, account: str, signing: Signing) -> None:
    """Give ROLE (MINTER or PAUSER) to ACCOUNT."""
    contract = open_contract(tools)
    if contract.has_role(which, account):
        raise Refused(f"{account} holds {which.value} already; nothing was produced")
    call = contract.grant(which, account)
    hand_over(tools, contract.node, [call], signing, title=f"Grant {which.value}")


@role.command()
@click.argument("which", metavar="ROLE", type=ROLE)
@click.argument("account", type=ADDRESS)
@signing_options
@click.pass_obj
def revoke(tools: Tools, which: Role, account: str, signing: Signing) -> None:
    """Take ROLE (MINTER or PAUSER) from ACCOUNT."""
    contract = open_contract(tools)
    if not contract.has_role(which, account):
        raise Refused(f"{account} does not hold {which.value}; nothing was produced")
    call = contract.revoke(which, account)
    hand_over(tools, contract.node, [call], signing, title=f"Revoke {which.value}")


@role.command()
@click.argument("which", metavar="ROLE", type=ROLE)
@click.option("--old", type=ADDRESS, required=True, help="Account that loses the role, last.")
@click.option("--new", type=ADDRESS, required=True, help="Account that gets it, first.")
@signing_options
@click.pass_obj
def rotate(tools: Tools, which: Role, old: str, new: str, signing: Signing) -> None:
    """Move ROLE (MINTER or PAUSER) from one account to another: grant, verify, revoke.

    Each run looks at the chain and produces the next step, so run it again once a step is mined:
    the old account keeps the role until the new one is seen to hold it. With --local both steps
    are sent, the second after the first was verified.
    """
    contract = open_contract(tools)
    if old == new:
        raise Refused("--old and --new are the same account; nothing was produced")
    if not contract.has_role(which, old) and not contract.has_role(which, new):
        raise Refused(
            f"neither {old} nor {new} holds {which.value}, so there is nothing to move:"
            " `vouchers verify` tells who does; nothing was produced"
        )
    steps: list[HandedOver] = []
    while (step := _next_step(contract, which, old, new)) is not None:
        title = f"Rotate {which.value}"
        steps.append(prepare(tools, contract.node, [step], signing, title=title))
        if not signing.local or signing.dry_run:
            break
    done = _next_step(contract, which, old, new) is None
    status = (
        f"Done: {new} holds {which.value}, {old} does not."
        if done
        else "Run this again once that is mined: it looks at the chain and takes the next step."
    )
    data = {"done": done, "steps": [one.data for one in steps]}
    emit(data, "\n\n".join([*(one.text for one in steps), status]), as_json=signing.as_json)


def _next_step(contract: "VoucherContract", which: Role, old: str, new: str) -> Call | None:
    if not contract.has_role(which, new):
        return contract.grant(which, new)
    if contract.has_role(which, old):
        return contract.revoke(which, old)
    return None
