"""A local EVM chain for the demo and the tests: anvil, from npm, pinned by the lock file."""

import http.client
import json
import platform
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BINARY = Path(__file__).parents[1] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
HOST = "127.0.0.1"
CHAIN_ID = 31337
START_ATTEMPTS = 3
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05

KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
)
"""The first well-known development keys: anvil gives each 10,000 coins. Use them nowhere else."""


class AnvilFailed(Exception):
    """anvil is not installed, or does not come up."""


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running chain: where it answers, and its process id."""

    rpc_url: str
    pid: int


@contextmanager
def start(
    port: int = 0,
    *,
    block_time: float | None = None,
    chain_id: int = CHAIN_ID,
    kept_states: int | None = None,
    finalized_lag: int = 2,
    more: Sequence[str] = (),
) -> Iterator[Anvil]:
    """Run a chain on 127.0.0.1, from when it answers until the context is left.

    Port 0 finds a free one. A block comes every `block_time` seconds; without, with every
    transaction. The `finalized` block trails the head by `finalized_lag`, an even number. Of blocks
    older than the newest `kept_states` the state is forgotten, as full nodes do; without, it is all
    kept. `more` are further arguments of anvil's own.

    Raises:
        AnvilFailed: saying why, and what to do.
    """
    process, rpc_url = _start(port, block_time, chain_id, kept_states, finalized_lag, more)
    try:
        yield Anvil(rpc_url, process.pid)
    finally:
        _stop(process)


def _start(
    port: int,
    block_time: float | None,
    chain_id: int,
    kept_states: int | None,
    finalized_lag: int,
    more: Sequence[str],
) -> tuple[subprocess.Popen[bytes], str]:
    # A port found free may be taken before anvil binds it: then it exits, and we look again.
    for _ in range(1 if port else START_ATTEMPTS):
        chosen = port or _free_port()
        process = subprocess.Popen(
            [*command(chosen, block_time, chain_id, kept_states, finalized_lag), *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if _comes_up(process, chosen):
            return process, f"http://{HOST}:{chosen}"
        _stop(process)
    raise AnvilFailed(f"anvil does not come up on port {port or '(any free one)'}")


def command(
    port: int,
    block_time: float | None = None,
    chain_id: int = CHAIN_ID,
    kept_states: int | None = None,
    finalized_lag: int = 2,
) -> list[str]:
    """How to start a chain on 127.0.0.1, for those who look after the process themselves.

    Raises:
        AnvilFailed: anvil is not installed.
    """
    if not BINARY.exists():
        raise AnvilFailed(
            f"{BINARY} is missing: run `make setup` (it exists for Linux on x86-64 only, "
            f"this is {platform.system()} on {platform.machine()})"
        )
    serve = [
        *(str(BINARY), "--host", HOST, "--port", str(port), "--chain-id", str(chain_id)),
        *("--slots-in-an-epoch", str(finalized_lag // 2), "--silent"),
    ]
    if block_time is not None:
        serve += ["--block-time", str(block_time)]
    if kept_states is not None:
        serve += ["--prune-history", str(kept_states)]
    return serve


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _comes_up(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        answering = answers(port)
        # Whoever took the port from us may answer too: only a living process counts.
        if process.poll() is not None:
            return False
        if answering:
            return True
        time.sleep(POLL_SECONDS)
    return False


def answers(port: int) -> bool:
    """Whether a chain answers on that port."""
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
    try:
        connection.request("POST", "/", request, {"Content-Type": "application/json"})
        return b"result" in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
