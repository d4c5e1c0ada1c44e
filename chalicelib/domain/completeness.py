"""Proof that no burn is missing, doubled or out of place (spec: Listener).

The contract numbers its redemptions 1, 2, 3 … without gap and tells the last number, so the logs
prove themselves: no provider has to be believed.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from chalicelib.domain.redemptions import BlockRef, Burn, Header


class Inconsistent(Exception):
    """What the provider told does not add up. Nothing may be concluded from it; ask again."""


def check_continues(burns: Sequence[Burn], *, last_serial: int) -> None:
    """The serials of `burns` follow each other without gap or repeat, in the order of the chain.

    The first may be at most one above `last_serial`: a block can be read again. Two may have one
    log index: BNB Chain's nodes have told such logs, and the serials tell them apart.

    Raises:
        Inconsistent: naming the serial.
    """
    expected = min(burns[0].serial, last_serial + 1) if burns else 0
    before = (0, -1)
    previous: Burn | None = None
    for burn in burns:
        if burn.serial != expected:
            raise Inconsistent(f"redemption {expected} expected, {burn.serial} told")
        place = (burn.block.number, burn.log_index)
        if place < before:
            raise Inconsistent(f"redemption {burn.serial} lies before {burn.serial - 1}")
        if previous and previous.block.number == burn.block.number and previous.block != burn.block:
            raise Inconsistent(f"block {burn.block.number} is told in two ways")
        expected, before, previous = burn.serial + 1, place, burn


def check_count(burns: Sequence[Burn], *, last_serial: int, count: int) -> None:
    """The contract's `redemptionCount()` is the last serial that was told up to the same block.

    Raises:
        Inconsistent: naming both.
    """
    last_told = max(last_serial, burns[-1].serial) if burns else last_serial
    if count != last_told:
        raise Inconsistent(f"the contract counts {count} redemptions, the logs tell {last_told}")


def check_joins(headers: Sequence[Header], *, head: BlockRef) -> None:
    """The headers follow each other by number and by parent hash, and end with `head`.

    Raises:
        Inconsistent: naming the block.
    """
    for before, after in pairwise(headers):
        follows = after.block.number == before.block.number + 1
        if not follows or after.parent != before.block.hash:
            raise Inconsistent(f"block {after.block.number} does not join the one before it")
    if headers[-1].block != head:
        raise Inconsistent(f"head {head.number} is no longer the block it was")


def check_places(burns: Sequence[Burn], blocks: Iterable[BlockRef]) -> None:
    """Every burn lies in one of these blocks, of the hash and the time told with it.

    Raises:
        Inconsistent: naming the block.
    """
    own = {block.number: block for block in blocks}
    for burn in burns:
        if own.get(burn.block.number) != burn.block:
            raise Inconsistent(f"block {burn.block.number} is not the one its logs were told for")
