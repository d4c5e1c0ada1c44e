"""`chalicelib.ports.Chain` over JSON-RPC: one provider, and which of several is asked.

Logs are decoded here: of the one fixed event, that is many times faster than any general decoder.
Nothing that a provider answers is believed before it has been checked for shape; whether it adds up
is the scan's business.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from eth_typing import URI
from web3 import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.order_hash import checksum_address, keccak256
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.ports import ChainUnavailable, Stretch
from listener_fn.ranges import Ranges
from listener_fn.refusals import Refusal, allowed_blocks, refusal_of

REDEEMED_TOPIC = "0x" + keccak256(b"VoucherRedeemed(address,uint256,uint256,bytes32,uint256)").hex()
COUNT_SELECTOR = "0x" + keccak256(b"redemptionCount()")[:4].hex()

BATCH_CALLS = 20
"""Calls sent together; several providers take no more."""

FIRST_RANGE = 5000
"""Blocks asked for at once at first: what BNB Chain's own nodes allow."""

MAX_ERROR_LENGTH = 200

_QUANTITY = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")
_WORD = re.compile(r"0x[0-9a-f]{64}")
_TWO_WORDS = re.compile(r"0x[0-9a-f]{128}")
_ADDRESS_WORD = re.compile(r"0x0{24}([0-9a-f]{40})")

T = TypeVar("T")


class WrongChain(ChainUnavailable):
    """The provider serves another chain, or the contract is not there."""


class RpcError(ChainUnavailable):
    """The provider refused: by a JSON-RPC error, by an HTTP status, or by both.

    `allowed` is how many blocks it says may be asked for at once; `said` what it says in JSON-RPC,
    empty where an HTTP status is all there is.
    """

    def __init__(
        self, message: str, *, said: str, refusal: Refusal, allowed: int | None = None
    ) -> None:
        super().__init__(message)
        self.said = said
        self.refusal = refusal
        self.allowed = allowed


class TooSlow(ChainUnavailable):
    """The provider did not answer in time."""


class JsonProvider(HTTPProvider):
    """web3's HTTP provider without its retries, and with a faster decoder."""

    def __init__(self, url: str, *, timeout: float) -> None:
        """`timeout` in seconds, for each request."""
        super().__init__(
            URI(url),
            request_kwargs={"timeout": timeout},
            session=requests.Session(),
            exception_retry_configuration=None,
        )

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """The answer as it stands. Raises `ValueError` where it is no JSON."""
        answer: RPCResponse = orjson.loads(raw_response)
        return answer


class RpcChain:
    """See `Chain`. `name` is the provider's host: URLs may hold keys and are never told."""

    def __init__(self, url: str, *, chain_id: int, contract: str, timeout: float) -> None:
        """`contract` is the checksummed address, `timeout` in seconds for each request."""
        self.name = urlsplit(url).hostname or "provider"
        self._provider = JsonProvider(url, timeout=timeout)
        self._chain_id = chain_id
        self._contract = contract.lower()
        self._verified = False
        self._ranges = Ranges(FIRST_RANGE)

    def verify(self) -> None:
        """The provider serves the right chain, and the contract is on it.

        Raises:
            WrongChain: it does not.
            ChainUnavailable: it cannot be told.
        """
        chain_id = self._checked(_quantity, self._call("eth_chainId"))
        if chain_id != self._chain_id:
            raise WrongChain(f"{self.name} serves chain {chain_id}, CHAIN_ID is {self._chain_id}")
        if self._call("eth_getCode", self._contract, "latest") in ("0x", None):
            raise WrongChain(f"{self.name} knows no contract at CONTRACT_ADDRESS")
        self._verified = True

    def head(self) -> BlockRef:
        """See `Chain`. A provider is verified before it is first asked."""
        if not self._verified:
            self.verify()
        return self._checked(_block, self._call("eth_getBlockByNumber", "latest", False))

    def finalized(self) -> int | None:
        """See `Chain`. Providers say in several ways that they have no such tag."""
        try:
            block = self._call("eth_getBlockByNumber", "finalized", False)
        except RpcError as error:
            if not error.said or error.refusal is Refusal.RATE_LIMITED:
                raise
            return None
        return (self._checked(_block, block).number or None) if block else None

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Chain`."""
        answers = self._batch(
            [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        )
        blocks = tuple(self._checked(_block, answer) for answer in answers)
        for number, block in zip(numbers, blocks, strict=True):
            if block.number != number:
                raise ChainUnavailable(f"{self.name}: block {block.number} told for {number}")
        return blocks

    def burns(self, first: int, last: int) -> Stretch:
        """See `Chain`. Ranges shrink while the provider finds them too wide, and grow back."""
        while True:
            through = min(last, first + self._ranges.size - 1)
            blocks = through - first + 1
            try:
                told = self._burns(first, through)
            except RpcError as error:
                if blocks == 1 or not error.refusal.shrinks:
                    raise
                self._ranges.refused(blocks, allowed=error.allowed)
            except TooSlow:
                # Not tried again at once: the lease does not wait for ever.
                self._ranges.refused(blocks)
                raise
            else:
                self._ranges.taken(blocks)
                return Stretch(told, through)

    def _burns(self, first: int, last: int) -> tuple[Burn, ...]:
        told = self._call(
            "eth_getLogs",
            {
                "address": self._contract,
                "topics": [REDEEMED_TOPIC],
                "fromBlock": hex(first),
                "toBlock": hex(last),
            },
        )
        logs = self._checked(_logs, told)
        times = self._missing_times(logs)
        burns = [self._checked(lambda log: _burn(log, self._contract, times), log) for log in logs]
        if any(not first <= burn.block.number <= last for burn in burns):
            raise ChainUnavailable(f"{self.name}: a log from outside blocks {first} to {last}")
        return tuple(sorted(burns, key=lambda burn: burn.serial))

    def redemption_count(self, block: BlockRef) -> int:
        """See `Chain`. Asked by number: not every provider takes a block's hash."""
        height = hex(block.number)
        count, again = self._batch(
            [
                ("eth_call", [{"to": self._contract, "data": COUNT_SELECTOR}, height]),
                ("eth_getBlockByNumber", [height, False]),
            ]
        )
        if self._checked(_block, again) != block:
            raise ChainUnavailable(f"{self.name}: block {block.number} was replaced meanwhile")
        return int(self._checked(_word, count), 16)

    def _missing_times(self, logs: Sequence[dict[str, Any]]) -> dict[str, int]:
        """Block times by hash, where the logs themselves do not tell them."""
        heights = {
            self._checked(_quantity, log.get("blockNumber"))
            for log in logs
            if log.get("blockTimestamp") is None
        }
        return {block.hash: block.time for block in self.blocks(sorted(heights))}

    def _call(self, method: str, *params: Any) -> Any:
        request = partial(self._provider.make_request, RPCEndpoint(method), list(params))
        answer = self._send(request)
        return self._result(method, answer)

    def _batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of several calls, in their order."""
        results: list[Any] = []
        for start in range(0, len(calls), BATCH_CALLS):
            some = calls[start : start + BATCH_CALLS]
            requested = [(RPCEndpoint(method), params) for method, params in some]
            answers = self._send(partial(self._provider.make_batch_request, requested))
            if not isinstance(answers, list):
                self._result("batch", answers)
            if not isinstance(answers, list) or len(answers) != len(some):
                raise ChainUnavailable(f"{self.name}: a batch was not answered call by call")
            results += [
                self._result(method, answer)
                for (method, _), answer in zip(some, answers, strict=True)
            ]
        return results

    def _send(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except requests.HTTPError as error:
            raise self._refused(error.response) from error
        except requests.Timeout as error:
            raise TooSlow(f"{self.name}: no answer in time") from error
        except requests.RequestException as error:
            raise ChainUnavailable(f"{self.name}: {type(error).__name__}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ChainUnavailable(f"{self.name}: the answer is no JSON-RPC") from error

    def _result(self, method: str, answer: Any) -> Any:
        if not isinstance(answer, dict):
            raise ChainUnavailable(f"{self.name}: the answer is no JSON-RPC")
        error = answer.get("error")
        if error is not None:
            code, said = _code_and_message(error)
            text = f"{'' if code is None else code} {said}".strip()
            raise RpcError(
                f"{self.name}: {method}: {text[:MAX_ERROR_LENGTH]}",
                said=said or text or "an error without words",
                refusal=refusal_of(status=None, code=code, message=said),
                allowed=allowed_blocks(said),
            )
        return answer.get("result")

    def _refused(self, response: requests.Response | None) -> ChainUnavailable:
        """For an HTTP status; some providers tell their JSON-RPC errors with one."""
        if response is None:
            return ChainUnavailable(f"{self.name}: HTTP error")
        try:
            code, said = _code_and_message(response.json()["error"])
        except (LookupError, TypeError, ValueError):
            code, said = None, ""
        told = f"{self.name}: HTTP {response.status_code} {said[:MAX_ERROR_LENGTH]}".strip()
        refusal = refusal_of(status=response.status_code, code=code, message=said)
        return RpcError(told, said=said, refusal=refusal, allowed=allowed_blocks(said))

    def _checked(self, decode: Callable[[Any], T], value: Any) -> T:
        try:
            return decode(value)
        except _Malformed as error:
            raise ChainUnavailable(f"{self.name}: {error}") from error


class RpcProviders:
    """Several providers of one chain, asked one at a time; a failing one gives way to the next."""

    def __init__(self, chains: Sequence[RpcChain]) -> None:
        """`chains` in order of preference, at least one."""
        self._chains = list(chains)
        self._at = 0

    def current(self) -> RpcChain:
        """The provider to ask."""
        return self._chains[self._at]

    def give_way(self) -> None:
        """Let the next one be asked."""
        self._at = (self._at + 1) % len(self._chains)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._chains)

    def verify(self) -> list[str]:
        """Every provider that answers is a right one; why the others do not answer.

        Raises:
            WrongChain: one serves another chain, or does not know the contract.
        """
        problems: list[str] = []
        for chain in self._chains:
            try:
                chain.verify()
            except WrongChain:
                raise
            except ChainUnavailable as error:
                problems.append(str(error))
        return problems


def _code_and_message(error: Any) -> tuple[int | None, str]:
    """Of a JSON-RPC error, or of what a provider sends in its place."""
    if not isinstance(error, dict):
        return None, str(error)
    code = error.get("code")
    return code if isinstance(code, int) else None, str(error.get("message", ""))


class _Malformed(Exception):
    """An answer that has not the shape it must have."""


def _quantity(value: Any) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise _Malformed("a quantity is malformed")
    return int(value, 16)


def _word(value: Any) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise _Malformed("a 32-byte word is malformed")
    return value


def _block(value: Any) -> BlockRef:
    if not isinstance(value, dict):
        raise _Malformed("no such block")
    return BlockRef(
        number=_quantity(value.get("number")),
        hash=_word(value.get("hash")),
        time=_quantity(value.get("timestamp")),
    )


def _logs(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(log, dict) for log in value):
        raise _Malformed("a list of logs is malformed")
    return value


def _burn(log: dict[str, Any], contract: str, times: dict[str, int]) -> Burn:
    topics, data, address = log.get("topics"), log.get("data"), log.get("address")
    if not isinstance(address, str) or address.lower() != contract or log.get("removed"):
        raise _Malformed("a log of another contract, or a removed one")
    if not isinstance(topics, list) or len(topics) != 4 or topics[0] != REDEEMED_TOPIC:  # noqa: PLR2004
        raise _Malformed("a log of another event")
    if not isinstance(data, str) or not _TWO_WORDS.fullmatch(data):
        raise _Malformed("a log's data is malformed")
    block_hash = _word(log.get("blockHash"))
    time = times.get(block_hash)
    if time is None:
        time = _quantity(log.get("blockTimestamp"))
    return Burn(
        serial=int(data[66:], 16),
        user=_address(topics[1]),
        token_id=int(_word(topics[2]), 16),
        amount=int(data[2:66], 16),
        order_hash=_word(topics[3]),
        tx_hash=_word(log.get("transactionHash")),
        log_index=_quantity(log.get("logIndex")),
        block=BlockRef(_quantity(log.get("blockNumber")), block_hash, time),
    )


@lru_cache(maxsize=4096)
def _address(topic: Any) -> str:
    match = _ADDRESS_WORD.fullmatch(topic) if isinstance(topic, str) else None
    if match is None:
        raise _Malformed("an address is malformed")
    try:
        return checksum_address("0x" + match[1])
    except InvalidInput as error:
        raise _Malformed("an address is malformed") from error
