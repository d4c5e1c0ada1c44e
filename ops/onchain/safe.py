"""A Safe on a local chain, from Safe's own bytecode, for rehearsals and tests.

It takes the same files that the Transaction Builder of a real Safe takes. Nobody signs anything
off-chain: owners approve a transaction's hash by a transaction of their own, which the Safe takes
for a signature.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

from eth_abi.packed import encode_packed
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError
from web3.logs import DISCARD
from web3.types import TxReceipt

from chalicelib.domain.errors import Refused, VoucherError
from ops.onchain.deployment import LOCAL_CHAIN_ID
from ops.onchain.exports import safe_checksum
from ops.onchain.reverts import decode, sentence

ARTEFACTS = (
    Path(__file__).parents[2] / "node_modules/@safe-global/safe-smart-account/build/artifacts"
)
ZERO = "0x" + "00" * 20
SAFE_ERRORS = {
    "GS020": "too few owners have approved",
    "GS025": "an owner has not approved",
    "GS030": "only an owner can approve",
}
"""The codes that approving and executing end in, from Safe's docs/error_codes.md."""

RECEIPT_SECONDS = 60.0
RECEIPT_POLL_SECONDS = 0.05


class Operation(IntEnum):
    """How a Safe makes a transaction: as a call, or by lending its own storage to a library."""

    CALL = 0
    DELEGATE_CALL = 1


@dataclass(frozen=True, slots=True)
class SafeTransaction:
    """What a Safe's owners approve. It carries no value and refunds nobody."""

    to: str
    data: str
    operation: Operation


class LocalSafe:
    """A Safe at `address`. Methods that send raise `Refused`, in words, where the chain refuses."""

    def __init__(self, web3: Web3, address: str, *, multi_send: str) -> None:
        """`multi_send` is the address of Safe's MultiSendCallOnly."""
        self.address = address
        self._web3 = web3
        self._safe = _contract(web3, "SafeL2.sol/SafeL2", address)
        self._multi_send = _contract(
            web3, "libraries/MultiSendCallOnly.sol/MultiSendCallOnly", multi_send
        )

    @classmethod
    def deploy(cls, rpc_url: str, *, owners: Sequence[str], threshold: int, payer: str) -> Self:
        """A new Safe of these owners, made as Safe's own interface makes one on BNB Chain.

        Raises:
            Refused: the chain is not a local one.
            VoucherError: Safe's contracts are not installed.
        """
        web3 = Web3(HTTPProvider(rpc_url))
        if web3.eth.chain_id != LOCAL_CHAIN_ID:
            raise Refused(f"a rehearsal's Safe is made on chain {LOCAL_CHAIN_ID} only")
        singleton = _deployed(web3, "SafeL2.sol/SafeL2", payer)
        factory = _deployed(web3, "proxies/SafeProxyFactory.sol/SafeProxyFactory", payer)
        handler = _deployed(
            web3, "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler", payer
        )
        multi_send = _deployed(web3, "libraries/MultiSendCallOnly.sol/MultiSendCallOnly", payer)
        setup = singleton.encode_abi(
            "setup", [list(owners), threshold, ZERO, b"", handler.address, ZERO, 0, ZERO]
        )
        receipt = _sent(
            web3, factory.functions.createProxyWithNonceL2(singleton.address, setup, 0), payer
        )
        (created,) = factory.events.ProxyCreationL2().process_receipt(receipt, errors=DISCARD)
        return cls(web3, created["args"]["proxy"], multi_send=multi_send.address)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who may approve."""
        return tuple(self._safe.functions.getOwners().call())

    @property
    def threshold(self) -> int:
        """How many owners have to."""
        return int(self._safe.functions.getThreshold().call())

    def load(self, text: str) -> SafeTransaction:
        """The one transaction that a Transaction Builder file stands for, several calls batched.

        Raises:
            Refused: it is not such a file, was changed since it was made, or is for another chain
                or Safe.
        """
        batch = _batch(text)
        if batch["meta"]["checksum"] != safe_checksum(batch):
            raise Refused("the file's checksum is wrong: it was changed since it was made")
        if batch["chainId"] != str(self._web3.eth.chain_id):
            raise Refused(f"the file is for chain {batch['chainId']}")
        if batch["meta"]["createdFromSafeAddress"] != self.address:
            raise Refused(f"the file is for the Safe {batch['meta']['createdFromSafeAddress']}")
        transactions = batch["transactions"]
        if len(transactions) == 1:
            (only,) = transactions
            return SafeTransaction(only["to"], only["data"], Operation.CALL)
        packed = b"".join(_packed(one) for one in transactions)
        data = self._multi_send.encode_abi("multiSend", [packed])
        return SafeTransaction(self._multi_send.address, data, Operation.DELEGATE_CALL)

    def approve(self, transaction: SafeTransaction, *, owner: str) -> None:
        """An owner approves the transaction as the Safe's next one."""
        with _in_words():
            _sent(self._web3, self._safe.functions.approveHash(self._hash(transaction)), owner)

    def execute(self, transaction: SafeTransaction, *, sender: str) -> None:
        """Make the transaction with the approvals there are; anybody may send it."""
        approved = self._hash(transaction)
        signatures = b"".join(
            _approval(owner)
            for owner in sorted(self.owners, key=str.lower)
            if self._safe.functions.approvedHashes(owner, approved).call()
        )
        call = self._safe.functions.execTransaction(*_arguments(transaction), signatures)
        with _in_words():
            _sent(self._web3, call, sender)

    def _hash(self, transaction: SafeTransaction) -> bytes:
        nonce = self._safe.functions.nonce().call()
        hashed = self._safe.functions.getTransactionHash(*_arguments(transaction), nonce).call()
        return bytes(hashed)


def _batch(text: str) -> dict[str, Any]:
    """A Transaction Builder file, its parts known to be there."""
    try:
        batch: dict[str, Any] = json.loads(text)
        found = [
            batch["chainId"],
            batch["meta"]["checksum"],
            batch["meta"]["createdFromSafeAddress"],
        ]
        found += [one[name] for one in batch["transactions"] for name in ("to", "value", "data")]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("the file is not one of Safe's Transaction Builder") from error
    if not batch["transactions"] or not all(isinstance(one, str) for one in found):
        raise Refused("the file is not one of Safe's Transaction Builder")
    return batch


def _arguments(transaction: SafeTransaction) -> tuple[Any, ...]:
    """A transaction's parameters as the Safe takes them: no value, no gas limit, no refund."""
    return (transaction.to, 0, transaction.data, transaction.operation, 0, 0, 0, ZERO, ZERO)


def _approval(owner: str) -> bytes:
    """What stands for the signature of an owner who approved on the chain: r the owner, v 1."""
    return bytes(12) + bytes.fromhex(owner[2:]) + bytes(32) + b"\x01"


def _packed(transaction: Mapping[str, str]) -> bytes:
    data = bytes.fromhex(transaction["data"][2:])
    packed: bytes = encode_packed(
        ["uint8", "address", "uint256", "uint256", "bytes"],
        [Operation.CALL, transaction["to"], int(transaction["value"]), len(data), data],
    )
    return packed


# ------------------------------------------------------------------------------------ on the chain


def _artefact(name: str) -> dict[str, Any]:
    path = ARTEFACTS / f"contracts/{name}.json"
    if not path.is_file():
        raise VoucherError(f"{path} is missing: run `make setup`")
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def _contract(web3: Web3, name: str, address: str) -> Any:
    return web3.eth.contract(address=Web3.to_checksum_address(address), abi=_artefact(name)["abi"])


def _deployed(web3: Web3, name: str, payer: str) -> Any:
    artefact = _artefact(name)
    factory = web3.eth.contract(abi=artefact["abi"], bytecode=artefact["bytecode"])
    receipt = _sent(web3, factory.constructor(), payer)
    return _contract(web3, name, str(receipt["contractAddress"]))


def _sent(web3: Web3, call: Any, sender: str) -> TxReceipt:
    sent = call.transact({"from": sender})
    receipt = web3.eth.wait_for_transaction_receipt(
        sent, timeout=RECEIPT_SECONDS, poll_latency=RECEIPT_POLL_SECONDS
    )
    if receipt["status"] != 1:
        raise Refused(f"transaction {sent.to_0x_hex()} reverted")
    return receipt


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except ContractLogicError as error:
        known = decode(error.data) if isinstance(error.data, str) else None
        if known is not None:
            raise Refused(f"the contract refuses: {sentence(*known)}") from error
        code = str(error.message).rpartition(" ")[2]
        raise Refused(f"the Safe refuses: {SAFE_ERRORS.get(code, error.message)}") from error
