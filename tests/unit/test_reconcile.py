"""Ledger against contract: what is equal, what differs, and when nothing may be concluded."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.orders import Order, OrderStatus, note_exception
from chalicelib.domain.progress import Cursor
from chalicelib.domain.reconciliation import (
    Comparison,
    ContractTotals,
    Serials,
    TokenTotals,
    add_up,
    compare,
    order_disagreement,
)
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption, orphan
from chalicelib.ports import MAX_CHANGES, ChainUnavailable, Store
from chalicelib.usecases.reconcile import Deployed, NotComparable, Reconciliation, reconcile
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    ROOM,
    a_block,
    a_burn,
    a_catalogue,
    an_order,
    in_status,
    stored,
)

DEPLOYED = Deployed(CHAIN_ID, CONTRACT, block=10)
PRINT, PASS = 2001, 3001
TOKENS = (ROOM, PRINT, PASS)
ORDER = an_order()


def burn_of(serial: int, *, block: int, token_id: int = ROOM, amount: int = 1) -> Burn:
    return a_burn(ORDER, serial=serial, block=a_block(block), token_id=token_id, amount=amount)


def entry_of(burn: Burn, *, final: bool = True) -> Redemption:
    return Redemption(burn, Outcome.UNKNOWN_ORDER, final=final)


def totals_of(
    burns: Sequence[Burn], *, through: int, token_ids: Collection[int] = TOKENS
) -> ContractTotals:
    """What a contract says that burned exactly these."""
    redeemed: Counter[int] = Counter()
    told = [burn for burn in burns if burn.block.number <= through]
    for burn in told:
        redeemed[burn.token_id] += burn.amount
    return ContractTotals(len(told), {token_id: redeemed[token_id] for token_id in token_ids})


@dataclass
class FakeBooks:
    """A contract with `burns` at one provider, which keeps the state of the last `keeps` blocks."""

    burns: Sequence[Burn]
    head: int
    keeps: int = 128
    branch: str = "a"
    asked: list[tuple[int, frozenset[int]]] = field(default_factory=list)

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        if max(numbers) > self.head:
            raise ChainUnavailable("no such block")
        return tuple(a_block(number, branch=self.branch) for number in numbers)

    def totals(self, block: BlockRef, token_ids: Collection[int]) -> ContractTotals:
        self.asked.append((block.number, frozenset(token_ids)))
        if self.head - block.number >= self.keeps:
            raise ChainUnavailable("the state is forgotten")
        return totals_of(self.burns, through=block.number, token_ids=token_ids)


def a_cursor(proven: int, *, seen_serial: int = 0, branch: str = "a") -> Cursor:
    return Cursor(
        proven=a_block(proven, branch=branch),
        last_serial=0,
        expired_through=0,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        scanned=proven,
        seen_serial=seen_serial,
    )


def a_ledger(entries: Sequence[Redemption], *, proven: int, seen_serial: int = 0) -> MemoryStore:
    store = MemoryStore(max_changes=MAX_CHANGES)
    for start in range(0, len(entries), MAX_CHANGES):
        stored(store, *entries[start : start + MAX_CHANGES])
    return stored(store, a_cursor(proven, seen_serial=seen_serial or len(entries)))


def run(
    store: Store,
    books: FakeBooks,
    *,
    block: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Reconciliation:
    return reconcile(
        store=store,
        books=books,
        deployed=DEPLOYED,
        block=block,
        progress=progress,
    )


def differing(comparison: Comparison) -> set[int]:
    return {one.token_id for one in comparison.differing}


# --------------------------------------------------------------------------------- the comparison


@st.composite
def burn_sequences(draw: st.DrawFn) -> tuple[Burn, ...]:
    """Burns as a contract makes them: serials 1, 2, 3 … over blocks that never go back."""
    steps = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(TOKENS), st.integers(1, 9)), max_size=20
        )
    )
    burns: list[Burn] = []
    at = DEPLOYED.block
    for step, token_id, amount in steps:
        at += step
        burns.append(burn_of(len(burns) + 1, block=at, token_id=token_id, amount=amount))
    return tuple(burns)


@given(burns=burn_sequences(), through=st.integers(DEPLOYED.block, 80))
def test_any_ledger_of_the_contracts_burns_is_equal_at_any_height(
    burns: tuple[Burn, ...], through: int
) -> None:
    ledger = add_up(map(entry_of, burns), through=through)
    assert compare(totals_of(burns, through=through), ledger).equal


@given(
    burns=burn_sequences().filter(bool),
    data=st.data(),
    fault=st.sampled_from(["dropped", "doubled", "amount", "token", "block", "lost"]),
)
def test_any_single_fault_is_told_for_exactly_its_token(
    burns: tuple[Burn, ...], data: st.DataObject, fault: str
) -> None:
    through = burns[-1].block.number
    entries = [entry_of(burn) for burn in burns]
    place = data.draw(st.integers(0, len(burns) - 1))
    burn = burns[place]
    wrong = {burn.token_id}
    missing: tuple[Serials, ...] = (Serials(burn.serial, burn.serial),)
    extra: tuple[Serials, ...] = ()
    match fault:
        case "dropped":
            del entries[place]
        case "doubled":
            entries.append(entry_of(replace(burn, serial=len(burns) + 1)))
            missing, extra = (), (Serials(len(burns) + 1, len(burns) + 1),)
        case "amount":
            entries[place] = entry_of(replace(burn, amount=burn.amount + 1))
            missing = ()
        case "token":
            other = data.draw(st.sampled_from([one for one in TOKENS if one != burn.token_id]))
            entries[place] = entry_of(replace(burn, token_id=other))
            wrong, missing = {burn.token_id, other}, ()
        case "block":
            entries[place] = entry_of(replace(burn, block=a_block(through + 1)))
        case "lost":
            entries[place] = orphan(entry_of(burn, final=False))
    comparison = compare(totals_of(burns, through=through), add_up(entries, through=through))
    assert not comparison.equal
    assert differing(comparison) == wrong
    assert (comparison.missing, comparison.extra) == (missing, extra)


def test_a_difference_is_what_the_ledger_has_too_much() -> None:
    assert TokenTotals(ROOM, contract=5, ledger=3).difference == -2
    assert TokenTotals(ROOM, contract=3, ledger=5).difference == 2


def test_missing_and_extra_serials_are_told_in_runs() -> None:
    burns = [burn_of(serial, block=20) for serial in (3, 4, 7, 11, 12)]
    ledger = add_up(map(entry_of, burns), through=20)
    comparison = compare(ContractTotals(9, {ROOM: 5}), ledger)
    assert comparison.missing == (Serials(1, 2), Serials(5, 6), Serials(8, 9))
    assert comparison.extra == (Serials(11, 12),)
    assert list(map(str, (*comparison.missing, Serials(4, 4)))) == [
        "1 to 2",
        "5 to 6",
        "8 to 9",
        "4",
    ]


def test_an_empty_ledger_misses_all_that_the_contract_counts() -> None:
    comparison = compare(ContractTotals(3, {ROOM: 3}), add_up((), through=20))
    assert comparison.missing == (Serials(1, 3),)
    assert compare(ContractTotals(0, {ROOM: 0}), add_up((), through=20)).equal


@pytest.mark.parametrize(
    ("serials", "missing", "extra", "misplaced"),
    [
        ((1, 3), (Serials(2, 2),), (), ()),
        ((1, 2, 3, 4), (), (Serials(4, 4),), ()),
        ((1, 2, 2, 3), (), (), (2,)),
        ((1, 3, 2), (Serials(2, 2),), (), (2,)),
    ],
)
def test_equal_totals_under_other_serials_are_not_equal(
    serials: tuple[int, ...],
    missing: tuple[Serials, ...],
    extra: tuple[Serials, ...],
    misplaced: tuple[int, ...],
) -> None:
    ledger = add_up([entry_of(burn_of(one, block=20)) for one in serials], through=20)
    comparison = compare(ContractTotals(3, {ROOM: len(serials)}), ledger)
    assert differing(comparison) == set()
    assert (comparison.missing, comparison.extra) == (missing, extra)
    assert comparison.misplaced == misplaced
    assert not comparison.equal


# ----------------------------------------------------------------------- reading both as of a block


def test_it_compares_as_of_the_proven_height_and_ignores_what_came_later() -> None:
    burns = [burn_of(1, block=20), burn_of(2, block=30, token_id=PRINT, amount=4)]
    late = [burn_of(3, block=31), burn_of(4, block=40)]
    store = a_ledger([*map(entry_of, burns), entry_of(late[0], final=False)], proven=30)
    done = run(store, FakeBooks([*burns, *late], head=40))
    assert done.comparison.equal
    assert done.block == a_block(30)
    assert (done.comparison.count, done.comparison.ledger_count) == (2, 2)
    assert done.comparison.tokens == (
        TokenTotals(ROOM, 1, 1),
        TokenTotals(PRINT, 4, 4),
    )


def test_it_compares_as_of_an_older_block_on_demand() -> None:
    burns = [burn_of(1, block=20), burn_of(2, block=30)]
    store = a_ledger([entry_of(burn) for burn in burns], proven=30)
    done = run(store, FakeBooks(burns, head=30), block=29)
    assert (done.comparison.equal, done.comparison.count, done.block.number) == (True, 1, 29)


def test_a_burn_lost_in_a_fork_is_not_counted() -> None:
    burn = burn_of(1, block=20)
    lost = orphan(entry_of(burn_of(2, block=21), final=False))
    store = a_ledger([entry_of(burn), lost], proven=30)
    assert run(store, FakeBooks([burn], head=30)).comparison.equal


def test_every_page_of_a_long_ledger_is_read_and_told() -> None:
    burns = [burn_of(serial, block=20 + serial) for serial in range(1, 2 * MAX_CHANGES + 31)]
    read: list[int] = []
    proven = burns[-1].block.number
    ledger = a_ledger([entry_of(burn) for burn in burns], proven=proven)
    store = stored(ledger, a_catalogue())
    done = run(store, FakeBooks(burns, head=proven), progress=read.append)
    assert done.comparison.equal
    assert done.comparison.ledger_count == len(burns) == sum(read)
    assert len(read) == 3


def test_a_gap_of_whole_pages_does_not_end_the_reading() -> None:
    burns = [burn_of(serial, block=20) for serial in range(1, 301)]
    kept = [entry_of(burn) for burn in (*burns[:50], *burns[250:])]
    store = a_ledger(kept, proven=30, seen_serial=300)
    comparison = run(store, FakeBooks(burns, head=30)).comparison
    assert comparison.missing == (Serials(51, 250),)
    assert comparison.extra == ()


def test_entries_beyond_the_last_serial_the_listener_saw_are_found() -> None:
    burns = [burn_of(serial, block=20) for serial in range(1, MAX_CHANGES + 2)]
    store = a_ledger([entry_of(burn) for burn in burns], proven=30, seen_serial=MAX_CHANGES)
    comparison = run(store, FakeBooks(burns[:-1], head=30)).comparison
    assert comparison.extra == (Serials(MAX_CHANGES + 1, MAX_CHANGES + 1),)


class SlowLedger:
    """A store during each read of which the chain goes on by a number of blocks."""

    def __init__(self, store: Store, books: FakeBooks, blocks: int) -> None:
        self._store, self._books, self._blocks = store, books, blocks

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        self._books.head += self._blocks
        return self._store.redemptions(first, last)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_a_ledger_that_takes_longer_to_read_than_state_is_kept_is_compared() -> None:
    burns = [burn_of(serial, block=20) for serial in range(1, 301)]
    books = FakeBooks(burns, head=30)
    ledger = a_ledger([entry_of(burn) for burn in burns], proven=30)
    slow = SlowLedger(stored(ledger, a_catalogue()), books, 100)
    done = run(slow, books)  # type: ignore[arg-type]
    assert books.head - done.block.number > books.keeps
    assert done.comparison.equal


@pytest.mark.parametrize("fault", ["dropped", "lost", "token"])
def test_a_burn_of_a_type_in_neither_catalogue_nor_ledger_is_told(fault: str) -> None:
    burns = [burn_of(1, block=20), burn_of(2, block=21, token_id=9009), burn_of(3, block=22)]
    entries = [entry_of(burn) for burn in burns]
    told: tuple[TokenTotals, tuple[Serials, ...]] = TokenTotals(ROOM, 2, 2), (Serials(2, 2),)
    match fault:
        case "dropped":
            del entries[1]
        case "lost":
            # An entry lost in a fork still names the type.
            entries[1] = orphan(entry_of(burns[1], final=False))
        case "token":
            entries[1] = entry_of(replace(burns[1], token_id=ROOM))
            told = TokenTotals(ROOM, 2, 3), ()
    store = stored(a_ledger(entries, proven=30), a_catalogue())
    comparison = run(store, FakeBooks(burns, head=30)).comparison
    assert not comparison.equal
    assert (comparison.tokens[0], comparison.missing) == told
    assert 9009 not in {one.token_id for one in comparison.tokens}


def test_types_of_catalogue_and_ledger_are_compared() -> None:
    burns = [burn_of(1, block=20, token_id=9009)]
    store = stored(a_ledger([entry_of(burn) for burn in burns], proven=30), a_catalogue())
    books = FakeBooks(burns, head=30)
    done = run(store, books)
    assert done.comparison.equal
    assert [one.token_id for one in done.comparison.tokens] == [1001, 6001, 9009]
    stranger = FakeBooks([burn_of(1, block=20)], head=30)
    assert differing(run(store, stranger).comparison) == {ROOM, 9009}


# ------------------------------------------------------------------------- nothing may be concluded


def test_before_the_first_pass_nothing_is_compared() -> None:
    with pytest.raises(NotComparable, match="has not run yet"):
        run(MemoryStore(), FakeBooks([], head=30))


def test_before_the_contract_is_reached_nothing_is_compared() -> None:
    with pytest.raises(NotComparable, match="up to block 9 only"):
        run(a_ledger([], proven=9), FakeBooks([], head=30))


@pytest.mark.parametrize("block", [9, 31])
def test_a_block_that_is_not_proven_is_refused(block: int) -> None:
    with pytest.raises(NotComparable, match=f"block {block} lies outside 10 to 30"):
        run(a_ledger([], proven=30), FakeBooks([], head=40), block=block)


@pytest.mark.parametrize(
    "other", [replace(DEPLOYED, chain_id=56), replace(DEPLOYED, contract="0x" + "11" * 20)]
)
def test_the_ledger_of_another_contract_is_refused(other: Deployed) -> None:
    with pytest.raises(NotComparable, match="was filled from contract"):
        reconcile(
            store=a_ledger([], proven=30),
            books=FakeBooks([], head=30),
            deployed=other,
            progress=lambda _: None,
        )


@pytest.mark.parametrize("block", [None, 20])
def test_a_provider_on_another_branch_is_refused(block: int | None) -> None:
    books = FakeBooks([], head=40, branch="b")
    with pytest.raises(NotComparable, match="follows another branch"):
        run(a_ledger([], proven=30), books, block=block)
    assert books.asked == []


@pytest.mark.parametrize("head", [29, 30 + 128])
def test_where_the_provider_cannot_tell_there_is_neither_equal_nor_different(head: int) -> None:
    burn = burn_of(1, block=20)
    for entries in ([entry_of(burn)], []):
        with pytest.raises(ChainUnavailable):
            run(a_ledger(entries, proven=30), FakeBooks([burn], head=head))


# --------------------------------------------------------------------------- one order, both told


def says(order: Order, *, redeemed: bool, head: int = 120, read: int | None = 120) -> str | None:
    return order_disagreement(order, redeemed=redeemed, head=head, read_through=read)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_store_and_contract_agree(status: OrderStatus) -> None:
    order = in_status(status)
    assert says(order, redeemed=order.burn is not None) is None


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (None, "the listener has not run yet."),
        (113, "the listener is 7 block(s) behind."),
        (120, "although the listener has read up to block 120"),
    ],
)
@pytest.mark.parametrize(
    "status", [OrderStatus.CREATED, OrderStatus.EXPIRED, OrderStatus.CANCELLED]
)
def test_a_burn_the_store_does_not_know(status: OrderStatus, read: int | None, said: str) -> None:
    told = says(in_status(status), redeemed=True, read=read)
    assert told is not None
    assert told.startswith("The contract has this order redeemed, the store does not know the burn")
    assert said in told


def test_an_exception_of_the_customers_is_a_burn_the_store_knows() -> None:
    order = note_exception(in_status(OrderStatus.EXPIRED), Outcome.LATE)
    assert says(order, redeemed=True) is None
    told = says(order, redeemed=False)
    assert told is not None
    assert "(LATE), the contract does not have this order redeemed" in told


def test_an_honoured_order_needs_no_burn_of_its_own() -> None:
    honoured = replace(in_status(OrderStatus.VALID), burn=None)
    assert says(honoured, redeemed=False) is None
    assert says(honoured, redeemed=True) is None


@pytest.mark.parametrize("status", [OrderStatus.VALID, OrderStatus.DELIVERED])
def test_a_burn_the_contract_does_not_know_is_an_incident(status: OrderStatus) -> None:
    told = says(in_status(status), redeemed=False)
    assert told is not None
    assert f"has this order {status} by the burn of block 100" in told
    assert "an incident" in told


def test_a_burn_that_was_forked_out_comes_back_to_the_listener() -> None:
    told = says(in_status(OrderStatus.PENDING_CHAIN), redeemed=False)
    assert told is not None
    assert "no longer on the chain" in told


@pytest.mark.parametrize("status", [OrderStatus.PENDING_CHAIN, OrderStatus.VALID])
def test_a_node_that_lags_is_no_incident(status: OrderStatus) -> None:
    told = says(in_status(status), redeemed=False, head=99)
    assert told is not None
    assert "has only got to block 99" in told
