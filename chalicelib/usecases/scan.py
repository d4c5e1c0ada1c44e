"""One bounded pass of the chain listener (spec: Listener).

A pass reads what one provider tells, proves it complete, has others confirm it, and only then
stores it: in slices in serial order, each atomic with the cursor, whose version is the fencing
token. A pass that dies between two slices, or is repeated, or runs beside another, loses and
doubles nothing.

    take the lease → read the chain → check it adds up → lost burns → have it confirmed → slices:
    final burns, pending burns, passed deadlines; the last one carries proven height and heartbeat
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from chalicelib.domain.completeness import (
    Inconsistent,
    check_continues,
    check_count,
    check_joins,
    check_places,
)
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finality import FinalityRule, final_height
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.progress import (
    DEEPEST_REWIND,
    Cursor,
    Heartbeat,
    advance,
    rewind,
    taken_back,
)
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.ports import (
    Chain,
    ChainUnavailable,
    Change,
    Claim,
    Clock,
    Conflict,
    Forked,
    Insert,
    Store,
    Telemetry,
    Tips,
    Update,
)
from chalicelib.usecases.changes import MAX_ATTEMPTS
from chalicelib.usecases.scan_fork import common_ancestor, is_ledger_forked
from chalicelib.usecases.scan_slice import (
    STEP_CHANGES,
    Due,
    Happening,
    Lost,
    Reverted,
    Seen,
    Slice,
    Step,
)
from chalicelib.usecases.scan_view import (
    View,
    claim_of,
    order_hash_of,
    scanned_before,
    serial_of,
    steps_of,
)

COMMITS_PER_PASS = 10
"""A pass reads no further range of blocks once it holds as many burns as these take."""

READ_SECONDS = 10
"""A pass begins no further range of blocks after that long."""

EXPIRY_OVERLAP_SECONDS = 600
"""Deadlines settled before are looked at again for that long: a list of the store may lag."""

EXPIRY_PAGE = 100

HINTS_PER_PASS = 20
"""Reported transactions that are looked up while a backlog is worked off."""

LONGEST_ORDER_SECONDS = 7 * 86_400
"""The contract refuses an order that expires later than that."""

_LEVELS = {"order_reverted": "WARNING", "delivered_reorged": "ERROR"}
"""Of what is told about a burn, what people should look at."""

_After = Callable[[Sequence[Step], Sequence[Step], tuple[str, ...]], Cursor]
"""Makes the cursor of a slice: from the steps in it, those not in it, and the open incidents."""

_OPEN = frozenset({OrderStatus.CREATED, OrderStatus.PENDING_CHAIN})


class ForkBelowFinality(Exception):
    """The chain forked too deep below what was proven final. Nothing is stored any more."""


class ForeignCursor(Exception):
    """The stored cursor belongs to another chain or contract and is never reused."""


class _LeaseLost(Exception):
    """Another listener has written the cursor."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What a pass works on, and its bounds.

    A pass reads about `blocks_per_pass` blocks at most; the last `near_blocks` before the final one
    are read together with what is newer. `lease_seconds` must outlast a slice. Where
    nothing happens, the heartbeat is written every `heartbeat_seconds`. A fork that goes deeper
    than `deepest_rewind` blocks below what was proven is not followed.
    """

    chain_id: int
    contract: str
    deploy_block: int
    finality: FinalityRule
    blocks_per_pass: int = 100_000
    near_blocks: int = 500
    lease_seconds: int = 30
    heartbeat_seconds: int = 5
    deepest_rewind: int = DEEPEST_REWIND


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a pass came to.

    `mine` is false where another listener holds the lease: nothing was done. `error` says why
    nothing could be concluded, empty where all is well; `held` why nothing became final although
    all that was read adds up. `rewound` is how many blocks were taken back. `burns` counts the
    final ones stored, `exceptions` those of them that match no order, `pending` the burns not final
    yet. `lag_blocks` and `lag_seconds` are how far the proven height trails head and clock. With
    `backlog` the next pass should follow at once.
    """

    mine: bool = True
    error: str = ""
    held: str = ""
    rewound: int = 0
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
        ForkBelowFinality: the chain forked deeper below what was proven than may be followed; kept
            in the heartbeat, too.
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
    number = max(0, settings.deploy_block - 1)
    (before_deployment,) = chain.agreed([number])
    if before_deployment is None:
        raise ChainUnavailable(f"the providers do not agree on block {number}")
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
        """Read, check, store; where the chain forked below what was proven, go back first."""
        if self.cursor.rewinding:
            self._take_back()
        try:
            return self._follow(self.chain.tips(self.cursor.proven))
        except Forked as fork:
            return self._rewind(fork)
        except Inconsistent as doubt:
            if is_ledger_forked(self.store, self.chain, self.cursor):
                return self._rewind(Forked(str(doubt)))
            raise

    def _follow(self, tips: Tips) -> ScanResult:
        begun_at = self.cursor.scanned
        behind = begun_at > self.cursor.proven.number
        if behind and is_ledger_forked(self.store, self.chain, self.cursor):
            raise Forked("the chain no longer has the last burn stored as final")
        view = self._read(tips)
        settling = view.complete and self._is_settling_due(view.final)
        ledger = self._ledger(view)
        if self._store_lost([step for step in steps_of(view, ledger) if isinstance(step, Lost)]):
            ledger = self._ledger(view)
        steps = steps_of(view, ledger)
        waiting = any(entry.on_chain and not entry.final for entry in ledger.values())
        held = self.cursor.halt_reason
        stored = bool(steps or settling) or self._is_heartbeat_due(view, held, waiting=waiting)
        if stored:
            held = self._held(view)
        if held:
            view, settling = self._without_finality(view, held), False
            steps = steps_of(view, ledger)
        if settling:
            steps += [Due(order_hash, view.final) for order_hash in self._due(view.final)]
        if stored:
            self._store_all(steps, view, settled=view.final if settling else None, held=held)
        if not view.complete:
            self._look_at_hints(view)
        result = self._result(view, held, blocks=max(0, view.scanned - begun_at))
        if stored:
            self._measure(view, result)
        return result

    def _store_lost(self, lost: Sequence[Lost]) -> bool:
        """Commit what was lost by itself: it may halt all that would come after."""
        done = 0
        while done < len(lost):
            done += self._store_slice(lost[done:], self._after_losing)
        return bool(lost)

    def _after_losing(
        self, _steps: Sequence[Step], _rest: Sequence[Step], halts: tuple[str, ...]
    ) -> Cursor:
        return advance(self.cursor, halts=halts)

    def _held(self, view: View) -> str:
        """Why nothing may become final or expire now, empty where it may.

        Other providers are asked before anything is concluded that cannot be had from them later.
        """
        if self.cursor.halts:
            return self.cursor.halt_reason
        advances = view.complete and view.final.number > self.cursor.proven.number
        if not view.final_burns and not advances:
            return ""
        cursor = self.cursor
        claim = claim_of(view, scanned=cursor.scanned, last_serial=cursor.last_serial)
        return self.chain.confirm(claim, self._renew_lease)

    def _without_finality(self, view: View, held: str) -> View:
        """The same, with nothing final that is not proven already.

        Raises:
            ChainUnavailable: that leaves nothing, for the pass did not get to the head.
        """
        if not view.complete:
            raise ChainUnavailable(held)
        return replace(view, final=self.cursor.proven, scanned=self.cursor.scanned)

    def fail(self, error: Exception) -> ScanResult:
        """Keep in the heartbeat why the pass came to nothing."""
        message = str(error)
        self.telemetry.event("scan_failed", level="ERROR", error=message)
        self.telemetry.metric("ScanFailures", 1)
        if isinstance(error, Inconsistent):
            self.chain.distrust(message)
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
            self.telemetry.event("lease_lost")
            return ScanResult(mine=False, error=message)
        return ScanResult(error=message)

    # ------------------------------------------------------------------------------ reading

    def _read(self, tips: Tips) -> View:
        """All that this pass will conclude from."""
        cursor, head = self.cursor, tips.head
        if head.number < cursor.scanned:
            older = f"head {head.number} is older than block {cursor.scanned}"
            self.chain.distrust(older)
            raise ChainUnavailable(older)
        self.head = head
        height = max(
            cursor.proven.number,
            final_height(
                self.settings.finality,
                head=head.number if tips.agreed_head is None else tips.agreed_head,
                finalized=tips.finalized,
            ),
        )
        told, at = self._backlog(height)
        if at < height - self.settings.near_blocks:
            fresh = self._checked(told)
            check_places(fresh, self._blocks_of(fresh))
            return View(head=head, final=cursor.proven, fresh=fresh, scanned=at)
        self._renew_lease()
        tail = self.chain.tail(at + 1, height, head)
        fresh = self._checked([*told, *tail.burns])
        check_joins(tail.headers, head=head)
        if tail.headers[0].block.number != height:
            raise Inconsistent(f"headers from block {height} on were asked for")
        recent = [header.block for header in tail.headers]
        if height == cursor.proven.number and recent[0] != cursor.proven:
            raise Inconsistent(f"block {height} is not the one proven final")
        final = [burn for burn in fresh if burn.block.number < height]
        check_places(fresh, [*self._blocks_of(final), *recent])
        check_count(fresh, last_serial=cursor.last_serial, count=tail.count)
        return View(head=head, final=recent[0], fresh=fresh, scanned=height, headers=tail.headers)

    def _backlog(self, height: int) -> tuple[list[Burn], int]:
        """Burns of what lies well below the final block, and the block up to which they were read.

        The bounds of a pass hold here; what is newer is read whatever it takes, since it is read
        anew each time.
        """
        at = self.cursor.scanned
        told: list[Burn] = []
        if at >= height - self.settings.near_blocks:
            return told, at
        enough = at + self.settings.blocks_per_pass
        most = COMMITS_PER_PASS * self.store.max_changes // 2
        ends = self.clock.now() + READ_SECONDS
        with closing(self.chain.burns(at + 1, min(height, enough))) as stretches:
            try:
                for stretch in stretches:
                    told += stretch.burns
                    at = stretch.through
                    self._renew_lease()
                    if len(told) >= most or self.clock.now() >= ends:
                        break
            except ChainUnavailable:
                if at == self.cursor.scanned:
                    raise
                # What was told before stands, and the next pass reads on.
        return told, at

    def _checked(self, told: Sequence[Burn]) -> tuple[Burn, ...]:
        """The burns beyond the last serial, of those that continue the ledger without a gap."""
        last = self.cursor.last_serial
        check_continues(told, last_serial=last)
        self._check_stored([burn for burn in told if burn.serial <= last])
        return tuple(burn for burn in told if burn.serial > last)

    def _check_stored(self, burns: Sequence[Burn]) -> None:
        """Burns of a block that is read again are those stored as final."""
        if not burns:
            return
        stored = self._entries(burns[0].serial, burns[-1].serial)
        for burn in burns:
            entry = stored.get(burn.serial)
            if entry is None or entry.burn != burn:
                raise Inconsistent(f"redemption {burn.serial} is not the one stored as final")

    def _blocks_of(self, burns: Sequence[Burn]) -> tuple[BlockRef, ...]:
        """The blocks of burns about to be final, read again: they must be the chain's own."""
        heights = sorted({burn.block.number for burn in burns})
        return self.chain.blocks(heights) if heights else ()

    def _look_at_hints(self, view: View) -> None:
        """Far behind, look for burns exactly where customers say they are: they wait for a sign.

        What is found is pending, like any burn that is not proven yet.
        """
        waiting = self.store.orders_expiring(
            after=self.cursor.expired_through,
            through=self.clock.now() + LONGEST_ORDER_SECONDS,
            limit=EXPIRY_PAGE,
        )
        hints = [
            tx_hash
            for order in waiting.items
            if order.status is OrderStatus.CREATED
            for tx_hash in order.transaction_hints
        ]
        if not hints:
            return
        for number in {burn.block.number for burn in self.chain.burns_of(hints[:HINTS_PER_PASS])}:
            if number > view.scanned:
                self._look_at_block(number, frozenset(hints))

    def _look_at_block(self, number: int, hints: frozenset[str]) -> None:
        """Store the reported burns of a block ahead, if a quorum tells of them."""
        burns = tuple(
            burn for stretch in self.chain.burns(number, number) for burn in stretch.burns
        )
        if not burns or burns[0].serial <= self.cursor.last_serial:
            return
        check_continues(burns, last_serial=burns[0].serial - 1)
        check_places(burns, self._blocks_of(burns))
        claim = Claim(number, number, burns[0].serial - 1, burns)
        if self.chain.confirm(claim, self._renew_lease):
            return
        for burn in burns:
            if burn.tx_hash in hints:
                displaced = [
                    Lost(entry)
                    for entry in self._entries(burn.serial, burn.serial).values()
                    if entry.on_chain and not entry.burn.is_same_redemption(burn)
                ]
                self._store_slice([*displaced, Seen(burn, final=False)], self._after_hint)

    def _after_hint(
        self, steps: Sequence[Step], _rest: Sequence[Step], halts: tuple[str, ...]
    ) -> Cursor:
        seen = [step.burn.serial for step in steps if isinstance(step, Seen)]
        return advance(self.cursor, seen_serial=max(seen, default=None), halts=halts)

    # ------------------------------------------------------------------------------ going back

    def _rewind(self, fork: Forked) -> ScanResult:
        """Back to the newest proven block the chain still has; the next pass reads on."""
        proven = self.cursor.proven
        deepest = self.settings.deepest_rewind
        ancestor = common_ancestor(self.store, self.chain, self.cursor, deepest=deepest)
        depth = proven.number - ancestor.number if ancestor else None
        if ancestor is None or depth is None or depth > deepest:
            raise ForkBelowFinality(f"{fork}; of {deepest} blocks before it none is still there")
        self._write_cursor(rewind(self.cursor, ancestor))
        self.telemetry.event(
            "rewind", level="ERROR", error=str(fork), to=ancestor.number, depth=depth
        )
        self.telemetry.metric("Rewinds", 1)
        self.telemetry.metric("RewindDepth", depth)
        self._take_back()
        self.telemetry.metric("OrdersReverted", self.counts["order_reverted"])
        return ScanResult(rewound=depth, backlog=True)

    def _take_back(self) -> None:
        """Let no entry of a block above the proven one be final; from the newest serial down."""
        proven = self.cursor.proven.number
        while self.cursor.rewinding:
            last = self.cursor.last_serial
            entries = self._entries(max(1, last - self.store.max_changes // 2), last).values()
            above = [entry for entry in entries if entry.burn.block.number > proven]
            done = len(above) < len(entries) or len(above) == last
            self._store_slice(
                [Reverted(entry) for entry in reversed(above)],
                partial(self._after_taking_back, done=done),
            )

    # ------------------------------------------------------------------------------ deciding

    def _entries(self, first: int, last: int) -> dict[int, Redemption]:
        most = self.store.max_changes
        return {
            entry.serial: entry
            for start in range(first, last + 1, most)
            for entry in self.store.redemptions(start, min(start + most - 1, last))
        }

    def _ledger(self, view: View) -> dict[int, Redemption]:
        """Entries that are not final and may differ from what was told."""
        last = self.cursor.seen_serial
        if not view.complete:
            last = min(last, view.fresh[-1].serial if view.fresh else 0)
        return self._entries(self.cursor.last_serial + 1, last)

    def _is_heartbeat_due(self, view: View, held: str, *, waiting: bool) -> bool:
        """Whether to write a heartbeat although nothing happened.

        While burns wait, people watch their confirmations: then every new head counts.
        """
        beat = self.cursor.heartbeat
        return (
            beat is None
            or beat.error != held
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

    def _store_all(
        self, steps: Sequence[Step], view: View, *, settled: BlockRef | None, held: str
    ) -> None:
        """Commit all steps of a pass; `settled` is given where its deadlines were looked at."""
        after = partial(self._after, view=view, settled=settled, held=held)
        done = self._store_slice(steps, after)
        while done < len(steps):
            done += self._store_slice(steps[done:], after)

    def _store_slice(self, steps: Sequence[Step], after: _After) -> int:
        """Commit as many steps as fit, with the cursor that `after` makes of them; how many."""
        for _ in range(MAX_ATTEMPTS):
            decided, done = self._decide(steps)
            try:
                self._write(decided.changes(), after(steps[:done], steps[done:], decided.halts))
            except Conflict:
                if self.store.cursor() != self.cursor:
                    raise _LeaseLost from None
                continue
            self._tell(decided.happenings)
            return done
        raise Unavailable("orders keep changing while their burns are stored")

    def _decide(self, steps: Sequence[Step]) -> tuple[Slice, int]:
        """As many of the next steps as fit into a commit, and how many those are."""
        room = self.store.max_changes - 1  # one for the cursor
        steps = steps[: room // 2]  # of which each changes two records or more
        serials = [serial_of(step) for step in steps if not isinstance(step, Due)]
        last = min(max(serials, default=0), self.cursor.seen_serial)
        known = self._entries(min(serials), last) if serials else {}
        if any(entry.final and serial > self.cursor.last_serial for serial, entry in known.items()):
            raise _LeaseLost  # only who holds the cursor makes them so
        decided = Slice(
            self.store,
            known=known,
            orders=self.store.orders_with_hashes({order_hash_of(step) for step in steps}),
            at=self.clock.now(),
            request_id=self.request_id,
            proven=self.cursor.proven,
            settled=min(self.cursor.expired_through, self.cursor.proven.time - 1),
            halts=self.cursor.halts,
        )
        for done, step in enumerate(steps):
            if decided.weight > room - STEP_CHANGES:
                return decided, done
            decided.take(step)
        return decided, len(steps)

    def _after(
        self,
        steps: Sequence[Step],
        rest: Sequence[Step],
        halts: tuple[str, ...],
        *,
        view: View,
        settled: BlockRef | None,
        held: str,
    ) -> Cursor:
        """The cursor once `steps` are stored, and `rest` is not."""
        seen = [step.burn.serial for step in steps if isinstance(step, Seen)]
        final = [step.burn.serial for step in steps if isinstance(step, Seen) and step.final]
        ends = not rest
        return advance(
            self.cursor,
            proven=view.final if ends and view.complete else None,
            last_serial=max(final, default=None),
            seen_serial=max(seen, default=None),
            scanned=view.scanned if ends else scanned_before(rest, view),
            expired_through=(
                max(self.cursor.expired_through, settled.time - 1) if ends and settled else None
            ),
            lease_owner=self.owner,
            lease_until=self._lease_until(),
            heartbeat=self._heartbeat(held) if ends else None,
            halts=halts,
        )

    def _after_taking_back(
        self,
        steps: Sequence[Step],
        rest: Sequence[Step],
        _halts: tuple[str, ...],
        *,
        done: bool,
    ) -> Cursor:
        """The rewinding cursor once the entries of `steps`, newest first, are no longer final."""
        kept = self.cursor.last_serial - len(steps)
        return taken_back(self.cursor, last_serial=kept, done=done and not rest)

    def _renew_lease(self) -> None:
        """Keep the lease through a long read, or two listeners could foil each other for ever."""
        if self._lease_until() - self.cursor.lease_until < self.settings.lease_seconds // 2:
            return
        self._write_cursor(advance(self.cursor, lease_until=self._lease_until()))

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

    def _write_cursor(self, after: Cursor) -> None:
        try:
            self._write([], after)
        except Conflict:
            raise _LeaseLost from None

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
                level=_LEVELS.get(one.name, "INFO"),
                orderHash=one.order_hash,
                serial=one.serial,
                block=one.block,
                outcome=one.outcome,
                requestId=self.request_id,
            )

    def _result(self, view: View, held: str, *, blocks: int) -> ScanResult:
        proven = view.final if view.complete else self.cursor.proven
        matched = self.counts[Outcome.MATCHED]
        return ScanResult(
            held=held,
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

    def _measure(self, view: View, result: ScanResult) -> None:
        for name, value, unit in (
            ("HeadBlock", view.head.number, "Count"),
            ("ProvenBlock", self.cursor.proven.number, "Count"),
            ("LagBlocks", result.lag_blocks, "Count"),
            ("LagSeconds", result.lag_seconds, "Seconds"),
            ("BurnsFinal", result.burns, "Count"),
            ("BurnsMatched", result.matched, "Count"),
            ("BurnsPending", result.pending, "Count"),
            ("BurnsLost", result.lost, "Count"),
            ("OrdersExpired", result.expired, "Count"),
            ("OrdersReverted", self.counts["order_reverted"], "Count"),
            ("IncidentsOpen", len(self.cursor.halts), "Count"),
        ):
            self.telemetry.metric(name, value, unit)
        for outcome in Outcome:
            if outcome is not Outcome.MATCHED and self.counts[outcome]:
                self.telemetry.metric("BurnExceptions", self.counts[outcome], kind=outcome.value)
