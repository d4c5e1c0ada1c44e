"""Where a chain that forked below what was proven can be taken up again (spec: Listener)."""

from collections.abc import Sequence

from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import BlockRef
from chalicelib.ports import Chain, ChainUnavailable, Store


def common_ancestor(store: Store, chain: Chain, cursor: Cursor, *, deepest: int) -> BlockRef | None:
    """The newest block, up to the proven one, known to cursor or ledger, that a quorum still has.

    The ledger is looked through for at most `deepest` blocks. `None` where the chain has none.

    Raises:
        ChainUnavailable: no quorum tells of a block whether it is there.
    """
    newest = _newest_agreed(chain, [cursor.proven, *cursor.anchors])
    if newest == cursor.proven:
        return newest
    above = max(cursor.proven.number - deepest, newest.number if newest else 0)
    last = cursor.last_serial
    while last > 0:
        first = max(1, last - store.max_changes + 1)
        known = {entry.burn.block for entry in store.redemptions(first, last)}
        blocks = sorted(known, key=lambda block: block.number, reverse=True)
        between = [block for block in blocks if above < block.number <= cursor.proven.number]
        found = _newest_agreed(chain, between)
        if found is not None:
            return found
        if not blocks or blocks[-1].number <= above:
            break
        last = first - 1
    return newest


def is_ledger_forked(store: Store, chain: Chain, cursor: Cursor) -> bool:
    """Whether the last final burn lies above the proven block and on a branch that is gone.

    While a backlog is caught up, the ledger is ahead of what is proven.

    Raises:
        ChainUnavailable: nobody tells.
    """
    for entry in store.redemptions(cursor.last_serial, cursor.last_serial):
        block = entry.burn.block
        if block.number > cursor.proven.number:
            (own,) = chain.agreed([block.number])
            return own is not None and own != block
    return False


def _newest_agreed(chain: Chain, blocks: Sequence[BlockRef]) -> BlockRef | None:
    """The first of `blocks`, newest first, that the chain still has: it has all older ones."""
    low, high = 0, len(blocks)
    while low < high:
        middle = (low + high) // 2
        number = blocks[middle].number
        (agreed,) = chain.agreed([number])
        if agreed is None:
            raise ChainUnavailable(f"the providers do not agree on block {number}")
        if agreed == blocks[middle]:
            high = middle
        else:
            low = middle + 1
    return blocks[low] if low < len(blocks) else None
