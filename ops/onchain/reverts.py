"""What the contract means by a revert, in a sentence."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from eth_abi import abi as eth_abi
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from chalicelib.domain.order_hash import keccak256
from ops.onchain.artefact import abi
from ops.onchain.roles import NAMES

SENTENCES = {
    "AccessControlBadConfirmation": "a role is renounced by its holder only",
    "AccessControlEnforcedDefaultAdminDelay": (
        "the admin moves only after its delay: not before unix time {schedule}"
    ),
    "AccessControlEnforcedDefaultAdminRules": (
        "the admin role is neither granted nor revoked; it moves with `vouchers admin begin` and"
        " `accept`"
    ),
    "AccessControlInvalidDefaultAdmin": "{defaultAdmin} cannot become admin",
    "AccessControlUnauthorizedAccount": "{account} does not hold {neededRole}",
    "AlreadyRedeemed": "{user} has redeemed the order hash {orderHash} before",
    "BatchAlreadyMinted": "the batch {batchId} was minted before",
    "BatchIdMismatch": "the batch's contents hash to {expected}, not to {given}",
    "ERC1155InsufficientBalance": "{sender} holds {balance} of token {tokenId}, needs {needed}",
    "ERC1155InvalidApprover": "{approver} cannot approve",
    "ERC1155InvalidArrayLength": "{idsLength} token ids and {valuesLength} amounts were given",
    "ERC1155InvalidOperator": "{operator} cannot be an operator",
    "ERC1155InvalidReceiver": "{receiver} does not accept ERC-1155 tokens",
    "ERC1155InvalidSender": "{sender} cannot send",
    "ERC1155MissingApprovalForAll": "{operator} is not approved by {owner}",
    "EnforcedPause": "the contract is paused",
    "ExpectedPause": "the contract is not paused",
    "ExpiryTooFar": "the order expires at {expiresAt}; the latest accepted now is {latest}",
    "InvalidShortString": "a short string is malformed",
    "InvalidSignature": "the signature is not that of {customer}",
    "MaxSupplyExceeded": "{amount} of token {tokenId} asked for, {available} can still be minted",
    "NotCustomer": "the order is that of {customer}, not of {caller}",
    "OrderExpired": "the order's last second was {expiresAt}",
    "OrderHashMismatch": "the order hashes to {expected}, not to {given}",
    "SafeCastOverflowedUintDowncast": "{value} does not fit {bits} bits",
    "StringTooLong": "{str} is too long",
    "UnknownVoucherType": "there is no voucher type {tokenId}",
    "VoucherTypeDisabled": "the voucher type {tokenId} is disabled",
    "VoucherTypeExists": "the voucher type {tokenId} was created before",
    "ZeroAmount": "the amount is 0",
    "ZeroMaxSupply": "the max supply is 0",
    "ZeroOrderHash": "the order hash is 0",
}
"""A sentence for each error of the ABI, with the names of its parameters."""


def sentence(name: str, parameters: Mapping[str, Any]) -> str:
    """One error of the contract, in words."""
    return SENTENCES[name].format(**{key: _told(value) for key, value in parameters.items()})


def _told(value: object) -> str:
    text = "0x" + value.hex() if isinstance(value, bytes) else str(value)
    return NAMES.get(text, text)


def decode(data: str) -> tuple[str, dict[str, Any]] | None:
    """Name and parameters of the contract's error in revert data; `None` where it is none."""
    types = _errors().get(data[:10])
    if types is None:
        return None
    name, inputs = types
    try:
        values = eth_abi.decode([one["type"] for one in inputs], bytes.fromhex(data[10:]))
    except (DecodingError, ValueError):
        return None
    return name, {
        one["name"]: to_checksum_address(value) if one["type"] == "address" else value
        for one, value in zip(inputs, values, strict=True)
    }


@cache
def _errors() -> dict[str, tuple[str, list[dict[str, str]]]]:
    """The ABI's errors by selector: name and inputs."""
    return {
        "0x" + keccak256(_signature(entry).encode())[:4].hex(): (entry["name"], entry["inputs"])
        for entry in abi()
        if entry["type"] == "error"
    }


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(one['type'] for one in entry['inputs'])})"
