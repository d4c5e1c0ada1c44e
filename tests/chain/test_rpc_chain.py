"""What the listener makes of answers that a provider should not give."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from chalicelib.domain.redemptions import BlockRef
from chalicelib.ports import ChainUnavailable
from listener_fn.books import COUNT_SELECTOR
from listener_fn.chain import JsonProvider, RpcChain, RpcError
from listener_fn.decoding import REDEEMED_TOPIC

ARTEFACT = Path(__file__).parents[2] / "contracts/abi/FiveSOfficeVouchers.json"
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ALICE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
BLOCK_HASH, TX_HASH, ORDER_HASH = "0x" + "b1" * 32, "0x" + "c2" * 32, "0x" + "d3" * 32

BLOCK = {
    "number": "0x10",
    "hash": BLOCK_HASH,
    "timestamp": "0x6b01732d",
    "parentHash": "0x" + "a0" * 32,
}
LOG: dict[str, Any] = {
    "address": CONTRACT.lower(),
    "topics": [
        REDEEMED_TOPIC,
        "0x" + "00" * 12 + ALICE[2:].lower(),
        f"0x{1001:064x}",
        ORDER_HASH,
    ],
    "data": f"0x{2:064x}{7:064x}",
    "blockHash": BLOCK_HASH,
    "blockNumber": "0x10",
    "blockTimestamp": "0x6b01732d",
    "transactionHash": TX_HASH,
    "logIndex": "0x3",
    "removed": False,
}

Answers = dict[str, Any]


class Failing:
    """An HTTP status instead of an answer, or a raw body."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        self.status = status
        self.body = body


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Base address of a server that answers with `handler`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


@contextmanager
def provider(answers: Answers) -> Iterator[RpcChain]:
    """A provider that answers each method with `answers[method]`: a result, or what to do."""
    good: Answers = {"eth_chainId": "0x7a69", "eth_getCode": "0x60", "eth_getBlockByNumber": BLOCK}

    def answer(call: dict[str, Any]) -> Any:
        told = {**good, **answers}[call["method"]]
        told = told(call["params"]) if callable(told) else told
        envelope = told if isinstance(told, dict) and "error" in told else {"result": told}
        return {"jsonrpc": "2.0", "id": call["id"], **envelope}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls = asked if isinstance(asked, list) else [asked]
            failing = [
                answers[call["method"]]
                for call in calls
                if isinstance(answers.get(call["method"]), Failing)
            ]
            if failing:
                self._reply(failing[0].status, failing[0].body)
                return
            replies = [answer(call) for call in calls]
            body = replies if isinstance(asked, list) else replies[0]
            self._reply(200, json.dumps(body).encode())

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with served(Handler) as url:
        yield RpcChain(f"{url}/v1/secret-key", chain_id=31337, contract=CONTRACT, timeout=5)


def test_topic_and_selector_are_those_of_the_contract() -> None:
    abi = json.loads(ARTEFACT.read_text())["abi"]
    (event,) = (item for item in abi if item.get("name") == "VoucherRedeemed")
    (function,) = (item for item in abi if item.get("name") == "redemptionCount")
    assert "0x" + event_abi_to_log_topic(event).hex() == REDEEMED_TOPIC
    assert "0x" + function_abi_to_4byte_selector(function).hex() == COUNT_SELECTOR
    assert [item["indexed"] for item in event["inputs"]] == [True, True, False, True, False]


def test_log_is_decoded() -> None:
    with provider({"eth_getLogs": [LOG]}) as chain:
        (burn,) = chain.burns(16, 16).burns
    assert (burn.serial, burn.user, burn.token_id, burn.amount) == (7, ALICE, 1001, 2)
    assert (burn.order_hash, burn.tx_hash, burn.log_index) == (ORDER_HASH, TX_HASH, 3)
    assert burn.block == BlockRef(16, BLOCK_HASH, 0x6B01732D)


def test_block_time_is_fetched_where_logs_do_not_tell_it() -> None:
    log = {name: value for name, value in LOG.items() if name != "blockTimestamp"}
    with provider({"eth_getLogs": [log]}) as chain:
        assert chain.burns(16, 16).burns[0].block.time == 0x6B01732D
    other = {**BLOCK, "hash": "0x" + "ee" * 32}
    with (
        provider({"eth_getLogs": [log], "eth_getBlockByNumber": other}) as chain,
        pytest.raises(ChainUnavailable),
    ):
        chain.burns(16, 16)


def test_logs_are_told_in_serial_order() -> None:
    later = {**LOG, "data": f"0x{2:064x}{8:064x}", "logIndex": "0x4"}
    with provider({"eth_getLogs": [later, LOG]}) as chain:
        assert [burn.serial for burn in chain.burns(1, 16).burns] == [7, 8]


@pytest.mark.parametrize(
    "wrong",
    [
        {"removed": True},
        {"address": ALICE.lower()},
        {"address": None},
        {"topics": LOG["topics"][:3]},
        {"topics": ["0x" + "00" * 32, *LOG["topics"][1:]]},
        {"topics": [REDEEMED_TOPIC, "0x" + "01" * 32, *LOG["topics"][2:]]},
        {"topics": [REDEEMED_TOPIC, "0x" + "00" * 32, *LOG["topics"][2:]]},
        {"topics": "no list"},
        {"data": "0x" + "00" * 63},
        {"data": "0x" + "zz" * 64},
        {"data": None},
        {"blockHash": "0x1"},
        {"blockNumber": "16"},
        {"blockNumber": 16},
        {"blockNumber": "0x11"},
        {"blockTimestamp": "soon"},
        {"transactionHash": None},
        {"logIndex": "-0x1"},
    ],
)
def test_malformed_or_foreign_log_is_refused(wrong: dict[str, Any]) -> None:
    with (
        provider({"eth_getLogs": [LOG, {**LOG, **wrong}]}) as chain,
        pytest.raises(ChainUnavailable),
    ):
        chain.burns(1, 16)


@pytest.mark.parametrize("answer", [None, {}, "0x", [None], [[]]])
def test_logs_that_are_no_list_are_refused(answer: Any) -> None:
    with provider({"eth_getLogs": answer}) as chain, pytest.raises(ChainUnavailable):
        chain.burns(1, 16)


@pytest.mark.parametrize(
    "answer",
    [None, {"error": {"code": -32602, "message": "unknown block"}}, {**BLOCK, "number": "0x0"}],
)
def test_provider_without_finality_says_so_in_several_ways(answer: Any) -> None:
    def told(params: list[Any]) -> Any:
        return answer if params[0] == "finalized" else BLOCK

    with provider({"eth_getBlockByNumber": told}) as chain:
        tips = chain.tips(16)
        assert tips.finalized is None
        assert tips.head.number == 16


def test_finalized_height_is_told() -> None:
    with provider({}) as chain:
        assert chain.tips(16).finalized == 16


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (Failing(429), "127.0.0.1: HTTP 429"),
        (Failing(503), "127.0.0.1: HTTP 503"),
        (Failing(200, b"<html>"), "127.0.0.1: the answer is no JSON-RPC"),
        (Failing(200, b"[]"), "127.0.0.1: the answer is no JSON-RPC"),
        (Failing(200, b""), "127.0.0.1: the answer is no JSON-RPC"),
    ],
)
def test_failures_are_told_without_the_providers_url(failing: Failing, message: str) -> None:
    with (
        provider({"eth_getLogs": failing}) as chain,
        pytest.raises(ChainUnavailable) as refused,
    ):
        chain.burns(1, 16)
    assert str(refused.value) == message


def test_error_of_the_provider_is_told_in_its_words() -> None:
    error = {"error": {"code": -32005, "message": "limit exceeded" + "!" * 1000}}
    with (
        provider({"eth_getLogs": error}) as chain,
        pytest.raises(RpcError, match="eth_getLogs: -32005 limit exceeded") as refused,
    ):
        chain.burns(1, 16)
    assert len(str(refused.value)) < 300


def refusing(most: int, message: str, *, status: int = 200) -> tuple[Any, list[int]]:
    """A provider that tells logs of `most` blocks at once; the sizes of ranges it was asked for."""
    asked: list[int] = []

    def told(params: list[Any]) -> Any:
        size = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        asked.append(size)
        return [] if size <= most else {"error": {"code": -32000, "message": message}}

    return told, asked


def test_range_shrinks_to_what_the_provider_takes_and_is_told() -> None:
    told, asked = refusing(100, "block range is too wide")
    with provider({"eth_getLogs": told}) as chain:
        first = chain.burns(1, 1000)
        assert 50 < first.through <= 100
        assert asked == [1000, 500, 250, 125, 62]
        second = chain.burns(first.through + 1, 1000)
        assert second.through > first.through


def test_range_that_the_provider_names_is_taken_at_once() -> None:
    told, asked = refusing(50, "exceed maximum block range: 50")
    with provider({"eth_getLogs": told}) as chain:
        assert chain.burns(1, 1000).through == 50
    assert asked == [1000, 50]


def test_range_grows_back_after_a_passing_trouble() -> None:
    sizes: list[int] = []

    def told(params: list[Any]) -> Any:
        sizes.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1)
        return {"error": {"code": -32000, "message": "too many results"}} if len(sizes) < 5 else []

    with provider({"eth_getLogs": told}) as chain:
        at = 0
        while at < 100_000:
            at = chain.burns(at + 1, min(at + 2000, 100_000)).through
    assert sizes[:5] == [2000, 1000, 500, 250, 125]
    assert sizes[-2] == 2000


@pytest.mark.parametrize(
    ("code", "message"),
    [(-32005, "limit exceeded"), (-32000, "rate limit"), (-32000, "missing trie node")],
)
def test_what_fewer_blocks_do_not_mend_is_not_asked_again(code: int, message: str) -> None:
    asked: list[Any] = []

    def told(params: list[Any]) -> Any:
        asked.append(params)
        return {"error": {"code": code, "message": message}}

    with provider({"eth_getLogs": told}) as chain, pytest.raises(RpcError):
        chain.burns(1, 1000)
    assert len(asked) == 1


def test_single_block_that_is_refused_is_not_asked_for_ever() -> None:
    told, asked = refusing(0, "block range is too wide")
    with provider({"eth_getLogs": told}) as chain, pytest.raises(RpcError):
        chain.burns(1, 4)
    assert asked == [4, 2, 1]


def test_range_is_refused_by_an_http_status_too() -> None:
    body = b'{"error":{"code":-32000,"message":"up to a 10 block range"}}'
    with (
        provider({"eth_getLogs": Failing(400, body)}) as chain,
        pytest.raises(RpcError, match="HTTP 400 up to a 10 block range") as refused,
    ):
        chain.burns(1, 1)
    assert refused.value.allowed == 10


def test_provider_that_is_asked_too_often_has_not_said_that_there_is_no_finality() -> None:
    def told(params: list[Any]) -> Any:
        limited = {"error": {"code": -32005, "message": "daily request count exceeded"}}
        return limited if params[0] == "finalized" else BLOCK

    with provider({"eth_getBlockByNumber": told}) as chain, pytest.raises(RpcError):
        chain.tips(16)


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_provider_that_fails_has_not_said_that_there_is_no_finality(status: int) -> None:
    failing = {"eth_getBlockByNumber": Failing(status)}
    with provider(failing) as chain, pytest.raises(ChainUnavailable, match=f"HTTP {status}"):
        chain.tips(16)


def test_single_blocks_say_nothing_of_wide_ranges() -> None:
    with provider({"eth_getLogs": []}) as chain:
        before = chain._ranges.size
        for number in range(1, 60):
            chain.burns(number, number)
        assert chain._ranges.size == before


def test_slow_provider_is_given_up() -> None:
    held = threading.Event()

    def never(_: list[Any]) -> Any:
        held.wait(10)

    with provider({"eth_getLogs": never}) as chain:
        assert isinstance(chain._transport, JsonProvider)
        impatient = RpcChain(
            chain._transport.endpoint_uri or "", chain_id=31337, contract=CONTRACT, timeout=0.2
        )
        with pytest.raises(ChainUnavailable, match="no answer in time"):
            impatient.burns(1, 16)
        assert impatient._ranges.size == 8
        held.set()


def test_answer_that_drips_in_without_end_is_given_up() -> None:
    """Each piece comes in time, and the whole does not."""
    enough = threading.Event()
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": "0x7a69"}).encode()

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for piece in body:
                if enough.wait(0.05):
                    return
                self.wfile.write(bytes([piece]))

        def log_message(self, *_: Any) -> None:
            pass

    with served(Dripping) as url:
        chain = RpcChain(url, chain_id=31337, contract=CONTRACT, timeout=0.3)
        try:
            with pytest.raises(ChainUnavailable, match="no answer in time"):
                chain.call("eth_chainId")
        finally:
            enough.set()
        assert chain.errors["timeout"] == 1


def test_proven_block_beyond_the_head_that_is_told_with_it_is_not_believed() -> None:
    """Nodes behind a load balancer have not all got equally far."""

    def told(params: list[Any]) -> Any:
        return {**BLOCK, "number": "0x14"} if params[0] == "0x14" else BLOCK

    with provider({"eth_getBlockByNumber": told}) as chain:
        tips = chain.tips(20)
        assert (tips.head.number, tips.proven) == (16, None)
        assert chain.errors["lagging"] == 1


@pytest.mark.parametrize(
    ("answers", "ask"),
    [
        (
            {"eth_getBlockByNumber": lambda params: None if params[0] == "0x10" else BLOCK},
            lambda chain: chain.tips(16),
        ),
        (
            {"eth_getTransactionReceipt": {"logs": [None]}},
            lambda chain: chain.burns_of([TX_HASH]),
        ),
    ],
    ids=["block-left-out", "malformed-receipt"],
)
def test_answer_that_cannot_be_true_is_counted(
    answers: Answers, ask: Callable[[RpcChain], object]
) -> None:
    with provider(answers) as chain:
        with pytest.raises(ChainUnavailable):
            ask(chain)
        assert chain.errors["malformed"] == 1


def test_block_that_is_not_there_or_another_is_refused() -> None:
    with provider({"eth_getBlockByNumber": None}) as chain, pytest.raises(ChainUnavailable):
        chain.blocks([16])
    with provider({}) as chain, pytest.raises(ChainUnavailable, match="block 16 told for 15"):
        chain.blocks([15])


def test_blocks_are_told_in_the_order_asked() -> None:
    def block(params: list[Any]) -> Any:
        return {**BLOCK, "number": params[0]}

    with provider({"eth_getBlockByNumber": block}) as chain:
        numbers = list(range(50, 0, -1))
        assert [told.number for told in chain.blocks(numbers)] == numbers


@pytest.mark.parametrize("count", [None, "0x", "0x7", "seven"])
def test_malformed_count_is_refused(count: Any) -> None:
    with provider({"eth_call": count}) as chain, pytest.raises(ChainUnavailable):
        chain.tail(16, 16, BlockRef(16, BLOCK_HASH, 0x6B01732D))


def a_block(number: int) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": f"0x{number:064x}",
        "parentHash": f"0x{max(0, number - 1):064x}",
        "timestamp": "0x6b01732d",
    }


def chain_of(head: int, asked: list[list[Any]]) -> Callable[[list[Any]], Any]:
    """Blocks up to `head`, and what was asked for."""

    def block(params: list[Any]) -> Any:
        asked.append(params)
        number = {"latest": head, "finalized": head - 2}.get(params[0])
        return a_block(int(params[0], 16) if number is None else number)

    return block


def test_tail_asks_for_no_header_twice_while_they_join_up() -> None:
    asked: list[list[Any]] = []
    answers: Answers = {
        "eth_getBlockByNumber": chain_of(20, asked),
        "eth_call": f"0x{0:064x}",
        "eth_getLogs": [],
    }
    with provider(answers) as chain:
        first = chain.tips(10)
        assert first.proven == BlockRef(10, f"0x{10:064x}", 0x6B01732D)
        tail = chain.tail(11, 18, first.head)
        assert [header.block.number for header in tail.headers] == [18, 19, 20]
        answers["eth_getBlockByNumber"] = chain_of(22, asked)
        head = chain.tips(18).head
        asked.clear()
        assert len(chain.tail(19, 20, head).headers) == 3
        assert [params[0] for params in asked] == [hex(21), hex(22)]


def test_headers_that_no_longer_join_up_are_asked_for_anew() -> None:
    asked: list[list[Any]] = []
    answers: Answers = {
        "eth_getBlockByNumber": chain_of(20, asked),
        "eth_call": f"0x{0:064x}",
        "eth_getLogs": [],
    }
    with provider(answers) as chain:
        chain.tail(11, 18, chain.tips(10).head)

        def forked(params: list[Any]) -> Any:
            asked.append(params)
            number = 21 if params[0] in ("latest", "finalized") else int(params[0], 16)
            told = a_block(number)
            if number >= 19:
                told["hash"] = told["hash"][:-4] + "beef"
                if number > 19:
                    told["parentHash"] = told["parentHash"][:-4] + "beef"
            return told

        answers["eth_getBlockByNumber"] = forked
        head = chain.tips(10).head
        asked.clear()
        tail = chain.tail(11, 18, head)
        assert [header.block.number for header in tail.headers] == [18, 19, 20, 21]
        assert all(after.parent == before.block.hash for before, after in pairwise(tail.headers))


def test_head_replaced_while_it_is_read_is_refused() -> None:
    asked: list[list[Any]] = []
    answers: Answers = {
        "eth_getBlockByNumber": chain_of(20, asked),
        "eth_call": f"0x{0:064x}",
        "eth_getLogs": [],
    }
    with provider(answers) as chain:
        gone = BlockRef(20, "0x" + "99" * 32, 1)
        with pytest.raises(ChainUnavailable, match="block 20 was replaced meanwhile"):
            chain.tail(11, 18, gone)


def test_range_too_wide_within_the_tail_is_split() -> None:
    logs, sizes = refusing(3, "block range is too wide")
    answers: Answers = {
        "eth_getBlockByNumber": chain_of(20, []),
        "eth_call": f"0x{0:064x}",
        "eth_getLogs": logs,
    }
    with provider(answers) as chain:
        tail = chain.tail(1, 18, chain.tips(0).head)
        assert tail.burns == ()
        assert sizes[-1] <= 3
        assert chain.splits["range"] > 0


def refused_by_status(status: int) -> Any:
    response = requests.Response()
    response.status_code = status
    raise requests.HTTPError(response=response)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: {"error": {"code": -32600, "message": "requests are not allowed in batches"}},
        list,
        lambda: refused_by_status(400),
        lambda: refused_by_status(413),
    ],
    ids=["error", "nothing", "status-400", "status-413"],
)
@pytest.mark.parametrize("most", [1, 3, 20])
def test_provider_that_takes_few_calls_at_once_is_asked_for_fewer(
    most: int, refuse: Callable[[], Any]
) -> None:
    sizes: list[int] = []

    class Picky(JsonProvider):
        def make_batch_request(self, requests: Any) -> Any:
            sizes.append(len(requests))
            return refuse() if len(requests) > most else super().make_batch_request(requests)

    with provider({"eth_getBlockByNumber": chain_of(200, [])}) as chain:
        assert isinstance(chain._transport, JsonProvider)
        picky = RpcChain(
            "http://127.0.0.1",
            chain_id=31337,
            contract=CONTRACT,
            timeout=5,
            transport=Picky(str(chain._transport.endpoint_uri), timeout=5),
        )
        assert [block.number for block in picky.blocks(range(100))] == list(range(100))
        assert sizes[0] == 100
        sizes.clear()
        assert len(picky.blocks(range(9))) == 9
        assert all(size <= 2 * most for size in sizes)
