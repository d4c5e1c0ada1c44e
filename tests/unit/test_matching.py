"""Which order a burn belongs to, and what it does to it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.matching import apply_burn, judge
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import Burn, Outcome
from tests.fakes import (
    LISTENER,
    NOW,
    STRANGER,
    TTL,
    a_block,
    a_burn,
    an_order,
    in_status,
)

S = OrderStatus


def _apply(order: Order, burn: Burn, *, final: bool) -> Order:
    return apply_burn(order, burn, final=final, actor=LISTENER, at=NOW + 100, request_id="r")


def test_a_burn_without_order_is_unknown() -> None:
    assert judge(a_burn(an_order()), None) is Outcome.UNKNOWN_ORDER


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"user": STRANGER}, Outcome.WRONG_WALLET),
        ({"token_id": 2001}, Outcome.WRONG_TOKEN),
        ({"amount": 2}, Outcome.WRONG_AMOUNT),
        ({"amount": 0}, Outcome.WRONG_AMOUNT),
        ({"block": a_block(time=NOW + TTL + 1)}, Outcome.LATE),
        ({"block": a_block(time=NOW + TTL)}, Outcome.MATCHED),
        ({}, Outcome.MATCHED),
    ],
)
@pytest.mark.parametrize("status", [S.CREATED, S.CANCELLED])
def test_each_thing_that_does_not_fit_has_its_outcome(
    status: OrderStatus, changes: dict[str, Any], outcome: Outcome
) -> None:
    order = in_status(status)
    assert judge(a_burn(order, **changes), order) is outcome


def test_a_pending_burn_may_be_mined_again_under_another_serial() -> None:
    order = in_status(S.PENDING_CHAIN)
    again = a_burn(order, serial=2, tx_hash="0x" + "22" * 32, block=a_block(101))
    assert judge(again, order) is Outcome.MATCHED


@pytest.mark.parametrize("status", [S.VALID, S.DELIVERED])
def test_a_second_burn_for_one_order_is_a_duplicate_and_the_first_is_not(
    status: OrderStatus,
) -> None:
    order = in_status(status)
    assert order.burn is not None
    assert judge(order.burn, order) is Outcome.MATCHED
    again = a_burn(order, serial=2, tx_hash="0x" + "22" * 32, block=a_block(101))
    assert judge(again, order) is Outcome.DUPLICATE


def test_a_burn_in_time_for_a_closed_order_is_an_exception_and_never_lost() -> None:
    expired = in_status(S.EXPIRED)
    assert judge(a_burn(expired), expired) is Outcome.ORDER_CLOSED


def test_a_delivered_order_whose_burn_was_forked_out_gets_it_back() -> None:
    forked = replace(in_status(S.DELIVERED), burn=None)
    burn = a_burn(forked, serial=4, tx_hash="0x" + "22" * 32, block=a_block(101))
    assert judge(burn, forked) is Outcome.MATCHED
    whole = apply_burn(forked, burn, final=True, actor=LISTENER, at=NOW, request_id="r")
    assert (whole.status, whole.burn, whole.history) == (S.DELIVERED, burn, forked.history)


@pytest.mark.parametrize(
    ("status", "final", "becomes"),
    [
        (S.CREATED, False, S.PENDING_CHAIN),
        (S.CREATED, True, S.VALID),
        (S.PENDING_CHAIN, False, S.PENDING_CHAIN),
        (S.PENDING_CHAIN, True, S.VALID),
        (S.CANCELLED, False, S.PENDING_CHAIN),
        (S.CANCELLED, True, S.VALID),
    ],
)
def test_what_a_matched_burn_does(status: OrderStatus, final: bool, becomes: OrderStatus) -> None:
    order = in_status(status)
    after = _apply(order, a_burn(order), final=final)
    assert after.status is becomes
    assert after.burn == a_burn(order)


@pytest.mark.parametrize("status", [S.VALID, S.DELIVERED])
@pytest.mark.parametrize("final", [True, False])
def test_a_burn_read_again_leaves_an_order_that_has_it_alone(
    status: OrderStatus, final: bool
) -> None:
    order = in_status(status)
    assert order.burn is not None
    assert _apply(order, order.burn, final=final) is order


fields = st.fixed_dictionaries(
    {
        "user": st.sampled_from([an_order().customer, STRANGER]),
        "token_id": st.sampled_from([1001, 2001]),
        "amount": st.integers(0, 3),
        "serial": st.integers(1, 3),
        "block": st.integers(NOW - 5, NOW + TTL + 5).map(lambda time: a_block(time=time)),
    }
)


@given(st.sampled_from(S), fields)
def test_matched_means_that_everything_fits(status: OrderStatus, changes: dict[str, Any]) -> None:
    order = in_status(status)
    burn = a_burn(order, **changes)
    outcome = judge(burn, order)
    fits = (
        burn.user == order.customer
        and burn.token_id == order.token_id
        and burn.amount == order.amount
        and burn.block.time <= order.expires_at
    )
    if outcome is Outcome.MATCHED:
        assert fits
        assert order.status is not S.EXPIRED
        spent = order.status in (S.VALID, S.DELIVERED)
        assert not spent or order.burn is None or order.burn.serial == burn.serial
        final = _apply(order, burn, final=True)
        assert final.status in (S.VALID, S.DELIVERED)
        assert final.burn is not None
    if fits and order.burn is None and status in (S.CREATED, S.CANCELLED):
        assert outcome is Outcome.MATCHED


@given(st.sampled_from(S), fields)
def test_judging_is_repeatable(status: OrderStatus, changes: dict[str, Any]) -> None:
    """A burn read again after it was applied comes to the same, so a pass may be repeated."""
    order = in_status(status)
    burn = a_burn(order, **changes)
    outcome = judge(burn, order)
    if outcome is Outcome.MATCHED:
        for final in (False, True):
            order = _apply(order, burn, final=final)
            assert judge(burn, order) is Outcome.MATCHED
            assert _apply(order, burn, final=final) is order
