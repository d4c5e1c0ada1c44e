"""What every store promises (`chalicelib.ports.Store`), on every engine, one writer at a time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory import MemoryStore, key_of
from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.catalogue import LARGEST_AMOUNT, LARGEST_TOKEN_ID, Catalogue
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.exceptions import (
    ExceptionKind,
    ExceptionRecord,
    dismiss,
    raise_exception,
)
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import LONGEST_LIFE_SECONDS, OrderFilter
from chalicelib.domain.orders import (
    INLINE_HISTORY,
    Actor,
    ActorKind,
    HistoryEntry,
    HistoryRecord,
    Order,
    OrderStatus,
    confirm_burn,
    displaced_history,
    lose_burn,
    see_burn,
)
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import Outcome, Redemption
from chalicelib.domain.staff import Session, SessionKind, WalletNonce
from chalicelib.ports import (
    LOOKS_PER_ITEM,
    MAX_CHANGES,
    Change,
    Check,
    Delete,
    Insert,
    Page,
    Record,
    Store,
    Update,
)
from tests.contract.data import Data, assert_same, conflict_of, every, stored
from tests.contract.engines import FreshData
from tests.fakes import (
    CONTRACT,
    CUSTOMER,
    LISTENER,
    NOW,
    OPERATOR,
    OTHER_SITE,
    SITE,
    STRANGER,
    TTL,
    a_block,
    a_burn,
    a_catalogue,
    a_site,
    a_staff,
    an_order,
    in_status,
)
from tests.strategies import LARGEST_SERIAL, LARGEST_UINT256, RECORDS

EVERY_STATUS = frozenset(OrderStatus)
NO_STATUS: frozenset[OrderStatus] = frozenset()
UNICODE = "Tầng 9, phòng họp 🏢 \u202e\u0645\u202c \U0001f468\u200d\U0001f469 'it\"s' \\ \t\n% ; --"


def a_cursor(**changes: Any) -> Cursor:
    plain = Cursor(
        proven=a_block(), last_serial=0, expired_through=NOW, chain_id=31337, contract=CONTRACT
    )
    return replace(plain, **changes)


def a_redemption(serial: int = 1, **changes: Any) -> Redemption:
    burn = a_burn(an_order(serial), serial=serial)
    return replace(Redemption(burn, Outcome.MATCHED, final=True), **changes)


def an_exception(serial: int = 1, *, tx: str = "") -> ExceptionRecord:
    burn = a_burn(an_order(serial), serial=serial)
    return raise_exception(replace(burn, tx_hash=tx or burn.tx_hash), ExceptionKind.LATE, NOW)


def dismissed(record: ExceptionRecord) -> ExceptionRecord:
    return dismiss(record, actor=OPERATOR, at=NOW + 1, reason="a test of ours")


def an_entry(seq: int = 1, **changes: Any) -> HistoryEntry:
    plain = HistoryEntry(
        seq=seq,
        at=NOW,
        actor=LISTENER,
        source=OrderStatus.CREATED,
        target=OrderStatus.PENDING_CHAIN,
        reason="burn seen",
        request_id="req",
    )
    return replace(plain, **changes)


def an_audit_item(at: int = NOW, noise: str = "0", **changes: Any) -> AuditItem:
    plain = AuditItem(
        audit_id=f"{at:010d}-{noise:0>16}",
        at=at,
        actor=Actor(ActorKind.RECEPTION, "reception1"),
        action=AuditAction.SCAN,
        subject="0x00",
        request_id="req",
    )
    return replace(plain, **changes)


def a_session(**changes: Any) -> Session:
    plain = Session("5e", SessionKind.STAFF, "reception1", 1, "a", NOW + 900, "r", NOW, NOW + 28800)
    return replace(plain, **changes)


ONE_OF_EACH: list[Record] = [
    an_audit_item(),
    a_catalogue(),
    a_cursor(),
    an_exception(),
    HistoryRecord(an_order().order_hash, an_entry()),
    an_order(),
    a_redemption(),
    Reservation("key", an_order().order_id, "digest", NOW),
    a_session(),
    a_site(),
    a_staff(),
    WalletNonce("nonce", CUSTOMER, "Sign in", NOW + 300),
]


def order_id(order: Order) -> str:
    return order.order_id


def next_version(record: Record) -> Record:
    return replace(record, version=record.version + 1)


def a_slice_of_burns(store: Store) -> tuple[list[Order], list[Change]]:
    """As many orders as a commit can make valid, stored with a cursor, and that commit."""
    orders = [an_order(number) for number in range((store.max_changes - 1) // 2)]
    for start in range(0, len(orders), store.max_changes // 2):
        store.commit(list(map(Insert, orders[start : start + store.max_changes // 2])))
    store.commit([Insert(a_cursor())])
    burns = [a_burn(order, serial=serial) for serial, order in enumerate(orders, 1)]
    facts: dict[str, Any] = {"actor": LISTENER, "at": NOW + 90, "request_id": "req-scan"}
    confirmed = [
        confirm_burn(order, burn, **facts) for order, burn in zip(orders, burns, strict=True)
    ]
    entries = [Redemption(burn, Outcome.MATCHED, final=True) for burn in burns]
    cursor = a_cursor(version=2, last_serial=len(burns))
    return orders, [Update(cursor), *map(Update, confirmed), *map(Insert, entries)]


class TestNothingStored:
    def test_every_read_says_so(self, store: Store) -> None:
        for record in ONE_OF_EACH:
            assert stored(store, record) is None
        assert store.order_by_hash(an_order().order_hash) is None
        assert store.history(an_order().order_hash) == ()
        assert store.redemptions(1, store.max_changes) == ()
        assert store.sites() == ()
        assert store.all_staff() == ()

    def test_every_list_is_empty_and_ends(self, store: Store) -> None:
        pages: list[Page[Order] | Page[AuditItem]] = [
            store.orders_of_customer(CUSTOMER, limit=10),
            store.orders_of_site(SITE, statuses=EVERY_STATUS, limit=10),
            store.orders_expiring(after=0, through=NOW, limit=10),
            store.audit(day="2026-11-21", limit=10),
        ]
        assert [(page.items, page.next_cursor) for page in pages] == [((), None)] * 4

    def test_what_no_record_can_be_called_is_not_found(self, store: Store) -> None:
        for name in ("", "\0", "a\0b", "é" * 5000, "' OR 1=1 --"):
            assert store.order(name) is None
            assert store.order_by_hash(name) is None
            assert store.staff(name) is None
            assert store.session(name) is None
            assert store.wallet_nonce(name) is None
            assert store.reservation(name) is None
            assert store.history(name or "-") == ()

    def test_a_commit_takes_as_much_as_the_port_says(self, store: Store) -> None:
        assert store.max_changes >= MAX_CHANGES

    def test_it_answers(self, store: Store) -> None:
        store.ping()


class TestRoundTrip:
    def test_records_come_back_as_they_were(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            assert_same(stored(store, record), record)

    @pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
    @given(draw=st.data())
    @settings(max_examples=15, deadline=None)
    def test_any_record_comes_back_inserted_and_updated(
        self, lasting_store: Store, kind: type[Record], draw: st.DataObject
    ) -> None:
        record: Record = draw.draw(RECORDS[kind])
        known = stored(lasting_store, record)
        if known is not None:
            lasting_store.commit([Delete(known)])
        lasting_store.commit([Insert(record)])
        assert_same(stored(lasting_store, record), record)
        lasting_store.commit([Update(next_version(record))])
        assert_same(stored(lasting_store, record), next_version(record))

    def test_another_store_onto_the_same_data_sees_it(self, data: Data) -> None:
        data.open().commit([Insert(an_order())])
        assert data.open().order(an_order().order_id) == an_order()

    def test_an_order_in_every_status(self, store: Store) -> None:
        orders = [
            in_status(status, an_order(number)) for number, status in enumerate(OrderStatus, 1)
        ]
        store.commit([Insert(order) for order in orders])
        for order in orders:
            assert_same(store.order(order.order_id), order)
            assert_same(store.order_by_hash(order.order_hash), order)

    def test_the_largest_values(self, store: Store) -> None:
        order = an_order(
            token_id=LARGEST_TOKEN_ID, amount=LARGEST_AMOUNT, sealed_meta=b"\xff" * 4096
        )
        burn = replace(
            a_burn(order, serial=LARGEST_SERIAL),
            token_id=LARGEST_UINT256,
            amount=LARGEST_UINT256,
            block=a_block(2**53 - 1),
        )
        entry = Redemption(burn, Outcome.UNKNOWN_ORDER, final=False, orphans=(burn,) * 3)
        store.commit([Insert(order), Insert(entry)])
        assert_same(store.order(order.order_id), order)
        assert_same(store.redemptions(LARGEST_SERIAL, LARGEST_SERIAL), (entry,))

    def test_texts_of_the_whole_world(self, store: Store) -> None:
        site = replace(a_site(), name={"vi": UNICODE, "en": UNICODE})
        member = a_staff(display_name=UNICODE)
        item = an_audit_item(subject=UNICODE, detail={UNICODE: UNICODE})
        delivered = in_status(OrderStatus.DELIVERED)
        assert delivered.delivery is not None
        order = replace(delivered, delivery=replace(delivered.delivery, note=UNICODE))
        records: list[Record] = [site, member, item, order]
        store.commit([Insert(record) for record in records])
        for record in records:
            assert_same(stored(store, record), record)

    def test_what_is_empty_or_none_stays_so(self, store: Store) -> None:
        records: list[Record] = [
            an_order(site_id="", sealed_meta=b""),
            Catalogue(()),
            a_cursor(lease_owner="", heartbeat=None),
            replace(a_site(), name={}),
            a_staff(sites=(), password_hash=""),
            an_audit_item(subject="", request_id="", detail={}),
            a_session(refresh_hash=""),
        ]
        store.commit([Insert(record) for record in records])
        for record in records:
            assert_same(stored(store, record), record)

    def test_a_cursor_with_its_heartbeat(self, store: Store) -> None:
        beat = Heartbeat(at=NOW, succeeded_at=NOW - 5, head=a_block(200), error="rpc: timed out")
        cursor = a_cursor(heartbeat=beat, lease_owner="worker-1", lease_until=NOW + 30)
        store.commit([Insert(cursor)])
        assert_same(store.cursor(), cursor)


class TestChanges:
    def test_update_replaces_the_version_below(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        store.commit([Update(next_version(record)) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            assert_same(stored(store, record), next_version(record))

    def test_delete_removes_it_for_good(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        store.commit([Delete(record) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            assert stored(store, record) is None
            assert conflict_of(store, Delete(record)) == Delete(record)
        store.commit([Insert(record) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            assert_same(stored(store, record), record)

    def test_check_changes_nothing(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        store.commit([Check(record) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            store.commit([Check(record)])
            assert_same(stored(store, record), record)

    def test_insert_conflicts_with_what_is_there(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            assert conflict_of(store, Insert(record)) == Insert(record)

    def test_a_change_of_nothing_conflicts(self, store: Store) -> None:
        for record in ONE_OF_EACH:
            for change in (Update(next_version(record)), Delete(record), Check(record)):
                assert conflict_of(store, change) == change
                assert stored(store, record) is None

    def test_a_change_of_another_version_conflicts(self, store: Store) -> None:
        """Stored is version 3: an update to 4, a deletion and a check of 3 would fit."""
        store.commit([Insert(record) for record in ONE_OF_EACH])
        for version in (2, 3):
            store.commit([Update(replace(record, version=version)) for record in ONE_OF_EACH])
        for record in ONE_OF_EACH:
            older, newer = replace(record, version=2), replace(record, version=4)
            stale: list[Change] = [
                *(kind(older) for kind in (Update, Delete, Check)),
                *(kind(newer) for kind in (Delete, Check)),
                Update(replace(record, version=3)),
                Update(replace(record, version=5)),
            ]
            for change in stale:
                assert conflict_of(store, change) == change
            assert_same(stored(store, record), replace(record, version=3))

    def test_an_update_to_the_stored_version_conflicts(self, store: Store) -> None:
        store.commit([Insert(a_site())])
        assert conflict_of(store, Update(a_site())) == Update(a_site())

    def test_two_orders_cannot_share_a_hash(self, store: Store) -> None:
        first, other = an_order(1), replace(an_order(2), order_hash=an_order(1).order_hash)
        store.commit([Insert(first)])
        assert conflict_of(store, Insert(other)) == Insert(other)
        assert store.order(other.order_id) is None
        assert_same(store.order_by_hash(first.order_hash), first)

    def test_a_deleted_order_gives_its_hash_back(self, store: Store) -> None:
        first, other = an_order(1), replace(an_order(2), order_hash=an_order(1).order_hash)
        store.commit([Insert(first)])
        store.commit([Delete(first)])
        assert store.order_by_hash(first.order_hash) is None
        store.commit([Insert(other)])
        assert_same(store.order_by_hash(first.order_hash), other)

    def test_records_of_other_kinds_may_share_a_name(self, store: Store) -> None:
        records: list[Record] = [
            a_session(session_id="same"),
            WalletNonce("same", CUSTOMER, "Sign in", NOW),
            Reservation("same", an_order().order_id, "digest", NOW),
            replace(a_site(), site_id="same"),
            a_staff("same"),
        ]
        store.commit([Insert(record) for record in records])
        for record in records:
            assert_same(stored(store, record), record)


class TestAllOrNothing:
    @pytest.mark.parametrize("place", [0, 5, 10])
    def test_one_stale_change_of_many_stores_nothing(self, store: Store, place: int) -> None:
        before = [a_redemption(serial) for serial in range(1, 5)]
        store.commit([Insert(entry) for entry in before] + [Insert(a_staff())])
        changes: list[Change] = [
            *(Update(next_version(entry)) for entry in before[:2]),
            Delete(before[2]),
            Check(before[3]),
            *(Insert(a_redemption(serial)) for serial in range(5, 9)),
            Insert(an_order()),
            Insert(a_cursor()),
        ]
        stale = Update(a_staff(version=7))
        changes.insert(place, stale)
        assert conflict_of(store, *changes) == stale
        assert store.redemptions(1, 20) == tuple(before)
        assert store.staff(a_staff().username) == a_staff()
        assert store.order(an_order().order_id) is None
        assert store.order_by_hash(an_order().order_hash) is None
        assert store.cursor() is None

    def test_a_conflict_names_one_of_the_stale(self, store: Store) -> None:
        fine = [Insert(a_redemption(serial)) for serial in range(1, 4)]
        stale = [Update(a_staff(f"member{n}", version=2)) for n in range(3)]
        assert conflict_of(store, *fine, *stale) in stale

    def test_a_failed_check_stores_nothing(self, store: Store) -> None:
        store.commit([Insert(a_site())])
        stale = Check(replace(a_site(), version=2))
        assert conflict_of(store, stale, Insert(a_staff())) == stale
        assert store.staff(a_staff().username) is None

    def test_a_whole_slice_is_stored(self, store: Store) -> None:
        entries = [a_redemption(serial) for serial in range(1, store.max_changes)]
        store.commit([Insert(a_cursor()), *map(Insert, entries)])
        assert store.redemptions(1, store.max_changes) == tuple(entries)
        later = [next_version(entry) for entry in entries]
        store.commit([Update(a_cursor(version=2)), *map(Update, later)])
        assert store.redemptions(1, store.max_changes) == tuple(later)

    @pytest.mark.parametrize("part", [0, 0.7, 1])
    def test_one_stale_change_of_a_whole_slice_stores_nothing(
        self, store: Store, part: float
    ) -> None:
        entries = [a_redemption(serial) for serial in range(1, store.max_changes + 1)]
        store.commit([Insert(entry) for entry in entries])
        changes: list[Change] = [Update(next_version(entry)) for entry in entries]
        place = int(part * (len(changes) - 1))
        changes[place] = stale = Update(replace(entries[place], version=9))
        assert conflict_of(store, *changes) == stale
        assert store.redemptions(1, store.max_changes) == tuple(entries)

    def test_a_slice_of_matched_burns_is_stored(self, store: Store) -> None:
        before, changes = a_slice_of_burns(store)
        store.commit(changes)
        for change in changes:
            assert_same(stored(store, change.record), change.record)
        assert {order.status for order in before} == {OrderStatus.CREATED}

    @pytest.mark.parametrize("kind", [Order, Redemption, Cursor])
    def test_a_slice_with_one_stale_change_stores_nothing(
        self, store: Store, kind: type[Record]
    ) -> None:
        before, changes = a_slice_of_burns(store)
        of_kind = [n for n, change in enumerate(changes) if isinstance(change.record, kind)]
        place = of_kind[len(of_kind) // 2]
        changes[place] = stale = Update(replace(changes[place].record, version=7))
        assert conflict_of(store, *changes) == stale
        assert store.orders_with_hashes([order.order_hash for order in before]) == {
            order.order_hash: order for order in before
        }
        assert store.redemptions(1, len(before)) == ()
        assert store.cursor() == a_cursor()

    def test_an_entry_that_is_there_already_stores_nothing_of_the_slice(self, store: Store) -> None:
        before, changes = a_slice_of_burns(store)
        known = a_redemption(len(before) // 2 + 1)
        store.commit([Insert(known)])
        assert conflict_of(store, *changes) in changes
        assert store.redemptions(1, len(before)) == (known,)
        assert store.cursor() == a_cursor()


class TestRefusedCommits:
    def refused(self, store: Store, *changes: Change) -> None:
        with pytest.raises(ValueError, match="a commit takes"):
            store.commit(changes)

    def test_no_change(self, store: Store) -> None:
        self.refused(store)

    def test_too_many(self, store: Store) -> None:
        self.refused(store, *(Insert(a_redemption(n)) for n in range(1, store.max_changes + 2)))
        assert store.redemptions(1, store.max_changes) == ()

    def test_orders_count_two(self, store: Store) -> None:
        half = store.max_changes // 2
        orders = [an_order(number) for number in range(half + 1)]
        self.refused(store, *map(Insert, orders))
        assert store.order(orders[0].order_id) is None
        store.commit([Insert(order) for order in orders[:half]])
        store.commit([Insert(orders[half])])
        store.commit([Update(replace(order, version=2)) for order in orders])
        self.refused(store, *(Delete(replace(order, version=2)) for order in orders))

    def test_a_record_twice(self, store: Store) -> None:
        for record in ONE_OF_EACH:
            self.refused(store, Insert(record), Insert(record))
            self.refused(store, Insert(record), Update(next_version(record)))
            store.commit([Insert(record)])
            self.refused(store, Check(record), Delete(record))
            assert_same(stored(store, record), record)

    def test_an_order_hash_twice(self, store: Store) -> None:
        other = replace(an_order(2), order_hash=an_order(1).order_hash)
        self.refused(store, Insert(an_order(1)), Insert(other))
        assert store.order(an_order(1).order_id) is None


class TestOrdersWithHashes:
    def test_by_hash_and_unknown_ones_left_out(self, store: Store) -> None:
        orders = [in_status(status, an_order(n)) for n, status in enumerate(OrderStatus, 1)]
        store.commit([Insert(order) for order in orders])
        unknown = [an_order(number).order_hash for number in (90, 91)]
        found = store.orders_with_hashes([order.order_hash for order in orders[1:]] + unknown)
        assert_same(found, {order.order_hash: order for order in orders[1:]})
        assert_same(tuple(found[order.order_hash] for order in orders[1:]), tuple(orders[1:]))

    def test_none_asked_for_none_found(self, store: Store) -> None:
        store.commit([Insert(an_order())])
        assert store.orders_with_hashes([]) == {}
        assert store.orders_with_hashes([an_order(2).order_hash]) == {}

    def test_a_hash_asked_for_twice_is_told_once(self, store: Store) -> None:
        store.commit([Insert(an_order())])
        order_hash = an_order().order_hash
        assert store.orders_with_hashes([order_hash] * 3) == {order_hash: an_order()}

    def test_what_no_order_can_have_as_hash_hides_no_other(self, store: Store) -> None:
        store.commit([Insert(an_order())])
        names = ["", "\0", "a\0b", "é" * 5000, "' OR 1=1 --", an_order().order_hash]
        assert store.orders_with_hashes(names) == {an_order().order_hash: an_order()}

    def test_they_come_as_stored_now(self, store: Store) -> None:
        store.commit([Insert(an_order(1)), Insert(an_order(2))])
        valid = in_status(OrderStatus.VALID, an_order(1))
        store.commit([Update(valid), Delete(an_order(2))])
        hashes = {an_order(1).order_hash, an_order(2).order_hash}
        assert_same(store.orders_with_hashes(hashes), {valid.order_hash: valid})

    def test_as_many_as_a_commit_takes_and_no_more(self, store: Store) -> None:
        orders = [an_order(number) for number in range(store.max_changes)]
        half = store.max_changes // 2
        store.commit([Insert(order) for order in orders[:half]])
        store.commit([Insert(order) for order in orders[half:]])
        hashes = [order.order_hash for order in orders]
        assert store.orders_with_hashes(hashes) == {order.order_hash: order for order in orders}
        with pytest.raises(ValueError, match=f"at most {store.max_changes} order hashes"):
            store.orders_with_hashes([*hashes, an_order(store.max_changes).order_hash])


class TestHistory:
    def test_moves_that_no_longer_fit_are_kept(self, store: Store) -> None:
        order = an_order()
        burn = a_burn(order)
        store.commit([Insert(order)])
        written = list(order.history)
        facts: dict[str, Any] = {"actor": LISTENER, "request_id": "req"}
        for step in range(INLINE_HISTORY + 10):
            after = (
                see_burn(order, burn, at=NOW + step, **facts)
                if order.burn is None
                else lose_burn(order, at=NOW + step, **facts)
            )
            store.commit([Update(after), *map(Insert, displaced_history(order, after))])
            written.append(after.history[-1])
            order = after
        kept = store.order(order.order_id)
        assert kept is not None
        assert len(kept.history) == INLINE_HISTORY
        older = store.history(order.order_hash)
        assert_same((*(move.entry for move in older), *kept.history), tuple(written))

    def test_oldest_first_whatever_the_order_of_writing(self, store: Store) -> None:
        order_hash = an_order().order_hash
        moves = [HistoryRecord(order_hash, an_entry(seq)) for seq in (100, 9, 2, 10, 1)]
        store.commit([Insert(move) for move in moves])
        store.commit([Insert(HistoryRecord(an_order(2).order_hash, an_entry(3)))])
        assert [move.entry.seq for move in store.history(order_hash)] == [1, 2, 9, 10, 100]


class TestOrdersOfCustomer:
    def test_newest_first_and_nobody_elses(self, store: Store) -> None:
        orders = [an_order(number, created_at=NOW + number % 7 * 10) for number in range(1, 15)]
        store.commit([Insert(order) for order in orders])
        store.commit([Insert(an_order(99, customer=STRANGER))])
        for limit in (1, 3, 7, 14, 50):
            found = every(partial(store.orders_of_customer, CUSTOMER, limit=limit))
            assert [order.created_at for order in found] == sorted(
                (order.created_at for order in orders), reverse=True
            )
            assert sorted(map(order_id, found)) == sorted(map(order_id, orders))

    def test_no_page_is_longer_than_asked_for(self, store: Store) -> None:
        store.commit([Insert(an_order(number)) for number in range(5)])
        assert len(store.orders_of_customer(CUSTOMER, limit=3).items) == 3

    def test_a_list_that_fits_has_no_next_page(self, store: Store) -> None:
        store.commit([Insert(an_order(number)) for number in range(3)])
        page = store.orders_of_customer(CUSTOMER, limit=10)
        assert len(page.items) == 3
        assert page.next_cursor is None

    def test_new_orders_do_not_shift_the_pages(self, store: Store) -> None:
        store.commit([Insert(an_order(n, created_at=NOW + n)) for n in range(6)])
        first = store.orders_of_customer(CUSTOMER, limit=3)
        store.commit([Insert(an_order(n, created_at=NOW + n)) for n in range(10, 15)])
        second = store.orders_of_customer(CUSTOMER, limit=3, cursor=first.next_cursor)
        seen = [order.created_at - NOW for order in (*first.items, *second.items)]
        assert seen == [5, 4, 3, 2, 1, 0]

    def test_they_come_as_stored_now(self, store: Store) -> None:
        order = an_order()
        store.commit([Insert(order)])
        valid = replace(in_status(OrderStatus.VALID, order))
        store.commit([Update(valid)])
        assert_same(store.orders_of_customer(CUSTOMER, limit=5).items, (valid,))


class TestOrdersOfSite:
    @pytest.fixture
    def orders(self, store: Store) -> list[Order]:
        """Thirty orders in every status, at two sites and at none, some of one expiry."""
        kinds = list(OrderStatus)
        orders = [
            in_status(
                kinds[number % 6],
                an_order(
                    number,
                    site_id=(SITE, OTHER_SITE, "", SITE)[number // 6 % 4],
                    expires_at=NOW + number % 11 * 60,
                ),
            )
            for number in range(1, 37)
        ]
        store.commit([Insert(order) for order in orders])
        return orders

    def test_in_the_given_statuses_latest_expiry_first(
        self, store: Store, orders: list[Order]
    ) -> None:
        few = frozenset({OrderStatus.VALID, OrderStatus.DELIVERED, OrderStatus.CREATED})
        one = frozenset({OrderStatus.VALID})
        for site_id, statuses in product(
            (SITE, OTHER_SITE, "", "NO_SUCH_SITE"), (EVERY_STATUS, few, one, NO_STATUS)
        ):
            wanted = [
                order for order in orders if order.site_id == site_id and order.status in statuses
            ]
            for limit in (2, 50):
                ask = partial(store.orders_of_site, site_id, statuses=statuses, limit=limit)
                found = every(ask)
                assert [order.expires_at for order in found] == sorted(
                    (order.expires_at for order in wanted), reverse=True
                )
                assert sorted(map(order_id, found)) == sorted(map(order_id, wanted))

    def test_an_order_that_moves_changes_lists(self, store: Store) -> None:
        store.commit([Insert(an_order())])
        store.commit([Update(in_status(OrderStatus.VALID))])

        def listed(status: OrderStatus) -> int:
            page = store.orders_of_site(SITE, statuses=frozenset({status}), limit=5)
            return len(page.items)

        assert (listed(OrderStatus.CREATED), listed(OrderStatus.VALID)) == (0, 1)


class TestFilteredOrdersOfSite:
    """Orders of two wallets, one a minute, two of three at one site."""

    @pytest.fixture
    def orders(self, store: Store) -> list[Order]:
        orders = [
            in_status(
                (OrderStatus.CREATED, OrderStatus.VALID)[number % 2],
                an_order(
                    number,
                    customer=(CUSTOMER, STRANGER)[number % 5 == 0],
                    site_id=(SITE, SITE, OTHER_SITE)[number % 3],
                    created_at=NOW + 60 * number,
                    # Not all live equally long: the setting may change.
                    expires_at=NOW + 60 * number + (60, TTL, LONGEST_LIFE_SECONDS)[number % 5 % 3],
                ),
            )
            for number in range(24)
        ]
        store.commit([Insert(order) for order in orders])
        return orders

    def assert_listed(
        self,
        store: Store,
        orders: list[Order],
        among: OrderFilter,
        wanted: Callable[[Order], bool],
    ) -> None:
        for statuses, limit in product((EVERY_STATUS, frozenset({OrderStatus.VALID})), (1, 3, 50)):
            ask = partial(store.orders_of_site, SITE, statuses=statuses, among=among, limit=limit)
            expected = [
                order
                for order in orders
                if order.site_id == SITE and order.status in statuses and wanted(order)
            ]
            expected.sort(key=lambda order: order.expires_at, reverse=True)
            assert expected
            assert [order.order_id for order in every(ask)] == [one.order_id for one in expected]

    def test_by_creation_both_ends_included(self, store: Store, orders: list[Order]) -> None:
        first, last = NOW + 60 * 6, NOW + 60 * 18
        for among, lowest, highest in (
            (OrderFilter(created_from=first), first, NOW * 2),
            (OrderFilter(created_to=last), 0, last),
            (OrderFilter(created_from=first, created_to=last), first, last),
        ):
            self.assert_listed(
                store,
                orders,
                among,
                lambda order, low=lowest, high=highest: low <= order.created_at <= high,  # type: ignore[misc]
            )

    def test_by_the_beginning_of_the_hash(self, store: Store, orders: list[Order]) -> None:
        looked_for = orders[7].order_hash
        for length in (10, 42, 66):
            among = OrderFilter(hash_start=looked_for[:length])
            self.assert_listed(store, orders, among, lambda one: one.order_hash == looked_for)

    def test_by_the_end_of_the_wallet(self, store: Store, orders: list[Order]) -> None:
        for length in (4, 9, 40):
            among = OrderFilter(wallet_end=STRANGER.lower()[-length:])
            self.assert_listed(store, orders, among, lambda one: one.customer == STRANGER)

    def test_by_either(self, store: Store, orders: list[Order]) -> None:
        looked_for = orders[7].order_hash
        among = OrderFilter(NOW, NOW * 2, looked_for[:10], STRANGER.lower()[-8:])
        self.assert_listed(
            store,
            orders,
            among,
            lambda one: looked_for == one.order_hash or one.customer == STRANGER,
        )

    @pytest.mark.parametrize(
        "among",
        [
            OrderFilter(created_from=NOW + 10**6),
            OrderFilter(created_to=NOW - 1),
            OrderFilter(hash_start="0x00000000"),
            OrderFilter(wallet_end="00000000"),
            OrderFilter(wallet_end=CUSTOMER.lower()[2:6]),
        ],
    )
    def test_what_fits_no_order(
        self, store: Store, orders: list[Order], among: OrderFilter
    ) -> None:
        assert orders
        ask = partial(store.orders_of_site, SITE, statuses=EVERY_STATUS, among=among, limit=5)
        assert every(ask) == []

    def test_a_page_costs_no_more_than_so_many_looks(self, fresh: FreshData) -> None:
        many = [an_order(number, expires_at=NOW + number) for number in range(LOOKS_PER_ITEM * 2)]
        among = OrderFilter(hash_start=many[0].order_hash)
        with Data(fresh()) as data:
            store = data.open()
            for start in range(0, len(many), MAX_CHANGES // 2):
                store.commit([Insert(one) for one in many[start : start + MAX_CHANGES // 2]])
            ask = partial(store.orders_of_site, SITE, statuses=EVERY_STATUS, among=among, limit=1)
            assert every(ask) == [many[0]]
            if not isinstance(store, MemoryStore):  # which has all at hand
                first = ask()
                assert first.items == ()
                assert ask(cursor=first.next_cursor).items == (many[0],)


class TestOrdersExpiring:
    def test_after_is_excluded_and_through_included(self, store: Store) -> None:
        orders = [
            an_order(n, expires_at=NOW + n, site_id=(SITE, OTHER_SITE, "")[n % 3])
            for n in range(1, 31)
        ]
        store.commit([Insert(order) for order in orders])
        for limit in (1, 4, 100):
            due = partial(store.orders_expiring, after=NOW + 5, through=NOW + 20, limit=limit)
            found = every(due)
            assert sorted(order.expires_at - NOW for order in found) == list(range(6, 21))

    def test_whatever_their_status(self, store: Store) -> None:
        orders = [in_status(status, an_order(n)) for n, status in enumerate(OrderStatus)]
        store.commit([Insert(order) for order in orders])
        page = store.orders_expiring(after=0, through=NOW * 2, limit=50)
        assert {order.status for order in page.items} == EVERY_STATUS

    @pytest.mark.parametrize(("after", "through"), [(NOW, NOW), (NOW + 9, NOW), (0, 10)])
    def test_an_empty_stretch(self, store: Store, after: int, through: int) -> None:
        store.commit([Insert(an_order(expires_at=NOW))])
        page = store.orders_expiring(after=after, through=through, limit=5)
        assert (page.items, page.next_cursor) == ((), None)


class TestCursors:
    def test_one_that_no_list_gave_out_is_refused(self, store: Store) -> None:
        store.commit([Insert(an_order())])
        lists: list[Callable[..., Page[Order]]] = [
            partial(store.orders_of_customer, CUSTOMER, limit=5),
            partial(store.orders_of_site, SITE, statuses=EVERY_STATUS, limit=5),
        ]
        exceptions = partial(store.exceptions, open_only=True, limit=5)
        for cursor in ("no cursor!", "'; DROP TABLE orders; --", "12.0xzz", "\0"):
            for one in lists:
                with pytest.raises(InvalidInput) as refused:
                    one(cursor=cursor)
                assert [field.field for field in refused.value.fields] == ["cursor"]
            with pytest.raises(InvalidInput, match="cursor: is none that this list gave out"):
                exceptions(cursor=cursor)


class TestRedemptions:
    def test_from_first_to_last_ascending(self, store: Store) -> None:
        for serial in (7, 2, 11, 3, 100):
            store.commit([Insert(a_redemption(serial))])

        def serials(first: int, last: int) -> list[int]:
            return [entry.serial for entry in store.redemptions(first, last)]

        assert serials(2, 11) == [2, 3, 7, 11]
        assert serials(3, 3) == [3]
        assert serials(4, 6) == []
        assert serials(5, 4) == []
        assert serials(1, store.max_changes) == [2, 3, 7, 11, 100]

    def test_only_so_many_at_once(self, store: Store) -> None:
        with pytest.raises(ValueError, match=f"at most {store.max_changes} serials"):
            store.redemptions(1, store.max_changes + 1)


class TestExceptions:
    def test_all_and_the_open_ones_by_serial(self, store: Store) -> None:
        serials = [7, 100, 2, 11, 10**18, 1]
        store.commit([Insert(an_exception(serial)) for serial in serials])
        closed = [dismissed(an_exception(serial)) for serial in (100, 1)]
        store.commit(list(map(Update, closed)))
        for limit in (1, 2, 3, 50):

            def listed(*, open_only: bool, limit: int = limit) -> list[int]:
                ask = partial(store.exceptions, open_only=open_only, limit=limit)
                return [record.serial for record in every(ask)]

            assert listed(open_only=True) == [2, 7, 11, 10**18]
            assert listed(open_only=False) == [1, 2, 7, 11, 100, 10**18]

    def test_they_come_as_stored_now(self, store: Store) -> None:
        store.commit([Insert(an_exception(1)), Insert(an_exception(2))])
        closed = dismissed(an_exception(1))
        store.commit([Update(closed)])
        assert_same(store.exception(closed.exception_id), closed)
        assert_same(store.exceptions(open_only=False, limit=9).items, (closed, an_exception(2)))

    def test_one_that_opens_anew_is_listed_again(self, store: Store) -> None:
        record = an_exception()
        store.commit([Insert(record)])
        store.commit([Update(dismissed(record))])
        assert every(partial(store.exceptions, open_only=True, limit=5)) == []
        again = replace(record, version=3)
        store.commit([Update(again)])
        assert every(partial(store.exceptions, open_only=True, limit=5)) == [again]

    def test_one_that_is_removed_is_listed_nowhere(self, store: Store) -> None:
        record = an_exception()
        store.commit([Insert(record)])
        store.commit([Delete(record)])
        for open_only in (True, False):
            assert every(partial(store.exceptions, open_only=open_only, limit=5)) == []

    def test_two_burns_of_one_serial_are_two(self, store: Store) -> None:
        both = [an_exception(tx="0x" + digits * 8) for digits in ("0000000a", "0000000b")]
        store.commit(list(map(Insert, both)))
        assert every(partial(store.exceptions, open_only=True, limit=1)) == both

    def test_a_refused_commit_changes_no_list(self, store: Store) -> None:
        record = an_exception()
        store.commit([Insert(record)])
        stale = Update(a_staff(version=7))
        assert conflict_of(store, Update(dismissed(record)), stale) == stale
        assert conflict_of(store, Update(replace(dismissed(record), version=3)))
        assert every(partial(store.exceptions, open_only=True, limit=5)) == [record]

    def test_each_change_counts_two(self, store: Store) -> None:
        half = store.max_changes // 2
        records = [an_exception(serial) for serial in range(1, half + 2)]
        with pytest.raises(ValueError, match="a commit takes 1 to"):
            store.commit(list(map(Insert, records)))
        store.commit(list(map(Insert, records[:half])))
        with pytest.raises(ValueError, match="a commit takes 1 to"):
            store.commit([*(Update(dismissed(one)) for one in records[:half]), Insert(a_site())])
        store.commit([Check(one) for one in records[:half]] + [Insert(a_site())])

    @pytest.mark.parametrize("name", ["", "1", "01-", "nothing", "\0", "x" * 5000])
    def test_an_id_that_none_has(self, store: Store, name: str) -> None:
        store.commit([Insert(an_exception())])
        assert store.exception(name) is None
        assert store.exception("0" + an_exception().exception_id) is None


class TestSmallLists:
    def test_sites_by_id_and_staff_by_username(self, store: Store) -> None:
        site_ids = ["HCM_B", "HCMA", "HCM_A", "A0", "HCM0", "Z_"]
        usernames = ["b.n", "ba", "b-a", "b_a", "b0", "a-z"]
        store.commit([Insert(a_site(site_id)) for site_id in site_ids])
        store.commit([Insert(a_staff(username)) for username in usernames])
        assert [site.site_id for site in store.sites()] == sorted(site_ids)
        assert [member.username for member in store.all_staff()] == sorted(usernames)


class TestAudit:
    def test_one_day_oldest_first(self, store: Store) -> None:
        midnight = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())
        times = [midnight, midnight + 86_399, midnight + 40_000, midnight + 40_000]
        items = [an_audit_item(at, noise=f"{n:x}") for n, at in enumerate(times)]
        others = [an_audit_item(midnight - 1), an_audit_item(midnight + 86_400)]
        store.commit([Insert(item) for item in (*items, *others)])
        for limit in (1, 3, 10):
            found = every(partial(store.audit, day="2026-11-21", limit=limit))
            assert_same(tuple(found), tuple(sorted(items, key=lambda item: item.audit_id)))


class TestCounters:
    def test_each_member_of_each_bucket_counts_for_itself(self, store: Store) -> None:
        later = 4_000_000_000
        assert store.count("minute/1", ["ip"], expires_at=later) == (1,)
        assert store.count("minute/1", ["ip", "wallet"], expires_at=later) == (2, 1)
        assert store.count("minute/1", ["wallet", "ip"], expires_at=later) == (2, 3)
        assert store.count("minute/2", ["ip"], expires_at=later) == (1,)

    def test_nobody_and_somebody_named_twice(self, store: Store) -> None:
        assert store.count("bucket", [], expires_at=4_000_000_000) == ()
        assert store.count("bucket", ["a", "b", "a"], expires_at=4_000_000_000) == (1, 1, 1)
        assert store.count("bucket", ["a"], expires_at=4_000_000_000) == (2,)

    def test_names_of_the_whole_world(self, store: Store) -> None:
        members = ["2001:db8::/64", "#m0", ":one", UNICODE, "a b", "n:x"]
        assert store.count(UNICODE, members, expires_at=4_000_000_000) == (1,) * 6
        assert store.count(UNICODE, members, expires_at=4_000_000_000) == (2,) * 6


class TestPurge:
    def test_only_what_ran_out_may_go(self, store: Store) -> None:
        store.commit([Insert(record) for record in ONE_OF_EACH])
        expiring = [
            record
            for record in ONE_OF_EACH
            if isinstance(record, Reservation | Session | WalletNonce)
        ]
        store.purge(min(record.expires_at for record in expiring) - 1)
        for record in ONE_OF_EACH:
            assert_same(stored(store, record), record)
        removed = store.purge(max(record.expires_at for record in expiring))
        left = [record for record in expiring if stored(store, record) is not None]
        assert removed == len(expiring) - len(left)
        for record in ONE_OF_EACH:
            if record not in expiring:
                assert_same(stored(store, record), record)

    def test_counters_that_ran_out_may_begin_anew(self, store: Store) -> None:
        store.count("minute/1", ["ip"], expires_at=1_000)
        store.count("minute/2", ["ip"], expires_at=4_000_000_000)
        store.purge(2_000)
        assert store.count("minute/1", ["ip"], expires_at=1_000) in ((1,), (2,))
        assert store.count("minute/2", ["ip"], expires_at=4_000_000_000) == (2,)


def test_every_kind_of_record_is_covered() -> None:
    assert {type(record) for record in ONE_OF_EACH} == set(RECORDS)
    assert {key_of(record)[0] for record in ONE_OF_EACH} == {
        "audit", "catalogue", "cursor", "exception", "history", "nonce", "order", "redemption",
        "reservation", "session", "site", "staff",
    }  # fmt: skip


def test_memory_takes_as_few_changes_as_it_is_told() -> None:
    store = MemoryStore(max_changes=MAX_CHANGES)
    entries = [a_redemption(serial) for serial in range(1, MAX_CHANGES + 2)]
    with pytest.raises(ValueError, match=f"a commit takes 1 to {MAX_CHANGES} changes"):
        store.commit(list(map(Insert, entries)))
    store.commit(list(map(Insert, entries[:MAX_CHANGES])))
    with pytest.raises(ValueError, match=f"at most {MAX_CHANGES} serials"):
        store.redemptions(1, MAX_CHANGES + 1)
    assert store.redemptions(1, MAX_CHANGES) == tuple(entries[:MAX_CHANGES])
