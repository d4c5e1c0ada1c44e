"""What an operator sets up: staff, sites, catalogue."""

from dataclasses import dataclass, field, replace

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.catalogue import Catalogue, Site, VoucherType, catalogue_errors, site_errors
from chalicelib.domain.errors import FieldError, InvalidInput, NotFound, Refused, Unavailable
from chalicelib.domain.orders import Actor
from chalicelib.domain.staff import (
    Role,
    Staff,
    check_username,
    with_disabled,
    with_password,
)
from chalicelib.ports import Change, Conflict, Entropy, Insert, Passwords, Store, Update
from chalicelib.usecases.audit_trail import audit

ONE_TIME_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Issued:
    """A member of staff, and the password that is shown once and must be changed at first login."""

    staff: Staff
    one_time_password: str = field(repr=False)


def add_staff(
    username: str,
    *,
    display_name: str,
    role: Role,
    sites: tuple[str, ...],
    store: Store,
    passwords: Passwords,
    entropy: Entropy,
    actor: Actor,
    now: int,
    request_id: str,
) -> Issued:
    """A new member with a one-time password.

    Raises:
        InvalidInput: bad username, an unknown site, a receptionist without site, an administrator
            with one.
        Refused: `STAFF_EXISTS`.
    """
    check_username(username)
    known = {site.site_id for site in store.sites()}
    broken = [
        FieldError("sites", "known", f"there is no site {site}")
        for site in sites
        if site not in known
    ]
    if role is Role.RECEPTION and not sites:
        broken.append(FieldError("sites", "required", "a receptionist needs at least one site"))
    if role is Role.ADMIN and sites:
        broken.append(FieldError("sites", "none", "an administrator delivers at no site"))
    if broken:
        raise InvalidInput(*broken)
    password = one_time_password(entropy)
    staff = Staff(
        username=username,
        display_name=display_name or username,
        role=role,
        sites=sites,
        password_hash=passwords.hash(password),
        must_change_password=True,
    )
    change = audit(
        AuditAction.STAFF_CHANGED,
        actor=actor,
        subject=username,
        entropy=entropy,
        now=now,
        request_id=request_id,
        change="added",
    )
    try:
        store.commit([Insert(staff), change])
    except Conflict:
        raise Refused(f"There is a member of staff {username} already.", code="STAFF_EXISTS") from (
            None
        )
    return Issued(staff, password)


def reset_staff(
    username: str,
    *,
    store: Store,
    passwords: Passwords,
    entropy: Entropy,
    actor: Actor,
    now: int,
    request_id: str,
) -> Issued:
    """A new one-time password; every session of that member ends.

    Raises:
        NotFound: `STAFF_NOT_FOUND`.
    """
    password = one_time_password(entropy)
    changed = with_password(
        _load_staff(store, username), passwords.hash(password), must_change=True
    )
    _commit_staff(store, changed, "reset", entropy, actor, now, request_id)
    return Issued(changed, password)


def disable_staff(
    username: str,
    *,
    disabled: bool,
    store: Store,
    entropy: Entropy,
    actor: Actor,
    now: int,
    request_id: str,
) -> Staff:
    """Shut a member out (or let one back in); every session ends at the next request.

    Raises:
        NotFound: `STAFF_NOT_FOUND`.
    """
    changed = with_disabled(_load_staff(store, username), disabled=disabled)
    what = "disabled" if disabled else "enabled"
    _commit_staff(store, changed, what, entropy, actor, now, request_id)
    return changed


def add_site(
    site: Site, *, store: Store, entropy: Entropy, actor: Actor, now: int, request_id: str
) -> None:
    """A new site.

    Raises:
        InvalidInput: a malformed id, or a name is missing.
        Refused: `SITE_EXISTS`.
    """
    errors = site_errors(site)
    if errors:
        raise InvalidInput(*errors)
    change = audit(
        AuditAction.SITE_CHANGED,
        actor=actor,
        subject=site.site_id,
        entropy=entropy,
        now=now,
        request_id=request_id,
        change="added",
    )
    try:
        store.commit([Insert(site), change])
    except Conflict:
        raise Refused(f"There is a site {site.site_id} already.", code="SITE_EXISTS") from None


def load_catalogue(
    types: tuple[VoucherType, ...],
    *,
    store: Store,
    entropy: Entropy,
    actor: Actor,
    now: int,
    request_id: str,
) -> Catalogue:
    """Replace the catalogue as a whole; an identical one changes nothing.

    Raises:
        InvalidInput: naming everything wrong with it.
        Unavailable: somebody else loaded one at the same moment.
    """
    known = store.catalogue()
    fresh = (
        replace(known, types=types, version=known.version + 1) if known else Catalogue(types=types)
    )
    errors = catalogue_errors(fresh, frozenset(site.site_id for site in store.sites()))
    if errors:
        raise InvalidInput(*errors)
    if known and known.types == types:
        return known
    changes: list[Change] = [
        Update(fresh) if known else Insert(fresh),
        audit(
            AuditAction.CATALOGUE_LOADED,
            actor=actor,
            subject=f"version {fresh.version}",
            entropy=entropy,
            now=now,
            request_id=request_id,
        ),
    ]
    try:
        store.commit(changes)
    except Conflict:
        raise Unavailable("Another catalogue was loaded at the same moment. Try again.") from None
    return fresh


def one_time_password(entropy: Entropy) -> str:
    """96 random bits in groups of four hexadecimal digits: easy to read out and type."""
    digits = entropy.random_bytes(ONE_TIME_PASSWORD_BYTES).hex()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _load_staff(store: Store, username: str) -> Staff:
    staff = store.staff(username)
    if staff is None:
        raise NotFound(f"There is no member of staff {username}.", code="STAFF_NOT_FOUND")
    return staff


def _commit_staff(
    store: Store,
    staff: Staff,
    what: str,
    entropy: Entropy,
    actor: Actor,
    now: int,
    request_id: str,
) -> None:
    change = audit(
        AuditAction.STAFF_CHANGED,
        actor=actor,
        subject=staff.username,
        entropy=entropy,
        now=now,
        request_id=request_id,
        change=what,
    )
    try:
        store.commit([Update(staff), change])
    except Conflict:
        raise Unavailable(f"{staff.username} changed meanwhile. Try again.") from None
