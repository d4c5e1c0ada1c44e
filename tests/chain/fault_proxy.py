"""An HTTP proxy between the listener and a node that injects faults and counts what passes.

    with proxy_to(node_url) as proxy:
        proxy.add(once(logs(), edit(drop_log())))
        ...  # whoever asks proxy.url is told one log too few, once
        assert proxy.calls["eth_getLogs"] == 2

A `Rule` says to which calls it applies and what becomes of the answer. Each call, alone or within a
batch, is subject to the first rule that matches it and is not used up. Every request is passed on
to the node first, so a rule may look at the answer as well as at the question.
"""

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson

UPSTREAM_SECONDS = 60.0
POLL_SECONDS = 0.02
FOREIGN_HASH = "0x" + "f0" * 32


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call and what the node answered to it (`None` beside an error)."""

    method: str
    params: list[Any]
    result: Any


@dataclass(slots=True)
class Exchange:
    """An HTTP exchange under way: the answers by call, and how they go out.

    `delay` and `pause` in seconds; a body goes out in pieces of `piece` bytes where that is given;
    `cut` is how many bytes at its end are never sent, while `Content-Length` counts them where
    `cut_announced` is set.
    """

    answers: list[dict[str, Any]]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    piece: int | None = None
    pause: float = 0.0
    cut: int = 0
    cut_announced: bool = False
    hang_up: bool = False


Match = Callable[[Call], bool]
Action = Callable[[Exchange, int], None]
"""Changes an exchange, given the index of the call that matched."""

Edit = Callable[[Any], Any]
"""From a call's result to the result told in its place."""


@dataclass(slots=True)
class Rule:
    """`action` for calls that `match`: `times` times, or always. `used` counts."""

    match: Match
    action: Action
    times: int | None = None
    used: int = 0


def once(match: Match, action: Action) -> Rule:
    """A rule for the next call that matches."""
    return Rule(match, action, times=1)


def always(match: Match, action: Action) -> Rule:
    """A rule for every call that matches, until it is removed."""
    return Rule(match, action)


# ------------------------------------------------------------------------------- which calls match


def anything(_: Call) -> bool:
    """Every call."""
    return True


def method(name: str, *params: Any) -> Match:
    """Calls of a method, whose first parameters are `params`."""
    return lambda call: call.method == name and call.params[: len(params)] == list(params)


def logs(at_least: int = 1) -> Match:
    """Calls of `eth_getLogs` that the node answers with so many logs."""
    return lambda call: (
        call.method == "eth_getLogs"
        and isinstance(call.result, list)
        and len(call.result) >= at_least
    )


# ---------------------------------------------------------------------------- what becomes of them


def status(code: int, body: bytes = b"", **headers: str) -> Action:
    """An HTTP status in place of the answer; `Retry_After="1"` makes a header."""

    def action(exchange: Exchange, _: int) -> None:
        exchange.status = code
        exchange.body = body
        exchange.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return action


def hang_up() -> Action:
    """The connection is closed without an answer."""

    def action(exchange: Exchange, _: int) -> None:
        exchange.hang_up = True

    return action


def delay(seconds: float) -> Action:
    """The answer is held back so long."""

    def action(exchange: Exchange, _: int) -> None:
        exchange.delay = seconds

    return action


def drip(*, piece: int, pause: float) -> Action:
    """The body goes out `piece` bytes at a time, with `pause` seconds before each."""

    def action(exchange: Exchange, _: int) -> None:
        exchange.piece, exchange.pause = piece, pause

    return action


def truncate(missing: int = 1, *, announced: bool = False) -> Action:
    """The last `missing` bytes are not sent. `announced`: the header counts them all the same, and
    the connection is closed in the middle of the body; else the body is whole but no JSON."""

    def action(exchange: Exchange, _: int) -> None:
        exchange.cut, exchange.cut_announced = missing, announced

    return action


def raw(body: bytes) -> Action:
    """That body, with status 200, in place of the answer."""
    return status(200, body)


def error(code: int, message: str) -> Action:
    """A JSON-RPC error in place of the call's result."""

    def action(exchange: Exchange, index: int) -> None:
        answer = exchange.answers[index]
        answer.pop("result", None)
        answer["error"] = {"code": code, "message": message}

    return action


def edit(change: Edit) -> Action:
    """`change(result)` in place of the call's result."""

    def action(exchange: Exchange, index: int) -> None:
        answer = exchange.answers[index]
        answer["result"] = change(answer["result"])

    return action


# ------------------------------------------------------------------------------- edits of a result


def replaced_by(value: Any) -> Edit:
    """That value whatever the node said, such as an older head or another chain id."""
    return lambda _: value


def no_logs(_: Any) -> Any:
    """An empty list."""
    return []


def drop_log(index: int | None = None) -> Edit:
    """All but one log; without `index`, the one in the middle."""
    return lambda told: [log for at, log in enumerate(told) if at != _at(told, index)]


def double_log(index: int | None = None) -> Edit:
    """One log twice, in its place."""

    def change(told: list[Any]) -> list[Any]:
        at = _at(told, index)
        return [*told[: at + 1], told[at], *told[at + 1 :]]

    return change


def swap_logs(index: int = 0) -> Edit:
    """One log and its successor in each other's place, serials and all else kept."""

    def change(told: list[Any]) -> list[Any]:
        return [*told[:index], told[index + 1], told[index], *told[index + 2 :]]

    return change


def swap_serials(index: int = 0) -> Edit:
    """One log's data, serial included, exchanged for its successor's."""

    def change(told: list[Any]) -> list[Any]:
        one, other = told[index], told[index + 1]
        return [
            *told[:index],
            {**one, "data": other["data"]},
            {**other, "data": one["data"]},
            *told[index + 2 :],
        ]

    return change


def set_in_log(index: int | None = None, **fields: Any) -> Edit:
    """One log with other fields, such as `removed=True`, `blockHash=...`, `address=...`."""

    def change(told: list[Any]) -> list[Any]:
        at = _at(told, index)
        return [{**log, **fields} if i == at else log for i, log in enumerate(told)]

    return change


def foreign_block_hash(index: int | None = None) -> Edit:
    """One log that claims to be of a block nobody has."""
    return set_in_log(index, blockHash=FOREIGN_HASH)


def _at(told: Sequence[Any], index: int | None) -> int:
    return len(told) // 2 if index is None else index % len(told)


# -------------------------------------------------------------------------------------- the proxy


@dataclass(slots=True)
class FaultProxy:
    """Where it listens, its rules, and what passed.

    `requests` counts HTTP requests, `calls` JSON-RPC calls by method; `bytes_out` and `bytes_in`
    are of bodies towards the node and back from it. Rules may be added and removed at any time.
    """

    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    requests: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    bytes_out: int = 0
    bytes_in: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *rules: Rule) -> None:
        """Let rules apply from the next call on, after those that are there."""
        with self._lock:
            self.rules = [*self.rules, *rules]

    def remove(self, *rules: Rule) -> None:
        """Let rules apply no more."""
        with self._lock:
            self.rules = [one for one in self.rules if all(one is not gone for gone in rules)]

    def reset_counts(self) -> None:
        """Count from zero."""
        with self._lock:
            self.requests = self.bytes_out = self.bytes_in = 0
            self.calls = Counter()

    def _count(self, calls: Sequence[dict[str, Any]], *, sent: int, received: int) -> None:
        with self._lock:
            self.requests += 1
            self.calls.update(str(call["method"]) for call in calls)
            self.bytes_out += sent
            self.bytes_in += received

    def _rule_for(self, call: Call) -> Rule | None:
        with self._lock:
            for rule in self.rules:
                if (rule.times is None or rule.used < rule.times) and rule.match(call):
                    rule.used += 1
                    return rule
        return None

    def _exchange(self, asked: bytes, answered: bytes) -> Exchange | None:
        """What goes out in place of `answered`; `None` where that goes out as it is."""
        question = orjson.loads(asked)
        calls = question if isinstance(question, list) else [question]
        self._count(calls, sent=len(asked), received=len(answered))
        if not self.rules:
            return None
        answer = orjson.loads(answered)
        exchange = Exchange(answer if isinstance(answer, list) else [answer])
        touched = False
        by_id = {one.get("id"): at for at, one in enumerate(exchange.answers)}
        for asked_for in calls:
            at = by_id[asked_for["id"]]
            result = exchange.answers[at].get("result")
            call = Call(asked_for["method"], asked_for.get("params", []), result)
            rule = self._rule_for(call)
            if rule is not None:
                rule.action(exchange, at)
                touched = True
        if not touched:
            return None
        if exchange.body is None:
            batch = isinstance(question, list)
            exchange.body = orjson.dumps(exchange.answers if batch else exchange.answers[0])
        return exchange


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, proxy: FaultProxy, node_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.node = urlsplit(node_url)
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()

    def end_connections(self) -> None:
        """Clients keep theirs alive: end them, and all that is held back, so that threads end."""
        self.closing.set()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One client's connection, with a connection to the node of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    upstream: http.client.HTTPConnection | None = None

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            code, answered = self._ask_node(asked)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        exchange = None
        if code == http.HTTPStatus.OK:
            exchange = self.server.proxy._exchange(asked, answered)
        if exchange is None:
            exchange = Exchange([], status=code, body=answered)
        with suppress(ConnectionError):
            self._send(exchange, exchange.body or b"")

    def _ask_node(self, asked: bytes) -> tuple[int, bytes]:
        node = self.server.node
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(
                node.hostname or "", node.port, timeout=UPSTREAM_SECONDS
            )
        self.upstream.request("POST", node.path or "/", asked, {"Content-Type": "application/json"})
        answer = self.upstream.getresponse()
        return answer.status, answer.read()

    def _send(self, exchange: Exchange, body: bytes) -> None:
        self.server.closing.wait(exchange.delay)
        if exchange.hang_up:
            self.close_connection = True
            return
        kept = body[: len(body) - exchange.cut]
        self.send_response(exchange.status)
        self.send_header("Content-Type", "application/json")
        length = len(body) if exchange.cut_announced else len(kept)
        self.send_header("Content-Length", str(length))
        for name, value in exchange.headers.items():
            self.send_header(name, value)
        self.end_headers()
        size = exchange.piece or max(1, len(kept))
        for start in range(0, len(kept), size):
            self.server.closing.wait(exchange.pause)
            self.wfile.write(kept[start : start + size])
            self.wfile.flush()
        if exchange.cut and exchange.cut_announced:
            self.close_connection = True

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        if self.upstream is not None:
            self.upstream.close()
        with suppress(ConnectionError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def proxy_to(node_url: str) -> Iterator[FaultProxy]:
    """Run a proxy on 127.0.0.1 in front of the node until the context is left."""
    proxy = FaultProxy()
    server = _Server(proxy, node_url)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.end_connections()
        server.server_close()
