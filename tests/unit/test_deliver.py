"""Handing over the service, once, at the right desk."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import Forbidden, InvalidInput, NotFound, Refused, Unavailable
from chalicelib.domain.orders import Actor, ActorKind, Order, OrderStatus, see_burn
from chalicelib.ports import Store, StoreUnavailable, Update
from chalicelib.usecases.deliver import Delivered, deliver
from tests.fakes import (
    AI_SUITE,
    LISTENER,
    NOW,
    OTHER_SITE,
    SITE,
    TTL,
    CountingEntropy,
    EverConflictingStore,
    InterruptedStore,
    a_burn,
    a_shop,
    a_staff,
    an_admin,
    an_order,
    in_status,
    stored,
)

S = OrderStatus
ENTROPY = CountingEntropy("deliver")
KEY = "k" * 22
HOW = {"inputMethod": "camera", "device": "desk-7"}
NOWHERE: dict[str, Any] = {"site_id": ""}
EVERYWHERE = a_staff("reception8", sites=(SITE, OTHER_SITE))


def _deliver(store: Store, order: Order, staff: Any = None, **changes: Any) -> Delivered:
    facts: dict[str, Any] = {
        "note": "two cups of tea",
        "desk_site": "",
        "store": store,
        "entropy": ENTROPY,
        "now": NOW + 200,
        "request_id": "req-d",
        "input_method": "camera",
        "device": "desk-7",
    }
    return deliver(order.order_id, staff or a_staff(), **(facts | changes))


def _lose_the_answer() -> None:
    raise StoreUnavailable("the connection broke")


def _refusals(store: Store) -> list[AuditItem]:
    return list(store.audit(day="2026-11-21", limit=100).items)


def test_a_valid_order_is_delivered_and_everything_is_written_down() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    done = _deliver(store, order)
    assert not done.already_delivered
    assert store.order(order.order_id) == done.order
    assert done.order.status is S.DELIVERED
    delivery = done.order.delivery
    assert delivery == done.delivery
    assert delivery is not None
    assert (delivery.at, delivery.by, delivery.site_id) == (NOW + 200, "reception1", SITE)
    assert (delivery.note, delivery.entitled_until) == ("two cups of tea", None)
    assert (delivery.input_method, delivery.device, delivery.key_hash) == ("camera", "desk-7", "")
    entry = done.order.history[-1]
    assert (entry.actor.kind, entry.actor.name) == (ActorKind.RECEPTION, "reception1")
    assert (entry.at, entry.request_id) == (NOW + 200, "req-d")
    assert _refusals(store) == []


def test_an_order_is_delivered_after_its_time_when_the_burn_was_in_time() -> None:
    order = in_status(S.VALID)
    late = order.expires_at + 10**6
    assert _deliver(stored(a_shop(), order), order, now=late).delivery.at == late


@pytest.mark.parametrize("staff", [a_staff(), a_staff("reception2"), EVERYWHERE])
@pytest.mark.parametrize("desk_site", ["", SITE, OTHER_SITE])
def test_a_repeat_by_anyone_entitled_tells_of_the_first_delivery(
    staff: Any, desk_site: str
) -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    first = _deliver(store, order)
    again = _deliver(store, order, staff, desk_site=desk_site, now=NOW + 999, note="another")
    assert again == Delivered(first.order, first.delivery, already_delivered=True)
    assert store.order(order.order_id) == first.order
    assert _refusals(store) == []


def test_a_press_whose_answer_was_lost_learns_that_it_delivered() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    lossy = InterruptedStore(store, after={1: _lose_the_answer})
    with pytest.raises(StoreUnavailable):
        _deliver(lossy, order, key=KEY)
    again = _deliver(store, order, key=KEY, now=NOW + 999, note="another", desk_site=OTHER_SITE)
    assert (again.already_delivered, again.replayed) == (False, True)
    assert (again.delivery.at, again.delivery.note) == (NOW + 200, "two cups of tea")
    kept = store.order(order.order_id)
    assert kept == again.order
    assert KEY not in repr(kept)
    assert _refusals(store) == []


@pytest.mark.parametrize(
    ("staff", "key"),
    [
        (a_staff(), "j" * 22),
        (a_staff(), None),
        (a_staff("reception2"), KEY),
        (a_staff("reception2"), "j" * 22),
    ],
    ids=["another key", "no key", "another's key", "another"],
)
@pytest.mark.parametrize("first_key", [KEY, None])
def test_any_other_press_is_told_of_the_one_that_delivered(
    first_key: str | None, staff: Any, key: str | None
) -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    first = _deliver(store, order, key=first_key)
    assert (first.already_delivered, first.replayed) == (False, False)
    other = _deliver(store, order, staff, key=key)
    assert other == Delivered(first.order, first.delivery, already_delivered=True)


def test_a_press_that_delivered_is_told_so_by_whoever_lost_the_site_since() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    _deliver(store, order, key=KEY)
    moved = a_staff(sites=(OTHER_SITE,))
    assert not _deliver(store, order, moved, key=KEY).already_delivered
    with pytest.raises(Forbidden):
        _deliver(store, order, moved, key="j" * 22)


def test_a_key_of_one_order_delivers_another_all_the_same() -> None:
    one, other = in_status(S.VALID), in_status(S.VALID, an_order(2))
    store = stored(a_shop(), one, other)
    _deliver(store, one, key=KEY)
    done = _deliver(store, other, key=KEY)
    assert (done.already_delivered, done.replayed) == (False, False)


def test_two_attempts_of_one_press_at_once_are_one_delivery() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    won: list[Delivered] = []
    racing = InterruptedStore(
        store, before={1: lambda: won.append(_deliver(store, order, key=KEY))}
    )
    late = _deliver(racing, order, key=KEY)
    assert (late.delivery, late.already_delivered) == (won[0].delivery, False)
    assert (late.replayed, won[0].replayed) == (True, False)


@pytest.mark.parametrize("key", ["", "short", "k" * 129, "k" * 21 + "!"])
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    with pytest.raises(InvalidInput) as refused:
        _deliver(store, order, key=key)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("Idempotency-Key", "pattern")]
    assert store.order(order.order_id) == order


@pytest.mark.parametrize("status", S)
def test_whoever_does_not_serve_the_orders_site_is_refused(status: OrderStatus) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    stranger = a_staff("reception9", sites=(OTHER_SITE,))
    for desk_site in ("", OTHER_SITE, SITE):
        with pytest.raises(Forbidden) as refused:
            _deliver(store, order, stranger, desk_site=desk_site)
        assert refused.value.code == "FORBIDDEN_SITE"
    assert store.order(order.order_id) == order
    assert len(_refusals(store)) == 3


@pytest.mark.parametrize("sites", [(), (SITE,)])
@pytest.mark.parametrize("site_id", [SITE, ""])
@pytest.mark.parametrize("status", S)
def test_an_administrator_is_refused_and_the_attempt_is_audited(
    status: OrderStatus, site_id: str, sites: tuple[str, ...]
) -> None:
    order = in_status(status, an_order(site_id=site_id))
    store = stored(a_shop(), order)
    for desk_site in ("", SITE):
        with pytest.raises(Forbidden) as refused:
            _deliver(store, order, an_admin(sites=sites), desk_site=desk_site)
        assert refused.value.code == "FORBIDDEN_ROLE"
    assert store.order(order.order_id) == order
    assert [(item.action, item.actor, item.detail) for item in _refusals(store)] == [
        (
            AuditAction.DELIVERY_REFUSED,
            Actor(ActorKind.ADMIN, "boss1"),
            {"code": "FORBIDDEN_ROLE", **HOW},
        )
    ] * 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (S.CREATED, "ORDER_NOT_VALID"),
        (S.PENDING_CHAIN, "ORDER_NOT_VALID"),
        (S.EXPIRED, "ORDER_EXPIRED"),
        (S.CANCELLED, "ORDER_CANCELLED"),
    ],
)
@pytest.mark.parametrize("staff", [a_staff(), EVERYWHERE])
@pytest.mark.parametrize("now", [NOW, NOW + 2 * TTL])
def test_without_a_final_burn_nothing_is_handed_over_and_the_attempt_is_audited(
    status: OrderStatus, code: str, staff: Any, now: int
) -> None:
    order = in_status(status)
    store = stored(a_shop(), order)
    with pytest.raises(Refused) as refused:
        _deliver(store, order, staff, now=now)
    assert refused.value.code == code
    assert store.order(order.order_id) == order
    (item,) = _refusals(store)
    assert (item.action, item.subject) == (AuditAction.DELIVERY_REFUSED, order.order_hash)
    assert (item.actor.name, item.detail) == (staff.username, {"code": code, **HOW})
    assert order.order_id not in repr(item)


def test_a_desk_elsewhere_is_told_where_the_order_belongs() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    with pytest.raises(InvalidInput) as refused:
        _deliver(store, order, EVERYWHERE, desk_site=OTHER_SITE)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("siteId", "order")]
    assert store.order(order.order_id) == order


@pytest.mark.parametrize(
    ("staff", "desk_site", "site"),
    [
        (a_staff(), "", SITE),
        (a_staff(), SITE, SITE),
        (EVERYWHERE, SITE, SITE),
        (EVERYWHERE, OTHER_SITE, OTHER_SITE),
    ],
)
def test_an_order_without_site_is_delivered_at_the_desks(
    staff: Any, desk_site: str, site: str
) -> None:
    order = in_status(S.VALID, an_order(**NOWHERE))
    done = _deliver(stored(a_shop(), order), order, staff, desk_site=desk_site)
    assert done.delivery.site_id == site


@pytest.mark.parametrize("staff", [EVERYWHERE, a_staff(sites=())], ids=["several", "none"])
def test_which_desk_delivers_has_to_be_known(staff: Any) -> None:
    order = in_status(S.VALID, an_order(**NOWHERE))
    store = stored(a_shop(), order)
    with pytest.raises(InvalidInput) as refused:
        _deliver(store, order, staff)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("siteId", "required")]
    assert store.order(order.order_id) == order


@pytest.mark.parametrize("desk_site", [OTHER_SITE, "NOWHERE"])
def test_a_desk_that_is_not_ones_own_is_refused(desk_site: str) -> None:
    order = in_status(S.VALID, an_order(**NOWHERE))
    store = stored(a_shop(), order)
    with pytest.raises(Forbidden) as refused:
        _deliver(store, order, desk_site=desk_site)
    assert refused.value.code == "FORBIDDEN_SITE"
    assert store.order(order.order_id) == order


@pytest.mark.parametrize("staff", [EVERYWHERE, a_staff(sites=())], ids=["several", "none"])
def test_a_repeat_without_desk_is_answered_for_an_order_without_site(staff: Any) -> None:
    order = in_status(S.VALID, an_order(**NOWHERE))
    store = stored(a_shop(), order)
    first = _deliver(store, order)
    assert _deliver(store, order, staff) == Delivered(first.order, first.delivery, True)


def test_an_entitlement_runs_from_delivery_for_each_voucher() -> None:
    order = in_status(S.VALID, an_order(token_id=AI_SUITE, amount=3))
    done = _deliver(stored(a_shop(), order), order)
    assert done.delivery.entitled_until == NOW + 200 + 3 * 30 * 86_400


def test_a_type_gone_from_the_catalogue_is_still_delivered() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    store.commit([Update(Catalogue(types=(), version=2))])
    assert _deliver(store, order).delivery.entitled_until is None


def test_an_unknown_order_is_not_found() -> None:
    with pytest.raises(NotFound):
        _deliver(a_shop(), an_order())


def test_two_desks_at_once_deliver_once() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    winner: list[Delivered] = []
    other = a_staff("reception2")
    racing = InterruptedStore(
        store, before={1: lambda: winner.append(_deliver(store, order, other))}
    )
    loser = _deliver(racing, order)
    assert loser == Delivered(winner[0].order, winner[0].delivery, already_delivered=True)
    assert loser.delivery.by == "reception2"


def test_a_fork_at_the_same_moment_stops_the_delivery() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    forked = see_burn(order, a_burn(order), actor=LISTENER, at=NOW, request_id="r")
    racing = InterruptedStore(store, before={1: lambda: store.commit([Update(forked)])})
    with pytest.raises(Refused) as refused:
        _deliver(racing, order)
    assert refused.value.code == "ORDER_NOT_VALID"
    assert store.order(order.order_id) == forked


def test_many_desks_at_once_deliver_once() -> None:
    order = in_status(S.VALID)
    store = stored(a_shop(), order)
    together = threading.Barrier(8)
    results: list[Delivered] = []

    def run(number: int) -> None:
        together.wait()
        results.append(_deliver(store, order, a_staff(f"reception{number}")))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.already_delivered for one in results].count(False) == 1
    assert len(results) == 8
    assert len({one.delivery for one in results}) == 1
    final = store.order(order.order_id)
    assert final is not None
    assert [e.target for e in final.history].count(S.DELIVERED) == 1


def test_endless_interference_is_told() -> None:
    order = in_status(S.VALID)
    store = EverConflictingStore(stored(a_shop(), order))
    with pytest.raises(Unavailable):
        _deliver(store, order)
    assert len(store.commits) == 5


def test_a_delivery_that_displaces_history_loses_none_of_it() -> None:
    order = in_status(S.VALID)
    long_ago = tuple(replace(order.history[0], seq=seq) for seq in range(1, 32))
    order = replace(order, history=(*long_ago, replace(order.history[-1], seq=32)))
    store = stored(a_shop(), order)
    done = _deliver(store, order)
    kept = [record.entry for record in store.history(order.order_hash)] + list(done.order.history)
    assert [entry.seq for entry in kept] == list(range(1, 34))
