"""What both shells run: passes of the scan, each with the provider whose turn it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chalicelib.ports import (
    Chain,
    ChainUnavailable,
    Clock,
    Entropy,
    Store,
    StoreUnavailable,
    Telemetry,
)
from chalicelib.usecases.scan import (
    ForkBelowFinality,
    ScanResult,
    ScanSettings,
    awaits_burn,
    release,
    scan,
)

LONGEST_PAUSE_SECONDS = 30.0
MAX_DOUBLINGS = 10
UUID_BYTES = 16


class Providers(Protocol):
    """Providers of one chain, asked one at a time."""

    def current(self) -> Chain:
        """The provider to ask."""

    def give_way(self) -> None:
        """Let the next one be asked."""

    @property
    def count(self) -> int:
        """How many there are."""

    def verify(self) -> list[str]:
        """Why providers do not answer. Raises where one is of another chain."""


@dataclass(slots=True)
class Listener:
    """The scan with all it needs, under a name of its own.

    `jitter()` gives a number from 0 to 1 and spreads retries.
    """

    store: Store
    providers: Providers
    clock: Clock
    entropy: Entropy
    telemetry: Telemetry
    settings: ScanSettings
    owner: str
    poll_seconds: float
    jitter: Callable[[], float]
    failures: int = 0
    forks: int = 0
    mine: bool = True

    def scan(self) -> ScanResult:
        """One pass. A provider that fails, or whose tale does not add up, gives way to the next.

        Raises:
            ForkBelowFinality: a proven block is gone from the chain, as one provider after another
                tells; a single one may be stuck on a dead branch.
            ForeignCursor: the store was filled from another chain or contract.
        """
        result = self._pass()
        self.failures = self.failures + 1 if result.error else 0
        if result.mine != self.mine:
            self.telemetry.event("lease_taken" if result.mine else "lease_held_by_another")
            self.mine = result.mine
        return result

    def pause(self) -> float:
        """Seconds to wait before the next pass: longer and longer while passes fail."""
        if not self.failures:
            return self.poll_seconds
        doublings = min(self.failures, MAX_DOUBLINGS)
        longest = min(LONGEST_PAUSE_SECONDS, self.poll_seconds * (1 << doublings))
        return longest * (1 + self.jitter()) / 2

    def awaits_burn(self) -> bool:
        """Whether any order waits for its burn to appear or to become final."""
        return awaits_burn(store=self.store, now=self.clock.now())

    def purge(self) -> None:
        """Remove from the store what ran out, where its engine does not do so by itself."""
        try:
            removed = self.store.purge(self.clock.now())
        except StoreUnavailable as error:
            self.telemetry.event("purge_failed", level="WARNING", error=str(error))
            return
        if removed:
            self.telemetry.event("purged", records=removed)

    def release(self) -> None:
        """Give the lease back."""
        try:
            release(store=self.store, owner=self.owner)
        except StoreUnavailable as error:
            self.telemetry.event("release_failed", level="WARNING", error=str(error))

    def _pass(self) -> ScanResult:
        request_id = UUID(bytes=self.entropy.random_bytes(UUID_BYTES), version=4)
        try:
            result = scan(
                store=self.store,
                chain=self.providers.current(),
                clock=self.clock,
                telemetry=self.telemetry,
                settings=self.settings,
                owner=self.owner,
                request_id=str(request_id),
            )
        except StoreUnavailable as error:
            self.telemetry.event("scan_failed", level="ERROR", error=str(error))
            return ScanResult(error=f"store: {error}")
        except ChainUnavailable as error:
            self.telemetry.event("scan_failed", level="ERROR", error=str(error))
            result = ScanResult(error=str(error))
        except ForkBelowFinality as error:
            self.forks += 1
            if self.forks >= self.providers.count:
                raise
            result = ScanResult(error=str(error))
        else:
            self.forks = 0
        if result.error:
            self.providers.give_way()
        return result
