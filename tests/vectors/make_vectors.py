"""Make the golden vectors of the hashes and signatures that contract, backend and portal share.

    python tests/vectors/make_vectors.py            write order_hash.json and cancel.json
    python tests/vectors/make_vectors.py --check    exit 1 if those files are not what this makes

Everything is computed by eth_account's general EIP-712 encoder, which shares no code with the
project. In the files, numbers are decimal strings, hashes and signatures 0x-prefixed hex. Keys are
those that every local development chain publishes; they guard nothing.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

HERE = Path(__file__).resolve().parent

TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Order": [
        {"name": "orderId", "type": "string"},
        {"name": "customer", "type": "address"},
        {"name": "tokenId", "type": "uint256"},
        {"name": "amount", "type": "uint256"},
        {"name": "siteId", "type": "string"},
        {"name": "expiresAt", "type": "uint64"},
    ],
    "Cancel": [
        {"name": "orderHash", "type": "bytes32"},
        {"name": "deadline", "type": "uint64"},
    ],
}

# The first contract that the first account of a local development chain deploys.
LOCAL_CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
DOMAIN = {
    "name": "5SOffice Vouchers",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": LOCAL_CONTRACT,
}
OTHER_CHAIN = DOMAIN | {"chainId": 97}
OTHER_CONTRACT = DOMAIN | {"verifyingContract": "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"}

# Second account of a local development chain.
CUSTOMER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
CUSTOMER = Account.from_key(CUSTOMER_KEY).address

UINT256_MAX = 2**256 - 1
UINT64_MAX = 2**64 - 1

ORDINARY: dict[str, Any] = {
    "orderId": "ORD_20261121_7KQ2M9XVB4TRWZ3HCD5N",
    "customer": CUSTOMER,
    "tokenId": 1001,
    "amount": 1,
    "siteId": "HCM_ROX_T09",
    "expiresAt": 1795255200,
}

ORDERS: dict[str, dict[str, Any]] = {
    "ordinary": ORDINARY,
    "site not enforced": ORDINARY | {"siteId": ""},
    "several vouchers": ORDINARY | {"tokenId": 2001, "amount": 12},
    "300-character ids": ORDINARY | {"orderId": "ORD_" + "A" * 296, "siteId": "S" * 300},
    "Vietnamese, composed": ORDINARY | {"siteId": "Tòa nhà Đệ Nhất, Quận 1"},
    "Vietnamese, decomposed": ORDINARY | {"siteId": "To\u0300a nha\u0300"},
    "emoji": ORDINARY | {"orderId": "ORD_🎟️_👩‍💻", "siteId": "🏢"},
    "quotes, backslash, line break": ORDINARY | {"orderId": 'ORD_"\\\n', "siteId": "a'b\t"},
    "zeros": {
        "orderId": "",
        "customer": "0x" + "00" * 20,
        "tokenId": 0,
        "amount": 0,
        "siteId": "",
        "expiresAt": 0,
    },
    "maximal numbers": {
        "orderId": "ORD_20261121_ZZZZZZZZZZZZZZZZZZZZ",
        "customer": "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF",
        "tokenId": UINT256_MAX,
        "amount": UINT256_MAX,
        "siteId": "HCM_IMC_T04",
        "expiresAt": UINT64_MAX,
    },
}

CANCELS: dict[str, int] = {
    "ordinary": 1795255200,
    "no time": 0,
    "maximal deadline": UINT64_MAX,
}


def to_hex(data: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + data.hex()


def text_hash(text: str) -> str:
    """keccak256 of the UTF-8 bytes."""
    return to_hex(keccak(text=text))


def numbers_as_text(message: dict[str, Any]) -> dict[str, Any]:
    """The message with integers as decimal strings, which every JSON reader keeps exactly."""
    return {name: str(v) if isinstance(v, int) else v for name, v in message.items()}


def typed_data(
    primary_type: str, message: dict[str, Any], domain: dict[str, Any]
) -> dict[str, Any]:
    """The EIP-712 typed data as a wallet is given it."""
    types = {name: TYPES[name] for name in ("EIP712Domain", primary_type)}
    return {
        "types": types,
        "primaryType": primary_type,
        "domain": domain,
        "message": message,
    }


def hashes(primary_type: str, message: dict[str, Any], domain: dict[str, Any]) -> dict[str, str]:
    """Struct hash, domain separator and the digest that is signed."""
    signable = encode_typed_data(full_message=typed_data(primary_type, message, domain))
    return {
        "structHash": to_hex(signable.body),
        "domainSeparator": to_hex(signable.header),
        "digest": to_hex(keccak(b"\x19\x01" + signable.header + signable.body)),
    }


def signed(primary_type: str, message: dict[str, Any], domain: dict[str, Any]) -> dict[str, str]:
    """What the customer's key signs over the message: r, s, v in 65 bytes, v 27 or 28."""
    signable = encode_typed_data(full_message=typed_data(primary_type, message, domain))
    signature = Account.sign_message(signable, CUSTOMER_KEY).signature
    if Account.recover_message(signable, signature=signature) != CUSTOMER:
        raise AssertionError("the signature does not recover to its signer")
    return {"privateKey": CUSTOMER_KEY, "signer": CUSTOMER, "signature": to_hex(signature)}


def domain_case(domain: dict[str, Any]) -> dict[str, Any]:
    """A domain with its separator."""
    separator = hashes("Order", ORDINARY, domain)["domainSeparator"]
    return numbers_as_text(domain) | {"domainSeparator": separator}


def order_vectors() -> dict[str, Any]:
    """Orders with their hash and digest; the ordinary one also signed, for three domains."""
    vectors = []
    for name, order in ORDERS.items():
        made = hashes("Order", order, DOMAIN)
        vectors.append(
            {
                "name": name,
                **numbers_as_text(order),
                "orderRef": text_hash(order["orderId"]),
                "siteRef": text_hash(order["siteId"]),
                "orderHash": made["structHash"],
                "digest": made["digest"],
            }
        )
    signatures = [
        {
            "name": name,
            **domain_case(domain),
            "orderHash": vectors[0]["orderHash"],
            "digest": hashes("Order", ORDINARY, domain)["digest"],
            **signed("Order", ORDINARY, domain),
        }
        for name, domain in (
            ("this contract", DOMAIN),
            ("another chain", OTHER_CHAIN),
            ("another contract", OTHER_CONTRACT),
        )
    ]
    return {"domain": domain_case(DOMAIN), "orders": vectors, "signatures": signatures}


def cancel_vectors() -> dict[str, Any]:
    """Signed cancellations of the ordinary order."""
    order_hash = hashes("Order", ORDINARY, DOMAIN)["structHash"]
    vectors = []
    for name, deadline in CANCELS.items():
        message = {"orderHash": order_hash, "deadline": deadline}
        made = hashes("Cancel", message, DOMAIN)
        vectors.append(
            {
                "name": name,
                **numbers_as_text(message),
                "structHash": made["structHash"],
                "digest": made["digest"],
                **signed("Cancel", message, DOMAIN),
            }
        )
    return {"domain": domain_case(DOMAIN), "cancels": vectors}


def render(vectors: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(vectors, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check both files; 0 when done, 1 when a file differs."""
    parser = argparse.ArgumentParser(description="Make the golden vectors.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    arguments = parser.parse_args()
    files = {"order_hash.json": order_vectors(), "cancel.json": cancel_vectors()}
    for name, vectors in files.items():
        path = HERE / name
        if not arguments.check:
            path.write_text(render(vectors), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != render(vectors):
            print(f"{path} is not what {Path(__file__).name} makes: run it", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
