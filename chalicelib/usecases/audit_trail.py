"""Writing down what people tried."""

from chalicelib.domain.audit import AuditAction, AuditItem
from chalicelib.domain.orders import Actor
from chalicelib.ports import Entropy, Insert


def audit(
    action: AuditAction,
    *,
    actor: Actor,
    subject: str,
    entropy: Entropy,
    now: int,
    request_id: str,
    **detail: str,
) -> Insert:
    """The change that stores one audit item. Ids begin with the time, so they sort by it."""
    return Insert(
        AuditItem(
            audit_id=f"{now:010d}-{entropy.random_bytes(8).hex()}",
            at=now,
            actor=actor,
            action=action,
            subject=subject,
            request_id=request_id,
            detail=detail,
        )
    )
