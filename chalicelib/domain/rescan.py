"""Is a ledger entry what its log says, and does its order follow from it.

For the audit re-scan, which reads every log again. Not all that was judged then can be judged again
now: see `outcome_differences`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from chalicelib.domain.exceptions import ExceptionRecord, ResolutionKind
from chalicelib.domain.matching import judge
from chalicelib.domain.orders import ActorKind, Order, OrderStatus
from chalicelib.domain.redemptions import Burn, Outcome, Redemption

BURN_FIELDS: Mapping[str, Callable[[Burn], str | int]] = MappingProxyType(
    {
        "user": lambda burn: burn.user,
        "tokenId": lambda burn: burn.token_id,
        "amount": lambda burn: burn.amount,
        "orderHash": lambda burn: burn.order_hash,
        "txHash": lambda burn: burn.tx_hash,
        "logIndex": lambda burn: burn.log_index,
        "blockNumber": lambda burn: burn.block.number,
        "blockHash": lambda burn: burn.block.hash,
        "blockTime": lambda burn: burn.block.time,
    }
)
"""What a log says beside its serial, under the names it goes by on the wire."""

_SPENT = frozenset({OrderStatus.VALID, OrderStatus.DELIVERED})
_AFTER = MappingProxyType(
    {Outcome.DUPLICATE: _SPENT, Outcome.ORDER_CLOSED: _SPENT | {OrderStatus.EXPIRED}}
)
"""Where an order may have got to that refused a burn so; of other outcomes, anywhere."""

_FITTING = frozenset({Outcome.MATCHED, Outcome.DUPLICATE, Outcome.ORDER_CLOSED})


@dataclass(frozen=True, slots=True)
class Difference:
    """What the store says otherwise than it must by the chain's log, of one redemption.

    `field` is one of `BURN_FIELDS`; or `entry`, told by its transaction: it is there on one side
    only; `final` or `onChain`; `outcome`; `exception`, told by its kind; `order`, told by the
    transaction of its burn; or `orderStatus`. `expected` and `stored` are `None` where there is
    nothing.
    """

    serial: int
    field: str
    expected: str | int | None
    stored: str | int | None


def entry_differences(burn: Burn, entry: Redemption | None) -> Iterator[Difference]:
    """What the ledger entry says otherwise than `burn`, which is final and has its serial."""
    if entry is None:
        yield Difference(burn.serial, "entry", burn.tx_hash, None)
        return
    for field, value in BURN_FIELDS.items():
        if value(burn) != value(entry.burn):
            yield Difference(burn.serial, field, value(burn), value(entry.burn))
    for field, stored in (("final", entry.final), ("onChain", entry.on_chain)):
        if not stored:
            yield Difference(burn.serial, field, "true", "false")


def outcome_differences(burn: Burn, outcome: Outcome, order: Order | None) -> Iterator[Difference]:
    """What outcome and order say otherwise than follows from `burn`; `order` is the one made with
    its hash.

    Judged again is what depends on facts that never change: whether there is such an order, its
    wallet, token, amount and last second. `DUPLICATE` and `ORDER_CLOSED` depend on what the order
    was when the burn was read, and cannot be: there the order must be such that it may have been
    so. An order that a burn made VALID must have that very burn.
    """
    fresh = order and replace(order, status=OrderStatus.CREATED, burn=None)
    judged = judge(burn, fresh)
    possible = _FITTING if judged is Outcome.MATCHED else {judged}
    if outcome not in possible:
        yield Difference(burn.serial, "outcome", judged, outcome)
    elif order is not None and outcome is Outcome.MATCHED:
        yield from _unmatched(burn, order)
    elif order is not None:
        yield from _unexplained(burn, outcome, order)


def exception_differences(
    burn: Burn, outcome: Outcome, record: ExceptionRecord | None
) -> Iterator[Difference]:
    """Whether a burn that is an exception is missing from those that people look at; `record` is
    the one with its id.

    The kind may differ: what was dismissed or reissued before a fork stays so.
    """
    if outcome is Outcome.MATCHED:
        return
    if record is None:
        yield Difference(burn.serial, "exception", outcome, None)
    elif record.resolution and record.resolution.kind is ResolutionKind.WITHDRAWN:
        yield Difference(burn.serial, "exception", outcome, ResolutionKind.WITHDRAWN)


def _unmatched(burn: Burn, order: Order) -> Iterator[Difference]:
    """What an order says otherwise than that `burn` made it VALID."""
    if order.status not in _SPENT:
        yield Difference(burn.serial, "orderStatus", OrderStatus.VALID, order.status)
    elif order.burn != burn:
        stored = order.burn.tx_hash if order.burn else None
        yield Difference(burn.serial, "order", burn.tx_hash, stored)


def _unexplained(burn: Burn, outcome: Outcome, order: Order) -> Iterator[Difference]:
    """Why an order cannot have refused `burn` with this outcome."""
    if order.status in _SPENT and order.burn == burn:
        if not _is_honoured(order):
            yield Difference(burn.serial, "outcome", Outcome.MATCHED, outcome)
    elif order.status not in _AFTER.get(outcome, OrderStatus):
        yield Difference(burn.serial, "outcome", Outcome.MATCHED, outcome)


def _is_honoured(order: Order) -> bool:
    """Whether an administrator made the order VALID, as far as its history is at hand."""
    return order.history[0].seq > 1 or any(
        move.target is OrderStatus.VALID and move.actor.kind is ActorKind.ADMIN
        for move in order.history
    )
