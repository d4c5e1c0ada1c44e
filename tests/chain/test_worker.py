"""The worker as a process of its own: catches up, follows, stops, refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import OrderStatus
from ops import anvil
from tests.chain.test_listener import ALICE, Stack, deploy, listener_of

COMMAND = [sys.executable, "-m", "listener_fn.worker"]
SECONDS = 30.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    url = f"sqlite:///{tmp_path / 'vouchers.db'}"
    migrate(url)
    with anvil.start() as running:
        chain, deployed = deploy(running.rpc_url)
        store = open_sql_store(url)
        yield Stack(chain, deployed, store, listener_of(store, [running.rpc_url], deployed))


@pytest.fixture
def environ(stack: Stack, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "STORE": "sql",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'vouchers.db'}",
        "CHAIN_ID": str(anvil.CHAIN_ID),
        "CONTRACT_ADDRESS": stack.deployed.address,
        "DEPLOY_BLOCK": str(stack.deployed.block),
        "RPC_URLS": stack.chain.web3.provider.endpoint_uri,  # type: ignore[attr-defined]
        "POLL_SECONDS": "0.1",
    }


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
    with log.open("w") as output, subprocess.Popen(COMMAND, env=environ, stdout=output) as process:
        try:
            order = stack.order()
            stack.redeem(order)
            _wait(lambda: stack.status(order) is OrderStatus.PENDING_CHAIN)
            stack.chain.mine(2)
            _wait(lambda: stack.status(order) is OrderStatus.VALID)
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
    cursor = stack.store.cursor()
    assert cursor is not None
    assert cursor.lease_owner == ""
    assert "listener_stopped" in log.read_text()


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
        ({"CONTRACT_ADDRESS": "0x" + "11" * 20}, "knows no contract at CONTRACT_ADDRESS"),
    ],
)
def test_wrong_chain_or_contract_is_refused(
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
    done = run_once({**environ, "CONTRACT_ADDRESS": other.address})
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
    assert "provider_unavailable" in done.stdout


def test_help_tells_the_settings() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "RPC_URLS" in done.stdout


def _wait(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < deadline, "not met in time"
        time.sleep(0.05)
