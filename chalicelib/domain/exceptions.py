"""Burns that fit no order, and delivered orders whose burn is gone: what a person has to look at.

A record is raised by the listener in the same commit as the ledger entry it is about, and closed
once: by an administrator with a reason, or by the listener where the chain undid the matter. See
spec: Redemptions and exceptions.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib.domain.errors import Refused, invalid
from chalicelib.domain.order_hash import hash32
from chalicelib.domain.orders import Actor, Order, OrderStatus, confirm_burn
from chalicelib.domain.redemptions import Burn, Outcome, Redemption

LONGEST_REASON = 200
EXCEPTION_ID = re.compile(r"[1-9][0-9]{0,18}-[0-9a-f]{8}")
EXCEPTION_PLACE = re.compile(r"[0-9]{19}-[0-9a-f]{8}")
_TX_DIGITS = 8
_PLACE_LENGTH = 28


class ExceptionKind(StrEnum):
    """Why a person has to look: the burn's outcome, or what a fork did to a delivered order."""

    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    WRONG_WALLET = "WRONG_WALLET"
    WRONG_TOKEN = "WRONG_TOKEN"  # noqa: S105 - a voucher's token id, no credential
    WRONG_AMOUNT = "WRONG_AMOUNT"
    LATE = "LATE"
    DUPLICATE = "DUPLICATE"
    ORDER_CLOSED = "ORDER_CLOSED"
    DELIVERED_REORGED = "DELIVERED_REORGED"


class ResolutionKind(StrEnum):
    """How an exception ended."""

    HONOUR = "HONOUR"
    REISSUE = "REISSUE"
    DISMISS = "DISMISS"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    WITHDRAWN = "WITHDRAWN"


_LASTING = frozenset({ResolutionKind.REISSUE, ResolutionKind.DISMISS})
"""Resolutions that hold however the chain moves: they changed nothing that depends on the burn."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The end of an exception: who, when (unix seconds) and why.

    `tx_hash` is the mint that gave the vouchers back, of a REISSUE.
    """

    kind: ResolutionKind
    at: int
    actor: Actor
    reason: str
    tx_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """An earlier time that the same burn was an exception, and how that ended."""

    kind: ExceptionKind
    raised_at: int
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """One burn that a person has to look at, from when it was raised (unix seconds).

    It is open until it has a `resolution`. `earlier` is filled only where a fork took the burn
    away and brought it back; nothing in a record is ever forgotten.
    """

    exception_id: str
    kind: ExceptionKind
    burn: Burn
    raised_at: int
    resolution: Resolution | None = None
    earlier: tuple[Episode, ...] = ()
    version: int = 1

    @property
    def order_hash(self) -> str:
        """The order hash that the burn named."""
        return self.burn.order_hash

    @property
    def serial(self) -> int:
        """The contract's number of the burn."""
        return self.burn.serial

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.resolution is None


def exception_id(burn: Burn) -> str:
    """`<serial>-<first 8 hexadecimal digits of the transaction hash>`: a fork may give a serial to
    another burn.
    """
    return f"{burn.serial}-{burn.tx_hash.removeprefix('0x')[:_TX_DIGITS]}"


def exception_place(exception_id: str) -> str:
    """The id with its serial padded, so that such texts sort by serial."""
    return exception_id.zfill(_PLACE_LENGTH)


def check_exception_id(exception_id: str) -> str:
    """The id itself if it is well formed.

    Raises:
        InvalidInput: naming `exceptionId`.
    """
    if not EXCEPTION_ID.fullmatch(exception_id):
        raise invalid("exceptionId", "pattern", "is <serial>-<8 hexadecimal digits>")
    return exception_id


def kind_of(outcome: Outcome) -> ExceptionKind:
    """The kind of exception that a burn with that outcome is.

    Raises:
        ValueError: `MATCHED`, which is none.
    """
    return ExceptionKind(outcome.value)


def raise_exception(
    burn: Burn, kind: ExceptionKind, at: int, known: ExceptionRecord | None = None
) -> ExceptionRecord:
    """The open record of `burn`; the same object where nothing changes.

    `known` is the record already stored under the id, as there is where a fork took the burn away
    and brought it back. It opens anew, unless the customer was given the voucher back or the matter
    dismissed: that still holds. A burn honoured before a fork has to be honoured again, since its
    order was taken back with it. A `DELIVERED_REORGED` always opens.
    """
    if known is None:
        return ExceptionRecord(exception_id(burn), kind, burn, raised_at=at)
    done = known.resolution
    if done is None:
        same = (known.kind, known.burn) == (kind, burn)
        return known if same else _next(replace(known, kind=kind, burn=burn))
    if done.kind in _LASTING and kind is not ExceptionKind.DELIVERED_REORGED:
        return known
    return _next(
        replace(
            known,
            kind=kind,
            burn=burn,
            raised_at=at,
            resolution=None,
            earlier=(*known.earlier, Episode(known.kind, known.raised_at, done)),
        )
    )


def withdraw(record: ExceptionRecord, *, actor: Actor, at: int, reason: str) -> ExceptionRecord:
    """The record once the chain undid what it is about: the burn is gone, or the burn of a
    delivered order is back. The same object where it was resolved already.
    """
    if record.resolution is not None:
        return record
    return _resolved(record, Resolution(ResolutionKind.WITHDRAWN, at, actor, reason))


def honour(
    record: ExceptionRecord,
    *,
    order: Order,
    entry: Redemption,
    actor: Actor,
    at: int,
    reason: str,
    request_id: str,
) -> tuple[ExceptionRecord, Order]:
    """The order gets its service all the same: it becomes VALID, with the burn.

    `order` is the one made with the burn's order hash, `entry` the ledger's under its serial. What
    another wallet burned is never honoured: the order belongs to its customer, and anybody could
    burn a voucher for an order they have seen the hash of. Give such a voucher back by REISSUE.

    Raises:
        InvalidInput: `reason`.
        Refused: `ALREADY_RESOLVED`; `NOT_HONOURABLE`, saying why.
    """
    checked = _check(record, ResolutionKind.HONOUR, reason)
    burn = _final_burn(record, entry)
    if burn.user != order.customer:
        raise not_honourable("another wallet burned than the order's; REISSUE or DISMISS")
    if order.status in (OrderStatus.CREATED, OrderStatus.PENDING_CHAIN):
        raise not_honourable("its order is still open and may get its burn; wait for its end")
    if order.burn is not None or order.status in (OrderStatus.VALID, OrderStatus.DELIVERED):
        raise not_honourable("its order has had another burn; REISSUE or DISMISS")
    honoured = confirm_burn(
        order,
        burn,
        actor=actor,
        at=at,
        request_id=request_id,
        reason=f"exception honoured: {checked}",
    )
    resolution = Resolution(ResolutionKind.HONOUR, at, actor, checked)
    return _resolved(record, resolution), honoured


def reissue(
    record: ExceptionRecord, *, actor: Actor, at: int, reason: str, tx_hash: str
) -> ExceptionRecord:
    """The voucher was given back by the mint in `tx_hash`, which is only written down here.

    Raises:
        InvalidInput: `reason`; `txHash`, no transaction hash, or that of the burn itself.
        Refused: `ALREADY_RESOLVED`; `WRONG_RESOLUTION`.
    """
    checked = _check(record, ResolutionKind.REISSUE, reason)
    mint = hash32(tx_hash, field="txHash")
    if mint == record.burn.tx_hash:
        raise invalid("txHash", "mint", "is the burn itself, not the mint that made up for it")
    return _resolved(record, Resolution(ResolutionKind.REISSUE, at, actor, checked, mint))


def dismiss(record: ExceptionRecord, *, actor: Actor, at: int, reason: str) -> ExceptionRecord:
    """Nothing is given for the burn.

    Raises:
        InvalidInput: `reason`.
        Refused: `ALREADY_RESOLVED`; `WRONG_RESOLUTION`.
    """
    checked = _check(record, ResolutionKind.DISMISS, reason)
    return _resolved(record, Resolution(ResolutionKind.DISMISS, at, actor, checked))


def acknowledge(record: ExceptionRecord, *, actor: Actor, at: int, reason: str) -> ExceptionRecord:
    """Somebody has looked at a delivered order whose burn is gone: moves to VALID may go on.

    Raises:
        InvalidInput: `reason`.
        Refused: `ALREADY_RESOLVED`; `WRONG_RESOLUTION`.
    """
    checked = _check(record, ResolutionKind.ACKNOWLEDGE, reason)
    return _resolved(record, Resolution(ResolutionKind.ACKNOWLEDGE, at, actor, checked))


def check_reason(reason: str) -> str:
    """`reason` without blanks around it: one line of 1 to 200 printable characters.

    Raises:
        InvalidInput: naming `reason`.
    """
    trimmed = reason.strip()
    if not trimmed:
        raise invalid("reason", "required", "say why, in a few words")
    if len(trimmed) > LONGEST_REASON:
        raise invalid("reason", "length", f"must have at most {LONGEST_REASON} characters")
    if not trimmed.isprintable():
        raise invalid("reason", "characters", "must be one line, without control characters")
    return trimmed


def _check(record: ExceptionRecord, wanted: ResolutionKind, reason: str) -> str:
    """The reason, where the record is open and such a resolution fits its kind."""
    done = record.resolution
    if done is not None:
        raise Refused(
            f"Exception {record.exception_id} is resolved already: {done.kind}"
            f" by {done.actor.name} at {datetime.fromtimestamp(done.at, UTC):%Y-%m-%dT%H:%M:%SZ}.",
            code="ALREADY_RESOLVED",
        )
    incident = record.kind is ExceptionKind.DELIVERED_REORGED
    if incident and wanted is not ResolutionKind.ACKNOWLEDGE:
        raise Refused(
            f"Exception {record.exception_id} is {record.kind}: the service was handed over, so it"
            " can only be acknowledged.",
            code="WRONG_RESOLUTION",
        )
    if not incident and wanted is ResolutionKind.ACKNOWLEDGE:
        raise Refused(
            f"Exception {record.exception_id} is {record.kind}: it is resolved by HONOUR, REISSUE"
            " or DISMISS.",
            code="WRONG_RESOLUTION",
        )
    return check_reason(reason)


def _final_burn(record: ExceptionRecord, entry: Redemption) -> Burn:
    """The record's burn as it stands in the ledger now."""
    if not entry.burn.is_same_redemption(record.burn) or not entry.on_chain:
        raise not_honourable("its burn is no longer on the chain")
    if not entry.final:
        raise not_honourable("its burn is not final now; wait for the listener")
    return entry.burn


def not_honourable(why: str) -> Refused:
    """A refusal to honour an exception, to be raised."""
    return Refused(f"It cannot be honoured: {why}.", code="NOT_HONOURABLE")


def _resolved(record: ExceptionRecord, resolution: Resolution) -> ExceptionRecord:
    return _next(replace(record, resolution=resolution))


def _next(record: ExceptionRecord) -> ExceptionRecord:
    return replace(record, version=record.version + 1)
