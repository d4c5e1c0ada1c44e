"""The truth of a simulated world: a chain that forks to any depth, with the contract on it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.redemptions import BlockRef, Burn

GENESIS_TIME = 1_800_000_000
DEPLOY_BLOCK = 3
REMEMBERED_BRANCHES = 3
"""Dead branches that nodes may still be stuck on."""

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
REDEEMED_TOPIC = "0xd1d145b5902ea5ac21d77fee3fc6fd1c118bb3ddc3284587548dd23923c78697"
TRANSFER_TOPIC = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"


@dataclass(frozen=True, slots=True)
class Redeem:
    """A transaction that redeems: the same in whichever block it is mined."""

    tx_hash: str
    user: str
    token_id: int
    amount: int
    order_hash: str


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block, its burns and its place; `count` is `redemptionCount()` after it."""

    ref: BlockRef
    parent: "Block | None"
    burns: tuple[Burn, ...]
    count: int
    header: dict[str, Any]
    logs: tuple[dict[str, Any], ...]


Branch = list[Block]
"""Blocks by height, from genesis on."""


def log_of(burn: Burn) -> dict[str, Any]:
    """The `VoucherRedeemed` log as a node tells it."""
    return {
        "address": CONTRACT.lower(),
        "topics": [
            REDEEMED_TOPIC,
            "0x" + burn.user[2:].lower().rjust(64, "0"),
            f"0x{burn.token_id:064x}",
            burn.order_hash,
        ],
        "data": f"0x{burn.amount:064x}{burn.serial:064x}",
        "blockNumber": hex(burn.block.number),
        "blockHash": burn.block.hash,
        "blockTimestamp": hex(burn.block.time),
        "transactionHash": burn.tx_hash,
        "transactionIndex": hex(burn.log_index // 2),
        "logIndex": hex(burn.log_index),
        "removed": False,
    }


def burn_of(redeem: Redeem, block: BlockRef, *, serial: int, index: int) -> Burn:
    """What the contract tells of the transaction that stands `index`-th in `block`.

    Each emits `TransferSingle` first, so its own log has an odd index.
    """
    return Burn(
        serial=serial,
        user=redeem.user,
        token_id=redeem.token_id,
        amount=redeem.amount,
        order_hash=redeem.order_hash,
        tx_hash=redeem.tx_hash,
        log_index=2 * index + 1,
        block=block,
    )


@dataclass
class SimChain:
    """The canonical chain and what is left of its forks.

    `protected` is the height that no ordinary fork goes below: the highest that was ever finalized
    or `fallback_blocks` deep. `final` is the highest block that was ever final by `rule`. A fork
    below it is told in `deep_forks`, with the height of the last block that stayed.
    `was_final` holds the hashes of all blocks that were final at any time, `final_at` the blocks by
    height; `by_hash` and `burns_for` (by order hash) know every branch.
    """

    rng: Random
    rule: FinalityRule
    finality_lag: int = 2
    finality_stalled: bool = False
    finalized: int = 0
    protected: int = 0
    final: int = -1
    blocks: Branch = field(default_factory=list)
    dead: list[tuple[int, Branch]] = field(default_factory=list)
    mempool: list[Redeem] = field(default_factory=list)
    was_final: set[str] = field(default_factory=set)
    final_at: dict[int, list[Block]] = field(default_factory=dict)
    deep_forks: list[int] = field(default_factory=list)
    by_hash: dict[str, Block] = field(default_factory=dict)
    burns_for: dict[str, list[Burn]] = field(default_factory=dict)
    reverted: int = 0
    forks: int = 0
    mined: int = 0

    def __post_init__(self) -> None:
        """Genesis, the deployment, and empty blocks until that is final."""
        self._spent: set[tuple[str, str]] = set()
        self.blocks = [self.next_block(None, [], GENESIS_TIME)]
        while self.final <= DEPLOY_BLOCK:
            self.mine(0)

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    def holds(self, block: BlockRef) -> bool:
        """Whether the block is on the canonical chain."""
        return block.number < len(self.blocks) and self.blocks[block.number].ref == block

    def all_burns(self) -> list[Burn]:
        """The truth, in serial order."""
        return [burn for block in self.blocks for burn in block.burns]

    def has_redeemed(self, redeem: Redeem) -> bool:
        """Whether the contract would refuse the transaction as a repetition."""
        return (redeem.user, redeem.order_hash) in self._spent

    def mine(self, most: int) -> Block:
        """One more block with up to `most` transactions; repetitions revert and burn nothing."""
        chosen: list[Redeem] = []
        while self.mempool and len(chosen) < most:
            redeem = self.mempool.pop(0)
            if self.has_redeemed(redeem):
                self.reverted += 1
                continue
            self._spent.add((redeem.user, redeem.order_hash))
            chosen.append(redeem)
        time = self.head.ref.time + self.rng.choice((0, 1, 1, 1, 2, 3))
        block = self.next_block(self.head, chosen, time)
        self.blocks.append(block)
        self._settle()
        return block

    def fork(self, depth: int, *, keep: float, shuffle: bool) -> None:
        """Abandon the newest `depth` blocks. Of their transactions about the part `keep` is to be
        mined again, in another order where `shuffle` says so; the rest vanishes.

        The new branch is about as long as the old one.
        """
        parting = len(self.blocks) - 1 - depth
        if parting < DEPLOY_BLOCK:
            raise ValueError("a fork cannot undo the deployment")
        gone = self.blocks[parting + 1 :]
        self.forks += 1
        self.dead = [*self.dead, (parting, self.blocks)][-REMEMBERED_BRANCHES:]
        self.blocks = self.blocks[: parting + 1]
        if parting < self.final:
            self.deep_forks.append(parting)
            self.final, self.protected = parting, min(self.protected, parting)
            self.finalized = min(self.finalized, parting)
        self._spent = {(burn.user, burn.order_hash) for burn in self.all_burns()}
        again = [
            Redeem(burn.tx_hash, burn.user, burn.token_id, burn.amount, burn.order_hash)
            for block in gone
            for burn in block.burns
            if self.rng.random() < keep
        ]
        self.mempool = [*again, *self.mempool]
        if shuffle:
            self.rng.shuffle(self.mempool)
        for _ in range(self.rng.randint(max(1, depth - 1), depth + 2)):
            self.mine(self.rng.randint(0, 3))

    def next_block(self, parent: Block | None, redeems: list[Redeem], time: int) -> Block:
        """A block on top of any other; on the chain only once it is appended."""
        number = parent.ref.number + 1 if parent else 0
        before = parent.count if parent else 0
        self.mined += 1
        ref = BlockRef(
            number, f"0x{self.mined * 0x9E3779B97F4A7C15 % 2**64:032x}{number:032x}", time
        )
        burns = tuple(
            burn_of(redeem, ref, serial=before + index + 1, index=index)
            for index, redeem in enumerate(redeems)
        )
        for burn in burns:
            self.burns_for.setdefault(burn.order_hash, []).append(burn)
        header = {
            "number": hex(number),
            "hash": ref.hash,
            "parentHash": parent.ref.hash if parent else "0x" + 64 * "0",
            "timestamp": hex(time),
        }
        logs = tuple(log_of(burn) for burn in burns)
        block = Block(ref, parent, burns, before + len(burns), header, logs)
        self.by_hash[ref.hash] = block
        return block

    def _settle(self) -> None:
        """Finality after one more block."""
        head = self.head.ref.number
        if not self.finality_stalled:
            self.finalized = max(self.finalized, head - self.finality_lag)
        self.protected = max(self.protected, self.finalized, head - self.rule.fallback_blocks)
        final = min(self.protected, head - (self.rule.confirmations - 1))
        for block in self.blocks[self.final + 1 : final + 1]:
            self.was_final.add(block.ref.hash)
            self.final_at.setdefault(block.ref.number, []).append(block)
        self.final = max(self.final, final)


def _scattered(number: int) -> int:
    """Another number for every number, in no order: hashes tell nothing about age."""
    return number * 0x9E3779B97F4A7C15 % 2**64
