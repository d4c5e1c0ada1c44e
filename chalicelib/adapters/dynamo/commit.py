"""All changes or none: one conditional write, or one transaction at twice the price.

Every commit signs the items it writes with a mark of its own (`w`). An answer may get lost after
the write went through, and the repeat then meets its own work: a refused write whose stored item
carries the mark is ours, and the commit is done.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.constants import (
    ALL_OLD,
    CLIENT_REQUEST_TOKEN,
    DELETE_ITEM,
    ITEM,
    KEY,
    PUT_ITEM,
    TRANSACT_CONDITION_CHECK,
    TRANSACT_DELETE,
    TRANSACT_ITEMS,
    TRANSACT_PUT,
    TRANSACT_WRITE_ITEMS,
)
from pynamodb.exceptions import VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.adapters.dynamo.items import (
    Key,
    attributes_of,
    key_of,
    open_listing_key,
    order_key,
    pointer_key,
)
from chalicelib.adapters.dynamo.table import BOTOCORE_ERRORS, error_code, unavailable
from chalicelib.adapters.dynamo.values import Item, pack
from chalicelib.domain.exceptions import ExceptionRecord
from chalicelib.domain.orders import Order
from chalicelib.ports import MAX_CHANGES, Change, Check, Conflict, Delete, Insert, Update

ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.02
MARK_BYTES = 8

_STALE = "ConditionalCheckFailed"
_BUSY = "TransactionConflict"
_SINGLE_OPERATIONS = {TRANSACT_PUT: PUT_ITEM, TRANSACT_DELETE: DELETE_ITEM}


@dataclass(frozen=True, slots=True)
class Write:
    """One item's part in a commit: an action of `TransactWriteItems` and its arguments."""

    change: Change
    key: Key
    action: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a write was refused, and the item it met (empty where there is none)."""

    write: Write
    code: str
    met: Item


def commit(connection: Connection, table: str, changes: Sequence[Change]) -> None:
    """Store all `changes` or none, as `Store.commit` promises.

    Raises:
        Conflict: of the first change that met another state. Also where transactions of others
            kept an item busy through every attempt.
        ValueError: too many changes, none, or one record twice.
        StoreUnavailable: the engine failed.
    """
    token = uuid4()
    writes = _plan(connection, table, changes, token)
    busy: list[Refusal] = []
    for attempt in range(ATTEMPTS):
        if attempt:
            _pause(attempt)
        refusals = _send(connection, writes, token)
        if not refusals or any(refusal.met.get("w") == _mark(token) for refusal in refusals):
            return
        stale = [refusal for refusal in refusals if refusal.code == _STALE]
        if stale:
            raise Conflict(stale[0].write.change)
        busy = refusals
    raise Conflict(busy[0].write.change)


def _plan(
    connection: Connection, table: str, changes: Sequence[Change], token: UUID
) -> list[Write]:
    writes = [
        write for change in changes for write in _writes(connection, table, change, _mark(token))
    ]
    if not 0 < len(writes) <= MAX_CHANGES:
        raise ValueError(f"a commit takes 1 to {MAX_CHANGES} changes, not {len(writes)}")
    if len({write.key for write in writes}) < len(writes):
        raise ValueError("a commit takes no record twice")
    return writes


def _mark(token: UUID) -> dict[str, Any]:
    return {"B": token.bytes[:MARK_BYTES]}


def _writes(
    connection: Connection, table: str, change: Change, mark: dict[str, Any]
) -> Iterator[Write]:
    """One write for a change; an order that comes or goes takes its hash's pointer along, an
    exception its listing among the open ones.
    """
    record = change.record
    bookkeeping = {"v": pack(record.version), "w": mark}
    absent = Path(["pk"]).does_not_exist()

    def write(
        action: str, key: Key, condition: Condition | None, attributes: Item | None = None
    ) -> Write:
        arguments = connection.get_operation_kwargs(
            table,
            key.pk,
            key.sk,
            key=KEY if attributes is None else ITEM,
            attributes=attributes,
            condition=condition,
            return_values_on_condition_failure=ALL_OLD,
        )
        return Write(change, key, action, arguments)

    match change:
        case Insert():
            attributes = {**attributes_of(record), **bookkeeping}
            yield write(TRANSACT_PUT, key_of(record), absent, attributes)
            if isinstance(record, Order):
                target = {"order": pack(order_key(record.order_id).pk), **bookkeeping}
                yield write(TRANSACT_PUT, pointer_key(record.order_hash), absent, target)
        case Update():
            attributes = {**attributes_of(record), **bookkeeping}
            expected = _version_is(record.version - 1)
            yield write(TRANSACT_PUT, key_of(record), expected, attributes)
        case Delete():
            yield write(TRANSACT_DELETE, key_of(record), _version_is(record.version))
            if isinstance(record, Order):
                there = Path(["pk"]).exists()
                yield write(TRANSACT_DELETE, pointer_key(record.order_hash), there)
        case Check():
            yield write(TRANSACT_CONDITION_CHECK, key_of(record), _version_is(record.version))
    if isinstance(record, ExceptionRecord) and not isinstance(change, Check):
        listing = open_listing_key(record.exception_id)
        # Unconditional: the version of the record itself guards both.
        if record.is_open and not isinstance(change, Delete):
            yield write(TRANSACT_PUT, listing, None, bookkeeping)
        else:
            yield write(TRANSACT_DELETE, listing, None)


def _version_is(version: int) -> Condition:
    return Path(["v"]) == pack(version)


def _send(connection: Connection, writes: list[Write], token: UUID) -> list[Refusal]:
    """Try once. An empty list means that all is stored."""
    try:
        if len(writes) == 1 and writes[0].action in _SINGLE_OPERATIONS:
            (write,) = writes
            connection.dispatch(_SINGLE_OPERATIONS[write.action], dict(write.arguments))
        else:
            actions = [{write.action: write.arguments} for write in writes]
            connection.dispatch(
                TRANSACT_WRITE_ITEMS, {TRANSACT_ITEMS: actions, CLIENT_REQUEST_TOKEN: str(token)}
            )
    except BOTOCORE_ERRORS as error:
        refusals = _refusals(error, writes)
        if not {refusal.code for refusal in refusals} & {_STALE, _BUSY}:
            raise unavailable(error) from error
        return refusals
    return []


def _refusals(error: Exception, writes: list[Write]) -> list[Refusal]:
    code = error_code(error).removesuffix("Exception")
    if code in (_STALE, _BUSY):
        return [Refusal(writes[0], code, _met_alone(error))]
    if not isinstance(error, VerboseClientError):
        return []
    return [
        Refusal(write, reason.code, reason.raw_item or {})
        for write, reason in zip(writes, error.cancellation_reasons, strict=False)
        if reason is not None
    ]


def _met_alone(error: Exception) -> Item:
    """The item that a single write met: pynamodb keeps it in the cause only."""
    cause = error.__cause__
    met: Item = cause.response.get("Item", {}) if isinstance(cause, ClientError) else {}
    return met


def _pause(attempt: int) -> None:
    longest = FIRST_PAUSE_SECONDS * 2**attempt
    time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads retries, guards nothing
