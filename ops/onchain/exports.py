"""How a call reaches the device that signs it: a Safe, a hardware wallet, any signing tool."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rlp

from chalicelib.domain.order_hash import keccak256
from ops.onchain.calls import Call, shown

_PLAIN = re.compile(r"[A-Za-z0-9\[\]._~:/?#@!$&()*+,;=%{}-]+")
"""Text that cast takes as it stands: RFC 3986's characters, the apostrophe apart, and braces."""

SAFE_BUILDER_VERSION = "1.18.0"
"""Version of Safe's Transaction Builder whose file format this is."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a transaction carries beside its call. `gas` in units, `gas_price` in wei."""

    chain_id: int
    nonce: int
    gas: int
    gas_price: int


def safe_batch(
    calls: Sequence[Call], *, chain_id: int, safe: str, name: str, created_at: int
) -> dict[str, Any]:
    """A file for Safe's Transaction Builder ("drag and drop a JSON file"), checksum included.

    The calls become one Safe transaction, in order, all or none. `created_at` in unix seconds.
    """
    batch: dict[str, Any] = {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": created_at * 1000,
        "meta": {
            "name": name,
            "description": "; ".join(call.words for call in calls),
            "txBuilderVersion": SAFE_BUILDER_VERSION,
            "createdFromSafeAddress": safe,
            "createdFromOwnerAddress": "",
        },
        "transactions": [
            {
                "to": call.to,
                "value": "0",
                "data": call.data,
                "contractMethod": None,
                "contractInputsValues": None,
            }
            for call in calls
        ],
    }
    batch["meta"]["checksum"] = safe_checksum(batch)
    return batch


def safe_checksum(batch: Mapping[str, Any]) -> str:
    """The checksum by which the Transaction Builder tells that a file was not changed.

    Keccak-256 over its own serialisation: an object is the list of its sorted keys, then its
    values, each followed by a comma; the batch's name does not count, nor a checksum already there.
    """
    meta = {key: value for key, value in batch["meta"].items() if key != "checksum"}
    serialised = _serialised({**batch, "meta": {**meta, "name": None}})
    return "0x" + keccak256(serialised.encode()).hex()


def _serialised(value: object) -> str:
    if isinstance(value, Mapping):
        keys = sorted(value)
        return "{" + _json(keys) + "".join(_serialised(value[key]) + "," for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_serialised(one) for one in value) + "]"
    return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unsigned_transaction(call: Call, envelope: Envelope) -> dict[str, str]:
    """The transaction as `eth_signTransaction` takes it, and `serialized`: the bytes to sign.

    A legacy transaction with its chain (EIP-155), which every device signs; BNB Chain has no base
    fee that a newer kind could save.
    """
    fields = [
        _bytes(envelope.nonce),
        _bytes(envelope.gas_price),
        _bytes(envelope.gas),
        bytes.fromhex(call.to[2:]),
        b"",
        bytes.fromhex(call.data[2:]),
        _bytes(envelope.chain_id),
        b"",
        b"",
    ]
    serialised: bytes = rlp.encode(fields)
    return {
        "chainId": hex(envelope.chain_id),
        "nonce": hex(envelope.nonce),
        "gasPrice": hex(envelope.gas_price),
        "gas": hex(envelope.gas),
        "to": call.to,
        "value": "0x0",
        "data": call.data,
        "serialized": "0x" + serialised.hex(),
    }


def _bytes(number: int) -> bytes:
    """RLP's scalar: big-endian without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def cast_line(call: Call, *, chain_id: int, sender: str) -> str:
    """A shell command that signs with a Ledger and sends; the RPC's URL comes from ETH_RPC_URL.

    cast trims text arguments and takes quotes off them. Where that could change one, the line
    carries the calldata instead: what was simulated is what gets signed.
    """
    arguments = [shown(value) for value in call.arguments.values()]
    readable = bool(call.signature) and all(map(_PLAIN.fullmatch, arguments))
    what = [call.signature, *arguments] if readable else [call.data]
    words = ["cast", "send", call.to, *what, "--from", sender, "--chain", str(chain_id)]
    return " ".join([*(shlex.quote(word) for word in words), "--legacy", "--ledger"])
