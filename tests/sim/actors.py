"""The people of a simulated world: customers, a receptionist, an operator, and strangers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from chalicelib.domain.errors import Refused
from chalicelib.domain.exceptions import ExceptionKind, ExceptionRecord
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    lose_burn,
    make_order_id,
    move,
    new_order,
    see_burn,
)
from chalicelib.domain.staff import Role, Staff
from chalicelib.ports import Conflict, Insert, Store
from chalicelib.usecases.changes import order_changes
from chalicelib.usecases.deliver import deliver
from chalicelib.usecases.hint_transaction import hint_transaction
from chalicelib.usecases.resolve_exception import (
    Resolver,
    acknowledge_incident,
    dismiss_exception,
    honour_exception,
    reissue_exception,
)
from tests.sim.chain import Redeem, SimChain, burn_of
from tests.sim.checkers import Broken

CUSTOMERS = (
    "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
    "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF",
    "0x6813Eb9362372EEF6200f3b1dbC3f819671cBA69",
)
STRANGER = "0x1efF47bc3a10a45D4B230B5d10E37751FE6AA718"
SITE = "HCM_ROX_T09"
RECEPTIONIST = Staff(
    username="reception1",
    display_name="Reception",
    role=Role.RECEPTION,
    sites=(SITE,),
    password_hash="none",
    must_change_password=False,
)
ADMINISTRATOR = Actor(ActorKind.ADMIN, "boss1")
LISTENER = Actor(ActorKind.LISTENER, "listener")


@dataclass
class SeededEntropy:
    """Random bytes, the same in every run."""

    rng: Random

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes."""
        return self.rng.randbytes(count)


class Surroundings(Protocol):
    """What people find around them. `store` is theirs: it never fails."""

    rng: Random
    chain: SimChain
    store: Store
    entropy: SeededEntropy
    now: int

    def later(self, steps: int, act: Callable[[], None]) -> None:
        """Do something some steps from now."""


class People:
    """All of them; `orders` are the ids of the orders placed, in that order."""

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        self.orders: list[str] = []
        self.delivered: set[str] = set()

    def place_order(self) -> None:
        """A customer orders, and plans to burn for it: mostly rightly, sometimes not."""
        world = self.world
        rng = world.rng
        order = new_order(
            order_id=make_order_id(created_at=world.now, entropy=rng.randbytes(10)),
            customer=rng.choice(CUSTOMERS),
            token_id=1001,
            amount=rng.randint(1, 3),
            site_id=SITE,
            created_at=world.now,
            expires_at=world.now + rng.choice((3, 8, 20, 60, 600)),
            request_id="order",
        )
        if rng.random() < 0.05:
            order = self._with_long_history(order)
        world.store.commit([Insert(order)])
        self.orders.append(order.order_id)
        plan = rng.choices(
            (self._burn, self._burn_wrongly, self._burn_late, self._burn_twice, self._nothing),
            (65, 12, 8, 6, 9),
        )[0]
        world.later(rng.randint(0, 5), lambda: plan(order))
        if rng.random() < 0.12:
            world.later(rng.randint(0, 12), lambda: self._cancel(order.order_id))

    def burn_by_hand(self, most: int) -> None:
        """Somebody burns for orders that do not exist, many in one block if `most` is large."""
        rng = self.world.rng
        for _ in range(rng.randint(1, most)):
            self._send(STRANGER, 2001, 1, "0x" + rng.randbytes(32).hex())

    def deliver_something(self) -> None:
        """The receptionist hands over what is VALID, or is asked for what was handed over."""
        world = self.world
        for order_id in world.rng.sample(self.orders, len(self.orders)):
            order = world.store.order(order_id)
            if order is None or order.status not in (OrderStatus.VALID, OrderStatus.DELIVERED):
                continue
            self._deliver(order_id)
            if order.status is OrderStatus.VALID:
                return

    def _deliver(self, order_id: str) -> None:
        world = self.world
        done = deliver(
            order_id,
            RECEPTIONIST,
            note="",
            desk_site=SITE,
            store=world.store,
            entropy=world.entropy,
            now=world.now,
            request_id="deliver",
        )
        if not done.already_delivered and order_id in self.delivered:
            raise Broken(f"order {done.order.order_hash[:10]} was delivered twice")
        self.delivered.add(order_id)

    def resolve_something(self) -> None:
        """An administrator looks at an exception, and resolves it in one of the ways there are."""
        page = self.world.store.exceptions(open_only=True, limit=50)
        if page.items:
            self._resolve(self.world.rng.choice(page.items))

    def acknowledge_incidents(self) -> None:
        """An operator has looked at everything that halts the listener."""
        cursor = self.world.store.cursor()
        for incident in cursor.halts if cursor else ():
            acknowledge_incident(incident, self._resolver())

    def _resolve(self, record: ExceptionRecord) -> None:
        by = self._resolver()
        try:
            if record.kind is ExceptionKind.DELIVERED_REORGED:
                acknowledge_incident(record.exception_id, by)
                return
            match self.world.rng.choice(("honour", "honour", "reissue", "dismiss")):
                case "honour":
                    honour_exception(record.exception_id, by)
                case "reissue":
                    mint = "0x" + self.world.rng.randbytes(32).hex()
                    reissue_exception(record.exception_id, by, tx_hash=mint)
                case _:
                    dismiss_exception(record.exception_id, by)
        except Refused:
            return

    def _resolver(self) -> Resolver:
        return Resolver(
            store=self.world.store,
            entropy=self.world.entropy,
            actor=ADMINISTRATOR,
            reason="looked into it",
            now=self.world.now,
            request_id="resolve",
        )

    # ---------------------------------------------------------------------- customers' plans

    def _burn(self, order: Order) -> None:
        tx_hash = self._send(order.customer, order.token_id, order.amount, order.order_hash)
        if self.world.rng.random() < 0.4:
            self._hint(order.order_id, tx_hash)

    def _burn_wrongly(self, order: Order) -> None:
        wrong = self.world.rng.choice(("wallet", "token", "amount"))
        self._send(
            STRANGER if wrong == "wallet" else order.customer,
            order.token_id + (wrong == "token"),
            order.amount + (wrong == "amount"),
            order.order_hash,
        )
        if wrong == "wallet":
            self.world.later(2, lambda: self._burn(order))

    def _burn_late(self, order: Order) -> None:
        """Waits for the last second to be past, or just not."""
        if self.world.chain.head.ref.time + self.world.rng.randint(-1, 2) <= order.expires_at:
            self.world.later(1, lambda: self._burn_late(order))
        else:
            self._burn(order)

    def _burn_twice(self, order: Order) -> None:
        self._burn(order)
        self.world.later(self.world.rng.randint(0, 6), lambda: self._burn(order))

    def _nothing(self, order: Order) -> None:
        """Forgets about it."""

    def _send(self, user: str, token_id: int, amount: int, order_hash: str) -> str:
        tx_hash = "0x" + self.world.rng.randbytes(32).hex()
        self.world.chain.mempool.append(Redeem(tx_hash, user, token_id, amount, order_hash))
        return tx_hash

    def _hint(self, order_id: str, tx_hash: str) -> None:
        try:
            hint_transaction(order_id, tx_hash, store=self.world.store)
        except Refused:
            return

    def _cancel(self, order_id: str) -> None:
        world = self.world
        order = world.store.order(order_id)
        if order is None or order.status is not OrderStatus.CREATED:
            return
        cancelled = move(
            order,
            OrderStatus.CANCELLED,
            actor=Actor(ActorKind.CUSTOMER, order.customer),
            at=world.now,
            reason="cancelled by the customer",
            request_id="cancel",
        )
        try:
            world.store.commit(order_changes(order, cancelled))
        except Conflict:
            return

    def _with_long_history(self, order: Order) -> Order:
        """An order that has been through many forks, so that its history soon spills over."""
        redeem = Redeem("0x" + 64 * "f", order.customer, order.token_id, order.amount, "")
        burn = burn_of(redeem, self.world.chain.head.ref, serial=10**6, index=0)
        for _ in range(15):
            facts = {"actor": LISTENER, "at": self.world.now, "request_id": "earlier"}
            order = see_burn(order, burn, **facts)  # type: ignore[arg-type]
            order = lose_burn(order, **facts)  # type: ignore[arg-type]
        return replace(order, version=1)
