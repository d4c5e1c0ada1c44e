"""What a pass was told, and what follows from it: no I/O, nothing decided about any order yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.redemptions import BlockRef, Burn, Header, Redemption
from chalicelib.ports import Claim
from chalicelib.usecases.scan_slice import Due, Lost, Reverted, Seen, Step


@dataclass(frozen=True, slots=True)
class View:
    """What was told in this pass, checked to add up.

    `fresh` are the burns beyond the cursor's last serial, `scanned` is the final block up to which
    they were read. `headers` go from the final block to the head where they reach that far and the
    contract counts no more; else there are none, and the pass is not complete.
    """

    head: BlockRef
    final: BlockRef
    fresh: tuple[Burn, ...]
    scanned: int
    headers: tuple[Header, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that is on the chain was read."""
        return bool(self.headers)

    @property
    def final_burns(self) -> tuple[Burn, ...]:
        """Those of blocks that are final."""
        return tuple(burn for burn in self.fresh if burn.block.number <= self.scanned)

    @property
    def pending_burns(self) -> tuple[Burn, ...]:
        """Those of newer blocks, up to the head."""
        if not self.complete:
            return ()
        return tuple(burn for burn in self.fresh if burn.block.number > self.scanned)


def steps_of(view: View, ledger: Mapping[int, Redemption]) -> list[Step]:
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


def _is_lost(burn: Burn, told: Burn | None, view: View) -> bool:
    """Whether another burn has its serial, or none although its block's height was read."""
    if told is not None:
        return not told.is_same_redemption(burn)
    return view.complete and burn.block.number <= view.head.number


def _is_known(burn: Burn, entry: Redemption | None) -> bool:
    return entry is not None and entry.on_chain and entry.burn == burn


def scanned_before(rest: Sequence[Step], view: View) -> int:
    """The block up to which everything is stored while `rest` is not; a block may be cut."""
    blocks = [step.burn.block.number for step in rest if isinstance(step, Seen) and step.final]
    return blocks[0] - 1 if blocks else view.scanned


def serial_of(step: Seen | Lost | Reverted) -> int:
    """The redemption that a step is about."""
    return step.burn.serial if isinstance(step, Seen) else step.entry.serial


def order_hash_of(step: Step) -> str:
    """The order that a step is about."""
    match step:
        case Seen():
            return step.burn.order_hash
        case Due():
            return step.order_hash
        case _:
            return step.entry.burn.order_hash


def claim_of(view: View, *, scanned: int, last_serial: int) -> Claim:
    """What a pass that began after block `scanned` will conclude from, for others to confirm."""
    after = last_serial
    burns = view.final_burns
    counted: list[tuple[BlockRef, int]] = []
    told = iter(view.fresh)
    burn = next(told, None)
    for header in view.headers:
        while burn is not None and burn.block.number <= header.block.number:
            last_serial, burn = burn.serial, next(told, None)
        counted.append((header.block, last_serial))
    return Claim(
        first=scanned + 1 if view.complete else burns[0].block.number,
        through=view.final.number if view.complete else burns[-1].block.number,
        after=after,
        burns=burns,
        counted=tuple(counted),
    )
