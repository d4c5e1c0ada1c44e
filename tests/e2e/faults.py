"""What goes wrong between a page and the API, on purpose.

    with Faults(page, stack["apiUrl"]) as faults:
        faults.on("POST", "/orders/*/deliver", answer_dropped, times=1)
        ...

A fault lies over the requests whose method and path (below /api/v1, `*` for one segment, `**` for
any rest) fit, the newest first, until it was met `times` times; all are lifted when the context is
left. A page must be opened with its service worker blocked for its requests to be seen.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

SLOW_MS = 10_000.0
EXPOSED = "X-Request-Id, Retry-After, ETag"

Fault = Callable[[Route], None]


def answer_dropped(route: Route) -> None:
    """The API does what is asked; its answer is lost on the way."""
    route.fetch()
    route.abort("connectionreset")


def request_dropped(route: Route) -> None:
    """The request never arrives."""
    route.abort("connectionfailed")


def slow(route: Route) -> None:
    """The API does it at once; the answer takes 10 s."""
    answer = route.fetch()
    route.request.frame.page.wait_for_timeout(SLOW_MS)
    route.fulfill(response=answer)


def problem(status: int, code: str, *, title: str = "", retry_after: int | None = None) -> Fault:
    """The API answers with that problem (RFC 9457)."""

    def fault(route: Route) -> None:
        body = {
            "type": "about:blank",
            "title": title or code,
            "status": status,
            "detail": title or code,
            "code": code,
            "requestId": "00000000-0000-0000-0000-000000000000",
        }
        headers = {"Access-Control-Expose-Headers": EXPOSED}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        route.fulfill(
            status=status,
            headers=headers,
            content_type="application/problem+json",
            body=json.dumps(body),
        )

    return fault


def gateway_error(status: int = 502) -> Fault:
    """Something between page and API answers in HTML, as load balancers do."""

    def fault(route: Route) -> None:
        route.fulfill(status=status, content_type="text/html", body="<h1>Bad gateway</h1>")

    return fault


unauthorised = problem(401, "UNAUTHENTICATED", title="Sign in again.")
"""The session is over."""


def altered(change: Callable[[Any], Any]) -> Fault:
    """The API's JSON, but changed: `change` alters it in place or answers another."""

    def fault(route: Route) -> None:
        answer = route.fetch()
        value = answer.json()
        changed = change(value)
        route.fulfill(response=answer, json=value if changed is None else changed)

    return fault


class Held:
    """A fault that keeps requests waiting until `let_go`."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __call__(self, route: Route) -> None:
        self._routes.append(route)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._routes)

    def let_go(self) -> None:
        """Send on what waits."""
        routes, self._routes = self._routes, []
        for route in routes:
            route.continue_()


@dataclass(slots=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    fault: Fault
    left: int | None
    met: int = 0


class Faults:
    """The faults over one page's requests to the API at `api_url` (its version included)."""

    def __init__(self, page: Page, api_url: str) -> None:
        self._page = page
        self._base = urlsplit(api_url).path
        self._pattern = f"{api_url}/**"
        self._rules: list[_Rule] = []
        self._laid = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lift()

    def on(self, method: str, path: str, fault: Fault, *, times: int | None = None) -> None:
        """Lay a fault over `method` ("*" for any) and `path`, at most `times` times."""
        if not self._laid:
            self._page.route(self._pattern, self._meet)
            self._laid = True
        self._rules.insert(0, _Rule(method, _pattern(path), fault, times))

    def met(self) -> int:
        """How many requests met a fault."""
        return sum(rule.met for rule in self._rules)

    def offline(self) -> None:
        """No request to anywhere arrives, and the browser says so."""
        self._page.context.set_offline(True)

    def online(self) -> None:
        """They arrive again."""
        self._page.context.set_offline(False)

    def lift(self) -> None:
        """Let everything through again."""
        if self._page.is_closed():
            return
        for rule in self._rules:
            if isinstance(rule.fault, Held):
                rule.fault.let_go()
        self._rules.clear()
        if self._laid:
            # A slow answer may be under way still.
            self._page.unroute_all(behavior="ignoreErrors")
            self._laid = False
        self.online()

    def _meet(self, route: Route) -> None:
        path = urlsplit(route.request.url).path.removeprefix(self._base)
        for rule in self._rules:
            if rule.left == 0 or rule.method not in ("*", route.request.method):
                continue
            if rule.path.fullmatch(path):
                rule.met += 1
                rule.left = None if rule.left is None else rule.left - 1
                rule.fault(route)
                return
        route.continue_()


def _pattern(path: str) -> re.Pattern[str]:
    text = re.escape(path).replace(r"\*\*", ".*").replace(r"\*", "[^/]+")
    return re.compile(text)
