"""Hypothesis strategies for every stored record, to the edges of what the domain allows.

Texts hold anything but NUL, which PostgreSQL cannot store, and lone surrogates, which are no
Unicode text. Every record is in version 1, as when it is inserted.
"""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.catalogue import (
    LARGEST_AMOUNT,
    LARGEST_TOKEN_ID,
    META_FIELDS,
    SITE_ID,
    Catalogue,
    Group,
    Site,
    VoucherType,
)
from chalicelib.domain.exceptions import (
    Episode,
    ExceptionKind,
    ExceptionRecord,
    Resolution,
    ResolutionKind,
    exception_id,
)
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_hash import checksum_address
from chalicelib.domain.orders import (
    INLINE_HISTORY,
    MAX_TRANSACTION_HINTS,
    Actor,
    ActorKind,
    Delivery,
    HistoryEntry,
    HistoryRecord,
    Order,
    OrderStatus,
    make_order_id,
    new_order,
)
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.domain.staff import USERNAME, Role, Session, SessionKind, Staff, WalletNonce
from chalicelib.ports import Record

LATEST_TIME = 9_999_999_999
LARGEST_UINT256 = 2**256 - 1
LARGEST_SERIAL = 2**63 - 1

times = st.integers(0, LATEST_TIME)
heights = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
hashes = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
addresses = (
    st.binary(min_size=20, max_size=20)
    .filter(any)
    .map(lambda raw: checksum_address("0x" + raw.hex()))
)
uint256s = st.integers(1, 1000) | st.integers(1, LARGEST_UINT256) | st.just(LARGEST_UINT256)
serials = st.integers(1, 1000) | st.integers(1, LARGEST_SERIAL) | st.just(LARGEST_SERIAL)
site_ids = st.from_regex(SITE_ID, fullmatch=True)
usernames = st.from_regex(USERNAME, fullmatch=True)
request_ids = st.uuids().map(str) | texts
names = st.fixed_dictionaries({"vi": texts, "en": texts})
order_ids = st.builds(
    lambda created_at, entropy: make_order_id(created_at=created_at, entropy=entropy),
    times,
    st.binary(min_size=10, max_size=10),
)

actors = st.builds(Actor, st.sampled_from(ActorKind), addresses | usernames | texts)
blocks = st.builds(BlockRef, heights, hashes, times)
burns = st.builds(
    Burn,
    serial=serials,
    user=addresses,
    token_id=uint256s,
    amount=uint256s,
    order_hash=hashes,
    tx_hash=hashes,
    log_index=st.integers(0, 10_000),
    block=blocks,
)
history_entries = st.builds(
    HistoryEntry,
    seq=st.integers(1, 10_000),
    at=times,
    actor=actors,
    source=st.none() | st.sampled_from(OrderStatus),
    target=st.sampled_from(OrderStatus),
    reason=texts,
    request_id=request_ids,
    block=st.none() | heights,
)
deliveries = st.builds(
    Delivery,
    at=times,
    by=usernames,
    site_id=st.just("") | site_ids,
    note=texts,
    entitled_until=st.none() | times,
    key_hash=st.just("") | digests,
    input_method=texts,
    device=texts,
)


@st.composite
def orders(draw: st.DrawFn, /, **chosen: Any) -> Order:
    """An order in any state, reachable or not; `chosen` facts of `new_order` are fixed."""
    facts: dict[str, Any] = {
        "order_id": draw(order_ids),
        "customer": draw(addresses),
        "token_id": draw(st.integers(1, LARGEST_TOKEN_ID) | st.just(LARGEST_TOKEN_ID)),
        "amount": draw(st.integers(1, LARGEST_AMOUNT)),
        "site_id": draw(st.just("") | site_ids),
        "created_at": draw(times),
        "expires_at": draw(times),
        "request_id": draw(request_ids),
        "sealed_meta": draw(st.none() | st.binary(max_size=300)),
    }
    order = new_order(**(facts | chosen))
    own_burn = st.builds(
        replace,
        burns,
        user=st.just(order.customer),
        token_id=st.just(order.token_id),
        amount=st.just(order.amount),
        order_hash=st.just(order.order_hash),
    )
    moves = draw(st.lists(history_entries, max_size=3))
    if draw(st.booleans()):
        moves = [*moves, *([order.history[0]] * INLINE_HISTORY)]
    return replace(
        order,
        status=draw(st.sampled_from(OrderStatus)),
        history=(*order.history, *moves)[-INLINE_HISTORY:],
        burn=draw(st.none() | own_burn | burns),
        delivery=draw(st.none() | deliveries),
        transaction_hints=tuple(draw(st.lists(hashes, max_size=MAX_TRANSACTION_HINTS))),
        exception=draw(st.none() | st.sampled_from(Outcome)),
    )


history_records = st.builds(
    HistoryRecord, order_hash=hashes, entry=history_entries, version=st.just(1)
)
redemptions = st.builds(
    Redemption,
    burn=burns,
    outcome=st.sampled_from(Outcome),
    final=st.booleans(),
    orphans=st.lists(burns, max_size=3).map(tuple),
    version=st.just(1),
)
resolutions = st.builds(
    Resolution,
    kind=st.sampled_from(ResolutionKind),
    at=times,
    actor=actors,
    reason=texts,
    tx_hash=st.none() | hashes,
)
exceptions = st.builds(
    lambda burn, **rest: ExceptionRecord(exception_id=exception_id(burn), burn=burn, **rest),
    burn=burns,
    kind=st.sampled_from(ExceptionKind),
    raised_at=times,
    resolution=st.none() | resolutions,
    earlier=st.lists(
        st.builds(Episode, st.sampled_from(ExceptionKind), times, resolutions), max_size=2
    ).map(tuple),
)
cursors = st.builds(
    Cursor,
    proven=blocks,
    last_serial=st.just(0) | serials,
    expired_through=times,
    chain_id=st.integers(1, 2**53 - 1),
    contract=addresses,
    lease_owner=texts,
    lease_until=times,
    heartbeat=st.none() | st.builds(Heartbeat, times, times, blocks, texts),
    scanned=heights,
    seen_serial=st.just(0) | serials,
    halts=st.lists(texts, max_size=3).map(tuple),
    version=st.just(1),
)
reservations = st.builds(
    Reservation,
    key_hash=digests,
    order_id=order_ids,
    request_digest=digests,
    expires_at=times,
    version=st.just(1),
)
voucher_types = st.builds(
    VoucherType,
    token_id=st.integers(1, LARGEST_TOKEN_ID) | st.just(LARGEST_TOKEN_ID),
    name=names,
    unit=names,
    group=st.sampled_from(Group),
    description=names | st.just({}),
    sites=st.none() | st.lists(site_ids, max_size=3).map(tuple),
    requires=st.lists(st.sampled_from(META_FIELDS), unique=True).map(tuple),
    min_amount=st.integers(1, LARGEST_AMOUNT),
    max_amount=st.integers(1, LARGEST_AMOUNT),
    available_from=st.none() | times,
    available_until=st.none() | times,
    entitlement_days=st.none() | st.integers(1, 3650),
)
catalogues = st.builds(
    Catalogue, types=st.lists(voucher_types, max_size=4).map(tuple), version=st.just(1)
)
sites = st.builds(Site, site_id=site_ids, name=names, enabled=st.booleans(), version=st.just(1))
staff = st.builds(
    Staff,
    username=usernames,
    display_name=texts,
    role=st.sampled_from(Role),
    sites=st.lists(site_ids, max_size=3).map(tuple),
    password_hash=texts,
    must_change_password=st.booleans(),
    disabled=st.booleans(),
    token_version=st.integers(1, 10_000),
    failures=st.integers(0, 10_000),
    locked_until=times,
    version=st.just(1),
)
sessions = st.builds(
    Session,
    session_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    kind=st.sampled_from(SessionKind),
    subject=addresses | usernames,
    token_version=st.integers(0, 10_000),
    access_hash=digests,
    access_expires_at=times,
    refresh_hash=digests | st.just(""),
    started_at=times,
    expires_at=times,
    spent_hash=digests | st.just(""),
    spent_at=times,
    version=st.just(1),
)
wallet_nonces = st.builds(
    WalletNonce,
    nonce=st.binary(min_size=16, max_size=16).map(bytes.hex),
    address=addresses,
    message=texts,
    expires_at=times,
    version=st.just(1),
)
audit_items = st.builds(
    lambda at, noise, **rest: AuditItem(audit_id=f"{at:010d}-{noise.hex()}", at=at, **rest),
    at=times,
    noise=st.binary(min_size=8, max_size=8),
    actor=actors,
    action=st.sampled_from(AuditAction),
    subject=texts,
    request_id=request_ids,
    # A name has at least one character: DynamoDB takes no empty one, and nothing has one.
    detail=st.dictionaries(texts.filter(bool), texts, max_size=3),
)

RECORDS: dict[type, st.SearchStrategy[Record]] = {
    AuditItem: audit_items,
    Catalogue: catalogues,
    Cursor: cursors,
    ExceptionRecord: exceptions,
    HistoryRecord: history_records,
    Order: orders(),
    Redemption: redemptions,
    Reservation: reservations,
    Session: sessions,
    Site: sites,
    Staff: staff,
    WalletNonce: wallet_nonces,
}
"""A strategy for each kind of record."""
