"""One RPC endpoint, as the operator's commands use it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from eth_typing import ChecksumAddress, HexAddress, HexStr
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError
from web3.types import FilterParams, LogReceipt, RPCEndpoint, TxParams

from chalicelib.domain.errors import Refused
from chalicelib.domain.redemptions import BlockRef
from ops.onchain.artefact import abi
from ops.onchain.calls import Call
from ops.onchain.deployment import LOCAL_CHAIN_ID
from ops.onchain.errors import NodeFailed, Reverted
from ops.onchain.reverts import decode, sentence

LOG_RANGE = 5000
"""Blocks asked for at once at first: what BNB Chain's own nodes allow."""

FORGET_AFTER = 50
"""Answered ranges after which a refusal is forgotten."""

BATCH_CALLS = 20
"""Calls sent together; several providers take no more."""

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
    """One log: the event's name, its block, its arguments by name."""

    event: str
    block: int
    arguments: Mapping[str, Any]


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

    def refused(self) -> None:
        """That many were refused: try fewer."""
        self.limit = self.size
        self.size = max(1, self.size // 2)


def address(value: str) -> ChecksumAddress:
    """`value`, known to be a checksummed address, as web3's type."""
    return ChecksumAddress(HexAddress(HexStr(value)))


class Node:
    """An endpoint. Every method may raise `NodeFailed`. `name` is its host."""

    def __init__(self, url: str, *, timeout: float) -> None:
        """`timeout` in seconds, for each request."""
        self.name = urlsplit(url).hostname or "the RPC endpoint"
        # web3 asks for the chain before almost every request: once is enough.
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": timeout},
            exception_retry_configuration=None,
            cache_allowed_requests=True,
            cacheable_requests={RPCEndpoint("eth_chainId")},
        )
        self._web3 = Web3(self._provider)
        self._codec = self._web3.eth.contract(abi=abi())

    # ------------------------------------------------------------------------------------ reads

    def chain_id(self) -> int:
        """The chain the endpoint serves."""
        with self._told():
            return self._web3.eth.chain_id

    def head(self) -> int:
        """Height of the newest block."""
        with self._told():
            return self._web3.eth.block_number

    def time(self) -> int:
        """Unix seconds of the newest block."""
        with self._told():
            return self._web3.eth.get_block("latest")["timestamp"]

    def block(self, number: int) -> BlockRef | None:
        """The block at a height; `None` where the endpoint knows none."""
        answer = self._request("eth_getBlockByNumber", [hex(number), False])
        block = answer.get("result")
        if not block:
            return None
        return BlockRef(int(block["number"], 16), block["hash"], int(block["timestamp"], 16))

    def finalized(self) -> int | None:
        """Height of the `finalized` block; `None` where the endpoint has no such tag."""
        answer = self._request("eth_getBlockByNumber", ["finalized", False])
        block = answer.get("result")
        return int(block["number"], 16) or None if block else None

    def code(self, at: str) -> bytes:
        """The contract's code at an address; empty where there is none."""
        with self._told():
            return bytes(self._web3.eth.get_code(address(at)))

    def nonce(self, account: str) -> int:
        """The account's next nonce, pending transactions counted."""
        with self._told():
            return self._web3.eth.get_transaction_count(address(account), "pending")

    def gas_price(self) -> int:
        """What the endpoint suggests, in wei."""
        with self._told():
            return self._web3.eth.gas_price

    def accounts(self) -> tuple[str, ...]:
        """Accounts that the node itself can sign for: a local chain's."""
        with self._told():
            return tuple(self._web3.eth.accounts)

    def view(self, contract: str, name: str, *arguments: Any, block: int | None = None) -> Any:
        """What a view of the voucher contract answers, as of `block` or now.

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

        Ranges shrink where the endpoint refuses them, and grow as far as it takes them.
        """
        decoders = {decoder.topic: decoder for decoder in map(self._decoder, events)}
        ranges = _Ranges()
        while first <= last:
            through = min(last, first + ranges.size - 1)
            found = self._logs(contract, list(decoders), first, through)
            if found is None:
                if ranges.size == 1:
                    raise NodeFailed(f"{self.name} refuses to tell logs, even of one block")
                ranges.refused()
                continue
            for log in sorted(found, key=lambda log: (log["blockNumber"], log["logIndex"])):
                decoder = decoders[log["topics"][0].to_0x_hex()]
                yield Log(decoder.name, log["blockNumber"], decoder.process_log(log)["args"])
            if progress is not None:
                progress(through - first + 1)
            first = through + 1
            ranges.taken()

    def _decoder(self, event: str) -> Any:
        return self._codec.events[event]()

    def _logs(
        self, contract: str, topics: Sequence[str], first: int, last: int
    ) -> Sequence[LogReceipt] | None:
        """`None` where the endpoint refuses."""
        asked: FilterParams = {
            "address": address(contract),
            "topics": [[HexStr(topic) for topic in topics]],
            "fromBlock": first,
            "toBlock": last,
        }
        with self._told():
            try:
                return self._web3.eth.get_logs(asked)
            except Web3RPCError:
                return None

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
            return self._web3.eth.estimate_gas(_parameters(call, sender))

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
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise NodeFailed(f"{self.name} does not answer several calls at once")
        return tuple(self._refusal(answer) for answer in answers)

    def _refusal(self, answer: Any) -> Reverted | None:
        error = answer.get("error")
        if error is None:
            return None
        data = error.get("data")
        if not isinstance(data, str) or "revert" not in str(error.get("message", "")):
            raise NodeFailed(f"{self.name} answers with an error: {error.get('message')}")
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

    def _request(self, method: str, parameters: list[Any]) -> Any:
        with self._told():
            return self._provider.make_request(RPCEndpoint(method), parameters)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What went wrong, in words; messages of the HTTP client hold the URL and are left out."""
        try:
            yield
        except ContractLogicError as error:
            raise self._reverted(error.data) from error
        except OSError as error:
            raise NodeFailed(f"{self.name} cannot be reached ({_kind(error)})") from error
        except (Web3Exception, ValueError) as error:
            raise NodeFailed(f"{self.name} answers with an error: {error}") from error

    def _reverted(self, data: object) -> Reverted:
        known = decode(data) if isinstance(data, str) else None
        if known is None:
            return Reverted("the contract refuses, without a reason", error=None)
        return Reverted(f"the contract refuses: {sentence(*known)}", error=known[0])


def _parameters(call: Call, sender: str) -> TxParams:
    return {"from": address(sender), "to": address(call.to), "data": HexStr(call.data)}


def _hex_parameters(call: Call, sender: str) -> dict[str, str]:
    return {"from": sender, "to": call.to, "data": call.data}


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _kind(error: OSError) -> str:
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
