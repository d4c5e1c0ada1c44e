"""The listener's runbooks, exercised: each incident is caused for real, and what the runbook says
to look at, to run and to expect is looked at, run and compared.

A real worker process, a real API process, a chain with proxies before it, and an SQLite file.
"""

import base64
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from eth_account import Account

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.ports import Insert
from listener_fn.worker import EXIT_FORK
from ops import anvil
from tests.chain.books import Deed, hand_over, redeem
from tests.chain.fault_proxy import always, anything, edit, logs, proxy_to, status
from tests.chain.test_listener import (
    BOB,
    BOB_KEY,
    COLOUR_PRINT,
    MEETING_ROOM,
    Stack,
    deploy,
    stack_on,
)
from tests.chain.test_worker import running, told
from tests.fakes import a_site, a_voucher_type, an_admin
from tests.ops.runbook import RUNBOOKS, Exercise, exercised

SECONDS = 60.0
PATIENCE = 45.0
LAG_SECONDS = 6
KEPT_STATES = 128
"""anvil loses its way in a fork once it has put older states on disk."""

ROOT = Path(__file__).parents[2]
SQL = re.DOTALL | re.MULTILINE
S = OrderStatus


@dataclass
class Site:
    """A system as it runs at a customer's: settings, a worker at a time, its log, the API."""

    stack: Stack
    environ: dict[str, str]
    folder: Path
    api: str

    @property
    def database(self) -> Path:
        return self.folder / "vouchers.db"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker with the settings of now, and a log of its own, from when it serves metrics."""
        with running(self.environ, self.log) as process:
            wait_for(lambda: bool(told(self.log, "listener_started")), "start of the worker")
            yield process

    @property
    def worker_url(self) -> str:
        (served,) = told(self.log, "metrics_served")
        return f"http://{served['host']}:{served['port']}"

    def ready(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.api}/health/ready", timeout=SECONDS, verify=False)
        found: dict[str, Any] = answer.json()
        assert (answer.status_code == 200) == found["ready"]
        return found

    def names(self, **more: str) -> dict[str, str]:
        return {"API": self.api, "WORKER": self.worker_url, **more}

    def status(self, order: Order) -> OrderStatus:
        return self.stack.status(order)

    @contextmanager
    def runbook(self, name: str, names: dict[str, str]) -> Iterator[Exercise]:
        """The runbook; `names` may change between its sections."""
        with exercised(
            name,
            environ=self.environ,
            names=names,
            folder=self.folder,
            log=self.log,
            patience=PATIENCE,
        ) as exercise:
            yield exercise


def wait_for(met: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.05)


@contextmanager
def api_of(environ: dict[str, str], log: Path) -> Iterator[str]:
    """The order API as a VPS runs it; its base address."""
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as output:
        os.set_inheritable(listening.fileno(), True)
        process = subprocess.Popen(
            (sys.executable, "-m", "gunicorn", "ops.wsgi:application"),
            cwd=ROOT,
            env={**environ, "BIND": f"fd://{listening.fileno()}"},
            pass_fds=(listening.fileno(),),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
        try:
            wait_for(lambda: _answers(address) or process.poll() is not None, "start of the API")
            assert process.poll() is None, log.read_text()
            yield address
        finally:
            process.terminate()
            process.wait(SECONDS)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=5, verify=False).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def site_at(
    folder: Path, rpc_url: str, rpc_urls: Sequence[str] = (), **settings: str
) -> Iterator[Site]:
    """All of it but the worker; `rpc_urls` are those it is to ask, `rpc_url` the chain's own."""
    database = f"sqlite:///{folder / 'vouchers.db'}"
    migrate(database)
    store = open_sql_store(database)
    stack = stack_on(rpc_url, store)
    kinds = [a_voucher_type(token_id) for token_id in (MEETING_ROOM, COLOUR_PRINT)]
    records = (a_site(), an_admin(), Catalogue(tuple(kinds)))
    store.commit([Insert(record) for record in records])
    plain = {
        "HOME": str(folder),
        "STORE": "sql",
        "DATABASE_URL": database,
        "RPC_URLS": ",".join(rpc_urls or (rpc_url,)),
        "POLL_SECONDS": "0.1",
        "METRICS_PORT": "0",
        "LEASE_SECONDS": "2",
        "RPC_TIMEOUT_SECONDS": "1",
        "DATA_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
        "PORTAL_ORIGIN": "https://portal.example",
    }
    environ = stack.environ(**(plain | settings))
    with api_of(environ, folder / "api.log") as api:
        yield Site(stack, environ, folder, api)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """On a chain that mines by itself."""
    limit = {"READY_MAX_LAG_SECONDS": f"{LAG_SECONDS}", "LEASE_SECONDS": "30"}
    with anvil.start() as node, site_at(tmp_path, node.rpc_url, **limit) as made:
        made.stack.chain.request("evm_setIntervalMining", 1)
        yield made


def test_listener_stalled(site: Site) -> None:
    order = site.stack.order(ttl=15)
    with ExitStack() as hanging:
        hung = hanging.enter_context(site.worker())
        wait_for(lambda: site.ready()["ready"], "readiness")
        names = site.names(ORDER_HASH=order.order_hash)
        with site.runbook("listener-stalled.md", names) as runbook:
            hung.send_signal(signal.SIGSTOP)
            site.stack.redeem(order)
            wait_for(lambda: site.ready()["lagSeconds"] > LAG_SECONDS, "the alarm")
            runbook.section("First look")
            hanging.close()
            assert site.status(order) is S.CREATED
            with site.worker():
                names |= site.names()
                runbook.section("Restart")
                wait_for(lambda: site.status(order) is S.VALID, "the burn made meanwhile")
                now = site.stack.chain.web3.eth.get_block("latest")["timestamp"]
                assert now > order.expires_at
                runbook.section("Verify")


def test_rpc_outage(tmp_path: Path) -> None:
    with ExitStack() as stack:
        node = stack.enter_context(anvil.start())
        good, bad, new = (stack.enter_context(proxy_to(node.rpc_url)) for _ in range(3))
        # Providers are told apart by their host.
        urls = [good.url, bad.url.replace("127.0.0.1", "localhost")]
        limit = {"READY_MAX_LAG_SECONDS": f"{LAG_SECONDS}"}
        site = stack.enter_context(site_at(tmp_path, node.rpc_url, urls, **limit))
        site.stack.chain.request("evm_setIntervalMining", 1)
        order = site.stack.order()
        names = {"GOOD": urlsplit(urls[0]).netloc, "BAD": urlsplit(urls[1]).netloc}
        names |= {"NEW": f"localhost:{urlsplit(new.url).port}", "ORDER_HASH": order.order_hash}
        down = always(anything, status(503))
        with ExitStack() as workers:
            workers.enter_context(site.worker())
            wait_for(lambda: site.ready()["ready"], "readiness")
            names |= site.names()
            book = stack.enter_context(site.runbook("rpc-outage.md", names))
            lying = always(logs(), edit(_more_vouchers))
            bad.add(lying)
            site.stack.redeem(order)
            book.section("Two disagree")
            bad.add(down)
            bad.remove(lying)
            book.section("One fails, too few are left")
            assert site.status(order) is S.PENDING_CHAIN
            book.section("First look")
            good.add(down)
            book.section("All fail")
            wait_for(lambda: _health(site) == "failing", "the worker's own alarm")
            good.remove(down)
            assert site.status(order) is S.PENDING_CHAIN
            replaced = {"RPC_URLS": f"{urls[0]},{new.url.replace('127.0.0.1', 'localhost')}"}
            book.environ |= replaced
            book.section("Replace an endpoint")
        site.environ |= replaced
        with site.worker():
            names |= site.names()
            wait_for(lambda: site.status(order) is S.VALID, "the order that waited")
            book.section("Verify")


def _health(site: Site) -> str:
    answer = httpx.get(f"{site.worker_url}/healthz", timeout=SECONDS, verify=False)
    found: str = answer.json()["status"]
    return found


def _more_vouchers(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every burn is of two vouchers; the amount is the first word of the log's data."""
    return [{**log, "data": f"0x{2:064x}{log['data'][66:]}"} for log in told]


@pytest.fixture
def forkable(tmp_path: Path) -> Iterator[Site]:
    """On a chain whose blocks the test mines, with room to fork."""
    with (
        anvil.start(kept_states=KEPT_STATES) as node,
        site_at(tmp_path, node.rpc_url, RECONCILE_SECONDS="0") as made,
    ):
        # The first redemption of a contract takes more gas than a wallet sets for any other.
        made.stack.redeem(made.stack.order())
        made.stack.chain.mine(20)
        yield made


def test_deep_reorg(forkable: Site) -> None:
    site, chain = forkable, forkable.stack.chain
    with ExitStack() as workers:
        workers.enter_context(site.worker())
        handed_over, reverted = site.stack.order(), site.stack.order(customer=BOB)
        burns = [redeem(site.stack, handed_over), redeem(site.stack, reverted, BOB_KEY)]
        _make_valid(site, handed_over, reverted)
        _deliver(site, handed_over)
        names = site.names(ORDER_HASH=handed_over.order_hash, REVERTED=reverted.order_hash)
        names |= {"INCIDENT": _incident(burns[0], serial=2)}
        with site.runbook("deep-reorg.md", names) as book:
            _fork(site, depth=6, mined_again=[(burns[1], 1)])
            wait_for(lambda: told(site.log, "delivered_reorged"), "the incident")
            book.section("First look")
            chain.mine(4)
            wait_for(lambda: site.status(reverted) is S.PENDING_CHAIN, "the burn to be seen again")
            assert told(site.log, "finality_held")
            book.section("Act")
            book.section("Verify")
            assert site.status(reverted) is S.VALID
            assert site.status(handed_over) is S.DELIVERED

            _deliver(site, reverted)
            # The fork gave its burn the other's serial.
            names |= {"SECOND": _incident(burns[1], serial=2)}
            _fork(site, depth=12, mined_again=[])
            wait_for(lambda: len(told(site.log, "delivered_reorged")) == 2, "a second incident")
            chain.web3.eth.send_raw_transaction(burns[1].raw)  # type: ignore[arg-type]
            book.section("The burn comes back")

            workers.close()
            with anvil.start() as other:
                twin, deployed = deploy(other.rpc_url)
                assert deployed == site.stack.deployed
                twin.mine(60)
                with running({**site.environ, "RPC_URLS": other.rpc_url}, site.log) as stopped:
                    assert stopped.wait(SECONDS) == EXIT_FORK
                book.section("It ended with code 3")
            with site.worker():
                wait_for(lambda: site.ready()["ready"], "the right chain again")


def _make_valid(site: Site, *orders: Order) -> None:
    site.stack.chain.mine(4)
    wait_for(lambda: {site.status(order) for order in orders} == {S.VALID}, "orders VALID")


def _deliver(site: Site, order: Order) -> None:
    now = site.stack.chain.web3.eth.get_block("latest")["timestamp"]
    hand_over(site.stack.store, order, now=now)


def _incident(deed: Deed, *, serial: int) -> str:
    return f"{serial}-{deed.tx_hash.removeprefix('0x')[:8]}"


def _fork(site: Site, *, depth: int, mined_again: list[tuple[Deed, int]]) -> None:
    """Blocks of the same contents and the same second would be the same blocks."""
    site.stack.chain.request("anvil_setCoinbase", Account.create().address)
    pairs = [[deed.raw, offset] for deed, offset in mined_again]
    site.stack.chain.request("anvil_reorg", depth, pairs)


def test_reconciliation_difference(tmp_path: Path) -> None:
    with ExitStack() as stack:
        node = stack.enter_context(anvil.start())
        site = stack.enter_context(site_at(tmp_path, node.rpc_url, RECONCILE_SECONDS="1"))
        orders = [site.stack.order() for _ in range(3)]
        for order in orders:
            site.stack.redeem(order)
        with site.worker():
            _make_valid(site, *orders)
            wait_for(lambda: told(site.log, "reconciliation_equal"), "a comparison")
        backup = tmp_path / "backup.db"
        with closing(sqlite3.connect(site.database)) as now, closing(sqlite3.connect(backup)) as to:
            now.backup(to)
        nine = "UPDATE redemptions SET body = json_set(body, '$.burn.amount', 9) WHERE serial = 2"
        _change(site, nine)
        with site.worker():
            names = site.names(HOST=urlsplit(node.rpc_url).netloc, BACKUP=str(backup))
            with site.runbook("reconciliation-difference.md", names) as book:
                book.section("First look")
                _change(site, *_statements("reconciliation-difference.md", names))
                book.section("Verify")


def _change(site: Site, *statements: str) -> None:
    with closing(sqlite3.connect(site.database)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
        assert database.total_changes == 1


def _statements(name: str, names: dict[str, str]) -> list[str]:
    """What the runbook would have a person type into the database."""
    (fence,) = re.findall(r"^```sql\n(.*?)^```", (RUNBOOKS / name).read_text("utf-8"), SQL)
    return Template(fence).substitute(names).split(";\n")
