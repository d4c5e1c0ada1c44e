"""Many writers at once, in threads and in processes, on every engine that races can be proved on.

All start together at a barrier; nothing waits for luck.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import Refused, Unavailable
from chalicelib.domain.exceptions import ExceptionKind, raise_exception
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.orders import Actor, ActorKind, OrderStatus
from chalicelib.domain.redemptions import Outcome, Redemption
from chalicelib.domain.staff import Session, Staff, same_secret, token_hash
from chalicelib.ports import (
    MAX_CHANGES,
    Change,
    Check,
    Conflict,
    Insert,
    Record,
    Store,
    Update,
)
from chalicelib.usecases.resolve_exception import Resolver, dismiss_exception, honour_exception
from chalicelib.usecases.staff_sessions import SignedIn, log_in, refresh_session
from chalicelib.usecases.tokens import Token
from tests.contract.data import Data
from tests.contract.team import (
    MAX_TRIES,
    PROCESSES,
    WAIT_SECONDS,
    OsEntropy,
    Team,
    add_failures,
    at_once,
    count_at_once,
    deliver_at_once,
)
from tests.fakes import (
    NOW,
    CountingEntropy,
    QuickPasswords,
    a_block,
    a_burn,
    a_staff,
    an_order,
    in_status,
)

pytestmark = pytest.mark.race

DESKS = 32
DAY = "2026-11-21"
"""When it is `NOW`."""


def next_version(record: Record) -> Record:
    return replace(record, version=record.version + 1)


def wins(store: Store, *changes: Change) -> bool:
    """Whether a commit was stored; anything but a conflict fails."""
    try:
        store.commit(changes)
    except Conflict:
        return False
    return True


def until_it_wins(attempt: Callable[[], bool]) -> None:
    """Try again after each conflict, not for ever."""
    for _ in range(MAX_TRIES):
        if attempt():
            return
    raise AssertionError(f"never got through in {MAX_TRIES} tries")


@pytest.fixture
def desks() -> list[Staff]:
    return [a_staff(f"desk{number:02}") for number in range(DESKS)]


class TestOneOrderManyDesks:
    def test_one_of_32_threads_delivers(self, data: Data, desks: list[Staff]) -> None:
        order = in_status(OrderStatus.VALID)
        data.open().commit([Insert(order)])
        delivered = deliver_at_once(data.opener, order.order_id, desks, NOW + 100)
        self.delivered_once(data, delivered, desks)

    def test_one_of_4_processes_with_8_threads_delivers(
        self, data: Data, desks: list[Staff], team: Team
    ) -> None:
        order = in_status(OrderStatus.VALID)
        data.open().commit([Insert(order)])
        share = DESKS // PROCESSES
        delivered = team.at_once(
            [
                partial(
                    deliver_at_once,
                    data.opener,
                    order.order_id,
                    desks[number * share : (number + 1) * share],
                    NOW + 100,
                )
                for number in range(PROCESSES)
            ]
        )
        self.delivered_once(data, [one for part in delivered for one in part], desks)

    def delivered_once(self, data: Data, delivered: list[bool], desks: list[Staff]) -> None:
        assert len(delivered) == DESKS
        assert sum(delivered) == 1
        winner = desks[delivered.index(True)].username
        order = data.open().order(in_status(OrderStatus.VALID).order_id)
        assert order is not None
        assert order.delivery is not None
        assert (order.delivery.by, order.delivery.note) == (winner, winner)
        assert order.version == in_status(OrderStatus.VALID).version + 1
        moves = [entry for entry in order.history if entry.target is OrderStatus.DELIVERED]
        assert [entry.actor.name for entry in moves] == [winner]


class MeetingStore:
    """A store whose readers of a session wait for one another, so that all decide on the same."""

    def __init__(self, store: Store, meeting: threading.Barrier) -> None:
        self._store = store
        self._meeting = meeting

    def session(self, session_id: str) -> Session | None:
        """See `Store`."""
        found = self._store.session(session_id)
        self._meeting.wait(WAIT_SECONDS)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class TestOneRefreshToken:
    @pytest.mark.parametrize("lost", [0, 1], ids=["first use", "answer lost"])
    def test_of_many_that_send_it_at_once_one_is_answered(self, data: Data, lost: int) -> None:
        """The others are told to try again; nothing they made is left, and the session goes on."""
        stores = [data.open(), data.open()]
        senders = 8
        stores[0].commit([Insert(a_staff())])
        signed_in = log_in(
            a_staff().username,
            "correct horse battery",
            store=stores[0],
            passwords=QuickPasswords(),
            entropy=OsEntropy(),
            now=NOW,
            request_id="req",
        )
        for _ in range(lost):
            refreshed(stores[0], signed_in.refresh_token)
        meeting = threading.Barrier(senders)
        meeting_stores: list[Any] = [MeetingStore(store, meeting) for store in stores]

        def send(number: int) -> SignedIn | None:
            try:
                return refreshed(meeting_stores[number % 2], signed_in.refresh_token)
            except Unavailable:
                return None

        answers = at_once([partial(send, number) for number in range(senders)])
        (answered,) = [answer for answer in answers if answer is not None]
        session = stores[0].session(answered.access_token.session_id)
        assert session is not None
        assert session.version == 1 + lost + 1
        assert same_secret(answered.access_token.secret, session.access_hash)
        assert same_secret(answered.refresh_token.secret, session.refresh_hash)
        assert (session.spent_hash, session.spent_at) == (
            token_hash(signed_in.refresh_token.secret),
            NOW,
        )
        told = [item.action for item in stores[0].audit(day=DAY, limit=10).items]
        assert sorted(told) == [AuditAction.LOGIN, AuditAction.REFRESH_REPEATED][: 1 + lost]


def refreshed(store: Store, token: Token) -> SignedIn:
    return refresh_session(str(token), store=store, entropy=OsEntropy(), now=NOW, request_id="req")


class TestOneWinner:
    def test_of_many_inserts(self, data: Data) -> None:
        stores = [data.open(), data.open()]
        for number in range(5):
            reservations = [
                Reservation(f"key{number}", f"order{n}", "digest", NOW) for n in range(16)
            ]
            won = at_once(
                [
                    partial(wins, stores[n % 2], Insert(reservation))
                    for n, reservation in enumerate(reservations)
                ]
            )
            assert sum(won) == 1
            assert stores[0].reservation(f"key{number}") == reservations[won.index(True)]

    def test_of_many_orders_with_one_hash(self, data: Data) -> None:
        store = data.open()
        order_hash = an_order().order_hash
        orders = [replace(an_order(number), order_hash=order_hash) for number in range(8)]
        won = at_once([partial(wins, store, Insert(order)) for order in orders])
        assert sum(won) == 1
        assert store.order_by_hash(order_hash) == orders[won.index(True)]
        assert [store.order(order.order_id) is not None for order in orders] == won

    def test_of_many_administrators(self, data: Data) -> None:
        stores = [data.open(), data.open()]
        order = replace(in_status(OrderStatus.EXPIRED), version=1)
        burn = a_burn(order, block=a_block(time=order.expires_at + 1))
        late = raise_exception(burn, ExceptionKind.LATE, NOW)
        entry = Redemption(burn, Outcome.LATE, final=True)
        records: list[Record] = [order, late, entry]
        stores[0].commit(list(map(Insert, records)))

        def resolves(number: int) -> bool:
            by = Resolver(
                store=stores[number % 2],
                entropy=CountingEntropy(str(number)),
                actor=Actor(ActorKind.ADMIN, f"admin{number}"),
                reason="raced",
                now=NOW,
                request_id="req",
            )
            way = honour_exception if number % 3 else dismiss_exception
            try:
                return way(late.exception_id, by).record.resolution is not None
            except Refused as refused:
                return refused.code != "ALREADY_RESOLVED"

        won = at_once([partial(resolves, number) for number in range(12)])
        assert sum(won) == 1
        stored = stores[0].exception(late.exception_id)
        assert stored is not None
        assert stored.resolution is not None
        assert stored.resolution.actor.name == f"admin{won.index(True)}"
        after = stores[0].order(order.order_id)
        assert after is not None
        assert (after.status is OrderStatus.VALID) == (won.index(True) % 3 != 0)
        (audited,) = stores[0].audit(day="2026-11-21", limit=50).items
        assert audited.actor == stored.resolution.actor


class TestOppositeOrders:
    """Two records changed in both orders at once: no deadlock, and no update is lost."""

    NAMES = ("anna", "binh")
    TIMES = 20

    def prepared(self, data: Data) -> Store:
        store = data.open()
        store.commit([Insert(a_staff(name)) for name in self.NAMES])
        return store

    def nothing_lost(self, store: Store, added: int) -> None:
        for name in self.NAMES:
            member = store.staff(name)
            assert member is not None
            assert (member.failures, member.version) == (added, added + 1)

    def test_in_threads(self, data: Data) -> None:
        store = self.prepared(data)
        at_once(
            [
                partial(add_failures, data.opener, self.NAMES[::direction], self.TIMES)
                for direction in (1, -1, 1, -1)
            ]
        )
        self.nothing_lost(store, 4 * self.TIMES)

    def test_in_processes(self, data: Data, team: Team) -> None:
        store = self.prepared(data)
        team.at_once(
            [
                partial(add_failures, data.opener, self.NAMES[::direction], self.TIMES)
                for direction in (1, -1, 1, -1)
            ]
        )
        self.nothing_lost(store, PROCESSES * self.TIMES)


class TestWriteSkew:
    def test_two_that_rely_on_what_the_other_changes(self, data: Data) -> None:
        """Each checks the one and changes the other: both together would leave nobody on duty."""
        one, other = data.open(), data.open()
        rounds = 15
        won = 0
        for number in range(rounds):
            here, there = a_staff(f"here{number:02}"), a_staff(f"there{number:02}")
            one.commit([Insert(here), Insert(there)])
            leave = partial(replace, disabled=True, version=2)
            left = at_once(
                [
                    partial(wins, one, Check(here), Update(leave(there))),
                    partial(wins, other, Check(there), Update(leave(here))),
                ]
            )
            assert sum(left) <= 1
            now = [one.staff(member.username) for member in (there, here)]
            assert [member is not None and member.disabled for member in now] == left
            won += sum(left)
        assert won > 0

    def test_a_check_alone_sees_no_half_of_a_commit(self, data: Data) -> None:
        """Two records always change together: checking both in unlike versions never succeeds."""
        writer, reader = data.open(), data.open()
        pair = [a_staff("anna"), a_staff("binh")]
        writer.commit([Insert(member) for member in pair])
        last = 30
        done = threading.Event()

        def write() -> None:
            try:
                for version in range(2, last + 1):
                    updates = [Update(replace(member, version=version)) for member in pair]
                    until_it_wins(partial(wins, writer, *updates))
            finally:
                done.set()

        def check() -> int:
            torn = 0
            while not done.is_set():
                seen = reader.staff("anna")
                assert seen is not None
                older = replace(pair[1], version=max(1, seen.version - 1))
                if older.version < seen.version:
                    torn += wins(reader, Check(seen), Check(older))
            return torn

        tasks: list[Callable[[], int | None]] = [write, check]
        assert at_once(tasks)[1] == 0


class TestSlices:
    def test_a_slice_of_100_is_stored_whole_or_not_at_all(self, data: Data) -> None:
        """A scan commits slices while somebody keeps changing one entry in the middle."""
        scanner, meddler = data.open(), data.open()
        serials = range(1, MAX_CHANGES + 1)
        middle = MAX_CHANGES // 2
        scanner.commit([Insert(an_entry(serial)) for serial in serials])
        slices, meddlings = 6, 25

        def marks() -> set[int]:
            return {entry.burn.log_index for entry in scanner.redemptions(1, MAX_CHANGES)}

        def scanned(mark: int) -> bool:
            fresh = [
                replace(entry, burn=replace(entry.burn, log_index=mark), version=entry.version + 1)
                for entry in scanner.redemptions(1, MAX_CHANGES)
            ]
            won = wins(scanner, *map(Update, fresh))
            assert marks() == {mark if won else mark - 1}
            return won

        def scan() -> None:
            for mark in range(1, slices + 1):
                until_it_wins(partial(scanned, mark))

        def meddle() -> None:
            for _ in range(meddlings):
                until_it_wins(partial(self.meddled, meddler, middle))

        at_once([scan, meddle])
        versions = {entry.serial: entry.version for entry in scanner.redemptions(1, MAX_CHANGES)}
        assert versions.pop(middle) == 1 + slices + meddlings
        assert set(versions.values()) == {1 + slices}

    def meddled(self, store: Store, serial: int) -> bool:
        (known,) = store.redemptions(serial, serial)
        return wins(store, Update(replace(known, final=not known.final, version=known.version + 1)))


def an_entry(serial: int) -> Redemption:
    burn = replace(a_burn(an_order(serial), serial=serial), log_index=0)
    return Redemption(burn, Outcome.MATCHED, final=False)


class TestCounters:
    TIMES = 10

    def test_no_count_is_lost_in_threads(self, data: Data) -> None:
        counted = at_once([partial(count_at_once, data.opener, 2, self.TIMES)] * 4)
        values = sorted(value for part in counted for value in part)
        assert values == list(range(1, 4 * 2 * self.TIMES + 1))

    def test_no_count_is_lost_in_processes(self, data: Data, team: Team) -> None:
        counted = team.at_once([partial(count_at_once, data.opener, 2, self.TIMES)] * PROCESSES)
        values = sorted(value for part in counted for value in part)
        assert values == list(range(1, PROCESSES * 2 * self.TIMES + 1))
