"""`vouchers reconcile`: whether the ledger equals the contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chalicelib.domain.errors import VoucherError
from chalicelib.domain.reconciliation import Serials, named
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.ports import ChainUnavailable, Store, StoreUnavailable
from chalicelib.settings import ContractSettings, SettingsError, load
from chalicelib.usecases.audit_rescan import Rescan, audit_rescan
from chalicelib.usecases.reconcile import Deployed, NotComparable, Reconciliation, reconcile
from listener_fn.books import RpcBooks
from ops.cli.bootstrap import Tools
from ops.cli.onchain import open_contract, progress_bar
from ops.cli.output import emit, json_option, moment, table
from ops.onchain.text import printable

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract


class NotCompared(click.ClickException):
    """Whether ledger and contract are equal could not be told."""

    exit_code = 2


@click.command("reconcile")
@click.option(
    "--block",
    type=click.IntRange(min=0),
    help="Compare as of this block.  [default: the newest that the listener has proven]",
)
@click.option(
    "--rescan",
    is_flag=True,
    help="Read every log again, from DEPLOY_BLOCK on, and compare each with its ledger entry.",
)
@click.option(
    "--endpoint",
    metavar="HOST",
    help="Ask the one of RPC_URLS at this host, or host:port.  [default: the first that answers]",
)
@json_option
@click.pass_context
def reconcile_command(
    ctx: click.Context, block: int | None, endpoint: str | None, *, rescan: bool, as_json: bool
) -> None:
    """Compare the ledger's burns with the contract's own totals, for every voucher type of
    catalogue and ledger; a burn of any other shows as a missing serial.

    Both are taken as of one block that is final and that the listener has proven; what was burned
    later does not matter. Looks at the vouchers redeemed per type, the number of redemptions, and
    that their serials run from 1 without gap. Changes nothing.

    With --rescan, reads the contract's logs from the first to that block, by other means than the
    listener's, and compares them one by one: serial, wallet, type, amount, order hash, transaction,
    place, block and its time. What each came to is judged again as far as it can be now: whether
    it names an order, the order's wallet, type, amount and last second. That a burn was a DUPLICATE
    or came to an ORDER_CLOSED depends on how the order stood then: there, only that it may have.
    An order made VALID by a burn must say that very burn. This may take long.

    The contract's totals can be read only where the node still keeps the state: of the last 128
    blocks on most. Where the listener is further behind, or --block lies deeper, ask an archive
    node: RPC_URLS=https://… vouchers reconcile

    Exit code 0 where all is equal, 1 where anything differs, 2 where it could not be told.

    \b
    Examples:
      vouchers reconcile
      vouchers reconcile --json | jq '.tokens[] | select(.difference != 0)'
      vouchers reconcile --rescan --endpoint bsc.example.com
    """
    if rescan and block is not None:
        raise click.UsageError("--rescan goes up to the proven block; leave out --block")
    tools = ctx.ensure_object(Tools)
    settings = load(ContractSettings, tools.environ)
    deployed = Deployed(settings.CHAIN_ID, settings.CONTRACT_ADDRESS, settings.DEPLOY_BLOCK)
    with _told_apart():
        contract = open_contract(tools, endpoint)
        if rescan:
            told = _rescan(tools.store, contract, deployed)
            equal = told.equal
            emit(_rescan_data(told, deployed), _rescan_report(told, deployed), as_json=as_json)
        else:
            done = _reconcile(tools.store, contract, deployed, block)
            equal = done.comparison.equal
            emit(_as_data(done, deployed), _report(done, deployed), as_json=as_json)
    if not equal:
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


def _books(contract: "VoucherContract") -> RpcBooks:
    from ops.onchain.endpoint import NodeEndpoint  # noqa: PLC0415 - web3 is slow to import

    return RpcBooks(NodeEndpoint(contract.node), contract.address)


def _reconcile(
    store: Store, contract: "VoucherContract", deployed: Deployed, block: int | None
) -> Reconciliation:
    cursor = store.cursor()
    with progress_bar("Reading the ledger", cursor.seen_serial if cursor else 0) as done:
        return reconcile(
            store=store,
            books=_books(contract),
            deployed=deployed,
            block=block,
            progress=done,
        )


def _rescan(store: Store, contract: "VoucherContract", deployed: Deployed) -> Rescan:
    cursor = store.cursor()
    blocks = cursor.proven.number - deployed.block + 1 if cursor else 0
    with progress_bar("Reading the chain", blocks) as done:

        def read_logs(first: int, last: int) -> Iterator[Burn]:
            return contract.node.burns(contract.address, first=first, last=last, progress=done)

        return audit_rescan(
            store=store, books=_books(contract), read_logs=read_logs, deployed=deployed
        )


def _as_of(deployed: Deployed, block: BlockRef) -> dict[str, Any]:
    """What was compared, and as of which block, for programs."""
    return {
        "chainId": deployed.chain_id,
        "contract": deployed.contract,
        "block": {"number": block.number, "hash": block.hash, "time": moment(block.time)},
    }


def _heading(deployed: Deployed, block: BlockRef) -> str:
    """The same, for people."""
    where = f"{deployed.contract} on chain {deployed.chain_id}"
    return f"{where}, as of block {block.number} ({moment(block.time)})"


def _rescan_data(told: Rescan, deployed: Deployed) -> dict[str, Any]:
    return {
        "equal": told.equal,
        **_as_of(deployed, told.block),
        "logs": told.logs,
        "differences": told.count,
        "listed": [asdict(one) for one in told.differences],
    }


def _rescan_report(told: Rescan, deployed: Deployed) -> str:
    lines = [_heading(deployed, told.block), "", f"Logs read: {told.logs}"]
    if told.equal:
        verdict = "The ledger equals the chain, log by log."
        return "\n".join([*lines, click.style(verdict, fg="green")])
    rows = [
        (str(one.serial), one.field, _shown(one.expected), _shown(one.stored))
        for one in told.differences
    ]
    lines += ["", table(("SERIAL", "FIELD", "EXPECTED", "STORED"), rows)]
    if told.count > len(rows):
        lines.append(f"… and {told.count - len(rows)} more differences.")
    verdict = f"The ledger differs from what the endpoint tells: {told.count} difference(s)."
    doubt = "Ask another one with --endpoint before you believe it."
    return "\n".join([*lines, "", click.style(verdict, fg="red"), doubt])


def _shown(value: str | int | None) -> str:
    return "—" if value is None else printable(str(value))


def _as_data(done: Reconciliation, deployed: Deployed) -> dict[str, Any]:
    comparison = done.comparison
    return {
        "equal": comparison.equal,
        **_as_of(deployed, done.block),
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


def _report(done: Reconciliation, deployed: Deployed) -> str:
    comparison = done.comparison
    rows = [
        (str(one.token_id), str(one.contract), str(one.ledger), f"{one.difference:+d}")
        for one in comparison.tokens
    ]
    lines = [
        _heading(deployed, done.block),
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
            lines.append(f"{found}: serial {named(serials)}.")
    differing = ", ".join(str(one.token_id) for one in comparison.differing)
    if comparison.equal:
        lines.append(click.style("The ledger equals the contract.", fg="green"))
    else:
        of = f" of type {differing}" if differing else ""
        lines.append(click.style(f"The ledger{of} differs from the contract.", fg="red"))
    return "\n".join(lines)
