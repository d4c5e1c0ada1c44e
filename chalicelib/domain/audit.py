"""What people tried: refused deliveries, logins, scans. Append-only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.orders import Actor


class AuditAction(StrEnum):
    """What was tried."""

    LOGIN = "LOGIN"
    LOGIN_REFUSED = "LOGIN_REFUSED"
    LOGOUT = "LOGOUT"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - an action's name
    REFRESH_REPEATED = "REFRESH_REPEATED"
    SESSION_REUSED = "SESSION_REUSED"
    SCAN = "SCAN"
    DELIVERY_REFUSED = "DELIVERY_REFUSED"
    STAFF_CHANGED = "STAFF_CHANGED"
    SITE_CHANGED = "SITE_CHANGED"
    CATALOGUE_LOADED = "CATALOGUE_LOADED"
    EXCEPTION_RESOLVED = "EXCEPTION_RESOLVED"


@dataclass(frozen=True, slots=True)
class AuditItem:
    """One attempt. `subject` names what it was about (an order by its hash, never its id)."""

    audit_id: str
    at: int
    actor: Actor
    action: AuditAction
    subject: str
    request_id: str
    detail: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
