"""A real node behind a proxy that spoils its answers, in every way that endpoints are known to.

Each fault is met twice. Alone, it may hold the books up, but nothing wrong is ever stored, nobody
loses an order by it, and the books are the chain's once it ends. Beside two sound endpoints it does
not even hold them up, and the endpoint at fault is named.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.metrics import metric_of
from chalicelib.ports import Store
from chalicelib.usecases.scan import ForkBelowFinality
from listener_fn.chain import RpcChain
from listener_fn.listener import Listener
from ops import anvil
from ops.deploy_local import Deployment
from tests.chain.books import burns_of_chain, check_ledger, check_orders, ledger_of, settle
from tests.chain.fault_proxy import (
    FOREIGN_HASH,
    Action,
    Call,
    Edit,
    Exchange,
    FaultProxy,
    Match,
    always,
    anything,
    delay,
    double_log,
    drip,
    drop_log,
    edit,
    error,
    foreign_block_hash,
    hang_up,
    logs,
    method,
    no_logs,
    proxy_to,
    raw,
    replaced_by,
    set_in_log,
    status,
    swap_logs,
    swap_serials,
    truncate,
)
from tests.chain.test_listener import ALICE, ALICE_KEY, BOB, BOB_KEY, Stack, deploy, listener_over
from tests.chain.workers import wait_for

S = OrderStatus

FINALIZED_LAG = 2
KEPT_STATES = 128
TIMEOUT = 1.0
FAULTY = "faulty"
PASSES = 4
"""While the fault lasts: enough to be told twice, and to be set aside for it."""

LONGEST_PASS = 6.0
"""Seconds: several requests that each run into the time-out."""

ORDER_SECONDS = 60
OTHER_ADDRESS = "0x" + "11" * 20
OTHER_TOPIC = "0x" + "22" * 32


@dataclass(frozen=True, slots=True)
class Fault:
    """What an endpoint does wrong, and whether the listener gets along with it all the same.

    `reasons` are those of `RpcErrors` that may be counted for it; without, the pass fails because
    what was told does not add up. A `harmless` one is not to be noticed.
    """

    name: str
    match: Match
    action: Action
    reasons: tuple[str, ...] = ()
    overcome: bool = False
    harmless: bool = False
    short: bool = False


@dataclass
class Recorder:
    """Telemetry that remembers."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    metrics: list[tuple[str, float, dict[str, str]]] = field(default_factory=list)

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        self.events.append((name, dict(fields)))

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        metric_of(name, value, unit, labels)
        self.metrics.append((name, value, labels))

    def counted(self, name: str, **labels: str) -> float:
        """What a counter came to, over all series with those labels."""
        return sum(
            value
            for one, value, told in self.metrics
            if one == name and labels.items() <= told.items()
        )


# ------------------------------------------------------------------------------------ the faults


def _wider_than(blocks: int) -> Match:
    def match(call: Call) -> bool:
        if call.method != "eth_getLogs":
            return False
        asked = call.params[0]
        return int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1 > blocks

    return match


def _header(call: Call) -> bool:
    """A block asked for by height."""
    return call.method == "eth_getBlockByNumber" and call.params[0].startswith("0x")


def _every_other(match: Match) -> Match:
    """A load balancer with one bad node of two."""
    turns = count()
    return lambda call: match(call) and next(turns) % 2 == 0


def _with(**fields: Any) -> Edit:
    """A block with other fields."""
    return lambda block: {**block, **fields}


def _older(blocks: int) -> Edit:
    """A head that lies so many blocks back; its hash is nobody's, as its number is all one sees."""
    return lambda block: {**block, "number": hex(max(1, int(block["number"], 16) - blocks))}


def _one_more_log(told: list[Any]) -> list[Any]:
    """A log of another contract behind the others."""
    return [*told, {**told[-1], "address": OTHER_ADDRESS}]


def _data(change: Callable[[str], str]) -> Edit:
    """The first log with other data."""
    return lambda told: [{**told[0], "data": change(told[0]["data"])}, *told[1:]]


def _count_changed(by: int) -> Edit:
    return lambda told: f"0x{int(told, 16) + by:064x}"


def _in_reverse(exchange: Exchange, _: int) -> None:
    """A batch may be answered in any order (JSON-RPC 2.0, section 6)."""
    exchange.answers.reverse()
    exchange.body = None


HEAD = method("eth_getBlockByNumber", "latest")
TAG = method("eth_getBlockByNumber", "finalized")
COUNT = method("eth_call")
LOGS = method("eth_getLogs")
MALFORMED = ("malformed",)
HTTP = ("http",)
LAGGING = ("lagging",)

FAULTS = (
    # -- logs
    Fault("logs_empty", logs(), edit(no_logs), short=True),
    Fault("logs_null", logs(), edit(replaced_by(None)), MALFORMED),
    Fault("log_missing_first", logs(2), edit(drop_log(0))),
    Fault("log_missing_middle", logs(2), edit(drop_log(1)), short=True),
    Fault("log_missing_last", logs(2), edit(drop_log(-1)), short=True),
    Fault("log_doubled", logs(), edit(double_log()), short=True),
    Fault("logs_reordered", logs(2), edit(swap_logs()), overcome=True, harmless=True),
    Fault("log_serials_exchanged", logs(2), edit(swap_serials()), short=True),
    Fault("log_foreign_contract", logs(), edit(set_in_log(address=OTHER_ADDRESS)), MALFORMED),
    Fault("log_foreign_contract_added", logs(), edit(_one_more_log), MALFORMED),
    Fault("log_foreign_block_hash", logs(), edit(foreign_block_hash()), short=True),
    Fault("log_foreign_event", logs(), edit(set_in_log(topics=[OTHER_TOPIC] * 4)), MALFORMED),
    Fault("log_outside_range", logs(), edit(set_in_log(blockNumber="0x1")), MALFORMED),
    Fault("log_other_time", logs(), edit(set_in_log(blockTimestamp="0x1"))),
    Fault("log_removed", logs(), edit(set_in_log(removed=True)), MALFORMED, short=True),
    Fault("log_data_truncated", logs(), edit(_data(lambda data: data[:-2])), MALFORMED),
    Fault("log_data_upper_case", logs(), edit(_data(lambda data: "0X" + data[2:])), MALFORMED),
    # -- heads and headers
    Fault("head_older_than_proven", HEAD, edit(_older(20)), LAGGING, short=True),
    Fault(
        "head_older_now_and_then",
        _every_other(HEAD),
        edit(_older(20)),
        LAGGING,
        overcome=True,
    ),
    Fault("head_of_nobody", HEAD, edit(_with(hash=FOREIGN_HASH)), ("replaced",)),
    Fault("head_null", HEAD, edit(replaced_by(None)), MALFORMED),
    Fault("header_null", _header, edit(replaced_by(None)), MALFORMED),
    Fault("header_of_another_height", _header, edit(_with(number="0x1"))),
    Fault("headers_do_not_join", _header, edit(_with(parentHash=FOREIGN_HASH))),
    Fault("finalized_unsupported", TAG, error(-32602, "invalid block tag"), ("other",)),
    Fault("finalized_null", TAG, edit(replaced_by(None)), harmless=True),
    # -- what the contract counts
    Fault("count_too_high", COUNT, edit(_count_changed(1)), short=True),
    Fault("count_too_low", COUNT, edit(_count_changed(-1))),
    Fault("count_empty", COUNT, edit(replaced_by("0x")), MALFORMED),
    # -- who it is
    Fault("chain_id_wrong", method("eth_chainId"), edit(replaced_by("0x38")), short=True),
    Fault("contract_unknown", method("eth_getCode"), edit(replaced_by("0x"))),
    # -- malformed answers
    Fault("quantity_with_zeros", HEAD, edit(_with(number="0x0001")), MALFORMED),
    Fault("quantity_no_hex", HEAD, edit(_with(number="0xzz")), MALFORMED, short=True),
    Fault("quantity_a_number", HEAD, edit(_with(number=7)), MALFORMED),
    Fault("hash_too_short", HEAD, edit(_with(hash="0x12")), MALFORMED),
    Fault("no_json", anything, raw(b"<html>welcome</html>"), MALFORMED, short=True),
    Fault("empty_body", anything, raw(b""), MALFORMED),
    Fault("json_of_another_kind", anything, raw(b'"yes"'), MALFORMED),
    Fault("body_cut", anything, truncate(10), MALFORMED),
    Fault(
        "body_cut_in_transfer",
        anything,
        truncate(10, announced=True),
        ("connection", "malformed"),
        short=True,
    ),
    Fault("batch_in_reverse", anything, _in_reverse, overcome=True, harmless=True),
    Fault("batch_answers_lost", HEAD, raw(b"[]"), MALFORMED),
    Fault(
        "batch_refused",
        HEAD,
        raw(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no batches"}}'),
        ("other",),
    ),
    # -- HTTP and below
    Fault("http_429", anything, status(429, Retry_After="1"), ("rate_limited",), short=True),
    Fault("http_500", anything, status(500, b"oops"), HTTP),
    Fault("http_502", anything, status(502, b"<html>bad gateway</html>"), HTTP),
    Fault("http_503", anything, status(503), HTTP, short=True),
    Fault("http_403", anything, status(403, b"forbidden"), HTTP),
    Fault("timeout", anything, delay(2 * TIMEOUT), ("timeout",), short=True),
    Fault("slow_drip", logs(), drip(piece=100, pause=0.4), ("timeout",), short=True),
    Fault("closed_socket", anything, hang_up(), ("connection",), short=True),
    # -- limits, in the words of those who have them
    Fault(
        "range_too_wide_node",
        _wider_than(3),
        error(-32005, "exceed maximum block range: 3"),
        ("range_too_wide",),
        overcome=True,
        short=True,
    ),
    Fault(
        "range_too_wide_quicknode",
        _wider_than(3),
        error(-32614, "eth_getLogs is limited to a 3 range"),
        ("range_too_wide",),
        overcome=True,
    ),
    Fault(
        "range_too_wide_ankr",
        _wider_than(1),
        error(-32062, "Block range is too large"),
        ("range_too_wide",),
        overcome=True,
    ),
    Fault(
        "too_many_results_infura",
        logs(2),
        error(-32005, "query returned more than 10000 results. Try with this block range"),
        ("too_much", "range_too_wide"),
        overcome=True,
        short=True,
    ),
    Fault(
        "response_too_large_geth",
        logs(2),
        error(-32008, "Response is too big"),
        ("too_much",),
        overcome=True,
    ),
    Fault(
        "response_too_large_alchemy",
        logs(2),
        error(-32602, "Log response size exceeded. this block range should work: [0x1, 0x2]"),
        ("too_much", "range_too_wide"),
        overcome=True,
    ),
    Fault(
        "query_timeout",
        logs(2),
        error(-32000, "query timeout exceeded"),
        ("too_much",),
        overcome=True,
    ),
    Fault(
        "history_pruned",
        LOGS,
        error(-32000, "missing trie node 00 (path ) state is not available"),
        ("pruned",),
    ),
    Fault("method_disabled_bnb", LOGS, error(-32005, "limit exceeded"), ("disabled",), short=True),
    Fault(
        "method_not_found",
        LOGS,
        error(-32601, "the method eth_getLogs does not exist/is not available"),
        ("disabled",),
    ),
    Fault(
        "rate_limit_error",
        LOGS,
        error(-32005, "daily request count exceeded, request rate limited"),
        ("rate_limited",),
    ),
    Fault("beyond_head", LOGS, error(-32000, "invalid block range params"), ("beyond_head",)),
)


def _cases() -> list[object]:
    """All faults; the short form takes one of each kind."""
    return [
        pytest.param(fault, id=fault.name, marks=() if fault.short else pytest.mark.slow)
        for fault in FAULTS
    ]


# ------------------------------------------------------------------------------------- the world


@dataclass(slots=True)
class World:
    """A chain, the way to it through the proxy, and the books."""

    stack: Stack
    proxy: FaultProxy
    node_url: str
    telemetry: Recorder
    redeemed: list[Order] = field(default_factory=list)
    never_redeemed: list[Order] = field(default_factory=list)

    def read_through(self, *sound: str, quorum: int = 1) -> None:
        """A listener just started, which asks the proxy first and then endpoints of those names."""
        self.stack.listener = _listener(
            self.stack.store,
            self.stack.deployed,
            {FAULTY: self.proxy.url, **dict.fromkeys(sound, self.node_url)},
            quorum=quorum,
            telemetry=self.telemetry,
        )

    def burn_and_let_time_run_out(self) -> None:
        """Three orders redeemed in time and one not at all, all of it final and past its time."""
        for customer, key in ((ALICE, ALICE_KEY), (BOB, BOB_KEY), (ALICE, ALICE_KEY)):
            order = self.stack.order(customer=customer, ttl=ORDER_SECONDS)
            self.stack.redeem(order, key)
            self.redeemed.append(order)
        self.never_redeemed.append(self.stack.order(ttl=ORDER_SECONDS))
        self.stack.chain.request("evm_increaseTime", 2 * ORDER_SECONDS)
        self.stack.chain.mine(FINALIZED_LAG + 2)

    def scan(self, passes: int = PASSES) -> None:
        """Some passes, each of which ends in time and stores nothing wrong."""
        for _ in range(passes):
            begun = time.monotonic()
            self.stack.listener.scan()
            assert time.monotonic() - begun < LONGEST_PASS
            self.check_nothing_wrong()

    def check_nothing_wrong(self) -> None:
        """What is in the books is on the chain, and nothing was concluded from what is not."""
        told = {burn.serial: burn for burn in burns_of_chain(self.stack.chain, self.stack.deployed)}
        cursor = self.stack.store.cursor()
        assert cursor is not None
        entries = {entry.serial: entry for entry in ledger_of(self.stack.store)}
        for serial, entry in entries.items():
            assert entry.burn == told[serial]
            assert entry.orphans == ()
        own = self.stack.chain.web3.eth.get_block(cursor.proven.number)
        assert cursor.proven.hash == own["hash"].to_0x_hex()
        for serial, burn in told.items():
            if burn.block.number <= cursor.proven.number:
                assert entries[serial].final
        for order in self.redeemed:
            found = next(burn for burn in told.values() if burn.order_hash == order.order_hash)
            stored = entries.get(found.serial)
            valid = self.stack.status(order) is S.VALID
            assert valid == (stored is not None and stored.final)
            assert self.stack.status(order) in (S.CREATED, S.PENDING_CHAIN, S.VALID)

    def check_books_equal_chain(self) -> None:
        """Log by log; who redeemed is VALID, who did not has run out of time."""
        settle(self.stack, met=self._all_settled)
        check_ledger(self.stack.store, self.stack.chain, self.stack.deployed)
        found = check_orders(self.stack.store, [order.order_id for order in self.redeemed])
        assert set(found) == {S.VALID}

    def _all_settled(self) -> bool:
        valid = {self.stack.status(order) for order in self.redeemed} == {S.VALID}
        over = {self.stack.status(order) for order in self.never_redeemed} <= {S.EXPIRED}
        return valid and over

    def is_reported(self, fault: Fault) -> bool:
        """Whether metrics and events name the endpoint, and the reason where it has a name."""
        self.stack.listener.providers.measure()
        if fault.reasons:
            return any(
                self.telemetry.counted("RpcErrors", provider=FAULTY, reason=reason)
                for reason in fault.reasons
            )
        blamed = [
            told
            for name, told in self.telemetry.events
            if name == "provider_set_aside" and told["provider"] == FAULTY
        ]
        return bool(blamed) or self.telemetry.counted("ProviderDisagreements", provider=FAULTY) > 0


def _listener(
    store: Store, deployed: Deployment, urls: dict[str, str], *, quorum: int, telemetry: Recorder
) -> Listener:
    endpoints = []
    for name, url in urls.items():
        endpoint = RpcChain(
            url, chain_id=anvil.CHAIN_ID, contract=deployed.address, timeout=TIMEOUT
        )
        endpoint.name = name
        endpoints.append(endpoint)
    return listener_over(endpoints, store, deployed, quorum=quorum, telemetry=telemetry)


@pytest.fixture(scope="module")
def node_url() -> Iterator[str]:
    with anvil.start(finalized_lag=FINALIZED_LAG, kept_states=KEPT_STATES) as running:
        yield running.rpc_url


@pytest.fixture
def world(node_url: str, tmp_path: Path) -> Iterator[World]:
    """One order is VALID already; from then on the chain is read through the proxy."""
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    chain, deployed = deploy(node_url)
    store, telemetry = open_sql_store(url), Recorder()
    with proxy_to(node_url) as proxy:
        listener = _listener(store, deployed, {FAULTY: proxy.url}, quorum=1, telemetry=telemetry)
        one = World(Stack(chain, deployed, store, listener), proxy, node_url, telemetry)
        order = one.stack.order()
        one.stack.redeem(order)
        one.redeemed.append(order)
        chain.mine(FINALIZED_LAG)
        settle(one.stack)
        yield one


# ------------------------------------------------------------------------------------- the proofs


@pytest.mark.parametrize("fault", _cases())
def test_untrusted_rpc_alone(world: World, fault: Fault) -> None:
    world.proxy.add(always(fault.match, fault.action))
    world.burn_and_let_time_run_out()
    world.read_through()
    world.scan()
    if fault.overcome:
        world.check_books_equal_chain()
    if fault.reasons:
        assert world.is_reported(fault)
    elif not fault.harmless and not fault.overcome:
        assert world.telemetry.counted("ScanFailures") > 0
        assert any(name == "scan_failed" and told["error"] for name, told in world.telemetry.events)
    world.proxy.remove(*world.proxy.rules)
    world.check_books_equal_chain()


@pytest.mark.parametrize("fault", _cases())
def test_untrusted_rpc_beside_two_sound_ones(world: World, fault: Fault) -> None:
    world.proxy.add(always(fault.match, fault.action))
    world.burn_and_let_time_run_out()
    world.read_through("second", "third", quorum=2)
    world.check_books_equal_chain()
    world.scan()
    assert fault.harmless or world.is_reported(fault)


# ---------------------------------------------------------------------------- endpoints that lie


def _log_of(order: Order, like: dict[str, Any]) -> dict[str, Any]:
    """A burn that matches the order, behind the one it is made after and in its block."""
    serial = int(like["data"][66:], 16) + 1
    return {
        **like,
        "topics": [
            like["topics"][0],
            f"0x{order.customer[2:].lower():0>64}",
            f"0x{order.token_id:064x}",
            order.order_hash,
        ],
        "data": f"0x{order.amount:064x}{serial:064x}",
        "transactionHash": FOREIGN_HASH,
        "logIndex": hex(int(like["logIndex"], 16) + 1),
    }


def _lie_of_a_burn(world: World, order: Order) -> None:
    """A matching burn is made up, and counted: every check of one endpoint alone is passed."""
    chain, deployed = world.stack.chain, world.stack.deployed
    last = burns_of_chain(chain, deployed)[-1]
    world.proxy.add(
        always(
            lambda call: logs()(call) and call.result[-1]["transactionHash"] == last.tx_hash,
            edit(lambda told: [*told, _log_of(order, told[-1])]),
        ),
        always(
            lambda call: call.method == "eth_call" and int(call.params[1], 16) >= last.block.number,
            edit(_count_changed(1)),
        ),
    )


def _withhold_the_last_burn(world: World) -> None:
    """It is neither told nor counted: every check of one endpoint alone is passed."""
    last = burns_of_chain(world.stack.chain, world.stack.deployed)[-1]
    world.proxy.add(
        always(
            logs(),
            edit(lambda told: [log for log in told if log["transactionHash"] != last.tx_hash]),
        ),
        always(
            lambda call: call.method == "eth_call" and int(call.params[1], 16) >= last.block.number,
            edit(_count_changed(-1)),
        ),
    )


def _is_disagreement_told(world: World) -> bool:
    counted = world.telemetry.counted("ProviderDisagreements")
    told = {name for name, _ in world.telemetry.events}
    return counted > 0 and bool(told & {"providers_disagree", "provider_set_aside"})


@pytest.mark.parametrize("sound", [("second",), ("second", "third")], ids=["1", "2"])
def test_untrusted_rpc_that_invents_a_burn_makes_nothing_valid(
    world: World, sound: tuple[str, ...]
) -> None:
    lied_about = world.stack.order()
    world.burn_and_let_time_run_out()
    _lie_of_a_burn(world, lied_about)
    world.read_through(*sound, quorum=2)
    for _ in range(2 * PASSES):
        world.stack.listener.scan()
        assert world.stack.status(lied_about) in (S.CREATED, S.PENDING_CHAIN)
    assert _is_disagreement_told(world)
    if len(sound) > 1:
        world.check_books_equal_chain()
    world.proxy.remove(*world.proxy.rules)
    world.check_books_equal_chain()
    assert world.stack.status(lied_about) is S.CREATED
    moves = world.stack.store.order(lied_about.order_id)
    assert moves is not None
    assert all(move.target is not S.VALID for move in moves.history)


@pytest.mark.parametrize("sound", [("second",), ("second", "third")], ids=["1", "2"])
def test_untrusted_rpc_that_withholds_a_burn_expires_nothing(
    world: World, sound: tuple[str, ...]
) -> None:
    world.burn_and_let_time_run_out()
    _withhold_the_last_burn(world)
    world.read_through(*sound, quorum=2)
    world.scan(2 * PASSES)
    assert _is_disagreement_told(world)
    if len(sound) > 1:
        world.check_books_equal_chain()
    world.proxy.remove(*world.proxy.rules)
    world.check_books_equal_chain()


def test_untrusted_rpc_that_changes_the_order_of_a_burn_makes_nothing_valid(world: World) -> None:
    lied_about = world.stack.order()
    world.burn_and_let_time_run_out()
    robbed = world.redeemed[-1]

    def rob(told: list[Any]) -> list[Any]:
        return [
            {**log, "topics": [*log["topics"][:3], lied_about.order_hash]}
            if log["topics"][3] == robbed.order_hash
            else log
            for log in told
        ]

    world.proxy.add(always(logs(), edit(rob)))
    world.read_through("second", quorum=2)
    for _ in range(2 * PASSES):
        world.stack.listener.scan()
        assert world.stack.status(lied_about) in (S.CREATED, S.PENDING_CHAIN)
    assert _is_disagreement_told(world)
    world.proxy.remove(*world.proxy.rules)
    world.check_books_equal_chain()
    assert world.stack.status(robbed) is S.VALID
    assert world.stack.status(lied_about) is S.CREATED


# --------------------------------------------------------------------- endpoints of other chains


@pytest.fixture
def other_chain_url() -> Iterator[str]:
    """Another chain of the same id, longer, with a contract of the same code on it."""
    with anvil.start(finalized_lag=FINALIZED_LAG, kept_states=KEPT_STATES) as running:
        yield running.rpc_url


def test_untrusted_rpc_of_another_genesis_is_not_followed(
    other_chain_url: str, tmp_path: Path
) -> None:
    """The same chain id, the same contract at the same address: only the blocks are others."""
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    store, telemetry = open_sql_store(url), Recorder()
    stranger, same = deploy(other_chain_url)
    genesis = stranger.web3.eth.get_block(0)
    wait_for(lambda: time.time() >= genesis["timestamp"] + 1, "another second, another genesis")
    with anvil.start(finalized_lag=FINALIZED_LAG, kept_states=KEPT_STATES) as own:
        chain, deployed = deploy(own.rpc_url)
        assert chain.web3.eth.get_block(0)["hash"] != genesis["hash"]
        assert same.address == deployed.address
        stranger.mine(50)
        stack = Stack(
            chain,
            deployed,
            store,
            _listener(store, deployed, {"own": own.rpc_url}, quorum=1, telemetry=telemetry),
        )
        order = stack.order()
        stack.redeem(order)
        chain.mine(FINALIZED_LAG)
        settle(stack)

        alone = {FAULTY: other_chain_url}
        stack.listener = _listener(store, deployed, alone, quorum=1, telemetry=telemetry)
        before = (store.redemptions(1, 1), store.order(order.order_id))
        with pytest.raises(ForkBelowFinality):
            settle(stack)
        assert (store.redemptions(1, 1), store.order(order.order_id)) == before

        beside = {FAULTY: other_chain_url, "second": own.rpc_url, "third": own.rpc_url}
        stack.listener = _listener(store, deployed, beside, quorum=2, telemetry=telemetry)
        another = stack.order()
        stack.redeem(another)
        chain.mine(FINALIZED_LAG)
        settle(stack)
        check_ledger(store, chain, deployed)
        assert stack.status(another) is S.VALID
        assert telemetry.counted("ProviderDisagreements", provider=FAULTY) > 0
