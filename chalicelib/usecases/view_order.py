"""What the holder of an order's id may see (API `GET /orders/{orderId}`)."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.catalogue import VoucherType
from chalicelib.domain.errors import NotFound
from chalicelib.domain.finality import FinalityRule, confirmations_of
from chalicelib.domain.orders import Order, OrderStatus, check_order_id
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Burn, Outcome
from chalicelib.ports import Page, Store


class NotRedeemable(StrEnum):
    """Why the holder of an order should not burn for it now."""

    BURN_SEEN = "BURN_SEEN"
    ALREADY_DELIVERED = "ALREADY_DELIVERED"
    EXPIRED = "EXPIRED"
    EXPIRY_BEING_CHECKED = "EXPIRY_BEING_CHECKED"
    CANCELLED = "CANCELLED"
    EXCEPTION = "EXCEPTION"


_REASONS = {
    OrderStatus.PENDING_CHAIN: NotRedeemable.BURN_SEEN,
    OrderStatus.VALID: NotRedeemable.BURN_SEEN,
    OrderStatus.DELIVERED: NotRedeemable.ALREADY_DELIVERED,
    OrderStatus.EXPIRED: NotRedeemable.EXPIRED,
    OrderStatus.CANCELLED: NotRedeemable.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class ChainView:
    """Where an order's burn stands. `confirmations` counts the burn's own block."""

    burn: Burn
    confirmations: int
    required: int
    final: bool


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with what is derived from it at the moment of asking."""

    order: Order
    kind: VoucherType | None
    not_redeemable: NotRedeemable | None
    chain: ChainView | None

    @property
    def exception(self) -> Outcome | None:
        """What the customer's burn came to, as long as it keeps the order from going on."""
        return open_exception(self.order)


def open_exception(order: Order) -> Outcome | None:
    """The customer's burn that does not fit; `None` where there is none or it was honoured."""
    if order.status in (OrderStatus.CREATED, OrderStatus.EXPIRED, OrderStatus.CANCELLED):
        return order.exception
    return None


def load_order(store: Store, order_id: str) -> Order:
    """The order with that id.

    Raises:
        NotFound: `ORDER_NOT_FOUND`, also for an id that no order can have.
    """
    order = store.order(check_order_id(order_id))
    if order is None:
        raise NotFound("There is no such order.", code="ORDER_NOT_FOUND")
    return order


def view_order(order_id: str, *, store: Store, finality: FinalityRule, now: int) -> OrderView:
    """The order as its holder sees it.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
    """
    return describe(load_order(store, order_id), store=store, finality=finality, now=now)


def describe(order: Order, *, store: Store, finality: FinalityRule, now: int) -> OrderView:
    """What is derived from an order that is loaded already."""
    catalogue = store.catalogue()
    return OrderView(
        order=order,
        kind=catalogue.find(order.token_id) if catalogue else None,
        not_redeemable=not_redeemable(order, now=now),
        chain=chain_view(order, store.cursor() if order.burn else None, finality),
    )


def not_redeemable(order: Order, *, now: int) -> NotRedeemable | None:
    """Why a burn for the order would come to nothing; `None` while it still counts.

    Past `expires_at` the stored status stays until the chain is proven past it.
    """
    if open_exception(order):
        return NotRedeemable.EXCEPTION
    if order.status is OrderStatus.CREATED:
        return NotRedeemable.EXPIRY_BEING_CHECKED if now > order.expires_at else None
    return _REASONS[order.status]


def chain_view(order: Order, cursor: Cursor | None, finality: FinalityRule) -> ChainView | None:
    """Confirmations as of the listener's last pass; `None` before a burn is seen."""
    if order.burn is None:
        return None
    seen = confirmations_of(order.burn.block.number, head=cursor.head_number) if cursor else 1
    return ChainView(
        burn=order.burn,
        confirmations=max(1, seen),
        required=finality.confirmations,
        final=order.status in (OrderStatus.VALID, OrderStatus.DELIVERED),
    )


def orders_of_wallet(address: str, *, store: Store, limit: int, cursor: str | None) -> Page[Order]:
    """A wallet's orders, newest first; whoever asks has proved to hold the wallet."""
    return store.orders_of_customer(address, limit=limit, cursor=cursor)
