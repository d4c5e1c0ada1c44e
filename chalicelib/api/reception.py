"""What a reception desk does: look at an order, deliver it, see its queue."""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.api.routing import Access, Answer, Call, Nothing, Routes
from chalicelib.api.schemas import (
    Bilingual,
    DeliverRequest,
    DeliveryDone,
    DeliveryView,
    MetaView,
    NotDeliverableReason,
    Queue,
    QueueItem,
    QueueQuery,
    ReceptionOrder,
    ServiceView,
    rfc3339,
)
from chalicelib.api.views import chain_progress, masked, service_of, service_view
from chalicelib.domain.errors import invalid
from chalicelib.domain.order_filter import order_filter
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.staff import Staff
from chalicelib.usecases.deliver import deliver
from chalicelib.usecases.reception import (
    NotDeliverable,
    ReceptionView,
    display_name,
    exception_of,
    scan_order,
    site_queue,
)

PAGE = 50
INPUT_METHODS = ("camera", "wedge", "typed")
_DEVICE_ID = re.compile(r"[\x20-\x7e]{0,64}")

SENTENCES: dict[NotDeliverable, tuple[str, str]] = {
    NotDeliverable.NOT_BURNED_YET: (
        "Khách chưa đốt voucher cho đơn này.",
        "The voucher for this order has not been burned yet.",
    ),
    NotDeliverable.WAITING_FOR_CONFIRMATIONS: (
        "Đã thấy giao dịch đốt, đang chờ blockchain xác nhận.",
        "The burn was seen and waits for the chain to make it final.",
    ),
    NotDeliverable.ALREADY_DELIVERED: (
        "Đơn này đã được giao rồi.",
        "This order was delivered already.",
    ),
    NotDeliverable.EXPIRED: (
        "Đơn đã hết hạn mà voucher chưa được đốt.",
        "The order expired without a burn.",
    ),
    NotDeliverable.EXPIRY_BEING_CHECKED: (
        "Đơn đã quá hạn, đang kiểm tra xem voucher có được đốt kịp không.",
        "The order's time is up; whether a burn was made in time is being checked.",
    ),
    NotDeliverable.CANCELLED: ("Khách đã hủy đơn này.", "This order was cancelled."),
    NotDeliverable.WRONG_SITE: (
        "Đơn này dành cho một địa điểm khác.",
        "This order is for another site.",
    ),
    NotDeliverable.EXCEPTION: (
        "Voucher đã đốt nhưng không khớp với đơn này. Hãy báo quản trị viên.",
        "The voucher that was burned does not fit this order. Tell an administrator.",
    ),
}

SCAN_HEADERS = {
    "X-Input-Method": "how the code was read: camera, wedge or typed",
    "X-Device-Id": "which device read it, at most 64 characters",
}

routes = Routes("reception")


@routes.route(
    "GET",
    "/reception/orders/{orderId}",
    access=Access.RECEPTION,
    takes=Nothing,
    answers={200: ReceptionOrder},
    refusals={
        404: ("ORDER_NOT_FOUND",),
        422: ("INVALID_INPUT",),
    },
    request_headers=SCAN_HEADERS,
)
def get_reception_order(call: Call, _given: Nothing) -> Answer:
    """What is needed to deliver, and if not deliverable, why. Every look is an audit item."""
    services = call.services
    settings = services.settings
    seen = scan_order(
        call.path["orderId"],
        call.who.staff,
        store=services.store,
        sealer=services.sealer,
        telemetry=services.telemetry,
        entropy=services.entropy,
        finality=settings.finality,
        now=call.now,
        request_id=call.request_id,
        input_method=_input_method(call),
        device=_device(call),
    )
    call.facts["orderHash"] = seen.view.order.order_hash
    return Answer(_reception_order(seen, settings.EXPLORER_URL, _delivery(call, seen.view.order)))


@routes.route(
    "GET",
    "/reception/orders",
    access=Access.RECEPTION,
    takes=QueueQuery,
    answers={200: Queue},
    refusals={403: ("FORBIDDEN_SITE",)},
)
def list_reception_orders(call: Call, given: QueueQuery) -> Answer:
    """A site's queue and history. `site` may be left out by who serves one site only.

    `search` looks for orders by hash or wallet. An order's id, or its 16-character code, is a
    bearer secret and stands in no query: for that there is `GET /reception/orders/{orderId}`.
    One request looks at a bounded number of orders; `nextCursor` goes on with the same parameters.
    """
    staff, store = call.who.staff, call.services.store
    page = site_queue(
        given.site or _only_site(staff),
        staff,
        statuses=_statuses(given.status),
        among=order_filter(
            created_from=given.created_from, created_to=given.created_to, search=given.search
        ),
        store=store,
        limit=PAGE,
        cursor=given.cursor or None,
    )
    catalogue = store.catalogue()
    deliverers = {order.delivery.by for order in page.items if order.delivery is not None}
    names = {name: display_name(name, asking=staff, store=store) for name in deliverers}
    return Answer(
        Queue(
            items=[_queue_item(order, service_of(catalogue, order), names) for order in page.items],
            next_cursor=page.next_cursor,
        )
    )


@routes.route(
    "POST",
    "/orders/{orderId}/deliver",
    access=Access.RECEPTION,
    takes=DeliverRequest,
    answers={200: DeliveryDone},
    refusals={
        403: ("FORBIDDEN_SITE",),
        404: ("ORDER_NOT_FOUND",),
        409: ("ORDER_NOT_VALID", "ORDER_EXPIRED", "ORDER_CANCELLED"),
        503: ("UNAVAILABLE",),
    },
    request_headers={
        "Idempotency-Key": "22 to 128 of A-Z a-z 0-9 _ -, 128 random bits, for one press on one"
        " desk: repeats of it are answered as the first was",
        **SCAN_HEADERS,
    },
    answer_headers={"Idempotency-Replayed": "`true`: an earlier attempt of this request delivered"},
)
def deliver_order(call: Call, given: DeliverRequest) -> Answer:
    """Hand over the service, once. A repeat answers with the first delivery and says so.

    With an `Idempotency-Key`, all attempts of one press by one member of staff get the same answer,
    so that a desk whose answer was lost learns whether it was the one that delivered.
    """
    services, staff = call.services, call.who.staff
    done = deliver(
        call.path["orderId"],
        staff,
        note=given.note,
        desk_site=given.site_id,
        store=services.store,
        entropy=services.entropy,
        now=call.now,
        request_id=call.request_id,
        key=call.headers.get("idempotency-key"),
        input_method=_input_method(call),
        device=_device(call),
    )
    call.facts["orderHash"] = done.order.order_hash
    if not (done.already_delivered or done.replayed):
        services.telemetry.metric("OrdersDelivered", 1)
    fields: dict[str, Any] = {
        "order_id": done.order.order_id,
        "status": done.order.status,
        "delivered_at": rfc3339(done.delivery.at),
        "delivered_by": done.delivery.by,
        "delivered_by_name": display_name(done.delivery.by, asking=staff, store=services.store),
        "delivered_site": done.delivery.site_id,
        "already_delivered": done.already_delivered,
    }
    if done.delivery.entitled_until is not None:
        fields["entitled_until"] = done.delivery.entitled_until
    return Answer(
        DeliveryDone(**fields),
        headers={"Idempotency-Replayed": "true"} if done.replayed else {},
    )


def _reception_order(
    seen: ReceptionView, explorer_url: str, delivered: DeliveryView | None
) -> ReceptionOrder:
    view, order = seen.view, seen.view.order
    fields: dict[str, Any] = {
        "order_id": order.order_id,
        "status": order.status,
        "order_hash": order.order_hash,
        "site_id": order.site_id,
        "token_id": order.token_id,
        "amount": order.amount,
        "customer_address": order.customer,
        "customer_address_masked": masked(order.customer),
        "customer_meta": MetaView.model_validate(seen.meta) if seen.meta is not None else None,
        "service": service_view(view.kind),
        "created_at": rfc3339(order.created_at),
        "expires_at": order.expires_at,
        "redeemable": view.not_redeemable is None,
        "deliverable": seen.reason is None,
        "reason": _reason(seen.reason),
        "delivered": delivered,
    }
    if (exception := exception_of(order)) is not None:
        fields["exception"] = exception
    if view.chain is not None:
        fields["chain"] = chain_progress(view.chain, explorer_url)
    return ReceptionOrder(**fields)


def _reason(reason: NotDeliverable | None) -> NotDeliverableReason | None:
    if reason is None:
        return None
    vi, en = SENTENCES[reason]
    return NotDeliverableReason(code=reason, message=Bilingual(vi=vi, en=en))


def _delivery(call: Call, order: Order) -> DeliveryView | None:
    done = order.delivery
    if done is None:
        return None
    return DeliveryView(
        at=rfc3339(done.at),
        by=done.by,
        by_name=display_name(done.by, asking=call.who.staff, store=call.services.store),
        site=done.site_id,
        note=done.note,
    )


def _queue_item(order: Order, service: ServiceView | None, names: Mapping[str, str]) -> QueueItem:
    fields: dict[str, Any] = {
        "order_hash": order.order_hash,
        "token_id": order.token_id,
        "amount": order.amount,
        "service": service,
        "site_id": order.site_id,
        "status": order.status,
        "created_at": rfc3339(order.created_at),
        "expires_at": order.expires_at,
        "customer_address_masked": masked(order.customer),
    }
    if order.delivery is not None:
        fields["delivered_at"] = rfc3339(order.delivery.at)
        fields["delivered_by"] = order.delivery.by
        fields["delivered_by_name"] = names[order.delivery.by]
    if (exception := exception_of(order)) is not None:
        fields["exception"] = exception
    return QueueItem(**fields)


def _only_site(staff: Staff) -> str:
    if len(staff.sites) == 1:
        return staff.sites[0]
    raise invalid("site", "required", "say which site's orders to list")


def _statuses(listed: str) -> frozenset[OrderStatus]:
    if not listed:
        return frozenset(OrderStatus)
    names = listed.split(",")
    known = {status.value for status in OrderStatus}
    if not known.issuperset(names):
        raise invalid("status", "known", f"takes any of {', '.join(OrderStatus)}")
    return frozenset(OrderStatus(name) for name in names)


def _input_method(call: Call) -> str:
    method = call.headers.get("x-input-method", "")
    if method and method not in INPUT_METHODS:
        raise invalid("X-Input-Method", "known", f"takes one of {', '.join(INPUT_METHODS)}")
    return method or "unknown"


def _device(call: Call) -> str:
    device = call.headers.get("x-device-id", "")
    if not _DEVICE_ID.fullmatch(device):
        raise invalid("X-Device-Id", "pattern", "takes at most 64 printable ASCII characters")
    return device
