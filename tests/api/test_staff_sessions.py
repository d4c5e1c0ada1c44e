"""Sessions of staff over HTTP (spec: Security)."""

import httpx
import pytest

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.staff import ACCESS_SECONDS, REPLAY_SECONDS, SESSION_SECONDS
from tests.api.harness import PASSWORD, Api
from tests.fakes import NOW, SITE, InterruptedStore, a_shop

NEW_PASSWORD = "a longer one of my own"


def log_in(api: Api, password: str = PASSWORD, username: str = "reception1") -> httpx.Response:
    return api.call("POST", "/auth/login", json_body={"username": username, "password": password})


def refresh(api: Api, refresh_token: str) -> httpx.Response:
    return api.call("POST", "/auth/refresh", json_body={"refreshToken": refresh_token})


def is_let_in(api: Api, token: str) -> bool:
    return api.call("GET", f"/reception/orders?site={SITE}", token=token).status_code == 200


def test_a_refresh_spends_both_tokens(api: Api) -> None:
    first = log_in(api).json()
    second = refresh(api, first["refreshToken"]).json()
    assert is_let_in(api, second["accessToken"])
    assert not is_let_in(api, first["accessToken"])
    third = refresh(api, second["refreshToken"])
    assert third.status_code == 200


def test_a_spent_refresh_token_ends_the_session_for_everybody(api: Api) -> None:
    first = log_in(api).json()
    other = log_in(api).json()
    second = refresh(api, first["refreshToken"]).json()
    api.clock.advance(REPLAY_SECONDS)
    stolen = refresh(api, first["refreshToken"])
    assert (stolen.status_code, stolen.json()["code"]) == (401, "UNAUTHENTICATED")
    assert not is_let_in(api, second["accessToken"])
    assert refresh(api, second["refreshToken"]).status_code == 401
    assert is_let_in(api, other["accessToken"])
    assert AuditAction.SESSION_REUSED in {item.action for item in api.audit_trail()}


def test_a_refresh_whose_answer_got_lost_is_sent_again(api: Api) -> None:
    first = log_in(api).json()
    lost = refresh(api, first["refreshToken"]).json()
    api.clock.advance(REPLAY_SECONDS - 1)
    again = refresh(api, first["refreshToken"])
    assert again.status_code == 200
    got = again.json()
    assert got["sessionEndsIn"] == SESSION_SECONDS - REPLAY_SECONDS + 1
    assert is_let_in(api, got["accessToken"])
    assert not is_let_in(api, lost["accessToken"])
    assert refresh(api, got["refreshToken"]).status_code == 200
    actions = [item.action for item in api.audit_trail()]
    assert actions == [AuditAction.LOGIN, AuditAction.REFRESH_REPEATED]


@pytest.mark.parametrize("void", ["spent twice ago", "of a lost answer", "an access token"])
def test_any_other_spent_token_ends_the_session_at_once(api: Api, void: str) -> None:
    first = log_in(api).json()
    second = refresh(api, first["refreshToken"]).json()
    if void == "spent twice ago":
        live, copied = refresh(api, second["refreshToken"]).json(), first["refreshToken"]
    elif void == "of a lost answer":
        live, copied = refresh(api, first["refreshToken"]).json(), second["refreshToken"]
    else:
        live, copied = second, second["accessToken"]
    assert is_let_in(api, live["accessToken"])
    answer = refresh(api, copied)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert not is_let_in(api, live["accessToken"])
    assert refresh(api, live["refreshToken"]).status_code == 401
    assert AuditAction.SESSION_REUSED in {item.action for item in api.audit_trail()}


def test_of_two_refreshes_at_once_one_is_told_to_try_again() -> None:
    rival: list[httpx.Response] = []
    store = InterruptedStore(
        a_shop(), before={2: lambda: rival.append(refresh(api, first["refreshToken"]))}
    )
    with Api(store=store) as api:
        first = log_in(api).json()
        answer = refresh(api, first["refreshToken"])
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert [one.status_code for one in rival] == [200]
        assert is_let_in(api, rival[0].json()["accessToken"])
        assert is_let_in(api, refresh(api, first["refreshToken"]).json()["accessToken"])


@pytest.mark.parametrize("token", ["rubbish", "a" * 32 + "." + "b" * 64])
def test_a_refresh_token_nobody_was_given(api: Api, token: str) -> None:
    answer = refresh(api, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


def test_no_session_outlives_eight_hours(api: Api) -> None:
    session = log_in(api).json()
    assert session["sessionEndsIn"] == SESSION_SECONDS
    while api.clock.time + ACCESS_SECONDS < NOW + SESSION_SECONDS:
        api.clock.advance(ACCESS_SECONDS - 1)
        answer = refresh(api, session["refreshToken"])
        assert answer.status_code == 200
        session = answer.json()
    left = NOW + SESSION_SECONDS - api.clock.time
    assert session["expiresIn"] <= ACCESS_SECONDS
    assert session["sessionEndsIn"] == left
    last = refresh(api, session["refreshToken"]).json()
    assert last["expiresIn"] == left
    api.clock.advance(left - 1)
    assert is_let_in(api, last["accessToken"])
    api.clock.advance(1)
    assert not is_let_in(api, last["accessToken"])
    assert refresh(api, last["refreshToken"]).status_code == 401


def test_an_access_token_runs_out_and_is_refreshed(api: Api) -> None:
    session = log_in(api).json()
    api.clock.advance(ACCESS_SECONDS - 1)
    assert is_let_in(api, session["accessToken"])
    api.clock.advance(1)
    assert not is_let_in(api, session["accessToken"])
    assert is_let_in(api, refresh(api, session["refreshToken"]).json()["accessToken"])


def test_revocation_bites_on_the_next_request(api: Api) -> None:
    session = log_in(api).json()
    assert is_let_in(api, session["accessToken"])
    api.change_staff("reception1", disabled=True, token_version=2)
    assert not is_let_in(api, session["accessToken"])
    assert refresh(api, session["refreshToken"]).status_code == 401
    refused = log_in(api)
    assert (refused.status_code, refused.json()["code"]) == (401, "LOGIN_REFUSED")


def test_who_must_change_the_password_can_do_nothing_else(api: Api) -> None:
    api.change_staff("reception1", must_change_password=True)
    session = log_in(api).json()
    assert session["staff"]["mustChangePassword"] is True
    token = session["accessToken"]
    answer = api.call("GET", f"/reception/orders?site={SITE}", token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "PASSWORD_CHANGE_REQUIRED")
    change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    assert api.call("POST", "/auth/password", token=token, json_body=change).status_code == 204
    assert is_let_in(api, token)
    assert log_in(api, NEW_PASSWORD).json()["staff"]["mustChangePassword"] is False


def test_a_new_password_ends_every_other_session(api: Api) -> None:
    here, there = log_in(api).json(), log_in(api).json()
    change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    done = api.call("POST", "/auth/password", token=here["accessToken"], json_body=change)
    assert done.status_code == 204
    assert is_let_in(api, here["accessToken"])
    assert not is_let_in(api, there["accessToken"])
    assert refresh(api, there["refreshToken"]).status_code == 401
    assert refresh(api, here["refreshToken"]).status_code == 200
    assert log_in(api).status_code == 401


def test_too_many_failures_lock_the_account_longer_and_longer(api: Api) -> None:
    for _ in range(5):
        refused = log_in(api, "not it")
        assert (refused.status_code, refused.json()["code"]) == (401, "LOGIN_REFUSED")
    waits = []
    for _ in range(4):
        locked = log_in(api)
        assert (locked.status_code, locked.json()["code"]) == (429, "LOCKED_OUT")
        waits.append(int(locked.headers["retry-after"]))
        api.clock.advance(waits[-1] + 60)
        assert log_in(api, "not it").status_code == 401
    assert waits == [30, 60, 120, 240]
    api.clock.advance(3600)
    assert log_in(api).status_code == 200
    # A good sign-in starts the count anew.
    assert log_in(api, "not it").status_code == 401
    assert log_in(api).status_code == 200


def test_guessing_the_current_password_locks_too(api: Api) -> None:
    token = log_in(api).json()["accessToken"]
    guess = {"currentPassword": "not it", "newPassword": NEW_PASSWORD}
    for _ in range(5):
        answer = api.call("POST", "/auth/password", token=token, json_body=guess)
        assert answer.status_code == 422
    locked = api.call("POST", "/auth/password", token=token, json_body=guess)
    assert (locked.status_code, locked.json()["code"]) == (429, "LOCKED_OUT")
    assert int(locked.headers["retry-after"]) == 30


def test_an_unknown_name_answers_like_a_wrong_password_and_as_slowly(api: Api) -> None:
    known, unknown = log_in(api, "not it"), log_in(api, "not it", "no.such.person")
    same = ("status", "code", "detail", "title", "type")
    assert {name: known.json()[name] for name in same} == {
        name: unknown.json()[name] for name in same
    }
    assert api.passwords.verified == 2


def test_what_was_tried_is_kept(api: Api) -> None:
    log_in(api, "not it")
    token = log_in(api).json()["accessToken"]
    answer = api.call("POST", "/auth/logout", token=token)
    kept = [(item.action, item.subject) for item in api.audit_trail()]
    assert kept == [
        (AuditAction.LOGIN_REFUSED, "reception1"),
        (AuditAction.LOGIN, "reception1"),
        (AuditAction.LOGOUT, "reception1"),
    ]
    assert api.audit_trail()[-1].request_id == answer.headers["x-request-id"]
