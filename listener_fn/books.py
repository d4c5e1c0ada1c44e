"""`chalicelib.ports.ContractBooks` over JSON-RPC: for the listener and for the command line."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chalicelib.domain.order_hash import keccak256
from chalicelib.domain.reconciliation import ContractTotals
from chalicelib.domain.redemptions import BlockRef
from chalicelib.ports import ChainUnavailable
from listener_fn.decoding import Malformed, block_ref, quantity, word

COUNT_SELECTOR = "0x" + keccak256(b"redemptionCount()")[:4].hex()
REDEEMED_SELECTOR = "0x" + keccak256(b"redeemed(uint256)")[:4].hex()

T = TypeVar("T")


class Endpoint(Protocol):
    """One RPC endpoint. Both methods raise `ChainUnavailable` where it does not answer, or answers
    with an error."""

    @property
    def name(self) -> str:
        """Its host: URLs may hold keys and are never told."""

    def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC request, as it was told."""

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of several requests, in their order."""


@dataclass(frozen=True, slots=True)
class RpcBooks:
    """See `ContractBooks`. Everything is asked by number: not every endpoint takes a block's
    hash."""

    endpoint: Endpoint
    contract: str

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `ContractBooks`."""
        told = self.endpoint.batch(
            [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        )
        return tuple(
            self._block(number, block) for number, block in zip(numbers, told, strict=True)
        )

    def totals(self, block: BlockRef, token_ids: Collection[int]) -> ContractTotals:
        """See `ContractBooks`."""
        height = hex(block.number)
        asked = sorted(token_ids)
        data = [COUNT_SELECTOR, *(f"{REDEEMED_SELECTOR}{one:064x}" for one in asked)]
        try:
            count, *redeemed = self.endpoint.batch(
                [("eth_call", [{"to": self.contract, "data": one}, height]) for one in data]
            )
        except ChainUnavailable as error:
            raise ChainUnavailable(
                f"{self.endpoint.name} does not tell the contract's state as of block"
                f" {block.number}, {self._head() - block.number} blocks below its newest"
                f" ({error}). Most nodes keep the state of the last 128 blocks: let the listener"
                " catch up, or name an archive node in RPC_URLS"
            ) from error
        if self.blocks([block.number]) != (block,):
            raise ChainUnavailable(f"block {block.number} was replaced meanwhile")
        return ContractTotals(
            count=self._number(count),
            redeemed={
                token_id: self._number(told) for token_id, told in zip(asked, redeemed, strict=True)
            },
        )

    def _head(self) -> int:
        return checked(self.endpoint, quantity, self.endpoint.call("eth_blockNumber"))

    def _block(self, number: int, told: Any) -> BlockRef:
        if told is None:
            raise ChainUnavailable(
                f"{self.endpoint.name} knows no block {number}: its newest is {self._head()}, older"
                " than what the listener has proven"
            )
        block = checked(self.endpoint, block_ref, told)
        if block.number != number:
            raise ChainUnavailable(f"{self.endpoint.name}: block {block.number} told for {number}")
        return block

    def _number(self, told: Any) -> int:
        return int(checked(self.endpoint, word, told), 16)


def checked(endpoint: Endpoint, decode: Callable[[Any], T], told: Any) -> T:
    """What `decode` makes of what an endpoint told.

    Raises:
        ChainUnavailable: it has not the shape it must have.
    """
    try:
        return decode(told)
    except Malformed as error:
        raise ChainUnavailable(f"{endpoint.name}: {error}") from error
