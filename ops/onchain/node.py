"""One RPC endpoint, as the operator's commands use it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from random import random
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from eth_abi import abi as eth_abi
from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError
from eth_typing import ABIEvent, ChecksumAddress, HexAddress, HexStr
from eth_utils.abi import event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from web3 import HTTPProvider, Web3
from web3._utils.abi import build_strict_registry
from web3.exceptions import BadResponseFormat, ContractLogicError, Web3Exception, Web3RPCError
from web3.types import FilterParams, LogReceipt, RPCEndpoint, RPCResponse, TxParams

from chalicelib.domain.errors import Refused
from chalicelib.domain.redemptions import BlockRef
from ops.onchain.artefact import abi
from ops.onchain.calls import Call
from ops.onchain.deployment import LOCAL_CHAIN_ID
from ops.onchain.errors import NodeFailed, RequestRefused, Reverted
from ops.onchain.reverts import decode, sentence
from ops.onchain.text import printable

LOG_RANGE = 5000
"""Blocks asked for at once at first: what BNB Chain's own nodes allow."""

FORGET_AFTER = 50
"""Answered ranges after which a refusal is forgotten."""

BATCH_CALLS = 20
"""Calls sent together; several providers take no more."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait before asking again where the trouble may pass; up to half as long more by
chance, so that commands which failed together do not ask together."""

TOO_MUCH = frozenset({400, 413})
"""HTTP statuses by which endpoints refuse ranges of blocks as too wide."""

GATEWAY_TIMEOUTS = frozenset({408, 504, 524})
"""HTTP statuses of a time-out, that of Cloudflare among them."""

SHOWN_CHARACTERS = 200
"""As much is shown of what an endpoint says."""

KEY_CHARACTERS = 8
"""Parts of a URL's path or query as long as this may be a key."""

NO_JSON_RPC = "answers with something that is no JSON-RPC"

_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_NO_SUCH_TAG = re.compile(
    r"not found|(unknown|unsupported) block|block tag|invalid argument", re.IGNORECASE
)
_INVALID_PARAMS, _METHOD_NOT_FOUND = -32602, -32601

RECEIPT_SECONDS = 60.0
RECEIPT_POLL_SECONDS = 0.05

T = TypeVar("T")
Progress = Callable[[int], None]
"""Told how many more units of the work are done."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: its hash, block and the gas it used."""

    tx_hash: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Log:
    """One log: the event's name, its block, its indexed arguments by name.

    What is not indexed stays undecoded: the contract takes any bytes for a string, and one that is
    no text must not stand in the way of the rest.
    """

    event: str
    block: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of the ABI: its name, its first topic, name and type of its indexed arguments."""

    name: str
    topic: str
    indexed: Sequence[tuple[str, str]]

    def log(self, raw: LogReceipt) -> Log:
        """The log. Raises `DecodingError` or `ValueError` where it is none of this event."""
        values = zip(self.indexed, raw["topics"][1:], strict=True)
        arguments = {name: _decoded(kind, bytes(topic)) for (name, kind), topic in values}
        return Log(self.name, raw["blockNumber"], arguments)


def _decoded(kind: str, topic: bytes) -> Any:
    (value,) = eth_abi.decode([kind], topic)
    return to_checksum_address(value) if kind == "address" else value


@dataclass(slots=True)
class _Ranges:
    """How many blocks to ask for at once: closes in on what the endpoint takes, from both sides.

    What it refused is forgotten from time to time, since it may have been a passing trouble.
    """

    size: int = LOG_RANGE
    limit: int | None = None
    successes: int = 0

    def taken(self) -> None:
        """That many were answered: try more."""
        self.successes += 1
        if self.successes % FORGET_AFTER == 0:
            self.limit = None
        self.size = self.size * 2 if self.limit is None else (self.size + self.limit) // 2

    def refused(self, blocks: int) -> None:
        """So many were refused: try fewer."""
        self.limit = blocks
        self.size = max(1, blocks // 2)


class _LenientString(StringDecoder):
    def __init__(self) -> None:
        super().__init__(handle_string_errors="replace")  # type: ignore[no-untyped-call]


class _PatientProvider(HTTPProvider):
    """web3's provider, which asks again where an endpoint is busy or closes the connection.

    `sleep` takes seconds. A request to send a transaction is made once: the first may have arrived.
    """

    def __init__(self, url: str, *, timeout: float, sleep: Callable[[float], None]) -> None:
        # web3 asks for the chain before almost every request: once is enough.
        super().__init__(
            url,
            request_kwargs={"timeout": timeout},
            exception_retry_configuration=None,
            cache_allowed_requests=True,
            cacheable_requests={RPCEndpoint("eth_chainId")},
        )
        self._sleep = sleep

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        ask = partial(super().make_request, method, params)
        return ask() if method == "eth_sendTransaction" else self._patiently(ask)

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        return self._patiently(partial(super().make_batch_request, batch_requests))

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """Raises `ValueError` for a batch's answers without ids: in what order they are, nobody
        knows."""
        answer: Any = HTTPProvider.decode_rpc_response(raw_response)
        if isinstance(answer, list) and not all(isinstance(one["id"], int) for one in answer):
            raise ValueError("an answer has no id")
        return cast("RPCResponse", answer)

    def pause(self, tries: int) -> None:
        """Wait after so many tries, at most as many as `PAUSES` has."""
        self._sleep(PAUSES[tries - 1] * (1 + random() / 2))  # noqa: S311 - no secret

    def _patiently(self, ask: Callable[[], T]) -> T:
        for tries in range(1, len(PAUSES) + 1):
            try:
                return ask()
            except OSError as error:
                if not _may_pass(error):
                    raise
            self.pause(tries)
        return ask()


def address(value: str) -> ChecksumAddress:
    """`value`, known to be a checksummed address, as web3's type."""
    return ChecksumAddress(HexAddress(HexStr(value)))


class Node:
    """An endpoint. Every method may raise `NodeFailed`. `name` is its host."""

    def __init__(
        self, url: str, *, timeout: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`timeout` in seconds, for each request; `sleep` waits before one is made again."""
        self.name = urlsplit(url).hostname or "the RPC endpoint"
        self._secrets = _secrets(url)
        self._provider = _PatientProvider(url, timeout=timeout, sleep=sleep)
        self._web3 = Web3(self._provider)
        self._web3.codec = _lenient_codec()
        self._codec = self._web3.eth.contract(abi=abi())

    # ------------------------------------------------------------------------------------ reads

    def chain_id(self) -> int:
        """The chain the endpoint serves."""
        with self._told():
            return _number(self._web3.eth.chain_id)

    def head(self) -> int:
        """Height of the newest block."""
        with self._told():
            return _number(self._web3.eth.block_number)

    def time(self) -> int:
        """Unix seconds of the newest block."""
        with self._told():
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
        with self._told():
            answer = self._provider.make_request(
                RPCEndpoint("eth_getBlockByNumber"), [which, False]
            )
            if answer.get("error") is not None:
                raise self._refused(answer["error"])
            block: Any = answer["result"]
            if block is None:
                return None
            return BlockRef(int(block["number"], 16), block["hash"], int(block["timestamp"], 16))

    def code(self, at: str) -> bytes:
        """The contract's code at an address; empty where there is none."""
        with self._told():
            return bytes(self._web3.eth.get_code(address(at)))

    def nonce(self, account: str) -> int:
        """The account's next nonce, pending transactions counted."""
        with self._told():
            return _number(self._web3.eth.get_transaction_count(address(account), "pending"))

    def gas_price(self) -> int:
        """What the endpoint suggests, in wei."""
        with self._told():
            return _number(self._web3.eth.gas_price)

    def accounts(self) -> tuple[str, ...]:
        """Accounts that the node itself can sign for: a local chain's."""
        with self._told():
            return tuple(self._web3.eth.accounts)

    def view(self, contract: str, name: str, *arguments: Any, block: int | None = None) -> Any:
        """What a view of the voucher contract answers, as of `block` or now.

        Bytes of a string that are not UTF-8 become U+FFFD each.

        Raises:
            Reverted: the view refuses its arguments.
        """
        function = self._codec(address(contract)).get_function_by_name(name)
        with self._told():
            return function(*arguments).call(block_identifier="latest" if block is None else block)

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
        known = {event.topic: event for event in map(_event, events)}
        ranges = _Ranges()
        tries = 0
        while first <= last:
            through = min(last, first + ranges.size - 1)
            try:
                found = self._logs(contract, known, first, through)
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
            yield from found
            if progress is not None:
                progress(through - first + 1)
            first = through + 1
            ranges.taken()
            tries = 0

    def _logs(
        self, contract: str, known: Mapping[str, _Event], first: int, last: int
    ) -> Sequence[Log]:
        asked: FilterParams = {
            "address": address(contract),
            "topics": [[HexStr(topic) for topic in known]],
            "fromBlock": first,
            "toBlock": last,
        }
        with self._told():
            found = self._web3.eth.get_logs(asked)
            return [
                known[log["topics"][0].to_0x_hex()].log(log)
                for log in sorted(found, key=lambda log: (log["blockNumber"], log["logIndex"]))
            ]

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
        with self._told():
            return _number(self._web3.eth.estimate_gas(_parameters(call, sender)))

    def try_calls(self, calls: Sequence[Call], *, sender: str) -> tuple[Reverted | None, ...]:
        """Which of the calls would be refused if `sender` made each by itself now, and why.

        Raises:
            ValueError: more than `BATCH_CALLS` at once.
        """
        if len(calls) > BATCH_CALLS:
            raise ValueError(f"at most {BATCH_CALLS} calls at once, {len(calls)} given")
        requests = [
            (RPCEndpoint("eth_call"), [_hex_parameters(call, sender), "latest"]) for call in calls
        ]
        with self._told():
            answers = self._provider.make_batch_request(requests)
            if isinstance(answers, dict) and "error" in answers:
                raise self._refused(answers["error"])
            if not isinstance(answers, list) or len({one["id"] for one in answers}) != len(calls):
                raise NodeFailed(f"{self.name} does not answer several calls at once")
            return tuple(self._verdict(answer) for answer in answers)

    def _verdict(self, answer: Any) -> Reverted | None:
        """What one `eth_call` came to: only a result shows that it would succeed."""
        error = answer.get("error")
        if error is None:
            if not _HEX.fullmatch(answer["result"]):
                raise ValueError("the result of a call is bytes")
            return None
        data = error.get("data")
        if not isinstance(data, str) or "revert" not in str(error.get("message", "")):
            raise self._refused(error)
        return self._reverted(data)

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
        with self._told():
            parameters["gas"] = self._web3.eth.estimate_gas(parameters)
            sent = self._web3.eth.send_transaction(parameters)
            receipt = self._web3.eth.wait_for_transaction_receipt(
                sent, timeout=RECEIPT_SECONDS, poll_latency=RECEIPT_POLL_SECONDS
            )
        if receipt["status"] != 1:
            raise Reverted(f"transaction {sent.to_0x_hex()} reverted", error=None)
        return Receipt(sent.to_0x_hex(), receipt["blockNumber"], receipt["gasUsed"])

    # ----------------------------------------------------------------------------------- faults

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What went wrong, in words; messages of the HTTP client hold the URL and are left out.

        Around requests and the reading of their answers alone: whatever an answer does not have is
        the endpoint's fault.
        """
        try:
            yield
        except ContractLogicError as error:
            raise self._reverted(error.data) from error
        except Web3RPCError as error:
            raise self._refused((error.rpc_response or {}).get("error")) from error
        except OSError as error:
            raise self._unreached(error) from error
        except BadResponseFormat as error:
            raise NodeFailed(f"{self.name} {NO_JSON_RPC}") from error
        except Web3Exception as error:
            raise NodeFailed(f"{self.name} answers with an error: {self._shown(error)}") from error
        except (AttributeError, DecodingError, LookupError, TypeError, ValueError) as error:
            raise NodeFailed(f"{self.name} {NO_JSON_RPC}") from error

    def _reverted(self, data: object) -> Reverted:
        known = decode(data) if isinstance(data, str) else None
        if known is None:
            return Reverted("the contract refuses, without a reason", error=None)
        return Reverted(f"the contract refuses: {printable(sentence(*known))}", error=known[0])

    def _refused(self, error: object) -> RequestRefused:
        """For the error of a JSON-RPC answer."""
        told, code = _message_and_code(error)
        said = self._shown(told)
        message = f"{self.name} answers with an error: {said}"
        return RequestRefused(message, said=said, rpc_code=code)

    def _unreached(self, error: OSError) -> NodeFailed:
        """For an HTTP status or none; some endpoints tell their JSON-RPC errors with one."""
        response = getattr(error, "response", None)
        status = None if response is None else response.status_code
        said, code = type(error).__name__ if status is None else f"HTTP {status}", None
        inner = None if response is None else _rpc_error(response)
        if inner is not None:
            told, code = _message_and_code(inner)
            said += f": {self._shown(told)}"
        message = f"{self.name} cannot be reached ({said})"
        if status in TOO_MUCH or _is_timeout(error):
            return RequestRefused(message, said=said, rpc_code=code)
        return NodeFailed(message)

    def _shown(self, foreign: object) -> str:
        """What an endpoint says: short, printable, and without the parts of its URL."""
        text = str(foreign)
        for secret in self._secrets:
            text = text.replace(secret, "…")
        text = printable(text)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _parameters(call: Call, sender: str) -> TxParams:
    return {"from": address(sender), "to": address(call.to), "data": HexStr(call.data)}


def _hex_parameters(call: Call, sender: str) -> dict[str, str]:
    return {"from": sender, "to": call.to, "data": call.data}


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _number(value: object) -> int:
    """`value`; web3 passes on what is no quantity. Raises `TypeError` for that."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a quantity is a number")
    return value


def _event(name: str) -> _Event:
    (entry,) = (one for one in abi() if one["type"] == "event" and one["name"] == name)
    return _Event(
        name,
        "0x" + event_abi_to_log_topic(cast("ABIEvent", entry)).hex(),
        tuple((one["name"], one["type"]) for one in entry["inputs"] if one["indexed"]),
    )


def _lenient_codec() -> ABICodec:
    """web3's own, but for strings that are not UTF-8: anyone may be told one by a contract."""
    registry = build_strict_registry()
    registry.unregister_decoder("string")
    registry.register_decoder("string", _LenientString, label="string")
    return ABICodec(registry)


def _secrets(url: str) -> tuple[str, ...]:
    """What of a URL may be a key, the longest first."""
    parts = urlsplit(url)
    whole = (f"{parts.path}?{parts.query}", parts.path, parts.query)
    pieces = (*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)))
    found = {
        *(one for one in whole if one.strip("/?")),
        *(one for one in pieces if len(one) >= KEY_CHARACTERS),
        *(one for one in (parts.username, parts.password) if one),
    }
    return tuple(sorted(found | set(map(unquote, found)), key=len, reverse=True))


def _rpc_error(response: requests.Response) -> object:
    """The JSON-RPC error in the body of an HTTP error; `None` where there is none."""
    try:
        return response.json()["error"]
    except (LookupError, TypeError, ValueError):
        return None


def _message_and_code(error: Any) -> tuple[object, int | None]:
    """Of a JSON-RPC error, or of what an endpoint sends in its place."""
    if not isinstance(error, Mapping):
        return error, None
    code = error.get("code")
    return error.get("message", error), code if isinstance(code, int) else None


def _may_pass(error: OSError) -> bool:
    """Whether asking again may help: too many requests, a server's fault, a closed connection."""
    response = getattr(error, "response", None)
    if response is None:
        return isinstance(_cause(error), ProtocolError)
    status: int = response.status_code
    return status == HTTPStatus.TOO_MANY_REQUESTS or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in GATEWAY_TIMEOUTS
    )


def _is_timeout(error: OSError) -> bool:
    """Whether the answer did not come in time; not a connection that did not."""
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in GATEWAY_TIMEOUTS
    return isinstance(error, requests.ReadTimeout) or isinstance(_cause(error), ReadTimeoutError)


def _cause(error: OSError) -> object:
    """urllib3's error in that of requests."""
    return error.args[0] if error.args else None
