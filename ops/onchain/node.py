"""One RPC endpoint, as the operator's commands use it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_typing import ChecksumAddress, HexAddress, HexStr
from web3 import Web3
from web3._utils.abi import build_strict_registry
from web3.types import FilterParams, LogReceipt, RPCEndpoint, TxParams

from chalicelib.domain.errors import Refused
from chalicelib.domain.redemptions import BlockRef, Burn
from listener_fn.ranges import Ranges
from ops.onchain.artefact import abi
from ops.onchain.calls import Call
from ops.onchain.deployment import LOCAL_CHAIN_ID
from ops.onchain.errors import NodeFailed, RequestRefused, Reverted
from ops.onchain.logs import LOG_RANGE, Event, Log, event_of
from ops.onchain.rpc import PAUSES, Faults, PatientProvider

BATCH_CALLS = 20
"""Calls sent together; several providers take no more."""

_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_NO_SUCH_TAG = re.compile(
    r"not found|(unknown|unsupported) block|block tag|invalid argument", re.IGNORECASE
)
_INVALID_PARAMS, _METHOD_NOT_FOUND = -32602, -32601

RECEIPT_SECONDS = 60.0
RECEIPT_POLL_SECONDS = 0.05

MANY_LOGS = 5000
"""Ranges that hold more logs do not grow, so that they fit into memory."""

T = TypeVar("T")

Progress = Callable[[int], None]
"""Told how many more units of the work are done."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: its hash, block and the gas it used."""

    tx_hash: str
    block: int
    gas_used: int


class _LenientString(StringDecoder):
    def __init__(self) -> None:
        super().__init__(handle_string_errors="replace")  # type: ignore[no-untyped-call]


def address(value: str) -> ChecksumAddress:
    """`value`, known to be a checksummed address, as web3's type."""
    return ChecksumAddress(HexAddress(HexStr(value)))


class Node:
    """An endpoint. Every method may raise `NodeFailed`. `name` is its host."""

    def __init__(
        self, url: str, *, timeout: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`timeout` in seconds, for each request; `sleep` waits before one is made again."""
        self._faults = Faults(url)
        self.name = self._faults.name
        self._provider = PatientProvider(url, timeout=timeout, sleep=sleep)
        self._web3 = Web3(self._provider)
        self._web3.codec = _lenient_codec()
        self._codec = self._web3.eth.contract(abi=abi())

    # ------------------------------------------------------------------------------------ reads

    def request(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC request, as the endpoint tells it.

        Raises:
            RequestRefused: the endpoint answers with an error.
        """
        with self._faults.told():
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
            if answer.get("error") is not None:
                raise self._faults.refused(answer["error"])
            return answer["result"]

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of several JSON-RPC requests, in their order; `BATCH_CALLS` at a time.

        Raises:
            RequestRefused: the endpoint answers one with an error.
        """
        requests: list[tuple[RPCEndpoint, Any]] = [
            (RPCEndpoint(method), params) for method, params in calls
        ]
        results: list[Any] = []
        with self._faults.told():
            for start in range(0, len(requests), BATCH_CALLS):
                for answer in self._answers(requests[start : start + BATCH_CALLS]):
                    if answer.get("error") is not None:
                        raise self._faults.refused(answer["error"])
                    results.append(answer["result"])
        return results

    def _answers(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[Any]:
        answers = self._provider.make_batch_request(requests)
        if isinstance(answers, dict) and "error" in answers:
            raise self._faults.refused(answers["error"])
        if not isinstance(answers, list) or len({one["id"] for one in answers}) != len(requests):
            raise NodeFailed(f"{self.name} does not answer several calls at once")
        return answers

    def chain_id(self) -> int:
        """The chain the endpoint serves."""
        with self._faults.told():
            return _number(self._web3.eth.chain_id)

    def head(self) -> int:
        """Height of the newest block."""
        with self._faults.told():
            return _number(self._web3.eth.block_number)

    def time(self) -> int:
        """Unix seconds of the newest block."""
        with self._faults.told():
            return _number(self._web3.eth.get_block("latest")["timestamp"])

    def block(self, number: int) -> BlockRef | None:
        """The block at a height; `None` where the endpoint knows none."""
        return self._block(hex(number))

    def finalized(self) -> int | None:
        """Height of the `finalized` block; `None` where the endpoint has no such tag."""
        try:
            block = self._block("finalized")
        except RequestRefused as error:
            told = error.rpc_code != _METHOD_NOT_FOUND and _NO_SUCH_TAG.search(error.said)
            if told or error.rpc_code == _INVALID_PARAMS:
                return None
            raise
        return block.number or None if block else None

    def _block(self, which: str) -> BlockRef | None:
        block = self.request("eth_getBlockByNumber", which, False)
        if block is None:
            return None
        with self._faults.told():
            return BlockRef(int(block["number"], 16), block["hash"], int(block["timestamp"], 16))

    def code(self, at: str) -> bytes:
        """The contract's code at an address; empty where there is none."""
        with self._faults.told():
            return bytes(self._web3.eth.get_code(address(at)))

    def nonce(self, account: str) -> int:
        """The account's next nonce, pending transactions counted."""
        with self._faults.told():
            return _number(self._web3.eth.get_transaction_count(address(account), "pending"))

    def gas_price(self) -> int:
        """What the endpoint suggests, in wei."""
        with self._faults.told():
            return _number(self._web3.eth.gas_price)

    def accounts(self) -> tuple[str, ...]:
        """Accounts that the node itself can sign for: a local chain's."""
        with self._faults.told():
            return tuple(self._web3.eth.accounts)

    def view(self, contract: str, name: str, *arguments: Any) -> Any:
        """What a view of the voucher contract answers.

        Bytes of a string that are not UTF-8 become U+FFFD each.

        Raises:
            Reverted: the view refuses its arguments.
        """
        function = self._codec(address(contract)).get_function_by_name(name)
        with self._faults.told():
            return function(*arguments).call()

    def logs(
        self,
        contract: str,
        *events: str,
        first: int,
        last: int,
        progress: Progress | None = None,
    ) -> Iterator[Log]:
        """The contract's logs of these events from block `first` to `last`, both included, in the
        chain's order.

        Ranges shrink where the endpoint refuses them, and grow as far as it takes them. One block
        is not too much: its refusal is taken for a trouble that may pass, as often as `PAUSES` has.
        """
        known = {event.topic: event for event in map(event_of, events)}

        def decode(found: Sequence[LogReceipt]) -> list[Log]:
            return [known[log["topics"][0].to_0x_hex()].log(log) for log in found]

        for _, logs in self._swept(contract, known, decode, first, last, progress):
            yield from logs

    def burns(
        self, contract: str, *, first: int, last: int, progress: Progress | None = None
    ) -> Iterator[Burn]:
        """The contract's `VoucherRedeemed` logs of these blocks, whole, in the chain's order; see
        `logs`. Decoded by the contract's ABI, so by other means than the listener's.

        Memory does not grow with the number of logs.
        """
        event = event_of("VoucherRedeemed")
        known = {event.topic: event}

        def decode(found: Sequence[LogReceipt]) -> list[Burn]:
            times = self._times(found)
            return [_burn(log, contract, event.arguments(log), times) for log in found]

        for blocks, burns in self._swept(contract, known, decode, first, last, progress):
            if any(burn.block.number not in blocks for burn in burns):
                raise NodeFailed(f"{self.name} tells logs of other blocks than were asked for")
            yield from burns

    def _swept(
        self,
        contract: str,
        known: Mapping[str, Event],
        decode: Callable[[Sequence[LogReceipt]], Sequence[T]],
        first: int,
        last: int,
        progress: Progress | None,
    ) -> Iterator[tuple[range, Sequence[T]]]:
        """Ranges of blocks, one after the other, and what `decode` makes of their logs."""
        ranges = Ranges(LOG_RANGE)
        tries = 0
        while first <= last:
            through = min(last, first + ranges.size - 1)
            try:
                with self._faults.told():
                    found = decode(self._logs(contract, known, first, through))
            except RequestRefused as error:
                if through > first:
                    ranges.refused(through - first + 1)
                    continue
                tries += 1
                if tries > len(PAUSES):
                    raise NodeFailed(
                        f"{self.name} refuses to tell logs, even of one block: {error.said}"
                    ) from error
                self._provider.pause(tries)
                continue
            yield range(first, through + 1), found
            if progress is not None:
                progress(through - first + 1)
            if len(found) <= MANY_LOGS:
                ranges.taken(through - first + 1)
            first = through + 1
            tries = 0

    def _logs(
        self, contract: str, known: Mapping[str, Event], first: int, last: int
    ) -> Sequence[LogReceipt]:
        asked: FilterParams = {
            "address": address(contract),
            "topics": [[HexStr(topic) for topic in known]],
            "fromBlock": first,
            "toBlock": last,
        }
        found = self._web3.eth.get_logs(asked)
        return sorted(found, key=lambda log: (log["blockNumber"], log["logIndex"]))

    def _times(self, logs: Sequence[LogReceipt]) -> dict[str, int]:
        """Block times in unix seconds, by hash: not every endpoint tells them with its logs."""
        told = {_hash(log): log.get("blockTimestamp") for log in logs}
        missing = sorted({log["blockNumber"] for log in logs if told[_hash(log)] is None})
        blocks = self.batch([("eth_getBlockByNumber", [hex(height), False]) for height in missing])
        told |= {block["hash"]: block["timestamp"] for block in blocks}
        return {
            block_hash: int(time, 16) if isinstance(time, str) else _number(time)
            for block_hash, time in told.items()
        }

    # ---------------------------------------------------------------------------- transactions

    def call(self, contract: str, name: str, *arguments: Any, words: str) -> Call:
        """A call of the voucher contract, encoded."""
        function = self._codec.get_function_by_name(name)
        return Call(
            to=contract,
            data=self._codec.encode_abi(name, list(arguments)),
            words=words,
            signature=function.signature,
            arguments={
                key: _frozen(value)
                for key, value in zip(function.argument_names, arguments, strict=True)
            },
        )

    def estimate(self, call: Call, *, sender: str) -> int:
        """The gas the call would need if `sender` made it now.

        Raises:
            Reverted: it would be refused.
        """
        with self._faults.told():
            return _number(self._web3.eth.estimate_gas(_parameters(call, sender)))

    def try_calls(self, calls: Sequence[Call], *, sender: str) -> tuple[Reverted | None, ...]:
        """Which of the calls would be refused if `sender` made each by itself now, and why.

        Raises:
            ValueError: more than `BATCH_CALLS` at once.
        """
        if len(calls) > BATCH_CALLS:
            raise ValueError(f"at most {BATCH_CALLS} calls at once, {len(calls)} given")
        requests: list[tuple[RPCEndpoint, Any]] = [
            (RPCEndpoint("eth_call"), [_hex_parameters(call, sender), "latest"]) for call in calls
        ]
        with self._faults.told():
            return tuple(self._verdict(answer) for answer in self._answers(requests))

    def _verdict(self, answer: Any) -> Reverted | None:
        """What one `eth_call` came to: only a result shows that it would succeed."""
        error = answer.get("error")
        if error is None:
            if not _HEX.fullmatch(answer["result"]):
                raise ValueError("the result of a call is bytes")
            return None
        data = error.get("data")
        if not isinstance(data, str) or "revert" not in str(error.get("message", "")):
            raise self._faults.refused(error)
        return self._faults.reverted(data)

    def send(self, call: Call, *, sender: str) -> Receipt:
        """Have the node sign with its own account and wait until the transaction is mined.

        Raises:
            Refused: the chain is not a local one, or the node has no such account.
            Reverted: the contract refused it.
        """
        if self.chain_id() != LOCAL_CHAIN_ID:
            raise Refused(f"--local sends on chain {LOCAL_CHAIN_ID} only; nothing was sent")
        if sender not in self.accounts():
            raise Refused(f"the local chain cannot sign for {sender}; nothing was sent")
        parameters = _parameters(call, sender)
        with self._faults.told():
            parameters["gas"] = self._web3.eth.estimate_gas(parameters)
            sent = self._web3.eth.send_transaction(parameters)
            receipt = self._web3.eth.wait_for_transaction_receipt(
                sent, timeout=RECEIPT_SECONDS, poll_latency=RECEIPT_POLL_SECONDS
            )
        if receipt["status"] != 1:
            raise Reverted(f"transaction {sent.to_0x_hex()} reverted", error=None)
        return Receipt(sent.to_0x_hex(), receipt["blockNumber"], receipt["gasUsed"])


def _parameters(call: Call, sender: str) -> TxParams:
    return {"from": address(sender), "to": address(call.to), "data": HexStr(call.data)}


def _hex_parameters(call: Call, sender: str) -> dict[str, str]:
    return {"from": sender, "to": call.to, "data": call.data}


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _burn(
    log: LogReceipt, contract: str, arguments: Mapping[str, Any], times: Mapping[str, int]
) -> Burn:
    """Raises `ValueError` for a log of another contract, or one that was taken back."""
    if log["address"] != contract or log.get("removed"):
        raise ValueError("a log that was not asked for")
    block_hash = _hash(log)
    return Burn(
        serial=arguments["serial"],
        user=arguments["user"],
        token_id=arguments["tokenId"],
        amount=arguments["amount"],
        order_hash="0x" + arguments["orderHash"].hex(),
        tx_hash=log["transactionHash"].to_0x_hex(),
        log_index=_number(log["logIndex"]),
        block=BlockRef(_number(log["blockNumber"]), block_hash, times[block_hash]),
    )


def _hash(log: LogReceipt) -> str:
    return log["blockHash"].to_0x_hex()


def _number(value: object) -> int:
    """`value`; web3 passes on what is no quantity. Raises `TypeError` for that."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a quantity is a number")
    return value


def _lenient_codec() -> ABICodec:
    """web3's own, but for strings that are not UTF-8: anyone may be told one by a contract."""
    registry = build_strict_registry()
    registry.unregister_decoder("string")
    registry.register_decoder("string", _LenientString, label="string")
    return ABICodec(registry)
