"""What a reception desk sees (API `/reception/…`)."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import NotFound
from chalicelib.domain.exceptions import ExceptionKind, kind_of
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.order_filter import OrderFilter
from chalicelib.domain.order_hash import checksum_address
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.staff import Staff, check_site
from chalicelib.ports import Entropy, Page, Sealer, Store, Telemetry
from chalicelib.usecases.audit_trail import audit
from chalicelib.usecases.staff_sessions import actor_of
from chalicelib.usecases.view_order import OrderView, describe, load_order, open_exception


class NotDeliverable(StrEnum):
    """Why an order must not be delivered now, at this desk."""

    NOT_BURNED_YET = "NOT_BURNED_YET"
    WAITING_FOR_CONFIRMATIONS = "WAITING_FOR_CONFIRMATIONS"
    ALREADY_DELIVERED = "ALREADY_DELIVERED"
    EXPIRED = "EXPIRED"
    EXPIRY_BEING_CHECKED = "EXPIRY_BEING_CHECKED"
    CANCELLED = "CANCELLED"
    WRONG_SITE = "WRONG_SITE"
    EXCEPTION = "EXCEPTION"


_REASONS = {
    OrderStatus.PENDING_CHAIN: NotDeliverable.WAITING_FOR_CONFIRMATIONS,
    OrderStatus.DELIVERED: NotDeliverable.ALREADY_DELIVERED,
    OrderStatus.EXPIRED: NotDeliverable.EXPIRED,
    OrderStatus.CANCELLED: NotDeliverable.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class ReceptionView:
    """All that is needed to deliver, and if the order is not deliverable, why."""

    view: OrderView
    meta: dict[str, str] | None
    reason: NotDeliverable | None


def not_deliverable(order: Order, staff: Staff, *, now: int) -> NotDeliverable | None:
    """Why this member of staff must not deliver the order now; `None` where they may."""
    if order.status is OrderStatus.DELIVERED:
        return NotDeliverable.ALREADY_DELIVERED
    if order.site_id and not staff.may_serve(order.site_id):
        return NotDeliverable.WRONG_SITE
    if open_exception(order):
        return NotDeliverable.EXCEPTION
    if order.status is OrderStatus.CREATED:
        late = now > order.expires_at
        return NotDeliverable.EXPIRY_BEING_CHECKED if late else NotDeliverable.NOT_BURNED_YET
    return _REASONS.get(order.status)


def exception_of(order: Order) -> ExceptionKind | None:
    """Why a person has to look at the order; `None` where there is no need.

    Either the customer's burn does not fit it, or the service was handed over for a burn that the
    chain no longer has, which stays so after the incident was acknowledged.
    """
    if order.status is OrderStatus.DELIVERED and order.burn is None:
        return ExceptionKind.DELIVERED_REORGED
    outcome = open_exception(order)
    return kind_of(outcome) if outcome else None


def scan_order(
    order_id: str,
    staff: Staff,
    *,
    store: Store,
    sealer: Sealer,
    telemetry: Telemetry,
    entropy: Entropy,
    finality: FinalityRule,
    now: int,
    request_id: str,
    input_method: str,
    device: str,
) -> ReceptionView:
    """The order as a desk sees it. Every scan is an audit item, with how and on which device.

    Personal data is opened only for staff who may serve the order's site. Where its data key is
    missing from the ring, that is told to the operator and the order is shown without.

    Raises:
        NotFound: `ORDER_NOT_FOUND`.
    """

    def note_scan(subject: str, answer: str) -> None:
        store.commit(
            [
                audit(
                    AuditAction.SCAN,
                    actor=actor_of(staff),
                    subject=subject,
                    entropy=entropy,
                    now=now,
                    request_id=request_id,
                    answer=answer,
                    inputMethod=input_method,
                    device=device,
                )
            ]
        )

    try:
        order = load_order(store, order_id)
    except NotFound as missing:
        note_scan("unknown", missing.code)
        raise
    reason = not_deliverable(order, staff, now=now)
    note_scan(order.order_hash, reason.value if reason else "DELIVERABLE")
    entitled = not order.site_id or staff.may_serve(order.site_id)
    return ReceptionView(
        view=describe(order, store=store, finality=finality, now=now),
        meta=_open_meta(order, sealer, telemetry) if entitled else None,
        reason=reason,
    )


def _open_meta(order: Order, sealer: Sealer, telemetry: Telemetry) -> dict[str, str] | None:
    if order.sealed_meta is None:
        return None
    try:
        return sealer.open(order.order_id, order.sealed_meta)
    except ValueError:
        # The voucher was burned all the same: what cannot be read must not hide that.
        telemetry.event("data_key_missing", level="ERROR", orderHash=order.order_hash)
        telemetry.metric("DataKeyMissing", 1)
        return None


def site_queue(
    site_id: str,
    staff: Staff,
    *,
    statuses: frozenset[OrderStatus],
    among: OrderFilter,
    store: Store,
    limit: int,
    cursor: str | None,
) -> Page[Order]:
    """A site's orders for those who serve it.

    Latest expiry first, or latest creation where they are looked for by a whole wallet address. A
    page may be short, even empty, and still have a next one.

    Raises:
        Forbidden: `FORBIDDEN_SITE`.
    """
    check_site(staff, site_id)
    if among.whole_hash:
        order = store.order_by_hash(among.whole_hash)
        found: Page[Order] = Page((order,) if order else (), None)
    elif among.whole_wallet:
        wallet = checksum_address(among.whole_wallet)
        found = store.orders_of_customer(wallet, limit=limit, cursor=cursor)
    else:
        return store.orders_of_site(
            site_id, statuses=statuses, among=among, limit=limit, cursor=cursor
        )
    here = [order for order in found.items if order.site_id == site_id]
    return Page(
        tuple(order for order in here if order.status in statuses and among.fits_order(order)),
        found.next_cursor,
    )


def display_name(username: str, *, asking: Staff, store: Store) -> str:
    """What colleagues call a member of staff; the username itself where nobody has it any more."""
    known = asking if username == asking.username else store.staff(username)
    return known.display_name if known else username
