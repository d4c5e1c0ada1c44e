"""Staff rules: names, passwords, lock-out, sessions, rights."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import Forbidden, InvalidInput, TooMany, Unauthenticated
from chalicelib.domain.staff import (
    Role,
    Session,
    SessionKind,
    Staff,
    after_failed_login,
    after_good_login,
    check_access,
    check_owner,
    check_password,
    check_role,
    check_site,
    check_username,
    lock_seconds,
    may_come_again,
    same_secret,
    token_hash,
    with_disabled,
    with_password,
)
from tests.fakes import NOW, OTHER_SITE, SITE, a_staff, an_admin

SESSION = Session(
    session_id="s",
    kind=SessionKind.STAFF,
    subject="reception1",
    token_version=1,
    access_hash=token_hash("secret"),
    access_expires_at=NOW + 900,
    refresh_hash=token_hash("refresh"),
    started_at=NOW,
    expires_at=NOW + 28_800,
)


@pytest.mark.parametrize("name", ["abc", "a.b-c_9", "9" * 32])
def test_usernames(name: str) -> None:
    assert check_username(name) == name


@pytest.mark.parametrize("name", ["", "ab", "a" * 33, "Abc", "-abc", "a c", "abc\n", "nguyễn"])
def test_other_usernames_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_username(name)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("username", "pattern")]


@pytest.mark.parametrize("password", ["x" * 12, "x" * 128, "mật khẩu dài lắm"])
def test_length_is_what_makes_a_password(password: str) -> None:
    assert check_password(password, username="linh") == password


@pytest.mark.parametrize(
    ("password", "rule"),
    [("x" * 11, "length"), ("x" * 129, "length"), ("my name is LINH", "username")],
)
def test_poor_passwords_are_refused_without_being_repeated(password: str, rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(password, username="linh", field="newPassword")
    assert [(e.field, e.rule) for e in refused.value.fields] == [("newPassword", rule)]
    assert password not in str(refused.value)


def test_the_lock_begins_at_the_fifth_failure_and_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [lock_seconds(failures) for failures in range(12)] == [
        0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900
    ]  # fmt: skip


@given(st.integers(0, 10**12))
def test_no_number_of_failures_locks_for_longer(failures: int) -> None:
    assert 0 <= lock_seconds(failures) <= 900
    assert lock_seconds(failures) <= lock_seconds(failures + 1)


def test_failures_count_until_a_good_login() -> None:
    staff = a_staff()
    for number in range(1, 6):
        staff = after_failed_login(staff, at=NOW)
        assert (staff.failures, staff.version) == (number, number + 1)
        assert staff.locked_until == NOW + (30 if number == 5 else 0)
    assert after_good_login(staff) == a_staff(version=7)


def test_a_new_password_ends_sessions_and_unlocks() -> None:
    staff = a_staff(failures=9, locked_until=NOW + 900, token_version=3)
    changed = with_password(staff, "hash", must_change=True)
    assert changed == a_staff(
        password_hash="hash", must_change_password=True, token_version=4, version=2
    )


@pytest.mark.parametrize("disabled", [True, False])
def test_disabling_and_enabling_end_sessions(disabled: bool) -> None:
    changed = with_disabled(a_staff(disabled=not disabled), disabled=disabled)
    assert changed == a_staff(disabled=disabled, token_version=2, version=2)


def test_secrets_are_kept_hashed() -> None:
    assert token_hash("x") != "x"
    assert same_secret("x", token_hash("x"))
    assert not same_secret("y", token_hash("x"))
    assert not same_secret("", "")


def test_a_live_session_is_let_in() -> None:
    assert check_access(SESSION, "secret", kind=SessionKind.STAFF, at=NOW + 899) is SESSION


@pytest.mark.parametrize(
    ("session", "secret", "kind", "at"),
    [
        (None, "secret", SessionKind.STAFF, NOW),
        (SESSION, "wrong", SessionKind.STAFF, NOW),
        (SESSION, "refresh", SessionKind.STAFF, NOW),
        (SESSION, "secret", SessionKind.WALLET, NOW),
        (SESSION, "secret", SessionKind.STAFF, NOW + 900),
        (
            replace(SESSION, access_expires_at=NOW + 99_999),
            "secret",
            SessionKind.STAFF,
            NOW + 28_800,
        ),
    ],
)
def test_any_other_is_not(session: Session | None, secret: str, kind: SessionKind, at: int) -> None:
    with pytest.raises(Unauthenticated):
        check_access(session, secret, kind=kind, at=at)


def test_the_token_spent_last_may_come_again_for_a_minute() -> None:
    spent = replace(SESSION, spent_hash=token_hash("last"), spent_at=NOW)
    assert may_come_again(spent, "last", at=NOW)
    assert may_come_again(spent, "last", at=NOW + 59)
    assert not may_come_again(spent, "last", at=NOW + 60)
    assert not any(may_come_again(spent, other, at=NOW) for other in ("refresh", "secret", ""))


@pytest.mark.parametrize("secret", ["refresh", ""])
def test_where_none_was_spent_none_may_come_again(secret: str) -> None:
    assert not may_come_again(SESSION, secret, at=0)


def test_an_owner_is_read_as_stored_now() -> None:
    assert check_owner(a_staff(), SESSION) == a_staff()
    for staff in (None, a_staff(disabled=True), a_staff(token_version=2)):
        with pytest.raises(Unauthenticated):
            check_owner(staff, SESSION)


def test_each_role_opens_its_own_doors_only() -> None:
    check_role(a_staff(), Role.RECEPTION)
    check_role(an_admin(), Role.ADMIN)
    for staff, role in ((a_staff(), Role.ADMIN), (an_admin(), Role.RECEPTION)):
        with pytest.raises(Forbidden) as refused:
            check_role(staff, role)
        assert refused.value.code == "FORBIDDEN_ROLE"


def test_rights_go_by_site() -> None:
    check_site(a_staff(), SITE)
    check_site(a_staff(sites=(SITE, OTHER_SITE)), OTHER_SITE)
    for site in (OTHER_SITE, "", SITE.lower()):
        with pytest.raises(Forbidden) as refused:
            check_site(a_staff(), site)
        assert refused.value.code == "FORBIDDEN_SITE"


@pytest.mark.parametrize(
    "staff", [a_staff(sites=()), an_admin(), an_admin(sites=(SITE,))], ids=lambda one: one.role
)
def test_who_is_no_receptionist_of_the_site_does_not_serve_it(staff: Staff) -> None:
    assert not staff.may_serve(SITE)
    with pytest.raises(Forbidden) as refused:
        check_site(staff, SITE)
    assert refused.value.code == "FORBIDDEN_SITE"


@pytest.mark.parametrize(("given_seconds", "told"), [(-5, 1), (0, 1), (1, 1), (90, 90)])
def test_a_limit_always_says_when_to_come_back(given_seconds: int, told: int) -> None:
    assert TooMany("Wait.", retry_after=given_seconds).retry_after == told
