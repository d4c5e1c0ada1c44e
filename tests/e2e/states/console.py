"""The console's states: sign-in, desk and camera, every answer, and what is not certain yet."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.faults import (
    Fault,
    Faults,
    Held,
    altered,
    answer_dropped,
    problem,
    request_dropped,
)
from tests.e2e.input_method import scan_through_unikey
from tests.e2e.states import state
from tests.e2e.steps import (
    AI_SUITE,
    MEETING_ROOM,
    ON_CHAIN_MS,
    check_code,
    expect_answer,
    sign_in,
)
from tests.e2e.world import Placed, World

COWORKING = 3001
SCAN = "/reception/orders/*"
LIST = "/reception/orders"
DELIVER = "/orders/*/deliver"
NOBODY = "0" * 16

# "Not certain" comes by itself after 2.5 s of waiting: here it does not, so that "sending" stays.
PATIENT = """
() => {
  const { setTimeout } = window;
  window.setTimeout = (run, ms) => (ms === 2500 ? 0 : setTimeout(run, ms));
}
"""
NO_CAMERA = """
([message, name, permission]) => {
  navigator.permissions.query = async () =>
    Object.assign(new EventTarget(), { state: permission });
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException(message, name);
  };
}
"""
UNDECIDED = """
() => {
  navigator.mediaDevices.getUserMedia = () => new Promise(() => {});
}
"""
# A browser that has no cameras for any page, or none for pages that did not come over https.
NO_DEVICES = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
INSECURE = f"""
{NO_DEVICES}
Object.defineProperty(globalThis, 'isSecureContext', {{ value: false }});
"""
# A newer build was loaded and waits, as only a second deployment would bring about; `taken` counts
# how often it was told to take over.
NEWER_BUILD = """
(() => {
  globalThis.taken = 0;
  const waiting = { postMessage: () => { taken += 1; } };
  const registration = { waiting, update: async () => {} };
  const workers = Object.assign(new EventTarget(), {
    controller: {},
    register: async () => registration,
  });
  Object.defineProperty(navigator, "serviceWorker", { value: workers });
})();
"""
# All keys in one go: a busy machine would pause between them as no scanner does.
SCANNED = """
(text) => {
  for (const key of [...text, "Enter"]) {
    const stroke = { key, code: "Unidentified", bubbles: true, cancelable: true };
    document.body.dispatchEvent(new KeyboardEvent("keydown", stroke));
  }
}
"""
# A camera that shows a moving picture of nothing, with a light and a sibling.
CAMERA = """
(() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  const shade = context.createLinearGradient(0, 0, 640, 480);
  shade.addColorStop(0, "#5c6b73");
  shade.addColorStop(1, "#253237");
  const draw = () => {
    context.fillStyle = shade;
    context.fillRect(0, 0, 640, 480);
    requestAnimationFrame(draw);
  };
  draw();
  const cameras = ["Back camera", "Front camera"].map((label, at) =>
    ({ kind: "videoinput", deviceId: `camera-${at}`, groupId: "", label }));
  navigator.mediaDevices.enumerateDevices = async () => cameras;
  navigator.mediaDevices.getUserMedia = async () => {
    const stream = canvas.captureStream();
    const [track] = stream.getVideoTracks();
    track.getCapabilities = () => ({ torch: true, deviceId: "camera-0" });
    track.getSettings = () => ({ deviceId: "camera-0", width: 640, height: 480 });
    track.applyConstraints = async () => {};
    return stream;
  };
})();
"""


def expect_screen(page: Page, name: str) -> None:
    expect(page.locator("main")).to_have_attribute("data-screen", name, timeout=ON_CHAIN_MS)


def expect_notice(page: Page, key: str) -> None:
    expect(page.locator(f'[data-notice="{key}"]')).to_be_visible(timeout=ON_CHAIN_MS)


def other_site(world: World) -> str:
    """A site that the desk's receptionist does not serve."""
    sites = world.api("GET", "/catalog")["sites"]
    return str(next(one["siteId"] for one in sites if one["siteId"] != world.site))


@contextmanager
def hired(world: World, *sites: str) -> Iterator[tuple[str, str]]:
    """A new receptionist's name and one-time password; gone again afterwards."""
    username = f"state.{secrets.token_hex(4)}"
    at = [word for site in sites for word in ("--site", site)]
    added = _staff(world, "add", username, "--role", "RECEPTION", *at, "--json")
    try:
        yield username, json.loads(added)["oneTimePassword"]
    finally:
        _staff(world, "disable", username)


def _staff(world: World, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "staff", *arguments],
        env=os.environ | world.stack["store"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def enter(page: Page, username: str, password: str) -> None:
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("sign-in").click()


def choose_password(page: Page, current: str) -> None:
    expect_screen(page, "password")
    page.get_by_test_id("current-password").fill(current)
    page.get_by_test_id("new-password").fill(secrets.token_urlsafe(18))
    page.get_by_test_id("change-password").click()


def desk_under(world: World, method: str, path: str, fault: Fault) -> Page:
    """The desk, where that fault has been there since before somebody signed in."""
    page = world.console()
    world.faults(page).on(method, path, fault)
    sign_in(page, dict(world.stack), world.site)
    return page


def search(page: Page, text: str) -> None:
    """Look for that text in the list."""
    page.get_by_test_id("list-search").fill(text)
    page.get_by_test_id("list-submit").click()


def answered(world: World, placed: Placed, answer: str) -> Page:
    """That order's answer at the desk."""
    page = world.desk()
    check_code(page, placed.code)
    expect_answer(page, answer)
    return page


def told(world: World, placed: Placed, answer: str, change: Callable[[Any], Any]) -> Page:
    """The same, where the API tells the order's state differently than it is."""
    page = world.desk()
    world.faults(page).on("GET", SCAN, altered(change))
    check_code(page, placed.code)
    expect_answer(page, answer)
    return page


def because(code: str, **more: Any) -> Callable[[Any], Any]:
    """The order is not deliverable, for that reason."""

    def change(view: Any) -> None:
        reason = {"code": code, "message": {"vi": code, "en": code}}
        view.update({"deliverable": False, "reason": reason} | more)

    return change


def unpaid(world: World) -> Placed:
    """An order that nobody has redeemed."""
    return world.place(world.chain.account({MEETING_ROOM: 2}), MEETING_ROOM)


def foreign(world: World, text: str, notice: str) -> Page:
    """A USB scanner read that text, which the desk knows for what it is."""
    page = world.desk()
    page.evaluate(SCANNED, text)
    expect_answer(page, "foreign")
    expect_notice(page, notice)
    return page


# ---------------------------------------------------------------- who is at the desk


@state("console", "loading")
def loading(world: World) -> Iterator[Page]:
    """The page was opened, the API has not answered yet."""
    page = world.console()
    held = Held()
    world.faults(page).on("GET", "/config", held)
    page.evaluate("localStorage.clear()")
    page.reload()
    expect_screen(page, "loading")
    yield page


@state("console", "down")
def down(world: World) -> Iterator[Page]:
    """The API has not been reached since the page was opened."""
    page = world.console()
    world.faults(page).on("GET", "/config", request_dropped)
    page.evaluate("localStorage.clear()")
    page.reload()
    expect_screen(page, "down")
    yield page


@state("console", "sign-in", core=True)
def nobody(world: World) -> Iterator[Page]:
    """Nobody is signed in."""
    page = world.console()
    expect(page.get_by_test_id("username")).to_be_visible()
    yield page


@state("console", "login.wrong")
def wrong_password(world: World) -> Iterator[Page]:
    """Name or password was wrong."""
    page = world.console()
    enter(page, f"nobody.{secrets.token_hex(4)}", "wrong password here")
    expect_notice(page, "login.wrong")
    yield page


@state("console", "login.locked")
def locked(world: World) -> Iterator[Page]:
    """Too many wrong passwords: how long to wait."""
    page = world.console()
    world.faults(page).on("POST", "/auth/login", problem(429, "LOGIN_LOCKED", retry_after=60))
    enter(page, "desk", "wrong password here")
    expect_notice(page, "login.locked")
    yield page


@state("console", "login.offline")
def sign_in_offline(world: World) -> Iterator[Page]:
    """Signing in, no answer came."""
    page = world.console()
    world.faults(page).on("POST", "/auth/login", request_dropped)
    enter(page, "desk", "some password here")
    expect_notice(page, "login.offline")
    yield page


@state("console", "login.ended")
def session_over(world: World) -> Iterator[Page]:
    """The session ended while an order was looked at; what was done is kept."""
    page = answered(world, unpaid(world), "not-burned")
    faults = world.faults(page)
    faults.on("GET", LIST, problem(401, "UNAUTHENTICATED"))
    faults.on("GET", SCAN, problem(401, "UNAUTHENTICATED"))
    faults.on("POST", "/auth/refresh", problem(401, "UNAUTHENTICATED"))
    page.get_by_test_id("next").click()
    expect_notice(page, "login.ended")
    yield page


@state("console", "password")
def first_password(world: World) -> Iterator[Page]:
    """The password came from somebody else and has to be replaced."""
    with hired(world, world.site) as (username, password):
        page = world.console()
        enter(page, username, password)
        expect_screen(page, "password")
        yield page


@state("console", "password.name")
def password_refused(world: World) -> Iterator[Page]:
    """The new password is not accepted."""
    with hired(world, world.site) as (username, password):
        page = world.console()
        enter(page, username, password)
        expect_screen(page, "password")
        page.get_by_test_id("current-password").fill(password)
        page.get_by_test_id("new-password").fill(f"{username} {username}")
        page.get_by_test_id("change-password").click()
        expect_notice(page, "password.name")
        yield page


@state("console", "site")
def which_site(world: World) -> Iterator[Page]:
    """Somebody who serves several sites says where this desk is."""
    with hired(world, world.site, other_site(world)) as (username, password):
        page = world.console()
        enter(page, username, password)
        choose_password(page, password)
        expect_screen(page, "site")
        yield page


@state("console", "site.none")
def no_site(world: World) -> Iterator[Page]:
    """Nobody has said yet where this person works."""
    page = world.console()
    nowhere = altered(lambda session: session["staff"].update(sites=[]))
    world.faults(page).on("POST", "/auth/login", nowhere)
    staff = world.staff()
    enter(page, staff["username"], staff["password"])
    expect_screen(page, "site")
    expect(page.get_by_test_id("look-for-sites")).to_be_visible()
    yield page


# ---------------------------------------------------------------- the desk


@state("console", "desk", core=True)
def desk(world: World) -> Iterator[Page]:
    """Ready for the next customer, with today's orders."""
    world.deliver(world.ready(AI_SUITE, aiAccount="lan.nguyen@example.com"))
    world.ready(COWORKING)
    unpaid(world)
    page = world.desk()
    expect(page.get_by_test_id("queue-item").first).to_be_visible()
    yield page


@state("console", "desk-loading")
def list_loading(world: World) -> Iterator[Page]:
    """Today's orders have not come yet."""
    page = desk_under(world, "GET", LIST, Held())
    expect(page.get_by_test_id("queue")).to_have_attribute("aria-busy", "true")
    yield page


@state("console", "desk-empty")
def list_empty(world: World) -> Iterator[Page]:
    """No order today yet."""
    nothing = altered(lambda _: {"items": [], "nextCursor": None})
    page = desk_under(world, "GET", LIST, nothing)
    expect(page.get_by_test_id("empty")).to_be_visible()
    yield page


@state("console", "desk-failed")
def list_failed(world: World) -> Iterator[Page]:
    """Today's orders could not be loaded."""
    page = desk_under(world, "GET", LIST, request_dropped)
    expect(page.get_by_test_id("reload")).to_be_visible()
    yield page


@state("console", "desk-search")
def searched(world: World) -> Iterator[Page]:
    """Orders of one wallet, found by its last digits."""
    account = world.chain.account({MEETING_ROOM: 2})
    world.place(account, MEETING_ROOM)
    world.place(account, MEETING_ROOM, 2)
    page = world.desk()
    page.get_by_test_id("list-days").click()
    search(page, account.address[-8:])
    expect(page.get_by_test_id("queue-item")).to_have_count(2)
    yield page


@state("console", "desk-search-nothing")
def nothing_found(world: World) -> Iterator[Page]:
    """No order fits the search."""
    page = world.desk()
    search(page, "0x" + "0" * 40)
    expect(page.get_by_test_id("empty")).to_be_visible()
    yield page


@state("console", "parse.incomplete")
def half_a_code(world: World) -> Iterator[Page]:
    """The code typed is too short."""
    page = world.desk()
    check_code(page, "7K2M 9QXR 4")
    expect_notice(page, "parse.incomplete")
    yield page


@state("console", "desk-search-filtered")
def search_filtered(world: World) -> Iterator[Page]:
    """One delivered order, found by its number among those since a day."""
    placed = world.ready(MEETING_ROOM)
    world.deliver(placed)
    page = world.desk()
    page.get_by_test_id("list-days").click()
    page.get_by_test_id("list-from").fill("2026-01-01")
    page.get_by_test_id("list-delivered").click()
    search(page, placed.order_hash)
    expect(page.get_by_test_id("queue-item")).to_have_count(1)
    yield page


@state("console", "list.search")
def search_refused(world: World) -> Iterator[Page]:
    """Nothing can be found by what was typed."""
    page = world.desk()
    search(page, "Lan Nguyen")
    expect_notice(page, "list.search")
    yield page


@state("console", "list.refused")
def list_refused(world: World) -> Iterator[Page]:
    """The API refused the list, for a reason that this page does not know."""
    page = desk_under(world, "GET", LIST, problem(409, "SOMETHING_NEW"))
    expect_notice(page, "list.refused")
    yield page


@state("console", "desk-down")
def desk_down(world: World) -> Iterator[Page]:
    """The page was reloaded without a network: the desk is there, and says so."""
    page = world.desk()
    world.faults(page).on("*", "/**", request_dropped)
    page.reload()
    expect_notice(page, "down.title")
    expect(page.get_by_test_id("queue")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_test_id("notice")).to_have_count(1)
    yield page


@state("console", "session.ends")
def session_ends(world: World) -> Iterator[Page]:
    """The session ends in some minutes."""
    soon = altered(lambda session: session.update(sessionEndsIn=480))
    page = desk_under(world, "POST", "/auth/login", soon)
    expect_notice(page, "session.ends")
    yield page


@state("console", "site.taken")
def site_taken(world: World) -> Iterator[Page]:
    """The receptionist no longer works at the site of this desk."""
    other = other_site(world)
    page = world.console()
    faults = world.faults(page)
    rights = [world.site, other]
    faults.on("POST", "/auth/*", altered(lambda session: session["staff"].update(sites=rights)))
    staff = world.staff()
    enter(page, staff["username"], staff["password"])
    page.get_by_test_id(f"site-{world.site}").click()
    expect_screen(page, "desk")
    rights = [other]
    faults.on("GET", LIST, problem(403, "FORBIDDEN_SITE"))
    page.get_by_test_id("list-open").click()
    expect_notice(page, "site.taken")
    yield page


@state("console", "app.updating")
def app_updating(world: World) -> Iterator[Page]:
    """A newer build takes over between two customers."""
    page = world.console()
    page.add_init_script(NEWER_BUILD)
    page.reload()
    sign_in(page, dict(world.stack), world.site)
    expect_notice(page, "app.updating")
    yield page


@state("console", "installable")
def installable(world: World) -> Iterator[Page]:
    """The browser offers to install the page."""
    page = world.desk()
    page.evaluate("dispatchEvent(new Event('beforeinstallprompt'))")
    expect(page.get_by_test_id("install")).to_be_visible()
    yield page


@state("console", "wedge.inputMethod")
def rewritten(world: World) -> Iterator[Page]:
    """A Vietnamese input method changed what the USB scanner sent; the green there went."""
    page = answered(world, world.ready(MEETING_ROOM), "deliverable")
    scan_through_unikey(page, f"ORD_20261121_{NOBODY}")
    expect_notice(page, "wedge.inputMethod")
    expect_answer(page, "foreign")
    yield page


@state("console", "muted")
def muted(world: World) -> Iterator[Page]:
    """Sound is off."""
    page = world.desk()
    page.get_by_test_id("sound").click()
    expect(page.get_by_test_id("sound")).to_have_attribute("aria-pressed", "false")
    yield page


# ---------------------------------------------------------------- the camera


@state("console", "camera")
def camera(world: World) -> Iterator[Page]:
    """The camera looks for a code; it has a light and a sibling."""
    page = world.desk()
    page.evaluate(CAMERA)
    opened(page, "on")
    expect(page.get_by_test_id("camera-choice")).to_be_visible()
    yield page


@state("console", "camera-light")
def camera_light(world: World) -> Iterator[Page]:
    """The camera's light is on."""
    page = world.desk()
    page.evaluate(CAMERA)
    opened(page, "on")
    page.get_by_test_id("torch").click()
    expect(page.get_by_test_id("torch")).to_have_attribute("aria-pressed", "true")
    yield page


@state("console", "camera-starting")
def camera_starting(world: World) -> Iterator[Page]:
    """The camera does not show a picture yet, or the browser asks whether it may."""
    page = world.desk()
    page.evaluate(UNDECIDED)
    yield opened(page, "starting")


def opened(page: Page, phase: str) -> Page:
    """That page, its camera asked for and come to that."""
    page.get_by_test_id("camera").click()
    view = page.get_by_test_id("camera-view")
    expect(view).to_have_attribute("data-camera", phase, timeout=ON_CHAIN_MS)
    return page


def _troubled(
    phase: str, title: str, error: str, message: str = "", permission: str = "granted"
) -> None:
    def bring(world: World) -> Iterator[Page]:
        page = world.desk()
        page.evaluate(NO_CAMERA, [message, error, permission])
        yield opened(page, phase)

    bring.__doc__ = title
    state("console", f"camera.{phase}")(bring)


_troubled("missing", "The device has no camera.", "NotFoundError")
_troubled("busy", "Another app uses the camera.", "NotReadableError")
_troubled("denied", "The page may not use the camera.", "NotAllowedError", permission="denied")
_troubled(
    "dismissed",
    "The browser's question about the camera was closed without an answer.",
    "NotAllowedError",
    permission="prompt",
)
_troubled(
    "system",
    "The device keeps the browser from the camera.",
    "NotAllowedError",
    "Permission denied by system",
)
_troubled("failed", "The camera does not start, and nobody knows why.", "UnknownError")


def _without_cameras(phase: str, title: str, script: str) -> None:
    def bring(world: World) -> Iterator[Page]:
        page = world.console()
        page.add_init_script(script)
        page.reload()
        sign_in(page, dict(world.stack), world.site)
        yield opened(page, phase)

    bring.__doc__ = title
    state("console", f"camera.{phase}")(bring)


_without_cameras("insecure", "The page did not come over https.", INSECURE)
_without_cameras("unsupported", "The browser has no cameras for pages.", NO_DEVICES)


@state("console", "camera.decoder")
def camera_decoder(world: World) -> Iterator[Page]:
    """There is a picture, and nothing to read codes with."""
    page = world.console()
    page.context.route("**/decoder-*.js", lambda route: route.abort())
    sign_in(page, dict(world.stack), world.site)
    page.evaluate(CAMERA)
    yield opened(page, "decoder")


# ---------------------------------------------------------------- answers


@state("console", "checking")
def checking(world: World) -> Iterator[Page]:
    """The API is asked."""
    page = world.desk()
    world.faults(page).on("GET", SCAN, Held())
    check_code(page, NOBODY)
    expect_answer(page, "checking")
    yield page


@state("console", "deliverable", core=True)
def deliverable(world: World) -> Iterator[Page]:
    """Redeemed and final: hand over the service."""
    placed = world.ready(AI_SUITE, aiAccount="lan.nguyen@example.com")
    yield answered(world, placed, "deliverable")


@state("console", "sending")
def sending(world: World) -> Iterator[Page]:
    """Delivered was pressed; the answer is on its way."""
    page = answered(world, world.ready(MEETING_ROOM), "deliverable")
    page.evaluate(PATIENT)
    world.faults(page).on("POST", DELIVER, Held())
    page.get_by_test_id("deliver").click()
    expect_answer(page, "sending")
    yield page


@state("console", "done")
def done(world: World) -> Iterator[Page]:
    """This desk delivered it."""
    placed = world.ready(AI_SUITE, aiAccount="lan.nguyen@example.com")
    page = answered(world, placed, "deliverable")
    page.get_by_test_id("deliver").click()
    expect_answer(page, "done")
    yield page


@state("console", "delivered", core=True)
def delivered(world: World) -> Iterator[Page]:
    """It was delivered before: when, by whom, where."""
    placed = world.ready(MEETING_ROOM)
    world.deliver(placed)
    yield answered(world, placed, "delivered")


@state("console", "delivered-meanwhile")
def delivered_meanwhile(world: World) -> Iterator[Page]:
    """Pressed here, but another desk was first."""
    placed = world.ready(MEETING_ROOM)
    page = answered(world, placed, "deliverable")
    world.faults(page).on("GET", "/orders/*", Held())
    world.deliver(placed)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "delivered")
    yield page


@contextmanager
def taken_back(world: World) -> Iterator[Placed]:
    """An order handed over, its burn taken back by the chain; the burn is back in the end."""
    account = world.chain.account({MEETING_ROOM: 1})
    placed = world.place(account, MEETING_ROOM)

    def on_chain() -> bool:
        return "chain" in world.api("GET", f"/orders/{placed.order_id}")

    with world.chain.frozen():
        before = world.chain.height
        world.burn(account, placed)
        world.chain.mine(4)
        world.until(lambda: world.status(placed) == "VALID", "it may be delivered")
        world.deliver(placed)
        world.chain.reorg(world.chain.height - before)
        try:
            world.until(lambda: not on_chain(), "the listener knows that the burn is gone")
            yield placed
        finally:
            # Nothing becomes VALID anywhere until it is back.
            world.burn(account, placed)
            world.chain.mine(4)
            world.until(on_chain, "the burn is back")


@state("console", "delivered-reorged")
def delivered_and_taken_back(world: World) -> Iterator[Page]:
    """It was delivered before, and the chain took the redemption back afterwards."""
    with taken_back(world) as placed:
        page = answered(world, placed, "delivered-reorged")
        expect(page.get_by_test_id("tell")).to_be_visible()
        expect(page.get_by_test_id("answer")).to_contain_text("Lễ tân")
        yield page


@state("console", "desk-reorged")
def listed_and_taken_back(world: World) -> Iterator[Page]:
    """Such an order in today's list."""
    with taken_back(world) as placed:
        page = world.desk()
        search(page, placed.order_hash)
        shown = page.get_by_test_id("queue-item")
        expect(shown).to_have_attribute("data-status", "DELIVERED")
        expect(shown.get_by_test_id("exception")).to_be_visible()
        yield page


@state("console", "waiting", core=True)
def waiting(world: World) -> Iterator[Page]:
    """The burn is on the chain, not final yet: a live count."""
    account = world.chain.account({MEETING_ROOM: 1})
    placed = world.place(account, MEETING_ROOM)
    with world.chain.frozen():
        world.burn(account, placed)
        world.chain.mine()
        world.until(lambda: world.status(placed) == "PENDING_CHAIN", "the burn is seen")
        page = answered(world, placed, "waiting")
        expect(page.get_by_test_id("confirmations")).to_have_text("1/3")
        yield page


@state("console", "waiting-finality")
def waiting_for_finality(world: World) -> Iterator[Page]:
    """Confirmations are there, finality is not."""
    account = world.chain.account({MEETING_ROOM: 1})
    placed = world.place(account, MEETING_ROOM)
    with world.chain.frozen():
        world.burn(account, placed)
        world.chain.mine()
        world.until(lambda: world.status(placed) == "PENDING_CHAIN", "the burn is seen")
        page = world.desk()
        faults = world.faults(page)
        faults.on("GET", SCAN, altered(lambda view: view["chain"].update(confirmations=3)))
        faults.on("GET", "/orders/*", altered(lambda view: view["chain"].update(confirmations=3)))
        check_code(page, placed.code)
        expect_answer(page, "waiting")
        expect(page.get_by_test_id("confirmations")).to_have_text("3/3")
        yield page


@state("console", "not-burned")
def not_burned(world: World) -> Iterator[Page]:
    """The customer has not confirmed in the wallet yet."""
    yield answered(world, unpaid(world), "not-burned")


@state("console", "expired")
def expired(world: World) -> Iterator[Page]:
    """The order's time passed without a burn."""
    yield told(world, unpaid(world), "expired", because("EXPIRED", status="EXPIRED"))


@state("console", "expiry-check")
def expiry_check(world: World) -> Iterator[Page]:
    """Its time is over; whether it was redeemed in time is being proved."""
    yield told(world, unpaid(world), "expiry-check", because("EXPIRY_BEING_CHECKED"))


@state("console", "cancelled")
def cancelled(world: World) -> Iterator[Page]:
    """The customer took the order back."""
    yield told(world, unpaid(world), "cancelled", because("CANCELLED", status="CANCELLED"))


@state("console", "wrong-site")
def wrong_site(world: World) -> Iterator[Page]:
    """The order is for another site."""
    yield answered(world, world.ready(MEETING_ROOM, site=other_site(world)), "wrong-site")


@state("console", "unknown")
def unknown(world: World) -> Iterator[Page]:
    """No such order."""
    page = world.desk()
    check_code(page, NOBODY)
    expect_answer(page, "unknown")
    yield page


@state("console", "exception.WRONG_AMOUNT")
def wrong_amount(world: World) -> Iterator[Page]:
    """Fewer vouchers were burned than were ordered: what to tell the customer."""
    account = world.chain.account({MEETING_ROOM: 2})
    placed = world.place(account, MEETING_ROOM, 2)
    call = world.chain.raw_redemption(MEETING_ROOM, 1, placed.order_hash)
    world.chain.send_raw(account, call["to"], call["data"])
    world.chain.mine(4)
    page = world.desk()
    check_code(page, placed.code)
    expect_answer(page, "exception")
    yield page


def _exception(kind: str) -> None:
    @state("console", f"exception.{kind}")
    def bring(world: World) -> Iterator[Page]:
        """A burn that does not fit the order, of another kind."""
        yield told(world, unpaid(world), "exception", because("EXCEPTION", exception=kind))


for _kind in ("WRONG_WALLET", "WRONG_TOKEN", "LATE", "DUPLICATE", "ORDER_CLOSED"):
    _exception(_kind)


@state("console", "refused")
def refused(world: World) -> Iterator[Page]:
    """Not deliverable, for a reason that this page does not know."""
    message = {
        "vi": "Đơn đang được quản trị viên xem xét.",
        "en": "An administrator is looking at the order.",
    }
    reason = {"code": "SOMETHING_NEW", "message": message}
    change = altered(lambda view: view.update(deliverable=False, reason=reason))
    page = world.desk()
    world.faults(page).on("GET", SCAN, change)
    check_code(page, unpaid(world).code)
    expect_answer(page, "refused")
    yield page


@state("console", "refused-scan")
def scan_refused(world: World) -> Iterator[Page]:
    """The API does not tell this person about orders."""
    page = world.desk()
    world.faults(page).on("GET", SCAN, problem(403, "FORBIDDEN_ROLE"))
    check_code(page, unpaid(world).code)
    expect_answer(page, "refused")
    yield page


@state("console", "offline")
def offline(world: World) -> Iterator[Page]:
    """The order cannot be asked about: never green."""
    page = world.desk()
    world.faults(page).on("*", "/**", request_dropped)
    check_code(page, NOBODY)
    expect_answer(page, "offline")
    yield page


def _foreign(kind: str, title: str, text: str) -> None:
    def bring(world: World) -> Iterator[Page]:
        yield foreign(world, text, f"parse.{kind}")

    bring.__doc__ = title
    state("console", f"parse.{kind}")(bring)


_foreign("address", "A wallet's address was scanned.", f"0x{'5a' * 20}")
_foreign("transaction", "A transaction's number was scanned.", f"0x{'5a' * 32}")
_foreign("request", "A request to pay in crypto was scanned.", f"ethereum:0x{'5a' * 20}@56")
_foreign("connect", "A code that connects a wallet was scanned.", f"wc:{'5a' * 32}@2?relay=irn")
_foreign("payment", "A bank's payment code was scanned.", f"00020101021138{'570010A000000727'}")
_foreign("wifi", "A Wi-Fi code was scanned.", "WIFI:T:WPA;S:Guests;P:coffee2026;;")
_foreign("contact", "A contact card was scanned.", "MECARD:N:Nguyen,Lan;TEL:0281234567;;")
_foreign("url", "A web address was scanned.", "https://example.com/menu")
_foreign("foreign", "Somebody else's code was scanned.", "LOYALTY-4711-0815-2342")


# ---------------------------------------------------------------- not certain


def _pressed(world: World, placed: Placed, fault: Fault) -> tuple[Page, Faults]:
    """Delivered was pressed for that order; every request from then on meets `fault`."""
    page = answered(world, placed, "deliverable")
    faults = world.faults(page)
    faults.on("*", "/**", fault)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "unsure")
    return page, faults


def _left(world: World, placed: Placed, fault: Fault) -> tuple[Page, Faults]:
    """The same, back at the desk for the next customer."""
    page, faults = _pressed(world, placed, fault)
    page.get_by_test_id("next").click()
    return page, faults


@state("console", "unsure", core=True)
def unsure(world: World) -> Iterator[Page]:
    """A delivery was sent and its answer lost: kept, and not final yet."""
    page, _ = _pressed(world, world.ready(MEETING_ROOM), answer_dropped)
    yield page


@state("console", "presses")
def presses(world: World) -> Iterator[Page]:
    """Back at the desk, a delivery is not confirmed yet."""
    page, _ = _left(world, world.ready(MEETING_ROOM), answer_dropped)
    expect(page.get_by_test_id("press")).to_be_visible()
    yield page


def _outcome(page: Page, kind: str) -> Page:
    """Back at the desk, once it has learned what became of the delivery."""
    told = page.get_by_test_id("press")
    expect(told).to_have_attribute("data-outcome", kind, timeout=ON_CHAIN_MS)
    return page


@state("console", "presses.ours")
def press_confirmed(world: World) -> Iterator[Page]:
    """A delivery whose answer was lost is confirmed later."""
    page, faults = _left(world, world.ready(MEETING_ROOM), answer_dropped)
    faults.lift()
    yield _outcome(page, "ours")


@state("console", "presses.other")
def press_too_late(world: World) -> Iterator[Page]:
    """A delivery that never went out; another desk was faster meanwhile."""
    placed = world.ready(MEETING_ROOM)
    page, faults = _left(world, placed, request_dropped)
    world.deliver(placed)
    faults.lift()
    yield _outcome(page, "other")


@state("console", "presses.refused")
def press_refused_later(world: World) -> Iterator[Page]:
    """A delivery that never went out and is refused later, for a reason not known here."""
    page, faults = _left(world, world.ready(MEETING_ROOM), request_dropped)
    faults.lift()
    faults.on("POST", DELIVER, problem(409, "SOMETHING_NEW"))
    yield _outcome(page, "refused")


@state("console", "answer-presses")
def press_behind_an_answer(world: World) -> Iterator[Page]:
    """The next customer's order, while the delivery before is not confirmed."""
    page, faults = _left(world, world.ready(MEETING_ROOM), request_dropped)
    faults.lift()
    faults.on("POST", DELIVER, request_dropped)
    placed = world.ready(AI_SUITE, aiAccount="lan.nguyen@example.com")
    check_code(page, placed.code)
    expect_answer(page, "deliverable")
    yield page


@state("console", "unsure-other")
def unsure_of_another(world: World) -> Iterator[Page]:
    """Somebody else's delivery of this order waits on this device."""
    placed = world.ready(MEETING_ROOM)
    with hired(world, world.site) as (username, password):
        page, faults = _left(world, placed, request_dropped)
        page.get_by_test_id("sign-out").click()
        page.get_by_test_id("leave").click()
        faults.lift()
        enter(page, username, password)
        choose_password(page, password)
        expect_screen(page, "desk")
        check_code(page, placed.code)
        expect_answer(page, "unsure")
        yield page


@state("console", "leaving")
def leaving(world: World) -> Iterator[Page]:
    """Signing out while a delivery is not confirmed."""
    page, _ = _left(world, world.ready(MEETING_ROOM), answer_dropped)
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("leaving")).to_be_visible()
    yield page


@state("console", "sign-in-presses")
def sign_in_presses(world: World) -> Iterator[Page]:
    """Nobody is signed in, and somebody's delivery waits on this device."""
    page, _ = _left(world, world.ready(MEETING_ROOM), answer_dropped)
    page.get_by_test_id("sign-out").click()
    page.get_by_test_id("leave").click()
    expect(page.get_by_test_id("presses")).to_contain_text("Lễ tân")
    yield page


@state("console", "deliver.refused")
def press_refused(world: World) -> Iterator[Page]:
    """The API refused the delivery, as the order is not final any more."""
    page = answered(world, world.ready(MEETING_ROOM), "deliverable")
    faults = world.faults(page)
    faults.on("POST", DELIVER, problem(409, "ORDER_NOT_VALID"))
    faults.on("GET", SCAN, altered(because("WAITING_FOR_CONFIRMATIONS", status="PENDING_CHAIN")))
    page.get_by_test_id("deliver").click()
    expect_notice(page, "deliver.refused")
    expect_answer(page, "waiting")
    yield page


@state("console", "deliver.again")
def press_refused_and_green(world: World) -> Iterator[Page]:
    """The API refused the delivery, and the order may be delivered all the same."""
    page = answered(world, world.ready(MEETING_ROOM), "deliverable")
    world.faults(page).on("POST", DELIVER, problem(409, "ORDER_NOT_VALID"))
    page.get_by_test_id("deliver").click()
    expect_notice(page, "deliver.again")
    expect_answer(page, "deliverable")
    yield page
