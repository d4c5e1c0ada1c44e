"""The fault proxy does what its rules say: what rests on it would otherwise prove nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from tests.chain.fault_proxy import (
    FOREIGN_HASH,
    Action,
    Edit,
    FaultProxy,
    always,
    anything,
    delay,
    double_log,
    drip,
    drop_log,
    edit,
    error,
    foreign_block_hash,
    hang_up,
    logs,
    method,
    no_logs,
    once,
    proxy_to,
    raw,
    replaced_by,
    set_in_log,
    status,
    swap_logs,
    swap_serials,
    truncate,
)

LOGS = [{"blockHash": f"0x{n}", "data": f"data {n}"} for n in range(3)]
RESULTS = {"eth_getLogs": LOGS, "eth_chainId": "0x7a69"}


class _Node(BaseHTTPRequestHandler):
    """Answers from `RESULTS`."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers: Any = [
            {"jsonrpc": "2.0", "id": call["id"], "result": RESULTS[call["method"]]}
            for call in (asked if isinstance(asked, list) else [asked])
        ]
        body = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Node)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with serving() as node, proxy_to(node) as running:
        yield running


def ask(proxy: FaultProxy, *methods: str) -> requests.Response:
    calls = [
        {"jsonrpc": "2.0", "id": at, "method": name, "params": []}
        for at, name in enumerate(methods)
    ]
    body: Any = calls if len(calls) > 1 else calls[0]
    return requests.post(proxy.url, json=body, timeout=1.0)


def test_what_no_rule_touches_passes_and_is_counted(proxy: FaultProxy) -> None:
    assert ask(proxy, "eth_getLogs").json()["result"] == LOGS
    both = ask(proxy, "eth_chainId", "eth_getLogs")
    assert [one["result"] for one in both.json()] == ["0x7a69", LOGS]
    assert (proxy.requests, dict(proxy.calls)) == (2, {"eth_getLogs": 2, "eth_chainId": 1})
    assert proxy.bytes_in > len(both.content)
    proxy.reset_counts()
    assert (proxy.requests, proxy.bytes_out, proxy.calls.total()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (no_logs, []),
        (drop_log(), [LOGS[0], LOGS[2]]),
        (drop_log(-1), LOGS[:2]),
        (double_log(0), [LOGS[0], *LOGS]),
        (swap_logs(), [LOGS[1], LOGS[0], LOGS[2]]),
        (
            swap_serials(1),
            [LOGS[0], {**LOGS[1], "data": "data 2"}, {**LOGS[2], "data": "data 1"}],
        ),
        (foreign_block_hash(), [LOGS[0], {**LOGS[1], "blockHash": FOREIGN_HASH}, LOGS[2]]),
        (set_in_log(0, removed=True), [{**LOGS[0], "removed": True}, *LOGS[1:]]),
        (replaced_by(None), None),
    ],
)
def test_result_is_edited_once_alone_or_in_a_batch(
    proxy: FaultProxy, change: Edit, told: Any
) -> None:
    proxy.add(once(logs(), edit(change)))
    assert [one["result"] for one in ask(proxy, "eth_chainId", "eth_getLogs").json()] == [
        "0x7a69",
        told,
    ]
    assert ask(proxy, "eth_getLogs").json()["result"] == LOGS


def test_rule_applies_to_its_method_until_it_is_removed(proxy: FaultProxy) -> None:
    rule = always(method("eth_chainId"), error(-32005, "limit exceeded"))
    proxy.add(rule)
    for _ in range(2):
        told = ask(proxy, "eth_chainId").json()
        assert (told["error"], "result" in told) == (
            {"code": -32005, "message": "limit exceeded"},
            False,
        )
        assert ask(proxy, "eth_getLogs").json()["result"] == LOGS
    proxy.remove(rule)
    assert ask(proxy, "eth_chainId").json()["result"] == "0x7a69"
    assert rule.used == 2


def test_rule_for_more_logs_than_there_are_is_not_used_up(proxy: FaultProxy) -> None:
    rule = once(logs(at_least=4), edit(no_logs))
    proxy.add(rule)
    assert ask(proxy, "eth_getLogs").json()["result"] == LOGS
    assert rule.used == 0


def test_http_status_and_body_take_the_answers_place(proxy: FaultProxy) -> None:
    proxy.add(once(anything, status(429, b"slow down", Retry_After="7")))
    answer = ask(proxy, "eth_chainId")
    assert (answer.status_code, answer.content) == (429, b"slow down")
    assert answer.headers["Retry-After"] == "7"
    proxy.add(once(anything, raw(b"<html>")))
    assert (ask(proxy, "eth_chainId").status_code, ask(proxy, "eth_chainId").ok) == (200, True)


@pytest.mark.parametrize(
    ("action", "failure"),
    [
        (hang_up(), requests.ConnectionError),
        (truncate(3, announced=True), requests.exceptions.ChunkedEncodingError),
        (truncate(3), requests.exceptions.JSONDecodeError),
    ],
)
def test_broken_answers_break(proxy: FaultProxy, action: Action, failure: type[Exception]) -> None:
    proxy.add(once(anything, action))
    with pytest.raises(failure):
        ask(proxy, "eth_getLogs").json()
    assert ask(proxy, "eth_getLogs").json()["result"] == LOGS


def test_slow_drip_arrives_whole(proxy: FaultProxy) -> None:
    proxy.add(once(anything, drip(piece=20, pause=0.001)))
    answer = ask(proxy, "eth_getLogs")
    assert answer.json()["result"] == LOGS


def test_held_back_answer_is_too_late(proxy: FaultProxy) -> None:
    proxy.add(once(anything, delay(30)))
    with pytest.raises(requests.Timeout):
        ask(proxy, "eth_chainId")
