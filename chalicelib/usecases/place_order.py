"""A customer makes an order (spec: The order; API `POST /orders`)."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.catalogue import check_order
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.idempotency import (
    IDEMPOTENCY_SECONDS,
    Reservation,
    check_key,
    key_hash,
    renewed,
    same_request,
)
from chalicelib.domain.orders import (
    ORDER_ID_ENTROPY_BYTES,
    Order,
    make_order_id,
    new_order,
)
from chalicelib.ports import Change, Conflict, Entropy, Insert, Sealer, Store, Update
from chalicelib.usecases.changes import MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class OrderRules:
    """How this system takes orders. `ttl` is the time to burn, in seconds."""

    ttl: int
    sites_enforced: bool


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a customer asks for. `customer` is a checksummed address; `site_id` may be empty."""

    customer: str
    token_id: int
    amount: int
    site_id: str
    meta: Mapping[str, str] = field(repr=False)

    def digest(self, key: str) -> str:
        """Tells a repeated request from another one.

        Keyed with the idempotency key, which is not stored: personal data cannot be guessed from
        it.
        """
        canonical = json.dumps(
            [self.customer, self.token_id, self.amount, self.site_id, sorted(self.meta.items())]
        )
        return hmac.digest(key.encode(), canonical.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Placed:
    """The order, and whether an earlier request with the same key had made it."""

    order: Order
    replayed: bool


def place_order(
    request: OrderRequest,
    *,
    key: str,
    rules: OrderRules,
    store: Store,
    entropy: Entropy,
    sealer: Sealer,
    now: int,
    request_id: str,
) -> Placed:
    """Make the order that `key` stands for, or find it where an earlier request made it.

    The key reserves an order id before the order exists, so a crash between the two costs nothing:
    the repeat finishes what was begun, and two at once end with one order.

    Raises:
        InvalidInput: the key is malformed, or the request breaks a rule of the catalogue.
        Refused: `IDEMPOTENCY_KEY_REUSED`, the key was used for another request.
        Unavailable: no catalogue is loaded, or others keep interfering.
    """
    check_key(key)
    reservation = _find_reservation(store, request, key, now)
    if reservation is not None:
        done = store.order(reservation.order_id)
        if done is not None:
            return Placed(_own(done, request), replayed=True)
    _check_rules(store, request, rules, now)
    if reservation is None:
        reservation = _reserve(store, entropy, request, key, now)
    order = _build(request, sealer, reservation.order_id, now, rules.ttl, request_id)
    try:
        store.commit([Insert(order)])
    except Conflict:
        made = store.order(order.order_id)
        if made is None:
            raise Unavailable("The order could not be stored. Try again.") from None
        return Placed(_own(made, request), replayed=True)
    return Placed(order, replayed=False)


def _own(order: Order, request: OrderRequest) -> Order:
    """`order`, which has the id reserved for `request`.

    Its id is a bearer secret: should random numbers ever repeat themselves, nobody gets another's.
    """
    if order.customer != request.customer:
        raise Unavailable("The order could not be stored. Try again.")
    return order


def _find_reservation(
    store: Store, request: OrderRequest, key: str, now: int
) -> Reservation | None:
    found = store.reservation(key_hash(owner=request.customer, key=key))
    if found is None or found.expires_at <= now:
        return None
    same_request(found, request.digest(key))
    return found


def _check_rules(store: Store, request: OrderRequest, rules: OrderRules, now: int) -> None:
    catalogue = store.catalogue()
    if catalogue is None:
        raise Unavailable("No catalogue is loaded yet.", code="CATALOGUE_MISSING")
    check_order(
        catalogue,
        {site.site_id: site for site in store.sites()},
        token_id=request.token_id,
        amount=request.amount,
        site_id=request.site_id,
        meta=request.meta,
        sites_enforced=rules.sites_enforced,
        at=now,
    )


def _reserve(
    store: Store, entropy: Entropy, request: OrderRequest, key: str, now: int
) -> Reservation:
    """The key's reservation: ours, or that of whoever came first."""
    hashed = key_hash(owner=request.customer, key=key)
    fresh = Reservation(
        key_hash=hashed,
        order_id=make_order_id(
            created_at=now, entropy=entropy.random_bytes(ORDER_ID_ENTROPY_BYTES)
        ),
        request_digest=request.digest(key),
        expires_at=now + IDEMPOTENCY_SECONDS,
    )
    for _ in range(MAX_ATTEMPTS):
        known = store.reservation(hashed)
        if known is not None and known.expires_at > now:
            same_request(known, fresh.request_digest)
            return known
        change: Change = Insert(fresh) if known is None else Update(renewed(known, fresh))
        try:
            store.commit([change])
        except Conflict:
            continue
        return fresh
    raise Unavailable("Too many requests with this Idempotency-Key at once. Try again.")


def _build(
    request: OrderRequest, sealer: Sealer, order_id: str, now: int, ttl: int, request_id: str
) -> Order:
    return new_order(
        order_id=order_id,
        customer=request.customer,
        token_id=request.token_id,
        amount=request.amount,
        site_id=request.site_id,
        created_at=now,
        expires_at=now + ttl,
        request_id=request_id,
        sealed_meta=sealer.seal(order_id, request.meta) if request.meta else None,
    )
