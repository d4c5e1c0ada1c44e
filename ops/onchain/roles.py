"""The contract's roles, by name and by the identifier it knows them by."""

from enum import StrEnum

from chalicelib.domain.order_hash import keccak256

ADMIN_ROLE = "ADMIN_ROLE"
"""Held by exactly one account; moves in two steps and is neither granted nor revoked."""


class Role(StrEnum):
    """The roles that the admin grants and revokes."""

    MINTER = "MINTER_ROLE"
    PAUSER = "PAUSER_ROLE"

    @property
    def identifier(self) -> bytes:
        """What the contract knows the role by."""
        return keccak256(self.value.encode())


NAMES = {"0x" + "00" * 32: ADMIN_ROLE} | {"0x" + role.identifier.hex(): role.value for role in Role}
"""Names of all roles by identifier."""
