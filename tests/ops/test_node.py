"""One RPC endpoint: logs from endpoints with limits of their own, and what faults come to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from chalicelib.domain.redemptions import BlockRef, Burn
from ops import anvil
from ops.deploy_local import LocalChain
from ops.onchain.calls import Call
from ops.onchain.errors import NodeFailed, Reverted
from ops.onchain.logs import LOG_RANGE
from ops.onchain.node import MANY_LOGS, Node
from ops.onchain.roles import Role
from ops.onchain.rpc import PAUSES, SHOWN_CHARACTERS

CONTRACT = "0x49d4450977E2c95362C13D3a31a09311E0Ea26A6"
SENDER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
LAST = 1_000_000
Refuses = Callable[[int, int], bool]


class Closed(Exception):
    """The endpoint closes the connection without an answer."""


Reply = tuple[int, bytes]
"""HTTP status and body."""


@contextmanager
def serving(
    answer: Callable[[Any], Reply], *, path: str = "", timeout: float = 5
) -> Iterator[tuple[Node, list[float]]]:
    """A node at an endpoint that answers so to each request, under `path`. Gives the pauses it
    makes, in seconds, too; it does not really make them."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, body = answer(request)
            except Closed:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    pauses: list[float] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}{path}"
        yield Node(url, timeout=timeout, sleep=pauses.append), pauses
        server.shutdown()
        thread.join()


def result(request: Any, value: object) -> Reply:
    return 200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": value}).encode()


def error(request: Any, message: object, *, code: int = -32005, status: int = 200) -> Reply:
    told = {"code": code, "message": message}
    return status, json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": told}).encode()


def span(request: Any) -> tuple[int, int] | None:
    """The first and last block that logs are asked of; `None` where none are."""
    if request["method"] != "eth_getLogs":
        return None
    asked = request["params"][0]
    return int(asked["fromBlock"], 16), int(asked["toBlock"], 16)


@contextmanager
def endpoint(
    refuses: Refuses, refusal: Callable[[Any], Reply] | None = None, *, timeout: float = 5
) -> Iterator[tuple[Node, list[tuple[int, int]]]]:
    """An endpoint without logs; `refuses(size, count)` judges the `count`th range asked for, of
    `size` blocks. Gives the ranges that were answered, too."""
    answered: list[tuple[int, int]] = []
    asked = 0

    def answer(request: Any) -> Reply:
        nonlocal asked
        blocks = span(request)
        if blocks is None:
            return result(request, "0x1")
        asked += 1
        if refuses(blocks[1] - blocks[0] + 1, asked):
            return (refusal or (lambda one: error(one, "exceed maximum block range")))(request)
        answered.append(blocks)
        return result(request, [])

    with serving(answer, timeout=timeout) as (node, _):
        yield node, answered


def _read(node: Node) -> int:
    """Read all blocks; how many the progress came to."""
    told: list[int] = []
    logs = list(node.logs(CONTRACT, "Paused", first=1, last=LAST, progress=told.append))
    assert logs == []
    return sum(told)


def _is_whole(answered: list[tuple[int, int]]) -> bool:
    """Whether the ranges follow each other from the first to the last block."""
    starts = [first for first, _ in answered]
    return starts == [1, *(last + 1 for _, last in answered[:-1])] and answered[-1][1] == LAST


@pytest.mark.parametrize("limit", [1000, 5000, 7777, 50_000])
def test_ranges_close_in_on_the_endpoints_limit(limit: int) -> None:
    with endpoint(lambda size, _: size > limit) as (node, answered):
        assert _read(node) == LAST
    assert _is_whole(answered)
    assert len(answered) <= 1.25 * LAST / limit + 10


def test_ranges_grow_where_nothing_limits_them() -> None:
    with endpoint(lambda *_: False) as (node, answered):
        assert _read(node) == LAST
    assert answered[0] == (1, LOG_RANGE)
    assert len(answered) <= 9


def test_a_passing_trouble_does_not_shrink_ranges_for_good() -> None:
    with endpoint(lambda size, count: count < 10 or size > LOG_RANGE) as (node, answered):
        assert _read(node) == LAST
    assert _is_whole(answered)
    assert answered[-2][1] - answered[-2][0] > LOG_RANGE // 2


TOO_WIDE = [
    lambda request: error(request, "up to a 5 block range", code=-32600, status=400),
    lambda _: (413, b"<html>"),
    lambda _: (504, b"<html>"),
]


@pytest.mark.parametrize("refusal", TOO_WIDE, ids=["400", "413", "504"])
def test_ranges_shrink_by_a_status_of_http_too(refusal: Callable[[Any], Reply]) -> None:
    with endpoint(lambda size, _: size > 7777, refusal) as (node, answered):
        assert _read(node) == LAST
    assert _is_whole(answered)


def test_ranges_shrink_where_no_answer_comes_in_time() -> None:
    ended = threading.Event()

    def never(_request: Any) -> Reply:
        ended.wait(30)
        raise Closed

    with endpoint(lambda size, count: size > 2500 and count < 4, never, timeout=0.2) as (
        node,
        answered,
    ):
        assert _read(node) == LAST
        ended.set()
    assert _is_whole(answered)


def test_only_what_was_asked_for_counts_as_refused() -> None:
    """The range may have grown far beyond the blocks that are left."""
    asked: list[int] = []

    def answer(request: Any) -> Reply:
        first, last = span(request) or (0, 0)
        asked.append(last - first + 1)
        return error(request, "too wide") if asked[-1] > 2 else result(request, [])

    with serving(answer) as (node, _):
        assert list(node.logs(CONTRACT, "Paused", first=1, last=4)) == []
    assert asked == [4, 2, 2]


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (lambda one: error(one, "daily request count exceeded"), ": daily request count exceeded"),
        (lambda one: error(one, "no range", status=400), ": HTTP 400: no range"),
        (lambda _: (413, b""), ": HTTP 413"),
    ],
)
def test_an_endpoint_that_tells_no_logs_at_all_is_given_up(
    refusal: Callable[[Any], Reply], told: str
) -> None:
    asked = 0

    def answer(request: Any) -> Reply:
        nonlocal asked
        asked += 1
        return refusal(request)

    with serving(answer) as (node, pauses):
        with pytest.raises(NodeFailed, match=f"even of one block{told}$"):
            _read(node)
        assert len(pauses) == len(PAUSES)
        assert asked <= LOG_RANGE.bit_length() + len(PAUSES)


# --------------------------------------------------------------------------------------- patience


def _closed(_request: Any) -> Reply:
    raise Closed


@pytest.mark.parametrize(
    "trouble",
    [lambda _: (429, b"{}"), lambda _: (503, b"oops"), _closed],
    ids=["429", "503", "closed"],
)
@pytest.mark.parametrize("times", [1, len(PAUSES)])
def test_a_busy_endpoint_is_asked_again_after_growing_pauses(
    trouble: Callable[[Any], Reply], times: int
) -> None:
    asked = 0

    def answer(request: Any) -> Reply:
        nonlocal asked
        asked += 1
        return trouble(request) if asked <= times else result(request, "0x7a69")

    with serving(answer) as (node, pauses):
        assert node.chain_id() == 31337
    for pause, least in zip(pauses, PAUSES[:times], strict=True):
        assert least <= pause <= 1.5 * least


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (lambda _: (429, b"{}"), "HTTP 429"),
        (lambda one: error(one, "slow down", status=429), "HTTP 429: slow down"),
        (lambda _: (502, b"\xff"), "HTTP 502"),
        (_closed, "ConnectionError"),
    ],
)
def test_patience_ends(trouble: Callable[[Any], Reply], told: str) -> None:
    asked: list[str] = []

    def answer(request: Any) -> Reply:
        one = request[0] if isinstance(request, list) else request
        asked.append(one["method"])
        return trouble(one)

    with serving(answer) as (node, pauses):
        for ask in (
            node.head,
            lambda: node.try_calls([_call()], sender=SENDER),
            lambda: _read(node),
        ):
            asked.clear()
            pauses.clear()
            with pytest.raises(NodeFailed, match=rf"cannot be reached \({told}\)"):
                ask()
            assert (len(asked), len(pauses)) == (len(PAUSES) + 1, len(PAUSES))


def test_what_asking_again_cannot_help_is_asked_once() -> None:
    with serving(lambda _: (401, b"")) as (node, pauses):
        with pytest.raises(NodeFailed, match="HTTP 401"):
            node.head()
        assert pauses == []


def test_a_transaction_is_sent_once() -> None:
    sent = 0

    def answer(request: Any) -> Reply:
        nonlocal sent
        if request["method"] == "eth_sendTransaction":
            sent += 1
            raise Closed
        known = {"eth_accounts": [SENDER], "eth_getBlockByNumber": {"gasLimit": "0x989680"}}
        return result(request, known.get(request["method"], "0x7a69"))

    with serving(answer) as (node, _):
        with pytest.raises(NodeFailed, match="cannot be reached"):
            node.send(_call(), sender=SENDER)
        assert sent == 1


# ---------------------------------------------------------------------------------------- answers


def _call() -> Call:
    return Call(to=CONTRACT, data="0x8456cb59", words="Pause", signature="pause()", arguments={})


def _reads(node: Node) -> list[Callable[[], object]]:
    """One read of each kind."""
    return [
        node.chain_id,
        node.head,
        node.time,
        lambda: node.block(1),
        node.finalized,
        lambda: node.code(CONTRACT),
        lambda: node.nonce(SENDER),
        node.gas_price,
        lambda: node.view(CONTRACT, "uri", 1),
        lambda: list(node.logs(CONTRACT, "Paused", first=1, last=1)),
        lambda: list(node.burns(CONTRACT, first=1, last=1)),
        lambda: node.estimate(_call(), sender=SENDER),
        lambda: node.try_calls([_call()], sender=SENDER),
    ]


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"null", b"7", b"{}", b"[7]", b"<html>s3cret</html>", b"\xff\xfe{", b""]
)
def test_what_is_no_json_rpc_is_told_as_such(body: bytes) -> None:
    with serving(lambda _: (200, body)) as (node, _):
        for read in _reads(node):
            with pytest.raises(NodeFailed) as failed:
                read()
            assert failed.value.message in (
                "127.0.0.1 answers with something that is no JSON-RPC",
                "127.0.0.1 does not answer several calls at once",
            )


@pytest.mark.parametrize("value", [[1], "zz", {"number": 7}, 3.5])
def test_a_result_of_another_kind_is_the_endpoints_fault(value: object) -> None:
    def answer(request: Any) -> Reply:
        if isinstance(request, list):
            replies = [json.loads(result(one, value)[1]) for one in request]
            return 200, json.dumps(replies).encode()
        return result(request, value)

    with serving(answer) as (node, _):
        for read in _reads(node):
            with pytest.raises(NodeFailed):
                read()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("bad \x1b[31mkey\n\u202e", r"bad \x1b[31mkey\n\u202e"),
        ("x" * 500, "x" * SHOWN_CHARACTERS + "…"),
        (
            "no key at //rpc.example/v2/s3cretkey?apikey=an0thers3cret, s3cretkey, an0thers3cret",
            "no key at //rpc.example…, …, …",
        ),
        ({"reason": "s3cretkey"}, "{'reason': '…'}"),
    ],
)
def test_what_an_endpoint_says_is_short_printable_and_without_keys(
    message: object, told: str
) -> None:
    def answer(request: Any) -> Reply:
        return error(request, message)

    path = "/v2/s3cretkey?apikey=an0thers3cret"
    with serving(answer, path=path) as (node, _):
        with pytest.raises(NodeFailed) as failed:
            node.block(1)
        assert failed.value.message == f"127.0.0.1 answers with an error: {told}"
        with pytest.raises(NodeFailed) as failed:
            node.head()
        assert "s3cret" not in failed.value.message
        assert failed.value.message.isprintable()
        with pytest.raises(NodeFailed) as failed:
            list(node.logs(CONTRACT, "Paused", first=1, last=1))
        assert "s3cret" not in failed.value.message


@pytest.mark.parametrize(
    ("message", "code", "status"),
    [
        ("unknown block tag", -32000, 200),
        ("Unsupported block tag: finalized", -32000, 200),
        ("invalid argument 0: hex string without 0x prefix", -32602, 200),
        ("invalid argument 0: hex string without 0x prefix", -32602, 400),
        ("no", -32602, 200),
        ("finalized block not found", -39001, 200),
    ],
)
def test_an_endpoint_without_finality_is_no_failure(message: str, code: int, status: int) -> None:
    with serving(lambda one: error(one, message, code=code, status=status)) as (node, _):
        assert node.finalized() is None
        with pytest.raises(NodeFailed, match=message):
            node.block(1)


@pytest.mark.parametrize(
    ("message", "code"),
    [("rate limited", -32005), ("the method eth_getBlockByNumber is not found", -32601)],
)
def test_a_failure_is_not_an_endpoint_without_finality(message: str, code: int) -> None:
    with serving(lambda one: error(one, message, code=code)) as (node, _):
        for read in (node.finalized, lambda: node.block(1)):
            with pytest.raises(NodeFailed, match=message):
                read()


def test_blocks_there_are_and_are_not() -> None:
    block = {"number": "0x7", "hash": "0x" + "ab" * 32, "timestamp": "0x10"}
    with serving(lambda one: result(one, block)) as (node, _):
        assert node.block(7) == BlockRef(7, "0x" + "ab" * 32, 16)
        assert node.finalized() == 7
    with serving(lambda one: result(one, None)) as (node, _):
        assert node.block(7) is None
        assert node.finalized() is None


REVERTS = {"code": 3, "message": "execution reverted", "data": "0xd93c0665"}


def _batch(*answers: dict[str, object]) -> Callable[[Any], Reply]:
    """Answers to calls made together, in any order, ids given where the answer has none."""

    def answer(request: Any) -> Reply:
        told = [
            {"jsonrpc": "2.0", "id": one["id"], **given}
            for one, given in zip(request, answers, strict=True)
        ]
        return 200, json.dumps(told[::-1]).encode()

    return answer


def test_calls_made_together_are_told_in_their_order() -> None:
    with serving(_batch({"result": "0x"}, {"error": REVERTS}, {"result": "0x01"})) as (node, _):
        first, second, third = node.try_calls([_call()] * 3, sender=SENDER)
    assert (first, third) == (None, None)
    assert isinstance(second, Reverted)
    assert second.error == "EnforcedPause"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"result": None}, "no JSON-RPC"),
        ({"result": "0x1"}, "no JSON-RPC"),
        ({"result": "zz"}, "no JSON-RPC"),
        ({"result": 1}, "no JSON-RPC"),
        ({}, "no JSON-RPC"),
        ({"error": None}, "no JSON-RPC"),
        ({"error": "rate limited"}, "no JSON-RPC"),
        ({"error": {"code": -32005, "message": "rate limited"}}, "an error: rate limited"),
        ({"error": {"code": 3, "message": "execution reverted", "data": None}}, "an error: exec"),
        ({"id": None, "error": {"code": -32005, "message": "rate limited"}}, "no JSON-RPC"),
        ({"id": 10**9 + 1, "result": "0x"}, "several calls at once"),
    ],
)
def test_only_a_result_shows_that_a_call_would_succeed(given: dict[str, object], told: str) -> None:
    twice = {"id": 10**9 + 1, "result": "0x"}
    with (
        serving(_batch(twice, given)) as (node, _),
        pytest.raises(NodeFailed, match=told),
    ):
        node.try_calls([_call()] * 2, sender=SENDER)


def test_an_endpoint_that_takes_no_calls_together_is_told_with_its_reason() -> None:
    with (
        serving(lambda many: error(many[0], "batch not supported")) as (node, _),
        pytest.raises(NodeFailed, match="an error: batch not supported"),
    ):
        node.try_calls([_call()], sender=SENDER)


# ------------------------------------------------------------------------------- what is no UTF-8


def test_text_that_is_no_utf_8_stands_in_nobodys_way() -> None:
    """The contract takes any bytes for a string; so whoever creates a type can have one there."""
    key = anvil.KEYS[0]
    admin, minter = Account.from_key(key).address, Account.from_key(anvil.KEYS[1]).address
    with anvil.start() as running:
        chain = LocalChain(running.rpc_url)
        deployed = chain.deploy(key, minter=minter)
        data = keccak(text="createVoucherType(uint256,uint64,string)")[:4]
        data += encode(["uint256", "uint256", "bytes"], [2**255 + 7, 5, b"a\xff\xfez"])
        chain.web3.eth.send_transaction(
            {"from": admin, "to": chain.contract(deployed.address).address, "data": data}
        )
        node = Node(running.rpc_url, timeout=10)
        logs = list(
            node.logs(
                deployed.address,
                *("VoucherTypeCreated", "RoleGranted"),
                first=deployed.block,
                last=node.head(),
            )
        )
        uri = node.view(deployed.address, "uri", 2**255 + 7)
    assert uri == "a\ufffd\ufffdz"
    assert logs[-1].arguments == {"tokenId": 2**255 + 7}
    assert logs[-1].event == "VoucherTypeCreated"
    granted = [log.arguments for log in logs if log.event == "RoleGranted"]
    assert {
        "role": Role.MINTER.identifier,
        "account": minter,
        "sender": admin,
    } in granted


@pytest.mark.parametrize(
    "topics",
    [
        [],
        ["0x" + "ab" * 32],
        ["0x" + keccak(text="RoleGranted(bytes32,address,address)").hex()],
        ["0x" + keccak(text="RoleGranted(bytes32,address,address)").hex(), *["0x" + "ff" * 32] * 3],
    ],
    ids=["none", "another event's", "too few", "no address"],
)
def test_a_log_that_is_none_of_the_events_is_the_endpoints_fault(topics: list[str]) -> None:
    log = {
        "address": CONTRACT,
        "blockHash": "0x" + "11" * 32,
        "blockNumber": "0x1",
        "data": "0x",
        "logIndex": "0x0",
        "removed": False,
        "topics": topics,
        "transactionHash": "0x" + "22" * 32,
        "transactionIndex": "0x0",
    }
    with (
        serving(lambda one: result(one, [log])) as (node, _),
        pytest.raises(NodeFailed, match="no JSON-RPC"),
    ):
        list(node.logs(CONTRACT, "RoleGranted", first=1, last=1))


# ---------------------------------------------------------------------------------- burns, whole


def _burned(serial: int, **changes: Any) -> dict[str, Any]:
    """A `VoucherRedeemed` log as endpoints tell it, in block `serial`."""
    return {
        "address": CONTRACT,
        "topics": [
            "0x" + keccak(text="VoucherRedeemed(address,uint256,uint256,bytes32,uint256)").hex(),
            "0x" + encode(["address"], [SENDER]).hex(),
            f"0x{1001:064x}",
            f"0x{serial:064x}",
        ],
        "data": "0x" + encode(["uint256", "uint256"], [3, serial]).hex(),
        "blockNumber": hex(serial),
        "blockHash": f"0x{serial:064x}",
        "blockTimestamp": hex(1_700_000_000 + serial),
        "transactionHash": "0x" + "cd" * 32,
        "transactionIndex": "0x0",
        "logIndex": "0x7",
        "removed": False,
        **changes,
    }


@contextmanager
def redeemed(
    tell: Callable[[int, int], list[dict[str, Any]]],
) -> Iterator[tuple[Node, list[tuple[int, int]]]]:
    """An endpoint with these logs between two blocks; gives the ranges asked for, too. The time of
    block n is 5000 + n."""
    asked: list[tuple[int, int]] = []

    def one(request: Any) -> Any:
        blocks = span(request)
        if blocks is not None:
            asked.append(blocks)
            return tell(*blocks)
        if request["method"] == "eth_getBlockByNumber":
            number = int(request["params"][0], 16)
            time = hex(5000 + number)
            return {"number": hex(number), "hash": f"0x{number:064x}", "timestamp": time}
        return "0x7a69"

    def answer(request: Any) -> Reply:
        if isinstance(request, list):
            replies = [json.loads(result(each, one(each))[1]) for each in request]
            return 200, json.dumps(replies).encode()
        return result(request, one(request))

    with serving(answer) as (node, _):
        yield node, asked


def test_a_burn_is_decoded_whole_by_the_abi() -> None:
    with redeemed(lambda *_: [_burned(5)]) as (node, _):
        (burn,) = node.burns(CONTRACT, first=1, last=10)
    assert burn == Burn(
        serial=5,
        user=SENDER,
        token_id=1001,
        amount=3,
        order_hash=f"0x{5:064x}",
        tx_hash="0x" + "cd" * 32,
        log_index=7,
        block=BlockRef(5, f"0x{5:064x}", 1_700_000_005),
    )


def test_times_that_logs_do_not_tell_come_from_their_blocks() -> None:
    told = [_burned(serial, blockTimestamp=None) for serial in range(1, 46)]
    told[3] |= {"blockTimestamp": "0x11"}
    with redeemed(lambda *_: told) as (node, _):
        times = [burn.block.time for burn in node.burns(CONTRACT, first=1, last=50)]
    assert times == [*range(5001, 5004), 17, *range(5005, 5046)]


def test_a_log_of_a_block_that_is_not_on_the_chain_is_no_burn() -> None:
    stray = _burned(5, blockTimestamp=None, blockHash="0x" + "ee" * 32)
    with redeemed(lambda *_: [stray]) as (node, _), pytest.raises(NodeFailed):
        list(node.burns(CONTRACT, first=1, last=10))


@pytest.mark.parametrize(
    "changes",
    [
        {"removed": True},
        {"address": SENDER},
        {"data": "0x12"},
        {"topics": ["0x" + "11" * 32]},
        {"blockNumber": "0xff"},
        {"blockNumber": None},
        {"logIndex": "zz"},
    ],
    ids=str,
)
def test_what_was_not_asked_for_is_no_burn(changes: dict[str, Any]) -> None:
    with redeemed(lambda *_: [_burned(5, **changes)]) as (node, _), pytest.raises(NodeFailed):
        list(node.burns(CONTRACT, first=1, last=10))


def test_ranges_do_not_grow_where_they_hold_many_logs() -> None:
    """Memory does not grow with the number of logs."""
    many = [_burned(1) for _ in range(MANY_LOGS + 1)]

    def tell(first: int, _last: int) -> list[dict[str, Any]]:
        return [one | {"blockNumber": hex(first)} for one in many] if first < 3 * LOG_RANGE else []

    with redeemed(tell) as (node, asked):
        found = sum(1 for _ in node.burns(CONTRACT, first=1, last=8 * LOG_RANGE))
    assert found == 3 * len(many)
    sizes = [last - first + 1 for first, last in asked]
    assert sizes[:4] == [LOG_RANGE] * 4
    assert sizes[4] > LOG_RANGE


def test_several_requests_are_told_in_their_order() -> None:
    with redeemed(lambda *_: []) as (node, _):
        told = node.batch([("eth_getBlockByNumber", [hex(one), False]) for one in range(1, 46)])
    assert [int(block["number"], 16) for block in told] == list(range(1, 46))
