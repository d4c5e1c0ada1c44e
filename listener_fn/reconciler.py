"""Reconciliation on schedule: the contract's totals against the ledger, at little cost.

What it costs: the whole ledger is read once a day and after a start, one strongly consistent read
for each entry (on DynamoDB one read unit); in between, only the entries that are new, and three to
four other reads. Of the endpoint, three requests in batches of twenty calls. It goes a page of the
ledger at a time, so that the scan is not kept waiting.

Nothing is remembered but in memory: whoever starts anew reads the ledger anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.reconciliation import Serials, named
from chalicelib.ports import ChainUnavailable, Clock, Store, StoreUnavailable, Telemetry
from chalicelib.usecases.reconcile import (
    Deployed,
    NotComparable,
    Reconciliation,
    Tally,
    read_on,
    reconcile_tally,
)
from chalicelib.usecases.scan import ScanResult
from listener_fn.books import Endpoint, RpcBooks

WHOLE_EVERY_SECONDS = 86_400
"""The ledger is read anew from its first entry that often: an old one may be changed or lost by
other means than the listener."""

RETRY_SECONDS = 300
"""What could not be compared is tried again then, unless it is due earlier."""

TOKENS_TOLD = 20
"""Token ids that differ get an event each, so many at most."""


class Verdict(StrEnum):
    """What a step came to."""

    UNFINISHED = "UNFINISHED"
    """The ledger is not read to its end yet, or is read once more: go on."""

    EQUAL = "EQUAL"
    DIFFERENT = "DIFFERENT"
    SKIPPED = "SKIPPED"
    """Nothing could be compared now."""


@dataclass(slots=True)
class Reconciler:
    """Compares ledger and contract step by step, and tells how it ended.

    A difference is told when two readings in a row found one, the second of the whole ledger and,
    where there is another endpoint, against that: blocks that were taken back since the first, or
    an endpoint that tells nonsense, raise no alarm. `endpoints` are asked in turn until one can
    tell; at least one.
    """

    store: Store
    endpoints: Sequence[Endpoint]
    deployed: Deployed
    clock: Clock
    telemetry: Telemetry
    every_seconds: int
    _due_at: int = 0
    _tally: Tally = field(default_factory=Tally)
    _begun_at: int = 0
    _doubted: bool = False
    _first: int = 0

    def after_pass(self, result: ScanResult) -> None:
        """One step, where one is due after a pass of the listener that came to `result`.

        Only whoever holds the lease compares, and only when nothing is left to catch up.
        """
        settled = result.mine and not result.error and not result.backlog
        if not settled or not self.every_seconds or self.clock.now() < self._due_at:
            return
        verdict = self.step()
        if verdict is Verdict.UNFINISHED:
            return
        wait = self.every_seconds
        if verdict is Verdict.SKIPPED:
            wait = min(wait, RETRY_SECONDS)
        self._due_at = self.clock.now() + wait

    def reconcile_once(self, *, may_go_on: Callable[[], bool]) -> Verdict:
        """Steps until ledger and contract are compared, or cannot be, or `may_go_on()` is false
        before one: then `SKIPPED`, and the next call goes on from there."""
        verdict = Verdict.UNFINISHED
        while verdict is Verdict.UNFINISHED:
            if not may_go_on():
                why = f"the time is up; serials up to {self._tally.through} are read"
                return self._skip(why)
            verdict = self.step()
        return verdict

    def step(self) -> Verdict:
        """Read one page of the ledger; where there is none left, compare."""
        try:
            if self.clock.now() >= self._begun_at + WHOLE_EVERY_SECONDS:
                self._begin_anew()
            before = self._tally
            self._tally = read_on(self.store, before)
            if self._tally != before:
                return Verdict.UNFINISHED
            return self._judge(*self._compare())
        except (ChainUnavailable, NotComparable, StoreUnavailable) as error:
            return self._skip(str(error))

    def _begin_anew(self) -> None:
        self._tally = Tally()
        self._begun_at = self.clock.now()

    def _compare(self) -> tuple[Endpoint, Reconciliation]:
        """The comparison with the first endpoint that allows one.

        Raises:
            ChainUnavailable: none does; why not.
            StoreUnavailable: the ledger cannot be read.
        """
        problems: list[str] = []
        for turn in range(len(self.endpoints)):
            endpoint = self.endpoints[(self._first + turn) % len(self.endpoints)]
            try:
                done = reconcile_tally(
                    store=self.store,
                    books=RpcBooks(endpoint, self.deployed.contract),
                    deployed=self.deployed,
                    tally=self._tally,
                )
            except (ChainUnavailable, NotComparable) as error:
                problems.append(f"{endpoint.name}: {error}")
            else:
                return endpoint, done
        raise ChainUnavailable("; ".join(problems))

    def _judge(self, endpoint: Endpoint, done: Reconciliation) -> Verdict:
        comparison = done.comparison
        if comparison.equal:
            self._doubted = False
            self.telemetry.metric("ReconciliationDifference", 0)
            self.telemetry.event(
                "reconciliation_equal",
                block=done.block.number,
                redemptions=comparison.count,
                provider=endpoint.name,
            )
            return Verdict.EQUAL
        self._begin_anew()
        self._first += 1
        if not self._doubted:
            self._doubted = True
            return Verdict.UNFINISHED
        self.telemetry.metric("ReconciliationDifference", comparison.size)
        for token in comparison.differing[:TOKENS_TOLD]:
            self._tell(endpoint, done, token.token_id, token.contract, token.ledger)
        if not comparison.differing:
            self._tell(endpoint, done, None, comparison.count, comparison.ledger_count)
        return Verdict.DIFFERENT

    def _tell(
        self,
        endpoint: Endpoint,
        done: Reconciliation,
        token: int | None,
        contract: int,
        ledger: int,
    ) -> None:
        """A difference: of one token id in vouchers; where only serials differ, of none, in
        redemptions."""
        comparison = done.comparison
        misplaced = [Serials(serial, serial) for serial in comparison.misplaced]
        self.telemetry.event(
            "reconciliation_difference",
            level="ERROR",
            block=done.block.number,
            provider=endpoint.name,
            token=token,
            contract=contract,
            ledger=ledger,
            difference=ledger - contract,
            missing=named(comparison.missing),
            extra=named(comparison.extra),
            misplaced=named(misplaced),
        )

    def _skip(self, why: str) -> Verdict:
        self.telemetry.event("reconciliation_skipped", level="WARNING", why=why)
        return Verdict.SKIPPED
