"""A JSON-RPC endpoint in memory: a chain of one contract that burned what it is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.order_hash import keccak256
from chalicelib.domain.redemptions import Burn
from chalicelib.ports import ChainUnavailable
from tests.fakes import CHAIN_ID, CONTRACT, a_block


def selector(signature: str) -> str:
    return "0x" + keccak256(signature.encode())[:4].hex()


COUNT, REDEEMED = selector("redemptionCount()"), selector("redeemed(uint256)")


@dataclass
class FakeEndpoint:
    """Keeps the state of the last `keeps` blocks, as full nodes do. `forgets` says "0x" for code
    it has forgotten, as some do, in place of an error. `told` stands in for answers, by method."""

    burns: Sequence[Burn] = ()
    head: int = 100
    deployed: int = 10
    keeps: int = 128
    branch: str = "a"
    chain_id: int = CHAIN_ID
    contract: str = CONTRACT
    name: str = "rpc.example"
    down: bool = False
    forgets: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    batches: int = 0

    def call(self, method: str, *params: Any) -> Any:
        self.calls.append(method)
        if self.down:
            raise ChainUnavailable(f"{self.name}: ConnectionError")
        if method in self.told:
            return self.told[method]
        return getattr(self, f"_{method}")(*params)

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.batches += 1
        return [self.call(method, *params) for method, params in calls]

    def _eth_chainId(self) -> str:  # noqa: N802 - the method's name
        return hex(self.chain_id)

    def _eth_blockNumber(self) -> str:  # noqa: N802
        return hex(self.head)

    def _eth_getBlockByNumber(self, number: str, full: bool) -> Any:  # noqa: N802
        height = int(number, 16)
        if height > self.head:
            return None
        block = a_block(height, branch=self.branch)
        return {"number": number, "hash": block.hash, "timestamp": hex(block.time)}

    def _eth_call(self, call: dict[str, str], block: str) -> str:
        height = self._state(block)
        assert call["to"] == self.contract
        burns = [burn for burn in self.burns if burn.block.number <= height]
        if call["data"] == COUNT:
            return f"0x{len(burns):064x}"
        assert call["data"].startswith(REDEEMED)
        redeemed: Counter[int] = Counter()
        for burn in burns:
            redeemed[burn.token_id] += burn.amount
        return f"0x{redeemed[int(call['data'][10:], 16)]:064x}"

    def _eth_getCode(self, address: str, block: str) -> str:  # noqa: N802
        try:
            height = self._state(block)
        except ChainUnavailable:
            if self.forgets:
                return "0x"
            raise
        there = address == self.contract and height >= self.deployed
        return "0x6080" if there else "0x"

    def _eth_getLogs(self, asked: dict[str, str]) -> list[Any]:  # noqa: N802
        blocks = range(int(asked["fromBlock"], 16), int(asked["toBlock"], 16) + 1)
        return [{"address": self.contract}] if self.deployed in blocks else []

    def _state(self, block: str) -> int:
        height = self.head if block == "latest" else int(block, 16)
        if self.head - height >= self.keeps:
            raise ChainUnavailable(f"{self.name}: missing trie node")
        return height
