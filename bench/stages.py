"""What `bench.listener` measures, each stage in a process of its own.

    python -m bench.stages <stage> <result file>

The settings are the listener's, from the environment; BENCH_PLAN says what is on the chain. What
the listener logs goes to standard output, the measurement to the result file.
"""

import cProfile
import gc
import json
import os
import pstats
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import requests

from bench.chain_of_burns import Plan, seed
from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.completeness import (
    check_continues,
    check_count,
    check_joins,
    check_places,
)
from chalicelib.domain.finality import final_height
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.ports import Chain, Claim, Store, Stretch, Tail, Tips
from chalicelib.usecases.scan import ScanResult, scan
from listener_fn.bootstrap import make_scheduled
from listener_fn.decoding import REDEEMED_TOPIC
from listener_fn.listener import Listener
from listener_fn.worker import COLLECT_AFTER

MAX_PASSES = 100_000
PROFILE_LINES = 25
RECORDED_RANGE = 100
MEGABYTES = 1024


class Incomplete(Exception):
    """The stage ended with other events than there are."""


@dataclass(slots=True)
class Measurement:
    """What a stage came to: wall and processor time in seconds, memory in megabytes.

    Processor time is that of the stage's process, all its threads. `memory_before` is what the
    process held when the clock was started, `memory_peak` the most it ever held.
    """

    events: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_before: float = 0.0
    memory_peak: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Events per second on the clock."""
        return self.events / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Events per second of processor time."""
        return self.events / self.cpu_seconds


@contextmanager
def _measured(measurement: Measurement) -> Iterator[None]:
    gc.collect()
    measurement.memory_before = _memory("VmRSS")
    began, cpu_began = time.perf_counter(), time.process_time()
    yield
    measurement.seconds = time.perf_counter() - began
    measurement.cpu_seconds = time.process_time() - cpu_began
    measurement.memory_peak = _memory("VmHWM")


def _memory(name: str) -> float:
    """Of this program alone: `getrusage` also counts what its parent held when it forked."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split(f"{name}:")[1].split()[0]) / MEGABYTES


# ---------------------------------------------------------------------------------------- stages


def raw(environ: Mapping[str, str]) -> Measurement:
    """The floor: the same logs in the same ranges, parsed as JSON and nothing more."""
    measurement = Measurement()
    session = requests.Session()
    with _measured(measurement):
        for first, last in _ranges(environ):
            measurement.events += len(_raw_logs(session, environ, first, last))
    return measurement


def decoded(environ: Mapping[str, str]) -> Measurement:
    """Fetched, decoded, and proved complete and in place, as a pass does before it stores."""
    measurement = Measurement()
    listener = make_scheduled(environ).listener
    with _measured(measurement):
        measurement.events = len(_read(listener).all_burns)
    return measurement


def matched(environ: Mapping[str, str]) -> Measurement:
    """Passes over burns that are in memory already, to a store in memory: no RPC, no engine."""
    listener = make_scheduled(environ).listener
    chain = _read(listener)
    store = MemoryStore()
    seed(store, _plan(environ))
    measurement = Measurement()
    with _measured(measurement):
        passes = _pass_until_done(lambda: _scan_recorded(chain, store, listener))
    measurement.events = _final_serial(store)
    measurement.notes = {"passes": passes}
    return measurement


def whole(environ: Mapping[str, str]) -> Measurement:
    """From JSON-RPC to committed orders, all as the listener does it."""
    measurement = Measurement()
    listener = make_scheduled(environ).listener
    with _measured(measurement):
        passes = _pass_until_done(listener.scan)
    measurement.events = _final_serial(listener.store)
    measurement.notes = {"passes": passes}
    return measurement


def profiled(environ: Mapping[str, str]) -> Measurement:
    """`whole` under a profiler, which slows it: shares count, times do not."""
    listener = make_scheduled(environ).listener
    measurement = Measurement()
    profile = cProfile.Profile()
    with _measured(measurement):
        profile.runcall(_pass_until_done, listener.scan)
    measurement.events = _final_serial(listener.store)
    with Path(environ["BENCH_PROFILE"]).open("w", encoding="utf-8") as output:
        statistics = pstats.Stats(profile, stream=output).strip_dirs()
        statistics.sort_stats("tottime").print_stats(PROFILE_LINES)
        statistics.sort_stats("cumtime").print_stats(PROFILE_LINES)
    return measurement


def web3_events(environ: Mapping[str, str]) -> Measurement:
    """`contract.events.VoucherRedeemed.get_logs`: web3.py's own way, decoding included."""
    from eth_typing import ChecksumAddress, HexAddress, HexStr  # noqa: PLC0415 - as web3
    from web3 import HTTPProvider, Web3  # noqa: PLC0415 - this stage alone needs it

    from ops.onchain.artefact import abi  # noqa: PLC0415

    measurement = Measurement()
    address = ChecksumAddress(HexAddress(HexStr(environ["CONTRACT_ADDRESS"])))
    contract = Web3(HTTPProvider(_url(environ))).eth.contract(address=address, abi=abi())
    with _measured(measurement):
        for first, last in _ranges(environ):
            told = contract.events.VoucherRedeemed.get_logs(from_block=first, to_block=last)
            measurement.events += len(told)
    return measurement


STAGES: Mapping[str, Callable[[Mapping[str, str]], Measurement]] = {
    stage.__name__: stage for stage in (raw, decoded, matched, whole, profiled, web3_events)
}


# ---------------------------------------------------------------------------------- what they do


def _plan(environ: Mapping[str, str]) -> Plan:
    return Plan(**json.loads(environ["BENCH_PLAN"]))


def _url(environ: Mapping[str, str]) -> str:
    return environ["RPC_URLS"].split(",")[0]


def _ranges(environ: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    size, last = int(environ["MAX_BLOCK_RANGE"]), _plan(environ).head
    for first in range(int(environ["DEPLOY_BLOCK"]), last + 1, size):
        yield first, min(first + size - 1, last)


def _raw_logs(
    session: requests.Session, environ: Mapping[str, str], first: int, last: int
) -> list[Any]:
    wanted = {
        "address": environ["CONTRACT_ADDRESS"],
        "topics": [REDEEMED_TOPIC],
        "fromBlock": hex(first),
        "toBlock": hex(last),
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
    headers = {"Content-Type": "application/json"}
    answer = session.post(_url(environ), data=orjson.dumps(call), headers=headers, timeout=60)
    logs: list[Any] = orjson.loads(answer.content)["result"]
    return logs


def _read(listener: Listener) -> "Recorded":
    """The whole chain, proved complete and in place as `usecases.scan` proves it.

    Raises:
        Inconsistent: it is not.
    """
    chain, settings = listener.providers, listener.settings
    (before,) = chain.agreed([settings.deploy_block - 1])
    if before is None:
        raise Incomplete("the block before the deployment is not there")
    tips = chain.tips(before)
    height = final_height(settings.finality, head=tips.head.number, finalized=tips.finalized)
    told: list[Burn] = []
    with closing(chain.burns(settings.deploy_block, height)) as stretches:
        for stretch in stretches:
            told += stretch.burns
    tail = chain.tail(height + 1, height, tips.head)
    burns = (*told, *tail.burns)
    check_continues(burns, last_serial=0)
    check_joins(tail.headers, head=tips.head)
    blocks = chain.blocks(sorted({burn.block.number for burn in burns}))
    check_places(burns, blocks)
    check_count(burns, last_serial=0, count=tail.count)
    return Recorded(tips, burns, tail, {block.number: block for block in (before, *blocks)})


class Recorded:
    """A chain that was read, told again from memory. See `Chain`."""

    def __init__(
        self, tips: Tips, burns: tuple[Burn, ...], tail: Tail, blocks: Mapping[int, BlockRef]
    ) -> None:
        self._tips, self.all_burns, self._tail, self._blocks = tips, burns, tail, blocks

    def tips(self, proven: BlockRef) -> Tips:
        """See `Chain`."""
        return replace(self._tips, proven=proven)

    def burns(self, first: int, last: int) -> Generator[Stretch, None, None]:
        """See `Chain`."""
        for start in range(first, last + 1, RECORDED_RANGE):
            through = min(start + RECORDED_RANGE - 1, last)
            yield Stretch(self._between(start, through), through)

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        """See `Chain`."""
        headers = tuple(one for one in self._tail.headers if one.block.number >= final)
        return Tail(self._between(first, head.number), self._tail.count, headers)

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Chain`."""
        return tuple(self._blocks[number] for number in numbers)

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        """See `Chain`."""
        return tuple(burn for burn in self.all_burns if burn.tx_hash in tx_hashes)

    def confirm(self, claim: Claim, keep: Callable[[], None]) -> str:
        """See `Chain`."""
        del claim, keep
        return ""

    def agreed(self, numbers: Sequence[int]) -> tuple[BlockRef | None, ...]:
        """See `Chain`."""
        return tuple(self._blocks.get(number) for number in numbers)

    def distrust(self, reason: str) -> None:
        """See `Chain`. What was checked when it was read cannot become untrue."""
        raise Incomplete(reason)

    def _between(self, first: int, last: int) -> tuple[Burn, ...]:
        low, high = (
            bisect_left(self.all_burns, number, key=lambda burn: burn.block.number)
            for number in (first, last + 1)
        )
        return self.all_burns[low:high]


def _scan_recorded(chain: Chain, store: Store, listener: Listener) -> ScanResult:
    return scan(
        store=store,
        chain=chain,
        clock=listener.clock,
        telemetry=listener.telemetry,
        settings=listener.settings,
        owner=listener.owner,
        request_id="bench",
    )


def _pass_until_done(one_pass: Callable[[], ScanResult]) -> int:
    """How many passes it took to catch up.

    Raises:
        Incomplete: one failed, or there is no end of them.
    """
    for passes in range(1, MAX_PASSES + 1):
        result = one_pass()
        if result.error or not result.mine:
            raise Incomplete(result.error or "another listener is at work")
        if not result.backlog:
            return passes
    raise Incomplete(f"no end after {MAX_PASSES} passes")


def _final_serial(store: Store) -> int:
    cursor = store.cursor()
    return cursor.last_serial if cursor else 0


def main(arguments: Sequence[str]) -> int:
    """Measure one stage."""
    gc.set_threshold(*COLLECT_AFTER)  # as the worker does
    name, result_file = arguments
    measurement = STAGES[name](os.environ)
    expected = _plan(os.environ).burns
    if measurement.events != expected:
        raise Incomplete(f"{name}: {measurement.events} events of {expected}")
    Path(result_file).write_text(json.dumps(asdict(measurement)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
