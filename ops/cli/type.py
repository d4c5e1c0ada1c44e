"""`vouchers type …`: the contract's voucher types."""

import re

import click

from ops.cli.bootstrap import Tools
from ops.cli.onchain import TOKEN_ID, Signing, hand_over, open_contract, signing_options


class UriType(click.ParamType[str]):
    """Address of ERC-1155 metadata; `{id}` stands for the token id in hexadecimal."""

    name = "uri"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it is, which wallets and the contract's logs will show."""
        if not _URI.fullmatch(value):
            self.fail(
                "must be http://, https:// or ipfs:// and at most 500 characters of RFC 3986;"
                " write others percent-encoded",
                param,
                ctx,
            )
        return value


_URI = re.compile(r"(https?|ipfs)://[A-Za-z0-9\[\]._~:/?#@!$&()*+,;=%{}-]{1,500}")
URI = UriType()
MAX_SUPPLY = click.IntRange(min=1, max=2**64 - 1)


@click.group(name="type")
def voucher_type() -> None:
    """Voucher types on the contract. The admin signs.

    A type is what the catalogue calls a service: `vouchers verify` compares the two.

    \b
    Examples:
      vouchers type create 1001 --max-supply 5000 \\
          --uri https://vouchers.example.com/api/v1/metadata/1001 --from 0xAdmin
      vouchers type disable 1001 --from 0xAdmin --dry-run
    """


@voucher_type.command()
@click.argument("token_id", type=TOKEN_ID)
@click.option("--max-supply", type=MAX_SUPPLY, required=True, help="Most that can ever be minted.")
@click.option("--uri", type=URI, required=True, help="Address of the type's ERC-1155 metadata.")
@signing_options
@click.pass_obj
def create(tools: Tools, token_id: int, max_supply: int, uri: str, signing: Signing) -> None:
    """Create a voucher type, enabled. Its max supply is final."""
    contract = open_contract(tools)
    call = contract.create_type(token_id, max_supply, uri)
    hand_over(tools, contract.node, [call], signing, title=f"Create type {token_id}")


@voucher_type.command()
@click.argument("token_id", type=TOKEN_ID)
@signing_options
@click.pass_obj
def enable(tools: Tools, token_id: int, signing: Signing) -> None:
    """Allow minting and redeeming a voucher type again."""
    contract = open_contract(tools)
    call = contract.set_type_enabled(token_id, enabled=True)
    hand_over(tools, contract.node, [call], signing, title=f"Enable type {token_id}")


@voucher_type.command()
@click.argument("token_id", type=TOKEN_ID)
@signing_options
@click.pass_obj
def disable(tools: Tools, token_id: int, signing: Signing) -> None:
    """Stop minting and redeeming a voucher type; transfers stay possible."""
    contract = open_contract(tools)
    call = contract.set_type_enabled(token_id, enabled=False)
    hand_over(tools, contract.node, [call], signing, title=f"Disable type {token_id}")


@voucher_type.command("set-uri")
@click.argument("token_id", type=TOKEN_ID)
@click.argument("uri", type=URI)
@signing_options
@click.pass_obj
def set_uri(tools: Tools, token_id: int, uri: str, signing: Signing) -> None:
    """Replace the address of a voucher type's metadata."""
    contract = open_contract(tools)
    call = contract.set_uri(token_id, uri)
    hand_over(tools, contract.node, [call], signing, title=f"Set URI of {token_id}")
