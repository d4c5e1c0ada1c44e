"""What leaves for the signing device is what was told: Safe file, unsigned bytes, shell line."""

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.order_hash import keccak256
from ops.onchain.calls import Call
from ops.onchain.exports import (
    Envelope,
    cast_line,
    safe_batch,
    safe_checksum,
    unsigned_transaction,
)

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/safe_batch.json").read_text("utf-8"))
CAST = Path(__file__).parents[2] / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
TO = "0x49d4450977E2c95362C13D3a31a09311E0Ea26A6"
URI = "https://x/$HOME/{id}?a=(1)&b=*;c#d"
SIGNER = Account.from_key("0x" + "42" * 32)

CREATE = Call(
    to=TO,
    data="0xd2f3ef18" + "00" * 96,
    words="Tạo loại phiếu “1001”",
    signature="createVoucherType(uint256,uint64,string)",
    arguments={"tokenId": 1001, "maxSupply_": 5, "tokenURI": URI},
)


def _batch(*calls: Call) -> dict[str, Any]:
    return safe_batch(calls, chain_id=56, safe=TO, name="Tháng 11", created_at=1_795_000_000)


def test_the_checksum_is_the_one_that_safes_own_builder_makes() -> None:
    assert safe_checksum(VECTOR["batch"]) == VECTOR["checksum"]


def test_a_batch_carries_its_own_checksum_through_a_file() -> None:
    batch = json.loads(json.dumps(_batch(CREATE, CREATE)))
    assert batch["meta"]["checksum"] == safe_checksum(batch)


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch.update(chainId="97"),
        lambda batch: batch["transactions"][0].update(to=SIGNER.address),
        lambda batch: batch["transactions"][0].update(value="1"),
        lambda batch: batch["transactions"][0].update(data=CREATE.data[:-1] + "1"),
        lambda batch: batch["transactions"].reverse(),
        lambda batch: batch["transactions"].pop(),
        lambda batch: batch["meta"].update(createdFromSafeAddress=SIGNER.address),
    ],
)
def test_a_changed_batch_no_longer_fits_its_checksum(change: Any) -> None:
    other = Call(to=TO, data="0x8456cb59", words="Pause", signature="pause()")
    batch = _batch(CREATE, other)
    before = batch["meta"]["checksum"]
    change(batch)
    assert safe_checksum(batch) != before


def test_renaming_a_batch_keeps_its_checksum() -> None:
    batch = _batch(CREATE)
    before = batch["meta"]["checksum"]
    batch["meta"]["name"] = "another"
    assert safe_checksum(batch) == before


quantities = st.integers(min_value=0, max_value=2**63)


@given(
    chain_id=st.integers(min_value=1, max_value=2**31),
    nonce=quantities,
    gas=quantities,
    gas_price=quantities,
    data=st.binary(min_size=1, max_size=300),
)
def test_the_unsigned_bytes_are_those_that_a_signer_signs(
    chain_id: int, nonce: int, gas: int, gas_price: int, data: bytes
) -> None:
    """eth_account builds the same transaction from the fields: both hash to what was signed."""
    call = Call(to=TO, data="0x" + data.hex(), words="")
    unsigned = unsigned_transaction(
        call, Envelope(chain_id=chain_id, nonce=nonce, gas=gas, gas_price=gas_price)
    )
    fields = {key: value for key, value in unsigned.items() if key != "serialized"}
    signed = Account.sign_transaction(fields, SIGNER.key)
    told = keccak256(bytes.fromhex(unsigned["serialized"][2:]))
    parts = (signed.v - chain_id * 2 - 8, signed.r, signed.s)  # EIP-155 to 27 or 28
    assert Account._recover_hash(told, vrs=parts) == SIGNER.address


def test_the_shell_line_survives_the_shell() -> None:
    words = shlex.split(cast_line(CREATE, chain_id=56, sender=SIGNER.address))
    assert words[:3] == ["cast", "send", TO]
    assert words[3:7] == [CREATE.signature, "1001", "5", CREATE.arguments["tokenURI"]]
    assert words[7:] == ["--from", SIGNER.address, "--chain", "56", "--legacy", "--ledger"]


@pytest.mark.parametrize(
    "text", ["trail ", " lead", '"quoted"', "'single'", '"open', "a\nb", "é", ""]
)
def test_the_shell_line_carries_calldata_where_cast_would_change_the_text(text: str) -> None:
    call = replace(CREATE, arguments={**CREATE.arguments, "tokenURI": text})
    words = shlex.split(cast_line(call, chain_id=56, sender=SIGNER.address))
    assert words[3:5] == [CREATE.data, "--from"]


def calldata_of(line: str) -> str:
    """What Foundry makes of a `cast send` line."""
    words = shlex.split(line)
    return subprocess.run(
        [CAST, "calldata", *words[3 : words.index("--from")]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_foundry_takes_the_text_as_it_stands() -> None:
    told = calldata_of(cast_line(CREATE, chain_id=56, sender=TO))
    encoded = encode(["uint256", "uint64", "string"], list(CREATE.arguments.values()))
    assert told == "0x" + (keccak256(CREATE.signature.encode())[:4] + encoded).hex()


def test_foundry_encodes_the_shell_lines_arguments_to_the_same_calldata() -> None:
    airdrop = Call(
        to=TO,
        data="",
        words="",
        signature="airdrop(bytes32,uint256,address[],uint256[],bytes32)",
        arguments={
            "batchId": "0x" + "ab" * 32,
            "tokenId": 1001,
            "recipients": (TO, SIGNER.address),
            "amounts": (1, 2),
            "salt": "0x" + "cd" * 32,
        },
    )
    told = calldata_of(cast_line(airdrop, chain_id=56, sender=TO))
    values = [
        bytes.fromhex("ab" * 32),
        1001,
        [TO, SIGNER.address],
        [1, 2],
        bytes.fromhex("cd" * 32),
    ]
    encoded = encode(["bytes32", "uint256", "address[]", "uint256[]", "bytes32"], values)
    assert told == "0x" + (keccak256(airdrop.signature.encode())[:4] + encoded).hex()
