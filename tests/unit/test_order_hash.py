"""The hashes that contract, back end and portal share, against vectors and eth_account."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_defunct, encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.order_hash import (
    cancel_digest,
    checksum_address,
    domain_separator,
    hash32,
    keccak256,
    order_hash,
    personal_digest,
    text_ref,
)
from tests.fakes import CONTRACT, EthAccountSignatures

VECTORS = Path(__file__).parent.parent / "vectors"
ORDERS: dict[str, Any] = json.loads((VECTORS / "order_hash.json").read_text(encoding="utf-8"))
CANCELS: dict[str, Any] = json.loads((VECTORS / "cancel.json").read_text(encoding="utf-8"))

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

addresses = st.binary(min_size=20, max_size=20).filter(any).map(lambda b: "0x" + b.hex())
words = st.integers(0, 2**256 - 1)
seconds = st.integers(0, 2**64 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def _signable(kind: str, message: dict[str, Any], chain_id: int, contract: str) -> Any:
    return encode_typed_data(
        full_message={
            "types": {name: TYPES[name] for name in ("EIP712Domain", kind)},
            "primaryType": kind,
            "domain": {
                "name": "5SOffice Vouchers",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": contract,
            },
            "message": message,
        }
    )


@pytest.mark.parametrize("vector", ORDERS["orders"], ids=lambda vector: str(vector["name"]))
def test_order_hash_equals_the_golden_vector(vector: dict[str, str]) -> None:
    made = order_hash(
        order_id=vector["orderId"],
        customer=vector["customer"],
        token_id=int(vector["tokenId"]),
        amount=int(vector["amount"]),
        site_id=vector["siteId"],
        expires_at=int(vector["expiresAt"]),
    )
    assert made == vector["orderHash"]
    assert text_ref(vector["orderId"]) == vector["orderRef"]
    assert text_ref(vector["siteId"]) == vector["siteRef"]
    separator = domain_separator(chain_id=31337, contract=CONTRACT)
    digest = keccak256(b"\x19\x01" + separator + bytes.fromhex(made[2:]))
    assert "0x" + digest.hex() == vector["digest"]


@pytest.mark.parametrize("vector", ORDERS["signatures"], ids=lambda vector: str(vector["name"]))
def test_domain_separator_equals_the_golden_vector(vector: dict[str, str]) -> None:
    made = domain_separator(chain_id=int(vector["chainId"]), contract=vector["verifyingContract"])
    assert "0x" + made.hex() == vector["domainSeparator"]


@pytest.mark.parametrize("vector", CANCELS["cancels"], ids=lambda vector: str(vector["name"]))
def test_cancel_digest_equals_the_golden_vector_and_recovers_its_signer(
    vector: dict[str, str],
) -> None:
    digest = cancel_digest(
        chain_id=31337,
        contract=CONTRACT,
        order_hash=vector["orderHash"],
        deadline=int(vector["deadline"]),
    )
    assert "0x" + digest.hex() == vector["digest"]
    assert EthAccountSignatures().signer(digest, vector["signature"]) == vector["signer"]


@given(texts, addresses, words, words, texts, seconds)
def test_order_hash_equals_the_typed_data_encoder(
    order_id: str, customer: str, token_id: int, amount: int, site_id: str, expires_at: int
) -> None:
    signable = _signable(
        "Order",
        {
            "orderId": order_id,
            "customer": to_checksum_address(customer),
            "tokenId": token_id,
            "amount": amount,
            "siteId": site_id,
            "expiresAt": expires_at,
        },
        31337,
        CONTRACT,
    )
    made = order_hash(
        order_id=order_id,
        customer=customer,
        token_id=token_id,
        amount=amount,
        site_id=site_id,
        expires_at=expires_at,
    )
    assert made == "0x" + signable.body.hex()


@given(words, addresses, st.binary(min_size=32, max_size=32), seconds)
def test_cancel_digest_equals_the_typed_data_encoder(
    chain_id: int, contract: str, hashed: bytes, deadline: int
) -> None:
    message = {"orderHash": hashed, "deadline": deadline}
    signable = _signable("Cancel", message, chain_id, to_checksum_address(contract))
    made = cancel_digest(
        chain_id=chain_id, contract=contract, order_hash="0x" + hashed.hex(), deadline=deadline
    )
    assert made == keccak(b"\x19\x01" + signable.header + signable.body)


@given(texts)
def test_personal_digest_equals_that_of_the_library(message: str) -> None:
    assert personal_digest(message) == _hash_eip191_message(encode_defunct(text=message))


@given(st.binary(max_size=300))
def test_keccak_is_that_of_ethereum(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


def test_a_number_that_does_not_fit_its_word_is_never_wrapped() -> None:
    facts: dict[str, Any] = {
        "order_id": "ORD", "customer": CONTRACT, "token_id": 1, "amount": 1, "site_id": "",
        "expires_at": 1,
    }  # fmt: skip
    for wrong in ({"expires_at": 2**64}, {"amount": 2**256}, {"token_id": -1}):
        with pytest.raises(OverflowError):
            order_hash(**(facts | wrong))


@given(addresses)
def test_checksum_equals_eth_utils_in_every_case(address: str) -> None:
    expected = to_checksum_address(address)
    assert checksum_address(address) == expected
    assert checksum_address("0x" + address[2:].upper()) == expected
    assert checksum_address(expected) == expected


@given(addresses.map(to_checksum_address), st.integers(2, 41))
def test_one_letter_in_the_wrong_case_is_refused(address: str, place: int) -> None:
    wrong = address[:place] + address[place].swapcase() + address[place + 1 :]
    one_case = wrong[2:] in (wrong[2:].lower(), wrong[2:].upper())
    if wrong == address or one_case:
        assert checksum_address(wrong) == address
        return
    with pytest.raises(InvalidInput) as refused:
        checksum_address(wrong, field="customerAddress")
    assert [(e.field, e.rule) for e in refused.value.fields] == [("customerAddress", "checksum")]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0x",
        CONTRACT[2:],
        CONTRACT[:-1],
        CONTRACT + "0",
        CONTRACT + "\n",
        " " + CONTRACT,
        "0X" + CONTRACT[2:],
        "0x" + "g" * 40,
        "0x" + "\uff11" * 40,
        "0x" + "0" * 40,
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checksum_address(address, field="customerAddress")
    assert [(e.field, e.rule) for e in refused.value.fields] == [("customerAddress", "address")]


def test_hash32_lowers_and_refuses() -> None:
    hashed = "0x" + "Ab" * 32
    assert hash32(hashed, field="txHash") == "0x" + "ab" * 32
    for wrong in (
        "",
        "0x" + "ab" * 31,
        "0x" + "ab" * 33,
        "ab" * 32,
        hashed + "\n",
        "0x" + "gg" * 32,
    ):
        with pytest.raises(InvalidInput) as refused:
            hash32(wrong, field="txHash")
        assert [(e.field, e.rule) for e in refused.value.fields] == [("txHash", "bytes32")]


def test_a_signed_order_recovers_its_customer() -> None:
    """What the contract's `redeemOrderBySig` sees is what the portal's wallet signed."""
    for vector in ORDERS["signatures"]:
        digest = bytes.fromhex(vector["digest"][2:])
        assert EthAccountSignatures().signer(digest, vector["signature"]) == vector["signer"]
        assert Account.from_key(vector["privateKey"]).address == vector["signer"]
    assert len({vector["digest"] for vector in ORDERS["signatures"]}) == 3


def test_hashes_are_lower_case() -> None:
    assert re.fullmatch(r"0x[0-9a-f]{64}", text_ref("x"))
