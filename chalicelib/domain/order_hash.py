"""EIP-712 hashing of orders and cancellations, and EIP-55 addresses.

Back end, contract and portal must agree on every bit: `tests/vectors/` holds golden vectors made
by an independent library. Hashes and addresses are `0x`-prefixed hexadecimal strings, hashes in
lower case, addresses with their EIP-55 checksum.
"""

import re

from Crypto.Hash import keccak

from chalicelib.domain.errors import invalid

EIP712_NAME = "5SOffice Vouchers"
EIP712_VERSION = "1"

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not NIST SHA-3)."""
    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest


DOMAIN_TYPEHASH = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
ORDER_TYPEHASH = keccak256(
    b"Order(string orderId,address customer,uint256 tokenId,uint256 amount,"
    b"string siteId,uint64 expiresAt)"
)
CANCEL_TYPEHASH = keccak256(b"Cancel(bytes32 orderHash,uint64 deadline)")


def checksum_address(address: str, *, field: str = "address") -> str:
    """The EIP-55 form of `address`.

    Accepts all-lower and all-upper case, or a correct checksum; a mixed-case address whose checksum
    is wrong is a typing error and refused, as is the zero address.

    Raises:
        InvalidInput: naming `field`.
    """
    if not _ADDRESS.fullmatch(address):
        raise invalid(field, "address", "must be 0x followed by 40 hexadecimal digits")
    digits = address[2:].lower()
    if set(digits) == {"0"}:
        raise invalid(field, "address", "must not be the zero address")
    nibbles = keccak256(digits.encode()).hex()
    checked = "0x" + "".join(
        digit.upper() if nibble > "7" else digit  # EIP-55; letters come after figures
        for digit, nibble in zip(digits, nibbles, strict=False)
    )
    mixed_case = address[2:] not in (digits, digits.upper())
    if mixed_case and address != checked:
        raise invalid(field, "checksum", "has a wrong EIP-55 checksum; copy it again")
    return checked


def hash32(value: str, *, field: str) -> str:
    """`value` as a lower-case 32-byte hash.

    Raises:
        InvalidInput: naming `field`.
    """
    if not _HASH.fullmatch(value):
        raise invalid(field, "bytes32", "must be 0x followed by 64 hexadecimal digits")
    return value.lower()


def text_ref(text: str) -> str:
    """`keccak256` of a string's UTF-8: how order ids and site ids appear in calls."""
    return "0x" + keccak256(text.encode()).hex()


def order_hash(
    *, order_id: str, customer: str, token_id: int, amount: int, site_id: str, expires_at: int
) -> str:
    """EIP-712 `hashStruct` of `Order` (spec: The contract). `expires_at` is in unix seconds."""
    return (
        "0x"
        + keccak256(
            ORDER_TYPEHASH
            + keccak256(order_id.encode())
            + _address_word(customer)
            + token_id.to_bytes(32, "big")
            + amount.to_bytes(32, "big")
            + keccak256(site_id.encode())
            + _uint64_word(expires_at)
        ).hex()
    )


def domain_separator(*, chain_id: int, contract: str) -> bytes:
    """EIP-712 domain separator of the voucher contract on one chain."""
    return keccak256(
        DOMAIN_TYPEHASH
        + keccak256(EIP712_NAME.encode())
        + keccak256(EIP712_VERSION.encode())
        + chain_id.to_bytes(32, "big")
        + _address_word(contract)
    )


def cancel_digest(*, chain_id: int, contract: str, order_hash: str, deadline: int) -> bytes:
    """The 32 bytes a customer signs to cancel: EIP-712 digest of `Cancel`.

    `deadline` in unix seconds bounds how long the signature can be used.
    """
    struct = keccak256(CANCEL_TYPEHASH + bytes.fromhex(order_hash[2:]) + _uint64_word(deadline))
    return keccak256(b"\x19\x01" + domain_separator(chain_id=chain_id, contract=contract) + struct)


def personal_digest(message: str) -> bytes:
    """The 32 bytes behind `personal_sign` of `message` (ERC-191, version 0x45)."""
    body = message.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(body)).encode() + body)


def _address_word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _uint64_word(value: int) -> bytes:
    return bytes(24) + value.to_bytes(8, "big")
