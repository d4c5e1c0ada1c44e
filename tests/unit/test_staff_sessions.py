"""Staff sign in, stay signed in, and are signed out."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.errors import Forbidden, InvalidInput, TooMany, Unauthenticated, Unavailable
from chalicelib.domain.staff import REPLAY_SECONDS, Role, Session, SessionKind, Staff, token_hash
from chalicelib.ports import Insert, Store, Update
from chalicelib.usecases.manage import disable_staff, reset_staff
from chalicelib.usecases.staff_sessions import (
    Authenticated,
    SignedIn,
    authenticate,
    authenticate_any,
    change_password,
    log_in,
    log_out,
    refresh_session,
)
from tests.fakes import (
    NOW,
    OPERATOR,
    CountingEntropy,
    EverConflictingStore,
    FixedClock,
    InterruptedStore,
    QuickPasswords,
    a_shop,
    a_staff,
    an_admin,
    stored,
)

PASSWORD = "correct horse battery"
NEW = "staple gun and a lamp"
DAY = "2026-11-21"
HOURS_8 = 28_800


class Desk:
    """A shop with its store, a clock and somebody who tries things."""

    def __init__(self, store: Store | None = None) -> None:
        self.store: Store = store or a_shop()
        self.clock = FixedClock()
        self.entropy = CountingEntropy("desk")
        self.passwords = QuickPasswords()

    def log_in(
        self, username: str = "reception1", password: str = PASSWORD, store: Store | None = None
    ) -> SignedIn:
        return log_in(
            username,
            password,
            store=store or self.store,
            passwords=self.passwords,
            entropy=self.entropy,
            now=self.clock.now(),
            request_id="req-l",
        )

    def refused(self, username: str = "reception1", password: str = "wrong password") -> str:
        """The code of a sign-in that has to fail."""
        with pytest.raises((Unauthenticated, TooMany)) as error:
            self.log_in(username, password)
        return error.value.code

    def refresh(self, token: object, store: Store | None = None) -> SignedIn:
        return refresh_session(
            str(token),
            store=store or self.store,
            entropy=self.entropy,
            now=self.clock.now(),
            request_id="req-r",
        )

    def who(self, token: object) -> Authenticated:
        return authenticate_any(str(token), store=self.store, now=self.clock.now())

    def is_in(self, token: object) -> bool:
        try:
            self.who(token)
        except Unauthenticated:
            return False
        return True

    def change(
        self, who: Authenticated, current: str, new: str = NEW, store: Store | None = None
    ) -> None:
        change_password(
            who,
            current,
            new,
            store=store or self.store,
            passwords=self.passwords,
            entropy=self.entropy,
            now=self.clock.now(),
            request_id="req-p",
        )

    def staff(self, username: str = "reception1") -> Staff:
        staff = self.store.staff(username)
        assert staff is not None
        return staff

    def audit(self) -> list[AuditItem]:
        return list(self.store.audit(day=DAY, limit=1000).items)

    def actions(self) -> Counter[AuditAction]:
        """What was written down; items of one second come in any order."""
        return Counter(item.action for item in self.audit())

    def refusals(self) -> Counter[tuple[str, str]]:
        """Of whom, and why."""
        return Counter(
            (item.subject, item.detail["code"])
            for item in self.audit()
            if item.action is AuditAction.LOGIN_REFUSED
        )


# ---------------------------------------------------------------------------------------- sign-in


def test_a_login_opens_a_session_and_is_written_down() -> None:
    desk = Desk()
    signed_in = desk.log_in()
    assert (signed_in.expires_in, signed_in.session_ends_in) == (900, HOURS_8)
    assert signed_in.access_token != signed_in.refresh_token
    assert desk.who(signed_in.access_token).staff == a_staff()
    (item,) = desk.audit()
    assert (item.action, item.subject, item.actor.name) == (
        AuditAction.LOGIN,
        "reception1",
        "reception1",
    )
    for secret in (signed_in.access_token.secret, signed_in.refresh_token.secret):
        assert secret not in repr(desk.store.session(signed_in.access_token.session_id))
        assert secret not in repr(signed_in)
        assert secret not in repr(item)


def test_an_unknown_name_answers_as_a_wrong_password_does_and_takes_as_long() -> None:
    desk = Desk()
    with pytest.raises(Unauthenticated) as wrong:
        desk.log_in(password="wrong password")
    with pytest.raises(Unauthenticated) as unknown:
        desk.log_in("nobody")
    assert (wrong.value.code, wrong.value.message) == (unknown.value.code, unknown.value.message)
    assert desk.passwords.verified == 2
    assert desk.refusals() == {
        ("reception1", "LOGIN_REFUSED"): 1,
        ("unknown", "LOGIN_REFUSED"): 1,
    }


def test_a_name_that_is_not_ours_is_not_written_down() -> None:
    """It may be a password typed into the wrong field."""
    desk = Desk()
    assert desk.refused("my secret password") == "LOGIN_REFUSED"
    assert "my secret password" not in repr(desk.audit())


def test_a_disabled_member_is_refused_with_the_right_password() -> None:
    desk = Desk(stored(MemoryStore(), a_staff(disabled=True)))
    assert desk.refused(password=PASSWORD) == "LOGIN_REFUSED"


def test_five_failures_lock_and_the_lock_grows() -> None:
    desk = Desk()
    for _ in range(5):
        assert desk.refused() == "LOGIN_REFUSED"
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        verified = desk.passwords.verified
        with pytest.raises(TooMany) as locked:
            desk.log_in(password=PASSWORD)
        assert (locked.value.code, locked.value.retry_after) == ("LOCKED_OUT", seconds)
        assert desk.passwords.verified == verified, "a locked account guesses for nobody"
        desk.clock.advance(seconds - 1)
        assert desk.refused() == "LOCKED_OUT"
        desk.clock.advance(1)
        assert desk.refused() == "LOGIN_REFUSED"


def test_what_is_tried_while_locked_is_written_down() -> None:
    desk = Desk()
    codes = [desk.refused() for _ in range(7)]
    assert codes == ["LOGIN_REFUSED"] * 5 + ["LOCKED_OUT"] * 2
    assert desk.refusals() == Counter(("reception1", code) for code in codes)


def test_a_good_login_after_the_lock_starts_the_count_anew() -> None:
    desk = Desk()
    for _ in range(5):
        desk.refused()
    desk.clock.advance(30)
    desk.log_in()
    assert (desk.staff().failures, desk.staff().locked_until) == (0, 0)
    assert [desk.refused() for _ in range(4)] == ["LOGIN_REFUSED"] * 4
    desk.log_in()


def test_one_accounts_lock_is_not_anothers() -> None:
    desk = Desk()
    for _ in range(6):
        desk.refused()
    assert desk.is_in(desk.log_in("boss1").access_token)


def test_guesses_at_the_same_moment_are_each_counted() -> None:
    desk = Desk()
    racing = InterruptedStore(desk.store, before={1: lambda: _discard(desk.refused())})
    with pytest.raises(Unauthenticated):
        desk.log_in(password="wrong password", store=racing)
    assert desk.staff().failures == 2


def test_a_guess_that_meets_a_fresh_lock_is_not_answered() -> None:
    desk = Desk()
    for _ in range(4):
        desk.refused()
    racing = InterruptedStore(desk.store, before={1: lambda: _discard(desk.refused())})
    with pytest.raises(TooMany):
        desk.log_in(password=PASSWORD, store=racing)


def test_a_session_opened_beside_a_revocation_is_dead_from_the_start() -> None:
    desk = Desk()
    racing = InterruptedStore(desk.store, before={1: lambda: _disable(desk)})
    signed_in = desk.log_in(store=racing)
    assert not desk.is_in(signed_in.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(signed_in.refresh_token)


def test_endless_interference_with_a_login_is_told() -> None:
    desk = Desk()
    desk.refused()
    store = EverConflictingStore(desk.store)
    with pytest.raises(Unavailable):
        desk.log_in(store=store)
    assert len(store.commits) == 5


# ---------------------------------------------------------------------------------------- access


def test_rights_are_those_of_the_role() -> None:
    desk = Desk()
    reception, boss = desk.log_in().access_token, desk.log_in("boss1").access_token
    facts: dict[str, Any] = {"store": desk.store, "now": NOW}
    assert authenticate(str(reception), role=Role.RECEPTION, **facts).staff == a_staff()
    assert authenticate(str(boss), role=Role.ADMIN, **facts).staff == an_admin()
    for token, role in ((reception, Role.ADMIN), (boss, Role.RECEPTION)):
        with pytest.raises(Forbidden) as refused:
            authenticate(str(token), role=role, **facts)
        assert refused.value.code == "FORBIDDEN_ROLE"


def test_who_must_change_the_password_can_do_only_that() -> None:
    desk = Desk(stored(MemoryStore(), a_staff(must_change_password=True)))
    token = desk.log_in().access_token
    with pytest.raises(Forbidden) as refused:
        authenticate(str(token), role=Role.RECEPTION, store=desk.store, now=NOW)
    assert refused.value.code == "PASSWORD_CHANGE_REQUIRED"
    desk.change(desk.who(token), PASSWORD)
    assert authenticate(str(token), role=Role.RECEPTION, store=desk.store, now=NOW)


def test_a_token_is_good_for_what_it_was_made_for() -> None:
    desk = Desk()
    signed_in = desk.log_in()
    other = desk.log_in("boss1")
    crossed = f"{other.access_token.session_id}.{signed_in.access_token.secret}"
    for token in (signed_in.refresh_token, crossed, "", "x", f"{signed_in.access_token} "):
        assert not desk.is_in(token)
    assert desk.is_in(signed_in.access_token)


def test_a_wallets_session_is_no_staff_session() -> None:
    desk = Desk()
    wallet = Session(
        session_id="0" * 32,
        kind=SessionKind.WALLET,
        subject="reception1",
        token_version=1,
        access_hash=token_hash("1" * 64),
        access_expires_at=NOW + 900,
        refresh_hash="",
        started_at=NOW,
        expires_at=NOW + 900,
    )
    desk.store.commit([Insert(wallet)])
    token = f"{'0' * 32}.{'1' * 64}"
    assert not desk.is_in(token)
    with pytest.raises(Unauthenticated):
        desk.refresh(token)
    assert desk.store.session(wallet.session_id) == wallet


@pytest.mark.parametrize("what", ["disable", "enable", "reset"])
def test_revocation_bites_on_the_next_request(what: str) -> None:
    desk = Desk()
    signed_in = desk.log_in()
    if what == "reset":
        _reset(desk)
    else:
        _disable(desk, disabled=what == "disable")
    assert not desk.is_in(signed_in.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(signed_in.refresh_token)


# --------------------------------------------------------------------------------------- refresh


def test_refreshing_rotates_both_tokens() -> None:
    desk = Desk()
    first = desk.log_in()
    desk.clock.advance(600)
    second = desk.refresh(first.refresh_token)
    assert not desk.is_in(first.access_token)
    assert desk.is_in(second.access_token)
    assert len({first.access_token, first.refresh_token, *_tokens(second)}) == 4
    desk.clock.advance(900)
    assert not desk.is_in(second.access_token)
    assert desk.is_in(desk.refresh(second.refresh_token).access_token)


def test_eight_hours_from_login_are_the_end_however_refreshed() -> None:
    desk = Desk()
    signed_in = desk.log_in()
    for _ in range(33):
        if desk.clock.now() + 870 >= NOW + HOURS_8:
            break
        desk.clock.advance(870)
        signed_in = desk.refresh(signed_in.refresh_token)
    desk.clock.time = NOW + HOURS_8 - 5
    signed_in = desk.refresh(signed_in.refresh_token)
    assert (signed_in.expires_in, signed_in.session_ends_in) == (5, 5)
    assert desk.is_in(signed_in.access_token)
    desk.clock.advance(5)
    assert not desk.is_in(signed_in.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(signed_in.refresh_token)


def test_a_spent_refresh_token_ends_the_session_for_whoever_holds_it() -> None:
    desk = Desk()
    first = desk.log_in()
    second = desk.refresh(first.refresh_token)
    desk.clock.advance(REPLAY_SECONDS)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token)
    assert not desk.is_in(second.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(second.refresh_token)
    assert desk.actions() == {AuditAction.LOGIN: 1, AuditAction.SESSION_REUSED: 1}


def test_other_sessions_of_the_same_person_go_on_after_a_reuse() -> None:
    desk = Desk()
    copied, other = desk.log_in(), desk.log_in()
    desk.refresh(copied.refresh_token)
    desk.clock.advance(REPLAY_SECONDS)
    with pytest.raises(Unauthenticated):
        desk.refresh(copied.refresh_token)
    assert desk.is_in(other.access_token)


def test_a_lost_answer_is_asked_for_again() -> None:
    desk = Desk()
    first = desk.log_in()
    lost = desk.refresh(first.refresh_token)
    desk.clock.advance(REPLAY_SECONDS - 1)
    got = desk.refresh(first.refresh_token)
    assert (got.expires_in, got.session_ends_in) == (900, HOURS_8 - REPLAY_SECONDS + 1)
    assert len({*_tokens(first), *_tokens(lost), *_tokens(got)}) == 6
    assert not desk.is_in(lost.access_token)
    assert desk.is_in(got.access_token)
    assert desk.is_in(desk.refresh(got.refresh_token).access_token)
    assert desk.actions() == {AuditAction.LOGIN: 1, AuditAction.REFRESH_REPEATED: 1}


def test_answers_may_be_lost_time_and_again_but_not_for_longer() -> None:
    desk = Desk()
    first = desk.log_in()
    for _ in range(3):
        desk.refresh(first.refresh_token)
        desk.clock.advance(REPLAY_SECONDS // 3)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token)
    assert _session(desk, first) is None
    assert desk.actions()[AuditAction.SESSION_REUSED] == 1


def test_the_token_whose_answer_got_lost_is_void() -> None:
    desk = Desk()
    first = desk.log_in()
    lost = desk.refresh(first.refresh_token)
    got = desk.refresh(first.refresh_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(lost.refresh_token)
    assert not desk.is_in(got.access_token)
    assert desk.actions()[AuditAction.SESSION_REUSED] == 1


def test_once_its_successor_is_used_a_spent_token_may_not_come_again() -> None:
    desk = Desk()
    first = desk.log_in()
    third = desk.refresh(desk.refresh(first.refresh_token).refresh_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token)
    assert not desk.is_in(third.access_token)
    assert desk.actions()[AuditAction.SESSION_REUSED] == 1


def test_a_new_password_shows_that_the_answer_arrived() -> None:
    desk = Desk()
    first = desk.log_in()
    second = desk.refresh(first.refresh_token)
    desk.change(desk.who(second.access_token), PASSWORD)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token)
    assert not desk.is_in(second.access_token)
    assert desk.actions()[AuditAction.SESSION_REUSED] == 1


def test_a_token_that_comes_again_takes_no_session_past_eight_hours() -> None:
    desk = Desk()
    first = desk.log_in()
    desk.clock.time = NOW + HOURS_8 - 2
    desk.refresh(first.refresh_token)
    desk.clock.advance(1)
    got = desk.refresh(first.refresh_token)
    assert (got.expires_in, got.session_ends_in) == (1, 1)
    desk.clock.advance(1)
    assert not desk.is_in(got.access_token)
    for token in (first.refresh_token, got.refresh_token):
        with pytest.raises(Unauthenticated):
            desk.refresh(token)


@pytest.mark.parametrize("what", ["disable", "reset", "log out"])
def test_revocation_also_meets_a_token_that_comes_again(what: str) -> None:
    desk = Desk()
    first = desk.log_in()
    lost = desk.refresh(first.refresh_token)
    if what == "disable":
        _disable(desk)
    elif what == "reset":
        _reset(desk)
    else:
        _log_out(desk, desk.who(lost.access_token))
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token)
    assert desk.actions()[AuditAction.REFRESH_REPEATED] == 0


def test_an_access_token_never_refreshes() -> None:
    desk = Desk()
    first = desk.log_in()
    desk.refresh(first.refresh_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.access_token)
    assert _session(desk, first) is None


def test_a_usual_refresh_changes_one_record() -> None:
    desk = Desk()
    counted = InterruptedStore(desk.store)
    desk.refresh(desk.log_in().refresh_token, store=counted)
    ((change,),) = counted.commits
    assert isinstance(change, Update)
    assert isinstance(change.record, Session)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 29, 59, 60, 899])),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_in_whatever_order(sent: list[tuple[int, int]]) -> None:
    """The tokens are sent by how many were given out since (0 is the latest one). One goes through
    if it is the latest, or spent last and less than a minute ago; else the session is over."""
    desk = Desk()
    given_out = [desk.log_in()]
    spent, spent_at, alive = -1, 0, True
    for back, wait in sent:
        desk.clock.advance(wait)
        number = max(0, len(given_out) - 1 - back)
        latest = number == len(given_out) - 1
        fits = latest or (number == spent and desk.clock.now() - spent_at < 60)
        try:
            given_out.append(desk.refresh(given_out[number].refresh_token))
        except Unauthenticated:
            assert not (alive and fits)
            alive = False
        else:
            assert alive
            assert fits
            if latest:
                spent, spent_at = number, desk.clock.now()
        assert (_session(desk, given_out[0]) is not None) == alive
        let_in = [desk.is_in(one.access_token) for one in given_out]
        assert let_in == [False] * (len(given_out) - 1) + [alive]


@pytest.mark.parametrize("times_lost", [0, 1])
def test_of_two_refreshes_at_the_same_moment_one_is_told_to_try_again(times_lost: int) -> None:
    """The one that lost has spent nothing and voided nothing: the session goes on."""
    desk = Desk()
    first = desk.log_in()
    for _ in range(times_lost):
        desk.refresh(first.refresh_token)
    winner: list[SignedIn] = []
    racing = InterruptedStore(
        desk.store, before={1: lambda: winner.append(desk.refresh(first.refresh_token))}
    )
    with pytest.raises(Unavailable):
        desk.refresh(first.refresh_token, store=racing)
    assert desk.is_in(winner[0].access_token)
    assert desk.actions()[AuditAction.REFRESH_REPEATED] == times_lost
    assert desk.is_in(desk.refresh(winner[0].refresh_token).access_token)


def test_whoever_is_told_to_try_again_may() -> None:
    desk = Desk()
    first = desk.log_in()
    racing = InterruptedStore(
        desk.store, before={1: lambda: _discard(desk.refresh(first.refresh_token))}
    )
    with pytest.raises(Unavailable):
        desk.refresh(first.refresh_token, store=racing)
    assert desk.is_in(desk.refresh(first.refresh_token, store=racing).access_token)


def test_a_token_that_comes_again_beside_its_successors_use_changes_nothing() -> None:
    desk = Desk()
    first = desk.log_in()
    second = desk.refresh(first.refresh_token)
    third: list[SignedIn] = []
    racing = InterruptedStore(
        desk.store, before={1: lambda: third.append(desk.refresh(second.refresh_token))}
    )
    with pytest.raises(Unavailable):
        desk.refresh(first.refresh_token, store=racing)
    assert desk.is_in(third[0].access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(first.refresh_token, store=racing)
    assert not desk.is_in(third[0].access_token)


@pytest.mark.parametrize("races", [1, 2, 3])
def test_a_copied_session_ends_although_the_thief_keeps_refreshing(races: int) -> None:
    desk = Desk()
    honest = desk.log_in()
    thief = [desk.refresh(honest.refresh_token)]
    desk.clock.advance(REPLAY_SECONDS)

    def steal() -> None:
        thief.append(desk.refresh(thief[-1].refresh_token))

    racing = InterruptedStore(desk.store, before=dict.fromkeys(range(1, races + 1), steal))
    with pytest.raises(Unauthenticated):
        desk.refresh(honest.refresh_token, store=racing)
    assert not desk.is_in(thief[-1].access_token)
    assert desk.actions()[AuditAction.SESSION_REUSED] == 1


def test_a_session_that_cannot_be_ended_is_told() -> None:
    desk = Desk()
    first = desk.log_in()
    desk.refresh(first.refresh_token)
    desk.clock.advance(REPLAY_SECONDS)
    with pytest.raises(Unavailable):
        desk.refresh(first.refresh_token, store=EverConflictingStore(desk.store))


# ---------------------------------------------------------------------------------------- logout


def _session(desk: Desk, signed_in: SignedIn) -> Session | None:
    return desk.store.session(signed_in.refresh_token.session_id)


def _log_out(desk: Desk, who: Authenticated, store: Store | None = None) -> None:
    log_out(
        who,
        store=store or desk.store,
        entropy=desk.entropy,
        now=desk.clock.now(),
        request_id="req-o",
    )


def test_logging_out_ends_this_session_and_no_other() -> None:
    desk = Desk()
    mine, other = desk.log_in(), desk.log_in()
    who = desk.who(mine.access_token)
    _log_out(desk, who)
    assert not desk.is_in(mine.access_token)
    assert desk.is_in(other.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(mine.refresh_token)
    assert desk.actions()[AuditAction.LOGOUT] == 1
    _log_out(desk, who)
    assert desk.actions()[AuditAction.LOGOUT] == 1


def test_logging_out_beside_a_refresh_still_ends_the_session() -> None:
    desk = Desk()
    mine = desk.log_in()
    after: list[SignedIn] = []
    racing = InterruptedStore(
        desk.store, before={1: lambda: after.append(desk.refresh(mine.refresh_token))}
    )
    _log_out(desk, desk.who(mine.access_token), store=racing)
    assert not desk.is_in(after[0].access_token)


# -------------------------------------------------------------------------------------- password


def test_a_new_password_keeps_this_session_and_ends_all_others() -> None:
    desk = Desk()
    mine, other = desk.log_in(), desk.log_in()
    desk.change(desk.who(mine.access_token), PASSWORD)
    assert desk.is_in(mine.access_token)
    assert desk.is_in(desk.refresh(mine.refresh_token).access_token)
    assert not desk.is_in(other.access_token)
    with pytest.raises(Unauthenticated):
        desk.refresh(other.refresh_token)
    assert desk.refused(password=PASSWORD) == "LOGIN_REFUSED"
    assert desk.is_in(desk.log_in(password=NEW).access_token)
    assert desk.actions()[AuditAction.PASSWORD_CHANGED] == 1
    assert PASSWORD not in repr(desk.audit())
    assert NEW not in repr(desk.audit())


@pytest.mark.parametrize(
    ("new", "field", "rule"),
    [
        ("short", "newPassword", "length"),
        ("x" * 129, "newPassword", "length"),
        ("I am reception1 here", "newPassword", "username"),
        (PASSWORD, "newPassword", "different"),
    ],
)
def test_a_poor_new_password_changes_nothing(new: str, field: str, rule: str) -> None:
    desk = Desk()
    who = desk.who(desk.log_in().access_token)
    with pytest.raises(InvalidInput) as refused:
        desk.change(who, PASSWORD, new)
    assert [(e.field, e.rule) for e in refused.value.fields] == [(field, rule)]
    assert desk.staff() == a_staff()


def test_a_stolen_session_cannot_guess_the_password_for_long() -> None:
    desk = Desk()
    token = desk.log_in().access_token
    for _ in range(5):
        with pytest.raises(InvalidInput) as refused:
            desk.change(desk.who(token), "wrong password")
        assert [(e.field, e.rule) for e in refused.value.fields] == [("currentPassword", "match")]
    with pytest.raises(TooMany) as locked:
        desk.change(desk.who(token), PASSWORD)
    assert (locked.value.code, locked.value.retry_after) == ("LOCKED_OUT", 30)
    assert desk.refusals() == {
        ("reception1", "WRONG_PASSWORD"): 5,
        ("reception1", "LOCKED_OUT"): 1,
    }
    desk.clock.advance(30)
    desk.change(desk.who(token), PASSWORD)
    assert desk.staff().failures == 0


def test_a_change_that_meets_another_change_is_told_and_does_nothing() -> None:
    desk = Desk()
    who = desk.who(desk.log_in().access_token)
    for current in (PASSWORD, "wrong password"):
        changed = replace(desk.staff(), display_name=current, version=desk.staff().version + 1)
        racing = InterruptedStore(
            desk.store, before={1: partial(desk.store.commit, [Update(changed)])}
        )
        with pytest.raises(Unavailable):
            desk.change(who, current, store=racing)
        assert desk.staff() == changed


def _tokens(signed_in: SignedIn) -> tuple[object, object]:
    return signed_in.access_token, signed_in.refresh_token


def _disable(desk: Desk, *, disabled: bool = True) -> None:
    disable_staff(
        "reception1",
        disabled=disabled,
        store=desk.store,
        entropy=desk.entropy,
        actor=OPERATOR,
        now=NOW,
        request_id="req-d",
    )


def _reset(desk: Desk) -> None:
    reset_staff(
        "reception1",
        store=desk.store,
        passwords=desk.passwords,
        entropy=desk.entropy,
        actor=OPERATOR,
        now=NOW,
        request_id="req-d",
    )


def _discard(_told: object) -> None:
    """What somebody else was told is not ours."""
