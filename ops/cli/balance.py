"""`vouchers balance`: what an account holds."""

from typing import TYPE_CHECKING

import click

from chalicelib.settings import ContractSettings, load
from ops.cli.bootstrap import Tools
from ops.cli.onchain import ADDRESS, TOKEN_ID, open_contract, progress_bar
from ops.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract


def _catalogue_types(tools: Tools) -> tuple[int, ...]:
    """Token ids of the stored catalogue; none where there is no store or no catalogue in it."""
    if not tools.environ.get("STORE", "").strip():
        return ()
    catalogue = tools.store.catalogue()
    return tuple(sorted(kind.token_id for kind in catalogue.types)) if catalogue else ()


def _created_types(tools: Tools, contract: "VoucherContract") -> tuple[int, ...]:
    first, last = load(ContractSettings, tools.environ).DEPLOY_BLOCK, contract.node.head()
    with progress_bar("Reading voucher types", last - first + 1) as done:
        return contract.created_types(first=first, last=last, progress=done)


@click.command()
@click.argument("account", type=ADDRESS)
@click.option(
    "--token-id",
    "token_ids",
    type=TOKEN_ID,
    multiple=True,
    help="Voucher type; may be given more than once.  [default: the catalogue's, where STORE is set"
    " and one is loaded; else all that were ever created]",
)
@json_option
@click.pass_obj
def balance(tools: Tools, account: str, token_ids: tuple[int, ...], *, as_json: bool) -> None:
    """Tell how many vouchers of each type ACCOUNT holds now.

    \b
    Examples:
      vouchers balance 0xCustomer
      vouchers balance 0xCustomer --token-id 1001 --json
    """
    contract = open_contract(tools)
    token_ids = token_ids or _catalogue_types(tools) or _created_types(tools, contract)
    held = {token_id: contract.balance(account, token_id) for token_id in token_ids}
    rows = [(str(token_id), str(amount)) for token_id, amount in held.items()]
    data = {"account": account, "balances": {str(key): value for key, value in held.items()}}
    emit(data, table(("TOKEN", "BALANCE"), rows), as_json=as_json)
