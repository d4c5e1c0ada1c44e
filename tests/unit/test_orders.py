"""Order ids, the transition table, history, expiry and hints."""

import itertools
import re
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import NotFound, Refused
from chalicelib.domain.order_hash import order_hash, text_ref
from chalicelib.domain.orders import (
    INLINE_HISTORY,
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    add_transaction_hint,
    check_order_id,
    confirm_burn,
    displaced_history,
    expire,
    lose_burn,
    make_order_id,
    move,
    see_burn,
)
from chalicelib.ports import Insert, Update
from chalicelib.usecases.changes import order_changes
from tests.fakes import CUSTOMER, LISTENER, NOW, SITE, TTL, a_block, a_burn, an_order, in_status

S = OrderStatus
K = ActorKind

# The table of the product page, row by row ("receptionist" and "admin" as that page's People).
ALLOWED = {
    (S.CREATED, S.PENDING_CHAIN): {K.LISTENER},
    (S.CREATED, S.VALID): {K.LISTENER},
    (S.PENDING_CHAIN, S.VALID): {K.LISTENER},
    (S.PENDING_CHAIN, S.CREATED): {K.LISTENER},
    (S.VALID, S.PENDING_CHAIN): {K.LISTENER},
    (S.VALID, S.DELIVERED): {K.RECEPTION},
    (S.CREATED, S.EXPIRED): {K.LISTENER},
    (S.PENDING_CHAIN, S.EXPIRED): {K.LISTENER},
    (S.CREATED, S.CANCELLED): {K.CUSTOMER, K.ADMIN},
    (S.CANCELLED, S.PENDING_CHAIN): {K.LISTENER},
    (S.CANCELLED, S.VALID): {K.LISTENER, K.ADMIN},
    (S.EXPIRED, S.VALID): {K.ADMIN},
}
TRIPLES = list(itertools.product(S, S, K))


def _by(kind: ActorKind) -> Actor:
    return Actor(kind, "somebody")


def _walk(order: Order, steps: int) -> Order:
    """`order` after that many moves, to and fro between CREATED and PENDING_CHAIN."""
    burn = a_burn(order)
    for step in range(steps):
        request_id = f"req-{step}"
        order = (
            lose_burn(order, actor=LISTENER, at=NOW + step, request_id=request_id)
            if order.status is S.PENDING_CHAIN
            else see_burn(order, burn, actor=LISTENER, at=NOW + step, request_id=request_id)
        )
    return order


def test_there_are_144_triples_of_which_the_table_allows_14() -> None:
    assert len(TRIPLES) == 144
    assert sum(len(kinds) for kinds in ALLOWED.values()) == 14


@pytest.mark.parametrize(
    ("source", "target", "kind"), TRIPLES, ids=lambda value: str(value).partition(".")[2] or value
)
def test_a_move_is_allowed_exactly_as_the_table_says(
    source: OrderStatus, target: OrderStatus, kind: ActorKind
) -> None:
    order = in_status(source)
    facts = {"at": NOW + 99, "reason": "why", "request_id": "req-9"}
    if kind in ALLOWED.get((source, target), set()):
        moved = move(order, target, actor=_by(kind), block=7, **facts)  # type: ignore[arg-type]
        assert moved.status is target
        assert moved.version == order.version + 1
        assert moved.history[:-1] == order.history
        entry = moved.history[-1]
        assert (entry.seq, entry.at, entry.actor, entry.block) == (
            len(order.history) + 1,
            NOW + 99,
            _by(kind),
            7,
        )
        assert (entry.source, entry.target) == (source, target)
        assert (entry.reason, entry.request_id) == ("why", "req-9")
    else:
        with pytest.raises(Refused) as refused:
            move(order, target, actor=_by(kind), **facts)  # type: ignore[arg-type]
        assert refused.value.code == f"ORDER_{source}"
        assert order == in_status(source)


def test_delivered_is_terminal() -> None:
    assert not [pair for pair in ALLOWED if pair[0] is S.DELIVERED]


@given(st.integers(0, 253402300799), st.binary(min_size=10, max_size=10))
def test_an_order_id_carries_the_utc_day_and_all_80_bits(created_at: int, entropy: bytes) -> None:
    made = make_order_id(created_at=created_at, entropy=entropy)
    found = re.fullmatch(r"ORD_([0-9]{8})_([0-9A-HJKMNP-TV-Z]{16})", made)
    assert found
    assert found[1] == datetime.fromtimestamp(created_at, UTC).strftime("%Y%m%d")
    number = 0
    for digit in found[2]:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    assert number.to_bytes(10, "big") == entropy
    assert check_order_id(made) == made


@pytest.mark.parametrize("size", [0, 9, 11])
def test_an_order_id_takes_no_less_and_no_more_entropy(size: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        make_order_id(created_at=NOW, entropy=bytes(size))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ORD_20261121_7KQ2M9XVB4TRWZ3",
        "ORD_20261121_7KQ2M9XVB4TRWZ3H5",
        "ORD_20261121_7KQ2M9XVB4TRWZ3I",
        "ORD_20261121_7kq2m9xvb4trwz3h",
        "ORD_20261121_7KQ2M9XVB4TRWZ3H\n",
        "ORD_2026112\uff11_7KQ2M9XVB4TRWZ3H",
        "5SOV://order/ORD_20261121_7KQ2M9XVB4TRWZ3H",
        "ORD_20261121_7KQ2M9XVB4TRWZ3H\x00",
        "x" * 100_000,
    ],
)
def test_what_no_order_can_be_called_is_not_found(wrong: str) -> None:
    with pytest.raises(NotFound) as missing:
        check_order_id(wrong)
    assert missing.value.code == "ORDER_NOT_FOUND"
    assert "ORD_" not in missing.value.message


def test_a_new_order_is_bound_by_its_hash_and_remembers_its_making() -> None:
    order = an_order(sealed_meta=b"sealed")
    assert order.status is S.CREATED
    assert order.version == 1
    assert order.order_hash == order_hash(
        order_id=order.order_id,
        customer=CUSTOMER,
        token_id=order.token_id,
        amount=1,
        site_id=SITE,
        expires_at=NOW + TTL,
    )
    assert order.order_ref == text_ref(order.order_id)
    assert order.site_ref == text_ref(SITE)
    assert order.qr_payload == f"5SOV://order/{order.order_id}"
    (entry,) = order.history
    assert (entry.seq, entry.source, entry.target, entry.at) == (1, None, S.CREATED, NOW)
    assert entry.actor == Actor(K.CUSTOMER, CUSTOMER)


def test_an_order_and_its_history_cannot_be_edited() -> None:
    order = an_order()
    with pytest.raises(FrozenInstanceError):
        order.status = S.VALID  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        order.history[0].reason = "another"  # type: ignore[misc]


@given(st.integers(0, 80), st.integers(1, INLINE_HISTORY))
def test_no_move_is_ever_lost_when_history_overflows(before_steps: int, more: int) -> None:
    before = _walk(an_order(), before_steps)
    after = _walk(before, more)
    displaced = displaced_history(before, after)
    assert len(after.history) == min(INLINE_HISTORY, 1 + before_steps + more)
    whole = [*(record.entry for record in displaced), *after.history]
    assert [e.seq for e in whole] == list(range(before.history[0].seq, before_steps + more + 2))
    assert whole[: len(before.history)] == list(before.history)
    assert {record.order_hash for record in displaced} <= {before.order_hash}


def test_changes_of_an_order_are_one_version_further_however_many_moves() -> None:
    before = _walk(an_order(), 31)
    after = _walk(before, 2)
    update, *inserts = order_changes(before, after)
    assert update == Update(replace(after, version=before.version + 1))
    assert [type(change) for change in inserts] == [Insert, Insert]
    assert order_changes(before, before) == []


def test_seeing_the_same_burn_again_changes_nothing() -> None:
    order = in_status(S.PENDING_CHAIN)
    assert order.burn is not None
    facts = {"actor": LISTENER, "at": NOW + 100, "request_id": "r"}
    assert see_burn(order, order.burn, **facts) is order  # type: ignore[arg-type]
    elsewhere = replace(order.burn, block=a_block(101, branch="b"))
    moved = see_burn(order, elsewhere, **facts)  # type: ignore[arg-type]
    assert moved.burn == elsewhere
    assert moved.version == order.version + 1
    assert moved.history == order.history


def test_a_burn_is_attached_with_its_block_and_detached_when_lost() -> None:
    order = an_order()
    burn = a_burn(order, block=a_block(123))
    facts = {"actor": LISTENER, "at": NOW + 100, "request_id": "r"}
    seen = see_burn(order, burn, **facts)  # type: ignore[arg-type]
    lost = lose_burn(seen, **facts)  # type: ignore[arg-type]
    final = confirm_burn(lost, burn, **facts)  # type: ignore[arg-type]
    assert (seen.burn, lost.burn, final.burn) == (burn, None, burn)
    assert [entry.block for entry in final.history] == [None, 123, 123, 123]


@pytest.mark.parametrize("proven_time", [NOW, NOW + TTL - 1, NOW + TTL])
def test_the_last_second_still_counts(proven_time: int) -> None:
    with pytest.raises(ValueError, match="past its last second"):
        expire(
            an_order(), actor=LISTENER, at=NOW + 10 * TTL, request_id="r", proven_block=9,
            proven_time=proven_time,
        )  # fmt: skip


def test_an_order_expires_one_second_later_by_the_time_of_the_chain() -> None:
    gone = expire(
        an_order(),
        actor=LISTENER,
        at=NOW,
        request_id="r",
        proven_block=9,
        proven_time=NOW + TTL + 1,
    )
    assert gone.status is S.EXPIRED
    assert gone.history[-1].block == 9


@pytest.mark.parametrize("status", [S.VALID, S.DELIVERED, S.CANCELLED, S.EXPIRED])
def test_only_what_still_waits_can_expire(status: OrderStatus) -> None:
    with pytest.raises(Refused):
        expire(
            in_status(status), actor=LISTENER, at=NOW, request_id="r", proven_block=9,
            proven_time=NOW + 10 * TTL,
        )  # fmt: skip


def test_the_first_three_hints_are_kept() -> None:
    order = an_order()
    for name in ("0xa", "0xb", "0xc", "0xb"):
        order = add_transaction_hint(order, name)
    assert order.transaction_hints == ("0xa", "0xb", "0xc")
    assert order.version == 4
    assert add_transaction_hint(order, "0xd") is order
    assert add_transaction_hint(order, "0xa") is order
