"""The service is handed over, once (API `POST /orders/{orderId}/deliver`)."""

from dataclasses import dataclass, replace

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Forbidden, Refused, Unavailable, invalid
from chalicelib.domain.idempotency import check_key, key_hash
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
    """The one delivery, and whether another request than this one made it.

    `replayed` says that an earlier attempt of this same request did.
    """

    order: Order
    delivery: Delivery
    already_delivered: bool
    replayed: bool = False


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
    key: str | None = None,
    input_method: str = "",
    device: str = "",
) -> Delivered:
    """Deliver a VALID order, or tell of the delivery that was first, at whichever desk.

    `desk_site` is where the desk stands; it may be empty where the order or the member of staff
    leaves no doubt. `key` marks all attempts of one press by one member of staff: whichever of
    them got through, each is told that it was the one, also by a member who has lost the site
    since. What the first attempt asked for counts. `input_method` and `device` are kept with the
    delivery. Refusals are audit items.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
        Forbidden: `FORBIDDEN_ROLE`, the member is no receptionist; `FORBIDDEN_SITE`, they do not
            serve the order's site or that desk.
        InvalidInput: `siteId` is needed, or is not the order's; `Idempotency-Key` is malformed.
        Refused: `ORDER_NOT_VALID`, `ORDER_EXPIRED` or `ORDER_CANCELLED`.
        Unavailable: others keep interfering.
    """
    press = Delivery(
        at=now,
        by=staff.username,
        site_id="",
        note=note,
        key_hash=key_hash(owner=staff.username, key=check_key(key)) if key is not None else "",
        input_method=input_method,
        device=device,
    )
    for _ in range(MAX_ATTEMPTS):
        order = load_order(store, order_id)
        if order.delivery is not None and _is_of(press, order.delivery):
            return Delivered(order, order.delivery, already_delivered=False, replayed=True)
        try:
            check_role(staff, Role.RECEPTION)
            if order.site_id:
                check_site(staff, order.site_id)
            if order.delivery is not None:
                return Delivered(order, order.delivery, already_delivered=True)
            _check_deliverable(order, staff, now)
            site_id = _site_of_delivery(order, staff, desk_site)
        except (Forbidden, Refused) as refusal:
            _note_refusal(store, entropy, staff, order, press, refusal, request_id)
            raise
        delivery = _delivery(order, press, site_id, store.catalogue())
        done = move(
            order,
            OrderStatus.DELIVERED,
            actor=actor_of(staff),
            at=now,
            reason="service handed over",
            request_id=request_id,
            delivery=delivery,
        )
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


def _is_of(press: Delivery, delivery: Delivery) -> bool:
    """Whether the delivery was made by an earlier attempt of this press."""
    same = (press.by, press.key_hash) == (delivery.by, delivery.key_hash)
    return bool(press.key_hash) and same


def _delivery(order: Order, press: Delivery, site_id: str, catalogue: Catalogue | None) -> Delivery:
    kind = catalogue.find(order.token_id) if catalogue else None
    days = kind.entitlement_days if kind else None
    until = press.at + days * order.amount * SECONDS_PER_DAY if days else None
    return replace(press, site_id=site_id, entitled_until=until)


def _note_refusal(
    store: Store,
    entropy: Entropy,
    staff: Staff,
    order: Order,
    press: Delivery,
    refusal: Forbidden | Refused,
    request_id: str,
) -> None:
    store.commit(
        [
            audit(
                AuditAction.DELIVERY_REFUSED,
                actor=actor_of(staff),
                subject=order.order_hash,
                entropy=entropy,
                now=press.at,
                request_id=request_id,
                code=refusal.code,
                inputMethod=press.input_method,
                device=press.device,
            )
        ]
    )
