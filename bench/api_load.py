"""Requests/s and latencies of order creation, reception view and delivery.

Starts the API as a VPS runs it (gunicorn, threads) on SQLite and on the local DynamoDB engine,
loads it over loopback and prints a table. Client and server share this machine's processors, so the
figures compare stores, client counts and changes; they promise no capacity. `GET /health` in the
same run is the floor: what server, adapter and framework cost without a store.
"""

import argparse
import base64
import contextlib
import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chalicelib.adapters.dynamo import create_table, open_dynamo_store
from chalicelib.adapters.security import Argon2Passwords, SystemEntropy
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.catalogue import Group, Site, VoucherType
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Order,
    confirm_burn,
    make_order_id,
    new_order,
)
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.domain.staff import Role
from chalicelib.ports import Insert, Store, Update
from chalicelib.usecases.manage import add_site, add_staff, load_catalogue
from ops import dynoxide
from ops.dynoxide import use_local_credentials

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SITE = "BENCH_SITE"
TOKEN_ID = 1001
CLIENT_COUNTS = (1, 8, 32)
OPERATOR = Actor(ActorKind.ADMIN, "bench")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to send."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str = ""
    expected: int = 200


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one load came to; latencies in milliseconds."""

    requests_per_second: float
    p50: float
    p95: float
    p99: float


def measure(port: int, clients: int, requests: Sequence[Request]) -> Measurement:
    """Send `requests` over `clients` kept-alive connections, each waiting for its answer."""
    latencies: list[float] = []
    failures: list[str] = []
    shares = [requests[start::clients] for start in range(clients)]
    gate = threading.Barrier(clients + 1)

    def run(share: Sequence[Request]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        gate.wait()
        for request in share:
            began = time.perf_counter()
            connection.request(
                request.method, request.path, request.body or None, dict(request.headers)
            )
            answer = connection.getresponse()
            body = answer.read()
            latencies.append((time.perf_counter() - began) * 1000)
            if answer.status != request.expected:
                failures.append(f"{request.method} {answer.status} {body[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=run, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    if failures:
        raise SystemExit(f"{len(failures)} requests failed, the first: {failures[0]}")
    centiles = statistics.quantiles(latencies, n=100, method="inclusive")
    return Measurement(len(requests) / elapsed, centiles[49], centiles[94], centiles[98])


# --------------------------------------------------------------------------------------- the data


def random_address() -> str:
    """An address nobody holds; all lower case is a valid spelling (EIP-55)."""
    return "0x" + secrets.token_hex(20)


def seed(store: Store) -> str:
    """A site, a voucher type and a receptionist; her password."""
    entropy, now = SystemEntropy(), int(time.time())
    common: dict[str, Any] = {
        "store": store,
        "entropy": entropy,
        "actor": OPERATOR,
        "now": now,
        "request_id": "bench",
    }
    add_site(Site(SITE, {"vi": "Thử", "en": "Bench"}), **common)
    kind = VoucherType(
        token_id=TOKEN_ID,
        name={"vi": "Phòng họp", "en": "Meeting room"},
        unit={"vi": "giờ", "en": "hour"},
        description={"vi": "", "en": ""},
        group=Group.A,
    )
    load_catalogue((kind,), **common)
    passwords = Argon2Passwords()
    issued = add_staff(
        "bench",
        display_name="Bench",
        role=Role.RECEPTION,
        sites=(SITE,),
        passwords=passwords,
        **common,
    )
    settled = replace(issued.staff, must_change_password=False, version=issued.staff.version + 1)
    store.commit([Update(settled)])
    return issued.one_time_password


def valid_orders(store: Store, count: int) -> list[Order]:
    """Orders whose burn is final, as the listener leaves them."""
    now = int(time.time())
    listener = Actor(ActorKind.LISTENER, "bench")
    orders = []
    for serial in range(1, count + 1):
        order = new_order(
            order_id=make_order_id(created_at=now, entropy=secrets.token_bytes(10)),
            customer=random_address(),
            token_id=TOKEN_ID,
            amount=1,
            site_id=SITE,
            created_at=now,
            expires_at=now + 1800,
            request_id="bench",
        )
        burn = Burn(
            serial=serial,
            user=order.customer,
            token_id=TOKEN_ID,
            amount=1,
            order_hash=order.order_hash,
            tx_hash="0x" + secrets.token_hex(32),
            log_index=0,
            block=BlockRef(serial, "0x" + secrets.token_hex(32), now),
        )
        confirmed = confirm_burn(order, burn, actor=listener, at=now, request_id="bench")
        store.commit([Insert(replace(confirmed, version=1))])
        orders.append(confirmed)
    return orders


# ------------------------------------------------------------------------------------- the server


@dataclass(frozen=True, slots=True)
class Engine:
    """A store to measure: its settings, and the store itself for seeding."""

    name: str
    environment: Mapping[str, str]
    store: Store


@contextlib.contextmanager
def sqlite_engine() -> Iterator[Engine]:
    """SQLite in a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        migrate(url)
        yield Engine("SQLite", {"STORE": "sql", "DATABASE_URL": url}, open_sql_store(url))


@contextlib.contextmanager
def dynamo_engine() -> Iterator[Engine]:
    """The local DynamoDB engine, in memory."""
    use_local_credentials()
    with dynoxide.start() as running:
        place = {"table": "bench", "region": "us-east-1", "endpoint": running.endpoint}
        create_table(**place)
        environment = {
            "STORE": "dynamodb",
            "DYNAMODB_TABLE": place["table"],
            "AWS_REGION": place["region"],
            "DYNAMODB_ENDPOINT": place["endpoint"],
        }
        yield Engine("DynamoDB engine", environment, open_dynamo_store(**place))


@contextlib.contextmanager
def running_api(engine: Engine, *, threads: int) -> Iterator[int]:
    """The API under gunicorn on a free port; limits lifted, since one client is all there is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        **engine.environment,
        "CHAIN_ID": "31337",
        "CONTRACT_ADDRESS": CONTRACT,
        "DATA_KEYS": "bench:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_ORIGIN": "http://127.0.0.1",
        "ORDERS_PER_MINUTE_WALLET": "1000000",
        "ORDERS_PER_MINUTE_IP": "1000000",
        "LOG_LEVEL": "WARNING",
    }
    command = [
        *(sys.executable, "-m", "gunicorn", "ops.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--threads", str(threads), "--keep-alive", "60", "--log-level", "warning"),
    ]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_up(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_up(port: int, server: subprocess.Popen[bytes], *, within: float = 30) -> None:
    """Return once the API answers.

    Raises:
        SystemExit: it stopped, or does not answer in time.
    """
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/api/v1/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    raise SystemExit("the API did not come up")


# -------------------------------------------------------------------------------------- the loads


def log_in(port: int, password: str) -> str:
    """The receptionist's access token."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"username": "bench", "password": password})
    connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"sign-in answered {answer.status}")
    return str(json.loads(answer.read())["accessToken"])


def health_requests(count: int) -> list[Request]:
    """The floor."""
    return [Request("GET", "/api/v1/health", {})] * count


def create_requests(count: int) -> list[Request]:
    """Orders, each of another wallet with a key of its own."""
    return [
        Request(
            "POST",
            "/api/v1/orders",
            {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(18)},
            json.dumps(
                {
                    "customerAddress": random_address(),
                    "tokenId": TOKEN_ID,
                    "amount": 1,
                    "siteId": SITE,
                }
            ),
            expected=201,
        )
        for _ in range(count)
    ]


def view_requests(orders: Sequence[Order], token: str) -> list[Request]:
    """A scan of each order."""
    headers = {"Authorization": f"Bearer {token}", "X-Input-Method": "camera"}
    return [Request("GET", f"/api/v1/reception/orders/{o.order_id}", headers) for o in orders]


def deliver_requests(orders: Sequence[Order], token: str) -> list[Request]:
    """A delivery of each order."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return [Request("POST", f"/api/v1/orders/{o.order_id}/deliver", headers, "{}") for o in orders]


def run(engine: Engine, *, count: int, threads: int) -> None:
    """Measure one store and print its rows."""
    password = seed(engine.store)
    orders = valid_orders(engine.store, count * len(CLIENT_COUNTS))
    with running_api(engine, threads=threads) as port:
        token = log_in(port, password)
        measure(port, 1, health_requests(20) + create_requests(20))
        for index, clients in enumerate(CLIENT_COUNTS):
            share = orders[index * count : (index + 1) * count]
            loads = {
                "health (floor)": health_requests(count),
                "order creation": create_requests(count),
                "reception view": view_requests(share, token),
                "delivery": deliver_requests(share, token),
            }
            for name, requests in loads.items():
                result = measure(port, clients, requests)
                print(
                    f"| {engine.name} | {name} | {clients} | {result.requests_per_second:.0f} "
                    f"| {result.p50:.1f} | {result.p95:.1f} | {result.p99:.1f} |",
                    flush=True,
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both stores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=600, help="requests for each row")
    parser.add_argument("--threads", type=int, default=16, help="threads of the API's process")
    options = parser.parse_args(arguments)
    print("| store | request | clients | requests/s | p50 ms | p95 ms | p99 ms |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for engine in (sqlite_engine, dynamo_engine):
        with engine() as opened:
            run(opened, count=options.count, threads=options.threads)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
