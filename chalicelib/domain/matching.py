"""Which order a burn belongs to, and what it does to it: the heart of the product."""

from chalicelib.domain.orders import (
    Actor,
    Order,
    OrderStatus,
    confirm_burn,
    reattach_burn,
    see_burn,
)
from chalicelib.domain.redemptions import Burn, Outcome


def judge(burn: Burn, order: Order | None) -> Outcome:
    """What `burn` comes to, given the order made with its hash (or none).

    The time that counts is that of the burn's block, so no outage of ours makes a burn late.
    """
    if order is None:
        return Outcome.UNKNOWN_ORDER
    if _is_spent(order) and order.burn is not None and order.burn.is_same_redemption(burn):
        return Outcome.MATCHED  # whatever it was: an administrator may have honoured it
    if burn.user != order.customer:
        return Outcome.WRONG_WALLET
    if burn.token_id != order.token_id:
        return Outcome.WRONG_TOKEN
    if burn.amount != order.amount:
        return Outcome.WRONG_AMOUNT
    if burn.block.time > order.expires_at:
        return Outcome.LATE
    if _is_spent(order) and order.burn is not None and order.burn.serial != burn.serial:
        return Outcome.DUPLICATE
    if order.status is OrderStatus.EXPIRED:
        return Outcome.ORDER_CLOSED
    return Outcome.MATCHED


def _is_spent(order: Order) -> bool:
    """Whether a final burn made the order. A pending one may get another serial in a fork."""
    return order.status in (OrderStatus.VALID, OrderStatus.DELIVERED)


def apply_burn(
    order: Order, burn: Burn, *, final: bool, actor: Actor, at: int, request_id: str
) -> Order:
    """`order` after a burn that was judged MATCHED; the same object where nothing changes.

    One that has been VALID takes over where its burn stands after a fork.
    """
    if _is_spent(order):
        return reattach_burn(order, burn)
    if final:
        return confirm_burn(order, burn, actor=actor, at=at, request_id=request_id)
    return see_burn(order, burn, actor=actor, at=at, request_id=request_id)
