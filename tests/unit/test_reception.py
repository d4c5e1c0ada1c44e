"""What a reception desk sees."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import Forbidden, NotFound
from chalicelib.domain.exceptions import ExceptionKind
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.order_filter import ANY_ORDER, OrderFilter
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import Outcome
from chalicelib.domain.staff import Staff
from chalicelib.ports import Store
from chalicelib.usecases.reception import (
    NotDeliverable,
    ReceptionView,
    display_name,
    exception_of,
    scan_order,
    site_queue,
)
from tests.contract.data import every
from tests.fakes import (
    AI_SUITE,
    CUSTOMER,
    NOW,
    OTHER_SITE,
    SITE,
    TTL,
    CountingEntropy,
    PlainSealer,
    RecordingTelemetry,
    a_shop,
    a_staff,
    an_admin,
    an_order,
    in_status,
    stored,
)

S = OrderStatus
N = NotDeliverable
OTHER_WALLET = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
STRANGER = a_staff("reception9", sites=(OTHER_SITE,))
EVERYWHERE = a_staff("reception8", sites=(OTHER_SITE, SITE))
ENTROPY = CountingEntropy("scan")


def _scan(store: Store, order_id: str, staff: Staff, **changes: Any) -> ReceptionView:
    facts: dict[str, Any] = {
        "store": store,
        "sealer": PlainSealer(),
        "telemetry": RecordingTelemetry(),
        "entropy": ENTROPY,
        "finality": FinalityRule(3, 240),
        "now": NOW,
        "request_id": "req-s",
        "input_method": "camera",
        "device": "desk-1",
    }
    return scan_order(order_id, staff, **(facts | changes))


@pytest.mark.parametrize("staff", [a_staff(), EVERYWHERE])
@pytest.mark.parametrize(
    ("status", "now", "reason"),
    [
        (S.CREATED, NOW + TTL, N.NOT_BURNED_YET),
        (S.CREATED, NOW + TTL + 1, N.EXPIRY_BEING_CHECKED),
        (S.PENDING_CHAIN, NOW, N.WAITING_FOR_CONFIRMATIONS),
        (S.VALID, NOW + 10 * TTL, None),
        (S.DELIVERED, NOW, N.ALREADY_DELIVERED),
        (S.EXPIRED, NOW, N.EXPIRED),
        (S.CANCELLED, NOW, N.CANCELLED),
    ],
)
def test_a_scan_says_whether_to_deliver_and_if_not_why(
    staff: Staff, status: OrderStatus, now: int, reason: NotDeliverable | None
) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    seen = _scan(store, order.order_id, staff, now=now)
    assert (seen.reason, seen.view.order) == (reason, order)
    assert store.order(order.order_id) == order
    (item,) = store.audit(day="2026-11-21", limit=9).items
    assert (item.action, item.subject, item.actor.name) == (
        AuditAction.SCAN,
        order.order_hash,
        staff.username,
    )
    assert item.detail == {
        "answer": reason or "DELIVERABLE",
        "inputMethod": "camera",
        "device": "desk-1",
    }
    assert order.order_id not in repr(item)


@pytest.mark.parametrize("status", S)
def test_a_person_looks_at_a_burn_that_does_not_fit_or_is_gone_after_delivery(
    status: OrderStatus,
) -> None:
    order = in_status(status)
    assert exception_of(order) is None
    forked_out = exception_of(replace(order, burn=None))
    assert forked_out is (ExceptionKind.DELIVERED_REORGED if status is S.DELIVERED else None)
    misfit = exception_of(replace(order, exception=Outcome.WRONG_TOKEN))
    open_still = status in (S.CREATED, S.EXPIRED, S.CANCELLED)
    assert misfit is (ExceptionKind.WRONG_TOKEN if open_still else None)


@pytest.mark.parametrize(
    "staff", [STRANGER, an_admin(), an_admin(sites=(SITE,))], ids=["elsewhere", "admin", "sited"]
)
@pytest.mark.parametrize("status", S)
def test_only_a_receptionist_of_the_orders_site_finds_it_deliverable(
    status: OrderStatus, staff: Staff
) -> None:
    order = in_status(status)
    seen = _scan(stored(a_shop(), order), order.order_id, staff)
    assert seen.reason is (N.ALREADY_DELIVERED if status is S.DELIVERED else N.WRONG_SITE)


def test_an_order_without_site_is_deliverable_anywhere() -> None:
    order = in_status(S.VALID, an_order(site_id=""))
    assert _scan(stored(a_shop(), order), order.order_id, STRANGER).reason is None


def _with_meta(site_id: str) -> Order:
    order = an_order(token_id=AI_SUITE, site_id=site_id)
    sealed = PlainSealer().seal(order.order_id, {"aiAccount": "a@b.vn"})
    return an_order(token_id=AI_SUITE, site_id=site_id, sealed_meta=sealed)


@pytest.mark.parametrize(
    ("staff", "site_id", "opened"),
    [
        (a_staff(), SITE, True),
        (EVERYWHERE, SITE, True),
        (an_admin(), SITE, False),
        (an_admin(sites=(SITE,)), SITE, False),
        (STRANGER, SITE, False),
        (STRANGER, "", True),
    ],
)
def test_personal_data_is_opened_for_those_who_may_serve_the_order(
    staff: Staff, site_id: str, opened: bool
) -> None:
    order = _with_meta(site_id)
    store = stored(a_shop(), order)
    seen = _scan(store, order.order_id, staff)
    assert seen.meta == ({"aiAccount": "a@b.vn"} if opened else None)
    assert "a@b.vn" not in repr(store.audit(day="2026-11-21", limit=9))


def test_an_order_without_personal_data_has_none() -> None:
    order = an_order()
    assert _scan(stored(a_shop(), order), order.order_id, a_staff()).meta is None


@pytest.mark.parametrize("order_id", ["ORD_20261121_0000000000000000", "nonsense"])
def test_a_code_that_is_no_order_is_refused_and_written_down(order_id: str) -> None:
    store = a_shop()
    with pytest.raises(NotFound) as missing:
        _scan(store, order_id, a_staff(), input_method="wedge")
    assert missing.value.code == "ORDER_NOT_FOUND"
    (item,) = store.audit(day="2026-11-21", limit=9).items
    assert (item.action, item.subject) == (AuditAction.SCAN, "unknown")
    assert item.detail == {
        "answer": "ORDER_NOT_FOUND",
        "inputMethod": "wedge",
        "device": "desk-1",
    }
    assert order_id not in repr(item)


def test_a_queue_is_for_those_who_serve_the_site() -> None:
    here, there = an_order(1), an_order(2, site_id=OTHER_SITE)
    valid = in_status(S.VALID, an_order(3, expires_at=NOW + TTL + 5))
    store = stored(a_shop(), here, there, valid)
    facts: dict[str, Any] = {"among": ANY_ORDER, "store": store, "limit": 10, "cursor": None}
    all_of_them = frozenset(S)
    assert site_queue(SITE, a_staff(), statuses=all_of_them, **facts).items == (valid, here)
    assert site_queue(SITE, EVERYWHERE, statuses=frozenset({S.VALID}), **facts).items == (valid,)
    assert site_queue(OTHER_SITE, EVERYWHERE, statuses=all_of_them, **facts).items == (there,)
    for staff in (a_staff(), an_admin(), an_admin(sites=(OTHER_SITE,))):
        with pytest.raises(Forbidden) as refused:
            site_queue(OTHER_SITE, staff, statuses=all_of_them, **facts)
        assert refused.value.code == "FORBIDDEN_SITE"


def _found(store: Store, among: OrderFilter, **changes: Any) -> list[Order]:
    facts: dict[str, Any] = {"statuses": frozenset(S), "store": store, "limit": 2}
    ask = partial(site_queue, SITE, a_staff(), among=among, **(facts | changes))
    return every(ask)


def test_orders_are_found_by_hash_and_wallet_at_ones_own_site_only() -> None:
    mine = [in_status(S.VALID, an_order(n, created_at=NOW + n)) for n in range(1, 6)]
    elsewhere = an_order(7, site_id=OTHER_SITE)
    foreign = an_order(8, customer=OTHER_WALLET)
    store = stored(a_shop(), *mine, elsewhere, foreign)

    whole = OrderFilter(hash_start=mine[2].order_hash)
    assert _found(store, whole) == [mine[2]]
    assert _found(store, OrderFilter(hash_start=mine[2].order_hash[:12])) == [mine[2]]
    assert _found(store, whole, statuses=frozenset({S.CREATED})) == []
    assert _found(store, replace(whole, created_to=NOW + 2)) == []
    assert _found(store, OrderFilter(hash_start=elsewhere.order_hash)) == []
    assert _found(store, OrderFilter(hash_start="0x" + "0" * 64)) == []

    wallet = OrderFilter(wallet_end=CUSTOMER.lower()[2:])
    assert _found(store, wallet) == mine[::-1]
    assert _found(store, replace(wallet, created_from=NOW + 2, created_to=NOW + 3)) == [
        mine[2],
        mine[1],
    ]
    assert _found(store, OrderFilter(wallet_end=OTHER_WALLET.lower()[-5:])) == [foreign]
    with pytest.raises(Forbidden):
        site_queue(
            OTHER_SITE,
            a_staff(),
            statuses=frozenset(S),
            among=OrderFilter(hash_start=elsewhere.order_hash),
            store=store,
            limit=2,
            cursor=None,
        )


def test_colleagues_are_told_by_the_name_they_know() -> None:
    known = a_staff("reception7", display_name="Chị Lan")
    store = stored(a_shop(), known)
    assert display_name("reception7", asking=a_staff(), store=store) == "Chị Lan"
    assert display_name("gone1", asking=a_staff(), store=store) == "gone1"
    me = a_staff("me1", display_name="Me Myself")
    assert display_name("me1", asking=me, store=store) == "Me Myself"


@pytest.mark.parametrize("status", S)
def test_a_burn_that_does_not_fit_is_never_served(status: OrderStatus) -> None:
    order = replace(in_status(status), exception=Outcome.WRONG_AMOUNT)
    seen = _scan(stored(a_shop(), order), order.order_id, a_staff())
    stuck = status in (S.CREATED, S.EXPIRED, S.CANCELLED)
    assert (seen.reason is N.EXCEPTION) == stuck
    assert (seen.reason is None) == (status is S.VALID)


def test_a_missing_data_key_is_told_and_hides_no_burned_voucher() -> None:
    order = replace(
        in_status(S.VALID, _with_meta(SITE)), sealed_meta=b"sealed by a key that is gone"
    )
    telemetry = RecordingTelemetry()
    seen = _scan(stored(a_shop(), order), order.order_id, a_staff(), telemetry=telemetry)
    assert (seen.reason, seen.meta) == (None, None)
    assert [name for name, _, _ in telemetry.metrics] == ["DataKeyMissing"]
    assert order.order_id not in repr(telemetry.events)
