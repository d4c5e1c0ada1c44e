"""A customer takes an order back with a signature that is good for nothing else."""

from typing import Any

import pytest

from chalicelib.adapters.security import Secp256k1Signatures
from chalicelib.domain.errors import Forbidden, InvalidInput, NotFound, Refused, Unavailable
from chalicelib.domain.matching import apply_burn, judge
from chalicelib.domain.orders import ActorKind, Order, OrderStatus, lose_burn
from chalicelib.domain.redemptions import Outcome
from chalicelib.ports import Signatures, Store, Update
from chalicelib.usecases.cancel_order import cancel_order
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER_KEY,
    LISTENER,
    NOW,
    STRANGER_KEY,
    EthAccountSignatures,
    EverConflictingStore,
    InterruptedStore,
    a_burn,
    a_shop,
    an_order,
    in_status,
    sign_cancel,
    stored,
)

S = OrderStatus
DEADLINE = NOW + 300


def _cancel(store: Store, order: Order, signature: str | None = None, **changes: Any) -> Order:
    facts: dict[str, Any] = {
        "deadline": DEADLINE,
        "chain_id": CHAIN_ID,
        "contract": CONTRACT,
        "store": store,
        "signatures": EthAccountSignatures(),
        "now": NOW,
        "request_id": "req-c",
    }
    facts |= changes
    signed = signature or sign_cancel(
        CUSTOMER_KEY, order_hash=order.order_hash, deadline=facts["deadline"]
    )
    return cancel_order(order.order_id, signature=signed, **facts)


@pytest.mark.parametrize(
    "signatures", [EthAccountSignatures(), Secp256k1Signatures()], ids=["eth_keys", "adapter"]
)
def test_the_orders_wallet_cancels_and_history_tells_so(signatures: Signatures) -> None:
    order = an_order()
    store = stored(a_shop(), order)
    cancelled = _cancel(store, order, signatures=signatures)
    assert store.order(order.order_id) == cancelled
    assert cancelled.status is S.CANCELLED
    entry = cancelled.history[-1]
    assert (entry.actor.kind, entry.actor.name) == (ActorKind.CUSTOMER, order.customer)
    assert (entry.at, entry.request_id) == (NOW, "req-c")


def test_cancelling_twice_is_the_same_as_once() -> None:
    order = an_order()
    store = stored(a_shop(), order)
    once = _cancel(store, order)
    assert _cancel(store, order, now=NOW + 60) == once
    assert store.order(order.order_id) == once


@pytest.mark.parametrize("ahead", [0, 1, 600])
def test_a_deadline_within_ten_minutes_is_taken(ahead: int) -> None:
    order = an_order()
    assert _cancel(stored(a_shop(), order), order, deadline=NOW + ahead).status is S.CANCELLED


@pytest.mark.parametrize("ahead", [-1, 601, 10**9, -NOW - 1, 2**70])
def test_any_other_deadline_is_refused_before_anything_is_hashed(ahead: int) -> None:
    order = an_order()
    store = stored(a_shop(), order)
    with pytest.raises(InvalidInput) as refused:
        _cancel(store, order, "0x" + "00" * 65, deadline=NOW + ahead)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("deadline", "range")]
    assert store.order(order.order_id) == order


def _signed_for(order: Order, **changes: Any) -> str:
    facts: dict[str, Any] = {"order_hash": order.order_hash, "deadline": DEADLINE}
    return sign_cancel(CUSTOMER_KEY, **(facts | changes))


@pytest.mark.parametrize(
    "signature",
    [
        _signed_for(an_order(), order_hash=an_order(2).order_hash),
        _signed_for(an_order(), deadline=DEADLINE - 1),
        _signed_for(an_order(), chain_id=97),
        _signed_for(an_order(), contract=an_order().customer),
        sign_cancel(STRANGER_KEY, order_hash=an_order().order_hash, deadline=DEADLINE),
        "0x" + "00" * 65,
        "0x",
        "nonsense",
        _signed_for(an_order())[:-2] + "1d",
    ],
    ids=[
        "another order",
        "another deadline",
        "another chain",
        "another contract",
        "another wallet",
        "zeros",
        "empty",
        "nonsense",
        "wrong v",
    ],
)
@pytest.mark.parametrize(
    "signatures", [EthAccountSignatures(), Secp256k1Signatures()], ids=["eth_keys", "adapter"]
)
def test_a_signature_for_anything_else_is_refused(signature: str, signatures: Signatures) -> None:
    order = an_order()
    store = stored(a_shop(), order)
    with pytest.raises(Forbidden) as refused:
        _cancel(store, order, signature, signatures=signatures)
    assert refused.value.code == "WRONG_SIGNER"
    assert store.order(order.order_id) == order


@pytest.mark.parametrize("status", [S.PENDING_CHAIN, S.VALID, S.DELIVERED, S.EXPIRED])
def test_once_a_burn_was_seen_or_the_order_is_closed_it_stays(status: OrderStatus) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    with pytest.raises(Refused) as refused:
        _cancel(store, order)
    assert refused.value.code == f"ORDER_{status}"
    assert store.order(order.order_id) == order


def test_only_the_signer_learns_that_an_order_was_cancelled() -> None:
    order = in_status(S.CANCELLED)
    with pytest.raises(Forbidden):
        _cancel(stored(a_shop(), order), order, "0x" + "00" * 65)


def test_an_unknown_order_is_not_found() -> None:
    with pytest.raises(NotFound):
        _cancel(a_shop(), an_order())


def test_a_burn_seen_at_the_same_moment_wins() -> None:
    order = an_order()
    store = stored(a_shop(), order)
    seen = in_status(S.PENDING_CHAIN, order)
    racing = InterruptedStore(store, before={1: lambda: store.commit([Update(seen)])})
    with pytest.raises(Refused) as refused:
        _cancel(racing, order)
    assert refused.value.code == "ORDER_PENDING_CHAIN"
    assert store.order(order.order_id) == seen


def test_two_cancellations_at_once_are_one() -> None:
    order = an_order()
    store = stored(a_shop(), order)
    other: list[Order] = []
    racing = InterruptedStore(store, before={1: lambda: other.append(_cancel(store, order))})
    assert _cancel(racing, order) == other[0]
    assert store.order(order.order_id) == other[0]


def test_cancelling_never_costs_a_voucher() -> None:
    """A burn made in time turns up after the cancellation, is lost to a fork and comes back."""
    order = an_order()
    store = stored(a_shop(), order)
    cancelled = _cancel(store, order)
    burn = a_burn(order)
    facts: dict[str, Any] = {"actor": LISTENER, "at": NOW + 99, "request_id": "r"}
    assert judge(burn, cancelled) is Outcome.MATCHED
    seen = apply_burn(cancelled, burn, final=False, **facts)
    lost = lose_burn(seen, **facts)
    assert apply_burn(lost, burn, final=True, **facts).status is S.VALID


def test_endless_interference_is_told() -> None:
    order = an_order()
    store = EverConflictingStore(stored(a_shop(), order))
    with pytest.raises(Unavailable):
        _cancel(store, order)
    assert len(store.commits) == 5
