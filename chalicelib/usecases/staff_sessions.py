"""Staff sign in, stay signed in for at most eight hours, and sign out (spec: Security)."""

from dataclasses import dataclass, replace
from functools import partial

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import Forbidden, TooMany, Unauthenticated, Unavailable, invalid
from chalicelib.domain.orders import Actor, ActorKind
from chalicelib.domain.staff import (
    ACCESS_SECONDS,
    SESSION_SECONDS,
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
    may_come_again,
    same_secret,
    token_hash,
    with_password,
)
from chalicelib.ports import Change, Conflict, Delete, Entropy, Insert, Passwords, Store, Update
from chalicelib.usecases.audit_trail import audit
from chalicelib.usecases.changes import MAX_ATTEMPTS
from chalicelib.usecases.tokens import Token, new_token, parse_token, renew_token


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session's tokens. `expires_in` is that of the access token; `session_ends_in` is when
    the session ends however often it is refreshed; both in seconds."""

    staff: Staff
    access_token: Token
    refresh_token: Token
    expires_in: int
    session_ends_in: int


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who stands behind a request, as stored at this moment."""

    staff: Staff
    session: Session


def actor_of(staff: Staff) -> Actor:
    """How a member of staff signs the history."""
    kind = ActorKind.ADMIN if staff.role is Role.ADMIN else ActorKind.RECEPTION
    return Actor(kind, staff.username)


def log_in(
    username: str,
    password: str,
    *,
    store: Store,
    passwords: Passwords,
    entropy: Entropy,
    now: int,
    request_id: str,
) -> SignedIn:
    """A new session. An unknown name takes as long and answers the same as a wrong password.

    Raises:
        Unauthenticated: `LOGIN_REFUSED`.
        TooMany: `LOCKED_OUT`, after too many failures in a row.
    """
    for _ in range(MAX_ATTEMPTS):
        staff = store.staff(username)
        if staff is not None:
            _check_unlocked(store, entropy, staff, now, request_id)
        fits = passwords.verify(staff.password_hash if staff else "", password)
        try:
            if staff is None or staff.disabled or not fits:
                _refuse_login(store, entropy, staff, now, request_id)
            else:
                return _open_session(store, entropy, staff, now, request_id)
        except Conflict:
            continue
    raise Unavailable("Too many sign-ins at once. Try again.")


def _check_unlocked(
    store: Store, entropy: Entropy, staff: Staff, now: int, request_id: str
) -> None:
    if now < staff.locked_until:
        store.commit([_refused(staff, "LOCKED_OUT", entropy, now, request_id)])
        raise TooMany(
            "Too many wrong passwords. Wait and try again.",
            retry_after=staff.locked_until - now,
            code="LOCKED_OUT",
        )


def _refuse_login(
    store: Store, entropy: Entropy, staff: Staff | None, now: int, request_id: str
) -> None:
    changes: list[Change] = [_refused(staff, "LOGIN_REFUSED", entropy, now, request_id)]
    if staff is not None:
        changes.append(Update(after_failed_login(staff, at=now)))
    store.commit(changes)
    raise Unauthenticated("Username or password is wrong.", code="LOGIN_REFUSED")


def _refused(staff: Staff | None, code: str, entropy: Entropy, now: int, request_id: str) -> Insert:
    """The audit item of a password that was not taken; a name that is not ours is not kept."""
    return audit(
        AuditAction.LOGIN_REFUSED,
        actor=actor_of(staff) if staff else Actor(ActorKind.RECEPTION, "unknown"),
        subject=staff.username if staff else "unknown",
        entropy=entropy,
        now=now,
        request_id=request_id,
        code=code,
    )


def _open_session(
    store: Store, entropy: Entropy, staff: Staff, now: int, request_id: str
) -> SignedIn:
    session_id, access = new_token(entropy)
    refresh = renew_token(session_id, entropy)
    session = Session(
        session_id=session_id,
        kind=SessionKind.STAFF,
        subject=staff.username,
        token_version=staff.token_version,
        access_hash=token_hash(access.secret),
        access_expires_at=now + ACCESS_SECONDS,
        refresh_hash=token_hash(refresh.secret),
        started_at=now,
        expires_at=now + SESSION_SECONDS,
    )
    changes: list[Change] = [
        Insert(session),
        audit(
            AuditAction.LOGIN,
            actor=actor_of(staff),
            subject=staff.username,
            entropy=entropy,
            now=now,
            request_id=request_id,
        ),
    ]
    if staff.failures:
        staff = after_good_login(staff)
        changes.append(Update(staff))
    store.commit(changes)
    return SignedIn(staff, access, refresh, ACCESS_SECONDS, SESSION_SECONDS)


def refresh_session(
    refresh_token: str, *, store: Store, entropy: Entropy, now: int, request_id: str
) -> SignedIn:
    """New tokens for a live session; the old ones are spent. Never past eight hours from login.

    The token spent last may come again within `REPLAY_SECONDS` of its first use: whoever sends it
    has not got the answer. The tokens of that answer become void, and others are given. Any other
    token of the session that is not its latest was copied: the session ends for whoever holds it.

    Raises:
        Unauthenticated: unknown, ended, expired, spent or void.
        Unavailable: the session changed at the same moment, by another refresh for one. Nothing is
            spent: the same token may be sent again.
    """
    ended = Unauthenticated("This session has ended. Sign in again, please.")
    parsed = parse_token(refresh_token)
    session = store.session(parsed.session_id)
    if session is None or session.kind is not SessionKind.STAFF or now >= session.expires_at:
        raise ended
    staff = check_owner(store.staff(session.subject), session)
    told = partial(
        audit,
        actor=actor_of(staff),
        subject=staff.username,
        entropy=entropy,
        now=now,
        request_id=request_id,
    )
    changes: list[Change] = []
    renewed = session
    if same_secret(parsed.secret, session.refresh_hash):
        renewed = replace(session, spent_hash=session.refresh_hash, spent_at=now)
    elif may_come_again(session, parsed.secret, at=now):
        changes.append(told(AuditAction.REFRESH_REPEATED))
    else:
        _end_session(store, session, told(AuditAction.SESSION_REUSED))
        raise ended
    access = renew_token(session.session_id, entropy)
    refresh = renew_token(session.session_id, entropy)
    expires_in = min(ACCESS_SECONDS, session.expires_at - now)
    renewed = replace(
        renewed,
        access_hash=token_hash(access.secret),
        access_expires_at=now + expires_in,
        refresh_hash=token_hash(refresh.secret),
        version=session.version + 1,
    )
    try:
        store.commit([Update(renewed), *changes])
    except Conflict:
        raise Unavailable("The session changed meanwhile. Try again.") from None
    return SignedIn(staff, access, refresh, expires_in, session.expires_at - now)


def _end_session(store: Store, session: Session, told: Insert) -> None:
    """Remove the session, however often it changes meanwhile. One that is gone already is fine."""
    found: Session | None = session
    for _ in range(MAX_ATTEMPTS):
        if found is None:
            return
        try:
            store.commit([Delete(found), told])
        except Conflict:
            found = store.session(session.session_id)
            continue
        return
    raise Unavailable("The session keeps changing. Try again.")


def authenticate(token: str, *, role: Role, store: Store, now: int) -> Authenticated:
    """Who stands behind an access token, read anew so that revocation bites at once.

    Raises:
        Unauthenticated: no live session.
        Forbidden: `PASSWORD_CHANGE_REQUIRED`, or `FORBIDDEN_ROLE`.
    """
    who = authenticate_any(token, store=store, now=now)
    if who.staff.must_change_password:
        raise Forbidden("Choose a password of your own first.", code="PASSWORD_CHANGE_REQUIRED")
    check_role(who.staff, role)
    return who


def authenticate_any(token: str, *, store: Store, now: int) -> Authenticated:
    """Who stands behind an access token, even one who must change the password first.

    Raises:
        Unauthenticated: no live session.
    """
    parsed = parse_token(token)
    session = check_access(
        store.session(parsed.session_id), parsed.secret, kind=SessionKind.STAFF, at=now
    )
    return Authenticated(check_owner(store.staff(session.subject), session), session)


def log_out(
    who: Authenticated, *, store: Store, entropy: Entropy, now: int, request_id: str
) -> None:
    """End this session. One that is gone already is fine.

    Raises:
        Unavailable: the session keeps changing.
    """
    gone = audit(
        AuditAction.LOGOUT,
        actor=actor_of(who.staff),
        subject=who.staff.username,
        entropy=entropy,
        now=now,
        request_id=request_id,
    )
    _end_session(store, who.session, gone)


def change_password(
    who: Authenticated,
    current: str,
    new: str,
    *,
    store: Store,
    passwords: Passwords,
    entropy: Entropy,
    now: int,
    request_id: str,
) -> None:
    """A new password. This session goes on, every other one of this person ends.

    Raises:
        InvalidInput: `currentPassword` is wrong (counted as a failed sign-in), or `newPassword`
            breaks a rule.
        TooMany: `LOCKED_OUT`.
        Unavailable: others keep interfering.
    """
    staff = who.staff
    _check_unlocked(store, entropy, staff, now, request_id)
    check_password(new, username=staff.username, field="newPassword")
    if new == current:
        raise invalid("newPassword", "different", "must differ from the current password")
    try:
        if not passwords.verify(staff.password_hash, current):
            store.commit(
                [
                    Update(after_failed_login(staff, at=now)),
                    _refused(staff, "WRONG_PASSWORD", entropy, now, request_id),
                ]
            )
            raise invalid("currentPassword", "match", "is not your current password")
        changed = with_password(staff, passwords.hash(new), must_change=False)
        session = replace(
            who.session,
            token_version=changed.token_version,
            spent_hash="",  # the answer to the last refresh has arrived
            spent_at=0,
            version=who.session.version + 1,
        )
        store.commit(
            [
                Update(changed),
                Update(session),
                audit(
                    AuditAction.PASSWORD_CHANGED,
                    actor=actor_of(staff),
                    subject=staff.username,
                    entropy=entropy,
                    now=now,
                    request_id=request_id,
                ),
            ]
        )
    except Conflict:
        raise Unavailable("Your account changed meanwhile. Try again.") from None
