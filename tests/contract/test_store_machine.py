"""Any sequence of commits and reads: an engine does what the store in memory does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.exceptions import (
    ExceptionKind,
    ExceptionRecord,
    Resolution,
    ResolutionKind,
    raise_exception,
)
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import LATEST_TIME, OrderFilter
from chalicelib.domain.orders import HistoryEntry, HistoryRecord, Order, OrderStatus
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Outcome, Redemption
from chalicelib.domain.staff import Session, SessionKind, WalletNonce
from chalicelib.ports import Change, Check, Conflict, Delete, Insert, Page, Record, Store, Update
from tests.contract.data import Data, day_of, every, fits, stored
from tests.contract.engines import FreshData, Opener
from tests.fakes import (
    CONTRACT,
    CUSTOMER,
    LISTENER,
    NOW,
    OTHER_SITE,
    SITE,
    STRANGER,
    a_block,
    a_burn,
    a_site,
    a_staff,
    a_voucher_type,
    an_order,
)

CUSTOMERS = (CUSTOMER, STRANGER)
SITES = (SITE, OTHER_SITE, "")
SLOTS = 6
"""Few records of each kind, so that commits meet what others left."""


def the_hash(slot: int) -> str:
    return the_order(slot).order_hash


def the_order(slot: int) -> Order:
    """What never changes about an order. Two each are made and expire together."""
    return an_order(
        slot,
        customer=CUSTOMERS[slot % 2],
        site_id=SITES[slot % 3],
        created_at=NOW + slot // 2,
        expires_at=NOW + 60 + slot // 2,
    )


filters = st.builds(
    OrderFilter,
    created_from=st.just(0) | st.integers(NOW, NOW + 3),
    created_to=st.just(LATEST_TIME) | st.integers(NOW, NOW + 3),
    hash_start=st.just("") | st.integers(0, SLOTS - 1).map(lambda slot: the_hash(slot)[:10]),
    wallet_end=st.just("") | st.sampled_from(CUSTOMERS).map(lambda one: one[-4:].lower()),
).filter(lambda among: among.created_from <= among.created_to)


def the_audit_item(slot: int) -> AuditItem:
    at = NOW + slot % 2 * 86_400
    return AuditItem(f"{at:010d}-{slot:016x}", at, LISTENER, AuditAction.SCAN, "0x", "req")


def the_move(slot: int) -> HistoryRecord:
    entry = HistoryEntry(slot // 2, NOW, LISTENER, None, OrderStatus.CREATED, "made", "req")
    return HistoryRecord(the_order(slot % 2).order_hash, entry)


def the_exception(slot: int, look: int) -> ExceptionRecord:
    """Open for half of the looks."""
    burn = a_burn(the_order(slot), serial=slot + 1)
    done = Resolution(ResolutionKind.DISMISS, NOW, LISTENER, "seen") if look % 2 else None
    return replace(raise_exception(burn, tuple(ExceptionKind)[look], NOW), resolution=done)


MAKERS: dict[str, Callable[[int, int], Record]] = {
    "order": lambda slot, look: replace(
        the_order(slot),
        status=tuple(OrderStatus)[look],
        sealed_meta=bytes([look]) * look or None,
        transaction_hints=(f"0x{look:064x}",) * (look % 4),
    ),
    "redemption": lambda slot, look: Redemption(
        a_burn(the_order(slot), serial=slot + 1, log_index=look),
        tuple(Outcome)[look],
        final=look % 2 == 1,
    ),
    "exception": the_exception,
    "history": lambda slot, _: the_move(slot),
    "cursor": lambda _, look: Cursor(a_block(look), look, NOW, 31337, CONTRACT),
    "catalogue": lambda _, look: Catalogue((a_voucher_type(max_amount=look + 1),)),
    "reservation": lambda slot, look: Reservation(f"{slot:064x}", "ORD", "", NOW + look),
    "session": lambda slot, look: Session(
        f"{slot:032x}", SessionKind.STAFF, "member.0", look, "", NOW, "", NOW, NOW + look
    ),
    "nonce": lambda slot, look: WalletNonce(f"{slot:032x}", CUSTOMER, "x" * look, NOW),
    "site": lambda slot, look: a_site(f"SITE_{slot}", enabled=look % 2 == 0),
    "staff": lambda slot, look: a_staff(f"member.{slot}", failures=look),
    "audit": lambda slot, _: the_audit_item(slot),
}
"""The record of a kind in a slot; `look` varies what may change about it."""

slots = st.integers(0, SLOTS - 1)
looks = st.integers(0, len(OrderStatus) - 1)
limits = st.integers(1, 5)
records = st.builds(
    lambda kind, slot, look: MAKERS[kind](slot, look),
    # Orders and the ledger are what most commits are about.
    st.sampled_from(["order", "redemption", "exception"]) | st.sampled_from(list(MAKERS)),
    slots,
    looks,
)
actions = st.sampled_from(["put"] * 10 + ["insert", "update", "delete", "delete", "check", "check"])
drifts = st.sampled_from([0] * 20 + [1, -1])
"""How far the expected version is off. Most commits of several changes should go through."""


def change_of(model: Store, record: Record, action: str, drift: int) -> Change:
    """A change that fits what is stored, but for the drift and what the action cannot do there."""
    known = stored(model, record)
    version = known.version if known else 0
    if action == "insert" or (action == "put" and known is None):
        return Insert(record)
    if action in ("put", "update"):
        return Update(replace(record, version=max(1, version + 1 + drift)))
    kind = Delete if action == "delete" else Check
    return kind(replace(known or record, version=max(1, version + drift)))


def outcome_of(store: Store, changes: Sequence[Change]) -> Exception | None:
    """How a commit ended."""
    try:
        store.commit(changes)
    except (Conflict, ValueError) as error:
        return error
    return None


class StoreMachine(RuleBasedStateMachine):
    """An engine and its model in memory, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self._data = Data(self.fresh_data())
        self.engine = self._data.open()
        self.model = MemoryStore()

    def fresh_data(self) -> Opener:
        """The engine's, empty."""
        raise NotImplementedError

    @initialize(looks=st.lists(looks, min_size=SLOTS, max_size=SLOTS))
    def begin(self, looks: list[int]) -> None:
        """With something in every list, so that nothing is compared with nothing."""
        for kind in ("order", "redemption", "exception", "history", "audit"):
            changes = [Insert(MAKERS[kind](slot, look)) for slot, look in enumerate(looks)]
            self.model.commit(changes)
            self.engine.commit(changes)

    def teardown(self) -> None:
        """Close the engine's connections."""
        self._data.close()

    @rule(wishes=st.lists(st.tuples(records, actions, drifts), min_size=1, max_size=5))
    def commit(self, wishes: list[tuple[Record, str, int]]) -> None:
        """Both store it, or both refuse it for the same reason; and hold the same afterwards."""
        changes = [change_of(self.model, *wish) for wish in wishes]
        stale = [change for change in changes if not fits(self.model, change)]
        expected = outcome_of(self.model, changes)
        found = outcome_of(self.engine, changes)
        assert type(found) is type(expected)
        if isinstance(found, Conflict):
            assert found.change in stale
        for record, _, _ in wishes:
            assert stored(self.engine, record) == stored(self.model, record)

    @rule(
        customer=st.sampled_from(CUSTOMERS),
        site_id=st.sampled_from(SITES),
        statuses=st.frozensets(st.sampled_from(OrderStatus)) | st.just(frozenset(OrderStatus)),
        stretch=st.tuples(st.integers(59, 63), st.integers(59, 63)),
        limit=limits,
        among=filters,
    )
    def list_orders(
        self,
        customer: str,
        site_id: str,
        statuses: frozenset[OrderStatus],
        stretch: tuple[int, int],
        limit: int,
        among: OrderFilter,
    ) -> None:
        """All pages of every list of orders; those in one place in any order."""
        after, through = (NOW + seconds for seconds in stretch)

        def lists(store: Store) -> list[tuple[Callable[..., Page[Order]], Callable[[Order], int]]]:
            return [
                (partial(store.orders_of_customer, customer), lambda order: order.created_at),
                (
                    partial(store.orders_of_site, site_id, statuses=statuses, among=among),
                    lambda order: order.expires_at,
                ),
                (partial(store.orders_expiring, after=after, through=through), lambda _: 0),
            ]

        for (asked, place), (ask_model, _) in zip(
            lists(self.engine), lists(self.model), strict=True
        ):
            found = every(partial(asked, limit=limit))
            expected = every(partial(ask_model, limit=limit))
            assert [place(order) for order in found] == [place(order) for order in expected]
            assert sorted(found, key=_by_id) == sorted(expected, key=_by_id)

    @rule(limit=limits, slot=slots)
    def list_everything_else(self, limit: int, slot: int) -> None:
        """Orders by hash, ledger, exceptions, history, sites, staff, audit."""
        engine, model = self.engine, self.model
        order_hash = the_order(slot).order_hash
        assert engine.order_by_hash(order_hash) == model.order_by_hash(order_hash)
        assert engine.redemptions(slot, SLOTS + 1) == model.redemptions(slot, SLOTS + 1)
        for open_only in (True, False):
            assert every(partial(engine.exceptions, open_only=open_only, limit=limit)) == every(
                partial(model.exceptions, open_only=open_only, limit=limit)
            )
        order_hash = the_order(slot % 2).order_hash
        assert engine.history(order_hash) == model.history(order_hash)
        assert engine.sites() == model.sites()
        assert engine.all_staff() == model.all_staff()
        day = day_of(the_audit_item(slot))
        assert every(partial(engine.audit, day=day, limit=limit)) == every(
            partial(model.audit, day=day, limit=limit)
        )

    @rule(bucket=st.sampled_from("ab"), members=st.lists(st.sampled_from("xyz"), max_size=4))
    def count(self, bucket: str, members: list[str]) -> None:
        """The same numbers."""
        later = 4_000_000_000
        assert self.engine.count(bucket, members, expires_at=later) == self.model.count(
            bucket, members, expires_at=later
        )


def _by_id(order: Order) -> str:
    return order.order_id


def test_an_engine_does_what_the_model_does(fresh: FreshData) -> None:
    class OnEngine(StoreMachine):
        def fresh_data(self) -> Opener:
            return fresh()

    run_state_machine_as_test(
        OnEngine, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )
