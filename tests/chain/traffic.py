"""Customers, miners and a receptionist at work, all at random from a seed, beside the listener."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from eth_account import Account
from hexbytes import HexBytes

from chalicelib.domain.errors import Refused
from chalicelib.domain.orders import Order, OrderStatus
from ops.deploy_local import Reverted
from tests.chain.books import hand_over
from tests.chain.test_listener import ALICE, ALICE_KEY, BOB, BOB_KEY, Stack

JOIN_SECONDS = 30.0
AMOUNTS = (1, 1, 1, 2)
CUSTOMERS = ((ALICE, ALICE_KEY), (BOB, BOB_KEY))


@dataclass(slots=True)
class Traffic:
    """What goes on, on a chain and a store of its own connections.

    Forks go `deepest` blocks deep at most, and never below the block `floor`.
    """

    stack: Stack
    seed: int
    deepest: int
    floor: int
    orders: list[Order] = field(default_factory=list)
    forks: int = 0
    delivered: int = 0
    failure: BaseException | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def run(self) -> None:
        """Go on until the end."""
        deeds = (self._redeem, self._redeem_again, self._burn_for_nothing, self._mine, self._fork)
        try:
            while not self._stop.is_set():
                (deed,) = self._random.choices(deeds, weights=(12, 4, 2, 2, 2))
                deed()
                self._deliver()
        except BaseException as failure:  # noqa: BLE001 - told by who started this thread
            self.failure = failure

    def end(self) -> None:
        """Let the deed under way be the last one."""
        self._stop.set()

    def _redeem(self) -> None:
        customer, key = self._random.choice(CUSTOMERS)
        order = self.stack.order(customer=customer, amount=self._random.choice(AMOUNTS))
        self.orders.append(order)
        self.stack.redeem(order, key)

    def _redeem_again(self) -> None:
        """A burn that a fork took, or another one for the same order."""
        if not self.orders:
            return
        order = self._random.choice(self.orders[-40:])
        try:
            self.stack.redeem(order, dict(CUSTOMERS)[order.customer])
        except Reverted:
            return

    def _burn_for_nothing(self) -> None:
        """A burn that fits no order: of no order at all, of another wallet or amount."""
        order = self.stack.order()
        self.orders.append(order)
        key, amount = self._random.choice(((ALICE_KEY, 5), (BOB_KEY, 1)))
        unknown = f"0x{self._random.getrandbits(256):064x}"
        self.stack.burn(self._random.choice((unknown, order.order_hash)), key=key, amount=amount)

    def _mine(self) -> None:
        self.stack.chain.mine(self._random.randint(1, 6))

    def _fork(self) -> None:
        """Take blocks back, and mine some of their transactions again, in any order."""
        chain = self.stack.chain
        head = chain.web3.eth.block_number
        depth = min(self._random.randint(1, self.deepest), head - self.floor)
        blocks = [chain.web3.eth.get_block(head - depth + 1 + at) for at in range(depth)]
        hashes = [HexBytes(one) for block in blocks for one in block["transactions"]]  # type: ignore[arg-type]
        raws = [
            chain.request("eth_getRawTransactionByHash", tx_hash.to_0x_hex())
            for tx_hash in hashes
            if self._random.random() < 0.7
        ]
        offsets = [self._random.randrange(depth) for _ in raws]
        if self._random.random() < 0.7:
            offsets.sort()  # a wallet's transactions only fit in the order of their nonces
        chain.request("anvil_setCoinbase", Account.create().address)
        chain.request(
            "anvil_reorg", depth, [list(pair) for pair in zip(raws, offsets, strict=True)]
        )
        self.forks += 1

    def _deliver(self) -> None:
        if not self.orders or self._random.random() < 0.5:
            return
        order = self._random.choice(self.orders)
        if self.stack.status(order) is not OrderStatus.VALID:
            return
        now = self.stack.chain.web3.eth.get_block("latest")["timestamp"]
        try:
            done = hand_over(self.stack.store, order, now=now)
        except Refused:
            return
        self.delivered += not done.already_delivered


@contextmanager
def going_on(traffic: Traffic) -> Iterator[Traffic]:
    """`traffic` in a thread of its own until the context is left."""
    thread = threading.Thread(target=traffic.run)
    thread.start()
    try:
        yield traffic
    finally:
        traffic.end()
        thread.join(JOIN_SECONDS)
        assert not thread.is_alive()
    if traffic.failure is not None:
        raise traffic.failure
