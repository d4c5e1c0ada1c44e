"""The listener's pass against a chain that forks and a provider that lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.exceptions import (
    ExceptionKind,
    ResolutionKind,
    exception_id,
    honour,
    kind_of,
)
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    OrderStatus,
    add_transaction_hint,
    make_order_id,
    move,
    new_order,
)
from chalicelib.domain.progress import Cursor, Heartbeat, advance
from chalicelib.domain.redemptions import BlockRef, Burn, Header, Outcome, Redemption
from chalicelib.metrics import Kind, metric_of
from chalicelib.ports import (
    ChainUnavailable,
    Change,
    Insert,
    Page,
    Provider,
    StoreUnavailable,
    Stretch,
    Tail,
    Update,
)
from chalicelib.usecases.changes import order_changes
from chalicelib.usecases.resolve_exception import Resolver, acknowledge_incident
from chalicelib.usecases.scan import (
    COMMITS_PER_PASS,
    EXPIRY_OVERLAP_SECONDS,
    READ_SECONDS,
    ForeignCursor,
    ForkBelowFinality,
    ScanResult,
    ScanSettings,
    awaits_burn,
    release,
    scan,
)
from chalicelib.usecases.view_order import NotRedeemable, not_redeemable, open_exception
from listener_fn.providers import Providers
from tests.fakes import CountingEntropy
from tests.unit.fake_chain import GENESIS_TIME, FakeChain, Redeem

ALICE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
BOB = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"

SETTINGS = ScanSettings(
    chain_id=31337,
    contract=CONTRACT,
    deploy_block=1,
    finality=FinalityRule(confirmations=3, fallback_blocks=10),
    blocks_per_pass=350,
    near_blocks=5,
    heartbeat_seconds=0,
)


@dataclass
class FakeClock:
    at: int = GENESIS_TIME

    def now(self) -> int:
        return self.at


@dataclass
class FakeTelemetry:
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        self.events.append((name, dict(fields)))

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        series = " ".join([name, *labels.values()])
        before = self.metrics.get(series, 0)
        adds_up = metric_of(name, value, unit, labels).kind is Kind.COUNTER
        self.metrics[series] = before + value if adds_up else value

    def named(self, name: str) -> list[dict[str, object]]:
        return [fields for told, fields in self.events if told == name]


class Crash(Exception):
    """The process ended."""


class CrashingStore(MemoryStore):
    """Runs `before_commit` ahead of every commit, and dies instead of, or right after, the n-th."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.largest = 0
        self.most_changes = super().max_changes
        self.die_before: int | None = None
        self.die_after: int | None = None
        self.before_commit: Callable[[Sequence[Change]], None] | None = None

    @property
    def max_changes(self) -> int:
        return self.most_changes

    def commit(self, changes: Sequence[Change]) -> None:
        if self.before_commit is not None:
            interfere, self.before_commit = self.before_commit, None
            interfere(changes)
        self.commits += 1
        if self.commits == self.die_before:
            raise Crash
        super().commit(changes)
        self.largest = max(self.largest, len(changes))
        if self.commits == self.die_after:
            raise StoreUnavailable("no answer; the commit went through")


@dataclass
class World:
    """A store, a chain, a clock and the listener's passes over them."""

    chain: FakeChain = field(default_factory=FakeChain)
    store: CrashingStore = field(default_factory=CrashingStore)
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    settings: ScanSettings = SETTINGS
    orders_made: int = 0
    others: list[Provider] = field(default_factory=list)
    quorum: int = 1
    providers: Providers = field(init=False)

    def __post_init__(self) -> None:
        self.providers = Providers(
            [self.chain, *self.others],
            quorum=self.quorum,
            clock=self.clock,
            telemetry=self.telemetry,
            workers=1,
        )

    def order(self, *, ttl: int = 1800, customer: str = ALICE, amount: int = 1) -> Order:
        self.orders_made += 1
        created_at = self.chain.tip.time
        order = new_order(
            order_id=make_order_id(
                created_at=created_at, entropy=self.orders_made.to_bytes(10, "big")
            ),
            customer=customer,
            token_id=1001,
            amount=amount,
            site_id="HCM_ROX_T09",
            created_at=created_at,
            expires_at=created_at + ttl,
            request_id="r",
        )
        self.store.commit([Insert(order)])
        return order

    def scan(self, owner: str = "a") -> ScanResult:
        self.clock.at = max(self.clock.at, self.chain.tip.time)
        return scan(
            store=self.store,
            chain=self.providers,
            clock=self.clock,
            telemetry=self.telemetry,
            settings=self.settings,
            owner=owner,
            request_id="00000000-0000-4000-8000-000000000001",
        )

    def redeemed(self, **changed: str | int) -> Order:
        """An order, and a block that holds a burn for it."""
        order = self.order()
        self.chain.mine(self.chain.redeem(order, **changed))
        return order

    def now(self, order: Order) -> Order:
        stored = self.store.order(order.order_id)
        assert stored is not None
        return stored

    def status(self, order: Order) -> OrderStatus:
        return self.now(order).status

    @property
    def cursor(self) -> Cursor:
        cursor = self.store.cursor()
        assert cursor is not None
        return cursor

    @property
    def heartbeat(self) -> Heartbeat:
        assert self.cursor.heartbeat is not None
        return self.cursor.heartbeat

    def ledger(self) -> tuple[Redemption, ...]:
        return tuple(
            entry
            for first in range(1, self.cursor.seen_serial + 1, 100)
            for entry in self.store.redemptions(first, first + 99)
        )

    def entry(self, serial: int) -> Redemption:
        (entry,) = self.store.redemptions(serial, serial)
        return entry


@pytest.fixture
def world() -> World:
    return World()


# ------------------------------------------------------------------------------- burns and orders


def test_burn_is_pending_until_final_then_valid(world: World) -> None:
    order = world.redeemed()
    first = world.scan()
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert (first.pending, first.burns, first.error) == (1, 0, "")
    assert not world.entry(1).final

    world.chain.mine()
    world.scan()
    assert world.status(order) is OrderStatus.PENDING_CHAIN

    world.chain.mine()
    last = world.scan()
    assert world.status(order) is OrderStatus.VALID
    assert (last.matched, last.exceptions, last.pending) == (1, 0, 0)
    assert world.entry(1) == replace(
        world.entry(1), final=True, outcome=Outcome.MATCHED, burn=world.chain.all_burns()[0]
    )
    assert [entry.target for entry in world.now(order).history] == [
        OrderStatus.CREATED,
        OrderStatus.PENDING_CHAIN,
        OrderStatus.VALID,
    ]


@pytest.mark.parametrize(("finality", "needed"), [(2, 3), (5, 6), (None, 11), (0, 3)])
def test_burn_needs_confirmations_and_finality(finality: int | None, needed: int) -> None:
    world = World(chain=FakeChain(finality=finality))
    order = world.redeemed()
    for _ in range(needed - 2):
        world.chain.mine()
        world.scan()
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    world.chain.mine()
    world.scan()
    assert world.status(order) is OrderStatus.VALID


def test_age_of_the_proven_height_is_measured(world: World) -> None:
    world.chain.mine_empty(9)
    world.clock.at = world.chain.tip.time + 4
    world.scan()
    assert world.telemetry.metrics["LagSeconds"] == 2 + 4
    assert world.telemetry.metrics["LagBlocks"] == 2


def test_final_burn_costs_one_commit_of_three_records(world: World) -> None:
    world.chain.mine()
    world.scan()
    order = world.redeemed()
    world.chain.mine_empty(2)
    commits = world.store.commits
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    assert world.store.commits - commits == 1
    assert world.store.largest == 3


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"user": BOB}, Outcome.WRONG_WALLET),
        ({"token_id": 2001}, Outcome.WRONG_TOKEN),
        ({"amount": 2}, Outcome.WRONG_AMOUNT),
        ({"order_hash": "0x" + "ab" * 32}, Outcome.UNKNOWN_ORDER),
    ],
)
def test_burn_that_fits_no_order_is_kept_as_exception(
    world: World, changed: dict[str, str | int], outcome: Outcome
) -> None:
    order = world.redeemed(**changed)
    world.chain.mine_empty(2)
    result = world.scan()
    assert (result.burns, result.matched, result.exceptions) == (1, 0, 1)
    assert world.entry(1).outcome is outcome
    assert world.status(order) is OrderStatus.CREATED
    assert world.telemetry.metrics[f"BurnExceptions {outcome}"] == 1
    (raised,) = world.store.exceptions(open_only=True, limit=10).items
    assert (raised.kind, raised.burn) == (kind_of(outcome), world.entry(1).burn)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"amount": 2}, Outcome.WRONG_AMOUNT),
        ({"token_id": 2001}, Outcome.WRONG_TOKEN),
        ({"user": BOB}, None),
    ],
)
def test_customers_own_burn_that_does_not_fit_is_told_with_the_order(
    world: World, changed: dict[str, str | int], told: Outcome | None
) -> None:
    order = world.redeemed(**changed)
    world.scan()
    assert open_exception(world.now(order)) is None  # it may yet be a provider's invention
    world.chain.mine_empty(2)
    world.scan()
    assert open_exception(world.now(order)) is told
    blocked = not_redeemable(world.now(order), now=world.clock.now())
    assert blocked is (NotRedeemable.EXCEPTION if told else None)


def test_burn_that_did_not_fit_and_was_forked_out_is_forgotten_with_the_order(
    world: World,
) -> None:
    order = world.redeemed(amount=2)
    world.scan()
    world.chain.fork(1)
    world.chain.mine(world.chain.redeem(order))
    world.scan()
    assert world.now(order).exception is None
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert world.entry(1).outcome is Outcome.MATCHED


def test_lost_burn_does_not_clear_what_another_final_one_was_told_for(world: World) -> None:
    order = world.redeemed(amount=2)
    world.chain.mine_empty(2)
    world.scan()
    world.chain.mine(world.chain.redeem(order, amount=3))
    world.scan()
    world.chain.fork(1)
    world.chain.mine_empty(2)
    assert world.scan().lost == 1
    assert open_exception(world.now(order)) is Outcome.WRONG_AMOUNT


def test_second_burn_for_an_order_is_a_duplicate(world: World) -> None:
    order = world.order()
    world.chain.mine(world.chain.redeem(order), world.chain.redeem(order))
    world.chain.mine_empty(2)
    world.scan()
    assert [entry.outcome for entry in world.ledger()] == [Outcome.MATCHED, Outcome.DUPLICATE]
    burn = world.now(order).burn
    assert burn is not None
    assert burn.serial == 1


def test_burn_counts_by_the_time_of_its_block(world: World) -> None:
    in_time, late = world.order(ttl=10), world.order(ttl=9)
    world.chain.mine(world.chain.redeem(in_time), world.chain.redeem(late), seconds=10)
    world.chain.mine_empty(2, seconds=5000)
    world.clock.at = world.chain.tip.time + 100_000
    world.scan()
    assert world.status(in_time) is OrderStatus.VALID
    assert world.entry(2).outcome is Outcome.LATE
    assert world.status(late) is OrderStatus.EXPIRED


def test_cancelled_order_gets_its_burn_after_all(world: World) -> None:
    order = world.order()
    world.store.commit(order_changes(order, _cancelled(order)))
    world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(order) is OrderStatus.VALID


def test_burn_after_expiry_was_settled_is_an_exception(world: World) -> None:
    order = world.order(ttl=10)
    world.chain.mine_empty(3, seconds=20)
    world.scan()
    assert world.status(order) is OrderStatus.EXPIRED
    world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(2)
    world.scan()
    assert world.entry(1).outcome is Outcome.LATE
    assert world.status(order) is OrderStatus.EXPIRED


# ------------------------------------------------------------------------------------------- forks


def test_burn_mined_again_under_another_serial_is_no_duplicate_while_catching_up() -> None:
    world = World(
        chain=FakeChain(finality=2),
        settings=replace(SETTINGS, blocks_per_pass=4, finality=FinalityRule(1, 1000)),
    )
    other, order = world.order(customer=BOB), world.order()
    burn = world.chain.redeem(order)
    world.chain.mine(world.chain.redeem(other))
    world.chain.mine(burn)
    assert world.scan().pending == 2
    world.chain.fork(2)
    world.chain.mine(burn)
    world.chain.mine_empty(12)
    assert world.scan().backlog
    assert world.entry(1).outcome is Outcome.MATCHED
    while world.scan().backlog:
        pass
    assert world.status(order) is OrderStatus.VALID
    assert world.status(other) is OrderStatus.CREATED


def test_lost_burn_sends_the_order_back_and_stays_in_sight(world: World) -> None:
    order = world.redeemed()
    world.scan()
    burn = world.entry(1).burn
    world.chain.fork(1)
    world.chain.mine()
    result = world.scan()
    assert result.lost == 1
    assert world.status(order) is OrderStatus.CREATED
    assert world.now(order).burn is None
    assert not world.entry(1).on_chain
    assert world.entry(1).orphans == (burn,)
    assert world.scan().lost == 0


def test_burn_mined_again_elsewhere_stays_attached(world: World) -> None:
    order = world.redeemed()
    world.scan()
    (redeem,) = world.chain.fork(1)
    world.chain.mine()
    world.chain.mine(redeem)
    world.scan()
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert world.now(order).burn == world.chain.all_burns()[0]
    assert len(world.entry(1).orphans) == 1
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(order) is OrderStatus.VALID


def test_burn_mined_again_too_late_frees_the_order(world: World) -> None:
    order = world.order(ttl=10)
    world.chain.mine(world.chain.redeem(order))
    world.scan()
    (redeem,) = world.chain.fork(1)
    world.chain.mine(redeem, seconds=11)
    world.scan()
    assert world.status(order) is OrderStatus.CREATED
    assert world.entry(1).outcome is Outcome.LATE


def test_lost_burn_that_returns_is_attached_again(world: World) -> None:
    order = world.redeemed()
    world.scan()
    (redeem,) = world.chain.fork(1)
    world.chain.mine()
    world.scan()
    world.chain.mine(redeem)
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    assert world.entry(1).on_chain


def test_serials_swapped_by_a_fork_are_kept_apart(world: World) -> None:
    one, two = world.order(), world.order(customer=BOB)
    world.chain.mine(world.chain.redeem(one), world.chain.redeem(two))
    world.scan()
    first, second = world.chain.fork(1)
    world.chain.mine(second, first)
    world.scan()
    assert [entry.outcome for entry in world.ledger()] == [Outcome.MATCHED] * 2
    world.chain.mine_empty(2)
    world.scan()
    for order, serial in ((one, 2), (two, 1)):
        burn = world.now(order).burn
        assert burn is not None
        assert (world.status(order), burn.serial) == (OrderStatus.VALID, serial)


def test_swapped_serials_that_are_final_at_once_are_kept_apart(world: World) -> None:
    one, two = world.order(), world.order(customer=BOB)
    world.chain.mine(world.chain.redeem(one), world.chain.redeem(two))
    world.scan()
    first, second = world.chain.fork(1)
    world.chain.mine(second, first)
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(one) is world.status(two) is OrderStatus.VALID


def test_provider_that_lags_takes_nothing_back(world: World) -> None:
    world.chain.mine_empty(5)
    world.scan()
    order = world.redeemed()
    world.scan()
    world.chain.lag = 1
    result = world.scan()
    assert (result.error, result.lost) == ("", 0)
    assert world.status(order) is OrderStatus.PENDING_CHAIN


def test_provider_older_than_the_proven_block_is_refused(world: World) -> None:
    world.chain.mine_empty(8)
    world.scan()
    proven = world.cursor.proven
    world.chain.lag = 5
    assert "older than proven" in world.scan().error
    assert world.cursor.proven == proven


# ---------------------------------------------------------------- forks below what was proven final


def forked_below(world: World, depth: int) -> list[Redeem]:
    """Abandon blocks that were proven final; what was burned in them. The new branch is longer."""
    lost = world.chain.fork(depth)
    world.chain.mine_empty(depth + 2)
    return lost


def follow(world: World, *, at_most: int = 20) -> list[ScanResult]:
    """Passes until one finds nothing to catch up."""
    results = [world.scan()]
    while results[-1].backlog or results[-1].error:
        assert len(results) < at_most, results[-1]
        results.append(world.scan())
    return results


def test_fork_below_finality_takes_the_order_back(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(3)
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    proven = world.cursor.proven
    forked_below(world, 4)
    doubt, back, again = follow(world)
    assert "asking again" in doubt.error
    assert back.rewound == proven.number
    assert (again.lost, again.error) == (1, "")
    stored = world.now(order)
    assert (stored.status, stored.burn) == (OrderStatus.CREATED, None)
    assert [entry.reason for entry in stored.history[-3:]] == [
        "burn final",
        "burn no longer final",
        "burn no longer on the chain",
    ]
    assert not world.entry(1).on_chain
    assert world.telemetry.metrics["RewindDepth"] == proven.number
    assert world.telemetry.named("order_reverted")[0]["level"] == "WARNING"
    assert world.telemetry.metrics["OrdersReverted"] == 1


def test_burn_mined_again_below_finality_makes_the_order_valid_again(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(3)
    world.scan()
    (burn,) = world.chain.fork(4)
    world.chain.mine()
    world.chain.mine(burn)
    world.chain.mine_empty(5)
    follow(world)
    stored = world.now(order)
    assert (stored.status, stored.burn) == (OrderStatus.VALID, world.chain.all_burns()[0])
    assert world.entry(1).final
    assert world.cursor.halts == ()


def test_one_bad_answer_takes_nothing_back(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(3)
    world.scan()
    blocks = list(world.chain._blocks)
    world.chain.fork(4)
    world.chain.mine_empty(6)
    assert "asking again" in world.scan().error
    world.chain._blocks = blocks
    world.chain.mine_empty(1)
    assert world.scan().error == ""
    assert world.status(order) is OrderStatus.VALID
    world.chain.fork(5)
    world.chain.mine_empty(7)
    assert "asking again" in world.scan().error


def test_rewind_of_hundreds_survives_a_crash_at_every_commit() -> None:
    for crash in range(1, 60):
        world = World()
        world.store.most_changes = 100
        orders = [world.order() for _ in range(150)]
        redeems = [world.chain.redeem(order) for order in orders]
        world.chain.mine_empty(70)
        world.scan()
        for some in (redeems[:50], redeems[50:]):
            world.chain.mine(*some)
            world.chain.mine_empty(1)
        world.chain.mine_empty(3)
        follow(world)
        assert {world.status(order) for order in orders} == {OrderStatus.VALID}
        world.chain.fork(7)
        world.chain.mine(*reversed(redeems[:120]))
        world.chain.mine_empty(8)
        start = world.store.commits
        if crash % 2:
            world.store.die_before = start + crash
        else:
            world.store.die_after = start + crash
        died = True
        try:
            follow(world)
            died = False
        except (Crash, StoreUnavailable):
            world.clock.at += 1000
            while world.scan("b").backlog:
                pass
            while world.scan("b").error:
                pass
            while world.scan("b").backlog:
                pass
        on_chain = [entry.burn for entry in world.ledger() if entry.on_chain]
        assert on_chain == list(world.chain.all_burns())
        assert all(entry.final for entry in world.ledger() if entry.on_chain)
        statuses = [world.status(order) for order in orders]
        assert statuses == [OrderStatus.VALID] * 120 + [OrderStatus.CREATED] * 30
        assert world.store.largest <= 100
        if not died:
            return
    pytest.fail("the rewind never came through")


def test_fork_goes_back_to_the_newest_block_still_there(world: World) -> None:
    for _ in range(30):
        world.redeemed()
        world.chain.mine_empty(9)
        world.scan()
    kept = world.chain.all_burns()[24]
    world.chain.fork(world.chain.tip.number - kept.block.number)
    world.chain.mine_empty(100)
    assert "asking again" in world.scan().error
    world.scan()
    assert world.cursor.proven.number >= kept.block.number
    assert (world.cursor.last_serial, world.cursor.rewinding) == (25, False)


def test_fork_deeper_than_may_be_followed_stops_loudly() -> None:
    world = World(settings=replace(SETTINGS, deepest_rewind=20))
    order = world.redeemed()
    world.chain.mine_empty(40)
    world.scan()
    before = (world.cursor.proven, world.ledger(), world.now(order))
    forked_below(world, 41)
    world.scan()
    with pytest.raises(ForkBelowFinality):
        world.scan()
    assert before == (world.cursor.proven, world.ledger(), world.now(order))
    assert "was" in world.heartbeat.error


def test_fork_while_catching_up_takes_back_what_is_not_proven_yet() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=4))
    orders = [world.redeemed() for _ in range(9)]
    world.chain.mine_empty(20)
    world.scan()
    assert world.cursor.last_serial > 0
    assert world.cursor.proven.number == 0
    redeems = world.chain.fork(world.chain.tip.number)
    world.chain.mine_empty(2)
    world.chain.mine(*redeems)
    world.chain.mine_empty(40)
    follow(world)
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_fork_while_catching_up_may_spare_some_of_what_is_not_proven() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=12))
    orders = []
    for _ in range(9):
        orders.append(world.redeemed())
        world.chain.mine_empty(2)
    world.chain.mine_empty(20)
    world.scan()
    assert world.cursor.last_serial == 4
    redeems = world.chain.fork(world.chain.tip.number - 8)
    world.chain.mine(*redeems)
    world.chain.mine_empty(40)
    follow(world)
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_fork_below_burns_stored_as_final_is_found_while_catching_up() -> None:
    """Above the proven block too, where the serials of the new branch just go on."""
    world = World(settings=replace(SETTINGS, blocks_per_pass=40))
    gone, instead = world.order(), world.order(customer=BOB)
    world.chain.mine_empty(30)
    world.chain.mine(world.chain.redeem(gone))
    world.chain.mine_empty(60)
    assert world.scan().backlog
    assert world.status(gone) is OrderStatus.VALID
    assert world.cursor.proven.number < world.entry(1).burn.block.number
    world.chain.fork(world.chain.tip.number - 25)
    world.chain.mine_empty(5)
    world.chain.mine(world.chain.redeem(instead))
    world.chain.mine_empty(80)
    assert world.chain.all_burns()[0].block.number <= world.cursor.scanned
    follow(world)
    assert (world.status(gone), world.status(instead)) == (OrderStatus.CREATED, OrderStatus.VALID)
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())


def test_order_that_waits_again_may_expire_again(world: World) -> None:
    order = world.order(ttl=10)
    world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(3, seconds=20)
    world.scan()
    assert world.cursor.expired_through > order.expires_at
    world.chain.fork(4)
    world.chain.mine_empty(8, seconds=300)
    follow(world)
    assert world.status(order) is OrderStatus.EXPIRED


def delivered(world: World) -> Order:
    """An order redeemed and handed over."""
    order = world.redeemed()
    world.chain.mine_empty(3)
    world.scan()
    valid = world.now(order)
    handed_over = move(
        valid,
        OrderStatus.DELIVERED,
        actor=Actor(ActorKind.RECEPTION, "hoa"),
        at=world.clock.at,
        reason="service handed over",
        request_id="r",
    )
    world.store.commit([Update(handed_over)])
    return order


def test_delivered_order_forked_out_is_an_incident_that_halts(world: World) -> None:
    order = delivered(world)
    burn = world.entry(1).burn
    forked_below(world, 4)
    follow(world)
    assert world.status(order) is OrderStatus.DELIVERED
    (incident,) = world.store.exceptions(open_only=True, limit=10).items
    assert incident.kind is ExceptionKind.DELIVERED_REORGED
    assert world.cursor.halts == (incident.exception_id,) == (exception_id(burn),)
    assert world.telemetry.named("delivered_reorged")[0]["level"] == "ERROR"

    waiting = world.redeemed()
    due = world.order(ttl=1)
    world.chain.mine_empty(4)
    result = world.scan()
    assert incident.exception_id in result.held
    assert world.status(waiting) is OrderStatus.PENDING_CHAIN
    assert world.status(due) is OrderStatus.CREATED
    assert incident.exception_id in world.heartbeat.error

    world.store.commit([Update(advance(world.cursor, halts=()))])
    assert world.scan().matched == 1
    assert (world.status(waiting), world.status(due)) == (OrderStatus.VALID, OrderStatus.EXPIRED)


def test_burn_of_a_delivered_order_that_is_back_ends_the_incident(world: World) -> None:
    order = delivered(world)
    (burn,) = forked_below(world, 4)
    follow(world)
    assert world.cursor.halts
    other = world.order()
    world.chain.mine(world.chain.redeem(other), burn)
    world.chain.mine_empty(4)
    world.scan()
    assert world.cursor.halts == ()
    assert world.scan().held == ""
    stored = world.now(order)
    assert (stored.status, stored.burn) == (OrderStatus.DELIVERED, world.chain.all_burns()[1])
    assert world.store.exceptions(open_only=True, limit=10).items == ()
    assert world.entry(2).outcome is Outcome.MATCHED
    assert world.status(other) is OrderStatus.VALID


def test_incident_outlasts_a_burn_mined_again_too_late_until_it_is_acknowledged(
    world: World,
) -> None:
    delivered(world)
    (burn,) = forked_below(world, 4)
    follow(world)
    (incident,) = world.cursor.halts
    world.chain.mine(burn, seconds=10_000)
    world.scan()
    assert world.entry(1).outcome is Outcome.LATE
    world.chain.fork(1)
    world.chain.mine_empty(2)
    assert incident in world.scan().held
    record = world.store.exception(incident)
    assert record is not None
    assert (record.kind, record.is_open) == (ExceptionKind.DELIVERED_REORGED, True)
    waiting = world.redeemed()
    world.chain.mine_empty(4)
    acknowledge_incident(
        incident,
        Resolver(
            store=world.store,
            entropy=CountingEntropy(),
            actor=Actor(ActorKind.ADMIN, "operator"),
            reason="spoken with the customer",
            now=world.clock.at,
            request_id="r",
        ),
    )
    assert world.scan().held == ""
    assert world.status(waiting) is OrderStatus.VALID


def honoured(world: World) -> tuple[Order, Redeem]:
    """An order redeemed too late, and made VALID by an administrator."""
    order = world.order(ttl=1)
    world.chain.mine_empty(1, seconds=60)
    return order, honoured_late(world, order)


def honoured_late(world: World, order: Order) -> Redeem:
    """A burn for an order that has expired, honoured by an administrator."""
    burn = world.chain.redeem(order)
    world.chain.mine(burn)
    world.chain.mine_empty(3)
    world.scan()
    assert (world.status(order), world.entry(1).outcome) == (OrderStatus.EXPIRED, Outcome.LATE)
    (open_,) = world.store.exceptions(open_only=True, limit=10).items
    record, valid = honour(
        open_,
        order=world.now(order),
        entry=world.entry(1),
        actor=Actor(ActorKind.ADMIN, "operator"),
        at=world.clock.at,
        reason="our fault",
        request_id="r",
    )
    world.store.commit([Update(record), Update(valid)])
    return burn


def test_honoured_order_stays_valid_while_its_burn_is_on_the_chain(world: World) -> None:
    order, burn = honoured(world)
    world.chain.fork(4)
    world.chain.mine()
    world.chain.mine(burn)
    world.chain.mine_empty(5)
    follow(world)
    assert world.status(order) is OrderStatus.VALID
    assert world.store.exceptions(open_only=True, limit=10).items == ()


def test_honoured_order_whose_burn_is_gone_is_taken_back(world: World) -> None:
    order, burn = honoured(world)
    world.chain.fork(4)
    world.chain.mine_empty(8)
    follow(world)
    assert world.status(order) in (OrderStatus.CREATED, OrderStatus.EXPIRED)
    assert world.now(order).burn is None
    world.chain.mine(burn)
    world.chain.mine_empty(4)
    follow(world)
    (again,) = world.store.exceptions(open_only=True, limit=10).items
    assert again.kind is ExceptionKind.LATE
    assert len(again.earlier) == 1


def test_honoured_order_has_its_burn_where_the_chain_has_it_after_a_fork(world: World) -> None:
    order, burn = honoured(world)
    world.chain.fork(4)
    world.chain.mine_empty(2)
    world.chain.mine(burn)
    world.chain.mine_empty(5)
    follow(world)
    assert world.now(order).burn == world.entry(1).burn == world.chain.all_burns()[0]


def test_honoured_order_whose_burn_is_gone_expires_though_its_deadline_was_settled_long_ago(
    world: World,
) -> None:
    order = world.order(ttl=1)
    world.chain.mine_empty(4, seconds=EXPIRY_OVERLAP_SECONDS)
    world.scan()
    honoured_late(world, order)
    world.chain.fork(4)
    world.chain.mine_empty(8, seconds=60)
    follow(world)
    world.scan()
    assert world.status(order) is OrderStatus.EXPIRED
    assert world.now(order).burn is None


def test_exception_that_is_forked_out_is_withdrawn(world: World) -> None:
    world.redeemed(amount=2)
    world.chain.mine_empty(3)
    world.scan()
    assert len(world.store.exceptions(open_only=True, limit=10).items) == 1
    forked_below(world, 4)
    follow(world)
    assert world.store.exceptions(open_only=True, limit=10).items == ()
    (record,) = world.store.exceptions(open_only=False, limit=10).items
    assert record.resolution is not None
    assert record.resolution.kind is ResolutionKind.WITHDRAWN


# ------------------------------------------------------------------------------------ completeness


def _lie(world: World, fault: str) -> None:
    chain = world.chain
    match fault:
        case "withheld":
            chain.withheld = {2}
        case "last withheld":
            chain.withheld = {3}
        case "all withheld":
            chain.withheld = {1, 2, 3}
        case "doubled":
            chain.doubled = {2}
        case "count too low":
            chain.counted_more = -1
        case "count too high":
            chain.counted_more = 1


@pytest.mark.parametrize(
    "fault",
    ["withheld", "last withheld", "all withheld", "doubled", "count too low", "count too high"],
)
def test_logs_that_do_not_add_up_hold_everything(world: World, fault: str) -> None:
    world.chain.mine()
    world.scan()
    proven, settled = world.cursor.proven, world.cursor.expired_through
    due = world.order(ttl=5)
    orders = [world.redeemed() for _ in range(3)]
    world.chain.mine_empty(3, seconds=10)
    _lie(world, fault)
    result = world.scan()
    assert result.error
    assert world.heartbeat.error == result.error
    assert world.heartbeat.succeeded_at < world.heartbeat.at
    assert (world.cursor.proven, world.cursor.expired_through) == (proven, settled)
    assert world.ledger() == ()
    assert {world.status(order) for order in [due, *orders]} == {OrderStatus.CREATED}

    world.chain.withheld, world.chain.doubled, world.chain.counted_more = set(), set(), 0
    assert world.scan().matched == 3
    assert world.status(due) is OrderStatus.EXPIRED
    assert world.heartbeat.error == ""


def test_gap_among_pending_burns_holds_final_ones_back_too(world: World) -> None:
    final = world.redeemed()
    world.chain.mine_empty(2)
    world.redeemed()
    world.chain.withheld = {2}
    assert world.scan().error
    assert world.status(final) is OrderStatus.CREATED


def test_gap_found_while_catching_up_rewinds_to_the_last_burn_in_the_ledger() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=7))
    orders = []
    for _ in range(3):
        orders.append(world.redeemed())
        world.chain.mine_empty(9)
    world.chain.withheld = {2}
    results = [world.scan() for _ in range(2)]
    assert [result.backlog for result in results] == [True, True]
    assert world.cursor.scanned == 14
    assert world.cursor.proven.number == 0
    assert "redemption 2 expected" in world.scan().error
    assert world.cursor.scanned == 0

    world.chain.withheld = set()
    while world.scan().backlog:
        pass
    assert [world.status(order) for order in orders] == [OrderStatus.VALID] * 3


@pytest.mark.parametrize("told", [{"time": GENESIS_TIME + 10_000}, {"hash": "0x" + "ff" * 32}])
def test_header_of_the_proven_block_told_otherwise_expires_nothing(
    world: World, told: dict[str, str | int]
) -> None:
    world.chain.mine_empty(20)
    world.scan()
    proven = world.cursor.proven
    order = world.order(ttl=1800)
    honest = world.chain.header
    forged = replace(proven, **told)  # type: ignore[arg-type]

    def header(number: int) -> Header:
        own = honest(number)
        if number == proven.number:
            return replace(own, block=forged)
        return replace(own, parent=forged.hash) if number == proven.number + 1 else own

    world.chain.header = header  # type: ignore[method-assign]
    world.clock.at += 10
    assert "not the one proven final" in world.scan().error
    assert world.status(order) is OrderStatus.CREATED
    assert world.cursor.proven == proven
    world.chain.header = honest  # type: ignore[method-assign]
    world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(4)
    follow(world)
    assert world.status(order) is OrderStatus.VALID


def test_burns_told_with_one_log_index_are_told_apart_by_their_serials() -> None:
    @dataclass
    class SameIndex(FakeChain):
        def all_burns(self) -> tuple[Burn, ...]:
            return tuple(replace(burn, log_index=3) for burn in super().all_burns())

    world = World(chain=SameIndex())
    orders = [world.order(), world.order(customer=BOB)]
    world.chain.mine(*(world.chain.redeem(order) for order in orders))
    world.chain.mine_empty(3)
    assert world.scan().matched == 2
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_block_that_is_not_the_one_of_its_logs_makes_nothing_valid(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(3)
    real = world.chain.burns

    def burns(first: int, last: int) -> Stretch:
        told = real(first, last)
        return Stretch(
            tuple(
                replace(burn, block=replace(burn.block, time=burn.block.time - 1))
                for burn in told.burns
            ),
            told.through,
        )

    world.chain.burns = burns  # type: ignore[method-assign]
    assert "not the one" in world.scan().error
    assert world.status(order) is OrderStatus.CREATED


@pytest.mark.parametrize("lied_about", [1, 2])
def test_every_burn_of_a_block_has_to_be_of_that_block(world: World, lied_about: int) -> None:
    first, second = world.order(), world.order(customer=BOB)
    world.chain.mine(world.chain.redeem(first), world.chain.redeem(second))
    world.chain.mine_empty(5)
    honest = world.chain.burns

    def burns(start: int, end: int) -> Stretch:
        told = honest(start, end)
        return Stretch(
            tuple(
                replace(burn, block=replace(burn.block, hash="0x" + "ee" * 32, time=1))
                if burn.serial == lied_about
                else burn
                for burn in told.burns
            ),
            told.through,
        )

    world.chain.burns = burns  # type: ignore[method-assign,assignment]
    assert "block" in world.scan().error
    assert world.ledger() == ()
    world.chain.burns = honest  # type: ignore[method-assign]
    assert world.scan().matched == 2


def test_block_told_in_two_ways_by_burns_not_final_yet_is_refused(world: World) -> None:
    alices, bobs = world.order(), world.order(customer=BOB)
    world.chain.mine(world.chain.redeem(alices), world.chain.redeem(bobs))
    honest = world.chain.burns

    def burns(first: int, last: int) -> Stretch:
        told = honest(first, last)
        one, other = told.burns
        lied = replace(other, block=replace(other.block, hash="0x" + "ee" * 32))
        return Stretch((one, lied), told.through)

    world.chain.burns = burns  # type: ignore[method-assign]
    assert world.scan().error == "block 1 is told in two ways"
    assert world.ledger() == ()
    assert world.status(alices) is world.status(bobs) is OrderStatus.CREATED
    world.chain.burns = honest  # type: ignore[method-assign]
    assert world.scan().pending == 2


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_provider_that_tells_few_blocks_at_once_is_asked_more_often(
    world: World, at_once: int
) -> None:
    orders = [world.redeemed() for _ in range(9)]
    world.chain.mine_empty(3)
    world.chain.at_once = at_once
    while world.scan().backlog:
        pass
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}
    assert [entry.serial for entry in world.ledger()] == list(range(1, 10))


def test_a_long_tail_that_is_not_final_is_read_to_the_head() -> None:
    world = World(
        chain=FakeChain(finality=None),
        settings=replace(SETTINGS, blocks_per_pass=20, finality=FinalityRule(3, 240)),
    )
    burned, late = world.redeemed(), world.order(ttl=60)
    world.chain.mine_empty(200)
    assert not world.scan().backlog
    assert world.status(burned) is OrderStatus.PENDING_CHAIN
    world.chain.mine_empty(200)
    while world.scan().backlog:
        pass
    assert world.status(burned) is OrderStatus.VALID
    assert world.status(late) is OrderStatus.EXPIRED


def test_deployment_block_after_the_first_burn_is_told(world: World) -> None:
    world.redeemed()
    world.redeemed()
    world.chain.mine_empty(3)
    world.settings = replace(SETTINGS, deploy_block=2)
    assert world.scan().error == "redemption 1 expected, 2 told"


def test_provider_that_is_down_is_told_in_the_heartbeat(world: World) -> None:
    world.scan()
    world.chain.down = True
    assert world.scan().error == "provider is down"
    assert world.heartbeat.error == "provider is down"
    world.chain.down = False
    world.scan()
    assert world.heartbeat.error == ""


# ------------------------------------------------------------------------------------------ expiry


def test_order_expires_once_the_proven_time_is_past_its_last_second(world: World) -> None:
    order = world.order(ttl=10)
    world.chain.mine(seconds=10)
    world.clock.at = GENESIS_TIME + 1_000_000
    world.chain.mine_empty(2, seconds=0)
    world.scan()
    assert world.cursor.proven.time == order.expires_at
    assert world.status(order) is OrderStatus.CREATED
    world.chain.mine(seconds=1)
    world.chain.mine_empty(2, seconds=0)
    result = world.scan()
    assert result.expired == 1
    assert world.status(order) is OrderStatus.EXPIRED
    assert world.now(order).history[-1].block == world.cursor.proven.number


def test_nothing_expires_before_the_backlog_is_scanned() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=7))
    order = world.order(ttl=10)
    world.chain.mine_empty(20)
    world.chain.mine_empty(5, seconds=0)
    while world.scan().backlog:
        assert world.status(order) is OrderStatus.CREATED
    assert world.status(order) is OrderStatus.EXPIRED


def test_order_whose_burn_waits_does_not_expire(world: World) -> None:
    order = world.order(ttl=10)
    world.chain.mine(world.chain.redeem(order), seconds=10)
    world.chain.mine()
    world.clock.at = GENESIS_TIME + 1_000_000
    world.scan()
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    world.chain.mine(seconds=100)
    world.scan()
    assert world.status(order) is OrderStatus.VALID


def test_deadlines_are_looked_at_once_per_heartbeat_while_burns_wait() -> None:
    world = World(
        chain=FakeChain(finality=0),
        settings=replace(SETTINGS, heartbeat_seconds=5, finality=FinalityRule(3, 10)),
    )
    due = world.order(ttl=20)
    looks: list[int] = []
    expiring = world.store.orders_expiring

    def count(*, after: int, through: int, limit: int, cursor: str | None = None) -> Page[Order]:
        looks.append(through)
        return expiring(after=after, through=through, limit=limit, cursor=cursor)

    world.store.orders_expiring = count  # type: ignore[method-assign]
    for _ in range(40):
        world.redeemed()
        beats = world.heartbeat.at if world.store.cursor() else 0
        assert world.scan().error == ""
        assert world.heartbeat.at > beats
        if world.cursor.proven.time > due.expires_at + 5:
            assert world.status(due) is OrderStatus.EXPIRED
    assert world.status(due) is OrderStatus.EXPIRED
    assert len(looks) <= 40 // 5 + 1


def test_idle_chain_expires_an_order_with_the_next_heartbeat() -> None:
    world = World(settings=replace(SETTINGS, heartbeat_seconds=5))
    world.chain.mine_empty(3)
    world.scan()
    due = world.order(ttl=1)
    world.chain.mine_empty(2)
    world.clock.at += 5
    world.scan()
    assert world.cursor.proven.time == due.expires_at - 1
    world.chain.mine_empty(2)
    world.clock.at += 5
    world.scan()
    assert world.status(due) is OrderStatus.EXPIRED


def test_many_orders_expire_in_slices(world: World) -> None:
    world.store.most_changes = 100
    orders = [world.order(ttl=10) for _ in range(250)]
    world.chain.mine_empty(3, seconds=20)
    assert world.scan().expired == 250
    assert {world.status(order) for order in orders} == {OrderStatus.EXPIRED}
    assert world.store.largest <= 100
    assert world.cursor.expired_through == world.cursor.proven.time - 1


# ------------------------------------------------------------------------------- slices and crashes


def test_hundreds_of_burns_in_one_block_survive_a_crash_at_every_commit() -> None:
    commits = None
    for crash in range(1, 40):
        world = World()
        world.store.most_changes = 100
        orders = [world.order() for _ in range(150)]
        world.chain.mine(*(world.chain.redeem(order) for order in orders))
        world.chain.mine_empty(2)
        start = world.store.commits
        if crash % 2:
            world.store.die_before = start + crash
        else:
            world.store.die_after = start + crash
        try:
            world.scan()
        except (Crash, StoreUnavailable):
            world.clock.at += 1000
            world.scan("b")
        else:
            commits = crash
        assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
        assert all(entry.final for entry in world.ledger())
        assert {world.status(order) for order in orders} == {OrderStatus.VALID}
        assert world.store.largest <= 100
        if commits:
            return
    pytest.fail("the pass never came through")


def test_block_cut_by_a_crash_must_be_the_same_when_read_again(world: World) -> None:
    world.store.most_changes = 100
    orders = [world.order() for _ in range(90)]
    redeems = [world.chain.redeem(order) for order in orders]
    world.chain.mine(*redeems)
    world.chain.mine_empty(2)
    world.store.die_after = world.store.commits + 2
    with pytest.raises(StoreUnavailable):
        world.scan()
    assert 0 < world.cursor.last_serial < 90
    assert world.cursor.scanned == 0
    world.chain.fork(3)
    world.chain.mine(*reversed(redeems))
    world.chain.mine_empty(2)
    follow(world)
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_pass_is_bounded_and_says_that_more_is_to_come() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=50))
    orders = [world.order() for _ in range(120)]
    for order in orders:
        world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(2)
    first = world.scan()
    assert (first.backlog, first.blocks) == (True, world.settings.blocks_per_pass)
    while world.scan().backlog:
        pass
    assert len(world.ledger()) == len(orders)


def test_pass_reads_no_further_once_it_holds_many_burns() -> None:
    world = World(chain=FakeChain(at_once=10))
    world.store.most_changes = 20
    orders = [world.order() for _ in range(COMMITS_PER_PASS * 10 + 50)]
    for order in orders:
        world.chain.mine(world.chain.redeem(order))
    world.chain.mine_empty(20)
    first = world.scan()
    assert (first.backlog, first.burns) == (True, COMMITS_PER_PASS * 10)
    world.store.most_changes = 100
    follow(world)
    assert len(world.ledger()) == len(orders)


def test_blocks_told_before_a_provider_failed_are_not_read_again() -> None:
    world = World(chain=FakeChain(at_once=10))
    order = world.redeemed()
    world.chain.mine_empty(100)
    told = world.chain.burns
    read: list[int] = []

    def fails_once(first: int, last: int) -> Stretch:
        read.append(first)
        if len(read) == 3:
            raise ChainUnavailable("HTTP 429")
        return told(first, last)

    world.chain.burns = fails_once  # type: ignore[method-assign]
    first = world.scan()
    assert (first.error, first.backlog, first.blocks) == ("", True, 20)
    assert world.status(order) is OrderStatus.VALID
    assert read == [1, 11, 21]
    follow(world)
    assert read[3:8] == [21, 31, 41, 51, 61]


def test_pass_begins_no_further_range_after_some_seconds() -> None:
    world = World(chain=FakeChain(at_once=10))
    order = world.redeemed()
    world.chain.mine_empty(100)
    told = world.chain.burns

    def slowly(first: int, last: int) -> Stretch:
        world.clock.at += READ_SECONDS // 2
        return told(first, last)

    world.chain.burns = slowly  # type: ignore[method-assign]
    first = world.scan()
    assert (first.error, first.backlog, first.blocks) == ("", True, 20)
    assert world.status(order) is OrderStatus.VALID


def test_reported_transaction_is_looked_at_while_a_backlog_is_worked_off() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=10))
    burned = [world.redeemed() for _ in range(40)]
    world.chain.mine_empty(200)
    order, silent, unmined = world.order(), world.order(), world.order()
    burn, other = world.chain.redeem(order), world.chain.redeem(silent)
    for waiting, tx_hash in ((order, burn.tx_hash), (unmined, "0x" + "ee" * 32)):
        world.store.commit([Update(add_transaction_hint(world.now(waiting), tx_hash))])
    world.chain.mine(other, burn)
    world.chain.mine_empty(30)
    assert world.scan().backlog
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert world.status(silent) is OrderStatus.CREATED
    assert world.entry(42).burn == world.chain.all_burns()[41]
    assert not world.entry(42).final
    follow(world, at_most=50)
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
    statuses = {world.status(one) for one in (*burned, order, silent)}
    assert statuses == {OrderStatus.VALID}
    assert world.status(unmined) is OrderStatus.CREATED


def test_hint_of_an_absurd_serial_is_not_believed() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=10))
    world.chain.mine_empty(200)
    order = world.order()
    burn = world.chain.redeem(order)
    world.store.commit([Update(add_transaction_hint(order, burn.tx_hash))])
    world.chain.mine(burn)
    world.chain.mine_empty(3)
    (real,) = world.chain.all_burns()

    def burns_of(tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        assert tx_hashes == [burn.tx_hash]
        return (replace(real, serial=2_000_000),)

    world.chain.burns_of = burns_of  # type: ignore[method-assign]
    assert world.scan().error == ""
    assert world.cursor.seen_serial == 1
    assert [entry.burn for entry in world.ledger()] == [real]


def test_reported_burn_that_a_fork_takes_before_it_is_read_is_lost_like_any_other() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=10))
    world.chain.mine_empty(200)
    order = world.order()
    burn = world.chain.redeem(order)
    world.store.commit([Update(add_transaction_hint(order, burn.tx_hash))])
    world.chain.mine(burn)
    assert world.scan().backlog
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    world.chain.fork(1)
    world.chain.mine_empty(5)
    follow(world, at_most=50)
    assert world.status(order) is OrderStatus.CREATED
    assert not world.entry(1).on_chain


def test_reported_burn_that_took_over_a_serial_frees_the_order_that_had_it() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=10))
    world.chain.mine_empty(2)
    first = world.redeemed()
    world.scan()
    assert world.status(first) is OrderStatus.PENDING_CHAIN
    world.chain.fork(1)
    world.chain.mine_empty(200)
    order = world.order()
    burn = world.chain.redeem(order)
    world.store.commit([Update(add_transaction_hint(order, burn.tx_hash))])
    world.chain.mine(burn)
    assert world.scan().backlog
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert world.status(first) is OrderStatus.CREATED


def test_repeated_pass_changes_nothing_but_the_heartbeat(world: World) -> None:
    orders = [world.redeemed() for _ in range(3)]
    world.chain.mine_empty(1)
    world.scan()
    before = (world.ledger(), [world.now(order) for order in orders])
    cursor = world.cursor
    result = world.scan()
    assert (result.burns, result.lost, result.expired) == (0, 0, 0)
    assert before == (world.ledger(), [world.now(order) for order in orders])
    assert world.cursor == replace(
        cursor, version=world.cursor.version, heartbeat=world.cursor.heartbeat
    )


def test_quiet_pass_writes_nothing_between_heartbeats() -> None:
    world = World(settings=replace(SETTINGS, heartbeat_seconds=5))
    world.chain.mine_empty(5)
    world.scan()
    commits = world.store.commits
    world.chain.mine()
    world.scan()
    assert world.store.commits == commits
    world.clock.at += 5
    world.scan()
    assert world.store.commits == commits + 1


def test_history_beyond_what_fits_is_kept(world: World) -> None:
    order = world.redeemed()
    for _ in range(20):
        world.scan()
        (redeem,) = world.chain.fork(1)
        world.chain.mine()
        world.scan()
        world.chain.fork(1)
        world.chain.mine(redeem)
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    kept = [record.entry for record in world.store.history(order.order_hash)]
    history = [*kept, *world.now(order).history]
    assert [entry.seq for entry in history] == list(range(1, len(history) + 1))
    assert len(history) > 40


# --------------------------------------------------------------------------------- others interfere


def test_order_changed_meanwhile_is_decided_again(world: World) -> None:
    order = world.redeemed()

    def cancel(_: Sequence[Change]) -> None:
        world.store.commit(order_changes(order, _cancelled(order)))

    world.chain.mine_empty(2)
    _first_cursor(world)
    world.store.before_commit = cancel
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    assert [entry.target for entry in world.now(order).history][1:] == [
        OrderStatus.CANCELLED,
        OrderStatus.VALID,
    ]


def test_live_lease_of_another_is_respected_and_an_old_one_taken_over(world: World) -> None:
    world.scan("a")
    order = world.redeemed()
    world.chain.mine_empty(2)
    assert not world.scan("b").mine
    assert world.status(order) is OrderStatus.CREATED
    world.clock.at += SETTINGS.lease_seconds + 10
    assert world.scan("b").mine
    assert world.status(order) is OrderStatus.VALID


def test_released_lease_is_free_at_once(world: World) -> None:
    world.scan("a")
    release(store=world.store, owner="b")
    assert not world.scan("b").mine
    release(store=world.store, owner="a")
    assert world.scan("b").mine


def test_run_that_lost_its_lease_stores_nothing(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(2)
    _first_cursor(world)

    def take_over(_: Sequence[Change]) -> None:
        world.store.commit([Update(advance(world.cursor, lease_owner="b", lease_until=2**40))])

    world.store.before_commit = take_over
    assert not world.scan("a").mine
    assert world.telemetry.named("lease_lost")
    assert world.status(order) is OrderStatus.CREATED
    assert world.ledger() == ()
    assert world.cursor.lease_owner == "b"


def test_run_that_lost_its_lease_while_it_read_leaves_what_the_other_made_final(
    world: World,
) -> None:
    orders = [world.order(), world.order()]
    redeems = [world.chain.redeem(order) for order in orders]
    world.chain.mine(*redeems)
    world.scan()
    tail = world.chain.tail

    def overtaken(first: int, final: int, head: BlockRef) -> Tail:
        """While this one is told of the first branch, the other sees the second one final."""
        world.chain.tail = tail  # type: ignore[method-assign]
        told = tail(first, final, head)
        world.chain.fork(1)
        world.chain.mine(*reversed(redeems))
        world.chain.mine_empty(4)
        world.clock.at += 1000
        assert world.scan("b").matched == 2
        return told

    world.chain.tail = overtaken  # type: ignore[method-assign]
    assert not world.scan().mine
    assert [entry.burn for entry in world.ledger()] == list(world.chain.all_burns())
    assert all(entry.final for entry in world.ledger())


def test_lease_is_kept_by_scanning_on(world: World) -> None:
    for _ in range(5):
        assert world.scan("a").mine
        world.clock.at += SETTINGS.lease_seconds // 2
        assert not world.scan("b").mine


def test_lease_is_kept_through_a_long_read(world: World) -> None:
    orders = [world.redeemed() for _ in range(30)]
    world.chain.mine_empty(2)
    world.scan("a")
    told = world.chain.burns

    def slowly(first: int, last: int) -> Stretch:
        world.clock.at += SETTINGS.lease_seconds - 1
        assert not world.scan("b").mine
        return told(first, last)

    world.chain.burns = slowly  # type: ignore[method-assign]
    orders += [world.redeemed() for _ in range(30)]
    world.chain.mine_empty(2)
    assert world.scan("a").mine
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_two_first_runs_make_one_cursor(world: World) -> None:
    def be_first(changes: Sequence[Change]) -> None:
        world.scan("b")

    world.store.before_commit = be_first
    assert not world.scan("a").mine
    assert world.cursor.lease_owner == "b"


@pytest.mark.parametrize("other", [{"chain_id": 56}, {"contract": BOB}])
def test_cursor_of_another_chain_or_contract_is_refused(
    world: World, other: dict[str, str | int]
) -> None:
    world.scan()
    world.settings = replace(SETTINGS, **other)  # type: ignore[arg-type]
    with pytest.raises(ForeignCursor, match="use another store"):
        world.scan()


def test_order_id_is_never_told(world: World) -> None:
    order = world.redeemed()
    world.chain.mine_empty(2)
    world.scan()
    assert order.order_id not in repr(world.telemetry.events)
    (told,) = world.telemetry.named("burn_final")
    assert told["orderHash"] == order.order_hash


def test_open_order_awaits_its_burn_until_it_is_valid(world: World) -> None:
    world.scan()
    assert not awaits_burn(store=world.store, now=world.clock.at)
    world.redeemed()
    assert awaits_burn(store=world.store, now=world.clock.at)
    world.chain.mine_empty(2)
    world.scan()
    assert not awaits_burn(store=world.store, now=world.clock.at)


# -------------------------------------------------------------------------------- any interleaving


class Listening(RuleBasedStateMachine):
    """Orders, burns, forks above finality, lies and crashes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(settings=replace(SETTINGS, blocks_per_pass=12))
        self.orders: list[Order] = []
        self.pool: list[Redeem] = []
        self.forkable = 0
        self.final = 0
        self.runs = 0

    @initialize()
    def begin(self) -> None:
        self.world.chain.mine_empty(3)

    @rule(ttl=st.integers(5, 60), customer=st.sampled_from([ALICE, BOB]))
    def make_order(self, ttl: int, customer: str) -> None:
        self.orders.append(self.world.order(ttl=ttl, customer=customer))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wrong=st.sampled_from([{}, {}, {}, {"user": BOB}, {"amount": 3}]))
    def send_burn(self, data: st.DataObject, wrong: dict[str, str | int]) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.pool.append(self.world.chain.redeem(order, **wrong))

    @rule(data=st.data(), count=st.integers(0, 3), seconds=st.integers(0, 20))
    def mine(self, data: st.DataObject, count: int, seconds: int) -> None:
        included = [
            self.pool.pop(data.draw(st.integers(0, len(self.pool) - 1)))
            for _ in range(min(count, len(self.pool)))
        ]
        self.world.chain.mine(*included, seconds=seconds)
        self.forkable = min(2, self.forkable + 1)
        self.final = max(self.final, self.world.chain.tip.number - 2)

    @precondition(lambda self: self.forkable)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        depth = data.draw(st.integers(1, self.forkable))
        self.pool += self.world.chain.fork(depth)
        self.forkable -= depth

    @rule(lie=st.sampled_from(["withheld", "doubled", "counted", "lag"]), serial=st.integers(1, 9))
    def lie(self, lie: str, serial: int) -> None:
        chain = self.world.chain
        match lie:
            case "withheld":
                chain.withheld = {serial}
            case "doubled":
                chain.doubled = {serial}
            case "counted":
                chain.counted_more = 1
            case _:
                chain.lag = 1
        self._pass()
        chain.withheld, chain.doubled, chain.counted_more, chain.lag = set(), set(), 0, 0

    @rule(at_once=st.sampled_from([1, 2, 10_000]))
    def narrow(self, at_once: int) -> None:
        self.world.chain.at_once = at_once

    @rule()
    def scan(self) -> None:
        self._pass()

    @rule(nth=st.integers(1, 3), stored=st.booleans())
    def scan_and_crash(self, nth: int, stored: bool) -> None:
        at = self.world.store.commits + nth
        self.world.store.die_before = None if stored else at
        self.world.store.die_after = at if stored else None
        try:
            self._pass()
        except (Crash, StoreUnavailable):
            self.runs += 1
            self.world.clock.at += 100
        self.world.store.die_before = self.world.store.die_after = None

    def _pass(self) -> ScanResult:
        return self.world.scan(f"run-{self.runs}")

    @invariant()
    def nothing_is_valid_without_a_final_matching_burn(self) -> None:
        chain = self.world.chain
        burns = {it.serial: it for it in chain.all_burns() if it.block.number <= self.final}
        claimed: set[int] = set()
        for made in self.orders:
            order = self.world.now(made)
            if order.status is not OrderStatus.VALID:
                continue
            assert order.burn is not None
            assert burns[order.burn.serial] == order.burn
            assert order.burn.order_hash == order.order_hash
            assert (order.burn.user, order.burn.amount) == (order.customer, order.amount)
            assert order.burn.block.time <= order.expires_at
            assert order.burn.serial not in claimed
            claimed.add(order.burn.serial)

    @invariant()
    def final_entries_are_the_chains(self) -> None:
        if self.world.store.cursor() is None:
            return
        truth = {burn.serial: burn for burn in self.world.chain.all_burns()}
        for entry in self.world.ledger():
            if entry.final:
                assert truth[entry.serial] == entry.burn

    @invariant()
    def nothing_expired_unproven_or_with_a_burn_in_time(self) -> None:
        for made in self.orders:
            order = self.world.now(made)
            if order.status is OrderStatus.EXPIRED:
                assert self.world.cursor.proven.time > order.expires_at
                assert not any(
                    burn.order_hash == order.order_hash
                    and (burn.user, burn.amount) == (order.customer, order.amount)
                    and burn.block.time <= order.expires_at
                    for burn in self.world.chain.all_burns()
                )

    def teardown(self) -> None:
        """Once faults stop, the ledger equals the chain and every order is settled."""
        world = self.world
        world.chain.mine(*self.pool)
        world.chain.mine_empty(3, seconds=100)
        world.clock.at += 1000
        results = [self._pass()]
        while results[-1].backlog and len(results) < 50:
            results.append(self._pass())
        assert (results[-1].error, results[-1].backlog) == ("", False)
        on_chain = [entry for entry in world.ledger() if entry.on_chain]
        assert [entry.burn for entry in on_chain] == list(world.chain.all_burns())
        assert all(entry.final for entry in on_chain)
        for made in self.orders:
            order = world.now(made)
            claims = [entry for entry in on_chain if entry.burn.order_hash == order.order_hash]
            matched = [entry for entry in claims if entry.outcome is Outcome.MATCHED]
            assert len(matched) == (order.status is OrderStatus.VALID)
            assert order.status in (OrderStatus.VALID, OrderStatus.EXPIRED)
        settled = [world.now(order) for order in self.orders]
        self._pass()
        assert settled == [world.now(order) for order in self.orders]


Listening.TestCase.settings = hypothesis_settings(
    max_examples=100, stateful_step_count=30, deadline=None
)
test_any_interleaving = Listening.TestCase


def _cancelled(order: Order) -> Order:
    return move(
        order,
        OrderStatus.CANCELLED,
        actor=Actor(ActorKind.CUSTOMER, order.customer),
        at=order.created_at,
        reason="changed my mind",
        request_id="r",
    )


def _first_cursor(world: World) -> None:
    """A cursor at the deployment block, as a first pass leaves it that went no further."""
    world.store.die_before = world.store.commits + 2
    with pytest.raises(Crash):
        world.scan("a")
    world.store.die_before = None


@pytest.mark.slow
def test_many_more_interleavings() -> None:
    # A busy machine is no fault of the rules: how fast examples are drawn is not judged.
    longer = hypothesis_settings(
        max_examples=3000,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Listening, settings=longer)
