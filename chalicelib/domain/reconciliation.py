"""Do ledger and contract tell the same (spec: Redemptions and exceptions).

Totals per token id and the gap-free serials are compared as of one block. That proves the sums and
the numbering, not each entry: two errors of one token id that cancel out are not seen. Those are
what a re-scan is for: `chalicelib.domain.rescan`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import Redemption


@dataclass(frozen=True, slots=True)
class Serials:
    """Serials from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class ContractTotals:
    """What the contract says as of a block: `redemptionCount()`, and vouchers redeemed by token id;
    a token id that is not among them was never redeemed."""

    count: int
    redeemed: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """The ledger's burns on the chain up to a block: how many, vouchers by token id, and which.

    `serials` ascend and neither touch nor overlap. `misplaced` are serials of entries that do not
    follow the one before them: a serial told twice, or a lower one.
    """

    count: int
    redeemed: Mapping[int, int]
    serials: tuple[Serials, ...]
    misplaced: tuple[int, ...] = ()


NOTHING = LedgerTotals(0, {}, ())
"""The totals of no entry."""


@dataclass(frozen=True, slots=True)
class TokenTotals:
    """Vouchers of one token id redeemed, by either account."""

    token_id: int
    contract: int
    ledger: int

    @property
    def difference(self) -> int:
        """What the ledger has too much; negative where it has too little."""
        return self.ledger - self.contract


@dataclass(frozen=True, slots=True)
class Comparison:
    """Contract and ledger side by side.

    `missing` serials are counted by the contract and not in the ledger, `extra` ones the other way
    round. `tokens` ascend by token id and hold those that are equal, too.
    """

    count: int
    ledger_count: int
    tokens: tuple[TokenTotals, ...]
    missing: tuple[Serials, ...]
    extra: tuple[Serials, ...]
    misplaced: tuple[int, ...]

    @property
    def differing(self) -> tuple[TokenTotals, ...]:
        """Token ids whose totals differ."""
        return tuple(one for one in self.tokens if one.difference)

    @property
    def equal(self) -> bool:
        """Whether nothing differs: where the serials do not, the counts do not either."""
        return self.size == 0

    @property
    def size(self) -> int:
        """By how many vouchers both differ, summed over the token ids; where by none, by how many
        serials. 0 where nothing differs."""
        vouchers = sum(abs(one.difference) for one in self.tokens)
        serials = sum(run.count for run in (*self.missing, *self.extra)) + len(self.misplaced)
        return vouchers or serials


def add_up(
    entries: Iterable[Redemption], *, through: int, onto: LedgerTotals = NOTHING
) -> LedgerTotals:
    """The totals of ledger entries in serial order, of burns on the chain up to block `through`,
    added to those of the entries before them.

    Memory does not grow with the number of entries while serials follow each other.
    """
    redeemed = Counter(onto.redeemed)
    serials = list(onto.serials)
    misplaced = list(onto.misplaced)
    count = onto.count
    for entry in entries:
        if not entry.on_chain or entry.burn.block.number > through:
            continue
        count += 1
        redeemed[entry.burn.token_id] += entry.burn.amount
        last = serials[-1] if serials else None
        if last is not None and entry.serial <= last.last:
            misplaced.append(entry.serial)
        elif last is not None and entry.serial == last.last + 1:
            serials[-1] = Serials(last.first, entry.serial)
        else:
            serials.append(Serials(entry.serial, entry.serial))
    return LedgerTotals(count, redeemed, tuple(serials), tuple(misplaced))


def named(serials: Sequence[Serials], most: int = 20) -> str:
    """Runs of serials in words; of many, the first `most`."""
    more = len(serials) - most
    told = ", ".join(map(str, serials[:most]))
    return f"{told} and {more} more runs" if more > 0 else told


def compare(contract: ContractTotals, ledger: LedgerTotals) -> Comparison:
    """What differs between both, as of the same block."""
    return Comparison(
        count=contract.count,
        ledger_count=ledger.count,
        tokens=tuple(
            TokenTotals(
                token_id, contract.redeemed.get(token_id, 0), ledger.redeemed.get(token_id, 0)
            )
            for token_id in sorted({*contract.redeemed, *ledger.redeemed})
        ),
        missing=_missing(ledger.serials, count=contract.count),
        extra=_extra(ledger.serials, count=contract.count),
        misplaced=ledger.misplaced,
    )


def _missing(serials: Iterable[Serials], *, count: int) -> tuple[Serials, ...]:
    """What lies between 1 and `count` beside `serials`."""
    gaps: list[Serials] = []
    expected = 1
    for held in serials:
        through = min(held.first - 1, count)
        if expected <= through:
            gaps.append(Serials(expected, through))
        expected = held.last + 1
    if expected <= count:
        gaps.append(Serials(expected, count))
    return tuple(gaps)


def _extra(serials: Iterable[Serials], *, count: int) -> tuple[Serials, ...]:
    """What of `serials` lies beyond `count`."""
    return tuple(
        Serials(max(held.first, count + 1), held.last) for held in serials if held.last > count
    )


def order_disagreement(
    order: Order, *, redeemed: bool, head: int, read_through: int | None
) -> str | None:
    """What the contract says of an order against what the store has, in a sentence; `None` where
    both agree.

    `redeemed` is `isRedeemed(customer, orderHash)` as of block `head`; `read_through` is the newest
    block the listener has seen, `None` before its first pass.
    """
    burn = order.burn
    if redeemed:
        honoured = order.status in (OrderStatus.VALID, OrderStatus.DELIVERED)
        if burn is not None or order.exception is not None or honoured:
            return None
        return (
            "The contract has this order redeemed, the store does not know the burn yet:"
            f" {_listener(head, read_through)}."
        )
    if burn is None:
        if order.exception is None or order.status in (OrderStatus.VALID, OrderStatus.DELIVERED):
            return None
        return (
            f"The store knows a burn of the customer ({order.exception}), the contract does not"
            " have this order redeemed."
        )
    if burn.block.number > head:
        return (
            f"The burn is in block {burn.block.number}, the node that was asked has only got to"
            f" block {head}."
        )
    if order.status is OrderStatus.PENDING_CHAIN:
        return (
            f"The burn of block {burn.block.number} is no longer on the chain: the listener takes"
            " it back with its next pass."
        )
    return (
        f"The store has this order {order.status} by the burn of block {burn.block.number}, the"
        " contract does not have it redeemed: an incident; `vouchers reconcile` tells more."
    )


def _listener(head: int, read_through: int | None) -> str:
    if read_through is None:
        return "the listener has not run yet"
    if read_through < head:
        return f"the listener is {head - read_through} block(s) behind"
    return f"although the listener has read up to block {read_through}; run `vouchers reconcile`"
