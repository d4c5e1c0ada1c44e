"""Requests served at once never see each other's data."""

import json
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.api.contextual import ContextualChalice
from chalicelib.api.routing import PREFIX
from chalicelib.domain.order_hash import checksum_address
from ops.wsgi import WsgiAdapter
from tests.api.harness import Api
from tests.fakes import ROOM, SITE

REQUESTS = 1200
THREADS = 40

Answered = tuple[int, str, str | None, int | None]
"""Status, request id, customer and amount."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Tests have enough to print."""


@pytest.fixture
def address() -> Iterator[str]:
    """An app that echoes what Chalice says is the current request, after a moment."""
    yield from _serve(ContextualChalice("echo", configure_logs=False))


def _serve(app: Chalice) -> Iterator[str]:
    blueprint = Blueprint("echo")
    gate = threading.Barrier(THREADS)

    @blueprint.route("/echo/{name}", methods=["POST"])
    def echo(name: str) -> dict[str, Any]:
        # All threads are inside a request at this point, so a shared attribute would show.
        gate.wait(timeout=30)
        request = blueprint.current_request
        return {"name": name, "path": request.uri_params, "body": request.json_body}

    app.register_blueprint(blueprint)
    server = _Server(("127.0.0.1", 0), _QuietHandler)
    server.set_app(WsgiAdapter(app))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _mixed_answers(address: str) -> int:
    def ask(number: int) -> bool:
        name = f"request-{number}"
        request = urllib.request.Request(
            f"{address}/echo/{name}",
            data=json.dumps({"mine": number}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bool(
                json.load(answer)
                == {"name": name, "path": {"name": name}, "body": {"mine": number}}
            )

    with ThreadPoolExecutor(THREADS) as pool:
        return REQUESTS - sum(pool.map(ask, range(REQUESTS)))


def test_no_request_sees_another_ones_data(address: str) -> None:
    assert _mixed_answers(address) == 0


def test_the_check_would_notice() -> None:
    # Chalice as it comes does mix requests up: the proof that the test above can fail.
    server = _serve(Chalice("echo", configure_logs=False))
    assert _mixed_answers(next(server)) > 0
    next(server, None)


def test_orders_placed_at_once_are_each_ones_own() -> None:
    lifted = {"ORDERS_PER_MINUTE_IP": "100000", "ORDERS_PER_MINUTE_WALLET": "100000"}
    with Api(settings=lifted) as api, ThreadPoolExecutor(THREADS) as pool:

        def place(number: int) -> tuple[Answered, Answered]:
            wallet, request_id = checksum_address(f"0x{number:040x}"), str(uuid.UUID(int=number))
            answer = api.raw(
                "POST",
                f"{PREFIX}/orders",
                json={
                    "customerAddress": wallet,
                    "tokenId": ROOM,
                    "amount": number % 100 + 1,
                    "siteId": SITE,
                },
                headers={"Idempotency-Key": f"{number:022d}", "X-Request-Id": request_id},
            )
            order = answer.json().get("order", {})
            got = (answer.status_code, answer.headers["x-request-id"])
            told = (order.get("customer"), order.get("amount"))
            return (*got, *told), (201, request_id, wallet, number % 100 + 1)

        placed = list(pool.map(place, range(1, REQUESTS + 1)))
    assert [one for one in placed if one[0] != one[1]] == []
