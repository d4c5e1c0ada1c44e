"""An administrator resolves an exception, once (`vouchers exceptions resolve|acknowledge`)."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.audit import AuditAction
from chalicelib.domain.errors import Forbidden, NotFound, Refused, Unavailable
from chalicelib.domain.exceptions import (
    ExceptionRecord,
    acknowledge,
    check_exception_id,
    dismiss,
    honour,
    not_honourable,
    reissue,
)
from chalicelib.domain.orders import Actor, ActorKind, Order
from chalicelib.domain.progress import advance
from chalicelib.ports import Change, Check, Conflict, Entropy, Store, Update
from chalicelib.usecases.audit_trail import audit
from chalicelib.usecases.changes import MAX_ATTEMPTS, order_changes


@dataclass(frozen=True, slots=True)
class Resolver:
    """Who resolves, why, when (unix seconds), and whether it is only tried (`dry_run`)."""

    store: Store
    entropy: Entropy
    actor: Actor
    reason: str
    now: int
    request_id: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """The exception as it is now, or would be.

    `order` is the one that became VALID by it; `halts` are the incidents that still keep orders
    from becoming VALID.
    """

    record: ExceptionRecord
    order: Order | None = None
    halts: tuple[str, ...] = ()


Decision = tuple[Resolved, list[Change]]
"""What a resolution comes to, and what it changes beside the exception itself."""


def load_exception(store: Store, exception_id: str) -> ExceptionRecord:
    """The exception with that id.

    Raises:
        InvalidInput: `exceptionId` is none.
        NotFound: `EXCEPTION_NOT_FOUND`.
    """
    record = store.exception(check_exception_id(exception_id))
    if record is None:
        raise NotFound(f"There is no exception {exception_id}.", code="EXCEPTION_NOT_FOUND")
    return record


def honour_exception(exception_id: str, by: Resolver) -> Resolved:
    """The burn's order becomes VALID, in the same commit.

    Raises:
        InvalidInput: `exceptionId`, `reason`.
        NotFound: `EXCEPTION_NOT_FOUND`.
        Forbidden: `FORBIDDEN_ROLE`, the actor is no administrator.
        Refused: `ALREADY_RESOLVED`, `WRONG_RESOLUTION`; `NOT_HONOURABLE`, saying why; `HALTED`, an
            incident keeps every order from becoming VALID.
        Unavailable: others keep interfering.
    """

    def decide(record: ExceptionRecord) -> Decision:
        store = by.store
        cursor = store.cursor()
        before = store.order_by_hash(record.order_hash)
        if before is None:
            raise not_honourable("its burn names no order; REISSUE or DISMISS")
        entry = next(iter(store.redemptions(record.serial, record.serial)), None)
        if entry is None:
            raise not_honourable("its burn is not in the ledger")
        honoured, after = honour(
            record,
            order=before,
            entry=entry,
            actor=by.actor,
            at=by.now,
            reason=by.reason,
            request_id=by.request_id,
        )
        if cursor is not None and cursor.halts:
            raise Refused(
                f"No order becomes VALID before somebody acknowledges {', '.join(cursor.halts)}.",
                code="HALTED",
            )
        return Resolved(honoured, order=after), [*order_changes(before, after), Check(entry)]

    return _resolve(exception_id, by, decide)


def reissue_exception(exception_id: str, by: Resolver, *, tx_hash: str) -> Resolved:
    """The mint in `tx_hash` gave the voucher back: written down, not looked up on the chain.

    Raises:
        InvalidInput: `exceptionId`, `reason`, `txHash`.
        NotFound, Forbidden, Refused, Unavailable: as with `honour_exception`.
    """

    def decide(record: ExceptionRecord) -> Decision:
        given = reissue(record, actor=by.actor, at=by.now, reason=by.reason, tx_hash=tx_hash)
        return Resolved(given), []

    return _resolve(exception_id, by, decide)


def dismiss_exception(exception_id: str, by: Resolver) -> Resolved:
    """Nothing is given for the burn.

    Raises:
        InvalidInput, NotFound, Forbidden, Refused, Unavailable: as with `honour_exception`.
    """

    def decide(record: ExceptionRecord) -> Decision:
        return Resolved(dismiss(record, actor=by.actor, at=by.now, reason=by.reason)), []

    return _resolve(exception_id, by, decide)


def acknowledge_incident(exception_id: str, by: Resolver) -> Resolved:
    """Somebody has looked at a delivered order whose burn is gone; once no other incident is left,
    orders become VALID again.

    A listener that runs finds the cursor changed, as it does when another took over from it, and
    goes on with its next pass.

    Raises:
        InvalidInput, NotFound, Forbidden, Refused, Unavailable: as with `honour_exception`.
    """

    def decide(record: ExceptionRecord) -> Decision:
        known = acknowledge(record, actor=by.actor, at=by.now, reason=by.reason)
        cursor = by.store.cursor()
        if cursor is None:
            return Resolved(known), []
        left = tuple(one for one in cursor.halts if one != record.exception_id)
        changes: list[Change] = []
        if left != cursor.halts:
            changes = [Update(advance(cursor, halts=left))]
        return Resolved(known, halts=left), changes

    return _resolve(exception_id, by, decide)


def _resolve(
    exception_id: str, by: Resolver, decide: Callable[[ExceptionRecord], Decision]
) -> Resolved:
    """Decide on the exception as it is stored, and store all that this changes, with an audit item,
    in one commit; anew where somebody else was faster.
    """
    if by.actor.kind is not ActorKind.ADMIN:
        raise Forbidden("Only an administrator resolves exceptions.", code="FORBIDDEN_ROLE")
    for _ in range(MAX_ATTEMPTS):
        record = load_exception(by.store, exception_id)
        try:
            resolved, changes = decide(record)
        except Refused:
            # What it rests on is read after it: another administrator may have come in between.
            if load_exception(by.store, exception_id) == record:
                raise
            continue
        if by.dry_run:
            return resolved
        try:
            by.store.commit([Update(resolved.record), *changes, _noted(resolved.record, by)])
        except Conflict:
            continue
        return resolved
    raise Unavailable("The exception, its order or the listener's place keep changing. Try again.")


def _noted(record: ExceptionRecord, by: Resolver) -> Change:
    done = record.resolution
    told = {"resolution": done.kind.value, "reason": done.reason} if done else {}
    if done and done.tx_hash:
        told["txHash"] = done.tx_hash
    return audit(
        AuditAction.EXCEPTION_RESOLVED,
        actor=by.actor,
        subject=record.order_hash,
        entropy=by.entropy,
        now=by.now,
        request_id=by.request_id,
        exception=record.exception_id,
        **told,
    )
