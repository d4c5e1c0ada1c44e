"""`chalicelib.ports.Provider` over JSON-RPC.

Nothing that a provider answers is believed before it has been checked for shape; whether it adds up
is the scan's business.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from eth_typing import URI
from urllib3.exceptions import HTTPError, ReadTimeoutError
from web3 import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from chalicelib.domain.redemptions import BlockRef, Burn, Header
from chalicelib.ports import ChainUnavailable, Stretch, Tail, Tips, WrongChain
from listener_fn import decoding
from listener_fn.books import COUNT_SELECTOR
from listener_fn.decoding import REDEEMED_TOPIC
from listener_fn.ranges import Ranges
from listener_fn.refusals import Refusal, allowed_blocks, refusal_of

BATCH_CALLS = 100
"""Calls sent together, as long as the provider takes so many."""

_REFUSE_BATCH = (None, HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

FIRST_RANGE = 5000
"""Blocks asked for at once at first: what BNB Chain's own nodes allow."""

MAX_ERROR_LENGTH = 200

PIECE_BYTES = 1 << 16
"""Of an answer, so much is read at once."""

LAST_BLOCK = (1 << 63) - 1

T = TypeVar("T")


class RpcError(ChainUnavailable):
    """The provider refused: by a JSON-RPC error, by an HTTP status, or by both.

    `allowed` is how many blocks it says may be asked for at once; `said` what it says in JSON-RPC,
    empty where an HTTP status is all there is; `status` that status.
    """

    def __init__(
        self,
        message: str,
        *,
        said: str,
        refusal: Refusal,
        allowed: int | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
        self.refusal = refusal
        self.allowed = allowed


class TooSlow(ChainUnavailable):
    """The provider did not answer in time."""


class PatientSession(requests.Session):
    """A session that waits so long for a whole answer: `requests` itself waits so long for each
    piece of it, which a slow drip can draw out without end."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """See `requests.Session`. Raises `requests.ReadTimeout` once the time-out has passed."""
        ends = time.monotonic() + kwargs["timeout"]
        response = super().send(request, **{**kwargs, "stream": True})
        pieces: list[bytes] = []
        try:
            while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
                pieces.append(piece)
                if time.monotonic() > ends:
                    raise requests.ReadTimeout("the answer takes too long", response=response)
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error, response=response) from error
        except HTTPError as error:
            raise requests.ConnectionError(error, response=response) from error
        finally:
            # One that was read to its end has given its connection back already.
            response.close()
        response._content = b"".join(pieces)  # noqa: SLF001 - there is no other way to hand it on
        return response


class JsonProvider(HTTPProvider):
    """web3's HTTP provider without its retries, and with a faster decoder."""

    def __init__(self, url: str, *, timeout: float) -> None:
        """`timeout` in seconds, for each request."""
        super().__init__(
            URI(url),
            request_kwargs={"timeout": timeout},
            session=PatientSession(),
            exception_retry_configuration=None,
        )

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """The answer as it stands. Raises `ValueError` where it is no JSON."""
        answer: RPCResponse = orjson.loads(raw_response)
        return answer


def host_of(url: str) -> str:
    """What an endpoint is called: URLs may hold keys and are never told."""
    return urlsplit(url).hostname or "provider"


class Transport(Protocol):
    """What carries JSON-RPC to a provider and back: web3's HTTP provider, or a stand-in.

    Raises what `requests` raises.
    """

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        """The answer to one call, error or result."""

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> Any:
        """The answers to several calls sent as one request, in their order."""


Call = tuple[str, list[Any]]


class RpcChain:
    """See `Provider`. `name` is the provider's host: URLs may hold keys and are never told.

    `calls` counts what was sent by method, `errors` what failed by reason, `splits` the ranges
    that the provider found too wide; whoever measures them takes them out.
    """

    def __init__(
        self,
        url: str,
        *,
        chain_id: int,
        contract: str,
        timeout: float,
        max_range: int = FIRST_RANGE,
        name: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        """`contract` is the checksummed address, `timeout` in seconds for each request, `max_range`
        the most blocks asked for at once. `name` tells several endpoints of one host apart."""
        self.name = name or host_of(url)
        self.calls: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self._transport = transport or JsonProvider(url, timeout=timeout)
        self._chain_id = chain_id
        self._contract = contract.lower()
        self._verified = False
        self._max_range = max_range
        self._ranges = Ranges(min(FIRST_RANGE, max_range))
        self._batches = Ranges(BATCH_CALLS)
        self._headers: dict[int, Header] = {}

    @property
    def reach(self) -> int:
        """See `Provider`."""
        return min(self._ranges.size, self._max_range)

    def verify(self) -> None:
        """The provider serves the right chain, and the contract is on it.

        Raises:
            WrongChain: it does not.
            ChainUnavailable: it cannot be told.
        """
        chain_id = self._checked(decoding.quantity, self.call("eth_chainId"))
        if chain_id != self._chain_id:
            raise WrongChain(f"{self.name} serves chain {chain_id}, CHAIN_ID is {self._chain_id}")
        if self.call("eth_getCode", self._contract, "latest") in ("0x", None):
            raise WrongChain(f"{self.name} knows no contract at CONTRACT_ADDRESS")
        self._verified = True

    def tips(self, height: int) -> Tips:
        """See `Provider`. A provider is verified before it is first asked."""
        if not self._verified:
            self.verify()
        latest, finalized, at_height = self._batch(
            [
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_getBlockByNumber", ["finalized", False]),
                ("eth_getBlockByNumber", [hex(height), False]),
            ]
        )
        head = self._checked(_header, self._result("eth_getBlockByNumber", latest)).block
        own = self._result("eth_getBlockByNumber", at_height)
        if head.number < height:
            # Behind a load balancer, another node may have told that block all the same.
            self.errors["lagging"] += 1
            own = None
        elif own is None:
            raise self._wrong(f"has head {head.number} and not block {height}")
        return Tips(head, self._finalized(finalized), self._at(height, own) if own else None)

    def _finalized(self, answer: Any) -> int | None:
        """Providers say in several ways that they have no such tag."""
        try:
            block = self._result("eth_getBlockByNumber", answer)
        except RpcError as error:
            if error.refusal is Refusal.RATE_LIMITED:
                raise
            return None
        return (self._checked(_header, block).block.number or None) if block else None

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        """See `Provider`. Headers seen before are not asked for again while they join up."""
        burns: list[Burn] = []
        while True:
            while head.number - first + 1 > self.reach:
                stretch = self.burns(first, head.number)
                burns += stretch.burns
                first = stretch.through + 1
            try:
                told, count, headers = self._newest(first, final, head)
            except RpcError as error:
                blocks = head.number - first + 1
                if blocks <= 1 or not error.refusal.shrinks:
                    raise
                self._refused(blocks, error.allowed)
            except TooSlow:
                self._refused(head.number - first + 1, None)
                raise
            else:
                return Tail((*burns, *told), count, headers)

    def _newest(
        self, first: int, final: int, head: BlockRef
    ) -> tuple[tuple[Burn, ...], int, tuple[Header, ...]]:
        """Burns, count and headers in one request."""
        known = {n: self._headers[n] for n in range(final, head.number) if n in self._headers}
        missing = [n for n in range(final, head.number + 1) if n not in known]
        logs: list[Call] = [self._logs_call(first, head.number)] if first <= head.number else []
        answers = self._batch(
            [
                *logs,
                ("eth_call", [{"to": self._contract, "data": COUNT_SELECTOR}, hex(head.number)]),
                *(("eth_getBlockByNumber", [hex(number), False]) for number in missing),
            ]
        )
        told = self._decoded(answers.pop(0), first, head.number) if logs else ()
        count = int(self._checked(decoding.word, self._result("eth_call", answers.pop(0))), 16)
        for number, answer in zip(missing, answers, strict=True):
            known[number] = self._header_at(number, self._result("eth_getBlockByNumber", answer))
        headers = tuple(known[number] for number in range(final, head.number + 1))
        if headers[-1].block != head:
            self.errors["replaced"] += 1
            raise ChainUnavailable(f"{self.name}: block {head.number} was replaced meanwhile")
        if _joins(headers):
            self._headers = dict(known)
        elif len(missing) <= len(headers) - 1:
            self._headers = {}
            return self._newest(first, final, head)
        return told, count, headers

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Provider`."""
        if not self._verified:
            self.verify()
        answers = self._batch(
            [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        )
        return tuple(
            self._at(number, self._result("eth_getBlockByNumber", answer))
            for number, answer in zip(numbers, answers, strict=True)
        )

    def burns(self, first: int, last: int) -> Stretch:
        """See `Provider`. Ranges shrink while the provider finds them too wide, and grow back."""
        while True:
            through = min(last, first + self.reach - 1)
            blocks = through - first + 1
            method, params = self._logs_call(first, through)
            try:
                told = self._decoded(self._send_one(method, params), first, through)
            except RpcError as error:
                if blocks == 1 or not error.refusal.shrinks:
                    raise
                self._refused(blocks, error.allowed)
            except TooSlow:
                # Not tried again at once: the lease does not wait for ever.
                self._refused(blocks, None)
                raise
            else:
                self._ranges.taken(blocks)
                return Stretch(told, through)

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        """See `Provider`."""
        answers = self._batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes])
        receipts = [self._result("eth_getTransactionReceipt", answer) for answer in answers]
        logs = [log for receipt in receipts if receipt for log in self._redeemed(receipt)]
        return self._burns_in(logs, 0, LAST_BLOCK)

    def _redeemed(self, receipt: Any) -> list[Any]:
        """The logs of a receipt that tell burns; it may hold logs of other contracts and events."""
        try:
            return [
                log
                for log in receipt["logs"]
                if log["address"].lower() == self._contract and log["topics"][0] == REDEEMED_TOPIC
            ]
        except (AttributeError, LookupError, TypeError) as error:
            raise self._wrong("a receipt is malformed") from error

    def _logs_call(self, first: int, last: int) -> Call:
        wanted = {
            "address": self._contract,
            "topics": [REDEEMED_TOPIC],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        return "eth_getLogs", [wanted]

    def _decoded(self, answer: Any, first: int, last: int) -> tuple[Burn, ...]:
        """The burns of an answer to `eth_getLogs`, in serial order."""
        logs = self._result("eth_getLogs", answer)
        return self._burns_in(logs, first, last)

    def _burns_in(self, logs: Any, first: int, last: int) -> tuple[Burn, ...]:
        heights = self._checked(decoding.untimed_blocks, logs)
        times = {block.hash: block.time for block in self.blocks(heights)} if heights else {}
        decode = partial(
            decoding.burns, contract=self._contract, first=first, last=last, times=times
        )
        return tuple(self._checked(decode, logs))

    def _at(self, number: int, answer: Any) -> BlockRef:
        return self._header_at(number, answer).block

    def _header_at(self, number: int, answer: Any) -> Header:
        header = self._checked(_header, answer)
        if header.block.number != number:
            raise self._wrong(f"block {header.block.number} told for {number}")
        return header

    def _refused(self, blocks: int, allowed: int | None) -> None:
        self.splits["range"] += 1
        self._ranges.refused(blocks, allowed=allowed)

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call, as it was told.

        Raises:
            ChainUnavailable: there is none.
        """
        return self._result(method, self._send_one(method, list(params)))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The results of several calls, in their order.

        Raises:
            ChainUnavailable: one of them has none.
        """
        answers = self._batch(calls)
        return [
            self._result(method, answer) for (method, _), answer in zip(calls, answers, strict=True)
        ]

    def _send_one(self, method: str, params: list[Any]) -> Any:
        self.calls[method] += 1
        return self._send(partial(self._transport.make_request, RPCEndpoint(method), params))

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        """The answers to several calls, in their order; each is a result or an error.

        Providers that take fewer calls at once say so in several ways, if they say anything: then
        fewer are sent together, in the end one by one.
        """
        answers: list[Any] = []
        while len(answers) < len(calls):
            size = min(BATCH_CALLS, self._batches.size)
            some = calls[len(answers) : len(answers) + size]
            if len(some) == 1:
                answers.append(self._send_one(*some[0]))
                continue
            told = self._send_batch(some)
            if isinstance(told, list) and len(told) == len(some):
                self._batches.taken(len(some))
                answers += told
            else:
                self.errors["malformed"] += 1
                self._batches.refused(len(some))
        return answers

    def _send_batch(self, calls: Sequence[Call]) -> Any:
        """What was answered, whatever it is; `None` where the batch was refused as a whole."""
        self.calls.update(method for method, _ in calls)
        requested = [(RPCEndpoint(method), params) for method, params in calls]
        try:
            told = self._send(partial(self._transport.make_batch_request, requested))
            if isinstance(told, dict):
                self._result("batch", told)
        except RpcError as refused:
            if refused.status not in _REFUSE_BATCH or refused.refusal is Refusal.RATE_LIMITED:
                raise
            return None
        return told

    def _send(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except requests.HTTPError as error:
            raise self._of_status(error.response) from error
        except requests.Timeout as error:
            self.errors["timeout"] += 1
            raise TooSlow(f"{self.name}: no answer in time") from error
        except requests.RequestException as error:
            self.errors["connection"] += 1
            raise ChainUnavailable(f"{self.name}: {type(error).__name__}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._wrong("the answer is no JSON-RPC") from error

    def _result(self, method: str, answer: Any) -> Any:
        if not isinstance(answer, dict):
            raise self._wrong("the answer is no JSON-RPC")
        error = answer.get("error")
        if error is not None:
            code, said = _code_and_message(error)
            text = f"{'' if code is None else code} {said}".strip()
            refusal = refusal_of(status=None, code=code, message=said)
            self.errors[refusal.value] += 1
            raise RpcError(
                f"{self.name}: {method}: {text[:MAX_ERROR_LENGTH]}",
                said=said or text or "an error without words",
                refusal=refusal,
                allowed=allowed_blocks(said),
            )
        return answer.get("result")

    def _of_status(self, response: requests.Response | None) -> ChainUnavailable:
        """For an HTTP status; some providers tell their JSON-RPC errors with one."""
        if response is None:
            self.errors["http"] += 1
            return ChainUnavailable(f"{self.name}: HTTP error")
        try:
            code, said = _code_and_message(response.json()["error"])
        except (LookupError, TypeError, ValueError):
            code, said = None, ""
        told = f"{self.name}: HTTP {response.status_code} {said[:MAX_ERROR_LENGTH]}".strip()
        refusal = refusal_of(status=response.status_code, code=code, message=said)
        self.errors["http" if refusal is Refusal.OTHER else refusal.value] += 1
        return RpcError(
            told,
            said=said,
            refusal=refusal,
            allowed=allowed_blocks(said),
            status=response.status_code,
        )

    def _checked(self, decode: Callable[[Any], T], value: Any) -> T:
        try:
            return decode(value)
        except decoding.Malformed as error:
            raise self._wrong(str(error)) from error

    def _wrong(self, what: str) -> ChainUnavailable:
        """For an answer that cannot be true, counted."""
        self.errors["malformed"] += 1
        return ChainUnavailable(f"{self.name}: {what}")


def _code_and_message(error: Any) -> tuple[int | None, str]:
    """Of a JSON-RPC error, or of what a provider sends in its place."""
    if not isinstance(error, dict):
        return None, str(error)
    code = error.get("code")
    return code if isinstance(code, int) else None, str(error.get("message", ""))


def _header(value: Any) -> Header:
    return Header(decoding.block_ref(value), decoding.word(value.get("parentHash")))


def _joins(headers: Sequence[Header]) -> bool:
    return all(after.parent == before.block.hash for before, after in pairwise(headers))
