"""The portal tells where the burn will be found (API `POST /orders/{orderId}/transaction`)."""

from chalicelib.domain.errors import Refused, Unavailable
from chalicelib.domain.orders import Order, OrderStatus, add_transaction_hint
from chalicelib.ports import Conflict, Store
from chalicelib.usecases.changes import MAX_ATTEMPTS, order_changes
from chalicelib.usecases.view_order import load_order

_AWAITING = frozenset({OrderStatus.CREATED, OrderStatus.PENDING_CHAIN, OrderStatus.CANCELLED})


def hint_transaction(order_id: str, tx_hash: str, *, store: Store) -> Order:
    """Keep the hint. It never moves an order: only what the chain says does.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
        Refused: `ORDER_<STATUS>`, the order awaits no burn any more.
        Unavailable: others keep interfering.
    """
    for _ in range(MAX_ATTEMPTS):
        order = load_order(store, order_id)
        if order.status not in _AWAITING:
            raise Refused(
                f"The order is {order.status} and awaits no burn.", code=f"ORDER_{order.status}"
            )
        hinted = add_transaction_hint(order, tx_hash)
        changes = order_changes(order, hinted)
        if not changes:
            return order
        try:
            store.commit(changes)
        except Conflict:
            continue
        return hinted
    raise Unavailable("The order keeps changing. Try again.")
