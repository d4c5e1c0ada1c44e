"""What the holder of an order's id may see and tell: view and transaction hints."""

from dataclasses import replace

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.errors import NotFound, Refused, Unavailable
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import Outcome
from chalicelib.ports import Update
from chalicelib.usecases.hint_transaction import hint_transaction
from chalicelib.usecases.view_order import NotRedeemable, orders_of_wallet, view_order
from tests.fakes import (
    CUSTOMER,
    NOW,
    STRANGER,
    TTL,
    EverConflictingStore,
    InterruptedStore,
    a_catalogue,
    a_followed_chain,
    a_shop,
    an_order,
    in_status,
    stored,
)

S = OrderStatus
RULE = FinalityRule(confirmations=3, fallback_blocks=240)
UNKNOWN = ["ORD_20261121_0000000000000000", "nonsense", ""]
HINT = "0x" + "ab" * 32


@pytest.mark.parametrize("order_id", UNKNOWN)
def test_an_unknown_id_is_not_found(order_id: str) -> None:
    for look in (
        lambda: view_order(order_id, store=a_shop(), finality=RULE, now=NOW),
        lambda: hint_transaction(order_id, HINT, store=a_shop()),
    ):
        with pytest.raises(NotFound) as missing:
            look()
        assert missing.value.code == "ORDER_NOT_FOUND"


@pytest.mark.parametrize(
    ("status", "now", "reason"),
    [
        (S.CREATED, NOW, None),
        (S.CREATED, NOW + TTL, None),
        (S.CREATED, NOW + TTL + 1, NotRedeemable.EXPIRY_BEING_CHECKED),
        (S.PENDING_CHAIN, NOW + 10 * TTL, NotRedeemable.BURN_SEEN),
        (S.VALID, NOW + 10 * TTL, NotRedeemable.BURN_SEEN),
        (S.DELIVERED, NOW, NotRedeemable.ALREADY_DELIVERED),
        (S.EXPIRED, NOW, NotRedeemable.EXPIRED),
        (S.CANCELLED, NOW, NotRedeemable.CANCELLED),
    ],
)
def test_whether_an_order_can_still_be_redeemed(
    status: OrderStatus, now: int, reason: NotRedeemable | None
) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    view = view_order(order.order_id, store=store, finality=RULE, now=now)
    assert view.order == order
    assert view.not_redeemable is reason
    assert view.kind == a_catalogue().find(order.token_id)
    assert store.order(order.order_id) == order


@pytest.mark.parametrize(
    ("head", "confirmations"), [(99, 1), (100, 1), (101, 2), (102, 3), (110, 11)]
)
@pytest.mark.parametrize("status", [S.PENDING_CHAIN, S.VALID, S.DELIVERED])
def test_confirmations_are_those_of_the_listeners_last_pass(
    status: OrderStatus, head: int, confirmations: int
) -> None:
    order = in_status(status)
    store = stored(a_shop(), order, a_followed_chain(head))
    chain = view_order(order.order_id, store=store, finality=RULE, now=NOW).chain
    assert chain is not None
    assert (chain.burn, chain.required) == (order.burn, 3)
    assert chain.confirmations == confirmations
    assert chain.final == (status is not S.PENDING_CHAIN)


def test_deep_enough_is_not_final_before_the_listener_says_so() -> None:
    order = in_status(S.PENDING_CHAIN)
    store = stored(MemoryStore(), order, a_followed_chain(500))
    view = view_order(order.order_id, store=store, finality=RULE, now=NOW)
    assert view.kind is None
    assert view.chain is not None
    assert not view.chain.final


def test_without_burn_or_cursor_there_is_little_to_tell() -> None:
    waiting, pending = an_order(1), in_status(S.PENDING_CHAIN, an_order(2))
    store = stored(a_shop(), waiting, pending)
    assert view_order(waiting.order_id, store=store, finality=RULE, now=NOW).chain is None
    chain = view_order(pending.order_id, store=store, finality=RULE, now=NOW).chain
    assert chain is not None
    assert chain.confirmations == 1


def test_a_wallet_sees_its_own_orders_newest_first_page_by_page() -> None:
    mine = [an_order(n, created_at=NOW + n, expires_at=NOW + TTL + n) for n in range(5)]
    store = stored(a_shop(), *mine, an_order(9, customer=STRANGER))
    seen: list[Order] = []
    cursor = None
    while True:
        page = orders_of_wallet(CUSTOMER, store=store, limit=2, cursor=cursor)
        assert len(page.items) <= 2
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == mine[::-1]


@pytest.mark.parametrize("status", [S.CREATED, S.PENDING_CHAIN, S.CANCELLED])
def test_a_hint_is_kept_and_moves_nothing(status: OrderStatus) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    hinted = hint_transaction(order.order_id, HINT, store=store)
    assert hinted == replace(order, transaction_hints=(HINT,), version=order.version + 1)
    assert store.order(order.order_id) == hinted
    assert hint_transaction(order.order_id, HINT, store=store) == hinted
    assert store.order(order.order_id) == hinted


@pytest.mark.parametrize("status", [S.VALID, S.DELIVERED, S.EXPIRED])
def test_an_order_that_awaits_no_burn_takes_no_hint(status: OrderStatus) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    with pytest.raises(Refused) as refused:
        hint_transaction(order.order_id, HINT, store=store)
    assert refused.value.code == f"ORDER_{status}"
    assert store.order(order.order_id) == order


def test_a_hint_beside_the_listener_loses_neither() -> None:
    order = an_order()
    store = stored(a_shop(), order)
    seen = in_status(S.PENDING_CHAIN, order)
    racing = InterruptedStore(store, before={1: lambda: store.commit([Update(seen)])})
    hinted = hint_transaction(order.order_id, HINT, store=racing)
    assert hinted == replace(seen, transaction_hints=(HINT,), version=3)
    assert store.order(order.order_id) == hinted


def test_endless_interference_is_told() -> None:
    order = an_order()
    store = EverConflictingStore(stored(a_shop(), order))
    with pytest.raises(Unavailable):
        hint_transaction(order.order_id, HINT, store=store)
    assert len(store.commits) == 5


@pytest.mark.parametrize("status", S)
def test_a_burn_that_does_not_fit_is_told_until_the_order_goes_on(status: OrderStatus) -> None:
    order = replace(in_status(status), exception=Outcome.WRONG_AMOUNT)
    view = view_order(order.order_id, store=stored(a_shop(), order), finality=RULE, now=NOW)
    stuck = status in (S.CREATED, S.EXPIRED, S.CANCELLED)
    assert view.exception is (Outcome.WRONG_AMOUNT if stuck else None)
    assert (view.not_redeemable is NotRedeemable.EXCEPTION) == stuck
