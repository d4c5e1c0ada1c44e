"""How far the chain was read: one record that fences every write of the listener."""

from dataclasses import dataclass, replace

from chalicelib.domain.redemptions import BlockRef

ANCHOR_DISTANCE = 64
"""Blocks between the proven one and the nearest anchor, about."""

ANCHOR_GROWTH = 32
"""How much farther off than one anchor the next but one is at least."""

DEEPEST_REWIND = 100_000
"""A fork that goes deeper below what was proven final, in blocks, is for people to look into: on
BNB Chain that is half a day."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the last pass saw, for `/health/ready` and the confirmations people are shown.

    `at` is when the pass ended, `succeeded_at` when one last ended without error (unix seconds);
    `error` names the failing dependency of the last pass, empty where it succeeded.
    """

    at: int
    succeeded_at: int
    head: BlockRef
    error: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The listener's place on the chain.

    `proven` is the highest final block up to which every burn is proved to be in the ledger; all
    serials up to `last_serial` are in it, final. `scanned` is the block up to which final logs were
    read: while a backlog is caught up it runs ahead of the proof. `seen_serial` is the highest
    serial the ledger ever held, burns not final yet included. `expired_through` is the chain time
    up to which expiry was settled.
    `anchors` are blocks proven before, newest first, at growing distances: where the chain can be
    taken up again should a fork go below what was proven. While `rewinding`, final entries of
    blocks above `proven` are still to be taken back.
    `lease_owner` may write until `lease_until` (unix seconds). Every write raises `version`, so a
    run that lost its lease fails its next commit: the version is the fencing token.
    `halts` are the ids of the incidents that nobody has acknowledged yet: while there is any, no
    order becomes VALID and none expires.
    """

    proven: BlockRef
    last_serial: int
    expired_through: int
    chain_id: int
    contract: str
    lease_owner: str = ""
    lease_until: int = 0
    heartbeat: Heartbeat | None = None
    scanned: int = 0
    seen_serial: int = 0
    anchors: tuple[BlockRef, ...] = ()
    rewinding: bool = False
    halts: tuple[str, ...] = ()
    version: int = 1

    @property
    def head_number(self) -> int:
        """The newest block a pass has seen, for counting confirmations."""
        return self.heartbeat.head.number if self.heartbeat else self.proven.number

    @property
    def halt_reason(self) -> str:
        """Why no order becomes VALID and none expires; empty where they may."""
        if not self.halts:
            return ""
        return f"halted by incident {', '.join(self.halts)} until acknowledged"


def advance(
    cursor: Cursor,
    *,
    proven: BlockRef | None = None,
    last_serial: int | None = None,
    expired_through: int | None = None,
    lease_owner: str | None = None,
    lease_until: int | None = None,
    heartbeat: Heartbeat | None = None,
    scanned: int | None = None,
    seen_serial: int | None = None,
    halts: tuple[str, ...] | None = None,
) -> Cursor:
    """The next version of the cursor. Proven height, serials and settled time never go back;
    `scanned` may, down to the proven height, and follows it up.

    Raises:
        ValueError: one of them would, or the proven block would be exchanged for another.
    """
    height = (proven or cursor.proven).number
    after = replace(
        cursor,
        proven=proven or cursor.proven,
        last_serial=cursor.last_serial if last_serial is None else last_serial,
        expired_through=cursor.expired_through if expired_through is None else expired_through,
        lease_owner=cursor.lease_owner if lease_owner is None else lease_owner,
        lease_until=cursor.lease_until if lease_until is None else lease_until,
        heartbeat=heartbeat or cursor.heartbeat,
        scanned=max(height, cursor.scanned if scanned is None else scanned),
        seen_serial=max(cursor.seen_serial, seen_serial or 0, last_serial or 0),
        anchors=_anchors(cursor, height),
        halts=cursor.halts if halts is None else halts,
        version=cursor.version + 1,
    )
    if (
        after.proven.number < cursor.proven.number
        or (height == cursor.proven.number and after.proven.hash != cursor.proven.hash)
        or after.last_serial < cursor.last_serial
        or after.expired_through < cursor.expired_through
    ):
        raise ValueError("the cursor cannot go back")
    return after


def rewind(cursor: Cursor, to: BlockRef) -> Cursor:
    """The next version of the cursor, back at `to`: the newest proven block the chain still has.

    Serials are taken back by `taken_back`; until that is done the cursor is `rewinding`.

    Raises:
        ValueError: `to` is neither the proven block nor below it.
    """
    if to.number > cursor.proven.number:
        raise ValueError("a rewind goes back")
    return replace(
        cursor,
        proven=to,
        scanned=to.number,
        # Orders whose burn is lost with the fork may have to expire all over again.
        expired_through=min(cursor.expired_through, max(0, to.time - 1)),
        anchors=tuple(anchor for anchor in cursor.anchors if anchor.number < to.number),
        rewinding=True,
        version=cursor.version + 1,
    )


def taken_back(cursor: Cursor, *, last_serial: int, done: bool) -> Cursor:
    """The next version of a rewinding cursor once no entry above `last_serial` is final.

    Raises:
        ValueError: it is not rewinding, or the serial would go up.
    """
    if not cursor.rewinding or last_serial > cursor.last_serial:
        raise ValueError("only a rewind takes serials back")
    return replace(cursor, last_serial=last_serial, rewinding=not done, version=cursor.version + 1)


def _anchors(cursor: Cursor, height: int) -> tuple[BlockRef, ...]:
    """The anchors once `height` is proven.

    The oldest always stays. Of the others those go that are too deep for any rewind, or lie between
    two of which the farther is not `ANCHOR_GROWTH` times as far off as the nearer.
    """
    old = cursor.proven
    newest = cursor.anchors[0].number if cursor.anchors else None
    far = newest is None or old.number - newest >= ANCHOR_DISTANCE
    anchors = [old, *cursor.anchors] if height > old.number and far else list(cursor.anchors)
    at = 1
    while at < len(anchors) - 1:
        nearer, farther = height - anchors[at - 1].number, height - anchors[at + 1].number
        if farther < nearer * ANCHOR_GROWTH or height - anchors[at].number > DEEPEST_REWIND:
            del anchors[at]
        else:
            at += 1
    return tuple(anchors)
