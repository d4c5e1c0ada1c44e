"""What a customer does with an order: make, see, show, hint, cancel."""

from chalicelib.api.limits import limit_order_changes, limit_orders
from chalicelib.api.qr import qr_png, qr_svg
from chalicelib.api.routing import Answer, Call, Nothing, Routes
from chalicelib.api.schemas import (
    Cancellation,
    HintAccepted,
    NewOrder,
    OrderDetails,
    PlacedOrder,
    TransactionHint,
)
from chalicelib.api.views import call_order, order_details
from chalicelib.usecases.cancel_order import cancel_order
from chalicelib.usecases.hint_transaction import hint_transaction
from chalicelib.usecases.place_order import OrderRequest, OrderRules, place_order
from chalicelib.usecases.view_order import describe, load_order, view_order

ORDER_UNKNOWN = {404: ("ORDER_NOT_FOUND",)}

routes = Routes("orders")


@routes.route(
    "POST",
    "/orders",
    takes=NewOrder,
    answers={200: PlacedOrder, 201: PlacedOrder},
    refusals={
        409: ("IDEMPOTENCY_KEY_REUSED",),
        429: ("RATE_LIMITED",),
        503: ("CATALOGUE_MISSING", "UNAVAILABLE"),
    },
    request_headers={"Idempotency-Key": "required: 22 to 128 of A-Z a-z 0-9 _ -, 128 random bits"},
    answer_headers={"Idempotency-Replayed": "`true` with 200: an earlier request made the order"},
)
def create_order(call: Call, given: NewOrder) -> Answer:
    """Make an order; a repeat with the same `Idempotency-Key` answers 200 with the same order."""
    services = call.services
    limit_orders(call, given.customer_address)
    placed = place_order(
        OrderRequest(
            customer=given.customer_address,
            token_id=given.token_id,
            amount=given.amount,
            site_id=given.site_id,
            meta=given.customer_meta.model_dump(by_alias=True, exclude_unset=True),
        ),
        key=call.headers.get("idempotency-key", ""),
        rules=OrderRules(
            ttl=services.settings.ORDER_TTL_SECONDS,
            sites_enforced=services.settings.SITES_ENFORCED,
        ),
        store=services.store,
        entropy=services.entropy,
        sealer=services.sealer,
        now=call.now,
        request_id=call.request_id,
    )
    order = placed.order
    call.facts["orderHash"] = order.order_hash
    if not placed.replayed:
        services.telemetry.metric("OrdersCreated", 1)
    return Answer(
        PlacedOrder(
            order_id=order.order_id,
            status=order.status,
            order_hash=order.order_hash,
            expires_at=order.expires_at,
            qr_payload=order.qr_payload,
            order=call_order(order),
        ),
        status=200 if placed.replayed else 201,
        headers={"Idempotency-Replayed": "true"} if placed.replayed else {},
    )


@routes.route(
    "GET",
    "/orders/{orderId}",
    takes=Nothing,
    answers={200: OrderDetails},
    refusals=ORDER_UNKNOWN,
)
def get_order(call: Call, _given: Nothing) -> Answer:
    """Status, service and confirmations, for whoever holds the id; never `customerMeta`."""
    services = call.services
    view = view_order(
        call.path["orderId"],
        store=services.store,
        finality=services.settings.finality,
        now=call.now,
    )
    call.facts["orderHash"] = view.order.order_hash
    return Answer(order_details(view, services.settings.EXPLORER_URL))


@routes.route(
    "GET",
    "/orders/{orderId}/qr.svg",
    takes=Nothing,
    answers={200: "image/svg+xml"},
    refusals=ORDER_UNKNOWN,
)
def get_order_qr_svg(call: Call, _given: Nothing) -> Answer:
    """The QR code `5SOV://order/<orderId>` as SVG."""
    return Answer(qr_svg(_qr_payload(call)), media_type="image/svg+xml")


@routes.route(
    "GET",
    "/orders/{orderId}/qr.png",
    takes=Nothing,
    answers={200: "image/png"},
    refusals=ORDER_UNKNOWN,
)
def get_order_qr_png(call: Call, _given: Nothing) -> Answer:
    """The QR code `5SOV://order/<orderId>` as PNG."""
    return Answer(qr_png(_qr_payload(call)), media_type="image/png")


@routes.route(
    "POST",
    "/orders/{orderId}/transaction",
    takes=TransactionHint,
    answers={202: HintAccepted},
    refusals={
        **ORDER_UNKNOWN,
        409: ("ORDER_VALID", "ORDER_DELIVERED", "ORDER_EXPIRED"),
        429: ("RATE_LIMITED",),
        503: ("UNAVAILABLE",),
    },
)
def add_transaction_hint(call: Call, given: TransactionHint) -> Answer:
    """Tell the listener where the burn will be found; it never moves an order."""
    limit_order_changes(call)
    order = hint_transaction(call.path["orderId"], given.tx_hash, store=call.services.store)
    call.facts["orderHash"] = order.order_hash
    return Answer(
        HintAccepted(order_id=order.order_id, transaction_hints=list(order.transaction_hints)),
        status=202,
    )


@routes.route(
    "POST",
    "/orders/{orderId}/cancel",
    takes=Cancellation,
    answers={200: OrderDetails},
    refusals={
        **ORDER_UNKNOWN,
        403: ("WRONG_SIGNER",),
        409: ("ORDER_PENDING_CHAIN", "ORDER_VALID", "ORDER_DELIVERED", "ORDER_EXPIRED"),
        429: ("RATE_LIMITED",),
        503: ("UNAVAILABLE",),
    },
)
def cancel(call: Call, given: Cancellation) -> Answer:
    """Take an order back before its burn is seen, by a signature that is good for this only."""
    services = call.services
    settings = services.settings
    limit_order_changes(call)
    order = cancel_order(
        call.path["orderId"],
        deadline=given.deadline,
        signature=given.signature,
        chain_id=settings.CHAIN_ID,
        contract=settings.CONTRACT_ADDRESS,
        store=services.store,
        signatures=services.signatures,
        now=call.now,
        request_id=call.request_id,
    )
    call.facts["orderHash"] = order.order_hash
    view = describe(order, store=services.store, finality=settings.finality, now=call.now)
    return Answer(order_details(view, settings.EXPLORER_URL))


def _qr_payload(call: Call) -> str:
    order = load_order(call.services.store, call.path["orderId"])
    call.facts["orderHash"] = order.order_hash
    return order.qr_payload
