"""What burns, lost burns and passed deadlines come to, gathered into one commit of the listener."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chalicelib.domain.exceptions import (
    ExceptionKind,
    ExceptionRecord,
    exception_id,
    kind_of,
    raise_exception,
    withdraw,
)
from chalicelib.domain.matching import apply_burn, judge
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    doubt_burn,
    expire,
    lose_burn,
    note_exception,
    reattach_burn,
)
from chalicelib.domain.redemptions import (
    BlockRef,
    Burn,
    Outcome,
    Redemption,
    orphan,
    record,
    unsettle,
)
from chalicelib.ports import Change, Insert, Store, Update
from chalicelib.usecases.changes import order_changes

LISTENER = Actor(ActorKind.LISTENER, "listener")


@dataclass(frozen=True, slots=True)
class Seen:
    """A burn stands on the chain: final, or not yet."""

    burn: Burn
    final: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The burn of this ledger entry is no longer on the chain."""

    entry: Redemption


@dataclass(frozen=True, slots=True)
class Due:
    """The chain is proven past the last second of the order with this hash, as of `proven`."""

    order_hash: str
    proven: BlockRef


@dataclass(frozen=True, slots=True)
class Reverted:
    """The chain took back the final block that the burn of this ledger entry is in."""

    entry: Redemption


Step = Seen | Lost | Due | Reverted

STEP_CHANGES = 8
"""Most changes that a step adds to a commit: an order, two moves displaced from its history, a
ledger entry, and two exceptions, which count twice."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What a step came to, told once it is stored."""

    name: str
    order_hash: str
    serial: int | None = None
    block: int | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Slice:
    """Decides step by step; every order, ledger entry and exception becomes one change at most.

    `known` are the ledger entries in question, by serial, and `orders` the orders, by their hash.
    `halts` are the incidents open once the slice is stored. Up to the time `settled`, orders have
    expired already, as of block `proven`.
    """

    store: Store
    known: Mapping[int, Redemption]
    orders: Mapping[str, Order]
    at: int
    request_id: str
    proven: BlockRef
    settled: int
    halts: tuple[str, ...] = ()
    happenings: list[Happening] = field(default_factory=list)
    _orders: dict[str, Order] = field(default_factory=dict)
    _entries: dict[int, Redemption] = field(default_factory=dict)
    _exceptions: dict[str, tuple[ExceptionRecord | None, ExceptionRecord]] = field(
        default_factory=dict
    )
    _displaced: int = 0

    @property
    def weight(self) -> int:
        """How many changes were decided so far, at most."""
        return len(self._orders) + len(self._entries) + 2 * len(self._exceptions) + self._displaced

    def take(self, step: Step) -> None:
        """Decide one more step."""
        match step:
            case Seen():
                self._see(step.burn, final=step.final)
            case Lost():
                self._lose(step.entry)
            case Due():
                self._settle(step.order_hash, step.proven)
            case Reverted():
                self._revert(step.entry)

    def changes(self) -> list[Change]:
        """All that was decided, ready to be committed."""
        changes: list[Change] = []
        for order_hash, after in self._orders.items():
            changes += order_changes(self.orders[order_hash], after)
        for serial, entry in self._entries.items():
            changes.append(_change(self.known.get(serial), entry))
        for before, exception in self._exceptions.values():
            changes.append(_change(before, exception))
        return changes

    def _see(self, burn: Burn, *, final: bool) -> None:
        order = self._order(burn.order_hash)
        outcome = judge(burn, order)
        if order is not None:
            if outcome is Outcome.MATCHED:
                self._attach(order, burn, final=final)
            else:
                self._refuse(order, burn, outcome, final=final)
        known = self._entry(burn.serial)
        entry = record(known, burn, outcome, final=final)
        if entry is None:
            return
        if known is not None and known.is_exception and known.burn == burn and known != entry:
            self._withdraw(burn, unless=kind_of(outcome) if entry.is_exception else None)
        if final and entry.is_exception:
            self._raise(burn, kind_of(outcome))
        self._entries[burn.serial] = entry
        self._tell("burn_final" if final else "burn_seen", burn, outcome)

    def _attach(self, order: Order, burn: Burn, *, final: bool) -> None:
        """The burn is the order's. One that was delivered and forked out is whole again."""
        if order.status is OrderStatus.DELIVERED and order.burn is None:
            self._heal(order)
        self._keep(
            apply_burn(
                order,
                burn,
                final=final,
                actor=LISTENER,
                at=self.at,
                request_id=self.request_id,
            )
        )

    def _refuse(self, order: Order, burn: Burn, outcome: Outcome, *, final: bool) -> None:
        """The burn does not fit the order. That of another wallet is none of the customer's, and
        one that is not final may be a provider's invention."""
        if _waits_for(order, burn):
            order = self._without_burn(order)
        if final and burn.user == order.customer:
            order = note_exception(order, outcome)
        self._keep(order)

    def _lose(self, entry: Redemption) -> None:
        current = self._entry(entry.serial)
        if current is None or current.burn != entry.burn:
            return
        order = self._order(entry.burn.order_hash)
        if order is not None and _waits_for(order, entry.burn):
            self._keep(self._without_burn(order))
        elif order is not None and _was_delivered_for(order, entry.burn):
            self._keep(reattach_burn(order, None))
            self._halt(entry.burn)
        elif order is not None and _is_valid_by(order, entry.burn):
            order = self._without_burn(self._doubted(order))
            self._keep(order)
            if order.expires_at <= self.settled:
                self._settle(order.order_hash, self.proven)
            self._tell("order_reverted", entry.burn, entry.outcome)
        elif (
            entry.is_exception
            and self._withdraw(entry.burn)
            and order is not None
            and entry.burn.user == order.customer
        ):
            self._keep(note_exception(order, None))
        self._entries[entry.serial] = orphan(current)
        self._tell("burn_lost", entry.burn, entry.outcome)

    def _revert(self, entry: Redemption) -> None:
        """What an administrator honoured stays honoured while its burn is on the chain."""
        burn = entry.burn
        order = self._order(burn.order_hash)
        if order is not None and _is_valid_by(order, burn) and not entry.is_exception:
            self._keep(self._doubted(order))
            self._tell("order_reverted", burn, entry.outcome)
        self._entries[entry.serial] = unsettle(entry)

    def _settle(self, order_hash: str, proven: BlockRef) -> None:
        order = self._order(order_hash)
        if order is None or order.status is not OrderStatus.CREATED:
            return
        self._keep(
            expire(
                order,
                actor=LISTENER,
                at=self.at,
                request_id=self.request_id,
                proven_block=proven.number,
                proven_time=proven.time,
            )
        )
        self.happenings.append(Happening("order_expired", order_hash, block=proven.number))

    # -------------------------------------------------------------------- exceptions, incidents

    def _raise(self, burn: Burn, kind: ExceptionKind) -> None:
        """An exception is told once, also when its burn becomes final a second time. An incident
        stays one until somebody acknowledges it."""
        before, known = self._exception(exception_id(burn))
        if known is not None and known.is_open and known.exception_id in self.halts:
            return
        self._except(before, raise_exception(burn, kind, self.at, known))

    def _withdraw(self, burn: Burn, *, unless: ExceptionKind | None = None) -> bool:
        """The chain undid what was an exception; whether it was one, told as final."""
        before, known = self._exception(exception_id(burn))
        if known is None or known.kind in (unless, ExceptionKind.DELIVERED_REORGED):
            return False
        self._except(before, self._withdrawn(known, "the chain no longer has it"))
        return True

    def _halt(self, burn: Burn) -> None:
        """A service was handed over for a burn that is gone."""
        incident = exception_id(burn)
        self._raise(burn, ExceptionKind.DELIVERED_REORGED)
        self.halts = (*(one for one in self.halts if one != incident), incident)
        self._tell("delivered_reorged", burn, None)

    def _heal(self, order: Order) -> None:
        """The burn of a delivered order is back: its incident is over, acknowledged or not."""
        for incident in self.halts:
            before, known = self._exception(incident)
            if known is not None and known.order_hash == order.order_hash:
                self._except(before, self._withdrawn(known, "its burn is back"))
                self.halts = tuple(one for one in self.halts if one != incident)
                self._tell("delivered_burn_back", known.burn, None)

    def _withdrawn(self, known: ExceptionRecord, reason: str) -> ExceptionRecord:
        return withdraw(known, actor=LISTENER, at=self.at, reason=reason)

    def _except(self, before: ExceptionRecord | None, after: ExceptionRecord) -> None:
        if after != before:
            self._exceptions[after.exception_id] = (before, after)

    def _exception(
        self, exception_id: str
    ) -> tuple[ExceptionRecord | None, ExceptionRecord | None]:
        """As stored, and as decided so far."""
        if exception_id in self._exceptions:
            return self._exceptions[exception_id]
        stored = self.store.exception(exception_id)
        return stored, stored

    # --------------------------------------------------------------------------------- bookkeeping

    def _doubted(self, order: Order) -> Order:
        return doubt_burn(order, actor=LISTENER, at=self.at, request_id=self.request_id)

    def _without_burn(self, order: Order) -> Order:
        return lose_burn(order, actor=LISTENER, at=self.at, request_id=self.request_id)

    def _order(self, order_hash: str) -> Order | None:
        return self._orders.get(order_hash) or self.orders.get(order_hash)

    def _keep(self, order: Order) -> None:
        before = self._orders.get(order.order_hash) or self.orders[order.order_hash]
        self._displaced += order.history[0].seq - before.history[0].seq
        self._orders[order.order_hash] = order

    def _entry(self, serial: int) -> Redemption | None:
        return self._entries.get(serial) or self.known.get(serial)

    def _tell(self, name: str, burn: Burn, outcome: Outcome | None) -> None:
        self.happenings.append(
            Happening(name, burn.order_hash, burn.serial, burn.block.number, outcome)
        )


def _change(
    before: Redemption | ExceptionRecord | None, after: Redemption | ExceptionRecord
) -> Change:
    version = 1 if before is None else before.version + 1
    if after.version != version:
        after = replace(after, version=version)
    return Insert(after) if before is None else Update(after)


def _waits_for(order: Order, burn: Burn) -> bool:
    return order.status is OrderStatus.PENDING_CHAIN and _has(order, burn)


def _is_valid_by(order: Order, burn: Burn) -> bool:
    return order.status is OrderStatus.VALID and _has(order, burn)


def _was_delivered_for(order: Order, burn: Burn) -> bool:
    return order.status is OrderStatus.DELIVERED and _has(order, burn)


def _has(order: Order, burn: Burn) -> bool:
    return order.burn is not None and order.burn.serial == burn.serial
