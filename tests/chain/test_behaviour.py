"""What the listener promises besides surviving forks, endpoints and kills, on a real chain."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.redemptions import Outcome
from chalicelib.ports import Update
from chalicelib.usecases.audit_rescan import audit_rescan
from chalicelib.usecases.hint_transaction import hint_transaction
from chalicelib.usecases.reconcile import Deployed, reconcile
from listener_fn.books import RpcBooks
from listener_fn.chain import RpcChain
from listener_fn.handler import Ended, scan_for_a_while
from ops import anvil
from tests.chain.books import check_ledger, check_orders, ledger_of, redeem, settle
from tests.chain.test_listener import Quiet, Stack, stack_on
from tests.chain.workers import running, wait_for

S = OrderStatus

FINALIZED_LAG = 2
MINUTE = 60.0
MINUTE_AND_A_HALF = 90
LEASE_SECONDS = 3600
BACKLOG = 120
BLOCKS_PER_PASS = 20
NEAR_BLOCKS = 5


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    with anvil.start(finalized_lag=FINALIZED_LAG) as node:
        yield stack_on(node.rpc_url, open_sql_store(url))


@pytest.fixture
def environ(stack: Stack, tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    return stack.environ(STORE="sql", DATABASE_URL=url, POLL_SECONDS="0.1")


def test_two_shells_work_in_turns_on_one_store(
    stack: Stack, environ: dict[str, str], tmp_path: Path
) -> None:
    """The scheduled one leaves the work to the worker while that is there, and takes it over."""
    orders = [stack.order() for _ in range(3)]
    with running(environ, tmp_path / "log", lease_seconds=LEASE_SECONDS) as worker:
        stack.redeem(orders[0])
        stack.chain.mine(FINALIZED_LAG)
        wait_for(lambda: stack.status(orders[0]) is S.VALID, "the worker makes it VALID")
        assert _invoke(stack)["ended"] == Ended.LEASE
        assert worker.stop() == 0
    stack.redeem(orders[1])
    stack.chain.mine(FINALIZED_LAG)
    told = _invoke(stack, until=lambda: stack.status(orders[1]) is S.VALID)
    assert told["burns"] == told["matched"] == 1
    assert stack.status(orders[1]) is S.VALID
    with running(environ, tmp_path / "log", lease_seconds=LEASE_SECONDS) as worker:
        stack.redeem(orders[2])
        stack.chain.mine(FINALIZED_LAG)
        wait_for(lambda: stack.status(orders[2]) is S.VALID, "the worker makes it VALID")
        assert worker.stop() == 0
    settle(stack)
    check_ledger(stack.store, stack.chain, stack.deployed)


def test_two_shells_the_scheduled_one_ends_at_once_when_no_order_is_open(stack: Stack) -> None:
    stack.chain.mine(FINALIZED_LAG)
    told = _invoke(stack)
    assert (told["ended"], told["passes"]) == (Ended.IDLE, 1)


def test_latency_of_a_reported_transaction_does_not_depend_on_the_backlog(stack: Stack) -> None:
    """Far behind, the very next pass finds the burn where the customer says it is."""
    settle(stack)
    hinted, silent = stack.order(), stack.order()
    stack.chain.mine(BACKLOG)
    stack.redeem(silent)
    deed = redeem(stack, hinted)
    hint_transaction(hinted.order_id, deed.tx_hash, store=stack.store)
    _read_in_small_steps(stack)
    assert stack.listener.scan().backlog
    assert stack.status(hinted) is S.PENDING_CHAIN
    assert stack.status(silent) is S.CREATED
    stack.chain.mine(FINALIZED_LAG)
    settle(stack)
    check_ledger(stack.store, stack.chain, stack.deployed)
    assert {stack.status(order) for order in (hinted, silent)} == {S.VALID}


def test_latency_of_a_lying_hint_changes_nothing(stack: Stack) -> None:
    """Of an order that nobody redeemed, the hint names another one's transaction."""
    settle(stack)
    redeemed, claimed = stack.order(), stack.order()
    stack.chain.mine(BACKLOG)
    deed = redeem(stack, redeemed)
    hint_transaction(claimed.order_id, deed.tx_hash, store=stack.store)
    hint_transaction(claimed.order_id, "0x" + "ab" * 32, store=stack.store)
    _read_in_small_steps(stack)
    stack.chain.mine(FINALIZED_LAG)
    settle(stack)
    check_ledger(stack.store, stack.chain, stack.deployed)
    assert (stack.status(redeemed), stack.status(claimed)) == (S.VALID, S.CREATED)


def test_expiry_after_an_outage_waits_until_the_backlog_is_scanned(stack: Stack) -> None:
    """The listener was away while one customer redeemed in time, another too late, a third never:
    wall clock and chain time are long past all deadlines when it comes back."""
    settle(stack)
    in_time, late, never = (stack.order(ttl=MINUTE_AND_A_HALF) for _ in range(3))
    stack.chain.mine(BACKLOG)
    stack.redeem(in_time)
    stack.chain.mine(BACKLOG)
    stack.chain.request("evm_increaseTime", 2 * MINUTE_AND_A_HALF)
    stack.chain.mine()
    stack.burn(late.order_hash)
    stack.chain.mine(BACKLOG)
    _read_in_small_steps(stack)
    passes = 0
    while stack.listener.scan().backlog:
        passes += 1
        assert S.EXPIRED not in {stack.status(one) for one in (in_time, late, never)}
    assert passes > BACKLOG // BLOCKS_PER_PASS
    settle(stack, met=lambda: stack.status(never) is S.EXPIRED)
    assert [stack.status(one) for one in (in_time, late, never)] == [S.VALID, S.EXPIRED, S.EXPIRED]
    assert [entry.outcome for entry in ledger_of(stack.store)] == [Outcome.MATCHED, Outcome.LATE]


def test_reconciliation_and_audit_find_equal_books_after_forks_and_a_planted_difference(
    stack: Stack,
) -> None:
    orders = [stack.order(amount=amount) for amount in (1, 2, 3)]
    for order in orders:
        stack.redeem(order)
    stack.chain.mine(FINALIZED_LAG)
    settle(stack)
    stack.chain.mine(FINALIZED_LAG)
    stack.chain.request("anvil_reorg", 6, [])
    settle(stack)
    for order in orders:
        if stack.status(order) is S.CREATED:
            stack.redeem(order)
    stack.chain.mine(FINALIZED_LAG)
    settle(stack)
    check_orders(stack.store, [order.order_id for order in orders])
    assert _reconciled(stack)
    assert _audited(stack) == 0

    (entry,) = stack.store.redemptions(2, 2)
    wrong = replace(entry.burn, amount=entry.burn.amount + 1)
    stack.store.commit([Update(replace(entry, burn=wrong, version=entry.version + 1))])
    assert not _reconciled(stack)
    assert _audited(stack) > 0


def test_observability_tells_of_a_redemption_by_one_id_from_order_to_valid(stack: Stack) -> None:
    """Through a fork above finality and one below it, each told with its depth."""
    telemetry = stack.listener.telemetry
    assert isinstance(telemetry, Quiet)
    stack.chain.mine(8)
    order = stack.order()
    settle(stack)
    deed = redeem(stack, order)
    settle(stack, met=lambda: stack.status(order) is S.PENDING_CHAIN)
    stack.chain.request("anvil_reorg", 1, [])
    settle(stack, met=lambda: stack.status(order) is S.CREATED)
    stack.chain.web3.eth.send_raw_transaction(deed.raw)  # type: ignore[arg-type]
    stack.chain.mine(FINALIZED_LAG)
    settle(stack, met=lambda: stack.status(order) is S.VALID)
    stack.chain.request("anvil_reorg", 4, [[deed.raw, 1]])
    settle(stack, met=lambda: stack.status(order) is S.PENDING_CHAIN)
    stack.chain.mine(FINALIZED_LAG)
    settle(stack)
    assert stack.status(order) is S.VALID
    story = [name for name, told in telemetry.events if told.get("orderHash") == order.order_hash]
    assert story == [
        "burn_seen",
        "burn_lost",
        "burn_final",
        "order_reverted",
        "burn_final",
    ]
    depths = {name: told["depth"] for name, told in telemetry.events if "depth" in told}
    assert set(depths) == {"reorg", "rewind"}
    assert depths["reorg"] == 1
    for _, told in telemetry.events:
        assert order.order_id not in str(told)


def _invoke(stack: Stack, *, until: Callable[[], bool] = lambda: False) -> dict[str, object]:
    """One invocation of the scheduled shell, whose minute is over once `until`."""
    stack.listener.owner = f"invocation-{time.monotonic_ns()}"
    ends = time.monotonic() + MINUTE

    def remaining() -> float:
        return 0.0 if until() else ends - time.monotonic()

    return scan_for_a_while(stack.listener, remaining, time.sleep)


def _read_in_small_steps(stack: Stack) -> None:
    stack.listener.settings = replace(
        stack.listener.settings, blocks_per_pass=BLOCKS_PER_PASS, near_blocks=NEAR_BLOCKS
    )


def _endpoint(stack: Stack) -> RpcChain:
    address = stack.deployed.address
    return RpcChain(stack.rpc_url, chain_id=anvil.CHAIN_ID, contract=address, timeout=10)


def _deployed(stack: Stack) -> Deployed:
    return Deployed(anvil.CHAIN_ID, stack.deployed.address, stack.deployed.block)


def _reconciled(stack: Stack) -> bool:
    books = RpcBooks(_endpoint(stack), stack.deployed.address)
    done = reconcile(
        store=stack.store, books=books, deployed=_deployed(stack), progress=lambda _: None
    )
    return done.comparison.equal


def _audited(stack: Stack) -> int:
    """How many differences the audit re-scan finds."""
    endpoint = _endpoint(stack)
    return audit_rescan(
        store=stack.store,
        books=RpcBooks(endpoint, stack.deployed.address),
        read_logs=lambda first, last: iter(endpoint.burns(first, last).burns),
        deployed=_deployed(stack),
    ).count
