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
    ScanResult,
    ScanSettings,
    awaits_burn,
    release,
    scan,
)

LONGEST_PAUSE_SECONDS = 30.0
MEASURE_SECONDS = 15
"""How often it is told what was asked of the providers."""

COUNT_SECONDS = 60
"""How often open exceptions are counted, besides after burns that raise or withdraw some."""

MOST_COUNTED = 100
"""Open exceptions that are counted; more than anybody should leave open."""

MAX_DOUBLINGS = 10
UUID_BYTES = 16


class Providers(Chain, Protocol):
    """The chain, and what the shells need to know of those who tell it."""

    def measure(self) -> None:
        """Tell what was asked of each since the last time."""

    def close(self) -> None:
        """Ask for nothing any more."""


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
    mine: bool = True
    held: str = ""
    measured_at: int = 0
    counted_at: int = 0

    def scan(self) -> ScanResult:
        """One pass.

        Raises:
            ForkBelowFinality: the chain forked too deep below what was proven final.
            ForeignCursor: the store was filled from another chain or contract.
        """
        result = self._pass()
        self.failures = self.failures + 1 if result.error else 0
        if result.mine != self.mine:
            self.telemetry.event("lease_taken" if result.mine else "lease_held_by_another")
            self.mine = result.mine
        self._tell_held(result)
        changed = result.exceptions or result.lost
        if changed or self.clock.now() >= self.counted_at + COUNT_SECONDS:
            self._count_exceptions()
        if self.clock.now() >= self.measured_at + MEASURE_SECONDS:
            self._measure()
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
        """Give the lease back, and tell what was not told yet."""
        self._measure()
        try:
            release(store=self.store, owner=self.owner)
        except StoreUnavailable as error:
            self.telemetry.event("release_failed", level="WARNING", error=str(error))

    def _tell_held(self, result: ScanResult) -> None:
        """Why nothing becomes final, once for each reason, and when it does again."""
        if result.error or not result.mine or result.held == self.held:
            return
        if result.held:
            self.telemetry.event("finality_held", level="WARNING", reason=result.held)
        else:
            self.telemetry.event("finality_resumed")
        self.held = result.held

    def _count_exceptions(self) -> None:
        self.counted_at = self.clock.now()
        try:
            found = self.store.exceptions(open_only=True, limit=MOST_COUNTED)
        except StoreUnavailable:
            return  # the next pass tells
        self.telemetry.metric("ExceptionsOpen", len(found.items))

    def _measure(self) -> None:
        self.measured_at = self.clock.now()
        self.providers.measure()

    def _pass(self) -> ScanResult:
        request_id = UUID(bytes=self.entropy.random_bytes(UUID_BYTES), version=4)
        try:
            return scan(
                store=self.store,
                chain=self.providers,
                clock=self.clock,
                telemetry=self.telemetry,
                settings=self.settings,
                owner=self.owner,
                request_id=str(request_id),
            )
        except StoreUnavailable as error:
            message = f"store: {error}"
        except ChainUnavailable as error:
            message = str(error)
        self.telemetry.event("scan_failed", level="ERROR", error=message)
        self.telemetry.metric("ScanFailures", 1)
        return ScanResult(error=message)
