"""What every answer carries, what other origins may do, and what the log never holds."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout

import httpx
import pytest

from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.api.routing import Access, route_name
from chalicelib.api.table import ROUTES
from chalicelib.domain.orders import OrderStatus
from tests.api.harness import CONSOLE, PASSWORD, PORTAL, Api
from tests.api.test_routes import GOOD
from tests.fakes import RecordingTelemetry, a_staff, an_order, in_status


def test_every_answer_carries_its_headers(api: Api) -> None:
    order = api.add_order(an_order())
    for method, path in (
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/catalog"),
        ("GET", f"/api/v1/orders/{order.order_id}"),
        ("GET", f"/api/v1/orders/{order.order_id}/qr.png"),
        ("POST", "/api/v1/orders"),
        ("POST", "/api/v1/auth/logout"),
        ("GET", "/nothing"),
        ("DELETE", "/api/v1/health"),
    ):
        answer = api.raw(method, path)
        assert len(answer.headers["x-request-id"]) == 36
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert len(answer.headers.get_list("x-request-id")) == 1


def test_answers_that_hold_an_order_id_are_stored_nowhere() -> None:
    for name, check in GOOD.items():
        with Api() as api:
            kept: list[httpx.Response] = []
            api._client.event_hooks["response"].append(kept.append)
            check(api)
            for answer in kept:
                if b"ORD_" in answer.read() or "/orders/ORD_" in str(answer.url):
                    assert answer.headers["cache-control"] == "no-store", name


def test_a_request_id_is_taken_over_everywhere(api: Api) -> None:
    mine = "11111111-2222-4333-8444-555555555555"
    answer = api.call("GET", "/orders/nothing", headers={"X-Request-Id": mine})
    assert answer.headers["x-request-id"] == answer.json()["requestId"] == mine
    assert api.telemetry.events[-1]["requestId"] == mine


def test_head_is_get_without_the_body(api: Api) -> None:
    got, head = api.raw("GET", "/api/v1/config"), api.raw("HEAD", "/api/v1/config")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert api.raw("HEAD", "/nothing").status_code == 404


# ----------------------------------------------------------------------------- other origins


def preflight(api: Api, origin: str | None, path: str = "/api/v1/orders") -> dict[str, str]:
    headers = {"Access-Control-Request-Method": "POST"}
    if origin is not None:
        headers["Origin"] = origin
    answer = api.raw("OPTIONS", path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(answer.headers["x-request-id"]) == 36
    return dict(answer.headers)


@pytest.mark.parametrize("origin", [PORTAL, CONSOLE])
def test_listed_origins_may_ask(api: Api, origin: str) -> None:
    allowed = preflight(api, origin)
    assert allowed["access-control-allow-origin"] == origin
    assert allowed["access-control-allow-methods"] == "POST"
    assert "idempotency-key" in allowed["access-control-allow-headers"]
    assert "authorization" in allowed["access-control-allow-headers"]
    assert allowed["vary"] == "Origin"
    assert "access-control-allow-credentials" not in allowed
    answer = api.raw("GET", "/api/v1/config", headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
    # Errors as well, or the console could not read them.
    refused = api.raw("GET", "/nothing", headers={"Origin": origin})
    assert refused.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        PORTAL + ".evil.example",
        "https://sub.portal.example",
        PORTAL.replace("https", "http"),
        PORTAL + ":8443",
        PORTAL + "/",
        PORTAL.upper(),
    ],
)
def test_any_other_origin_may_not(api: Api, origin: str | None) -> None:
    assert not any(name.startswith("access-control") for name in preflight(api, origin))
    headers = {"Origin": origin} if origin else {}
    answer = api.raw("GET", "/api/v1/config", headers=headers)
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_where_everything_has_one_origin_nothing_is_said_of_others() -> None:
    with Api(settings={"CORS_ORIGINS": ""}) as api:
        answer = api.raw("GET", "/api/v1/config", headers={"Origin": PORTAL})
        assert "access-control-allow-origin" not in answer.headers
        assert "vary" not in answer.headers


def test_options_without_a_preflight_is_a_method_like_any_other(api: Api) -> None:
    answer = api.raw("OPTIONS", "/api/v1/orders")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


# ------------------------------------------------------------------------------------ the log


class TelemetryInBothPlaces(RecordingTelemetry):
    """What production writes, and kept as well."""

    def __init__(self) -> None:
        super().__init__()
        self._real = PowertoolsTelemetry("api-log-test")

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Keep and write."""
        super().event(name, **fields)
        self._real.event(name, **fields)

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """Keep and write."""
        super().metric(name, value, unit, **labels)
        self._real.metric(name, value, unit, **labels)


def test_no_order_id_no_token_and_no_password_gets_into_the_log() -> None:
    printed = io.StringIO()
    secrets: set[str] = {PASSWORD}

    def note(answer: httpx.Response) -> None:
        if answer.read().startswith(b"{"):
            given = answer.json()
            secrets.update(given[name] for name in ("accessToken", "refreshToken") if name in given)

    with redirect_stdout(printed):
        for check in GOOD.values():
            with Api(telemetry=TelemetryInBothPlaces()) as api:
                api._client.event_hooks["response"].append(note)
                check(api)
    log = printed.getvalue()
    assert "ORD_" not in log
    assert len(secrets) > 5
    assert not [secret for secret in secrets if secret in log]
    lines = [json.loads(line) for line in log.splitlines()]
    routes = {line["route"] for line in lines if line.get("message") == "request"}
    assert routes == {route.template for route in ROUTES}
    metrics = {name for line in lines if "_aws" in line for name in line if name[0].isupper()}
    assert metrics == {"OrdersCreated", "OrdersDelivered"}


def test_the_access_log_names_the_route_and_the_order_by_its_hash(api: Api) -> None:
    order = api.add_order(an_order())
    api.call("GET", f"/orders/{order.order_id}")
    entry = api.telemetry.events[-1]
    assert entry.pop("durationMs") >= 0
    assert len(entry.pop("requestId")) == 36
    assert entry == {
        "name": "request",
        "method": "GET",
        "route": "/api/v1/orders/{orderId}",
        "status": 200,
        "orderHash": order.order_hash,
    }
    api.raw("GET", f"/api/v1/wrong/{order.order_id}")
    assert api.telemetry.events[-1]["route"] == "/{proxy+}"
    assert order.order_id not in json.dumps(api.telemetry.events)


# ------------------------------------------------------------------------------- at once


def test_of_32_deliveries_at_once_one_is_the_first(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.VALID))
    api.add(a_staff("reception2"))
    tokens = api.log_in(), api.log_in("reception2")

    def deliver(number: int) -> dict[str, object]:
        answer = api.raw(
            "POST",
            f"/api/v1/orders/{order.order_id}/deliver",
            headers={"Authorization": f"Bearer {tokens[number % 2]}"},
            json={"note": f"desk {number}"},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(deliver, range(32)))
    assert sum(not answer["alreadyDelivered"] for answer in answers) == 1
    firsts = {json.dumps({**answer, "alreadyDelivered": None}) for answer in answers}
    assert len(firsts) == 1
    kept = api.store.order(order.order_id)
    assert [entry.target for entry in kept.history].count(OrderStatus.DELIVERED) == 1
    assert api.telemetry.metrics.count(("OrdersDelivered", 1, "Count")) == 1


def test_of_8_requests_at_once_under_one_key_one_makes_the_order(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.place(), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["orderId"] for answer in answers}) == 1


def test_doors_that_need_no_sign_in_are_known() -> None:
    public = {route_name(route) for route in ROUTES if route.access is Access.PUBLIC}
    assert public == {
        "get_health",
        "get_readiness",
        "get_config",
        "get_catalog",
        "get_metadata",
        "create_order",
        "get_order",
        "get_order_qr_svg",
        "get_order_qr_png",
        "add_transaction_hint",
        "cancel",
        "begin_sign_in",
        "finish_sign_in",
        "login",
        "refresh",
    }
