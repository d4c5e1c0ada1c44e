"""One bounded pass of the chain listener (spec: Listener).

A pass reads what one provider tells, proves it complete, and only then stores it: in slices in
serial order, each atomic with the cursor, whose version is the fencing token. A pass that dies
between two slices, or is repeated, or runs beside another, loses and doubles nothing.

    take the lease → read the chain → check it adds up → slices: lost burns, final burns,
    pending burns, passed deadlines; the last one carries proven height and heartbeat
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.completeness import Inconsistent, check_continues, check_count
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finality import FinalityRule, final_height
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.progress import Cursor, Heartbeat, advance
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.ports import (
    MAX_CHANGES,
    Chain,
    ChainUnavailable,
    Change,
    Clock,
    Conflict,
    Insert,
    Store,
    Telemetry,
    Update,
)
from chalicelib.usecases.changes import MAX_ATTEMPTS
from chalicelib.usecases.scan_slice import Due, Happening, Lost, Seen, Slice, Step

SLICE_STEPS = 24
"""Steps in a commit. One changes an order, a ledger entry and displaces two moves at most; with
the cursor, 24 of them stay within `MAX_CHANGES`."""

BURNS_PER_PASS = 1000
"""A pass asks for no further range of blocks once it holds that many burns."""

EXPIRY_OVERLAP_SECONDS = 600
"""Deadlines settled before are looked at again for that long: a list of the store may lag."""

EXPIRY_PAGE = 100

LONGEST_ORDER_SECONDS = 7 * 86_400
"""The contract refuses an order that expires later than that."""

_OPEN = frozenset({OrderStatus.CREATED, OrderStatus.PENDING_CHAIN})


class ForkBelowFinality(Exception):
    """The chain no longer holds a block that was proven final. Nothing is stored any more."""


class ForeignCursor(Exception):
    """The stored cursor belongs to another chain or contract and is never reused."""


class _LeaseLost(Exception):
    """Another listener has written the cursor."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What a pass works on, and its bounds.

    `block_range` is the most blocks asked for at once, `ranges_per_pass` how often. `lease_seconds`
    must outlast a slice. Where nothing happens, the heartbeat is written every
    `heartbeat_seconds`.
    """

    chain_id: int
    contract: str
    deploy_block: int
    finality: FinalityRule
    block_range: int
    ranges_per_pass: int = 50
    lease_seconds: int = 60
    heartbeat_seconds: int = 5


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a pass came to.

    `mine` is false where another listener holds the lease: nothing was done. `error` says why
    nothing could be concluded, empty where all is well. `burns` counts the final ones stored,
    `exceptions` those of them that match no order, `pending` the burns not final yet. `lag_blocks`
    and `lag_seconds` are how far the proven height trails head and clock. With `backlog` the next
    pass should follow at once.
    """

    mine: bool = True
    error: str = ""
    blocks: int = 0
    burns: int = 0
    matched: int = 0
    exceptions: int = 0
    lost: int = 0
    expired: int = 0
    pending: int = 0
    lag_blocks: int = 0
    lag_seconds: int = 0
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class _View:
    """What a provider told in this pass, checked to add up.

    `fresh` are the burns beyond the cursor's last serial, `scanned` is the final block up to which
    they were read. `complete` says that they reach to the head and the contract counts no more.
    """

    head: BlockRef
    final: BlockRef
    fresh: tuple[Burn, ...]
    scanned: int
    complete: bool

    @property
    def final_burns(self) -> tuple[Burn, ...]:
        return tuple(burn for burn in self.fresh if burn.block.number <= self.scanned)

    @property
    def pending_burns(self) -> tuple[Burn, ...]:
        if not self.complete:
            return ()
        return tuple(burn for burn in self.fresh if burn.block.number > self.scanned)


def scan(
    *,
    store: Store,
    chain: Chain,
    clock: Clock,
    telemetry: Telemetry,
    settings: ScanSettings,
    owner: str,
    request_id: str,
) -> ScanResult:
    """Do one pass as `owner`, a name no other running listener has.

    Failures of the provider and tales that do not add up end the pass, are kept in the heartbeat
    and told in the result; what they leave undone, the next pass does.

    Raises:
        ForkBelowFinality: a proven block is gone; kept in the heartbeat, too.
        ForeignCursor: the store was filled from another chain or contract.
        ChainUnavailable: before there is a cursor that could keep it.
        StoreUnavailable: whatever was under way may or may not be stored.
    """
    cursor = _lease(store, chain, settings, owner=owner, now=clock.now())
    if cursor is None:
        return ScanResult(mine=False)
    one = _Pass(store, chain, clock, telemetry, settings, owner, request_id, cursor)
    try:
        return one.run()
    except (ChainUnavailable, Inconsistent, Unavailable) as error:
        return one.fail(error)
    except ForkBelowFinality as error:
        one.fail(error)
        raise
    except _LeaseLost:
        telemetry.event("lease_lost")
        return ScanResult(mine=False)


def release(*, store: Store, owner: str) -> None:
    """Give the lease back, so that whoever comes next need not wait for its end."""
    cursor = store.cursor()
    if cursor is None or cursor.lease_owner != owner:
        return
    try:
        store.commit([Update(advance(cursor, lease_owner="", lease_until=0))])
    except Conflict:
        return


def awaits_burn(*, store: Store, now: int) -> bool:
    """Whether an order is open: it waits for its burn, or for the burn to become final."""
    cursor = store.cursor()
    since = min(now, cursor.expired_through) if cursor else 0
    page_cursor: str | None = None
    while True:
        page = store.orders_expiring(
            after=since, through=now + LONGEST_ORDER_SECONDS, limit=EXPIRY_PAGE, cursor=page_cursor
        )
        if any(order.status in _OPEN for order in page.items):
            return True
        page_cursor = page.next_cursor
        if page_cursor is None:
            return False


def _lease(
    store: Store, chain: Chain, settings: ScanSettings, *, owner: str, now: int
) -> Cursor | None:
    """The cursor, held by `owner`; `None` where another listener holds it."""
    known = store.cursor()
    try:
        if known is None:
            return _first_cursor(store, chain, settings, owner=owner, now=now)
        if (known.chain_id, known.contract) != (settings.chain_id, settings.contract):
            raise ForeignCursor(
                f"the store was filled from contract {known.contract} on chain {known.chain_id},"
                f" not {settings.contract} on chain {settings.chain_id}: use another store"
            )
        live = known.lease_until > now
        if live and known.lease_owner == owner:
            return known
        if live and known.lease_owner:
            return None
        taken = advance(known, lease_owner=owner, lease_until=now + settings.lease_seconds)
        store.commit([Update(taken)])
    except Conflict:
        return None
    return taken


def _first_cursor(
    store: Store, chain: Chain, settings: ScanSettings, *, owner: str, now: int
) -> Cursor:
    (before_deployment,) = chain.blocks([max(0, settings.deploy_block - 1)])
    first = Cursor(
        proven=before_deployment,
        last_serial=0,
        expired_through=0,
        chain_id=settings.chain_id,
        contract=settings.contract,
        lease_owner=owner,
        lease_until=now + settings.lease_seconds,
        scanned=before_deployment.number,
    )
    store.commit([Insert(first)])
    return first


@dataclass(slots=True)
class _Pass:
    """One pass under way; `cursor` is what it last stored."""

    store: Store
    chain: Chain
    clock: Clock
    telemetry: Telemetry
    settings: ScanSettings
    owner: str
    request_id: str
    cursor: Cursor
    head: BlockRef | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> ScanResult:
        """Read, check, store."""
        begun_at = self.cursor.scanned
        view = self._read()
        ledger = self._entries(self.cursor.last_serial + 1, self.cursor.seen_serial)
        steps = _steps(view, ledger)
        waiting = any(entry.on_chain for entry in ledger.values())
        stored = bool(steps) or self._is_heartbeat_due(view, waiting=waiting)
        if stored:
            settling = view.complete and self._is_settling_due(view.final)
            if settling:
                steps += [Due(order_hash, view.final) for order_hash in self._due(view.final)]
            self._store_all(steps, view, settled=view.final if settling else None)
        result = self._result(view, blocks=max(0, view.scanned - begun_at))
        if stored:
            self._measure(view.head, result)
        return result

    def fail(self, error: Exception) -> ScanResult:
        """Keep in the heartbeat why the pass came to nothing."""
        message = str(error)
        self.telemetry.event("scan_failed", level="ERROR", error=message)
        self.telemetry.metric("ScanFailures", 1)
        scanned = self._last_contiguous_block() if isinstance(error, Inconsistent) else None
        after = advance(
            self.cursor,
            lease_owner=self.owner,
            lease_until=self._lease_until(),
            scanned=scanned,
            heartbeat=self._heartbeat(message),
        )
        try:
            self._write([], after)
        except Conflict:
            return ScanResult(mine=False, error=message)
        return ScanResult(error=message)

    # ------------------------------------------------------------------------------ reading

    def _read(self) -> _View:
        """All that this pass will conclude from."""
        head, final = self._tips()
        fresh, at = self._burns(head, final)
        complete = at == head.number
        scanned = min(at, final.number)
        if complete:
            count = self.chain.redemption_count(head)
            check_count(fresh, last_serial=self.cursor.last_serial, count=count)
        self._reread([burn.block for burn in fresh if burn.block.number <= scanned])
        return _View(head=head, final=final, fresh=fresh, scanned=scanned, complete=complete)

    def _tips(self) -> tuple[BlockRef, BlockRef]:
        """The head, and the newest block that is final."""
        proven = self.cursor.proven
        head = self.chain.head()
        if head.number < proven.number:
            raise ChainUnavailable(f"head {head.number} is older than proven block {proven.number}")
        self.head = head
        height = final_height(
            self.settings.finality, head=head.number, finalized=self.chain.finalized()
        )
        again, final = self.chain.blocks([proven.number, max(proven.number, height)])
        if again.hash != proven.hash:
            raise ForkBelowFinality(
                f"block {proven.number} was {proven.hash} when proven final, now {again.hash}"
            )
        return head, final

    def _burns(self, head: BlockRef, final: BlockRef) -> tuple[tuple[Burn, ...], int]:
        """Burns beyond the last serial, and the block up to which they were read.

        The bounds of a pass hold up to the final block. What follows is read to the head whatever
        it takes, since it is read anew each time and proves nothing in part.
        """
        at = self.cursor.scanned
        told: list[Burn] = []
        ranges = 0
        while at < head.number:
            enough = ranges >= self.settings.ranges_per_pass or len(told) >= BURNS_PER_PASS
            if enough and at < final.number:
                break
            ranges += 1
            self._renew_lease()
            through = min(at + self.settings.block_range, head.number)
            stretch = self.chain.burns(at + 1, through)
            if not at < stretch.through <= through:
                raise Inconsistent(
                    f"asked for blocks {at + 1} to {through}, told to {stretch.through}"
                )
            told += stretch.burns
            at = stretch.through
        check_continues(told, last_serial=self.cursor.last_serial)
        self._check_stored([burn for burn in told if burn.serial <= self.cursor.last_serial])
        return tuple(burn for burn in told if burn.serial > self.cursor.last_serial), at

    def _check_stored(self, burns: Sequence[Burn]) -> None:
        """Burns of a block that is read again are those stored as final."""
        if not burns:
            return
        stored = self._entries(burns[0].serial, burns[-1].serial)
        for burn in burns:
            entry = stored.get(burn.serial)
            if entry is None or entry.burn != burn:
                raise ForkBelowFinality(f"redemption {burn.serial} is not the one stored as final")

    def _reread(self, blocks: Sequence[BlockRef]) -> None:
        """The blocks of burns about to be final are the chain's own, for every single burn."""
        heights = sorted({block.number for block in blocks})
        own = {block.number: block for block in self.chain.blocks(heights)} if heights else {}
        for block in blocks:
            if own[block.number] != block:
                raise Inconsistent(f"block {block.number} is not the one its logs were told for")

    # ------------------------------------------------------------------------------ deciding

    def _entries(self, first: int, last: int) -> dict[int, Redemption]:
        return {
            entry.serial: entry
            for start in range(first, last + 1, MAX_CHANGES)
            for entry in self.store.redemptions(start, min(start + MAX_CHANGES - 1, last))
        }

    def _is_heartbeat_due(self, view: _View, *, waiting: bool) -> bool:
        """Whether to write a heartbeat although nothing happened.

        While burns wait, people watch their confirmations: then every new head counts.
        """
        beat = self.cursor.heartbeat
        return (
            beat is None
            or bool(beat.error)
            or not view.complete
            or (waiting and beat.head != view.head)
            or self._is_heartbeat_old(beat)
        )

    def _is_heartbeat_old(self, beat: Heartbeat) -> bool:
        return self.clock.now() >= beat.at + self.settings.heartbeat_seconds

    def _is_settling_due(self, final: BlockRef) -> bool:
        """Whether to look for passed deadlines: not with every burn, but as often as a heartbeat.

        Heartbeats keep young while burns wait, so the chain's own time counts as well.
        """
        beat = self.cursor.heartbeat
        advanced = final.time - 1 - self.cursor.expired_through
        return (
            beat is None
            or self._is_heartbeat_old(beat)
            or advanced >= self.settings.heartbeat_seconds
        )

    def _due(self, final: BlockRef) -> list[str]:
        """Hashes of open orders whose last second lies before the proven time."""
        due: list[str] = []
        page_cursor: str | None = None
        while True:
            page = self.store.orders_expiring(
                after=max(0, self.cursor.expired_through - EXPIRY_OVERLAP_SECONDS),
                through=final.time - 1,
                limit=EXPIRY_PAGE,
                cursor=page_cursor,
            )
            due += [order.order_hash for order in page.items if order.status in _OPEN]
            page_cursor = page.next_cursor
            if page_cursor is None:
                return due

    # ------------------------------------------------------------------------------- storing

    def _store_all(self, steps: Sequence[Step], view: _View, *, settled: BlockRef | None) -> None:
        """Commit all steps of a pass; `settled` is given where its deadlines were looked at."""
        done = 0
        while len(steps) - done > SLICE_STEPS:
            some, rest = steps[done : done + SLICE_STEPS], steps[done + SLICE_STEPS :]
            self._store_slice(some, scanned=_scanned_before(rest, view))
            done += SLICE_STEPS
        self._store_slice(steps[done:], scanned=view.scanned, end=view, settled=settled)

    def _store_slice(
        self,
        steps: Sequence[Step],
        *,
        scanned: int,
        end: _View | None = None,
        settled: BlockRef | None = None,
    ) -> None:
        """Commit some steps with the cursor; `end` is given with the last ones of a pass."""
        after = self._after(steps, scanned=scanned, end=end, settled=settled)
        for _ in range(MAX_ATTEMPTS):
            decided = self._decide(steps)
            try:
                self._write(decided.changes(), after)
            except Conflict:
                if self.store.cursor() != self.cursor:
                    raise _LeaseLost from None
                continue
            self._tell(decided.happenings)
            return
        raise Unavailable("orders keep changing while their burns are stored")

    def _decide(self, steps: Sequence[Step]) -> Slice:
        serials = [_serial(step) for step in steps if not isinstance(step, Due)]
        last = min(max(serials, default=0), self.cursor.seen_serial)
        decided = Slice(
            self.store,
            known=self._entries(min(serials), last) if serials else {},
            at=self.clock.now(),
            request_id=self.request_id,
        )
        for step in steps:
            decided.take(step)
        return decided

    def _after(
        self,
        steps: Sequence[Step],
        *,
        scanned: int,
        end: _View | None,
        settled: BlockRef | None,
    ) -> Cursor:
        """The cursor once `steps` are stored."""
        seen = [step.burn.serial for step in steps if isinstance(step, Seen)]
        final = [step.burn.serial for step in steps if isinstance(step, Seen) and step.final]
        proven = end.final if end and end.complete else None
        return advance(
            self.cursor,
            proven=proven,
            last_serial=max(final, default=None),
            seen_serial=max(seen, default=None),
            scanned=scanned,
            expired_through=max(self.cursor.expired_through, settled.time - 1) if settled else None,
            lease_owner=self.owner,
            lease_until=self._lease_until(),
            heartbeat=self._heartbeat() if end else None,
        )

    def _renew_lease(self) -> None:
        """Keep the lease through a long read, or two listeners could foil each other for ever."""
        if self._lease_until() - self.cursor.lease_until < self.settings.lease_seconds // 2:
            return
        try:
            self._write([], advance(self.cursor, lease_until=self._lease_until()))
        except Conflict:
            raise _LeaseLost from None

    def _lease_until(self) -> int:
        return self.clock.now() + self.settings.lease_seconds

    def _heartbeat(self, error: str = "") -> Heartbeat:
        now = self.clock.now()
        before = self.cursor.heartbeat
        return Heartbeat(
            at=now,
            succeeded_at=(before.succeeded_at if before else 0) if error else now,
            head=self.head or (before.head if before else self.cursor.proven),
            error=error,
        )

    def _write(self, changes: Sequence[Change], after: Cursor) -> None:
        self.store.commit([*changes, Update(after)])
        self.cursor = after

    def _last_contiguous_block(self) -> int:
        """Where to read on from after a gap: before the block of the last burn in the ledger."""
        last = self._entries(self.cursor.last_serial, self.cursor.last_serial)
        blocks = [entry.burn.block.number - 1 for entry in last.values()]
        return max([self.cursor.proven.number, *blocks])

    # ------------------------------------------------------------------------------- telling

    def _tell(self, happenings: Sequence[Happening]) -> None:
        for one in happenings:
            self.counts[one.name] += 1
            if one.name == "burn_final":
                self.counts[one.outcome or ""] += 1
            self.telemetry.event(
                one.name,
                orderHash=one.order_hash,
                serial=one.serial,
                block=one.block,
                outcome=one.outcome,
                requestId=self.request_id,
            )

    def _result(self, view: _View, *, blocks: int) -> ScanResult:
        proven = view.final if view.complete else self.cursor.proven
        matched = self.counts[Outcome.MATCHED]
        return ScanResult(
            blocks=blocks,
            burns=self.counts["burn_final"],
            matched=matched,
            exceptions=self.counts["burn_final"] - matched,
            lost=self.counts["burn_lost"],
            expired=self.counts["order_expired"],
            pending=len(view.pending_burns),
            lag_blocks=view.head.number - proven.number,
            lag_seconds=max(0, self.clock.now() - proven.time),
            backlog=not view.complete,
        )

    def _measure(self, head: BlockRef, result: ScanResult) -> None:
        for name, value, unit in (
            ("HeadBlock", head.number, "Count"),
            ("LagBlocks", result.lag_blocks, "Count"),
            ("ProvenLagSeconds", result.lag_seconds, "Seconds"),
            ("BurnsFinal", result.burns, "Count"),
            ("BurnsPending", result.pending, "Count"),
            ("BurnsLost", result.lost, "Count"),
            ("BurnExceptions", result.exceptions, "Count"),
            ("OrdersExpired", result.expired, "Count"),
        ):
            self.telemetry.metric(name, value, unit)


def _steps(view: _View, ledger: Mapping[int, Redemption]) -> list[Step]:
    """What differs between chain and ledger. Losses come first: they free orders and serials."""
    told = {burn.serial: burn for burn in view.fresh}
    lost = [
        Lost(entry)
        for serial, entry in ledger.items()
        if entry.on_chain and _is_lost(entry.burn, told.get(serial), view)
    ]
    final = [Seen(burn, final=True) for burn in view.final_burns]
    pending = [
        Seen(burn, final=False)
        for burn in view.pending_burns
        if not _is_known(burn, ledger.get(burn.serial))
    ]
    return [*lost, *final, *pending]


def _is_lost(burn: Burn, told: Burn | None, view: _View) -> bool:
    """Whether another burn has its serial, or none although its block's height was read."""
    if told is not None:
        return not told.is_same_redemption(burn)
    return view.complete and burn.block.number <= view.head.number


def _is_known(burn: Burn, entry: Redemption | None) -> bool:
    return entry is not None and entry.on_chain and entry.burn == burn


def _scanned_before(rest: Sequence[Step], view: _View) -> int:
    """The block up to which everything is stored while `rest` is not; a block may be cut."""
    blocks = [step.burn.block.number for step in rest if isinstance(step, Seen) and step.final]
    return blocks[0] - 1 if blocks else view.scanned


def _serial(step: Seen | Lost) -> int:
    return step.burn.serial if isinstance(step, Seen) else step.entry.serial
