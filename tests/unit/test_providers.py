"""Several providers of one chain: whom to read, whom to believe, whom to set aside."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from chalicelib.domain.orders import OrderStatus, add_transaction_hint
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.ports import (
    ChainUnavailable,
    Forked,
    StoreUnavailable,
    Stretch,
    Tail,
    Tips,
    Update,
    WrongChain,
)
from listener_fn.providers import (
    FAILURES_ALLOWED,
    FIRST_ASIDE_SECONDS,
    LONGEST_ASIDE_SECONDS,
    Providers,
)
from tests.unit.fake_chain import FakeChain
from tests.unit.test_scan import SETTINGS, FakeClock, FakeTelemetry, World, follow


@dataclass
class Liar(FakeChain):
    """Adds a burn of its own to every answer that reaches its block, and counts it."""

    invented: Burn | None = None

    def burns(self, first: int, last: int) -> Stretch:
        told = super().burns(first, last)
        if self.invented is None or not first <= self.invented.block.number <= told.through:
            return told
        return Stretch((*told.burns, self.invented), told.through)

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        told = super().burns_of(tx_hashes)
        lies = self.invented is not None and self.invented.tx_hash in tx_hashes
        return (*told, self.invented) if lies and self.invented else told

    def redemption_count(self, block: BlockRef) -> int:
        lies = self.invented is not None and self.invented.block.number <= block.number
        return super().redemption_count(block) + lies


def peer(chain: FakeChain, name: str, **traits: object) -> FakeChain:
    """Another provider of the same chain."""
    made = FakeChain(name=name, finality=chain.finality, **traits)  # type: ignore[arg-type]
    made._blocks = chain._blocks
    return made


def liar(chain: FakeChain, name: str) -> Liar:
    made = Liar(name=name, finality=chain.finality)
    made._blocks = chain._blocks
    return made


def world_of(*names: str, quorum: int = 2, first: FakeChain | None = None) -> World:
    """A world whose chain is told by the fake `a` and its peers."""
    chain = first or FakeChain()
    chain.name = "a"
    return World(chain=chain, others=[peer(chain, name) for name in names], quorum=quorum)


def fake(world: World, name: str) -> FakeChain:
    """The provider of that name, but the first."""
    (found,) = (other for other in world.others if other.name == name)
    assert isinstance(found, FakeChain)
    return found


def aside(world: World) -> list[object]:
    return [told["provider"] for told in world.telemetry.named("provider_set_aside")]


# ----------------------------------------------------------------------------------------- quorum


def test_burn_becomes_valid_once_two_providers_tell_it() -> None:
    world = world_of("b")
    world.scan()
    order = world.redeemed()
    world.chain.mine_empty(2)
    (other,) = world.others
    assert isinstance(other, FakeChain)
    other.down = True
    result = world.scan()
    assert (result.matched, result.pending) == (0, 1)
    assert "1 of 2 providers confirm" in result.held
    assert "1 of 2" in world.heartbeat.error
    assert world.heartbeat.succeeded_at < world.heartbeat.at
    assert world.status(order) is OrderStatus.PENDING_CHAIN
    assert world.telemetry.metrics["QuorumUnmet"] == 1
    other.down = False
    assert world.scan().matched == 1
    assert world.status(order) is OrderStatus.VALID
    assert world.heartbeat.error == ""


def test_one_provider_suffices_where_the_quorum_is_one() -> None:
    world = world_of("b", quorum=1)
    order = world.redeemed()
    world.chain.mine_empty(2)
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    assert "burns" not in world.others[0].asked  # type: ignore[attr-defined]


@pytest.mark.parametrize("position", [0, 1])
def test_invented_burn_makes_no_order_valid(position: int) -> None:
    chain = FakeChain(name="honest")
    lying = liar(chain, "liar")
    told: list[FakeChain] = [chain, lying]
    world = World(chain=chain, quorum=2)
    world.providers = Providers(
        told if position else told[::-1],
        quorum=2,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    order = world.order()
    block = chain.mine()
    lying.invented = Burn(
        serial=1,
        user=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        order_hash=order.order_hash,
        tx_hash="0x" + "ee" * 32,
        log_index=0,
        block=block,
    )
    chain.mine_empty(4)
    for _ in range(5):
        world.scan()
        assert world.status(order) is not OrderStatus.VALID
        world.clock.at += 10


def test_block_that_was_stored_in_part_is_confirmed_for_the_rest() -> None:
    world = world_of("b")
    world.store.most_changes = 20
    orders = [world.order() for _ in range(12)]
    world.chain.mine(*(world.chain.redeem(order) for order in orders))
    world.chain.mine_empty(3)
    world.store.die_after = world.store.commits + 2
    with pytest.raises(StoreUnavailable):
        world.scan()
    assert 0 < world.cursor.last_serial < 12
    world.clock.at += 1000
    assert world.scan("c").held == ""
    assert {world.status(order) for order in orders} == {OrderStatus.VALID}


def test_two_outvote_a_third_whichever_is_read() -> None:
    chain = FakeChain(name="liar")
    world = World(chain=chain, quorum=2)
    lying = liar(chain, "liar")
    others = [peer(chain, "b"), peer(chain, "c")]
    world.providers = Providers(
        [lying, *others], quorum=2, clock=world.clock, telemetry=world.telemetry, workers=1
    )
    order = world.redeemed()
    real = chain.all_burns()[0]
    lying.invented = replace(
        real, serial=2, tx_hash="0x" + "ee" * 32, order_hash="0x" + "ab" * 32, log_index=1
    )
    chain.mine_empty(2)
    held = world.scan().held
    assert "outvoted" in held
    assert aside(world) == ["liar"]
    assert world.telemetry.metrics["ProviderDisagreements liar"] == 1
    assert world.scan().matched == 1
    assert world.status(order) is OrderStatus.VALID
    assert [entry.on_chain for entry in world.ledger()] == [True, False]


def test_one_that_disagrees_is_set_aside_where_two_agree() -> None:
    chain = FakeChain(name="a")
    world = World(chain=chain, quorum=2)
    lying = liar(chain, "liar")
    world.providers = Providers(
        [chain, lying, peer(chain, "c")],
        quorum=2,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    world.redeemed()
    lying.invented = replace(chain.all_burns()[0], serial=2, log_index=1)
    chain.mine_empty(2)
    assert world.scan().matched == 1
    assert aside(world) == ["liar"]


def test_nothing_expires_where_another_provider_counts_a_burn_more() -> None:
    """The provider that is read leaves a burn out and counts it neither."""
    world = world_of("b")
    order = world.order(ttl=10)
    world.chain.mine(world.chain.redeem(order))
    world.chain.withheld, world.chain.counted_more = {1}, -1
    world.chain.mine_empty(4, seconds=30)
    held = world.scan().held
    assert "different burns" in held
    assert world.telemetry.named("providers_disagree")[0]["level"] == "ERROR"
    assert world.status(order) is OrderStatus.CREATED
    world.chain.withheld, world.chain.counted_more = set(), 0
    follow(world)
    assert world.status(order) is OrderStatus.VALID


def test_voter_that_has_not_got_to_the_final_block_confirms_nothing() -> None:
    """It tells the same burns, and cannot tell that one is left out above them."""
    world = world_of("lagging", "honest")
    world.chain.mine_empty(20)
    world.scan()
    proven = world.cursor.proven
    burned = world.redeemed()
    world.chain.mine_empty(5)
    reached = world.chain.tip.number
    victim = world.order(ttl=1)
    world.chain.mine(world.chain.redeem(victim))
    world.chain.mine_empty(12)
    world.chain.withheld, world.chain.counted_more = {2}, -1
    lagging = fake(world, "lagging")
    lagging.lag = world.chain.tip.number - reached
    for _ in range(2):
        assert "different burns" in world.scan().held
        assert world.cursor.proven == proven
        assert world.status(burned) is OrderStatus.PENDING_CHAIN
        assert world.status(victim) is OrderStatus.CREATED
    world.chain.withheld, world.chain.counted_more, lagging.lag = set(), 0, 0
    follow(world)
    world.scan()
    assert world.status(burned) is world.status(victim) is OrderStatus.VALID


def test_lease_is_kept_while_another_provider_takes_long_to_confirm() -> None:
    world = world_of("slow")
    order = world.redeemed()
    world.chain.mine_empty(40)
    last = world.redeemed()
    world.chain.mine_empty(2)
    slow = fake(world, "slow")
    slow.at_once = 10
    told = slow.burns
    turned_away: list[bool] = []

    def slowly(first: int, last: int) -> Stretch:
        world.clock.at += SETTINGS.lease_seconds - 1
        turned_away.append(not world.scan("other").mine)
        return told(first, last)

    slow.burns = slowly  # type: ignore[method-assign]
    assert world.scan().mine
    assert len(turned_away) > 2
    assert all(turned_away)
    assert world.status(order) is world.status(last) is OrderStatus.VALID


def test_reported_burn_that_one_provider_alone_tells_is_not_believed() -> None:
    chain = FakeChain(name="honest")
    lying = liar(chain, "liar")
    world = World(chain=chain, quorum=2, settings=replace(SETTINGS, blocks_per_pass=10))
    world.providers = Providers(
        [lying, chain], quorum=2, clock=world.clock, telemetry=world.telemetry, workers=1
    )
    chain.mine_empty(200)
    order = world.order()
    invented = Burn(
        serial=1,
        user=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        order_hash=order.order_hash,
        tx_hash="0x" + "ee" * 32,
        log_index=0,
        block=chain.mine(),
    )
    chain.mine_empty(3)
    world.store.commit([Update(add_transaction_hint(order, invented.tx_hash))])
    lying.invented = invented
    assert world.scan().backlog
    assert "burns_of" in lying.asked
    assert world.status(order) is OrderStatus.CREATED
    assert world.ledger() == ()


def test_finality_is_the_lowest_over_the_providers() -> None:
    world = world_of("b")
    other = world.others[0]
    assert isinstance(other, FakeChain)
    other.finality = 6
    order = world.redeemed()
    world.chain.mine_empty(5)
    assert world.scan().pending == 1
    world.chain.mine_empty(1)
    assert world.scan().matched == 1
    assert world.status(order) is OrderStatus.VALID


def test_finality_that_a_single_provider_tells_does_not_count() -> None:
    world = world_of("b")
    other = world.others[0]
    assert isinstance(other, FakeChain)
    other.finality = None
    order = world.redeemed()
    world.chain.mine_empty(SETTINGS.finality.fallback_blocks - 1)
    assert world.scan().pending == 1
    world.chain.mine_empty(1)
    assert world.scan().matched == 1
    assert world.status(order) is OrderStatus.VALID


def test_finality_never_goes_back() -> None:
    world = world_of("b")
    world.chain.mine_empty(9)
    world.scan()
    proven = world.cursor.proven
    other = world.others[0]
    assert isinstance(other, FakeChain)
    other.finality = 8
    assert world.scan().error == ""
    assert world.cursor.proven == proven


# ------------------------------------------------------------------------------------------ forks


def dead_branch(world: World, name: str) -> FakeChain:
    """A provider on a branch that was abandoned before the proven block."""
    dead = FakeChain(name=name)
    dead.fork(0)
    dead._branch = 99
    dead.mine_empty(world.chain.tip.number + 5)
    return dead


def test_a_single_provider_on_another_branch_rewinds_nothing() -> None:
    world = world_of("b")
    world.chain.mine_empty(5)
    world.scan()
    world.providers = Providers(
        [dead_branch(world, "dead"), world.chain, world.others[0]],
        quorum=2,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    for _ in range(3):
        assert world.scan().error == ""
    assert aside(world) == ["dead"]


def test_nobody_is_believed_where_each_has_another_branch() -> None:
    world = world_of("b")
    world.chain.mine_empty(5)
    world.scan()
    one, other = dead_branch(world, "one"), dead_branch(world, "other")
    other._branch = 77
    other.fork(other.tip.number)
    other.mine_empty(20)
    world.providers = Providers(
        [one, other], quorum=2, clock=world.clock, telemetry=world.telemetry, workers=1
    )
    for _ in range(4):
        assert "different blocks" in world.scan().error


def test_quorum_on_another_branch_is_a_fork_when_told_twice() -> None:
    clock, telemetry = FakeClock(), FakeTelemetry()
    chain = FakeChain()
    chain.mine_empty(9)
    proven = chain.blocks([5])[0]
    chain.fork(6)
    chain.mine_empty(9)
    providers = Providers(
        [chain, peer(chain, "b")], quorum=2, clock=clock, telemetry=telemetry, workers=1
    )
    with pytest.raises(ChainUnavailable, match="asking again"):
        providers.tips(proven)
    with pytest.raises(Forked, match="block 5 was"):
        providers.tips(proven)


def test_fork_is_not_given_up_as_too_deep_while_a_quorum_is_missing() -> None:
    world = world_of("b")
    order = world.redeemed()
    world.chain.mine_empty(80)
    world.scan()
    assert world.status(order) is OrderStatus.VALID
    world.chain.fork(5)
    world.chain.mine_empty(9)
    assert "asking again" in world.scan().error
    other = world.others[0]
    assert isinstance(other, FakeChain)
    asked = other.blocks

    def silent(numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        raise ChainUnavailable(f"silent on {numbers}")

    other.blocks = silent  # type: ignore[method-assign]
    assert "do not agree on block" in world.scan().error
    other.blocks = asked  # type: ignore[method-assign]
    follow(world)
    assert world.status(order) is OrderStatus.VALID


# -------------------------------------------------------------------------------- circuit breaker


def test_provider_that_fails_is_forgiven_twice_then_set_aside_and_asked_again_later() -> None:
    world = world_of("b", quorum=1)
    other = world.others[0]
    assert isinstance(other, FakeChain)
    other.down = True
    for _ in range(FAILURES_ALLOWED + 1):
        assert aside(world) == []
        assert world.scan().error == ""
    assert aside(world) == ["b"]
    assert world.telemetry.metrics["ProvidersAside b"] == 1
    asked = len(other.asked)
    world.scan()
    assert len(other.asked) == asked
    other.down = False
    world.clock.at += FIRST_ASIDE_SECONDS
    world.scan()
    assert len(other.asked) > asked
    assert world.telemetry.metrics["ProvidersAside b"] == 0


def test_failures_that_lie_far_apart_set_nobody_aside() -> None:
    world = world_of("b", "c")
    other = fake(world, "b")
    for passed in range(1, 10 * (FAILURES_ALLOWED + 2)):
        world.chain.mine()
        other.down = passed % 10 == 0
        assert world.scan().error == ""
    assert aside(world) == []


def test_answer_refused_while_confirming_now_and_then_sets_nobody_aside() -> None:
    @dataclass
    class Hiccups(FakeChain):
        votes: int = 0

        def tail(self, first: int, final: int, head: BlockRef) -> Tail:
            self.votes += 1
            if self.votes % 3 == 0:
                raise ChainUnavailable("header not found")
            return super().tail(first, final, head)

    chain = FakeChain(name="a")
    other = Hiccups(name="b")
    other._blocks = chain._blocks
    world = World(chain=chain, others=[other], quorum=2)
    held = 0
    for _ in range(3 * (FAILURES_ALLOWED + 2)):
        world.chain.mine()
        held += bool(world.scan().held)
    assert (held, other.votes // 3) == (FAILURES_ALLOWED + 1, FAILURES_ALLOWED + 1)
    assert aside(world) == []


def test_provider_asked_again_after_a_while_is_set_aside_at_its_next_failure() -> None:
    world = world_of("b", quorum=1)
    fake(world, "b").down = True
    for _ in range(FAILURES_ALLOWED + 1):
        world.scan()
    assert aside(world) == ["b"]
    world.clock.at += FIRST_ASIDE_SECONDS
    world.scan()
    assert aside(world) == ["b", "b"]


def test_provider_distrusted_before_is_set_aside_at_its_next_failure() -> None:
    world = world_of("b", quorum=1)
    world.chain.withheld = {1}
    world.redeemed()
    world.chain.mine_empty(2)
    assert "counts 1" in world.scan().error
    assert aside(world) == ["a"]
    world.clock.at += FIRST_ASIDE_SECONDS
    world.chain.down = True
    assert world.scan().error == ""
    assert aside(world) == ["a", "a"]


def test_provider_set_aside_is_asked_all_the_same_where_the_quorum_needs_it() -> None:
    world = world_of("b", "c")
    world.scan()
    fake(world, "b").down = fake(world, "c").down = True
    for _ in range(FAILURES_ALLOWED + 1):
        world.scan()
    assert aside(world) == ["b", "c"]
    fake(world, "b").down = fake(world, "c").down = False
    order = world.redeemed()
    world.chain.mine_empty(2)
    fake(world, "c").asked.clear()
    assert world.scan().held == ""
    assert world.status(order) is OrderStatus.VALID
    assert fake(world, "c").asked == []


def test_it_is_set_aside_longer_each_time_within_bounds() -> None:
    world = world_of("b", quorum=1)
    other = world.others[0]
    assert isinstance(other, FakeChain)
    other.down = True
    for _ in range(60):
        world.scan()
        world.clock.at += 20
    seconds = [told["seconds"] for told in world.telemetry.named("provider_set_aside")]
    assert seconds == sorted(seconds, key=lambda value: int(str(value)))
    assert seconds[0] == FIRST_ASIDE_SECONDS
    assert max(int(str(value)) for value in seconds) <= LONGEST_ASIDE_SECONDS


def test_provider_that_fails_while_it_is_read_gives_way_at_once() -> None:
    world = world_of("b", quorum=1)
    world.chain.mine_empty(3)

    @dataclass
    class Silent(FakeChain):
        def tail(self, first: int, final: int, head: BlockRef) -> Tail:
            del first, final, head
            raise ChainUnavailable("a is silent")

    silent = Silent(name="a")
    silent._blocks = world.chain._blocks
    world.providers = Providers(
        [silent, world.others[0]],
        quorum=1,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    assert world.scan().error == "a is silent"
    assert world.scan().error == ""
    assert aside(world) == []


def test_where_all_are_set_aside_all_are_asked() -> None:
    world = world_of("b", quorum=1)
    world.chain.mine_empty(3)
    world.scan()
    chains = [world.chain, *world.others]
    for chain in chains:
        chain.down = True  # type: ignore[attr-defined]
    for _ in range(6):
        assert world.scan().error == "provider is down"
    for chain in chains:
        chain.down = False  # type: ignore[attr-defined]
    assert world.scan().error == ""


def test_contradiction_lets_another_be_read() -> None:
    world = world_of("b", quorum=1)
    world.chain.withheld = {1}
    order = world.redeemed()
    world.chain.mine_empty(2)
    assert "counts 1" in world.scan().error
    assert aside(world) == ["a"]
    assert world.scan().matched == 1
    assert world.status(order) is OrderStatus.VALID


def test_provider_left_behind_is_not_read() -> None:
    world = world_of("b", quorum=1)
    world.chain.lag = 30
    world.chain.mine_empty(60)
    other = world.others[0]
    assert isinstance(other, FakeChain)
    assert world.scan().error == ""
    assert world.heartbeat.head == other.head()


def test_head_far_ahead_of_where_a_quorum_has_got_to_is_not_followed() -> None:
    @dataclass
    class Ahead(FakeChain):
        def tips(self, height: int) -> Tips:
            told = super().tips(height)
            head = BlockRef(told.head.number + 10**12, "0x" + "ab" * 32, told.head.time)
            return replace(told, head=head)

    chain = FakeChain(name="b")
    ahead = Ahead(name="ahead")
    ahead._blocks = chain._blocks
    world = World(chain=chain, quorum=2)
    world.providers = Providers(
        [ahead, chain, peer(chain, "c")],
        quorum=2,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    order = world.redeemed()
    chain.mine_empty(3)
    assert world.scan().error == ""
    assert world.heartbeat.head == chain.tip
    assert world.status(order) is OrderStatus.VALID


def test_provider_behind_what_was_read_gives_way_to_another() -> None:
    world = world_of("b", quorum=1)
    world.settings = replace(SETTINGS, blocks_per_pass=50)
    world.chain.mine_empty(60)
    assert world.scan().backlog
    assert world.cursor.scanned > world.cursor.proven.number
    world.chain.lag = 60 - world.cursor.scanned + 1
    assert "older than block 50" in world.scan().error
    assert aside(world) == ["a"]
    assert world.scan().error == ""
    assert world.heartbeat.head == world.chain.tip


def test_provider_of_another_chain_is_set_aside_at_once() -> None:
    @dataclass
    class Foreign(FakeChain):
        def tips(self, height: int) -> Tips:
            del height
            raise WrongChain("serves chain 1")

    world = world_of("b", quorum=1)
    world.scan()
    world.providers = Providers(
        [Foreign(name="foreign"), world.chain],
        quorum=1,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    assert world.scan().error == ""
    assert aside(world) == ["foreign"]


# ---------------------------------------------------------------------------------- side by side


@dataclass
class Slow(FakeChain):
    """Tells fewer blocks than asked for, and keeps what it was asked."""

    ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def reach(self) -> int:
        return 10

    def burns(self, first: int, last: int) -> Stretch:
        self.ranges.append((first, last))
        return super().burns(first, min(last, first + self.at_once - 1))


@pytest.mark.parametrize("at_once", [3, 10])
@pytest.mark.parametrize("workers", [1, 4])
def test_ranges_fetched_side_by_side_are_told_in_order(workers: int, at_once: int) -> None:
    chain = Slow(at_once=at_once)
    world = World()
    for number in range(120):
        order = world.order()
        chain.mine(*([chain.redeem(order)] if number % 3 else []))
    providers = Providers(
        [chain], quorum=1, clock=FakeClock(), telemetry=FakeTelemetry(), workers=workers
    )
    told: list[Burn] = []
    at = 0
    for stretch in providers.burns(1, 118):
        assert stretch.through > at
        assert all(at < burn.block.number <= stretch.through for burn in stretch.burns)
        told += stretch.burns
        at = stretch.through
    providers.close()
    assert at == 118
    assert told == [burn for burn in chain.all_burns() if burn.block.number <= 118]


def test_reading_ends_where_the_caller_has_enough() -> None:
    chain = Slow()
    chain.mine_empty(1000)
    providers = Providers(
        [chain], quorum=1, clock=FakeClock(), telemetry=FakeTelemetry(), workers=4
    )
    ranges = providers.burns(1, 1000)
    next(ranges)
    ranges.close()
    providers.close()
    assert len(chain.ranges) <= 6


def test_nobody_waits_long_for_a_provider_once_a_quorum_has_answered() -> None:
    @dataclass
    class Held(FakeChain):
        may_answer: threading.Event = field(default_factory=threading.Event)
        answered: bool = False

        def tips(self, height: int) -> Tips:
            told = super().tips(height)
            self.may_answer.wait(10)
            self.answered = True
            return told

    chain = FakeChain(name="a")
    chain.mine_empty(9)
    held = Held(name="held")
    held._blocks = chain._blocks
    telemetry = FakeTelemetry()
    providers = Providers(
        [held, chain, peer(chain, "c")],
        quorum=2,
        clock=FakeClock(),
        telemetry=telemetry,
        workers=4,
    )
    try:
        assert providers.tips(chain.tip).head == chain.tip
        assert not held.answered
        # Before it has answered, it is not asked again.
        for _ in range(FAILURES_ALLOWED):
            assert telemetry.named("provider_set_aside") == []
            providers.tips(chain.tip)
        assert held.asked == ["tips"]
        (told,) = telemetry.named("provider_set_aside")
        assert told["provider"] == "held"
    finally:
        held.may_answer.set()
        providers.close()


def test_what_was_asked_is_told_once() -> None:
    telemetry = FakeTelemetry()
    chain = FakeChain(name="a")
    chain.calls.update({"eth_getLogs": 3})
    chain.errors.update({"timeout": 2})
    chain.splits.update({"range": 1})
    providers = Providers([chain], quorum=1, clock=FakeClock(), telemetry=telemetry, workers=1)
    providers.measure()
    assert telemetry.metrics == {
        "RpcCalls a eth_getLogs": 3,
        "RpcErrors a timeout": 2,
        "RpcRangeSplits a": 1,
    }
    telemetry.metrics.clear()
    providers.measure()
    assert telemetry.metrics == {}


def test_depth_of_a_fork_is_told() -> None:
    world = World(chain=FakeChain(finality=8))
    world.chain.mine_empty(20)
    world.scan()
    world.chain.fork(3)
    world.chain.mine_empty(4)
    assert world.scan().error == ""
    assert world.telemetry.metrics["ReorgDepth"] == 3
    assert world.telemetry.metrics["Reorgs"] == 1
