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
class Header:
    """A block and the hash of the one it builds on."""

    block: BlockRef
    parent: str


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

    def is_same_redemption(self, other: "Burn") -> bool:
        """Whether both are one transaction's burn, in whichever block it was mined."""
        return replace(self, block=other.block, log_index=other.log_index) == other


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

    `final` stays true unless the chain takes back what was proven final. `orphans` are burns that
    held this serial on a branch the chain abandoned; while no other burn took the serial over,
    `burn` itself is among them.
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
    def on_chain(self) -> bool:
        """Whether the burn is on the chain, as far as the listener has seen."""
        return self.burn not in self.orphans

    @property
    def is_exception(self) -> bool:
        """Whether a person has to look at it."""
        return self.outcome is not Outcome.MATCHED


def record(
    known: Redemption | None, burn: Burn, outcome: Outcome, *, final: bool
) -> Redemption | None:
    """The ledger entry after `burn` was read; `None` where nothing changes.

    A burn that differs from the known one took over its serial on another branch: the known one is
    kept among the orphans. A burn that was among them is back.

    Raises:
        ValueError: a final entry would change; a final burn never does.
    """
    if known is None:
        return Redemption(burn=burn, outcome=outcome, final=final)
    before = known if known.burn == burn else orphan(known)
    after = replace(
        before,
        burn=burn,
        outcome=outcome,
        final=final,
        orphans=tuple(lost for lost in before.orphans if lost != burn),
        version=known.version,
    )
    if after == known:
        return None
    if known.final:
        raise ValueError(f"redemption {known.serial} is final and cannot change")
    return replace(after, version=known.version + 1)


def orphan(known: Redemption) -> Redemption:
    """The ledger entry once the chain abandoned the branch its burn was on.

    Raises:
        ValueError: the entry is final; a final burn is never abandoned.
    """
    if known.final:
        raise ValueError(f"redemption {known.serial} is final and cannot change")
    if not known.on_chain:
        return known
    return replace(known, orphans=(*known.orphans, known.burn), version=known.version + 1)


def unsettle(known: Redemption) -> Redemption:
    """The ledger entry once the chain no longer vouches for the final block its burn is in.

    Only a rewind does that (see `progress.rewind`); what became of the burn shows when the chain is
    read anew.
    """
    return replace(known, final=False, version=known.version + 1) if known.final else known
