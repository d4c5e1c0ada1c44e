"""How often one client may do what costs: one counter write per request, whatever is counted."""

import hashlib

from chalicelib.api.routing import Call
from chalicelib.domain.errors import TooMany
from chalicelib.domain.staff import SessionKind

MINUTE = 60

WALLET_DIGITS = 2
"""Wallets of one client share 256 counters, so that inventing wallets cannot swell the item that
holds them. Two that share one share its ten orders a minute."""


def limit_orders(call: Call, wallet: str) -> None:
    """Count an order of `wallet` from this client.

    Raises:
        TooMany: more in this minute than the client, or the wallet from there, may make.
    """
    own = hashlib.sha256(wallet.encode()).hexdigest()[:WALLET_DIGITS]
    settings = call.services.settings
    by_client, by_wallet = _count(call, "orders", "ip", own)
    if by_client > settings.ORDERS_PER_MINUTE_IP or by_wallet > settings.ORDERS_PER_MINUTE_WALLET:
        raise _too_many(call)


def limit_order_changes(call: Call) -> None:
    """Count a transaction hint or a cancellation from this client, who need not be signed in.

    Raises:
        TooMany: more in this minute than orders may be made.
    """
    (by_client,) = _count(call, "changes", "ip")
    if by_client > call.services.settings.ORDERS_PER_MINUTE_IP:
        raise _too_many(call)


def limit_sign_ins(call: Call, whose: SessionKind) -> None:
    """Count a sign-in from this client. Customers' and staff's are counted apart: they may share
    an office's address.

    Raises:
        TooMany: more in this minute than the client may try.
    """
    (by_client,) = _count(call, f"sign-ins/{whose}", "ip")
    if by_client > call.services.settings.LOGINS_PER_MINUTE_IP:
        raise _too_many(call)


def _count(call: Call, what: str, *members: str) -> tuple[int, ...]:
    minute = call.now // MINUTE
    return call.services.store.count(
        f"{what}/{call.client}/{minute}", members, expires_at=(minute + 2) * MINUTE
    )


def _too_many(call: Call) -> TooMany:
    call.services.telemetry.metric("RateLimited", 1)
    return TooMany(
        "Too many requests. Wait a moment and try again.", retry_after=MINUTE - call.now % MINUTE
    )
