"""The console as production serves it: pages and API under one origin."""

import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx

from ops.static_site import Application, static_site, write_config

API_PATH = "/api/v1"
HOP_BY_HOP = {"connection", "content-length", "content-encoding", "transfer-encoding", "server"}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


class Front:
    """One origin for a built site and the API at `api_url`; another build may take its place."""

    def __init__(self, site: Path, api_url: str, state: Path) -> None:
        self.url = ""
        self._state = state
        self._client = httpx.Client(trust_env=False, timeout=30.0)
        self._api_url = api_url
        write_config(state, {"apiUrl": API_PATH})
        self._pages: Application
        self.serve(site)

    def serve(self, site: Path) -> None:
        """From now on, serve the site built in that directory."""
        self._pages = static_site(str(site), str(self._state))

    def close(self) -> None:
        """Talk to the API no more."""
        self._client.close()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer from the API or from the site, by the path."""
        path = str(environ["PATH_INFO"])
        if path.startswith(API_PATH):
            return self._ask(path, environ, start)
        return self._pages(environ, start)

    def _ask(self, path: str, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        headers = {
            name[5:].replace("_", "-"): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") and name != "HTTP_HOST"
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = str(environ["CONTENT_TYPE"])
        length = int(environ.get("CONTENT_LENGTH") or 0)
        query = environ.get("QUERY_STRING")
        answer = self._client.request(
            str(environ["REQUEST_METHOD"]),
            self._api_url + path.removeprefix(API_PATH) + (f"?{query}" if query else ""),
            headers=headers,
            content=environ["wsgi.input"].read(length) if length else None,
        )
        kept = [(name, value) for name, value in answer.headers.items() if name not in HOP_BY_HOP]
        start(f"{answer.status_code} {answer.reason_phrase}", kept)
        return [answer.content]


@contextmanager
def running_front(site: Path, api_url: str, state: Path) -> Iterator[Front]:
    """A front on a free port; it ends with the context."""
    front = Front(site, api_url, state)
    with make_server("127.0.0.1", 0, front, _Server, _Quiet) as server:
        front.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
            front.close()


def next_build(site: Path, target: Path) -> Path:
    """A copy of the build in `site` that a browser takes for a newer one; `target` itself."""
    shutil.copytree(site, target, ignore=shutil.ignore_patterns("*.gz", "*.br"))
    page = (target / "index.html").read_text("utf-8")
    (target / "index.html").write_text(page.replace("<title>", '<meta name="newer"><title>'))
    worker = target / "service-worker.js"
    text, count = re.subn("[0-9a-f]{64}", "0" * 64, worker.read_text("utf-8"))
    assert count == 1, "the worker names its build once"
    worker.write_text(text)
    return target
