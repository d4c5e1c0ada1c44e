"""Burns as the chain tells them, and the ledger that keeps each exactly once."""

from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block: height, hash and time (unix seconds)."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class Burn:
    """One `VoucherRedeemed` log. `serial` is the contract's gap-free count, from 1."""

    serial: int
    user: str
    token_id: int
    amount: int
    order_hash: str
    tx_hash: str
    log_index: int
    block: BlockRef


class Outcome(StrEnum):
    """What a burn came to (spec: Redemptions and exceptions)."""

    MATCHED = "MATCHED"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    WRONG_WALLET = "WRONG_WALLET"
    WRONG_TOKEN = "WRONG_TOKEN"  # noqa: S105 - a voucher's token id, no credential
    WRONG_AMOUNT = "WRONG_AMOUNT"
    LATE = "LATE"
    DUPLICATE = "DUPLICATE"
    ORDER_CLOSED = "ORDER_CLOSED"


@dataclass(frozen=True, slots=True)
class Redemption:
    """A ledger entry, keyed by the burn's serial.

    `final` turns true once and stays so. `orphans` are burns that held this serial on a branch the
    chain abandoned.
    """

    burn: Burn
    outcome: Outcome
    final: bool
    orphans: tuple[Burn, ...] = ()
    version: int = 1

    @property
    def serial(self) -> int:
        """The contract's number of this redemption."""
        return self.burn.serial

    @property
    def is_exception(self) -> bool:
        """Whether a person has to look at it."""
        return self.outcome is not Outcome.MATCHED


def record(
    known: Redemption | None, burn: Burn, outcome: Outcome, *, final: bool
) -> Redemption | None:
    """The ledger entry after `burn` was read; `None` where nothing changes.

    A burn that differs from the known one took over its serial on another branch: the known one is
    kept among the orphans.

    Raises:
        ValueError: a final entry would change; a final burn never does.
    """
    if known is None:
        return Redemption(burn=burn, outcome=outcome, final=final)
    if known.burn == burn and known.outcome is outcome and known.final == final:
        return None
    if known.final:
        raise ValueError(f"redemption {known.serial} is final and cannot change")
    orphans = known.orphans if known.burn == burn else (*known.orphans, known.burn)
    return replace(
        known,
        burn=burn,
        outcome=outcome,
        final=final,
        orphans=orphans,
        version=known.version + 1,
    )
