"""How long after the block that confirms it a burn's order is VALID in the store.

    python -m bench.latency [--burns 120] [--block-times 0.45 3]

A local chain mines a block every so many seconds; customers burn at random moments. The clock runs
from when the confirming block was asked to be mined (the block that makes the burn's own one final:
enough confirmations, and `finalized` reaches it) until the order is seen VALID in SQLite. The
listener runs as a process of its own: as the worker, and as the scheduled Lambda, which is invoked
each minute, scans while an order is open, and ends in time: between two invocations nobody scans.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account

from bench.chain_of_burns import (
    ADMIN_KEY,
    GAS,
    MINTER_KEY,
    ORDER_TTL_SECONDS,
    SITE,
    TOKEN_ID,
    Rpc,
    wallet,
)
from chalicelib.adapters.security import SystemEntropy
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.order_hash import keccak256
from chalicelib.domain.orders import Order, OrderStatus, make_order_id, new_order
from chalicelib.ports import Insert, Store
from ops import anvil
from ops.deploy_local import LocalChain

ROOT = Path(__file__).resolve().parent.parent
SHELLS: Mapping[str, Sequence[str]] = {
    "worker": ("-m", "listener_fn.worker"),
    "scheduled": ("-m", "bench.scheduled"),
}
CONFIRMATIONS = 3
FINALIZED_LAG = 2
WATCH_SECONDS = 0.005
SETTLE_SECONDS = 120.0
STOP_SECONDS = 60.0
VOUCHERS = 1_000_000


class NotInTime(Exception):
    """The listener did not come up, or orders did not become VALID."""


@dataclass(slots=True)
class Miner:
    """Mines a block every `block_time` seconds; `mined_at` is when each was asked for."""

    rpc_url: str
    block_time: float
    height: int
    mined_at: dict[int, float] = field(default_factory=dict)
    failure: Exception | None = None

    def run(self, stop: threading.Event) -> None:
        """Mine until `stop` is set."""
        rpc = Rpc(self.rpc_url)
        due = time.monotonic()
        try:
            while not stop.wait(max(0.0, due - time.monotonic())):
                self.mined_at[self.height + 1] = time.monotonic()
                rpc(("evm_mine", []))
                self.height += 1
                due += self.block_time
        except Exception as failure:  # noqa: BLE001 - told to the thread that waits for blocks
            self.failure = failure
        finally:
            rpc.close()


@contextmanager
def mining(rpc_url: str, block_time: float) -> Iterator[Miner]:
    """Let blocks come by the clock from here on."""
    rpc = Rpc(rpc_url)
    _, height = rpc(("evm_setAutomine", [False]), ("eth_blockNumber", []))
    rpc.close()
    miner, stop = Miner(rpc_url, block_time, int(height, 16)), threading.Event()
    thread = threading.Thread(target=miner.run, args=(stop,))
    thread.start()
    try:
        yield miner
    finally:
        stop.set()
        thread.join()


@dataclass(slots=True)
class Scene:
    """A chain, the orders on it, and a listener that follows it."""

    rpc: Rpc
    contract: Any
    miner: Miner
    store: Store
    process: "subprocess.Popen[bytes]"
    orders: Sequence[Order]
    seen_at: dict[int, float] = field(default_factory=dict)

    def watch(self, until: float) -> None:
        """Look at the store until then, noting when it gets to which serial."""
        while True:
            if self.process.poll() is not None or self.miner.failure:
                raise NotInTime(f"listener or chain ended early: {self.miner.failure}")
            cursor = self.store.cursor()
            now = time.monotonic()
            for serial in range(len(self.seen_at) + 1, (cursor.last_serial if cursor else 0) + 1):
                self.seen_at[serial] = now
            if now >= until:
                return
            time.sleep(WATCH_SECONDS)

    def burn(self, order: Order) -> None:
        """Send the redemption of an order; the next block takes it."""
        data = self.contract.encode_abi("redeemAndBurn", [TOKEN_ID, 1, order.order_hash])
        call = {
            "from": order.customer,
            "to": self.contract.address,
            "data": data,
            "gas": hex(GAS),
            "gasPrice": "0x0",
        }
        self.rpc(("eth_sendTransaction", [call]))

    def latencies(self) -> list[float]:
        """Seconds from confirming block to VALID, by serial.

        Raises:
            NotInTime: an order is not VALID.
        """
        for order in self.orders:
            stored = self.store.order(order.order_id)
            if stored is None or stored.status is not OrderStatus.VALID:
                raise NotInTime(f"an order ended {stored.status if stored else 'nowhere'}")
        topic = keccak256(b"VoucherRedeemed(address,uint256,uint256,bytes32,uint256)").hex()
        wanted = {"address": self.contract.address, "topics": ["0x" + topic], "fromBlock": "0x0"}
        (logs,) = self.rpc(("eth_getLogs", [wanted]))
        later = max(CONFIRMATIONS - 1, FINALIZED_LAG)
        return [
            self.seen_at[int(log["data"][66:], 16)]
            - self.miner.mined_at[int(log["blockNumber"], 16) + later]
            for log in logs
        ]


@contextmanager
def scene(shell: str, block_time: float, burns: int, *, poll: float) -> Iterator[Scene]:
    """Chain, store with open orders, and the listener at work."""
    free_gas = ("--base-fee", "0", "--gas-price", "0")
    with (
        anvil.start(finalized_lag=FINALIZED_LAG, kept_states=128, more=free_gas) as running,
        tempfile.TemporaryDirectory(prefix="vouchers-bench-") as folder,
    ):
        chain = LocalChain(running.rpc_url)
        deployed = chain.deploy(ADMIN_KEY, minter=Account.from_key(MINTER_KEY).address)
        chain.create_types(ADMIN_KEY, deployed.address, [TOKEN_ID], max_supply=VOUCHERS, uri="{id}")
        chain.mint(MINTER_KEY, deployed.address, to=wallet(0), vouchers={TOKEN_ID: burns})
        chain.request("anvil_autoImpersonateAccount", True)
        url = f"sqlite:///{folder}/latency.db"
        migrate(url)
        store = open_sql_store(url)
        now = chain.web3.eth.get_block("latest")["timestamp"]
        orders = [_order(now) for _ in range(burns)]
        for order in orders:
            store.commit([Insert(order)])
        environ = {
            **os.environ,
            "STORE": "sql",
            "DATABASE_URL": url,
            "CHAIN_ID": str(anvil.CHAIN_ID),
            "CONTRACT_ADDRESS": deployed.address,
            "DEPLOY_BLOCK": str(deployed.block),
            "RPC_URLS": running.rpc_url,
            "CONFIRMATIONS": str(CONFIRMATIONS),
            "POLL_SECONDS": str(poll),
        }
        with (
            mining(running.rpc_url, block_time) as miner,
            _listening(SHELLS[shell], environ, Path(folder) / "log") as process,
        ):
            yield Scene(
                Rpc(running.rpc_url),
                chain.contract(deployed.address),
                miner,
                store,
                process,
                orders,
            )
        store.close()


def _order(now: int) -> Order:
    return new_order(
        order_id=make_order_id(created_at=now, entropy=SystemEntropy().random_bytes(10)),
        customer=wallet(0),
        token_id=TOKEN_ID,
        amount=1,
        site_id=SITE,
        created_at=now,
        expires_at=now + ORDER_TTL_SECONDS,
        request_id="bench",
    )


@contextmanager
def _listening(
    command: Sequence[str], environ: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environ, stdout=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(shell: str, block_time: float, burns: int, *, poll: float, gap: float) -> list[float]:
    """Latencies in seconds of burns that come every `gap` seconds on average, at random.

    Raises:
        NotInTime: the listener does not come up or does not get through them.
    """
    chance = random.Random(shell + str(block_time))
    with scene(shell, block_time, burns, poll=poll) as stage:
        deadline = time.monotonic() + SETTLE_SECONDS
        while stage.store.cursor() is None:
            stage.watch(time.monotonic() + WATCH_SECONDS)
            if time.monotonic() > deadline:
                raise NotInTime("the listener does not come up")
        for order in stage.orders:
            stage.watch(time.monotonic() + chance.expovariate(1 / gap))
            stage.burn(order)
        deadline = time.monotonic() + SETTLE_SECONDS
        while len(stage.seen_at) < burns:
            stage.watch(time.monotonic() + WATCH_SECONDS)
            if time.monotonic() > deadline:
                raise NotInTime(f"{len(stage.seen_at)} of {burns} burns became final")
        return stage.latencies()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the distribution for each shell and block time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--burns", type=int, default=120, help="samples for each row")
    parser.add_argument("--gap", type=float, default=1.0, help="mean seconds between burns")
    parser.add_argument("--poll", type=float, default=1.0, help="POLL_SECONDS of the listener")
    parser.add_argument("--block-times", type=float, nargs="+", default=[0.45, 3.0])
    parser.add_argument("--shells", nargs="+", choices=SHELLS, default=list(SHELLS))
    given = parser.parse_args(arguments)
    print("| shell | block time, s | burns | p50, ms | p95, ms | p99, ms | max, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for shell in given.shells:
        for block_time in given.block_times:
            told = measure(shell, block_time, given.burns, poll=given.poll, gap=given.gap)
            centiles = statistics.quantiles(told, n=100, method="inclusive")
            figures = (centiles[49], centiles[94], centiles[98], max(told))
            row = " | ".join(f"{1000 * one:,.0f}" for one in figures)
            print(f"| {shell} | {block_time:g} | {len(told)} | {row} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
