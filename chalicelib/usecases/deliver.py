"""The service is handed over, once (API `POST /orders/{orderId}/deliver`)."""

from dataclasses import dataclass

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Forbidden, Refused, Unavailable, invalid
from chalicelib.domain.orders import Delivery, Order, OrderStatus, move
from chalicelib.domain.staff import Role, Staff, check_role, check_site
from chalicelib.ports import Conflict, Entropy, Store
from chalicelib.usecases.audit_trail import audit
from chalicelib.usecases.changes import MAX_ATTEMPTS, order_changes
from chalicelib.usecases.reception import not_deliverable
from chalicelib.usecases.staff_sessions import actor_of
from chalicelib.usecases.view_order import load_order

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Delivered:
    """The one delivery, and whether it had happened before this request."""

    order: Order
    delivery: Delivery
    already_delivered: bool


def deliver(
    order_id: str,
    staff: Staff,
    *,
    note: str,
    desk_site: str,
    store: Store,
    entropy: Entropy,
    now: int,
    request_id: str,
) -> Delivered:
    """Deliver a VALID order, or tell of the delivery that was first, at whichever desk.

    `desk_site` is where the desk stands; it may be empty where the order or the member of staff
    leaves no doubt. Refusals are audit items.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
        Forbidden: `FORBIDDEN_ROLE`, the member is no receptionist; `FORBIDDEN_SITE`, they do not
            serve the order's site or that desk.
        InvalidInput: `siteId` is needed, or is not the order's.
        Refused: `ORDER_NOT_VALID`, `ORDER_EXPIRED` or `ORDER_CANCELLED`.
        Unavailable: others keep interfering.
    """
    for _ in range(MAX_ATTEMPTS):
        order = load_order(store, order_id)
        try:
            check_role(staff, Role.RECEPTION)
            if order.site_id:
                check_site(staff, order.site_id)
            if order.delivery is not None:
                return Delivered(order, order.delivery, already_delivered=True)
            _check_deliverable(order, staff, now)
            site_id = _site_of_delivery(order, staff, desk_site)
        except (Forbidden, Refused) as refusal:
            _note_refusal(store, entropy, staff, order, refusal, now, request_id)
            raise
        done, delivery = _hand_over(order, staff, site_id, note, store.catalogue(), now, request_id)
        try:
            store.commit(order_changes(order, done))
        except Conflict:
            continue
        return Delivered(done, delivery, already_delivered=False)
    raise Unavailable("The order keeps changing. Try again.")


def _site_of_delivery(order: Order, staff: Staff, desk_site: str) -> str:
    if order.site_id:
        if desk_site and desk_site != order.site_id:
            raise invalid("siteId", "order", f"the order is for site {order.site_id}")
        return order.site_id
    if desk_site:
        check_site(staff, desk_site)
        return desk_site
    if len(staff.sites) == 1:
        return staff.sites[0]
    raise invalid("siteId", "required", "say at which site you deliver")


def _check_deliverable(order: Order, staff: Staff, now: int) -> None:
    reason = not_deliverable(order, staff, now=now)
    if reason is None:
        return
    if order.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED):
        raise Refused(f"The order is {order.status}.", code=f"ORDER_{order.status}")
    raise Refused(f"The order is {order.status}; its burn is not final.", code="ORDER_NOT_VALID")


def _hand_over(
    order: Order,
    staff: Staff,
    site_id: str,
    note: str,
    catalogue: Catalogue | None,
    now: int,
    request_id: str,
) -> tuple[Order, Delivery]:
    kind = catalogue.find(order.token_id) if catalogue else None
    days = kind.entitlement_days if kind else None
    delivery = Delivery(
        at=now,
        by=staff.username,
        site_id=site_id,
        note=note,
        entitled_until=now + days * order.amount * SECONDS_PER_DAY if days else None,
    )
    delivered = move(
        order,
        OrderStatus.DELIVERED,
        actor=actor_of(staff),
        at=now,
        reason="service handed over",
        request_id=request_id,
        delivery=delivery,
    )
    return delivered, delivery


def _note_refusal(
    store: Store,
    entropy: Entropy,
    staff: Staff,
    order: Order,
    refusal: Forbidden | Refused,
    now: int,
    request_id: str,
) -> None:
    store.commit(
        [
            audit(
                AuditAction.DELIVERY_REFUSED,
                actor=actor_of(staff),
                subject=order.order_hash,
                entropy=entropy,
                now=now,
                request_id=request_id,
                code=refusal.code,
            )
        ]
    )
