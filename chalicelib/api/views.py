"""Domain records as the wire shows them."""

from typing import Any

from chalicelib.api.schemas import (
    Bilingual,
    CallOrder,
    ChainProgress,
    OrderDetails,
    OrderSummary,
    ServiceView,
    rfc3339,
)
from chalicelib.domain.catalogue import Catalogue, VoucherType
from chalicelib.domain.orders import Order
from chalicelib.usecases.view_order import ChainView, NotRedeemable, OrderView, open_exception


def masked(address: str) -> str:
    """Enough of an address to recognise it."""
    return f"{address[:6]}…{address[-4:]}"


def bilingual(texts: Any) -> Bilingual:
    """A text in both languages."""
    return Bilingual(vi=texts["vi"], en=texts["en"])


def service_view(kind: VoucherType | None) -> ServiceView | None:
    """The service of a voucher type; `None` once the catalogue no longer lists it."""
    if kind is None:
        return None
    return ServiceView(name=bilingual(kind.name), unit=bilingual(kind.unit), group=kind.group.value)


def service_of(catalogue: Catalogue | None, order: Order) -> ServiceView | None:
    """The service an order is for."""
    return service_view(catalogue.find(order.token_id) if catalogue else None)


def call_order(order: Order) -> CallOrder:
    """What `redeemOrder` takes."""
    return CallOrder(
        order_ref=order.order_ref,
        customer=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        site_ref=order.site_ref,
        expires_at=order.expires_at,
    )


def chain_progress(chain: ChainView, explorer_url: str) -> ChainProgress:
    """Where the burn stands; `explorer_url` may be empty."""
    tx_hash = chain.burn.tx_hash
    return ChainProgress(
        tx_hash=tx_hash,
        block_number=chain.burn.block.number,
        block_hash=chain.burn.block.hash,
        block_time=chain.burn.block.time,
        log_index=chain.burn.log_index,
        serial=str(chain.burn.serial),
        confirmations=chain.confirmations,
        required=chain.required,
        final=chain.final,
        explorer_url=f"{explorer_url.rstrip('/')}/tx/{tx_hash}" if explorer_url else None,
    )


def order_summary(
    order: Order, service: ServiceView | None, reason: NotRedeemable | None
) -> OrderSummary:
    """An order in its customer's list."""
    return OrderSummary(**_summary(order, service, reason))


def order_details(view: OrderView, explorer_url: str) -> OrderDetails:
    """An order for whoever holds its id."""
    fields = _summary(view.order, service_view(view.kind), view.not_redeemable)
    if view.chain is not None:
        fields["chain"] = chain_progress(view.chain, explorer_url)
    return OrderDetails(**fields)


def _summary(
    order: Order, service: ServiceView | None, reason: NotRedeemable | None
) -> dict[str, Any]:
    """Only what is set is sent, so what may be missing is set only where there is something."""
    fields: dict[str, Any] = {
        "order_id": order.order_id,
        "status": order.status,
        "order_hash": order.order_hash,
        "site_id": order.site_id,
        "token_id": order.token_id,
        "amount": order.amount,
        "customer_address_masked": masked(order.customer),
        "service": service,
        "created_at": rfc3339(order.created_at),
        "expires_at": order.expires_at,
        "redeemable": reason is None,
        "transaction_hints": list(order.transaction_hints),
        "order": call_order(order),
    }
    if reason is not None:
        fields["reason"] = reason
    if order.delivery is not None:
        fields["delivered_at"] = rfc3339(order.delivery.at)
        fields["delivered_site"] = order.delivery.site_id
    if (exception := open_exception(order)) is not None:
        fields["exception"] = exception
    return fields
