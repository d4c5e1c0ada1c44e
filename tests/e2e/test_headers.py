"""The content policy holds in the browser: nothing breaks it in whole flows, and what breaks it is
stopped (spec: Security, strict policy).

Both sites run without the demo wallet behind nginx, on an origin they share with the API, as in
production; where nginx is missing, behind the local static server, which sends the same headers
(tests/ops/test_nginx.py).
"""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from ops.nginx import NginxMissing, Site, running
from tests.e2e.states import Stage
from tests.e2e.steps import MEETING_ROOM, check_code, expect_answer, expect_stage, sign_in
from tests.e2e.system import ROOT
from tests.e2e.wallet import Wallets
from tests.e2e.world import World, _without_demo_wallet

pytestmark = pytest.mark.timeout(120)

CONFIG = {"apiUrl": "/api/v1"}
STOPPED_MS = 5_000
LOOK_MS = 50
BARE = b"<!doctype html><title>No policy</title><p>No policy</p>"


@dataclass(frozen=True, slots=True)
class Front:
    """Where the sites are, and the only other origins that they may talk to.

    There are none behind nginx. Without it they are the demo's, whose portal has the demo wallet.
    """

    portal: str
    console: str
    friends: frozenset[str]


@pytest.fixture(scope="module")
def front(stack: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    environment = os.environ | {"FRONTENDS_DIST": str(folder / "dist")}
    subprocess.run(["node", "frontends/build.mjs"], cwd=ROOT, env=environment, check=True)
    sites = [
        Site(f"{name}.localhost", folder / "dist" / name, CONFIG)
        for name in ("portal", "reception")
    ]
    with ExitStack() as stop:
        try:
            api = urlsplit(stack["apiUrl"]).netloc
            nginx = stop.enter_context(running(folder / "nginx", sites[0], sites[1], api))
        except NginxMissing:
            friends = frozenset({_origin(stack["apiUrl"])})
            yield Front(stack["portalUrl"], stack["receptionUrl"], friends)
        else:
            yield Front(nginx.url(sites[0]), nginx.url(sites[1]), frozenset())


@pytest.fixture
def production(stage: Stage, front: Front) -> Iterator[World]:
    """A world whose sites are those of `front`; any error of its pages fails the test."""
    stack = {**stage.stack, "portalUrl": front.portal, "receptionUrl": front.console}
    with replace(stage, stack=stack).world() as world:
        yield world
        problems = list(world.problems)
    assert problems == []


def test_nothing_breaks_the_policy_or_asks_a_stranger_from_wallet_to_delivery(
    production: World, front: Front
) -> None:
    world, asked = production, dict[str, set[str]]()

    def opened(url: str) -> Page:
        page = world._page(url, ignore_https_errors=True, service_workers="allow")
        mine = asked.setdefault(_origin(url), set())
        page.context.on("request", lambda request: mine.add(_origin(request.url)))
        return page

    portal = opened(front.portal)
    wallet = world.wallet({MEETING_ROOM: 1})
    Wallets(portal.context, wallet)
    if front.friends:
        portal.route(f"{front.portal}/config.json", _without_demo_wallet)
    answer = portal.goto(front.portal)
    assert answer
    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
    portal.get_by_test_id("connect").click()
    portal.get_by_test_id(f"voucher-{MEETING_ROOM}").click()
    portal.get_by_test_id(f"site-{world.site}").check()
    portal.get_by_test_id("redeem").click()
    expect_stage(portal, "ready")
    expect(portal.get_by_test_id("qr")).to_be_visible()
    code = portal.get_by_test_id("order-code").inner_text()

    console = opened(front.console)
    console.goto(front.console)
    sign_in(console, dict(world.stack), world.site)
    console.get_by_test_id("camera").click()
    console.get_by_test_id("camera-cancel").click()
    check_code(console, code)
    expect_answer(console, "deliverable")
    console.get_by_test_id("deliver").click()
    expect_answer(console, "done")
    expect_stage(portal, "delivered")

    # data: and blob: never leave the page.
    of_its_own = {"data://", "blob://"}
    strangers = {
        site: origins - front.friends - {site} - of_its_own for site, origins in asked.items()
    }
    assert strangers == {_origin(front.portal): set(), _origin(front.console): set()}
    assert all(site in origins for site, origins in asked.items())


# ---------------------------------------------------------------- what is planted


class Stranger(ThreadingHTTPServer):
    """Another origin, which lets everybody load what it has, and remembers what was asked of it.

    Under the name of localhost it is one more origin, whose page has no policy.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StrangersAnswer)
        self.visits: list[str] = []

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def without_policy(self) -> str:
        """A page of another origin that nothing protects."""
        return f"http://localhost:{self.server_port}/"


class StrangersAnswer(BaseHTTPRequestHandler):
    """A script that tells that it ran; for localhost a page."""

    server: Stranger

    def do_GET(self) -> None:
        bare = self.headers["Host"].startswith("localhost")
        if not bare:
            self.server.visits.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if bare else "text/javascript")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(BARE if bare else b"globalThis.planted = true;")

    do_POST = do_GET  # noqa: N815  (the name that http.server looks for)

    def log_message(self, *args: Any) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


TYPES = "require-trusted-types-for"
# What is done, and the directives any of which may stop it. Planted code sets `planted`.
PLANTED = {
    "inline script": (
        """const script = document.createElement("script");
        script.append("globalThis.planted = true");
        document.body.append(script);""",
        {"script-src-elem", TYPES},
    ),
    "inline handler": (
        """const button = document.createElement("button");
        button.setAttribute("onclick", "globalThis.planted = true");
        button.click();""",
        {"script-src-attr", TYPES},
    ),
    "javascript: address": (
        """const link = document.createElement("a");
        link.href = "javascript:void(globalThis.planted = true)";
        document.body.append(link);
        link.click();""",
        {"script-src-elem", TYPES},
    ),
    "eval": ('(0, eval)("globalThis.planted = true")', {"script-src", TYPES}),
    "new Function": ('new Function("globalThis.planted = true")()', {"script-src", TYPES}),
    "innerHTML": (
        """const place = document.createElement("div");
        place.innerHTML = "<img src=x: onerror='globalThis.planted = true'>";
        document.body.append(place);""",
        {TYPES},
    ),
    "a policy of its own": (
        """trustedTypes.createPolicy("planted", { createHTML: (html) => html });
        globalThis.planted = true;""",
        {"trusted-types"},
    ),
    "style attribute": (
        """document.body.setAttribute("style", "--planted: 1");
        if (getComputedStyle(document.body).getPropertyValue("--planted")) planted = true;""",
        {"style-src-attr"},
    ),
    "inline style": (
        """const style = document.createElement("style");
        style.append("body { --planted: 1 }");
        document.head.append(style);
        if (getComputedStyle(document.body).getPropertyValue("--planted")) planted = true;""",
        {"style-src-elem"},
    ),
    "foreign script": (
        """const script = document.createElement("script");
        script.src = stranger + "/script";
        document.body.append(script);""",
        {"script-src-elem", TYPES},
    ),
    "foreign module": ('import(stranger + "/module").catch(() => {})', {"script-src-elem", TYPES}),
    "foreign worker": (
        """new Worker(URL.createObjectURL(new Blob(["fetch('" + stranger + "/worker')"])));""",
        {"worker-src", TYPES},
    ),
    "foreign style": (
        """const link = document.createElement("link");
        Object.assign(link, { rel: "stylesheet", href: stranger + "/style" });
        document.head.append(link);""",
        {"style-src-elem"},
    ),
    "foreign image": ('new Image().src = stranger + "/image"', {"img-src"}),
    "foreign fetch": ('fetch(stranger + "/fetch").catch(() => {})', {"connect-src"}),
    "foreign beacon": ('navigator.sendBeacon(stranger + "/beacon", "")', {"connect-src"}),
    "foreign frame": (
        """const frame = document.createElement("iframe");
        frame.src = stranger + "/frame";
        document.body.append(frame);""",
        {"frame-src"},
    ),
    "foreign form": (
        """const form = document.createElement("form");
        Object.assign(form, { action: stranger + "/form", method: "post" });
        document.body.append(form);
        form.submit();""",
        {"form-action"},
    ),
    "foreign base": (
        """const base = document.createElement("base");
        base.href = stranger;
        document.head.append(base);
        if (document.baseURI.startsWith(stranger)) planted = true;""",
        {"base-uri"},
    ),
}

WATCH = """
() => {
  globalThis.broken = [];
  addEventListener("securitypolicyviolation", (event) => broken.push(event.effectiveDirective));
}
"""
# As a task of the page's own: what DevTools evaluates may do more than the policy allows.
PLANT = """
([code, stranger]) => new Promise((done) => setTimeout(() => {
  try { PLANTED } catch {}
  done();
}))
"""


def until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until it holds. (The policy stops what Playwright's own waiting evaluates.)"""
    for _ in range(STOPPED_MS // LOOK_MS):
        if holds():
            return
        page.wait_for_timeout(LOOK_MS)
    pytest.fail(f"nothing happened within {STOPPED_MS} ms")


def plant(page: Page, code: str, stranger: Stranger) -> None:
    page.evaluate(PLANT.replace("PLANTED", code), [code, stranger.url])


@pytest.fixture(scope="module", params=["portal", "console"])
def page(request: pytest.FixtureRequest, browser: Browser, front: Front) -> Iterator[Page]:
    """One of the sites, opened once for all that is planted in it."""
    with browser.new_context(ignore_https_errors=True, locale="en-US") as context:
        page = context.new_page()
        page.goto(front.portal if request.param == "portal" else front.console)
        expect(page.locator("#main")).to_be_visible()
        page.evaluate(WATCH)
        yield page


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_does_nothing(page: Page, what: str, stranger: Stranger) -> None:
    code, directives = PLANTED[what]
    stranger.visits.clear()
    page.evaluate("broken.length = 0")
    before = page.url
    plant(page, code, stranger)
    until(page, lambda: page.evaluate("broken.length > 0"))
    assert set(page.evaluate("broken")) <= directives
    assert page.evaluate("globalThis.planted") is None
    assert page.url == before
    assert stranger.visits == []


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_works_without_the_policy(
    browser: Browser, what: str, stranger: Stranger
) -> None:
    """Else the test above would prove nothing."""
    stranger.visits.clear()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(stranger.without_policy)
        page.evaluate(WATCH)
        code, _ = PLANTED[what]
        if what == "foreign form":
            with page.expect_navigation():
                plant(page, code, stranger)
            assert "/form" in stranger.visits
            return
        plant(page, code, stranger)
        until(page, lambda: page.evaluate("globalThis.planted === true") or stranger.visits)
        assert page.evaluate("broken") == []


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
