"""Making an order, once per idempotency key."""

import threading
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.errors import InvalidInput, Refused, Unavailable
from chalicelib.domain.idempotency import IDEMPOTENCY_SECONDS, key_hash
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.ports import Insert, Store, StoreUnavailable
from chalicelib.usecases.place_order import OrderRequest, OrderRules, Placed, place_order
from tests.fakes import (
    AI_SUITE,
    CUSTOMER,
    NOW,
    ROOM,
    SITE,
    STRANGER,
    TTL,
    CountingEntropy,
    EverConflictingStore,
    InterruptedStore,
    PlainSealer,
    a_shop,
    a_site,
    raising,
    stored,
)

KEY = "k" * 22
REQUEST = OrderRequest(CUSTOMER, ROOM, 2, SITE, {})
ENTROPY = CountingEntropy("place")


def _place(store: Store, request: OrderRequest = REQUEST, **changes: Any) -> Placed:
    facts: dict[str, Any] = {
        "key": KEY,
        "rules": OrderRules(ttl=TTL, sites_enforced=True),
        "store": store,
        "entropy": ENTROPY,
        "sealer": PlainSealer(),
        "now": NOW,
        "request_id": "req-1",
    }
    return place_order(request, **(facts | changes))


def _orders(store: Store) -> tuple[Order, ...]:
    return store.orders_of_customer(CUSTOMER, limit=100).items


def test_an_order_is_made_and_stored() -> None:
    store = a_shop()
    placed = _place(store)
    assert not placed.replayed
    assert store.order(placed.order.order_id) == placed.order
    assert store.order_by_hash(placed.order.order_hash) == placed.order
    assert placed.order.status is OrderStatus.CREATED
    assert (placed.order.created_at, placed.order.expires_at) == (NOW, NOW + TTL)
    assert placed.order.sealed_meta is None
    assert placed.order.history[0].request_id == "req-1"


def test_personal_data_is_sealed_for_its_order() -> None:
    request = OrderRequest(CUSTOMER, AI_SUITE, 1, SITE, {"aiAccount": "a@b.vn"})
    order = _place(a_shop(), request).order
    assert order.sealed_meta is not None
    assert PlainSealer().open(order.order_id, order.sealed_meta) == {"aiAccount": "a@b.vn"}


@pytest.mark.parametrize("later", [1, TTL + 1, IDEMPOTENCY_SECONDS - 1])
def test_a_repeat_finds_the_same_order(later: int) -> None:
    store = a_shop()
    first = _place(store)
    again = _place(store, now=NOW + later, request_id="req-2")
    assert again == Placed(first.order, replayed=True)
    assert len(_orders(store)) == 1


def test_a_repeat_is_answered_even_when_the_shop_has_changed() -> None:
    store = a_shop()
    first = _place(store)
    rules = OrderRules(ttl=60, sites_enforced=False)
    assert _place(store, rules=rules) == Placed(first.order, replayed=True)


def test_the_reservation_keeps_neither_the_key_nor_what_was_asked() -> None:
    store = a_shop()
    request = OrderRequest(CUSTOMER, AI_SUITE, 1, SITE, {"aiAccount": "a@b.vn"})
    _place(store, request)
    reservation = store.reservation(key_hash(owner=CUSTOMER, key=KEY))
    assert reservation is not None
    assert KEY not in repr(reservation)
    assert "a@b.vn" not in repr(reservation)
    assert reservation.request_digest != request.digest("j" * 22)


@pytest.mark.parametrize(
    "other",
    [
        OrderRequest(CUSTOMER, ROOM, 3, SITE, {}),
        OrderRequest(CUSTOMER, AI_SUITE, 2, SITE, {"aiAccount": "x"}),
        OrderRequest(CUSTOMER, ROOM, 2, "", {}),
    ],
)
def test_a_key_for_another_request_is_refused_and_changes_nothing(other: OrderRequest) -> None:
    store = a_shop()
    first = _place(store)
    with pytest.raises(Refused) as refused:
        _place(store, other)
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert _orders(store) == (first.order,)


def test_the_same_key_of_another_wallet_is_another_key() -> None:
    store = a_shop()
    mine = _place(store)
    theirs = _place(store, OrderRequest(STRANGER, ROOM, 2, SITE, {}))
    assert not theirs.replayed
    assert theirs.order.order_id != mine.order.order_id


def test_random_numbers_that_repeat_hand_nobody_another_ones_order() -> None:
    store = a_shop()
    mine = _place(store, entropy=CountingEntropy("same"))
    theirs = OrderRequest(STRANGER, ROOM, 2, SITE, {})
    # The first attempt meets the order as it is stored, the repeat as the one reserved.
    for _ in range(2):
        with pytest.raises(Unavailable):
            _place(store, theirs, entropy=CountingEntropy("same"))
    assert store.order(mine.order.order_id) == mine.order
    assert store.orders_of_customer(STRANGER, limit=100).items == ()


def test_after_a_day_a_key_is_new_again() -> None:
    store = a_shop()
    first = _place(store)
    other = OrderRequest(CUSTOMER, ROOM, 1, SITE, {})
    second = _place(store, other, now=NOW + IDEMPOTENCY_SECONDS)
    assert not second.replayed
    assert second.order.order_id != first.order.order_id
    assert _place(store, other, now=NOW + IDEMPOTENCY_SECONDS + 1).replayed
    assert len(_orders(store)) == 2


def test_two_who_renew_an_expired_key_at_once_make_one_order() -> None:
    store = a_shop()
    _place(store)
    later = NOW + IDEMPOTENCY_SECONDS
    winner: list[Placed] = []
    racing = InterruptedStore(store, before={1: lambda: winner.append(_place(store, now=later))})
    loser = _place(racing, now=later)
    assert loser == Placed(winner[0].order, replayed=True)
    assert len(_orders(store)) == 2


@pytest.mark.parametrize("store_is_told", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2])
def test_a_crash_at_any_commit_is_finished_by_the_repeat(commit: int, store_is_told: str) -> None:
    """1 reserves, 2 makes the order; its answer may be lost before or after it is stored."""
    store = a_shop()
    crash = {commit: raising(StoreUnavailable("gone"))}
    with pytest.raises(StoreUnavailable):
        _place(InterruptedStore(store, **{store_is_told: crash}))
    placed = _place(store, now=NOW + 5)
    assert placed.replayed == ((commit, store_is_told) == (2, "after"))
    assert _orders(store) == (placed.order,)


def test_a_crash_between_reservation_and_order_keeps_the_reserved_id() -> None:
    store = a_shop()
    crash = {1: raising(StoreUnavailable("gone"))}
    with pytest.raises(StoreUnavailable):
        _place(InterruptedStore(store, after=crash))
    reservation = store.reservation(key_hash(owner=CUSTOMER, key=KEY))
    assert reservation is not None
    placed = _place(store, now=NOW + 77)
    assert placed.order.order_id == reservation.order_id
    assert placed.order.expires_at == NOW + 77 + TTL
    with pytest.raises(Refused):
        _place(store, OrderRequest(CUSTOMER, ROOM, 1, SITE, {}))


@pytest.mark.parametrize("commit", [1, 2])
def test_somebody_faster_with_the_same_key_wins_and_both_get_that_order(commit: int) -> None:
    store = a_shop()
    winner: list[Placed] = []
    racing = InterruptedStore(
        store, before={commit: lambda: winner.append(_place(store, now=NOW + 1))}
    )
    loser = _place(racing)
    assert loser == Placed(winner[0].order, replayed=True)
    assert _orders(store) == (winner[0].order,)


def test_somebody_faster_with_the_same_key_for_another_request_wins_alone() -> None:
    store = a_shop()
    racing = InterruptedStore(store, before={1: lambda: _discard(_place(store))})
    with pytest.raises(Refused) as refused:
        _place(racing, OrderRequest(CUSTOMER, ROOM, 1, SITE, {}))
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert len(_orders(store)) == 1


def test_many_threads_with_one_key_make_one_order() -> None:
    store = a_shop()
    together = threading.Barrier(8)
    placed: list[Placed] = []

    def run() -> None:
        together.wait()
        placed.append(_place(store))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(placed) == 8
    assert {one.order.order_id for one in placed} == {_orders(store)[0].order_id}
    assert [one.replayed for one in placed].count(False) == 1
    assert len(_orders(store)) == 1


def test_what_breaks_a_rule_reserves_nothing() -> None:
    store = a_shop()
    recording = InterruptedStore(store)
    for request in (
        OrderRequest(CUSTOMER, ROOM, 0, SITE, {}),
        OrderRequest(CUSTOMER, 9, 1, SITE, {}),
        OrderRequest(CUSTOMER, AI_SUITE, 1, SITE, {}),
    ):
        with pytest.raises(InvalidInput):
            _place(recording, request)
    with pytest.raises(InvalidInput):
        _place(recording, key="short")
    assert recording.commits == []
    assert _place(store).replayed is False


def test_without_catalogue_nothing_can_be_ordered() -> None:
    with pytest.raises(Unavailable) as refused:
        _place(stored(MemoryStore(), a_site()))
    assert refused.value.code == "CATALOGUE_MISSING"


def test_endless_interference_is_told() -> None:
    store = EverConflictingStore(a_shop())
    with pytest.raises(Unavailable):
        _place(store)
    assert len(store.commits) == 5


def test_an_order_that_cannot_be_stored_is_told_and_can_be_repeated() -> None:
    shop = a_shop()
    with pytest.raises(StoreUnavailable):
        _place(InterruptedStore(shop, before={2: raising(StoreUnavailable("gone"))}))
    refusing = EverConflictingStore(shop)
    with pytest.raises(Unavailable):
        _place(refusing)
    assert [type(change) for change in refusing.commits[0]] == [Insert]
    assert not _place(shop).replayed


def test_text_that_is_not_unicode_does_not_break_the_digest() -> None:
    odd = OrderRequest(CUSTOMER, AI_SUITE, 1, SITE, {"aiAccount": "\ud800"})
    assert odd.digest(KEY) != OrderRequest(CUSTOMER, AI_SUITE, 1, SITE, {}).digest(KEY)


def _discard(_placed: Placed) -> None:
    """What somebody else got is not ours."""
