"""How fast the listener is, from JSON-RPC to committed orders, and what it asks of a node.

    python -m bench.listener [--burns 50000 --blocks 2252] [--profile]

One run prints, beside the goals: the floor (raw `eth_getLogs`), fetching, checking and decoding,
matching, the whole on each store, web3.py's own route, memory at two lengths of chain, RPC calls
and bytes, and what an idle pass costs. Each row is measured in a process of its own; the node, the
stores' servers and this program share the machine with it, so figures per second of processor time
compare best. The chain is a local one and nearly without latency.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.api_load import Engine, dynamo_engine, sqlite_engine
from bench.chain_of_burns import BurnChain, burn_chain, seed
from bench.stages import Measurement
from chalicelib.adapters.dynamo import DynamoStore
from chalicelib.adapters.dynamo.table import connect, create_table_over, introduce
from chalicelib.adapters.sql import migrate, open_sql_store
from listener_fn.bootstrap import make_scheduled
from ops import dynoxide
from tests.chain.fault_proxy import FaultProxy, proxy_to
from tests.contract.engines import EngineMissing
from tests.contract.postgres import running_postgres

ROOT = Path(__file__).resolve().parent.parent
STAGE_SECONDS = 1800
IDLE_PASSES = 10
IDLE_BURNS, IDLE_BLOCKS = 200, 20
TABLE = "bench"
REGION = "us-east-1"

GOAL_DECODED = 60_000
GOAL_WHOLE = 15_000
GOAL_IDLE_REQUESTS = 2
GOAL_IDLE_UNITS = 2.0

OpenEngine = Callable[[], AbstractContextManager[Engine]]


class StageFailed(Exception):
    """A stage's process ended with an error; it has said why."""


def run_stage(name: str, environ: Mapping[str, str]) -> Measurement:
    """Measure a stage of `bench.stages` in a process of its own.

    Raises:
        StageFailed: it did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="vouchers-bench-") as folder:
        result, log = Path(folder) / "result.json", Path(folder) / "log"
        with log.open("wb") as output:
            done = subprocess.run(
                [sys.executable, "-m", "bench.stages", name, str(result)],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdout=output,
                check=False,
                timeout=STAGE_SECONDS,
            )
        if done.returncode != 0:
            raise StageFailed(name)
        return Measurement(**json.loads(result.read_text("utf-8")))


def environ_of(
    chain: BurnChain, engine: Engine, *, block_range: int, rpc_urls: Sequence[str] = ()
) -> dict[str, str]:
    """Settings of the listener, and of the stages, for a chain and a store."""
    return {
        **chain.environ(rpc_urls),
        **engine.environment,
        "MAX_BLOCK_RANGE": str(block_range),
        "BENCH_PLAN": json.dumps(asdict(chain.plan)),
    }


@contextmanager
def postgres_engine() -> Iterator[Engine]:
    """A PostgreSQL server of its own.

    Raises:
        EngineMissing: none is installed.
    """
    with running_postgres() as server:
        url = server.url()
        migrate(url)
        yield Engine("PostgreSQL", {"STORE": "sql", "DATABASE_URL": url}, open_sql_store(url))


# ----------------------------------------------------------------------------------------- speed


def speed_rows(options: argparse.Namespace) -> Iterator[tuple[str, Measurement]]:
    """Every stage on the long chain."""
    with burn_chain(options.burns, options.blocks) as chain, sqlite_engine() as engine:
        environ = environ_of(chain, engine, block_range=options.range)
        yield "floor: raw eth_getLogs, orjson", run_stage("raw", environ)
        yield "fetch + check + decode", run_stage("decoded", environ)
        yield "matching, store in memory", run_stage("matched", environ)
        quiet = {**environ, "LOG_LEVEL": "WARNING"}
        yield "the same, LOG_LEVEL=WARNING", run_stage("matched", quiet)
        seed(engine.store, chain.plan)
        yield "whole, SQLite", run_stage("whole", environ)
        with sqlite_engine() as other:
            seed(other.store, chain.plan)
            quiet = environ_of(chain, other, block_range=options.range)
            yield (
                "the same, LOG_LEVEL=WARNING",
                run_stage("whole", {**quiet, "LOG_LEVEL": "WARNING"}),
            )
        try:
            yield "whole, PostgreSQL", _whole(chain, postgres_engine, options.range)
        except EngineMissing as missing:
            sys.stderr.write(f"PostgreSQL left out: {missing}\n")
    with small_chain(options, options.dynamo_burns) as chain:
        yield "whole, DynamoDB engine", _whole(chain, dynamo_engine, options.range)
    with small_chain(options, options.web3_burns) as chain, sqlite_engine() as engine:
        environ = environ_of(chain, engine, block_range=options.range)
        yield "web3.py contract events (no store)", run_stage("web3_events", environ)


@contextmanager
def small_chain(options: argparse.Namespace, burns: int) -> Iterator[BurnChain]:
    """A chain of the same density with at most so many burns."""
    burns = min(burns, options.burns)
    with burn_chain(burns, max(1, options.blocks * burns // options.burns)) as chain:
        yield chain


def _whole(
    chain: BurnChain, open_engine: OpenEngine, block_range: int, stage: str = "whole", **more: str
) -> Measurement:
    with open_engine() as engine:
        seed(engine.store, chain.plan)
        environ = environ_of(chain, engine, block_range=block_range)
        return run_stage(stage, {**environ, **more})


def speed_table(rows: Iterator[tuple[str, Measurement]]) -> dict[str, Measurement]:
    """Print the rows as they come; the first of each name, by name."""
    print("| stage | events | s | events/s | CPU s | events/CPU-s | memory before → peak, MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    known: dict[str, Measurement] = {}
    for name, row in rows:
        known.setdefault(name, row)
        print(
            f"| {name} | {row.events:,} | {row.seconds:.2f} | {row.per_second:,.0f} "
            f"| {row.cpu_seconds:.2f} | {row.per_cpu_second:,.0f} "
            f"| {row.memory_before:.0f} → {row.memory_peak:.0f} |",
            flush=True,
        )
    return known


# ------------------------------------------------------------------ memory, calls, an idle pass


def memory_lines(options: argparse.Namespace) -> Iterator[str]:
    """Memory of the whole on SQLite at half the length, and at the full length.

    Ranges fetched side by side are held in memory: a chain has to be longer than those.
    """
    peaks: list[float] = []
    for burns in (options.burns // 2, options.burns):
        with small_chain(options, burns) as chain:
            row = _whole(chain, sqlite_engine, options.range)
            peaks.append(row.memory_peak)
            yield (
                f"memory: {row.events:,} burns on {chain.plan.blocks:,} blocks: "
                f"{row.memory_before:.0f} → {row.memory_peak:.0f} MB"
            )
    yield f"memory: twice the chain takes {peaks[1] - peaks[0]:+.0f} MB (goal: flat)"


def calls_lines(options: argparse.Namespace) -> Iterator[str]:
    """What the whole on SQLite asks of a node, as a proxy in between counts it."""
    with (
        burn_chain(options.burns, options.blocks) as chain,
        proxy_to(chain.rpc_url) as proxy,
        sqlite_engine() as engine,
    ):
        seed(engine.store, chain.plan)
        environ = environ_of(chain, engine, block_range=options.range, rpc_urls=[proxy.url])
        run_stage("whole", environ)
        yield f"catch-up: {_told(proxy)}"
        proxy.reset_counts()
        run_stage("raw", environ)
        yield f"floor: {_told(proxy)}"


def _told(proxy: FaultProxy) -> str:
    calls = ", ".join(f"{count:,} {name}" for name, count in sorted(proxy.calls.items()))
    return (
        f"{proxy.requests:,} HTTP requests with {calls}; "
        f"{proxy.bytes_out / 1e6:.2f} MB out, {proxy.bytes_in / 1e6:.1f} MB in"
    )


class ReadMeter:
    """Adds up the read and write units of a DynamoDB connection, as the engine reports them."""

    def __init__(self, connection: Any) -> None:
        self.reads = 0.0
        self.writes = 0.0
        events = connection.client.meta.events
        events.register("before-parameter-build.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)

    @staticmethod
    def _before(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _after(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity", [])
        for one in told if isinstance(told, list) else [told]:
            if model.name in ("GetItem", "BatchGetItem", "Query", "TransactGetItems", "Scan"):
                self.reads += one["CapacityUnits"]
            else:
                self.writes += one["CapacityUnits"]


def idle_lines() -> Iterator[str]:
    """What passes cost when nothing happens, with two providers on the DynamoDB engine."""
    with contextlib.redirect_stdout(io.StringIO()):
        requests, reads, writes = idle_passes()
    yield (
        f"idle pass: {requests:g} HTTP requests per provider (goal: at most {GOAL_IDLE_REQUESTS}), "
        f"{reads:g} read units (goal: at most {GOAL_IDLE_UNITS:g}), {writes:g} write units; "
        f"the most of {IDLE_PASSES} passes"
    )


def idle_passes() -> list[float]:
    """The most HTTP requests to a provider, read units and write units of any idle pass."""
    dynoxide.use_local_credentials()
    with (
        burn_chain(IDLE_BURNS, IDLE_BLOCKS) as chain,
        proxy_to(chain.rpc_url) as one,
        proxy_to(chain.rpc_url) as other,
        dynoxide.start() as running,
    ):
        connection = connect(region=REGION, endpoint=running.endpoint)
        create_table_over(connection, TABLE)
        introduce(connection, TABLE)
        store = DynamoStore(connection, TABLE)
        seed(store, chain.plan)
        settings = {
            **chain.environ([one.url, other.url]),
            "STORE": "dynamodb",
            "DYNAMODB_TABLE": TABLE,
            "DYNAMODB_ENDPOINT": running.endpoint,
            "AWS_REGION": REGION,
            "LOG_LEVEL": "ERROR",
        }
        listener = make_scheduled(settings).listener
        listener.store = store
        while listener.scan().backlog:
            pass
        listener.scan()
        meter = ReadMeter(connection)
        one.reset_counts()
        other.reset_counts()
        passes: list[tuple[float, float, float]] = []
        for _ in range(IDLE_PASSES):
            before = (one.requests, other.requests, meter.reads, meter.writes)
            result = listener.scan()
            if result.error or result.burns or result.backlog:
                raise StageFailed(f"the pass was not idle: {result}")
            requests = max(one.requests - before[0], other.requests - before[1])
            passes.append((requests, meter.reads - before[2], meter.writes - before[3]))
        return [max(column) for column in zip(*passes, strict=True)]


def goal_lines(known: Mapping[str, Measurement]) -> Iterator[str]:
    """The goals beside what was measured."""
    decoding, whole = known["fetch + check + decode"], known["whole, SQLite"]
    yield (
        f"goal: fetching, checking, decoding ≥ {GOAL_DECODED:,} events/CPU-s: "
        f"{decoding.per_cpu_second:,.0f}"
    )
    yield f"goal: whole on SQLite ≥ {GOAL_WHOLE:,} events/s: {whole.per_second:,.0f}"


def profile_lines(options: argparse.Namespace) -> Iterator[str]:
    """Where the time goes in the whole on SQLite."""
    with burn_chain(options.burns, options.blocks) as chain, tempfile.TemporaryDirectory() as name:
        output = Path(name) / "profile.txt"
        _whole(chain, sqlite_engine, options.range, "profiled", BENCH_PROFILE=str(output))
        yield output.read_text("utf-8")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    told = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    told.add_argument("--burns", type=int, default=50_000, help="redemptions on the chain")
    told.add_argument("--blocks", type=int, default=2_252, help="blocks they are spread over")
    told.add_argument("--range", type=int, default=200, help="blocks asked for at once, at most")
    told.add_argument("--dynamo-burns", type=int, default=5_000, help="fewer, for that engine")
    told.add_argument("--web3-burns", type=int, default=5_000, help="fewer, for web3.py's route")
    told.add_argument("--profile", action="store_true", help="show where the time goes as well")
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print everything."""
    options = parser().parse_args(arguments)
    try:
        known = speed_table(speed_rows(options))
        for lines in (
            goal_lines(known),
            memory_lines(options),
            calls_lines(options),
            idle_lines(),
            profile_lines(options) if options.profile else (),
        ):
            for line in lines:
                print(line, flush=True)
    except StageFailed as error:
        sys.stderr.write(f"failed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
