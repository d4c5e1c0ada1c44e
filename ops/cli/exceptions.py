"""`vouchers exceptions …`: burns that fit no order, and what is done about each."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from chalicelib.domain.exceptions import (
    ExceptionKind,
    ExceptionRecord,
    Resolution,
    ResolutionKind,
)
from chalicelib.domain.orders import Order
from chalicelib.ports import Store
from chalicelib.usecases.resolve_exception import (
    Resolved,
    Resolver,
    acknowledge_incident,
    dismiss_exception,
    honour_exception,
    load_exception,
    reissue_exception,
)
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option, listed, moment, table

PAGE = 100
MINUTE, HOUR, DAY = 60, 3600, 86_400
DECISIONS = (ResolutionKind.HONOUR, ResolutionKind.REISSUE, ResolutionKind.DISMISS)

F = TypeVar("F", bound=Callable[..., Any])


def _deciding_options(command: F) -> F:
    """What every resolution takes."""
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Check and tell; change nothing."),
        click.option("--reason", required=True, help="Why, on one line of at most 200 characters."),
    ):
        command = option(command)
    return command


@click.group()
def exceptions() -> None:
    """Burns that fit no order, and delivered orders whose burn is gone.

    Kinds: UNKNOWN_ORDER, WRONG_WALLET, WRONG_TOKEN, WRONG_AMOUNT, LATE, DUPLICATE, ORDER_CLOSED;
    and DELIVERED_REORGED, which halts every order on its way to VALID until it is acknowledged.

    \b
    Examples:
      vouchers exceptions list
      vouchers exceptions show 12-9f3c01ab
      vouchers exceptions resolve 12-9f3c01ab HONOUR --reason "our page was down" --dry-run
      vouchers exceptions resolve 13-77d0e2c4 REISSUE --mint 0x… --reason "burned twice"
      vouchers exceptions acknowledge 14-0b1a2c3d --reason "seen, fork of 21 blocks"
    """


@exceptions.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that were resolved, too.")
@json_option
@click.pass_obj
def list_exceptions(tools: Tools, *, everything: bool, as_json: bool) -> None:
    """List the exceptions that nobody has resolved, lowest serial first.

    AMOUNT is in vouchers, AGE since the exception was raised. The order is told by its hash:
    `vouchers order show` takes it.
    """
    found = list(every_exception(tools.store, open_only=not everything))
    now = tools.clock.now()
    rows = [
        (
            one.exception_id,
            one.kind.value,
            str(one.burn.token_id),
            str(one.burn.amount),
            one.order_hash,
            str(one.burn.block.number),
            _age(now - one.raised_at),
            one.resolution.kind.value if one.resolution else "open",
        )
        for one in found
    ]
    header = ("ID", "KIND", "TOKEN", "AMOUNT", "ORDER HASH", "BLOCK", "AGE", "RESOLUTION")
    none = "There are no exceptions." if everything else "There are no open exceptions."
    emit([_as_data(one) for one in found], table(header, rows) if rows else none, as_json=as_json)


@exceptions.command()
@click.argument("exception_id", metavar="ID")
@json_option
@click.pass_obj
def show(tools: Tools, exception_id: str, *, as_json: bool) -> None:
    """Tell all about exception ID: the burn, the order it names, and how it ended."""
    record = load_exception(tools.store, exception_id)
    order = tools.store.order_by_hash(record.order_hash)
    data = {**_as_data(record), "orderStatus": order.status.value if order else None}
    emit(data, _report(record, order), as_json=as_json)


@exceptions.command()
@click.argument("exception_id", metavar="ID")
@click.argument(
    "decision",
    type=click.Choice([one.value for one in DECISIONS], case_sensitive=False),
    metavar="|".join(DECISIONS),
)
@click.option("--mint", metavar="TX_HASH", help="REISSUE: transaction that gave the voucher back.")
@_deciding_options
@click.pass_obj
def resolve(
    tools: Tools,
    exception_id: str,
    decision: str,
    mint: str | None,
    *,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Resolve exception ID, once.

    \b
    HONOUR   the order becomes VALID with this burn, as if it had matched. Only an order that is
             EXPIRED or CANCELLED and that its own customer burned for.
    REISSUE  the voucher was given back: --mint names the transaction that minted it, which the
             minter's wallet or Safe signed before. It is written down, not looked up.
    DISMISS  nothing is given.
    """
    kind = ResolutionKind(decision)
    if (kind is ResolutionKind.REISSUE) != (mint is not None):
        raise click.UsageError("--mint TX_HASH goes with REISSUE, and REISSUE with --mint.")
    by = _resolver(tools, reason, dry_run=dry_run)
    if kind is ResolutionKind.HONOUR:
        done = honour_exception(exception_id, by)
    elif mint is not None:
        done = reissue_exception(exception_id, by, tx_hash=mint)
    else:
        done = dismiss_exception(exception_id, by)
    _emit_resolved(done, dry_run=dry_run, as_json=as_json)


@exceptions.command()
@click.argument("exception_id", metavar="ID")
@_deciding_options
@click.pass_obj
def acknowledge(
    tools: Tools, exception_id: str, *, reason: str, dry_run: bool, as_json: bool
) -> None:
    """Acknowledge the incident ID, a DELIVERED_REORGED: orders may become VALID again.

    Find out first what the fork took back: docs/runbooks/deep-reorg.md.
    """
    done = acknowledge_incident(exception_id, _resolver(tools, reason, dry_run=dry_run))
    _emit_resolved(done, dry_run=dry_run, as_json=as_json)


def every_exception(store: Store, *, open_only: bool) -> Iterator[ExceptionRecord]:
    """All of them, page by page."""
    cursor: str | None = None
    while True:
        page = store.exceptions(open_only=open_only, limit=PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _resolver(tools: Tools, reason: str, *, dry_run: bool) -> Resolver:
    return Resolver(
        store=tools.store,
        entropy=tools.entropy,
        actor=tools.actor,
        reason=reason,
        now=tools.clock.now(),
        request_id=tools.request_id,
        dry_run=dry_run,
    )


def _emit_resolved(done: Resolved, *, dry_run: bool, as_json: bool) -> None:
    record, order = done.record, done.order
    data = {
        **_as_data(record),
        "dryRun": dry_run,
        "orderStatus": order.status.value if order else None,
        "halts": list(done.halts),
    }
    resolution = record.resolution.kind.value if record.resolution else "open"
    would = "would be" if dry_run else "is"
    lines = [f"Exception {record.exception_id} ({record.kind}) {would} resolved: {resolution}."]
    if order is not None:
        lines.append(f"Order {order.order_hash} {would} {order.status}.")
    if done.halts:
        lines.append(f"Orders still do not become VALID: acknowledge {', '.join(done.halts)}.")
    elif record.kind is ExceptionKind.DELIVERED_REORGED:
        lines.append("No incident is left: orders become VALID again.")
    if dry_run:
        lines.append("This was a dry run: nothing was changed.")
    emit(data, "\n".join(lines), as_json=as_json)


def _age(seconds: int) -> str:
    """The two largest units, down to a minute."""
    days, rest = divmod(max(0, seconds), DAY)
    hours, minutes = rest // HOUR, rest % HOUR // MINUTE
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _as_data(record: ExceptionRecord) -> dict[str, Any]:
    burn = record.burn
    return {
        "exceptionId": record.exception_id,
        "kind": record.kind.value,
        "raisedAt": moment(record.raised_at),
        "orderHash": record.order_hash,
        "burn": {
            "serial": burn.serial,
            "user": burn.user,
            "tokenId": str(burn.token_id),
            "amount": str(burn.amount),
            "txHash": burn.tx_hash,
            "logIndex": burn.log_index,
            "blockNumber": burn.block.number,
            "blockHash": burn.block.hash,
            "blockTime": moment(burn.block.time),
        },
        "resolution": _resolution(record.resolution) if record.resolution else None,
        "earlier": [
            {
                "kind": one.kind.value,
                "raisedAt": moment(one.raised_at),
                "resolution": _resolution(one.resolution),
            }
            for one in record.earlier
        ],
    }


def _resolution(done: Resolution) -> dict[str, Any]:
    return {
        "kind": done.kind.value,
        "at": moment(done.at),
        "actor": {"kind": done.actor.kind.value, "name": done.actor.name},
        "reason": done.reason,
        "txHash": done.tx_hash,
    }


def _report(record: ExceptionRecord, order: Order | None) -> str:
    burn = record.burn
    facts = {
        "exception": record.exception_id,
        "kind": record.kind.value,
        "raised": moment(record.raised_at),
        "order hash": record.order_hash,
        "order": order.status.value if order else "there is none of that hash",
        "burned": f"{burn.amount} of type {burn.token_id} by {burn.user}",
        "transaction": f"{burn.tx_hash}, log {burn.log_index}, serial {burn.serial}",
        "block": f"{burn.block.number} of {moment(burn.block.time)}, {burn.block.hash}",
        "resolution": _told(record.resolution) if record.resolution else "open",
    }
    for number, one in enumerate(record.earlier, start=1):
        raised = f"{one.kind}, raised {moment(one.raised_at)}"
        facts[f"earlier {number}"] = f"{raised}; {_told(one.resolution)}"
    return listed(facts)


def _told(done: Resolution) -> str:
    mint = f", minted again in {done.tx_hash}" if done.tx_hash else ""
    return f"{done.kind} at {moment(done.at)} by {done.actor.name}{mint}: {done.reason}"
