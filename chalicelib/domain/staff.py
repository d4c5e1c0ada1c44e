"""Staff and sessions: who may do what, for how long, and what ends it.

Tokens are random and opaque; only their SHA-256 is stored. A session carries the `token_version`
its owner had at login; raising that of the owner ends every session at the next request.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.errors import Forbidden, Unauthenticated, invalid

SESSION_SECONDS = 8 * 3600
ACCESS_SECONDS = 15 * 60
REPLAY_SECONDS = 60
"""How long after its first use the refresh token spent last may come again."""
WALLET_SESSION_SECONDS = 3600
NONCE_SECONDS = 300
FAILURES_BEFORE_LOCK = 5
FIRST_LOCK_SECONDS = 30
LONGEST_LOCK_SECONDS = 900
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 128

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


class Role(StrEnum):
    """What a member of staff may do."""

    RECEPTION = "RECEPTION"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff. `sites` are where a receptionist may deliver; others deliver nowhere."""

    username: str
    display_name: str
    role: Role
    sites: tuple[str, ...]
    password_hash: str
    must_change_password: bool
    disabled: bool = False
    token_version: int = 1
    failures: int = 0
    locked_until: int = 0
    version: int = 1

    def may_serve(self, site_id: str) -> bool:
        """Whether the member may deliver at `site_id`."""
        return self.role is Role.RECEPTION and site_id in self.sites


class SessionKind(StrEnum):
    """Whose session it is."""

    STAFF = "STAFF"
    WALLET = "WALLET"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `subject` is a username or a wallet address; times in unix seconds.

    `spent_hash` is that of the refresh token used last, and `spent_at` when that was first; empty
    and 0 where none may come again.
    """

    session_id: str
    kind: SessionKind
    subject: str
    token_version: int
    access_hash: str
    access_expires_at: int
    refresh_hash: str
    started_at: int
    expires_at: int
    spent_hash: str = ""
    spent_at: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class WalletNonce:
    """A sign-in that was begun: the exact EIP-4361 message a wallet has to sign, once."""

    nonce: str
    address: str
    message: str
    expires_at: int
    version: int = 1


def check_username(username: str) -> str:
    """The username itself if it is well formed.

    Raises:
        InvalidInput: naming `username`.
    """
    if not USERNAME.fullmatch(username):
        raise invalid(
            "username",
            "pattern",
            "takes 3 to 32 of a-z 0-9 . _ - and begins with a letter or digit",
        )
    return username


def check_password(password: str, *, username: str, field: str = "password") -> str:
    """A password long enough to be worth hashing (NIST SP 800-63B: length, no composition rules).

    Raises:
        InvalidInput: naming `field`.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise invalid(
            field,
            "length",
            f"takes {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters",
        )
    if username in password.lower():
        raise invalid(field, "username", "must not contain the username")
    return password


def token_hash(secret: str) -> str:
    """What is stored of a token. Tokens are random, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(secret: str, expected_hash: str) -> bool:
    """Whether `secret` hashes to `expected_hash`, in constant time."""
    return hmac.compare_digest(token_hash(secret), expected_hash)


def lock_seconds(failures: int) -> int:
    """How long the account is locked after that many failures in a row: 0, then 30 s doubling."""
    if failures < FAILURES_BEFORE_LOCK:
        return 0
    doublings = min(failures - FAILURES_BEFORE_LOCK, 10)
    return min(LONGEST_LOCK_SECONDS, FIRST_LOCK_SECONDS << doublings)


def after_failed_login(staff: Staff, *, at: int) -> Staff:
    """One more failure, and the lock that follows from it."""
    failures = staff.failures + 1
    return replace(
        staff,
        failures=failures,
        locked_until=at + lock_seconds(failures),
        version=staff.version + 1,
    )


def after_good_login(staff: Staff) -> Staff:
    """The count of failures starts anew."""
    return replace(staff, failures=0, locked_until=0, version=staff.version + 1)


def with_password(staff: Staff, password_hash: str, *, must_change: bool) -> Staff:
    """A new password; every session begun before it ends."""
    return replace(
        staff,
        password_hash=password_hash,
        must_change_password=must_change,
        failures=0,
        locked_until=0,
        token_version=staff.token_version + 1,
        version=staff.version + 1,
    )


def with_disabled(staff: Staff, *, disabled: bool) -> Staff:
    """Shut out or let back in; every session ends either way."""
    return replace(
        staff,
        disabled=disabled,
        token_version=staff.token_version + 1,
        version=staff.version + 1,
    )


def check_access(session: Session | None, secret: str, *, kind: SessionKind, at: int) -> Session:
    """The session behind an access token.

    Raises:
        Unauthenticated: unknown, of another kind, expired, or the secret is not its own.
    """
    if (
        session is None
        or session.kind is not kind
        or at >= session.access_expires_at
        or at >= session.expires_at
        or not same_secret(secret, session.access_hash)
    ):
        raise Unauthenticated("Sign in, please.")
    return session


def may_come_again(session: Session, secret: str, *, at: int) -> bool:
    """Whether `secret` is the refresh token spent last, and so recently that its answer may have
    got lost."""
    return at < session.spent_at + REPLAY_SECONDS and same_secret(secret, session.spent_hash)


def check_owner(staff: Staff | None, session: Session) -> Staff:
    """The member of staff behind a session, as stored now: revocation bites at once.

    Raises:
        Unauthenticated: gone, disabled, or the session is older than the last revocation.
    """
    if staff is None or staff.disabled or staff.token_version != session.token_version:
        raise Unauthenticated("This session was ended. Sign in again, please.")
    return staff


def check_role(staff: Staff, role: Role) -> None:
    """Rights by role: each opens its own doors only.

    Raises:
        Forbidden: `FORBIDDEN_ROLE`.
    """
    if staff.role is not role:
        raise Forbidden("Your role does not allow this.", code="FORBIDDEN_ROLE")


def check_site(staff: Staff, site_id: str) -> None:
    """Rights by site.

    Raises:
        Forbidden: `FORBIDDEN_SITE`.
    """
    if not staff.may_serve(site_id):
        raise Forbidden(f"You are not assigned to site {site_id}.", code="FORBIDDEN_SITE")
