"""Who is refused where: every route against every kind of caller, from the route table itself."""

from collections.abc import Callable

import pytest

from chalicelib.api.routing import Access, Route, route_name
from chalicelib.api.table import ROUTES
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.staff import ACCESS_SECONDS, WALLET_SESSION_SECONDS
from tests.api.harness import Api
from tests.api.test_routes import wallet_token
from tests.fakes import CUSTOMER, STRANGER, STRANGER_KEY, an_order, in_status

Caller = Callable[[Api], str | None]


def nobody(_api: Api) -> None:
    """No token at all."""


def somebody_with_rubbish(_api: Api) -> str:
    return "rubbish"


def somebody_with_an_unknown_token(_api: Api) -> str:
    return "a" * 32 + "." + "b" * 64


def somebody_with_half_a_token(api: Api) -> str:
    """The right session, another secret."""
    return api.log_in().partition(".")[0] + "." + "0" * 64


def receptionist(api: Api) -> str:
    return api.log_in()


def administrator(api: Api) -> str:
    return api.log_in("boss1")


def newcomer(api: Api) -> str:
    """Somebody who has to change the password first."""
    api.change_staff("reception1", must_change_password=True)
    return api.log_in()


def somebody_disabled(api: Api) -> str:
    token = api.log_in()
    api.change_staff("reception1", disabled=True)
    return token


def somebody_revoked(api: Api) -> str:
    token = api.log_in()
    api.change_staff("reception1", token_version=2)
    return token


def somebody_signed_out(api: Api) -> str:
    token = api.log_in()
    api.call("POST", "/auth/logout", token=token)
    return token


def somebody_late(api: Api) -> str:
    """The access token has run out."""
    token = api.log_in()
    api.clock.advance(ACCESS_SECONDS)
    return token


def somebody_with_a_refresh_token(api: Api) -> str:
    """A refresh token opens nothing but `/auth/refresh`."""
    body = {"username": "reception1", "password": "correct horse battery"}
    token: str = api.call("POST", "/auth/login", json_body=body).json()["refreshToken"]
    return token


def own_wallet(api: Api) -> str:
    return wallet_token(api)


def own_wallet_late(api: Api) -> str:
    token = wallet_token(api)
    api.clock.advance(WALLET_SESSION_SECONDS)
    return token


def another_wallet(api: Api) -> str:
    return wallet_token(api, STRANGER_KEY, STRANGER)


UNAUTHENTICATED = (401, "UNAUTHENTICATED")
STAFF_CALLERS: dict[Caller, tuple[int, str] | None] = {
    receptionist: None,
    administrator: (403, "FORBIDDEN_ROLE"),
    newcomer: (403, "PASSWORD_CHANGE_REQUIRED"),
}
STRANGERS: tuple[Caller, ...] = (
    nobody,
    somebody_with_rubbish,
    somebody_with_an_unknown_token,
    somebody_with_half_a_token,
    somebody_disabled,
    somebody_revoked,
    somebody_signed_out,
    somebody_late,
    somebody_with_a_refresh_token,
)
WALLETS: tuple[Caller, ...] = (own_wallet, own_wallet_late, another_wallet)
EVERYBODY = (*STAFF_CALLERS, *STRANGERS, *WALLETS)


def expected(access: Access, caller: Caller) -> tuple[int, str] | None:
    """The refusal that `caller` meets; `None` where let in."""
    if access is Access.PUBLIC:
        return None
    if access is Access.WALLET:
        if caller is own_wallet:
            return None
        return (403, "FORBIDDEN_WALLET") if caller is another_wallet else UNAUTHENTICATED
    if caller not in STAFF_CALLERS:
        return UNAUTHENTICATED
    return None if access is Access.STAFF else STAFF_CALLERS[caller]


@pytest.mark.parametrize("caller", EVERYBODY, ids=lambda caller: caller.__name__)
@pytest.mark.parametrize("route", ROUTES, ids=route_name)
def test_everybody_at_every_door(api: Api, route: Route, caller: Caller) -> None:
    order = api.add_order(in_status(OrderStatus.VALID, an_order()))
    values = {"orderId": order.order_id, "address": CUSTOMER, "tokenId": "1001"}
    token = caller(api)
    before = api.snapshot()
    answer = api.call(
        route.method,
        route.path.format(**values),
        token=token,
        # Whoever is let in meets this next: it proves that rights are looked at first.
        content=b"no json" if route.takes_body else None,
    )
    refusal = expected(route.access, caller)
    if refusal is None:
        assert answer.status_code not in (401, 403)
        if route.takes_body:
            assert answer.json()["code"] == "MALFORMED_JSON"
        return
    assert (answer.status_code, answer.json()["code"]) == refusal
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    assert api.snapshot() == before


def test_every_kind_of_door_is_there() -> None:
    assert {route.access for route in ROUTES} == set(Access)


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "Token", ""])
def test_tokens_come_as_bearer(api: Api, scheme: str) -> None:
    token = api.log_in()
    answer = api.call(
        "POST", "/auth/logout", headers={"Authorization": f"{scheme} {token}".strip()}
    )
    assert answer.status_code == (204 if scheme == "bearer" else 401)
