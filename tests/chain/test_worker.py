"""The worker as a process of its own: catches up, follows, stops, refuses."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import OrderStatus
from chalicelib.ports import Delete
from listener_fn.supervisor import STOP_SECONDS
from ops import anvil
from tests.chain.test_listener import ALICE, Stack, stack_on

COMMAND = [sys.executable, "-m", "listener_fn.worker"]
SECONDS = 30.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    with anvil.start() as running:
        yield stack_on(running.rpc_url, open_sql_store(url))


@pytest.fixture
def environ(stack: Stack, tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    return stack.environ(STORE="sql", DATABASE_URL=url, POLL_SECONDS="0.1")


def run_once(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--once"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_once_catches_up_and_ends(stack: Stack, environ: dict[str, str]) -> None:
    order = stack.order()
    stack.redeem(order)
    stack.chain.mine(2)
    done = run_once(environ)
    assert done.returncode == 0, done.stderr
    assert stack.status(order) is OrderStatus.VALID
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(line.get("orderHash") == order.order_hash for line in lines)
    assert order.order_id not in done.stdout + done.stderr


def test_worker_follows_the_chain_until_it_is_told_to_stop(
    stack: Stack, environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(environ, log) as process:
        order = stack.order()
        stack.redeem(order)
        _wait(lambda: stack.status(order) is OrderStatus.PENDING_CHAIN)
        stack.chain.mine(2)
        _wait(lambda: stack.status(order) is OrderStatus.VALID)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    cursor = stack.store.cursor()
    assert cursor is not None
    assert cursor.lease_owner == ""
    assert "listener_stopped" in log.read_text()


class Tarpit:
    """An endpoint that passes on what it is asked until it `sticks`, then never answers."""

    def __init__(self, upstream: str) -> None:
        self.sticks = threading.Event()
        self.stuck = threading.Event()
        self.over = threading.Event()
        tarpit = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                if tarpit.sticks.is_set():
                    tarpit.stuck.set()
                    tarpit.over.wait()
                    return
                answer = httpx.post(
                    upstream,
                    content=asked,
                    headers={"Content-Type": "application/json"},
                    verify=False,
                ).content
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Tests have enough to print."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def tarpit(environ: dict[str, str]) -> Iterator[Tarpit]:
    with Tarpit(environ["RPC_URLS"]) as made:
        yield made


@contextmanager
def running(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that writes to `log`."""
    with log.open("w") as output, subprocess.Popen(COMMAND, env=environ, stdout=output) as process:
        try:
            yield process
        finally:
            process.kill()


def told(log: Path, name: str) -> list[dict[str, Any]]:
    """The events of that name."""
    whole = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in map(json.loads, whole) if line.get("message") == name]


def test_worker_serves_metrics_and_health_and_keeps_metrics_out_of_its_log(
    stack: Stack, environ: dict[str, str], tarpit: Tarpit, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    limits = {"METRICS_PORT": "0", "READY_MAX_LAG_SECONDS": "1", "RPC_URLS": tarpit.url}
    with running({**environ, **limits}, log) as process:
        _wait(lambda: bool(told(log, "metrics_served")))
        (served,) = told(log, "metrics_served")
        address = f"http://{served['host']}:{served['port']}"
        head = stack.chain.web3.eth.block_number
        _wait(lambda: f"vouchers_head_block {float(head)}" in _get(f"{address}/metrics").text)
        assert _get(f"{address}/healthz").json()["status"] == "ok"
        tarpit.sticks.set()
        _wait(lambda: _get(f"{address}/healthz").status_code == 503)
        assert "no pass has succeeded for" in _get(f"{address}/healthz").json()["reason"]
        tarpit.over.set()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    assert "_aws" not in log.read_text()


def test_metrics_port_that_is_taken_is_refused(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_once({**environ, "METRICS_PORT": str(port)})
    assert done.returncode == 2
    assert f"METRICS_PORT: cannot listen on 127.0.0.1:{port}" in done.stderr


def test_worker_that_is_stuck_twice_in_a_row_ends_to_be_started_again(
    environ: dict[str, str], tarpit: Tarpit, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    patience = {"RPC_TIMEOUT_SECONDS": "120", "LEASE_SECONDS": "121"}
    limits = {"RPC_URLS": tarpit.url, "WATCHDOG_SECONDS": "1", **patience}
    with running({**environ, **limits}, log) as process:
        _wait(lambda: bool(told(log, "listener_started")))
        tarpit.sticks.set()
        assert process.wait(SECONDS) == 4
    first, second = told(log, "scan_stuck")
    assert "listener_fn/chain.py" in first["stack"]
    assert second["seconds"] == 1.0
    assert len(told(log, "watchdog_restart")) == 1


@pytest.mark.slow
def test_worker_told_to_stop_in_a_pass_that_does_not_end_stops_all_the_same(
    environ: dict[str, str], tarpit: Tarpit, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    patience = {"RPC_TIMEOUT_SECONDS": "120", "LEASE_SECONDS": "121"}
    with running({**environ, "RPC_URLS": tarpit.url, **patience}, log) as process:
        _wait(lambda: bool(told(log, "listener_started")))
        tarpit.sticks.set()
        assert tarpit.stuck.wait(SECONDS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS + SECONDS) == 0
    assert len(told(log, "pass_abandoned")) == 1


def test_wrong_settings_are_all_named(environ: dict[str, str]) -> None:
    del environ["RPC_URLS"], environ["DATABASE_URL"]
    done = run_once({**environ, "CHAIN_ID": "none"})
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "CHAIN_ID",
        "RPC_URLS",
        "DATABASE_URL",
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"CHAIN_ID": "56"}, "serves chain 31337, CHAIN_ID is 56"),
        ({"CONTRACT_ADDRESS": "0x" + "11" * 20}, "CONTRACT_ADDRESS: 127.0.0.1 knows no contract"),
        ({"DEPLOY_BLOCK": "0"}, "DEPLOY_BLOCK: the contract is not there yet in block 0"),
        ({"DEPLOY_BLOCK": "2"}, "DEPLOY_BLOCK: the contract is there before block 2"),
        ({"DEPLOY_BLOCK": "9999"}, "DEPLOY_BLOCK: 9999 is past the newest block"),
        ({"RPC_QUORUM": "2"}, "RPC_QUORUM: must be at most 1, the number of RPC_URLS"),
    ],
    ids=["chain", "contract", "too-early", "too-late", "future", "quorum"],
)
def test_what_does_not_fit_the_chain_is_refused(
    environ: dict[str, str], wrong: dict[str, str], message: str
) -> None:
    done = run_once({**environ, **wrong})
    assert done.returncode == 2
    assert message in done.stderr


def test_store_filled_from_another_contract_is_refused(
    stack: Stack, environ: dict[str, str]
) -> None:
    assert run_once(environ).returncode == 0
    other = stack.chain.deploy(anvil.KEYS[0], minter=ALICE)
    chosen = {"CONTRACT_ADDRESS": other.address, "DEPLOY_BLOCK": str(other.block)}
    done = run_once({**environ, **chosen})
    assert done.returncode == 2
    assert "use another store" in done.stderr


def test_store_without_schema_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    done = run_once({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"})
    assert done.returncode == 1
    assert "store cannot be used" in done.stderr


def test_provider_that_is_down_fails_a_single_run(environ: dict[str, str]) -> None:
    with anvil.start() as gone:
        url = gone.rpc_url
    done = run_once({**environ, "RPC_URLS": url})
    assert done.returncode == 1
    assert "preflight_warning" in done.stdout


def test_worker_reconciles_ledger_and_contract(
    stack: Stack, environ: dict[str, str], tmp_path: Path
) -> None:
    stack.redeem(stack.order())
    stack.redeem(stack.order())
    stack.chain.mine(3)
    log = tmp_path / "log"
    with running(environ, log) as process:
        _wait(lambda: bool(told(log, "reconciliation_equal")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    (equal,) = told(log, "reconciliation_equal")
    assert (equal["redemptions"], equal["provider"]) == (2, "127.0.0.1")
    (second,) = stack.store.redemptions(2, 2)
    stack.store.commit([Delete(second)])
    with running(environ, log):
        _wait(lambda: bool(told(log, "reconciliation_difference")))
    (difference,) = told(log, "reconciliation_difference")
    assert (difference["level"], difference["missing"]) == ("ERROR", "2")
    assert (difference["contract"], difference["ledger"], difference["difference"]) == (2, 1, -1)


INVOCATIONS = """
import json
from listener_fn.handler import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

for event in ({}, {"action": "reconcile"}):
    print(json.dumps({"answer": handler(event, Context())}))
"""


def test_the_function_reconciles_when_its_own_schedule_says_so(
    stack: Stack, environ: dict[str, str]
) -> None:
    stack.redeem(stack.order())
    stack.chain.mine(3)
    done = subprocess.run(
        [sys.executable, "-c", INVOCATIONS],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    scanned, reconciled = (line["answer"] for line in lines if "answer" in line)
    assert scanned["burns"] == 1
    assert reconciled == {"reconciliation": "EQUAL"}
    (metric,) = [line for line in lines if "ReconciliationDifference" in line]
    assert metric["ReconciliationDifference"] in (0, [0.0])


def test_help_tells_the_settings() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "RPC_URLS" in done.stdout


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=SECONDS, verify=False)


def _wait(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < deadline, "not met in time"
        time.sleep(0.05)
