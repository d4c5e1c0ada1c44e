"""The listener against a real chain: burns on anvil become orders VALID in a store."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from eth_account import Account

from chalicelib.adapters.memory import MemoryStore
from chalicelib.adapters.security import SystemClock, SystemEntropy
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.orders import Order, OrderStatus, make_order_id, new_order
from chalicelib.domain.redemptions import Outcome
from chalicelib.metrics import metric_of
from chalicelib.ports import Insert, Store, Telemetry
from chalicelib.usecases.scan import ScanResult, ScanSettings
from listener_fn.chain import RpcChain
from listener_fn.listener import Listener
from listener_fn.providers import Providers
from ops import anvil
from ops.deploy_local import Deployment, LocalChain, Reverted
from tests.chain.fault_proxy import proxy_to

ADMIN, MINTER, ALICE_KEY, BOB_KEY = anvil.KEYS[:4]
ALICE, BOB = (Account.from_key(key).address for key in (ALICE_KEY, BOB_KEY))
MEETING_ROOM, COLOUR_PRINT = 1001, 2001


@dataclass
class Quiet:
    """Telemetry that remembers."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        self.events.append((name, dict(fields)))

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        metric_of(name, value, unit, labels)


@dataclass
class Stack:
    """A chain with the deployed contract, a store and a listener between them."""

    chain: LocalChain
    deployed: Deployment
    store: Store
    listener: Listener

    @property
    def rpc_url(self) -> str:
        return str(self.chain.web3.provider.endpoint_uri)  # type: ignore[attr-defined]

    def environ(self, **more: str) -> dict[str, str]:
        """Settings of a process that reads this contract; `more` names the store."""
        return {
            "PATH": os.environ["PATH"],
            "CHAIN_ID": str(anvil.CHAIN_ID),
            "CONTRACT_ADDRESS": self.deployed.address,
            "DEPLOY_BLOCK": str(self.deployed.block),
            "RPC_URLS": self.rpc_url,
            **more,
        }

    def order(self, *, customer: str = ALICE, amount: int = 1, ttl: int = 1800) -> Order:
        now = self.chain.web3.eth.get_block("latest")["timestamp"]
        order = new_order(
            order_id=make_order_id(created_at=now, entropy=SystemEntropy().random_bytes(10)),
            customer=customer,
            token_id=MEETING_ROOM,
            amount=amount,
            site_id="HCM_ROX_T09",
            created_at=now,
            expires_at=now + ttl,
            request_id="r",
        )
        self.store.commit([Insert(order)])
        return order

    def redeem(self, order: Order, key: str = ALICE_KEY) -> None:
        self.chain.redeem_order(key, self.deployed.address, order)

    def burn(
        self,
        order_hash: str,
        *,
        key: str = ALICE_KEY,
        token_id: int = MEETING_ROOM,
        amount: int = 1,
    ) -> None:
        self.chain.redeem_and_burn(
            key, self.deployed.address, token_id=token_id, amount=amount, order_hash=order_hash
        )

    def scan(self) -> ScanResult:
        """Passes until nothing is left to catch up."""
        result = self.listener.scan()
        while result.backlog:
            result = self.listener.scan()
        return result

    def status(self, order: Order) -> OrderStatus:
        stored = self.store.order(order.order_id)
        assert stored is not None
        return stored.status


def listener_of(
    store: Store,
    rpc_urls: list[str],
    deployed: Deployment,
    *,
    block_range: int = 2000,
    quorum: int = 1,
) -> Listener:
    endpoints = [
        RpcChain(
            url,
            chain_id=anvil.CHAIN_ID,
            contract=deployed.address,
            timeout=10,
            max_range=block_range,
        )
        for url in rpc_urls
    ]
    return listener_over(endpoints, store, deployed, quorum=quorum, telemetry=Quiet())


def listener_over(
    endpoints: list[RpcChain],
    store: Store,
    deployed: Deployment,
    *,
    quorum: int,
    telemetry: Telemetry,
) -> Listener:
    return Listener(
        store=store,
        providers=Providers(endpoints, quorum=quorum, clock=SystemClock(), telemetry=telemetry),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        telemetry=telemetry,
        settings=ScanSettings(
            chain_id=anvil.CHAIN_ID,
            contract=deployed.address,
            deploy_block=deployed.block,
            finality=FinalityRule(confirmations=3, fallback_blocks=240),
            heartbeat_seconds=0,
        ),
        owner="test",
        poll_seconds=0.05,
        jitter=lambda: 0.0,
    )


def deploy(rpc_url: str) -> tuple[LocalChain, Deployment]:
    chain = LocalChain(rpc_url)
    deployed = chain.deploy(ADMIN, minter=Account.from_key(MINTER).address)
    chain.create_types(
        ADMIN,
        deployed.address,
        [MEETING_ROOM, COLOUR_PRINT],
        max_supply=10_000,
        uri="https://vouchers.example.com/api/v1/metadata/{id}",
    )
    for customer in (ALICE, BOB):
        chain.mint(
            MINTER, deployed.address, to=customer, vouchers={MEETING_ROOM: 100, COLOUR_PRINT: 100}
        )
    return chain, deployed


def stack_on(rpc_url: str, store: Store) -> Stack:
    """A contract just deployed there, and its listener over `store`."""
    chain, deployed = deploy(rpc_url)
    return Stack(chain, deployed, store, listener_of(store, [rpc_url], deployed))


@pytest.fixture
def rpc_url() -> Iterator[str]:
    with anvil.start() as running:
        yield running.rpc_url


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    return open_sql_store(url)


@pytest.fixture
def stack(rpc_url: str, store: Store) -> Stack:
    return stack_on(rpc_url, store)


@pytest.mark.parametrize("door", ["redeemOrder", "redeemAndBurn"])
def test_burn_becomes_valid_through_either_door(stack: Stack, door: str) -> None:
    order = stack.order()
    stack.redeem(order) if door == "redeemOrder" else stack.burn(order.order_hash)
    first = stack.scan()
    assert (first.error, first.pending) == ("", 1)
    assert stack.status(order) is OrderStatus.PENDING_CHAIN
    stack.chain.mine()
    stack.scan()
    assert stack.status(order) is OrderStatus.PENDING_CHAIN
    stack.chain.mine()
    assert stack.scan().matched == 1
    assert stack.status(order) is OrderStatus.VALID
    (entry,) = stack.store.redemptions(1, 1)
    assert entry.final
    assert entry.burn.order_hash == order.order_hash
    assert entry.burn.user == ALICE


def test_exceptions_are_kept_with_their_outcome(stack: Stack) -> None:
    orders = [stack.order() for _ in range(3)]
    stack.burn(orders[0].order_hash, key=BOB_KEY)
    stack.burn(orders[1].order_hash, token_id=COLOUR_PRINT)
    stack.burn(orders[2].order_hash, amount=2)
    stack.burn("0x" + "ab" * 32)
    stack.chain.mine(2)
    result = stack.scan()
    assert (result.burns, result.matched, result.exceptions) == (4, 0, 4)
    assert [entry.outcome for entry in stack.store.redemptions(1, 100)] == [
        Outcome.WRONG_WALLET,
        Outcome.WRONG_TOKEN,
        Outcome.WRONG_AMOUNT,
        Outcome.UNKNOWN_ORDER,
    ]
    assert {stack.status(order) for order in orders} == {OrderStatus.CREATED}


def test_order_expires_by_the_chains_time(stack: Stack) -> None:
    order, late = stack.order(ttl=60), stack.order(ttl=60)
    stack.redeem(order)
    stack.chain.request("evm_increaseTime", 61)
    stack.chain.mine()
    stack.scan()
    assert stack.status(late) is OrderStatus.CREATED
    with pytest.raises(Reverted):
        stack.redeem(late)
    stack.burn(late.order_hash)
    stack.chain.mine(2)
    stack.scan()
    assert stack.status(order) is OrderStatus.VALID
    assert stack.status(late) is OrderStatus.EXPIRED
    assert stack.store.redemptions(2, 2)[0].outcome is Outcome.LATE


def test_reorganised_burn_is_lost_and_found(stack: Stack) -> None:
    order = stack.order()
    stack.chain.mine(3)
    stack.redeem(order)
    stack.scan()
    assert stack.status(order) is OrderStatus.PENDING_CHAIN
    stack.chain.request("anvil_reorg", 1, [])
    result = stack.scan()
    assert (result.error, result.lost) == ("", 1)
    assert stack.status(order) is OrderStatus.CREATED
    stack.redeem(order)
    stack.chain.mine(2)
    stack.scan()
    assert stack.status(order) is OrderStatus.VALID
    (entry,) = stack.store.redemptions(1, 1)
    assert len(entry.orphans) == 1
    assert entry.on_chain


def test_narrow_ranges_catch_up_with_a_long_chain(stack: Stack) -> None:
    orders = []
    for _ in range(3):
        orders.append(stack.order())
        stack.redeem(orders[-1])
        stack.chain.mine(150)
    stack.listener = listener_of(
        stack.store,
        [stack.rpc_url],
        stack.deployed,
        block_range=5,
    )
    assert stack.scan().error == ""
    assert {stack.status(order) for order in orders} == {OrderStatus.VALID}


def test_idle_pass_takes_two_requests_of_each_provider_at_most(stack: Stack, rpc_url: str) -> None:
    with proxy_to(rpc_url) as one, proxy_to(rpc_url) as other:
        stack.listener = listener_of(stack.store, [one.url, other.url], stack.deployed, quorum=2)
        order = stack.order()
        stack.redeem(order)
        stack.chain.mine(2)
        stack.scan()
        assert stack.status(order) is OrderStatus.VALID
        for idle in range(3):
            stack.chain.mine(idle)
            one.reset_counts()
            other.reset_counts()
            assert stack.listener.scan().error == ""
            assert (one.requests, other.requests) == (2, 2 if idle else 1)


def test_reported_transactions_are_told_from_their_receipts(stack: Stack, rpc_url: str) -> None:
    orders = [stack.order(), stack.order(customer=BOB)]
    stack.redeem(orders[0])
    stack.redeem(orders[1], BOB_KEY)
    provider = RpcChain(
        rpc_url, chain_id=anvil.CHAIN_ID, contract=stack.deployed.address, timeout=9
    )
    told = provider.burns(0, provider.tips(0).head.number).burns
    assert provider.burns_of([burn.tx_hash for burn in told[::-1]]) == told
    assert provider.burns_of(["0x" + "ab" * 32]) == ()


def test_failing_provider_gives_way_to_the_next(stack: Stack, rpc_url: str) -> None:
    with anvil.start() as stranger:
        dead = stranger.rpc_url
    order = stack.order()
    stack.redeem(order)
    stack.chain.mine(2)
    stack.listener = listener_of(stack.store, [dead, rpc_url], stack.deployed)
    assert stack.listener.scan().error == ""
    assert stack.status(order) is OrderStatus.VALID


def test_provider_of_another_chain_or_without_the_contract_is_refused(stack: Stack) -> None:
    with anvil.start(chain_id=1337) as other, anvil.start() as empty:
        for url, message in ((other.rpc_url, "serves chain 1337"), (empty.rpc_url, "no contract")):
            listener = listener_of(MemoryStore(), [url], stack.deployed)
            assert message in listener.scan().error


def test_orders_become_valid_on_a_chain_that_mines_by_itself(stack: Stack) -> None:
    stack.chain.request("evm_setIntervalMining", 1)
    orders = [stack.order(), stack.order(customer=BOB)]
    stack.redeem(orders[0])
    stack.redeem(orders[1], BOB_KEY)
    _wait(lambda: stack.scan().error == "" and _all_valid(stack, orders))


def _all_valid(stack: Stack, orders: list[Order]) -> bool:
    return {stack.status(order) for order in orders} == {OrderStatus.VALID}


def _wait(met: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "not met in time"
        time.sleep(0.1)
