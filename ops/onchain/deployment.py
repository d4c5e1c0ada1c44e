"""Deploying the contract: to an address known beforehand, from any account.

A contract is made through the deterministic deployment proxy (EIP-1014, `CREATE2`), which lives at
one address on every chain. So the address follows from the bytecode and the constructor's
arguments alone, a Safe can deploy like any account, and deploying twice is refused by the chain.
Whoever sends the transaction gets no right by it: the constructor names the admin.
"""

from dataclasses import dataclass

from eth_abi.abi import encode

from chalicelib.domain.order_hash import checksum_address, keccak256
from ops.onchain.artefact import artefact
from ops.onchain.calls import Call

PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment proxy: it takes a salt and init code."""

LOCAL_CHAIN_ID = 31337
"""The chain id of anvil and its like, whose accounts everybody knows the keys of."""

SHORTEST_ADMIN_DELAY = 86_400
"""Seconds; shorter ones give nobody time to notice, and are for local chains only."""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What would be deployed, and where. `admin_delay` in seconds."""

    admin: str
    admin_delay: int
    salt: bytes

    @property
    def constructor_arguments(self) -> bytes:
        """ABI encoding, as explorers ask for it."""
        return encode(["address", "uint48"], [self.admin, self.admin_delay])

    @property
    def init_code(self) -> bytes:
        """Creation bytecode with the constructor's arguments."""
        return bytes.fromhex(artefact()["bytecode"][2:]) + self.constructor_arguments

    @property
    def address(self) -> str:
        """Where the contract will be (EIP-1014)."""
        preimage = b"\xff" + bytes.fromhex(PROXY[2:]) + self.salt + keccak256(self.init_code)
        return checksum_address("0x" + keccak256(preimage)[12:].hex())

    @property
    def call(self) -> Call:
        """The transaction that deploys it."""
        return Call(
            to=PROXY,
            data="0x" + (self.salt + self.init_code).hex(),
            words=(
                f"Deploy FiveSOfficeVouchers to {self.address}, admin {self.admin},"
                f" admin delay {self.admin_delay} s"
            ),
        )
