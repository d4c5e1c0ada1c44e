"""The life of orders under everything that can happen to them, in any order.

Customers, desks and the listener act on one store while a small chain mines, forks and finalises
burns. Whatever they do, what the product promises has to hold after every step.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import Forbidden, Refused
from chalicelib.domain.orders import ActorKind, HistoryEntry, Order, OrderStatus
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.ports import Change, Insert, Store, Update
from chalicelib.usecases.cancel_order import cancel_order
from chalicelib.usecases.deliver import deliver
from chalicelib.usecases.hint_transaction import hint_transaction
from chalicelib.usecases.place_order import OrderRequest, OrderRules, place_order
from chalicelib.usecases.scan_slice import Due, Lost, Seen, Slice, Step
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    NOW,
    OTHER_SITE,
    ROOM,
    SITE,
    STRANGER,
    CountingEntropy,
    InterruptedStore,
    PlainSealer,
    a_block,
    a_catalogue,
    a_site,
    a_staff,
    an_admin,
)
from tests.unit.test_orders import ALLOWED

Act = Callable[[st.DataObject], None]
S = OrderStatus
TTL = 120
BURN_SEEN = frozenset({S.PENDING_CHAIN, S.VALID, S.DELIVERED})
DESKS = {
    "here": a_staff("here"),
    "colleague": a_staff("colleague"),
    "elsewhere": a_staff("elsewhere", sites=(OTHER_SITE,)),
    "boss": an_admin("boss"),
}
REFUSED = frozenset({"elsewhere", "boss"})


class WhoItSays:
    """Signatures that name their signer; real ones are tested with the use case."""

    def signer(self, digest: bytes, signature: str) -> str | None:
        """The name itself."""
        return signature or None


class StrictStore(MemoryStore):
    """A store that lets no order change but one version at a time, by a lawful move."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit, after a look at what would change."""
        for change in changes:
            if isinstance(change.record, Order):
                self._look(change)
        super().commit(changes)

    def _look(self, change: Change) -> None:
        after = change.record
        assert isinstance(after, Order)
        before = self.order(after.order_id)
        if isinstance(change, Insert):
            assert (after.version, after.status) == (1, S.CREATED)
            return
        assert isinstance(change, Update)
        assert before is not None
        if after.version != before.version + 1:
            return  # stale: the store refuses it
        bound = ("order_id", "order_hash", "customer", "token_id", "amount", "site_id")
        for name in (*bound, "created_at", "expires_at", "sealed_meta"):
            assert getattr(after, name) == getattr(before, name), name
        if before.delivery is not None:
            assert after == before, "a delivered order changed"


class Lives(RuleBasedStateMachine):
    """One shop, one chain, several people."""

    def __init__(self) -> None:
        super().__init__()
        self.store = StrictStore()
        self.store.commit([Insert(one) for one in (a_catalogue(), a_site(), a_site(OTHER_SITE))])
        self.entropy = CountingEntropy("lives")
        self.now = NOW
        self.chain: list[Burn] = []
        self.final = 0  # how many burns of the chain are final
        self.final_time = NOW
        self.forks = 0
        self.asked: dict[tuple[str, str], int] = {}
        self.order_ids: list[str] = []
        self.told: dict[str, tuple[HistoryEntry, ...]] = {}
        self.handed_over: Counter[str] = Counter()
        self.refused = 0

    @initialize()
    def open_the_shop(self) -> None:
        """Two customers have ordered already."""
        self._place("a" * 22, CUSTOMER, 1)
        self._place("a" * 22, STRANGER, 2)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One of the following. A single rule, for Hypothesis leaves some rules out of each run."""
        often: list[Act] = [self.burn, self.listen, self.hand_over]
        now_and_then: list[Act] = [
            self.order,
            self.cancel,
            self.fork,
            self.finalise,
            self.all_is_final,
        ]
        seldom: list[Act] = [self.hint, self.time_passes]
        acts = [*often * 3, *now_and_then * 2, *seldom]
        act = data.draw(st.sampled_from(acts))
        act(data)

    # ------------------------------------------------------------------------------ customers

    def order(self, data: st.DataObject) -> None:
        """Order, or repeat an order, or misuse a key."""
        key = data.draw(st.sampled_from(["a" * 22, "b" * 22]))
        customer = data.draw(st.sampled_from([CUSTOMER, STRANGER]))
        self._place(key, customer, data.draw(st.integers(1, 2)))

    def _place(self, key: str, customer: str, amount: int) -> None:
        request = OrderRequest(customer, ROOM, amount, SITE, {})
        try:
            placed = place_order(
                request,
                key=key,
                rules=OrderRules(ttl=TTL, sites_enforced=True),
                store=self.store,
                entropy=self.entropy,
                sealer=PlainSealer(),
                now=self.now,
                request_id="place",
            )
        except Refused:
            assert self.asked[customer, key] != amount
            return
        assert self.asked.setdefault((customer, key), amount) == amount
        assert placed.replayed == (placed.order.order_id in self.order_ids)
        assert (placed.order.customer, placed.order.amount) == (customer, amount)
        if not placed.replayed:
            self.order_ids.append(placed.order.order_id)

    def hint(self, data: st.DataObject) -> None:
        """Tell of a transaction, perhaps while the listener is at it."""
        order = self._pick(data)
        tx_hash = f"0x{data.draw(st.integers(0, 9)):064x}"
        try:
            after = hint_transaction(order.order_id, tx_hash, store=self._contested(data))
        except Refused:
            assert self._order(order).status in (S.VALID, S.DELIVERED, S.EXPIRED)
            return
        assert 1 <= len(after.transaction_hints) <= 3

    def cancel(self, data: st.DataObject) -> None:
        """Take an order back, or try to take back somebody else's."""
        order = self._pick(data)
        mine = data.draw(st.booleans())
        other = STRANGER if order.customer == CUSTOMER else CUSTOMER
        facts: dict[str, Any] = {
            "deadline": self.now + 60,
            "signature": order.customer if mine else other,
            "chain_id": CHAIN_ID,
            "contract": CONTRACT,
            "store": self._contested(data),
            "signatures": WhoItSays(),
            "now": self.now,
            "request_id": "cancel",
        }
        try:
            after = cancel_order(order.order_id, **facts)
        except Forbidden:
            assert not mine
        except Refused:
            assert self._order(order).status in BURN_SEEN | {S.EXPIRED}
        else:
            assert mine
            assert after.status is S.CANCELLED

    # ---------------------------------------------------------------------------------- chain

    def time_passes(self, data: st.DataObject) -> None:
        """Nothing else happens."""
        self.now += data.draw(st.sampled_from([1, 30]))

    def burn(self, data: st.DataObject) -> None:
        """Somebody burns for an order; the contract refuses the same wallet and hash twice."""
        order = self._pick(data)
        flaw = data.draw(
            st.sampled_from(["", "", "", "", "user", "token_id", "amount", "order_hash"])
        )
        second = data.draw(st.sampled_from([*["now"] * 8, "last", "too late"]))
        if second != "now":
            self.now = max(self.now, order.expires_at + (second == "too late"))
        flaws: dict[str, Any] = {
            "user": STRANGER if order.customer == CUSTOMER else CUSTOMER,
            "token_id": 2001,
            "amount": order.amount + 1,
            "order_hash": "0x" + "ee" * 32,
        }
        serial = self._next_serial()
        burn = Burn(
            serial=serial,
            user=order.customer,
            token_id=order.token_id,
            amount=order.amount,
            order_hash=order.order_hash,
            tx_hash=f"0x{self.forks:032x}{serial:032x}",
            log_index=0,
            block=self._block(),
        )
        burn = replace(burn, **({flaw: flaws[flaw]} if flaw else {}))
        if (burn.user, burn.order_hash) not in {(b.user, b.order_hash) for b in self.chain}:
            self.chain.append(burn)

    def fork(self, data: st.DataObject) -> None:
        """Burns that are not final are gone; they or others may take over their serials."""
        if data.draw(st.booleans()):
            self.listen()
        keep = data.draw(st.sampled_from([self.final, self.final + 1]))
        gone = self.chain[keep:]
        del self.chain[keep:]
        self.forks += 1
        for burn in reversed(gone) if data.draw(st.booleans()) else ():
            self.chain.append(replace(burn, serial=self._next_serial(), block=self._block()))

    def finalise(self, data: st.DataObject) -> None:
        """Some burns can no longer be taken back."""
        self.final = data.draw(st.integers(self.final, len(self.chain)))
        waiting = self.chain[self.final :]
        self.final_time = waiting[0].block.time if waiting else self.now

    # ------------------------------------------------------------------------------- listener

    def all_is_final(self, _data: st.DataObject) -> None:
        """A quiet minute: everything is final and heard of."""
        self.final = len(self.chain)
        self.final_time = self.now
        self.listen()

    def listen(self, _data: st.DataObject | None = None) -> None:
        """The listener catches up: losses first, then burns by serial, then deadlines."""
        ledger = {entry.serial: entry for entry in self._ledger()}
        steps: list[Step] = [
            Lost(entry)
            for serial, entry in ledger.items()
            if entry.on_chain
            and not any(
                burn.is_same_redemption(entry.burn) for burn in self.chain[serial - 1 : serial]
            )
        ]
        steps += [Seen(burn, final=burn.serial <= self.final) for burn in self.chain]
        proven = a_block(10_000, time=self.final_time)
        steps += [
            Due(order.order_hash, proven)
            for order in self._orders()
            if order.expires_at < self.final_time
        ]
        decided = Slice(
            self.store,
            known=ledger,
            orders={order.order_hash: order for order in self._orders()},
            at=self.now,
            request_id="listen",
            proven=proven,
            settled=0,
        )
        for step in steps:
            decided.take(step)
        changes = decided.changes()
        if changes:
            self.store.commit(changes)
        self._check_nothing_burned_is_lost()

    def _check_nothing_burned_is_lost(self) -> None:
        entries = {entry.serial: entry for entry in self._ledger()}
        for burn in self.chain:
            entry = entries[burn.serial]
            assert entry.burn == burn
            assert entry.on_chain
            assert entry.final == (burn.serial <= self.final)
            order = self.store.order_by_hash(burn.order_hash)
            fits = order is not None and _fits(burn, order)
            assert (entry.outcome is Outcome.MATCHED) == fits, entry
            if order is None or not fits:
                continue
            assert order.burn == burn
            lawful = {S.VALID, S.DELIVERED} if entry.final else {S.PENDING_CHAIN}
            assert order.status in lawful, "cancelled, expired or late to be heard of: it counts"

    # ------------------------------------------------------------------------------ reception

    def hand_over(self, data: st.DataObject) -> None:
        """Somebody tries to deliver."""
        desk = data.draw(st.sampled_from(sorted(DESKS)))
        order = self._pick(data)
        try:
            done = deliver(
                order.order_id,
                DESKS[desk],
                note="",
                desk_site="",
                store=self._contested(data),
                entropy=self.entropy,
                now=self.now,
                request_id="deliver",
            )
        except Forbidden:
            assert desk in REFUSED
            self.refused += 1
            return
        except Refused:
            deliverable = {S.VALID, S.DELIVERED}
            assert not {order.status, self._order(order).status} <= deliverable
            self.refused += 1
            return
        assert desk not in REFUSED
        assert done.order == self._order(order)
        if done.already_delivered:
            assert self.handed_over[order.order_id] == 1
            return
        self.handed_over[order.order_id] += 1
        assert done.delivery.by == desk

    # ----------------------------------------------------------------------------- invariants

    @invariant()
    def delivered_once_and_only_for_a_final_burn(self) -> None:
        """The promise reception relies on."""
        entries = {entry.serial: entry for entry in self._ledger()}
        for order in self._orders():
            delivered = order.status is S.DELIVERED
            assert delivered == (order.delivery is not None)
            assert self.handed_over[order.order_id] == int(delivered)
            if order.status not in (S.VALID, S.DELIVERED):
                continue
            assert order.burn is not None
            entry = entries[order.burn.serial]
            assert entry.final
            assert entry.outcome is Outcome.MATCHED
            assert entry.burn == order.burn
            assert _fits(entry.burn, order)
            assert S.VALID in [move.target for move in self._history(order)]

    @invariant()
    def one_burn_stands_behind_one_order(self) -> None:
        """No voucher pays twice."""
        behind = Counter(order.burn.serial for order in self._orders() if order.burn)
        assert all(times == 1 for times in behind.values())

    @invariant()
    def history_only_grows_and_tells_how_the_order_got_here(self) -> None:
        """Every move is lawful, in its place, and never edited."""
        for order in self._orders():
            history = self._history(order)
            before = self.told.get(order.order_id, ())
            assert history[: len(before)] == before
            self.told[order.order_id] = history
            assert [move.seq for move in history] == list(range(1, len(history) + 1))
            assert (history[0].source, history[0].target) == (None, S.CREATED)
            assert history[-1].target is order.status
            for last, move in pairwise(history):
                assert move.source is last.target
                assert move.actor.kind in ALLOWED[last.target, move.target]
                assert move.actor.kind is not ActorKind.LISTENER or move.block is not None
            assert len(order.history) <= 32

    @invariant()
    def refused_deliveries_are_written_down(self) -> None:
        """Each of them, and no order id among them."""
        items = self.store.audit(day="2026-11-21", limit=10_000).items
        assert len(items) == self.refused
        assert {item.action for item in items} <= {AuditAction.DELIVERY_REFUSED}
        assert not [item for item in items if "ORD_" in repr(item)]

    # --------------------------------------------------------------------------------- helpers

    def _next_serial(self) -> int:
        return len(self.chain) + 1

    def _block(self) -> BlockRef:
        return a_block(self._next_serial(), time=self.now, branch=f"fork {self.forks}")

    def _pick(self, data: st.DataObject) -> Order:
        order = self.store.order(data.draw(st.sampled_from(self.order_ids)))
        assert order is not None
        return order

    def _order(self, order: Order) -> Order:
        found = self.store.order(order.order_id)
        assert found is not None
        return found

    def _orders(self) -> list[Order]:
        found = [self.store.order(order_id) for order_id in self.order_ids]
        return [order for order in found if order is not None]

    def _ledger(self) -> tuple[Redemption, ...]:
        return self.store.redemptions(1, 100)

    def _history(self, order: Order) -> tuple[HistoryEntry, ...]:
        displaced = self.store.history(order.order_hash)
        return (*(record.entry for record in displaced), *order.history)

    def _contested(self, data: st.DataObject) -> Store:
        """The store, perhaps with the listener at work between reading and the first commit."""
        racing = data.draw(st.booleans())
        return InterruptedStore(self.store, before={1: self.listen} if racing else {})


def _fits(burn: Burn, order: Order) -> bool:
    return (
        burn.user == order.customer
        and burn.token_id == order.token_id
        and burn.amount == order.amount
        and burn.order_hash == order.order_hash
        and burn.block.time <= order.expires_at
    )


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


@pytest.mark.slow
def test_many_more_lives() -> None:
    # A busy machine is no fault of the rules: how fast examples are drawn is not judged.
    longer = settings(
        max_examples=1500,
        stateful_step_count=80,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Lives, settings=longer)
