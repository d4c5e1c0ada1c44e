"""The order: what it holds and the only ways it may move.

The transition table is data and `move` is the single function that changes a status. Nothing here
reads a clock or draws a random number: times and ids come in as arguments.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib.domain.errors import NotFound, Refused
from chalicelib.domain.order_hash import order_hash, text_ref
from chalicelib.domain.redemptions import Burn, Outcome

INLINE_HISTORY = 32
MAX_TRANSACTION_HINTS = 3
QR_PREFIX = "5SOV://order/"

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ORDER_ID_ENTROPY_BYTES = 10
ORDER_ID = re.compile(rf"ORD_[0-9]{{8}}_[{_CROCKFORD}]{{16}}")


class OrderStatus(StrEnum):
    """Where an order stands (spec: The order)."""

    CREATED = "CREATED"
    PENDING_CHAIN = "PENDING_CHAIN"
    VALID = "VALID"
    DELIVERED = "DELIVERED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class ActorKind(StrEnum):
    """In which part somebody acts."""

    CUSTOMER = "CUSTOMER"
    LISTENER = "LISTENER"
    RECEPTION = "RECEPTION"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moves an order: the part played and a name (wallet address, username, listener id)."""

    kind: ActorKind
    name: str


_CREATED, _PENDING, _VALID, _DELIVERED, _EXPIRED, _CANCELLED = OrderStatus
_LISTENER = frozenset({ActorKind.LISTENER})
_ADMIN = frozenset({ActorKind.ADMIN})

TRANSITIONS: Mapping[tuple[OrderStatus, OrderStatus], frozenset[ActorKind]] = {
    (_CREATED, _PENDING): _LISTENER,
    (_CREATED, _VALID): _LISTENER,
    (_CREATED, _EXPIRED): _LISTENER,
    (_CREATED, _CANCELLED): frozenset({ActorKind.CUSTOMER, ActorKind.ADMIN}),
    (_PENDING, _VALID): _LISTENER,
    (_PENDING, _CREATED): _LISTENER,
    (_PENDING, _EXPIRED): _LISTENER,
    (_VALID, _PENDING): _LISTENER,
    (_VALID, _DELIVERED): frozenset({ActorKind.RECEPTION}),
    (_CANCELLED, _PENDING): _LISTENER,
    (_CANCELLED, _VALID): _LISTENER | _ADMIN,
    (_EXPIRED, _VALID): _ADMIN,
}
"""Every move there is, and who may make it. What is not here is refused."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One move, never edited. `seq` counts 1, 2, 3 … over the order's life."""

    seq: int
    at: int
    actor: Actor
    source: OrderStatus | None
    target: OrderStatus
    reason: str
    request_id: str
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The service handed over. `at` and `entitled_until` in unix seconds.

    `key_hash` tells the request that did it from all others (see `idempotency`; empty where it had
    no key); `input_method` and `device` say how and where the code was read.
    """

    at: int
    by: str
    site_id: str
    note: str = ""
    entitled_until: int | None = None
    key_hash: str = ""
    input_method: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's claim to one redemption. Times in unix seconds; `amount` in whole vouchers.

    `version` grows by one with every change and guards every write. `history` holds the last 32
    moves; earlier ones are `HistoryRecord`s of their own. `sealed_meta` is `customerMeta`,
    encrypted. `exception` is what the customer's burn came to if it does not fit the order.
    """

    order_id: str
    order_hash: str
    customer: str
    token_id: int
    amount: int
    site_id: str
    created_at: int
    expires_at: int
    status: OrderStatus
    history: tuple[HistoryEntry, ...]
    version: int = 1
    sealed_meta: bytes | None = None
    burn: Burn | None = None
    delivery: Delivery | None = None
    transaction_hints: tuple[str, ...] = ()
    exception: Outcome | None = None

    @property
    def order_ref(self) -> str:
        """Hash of the order id, as `redeemOrder` takes it."""
        return text_ref(self.order_id)

    @property
    def site_ref(self) -> str:
        """Hash of the site id, as `redeemOrder` takes it."""
        return text_ref(self.site_id)

    @property
    def qr_payload(self) -> str:
        """What the QR code says."""
        return QR_PREFIX + self.order_id


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """A move that no longer fits into its order: append-only, found by order hash and `seq`."""

    order_hash: str
    entry: HistoryEntry
    version: int = 1


def make_order_id(*, created_at: int, entropy: bytes) -> str:
    """`ORD_<YYYYMMDD>_<16 Crockford base-32 characters>`: 80 random bits, a bearer secret.

    Raises:
        ValueError: `entropy` is not 10 bytes.
    """
    if len(entropy) != ORDER_ID_ENTROPY_BYTES:
        raise ValueError(f"an order id takes {ORDER_ID_ENTROPY_BYTES} random bytes")
    number = int.from_bytes(entropy, "big")
    digits = "".join(_CROCKFORD[number >> shift & 31] for shift in range(75, -1, -5))
    return f"ORD_{datetime.fromtimestamp(created_at, UTC):%Y%m%d}_{digits}"


def check_order_id(order_id: str) -> str:
    """The id itself if it is well formed.

    Raises:
        NotFound: no order can have that id.
    """
    if not ORDER_ID.fullmatch(order_id):
        raise NotFound("There is no such order.", code="ORDER_NOT_FOUND")
    return order_id


def new_order(
    *,
    order_id: str,
    customer: str,
    token_id: int,
    amount: int,
    site_id: str,
    created_at: int,
    expires_at: int,
    request_id: str,
    sealed_meta: bytes | None = None,
) -> Order:
    """A fresh order in CREATED, its hash bound to all that the burn must repeat."""
    return Order(
        order_id=order_id,
        order_hash=order_hash(
            order_id=order_id,
            customer=customer,
            token_id=token_id,
            amount=amount,
            site_id=site_id,
            expires_at=expires_at,
        ),
        customer=customer,
        token_id=token_id,
        amount=amount,
        site_id=site_id,
        created_at=created_at,
        expires_at=expires_at,
        status=OrderStatus.CREATED,
        sealed_meta=sealed_meta,
        history=(
            HistoryEntry(
                seq=1,
                at=created_at,
                actor=Actor(ActorKind.CUSTOMER, customer),
                source=None,
                target=OrderStatus.CREATED,
                reason="order accepted",
                request_id=request_id,
            ),
        ),
    )


def move(
    order: Order,
    target: OrderStatus,
    *,
    actor: Actor,
    at: int,
    reason: str,
    request_id: str,
    block: int | None = None,
    **changes: Burn | Outcome | Delivery | None,
) -> Order:
    """`order` in status `target`, with the move in its history and the next version.

    `changes` are fields that change with it.

    Raises:
        Refused: the table has no such move for this actor; code `ORDER_<STATUS>`.
    """
    allowed = TRANSITIONS.get((order.status, target), frozenset())
    if actor.kind not in allowed:
        raise Refused(
            f"An order that is {order.status} cannot become {target} by {actor.kind}.",
            code=f"ORDER_{order.status}",
        )
    entry = HistoryEntry(
        seq=order.history[-1].seq + 1,
        at=at,
        actor=actor,
        source=order.status,
        target=target,
        reason=reason,
        request_id=request_id,
        block=block,
    )
    return replace(
        order,
        status=target,
        version=order.version + 1,
        history=(*order.history, entry)[-INLINE_HISTORY:],
        **changes,  # type: ignore[arg-type]
    )


def displaced_history(before: Order, after: Order) -> tuple[HistoryRecord, ...]:
    """The entries of `before` that no longer fit into `after` and must be kept on their own."""
    first_kept = after.history[0].seq
    return tuple(
        HistoryRecord(before.order_hash, entry)
        for entry in before.history
        if entry.seq < first_kept
    )


def see_burn(order: Order, burn: Burn, *, actor: Actor, at: int, request_id: str) -> Order:
    """A matching burn is on the chain and not final yet: the order waits for it.

    An order that waits already takes over where the burn now stands.
    """
    if order.status is OrderStatus.PENDING_CHAIN:
        if order.burn == burn:
            return order
        return replace(order, burn=burn, version=order.version + 1)
    return move(
        order,
        OrderStatus.PENDING_CHAIN,
        actor=actor,
        at=at,
        reason="burn seen, waiting for finality",
        request_id=request_id,
        block=burn.block.number,
        burn=burn,
    )


def confirm_burn(
    order: Order,
    burn: Burn,
    *,
    actor: Actor,
    at: int,
    request_id: str,
    reason: str = "burn final",
) -> Order:
    """A burn that matches is final, or one is honoured: the order may be delivered."""
    return move(
        order,
        OrderStatus.VALID,
        actor=actor,
        at=at,
        reason=reason,
        request_id=request_id,
        block=burn.block.number,
        burn=burn,
        exception=None,
    )


def lose_burn(order: Order, *, actor: Actor, at: int, request_id: str) -> Order:
    """The burn an order waited for is gone from the chain: it waits for a burn again."""
    return move(
        order,
        OrderStatus.CREATED,
        actor=actor,
        at=at,
        reason="burn no longer on the chain",
        request_id=request_id,
        block=order.burn.block.number if order.burn else None,
        burn=None,
    )


def doubt_burn(order: Order, *, actor: Actor, at: int, request_id: str) -> Order:
    """The chain took back what was proven final: the order waits for its burn's finality anew."""
    return move(
        order,
        OrderStatus.PENDING_CHAIN,
        actor=actor,
        at=at,
        reason="burn no longer final",
        request_id=request_id,
        block=order.burn.block.number if order.burn else None,
    )


def reattach_burn(order: Order, burn: Burn | None) -> Order:
    """Where the burn of an order that keeps its status now stands; `None` once the chain no longer
    has it, which only a service that is handed over outlasts."""
    if order.burn == burn:
        return order
    return replace(order, burn=burn, version=order.version + 1)


def note_exception(order: Order, outcome: Outcome | None) -> Order:
    """The customer burned for the order, and the burn does not fit it; `None` takes that back."""
    if order.exception is outcome:
        return order
    return replace(order, exception=outcome, version=order.version + 1)


def expire(
    order: Order, *, actor: Actor, at: int, request_id: str, proven_block: int, proven_time: int
) -> Order:
    """The chain is proven past `expires_at` and holds no burn made in time.

    Raises:
        ValueError: `proven_time` is not past `expires_at`; its last second is still valid.
    """
    if proven_time <= order.expires_at:
        raise ValueError("an order expires only once the proven chain time is past its last second")
    return move(
        order,
        OrderStatus.EXPIRED,
        actor=actor,
        at=at,
        reason="no burn made in time",
        request_id=request_id,
        block=proven_block,
    )


def add_transaction_hint(order: Order, tx_hash: str) -> Order:
    """`order` with one more place for the listener to look; the first three are kept.

    Anyone who holds the id may give hints, so they cannot keep changing an order that the listener
    has to write.
    """
    full = len(order.transaction_hints) >= MAX_TRANSACTION_HINTS
    if full or tx_hash in order.transaction_hints:
        return order
    hints = (*order.transaction_hints, tx_hash)
    return replace(order, transaction_hints=hints, version=order.version + 1)
