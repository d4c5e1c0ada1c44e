"""Whether the books end equal to the chain where a node lies once.

    python -m bench.faults [--burns 50000 --blocks 2252]

A proxy answers once with an empty list, one log missing, one log doubled, or a foreign block hash:
to the first request that has logs, or to the one that reaches to the head. The listener catches up
with one provider, then with an honest second one. The table tells how many burns are in the ledger,
how many of them are the chain's own, log by log, and how many orders became VALID. Anything but all
of them, exactly, and a fault that nobody noticed, is exit code 1.
"""

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from shutil import copy

from bench.chain_of_burns import BurnChain, burn_chain, seed
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import Burn, Redemption
from chalicelib.ports import Store
from listener_fn.bootstrap import make_scheduled
from listener_fn.chain import RpcChain
from ops import anvil
from tests.chain.fault_proxy import (
    Edit,
    Match,
    double_log,
    drop_log,
    edit,
    foreign_block_hash,
    logs,
    no_logs,
    once,
    proxy_to,
)

FAULTS: Mapping[str, Edit] = {
    "an empty list": no_logs,
    "one log missing": drop_log(),
    "one log doubled": double_log(),
    "a foreign block hash": foreign_block_hash(),
}
PLACES = ("oldest", "newest")
"""Which logs the fault falls on. Ranges in between are fetched ahead, and not all are used."""

DEADLINE_SECONDS = 900.0
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: `stored` entries of the ledger, `true` ones among them, `valid` orders.

    `fired` is how often the fault was injected, `noticed` how many passes failed, or let nothing
    become final.
    """

    fault: str
    place: str
    providers: int
    fired: int
    stored: int
    true: int
    valid: int
    noticed: int

    def holds(self, burns: int) -> bool:
        """Whether the fault happened, and the books are equal to the chain all the same."""
        happened = self.fired == 1 and self.noticed > 0
        return happened and self.stored == self.true == self.valid == burns


def chain_burns(chain: BurnChain) -> tuple[Burn, ...]:
    """What really is on the chain, in serial order, straight from the node."""
    plan = chain.plan
    node = RpcChain(
        chain.rpc_url, chain_id=anvil.CHAIN_ID, contract=plan.contract, timeout=TIMEOUT_SECONDS
    )
    told: list[Burn] = []
    at = plan.deploy_block - 1
    while at < plan.head:
        stretch = node.burns(at + 1, plan.head)
        told += stretch.burns
        at = stretch.through
    return tuple(told)


def ledger(store: Store) -> Iterator[tuple[Redemption, Order | None]]:
    """All entries, each with the order it belongs to."""
    first = 1
    while entries := store.redemptions(first, first + store.max_changes - 1):
        orders = store.orders_with_hashes({entry.burn.order_hash for entry in entries})
        for entry in entries:
            yield entry, orders.get(entry.burn.order_hash)
        first += store.max_changes


def run(
    chain: BurnChain,
    truth: Sequence[Burn],
    store_url: str,
    fault: str,
    place: str,
    *,
    providers: int,
    block_range: int,
) -> Outcome:
    """Catch up through a proxy that injects the fault once, the other providers being honest.

    Raises:
        TimeoutError: the listener does not catch up.
    """
    rule = once(_logs_of(place, chain), edit(FAULTS[fault]))
    with proxy_to(chain.rpc_url) as proxy:
        proxy.add(rule)
        urls = [proxy.url, *[chain.rpc_url] * (providers - 1)]
        environ = {
            **chain.environ(urls),
            "STORE": "sql",
            "DATABASE_URL": store_url,
            "MAX_BLOCK_RANGE": str(block_range),
            "POLL_SECONDS": "0.05",
            "LOG_LEVEL": "ERROR",
        }
        with contextlib.redirect_stdout(io.StringIO()):
            noticed = catch_up(environ, time.monotonic() + DEADLINE_SECONDS)
    store = open_sql_store(store_url)
    entries = list(ledger(store))
    true = sum(
        entry.burn == burn and entry.final for (entry, _), burn in zip(entries, truth, strict=False)
    )
    valid = sum(_is_valid(order, entry.burn) for entry, order in entries)
    return Outcome(fault, place, providers, rule.used, len(entries), true, valid, noticed)


def _logs_of(place: str, chain: BurnChain) -> Match:
    has_logs = logs(at_least=2)
    if place == "oldest":
        return lambda call: (
            has_logs(call) and int(call.params[0]["fromBlock"], 16) <= chain.plan.first_block
        )
    return lambda call: has_logs(call) and int(call.params[0]["toBlock"], 16) == chain.plan.head


def catch_up(environ: Mapping[str, str], deadline: float) -> int:
    """Pass after pass until one has nothing left to do; how many failed or were held up."""
    listener = make_scheduled(environ).listener
    noticed = 0
    while True:
        result = listener.scan()
        stopped = bool(result.error or result.held)
        if not stopped and not result.backlog:
            return noticed
        noticed += stopped
        if time.monotonic() > deadline:
            raise TimeoutError(f"no end of it: {result}")
        if stopped:
            time.sleep(listener.pause())


def _is_valid(order: Order | None, burn: Burn) -> bool:
    return order is not None and order.status is OrderStatus.VALID and order.burn == burn


@contextmanager
def seeded_database(chain: BurnChain) -> Iterator[Path]:
    """An SQLite file that holds the orders of the chain's burns, to be copied for each run."""
    with tempfile.TemporaryDirectory(prefix="vouchers-bench-") as folder:
        path = Path(folder) / "seeded.db"
        migrate(f"sqlite:///{path}")
        store = open_sql_store(f"sqlite:///{path}")
        seed(store, chain.plan)
        store.close()
        yield path


def outcomes(
    burns: int, blocks: int, *, block_range: int, providers: Sequence[int] = (1, 2)
) -> Iterator[Outcome]:
    """Every fault at every place, with so many providers and so many."""
    with burn_chain(burns, blocks) as chain, seeded_database(chain) as seeded:
        truth = chain_burns(chain)
        for count, place, fault in product(providers, PLACES, FAULTS):
            path = Path(copy(seeded, seeded.with_name("run.db")))
            yield run(
                chain,
                truth,
                f"sqlite:///{path}",
                fault,
                place,
                providers=count,
                block_range=block_range,
            )
            for left in seeded.parent.glob("run.db*"):
                left.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 1 where a row does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--burns", type=int, default=50_000, help="redemptions on the chain")
    parser.add_argument("--blocks", type=int, default=2_252, help="blocks they are spread over")
    parser.add_argument("--range", type=int, default=200, help="blocks asked for at once, at most")
    given = parser.parse_args(arguments)
    print("| answers once with | logs | providers | burns | stored | true | VALID | noticed |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    wrong = 0
    for row in outcomes(given.burns, given.blocks, block_range=given.range):
        print(
            f"| {row.fault} | {row.place} | {row.providers} | {given.burns:,} | {row.stored:,} "
            f"| {row.true:,} | {row.valid:,} | {row.noticed} |",
            flush=True,
        )
        if not row.holds(given.burns):
            wrong += 1
            sys.stderr.write(f"wrong: {row}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
