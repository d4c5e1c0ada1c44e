"""The API over real HTTP: the WSGI adapter under a threaded server, with a store to look into.

Every answer is held to `docs/openapi.json`: its status, media type, body and refusal code have to
be documented for the route it came from.
"""

import base64
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from chalicelib.adapters.security import AesGcmSealer, Secp256k1Signatures
from chalicelib.api.openapi import document
from chalicelib.api.routing import PREFIX
from chalicelib.api.services import Services
from chalicelib.bootstrap import create_app
from chalicelib.domain.audit import AuditItem
from chalicelib.domain.orders import Order
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import BlockRef
from chalicelib.domain.staff import Staff
from chalicelib.ports import Record, Update
from chalicelib.settings import ApiSettings, load
from ops.wsgi import WsgiAdapter
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    NOW,
    ROOM,
    SITE,
    CountingEntropy,
    FixedClock,
    QuickPasswords,
    RecordingTelemetry,
    a_shop,
    stored,
)

PASSWORD = "correct horse battery"
PORTAL = "https://portal.example"
CONSOLE = "https://reception.example"
KEY = "k" * 22

ENVIRONMENT = {
    "STORE": "sql",
    "DATABASE_URL": "sqlite://",
    "CHAIN_ID": str(CHAIN_ID),
    "CONTRACT_ADDRESS": CONTRACT,
    "DATA_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "PORTAL_ORIGIN": PORTAL,
    "CORS_ORIGINS": f"{PORTAL},{CONSOLE}",
    "EXPLORER_URL": "https://explorer.example",
}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Tests have enough to print."""


@dataclass
class Api:
    """A running API. `store`, `clock` and `telemetry` are those it works with."""

    store: Any = field(default_factory=a_shop)
    settings: Mapping[str, str] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=FixedClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    passwords: QuickPasswords = field(default_factory=QuickPasswords)

    def __enter__(self) -> Self:
        settings = load(ApiSettings, {**ENVIRONMENT, **self.settings})
        services = Services(
            settings=settings,
            store=self.store,
            clock=self.clock,
            entropy=CountingEntropy(),
            sealer=AesGcmSealer(settings.DATA_KEYS),
            passwords=self.passwords,
            signatures=Secp256k1Signatures(),
            telemetry=self.telemetry,
        )
        self.app = create_app(lambda: services)
        self._server = _Server(("127.0.0.1", 0), _QuietHandler)
        self._server.set_app(WsgiAdapter(self.app, settings.CORS_ORIGINS))
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        # Plain HTTP: without certificates to load, a client costs a hundredth.
        self._client = httpx.Client(base_url=self.address, timeout=30, verify=False)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._client.close()
        self._server.shutdown()
        self._server.server_close()

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json_body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request under `/api/v1`, its answer held to the OpenAPI document."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if json_body is not None:
            content = json.dumps(json_body).encode()
        if content is not None:
            sent = {"Content-Type": "application/json", **sent}
        answer = self._client.request(method, PREFIX + path, content=content, headers=sent)
        check_documented(method, path, answer)
        return answer

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to any address, documented or not."""
        return self._client.request(method, path, **options)

    # ------------------------------------------------------------------------ common openings

    def log_in(self, username: str = "reception1", password: str = PASSWORD) -> str:
        """A member of staff's access token."""
        answer = self.call(
            "POST", "/auth/login", json_body={"username": username, "password": password}
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["accessToken"]
        return token

    def place(self, **changes: Any) -> httpx.Response:
        """An ordinary order; `key` in `changes` is its idempotency key."""
        key = changes.pop("key", KEY)
        body = {"customerAddress": CUSTOMER, "tokenId": ROOM, "amount": 1, "siteId": SITE}
        return self.call(
            "POST", "/orders", json_body=body | changes, headers={"Idempotency-Key": key}
        )

    def add(self, *records: Record) -> None:
        """Put records into the store."""
        stored(self.store, *records)

    def add_order(self, order: Order) -> Order:
        """Put an order into the store, and a listener's heartbeat beside it."""
        stored(self.store, replace(order, version=1))
        if self.store.cursor() is None:
            stored(self.store, a_cursor())
        return order

    def change_staff(self, username: str, **changes: Any) -> None:
        """Change a member of staff behind the API's back."""
        known: Staff = self.store.staff(username)
        self.store.commit([Update(replace(known, version=known.version + 1, **changes))])

    def snapshot(self) -> dict[Any, Record]:
        """Everything that is stored but what was merely tried."""
        return {
            key: record
            for key, record in self.store._records.items()
            if not isinstance(record, AuditItem)
        }

    def audit_trail(self) -> list[AuditItem]:
        """What was tried, oldest first."""
        return [one for one in self.store._records.values() if isinstance(one, AuditItem)]


def a_cursor(*, head: int = 101, at: int = NOW) -> Cursor:
    """A listener that is well."""
    block = BlockRef(head, "0x" + "ab" * 32, at)
    return Cursor(
        proven=block,
        last_serial=0,
        expired_through=0,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        heartbeat=Heartbeat(at=at, succeeded_at=at, head=block),
    )


# ----------------------------------------------------------------------------- held to the document


@cache
def _document() -> dict[str, Any]:
    return document()


def _template(path: str) -> str | None:
    wanted = urlsplit(path).path
    for template in sorted(_document()["paths"], key=lambda one: "{" in one):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, wanted):
            return str(template)
    return None


def check_documented(method: str, path: str, answer: httpx.Response) -> None:
    """The answer is one that the OpenAPI document announces for its route."""
    template = _template(path)
    assert template is not None, f"{path} is not documented"
    operation = _document()["paths"][template].get(method.lower())
    assert operation is not None, f"{method} {template} is not documented"
    status = str(answer.status_code)
    assert status in operation["responses"], f"{method} {template}: {status} {answer.text}"
    response = operation["responses"][status]
    media_type = answer.headers.get("content-type", "")
    content = response.get("content", {})
    if not answer.content:
        assert not content
        return
    assert media_type in content, f"{method} {template}: {status} {media_type}"
    if "json" not in media_type:
        return
    body = answer.json()
    schema = {**content[media_type]["schema"], "components": _document()["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)
    _no_field_beyond(body, schema)
    if media_type == "application/problem+json":
        codes = response["description"].partition(": ")[2].split(", ")
        assert body["code"] in codes, f"{method} {template}: {status} {body['code']}"
        assert body["status"] == answer.status_code
        assert body["requestId"] == answer.headers["x-request-id"]


def _no_field_beyond(body: Any, schema: Mapping[str, Any]) -> None:
    """Schemas leave room for fields to come; an answer of today may not use it."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and isinstance(body, dict):
        known = _document()["components"]["schemas"][name]["properties"]
        assert set(body) <= set(known), f"{name} has undocumented fields {set(body) - set(known)}"
