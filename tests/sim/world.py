"""A whole world from one seed: chain, nodes, store, listeners, people and clock, in steps.

Nothing in it reads a clock, starts a thread or depends on hash order: the same seed is the same
world, to the last call.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.finality import FinalityRule
from chalicelib.ports import Store
from chalicelib.usecases.scan import ForkBelowFinality, ScanSettings
from listener_fn.chain import RpcChain
from listener_fn.listener import Listener
from listener_fn.providers import Providers
from tests.sim.actors import People, SeededEntropy
from tests.sim.chain import CONTRACT, DEPLOY_BLOCK, Redeem, SimChain
from tests.sim.checkers import Broken, Safety, differences
from tests.sim.node import CHAIN_ID, FAULTS, LIES, RANGE_WORDS, Node, Traits, Transport
from tests.sim.store import CheckedStore, Crash, FaultyStore, StoreFaults, as_store, sqlite_store

STEPS = 150
"""Things that happen, one after the other, before everything comes to rest."""

SETTLE_BLOCKS = 12
SETTLE_PASSES = 60
"""Once faults stop, so many blocks and passes at most until the books equal the chain."""

SETTLE_SECONDS = 10
"""Between two of those passes: in all, longer than an endpoint is ever set aside for."""

LEASE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Options:
    """What a world is like, beside its seed: whether it surely forks below finality, and whether
    its store is SQLite."""

    deep_forks: bool = False
    sqlite: bool = False


@dataclass
class Slot:
    """A place where a listener runs; the process in it comes and goes."""

    number: int
    listener: Listener
    generation: int = 0
    running: bool = False


@dataclass
class SlotClock:
    """A host's clock: the world's, a little off."""

    world: "World"
    skew: int

    def now(self) -> int:
        """Unix seconds."""
        return self.world.now + self.skew


@dataclass
class CountingTelemetry:
    """Counts events and metrics by name."""

    counts: Counter[str] = field(default_factory=Counter)
    tell: Callable[[str], None] | None = None

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """One more of them."""
        self.counts[name] += 1
        if self.tell is not None:
            self.tell(f"  {name} {fields}")

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """One more of them."""
        self.counts[f"metric:{name}"] += 1


class World:
    """The world of one seed. `run()` lives it through; `tell` is told all that happens."""

    def __init__(
        self,
        seed: int,
        options: Options | None = None,
        *,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.seed = seed
        self.options = options or Options()
        self.rng = rng = Random(seed)
        self.tell = tell or (lambda _line: None)
        self.shown: Counter[str] = Counter()
        self.telemetry = CountingTelemetry(tell=tell)
        self.entropy = SeededEntropy(Random(rng.random()))
        self.deep_forks = rng.random() < 0.1 or self.options.deep_forks
        rule = FinalityRule(confirmations=rng.randint(1, 4), fallback_blocks=rng.randint(8, 14))
        self.chain = SimChain(Random(rng.random()), rule, finality_lag=rng.randint(1, 3))
        self.now = self.chain.head.ref.time
        self.nodes = self._nodes(rng.randint(1, 4))
        self.quorum = min(2, len(self.nodes)) if rng.random() < 0.9 else 1
        self.liars = rng.sample(self.nodes, self.quorum - 1)
        self.books: Store = sqlite_store() if self.options.sqlite else MemoryStore()
        self.store = as_store(CheckedStore(self.books, Safety(self.chain, self.books)))
        self.settings = ScanSettings(
            chain_id=CHAIN_ID,
            contract=CONTRACT,
            deploy_block=DEPLOY_BLOCK,
            finality=rule,
            blocks_per_pass=rng.choice((8, 50, 5000)),
            near_blocks=rng.choice((0, 5, 500)),
            deepest_rewind=rng.choice((5, 100_000, 100_000, 100_000)),
            lease_seconds=LEASE_SECONDS,
            heartbeat_seconds=rng.choice((0, 0, 5)),
        )
        self.max_range = rng.choice((2, 5, 20, 5000))
        self.people = People(self)
        self.calm = False
        self.steps = 0
        self.passes = 0
        self.settled_after = 0
        self.stopped = False
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0
        self._faults = rng.sample(FAULTS, rng.choice((2, 3, 6, len(FAULTS))))
        self._lies = rng.sample(LIES, rng.choice((1, 2, len(LIES))))
        weighted = self._weighted()
        self._happenings, self._weights = list(weighted), list(weighted.values())
        self._interleave = rng.choice((0.0, 0.02, 0.08))
        self._store_faults = StoreFaults(
            unavailable=rng.choice((0.0, 0.0, 0.01, 0.05)), crash=rng.choice((0.0, 0.0, 0.01, 0.04))
        )
        self.slots = [Slot(number, self._listener(number, 0)) for number in range(2)]

    # ------------------------------------------------------------------------------- set-up

    def _nodes(self, count: int) -> list[Node]:
        rng = self.rng
        return [
            Node(
                name=f"node{number}",
                chain=self.chain,
                rng=Random(rng.random()),
                traits=Traits(
                    range_limit=rng.choice((1, 3, 10, 5000, 5000)),
                    range_words=rng.randrange(len(RANGE_WORDS)),
                    refuses_by_status=rng.random() < 0.2,
                    strict_range=rng.random() < 0.5,
                    tells_log_times=rng.random() < 0.7,
                    has_tag=rng.random() < 0.85,
                ),
                shown=self.shown,
            )
            for number in range(count)
        ]

    def _listener(self, number: int, generation: int) -> Listener:
        """A process freshly started: nothing is left of the one before it but the store."""
        clock = SlotClock(self, skew=(-3, 0, 2)[number % 3])
        rng = Random(self.rng.random())
        before = lambda: self._port_call(number)  # noqa: E731
        store = FaultyStore(
            self.store,
            rng=rng,
            faults=lambda: StoreFaults() if self.calm else self._store_faults,
            before=before,
            shown=self.shown,
        )
        return Listener(
            store=as_store(store),
            providers=Providers(
                [self._provider(node, before) for node in self.nodes],
                quorum=self.quorum,
                clock=clock,
                telemetry=self.telemetry,
                workers=1,  # no threads: the order of calls is the seed's
            ),
            clock=clock,
            entropy=self.entropy,
            telemetry=self.telemetry,
            settings=self.settings,
            owner=f"listener{number}-{generation}",
            poll_seconds=1.0,
            jitter=rng.random,
        )

    def _provider(self, node: Node, before: Callable[[], None]) -> RpcChain:
        return RpcChain(
            f"http://{node.name}.example",
            chain_id=CHAIN_ID,
            contract=CONTRACT,
            timeout=1,
            max_range=self.max_range,
            transport=Transport(node, before),
        )

    # --------------------------------------------------------------------------------- life

    def run(self) -> None:
        """Live through it, then let everything come to rest.

        Raises:
            Broken: a promise was not kept.
        """
        for _ in range(STEPS):
            self._do_due()
            self._happen()
        self._settle()

    def later(self, steps: int, act: Callable[[], None]) -> None:
        """Do something `steps` steps from now."""
        self._planned += 1
        heapq.heappush(self._due, (self.steps + steps, self._planned, act))

    def _do_due(self) -> None:
        self.steps += 1
        while self._due and self._due[0][0] <= self.steps:
            heapq.heappop(self._due)[2]()

    def _happen(self) -> None:
        """One of the things that may happen, at any time, also in the middle of a pass."""
        self.rng.choices(self._happenings, self._weights)[0]()

    def _weighted(self) -> dict[Callable[[], Any], float]:
        """What may happen, and how often. Every world has a mood of its own: the few things that go
        wrong in it do so often, in all their combinations."""
        weights: dict[Callable[[], Any], float] = {
            self._mine: 34,
            self._pass: 34,
            self.people.place_order: 12,
            self.people.deliver_something: 6,
            self.people.resolve_something: 2,
            self._toggle_fault: 14,
            self._fork: 4,
            self._burn_by_hand: 3,
            self._pause: 2,
            self._restart: 1,
            self._stall_finality: 1,
            self._fork_deep: 2 if self.deep_forks else 0,
        }
        return {what: weight * self.rng.choice((0.3, 1, 1, 3)) for what, weight in weights.items()}

    def _mine(self) -> None:
        block = self.chain.mine(self.rng.choice((0, 1, 2, 3, 100)))
        self.now = max(self.now, block.ref.time) + self.rng.choice((0, 0, 1))
        self.tell(f"block {block.ref.number} with {[burn.serial for burn in block.burns]}")

    def _fork(self) -> None:
        """Any depth above what is final."""
        deepest = len(self.chain.blocks) - 1 - max(self.chain.protected, DEPLOY_BLOCK)
        if deepest > 0:
            self._fork_to(self.rng.randint(1, deepest))

    def _fork_deep(self) -> None:
        """Below what is final, which must not happen and does."""
        deepest = len(self.chain.blocks) - 1 - DEPLOY_BLOCK
        final = len(self.chain.blocks) - 1 - self.chain.final
        self._fork_to(min(deepest, final + self.rng.randint(1, 8)))

    def _fork_to(self, depth: int) -> None:
        keep = self.rng.choice((1.0, 0.8, 0.0))
        self.chain.fork(depth, keep=keep, shuffle=self.rng.random() < 0.5)
        self.now = max(self.now, self.chain.head.ref.time)
        self.tell(f"fork of {depth} blocks, head {self.chain.head.ref.number}")

    def _stall_finality(self) -> None:
        self.chain.finality_stalled = not self.chain.finality_stalled

    def _burn_by_hand(self) -> None:
        self.people.burn_by_hand(40 if self.rng.random() < 0.1 else 2)

    def _pause(self) -> None:
        """Time passes: longer than a lease, as it may be in the middle of a pass."""
        self.now += self.rng.choice((1, 5, LEASE_SECONDS + 5, 120))

    # ------------------------------------------------------------------------------- faults

    def _toggle_fault(self) -> None:
        node = self.rng.choice(self.nodes)
        if node.faults and self.rng.random() < 0.4:
            fault = self.rng.choice(sorted(node.faults))
            node.recover(fault)
            self.tell(f"{node.name} no longer suffers {fault}")
            return
        lies = node in self.liars and self.rng.random() < 0.5
        fault = self.rng.choice(self._lies if lies else self._faults)
        node.suffer(fault, self.rng.choice((0.2, 0.6, 1.0)))
        self.tell(f"{node.name} suffers {fault}")
        if fault == "burn_invented":
            self._invent(node)
        if fault == "burn_hidden":
            recent = [burn.tx_hash for burn in self.chain.all_burns()[-3:]]
            waiting = [redeem.tx_hash for redeem in self.chain.mempool]
            node.hidden.update(self.rng.sample([*recent, *waiting], len([*recent, *waiting]) // 2))

    def _invent(self, node: Node) -> None:
        """The most harmful lie: exactly the burn that an order waits for, or one of nobody."""
        recent = self.chain.blocks[-self.rng.randint(1, 8) :]
        for order_id in self.people.orders[-2:]:
            order = self.store.order(order_id)
            if order is None:
                continue
            redeem = Redeem(
                "0x" + self.rng.randbytes(32).hex(),
                order.customer,
                order.token_id,
                order.amount,
                order.order_hash,
            )
            node.invent(redeem, self.rng.choice(recent).ref)

    def _port_call(self, number: int) -> None:
        """Whatever else happens while a listener waits for an answer."""
        if self.calm or self.rng.random() >= self._interleave:
            return
        self.tell(f"-- while listener {number} waits")
        if self.rng.random() < 0.3:
            self._overtake()
        else:
            self._happen()

    def _overtake(self) -> None:
        """A listener is held up beyond its lease, and another one goes to work meanwhile."""
        self.now += LEASE_SECONDS + 5
        for _ in range(self.rng.randint(1, 3)):
            self._pass()
            self._mine()

    # ---------------------------------------------------------------------------- listeners

    def _pass(self) -> None:
        """A pass of a listener that is not in the middle of one."""
        idle = [slot for slot in self.slots if not slot.running]
        if not idle:
            return
        slot = self.rng.choice(idle)
        slot.running = True
        self.passes += 1
        try:
            result = slot.listener.scan()
            self.tell(f"listener {slot.number}: {result}")
        except Crash:
            self._start_anew(slot)
        except ForkBelowFinality as stop:
            self._stopped(slot, stop)
        finally:
            slot.running = False

    def _stopped(self, slot: Slot, stop: ForkBelowFinality) -> None:
        """A listener stops for good only where the chain has truly undone what was final, and
        deeper than it may follow."""
        self.tell(f"listener {slot.number} stops: {stop}")
        if not self.chain.deep_forks or self.settings.deepest_rewind > len(self.chain.blocks):
            raise Broken(f"stopped for no good reason: {stop}")
        self.stopped = True
        self._start_anew(slot)

    def _restart(self) -> None:
        idle = [slot for slot in self.slots if not slot.running]
        if idle:
            slot = self.rng.choice(idle)
            if self.rng.random() < 0.5:
                with self._undisturbed():
                    slot.listener.release()
            self._start_anew(slot)

    def _start_anew(self, slot: Slot) -> None:
        self.tell(f"listener {slot.number} starts anew")
        slot.generation += 1
        slot.listener = self._listener(slot.number, slot.generation)

    @contextmanager
    def _undisturbed(self) -> Any:
        before, self.calm = self.calm, True
        try:
            yield
        finally:
            self.calm = before

    # ------------------------------------------------------------------------------ coming to rest

    def _settle(self) -> None:
        """Faults stop. Within the bound the books equal the chain, and stay so."""
        self.tell("-- faults stop")
        self.calm = True
        self.chain.finality_stalled = False
        for node in self.nodes:
            for fault in list(node.faults):
                node.recover(fault)
        left: list[str] = []
        for done in range(1, SETTLE_PASSES + 1):
            self._do_due()
            self.now += SETTLE_SECONDS
            if done <= SETTLE_BLOCKS:
                self._mine()
            self._pass()
            self.people.acknowledge_incidents()
            left = differences(self.chain, self.books, self.people.orders)
            if self.stopped:
                return
            if done > SETTLE_BLOCKS and not left:
                self.settled_after = done
                return
        raise Broken(f"not at rest after {SETTLE_PASSES} passes: " + "; ".join(left[:3]))
