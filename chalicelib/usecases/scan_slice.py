"""What burns, lost burns and passed deadlines come to, gathered into one commit of the listener."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chalicelib.domain.matching import apply_burn, judge
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    expire,
    lose_burn,
    note_exception,
)
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption, orphan, record
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


Step = Seen | Lost | Due


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
    """Decides step by step; every order and every ledger entry becomes one change at most.

    `known` are the ledger entries in question.
    """

    store: Store
    known: Mapping[int, Redemption]
    at: int
    request_id: str
    happenings: list[Happening] = field(default_factory=list)
    _orders: dict[str, tuple[Order | None, Order | None]] = field(default_factory=dict)
    _entries: dict[int, Redemption] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Decide one more step."""
        match step:
            case Seen():
                self._see(step.burn, final=step.final)
            case Lost():
                self._lose(step.entry)
            case Due():
                self._settle(step.order_hash, step.proven)

    def changes(self) -> list[Change]:
        """All that was decided, ready to be committed."""
        changes: list[Change] = []
        for before, after in self._orders.values():
            if before is not None and after is not None:
                changes += order_changes(before, after)
        for serial, entry in self._entries.items():
            known = self.known.get(serial)
            if known is None:
                changes.append(Insert(replace(entry, version=1)))
            else:
                changes.append(Update(replace(entry, version=known.version + 1)))
        return changes

    def _see(self, burn: Burn, *, final: bool) -> None:
        order = self._order(burn.order_hash)
        outcome = judge(burn, order)
        if order is not None:
            if outcome is Outcome.MATCHED:
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
            else:
                self._refuse(order, burn, outcome)
        entry = record(self._entry(burn.serial), burn, outcome, final=final)
        if entry is not None:
            self._entries[burn.serial] = entry
            self._tell("burn_final" if final else "burn_seen", burn, outcome)

    def _refuse(self, order: Order, burn: Burn, outcome: Outcome) -> None:
        """The burn does not fit the order. That of another wallet is none of the customer's."""
        if _waits_for(order, burn):
            order = self._without_burn(order)
        if burn.user == order.customer:
            order = note_exception(order, outcome)
        self._keep(order)

    def _lose(self, entry: Redemption) -> None:
        current = self._entry(entry.serial)
        if current is None or current.burn != entry.burn:
            return
        order = self._order(entry.burn.order_hash)
        if order is not None and _waits_for(order, entry.burn):
            self._keep(self._without_burn(order))
        elif order is not None and entry.is_exception and entry.burn.user == order.customer:
            self._keep(note_exception(order, None))
        self._entries[entry.serial] = orphan(current)
        self._tell("burn_lost", entry.burn, entry.outcome)

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

    def _without_burn(self, order: Order) -> Order:
        return lose_burn(order, actor=LISTENER, at=self.at, request_id=self.request_id)

    def _order(self, order_hash: str) -> Order | None:
        if order_hash not in self._orders:
            order = self.store.order_by_hash(order_hash)
            self._orders[order_hash] = (order, order)
        return self._orders[order_hash][1]

    def _keep(self, order: Order) -> None:
        before, _ = self._orders[order.order_hash]
        self._orders[order.order_hash] = (before, order)

    def _entry(self, serial: int) -> Redemption | None:
        return self._entries.get(serial, self.known.get(serial))

    def _tell(self, name: str, burn: Burn, outcome: Outcome) -> None:
        self.happenings.append(
            Happening(name, burn.order_hash, burn.serial, burn.block.number, outcome)
        )


def _waits_for(order: Order, burn: Burn) -> bool:
    return (
        order.status is OrderStatus.PENDING_CHAIN
        and order.burn is not None
        and order.burn.serial == burn.serial
    )
