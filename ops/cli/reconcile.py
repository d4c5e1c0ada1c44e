"""`vouchers reconcile`: whether the ledger equals the contract."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from chalicelib.domain.errors import VoucherError
from chalicelib.domain.reconciliation import ContractTotals, Serials
from chalicelib.domain.redemptions import BlockRef
from chalicelib.ports import ChainUnavailable, StoreUnavailable
from chalicelib.settings import ContractSettings, SettingsError, load
from chalicelib.usecases.reconcile import Deployed, NotComparable, Reconciliation, reconcile
from ops.cli.bootstrap import Tools
from ops.cli.onchain import open_contract, progress_bar
from ops.cli.output import emit, json_option, moment, table
from ops.onchain.text import printable

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract

RANGES_SHOWN = 20
"""Runs of serials named to people; programs are told all."""


class NotCompared(click.ClickException):
    """Whether ledger and contract are equal could not be told."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class NodeBooks:
    """`chalicelib.ports.ContractBooks` by the command line's node."""

    contract: "VoucherContract"

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `ContractBooks`."""
        return tuple(self._block(number) for number in numbers)

    def totals(self, block: BlockRef, token_ids: Collection[int]) -> ContractTotals:
        """See `ContractBooks`. Asked by number: not every node takes a block's hash."""
        try:
            told = ContractTotals(
                count=self.contract.redemption_count(block=block.number),
                redeemed={
                    token_id: self.contract.books(token_id, block=block.number).redeemed
                    for token_id in token_ids
                },
            )
        except VoucherError as error:
            node = self.contract.node
            raise ChainUnavailable(
                f"{node.name} does not tell the contract's state as of block {block.number},"
                f" {node.head() - block.number} blocks below its newest ({error.message}). Most"
                " nodes keep the state of the last 128 blocks: let the listener catch up, or name"
                " an archive node in RPC_URLS"
            ) from error
        if self._block(block.number) != block:
            raise ChainUnavailable(f"block {block.number} was replaced meanwhile")
        return told

    def _block(self, number: int) -> BlockRef:
        node = self.contract.node
        block = node.block(number)
        if block is None:
            raise ChainUnavailable(
                f"{node.name} knows no block {number}: its newest is {node.head()}, older than what"
                " the listener has proven"
            )
        return block


@click.command("reconcile")
@click.option(
    "--block",
    type=click.IntRange(min=0),
    help="Compare as of this block.  [default: the newest that the listener has proven]",
)
@json_option
@click.pass_context
def reconcile_command(ctx: click.Context, block: int | None, *, as_json: bool) -> None:
    """Compare the ledger's burns with the contract's own totals, for every voucher type of
    catalogue and ledger; a burn of any other shows as a missing serial.

    Both are taken as of one block that is final and that the listener has proven; what was burned
    later does not matter. Looks at the vouchers redeemed per type, the number of redemptions, and
    that their serials run from 1 without gap. Changes nothing.

    The contract's totals can be read only where the node still keeps the state: of the last 128
    blocks on most. Where the listener is further behind, or --block lies deeper, ask an archive
    node: RPC_URLS=https://… vouchers reconcile

    Exit code 0 where all is equal, 1 where anything differs, 2 where it could not be told.

    \b
    Examples:
      vouchers reconcile
      vouchers reconcile --json | jq '.tokens[] | select(.difference != 0)'
    """
    tools = ctx.ensure_object(Tools)
    settings = load(ContractSettings, tools.environ)
    with _told_apart():
        done = _reconcile(tools, settings, block)
        emit(_as_data(done, settings), _report(done, settings), as_json=as_json)
    if not done.comparison.equal:
        ctx.exit(1)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Whatever happens here, exit code 1 is kept for a difference.

    Raises:
        NotCompared: for anything but wrong settings, which have that exit code themselves.
    """
    try:
        yield
    except SettingsError:
        raise
    except (ChainUnavailable, NotComparable, StoreUnavailable) as error:
        raise NotCompared(f"Nothing was compared: {error}.") from error
    except VoucherError as error:
        raise NotCompared(f"Nothing was compared: {error.message}.") from error
    except (KeyboardInterrupt, click.Abort) as error:
        raise NotCompared("Interrupted: whether they are equal was not told.") from error
    except Exception as error:
        told = printable(f"{type(error).__name__}: {error}")
        raise NotCompared(f"Whether they are equal could not be told: {told}.") from error


def _reconcile(tools: Tools, settings: ContractSettings, block: int | None) -> Reconciliation:
    cursor = tools.store.cursor()
    contract = open_contract(tools)
    with progress_bar("Reading the ledger", cursor.seen_serial if cursor else 0) as done:
        return reconcile(
            store=tools.store,
            books=NodeBooks(contract),
            deployed=Deployed(settings.CHAIN_ID, settings.CONTRACT_ADDRESS, settings.DEPLOY_BLOCK),
            block=block,
            progress=done,
        )


def _as_data(done: Reconciliation, settings: ContractSettings) -> dict[str, Any]:
    comparison = done.comparison
    return {
        "equal": comparison.equal,
        "chainId": settings.CHAIN_ID,
        "contract": settings.CONTRACT_ADDRESS,
        "block": {
            "number": done.block.number,
            "hash": done.block.hash,
            "time": moment(done.block.time),
        },
        "redemptions": {"contract": comparison.count, "ledger": comparison.ledger_count},
        "tokens": [
            {
                "tokenId": one.token_id,
                "contract": one.contract,
                "ledger": one.ledger,
                "difference": one.difference,
            }
            for one in comparison.tokens
        ],
        "missing": [[one.first, one.last] for one in comparison.missing],
        "extra": [[one.first, one.last] for one in comparison.extra],
        "misplaced": list(comparison.misplaced),
    }


def _report(done: Reconciliation, settings: ContractSettings) -> str:
    comparison = done.comparison
    rows = [
        (str(one.token_id), str(one.contract), str(one.ledger), f"{one.difference:+d}")
        for one in comparison.tokens
    ]
    where = f"{settings.CONTRACT_ADDRESS} on chain {settings.CHAIN_ID}"
    lines = [
        f"{where}, as of block {done.block.number} ({moment(done.block.time)})",
        "",
        table(("TOKEN", "CONTRACT", "LEDGER", "DIFFERENCE"), rows),
        "",
        f"Redemptions: contract {comparison.count}, ledger {comparison.ledger_count}",
    ]
    misplaced = tuple(Serials(serial, serial) for serial in comparison.misplaced)
    for found, serials in (
        ("Missing in the ledger", comparison.missing),
        ("In the ledger, not in the contract", comparison.extra),
        ("Out of place in the ledger", misplaced),
    ):
        if serials:
            lines.append(f"{found}: serial {_named(serials)}.")
    differing = ", ".join(str(one.token_id) for one in comparison.differing)
    if comparison.equal:
        lines.append(click.style("The ledger equals the contract.", fg="green"))
    else:
        of = f" of type {differing}" if differing else ""
        lines.append(click.style(f"The ledger{of} differs from the contract.", fg="red"))
    return "\n".join(lines)


def _named(serials: Sequence[Serials]) -> str:
    named = ", ".join(map(str, serials[:RANGES_SHOWN]))
    more = len(serials) - RANGES_SHOWN
    return f"{named} and {more} more runs" if more > 0 else named
