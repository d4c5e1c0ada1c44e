"""The API as a VPS runs it: gunicorn, threads, several processes, SQLite."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from chalicelib.adapters.security import Argon2Passwords
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.ports import Insert
from tests.api.harness import ENVIRONMENT, PASSWORD
from tests.fakes import CUSTOMER, ROOM, SITE, a_catalogue, a_site, a_staff, an_order, in_status

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
GUNICORN = (sys.executable, "-m", "gunicorn", "ops.wsgi:application")


@dataclass(frozen=True)
class Running:
    """A server that answers, and where its output goes."""

    address: str
    order: Order
    log: Path
    process: subprocess.Popen[bytes]


def environment(**settings: str) -> dict[str, str]:
    """Only what is said here, and what Python needs to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **settings}


@contextmanager
def serving(database: str, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Gunicorn on a socket of ours, so that no port can be taken meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            GUNICORN,
            cwd=ROOT,
            env=environment(
                **{
                    **ENVIRONMENT,
                    "DATABASE_URL": database,
                    "BIND": f"fd://{listener.fileno()}",
                    "WEB_CONCURRENCY": "2",
                    "WEB_THREADS": "8",
                }
            ),
            pass_fds=(listener.fileno(),),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", process
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers, or has given up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            httpx.get(f"{address}/api/v1/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            continue
        else:
            return
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two processes of eight threads over one SQLite file with an order to deliver."""
    folder = tmp_path_factory.mktemp("gunicorn")
    database = f"sqlite:///{folder / 'vouchers.db'}"
    migrate(database)
    store = open_sql_store(database)
    quick = Argon2Passwords(time_cost=1, memory_kib=8, parallelism=1)
    order = in_status(OrderStatus.VALID, an_order())
    store.commit(
        [
            Insert(a_catalogue()),
            Insert(a_site()),
            Insert(a_staff(password_hash=quick.hash(PASSWORD))),
            Insert(replace(order, version=1)),
        ]
    )
    store.close()
    log = folder / "gunicorn.log"
    with serving(database, log) as (address, process):
        wait_until_ready(address, process, log)
        yield Running(address, order, log, process)


def test_a_redemption_goes_through_and_32_deliveries_at_once_make_one(server: Running) -> None:
    with httpx.Client(base_url=f"{server.address}/api/v1", timeout=30) as client:
        placed = client.post(
            "/orders",
            json={"customerAddress": CUSTOMER, "tokenId": ROOM, "amount": 1, "siteId": SITE},
            headers={"Idempotency-Key": "k" * 22},
        )
        assert placed.status_code == 201, placed.text
        order_id = placed.json()["orderId"]
        assert client.get(f"/orders/{order_id}").json()["status"] == "CREATED"
        png = client.get(f"/orders/{order_id}/qr.png")
        assert png.content.startswith(b"\x89PNG")
        login = client.post("/auth/login", json={"username": "reception1", "password": PASSWORD})
        assert login.status_code == 200, login.text
        token = {"Authorization": f"Bearer {login.json()['accessToken']}"}
        seen = client.get(f"/reception/orders/{server.order.order_id}", headers=token)
        assert seen.json()["deliverable"] is True

        def deliver(_: int) -> dict[str, object]:
            answer = client.post(f"/orders/{server.order.order_id}/deliver", headers=token)
            assert answer.status_code == 200, answer.text
            told: dict[str, object] = answer.json()
            return told

        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(deliver, range(32)))
    assert sum(not answer["alreadyDelivered"] for answer in answers) == 1
    assert len({json.dumps({**answer, "alreadyDelivered": None}) for answer in answers}) == 1
    log = server.log.read_text()
    assert '"route":"/api/v1/orders/{orderId}/deliver"' in log
    assert "ORD_" not in log
    assert PASSWORD not in log


def test_a_body_that_does_not_say_its_length_is_bounded_too(server: Running) -> None:
    answer = httpx.post(
        f"{server.address}/api/v1/orders",
        content=(b" " * 8192 for _ in range(9)),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    small = httpx.post(
        f"{server.address}/api/v1/auth/login",
        content=iter([b'{"username":"reception1",', b'"password":"x"}']),
        headers={"Content-Type": "application/json"},
    )
    assert (small.status_code, small.json()["code"]) == (401, "LOGIN_REFUSED")


def test_a_body_declared_too_large_is_refused_before_it_is_sent(server: Running) -> None:
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.putrequest("POST", "/api/v1/orders")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "BODY_TOO_LARGE")
    connection.close()


def test_answers_without_body_leave_the_connection_in_order(server: Running) -> None:
    with httpx.Client(base_url=f"{server.address}/api/v1", timeout=30) as client:
        whole = client.get("/catalog")
        same = client.get("/catalog", headers={"If-None-Match": whole.headers["etag"]})
        assert same.status_code == 304
        assert "content-length" not in same.headers
        assert "transfer-encoding" not in same.headers
        head = client.head("/catalog")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
        assert client.get("/health").json() == {"status": "ok"}


def test_it_stops_when_told(tmp_path: Path) -> None:
    database, log = f"sqlite:///{tmp_path / 'vouchers.db'}", tmp_path / "log"
    migrate(database)
    with serving(database, log) as (address, process):
        wait_until_ready(address, process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


# ------------------------------------------------------------------------------- settings


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A program that is expected to end by itself."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_server_with_wrong_settings_names_them_all_and_stops_with_2() -> None:
    wrong = {
        "STORE": "cloud",
        "CHAIN_ID": "-1",
        "CONTRACT_ADDRESS": "0x12",
        "DATA_KEYS": "k1:c2VjcmV0",
        "ORDER_TTL_SECONDS": "soon",
    }
    done = run(*GUNICORN, **wrong)
    assert done.returncode == 2, done.stderr
    for name in (*wrong, "PORTAL_ORIGIN"):
        assert f"setting {name}: " in done.stderr
    assert "c2VjcmV0" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_without_its_schema_says_what_to_run_and_stops_with_2(tmp_path: Path) -> None:
    unmigrated = f"sqlite:///{tmp_path / 'vouchers.db'}"
    done = run(*GUNICORN, **{**ENVIRONMENT, "DATABASE_URL": unmigrated})
    assert done.returncode == 2, done.stderr
    assert "vouchers store migrate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("import_it", ["import app", "from ops.wsgi import application"])
def test_lambda_and_other_servers_fail_at_start_too(import_it: str) -> None:
    done = run(sys.executable, "-c", import_it, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1")
    assert done.returncode == 2, done.stderr
    for name in ("STORE", "CHAIN_ID", "CONTRACT_ADDRESS", "DATA_KEYS", "PORTAL_ORIGIN"):
        assert f"setting {name}: is required" in done.stderr


def test_packaging_needs_no_settings() -> None:
    done = run(sys.executable, "-c", "import app, ops.wsgi; print(len(app.app.routes))")
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 15


def test_the_api_on_dynamodb_never_imports_sqlalchemy() -> None:
    settings = {**ENVIRONMENT, "STORE": "dynamodb", "DYNAMODB_TABLE": "vouchers"}
    done = run(
        sys.executable,
        "-c",
        "import sys; from chalicelib.bootstrap import services_from_environment as make; make();"
        "print(sorted({'sqlalchemy', 'web3', 'boto3', 'eth_account'} & set(sys.modules)))",
        **settings,
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
