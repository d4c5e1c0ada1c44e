"""`chalicelib.ports.Chain` from several endpoints: one is read, the others are asked to confirm.

An endpoint that fails, lags or contradicts the others is set aside for a while, longer each time;
where none is left, all are asked again. Which of them is right when two disagree is settled by a
third, and where there is none, by nobody: then nothing becomes final.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.ports import (
    ChainUnavailable,
    Claim,
    Clock,
    Forked,
    Provider,
    Stretch,
    Tail,
    Telemetry,
    Tips,
    WrongChain,
)

FAILURES_ALLOWED = 2
"""Failed requests in a row that an endpoint is forgiven."""

FIRST_ASIDE_SECONDS = 5
LONGEST_ASIDE_SECONDS = 300

BLOCKS_APART = 20
"""A provider whose head is farther from where a quorum has got to is not read."""

GRACE_SECONDS = 1.0
"""Once a quorum has told its tips, so long is waited for the others."""

BLOCKS_AT_ONCE = 100
"""Headers asked for by one worker at once."""

T = TypeVar("T")


@dataclass(slots=True)
class _Member:
    """An endpoint and how it has behaved. `aside_until` is in unix seconds.

    Failures in a row are counted apart: when asked for the tip, and when asked for more. `late` is
    an answer that nobody waited for any more.
    """

    provider: Provider
    silent: int = 0
    failures: int = 0
    late: Future[Any] | None = None
    aside: bool = False
    asides: int = 0
    aside_until: int = 0
    tips: Tips | None = None


@dataclass(slots=True)
class _Votes:
    """How the others took a claim: with those who told otherwise stands what they told."""

    agree: int = 1
    absent: list[str] = field(default_factory=list)
    differ: list[tuple[_Member, object]] = field(default_factory=list)


class Providers:
    """See `Chain`. Not for several threads at a time."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        quorum: int,
        clock: Clock,
        telemetry: Telemetry,
        workers: int = 4,
    ) -> None:
        """`providers` in order of preference; `quorum` of them, at least one, have to tell the
        same; `workers` requests run side by side where many blocks are read."""
        self._members = [_Member(provider) for provider in providers]
        self._quorum = quorum
        self._clock = clock
        self._telemetry = telemetry
        self._workers = workers
        self._read = self._members[0]
        self._fork_seen: BlockRef | None = None
        self._hashes: dict[int, str] = {}
        self._hashes_of: Provider | None = None
        self._pool = (
            # Those that answer late keep a thread each.
            ThreadPoolExecutor(workers + 2 * len(providers), thread_name_prefix="provider")
            if workers > 1
            else None
        )

    def close(self) -> None:
        """Let no request begin any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def measure(self) -> None:
        """Tell what was asked of each provider since the last time, and what came of it."""
        for member in self._members:
            provider = member.provider
            for name, label, counted in (
                ("RpcCalls", "method", provider.calls),
                ("RpcErrors", "reason", provider.errors),
            ):
                for value, count in list(counted.items()):
                    self._telemetry.metric(name, count, **{"provider": provider.name, label: value})
                counted.clear()
            if provider.splits:
                self._telemetry.metric(
                    "RpcRangeSplits", provider.splits.total(), provider=provider.name
                )
                provider.splits.clear()

    # ------------------------------------------------------------------------------- reading

    def tips(self, proven: BlockRef) -> Tips:
        """See `Chain`. A fork has to be told twice in a row: load balancers hiccup."""
        for member in self._members:
            member.tips = None  # what was told in an earlier pass vouches for nothing
        asked = self._available()
        answers = self._ask(
            asked, lambda provider: provider.tips(proven.number), enough=self._quorum
        )
        told: list[tuple[_Member, Tips]] = []
        for member, answer in zip(asked, answers, strict=True):
            member.tips = None if isinstance(answer, ChainUnavailable) else answer
            if isinstance(answer, ChainUnavailable):
                member.silent += 1
                if member.silent > FAILURES_ALLOWED or isinstance(answer, WrongChain):
                    self._set_aside(member, str(answer))
            else:
                member.silent = 0
                told.append((member, answer))
        if not told:
            raise next(answer for answer in answers if isinstance(answer, ChainUnavailable))
        return self._chosen(told, proven)

    def _chosen(self, told: Sequence[tuple[_Member, Tips]], proven: BlockRef) -> Tips:
        same = [one for one in told if one[1].proven == proven]
        forked = [one for one in told if one[1].proven not in (proven, None)]
        self._check_fork(proven, [tips.proven for _, tips in forked], same=len(same))
        for member, tips in told:
            if tips.proven is None:
                self._failed(member, ChainUnavailable(f"lags behind block {proven.number}"))
        if not same and forked:
            raise ChainUnavailable(f"the providers tell different blocks {proven.number}")
        if not same:
            newest = max(tips.head.number for _, tips in told)
            raise ChainUnavailable(f"head {newest} is older than proven block {proven.number}")
        for member, _ in forked:
            self._disagrees(member, f"has another block {proven.number} than the others")
        heads = sorted((tips.head.number for _, tips in same), reverse=True)
        agreed_head = heads[min(self._quorum, len(heads)) - 1]
        self._read, chosen = min(
            (one for one in same if abs(one[1].head.number - agreed_head) <= BLOCKS_APART),
            key=lambda one: one[0].failures > 0,
        )
        tags = [tips.finalized for _, tips in same if tips.finalized is not None]
        # Where too few answer at all, `confirm` says so.
        vouched = len(tags) >= min(self._quorum, len(same))
        return replace(
            chosen,
            finalized=min(tags) if tags and vouched else None,
            agreed_head=min(agreed_head, chosen.head.number),
        )

    def burns(self, first: int, last: int) -> Generator[Stretch, None, None]:
        """See `Chain`. Several ranges are fetched side by side and told in order."""
        provider = self._read.provider
        if self._pool is None or last - first < provider.reach:
            yield from self._one_by_one(provider, first, last)
            return
        waiting: deque[tuple[int, Future[Stretch]]] = deque()
        try:
            while first <= last or waiting:
                while first <= last and len(waiting) < self._workers:
                    through = min(last, first + provider.reach - 1)
                    waiting.append((through, self._pool.submit(provider.burns, first, through)))
                    first = through + 1
                through, future = waiting.popleft()
                stretch = self._of_read(future.result)
                yield stretch
                yield from self._one_by_one(provider, stretch.through + 1, through)
        finally:
            for _, future in waiting:
                future.cancel()

    def _one_by_one(
        self, provider: Provider, first: int, last: int
    ) -> Generator[Stretch, None, None]:
        while first <= last:
            stretch = self._of_read(partial(provider.burns, first, last))
            yield stretch
            first = stretch.through + 1

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        """See `Chain`. Tells how deep the chain forked since the last one."""
        provider = self._read.provider
        tail = self._of_read(lambda: provider.tail(first, final, head))
        before = self._hashes if self._hashes_of is provider else {}
        self._hashes_of = provider
        self._hashes = {header.block.number: header.block.hash for header in tail.headers}
        replaced = [
            number for number, was in before.items() if self._hashes.get(number, was) != was
        ]
        if replaced:
            depth = max(before) - min(replaced) + 1
            self._telemetry.event("reorg", depth=depth, fromBlock=min(replaced))
            self._telemetry.metric("Reorgs", 1)
            self._telemetry.metric("ReorgDepth", depth)
        return tail

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Chain`."""
        provider = self._read.provider
        parts = [
            numbers[start : start + BLOCKS_AT_ONCE]
            for start in range(0, len(numbers), BLOCKS_AT_ONCE)
        ]
        side_by_side = self._pool.map if self._pool is not None and len(parts) > 1 else map
        told = self._of_read(lambda: list(side_by_side(provider.blocks, parts)))
        return tuple(block for some in told for block in some)

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        """See `Chain`."""
        return self._of_read(lambda: self._read.provider.burns_of(tx_hashes))

    def distrust(self, reason: str) -> None:
        """See `Chain`."""
        self._set_aside(self._read, reason)

    # ---------------------------------------------------------------------------- confirming

    def confirm(self, claim: Claim, keep: Callable[[], None]) -> str:
        """See `Chain`. Nobody is asked beyond the quorum, unless somebody disagrees."""
        votes = _Votes()
        for member, tips in self._others():
            if votes.agree >= self._quorum:
                break
            self._vote(member, tips.head.number, claim, votes, keep)
        if votes.agree >= self._quorum:
            for member, _ in votes.differ:
                self._disagrees(member, "tells other burns than the others")
            return ""
        return self._unmet(votes)

    def agreed(self, numbers: Sequence[int]) -> tuple[BlockRef | None, ...]:
        """See `Chain`."""
        asked = self._available()
        answers = self._ask(asked, lambda provider: provider.blocks(numbers))
        told = [answer for answer in answers if not isinstance(answer, ChainUnavailable)]
        if not told:
            raise next(answer for answer in answers if isinstance(answer, ChainUnavailable))
        agreed: list[BlockRef | None] = []
        for same_height in zip(*told, strict=True):
            block, votes = Counter(same_height).most_common(1)[0]
            agreed.append(block if votes >= self._quorum else None)
        return tuple(agreed)

    def _others(self) -> list[tuple[_Member, Tips]]:
        """Whom to ask besides the one that is read: those who have told of the chain's tip."""
        return [
            (member, member.tips)
            for member in self._available()
            if member is not self._read and member.tips is not None
        ]

    def _vote(
        self,
        member: _Member,
        head: int,
        claim: Claim,
        votes: _Votes,
        keep: Callable[[], None],
    ) -> None:
        recent = [entry for entry in claim.counted if entry[0].number <= head]
        if head < claim.through:
            votes.absent.append(f"{member.provider.name} lags")
            return
        try:
            told = _told(member.provider, claim, recent, keep)
        except ChainUnavailable as error:
            self._failed(member, error)
            votes.absent.append(str(error))
            return
        self._well(member)
        if told == _claimed_of(claim, recent):
            votes.agree += 1
        else:
            votes.differ.append((member, told))

    def _unmet(self, votes: _Votes) -> str:
        """Why a quorum did not come about; what the outvoted one told is not believed any more."""
        self._telemetry.metric("QuorumUnmet", 1)
        if not votes.differ:
            why = "; ".join(votes.absent) or "no other provider answers"
            return f"{votes.agree} of {self._quorum} providers confirm ({why})"
        same, majority = Counter(told for _, told in votes.differ).most_common(1)[0]
        names = " and ".join(member.provider.name for member, _ in votes.differ)
        if majority >= self._quorum:
            self._disagrees(self._read, f"tells other burns than {names}")
            for member, told in votes.differ:
                if told != same:
                    self._disagrees(member, "tells other burns than the others")
            return "the provider that was read is outvoted; another is read next"
        for member, _ in votes.differ:
            self._telemetry.metric("ProviderDisagreements", 1, provider=member.provider.name)
        self._telemetry.event(
            "providers_disagree", level="ERROR", read=self._read.provider.name, others=names
        )
        return f"{self._read.provider.name} and {names} tell different burns or blocks"

    # ---------------------------------------------------------------------------- behaviour

    def _available(self) -> list[_Member]:
        now = self._clock.now()
        for member in self._members:
            if member.aside and member.aside_until <= now:
                member.aside = False
                # It has to prove itself: one more failure, and it is set aside again.
                member.silent = member.failures = FAILURES_ALLOWED
                self._telemetry.metric("ProvidersAside", 0, provider=member.provider.name)
        well = [member for member in self._members if not member.aside]
        aside = [member for member in self._members if member.aside]
        aside.sort(key=lambda member: member.aside_until)
        return well + aside[: max(0, self._quorum - len(well))]

    def _ask(
        self,
        members: Sequence[_Member],
        ask: Callable[[Provider], T],
        *,
        enough: int | None = None,
    ) -> list[T | ChainUnavailable]:
        """What each answers, all asked at the same time.

        Once `enough` have answered, the others are not waited for much longer.
        """

        def one(member: _Member) -> T | ChainUnavailable:
            try:
                return ask(member.provider)
            except ChainUnavailable as error:
                return error

        if self._pool is None or len(members) == 1:
            return [one(member) for member in members]
        asked = {
            place: self._pool.submit(one, member)
            for place, member in enumerate(members)
            if member.late is None or member.late.done()
        }
        _wait_for(list(asked.values()), enough=enough)
        answers: list[T | ChainUnavailable] = []
        for place, member in enumerate(members):
            future = asked.get(place)
            if future is not None and future.done():
                answers.append(future.result())
            else:
                member.late = future or member.late
                answers.append(ChainUnavailable(f"{member.provider.name}: no answer in time"))
        return answers

    def _of_read(self, ask: Callable[[], T]) -> T:
        """What the provider that is read answers; where it fails, another is read next."""
        try:
            answer = ask()
        except ChainUnavailable as error:
            self._failed(self._read, error)
            raise
        self._well(self._read)
        return answer

    def _well(self, member: _Member) -> None:
        """It answered more than its tip."""
        member.failures = 0

    def _failed(self, member: _Member, error: ChainUnavailable) -> None:
        member.failures += 1
        if member.failures > FAILURES_ALLOWED or isinstance(error, WrongChain):
            self._set_aside(member, str(error))

    def _disagrees(self, member: _Member, reason: str) -> None:
        self._telemetry.metric("ProviderDisagreements", 1, provider=member.provider.name)
        self._set_aside(member, reason)

    def _set_aside(self, member: _Member, reason: str) -> None:
        """Ask it no more for a while: longer each time, unless it was well for long since."""
        if len(self._members) == 1:
            return
        now = self._clock.now()
        if now - member.aside_until > LONGEST_ASIDE_SECONDS:
            member.asides = 0
        seconds = min(LONGEST_ASIDE_SECONDS, FIRST_ASIDE_SECONDS << min(member.asides, 10))
        member.asides += 1
        member.aside = True
        member.aside_until = now + seconds
        self._telemetry.event(
            "provider_set_aside",
            level="WARNING",
            provider=member.provider.name,
            reason=reason,
            seconds=seconds,
        )
        self._telemetry.metric("ProvidersAside", 1, provider=member.provider.name)

    def _check_fork(
        self, proven: BlockRef, forked: Sequence[BlockRef | None], *, same: int
    ) -> None:
        """Whether those who have another block are to be believed.

        Raises:
            Forked: a quorum, and more than have the same, told so twice in a row.
            ChainUnavailable: they did so for the first time.
        """
        seen, self._fork_seen = self._fork_seen, None
        if not forked:
            return
        block, votes = Counter(forked).most_common(1)[0]
        if block is None or votes < self._quorum or votes <= same:
            return
        self._fork_seen = block
        was = f"block {proven.number} was {proven.hash} when proven final, now {block.hash}"
        if seen != block:
            raise ChainUnavailable(f"{was}; asking again")
        raise Forked(was)


def _wait_for(futures: Sequence[Future[Any]], *, enough: int | None) -> None:
    """Until all are done; or until `enough` have answered, and a grace has passed."""
    pending = set(futures)
    while pending and (enough is None or _answered(futures) < enough):
        _, pending = wait(pending, return_when=FIRST_COMPLETED)
    if pending:
        wait(pending, timeout=GRACE_SECONDS)


def _answered(futures: Sequence[Future[Any]]) -> int:
    return sum(
        future.done() and not isinstance(future.result(), ChainUnavailable) for future in futures
    )


def _told(
    provider: Provider,
    claim: Claim,
    recent: Sequence[tuple[BlockRef, int]],
    keep: Callable[[], None],
) -> tuple[object, ...]:
    """What a provider tells of a claim: the burns, and where recent blocks are claimed, the final
    one as it has it, and the count at the newest that both have got to.

    Raises:
        ChainUnavailable: it does not tell, or has another block there: tips differ all the time.
    """
    burns: list[Burn] = []
    first = claim.first
    while first <= claim.through and (not recent or claim.through - first >= provider.reach):
        stretch = provider.burns(first, claim.through)
        burns += stretch.burns
        first = stretch.through + 1
        keep()
    if not recent:
        return (_claimed(burns, claim),)
    tail = provider.tail(first, recent[0][0].number, recent[-1][0])
    return _claimed([*burns, *tail.burns], claim), tail.headers[0].block, tail.count


def _claimed_of(claim: Claim, recent: Sequence[tuple[BlockRef, int]]) -> tuple[object, ...]:
    """What a provider tells that agrees."""
    return (claim.burns, recent[0][0], recent[-1][1]) if recent else (claim.burns,)


def _claimed(burns: Sequence[Burn], claim: Claim) -> tuple[Burn, ...]:
    """Those a claim is about: the first block may have been stored in part before."""
    return tuple(
        burn for burn in burns if burn.serial > claim.after and burn.block.number <= claim.through
    )
