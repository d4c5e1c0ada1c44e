"""Bad input gets a problem document that names field and rule, and changes nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.orders import OrderStatus
from chalicelib.ports import Update
from tests.api.harness import KEY, PASSWORD, Api
from tests.fakes import (
    AI_SUITE,
    CUSTOMER,
    CUSTOMER_KEY,
    NOW,
    OTHER_SITE,
    ROOM,
    SITE,
    STRANGER_KEY,
    TTL,
    a_voucher_type,
    an_order,
    in_status,
    sign_cancel,
)

MISSING = object()
GOOD_ORDER = {"customerAddress": CUSTOMER, "tokenId": ROOM, "amount": 1, "siteId": SITE}


def without(body: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there."""
    return {name: value for name, value in body.items() if value is not MISSING}


def broken_rules(answer: Any) -> set[tuple[str, str]]:
    """Field and rule of each error of a problem document."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "INVALID_INPUT"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(one["message"] for one in problem["errors"])
    return {(one["field"], one["rule"]) for one in problem["errors"]}


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"surprise": 1}, "surprise", "unexpected"),
        ({"customer_address": CUSTOMER}, "customer_address", "unexpected"),
        ({"customerAddress": MISSING}, "customerAddress", "required"),
        ({"customerAddress": None}, "customerAddress", "type"),
        ({"customerAddress": 7}, "customerAddress", "type"),
        ({"customerAddress": "0x1234"}, "customerAddress", "address"),
        ({"customerAddress": CUSTOMER + "0"}, "customerAddress", "address"),
        ({"customerAddress": CUSTOMER[:-2] + "c8"}, "customerAddress", "checksum"),
        ({"customerAddress": "0x" + "0" * 40}, "customerAddress", "address"),
        ({"customerAddress": CUSTOMER + "\n"}, "customerAddress", "address"),
        ({"tokenId": MISSING}, "tokenId", "required"),
        ({"tokenId": "1001"}, "tokenId", "type"),
        ({"tokenId": 1001.0}, "tokenId", "type"),
        ({"tokenId": True}, "tokenId", "type"),
        ({"tokenId": 0}, "tokenId", "range"),
        ({"tokenId": -1}, "tokenId", "range"),
        ({"tokenId": 2**53}, "tokenId", "range"),
        ({"tokenId": 10**400}, "tokenId", "range"),
        ({"tokenId": 4242}, "tokenId", "known"),
        ({"amount": MISSING}, "amount", "required"),
        ({"amount": 0}, "amount", "range"),
        ({"amount": -3}, "amount", "range"),
        ({"amount": 101}, "amount", "range"),
        ({"amount": 10**30}, "amount", "range"),
        ({"amount": 1.5}, "amount", "type"),
        ({"amount": "1"}, "amount", "type"),
        ({"amount": [1]}, "amount", "type"),
        ({"siteId": MISSING}, "siteId", "required"),
        ({"siteId": "NO_SUCH_SITE"}, "siteId", "known"),
        ({"siteId": "lower"}, "siteId", "pattern"),
        ({"siteId": "A" * 33}, "siteId", "pattern"),
        ({"siteId": SITE + "\n"}, "siteId", "pattern"),
        ({"siteId": 1}, "siteId", "type"),
        ({"customerMeta": {"aiAccount": "x"}}, "customerMeta.aiAccount", "unexpected"),
        ({"customerMeta": {"shoeSize": "42"}}, "customerMeta.shoeSize", "unexpected"),
        ({"customerMeta": "aiAccount"}, "customerMeta", "type"),
        ({"tokenId": AI_SUITE}, "customerMeta.aiAccount", "required"),
        ({"customerMeta": {"aiAccount": ""}}, "customerMeta.aiAccount", "length"),
        ({"customerMeta": {"aiAccount": "x" * 201}}, "customerMeta.aiAccount", "length"),
        ({"customerMeta": {"aiAccount": "a\u0000b"}}, "customerMeta.aiAccount", "characters"),
        ({"customerMeta": {"aiAccount": 7}}, "customerMeta.aiAccount", "type"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(
    api: Api, change: dict[str, Any], field: str, rule: str
) -> None:
    before = api.snapshot()
    answer = api.call(
        "POST",
        "/orders",
        json_body=without({**GOOD_ORDER, **change}),
        headers={"Idempotency-Key": KEY},
    )
    assert (field, rule) in broken_rules(answer)
    assert api.snapshot() == before


def test_every_broken_field_is_named_at_once(api: Api) -> None:
    answer = api.call(
        "POST",
        "/orders",
        json_body={"customerAddress": "me", "amount": 0, "extra": 1},
        headers={"Idempotency-Key": KEY},
    )
    assert broken_rules(answer) == {
        ("customerAddress", "address"),
        ("tokenId", "required"),
        ("amount", "range"),
        ("extra", "unexpected"),
    }


def test_no_more_of_an_unknown_name_is_repeated_than_helps(api: Api) -> None:
    answer = api.call("POST", "/auth/login", json_body={"x" * 5000: 1})
    assert len(answer.content) < 1500


@pytest.mark.parametrize("key", [None, "", "short", "k" * 21, "k" * 129, "k" * 21 + "!", "k k" * 9])
def test_an_order_needs_a_good_idempotency_key(api: Api, key: str | None) -> None:
    before = api.snapshot()
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = api.call("POST", "/orders", json_body=GOOD_ORDER, headers=headers)
    assert broken_rules(answer) == {("Idempotency-Key", "pattern")}
    assert api.snapshot() == before


@pytest.mark.parametrize("change", [{"amount": 2}, {"siteId": OTHER_SITE}, {"tokenId": AI_SUITE}])
def test_an_idempotency_key_is_good_for_one_request(api: Api, change: dict[str, Any]) -> None:
    assert api.place().status_code == 201
    before = api.snapshot()
    if change.get("tokenId") == AI_SUITE:
        change = {**change, "customerMeta": {"aiAccount": "a"}}
    answer = api.place(**change)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert api.snapshot() == before


def test_a_site_that_does_not_serve_the_voucher_is_refused(api: Api) -> None:
    catalogue = api.store.catalogue()
    only = (a_voucher_type(sites=(OTHER_SITE,)),)
    api.store.commit([Update(replace(catalogue, types=only, version=2))])
    assert broken_rules(api.place()) == {("siteId", "allowed")}


def test_a_system_without_sites_takes_none() -> None:
    with Api(settings={"SITES_ENFORCED": "false"}) as api:
        assert broken_rules(api.place()) == {("siteId", "forbidden")}
        assert api.place(siteId="").status_code == 201


# ------------------------------------------------------------------------------ as HTTP


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"nope", b'{"amount": NaN', b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 5000],
)
def test_a_body_that_is_no_json_is_refused(api: Api, content: bytes) -> None:
    before = api.snapshot()
    answer = api.call("POST", "/orders", content=content, headers={"Idempotency-Key": KEY})
    assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED_JSON")
    assert api.snapshot() == before


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"7"])
def test_a_body_that_is_no_object_is_refused(api: Api, content: bytes) -> None:
    answer = api.call("POST", "/orders", content=content, headers={"Idempotency-Key": KEY})
    assert broken_rules(answer) == {("body", "type")}


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=latin-1",
        "*/*",
        "",
    ],
)
def test_a_body_of_another_media_type_is_refused(api: Api, media_type: str) -> None:
    before = api.snapshot()
    answer = api.call(
        "POST",
        "/orders",
        content=json.dumps(GOOD_ORDER).encode(),
        headers={"Idempotency-Key": KEY, "Content-Type": media_type},
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert api.snapshot() == before


@pytest.mark.parametrize("media_type", ["Application/JSON", 'application/json; charset="UTF-8"'])
def test_json_may_say_that_it_is_utf_8(api: Api, media_type: str) -> None:
    answer = api.call(
        "POST",
        "/orders",
        content=json.dumps(GOOD_ORDER).encode(),
        headers={"Idempotency-Key": KEY, "Content-Type": media_type},
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/orders", "/auth/login", "/orders/ORD_X/deliver"])
def test_a_body_that_is_too_large_is_refused(api: Api, path: str) -> None:
    before = api.snapshot()
    exact = json.dumps({"note": ""}).encode()
    padding = b" " * (64 * 1024 - len(exact))
    assert api.call("POST", path, content=exact + padding).status_code != 413
    answer = api.call("POST", path, content=exact + padding + b" ")
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert api.snapshot() == before


def test_an_address_that_leads_nowhere(api: Api) -> None:
    for path in ("/", "/api/v1", "/api/v1/nothing", "/api/v1/orders/a/b/c", "/api/v2/health"):
        answer = api.raw("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"] == answer.json()["requestId"]


def test_a_method_that_an_address_does_not_take(api: Api) -> None:
    answer = api.raw("DELETE", "/api/v1/orders/ORD_X")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET"
    assert api.raw("PUT", "/api/v1/orders").headers["allow"] == "POST"


# ------------------------------------------------------------------------------ orders


@pytest.mark.parametrize(
    "order_id",
    [
        "nothing",
        "ORD_20261121_0000000000000000",
        "ORD_20261121_" + "A" * 40,
        "ORD_20261121_ilou0000000000000",
        "%00",
        "..%2f..",
        "ORD_20261121_0000000000000000%0A",
        "é" * 20,
    ],
)
def test_an_order_that_does_not_exist(api: Api, order_id: str) -> None:
    signed = {"deadline": NOW + 60, "signature": "0x" + "11" * 65}
    token = api.log_in()
    for answer in (
        api.raw("GET", f"/api/v1/orders/{order_id}"),
        api.raw("GET", f"/api/v1/orders/{order_id}/qr.svg"),
        api.raw("GET", f"/api/v1/orders/{order_id}/qr.png"),
        api.raw("POST", f"/api/v1/orders/{order_id}/transaction", json={"txHash": "0x" + "1" * 64}),
        api.raw("POST", f"/api/v1/orders/{order_id}/cancel", json=signed),
        api.raw(
            "GET",
            f"/api/v1/reception/orders/{order_id}",
            headers={"Authorization": f"Bearer {token}"},
        ),
        api.raw(
            "POST",
            f"/api/v1/orders/{order_id}/deliver",
            headers={"Authorization": f"Bearer {token}"},
        ),
    ):
        expected = "NOT_FOUND" if "%2f" in order_id else "ORDER_NOT_FOUND"
        assert (answer.status_code, answer.json()["code"]) == (404, expected)


@pytest.mark.parametrize("tx_hash", [None, 7, "0x12", "0x" + "g" * 64, "1" * 64, "0x" + "1" * 65])
def test_a_hint_has_to_be_a_transaction_hash(api: Api, tx_hash: Any) -> None:
    order = api.add_order(an_order())
    before = api.snapshot()
    answer = api.call(
        "POST", f"/orders/{order.order_id}/transaction", json_body={"txHash": tx_hash}
    )
    (rule,) = broken_rules(answer)
    assert rule in {("txHash", "type"), ("txHash", "bytes32")}
    assert api.snapshot() == before


@pytest.mark.parametrize("status", [OrderStatus.VALID, OrderStatus.DELIVERED, OrderStatus.EXPIRED])
def test_an_order_that_awaits_no_burn_takes_no_hint(api: Api, status: OrderStatus) -> None:
    order = api.add_order(in_status(status))
    before = api.snapshot()
    answer = api.call(
        "POST", f"/orders/{order.order_id}/transaction", json_body={"txHash": "0x" + "1" * 64}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, f"ORDER_{status}")
    assert api.snapshot() == before


def test_only_the_orders_own_wallet_cancels_and_only_for_a_while(api: Api) -> None:
    order = api.add_order(an_order())
    other = api.add_order(an_order(2))
    before = api.snapshot()

    def cancel(key: str, deadline: int, order_hash: str, **domain: Any) -> Any:
        signature = sign_cancel(key, order_hash=order_hash, deadline=deadline, **domain)
        return api.call(
            "POST",
            f"/orders/{order.order_id}/cancel",
            json_body={"deadline": deadline, "signature": signature},
        )

    for refused in (
        cancel(STRANGER_KEY, NOW + 60, order.order_hash),
        cancel(CUSTOMER_KEY, NOW + 60, other.order_hash),
        cancel(CUSTOMER_KEY, NOW + 60, order.order_hash, chain_id=56),
        cancel(CUSTOMER_KEY, NOW + 60, order.order_hash, contract="0x" + "11" * 20),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "WRONG_SIGNER")
    for deadline in (NOW - 1, NOW + 601):
        late = cancel(CUSTOMER_KEY, deadline, order.order_hash)
        assert broken_rules(late) == {("deadline", "range")}
    assert api.snapshot() == before


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "1" * 128, "0x" + "1" * 132, "1" * 132])
def test_a_cancellation_needs_a_whole_signature(api: Api, signature: str) -> None:
    order = api.add_order(an_order())
    answer = api.call(
        "POST",
        f"/orders/{order.order_id}/cancel",
        json_body={"deadline": NOW + 60, "signature": signature},
    )
    assert broken_rules(answer) == {("signature", "pattern")}


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.PENDING_CHAIN,
        OrderStatus.VALID,
        OrderStatus.DELIVERED,
        OrderStatus.EXPIRED,
    ],
)
def test_an_order_whose_burn_was_seen_or_that_is_closed_cannot_be_cancelled(
    api: Api, status: OrderStatus
) -> None:
    order = api.add_order(in_status(status))
    before = api.snapshot()
    signature = sign_cancel(CUSTOMER_KEY, order_hash=order.order_hash, deadline=NOW + 60)
    answer = api.call(
        "POST",
        f"/orders/{order.order_id}/cancel",
        json_body={"deadline": NOW + 60, "signature": signature},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, f"ORDER_{status}")
    assert api.snapshot() == before


# --------------------------------------------------------------------------- reception


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (OrderStatus.CREATED, "ORDER_NOT_VALID"),
        (OrderStatus.PENDING_CHAIN, "ORDER_NOT_VALID"),
        (OrderStatus.EXPIRED, "ORDER_EXPIRED"),
        (OrderStatus.CANCELLED, "ORDER_CANCELLED"),
    ],
)
def test_only_a_valid_order_is_delivered_and_the_attempt_is_kept(
    api: Api, status: OrderStatus, code: str
) -> None:
    order = api.add_order(in_status(status))
    token = api.log_in()
    before = api.snapshot()
    answer = api.call(
        "POST",
        f"/orders/{order.order_id}/deliver",
        token=token,
        headers={"X-Input-Method": "camera", "X-Device-Id": "desk-7"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert api.snapshot() == before
    attempt = api.audit_trail()[-1]
    assert (attempt.action, attempt.subject) == ("DELIVERY_REFUSED", order.order_hash)
    assert attempt.detail == {"code": code, "inputMethod": "camera", "device": "desk-7"}


def test_an_order_past_its_time_is_not_delivered_before_its_burn_is_known(api: Api) -> None:
    order = api.add_order(an_order())
    api.clock.advance(TTL + 1)
    answer = api.call("POST", f"/orders/{order.order_id}/deliver", token=api.log_in())
    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_NOT_VALID")


def test_only_staff_of_the_site_deliver_there(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.VALID, an_order(site_id=OTHER_SITE)))
    token = api.log_in()
    before = api.snapshot()
    answer = api.call("POST", f"/orders/{order.order_id}/deliver", token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN_SITE")
    assert api.snapshot() == before
    queue = api.call("GET", f"/reception/orders?site={OTHER_SITE}", token=token)
    assert (queue.status_code, queue.json()["code"]) == (403, "FORBIDDEN_SITE")
    api.change_staff("reception1", sites=(OTHER_SITE,))
    done = api.call("POST", f"/orders/{order.order_id}/deliver", token=token)
    assert done.json()["deliveredSite"] == OTHER_SITE


@pytest.mark.parametrize("sites", [(), (SITE,)])
def test_an_administrator_is_refused_at_the_desk(api: Api, sites: tuple[str, ...]) -> None:
    order = api.add_order(in_status(OrderStatus.VALID))
    api.change_staff("boss1", sites=sites)
    token = api.log_in("boss1")
    before = api.snapshot()
    for method, path in (
        ("GET", f"/reception/orders/{order.order_id}"),
        ("GET", f"/reception/orders?site={SITE}"),
        ("POST", f"/orders/{order.order_id}/deliver"),
    ):
        answer = api.call(method, path, token=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN_ROLE")
    assert api.snapshot() == before


def test_an_order_without_site_needs_to_know_the_desk(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.VALID, an_order(site_id="")))
    path = f"/orders/{order.order_id}/deliver"
    api.change_staff("reception1", sites=(SITE, OTHER_SITE))
    token = api.log_in()
    assert broken_rules(api.call("POST", path, token=token)) == {("siteId", "required")}
    foreign = api.call("POST", path, token=token, json_body={"siteId": "NOWHERE"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FORBIDDEN_SITE")
    empty = api.call("POST", path, token=token, json_body={"siteId": ""})
    assert broken_rules(empty) == {("siteId", "required")}
    done = api.call("POST", path, token=token, json_body={"siteId": OTHER_SITE})
    assert done.json()["deliveredSite"] == OTHER_SITE


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"note": "x" * 501}, "note", "length"),
        ({"note": "bell\u0007"}, "note", "characters"),
        ({"note": None}, "note", "type"),
        ({"siteId": "no site"}, "siteId", "pattern"),
        ({"siteId": OTHER_SITE}, "siteId", "order"),
        ({"status": "DELIVERED"}, "status", "unexpected"),
    ],
)
def test_a_delivery_that_breaks_a_rule_is_refused(
    api: Api, body: dict[str, Any], field: str, rule: str
) -> None:
    order = api.add_order(in_status(OrderStatus.VALID))
    token = api.log_in()
    before = api.snapshot()
    answer = api.call("POST", f"/orders/{order.order_id}/deliver", token=token, json_body=body)
    assert broken_rules(answer) == {(field, rule)}
    assert api.snapshot() == before


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("status=SOLD", "status", "known"),
        ("status=VALID,", "status", "known"),
        ("status=", "status", "length"),
        ("site=no-site", "site", "pattern"),
        ("cursor=" + "x" * 513, "cursor", "length"),
        ("cursor=%00", "cursor", "characters"),
        ("cursor=!", "cursor", "pattern"),
        ("sites=A", "sites", "unexpected"),
        ("status=VALID&status=CREATED", "status", "single"),
        ("from=yesterday", "from", "integer"),
        ("from=-1", "from", "integer"),
        ("from=", "from", "integer"),
        ("to=1e3", "to", "integer"),
        ("to=999999999999", "to", "integer"),
        ("from=2&to=1", "to", "order"),
        ("createdFrom=1", "createdFrom", "unexpected"),
        ("search=", "search", "length"),
        ("search=" + "a" * 81, "search", "length"),
        ("search=abc", "search", "pattern"),
        ("search=0x1234567", "search", "pattern"),
        ("search=Lan", "search", "pattern"),
        ("search=%25", "search", "pattern"),
        ("search=ORD_20261121_0000000000000000", "search", "pattern"),
        ("search=0123456789ABCDEF", "search", "pattern"),
        ("search=0123-4567-89AB-CDEF", "search", "pattern"),
    ],
)
def test_a_queue_is_asked_for_by_the_rules(api: Api, query: str, field: str, rule: str) -> None:
    answer = api.call("GET", f"/reception/orders?{query}", token=api.log_in())
    assert (field, rule) in broken_rules(answer)


@pytest.mark.parametrize("sites", [(), (SITE, OTHER_SITE)])
def test_who_serves_no_single_site_says_which(api: Api, sites: tuple[str, ...]) -> None:
    api.change_staff("reception1", sites=sites)
    answer = api.call("GET", "/reception/orders", token=api.log_in())
    assert broken_rules(answer) == {("site", "required")}


@pytest.mark.parametrize("site_id", [SITE, ""])
@pytest.mark.parametrize(
    ("header", "value", "rule"),
    [
        ("Idempotency-Key", "", "pattern"),
        ("Idempotency-Key", "k" * 21, "pattern"),
        ("Idempotency-Key", "k" * 129, "pattern"),
        ("X-Input-Method", "telepathy", "known"),
        ("X-Device-Id", "d" * 65, "pattern"),
    ],
)
def test_a_delivery_says_how_by_the_rules(
    api: Api, header: str, value: str, rule: str, site_id: str
) -> None:
    order = api.add_order(in_status(OrderStatus.VALID, an_order(site_id=site_id)))
    token = api.log_in()
    before = api.snapshot()
    answer = api.call(
        "POST", f"/orders/{order.order_id}/deliver", token=token, headers={header: value}
    )
    assert broken_rules(answer) == {(header, rule)}
    assert api.snapshot() == before


@pytest.mark.parametrize(
    ("header", "value", "rule"),
    [
        ("X-Input-Method", "telepathy", "known"),
        ("X-Device-Id", "d" * 65, "pattern"),
        ("X-Device-Id", "tab\there", "pattern"),
    ],
)
def test_a_scan_says_how_by_the_rules(api: Api, header: str, value: str, rule: str) -> None:
    order = api.add_order(an_order())
    tried = len(api.audit_trail())
    answer = api.call(
        "GET",
        f"/reception/orders/{order.order_id}",
        token=api.log_in(),
        headers={header: value},
    )
    assert broken_rules(answer) == {(header, rule)}
    assert len(api.audit_trail()) == tried + 1  # the login alone


# ------------------------------------------------------------------------------- sign-in


@pytest.mark.parametrize(
    ("path", "body", "field", "rule"),
    [
        ("/auth/login", {"username": "a"}, "password", "required"),
        ("/auth/login", {"username": "", "password": "x"}, "username", "length"),
        ("/auth/login", {"username": "u" * 65, "password": "x"}, "username", "length"),
        ("/auth/login", {"username": "a\u0000", "password": "x"}, "username", "characters"),
        ("/auth/login", {"username": "a", "password": "x" * 129}, "password", "length"),
        ("/auth/login", {"username": ["a"], "password": "x"}, "username", "type"),
        ("/auth/refresh", {"refreshToken": ""}, "refreshToken", "length"),
        ("/auth/refresh", {"refreshToken": 1}, "refreshToken", "type"),
        ("/auth/wallet/nonce", {"address": "0x0"}, "address", "address"),
        ("/auth/wallet/nonce", {"address": CUSTOMER, "x": 1}, "x", "unexpected"),
        ("/auth/wallet/verify", {"message": "m", "signature": "0x"}, "signature", "pattern"),
        (
            "/auth/wallet/verify",
            {"message": "m" * 2001, "signature": "0x" + "1" * 130},
            "message",
            "length",
        ),
    ],
)
def test_a_sign_in_that_breaks_a_rule_is_refused(
    api: Api, path: str, body: dict[str, Any], field: str, rule: str
) -> None:
    before = api.snapshot()
    assert broken_rules(api.call("POST", path, json_body=body)) == {(field, rule)}
    assert api.snapshot() == before


@pytest.mark.parametrize(
    ("current", "new", "field", "rule"),
    [
        (PASSWORD, "eleven char", "newPassword", "length"),
        (PASSWORD, "x" * 129, "newPassword", "length"),
        (PASSWORD, "my name is Reception1!", "newPassword", "username"),
        (PASSWORD, PASSWORD, "newPassword", "different"),
        ("not the current one", "long enough a password", "currentPassword", "match"),
    ],
)
def test_a_new_password_has_rules(api: Api, current: str, new: str, field: str, rule: str) -> None:
    token = api.log_in()
    answer = api.call(
        "POST",
        "/auth/password",
        token=token,
        json_body={"currentPassword": current, "newPassword": new},
    )
    assert broken_rules(answer) == {(field, rule)}
    api.log_in()


def test_a_wallet_that_is_none(api: Api) -> None:
    answer = api.call("GET", "/wallets/0x12/orders", token="0" * 32 + "." + "0" * 64)
    assert broken_rules(answer) == {("address", "address")}
