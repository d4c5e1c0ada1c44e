"""How far the chain was read: one record that fences every write of the listener."""

from dataclasses import dataclass, replace

from chalicelib.domain.redemptions import BlockRef


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
    halts: tuple[str, ...] = ()
    version: int = 1

    @property
    def head_number(self) -> int:
        """The newest block a pass has seen, for counting confirmations."""
        return self.heartbeat.head.number if self.heartbeat else self.proven.number


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
