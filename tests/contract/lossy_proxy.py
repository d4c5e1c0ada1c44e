"""A proxy in front of a DynamoDB engine that can lose answers or give its own."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
"""From a request's body to the status and body of an answer made up here."""


def lose(operation: str) -> "Script":
    """Pass one request on, then hang up instead of answering."""
    return Script(operation, None)


def answer(operation: str, made_up: Answer) -> "Script":
    """Answer one request without passing it on."""
    return Script(operation, made_up)


def error(code: str, **more: Any) -> Answer:
    """An error as DynamoDB answers it."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}
    return lambda _: (400, body)


@dataclass(frozen=True, slots=True)
class Script:
    """What to do with the next request for one operation; `None` loses the answer."""

    operation: str
    made_up: Answer | None


@dataclass(slots=True)
class LossyProxy:
    """Where it listens, what it is about to do, and the operations that it was asked for."""

    endpoint: str = ""
    scripts: list[Script] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_script(self, operation: str) -> Script | None:
        """Takes the next script off the list where it is for this operation."""
        with self._lock:
            self.asked.append(operation)
            if self.scripts and self.scripts[0].operation == operation:
                return self.scripts.pop(0)
        return None


@contextmanager
def proxy_to(endpoint: str) -> Iterator[LossyProxy]:
    """Run a proxy in front of `endpoint` until the context is left."""
    proxy = LossyProxy()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script = proxy.next_script(self.headers["X-Amz-Target"].rpartition(".")[2])
            if script and script.made_up:
                status, made_up = script.made_up(json.loads(body))
                self._reply(status, json.dumps(made_up).encode())
                return
            status, answered = _forward(endpoint, dict(self.headers), body)
            if script is None:
                self._reply(status, answered)

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _forward(endpoint: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    kept = {name: value for name, value in headers.items() if name.lower() != "host"}
    request = urllib.request.Request(endpoint, data=body, headers=kept, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()
