"""`vouchers order show`: all that is known of one order."""

import sys
from dataclasses import dataclass
from typing import Any

import click

from chalicelib.domain.errors import InvalidInput, NotFound, VoucherError
from chalicelib.domain.order_hash import hash32
from chalicelib.domain.orders import ORDER_ID, HistoryEntry, Order
from chalicelib.domain.progress import Cursor
from chalicelib.domain.reconciliation import order_disagreement
from chalicelib.settings import ContractSettings, FinalitySettings, SettingsError, load
from chalicelib.usecases.view_order import OrderView, describe
from ops.cli.bootstrap import Tools
from ops.cli.exceptions import every_exception
from ops.cli.onchain import open_contract
from ops.cli.output import emit, json_option, listed, moment, table

STANDARD_INPUT = "-"


class OrderType(click.ParamType[str]):
    """An order id or an order hash; `-` reads it from standard input.

    What does not fit is not told back: it may be most of an order id.
    """

    name = "order"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id as it is, or the hash in lower case."""
        if value == STANDARD_INPUT:
            value = sys.stdin.readline().strip()
        if ORDER_ID.fullmatch(value):
            return value
        try:
            return hash32(value, field="order")
        except InvalidInput:
            self.fail(
                "takes an order id, ORD_ followed by 8 digits, _ and 16 of 0-9 A-Z without I L O U,"
                " or an order hash, 0x followed by 64 hexadecimal digits",
                param,
                ctx,
            )


@dataclass(frozen=True, slots=True)
class ContractAnswer:
    """What the contract says as of its newest block; `balance` in vouchers of the order's type."""

    block: int
    redeemed: bool
    balance: int
    disagreement: str | None


@click.group()
def order() -> None:
    """Customers' orders.

    \b
    Examples:
      vouchers order show 0x5b2f…
      pbpaste | vouchers order show -
    """


@order.command()
@click.argument("order_name", metavar="ORDER", type=OrderType())
@click.option(
    "--chain/--no-chain",
    "ask_chain",
    default=None,
    help="Ask the contract, or do not.  [default: ask where that is possible]",
)
@click.option(
    "--reveal-id", is_flag=True, help="Show the whole order id: whoever holds it holds the order."
)
@json_option
@click.pass_obj
def show(
    tools: Tools, order_name: str, *, ask_chain: bool | None, reveal_id: bool, as_json: bool
) -> None:
    """Tell all that store and contract know of ORDER, its whole history included.

    ORDER is an order id or an order hash. The id is a bearer secret: give `-` and put it on
    standard input, so that the shell's history does not keep it. It is shown masked; `customerMeta`
    is never shown. Times are RFC 3339, UTC.

    The contract is asked whether the customer redeemed this order hash and how many vouchers of
    the type they hold now; where that disagrees with the store, a sentence says how.

    \b
    Examples:
      vouchers order show 0x5b2f…
      vouchers order show - --no-chain < order-id.txt
    """
    store = tools.store
    # Before the order: a listener that commits in between has then read further, not less.
    cursor = store.cursor()
    by_hash = order_name.startswith("0x")
    found = store.order_by_hash(order_name) if by_hash else store.order(order_name)
    if found is None:
        raise NotFound("There is no such order.", code="ORDER_NOT_FOUND")
    answer = _ask(tools, found, cursor, ask_chain)
    view = describe(
        found,
        store=store,
        finality=load(FinalitySettings, tools.environ).finality,
        now=tools.clock.now(),
    )
    history = _history(tools, found)
    shown_id = found.order_id if reveal_id else _masked(found.order_id)
    open_ids = [
        one.exception_id
        for one in every_exception(store, open_only=True)
        if one.order_hash == found.order_hash
    ]
    emit(
        _as_data(view, history, shown_id, open_ids, answer),
        _report(view, history, shown_id, open_ids, answer),
        as_json=as_json,
    )


def _history(tools: Tools, found: Order) -> list[HistoryEntry]:
    """All moves, oldest first; one that has just left the order is read in both places."""
    earlier = [record.entry for record in tools.store.history(found.order_hash)]
    by_seq = {entry.seq: entry for entry in (*earlier, *found.history)}
    return [by_seq[seq] for seq in sorted(by_seq)]


def _masked(order_id: str) -> str:
    """The day alone: the rest is the secret."""
    return order_id[: len("ORD_YYYYMMDD_")] + "…"


def _ask(
    tools: Tools, found: Order, cursor: Cursor | None, ask: bool | None
) -> ContractAnswer | str:
    """What the contract says, or why it was not asked. Only who insists is refused for that."""
    if ask is False:
        return "--no-chain"
    try:
        load(ContractSettings, tools.environ)
        return _contract_answer(tools, found, cursor)
    except SettingsError as error:
        if ask:
            raise
        return f"settings missing or wrong: {', '.join(_names(error))}"
    except VoucherError as error:
        if ask:
            raise
        return error.message


def _names(error: SettingsError) -> list[str]:
    return [problem.partition(":")[0] for problem in error.problems]


def _contract_answer(tools: Tools, found: Order, cursor: Cursor | None) -> ContractAnswer:
    contract = open_contract(tools)
    # Before the answer: what is told then is at least as new as this block.
    head = contract.node.head()
    redeemed = contract.is_redeemed(found.customer, found.order_hash)
    return ContractAnswer(
        block=head,
        redeemed=redeemed,
        balance=contract.balance(found.customer, found.token_id),
        disagreement=order_disagreement(
            found,
            redeemed=redeemed,
            head=head,
            read_through=cursor.head_number if cursor else None,
        ),
    )


# ------------------------------------------------------------------------------------- for programs


def _as_data(
    view: OrderView,
    history: list[HistoryEntry],
    shown_id: str,
    open_ids: list[str],
    answer: ContractAnswer | str,
) -> dict[str, Any]:
    found = view.order
    return {
        "orderHash": found.order_hash,
        "orderId": shown_id,
        "status": found.status.value,
        "exception": _exception(found),
        "openExceptions": open_ids,
        "tokenId": found.token_id,
        "name": dict(view.kind.name) if view.kind else None,
        "amount": found.amount,
        "siteId": found.site_id,
        "customerAddress": found.customer,
        "createdAt": moment(found.created_at),
        "expiresAt": moment(found.expires_at),
        "delivery": _delivery(found),
        "chain": _chain(view),
        "transactionHints": list(found.transaction_hints),
        "contract": None if isinstance(answer, str) else _contract(answer),
        "contractNotAsked": answer if isinstance(answer, str) else None,
        "history": [_entry(one) for one in history],
    }


def _exception(found: Order) -> str | None:
    return found.exception.value if found.exception else None


def _delivery(found: Order) -> dict[str, Any] | None:
    delivery = found.delivery
    if delivery is None:
        return None
    until = delivery.entitled_until
    return {
        "deliveredAt": moment(delivery.at),
        "deliveredBy": delivery.by,
        "deliveredSite": delivery.site_id,
        "note": delivery.note,
        "entitledUntil": None if until is None else moment(until),
    }


def _chain(view: OrderView) -> dict[str, Any] | None:
    chain = view.chain
    if chain is None:
        return None
    return {
        "txHash": chain.burn.tx_hash,
        "blockNumber": chain.burn.block.number,
        "blockHash": chain.burn.block.hash,
        "blockTime": moment(chain.burn.block.time),
        "serial": chain.burn.serial,
        "confirmations": chain.confirmations,
        "required": chain.required,
        "final": chain.final,
    }


def _contract(answer: ContractAnswer) -> dict[str, Any]:
    return {
        "block": answer.block,
        "redeemed": answer.redeemed,
        "balance": answer.balance,
        "disagreement": answer.disagreement,
    }


def _entry(one: HistoryEntry) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "at": moment(one.at),
        "from": one.source.value if one.source else None,
        "to": one.target.value,
        "actor": {"kind": one.actor.kind.value, "name": one.actor.name},
        "reason": one.reason,
        "block": one.block,
        "requestId": one.request_id,
    }


# --------------------------------------------------------------------------------------- for people


def _report(
    view: OrderView,
    history: list[HistoryEntry],
    shown_id: str,
    open_ids: list[str],
    answer: ContractAnswer | str,
) -> str:
    found = view.order
    facts = {
        "order hash": found.order_hash,
        "order id": shown_id,
        "status": found.status.value,
        "exception": _exception(found) or "none",
        "to resolve": ", ".join(open_ids) or "nothing",
        "type": f"{found.token_id} {_name(view)}",
        "amount": str(found.amount),
        "site": found.site_id or "any",
        "customer": found.customer,
        "created": moment(found.created_at),
        "expires": moment(found.expires_at),
        "delivered": _delivered(found),
        "burn": _burn(view),
        "reported": ", ".join(found.transaction_hints) or "no transaction",
        "contract": _answered(answer),
    }
    rows = [
        (
            str(one.seq),
            moment(one.at),
            f"{one.source.value if one.source else '—'} → {one.target.value}",
            f"{one.actor.kind.value} {one.actor.name}",
            one.reason,
            "" if one.block is None else str(one.block),
            one.request_id,
        )
        for one in history
    ]
    moves = table(("#", "WHEN", "MOVE", "WHO", "WHY", "BLOCK", "REQUEST"), rows)
    parts = [listed(facts), moves]
    if isinstance(answer, ContractAnswer) and answer.disagreement:
        parts.insert(0, click.style(answer.disagreement, fg="yellow", bold=True))
    return "\n\n".join(parts)


def _name(view: OrderView) -> str:
    if view.kind is None:
        return "(not in the catalogue)"
    return f"{view.kind.name['en']} / {view.kind.name['vi']}"


def _delivered(found: Order) -> str:
    delivery = found.delivery
    if delivery is None:
        return "no"
    told = f"{moment(delivery.at)} by {delivery.by}"
    if delivery.site_id:
        told += f" at {delivery.site_id}"
    if delivery.note:
        told += f": {delivery.note}"
    if delivery.entitled_until is not None:
        told += f" (entitled until {moment(delivery.entitled_until)})"
    return told


def _burn(view: OrderView) -> str:
    chain = view.chain
    if chain is None:
        return "none seen"
    state = "final" if chain.final else "not final"
    return (
        f"serial {chain.burn.serial} in block {chain.burn.block.number}, {state},"
        f" {chain.confirmations} of {chain.required} confirmations, {chain.burn.tx_hash}"
    )


def _answered(answer: ContractAnswer | str) -> str:
    if isinstance(answer, str):
        return f"not asked ({answer})"
    redeemed = "redeemed" if answer.redeemed else "not redeemed"
    return f"{redeemed} as of block {answer.block}; the customer holds {answer.balance} now"
