"""What goes wrong at a reception desk, on the real system: one delivery, and no lie on the screen.

Every press on "deliver" is counted by its Idempotency-Key as it leaves the browser, every state of
the screen by what the page shows, and the truth is what the API says of the order.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import BrowserContext, Page, Request, expect

from ops.cli.bootstrap import system_tools
from ops.cli.main import cli
from tests.e2e.faults import Held, answer_dropped, gateway_error, problem, request_dropped, slow
from tests.e2e.front import next_build, running_front
from tests.e2e.states.console import NEWER_BUILD, NO_CAMERA, opened
from tests.e2e.steps import MEETING_ROOM, check_code, expect_answer, reception_site, sign_in
from tests.e2e.world import Placed, World

pytestmark = pytest.mark.timeout(180)

DELIVER = "/orders/*/deliver"
GREEN = {"deliverable", "done"}
# Every state that the answer page goes through, oldest first.
WATCH = """
(() => {
  globalThis.shown = [];
  new MutationObserver(() => {
    const state = document.querySelector('[data-testid="answer"]')?.dataset.state ?? null;
    if (state !== (shown.at(-1) ?? null)) shown.push(state);
  }).observe(document, { subtree: true, childList: true, attributes: true });
})()
"""
CACHED = """
async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  }
  return found;
}
"""

WAITING = "() => navigator.serviceWorker.getRegistration().then((one) => Boolean(one.waiting))"


@dataclass(frozen=True, slots=True)
class Person:
    """A receptionist of the demo's site, made for one test."""

    username: str
    password: str


@dataclass
class Keys:
    """The Idempotency-Keys of the delivery requests of a browser, in the order of sending."""

    sent: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> "Keys":
        context.on("request", self._see)
        return self

    def _see(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/deliver"):
            self.sent.append(request.headers["idempotency-key"])


def staff_command(stack: Mapping[str, Any], *arguments: str) -> str:
    """`vouchers staff …` on the demo's store; what it says."""
    done = CliRunner().invoke(cli, ["staff", *arguments], obj=system_tools(stack["store"]))
    assert done.exit_code == 0, done.output
    return done.output


def revoke(world: World, person: Person) -> None:
    """End all sessions of that person, who may sign in again."""
    staff_command(world.stack, "disable", person.username)
    staff_command(world.stack, "enable", person.username)


@pytest.fixture(scope="module")
def people(stack: dict[str, Any]) -> tuple[Person, Person]:
    """Two receptionists of one site, beside those of the demo, who have signed in before."""
    with httpx.Client(base_url=stack["apiUrl"], trust_env=False, timeout=30.0) as client:
        return _hire(stack, client), _hire(stack, client)


def _hire(stack: Mapping[str, Any], client: httpx.Client) -> Person:
    username = f"desk.{secrets.token_hex(4)}"
    where = ("--role", "RECEPTION", "--site", reception_site(dict(stack)))
    once = json.loads(staff_command(stack, "add", username, *where, "--json"))["oneTimePassword"]
    password = secrets.token_urlsafe(18)
    login = client.post("/auth/login", json={"username": username, "password": once})
    changed = client.post(
        "/auth/password",
        headers={"Authorization": f"Bearer {login.json()['accessToken']}"},
        json={"currentPassword": once, "newPassword": password},
    )
    assert changed.is_success, changed.text
    return Person(username, password)


def enter(page: Page, person: Person) -> None:
    page.get_by_test_id("username").fill(person.username)
    page.get_by_test_id("password").fill(person.password)
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("username")).not_to_be_attached()


def at_green(page: Page, placed: Placed) -> None:
    """That order on the screen, ready to be handed over; from here on, states are watched."""
    check_code(page, placed.code)
    expect_answer(page, "deliverable")
    expect(page.get_by_test_id("deliver")).to_be_enabled()
    page.evaluate(WATCH)


def green(world: World, **options: Any) -> tuple[Placed, Page, Keys]:
    """A new order at a desk, ready to be handed over, its presses counted."""
    placed = world.ready(MEETING_ROOM)
    page = world.desk(**options)
    keys = Keys().watch(page.context)
    at_green(page, placed)
    return placed, page, keys


def await_installation(page: Page) -> None:
    """Until the page opens without a network."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")


def shown(page: Page) -> list[str | None]:
    states: list[str | None] = page.evaluate("() => shown")
    return states


def expect_delivered_once(world: World, placed: Placed, *keys: Keys) -> None:
    """By the API's word; and each browser pressed it once, however often it had to send."""
    world.until(lambda: world.status(placed) == "DELIVERED", "it is delivered")
    for one in keys:
        assert len(set(one.sent)) == 1, one.sent


def expect_press(page: Page, outcome: str) -> None:
    row = page.get_by_test_id("press")
    expect(row).to_have_attribute("data-outcome", outcome, timeout=30_000)


def test_a_lost_answer_is_amber_until_it_is_known(world: World) -> None:
    placed, page, keys = green(world)
    faults = world.faults(page)
    faults.on("POST", DELIVER, answer_dropped, times=1)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "done")
    assert shown(page) == ["sending", "unsure", "done"]
    assert len(keys.sent) == 2
    expect_delivered_once(world, placed, keys)
    page.get_by_test_id("next").click()
    expect(page.get_by_test_id("presses")).not_to_be_attached()


@pytest.mark.slow
def test_failing_servers_are_no_refusal(world: World) -> None:
    placed, page, keys = green(world)
    faults = world.faults(page)
    faults.on("POST", DELIVER, request_dropped, times=1)
    faults.on("POST", DELIVER, problem(503, "UNAVAILABLE"), times=1)
    faults.on("POST", DELIVER, gateway_error(), times=1)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "done")
    assert shown(page) == ["sending", "unsure", "done"]
    assert len(keys.sent) == 4
    expect_delivered_once(world, placed, keys)


def test_an_answer_of_another_order_is_no_answer(world: World) -> None:
    placed, page, keys = green(world)
    faults = world.faults(page)
    # As some Wi-Fi portals do, who want a sign-in of their own.
    faults.on(
        "POST",
        DELIVER,
        lambda route: route.fulfill(status=200, content_type="application/json", body="{}"),
        times=1,
    )
    page.get_by_test_id("deliver").click()
    expect_answer(page, "done")
    assert "unsure" in shown(page)
    expect_delivered_once(world, placed, keys)


def test_offline_in_the_middle_of_a_delivery_then_a_reload(world: World) -> None:
    placed, page, keys = green(world, service_workers="allow")
    await_installation(page)
    page.context.set_offline(True)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "unsure")
    page.reload()
    expect_answer(page, "unsure")
    expect(page.get_by_test_id("deliver")).not_to_be_attached()
    page.get_by_test_id("next").click()
    expect_press(page, "none")
    assert world.status(placed) == "VALID"
    page.context.set_offline(False)
    expect_press(page, "ours")
    expect_delivered_once(world, placed, keys)
    page.get_by_test_id("acknowledge").click()
    expect(page.get_by_test_id("press")).not_to_be_attached()
    cached = page.evaluate(CACHED)
    assert "/" in cached
    assert not [path for path in cached if "api" in path]


def test_a_tab_closed_over_a_press_sends_it_after_signing_in(
    world: World, people: tuple[Person, Person]
) -> None:
    placed = world.ready(MEETING_ROOM)
    lan, minh = people
    page = world.console()
    enter(page, lan)
    keys = Keys().watch(page.context)
    at_green(page, placed)
    page.context.set_offline(True)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "unsure")
    page.close()

    page = page.context.new_page()
    page.context.set_offline(False)
    page.goto(world.stack["receptionUrl"])
    expect(page.get_by_test_id("presses")).to_contain_text(lan.username)
    enter(page, minh)
    expect_press(page, "none")
    expect(page.get_by_test_id("send-now")).not_to_be_attached()
    check_code(page, placed.code)
    expect_answer(page, "unsure")
    page.get_by_test_id("next").click()
    assert world.status(placed) == "VALID", "nobody delivers in another's name"
    page.get_by_test_id("sign-out").click()
    enter(page, lan)
    expect_press(page, "ours")
    expect_delivered_once(world, placed, keys)


def test_a_revoked_session_keeps_the_note_for_the_same_person(
    world: World, people: tuple[Person, Person]
) -> None:
    placed = world.ready(MEETING_ROOM)
    lan, minh = people
    page = world.console()
    enter(page, lan)
    at_green(page, placed)
    page.get_by_test_id("note").fill("Room 3, key at")
    revoke(world, lan)
    keys = Keys().watch(page.context)
    page.get_by_test_id("deliver").click()
    expect(page.get_by_test_id("username")).to_be_visible()
    expect(page.locator('[data-notice="login.ended"]')).to_be_visible()
    assert world.status(placed) == "VALID"
    enter(page, minh)
    expect(page.get_by_test_id("answer")).not_to_be_attached()
    assert "Room 3" not in page.content()
    page.get_by_test_id("sign-out").click()
    enter(page, lan)
    expect_answer(page, "done")
    expect_delivered_once(world, placed, keys)


@pytest.mark.slow
def test_a_half_written_note_comes_back(world: World, people: tuple[Person, Person]) -> None:
    placed = world.ready(MEETING_ROOM)
    lan, _ = people
    page = world.console()
    enter(page, lan)
    at_green(page, placed)
    page.get_by_test_id("note").fill("Room 3, key at")
    page.reload()
    expect(page.get_by_test_id("note")).to_have_value("Room 3, key at")
    world.faults(page).on("POST", "/auth/refresh", answer_dropped, times=1)
    revoke(world, lan)
    expect(page.get_by_test_id("username")).to_be_visible(timeout=30_000)
    enter(page, lan)
    expect_answer(page, "deliverable")
    expect(page.get_by_test_id("note")).to_have_value("Room 3, key at")


def test_two_desks_at_once_end_with_one_delivery_and_the_truth(
    world: World, people: tuple[Person, Person]
) -> None:
    placed = world.ready(MEETING_ROOM)
    desks = [world.console() for _ in range(2)]
    held = Held()
    keys = []
    for page, person in zip(desks, people, strict=True):
        enter(page, person)
        at_green(page, placed)
        keys.append(Keys().watch(page.context))
        world.faults(page).on("POST", DELIVER, held, times=1)
        page.get_by_test_id("deliver").click()
    world.until(lambda: len(held) == len(desks), "both are on their way")
    held.let_go()
    answers = []
    for page in desks:
        expect(page.get_by_test_id("answer")).to_have_attribute(
            "data-state", re.compile("done|delivered"), timeout=30_000
        )
        answers.append(shown(page)[-1])
    assert sorted(str(answer) for answer in answers) == ["delivered", "done"]
    loser = desks[answers.index("delivered")]
    winner = people[answers.index("done")]
    assert "done" not in shown(loser)
    expect(loser.get_by_test_id("answer")).to_contain_text(winner.username)
    expect_delivered_once(world, placed, *keys)


def test_signing_out_leaves_nothing_of_the_case(
    world: World, people: tuple[Person, Person]
) -> None:
    placed = world.ready(MEETING_ROOM)
    lan, _ = people
    page = world.console()
    enter(page, lan)
    other = page.context.new_page()
    other.goto(world.stack["receptionUrl"])
    at_green(page, placed)
    page.get_by_test_id("note").fill("Room 3, key at")
    other.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("username")).to_be_visible()
    for one in (page, other):
        left = one.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
        for secret in (placed.code, "Room 3", "refreshToken", lan.username):
            assert secret not in left + one.content() + one.url


@pytest.mark.slow
def test_a_note_is_written_on_while_the_network_comes_and_goes(world: World) -> None:
    _, page, keys = green(world)
    page.get_by_test_id("note").focus()
    page.keyboard.type("Room 3", delay=70)
    world.faults(page).on("GET", "/orders/*", request_dropped, times=1)
    expect_answer(page, "offline")
    page.keyboard.type(" key", delay=70)
    page.keyboard.press("Enter")
    expect_answer(page, "deliverable")
    page.keyboard.type(" at desk", delay=70)
    expect(page.get_by_test_id("note")).to_have_value("Room 3 key at desk")
    expect(page.get_by_test_id("note")).to_be_focused()
    assert keys.sent == []


@pytest.mark.slow
def test_a_held_enter_presses_once(world: World) -> None:
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    keys = Keys().watch(page.context)
    page.get_by_test_id("code").fill(placed.code)
    page.get_by_test_id("code").focus()
    for _ in range(40):
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    expect_answer(page, "deliverable")
    assert keys.sent == []
    page.keyboard.up("Enter")
    # The second tap of a double tap that began before there was an answer.
    page.get_by_test_id("deliver").dispatch_event("click", {"detail": 2})
    expect_answer(page, "deliverable")
    page.get_by_test_id("deliver").focus()
    for _ in range(40):
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    expect_answer(page, "done")
    page.keyboard.up("Enter")
    expect_delivered_once(world, placed, keys)


@pytest.mark.slow
def test_a_scan_while_a_delivery_is_sent_loses_neither(world: World) -> None:
    first, second = world.ready(MEETING_ROOM), world.ready(MEETING_ROOM)
    page = world.desk()
    keys = Keys().watch(page.context)
    at_green(page, first)
    held = Held()
    world.faults(page).on("POST", DELIVER, held, times=1)
    page.get_by_test_id("note").fill("Room 3")
    page.get_by_test_id("deliver").click()
    expect_answer(page, "sending")
    page.keyboard.type(f"5SOV://order/{second.order_id}\n", delay=5)
    in_fours = " ".join(re.findall(".{4}", second.code))
    expect(page.get_by_test_id("answer")).to_contain_text(in_fours)
    expect_answer(page, "deliverable")
    held.let_go()
    expect_delivered_once(world, first, keys)
    page.get_by_test_id("next").click()
    expect_press(page, "ours")
    assert world.status(second) == "VALID"


@pytest.mark.slow
def test_a_page_that_was_frozen_shows_no_old_green(world: World) -> None:
    placed, page, keys = green(world)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    world.deliver(placed)
    page.wait_for_timeout(11_000)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    page.evaluate("() => document.querySelector('[data-testid=deliver]')?.click()")
    expect_answer(page, "delivered")
    assert keys.sent == []


@pytest.mark.slow
def test_settings_that_are_a_page_are_not_kept(world: World, tmp_path: Path) -> None:
    built = Path(world.stack["dist"]) / "reception"
    settings = tmp_path / "settings"
    with (
        running_front(built, world.stack["apiUrl"], settings) as front,
        world.browser.new_context(locale="en-US") as context,
    ):
        page = context.new_page()
        page.goto(front.url)
        await_installation(page)
        (settings / "config.json").write_text("<h1>Welcome to our Wi-Fi</h1>")
        for _ in range(2):
            page.reload()
            expect(page.get_by_test_id("username")).to_be_visible()
        context.set_offline(True)
        page.reload()
        expect(page.get_by_test_id("username")).to_be_visible()


def test_the_console_can_be_installed_and_opens_offline(world: World) -> None:
    page = world.desk(service_workers="allow")
    await_installation(page)
    devtools = page.context.new_cdp_session(page)
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Windows of tests are private ones, which install nothing.
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["display"] == "standalone"
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_test_id("code")).to_be_visible()
    page.evaluate(NO_CAMERA, ["", "NotFoundError", "granted"])
    # What is loaded after the page came as well, or it would say that codes cannot be read.
    opened(page, "missing")
    page.get_by_test_id("camera-cancel").click()
    check_code(page, "0000 0000 0000 0000")
    expect_answer(page, "offline")
    page.get_by_test_id("next").click()
    page.context.set_offline(False)
    check_code(page, "0000 0000 0000 0000")
    expect_answer(page, "unknown")


def test_a_new_build_waits_for_who_is_typing(world: World) -> None:
    page = world.console()
    page.add_init_script(NEWER_BUILD)
    page.clock.install()
    page.reload()
    page.get_by_test_id("username").fill("lan")
    page.get_by_test_id("username").focus()
    page.clock.run_for(60_000)
    assert page.evaluate("taken") == 0
    page.get_by_test_id("username").fill("")
    page.clock.run_for(60_000)
    assert page.evaluate("taken") > 0


@pytest.mark.slow
def test_ten_seconds_for_an_answer(world: World) -> None:
    placed, page, keys = green(world)
    faults = world.faults(page)
    faults.on("POST", DELIVER, slow, times=1)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "unsure")
    expect_answer(page, "done")
    assert GREEN.isdisjoint(shown(page)[:-1])
    expect_delivered_once(world, placed, keys)


@pytest.mark.slow
def test_a_green_that_cannot_be_confirmed_goes(world: World) -> None:
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    at_green(page, placed)
    held = Held()
    world.faults(page).on("GET", "/orders/*", held)
    expect_answer(page, "offline")
    expect(page.get_by_test_id("deliver")).not_to_be_attached()
    held.let_go()
    world.faults(page).lift()
    expect_answer(page, "deliverable")


@pytest.mark.slow
def test_a_new_build_takes_over_between_two_customers(world: World, tmp_path: Path) -> None:
    built = Path(world.stack["dist"]) / "reception"
    placed = world.ready(MEETING_ROOM)
    problems: list[str] = []
    with (
        running_front(built, world.stack["apiUrl"], tmp_path / "settings") as front,
        world.browser.new_context(locale="en-US") as context,
    ):
        context.on("weberror", lambda told: problems.append(str(told.error)))
        page = context.new_page()
        page.goto(front.url)
        sign_in(page, dict(world.stack), world.site)
        await_installation(page)
        page.reload()
        at_green(page, placed)
        front.serve(next_build(built, tmp_path / "newer"))
        page.evaluate(
            "() => navigator.serviceWorker.ready.then((one) => one.update()).then(() => null)"
        )
        world.until(
            lambda: bool(page.evaluate(WAITING)), "the newer build waits for the customer to go"
        )
        page.wait_for_timeout(16_000)
        expect_answer(page, "deliverable")
        expect(page.locator("meta[name=newer]")).not_to_be_attached()
        page.get_by_test_id("deliver").click()
        expect_answer(page, "done")
        page.get_by_test_id("next").click()
        expect(page.locator("meta[name=newer]")).to_be_attached(timeout=60_000)
        expect(page.get_by_test_id("code")).to_be_visible()
        names = page.evaluate("() => caches.keys()")
        assert names == [f"5sov-{'0' * 64}"]
        cached = page.evaluate(CACHED)
        assert not [path for path in cached if path.startswith("/api")]
    assert problems == []
