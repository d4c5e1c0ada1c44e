"""Every error that the contract can raise is told in a sentence, with its facts."""

import string

import pytest
from eth_abi.abi import encode

from chalicelib.domain.order_hash import keccak256
from ops.onchain.artefact import abi
from ops.onchain.reverts import SENTENCES, decode, sentence

ERRORS = {entry["name"]: entry["inputs"] for entry in abi() if entry["type"] == "error"}
ACCOUNT = "0x49d4450977E2c95362C13D3a31a09311E0Ea26A6"
SAMPLES = {
    "address": ACCOUNT,
    "bytes32": keccak256(b"MINTER_ROLE"),
    "string": "name",
    "uint8": 64,
    "uint48": 3,
    "uint64": 5,
    "uint256": 7,
}


def _data(name: str, values: list[object]) -> str:
    types = [one["type"] for one in ERRORS[name]]
    selector = keccak256(f"{name}({','.join(types)})".encode())[:4]
    return "0x" + (selector + encode(types, values)).hex()


def test_the_sentences_are_those_of_the_abi() -> None:
    assert SENTENCES.keys() == ERRORS.keys()


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_is_decoded_and_told(name: str) -> None:
    values = [SAMPLES[one["type"]] for one in ERRORS[name]]
    decoded = decode(_data(name, values))
    assert decoded is not None
    assert decoded[0] == name
    told = sentence(*decoded)
    named = {field for _, field, *_ in string.Formatter().parse(SENTENCES[name]) if field}
    assert named <= {one["name"] for one in ERRORS[name]}
    if "account" in named:
        assert told == f"{ACCOUNT} does not hold MINTER_ROLE"


@pytest.mark.parametrize("data", ["", "0x", "0x1234", "0xdeadbeef", "0xe2517d3f00", "0xe2517d3fzz"])
def test_what_is_no_error_of_the_contract_is_not_taken_for_one(data: str) -> None:
    assert decode(data) is None
