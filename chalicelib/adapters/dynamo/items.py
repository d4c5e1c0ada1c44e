"""Records as items of the one table, and back.

Every item has `pk` and `sk` (its key), `v` (the record's version) and `w` (the commit that wrote
it); what may run out has `ttl` (unix seconds). The keys:

| record | `pk` | `sk` |
|---|---|---|
| Order | order reference (hash of the order id) | `-` |
| an order's hash, pointing at its reference | `HASH#<orderHash>` | `-` |
| HistoryRecord | `HISTORY#<orderHash>` | `<seq>`, ten digits |
| Redemption | `REDEMPTION#<serial>` | `-` |
| ExceptionRecord | `EXCEPTION` | id, its serial padded |
| listing of an exception that is open | `EXCEPTION_OPEN` | id, its serial padded |
| Cursor | `CURSOR` | `-` |
| Reservation | `RESERVATION#<key hash>` | `-` |
| Catalogue | `CATALOGUE` | `-` |
| Site | `SITE` | site id |
| Staff | `STAFF` | username |
| Session | `SESSION#<id>` | `-` |
| WalletNonce | `NONCE#<nonce>` | `-` |
| AuditItem | `AUDIT#<YYYY-MM-DD>` | audit id |
| counters | `COUNTER#<bucket>` | `-` |
| names of the site index's partitions | `SITE_PARTITIONS` | `-` |

An order id is a bearer secret, and DynamoDB shows keys (page cursors, CloudTrail data events,
Contributor Insights): no key holds one.

An order has to fit into 1 kB with four moves, so its attributes have one-letter names, hashes are
bytes, and what repeats the order itself is null:

| `i` id, `h` hash, `c` customer, `k` token id, `a` amount, `s` site, `t` created, `e` expires |
|---|
| `st` status, `m` sealed meta, `x` transaction hints, `o` exception |
| `b` burn: serial, tx hash, log index, block number, hash, time, user, token id, amount, hash |
| `d` delivery: at, by, site, note, entitled until, key hash, input method, device |
| `hi` history: each seq, at, actor kind, actor name, from, to, reason, request id, block |
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib.adapters.dynamo.values import (
    Item,
    grow_hash,
    grow_uuid,
    pack,
    shrink_hash,
    shrink_uint,
    shrink_uuid,
    unpack,
)
from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.catalogue import Catalogue, Group, Site, VoucherType
from chalicelib.domain.exceptions import (
    Episode,
    ExceptionKind,
    ExceptionRecord,
    Resolution,
    ResolutionKind,
    exception_place,
)
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_hash import text_ref
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Delivery,
    HistoryEntry,
    HistoryRecord,
    Order,
    OrderStatus,
)
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.domain.staff import Role, Session, SessionKind, Staff, WalletNonce
from chalicelib.ports import Record

NO_SORT = "-"
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
NO_SITE = "-"
"""Partition of the site index for orders without site: an index key cannot be empty."""

STATUS_CODES = {
    OrderStatus.CREATED: "C",
    OrderStatus.PENDING_CHAIN: "P",
    OrderStatus.VALID: "V",
    OrderStatus.DELIVERED: "D",
    OrderStatus.EXPIRED: "E",
    OrderStatus.CANCELLED: "X",
}
ACTOR_CODES = {
    ActorKind.CUSTOMER: "C",
    ActorKind.LISTENER: "L",
    ActorKind.RECEPTION: "R",
    ActorKind.ADMIN: "A",
}
_STATUSES = {code: status for status, code in STATUS_CODES.items()}
_ACTORS = {code: kind for kind, code in ACTOR_CODES.items()}


class Key(NamedTuple):
    """Primary key of an item."""

    pk: str
    sk: str = NO_SORT

    @property
    def possible(self) -> bool:
        """Whether DynamoDB can hold an item under it; `pk` up to 2 kB, `sk` up to 1 kB."""
        return len(self.pk.encode()) <= MAX_PK_BYTES and 0 < len(self.sk.encode()) <= MAX_SK_BYTES


CURSOR = Key("CURSOR")
CATALOGUE = Key("CATALOGUE")
SITE_PARTITIONS = Key("SITE_PARTITIONS")
SITES = "SITE"
EXCEPTIONS = "EXCEPTION"
OPEN_EXCEPTIONS = "EXCEPTION_OPEN"
STAFF = "STAFF"


def order_key(order_id: str) -> Key:
    """Where an order lies."""
    return Key(text_ref(order_id))


def pointer_key(order_hash: str) -> Key:
    """Where an order hash points at its order."""
    return Key(f"HASH#{order_hash}")


def redemption_key(serial: int) -> Key:
    """Where a ledger entry lies."""
    return Key(f"REDEMPTION#{serial}")


def exception_key(exception_id: str) -> Key:
    """Where an exception lies."""
    return Key(EXCEPTIONS, exception_place(exception_id))


def open_listing_key(exception_id: str) -> Key:
    """Where an exception is listed while it is open."""
    return Key(OPEN_EXCEPTIONS, exception_place(exception_id))


def reservation_key(key_hash: str) -> Key:
    """Where an idempotency key's reservation lies."""
    return Key(f"RESERVATION#{key_hash}")


def session_key(session_id: str) -> Key:
    """Where a session lies."""
    return Key(f"SESSION#{session_id}")


def nonce_key(nonce: str) -> Key:
    """Where a sign-in that was begun lies."""
    return Key(f"NONCE#{nonce}")


def counter_key(bucket: str) -> Key:
    """Where a bucket's counters lie."""
    return Key(f"COUNTER#{bucket}")


def history_partition(order_hash: str) -> str:
    """Where the moves lie that no longer fit into their order."""
    return f"HISTORY#{order_hash}"


def audit_partition(day: str) -> str:
    """Where a day's audit items lie."""
    return f"AUDIT#{day}"


def site_partition(site_id: str) -> str:
    """Partition of the site index for a site id."""
    return site_id or NO_SITE


def key_of(record: Record) -> Key:
    """Where a record lies."""
    return _KEYS[type(record)](record)


def attributes_of(record: Record) -> Item:
    """A record's attributes, its key and version apart."""
    encoded = _ENCODERS.get(type(record), _plain)(record)
    if isinstance(record, Reservation | Session | WalletNonce):
        encoded["ttl"] = record.expires_at
    return {name: pack(value) for name, value in encoded.items()}


def stored_values(item: Item) -> dict[str, Any]:
    """An item's attributes by name, as the decoders below take them."""
    return {name: unpack(value) for name, value in item.items()}


def _plain(record: Any) -> dict[str, Any]:
    return {
        field.name: getattr(record, field.name)
        for field in fields(record)
        if field.name != "version"
    }


def _encode_order(order: Order) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "i": order.order_id,
        "h": shrink_hash(order.order_hash),
        "c": order.customer,
        "k": order.token_id,
        "a": order.amount,
        "s": site_partition(order.site_id),
        "t": order.created_at,
        "e": order.expires_at,
        "st": order.status,
        "hi": [_encode_entry(entry, order.customer) for entry in order.history],
    }
    if order.sealed_meta is not None:
        encoded["m"] = order.sealed_meta
    if order.burn is not None:
        encoded["b"] = _encode_burn(order.burn, order)
    if order.delivery is not None:
        done = order.delivery
        encoded["d"] = [
            done.at,
            done.by,
            done.site_id,
            done.note,
            done.entitled_until,
            bytes.fromhex(done.key_hash),
            done.input_method,
            done.device,
        ]
    if order.transaction_hints:
        encoded["x"] = [shrink_hash(tx_hash) for tx_hash in order.transaction_hints]
    if order.exception is not None:
        encoded["o"] = order.exception
    return encoded


def decode_order(stored: dict[str, Any]) -> Order:
    """The order that an item holds."""
    order = Order(
        order_id=stored["i"],
        order_hash=grow_hash(stored["h"]),
        customer=stored["c"],
        token_id=stored["k"],
        amount=stored["a"],
        site_id="" if stored["s"] == NO_SITE else stored["s"],
        created_at=stored["t"],
        expires_at=stored["e"],
        status=OrderStatus(stored["st"]),
        history=tuple(_decode_entry(entry, stored["c"]) for entry in stored["hi"]),
        version=stored["v"],
        sealed_meta=stored.get("m"),
        delivery=_decode_delivery(stored["d"]) if "d" in stored else None,
        transaction_hints=tuple(grow_hash(tx_hash) for tx_hash in stored.get("x", ())),
        exception=Outcome(stored["o"]) if "o" in stored else None,
    )
    return replace(order, burn=_decode_burn(stored["b"], order)) if "b" in stored else order


def _decode_delivery(stored: tuple[Any, ...]) -> Delivery:
    at, by, site_id, note, entitled_until, key_hash, *how = stored
    return Delivery(at, by, site_id, note, entitled_until, key_hash.hex(), *how)


def _encode_entry(entry: HistoryEntry, customer: str) -> list[Any]:
    return [
        entry.seq,
        entry.at,
        ACTOR_CODES[entry.actor.kind],
        None if entry.actor.name == customer else entry.actor.name,
        entry.source and STATUS_CODES[entry.source],
        STATUS_CODES[entry.target],
        entry.reason,
        shrink_uuid(entry.request_id),
        entry.block,
    ]


def _decode_entry(stored: tuple[Any, ...], customer: str) -> HistoryEntry:
    seq, at, kind, name, source, target, reason, request_id, block = stored
    return HistoryEntry(
        seq=seq,
        at=at,
        actor=Actor(_ACTORS[kind], customer if name is None else name),
        source=source and _STATUSES[source],
        target=_STATUSES[target],
        reason=reason,
        request_id=grow_uuid(request_id),
        block=block,
    )


def _encode_burn(burn: Burn, order: Order | None = None) -> list[Any]:
    """All of a burn; what repeats `order` is null."""
    return [
        burn.serial,
        shrink_hash(burn.tx_hash),
        burn.log_index,
        *_encode_block(burn.block),
        None if order and order.customer == burn.user else burn.user,
        None if order and order.token_id == burn.token_id else shrink_uint(burn.token_id),
        None if order and order.amount == burn.amount else shrink_uint(burn.amount),
        None if order and order.order_hash == burn.order_hash else shrink_hash(burn.order_hash),
    ]


def _decode_burn(stored: tuple[Any, ...], order: Order | None = None) -> Burn:
    serial, tx_hash, log_index, number, block_hash, time, *repeated = stored
    if order:
        own = (order.customer, order.token_id, order.amount, order.order_hash)
        repeated = [mine if it is None else it for it, mine in zip(repeated, own, strict=True)]
    user, token_id, amount, order_hash = repeated
    return Burn(
        serial=serial,
        user=user,
        token_id=int(token_id),
        amount=int(amount),
        order_hash=grow_hash(order_hash),
        tx_hash=grow_hash(tx_hash),
        log_index=log_index,
        block=BlockRef(number, grow_hash(block_hash), time),
    )


def _encode_block(block: BlockRef) -> list[Any]:
    return [block.number, shrink_hash(block.hash), block.time]


def _decode_block(stored: tuple[Any, ...]) -> BlockRef:
    number, block_hash, time = stored
    return BlockRef(number, grow_hash(block_hash), time)


def _encode_history(record: HistoryRecord) -> dict[str, Any]:
    return {
        "order_hash": shrink_hash(record.order_hash),
        "entry": _encode_entry(record.entry, customer=""),
    }


def decode_history(stored: dict[str, Any]) -> HistoryRecord:
    """The displaced move that an item holds."""
    return HistoryRecord(
        order_hash=grow_hash(stored["order_hash"]),
        entry=_decode_entry(stored["entry"], customer=""),
        version=stored["v"],
    )


def _encode_redemption(redemption: Redemption) -> dict[str, Any]:
    return {
        "burn": _encode_burn(redemption.burn),
        "outcome": redemption.outcome,
        "final": redemption.final,
        "orphans": [_encode_burn(burn) for burn in redemption.orphans],
    }


def decode_redemption(stored: dict[str, Any]) -> Redemption:
    """The ledger entry that an item holds."""
    return Redemption(
        burn=_decode_burn(stored["burn"]),
        outcome=Outcome(stored["outcome"]),
        final=stored["final"],
        orphans=tuple(_decode_burn(burn) for burn in stored["orphans"]),
        version=stored["v"],
    )


def _encode_exception(record: ExceptionRecord) -> dict[str, Any]:
    return {
        **_plain(record),
        "burn": _encode_burn(record.burn),
        "resolution": record.resolution and _encode_resolution(record.resolution),
        "earlier": [
            [one.kind, one.raised_at, _encode_resolution(one.resolution)] for one in record.earlier
        ],
    }


def decode_exception(stored: dict[str, Any]) -> ExceptionRecord:
    """The exception that an item holds."""
    done = stored["resolution"]
    return ExceptionRecord(
        exception_id=stored["exception_id"],
        kind=ExceptionKind(stored["kind"]),
        burn=_decode_burn(stored["burn"]),
        raised_at=stored["raised_at"],
        resolution=done and _decode_resolution(done),
        earlier=tuple(
            Episode(ExceptionKind(kind), raised_at, _decode_resolution(ended))
            for kind, raised_at, ended in stored["earlier"]
        ),
        version=stored["v"],
    )


def _encode_resolution(done: Resolution) -> list[Any]:
    mint = done.tx_hash and shrink_hash(done.tx_hash)
    return [done.kind, done.at, done.actor.kind, done.actor.name, done.reason, mint]


def _decode_resolution(stored: tuple[Any, ...]) -> Resolution:
    kind, at, actor_kind, actor_name, reason, mint = stored
    return Resolution(
        kind=ResolutionKind(kind),
        at=at,
        actor=Actor(ActorKind(actor_kind), actor_name),
        reason=reason,
        tx_hash=mint and grow_hash(mint),
    )


def _encode_cursor(cursor: Cursor) -> dict[str, Any]:
    beat = cursor.heartbeat
    return {
        **_plain(cursor),
        "proven": _encode_block(cursor.proven),
        "anchors": [_encode_block(anchor) for anchor in cursor.anchors],
        "heartbeat": beat and [beat.at, beat.succeeded_at, _encode_block(beat.head), beat.error],
    }


def decode_cursor(stored: dict[str, Any]) -> Cursor:
    """The listener's cursor that an item holds."""
    plain = _without_bookkeeping(stored)
    beat = plain.pop("heartbeat")
    if beat is not None:
        at, succeeded_at, head, error = beat
        beat = Heartbeat(at, succeeded_at, _decode_block(head), error)
    return Cursor(
        **{
            **plain,
            "proven": _decode_block(plain["proven"]),
            "anchors": tuple(_decode_block(anchor) for anchor in plain.get("anchors", ())),
            "halts": tuple(plain.get("halts", ())),
            "heartbeat": beat,
        }
    )


def _encode_catalogue(catalogue: Catalogue) -> dict[str, Any]:
    return {"types": [_plain(kind) for kind in catalogue.types]}


def decode_catalogue(stored: dict[str, Any]) -> Catalogue:
    """The catalogue that an item holds."""
    types = (VoucherType(**{**kind, "group": Group(kind["group"])}) for kind in stored["types"])
    return Catalogue(types=tuple(types), version=stored["v"])


def _encode_audit(item: AuditItem) -> dict[str, Any]:
    return {**_plain(item), "actor": [item.actor.kind, item.actor.name]}


def decode_audit(stored: dict[str, Any]) -> AuditItem:
    """The audit item that an item holds."""
    plain = _without_bookkeeping(stored)
    kind, name = plain["actor"]
    plain["actor"] = Actor(ActorKind(kind), name)
    plain["action"] = AuditAction(plain["action"])
    return AuditItem(**plain)


def decode_site(stored: dict[str, Any]) -> Site:
    """The site that an item holds."""
    return Site(**_without_bookkeeping(stored))


def decode_staff(stored: dict[str, Any]) -> Staff:
    """The member of staff that an item holds."""
    plain = _without_bookkeeping(stored)
    return Staff(**{**plain, "role": Role(plain["role"])})


def decode_session(stored: dict[str, Any]) -> Session:
    """The session that an item holds."""
    plain = _without_bookkeeping(stored)
    return Session(**{**plain, "kind": SessionKind(plain["kind"])})


def decode_nonce(stored: dict[str, Any]) -> WalletNonce:
    """The begun sign-in that an item holds."""
    return WalletNonce(**_without_bookkeeping(stored))


def decode_reservation(stored: dict[str, Any]) -> Reservation:
    """The reservation that an item holds."""
    return Reservation(**_without_bookkeeping(stored))


def _utc_day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _without_bookkeeping(stored: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in stored.items() if name not in _BOOKKEEPING}
    return {**plain, "version": stored["v"]}


_BOOKKEEPING = frozenset({"pk", "sk", "v", "w", "ttl"})

_KEYS: dict[type, Callable[[Any], Key]] = {
    Order: lambda order: order_key(order.order_id),
    HistoryRecord: lambda move: Key(history_partition(move.order_hash), f"{move.entry.seq:010d}"),
    Redemption: lambda redemption: redemption_key(redemption.serial),
    ExceptionRecord: lambda record: exception_key(record.exception_id),
    Cursor: lambda _: CURSOR,
    Reservation: lambda reservation: reservation_key(reservation.key_hash),
    Catalogue: lambda _: CATALOGUE,
    Site: lambda site: Key(SITES, site.site_id),
    Staff: lambda staff: Key(STAFF, staff.username),
    Session: lambda session: session_key(session.session_id),
    WalletNonce: lambda nonce: nonce_key(nonce.nonce),
    AuditItem: lambda item: Key(audit_partition(_utc_day(item.at)), item.audit_id),
}

_ENCODERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Order: _encode_order,
    HistoryRecord: _encode_history,
    Redemption: _encode_redemption,
    ExceptionRecord: _encode_exception,
    Cursor: _encode_cursor,
    Catalogue: _encode_catalogue,
    AuditItem: _encode_audit,
}
