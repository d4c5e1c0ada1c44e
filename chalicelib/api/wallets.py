"""A customer signs in with the wallet and sees its orders."""

from chalicelib.api.limits import limit_sign_ins
from chalicelib.api.routing import Access, Answer, Call, Routes
from chalicelib.api.schemas import (
    Nonce,
    NonceRequest,
    SignedMessage,
    WalletOrders,
    WalletOrdersQuery,
    WalletSession,
)
from chalicelib.api.views import order_summary, service_of
from chalicelib.domain.order_hash import checksum_address
from chalicelib.domain.staff import SessionKind
from chalicelib.usecases.view_order import not_redeemable, orders_of_wallet
from chalicelib.usecases.wallet_sign_in import begin_wallet_sign_in, finish_wallet_sign_in

PAGE = 20

routes = Routes("wallets")


@routes.route(
    "POST",
    "/auth/wallet/nonce",
    takes=NonceRequest,
    answers={200: Nonce},
    refusals={429: ("RATE_LIMITED",)},
)
def begin_sign_in(call: Call, given: NonceRequest) -> Answer:
    """The exact EIP-4361 message for the wallet to sign within five minutes."""
    limit_sign_ins(call, SessionKind.WALLET)
    services = call.services
    begun = begin_wallet_sign_in(
        given.address,
        origin=services.settings.PORTAL_ORIGIN,
        chain_id=services.settings.CHAIN_ID,
        store=services.store,
        entropy=services.entropy,
        now=call.now,
    )
    return Answer(Nonce(nonce=begun.nonce, message=begun.message, expires_at=begun.expires_at))


@routes.route(
    "POST",
    "/auth/wallet/verify",
    takes=SignedMessage,
    answers={200: WalletSession},
    refusals={401: ("SIGN_IN_REFUSED",), 429: ("RATE_LIMITED",)},
)
def finish_sign_in(call: Call, given: SignedMessage) -> Answer:
    """A session for the wallet that signed the message; each message is good once."""
    limit_sign_ins(call, SessionKind.WALLET)
    services = call.services
    signed_in = finish_wallet_sign_in(
        given.message,
        given.signature,
        store=services.store,
        signatures=services.signatures,
        entropy=services.entropy,
        now=call.now,
    )
    return Answer(
        WalletSession(
            access_token=str(signed_in.access_token),
            expires_in=signed_in.expires_in,
            address=signed_in.address,
        )
    )


@routes.route(
    "GET",
    "/wallets/{address}/orders",
    access=Access.WALLET,
    takes=WalletOrdersQuery,
    answers={200: WalletOrders},
)
def list_wallet_orders(call: Call, given: WalletOrdersQuery) -> Answer:
    """The wallet's own orders, newest first."""
    store = call.services.store
    page = orders_of_wallet(
        checksum_address(call.path["address"]), store=store, limit=PAGE, cursor=given.cursor or None
    )
    catalogue = store.catalogue()
    return Answer(
        WalletOrders(
            items=[
                order_summary(
                    order, service_of(catalogue, order), not_redeemable(order, now=call.now)
                )
                for order in page.items
            ],
            next_cursor=page.next_cursor,
        )
    )
