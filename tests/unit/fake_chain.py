"""A chain in memory that can fork, lag and lie, and the one provider that tells it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import BlockRef, Burn, Header
from chalicelib.ports import ChainUnavailable, Stretch, Tail, Tips

GENESIS_TIME = 1_800_000_000


@dataclass(frozen=True)
class Redeem:
    """What a transaction burns, wherever it is mined."""

    tx_hash: str
    user: str
    token_id: int
    amount: int
    order_hash: str


@dataclass(frozen=True)
class Block:
    """A block and the redemptions mined in it."""

    ref: BlockRef
    redeems: tuple[Redeem, ...]


@dataclass
class FakeChain:
    """`finality` is how many blocks the `finalized` tag trails the head; `None` where it is null.

    `withheld` are serials whose logs are left out, `doubled` those told twice; `down` answers
    nothing; `lag` hides the newest blocks; `at_once` blocks are told at most; `counted_more` is
    added to the redemption count.
    """

    finality: int | None = 2
    withheld: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)
    down: bool = False
    lag: int = 0
    counted_more: int = 0
    at_once: int = 10_000
    name: str = "fake"
    asked: list[str] = field(default_factory=list)
    made: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._branch = 0
        self._blocks = [Block(BlockRef(0, self._hash(0), GENESIS_TIME), ())]

    # -- what happens on the chain

    def mine(self, *redeems: Redeem, seconds: int = 1) -> BlockRef:
        """One more block, `seconds` after the last."""
        last = self._blocks[-1].ref
        number = last.number + 1
        ref = BlockRef(number, self._hash(number), last.time + seconds)
        self._blocks.append(Block(ref, redeems))
        return ref

    def mine_empty(self, count: int, *, seconds: int = 1) -> None:
        """Some blocks without redemptions."""
        for _ in range(count):
            self.mine(seconds=seconds)

    def fork(self, depth: int) -> list[Redeem]:
        """Abandon the newest `depth` blocks; the redemptions that were in them."""
        self._branch += 1
        gone = self._blocks[len(self._blocks) - depth :]
        del self._blocks[len(self._blocks) - depth :]
        return [redeem for block in gone for redeem in block.redeems]

    def redeem(self, order: Order, **changed: str | int) -> Redeem:
        """A transaction that burns for an order, by default exactly what it asks for."""
        self.made += 1
        given: dict[str, str | int] = {
            "user": order.customer,
            "token_id": order.token_id,
            "amount": order.amount,
            "order_hash": order.order_hash,
        }
        return Redeem(f"0x{self.made:064x}", **{**given, **changed})  # type: ignore[arg-type]

    def all_burns(self) -> tuple[Burn, ...]:
        """The truth: every burn of the current branch, numbered as the contract does."""
        burns: list[Burn] = []
        for block in self._blocks:
            for index, it in enumerate(block.redeems):
                burns.append(
                    Burn(
                        serial=len(burns) + 1,
                        user=it.user,
                        token_id=it.token_id,
                        amount=it.amount,
                        order_hash=it.order_hash,
                        tx_hash=it.tx_hash,
                        log_index=index,
                        block=block.ref,
                    )
                )
        return tuple(burns)

    @property
    def tip(self) -> BlockRef:
        """The newest block there is, whatever the provider tells."""
        return self._blocks[-1].ref

    # -- what a provider tells of it

    @property
    def reach(self) -> int:
        return self.at_once

    def head(self) -> BlockRef:
        return self._blocks[max(0, len(self._blocks) - 1 - self.lag)].ref

    def tips(self, height: int) -> Tips:
        self._answer("tips")
        head = self.head()
        return Tips(
            head,
            None if self.finality is None else head.number - self.finality,
            self._blocks[height].ref if height <= head.number else None,
        )

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        self._answer("tail")
        if self.blocks([head.number]) != (head,):
            raise ChainUnavailable("the block was replaced")
        burns: list[Burn] = []
        while first <= head.number:
            stretch = self.burns(first, head.number)
            burns += stretch.burns
            first = stretch.through + 1
        return Tail(
            tuple(burns),
            self.redemption_count(head),
            tuple(self.header(number) for number in range(final, head.number + 1)),
        )

    def header(self, number: int) -> Header:
        block = self._blocks[number].ref
        return Header(block, self._blocks[number - 1].ref.hash if number else "0x" + "00" * 32)

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        self._answer("burns_of")
        return tuple(burn for burn in self.all_burns() if burn.tx_hash in tx_hashes)

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        self._answer("blocks")
        if any(number >= len(self._blocks) for number in numbers):
            raise ChainUnavailable("no such block")
        return tuple(self._blocks[number].ref for number in numbers)

    def burns(self, first: int, last: int) -> Stretch:
        self._answer("burns")
        last = min(last, first + self.at_once - 1)
        told: list[Burn] = []
        for burn in self.all_burns():
            if first <= burn.block.number <= last and burn.serial not in self.withheld:
                told += [burn, burn] if burn.serial in self.doubled else [burn]
        return Stretch(tuple(told), last)

    def redemption_count(self, block: BlockRef) -> int:
        if self._blocks[block.number].ref != block:
            raise ChainUnavailable("the block was replaced")
        burned = [burn for burn in self.all_burns() if burn.block.number <= block.number]
        return len(burned) + self.counted_more

    def _answer(self, call: str) -> None:
        self.asked.append(call)
        if self.down:
            raise ChainUnavailable("provider is down")

    def _hash(self, number: int) -> str:
        return f"0x{self._branch:032x}{number:032x}"
