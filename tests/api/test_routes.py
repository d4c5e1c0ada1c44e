"""Every route does what it is for. `GOOD` has one entry for each: a new route needs its own."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import png
import pytest
from pydantic import BaseModel

from chalicelib.adapters.security import AesGcmSealer
from chalicelib.api.routing import Route, route_name
from chalicelib.api.table import ROUTES
from chalicelib.domain.order_hash import order_hash, text_ref
from chalicelib.domain.orders import OrderStatus, see_burn
from chalicelib.domain.progress import Heartbeat
from chalicelib.domain.redemptions import Outcome
from chalicelib.ports import StoreUnavailable, Update
from tests.api.harness import PASSWORD, Api, a_cursor
from tests.fakes import (
    AI_SUITE,
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    CUSTOMER_KEY,
    LISTENER,
    NOW,
    OTHER_SITE,
    ROOM,
    SITE,
    STRANGER,
    TTL,
    FixedClock,
    InterruptedStore,
    a_burn,
    a_shop,
    a_staff,
    an_order,
    in_status,
    sign_cancel,
    sign_text,
    stored,
)

MASKED = f"{CUSTOMER[:6]}…{CUSTOMER[-4:]}"
SERVICE = {
    "name": {"vi": "Phòng họp", "en": "Meeting Room"},
    "unit": {"vi": "1 giờ", "en": "1 hour"},
    "group": "A",
}


def wallet_token(api: Api, key: str = CUSTOMER_KEY, address: str = CUSTOMER) -> str:
    """A wallet's access token."""
    begun = api.call("POST", "/auth/wallet/nonce", json_body={"address": address}).json()
    signed = {"message": begun["message"], "signature": sign_text(key, begun["message"])}
    token: str = api.call("POST", "/auth/wallet/verify", json_body=signed).json()["accessToken"]
    return token


def good_get_health(api: Api) -> None:
    answer = api.call("GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def good_get_readiness(api: Api) -> None:
    api.add(a_cursor())
    answer = api.call("GET", "/health/ready")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert {name: check["ok"] for name, check in answer.json()["checks"].items()} == {
        "store": True,
        "listener": True,
        "rpc": True,
    }


def good_get_config(api: Api) -> None:
    answer = api.call("GET", "/config")
    assert answer.status_code == 200
    assert answer.json() == {
        "chainId": CHAIN_ID,
        "chainName": "BNB Smart Chain",
        "contractAddress": CONTRACT,
        "confirmations": 3,
        "finalityFallbackBlocks": 240,
        "explorerUrl": "https://explorer.example",
        "rpcUrls": [],
        "nativeCurrency": {"name": "BNB", "symbol": "BNB", "decimals": 18},
        "gasHelpUrl": None,
        "orderTtlSeconds": TTL,
        "brand": {"name": "5SOffice"},
        "eip712": {"name": "5SOffice Vouchers", "version": "1"},
    }


def good_get_catalog(api: Api) -> None:
    answer = api.call("GET", "/catalog")
    assert answer.status_code == 200
    assert answer.json()["types"][0] == {
        "tokenId": ROOM,
        **SERVICE,
        "sites": None,
        "requires": [],
        "minAmount": 1,
        "maxAmount": 100,
    }
    assert answer.json()["types"][1]["requires"] == ["aiAccount"]
    assert [site["siteId"] for site in answer.json()["sites"]] == [OTHER_SITE, SITE]


def good_get_metadata(api: Api) -> None:
    answer = api.call("GET", f"/metadata/{ROOM}")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Meeting Room"
    assert answer.json()["properties"]["tokenId"] == ROOM
    # What a client makes of `{id}` in an ERC-1155 URI.
    assert api.call("GET", f"/metadata/{ROOM:064x}").json() == answer.json()
    assert api.call("GET", f"/metadata/{ROOM:064X}").json() == answer.json()


def good_create_order(api: Api) -> None:
    answer = api.place(amount=2)
    assert answer.status_code == 201
    made = answer.json()
    assert made["qrPayload"] == f"5SOV://order/{made['orderId']}"
    assert (made["status"], made["expiresAt"]) == ("CREATED", NOW + TTL)
    assert made["order"] == {
        "orderRef": text_ref(made["orderId"]),
        "customer": CUSTOMER,
        "tokenId": ROOM,
        "amount": 2,
        "siteRef": text_ref(SITE),
        "expiresAt": NOW + TTL,
    }
    assert made["orderHash"] == order_hash(
        order_id=made["orderId"],
        customer=CUSTOMER,
        token_id=ROOM,
        amount=2,
        site_id=SITE,
        expires_at=NOW + TTL,
    )
    assert ("OrdersCreated", 1, "Count") in api.telemetry.metrics


def good_get_order(api: Api) -> None:
    plain = an_order()
    burn = a_burn(plain, serial=41, log_index=3)
    order = api.add_order(see_burn(plain, burn, actor=LISTENER, at=NOW, request_id="req"))
    answer = api.call("GET", f"/orders/{order.order_id}")
    assert answer.status_code == 200
    assert order.burn is not None
    assert answer.json() == {
        "orderId": order.order_id,
        "status": "PENDING_CHAIN",
        "orderHash": order.order_hash,
        "siteId": SITE,
        "tokenId": ROOM,
        "amount": 1,
        "customerAddressMasked": MASKED,
        "service": SERVICE,
        "createdAt": "2026-11-21T10:00:00Z",
        "expiresAt": NOW + TTL,
        "redeemable": False,
        "reason": "BURN_SEEN",
        "transactionHints": [],
        "order": {
            "orderRef": order.order_ref,
            "customer": CUSTOMER,
            "tokenId": ROOM,
            "amount": 1,
            "siteRef": order.site_ref,
            "expiresAt": NOW + TTL,
        },
        "chain": {
            "txHash": order.burn.tx_hash,
            "blockNumber": 100,
            "blockHash": order.burn.block.hash,
            "blockTime": order.burn.block.time,
            "logIndex": 3,
            "serial": "41",
            "confirmations": 2,
            "required": 3,
            "final": False,
            "explorerUrl": f"https://explorer.example/tx/{order.burn.tx_hash}",
        },
    }


def good_get_order_qr_svg(api: Api) -> None:
    order = api.add_order(an_order())
    answer = api.call("GET", f"/orders/{order.order_id}/qr.svg")
    assert answer.status_code == 200
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (
        answer.content
        != api.call("GET", f"/orders/{api.add_order(an_order(2)).order_id}/qr.svg").content
    )


def good_get_order_qr_png(api: Api) -> None:
    order = api.add_order(an_order())
    answer = api.call("GET", f"/orders/{order.order_id}/qr.png")
    assert answer.status_code == 200
    width, height, _, _ = png.Reader(bytes=answer.content).read()
    assert width == height > 100


def good_add_transaction_hint(api: Api) -> None:
    order = api.add_order(an_order())
    hints = [f"0x{number:064x}" for number in range(1, 5)]
    answers = [
        api.call("POST", f"/orders/{order.order_id}/transaction", json_body={"txHash": tx_hash})
        for tx_hash in hints
    ]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert answers[-1].json() == {"orderId": order.order_id, "transactionHints": hints[:3]}
    assert api.store.order(order.order_id).status is OrderStatus.CREATED


def good_cancel(api: Api) -> None:
    order = api.add_order(an_order())
    signed = {
        "deadline": NOW + 600,
        "signature": sign_cancel(CUSTOMER_KEY, order_hash=order.order_hash, deadline=NOW + 600),
    }
    for _ in range(2):
        answer = api.call("POST", f"/orders/{order.order_id}/cancel", json_body=signed)
        assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
        assert answer.json()["reason"] == "CANCELLED"
    assert len(api.store.order(order.order_id).history) == 2


def good_begin_sign_in(api: Api) -> None:
    answer = api.call("POST", "/auth/wallet/nonce", json_body={"address": CUSTOMER.lower()})
    assert answer.status_code == 200
    assert answer.json()["expiresAt"] == NOW + 300
    assert CUSTOMER in answer.json()["message"]


def good_finish_sign_in(api: Api) -> None:
    begun = api.call("POST", "/auth/wallet/nonce", json_body={"address": CUSTOMER}).json()
    signature = sign_text(CUSTOMER_KEY, begun["message"])
    answer = api.call(
        "POST",
        "/auth/wallet/verify",
        json_body={"message": begun["message"], "signature": signature},
    )
    assert answer.status_code == 200
    assert (answer.json()["address"], answer.json()["expiresIn"]) == (CUSTOMER, 3600)


def good_list_wallet_orders(api: Api) -> None:
    mine = [an_order(number, created_at=NOW - number) for number in range(1, 23)]
    api.add(*mine, an_order(99, customer=STRANGER))
    token = wallet_token(api)
    first = api.call("GET", f"/wallets/{CUSTOMER.lower()}/orders", token=token)
    assert first.status_code == 200
    cursor = first.json()["nextCursor"]
    second = api.call("GET", f"/wallets/{CUSTOMER}/orders?cursor={cursor}", token=token)
    listed = [*first.json()["items"], *second.json()["items"]]
    assert [item["orderId"] for item in listed] == [order.order_id for order in mine]
    assert second.json()["nextCursor"] is None


def good_login(api: Api) -> None:
    answer = api.call(
        "POST", "/auth/login", json_body={"username": "reception1", "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert answer.json()["expiresIn"] == 900
    assert answer.json()["staff"] == {
        "username": "reception1",
        "displayName": "Reception1",
        "role": "RECEPTION",
        "sites": [SITE],
        "mustChangePassword": False,
    }


def good_refresh(api: Api) -> None:
    given = api.call(
        "POST", "/auth/login", json_body={"username": "boss1", "password": PASSWORD}
    ).json()
    answer = api.call("POST", "/auth/refresh", json_body={"refreshToken": given["refreshToken"]})
    assert answer.status_code == 200
    assert answer.json()["staff"]["role"] == "ADMIN"
    assert answer.json()["accessToken"] != given["accessToken"]


def good_logout(api: Api) -> None:
    token = api.log_in()
    assert api.call("POST", "/auth/logout", token=token).status_code == 204
    assert api.call("POST", "/auth/logout", token=token).status_code == 401


def good_set_password(api: Api) -> None:
    token = api.log_in()
    change = {"currentPassword": PASSWORD, "newPassword": "twelve or more of them"}
    assert api.call("POST", "/auth/password", token=token, json_body=change).status_code == 204
    api.log_in(password="twelve or more of them")


def good_get_reception_order(api: Api) -> None:
    sealer = AesGcmSealer([("k1", bytes(range(32)))])
    plain = an_order(token_id=AI_SUITE)
    sealed = replace(plain, sealed_meta=sealer.seal(plain.order_id, {"aiAccount": "a@b.example"}))
    order = api.add_order(in_status(OrderStatus.VALID, sealed))
    answer = api.call(
        "GET",
        f"/reception/orders/{order.order_id}",
        token=api.log_in(),
        headers={"X-Input-Method": "camera", "X-Device-Id": "desk-7"},
    )
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["deliverable"], seen["reason"], seen["delivered"]) == (True, None, None)
    assert seen["customerAddress"] == CUSTOMER
    assert seen["customerMeta"] == {"aiAccount": "a@b.example"}
    assert seen["chain"]["final"] is True
    scan = api.audit_trail()[-1]
    assert scan.subject == order.order_hash
    assert scan.detail == {"answer": "DELIVERABLE", "inputMethod": "camera", "device": "desk-7"}


def good_list_reception_orders(api: Api) -> None:
    valid, created = in_status(OrderStatus.VALID, an_order(1)), an_order(2)
    done = in_status(OrderStatus.DELIVERED, an_order(3))
    for order in (valid, created, done, an_order(4, site_id=OTHER_SITE)):
        api.add_order(order)
    token = api.log_in()
    everything = api.call("GET", "/reception/orders", token=token)
    assert {item["orderHash"] for item in everything.json()["items"]} == {
        valid.order_hash,
        created.order_hash,
        done.order_hash,
    }
    assert "ORD_" not in everything.text
    some = api.call("GET", f"/reception/orders?site={SITE}&status=VALID,DELIVERED", token=token)
    assert some.status_code == 200
    by_hash = {item["orderHash"]: item for item in some.json()["items"]}
    assert set(by_hash) == {valid.order_hash, done.order_hash}
    assert by_hash[done.order_hash]["deliveredBy"] == "reception1"
    assert by_hash[done.order_hash]["deliveredByName"] == "Reception1"
    assert "deliveredBy" not in by_hash[valid.order_hash]
    assert "exception" not in by_hash[done.order_hash]


def test_reception_is_told_of_a_delivered_order_whose_burn_the_chain_took_back(api: Api) -> None:
    order = api.add_order(replace(in_status(OrderStatus.DELIVERED), burn=None))
    token = api.log_in()
    seen = api.call("GET", f"/reception/orders/{order.order_id}", token=token).json()
    assert (seen["status"], seen["exception"]) == ("DELIVERED", "DELIVERED_REORGED")
    assert seen["reason"]["code"] == "ALREADY_DELIVERED"
    assert seen["delivered"]["byName"] == "Reception1"
    assert "chain" not in seen
    (listed,) = api.call("GET", "/reception/orders", token=token).json()["items"]
    assert listed["exception"] == "DELIVERED_REORGED"


def test_a_queue_is_searched_by_time_hash_and_wallet(api: Api) -> None:
    orders = [an_order(number, created_at=NOW + number) for number in range(5)]
    foreign = an_order(9, created_at=NOW + 9, customer=STRANGER)
    api.add(*orders, foreign, an_order(10, site_id=OTHER_SITE))
    token = api.log_in()

    def found(query: str) -> list[str]:
        answer = api.call("GET", f"/reception/orders?{query}", token=token)
        assert answer.status_code == 200, answer.text
        assert "ORD_" not in answer.text
        return [item["orderHash"] for item in answer.json()["items"]]

    hashes = [order.order_hash for order in orders]
    assert sorted(found(f"from={NOW + 1}&to={NOW + 3}")) == sorted(hashes[1:4])
    assert found(f"search={hashes[2]}") == [hashes[2]]
    assert found(f"search={hashes[2][2:12].upper()}") == [hashes[2]]
    assert found(f"search={STRANGER}") == [foreign.order_hash]
    assert found(f"search={STRANGER[-4:]}&status=CREATED") == [foreign.order_hash]
    assert found(f"search={STRANGER[-4:]}&status=VALID") == []
    assert found(f"search={STRANGER[-4:]}&to={NOW}") == []


def test_a_desk_whose_answer_was_lost_learns_that_it_delivered(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.VALID))
    path = f"/orders/{order.order_id}/deliver"
    api.add(a_staff("reception2", display_name="Chị Lan"))
    mine, hers = api.log_in("reception2"), api.log_in()
    headers = {"Idempotency-Key": "m" * 22, "X-Input-Method": "wedge", "X-Device-Id": "desk-7"}
    first = api.call("POST", path, token=mine, headers=headers)
    api.clock.advance(600)
    again = api.call("POST", path, token=mine, headers=headers, json_body={"note": "later"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert first.json()["alreadyDelivered"] is False
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    for token, others in ((mine, {"Idempotency-Key": "n" * 22}), (mine, {}), (hers, headers)):
        told = api.call("POST", path, token=token, headers=others)
        assert told.json() == {**first.json(), "alreadyDelivered": True}
        assert told.json()["deliveredByName"] == "Chị Lan"
    delivery = api.store.order(order.order_id).delivery
    assert (delivery.input_method, delivery.device) == ("wedge", "desk-7")
    assert "m" * 22 not in repr(api.store._records)
    assert api.telemetry.metrics.count(("OrdersDelivered", 1, "Count")) == 1
    seen = api.call("GET", f"/reception/orders/{order.order_id}", token=hers).json()
    assert seen["delivered"] == {
        "at": "2026-11-21T10:00:00Z",
        "by": "reception2",
        "byName": "Chị Lan",
        "site": SITE,
        "note": "",
    }


def test_what_a_receipt_proves_is_told_to_the_holder_of_the_id(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.DELIVERED))
    assert order.burn is not None
    seen = api.call("GET", f"/orders/{order.order_id}").json()
    assert (seen["deliveredAt"], seen["deliveredSite"]) == ("2026-11-21T10:01:30Z", SITE)
    assert seen["chain"]["blockHash"] == order.burn.block.hash
    assert seen["chain"]["final"] is True
    # By whom, and what was noted, is the staff's own.
    assert "reception1" not in json.dumps(seen)
    (listed,) = api.call("GET", f"/wallets/{CUSTOMER}/orders", token=wallet_token(api)).json()[
        "items"
    ]
    assert listed == {name: value for name, value in seen.items() if name != "chain"}


def test_where_gas_is_to_be_had_on_the_testnet() -> None:
    with Api(settings={"CHAIN_ID": "97"}) as api:
        told = api.call("GET", "/config").json()["gasHelpUrl"]
        assert told == "https://www.bnbchain.org/en/testnet-faucet"


def good_deliver_order(api: Api) -> None:
    order = api.add_order(in_status(OrderStatus.VALID, an_order(token_id=AI_SUITE, amount=2)))
    path, token = f"/orders/{order.order_id}/deliver", api.log_in()
    first = api.call("POST", path, token=token, json_body={"note": "two\nmonths"})
    assert first.status_code == 200
    assert first.json() == {
        "orderId": order.order_id,
        "status": "DELIVERED",
        "deliveredAt": "2026-11-21T10:00:00Z",
        "deliveredBy": "reception1",
        "deliveredByName": "Reception1",
        "deliveredSite": SITE,
        "alreadyDelivered": False,
        "entitledUntil": NOW + 60 * 86_400,
    }
    api.clock.advance(60)
    again = api.call("POST", path, token=token)
    assert again.json() == {**first.json(), "alreadyDelivered": True}
    assert api.store.order(order.order_id).delivery.note == "two\nmonths"
    assert api.telemetry.metrics.count(("OrdersDelivered", 1, "Count")) == 1


GOOD: dict[str, Callable[[Api], None]] = {
    name.removeprefix("good_"): check
    for name, check in list(globals().items())
    if name.startswith("good_")
}


@pytest.mark.parametrize("route", ROUTES, ids=route_name)
def test_every_route_does_what_it_is_for(api: Api, route: Route) -> None:
    GOOD[route_name(route)](api)
    assert any(
        event["route"] == route.template and event["method"] == route.method
        for event in api.telemetry.events
        if event["name"] == "request"
    )


def test_catalog_is_sent_once_while_nothing_changes(api: Api) -> None:
    etag = api.call("GET", "/catalog").headers["etag"]
    for given in (etag, f'"other", W/{etag}', "*"):
        again = api.call("GET", "/catalog", headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    catalogue = api.store.catalogue()
    api.store.commit([Update(replace(catalogue, types=catalogue.types[:1], version=2))])
    changed = api.call("GET", "/catalog", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)


def test_a_disabled_site_is_not_offered(api: Api) -> None:
    (site,) = (one for one in api.store.sites() if one.site_id == SITE)
    api.store.commit([Update(replace(site, enabled=False, version=2))])
    assert [one["siteId"] for one in api.call("GET", "/catalog").json()["sites"]] == [OTHER_SITE]


def test_not_ready_names_what_fails() -> None:
    block = a_cursor().proven
    late = replace(
        a_cursor(),
        heartbeat=Heartbeat(at=NOW, succeeded_at=NOW - 500, head=block, error="rpc.example: key k"),
    )
    with Api(store=stored(a_shop(), late)) as api:
        answer = api.call("GET", "/health/ready")
        assert answer.status_code == 503
        assert answer.json()["ready"] is False
        assert answer.json()["checks"] == {
            "store": {"ok": True, "detail": ""},
            "listener": {"ok": False, "detail": "last succeeded 500 seconds ago"},
            "rpc": {
                "ok": False,
                "detail": "the listener's last pass failed; its log says why",
            },
        }


def test_customer_meta_is_encrypted_at_rest_and_never_shown_to_the_holder(api: Api) -> None:
    made = api.place(tokenId=AI_SUITE, customerMeta={"aiAccount": "secret@example.org"}).json()
    stored_order = api.store.order(made["orderId"])
    assert b"secret" not in stored_order.sealed_meta
    assert "secret" not in api.call("GET", f"/orders/{made['orderId']}").text
    assert "secret" not in json.dumps(api.telemetry.events)


def test_a_repeat_with_the_same_key_answers_with_the_same_order(api: Api) -> None:
    first = api.place()
    api.clock.advance(30)
    again = api.place()
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = api.place(key="x" * 22)
    assert other.json()["orderId"] != first.json()["orderId"]
    # A key belongs to a wallet: another one's order is not found by it.
    assert api.place(customerAddress=STRANGER).status_code == 201


def test_an_order_in_each_status_says_whether_it_can_be_redeemed(api: Api) -> None:
    for number, (status, reason) in enumerate(
        {
            OrderStatus.CREATED: None,
            OrderStatus.PENDING_CHAIN: "BURN_SEEN",
            OrderStatus.VALID: "BURN_SEEN",
            OrderStatus.DELIVERED: "ALREADY_DELIVERED",
            OrderStatus.EXPIRED: "EXPIRED",
            OrderStatus.CANCELLED: "CANCELLED",
        }.items(),
        start=1,
    ):
        order = api.add_order(in_status(status, an_order(number)))
        seen = api.call("GET", f"/orders/{order.order_id}").json()
        assert (seen["status"], seen["redeemable"], seen.get("reason")) == (
            status.value,
            reason is None,
            reason,
        )
    api.clock.advance(TTL + 1)
    late = api.call("GET", f"/orders/{an_order(1).order_id}").json()
    assert (late["redeemable"], late["reason"]) == (False, "EXPIRY_BEING_CHECKED")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (OrderStatus.CREATED, "NOT_BURNED_YET"),
        (OrderStatus.PENDING_CHAIN, "WAITING_FOR_CONFIRMATIONS"),
        (OrderStatus.DELIVERED, "ALREADY_DELIVERED"),
        (OrderStatus.EXPIRED, "EXPIRED"),
        (OrderStatus.CANCELLED, "CANCELLED"),
    ],
)
def test_reception_is_told_why_an_order_cannot_be_delivered(
    api: Api, status: OrderStatus, code: str
) -> None:
    order = api.add_order(in_status(status))
    seen = api.call("GET", f"/reception/orders/{order.order_id}", token=api.log_in()).json()
    assert seen["deliverable"] is False
    assert seen["reason"]["code"] == code
    assert all(seen["reason"]["message"][language].endswith(".") for language in ("vi", "en"))
    assert (seen["delivered"] is not None) == (status is OrderStatus.DELIVERED)


def test_personal_data_stays_with_the_site_it_was_given_to(api: Api) -> None:
    sealer = AesGcmSealer([("k1", bytes(range(32)))])
    plain = an_order(token_id=AI_SUITE, site_id=OTHER_SITE)
    order = api.add_order(
        replace(plain, sealed_meta=sealer.seal(plain.order_id, {"aiAccount": "a@b.example"}))
    )
    seen = api.call("GET", f"/reception/orders/{order.order_id}", token=api.log_in())
    assert seen.json()["reason"]["code"] == "WRONG_SITE"
    assert seen.json()["customerMeta"] is None
    assert "a@b.example" not in seen.text


def test_a_store_that_fails_is_said_so_and_when_to_come_back() -> None:
    def fail() -> None:
        raise StoreUnavailable("the engine says why")

    store = InterruptedStore(a_shop(), before={1: fail})
    with Api(store=store) as api:
        answer = api.place()
        assert "engine" not in answer.text
        assert api.telemetry.events[-1]["cause"] == "the engine says why"
        assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        # The same request goes through once the store is back.
        assert api.place().status_code == 201


def test_a_record_of_ours_that_does_not_validate_is_a_fault_and_no_bad_input() -> None:
    class Stored(BaseModel):
        amount: int

    def fail() -> None:
        Stored.model_validate({})

    with Api(store=InterruptedStore(a_shop(), before={1: fail})) as api:
        answer = api.place()
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
        assert "amount" not in answer.text
        assert ("ApiFaults", 1, "Count") in api.telemetry.metrics


def test_a_fault_of_ours_tells_the_caller_nothing_and_the_log_everything() -> None:
    order = an_order()

    def fail() -> None:
        raise KeyError(f"no such thing: {order.order_id}")

    store = InterruptedStore(stored(a_shop(), order), before={1: fail})
    with Api(store=store, clock=FixedClock()) as api:
        answer = api.place()
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
        assert "KeyError" not in answer.text
        (fault,) = (event for event in api.telemetry.events if event["name"] == "fault")
        assert fault["requestId"] == answer.json()["requestId"]
        assert fault["level"] == "ERROR"
        assert "KeyError" in fault["stack"]
        assert order.order_id not in fault["stack"]
        assert ("ApiFaults", 1, "Count") in api.telemetry.metrics


def test_a_burn_that_does_not_fit_is_told_to_customer_and_reception(api: Api) -> None:
    order = api.add_order(replace(an_order(), exception=Outcome.WRONG_AMOUNT))
    shown = api.call("GET", f"/orders/{order.order_id}").json()
    assert (shown["exception"], shown["reason"]) == ("WRONG_AMOUNT", "EXCEPTION")
    assert not shown["redeemable"]
    scanned = api.call("GET", f"/reception/orders/{order.order_id}", token=api.log_in()).json()
    assert (scanned["exception"], scanned["reason"]["code"]) == ("WRONG_AMOUNT", "EXCEPTION")
    assert not scanned["deliverable"]
