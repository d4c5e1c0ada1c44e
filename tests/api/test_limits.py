"""Too many requests, and who counts as one client."""

import httpx
import pytest
from chalice.app import Request

from chalicelib.api.client import client_of, request_id_of
from tests.api.harness import KEY, PASSWORD, Api
from tests.fakes import CUSTOMER, NOW, ROOM, SITE, STRANGER, an_order

BEHIND_A_PROXY = {"TRUSTED_PROXY_HOPS": "1"}


def place(api: Api, number: int, wallet: str, client: str = "203.0.113.7") -> httpx.Response:
    return api.call(
        "POST",
        "/orders",
        json_body={"customerAddress": wallet, "tokenId": ROOM, "amount": 1, "siteId": SITE},
        headers={"Idempotency-Key": f"{KEY}{number}", "X-Forwarded-For": client},
    )


def is_limited(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json().get("code")) == (429, "RATE_LIMITED")


def test_ten_orders_a_minute_for_a_wallet_from_one_address() -> None:
    with Api(settings=BEHIND_A_PROXY) as api:
        api.clock.advance(15)
        assert all(place(api, number, CUSTOMER).status_code == 201 for number in range(10))
        before = api.snapshot()
        refused = place(api, 10, CUSTOMER)
        assert is_limited(refused)
        assert refused.headers["retry-after"] == "45"
        assert api.snapshot() == before
        assert place(api, 11, STRANGER).status_code == 201
        assert place(api, 12, CUSTOMER, "203.0.113.8").status_code == 201
        api.clock.advance(45)
        assert place(api, 13, CUSTOMER).status_code == 201
        assert ("RateLimited", 1, "Count") in api.telemetry.metrics


def test_sixty_orders_a_minute_from_one_address() -> None:
    with Api(settings=BEHIND_A_PROXY) as api:
        wallets = [f"0x{number:040x}" for number in range(1, 62)]
        answers = [place(api, number, wallet) for number, wallet in enumerate(wallets)]
        assert [answer.status_code for answer in answers] == [201] * 60 + [429]
        assert place(api, 99, wallets[0], "203.0.113.8").status_code == 201


def test_customers_cannot_use_up_the_desks_sign_ins(api: Api) -> None:
    begun = [
        api.call("POST", "/auth/wallet/nonce", json_body={"address": CUSTOMER}) for _ in range(21)
    ]
    assert is_limited(begun[-1])
    assert api.log_in()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("transaction", {"txHash": "0x" + "ab" * 32}),
        ("cancel", {"deadline": NOW, "signature": "0x" + "11" * 65}),
    ],
)
def test_sixty_changes_of_orders_a_minute_from_one_address(
    api: Api, path: str, body: dict[str, object]
) -> None:
    order = api.add_order(an_order())
    url = f"/orders/{order.order_id}/{path}"
    assert not any(is_limited(api.call("POST", url, json_body=body)) for _ in range(60))
    before = api.snapshot()
    assert is_limited(api.call("POST", url, json_body=body))
    assert api.snapshot() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/login", {"username": "nobody", "password": PASSWORD}),
        ("/auth/wallet/nonce", {"address": CUSTOMER}),
        ("/auth/wallet/verify", {"message": "m", "signature": "0x" + "11" * 65}),
    ],
)
def test_twenty_sign_ins_a_minute_from_one_address(
    api: Api, path: str, body: dict[str, str]
) -> None:
    for _ in range(20):
        assert not is_limited(api.call("POST", path, json_body=body))
    worked = api.passwords.verified
    refused = api.call("POST", path, json_body=body)
    assert is_limited(refused)
    assert refused.headers["retry-after"] == "60"
    assert api.passwords.verified == worked
    api.clock.advance(60)
    assert not is_limited(api.call("POST", path, json_body=body))


def test_a_client_cannot_choose_its_address(api: Api) -> None:
    # No proxy is trusted, so what the client writes about itself does not count.
    for number in range(10):
        assert place(api, number, CUSTOMER, f"203.0.113.{number}").status_code == 201
    assert is_limited(place(api, 10, CUSTOMER, "203.0.113.200"))


def a_request(*, forwarded: str | None, peer: str | None, **headers: str) -> Request:
    """A request as a gateway hands it on."""
    if forwarded is not None:
        headers["x-forwarded-for"] = forwarded
    return Request(
        {
            "headers": headers,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "requestContext": {
                "httpMethod": "GET",
                "resourcePath": "/",
                "identity": {"sourceIp": peer},
                "requestId": "0f0f0f0f-0000-4000-8000-00000000000f",
            },
            "stageVariables": None,
            "body": None,
        }
    )


@pytest.mark.parametrize(
    ("hops", "forwarded", "peer", "client"),
    [
        (0, "198.51.100.1", "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.9", "203.0.113.9"),
        (1, None, "203.0.113.9", "203.0.113.9"),
        (1, "rubbish", "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "10.0.0.1", "2001:db8:1:2::/64"),
        (0, None, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, None, "::ffff:203.0.113.9", "203.0.113.9"),
        (0, None, "fe80::1%eth0", "fe80::/64"),
        (0, None, None, ""),
    ],
)
def test_who_the_client_is(hops: int, forwarded: str | None, peer: str | None, client: str) -> None:
    assert client_of(a_request(forwarded=forwarded, peer=peer), hops) == client


def test_the_gateway_names_the_request_unless_the_caller_did() -> None:
    gateways = "0f0f0f0f-0000-4000-8000-00000000000f"
    mine = "11111111-2222-4333-8444-555555555555"

    def named(given: str) -> str:
        return request_id_of(a_request(forwarded=None, peer=None, **{"x-request-id": given}))

    assert named(mine.upper()) == mine
    for other in ("", "mine", mine + "0", "ORD_20261121_0000000000000000", "x\ny"):
        assert named(other) == gateways
