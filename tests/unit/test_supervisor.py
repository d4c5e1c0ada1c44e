"""The worker's passes under supervision: stopping, stuck passes, health, what systemd is told."""

import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest

from chalicelib.domain.idempotency import Reservation
from chalicelib.ports import Change, Insert
from chalicelib.usecases.scan import ForeignCursor, ScanResult
from listener_fn import systemd
from listener_fn.listener import Listener
from listener_fn.supervisor import EXIT_FAILED, EXIT_STUCK, Health, Supervisor, Watchdog
from tests.unit.test_listener_shells import listener_of
from tests.unit.test_scan import SETTINGS, FakeTelemetry, World

LIMIT = 100.0
LONG = 15.0


class Time:
    """Monotonic seconds that pass when told to, and a little with every look."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 0.001
        return self.at

    def leap(self) -> None:
        """Let a watchdog's limit run out."""
        self.at += LIMIT


class HookedTelemetry(FakeTelemetry):
    """Lets something happen when an event is told."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: dict[str, Callable[[], None]] = {}

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        super().event(name, **fields)
        self.hooks.get(name, lambda: None)()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@pytest.fixture
def telemetry() -> HookedTelemetry:
    return HookedTelemetry()


@pytest.fixture
def world(telemetry: HookedTelemetry) -> World:
    made = World(telemetry=telemetry)
    made.chain.mine_empty(3)
    return made


def supervisor_of(world: World, time: Time | None = None) -> Supervisor:
    made = Supervisor(
        listener=listener_of(world),
        watchdog=Watchdog(LIMIT),
        health=Health(max_age=LONG, succeeded_at=0.0),
        notify=lambda _state: None,
        monotonic=time or Time(),
        stop_seconds=LIMIT,
        tick_seconds=0.01,
    )
    made.listener.poll_seconds = 0.01
    return made


class Stuck:
    """A commit that outlasts the watchdog's limit, and returns when it is let go."""

    def __init__(self, world: World, time: Time) -> None:
        self.time = time
        self.begun = threading.Event()
        self.over = threading.Event()
        world.store.before_commit = self.hang

    def hang(self, _changes: Sequence[Change]) -> None:
        self.begun.set()
        self.time.leap()
        assert self.over.wait(LONG)


@dataclass(slots=True)
class ManyPasses(Listener):
    """Lets something happen before each pass."""

    before: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, listener: Listener, before: Callable[[], None]) -> "ManyPasses":
        given = {field.name: getattr(listener, field.name) for field in fields(Listener)}
        return cls(**given, before=before)

    def scan(self) -> ScanResult:
        self.before()
        return Listener.scan(self)


# ---------------------------------------------------------------------------------- following


def test_worker_ends_after_the_pass_at_hand(world: World, telemetry: HookedTelemetry) -> None:
    supervisor = supervisor_of(world)
    world.store.before_commit = lambda _: supervisor.ask_to_stop()
    assert supervisor.run() == 0
    assert world.cursor.heartbeat is not None
    assert world.cursor.lease_owner == ""
    assert telemetry.names == ["listener_started", "listener_stopped"]
    assert not supervisor.abandoned


def test_worker_told_to_stop_while_it_rests_does_not_rest_on(
    world: World, telemetry: HookedTelemetry
) -> None:
    supervisor = supervisor_of(world)
    supervisor.listener.poll_seconds = LONG
    threading.Timer(0.05, supervisor.ask_to_stop).start()
    assert supervisor.run() == 0
    assert telemetry.names[-1] == "listener_stopped"


def test_worker_can_be_told_to_stop_at_any_moment_of_its_rest(world: World) -> None:
    """By a signal, whose handler runs between any two steps of the thread that rests."""
    told = signal.getsignal(signal.SIGVTALRM)
    try:
        for _ in range(10):
            supervisor = supervisor_of(world)
            supervisor.listener.poll_seconds = LONG
            supervisor.tick_seconds = 1e-6
            signal.signal(signal.SIGVTALRM, lambda *_, one=supervisor: one.ask_to_stop())
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.003)
            assert supervisor.run() == 0
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, told)


def test_worker_lets_go_of_what_ran_out(world: World, telemetry: HookedTelemetry) -> None:
    gone, kept = (
        Reservation(key_hash=name * 64, order_id="o", request_digest="d", expires_at=at)
        for name, at in (("a", world.clock.now()), ("b", world.clock.now() + 10**6))
    )
    world.store.commit([Insert(gone), Insert(kept)])
    supervisor = supervisor_of(world)
    world.store.before_commit = lambda _: supervisor.ask_to_stop()
    supervisor.run()
    assert world.store.reservation(gone.key_hash) is None
    assert world.store.reservation(kept.key_hash) == kept
    assert telemetry.named("purged") == [{"records": 1}]


def test_worker_asked_for_one_run_catches_up_and_ends() -> None:
    world = World(settings=replace(SETTINGS, blocks_per_pass=7))
    world.chain.mine_empty(30)
    assert supervisor_of(world).run(once=True) == 0
    assert world.cursor.proven.number == 28
    assert world.telemetry.named("catching_up")
    assert world.telemetry.named("caught_up")
    world.chain.down = True
    assert supervisor_of(world).run(once=True) == EXIT_FAILED


def test_what_follows_a_pass_is_told_its_result(world: World) -> None:
    supervisor = supervisor_of(world)
    told: list[ScanResult] = []
    supervisor.after_pass = told.append
    supervisor.run(once=True)
    assert [result.blocks for result in told] == [1]


def test_what_a_pass_raises_ends_the_worker_and_gives_the_lease_back(world: World) -> None:
    listener_of(world).scan()
    supervisor = supervisor_of(world)
    supervisor.listener.settings = replace(SETTINGS, contract="0x" + "11" * 20)
    with pytest.raises(ForeignCursor):
        supervisor.run()
    assert world.cursor.lease_owner == ""


def test_time_of_the_last_success_is_measured(world: World, telemetry: HookedTelemetry) -> None:
    supervisor_of(world).run(once=True)
    assert telemetry.metrics["LastSuccessTime"] == world.clock.now()
    world.clock.at += 1000
    world.chain.down = True
    supervisor_of(world).run(once=True)
    assert telemetry.metrics["LastSuccessTime"] == world.clock.now() - 1000


# -------------------------------------------------------------------------------------- stuck


def test_a_pass_stuck_once_is_told_with_its_stack_and_goes_on(
    world: World, telemetry: HookedTelemetry
) -> None:
    time = Time()
    supervisor = supervisor_of(world, time)
    stuck = Stuck(world, time)
    telemetry.hooks["scan_stuck"] = stuck.over.set
    assert supervisor.run(once=True) == 0
    (told,) = telemetry.named("scan_stuck")
    assert told["level"] == "WARNING"
    assert "in hang" in str(told["stack"])
    assert "watchdog_restart" not in telemetry.names
    assert telemetry.metrics["StuckPasses"] == 1
    assert world.cursor.heartbeat is not None


def test_a_pass_stuck_twice_in_a_row_ends_the_process(
    world: World, telemetry: HookedTelemetry
) -> None:
    time = Time()
    supervisor = supervisor_of(world, time)
    stuck = Stuck(world, time)
    telemetry.hooks["scan_stuck"] = time.leap
    try:
        assert supervisor.run() == EXIT_STUCK
        assert telemetry.names == [
            "listener_started",
            "scan_stuck",
            "scan_stuck",
            "watchdog_restart",
        ]
        assert supervisor.abandoned
        assert world.store.cursor() is None
    finally:
        stuck.over.set()


def test_passes_stuck_once_each_do_not_end_the_process(
    world: World, telemetry: HookedTelemetry
) -> None:
    time = Time()
    supervisor = supervisor_of(world, time)
    rounds: list[Stuck] = []

    def once_more() -> None:
        if len(rounds) == 3:
            supervisor.ask_to_stop()
        else:
            rounds.append(Stuck(world, time))

    def let_go() -> None:
        rounds[-1].over.set()

    supervisor.listener = ManyPasses.of(supervisor.listener, once_more)
    telemetry.hooks["scan_stuck"] = let_go
    assert supervisor.run() == 0
    assert telemetry.names.count("scan_stuck") == 3
    assert telemetry.names[-1] == "listener_stopped"


def test_watchdog_gives_every_strike_the_full_time() -> None:
    watchdog = Watchdog(10.0)
    watchdog.begin(100.0)
    assert not watchdog.ran_out(109.9)
    # Looked at late, as after a suspended machine: one strike, and the time begins anew.
    assert watchdog.ran_out(500.0)
    assert not watchdog.ran_out(509.9)
    assert watchdog.ran_out(510.0)
    assert watchdog.strikes == 2
    watchdog.begin(511.0)
    assert watchdog.strikes == 0


def test_worker_told_to_stop_does_not_wait_for_ever(
    world: World, telemetry: HookedTelemetry
) -> None:
    time = Time()
    supervisor = supervisor_of(world, time)
    supervisor.watchdog.limit = LIMIT * 10
    stuck = Stuck(world, time)

    def told_to_stop() -> None:
        assert stuck.begun.wait(LONG)
        supervisor.ask_to_stop()
        time.leap()

    threading.Thread(target=told_to_stop).start()
    try:
        assert supervisor.run() == 0
        assert supervisor.abandoned
        assert telemetry.names == ["listener_started", "pass_abandoned"]
    finally:
        stuck.over.set()


# ------------------------------------------------------------------------------------- health


def test_health_is_good_while_the_last_success_is_young() -> None:
    health = Health(max_age=180, succeeded_at=1000.0)
    assert health.told(1180.0) == {"status": "ok", "secondsSinceSuccess": 180.0}
    assert health.told(1180.1)["status"] == "failing"


def test_health_tells_why_no_pass_succeeds() -> None:
    health = Health(max_age=180, succeeded_at=1000.0)
    health.note(ScanResult(), 1100.0)
    assert health.told(1290.0)["reason"] == (
        "no pass has succeeded for 190.0 s, 180 s allowed: the pass under way has not ended"
    )
    health.note(ScanResult(error="provider is down"), 1200.0)
    assert health.told(1200.0)["status"] == "ok"
    assert str(health.told(1290.0)["reason"]).endswith("180 s allowed: provider is down")
    health.note(ScanResult(mine=False), 1290.0)
    assert health.told(1291.0)["status"] == "ok"


def test_passes_keep_health_up_to_date(world: World) -> None:
    supervisor = supervisor_of(world)
    supervisor.run(once=True)
    assert supervisor.health.succeeded_at > 0.0
    world.chain.down = True
    supervisor = supervisor_of(world)
    supervisor.run(once=True)
    assert (supervisor.health.succeeded_at, supervisor.health.error) == (0.0, "provider is down")


# ------------------------------------------------------------------------------------ systemd


def _received(listening: socket.socket) -> list[str]:
    """What was sent, each run of the same once."""
    listening.setblocking(False)
    states: list[str] = []
    while True:
        try:
            state = listening.recv(64).decode()
        except BlockingIOError:
            return states
        if state not in states[-1:]:
            states.append(state)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_ready_alive_and_stopping(
    world: World, tmp_path: Path, abstract: bool
) -> None:
    name = f"vouchers-{tmp_path.name}-{id(world)}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name if abstract else name)
        notify = systemd.notifier({"NOTIFY_SOCKET": "@" + name if abstract else name})
        supervisor = supervisor_of(world)
        supervisor.notify = notify
        world.store.before_commit = lambda _: supervisor.ask_to_stop()
        supervisor.run()
        states = _received(listening)
    assert states[0] == "READY=1"
    assert states[-1] == "STOPPING=1"
    assert set(states) <= {"READY=1", "WATCHDOG=1", "STOPPING=1"}


def test_systemd_hears_that_a_worker_at_rest_or_at_a_long_pass_is_alive(world: World) -> None:
    states: list[str] = []
    supervisor = supervisor_of(world)
    supervisor.listener.poll_seconds = LONG
    stuck = Stuck(world, Time())

    def notify(state: str) -> None:
        states.append(state)
        if states.count("WATCHDOG=1") == 3:
            stuck.over.set()
        if stuck.over.is_set() and states.count("WATCHDOG=1") >= 6:
            supervisor.ask_to_stop()

    supervisor.notify = notify
    assert supervisor.run() == 0
    assert states.count("WATCHDOG=1") >= 6


def test_without_systemd_or_with_its_socket_gone_nothing_happens(tmp_path: Path) -> None:
    systemd.notifier({})("READY=1")
    systemd.notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})("READY=1")
