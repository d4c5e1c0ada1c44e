"""Deploying the contract: to an address known beforehand, from any account; and proving it.

A contract is made through the deterministic deployment proxy (EIP-1014, `CREATE2`), which lives at
one address on every chain. So the address follows from the bytecode and the constructor's
arguments alone, a Safe can deploy like any account, and deploying twice is refused by the chain.
Whoever sends the transaction gets no right by it: the constructor names the admin.

The address is the proof, too: no other init code leads to it. A contract that is found there was
made by the committed constructor, which writes nothing into storage but the admin and the delay.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eth_abi.abi import encode

from chalicelib.domain.order_hash import (
    EIP712_NAME,
    EIP712_VERSION,
    checksum_address,
    domain_separator,
    keccak256,
)
from ops.onchain.artefact import artefact
from ops.onchain.calls import Call

PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment proxy: it takes a salt and init code."""

LOCAL_CHAIN_ID = 31337
"""The chain id of anvil and its like, whose accounts everybody knows the keys of."""

SHORTEST_ADMIN_DELAY = 86_400
"""Seconds; shorter ones give nobody time to notice, and are for local chains only."""

DEFAULT_ADMIN_DELAY = 2 * SHORTEST_ADMIN_DELAY
"""Seconds; what the contract is deployed with unless told otherwise."""


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


def plan_of(
    address: str, *, admin: str, admin_delays: Iterable[int], salt: bytes
) -> DeploymentPlan | None:
    """The deployment that leads to `address`, with one of these delays, in seconds; `None` where
    none of them does."""
    plans = (DeploymentPlan(admin, delay, salt) for delay in admin_delays)
    return next((plan for plan in plans if plan.address == address), None)


def runtime_code(chain_id: int, address: str) -> bytes:
    """The code that the committed constructor leaves at an address of a chain: the artefact's with
    its immutables filled in, which are those of OpenZeppelin's `EIP712`.

    The artefact names immutables by the compiler's ids, which ascend in the order of declaration.
    """
    values = (
        domain_separator(chain_id=chain_id, contract=address),
        chain_id.to_bytes(32, "big"),
        bytes.fromhex(address[2:]).rjust(32, b"\0"),
        keccak256(EIP712_NAME.encode()),
        keccak256(EIP712_VERSION.encode()),
        _short_string(EIP712_NAME),
        _short_string(EIP712_VERSION),
    )
    code = bytearray.fromhex(artefact()["deployedBytecode"][2:])
    references = artefact()["immutableReferences"]
    for name, value in zip(sorted(references, key=int), values, strict=True):
        for place in references[name]:
            code[place["start"] : place["start"] + place["length"]] = value
    return bytes(code)


def _short_string(text: str) -> bytes:
    """OpenZeppelin's `ShortString`: up to 31 bytes, and their number in the last."""
    data = text.encode()
    return data.ljust(31, b"\0") + bytes([len(data)])
