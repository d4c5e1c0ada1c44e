"""A customer takes an order back (API `POST /orders/{orderId}/cancel`)."""

from chalicelib.domain.errors import Forbidden, Unavailable, invalid
from chalicelib.domain.order_hash import cancel_digest
from chalicelib.domain.orders import Actor, ActorKind, Order, OrderStatus, move
from chalicelib.ports import Conflict, Signatures, Store
from chalicelib.usecases.changes import MAX_ATTEMPTS, order_changes
from chalicelib.usecases.view_order import load_order

CANCEL_WINDOW_SECONDS = 600


def cancel_order(
    order_id: str,
    *,
    deadline: int,
    signature: str,
    chain_id: int,
    contract: str,
    store: Store,
    signatures: Signatures,
    now: int,
    request_id: str,
) -> Order:
    """Cancel an order for which no burn was seen; cancelling twice is the same as once.

    The signature covers the order's hash, chain and contract, and is good until `deadline` (unix
    seconds, at most 600 ahead), so it can be used for nothing else and not for long.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
        InvalidInput: the deadline is past or too far ahead.
        Forbidden: `WRONG_SIGNER`, it is not the order's wallet that signed.
        Refused: `ORDER_<STATUS>`, a burn was seen, or the order is closed.
        Unavailable: others keep interfering.
    """
    order = load_order(store, order_id)
    if not now <= deadline <= now + CANCEL_WINDOW_SECONDS:
        raise invalid(
            "deadline", "range", f"must lie within the next {CANCEL_WINDOW_SECONDS} seconds"
        )
    digest = cancel_digest(
        chain_id=chain_id, contract=contract, order_hash=order.order_hash, deadline=deadline
    )
    if signatures.signer(digest, signature) != order.customer:
        raise Forbidden("The order's own wallet has to sign.", code="WRONG_SIGNER")
    for _ in range(MAX_ATTEMPTS):
        if order.status is OrderStatus.CANCELLED:
            return order
        cancelled = move(
            order,
            OrderStatus.CANCELLED,
            actor=Actor(ActorKind.CUSTOMER, order.customer),
            at=now,
            reason="cancelled by the customer",
            request_id=request_id,
        )
        try:
            store.commit(order_changes(order, cancelled))
        except Conflict:
            order = load_order(store, order_id)
            continue
        return cancelled
    raise Unavailable("The order keeps changing. Try again.")
