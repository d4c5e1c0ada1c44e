"""One RPC endpoint: how logs are read from endpoints with limits of their own."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops.onchain.errors import NodeFailed
from ops.onchain.node import LOG_RANGE, Node

CONTRACT = "0x49d4450977E2c95362C13D3a31a09311E0Ea26A6"
LAST = 1_000_000
Refuses = Callable[[int, int], bool]


@contextmanager
def endpoint(refuses: Refuses) -> Iterator[tuple[Node, list[tuple[int, int]]]]:
    """An endpoint without logs; `refuses(size, count)` judges the `count`th range asked for, of
    `size` blocks. Gives the ranges that were answered, too."""
    answered: list[tuple[int, int]] = []
    asked = 0

    class Limited(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal asked
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer: dict[str, object] = {"jsonrpc": "2.0", "id": request["id"]}
            if request["method"] == "eth_getLogs":
                asked += 1
                first, last = (
                    int(request["params"][0][key], 16) for key in ("fromBlock", "toBlock")
                )
                if refuses(last - first + 1, asked):
                    answer["error"] = {"code": -32005, "message": "exceed maximum block range"}
                else:
                    answered.append((first, last))
                    answer["result"] = []
            else:
                answer["result"] = "0x1"
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Limited) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield Node(f"http://127.0.0.1:{server.server_port}", timeout=5), answered
        server.shutdown()
        serving.join()


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


def test_an_endpoint_that_tells_no_logs_at_all_is_given_up() -> None:
    with (
        endpoint(lambda *_: True) as (node, _),
        pytest.raises(NodeFailed, match="even of one block"),
    ):
        _read(node)
