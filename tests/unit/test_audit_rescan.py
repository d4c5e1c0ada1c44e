"""The audit re-scan: every log against its ledger entry and its order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.exceptions import (
    ExceptionRecord,
    exception_id,
    kind_of,
    raise_exception,
    withdraw,
)
from chalicelib.domain.orders import Actor, ActorKind, Order, OrderStatus, confirm_burn
from chalicelib.domain.redemptions import Burn, Outcome, Redemption
from chalicelib.domain.rescan import BURN_FIELDS
from chalicelib.ports import ChainUnavailable, Delete, Insert, Store, Update
from chalicelib.usecases.audit_rescan import MOST_LISTED, Rescan, audit_rescan
from chalicelib.usecases.reconcile import NotComparable
from tests.fakes import (
    LISTENER,
    NOW,
    STRANGER,
    TTL,
    a_block,
    a_burn,
    an_order,
    in_status,
    stored,
)
from tests.unit.test_reconcile import DEPLOYED, PRINT, FakeBooks, a_cursor

PAGE = 10
HEAD, PROVEN = 60, 50
FACTS: dict[str, Any] = {"at": NOW + 90, "request_id": "req-scan"}


def raised(burn: Burn, outcome: Outcome) -> tuple[ExceptionRecord, ...]:
    """What people look at, of a burn that is an exception."""
    return (
        () if outcome is Outcome.MATCHED else (raise_exception(burn, kind_of(outcome), NOW + 90),)
    )


@dataclass
class World:
    """A chain with burns of orders, the store that a listener filled from it, and a node."""

    store: MemoryStore = field(default_factory=lambda: MemoryStore(max_changes=PAGE))
    burns: list[Burn] = field(default_factory=list)
    told: Sequence[Burn] | None = None
    books: FakeBooks = field(default_factory=lambda: FakeBooks((), head=HEAD))

    def burn(self, order: Order, outcome: Outcome = Outcome.MATCHED, **changes: Any) -> Burn:
        """Burn for `order`, and let the ledger say what it came to."""
        serial = len(self.burns) + 1
        burn = a_burn(order, serial=serial, block=a_block(10 + serial), **changes)
        self.burns.append(burn)
        self.books.burns = self.burns
        stored(self.store, Redemption(burn, outcome, final=True), *raised(burn, outcome))
        return burn

    def matched(self, number: int, status: OrderStatus = OrderStatus.VALID) -> Burn:
        """An order that its burn made VALID."""
        order = an_order(number)
        burn = self.burn(order)
        valid = confirm_burn(order, burn, actor=LISTENER, **FACTS)
        stored(self.store, replace(valid, status=status))
        return burn

    def entry(self, serial: int) -> Redemption:
        (found,) = self.store.redemptions(serial, serial)
        return found

    def tamper(self, serial: int, **changes: Any) -> None:
        entry = self.entry(serial)
        self.store.commit([Update(replace(entry, version=entry.version + 1, **changes))])

    def tamper_order(self, order_hash: str, **changes: Any) -> None:
        order = self.store.order_by_hash(order_hash)
        assert order is not None
        self.store.commit([Update(replace(order, version=order.version + 1, **changes))])

    def rescan(self, store: Store | None = None) -> Rescan:
        if self.store.cursor() is None:
            stored(self.store, a_cursor(PROVEN, seen_serial=len(self.burns)))

        def read_logs(first: int, last: int) -> Iterator[Burn]:
            assert (first, last) == (DEPLOYED.block, PROVEN)
            burns = self.burns if self.told is None else self.told
            yield from (burn for burn in burns if burn.block.number <= last)

        return audit_rescan(
            store=store or self.store, books=self.books, read_logs=read_logs, deployed=DEPLOYED
        )

    def fields(self) -> list[tuple[int, str]]:
        """Which fields of which redemptions differ."""
        done = self.rescan()
        assert done.equal is (done.count == 0)
        assert done.count == len(done.differences)
        return [(one.serial, one.field) for one in done.differences]


@pytest.fixture
def world() -> World:
    world = World()
    for number in range(1, 4):
        world.matched(number)
    return world


# -------------------------------------------------------------------------------------------- equal


def test_every_log_of_every_page_is_read_and_equal(world: World) -> None:
    for number in range(4, 36):
        world.matched(number)
    done = world.rescan()
    assert (done.equal, done.logs, done.block) == (True, 35, a_block(PROVEN))


def test_a_contract_that_nobody_redeemed_from_is_equal() -> None:
    assert World().rescan().equal


def test_an_order_stays_equal_through_its_delivery(world: World) -> None:
    burn = world.matched(4, OrderStatus.DELIVERED)
    assert world.fields() == []
    # Forked out and mined again elsewhere: ledger and order follow.
    again = replace(burn, block=a_block(40, branch="b"), log_index=7)
    world.burns[3] = again
    world.tamper(4, burn=again, orphans=(burn,))
    assert world.fields() == [(4, "order")]
    world.tamper_order(burn.order_hash, burn=again)
    assert world.fields() == []


LATE_BLOCK = a_block(30, time=NOW + TTL + 1)


def _refusals() -> dict[str, tuple[Outcome, Order, dict[str, Any]]]:
    order = an_order(9)
    spent = in_status(OrderStatus.VALID, order)
    other = replace(spent, burn=replace(spent.burn or a_burn(order), serial=77))
    return {
        "wrong-wallet": (Outcome.WRONG_WALLET, order, {"user": STRANGER}),
        "wrong-token": (Outcome.WRONG_TOKEN, order, {"token_id": PRINT}),
        "wrong-amount": (Outcome.WRONG_AMOUNT, order, {"amount": 2}),
        "late": (Outcome.LATE, order, {"block": LATE_BLOCK}),
        "duplicate": (Outcome.DUPLICATE, other, {}),
        "order-closed": (Outcome.ORDER_CLOSED, in_status(OrderStatus.EXPIRED, order), {}),
    }


REFUSALS = _refusals()


def _refused(name: str) -> tuple[World, Burn]:
    world = World()
    outcome, order, changes = REFUSALS[name]
    stored(world.store, order)
    burn = replace(a_burn(order, block=a_block(30)), **changes)
    world.burns.append(burn)
    world.books.burns = world.burns
    stored(world.store, Redemption(burn, outcome, final=True), *raised(burn, outcome))
    return world, burn


@pytest.mark.parametrize("name", REFUSALS)
def test_exceptions_are_judged_again_and_equal(name: str) -> None:
    world, _ = _refused(name)
    assert world.fields() == []


def test_a_burn_of_no_order_is_equal(world: World) -> None:
    world.burn(an_order(50), Outcome.UNKNOWN_ORDER)
    assert world.fields() == []


@pytest.mark.parametrize("outcome", [Outcome.LATE, Outcome.ORDER_CLOSED, Outcome.WRONG_AMOUNT])
@pytest.mark.parametrize("by", [ActorKind.ADMIN, ActorKind.LISTENER])
def test_a_refused_burn_counts_only_where_an_administrator_honoured_it(
    outcome: Outcome, by: ActorKind
) -> None:
    name = outcome.lower().replace("_", "-")
    world, burn = _refused(name)
    closed = in_status(OrderStatus.EXPIRED, an_order(9))
    honoured = confirm_burn(closed, burn, actor=Actor(ActorKind.ADMIN, "boss1"), **FACTS)
    *before, last = honoured.history
    made = (*before, replace(last, actor=Actor(by, "boss1")))
    world.tamper_order(burn.order_hash, status=honoured.status, burn=burn, history=made)
    assert world.fields() == ([] if by is ActorKind.ADMIN else [(1, "outcome")])


# ------------------------------------------------------------------------- every field is looked at

WRONG_BURN: dict[str, dict[str, Any]] = {
    "user": {"user": STRANGER},
    "tokenId": {"token_id": PRINT},
    "amount": {"amount": 9},
    "orderHash": {"order_hash": "0x" + "ab" * 32},
    "txHash": {"tx_hash": "0x" + "cd" * 32},
    "logIndex": {"log_index": 5},
    "blockNumber": {"block": replace(a_block(12), number=13)},
    "blockHash": {"block": replace(a_block(12), hash="0x" + "ef" * 32)},
    "blockTime": {"block": replace(a_block(12), time=NOW)},
}


def test_every_field_of_a_log_has_its_test() -> None:
    assert WRONG_BURN.keys() == BURN_FIELDS.keys()


@pytest.mark.parametrize("name", WRONG_BURN)
def test_an_entry_that_says_otherwise_is_found(world: World, name: str) -> None:
    world.tamper(2, burn=replace(world.entry(2).burn, **WRONG_BURN[name]))
    assert world.fields() == [(2, name)]


@pytest.mark.parametrize("name", WRONG_BURN)
def test_both_sides_of_a_difference_are_told(world: World, name: str) -> None:
    right = world.entry(2).burn
    wrong = replace(right, **WRONG_BURN[name])
    world.tamper(2, burn=wrong)
    (told,) = world.rescan().differences
    value = BURN_FIELDS[name]
    assert (told.expected, told.stored) == (value(right), value(wrong))


def test_an_entry_that_is_not_final_is_found(world: World) -> None:
    world.tamper(2, final=False)
    assert world.fields() == [(2, "final")]


def test_an_entry_taken_for_an_orphan_is_found(world: World) -> None:
    world.tamper(2, orphans=(world.entry(2).burn,))
    assert world.fields() == [(2, "onChain")]


@pytest.mark.parametrize("serial", [1, 2, 3])
def test_a_missing_entry_is_found(world: World, serial: int) -> None:
    burn = world.entry(serial).burn
    world.store.commit([Delete(world.entry(serial))])
    (told,) = world.rescan().differences
    assert (told.serial, told.field) == (serial, "entry")
    assert (told.expected, told.stored) == (burn.tx_hash, None)


@pytest.mark.parametrize("serial", [4, 60], ids=["next", "pages-on"])
def test_an_entry_without_a_log_is_found(world: World, serial: int) -> None:
    made_up = a_burn(an_order(99), serial=serial, block=a_block(20))
    stored(world.store, Redemption(made_up, Outcome.MATCHED, final=True))
    stored(world.store, a_cursor(PROVEN, seen_serial=serial))
    assert world.fields() == [(serial, "entry")]


def test_a_lost_burn_is_no_entry_without_a_log(world: World) -> None:
    lost = a_burn(an_order(99), serial=4, block=a_block(20, branch="b"))
    stored(world.store, Redemption(lost, Outcome.MATCHED, final=False, orphans=(lost,)))
    assert world.fields() == []


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("wrong", [*Outcome])
def test_a_wrong_outcome_is_found(name: str, wrong: Outcome) -> None:
    world, _ = _refused(name)
    right = world.entry(1).outcome
    world.tamper(1, outcome=wrong)
    found = [field for _, field in world.fields() if field != "exception"]
    if wrong is right or (name, wrong) in NOT_TELLABLE:
        assert found == []
    else:
        assert found in (["outcome"], ["orderStatus"], ["order"])


NOT_TELLABLE = {("duplicate", Outcome.ORDER_CLOSED)}
"""Whether an order was spent or closed when the burn was read, nobody can tell afterwards."""


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.MATCHED])
def test_a_matched_burn_kept_as_an_exception_is_found(world: World, outcome: Outcome) -> None:
    world.tamper(2, outcome=outcome)
    assert world.fields() == [(2, "outcome"), (2, "exception")]


@pytest.mark.parametrize("withdrawn", [False, True])
def test_an_exception_that_nobody_is_shown_is_found(world: World, *, withdrawn: bool) -> None:
    burn = world.burn(an_order(50), Outcome.UNKNOWN_ORDER)
    record = world.store.exception(exception_id(burn))
    assert record is not None
    if withdrawn:
        gone = withdraw(record, actor=LISTENER, at=NOW + 99, reason="the chain no longer has it")
        world.store.commit([Update(gone)])
    else:
        world.store.commit([Delete(record)])
    (told,) = world.rescan().differences
    assert (told.serial, told.field, told.expected) == (4, "exception", "UNKNOWN_ORDER")
    assert told.stored == ("WITHDRAWN" if withdrawn else None)


def test_a_matched_burn_of_no_order_is_found(world: World) -> None:
    order = world.store.order_by_hash(world.burns[1].order_hash)
    assert order is not None
    world.store.commit([Delete(order)])
    assert world.fields() == [(2, "outcome")]


@pytest.mark.parametrize(
    "status", [one for one in OrderStatus if one not in {OrderStatus.VALID, OrderStatus.DELIVERED}]
)
def test_an_order_that_its_burn_did_not_make_valid_is_found(
    world: World, status: OrderStatus
) -> None:
    world.tamper_order(world.burns[1].order_hash, status=status)
    assert world.fields() == [(2, "orderStatus")]


@pytest.mark.parametrize("status", [OrderStatus.VALID, OrderStatus.DELIVERED])
@pytest.mark.parametrize(
    "changes", [None, {"tx_hash": "0x" + "cd" * 32}, {"amount": 9}, {"user": STRANGER}], ids=str
)
def test_an_order_that_says_another_burn_is_found(
    world: World, status: OrderStatus, changes: dict[str, Any] | None
) -> None:
    burn = world.burns[1]
    other = None if changes is None else replace(burn, **changes)
    world.tamper_order(burn.order_hash, status=status, burn=other)
    assert world.fields() == [(2, "order")]


def test_a_valid_order_says_where_its_burn_is(world: World) -> None:
    moved = replace(world.burns[1], block=a_block(13))
    world.tamper_order(moved.order_hash, burn=moved)
    assert world.fields() == [(2, "order")]


def test_many_differences_are_counted_and_the_first_are_listed(world: World) -> None:
    for serial in range(4, 41):
        world.burn(an_order(serial), Outcome.UNKNOWN_ORDER)
    for serial in range(1, 41):
        wrong = replace(world.entry(serial).burn, log_index=9, tx_hash="0x" + "cd" * 32)
        world.tamper(serial, burn=replace(wrong, user=STRANGER))
    done = world.rescan()
    assert done.count == 3 * 40
    assert len(done.differences) == MOST_LISTED
    assert done.differences[0].serial == 1


# ----------------------------------------------------------------------- while the listener goes on


class LivelyStore:
    """A store in which something happens before each reading of the ledger."""

    def __init__(self, store: Store, happens: Callable[[], None]) -> None:
        self._store, self._happens = store, happens

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        self._happens()
        return self._store.redemptions(first, last)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_burns_and_passes_meanwhile_are_no_difference(world: World) -> None:
    stored(world.store, a_cursor(PROVEN, seen_serial=3))
    come = iter(range(4, 100))

    def happens() -> None:
        serial = next(come)
        order = an_order(serial)
        burn = a_burn(order, serial=serial, block=a_block(PROVEN + serial))
        world.burns.append(burn)
        cursor = world.store.cursor()
        assert cursor is not None
        moved = replace(
            cursor,
            proven=burn.block,
            last_serial=serial,
            seen_serial=serial,
            version=cursor.version + 1,
        )
        valid = confirm_burn(order, burn, actor=LISTENER, **FACTS)
        entry = Redemption(burn, Outcome.MATCHED, final=True)
        world.store.commit([Insert(entry), Insert(valid), Update(moved)])

    done = world.rescan(LivelyStore(world.store, happens))
    assert (done.equal, done.logs) == (True, 3)


def test_a_delivery_meanwhile_is_no_difference(world: World) -> None:
    def happens() -> None:
        world.tamper_order(world.burns[0].order_hash, status=OrderStatus.DELIVERED)

    assert world.rescan(LivelyStore(world.store, happens)).equal


def test_blocks_taken_back_meanwhile_are_neither_equal_nor_different(world: World) -> None:
    stored(world.store, a_cursor(PROVEN, seen_serial=3))

    def happens() -> None:
        cursor = world.store.cursor()
        assert cursor is not None
        if cursor.proven.number == PROVEN:
            back = replace(cursor, proven=a_block(11), last_serial=1, version=cursor.version + 1)
            world.store.commit([Update(back)])
            world.tamper(2, final=False)

    with pytest.raises(NotComparable, match="block 50 lies outside 10 to 11"):
        world.rescan(LivelyStore(world.store, happens))


def test_a_fork_meanwhile_is_neither_equal_nor_different(world: World) -> None:
    world.tamper(2, final=False)

    def happens() -> None:
        world.books.branch = "b"

    with pytest.raises(NotComparable, match="follows another branch"):
        world.rescan(LivelyStore(world.store, happens))


# ------------------------------------------------------------------------- the endpoint is at fault


def _without(serial: int) -> Callable[[list[Burn]], list[Burn]]:
    return lambda burns: [burn for burn in burns if burn.serial != serial]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (_without(1), "redemption 1 expected, 2 told"),
        (_without(2), "redemption 2 expected, 3 told"),
        (_without(12), "the contract counts 12 redemptions, the logs tell 11"),
        (lambda _: [], "the contract counts 12 redemptions, the logs tell 0"),
        (lambda burns: [*burns[:2], *burns[1:]], "redemption 3 expected, 2 told"),
        (lambda burns: [*burns[:10], *burns[9:]], "redemption 10 is told twice"),
        (lambda burns: [burns[1], burns[0], *burns[2:]], "redemption 1 expected, 2 told"),
    ],
    ids=["first", "middle", "last", "all", "doubled", "doubled-between-pages", "reordered"],
)
def test_an_endpoint_whose_logs_do_not_add_up_proves_nothing(
    world: World, fault: Callable[[list[Burn]], list[Burn]], why: str
) -> None:
    for number in range(4, 13):
        world.matched(number)
    world.told = fault(world.burns)
    with pytest.raises(NotComparable, match=f"do not add up: {why}"):
        world.rescan()


def test_a_node_that_fails_half_way_proves_nothing(world: World) -> None:
    def read_logs(first: int, last: int) -> Iterator[Burn]:
        yield world.burns[0]
        raise ChainUnavailable("connection lost")

    stored(world.store, a_cursor(PROVEN, seen_serial=3))
    world.tamper(1, final=False)
    with pytest.raises(ChainUnavailable, match="connection lost"):
        audit_rescan(store=world.store, books=world.books, read_logs=read_logs, deployed=DEPLOYED)


@pytest.mark.parametrize("head", [PROVEN - 1, PROVEN + 128], ids=["behind", "pruned"])
def test_a_node_that_cannot_tell_the_count_proves_nothing(world: World, head: int) -> None:
    world.books.head = head
    with pytest.raises(ChainUnavailable):
        world.rescan()


def test_before_the_first_pass_there_is_nothing_to_compare() -> None:
    with pytest.raises(NotComparable, match="has not run yet"):
        audit_rescan(
            store=MemoryStore(),
            books=FakeBooks((), head=HEAD),
            read_logs=lambda first, last: iter(()),
            deployed=DEPLOYED,
        )
