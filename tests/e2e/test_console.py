"""What a receptionist sees, hears and feels, and how a desk is worked (spec: People)."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.states.console import choose_password, enter, expect_notice, expect_screen, hired
from tests.e2e.steps import AI_SUITE, MEETING_ROOM, check_code, expect_answer, sign_in
from tests.e2e.world import DESKTOP, World

pytestmark = pytest.mark.timeout(120)

# What the speaker would play (pitches in hertz, in order) and the device do (vibration patterns).
SENSES = """
(() => {
  globalThis.heard = [];
  globalThis.felt = [];
  const { start } = AudioScheduledSourceNode.prototype;
  AudioScheduledSourceNode.prototype.start = function (...when) {
    heard.push(this.frequency.value);
    return start.apply(this, when);
  };
  Navigator.prototype.vibrate = (pattern) => felt.push(pattern) > 0;
})()
"""
# The colour that fills the screen, and the outline of the sign on it.
LOOKS = """
(page) => {
  const sign = page.querySelector(".answer-sign");
  const { clipPath, borderRadius, borderStyle } = getComputedStyle(sign);
  return {
    colour: getComputedStyle(page).backgroundColor,
    fills: page.getBoundingClientRect().width >= innerWidth
      && page.getBoundingClientRect().height >= innerHeight,
    shape: [clipPath, borderRadius, borderStyle].join(" "),
    icon: sign.querySelector("path")?.getAttribute("d"),
    words: page.querySelector("h1").textContent,
  };
}
"""
GO, DONE, STOP, TICK = [660, 990], [1320], [196, 165], [520]
GO_FELT, DONE_FELT, STOP_FELT, TICK_FELT = [70], [30, 50, 30], [220, 90, 220], [25]


@pytest.fixture
def console(world: World) -> Iterator[Page]:
    """A desk whose sounds and vibrations are noted."""
    page = world.console()
    page.add_init_script(SENSES)
    page.reload()
    sign_in(page, dict(world.stack), world.site)
    yield page
    assert not world.problems, world.problems


def sensed(page: Page) -> tuple[list[float], list[list[int]]]:
    """What was heard and felt since the last look."""
    heard, felt = page.evaluate("() => [heard.splice(0), felt.splice(0)]")
    return [round(pitch) for pitch in heard], felt


def looks(page: Page) -> dict[str, Any]:
    seen: dict[str, Any] = page.get_by_test_id("answer").evaluate(LOOKS)
    assert seen["fills"]
    return seen


def rows(page: Page) -> Locator:
    return page.get_by_test_id("queue-item")


def test_each_answer_is_seen_heard_and_felt_in_its_own_way(world: World, console: Page) -> None:
    account = world.chain.account({MEETING_ROOM: 1})
    placed = world.place(account, MEETING_ROOM)
    check_code(console, placed.code)
    expect_answer(console, "not-burned")
    amber = looks(console)
    assert sensed(console) == (TICK, [TICK_FELT])

    with world.chain.frozen():
        world.burn(account, placed)
        world.chain.mine()
        expect_answer(console, "waiting")
        count = console.get_by_test_id("confirmations")
        expect(count).to_have_text("1/3")
        world.chain.mine()
        expect(count).to_have_text("2/3")
        expect(console.get_by_test_id("deliver")).not_to_be_attached()
        sensed(console)
        world.chain.mine(3)
        expect_answer(console, "deliverable")
    green = looks(console)
    assert sensed(console) == (GO, [GO_FELT])
    expect(console.get_by_test_id("service")).to_contain_text("Meeting Room")
    expect(console.get_by_test_id("deliver")).to_be_focused()

    console.get_by_test_id("note").fill("room 3")
    console.get_by_test_id("deliver").click()
    expect_answer(console, "done")
    assert looks(console)["words"] != green["words"]
    assert sensed(console) == (DONE, [DONE_FELT])
    console.get_by_test_id("next").click()

    check_code(console, placed.code)
    expect_answer(console, "delivered")
    red = looks(console)
    assert sensed(console) == (STOP, [STOP_FELT])
    answer = console.get_by_test_id("answer")
    expect(answer).to_contain_text("Lễ tân")
    expect(answer).to_contain_text("room 3")
    site = next(s for s in world.api("GET", "/catalog")["sites"] if s["siteId"] == world.site)
    expect(answer).to_contain_text(site["name"]["en"])
    expect(answer).to_contain_text(re.compile(r"\d?\d:\d\d"))
    expect(console.get_by_test_id("deliver")).not_to_be_attached()

    for what in ("colour", "shape", "icon", "words"):
        assert len({seen[what] for seen in (green, amber, red)}) == 3, what


def test_a_muted_desk_is_silent_and_stays_so(console: Page) -> None:
    sound = console.get_by_test_id("sound")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "false")
    console.reload()
    expect(sound).to_have_attribute("aria-pressed", "false")
    check_code(console, "0" * 16)
    expect_answer(console, "unknown")
    assert sensed(console) == ([], [STOP_FELT])
    console.get_by_test_id("next").click()
    sound.click()
    assert sensed(console)[0] == DONE, "what was switched on is heard at once"


def test_a_code_is_typed_in_fours(world: World, console: Page) -> None:
    code = world.place(world.chain.account({MEETING_ROOM: 1}), MEETING_ROOM).code
    field = console.get_by_test_id("code")
    field.press_sequentially(code[:9].lower(), delay=100)
    expect(field).to_have_value(f"{code[:4]} {code[4:8]} {code[8]}")
    console.keyboard.press("Backspace")
    console.keyboard.press("Backspace")
    expect(field).to_have_value(f"{code[:4]} {code[4:7]}")
    field.press_sequentially(code[7:], delay=100)
    expect(field).to_have_value(" ".join(code[at : at + 4] for at in (0, 4, 8, 12)))
    console.keyboard.press("Enter")
    expect_answer(console, "not-burned")


def test_today_is_counted_filtered_and_searched(world: World, console: Page) -> None:
    account = world.chain.account({MEETING_ROOM: 2})
    first = world.place(account, MEETING_ROOM)
    world.place(account, MEETING_ROOM, 2)
    given = world.ready(AI_SUITE, aiAccount="lan.nguyen@example.com")
    world.deliver(given)

    search = console.get_by_test_id("list-search")
    search.fill(account.address[-6:])
    search.press("Enter")
    expect(rows(console)).to_have_count(2)
    console.get_by_test_id("list-delivered").click()
    expect(console.get_by_test_id("empty")).to_be_visible()
    search.fill(given.order_hash[:12])
    search.press("Enter")
    expect(rows(console)).to_have_count(1)
    expect(rows(console)).to_have_attribute("data-status", "DELIVERED")
    expect(rows(console)).to_contain_text("Lễ tân")

    console.get_by_test_id("list-days").click()
    console.get_by_test_id("list-from").fill("2020-01-01")
    console.get_by_test_id("list-to").fill("2020-01-02")
    expect(console.get_by_test_id("empty")).to_be_visible()
    console.get_by_test_id("list-from").fill(f"{datetime.now(UTC).astimezone():%Y-%m-%d}")
    console.get_by_test_id("list-to").fill("")
    expect(rows(console)).to_have_count(1)

    search.fill("what is this")
    search.press("Enter")
    expect_notice(console, "list.search")
    search.fill(first.code)
    search.press("Enter")
    expect_answer(console, "not-burned")
    console.keyboard.press("Escape")
    expect(rows(console)).to_have_count(1)
    expect(search).to_have_value(given.order_hash[:12])
    expect(console.get_by_test_id("list-from")).to_be_visible()

    console.get_by_test_id("list-today").click()
    console.get_by_test_id("list-all").click()
    counted = console.get_by_test_id("counts").locator('[data-status="DELIVERED"] strong')
    shown = rows(console).and_(console.locator('[data-status="DELIVERED"]'))
    expect(shown).to_have_count(int(counted.inner_text().removesuffix("+")))


def test_a_first_password_is_replaced_before_anything_else(world: World) -> None:
    with hired(world, world.site) as (username, password):
        page = world.console(viewport={"width": DESKTOP.width, "height": DESKTOP.height})
        enter(page, username, "wrong password here")
        expect_notice(page, "login.wrong")
        expect(page.get_by_test_id("username")).to_have_value(username)

        field = page.get_by_test_id("password")
        show = page.get_by_role("button", name="Show the password")
        field.fill(password)
        show.click()
        expect(field).to_have_attribute("type", "text")
        expect(show).to_have_attribute("aria-pressed", "true")
        show.click()
        expect(field).to_have_attribute("type", "password")
        page.get_by_test_id("sign-in").click()

        expect_screen(page, "password")
        expect(page.locator("#password-rules")).to_contain_text("12 characters")
        page.get_by_test_id("current-password").fill(f"not {secrets.token_hex(8)}")
        page.get_by_test_id("new-password").fill(secrets.token_urlsafe(18))
        page.get_by_test_id("change-password").click()
        expect_notice(page, "password.wrong")
        choose_password(page, password)
        expect_screen(page, "desk")
