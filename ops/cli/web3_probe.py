"""`ChainProbe` over a node."""

from ops.onchain.contract import VoucherContract
from ops.onchain.node import Node

SAMPLE_BLOCKS = 5
"""How far back logs are asked for: the narrowest free plans allow five blocks at once."""


class Web3Probe:
    """See `ChainProbe`. `timeout` in seconds per request."""

    def __init__(self, url: str, *, contract: str, timeout: float) -> None:
        self._node = Node(url, timeout=timeout)
        self._contract = VoucherContract(self._node, contract)

    def chain_id(self) -> int:
        """See `ChainProbe`."""
        return self._node.chain_id()

    def head(self) -> int:
        """See `ChainProbe`."""
        return self._node.head()

    def finalized(self) -> int | None:
        """See `ChainProbe`."""
        return self._node.finalized()

    def has_code(self) -> bool:
        """See `ChainProbe`."""
        return len(self._node.code(self._contract.address)) > 0

    def redemption_count(self) -> int:
        """See `ChainProbe`."""
        return self._contract.redemption_count()

    def recent_redemptions(self) -> int:
        """See `ChainProbe`."""
        head = self.head()
        first = max(0, head - SAMPLE_BLOCKS + 1)
        logs = self._node.logs(self._contract.address, "VoucherRedeemed", first=first, last=head)
        return sum(1 for _ in logs)

    def enabled_types(self, token_ids: tuple[int, ...]) -> frozenset[int]:
        """See `ChainProbe`."""
        return frozenset(
            token_id for token_id in token_ids if self._contract.books(token_id).enabled
        )
