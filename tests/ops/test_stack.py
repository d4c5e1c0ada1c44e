"""The stack runner as people use it: a process of its own, driven by signals and HTTP."""

import base64
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ops.test_supervisor import alive, gone

ROOT = Path(__file__).parents[2]
DIST = ROOT / "frontends/dist"
START_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Runner:
    """A running `python -m ops.stack …`, its state directory and what it prints."""

    process: subprocess.Popen[bytes]
    state_dir: Path
    output: Path

    @property
    def printed(self) -> str:
        return self.output.read_text("utf-8")

    def state(self) -> dict[str, Any]:
        """stack.json, once it is there."""
        path = self.state_dir / "stack.json"
        self.wait_for(path.exists)
        state: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return state

    def wait_for(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not happened():
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def start(tmp_path: Path, *args: str, env: dict[str, str] | None = None) -> Runner:
    output = tmp_path / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops.stack", *args, "--state-dir", str(tmp_path)],
            cwd=ROOT,
            env={**clean_environment(), **(env or {})},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return Runner(process, tmp_path, output)


def clean_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG")
    return {name: os.environ[name] for name in kept if name in os.environ}


def children(pid: int) -> set[int]:
    """Process ids of a process's living children."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


@pytest.fixture(scope="module", autouse=True)
def built_sites() -> None:
    """The static sites with the demo wallet, built once where they are not there yet."""
    (ROOT / ".local").mkdir(exist_ok=True)
    with (ROOT / ".local/frontends.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (DIST / "portal/demo-wallet.js").exists():
            subprocess.run(["node", "frontends/build.mjs", "--demo"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A demo that runs for all tests of this module; ended by Ctrl-C, which has to end it all."""
    runner = start(tmp_path_factory.mktemp("demo"), "demo")
    try:
        pids = runner.state()["pids"]
        yield runner
        assert runner.stop() == 0
        assert all(gone(pid) for pid in pids.values()), pids
        assert not (runner.state_dir / "stack.json").exists()
    finally:
        runner.process.kill()
        runner.process.wait()


@pytest.mark.parametrize("store", ["sql", "dynamodb"])
def test_once_drives_one_redemption_and_leaves_nothing_running(tmp_path: Path, store: str) -> None:
    runner = start(tmp_path, "demo", "--once", env={"STORE": store})
    pids = runner.state()["pids"]
    assert runner.process.wait(START_SECONDS) == 0, runner.printed
    steps = (
        "minted",
        "CREATED",
        "burned",
        "VALID",
        "deliverable",
        "DELIVERED",
        "already delivered",
    )
    places = [runner.printed.index(step) for step in steps]
    assert places == sorted(places)
    assert {"anvil", "api", "listener", "portal", "reception"} <= set(pids)
    assert ("dynoxide" in pids) == (store == "dynamodb")
    assert all(gone(pid) for pid in pids.values())
    assert not (tmp_path / "stack.json").exists()


def test_stack_json_says_all_that_is_needed_to_use_the_stack(demo: Runner) -> None:
    state = demo.state()
    assert set(state) == {
        "apiUrl",
        "portalUrl",
        "receptionUrl",
        "rpcUrl",
        "chainId",
        "contractAddress",
        "deployBlock",
        "wallets",
        "staff",
        "pids",
        "store",
        "dist",
    }
    assert [one["role"] for one in state["wallets"]] == ["admin", "minter", "customer", "customer"]
    assert all(set(one) == {"role", "address", "privateKey"} for one in state["wallets"])
    assert [(one["role"], one["sites"]) for one in state["staff"]] == [
        ("ADMIN", []),
        ("RECEPTION", ["HCM_ROX_T09"]),
        ("RECEPTION", ["HCM_IMC_T04"]),
    ]
    assert all(alive(pid) for pid in state["pids"].values())
    assert stat.S_IMODE((demo.state_dir / "stack.json").stat().st_mode) == 0o600


def test_urls_and_logins_are_printed_and_work(demo: Runner) -> None:
    state = demo.state()
    demo.wait_for(lambda: "Ctrl-C stops everything." in demo.printed)
    with httpx.Client(trust_env=False) as http:
        for url in (state["apiUrl"] + "/health/ready", state["portalUrl"], state["receptionUrl"]):
            assert http.get(url).status_code == 200, url
        for one in state["staff"]:
            assert one["password"] in demo.printed
            body = {"username": one["username"], "password": one["password"]}
            answer = http.post(state["apiUrl"] + "/auth/login", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["staff"]["mustChangePassword"] is False


def test_the_sites_know_the_api_and_the_demo_wallet(demo: Runner) -> None:
    state = demo.state()
    with httpx.Client(trust_env=False) as http:
        portal = http.get(state["portalUrl"] + "/config.json").json()
        reception = http.get(state["receptionUrl"] + "/config.json").json()
        cross_origin = http.get(state["apiUrl"] + "/config", headers={"Origin": state["portalUrl"]})
    customers = [one["privateKey"] for one in state["wallets"] if one["role"] == "customer"]
    assert portal["apiUrl"] == state["apiUrl"]
    assert portal["demoWallet"]["rpcUrl"] == state["rpcUrl"]
    assert [one["privateKey"] for one in portal["demoWallet"]["accounts"]] == customers
    assert reception == {"apiUrl": state["apiUrl"]}
    assert cross_origin.headers["access-control-allow-origin"] == state["portalUrl"]


def test_a_redemption_can_be_driven_through_a_running_stack(demo: Runner) -> None:
    demo.state()
    driven = subprocess.run(
        [sys.executable, "-m", "ops.redeem_once", str(demo.state_dir / "stack.json")],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert driven.returncode == 0, driven.stdout + driven.stderr
    assert "DELIVERED" in driven.stdout


def test_the_doctor_finds_a_running_stack_well(demo: Runner) -> None:
    examined = vouchers(settings_of(demo), "doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    assert all(one["ok"] for one in json.loads(examined.stdout))


def test_one_stack_at_a_time_in_a_directory(demo: Runner) -> None:
    demo.state()
    second = subprocess.run(
        [sys.executable, "-m", "ops.stack", "demo", "--state-dir", str(demo.state_dir)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "A stack is running" in second.stderr
    assert demo.state()["pids"]


def test_run_serves_the_chain_and_store_of_the_settings(demo: Runner, tmp_path: Path) -> None:
    settings = settings_of(demo) | {"DATABASE_URL": f"sqlite:///{tmp_path}/vouchers.db"}
    assert vouchers(settings, "store", "migrate").returncode == 0
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    runner = start(tmp_path, "run", "--env-file", str(env_file))
    try:
        state = runner.state()
        assert set(state["pids"]) == {"api", "listener", "portal", "reception"}
        assert state["contractAddress"] == demo.state()["contractAddress"]
        assert (state["wallets"], state["staff"]) == ([], [])
        with httpx.Client(trust_env=False) as http:
            config = http.get(state["apiUrl"] + "/config").json()
            assert config["contractAddress"] == state["contractAddress"]
            assert http.get(state["portalUrl"] + "/config.json").json() == {
                "apiUrl": state["apiUrl"]
            }
        assert runner.stop(signal.SIGTERM) == 0
        assert all(gone(pid) for pid in state["pids"].values())
    finally:
        runner.process.kill()
        runner.process.wait()


def test_run_tells_every_wrong_setting_at_once(tmp_path: Path) -> None:
    runner = start(tmp_path, "run", "--env-file", "/dev/null")
    assert runner.process.wait(START_SECONDS) == 2
    for name in ("STORE", "CHAIN_ID", "CONTRACT_ADDRESS", "DATA_KEYS", "RPC_URLS", "DEPLOY_BLOCK"):
        assert f"{name}: is required" in runner.printed


def test_run_on_a_store_without_schema_says_what_to_do(demo: Runner, tmp_path: Path) -> None:
    settings = settings_of(demo) | {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    runner = start(tmp_path, "run", env=settings)
    assert runner.process.wait(START_SECONDS) == 1
    assert "vouchers store migrate" in runner.printed


def test_a_port_asked_for_by_name_is_taken_or_nothing(demo: Runner, tmp_path: Path) -> None:
    taken = demo.state()["apiUrl"].split(":")[2].split("/")[0]
    runner = start(tmp_path, "demo", env={"API_PORT": taken})
    assert runner.process.wait(START_SECONDS) == 1
    assert f"API_PORT: port {taken} on 127.0.0.1 is taken by another program." in runner.printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_during_start_up_stops_what_was_started(tmp_path: Path, number: int) -> None:
    runner = start(tmp_path, "demo")
    runner.wait_for(lambda: children(runner.process.pid))
    started = children(runner.process.pid)
    assert runner.stop(number) == 130
    assert all(gone(pid) for pid in started)
    assert not (tmp_path / "stack.json").exists()


def test_a_program_that_dies_ends_the_stack_and_is_named(tmp_path: Path) -> None:
    runner = start(tmp_path, "demo")
    pids = runner.state()["pids"]
    os.kill(pids["listener"], signal.SIGKILL)
    assert runner.process.wait(STOP_SECONDS) == 1
    assert "listener ended by signal SIGKILL." in runner.printed
    assert "listener.log" in runner.printed
    assert all(gone(pid) for pid in pids.values())


def test_a_killed_runner_leaves_nothing_behind(tmp_path: Path) -> None:
    runner = start(tmp_path, "demo")
    pids = runner.state()["pids"]
    runner.stop(signal.SIGKILL)
    assert all(gone(pid, seconds=15) for pid in pids.values())


def settings_of(demo: Runner) -> dict[str, str]:
    """The settings of the running demo, as an operator would write them down."""
    state = demo.state()
    return {
        "STORE": "sql",
        "DATABASE_URL": f"sqlite:///{demo.state_dir}/demo/vouchers.db",
        "CHAIN_ID": str(state["chainId"]),
        "CONTRACT_ADDRESS": state["contractAddress"],
        "DEPLOY_BLOCK": str(state["deployBlock"]),
        "RPC_URLS": state["rpcUrl"],
        "DATA_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
        "PORTAL_ORIGIN": state["portalUrl"],
    }


def vouchers(settings: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", *args],
        cwd=ROOT,
        env=clean_environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )
