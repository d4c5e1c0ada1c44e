"""What `vouchers doctor` asks of one RPC endpoint."""

from typing import Protocol


class ChainProbe(Protocol):
    """What one RPC endpoint says. Every method may raise `NodeFailed`."""

    def chain_id(self) -> int:
        """The chain the endpoint serves."""

    def head(self) -> int:
        """Height of the newest block."""

    def finalized(self) -> int | None:
        """Height of the `finalized` block; `None` where there is no such tag."""

    def has_code(self) -> bool:
        """Whether there is a contract at the configured address."""

    def redemption_count(self) -> int:
        """`redemptionCount()` at the newest block."""

    def recent_redemptions(self) -> int:
        """How many `VoucherRedeemed` logs the last few blocks hold."""

    def enabled_types(self, token_ids: tuple[int, ...]) -> frozenset[int]:
        """Those of the voucher types that exist on the chain and are enabled."""
