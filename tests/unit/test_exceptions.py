"""Exceptions: raised by the listener, resolved once by an administrator, in one commit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    Unavailable,
    VoucherError,
)
from chalicelib.domain.exceptions import (
    EXCEPTION_ID,
    LONGEST_REASON,
    Episode,
    ExceptionKind,
    ExceptionRecord,
    Resolution,
    ResolutionKind,
    acknowledge,
    check_reason,
    dismiss,
    exception_id,
    exception_place,
    honour,
    kind_of,
    raise_exception,
    reissue,
    withdraw,
)
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    add_transaction_hint,
    note_exception,
)
from chalicelib.domain.progress import Cursor, advance
from chalicelib.domain.redemptions import Burn, Outcome, Redemption, orphan
from chalicelib.ports import Insert, Store, Update
from chalicelib.usecases.resolve_exception import (
    Resolved,
    Resolver,
    acknowledge_incident,
    dismiss_exception,
    honour_exception,
    load_exception,
    reissue_exception,
)
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    LISTENER,
    NOW,
    OPERATOR,
    STRANGER,
    TTL,
    CountingEntropy,
    EverConflictingStore,
    InterruptedStore,
    a_block,
    a_burn,
    an_order,
    in_status,
    stored,
)
from tests.strategies import burns

LATER = NOW + TTL + 600
MINT = "0x" + "5e" * 32
TODAY = "2026-11-21"
KINDS = tuple(kind for kind in ExceptionKind if kind is not ExceptionKind.DELIVERED_REORGED)
CLOSED = (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
BY: dict[str, Any] = {"actor": OPERATOR, "at": LATER, "reason": "our page was down"}
LISTENER_SAYS: dict[str, Any] = {"actor": LISTENER, "at": LATER, "reason": "burn gone"}


def a_late_burn(order: Order, **changes: Any) -> Burn:
    block = a_block(time=order.expires_at + 30)
    return replace(a_burn(order, serial=12, block=block), **changes)


def a_record(kind: ExceptionKind = ExceptionKind.LATE, burn: Burn | None = None) -> ExceptionRecord:
    return raise_exception(burn or a_late_burn(an_order()), kind, NOW)


def an_expired_order() -> Order:
    return note_exception(in_status(OrderStatus.EXPIRED), Outcome.LATE)


def a_final_entry(burn: Burn, outcome: Outcome = Outcome.LATE) -> Redemption:
    return Redemption(burn, outcome, final=True)


# ------------------------------------------------------------------------------------------ records


def test_every_outcome_but_matched_is_an_exception() -> None:
    told = [kind_of(outcome) for outcome in Outcome if outcome is not Outcome.MATCHED]
    assert told == list(KINDS)
    with pytest.raises(ValueError, match="MATCHED"):
        kind_of(Outcome.MATCHED)


@given(burns, burns)
def test_ids_tell_serial_and_transaction_and_sort_by_serial(one: Burn, other: Burn) -> None:
    ids = [exception_id(burn) for burn in (one, other)]
    assert all(EXCEPTION_ID.fullmatch(each) for each in ids)
    assert ids[0].split("-") == [str(one.serial), one.tx_hash[2:10]]
    if one.serial != other.serial:
        first, second = map(exception_place, ids)
        assert (first < second) == (one.serial < other.serial)


def test_one_that_is_raised_twice_is_the_same() -> None:
    record = a_record()
    assert raise_exception(record.burn, record.kind, LATER, record) is record
    moved = replace(record.burn, block=a_block(130))
    assert raise_exception(moved, ExceptionKind.ORDER_CLOSED, LATER, record) == replace(
        record, burn=moved, kind=ExceptionKind.ORDER_CLOSED, version=2
    )


def test_one_that_the_chain_undid_opens_anew_and_forgets_nothing() -> None:
    first = a_record()
    gone = withdraw(first, **LISTENER_SAYS)
    assert gone.resolution == Resolution(ResolutionKind.WITHDRAWN, LATER, LISTENER, "burn gone")
    assert withdraw(gone, **LISTENER_SAYS) is gone
    back = raise_exception(first.burn, ExceptionKind.LATE, LATER + 9, gone)
    assert back.is_open
    assert (back.raised_at, back.version) == (LATER + 9, 3)
    assert back.earlier == (Episode(ExceptionKind.LATE, NOW, gone.resolution),)


@pytest.mark.parametrize("given_back", [True, False])
def test_what_was_given_back_or_dismissed_stays_so_when_its_burn_comes_again(
    given_back: bool,
) -> None:
    record = a_record()
    done = reissue(record, **BY, tx_hash=MINT) if given_back else dismiss(record, **BY)
    assert raise_exception(record.burn, ExceptionKind.ORDER_CLOSED, LATER, done) is done
    incident = raise_exception(record.burn, ExceptionKind.DELIVERED_REORGED, LATER, done)
    assert incident.is_open


def test_what_was_honoured_has_to_be_honoured_again_after_a_fork() -> None:
    record = a_record()
    done, _ = honour(
        record, order=an_expired_order(), entry=a_final_entry(record.burn), request_id="r", **BY
    )
    again = raise_exception(record.burn, ExceptionKind.LATE, LATER + 1, done)
    assert again.is_open
    assert [one.resolution.kind for one in again.earlier] == [ResolutionKind.HONOUR]


def test_an_incident_opens_again_after_it_was_acknowledged() -> None:
    record = a_record(ExceptionKind.DELIVERED_REORGED)
    seen = acknowledge(record, **BY)
    assert raise_exception(record.burn, record.kind, LATER, seen).is_open


# ---------------------------------------------------------------------------------------- honouring


@pytest.mark.parametrize("status", CLOSED)
@pytest.mark.parametrize("kind", ["LATE", "ORDER_CLOSED", "WRONG_TOKEN", "WRONG_AMOUNT"])
def test_honouring_makes_the_order_valid_with_its_burn(status: OrderStatus, kind: str) -> None:
    order = note_exception(in_status(status), Outcome(kind))
    odd: dict[str, Any] = {"WRONG_TOKEN": {"token_id": 2001}, "WRONG_AMOUNT": {"amount": 7}}
    burn = a_late_burn(order, **odd.get(kind, {}))
    entry = a_final_entry(replace(burn, block=a_block(131)), Outcome(kind))

    done, valid = honour(
        a_record(ExceptionKind(kind), burn), order=order, entry=entry, request_id="req-9", **BY
    )

    assert done.resolution == Resolution(
        ResolutionKind.HONOUR, LATER, OPERATOR, "our page was down"
    )
    assert (valid.status, valid.burn, valid.exception) == (OrderStatus.VALID, entry.burn, None)
    move = valid.history[-1]
    assert (move.source, move.target, move.actor, move.block, move.request_id) == (
        status,
        OrderStatus.VALID,
        OPERATOR,
        131,
        "req-9",
    )
    assert move.reason == "exception honoured: our page was down"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", OrderStatus)
def test_only_a_closed_order_without_burn_is_honoured(
    kind: ExceptionKind, status: OrderStatus
) -> None:
    order = in_status(status)
    record = a_record(kind, a_late_burn(order))
    ask = partial(
        honour, record, order=order, entry=a_final_entry(record.burn), request_id="r", **BY
    )
    if status in CLOSED:
        assert ask()[1].status is OrderStatus.VALID
        return
    with pytest.raises(Refused) as refused:
        ask()
    assert refused.value.code == "NOT_HONOURABLE"
    still_open = status in (OrderStatus.CREATED, OrderStatus.PENDING_CHAIN)
    told = "still open" if still_open else "has had another burn"
    assert told in refused.value.message


def test_a_strangers_burn_is_not_honoured() -> None:
    order = an_expired_order()
    burn = a_late_burn(order, user=STRANGER)
    with pytest.raises(Refused, match="another wallet burned than the order's"):
        honour(
            a_record(ExceptionKind.WRONG_WALLET, burn),
            order=order,
            entry=a_final_entry(burn),
            request_id="r",
            **BY,
        )


def test_a_burn_that_is_not_final_or_gone_is_not_honoured() -> None:
    order = an_expired_order()
    record = a_record(burn=a_late_burn(order))
    pending = replace(a_final_entry(record.burn), final=False)
    other = a_final_entry(replace(record.burn, tx_hash=MINT))
    for entry, told in (
        (pending, "is not final now"),
        (orphan(pending), "no longer on the chain"),
        (other, "no longer on the chain"),
    ):
        with pytest.raises(Refused, match=told):
            honour(record, order=order, entry=entry, request_id="r", **BY)


# ------------------------------------------------------------------------------ what all have in it


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("", "required"),
        (" \t ", "required"),
        ("x" * (LONGEST_REASON + 1), "length"),
        ("two\nlines", "characters"),
        ("\x1b[31mred", "characters"),
        ("turned \u202eround", "characters"),
    ],
)
def test_a_reason_is_one_short_line(reason: str, rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        dismiss(a_record(), actor=OPERATOR, at=LATER, reason=reason)
    assert [(one.field, one.rule) for one in refused.value.fields] == [("reason", rule)]


def test_a_reason_may_be_in_any_language() -> None:
    assert check_reason("  khách đến trễ vì mưa ☔ ") == "khách đến trễ vì mưa ☔"
    assert check_reason("x" * LONGEST_REASON) == "x" * LONGEST_REASON


@pytest.mark.parametrize("tx_hash", ["", "0x12", "5e" * 32, "0x" + "zz" * 32])
def test_a_mint_is_a_transaction_hash(tx_hash: str) -> None:
    with pytest.raises(InvalidInput, match="txHash: must be 0x followed by 64 hexadecimal digits"):
        reissue(a_record(), **BY, tx_hash=tx_hash)


def test_the_burn_itself_gave_nothing_back() -> None:
    record = a_record()
    with pytest.raises(InvalidInput, match="txHash: is the burn itself"):
        reissue(record, **BY, tx_hash=record.burn.tx_hash)
    done = reissue(record, **BY, tx_hash=MINT.upper().replace("X", "x"))
    assert done.resolution is not None
    assert done.resolution.tx_hash == MINT


@pytest.mark.parametrize("kind", ExceptionKind)
def test_incidents_are_acknowledged_and_all_others_are_not(kind: ExceptionKind) -> None:
    record = a_record(kind)
    ways: list[Callable[[], object]] = [
        partial(dismiss, record, **BY),
        partial(reissue, record, **BY, tx_hash=MINT),
    ]
    seen = partial(acknowledge, record, **BY)
    right, wrong = ([seen], ways) if kind is ExceptionKind.DELIVERED_REORGED else (ways, [seen])
    for way in right:
        way()
    for way in wrong:
        with pytest.raises(Refused) as refused:
            way()
        assert refused.value.code == "WRONG_RESOLUTION"


def test_one_that_is_resolved_says_how_by_whom_and_when() -> None:
    done = dismiss(a_record(), **BY)
    for again in (partial(dismiss, done, **BY), partial(reissue, done, **BY, tx_hash=MINT)):
        with pytest.raises(Refused) as refused:
            again()
        assert refused.value.code == "ALREADY_RESOLVED"
        assert refused.value.message == (
            f"Exception {done.exception_id} is resolved already: DISMISS by operator"
            " at 2026-11-21T10:40:00Z."
        )


class RecordMachine(RuleBasedStateMachine):
    """Whatever chain and people do, in any order: one end to each time it was raised."""

    @initialize(kind=st.sampled_from(ExceptionKind))
    def begin(self, kind: ExceptionKind) -> None:
        """Raised for the first time."""
        self.record = a_record(kind)
        self.ended: list[Episode] = []

    def become(self, after: ExceptionRecord) -> None:
        """A change counts, and no change does not."""
        assert after.version == self.record.version + (after != self.record)
        done = after.resolution
        if done is not None and self.record.is_open:
            self.ended.append(Episode(after.kind, after.raised_at, done))
        self.record = after

    @rule(kind=st.sampled_from(ExceptionKind), height=st.integers(100, 120))
    def chain_raises(self, kind: ExceptionKind, height: int) -> None:
        """The same transaction, wherever it is mined now."""
        before = self.record
        burn = replace(before.burn, block=a_block(height))
        self.become(raise_exception(burn, kind, LATER, before))
        kept = before.resolution is not None and before.resolution.kind in (
            ResolutionKind.DISMISS,
            ResolutionKind.REISSUE,
        )
        if kept and kind is not ExceptionKind.DELIVERED_REORGED:
            assert self.record is before
        else:
            assert self.record.is_open
            assert (self.record.kind, self.record.burn) == (kind, burn)

    @rule()
    def chain_withdraws(self) -> None:
        """The burn is gone."""
        self.become(withdraw(self.record, **LISTENER_SAYS))
        assert not self.record.is_open

    @rule(
        way=st.sampled_from([dismiss, acknowledge, partial(reissue, tx_hash=MINT)]),
    )
    def person_resolves(self, way: Callable[..., ExceptionRecord]) -> None:
        """At most once."""
        incident = self.record.kind is ExceptionKind.DELIVERED_REORGED
        if self.record.is_open and incident == (way is acknowledge):
            self.become(way(self.record, **BY))
            return
        with pytest.raises(Refused) as refused:
            way(self.record, **BY)
        wrong = "WRONG_RESOLUTION" if self.record.is_open else "ALREADY_RESOLVED"
        assert refused.value.code == wrong

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Every end is there, in order, the last one outside of what is earlier."""
        record = self.record
        told = [*record.earlier]
        if record.resolution is not None:
            told.append(Episode(record.kind, record.raised_at, record.resolution))
        assert told == self.ended


TestRecordMachine = RecordMachine.TestCase
TestRecordMachine.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


# --------------------------------------------------------------------------------------- in a store


def a_cursor(*halts: str) -> Cursor:
    return Cursor(
        proven=a_block(140),
        last_serial=20,
        expired_through=NOW,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        halts=halts,
    )


@dataclass
class World:
    """A store with an order, its burn's ledger entry and the exception about it."""

    store: MemoryStore
    order: Order
    entry: Redemption
    record: ExceptionRecord

    def by(self, store: Store | None = None, **changes: Any) -> Resolver:
        plain = Resolver(
            store=store or self.store,
            entropy=CountingEntropy(str(changes)),
            actor=OPERATOR,
            reason="our page was down",
            now=LATER,
            request_id="req-cli",
        )
        return replace(plain, **changes)

    def now(self) -> ExceptionRecord:
        return load_exception(self.store, self.record.exception_id)

    def the_order(self) -> Order:
        order = self.store.order(self.order.order_id)
        assert order is not None
        return order


def a_world(kind: ExceptionKind = ExceptionKind.LATE, *halts: str) -> World:
    order = replace(an_expired_order(), version=1)
    burn = a_late_burn(order)
    entry = a_final_entry(burn)
    record = raise_exception(burn, kind, NOW)
    store = stored(MemoryStore(), order, entry, record, a_cursor(*halts))
    return World(store, order, entry, record)


def audited(store: MemoryStore) -> tuple[AuditItem, ...]:
    return store.audit(day=TODAY, limit=100).items


def test_honouring_stores_order_exception_and_audit_at_once() -> None:
    world = a_world()
    watched = InterruptedStore(world.store)
    done = honour_exception(world.record.exception_id, world.by(watched))
    assert len(watched.commits) == 1
    assert world.now() == done.record
    assert world.the_order() == done.order
    assert (world.the_order().status, world.the_order().exception) == (OrderStatus.VALID, None)
    (item,) = audited(world.store)
    assert (item.action, item.actor, item.subject, item.request_id) == (
        AuditAction.EXCEPTION_RESOLVED,
        OPERATOR,
        world.order.order_hash,
        "req-cli",
    )
    assert item.detail == {
        "exception": world.record.exception_id,
        "resolution": "HONOUR",
        "reason": "our page was down",
    }


def test_reissuing_keeps_the_mint_and_leaves_the_order() -> None:
    world = a_world()
    done = reissue_exception(world.record.exception_id, world.by(), tx_hash=MINT)
    assert world.now() == done.record
    assert world.the_order() == world.order
    (item,) = audited(world.store)
    assert item.detail["txHash"] == MINT


WAYS: dict[str, Callable[[str, Resolver], Resolved]] = {
    "HONOUR": honour_exception,
    "REISSUE": partial(reissue_exception, tx_hash=MINT),
    "DISMISS": dismiss_exception,
}


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_an_exception_is_resolved_once(first: str, second: str) -> None:
    world = a_world()
    WAYS[first](world.record.exception_id, world.by())
    done = world.now()
    with pytest.raises(Refused, match=f"is resolved already: {first} by operator at 2026"):
        WAYS[second](world.record.exception_id, world.by())
    assert world.now() == done
    assert len(audited(world.store)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_tells_the_same_and_changes_nothing(way: str) -> None:
    tried, world = a_world(), a_world()
    would = WAYS[way](tried.record.exception_id, tried.by(dry_run=True))
    assert tried.now() == tried.record
    assert tried.the_order() == tried.order
    assert audited(tried.store) == ()
    assert would == WAYS[way](world.record.exception_id, world.by())


@pytest.mark.parametrize("kind", [one for one in ActorKind if one is not ActorKind.ADMIN])
def test_only_an_administrator_resolves(kind: ActorKind) -> None:
    world = a_world()
    with pytest.raises(Forbidden):
        dismiss_exception(world.record.exception_id, world.by(actor=Actor(kind, "somebody")))
    assert world.now().is_open


@pytest.mark.parametrize("name", ["", "12", "12-", "0-00000000", "12-9F3C01AB", "x" * 500, "\0"])
def test_a_malformed_id_is_told_the_rule(name: str) -> None:
    with pytest.raises(InvalidInput, match="exceptionId: is <serial>-<8 hexadecimal digits>"):
        dismiss_exception(name, a_world().by())


def test_an_exception_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="There is no exception 99-00000000"):
        dismiss_exception("99-00000000", a_world().by())


def test_a_burn_without_order_or_ledger_entry_is_not_honoured() -> None:
    nobody = a_record(ExceptionKind.UNKNOWN_ORDER)
    unledgered = replace(a_world(), store=stored(MemoryStore(), nobody, an_expired_order_stored()))
    nameless = replace(a_world(), store=stored(MemoryStore(), nobody))
    for world, told in ((nameless, "names no order"), (unledgered, "is not in the ledger")):
        with pytest.raises(Refused, match=told):
            honour_exception(nobody.exception_id, world.by())
        assert dismiss_exception(nobody.exception_id, world.by()).record.resolution


def an_expired_order_stored() -> Order:
    return replace(an_expired_order(), version=1)


def test_nothing_becomes_valid_while_an_incident_halts_the_books() -> None:
    world = a_world(ExceptionKind.LATE, "3-0badc0de")
    with pytest.raises(Refused, match="before somebody acknowledges 3-0badc0de") as refused:
        honour_exception(world.record.exception_id, world.by())
    assert refused.value.code == "HALTED"
    assert world.the_order() == world.order
    assert dismiss_exception(world.record.exception_id, world.by()).record.resolution


# ------------------------------------------------------------------------------------ who is faster


def test_an_order_that_changed_meanwhile_is_decided_anew() -> None:
    world = a_world()

    def hint() -> None:
        world.store.commit([Update(add_transaction_hint(world.the_order(), MINT))])

    store = InterruptedStore(world.store, before={1: hint})
    honour_exception(world.record.exception_id, world.by(store))
    assert world.the_order().status is OrderStatus.VALID
    assert world.the_order().transaction_hints == (MINT,)
    assert len(audited(world.store)) == 1


def test_a_burn_that_the_chain_takes_back_meanwhile_is_not_honoured() -> None:
    world = a_world()

    def take_back() -> None:
        world.store.commit([Update(replace(world.entry, final=False, version=2))])

    store = InterruptedStore(world.store, before={1: take_back})
    with pytest.raises(Refused, match="is not final now"):
        honour_exception(world.record.exception_id, world.by(store))
    assert world.the_order() == world.order
    assert world.now() == world.record


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_of_two_administrators_at_once_one_resolves(first: str, second: str) -> None:
    world = a_world()
    quick = world.by(actor=Actor(ActorKind.ADMIN, "quick"))

    def be_quick() -> None:
        WAYS[first](world.record.exception_id, quick)

    store = InterruptedStore(world.store, before={1: be_quick})
    with pytest.raises(Refused, match=f"{first} by quick"):
        WAYS[second](world.record.exception_id, world.by(store))
    assert len(audited(world.store)) == 1
    assert (world.the_order().status is OrderStatus.VALID) == (first == "HONOUR")


def test_one_that_another_resolves_while_it_is_read_is_told_as_such() -> None:
    world = a_world()

    class SlowRead(InterruptedStore):
        def order_by_hash(self, order_hash: str) -> Order | None:
            if world.now().is_open:
                quick = world.by(actor=Actor(ActorKind.ADMIN, "quick"))
                honour_exception(world.record.exception_id, quick)
            return world.store.order_by_hash(order_hash)

    with pytest.raises(Refused, match="is resolved already: HONOUR by quick"):
        honour_exception(world.record.exception_id, world.by(SlowRead(world.store)))


def test_whoever_never_comes_through_is_told() -> None:
    world = a_world()
    store = EverConflictingStore(world.store)
    with pytest.raises(Unavailable, match="Try again"):
        dismiss_exception(world.record.exception_id, world.by(store))
    assert len(store.commits) == 5


# ---------------------------------------------------------------------------------------- incidents


def an_incident(*others: str) -> World:
    burn = a_late_burn(an_order())
    return a_world(ExceptionKind.DELIVERED_REORGED, exception_id(burn), *others)


def test_acknowledging_takes_the_incident_out_of_the_cursor_in_the_same_commit() -> None:
    world = an_incident("3-0badc0de")
    store = InterruptedStore(world.store)
    done = acknowledge_incident(world.record.exception_id, world.by(store))
    assert len(store.commits) == 1
    assert done.halts == ("3-0badc0de",)
    assert world.store.cursor() == advance(
        a_cursor(world.record.exception_id, "3-0badc0de"), halts=("3-0badc0de",)
    )
    assert world.now() == done.record
    assert [item.detail["resolution"] for item in audited(world.store)] == ["ACKNOWLEDGE"]


def test_a_listener_that_moves_on_meanwhile_keeps_its_place() -> None:
    world = an_incident()

    def go_on() -> None:
        cursor = world.store.cursor()
        assert cursor is not None
        world.store.commit([Update(advance(cursor, last_serial=cursor.last_serial + 1))])

    store = InterruptedStore(world.store, before=dict.fromkeys((1, 2, 3), go_on))
    acknowledge_incident(world.record.exception_id, world.by(store))
    cursor = world.store.cursor()
    assert cursor is not None
    assert (cursor.last_serial, cursor.halts) == (23, ())
    assert len(audited(world.store)) == 1


def test_an_incident_is_acknowledged_where_the_cursor_knows_nothing_of_it() -> None:
    world = a_world(ExceptionKind.DELIVERED_REORGED)
    acknowledge_incident(world.record.exception_id, world.by())
    assert world.store.cursor() == a_cursor()
    bare = a_world(ExceptionKind.DELIVERED_REORGED)
    bare.store = stored(MemoryStore(), bare.record)
    assert not acknowledge_incident(bare.record.exception_id, bare.by()).record.is_open


def test_a_dry_run_leaves_the_cursor() -> None:
    world = an_incident()
    assert acknowledge_incident(world.record.exception_id, world.by(dry_run=True)).halts == ()
    assert world.store.cursor() == a_cursor(world.record.exception_id)


class ResolvingMachine(RuleBasedStateMachine):
    """Administrators, the listener and a customer at one store, interrupting each other."""

    @initialize()
    def begin(self) -> None:
        """A late burn; another's incident may follow."""
        self.world = a_world()
        self.store = self.world.store
        self.incident = raise_exception(
            a_burn(an_order(2), serial=3), ExceptionKind.DELIVERED_REORGED, NOW
        )
        self.ids = (self.world.record.exception_id, self.incident.exception_id)
        self.ends: dict[str, Resolution] = {}
        self.draws = 0

    def listener_raises(self) -> None:
        """The incident is found, or found again."""
        cursor, known = self.store.cursor(), self.store.exception(self.ids[1])
        assert cursor is not None
        record = raise_exception(self.incident.burn, self.incident.kind, NOW, known)
        if record is known:
            return
        halted = advance(cursor, halts=(*cursor.halts, record.exception_id))
        self.store.commit([Update(record) if known else Insert(record), Update(halted)])
        self.ends.pop(self.ids[1], None)

    def listener_goes_on(self) -> None:
        """The cursor moves."""
        cursor = self.store.cursor()
        assert cursor is not None
        self.store.commit([Update(advance(cursor, last_serial=cursor.last_serial + 1))])

    def chain_doubts(self) -> None:
        """The late burn is final, or no longer, unless its order was made by it."""
        (entry,) = self.store.redemptions(12, 12)
        if self.world.the_order().status is OrderStatus.EXPIRED:
            flipped = replace(entry, final=not entry.final, version=entry.version + 1)
            self.store.commit([Update(flipped)])

    def customer_hints(self) -> None:
        """The order changes, in nothing that matters."""
        order = self.world.the_order()
        hinted = add_transaction_hint(order, f"0x{order.version:064x}")
        if hinted is not order:
            self.store.commit([Update(hinted)])

    def somebody_dismisses(self) -> None:
        """Another administrator is faster."""
        if self.world.now().is_open:
            self.resolve("DISMISS", 0, self.store)

    EVENTS = (listener_raises, listener_goes_on, chain_doubts, customer_hints, somebody_dismisses)

    def resolve(self, way: str, which: int, store: Any) -> None:
        """Try; whatever comes of it is told truly."""
        self.draws += 1
        by = self.world.by(store, entropy=CountingEntropy(str(self.draws)))
        ways = {**WAYS, "ACKNOWLEDGE": acknowledge_incident}
        try:
            done = ways[way](self.ids[which], by)
        except VoucherError:
            return
        assert done.record.resolution is not None
        assert self.ids[which] not in self.ends
        self.ends[self.ids[which]] = done.record.resolution

    @rule(
        way=st.sampled_from([*WAYS, "ACKNOWLEDGE"]),
        which=st.integers(0, 1),
        meanwhile=st.dictionaries(st.integers(1, 3), st.sampled_from(EVENTS), max_size=3),
    )
    def administrator(
        self, way: str, which: int, meanwhile: dict[int, Callable[[Any], None]]
    ) -> None:
        """Resolves, while others act between what was read and what is stored."""
        before = {number: partial(event, self) for number, event in meanwhile.items()}
        self.resolve(way, which, InterruptedStore(self.store, before=before))

    @rule(event=st.sampled_from(EVENTS))
    def other(self, event: Callable[[Any], None]) -> None:
        """Somebody else acts alone."""
        event(self)

    @invariant()
    def books_agree(self) -> None:
        """Exceptions, order, cursor and audit tell one story."""
        late, incident = self.world.now(), self.store.exception(self.ids[1])
        known = [record for record in (late, incident) if record is not None]
        assert {r.exception_id: r.resolution for r in known if r.resolution} == self.ends
        end = late.resolution
        honoured = end is not None and end.kind is ResolutionKind.HONOUR
        order = self.world.the_order()
        assert (order.status is OrderStatus.VALID) == honoured
        assert (order.burn == late.burn) == honoured
        cursor = self.store.cursor()
        assert cursor is not None
        assert cursor.halts == tuple(r.exception_id for r in known[1:] if r.is_open)
        past = sum(len(record.earlier) for record in known)
        assert len(audited(self.store)) == len(self.ends) + past
        assert self.store.exceptions(open_only=True, limit=9).items == tuple(
            sorted((r for r in known if r.is_open), key=lambda r: r.serial)
        )


TestResolvingMachine = ResolvingMachine.TestCase
TestResolvingMachine.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
