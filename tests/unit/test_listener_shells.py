"""How the worker and the Lambda handler run their passes."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.domain.exceptions import withdraw
from chalicelib.domain.orders import OrderStatus
from chalicelib.ports import Provider, Update
from chalicelib.settings import SettingsError
from chalicelib.usecases.scan import ForeignCursor
from chalicelib.usecases.scan_slice import LISTENER
from listener_fn.bootstrap import _names, make_scheduled
from listener_fn.handler import RESERVE_SECONDS, scan_for_a_while
from listener_fn.listener import COUNT_SECONDS, Listener
from listener_fn.pace import FAST_SECONDS
from listener_fn.providers import Providers
from tests.unit.fake_chain import FakeChain
from tests.unit.test_providers import peer
from tests.unit.test_scan import SETTINGS, World


class FakeEntropy:
    def random_bytes(self, count: int) -> bytes:
        return b"\x01" * count


@dataclass
class Minute:
    """An invocation's time: waiting uses it up, and may mine a block."""

    world: World
    left: float = 60.0
    waits: list[float] = field(default_factory=list)
    mines: bool = False
    pass_seconds: float = 0.0

    def pass_takes_its_time(self, _changes: object) -> None:
        self.left -= self.pass_seconds

    def remaining(self) -> float:
        return self.left

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= max(seconds, 0.1)
        if self.mines and seconds:
            self.world.chain.mine()


def listener_of(world: World, *chains: Provider) -> Listener:
    return Listener(
        store=world.store,
        providers=Providers(
            list(chains) or [world.chain],
            quorum=1,
            clock=world.clock,
            telemetry=world.telemetry,
            workers=1,
        ),
        clock=world.clock,
        entropy=FakeEntropy(),
        telemetry=world.telemetry,
        settings=world.settings,
        owner="a",
        poll_seconds=1.0,
        jitter=lambda: 1.0,
    )


def invoke(listener: Listener, minute: Minute) -> dict[str, Any]:
    return scan_for_a_while(listener, minute.remaining, minute.wait)


@pytest.fixture
def world() -> World:
    made = World()
    made.chain.mine_empty(3)
    return made


def test_invocation_does_one_pass_while_no_order_is_open(world: World) -> None:
    minute = Minute(world)
    summary = invoke(listener_of(world), minute)
    assert (summary["passes"], summary["error"], minute.waits) == (1, "", [])
    assert summary["ended"] == "idle"
    assert world.cursor.lease_owner == ""


def test_invocation_scans_on_until_the_burn_is_final(world: World) -> None:
    world.redeemed()
    summary = invoke(listener_of(world), Minute(world, mines=True))
    assert (summary["passes"], summary["matched"]) == (3, 1)


def test_invocation_ends_before_its_time_is_up(world: World) -> None:
    world.order()
    minute = Minute(world)
    summary = invoke(listener_of(world), minute)
    assert RESERVE_SECONDS <= minute.left < RESERVE_SECONDS + 1
    assert summary["ended"] == "time"
    assert world.cursor.lease_owner == ""


def test_invocation_catches_up_without_pause() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=7))
    world.chain.mine_empty(30)
    minute = Minute(world)
    summary = invoke(listener_of(world), minute)
    assert set(minute.waits) == {0.0}
    (told,) = world.telemetry.named("caught_up")
    assert told["blocks"] == 28
    assert (summary["backlog"], summary["blocks"]) == (False, 28)


def test_invocation_tells_what_it_used_and_why_it_ended(world: World) -> None:
    order = world.redeemed()
    summary = invoke(listener_of(world), Minute(world, mines=True))
    used = {"passes": 3, "seconds": 0.4, "ended": "idle"}
    assert {name: summary[name] for name in used} == used
    assert world.telemetry.named("invocation") == [used]
    assert world.telemetry.metrics["InvocationSeconds idle"] == 0.4
    assert world.telemetry.metrics["InvocationPasses"] == 3
    assert world.status(order) is OrderStatus.VALID


def test_invocation_polls_fast_while_a_burn_is_pending(world: World) -> None:
    world.redeemed()
    minute = Minute(world, mines=True)
    invoke(listener_of(world), minute)
    assert minute.waits == [FAST_SECONDS, FAST_SECONDS]


def test_invocation_leaves_to_another_listener_what_it_is_at(world: World) -> None:
    world.order()
    world.scan("b")
    summary = invoke(listener_of(world), Minute(world))
    assert (summary["passes"], summary["ended"]) == (1, "lease")
    assert world.cursor.lease_owner == "b"


def test_no_pass_begins_that_might_outlast_the_invocation(world: World) -> None:
    world.order()
    minute = Minute(world, pass_seconds=20.0)
    listener = listener_of(world)
    world.store.before_commit = minute.pass_takes_its_time
    summary = invoke(listener, minute)
    # The first pass took 20 of 60 seconds: another one fits until 25 are left.
    assert summary["ended"] == "time"
    assert 20.0 + RESERVE_SECONDS <= minute.left < 20.0 + RESERVE_SECONDS + 1


def test_invocation_that_cannot_go_on_says_so(world: World) -> None:
    listener_of(world).scan()
    listener = replace(listener_of(world), settings=replace(SETTINGS, contract="0x" + "11" * 20))
    with pytest.raises(ForeignCursor):
        invoke(listener, Minute(world))
    assert [told["ended"] for told in world.telemetry.named("invocation")] == ["crash"]


def test_failing_provider_gives_way_within_the_pass(world: World) -> None:
    summary = invoke(listener_of(world, FakeChain(down=True), world.chain), Minute(world))
    assert (summary["passes"], summary["error"]) == (1, "")


def test_invocation_gives_up_after_some_failures_with_longer_and_longer_pauses(
    world: World,
) -> None:
    listener_of(world).scan()
    world.chain.down = True
    minute = Minute(world)
    summary = invoke(listener_of(world), minute)
    assert (summary["passes"], summary["error"]) == (3, "provider is down")
    assert summary["ended"] == "failures"
    assert minute.waits == [2.0, 4.0]


def test_provider_down_before_there_is_a_cursor_is_an_error(world: World) -> None:
    world.chain.down = True
    assert listener_of(world).scan().error == "provider is down"
    assert world.store.cursor() is None


def test_one_provider_on_a_dead_branch_is_set_aside(world: World) -> None:
    listener_of(world).scan()
    dead = FakeChain(name="dead")
    dead.fork(0)
    dead.mine_empty(world.chain.tip.number + 5)
    world.redeemed()
    world.chain.mine_empty(2)
    assert listener_of(world, dead, world.chain).scan().matched == 1
    (told,) = world.telemetry.named("provider_set_aside")
    assert told["provider"] == "dead"


def test_lease_of_another_is_told_once(world: World) -> None:
    world.scan("b")
    listener = listener_of(world)
    assert [listener.scan().mine for _ in range(3)] == [False] * 3
    world.clock.at += 1000
    assert listener.scan().mine
    assert [name for name, _ in world.telemetry.events] == ["lease_held_by_another", "lease_taken"]


def test_store_that_fails_is_told_and_tried_again(world: World) -> None:
    world.store.die_after = 2
    listener = listener_of(world, world.chain, FakeChain(down=True))
    assert listener.scan().error.startswith("store: no answer")
    assert listener.scan().error == ""


def test_every_pass_has_a_request_id_of_its_own_form(world: World) -> None:
    order = world.redeemed()
    listener_of(world).scan()
    assert world.now(order).history[-1].request_id == "01010101-0101-4101-8101-010101010101"


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        make_scheduled({"CHAIN_ID": "0", "RPC_URLS": "ftp://x"})
    names = {problem.split(":")[0] for problem in refused.value.problems}
    assert names == {"STORE", "CHAIN_ID", "CONTRACT_ADDRESS", "RPC_URLS", "DEPLOY_BLOCK"}


def test_release_survives_a_store_that_fails(world: World) -> None:
    listener = listener_of(world)
    listener.scan()
    world.store.die_after = world.store.commits + 1
    listener.release()
    assert world.telemetry.named("release_failed")


def test_why_nothing_becomes_final_is_told_once_and_when_it_does_again(world: World) -> None:
    other = peer(world.chain, "b")
    listener = listener_of(world)
    listener.providers = Providers(
        [world.chain, other],
        quorum=2,
        clock=world.clock,
        telemetry=world.telemetry,
        workers=1,
    )
    listener.scan()
    order = world.redeemed()
    world.chain.mine_empty(2)
    other.down = True
    reasons = {listener.scan().held for _ in range(3)}
    told = world.telemetry.named("finality_held")
    assert {one["reason"] for one in told} == reasons
    assert len(told) == len(reasons)
    assert {one["level"] for one in told} == {"WARNING"}
    assert world.telemetry.named("finality_resumed") == []
    other.down = False
    world.clock.at += 60
    listener.scan()
    assert world.status(order) is OrderStatus.VALID
    assert len(world.telemetry.named("finality_resumed")) == 1


def test_open_exceptions_are_counted_with_every_new_one_and_once_a_minute(world: World) -> None:
    def counted() -> float | None:
        return world.telemetry.metrics.pop("ExceptionsOpen", None)

    listener = listener_of(world)
    listener.scan()
    assert counted() == 0
    world.redeemed(amount=2)
    world.chain.mine_empty(2)
    listener.scan()
    assert counted() == 1
    listener.scan()
    assert counted() is None
    (found,) = world.store.exceptions(open_only=True, limit=10).items
    world.store.commit([Update(withdraw(found, actor=LISTENER, at=1, reason="gone"))])
    world.clock.at += COUNT_SECONDS
    listener.scan()
    assert counted() == 0


def test_endpoints_of_one_host_are_told_apart() -> None:
    urls = ["https://a.example/key1", "https://b.example", "https://a.example/key2"]
    assert _names(urls) == ["a.example#1", "b.example", "a.example#2"]
