"""The console's camera and its USB scanner, in Chromium, on the running demo.

A film for Chromium's fake camera shows what the portal shows on another browser's screen, held by a
hand; scanners type through the browser's own input.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.e2e.input_method import Keyboard, placed_on_us, scan_through_unikey
from tests.e2e.steps import (
    AI_SUITE,
    CAMERA,
    MEETING_ROOM,
    check_code,
    expect_answer,
    expect_stage,
    launch,
    order_id,
    sign_in,
)
from tests.e2e.world import World

pytestmark = pytest.mark.timeout(120)

SCANNER_MS = 5
FILM = (640, 360)
FILM_RATE = 12
FILM_FRAMES = 30

# What a hand does with a phone in two and a half seconds: in from the right, not quite still before
# the camera, out again. Resolves with the luma of each frame, as base64.
HAND = """
async ([picture, [width, height], frames]) => {
  const phone = new Image();
  phone.src = picture;
  await phone.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  const film = [];
  for (let number = 0; number < frames; number += 1) {
    const part = number / frames;
    const away = Math.max(0, Math.abs(part - 0.5) - 0.2) / 0.2;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#8b8478";
    context.fillRect(0, 0, width, height);
    const side = height * (0.45 + 0.08 * Math.sin(part * 9));
    context.translate(width / 2 + away * width + Math.sin(part * 20) * 14, height / 2);
    context.rotate(0.25 * Math.sin(part * 5) + away * 0.6);
    context.fillStyle = "#fff";
    context.fillRect(-side * 0.6, -side * 0.9, side * 1.2, side * 1.8);
    context.drawImage(phone, -side / 2, -side / 2, side, side);
    const { data } = context.getImageData(0, 0, width, height);
    const luma = new Uint8Array(width * height);
    for (let at = 0; at < luma.length; at += 1) luma[at] = 16 + data[at * 4] * 0.85;
    let text = "";
    for (let at = 0; at < luma.length; at += 8192) {
      text += String.fromCharCode(...luma.subarray(at, at + 8192));
    }
    film.push(btoa(text));
  }
  return film;
}
"""

# Counts the streams that the page opens, and refuses them as the test wants.
COUNT_STREAMS = """
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  globalThis.streams = [];
  mediaDevices.getUserMedia = async (wanted) => {
    if (globalThis.refusal) throw new DOMException("as the test wants", globalThis.refusal);
    const stream = await open(wanted);
    globalThis.streams.push(stream);
    return stream;
  };
"""
LIVE = "streams.filter((stream) => stream.active).length"
LIT = "streams.some((stream) => stream.active && stream.getVideoTracks()[0].enabled)"


def film(screen: Page, painter: Page, target: Path) -> Path:
    """What a camera sees of the QR code on that screen, for Chromium's fake camera."""
    width, height = FILM
    shot = base64.b64encode(screen.get_by_test_id("qr").screenshot()).decode()
    frames = painter.evaluate(HAND, [f"data:image/png;base64,{shot}", FILM, FILM_FRAMES])
    chroma = bytes([128]) * (width * height // 2)
    with target.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FILM_RATE}:1 Ip A1:1 C420mpeg2\n".encode())
        for luma in frames:
            file.write(b"FRAME\n" + base64.b64decode(luma) + chroma)
    return target


@contextmanager
def with_camera(playwright: Playwright, world: World, *arguments: str) -> Iterator[World]:
    """The same demo in a browser that has a camera; any error of its pages fails the test."""
    browser = launch(playwright, *CAMERA, *arguments)
    other = World(world.stack, world.chain, browser)
    yield other
    other.close()
    browser.close()
    assert other.problems == []


def desk_that_counts(world: World) -> Page:
    """The desk, in a page that counts the camera's streams."""
    page = world.desk()
    page.add_init_script(COUNT_STREAMS)
    page.reload()
    expect(page.get_by_test_id("code")).to_be_visible()
    return page


def expect_camera(page: Page, phase: str) -> None:
    expect(page.get_by_test_id("camera-view")).to_have_attribute("data-camera", phase)


def test_a_customers_code_is_scanned_from_screen_to_delivery(
    world: World, playwright: Playwright, tmp_path: Path
) -> None:
    portal = world.connected(world.wallet({AI_SUITE: 1}))
    portal.get_by_test_id(f"voucher-{AI_SUITE}").click()
    portal.get_by_test_id(f"site-{world.site}").check()
    portal.get_by_test_id("aiAccount").fill("lan.nguyen@example.com")
    portal.get_by_test_id("redeem").click()
    expect_stage(portal, "ready")
    expect(portal.get_by_test_id("qr")).to_be_visible()
    assert order_id(portal) not in portal.url

    painter = world.browser.new_page()
    seen = film(portal, painter, tmp_path / "camera.y4m")
    painter.close()
    with with_camera(playwright, world, f"--use-file-for-fake-video-capture={seen}") as filmed:
        console = desk_that_counts(filmed)
        console.get_by_test_id("camera").click()
        expect_answer(console, "deliverable")
        assert not console.evaluate(LIT)
        answer = console.get_by_test_id("answer")
        expect(answer).to_contain_text("AI Suite")
        expect(answer).to_contain_text("lan.nguyen@example.com")
        console.get_by_test_id("note").fill("shown at the desk")
        console.get_by_test_id("deliver").click()
        expect_answer(console, "done")
        expect_stage(portal, "delivered")

        # Whoever scanned by camera goes on by camera; the hand of the film comes back.
        console.get_by_test_id("next").click()
        expect_answer(console, "delivered")
        console.get_by_test_id("next").click()
        assert console.evaluate("streams.length") == 1, "one stream serves all scans"
        assert console.evaluate(LIVE) == 1
        console.get_by_test_id("sign-out").click()
        expect(console.get_by_test_id("username")).to_be_visible()
        assert console.evaluate(LIVE) == 0, "signing out gives the camera back"


def test_each_trouble_with_the_camera_is_told_and_trying_again_ends_it(
    world: World, playwright: Playwright
) -> None:
    with with_camera(playwright, world) as desk:
        page = desk_that_counts(desk)
        page.evaluate("refusal = 'NotReadableError'")
        page.get_by_test_id("camera").click()
        expect_camera(page, "busy")
        view = page.get_by_test_id("camera-view")
        expect(view).to_contain_text("Another app")
        for name, phase in {"NotAllowedError": "denied", "NotFoundError": "missing"}.items():
            page.evaluate("(name) => { refusal = name; }", name)
            page.get_by_test_id("camera-retry").click()
            expect_camera(page, phase)
        page.evaluate("refusal = null")
        page.get_by_test_id("camera-retry").click()
        expect_camera(page, "on")
        # As when it is unplugged: the page takes it up again by itself.
        page.evaluate("streams[0].getVideoTracks()[0].dispatchEvent(new Event('ended'))")
        desk.until(lambda: page.evaluate("streams.length") == 2, "the camera is opened again")
        expect_camera(page, "on")


@pytest.mark.slow
def test_a_decoder_that_cannot_be_loaded_is_told_and_tried_again(
    world: World, playwright: Playwright
) -> None:
    with with_camera(playwright, world) as desk:
        page = desk.console()
        page.context.route("**/*.wasm", lambda route: route.abort())
        sign_in(page, dict(desk.stack), desk.site)
        page.get_by_test_id("camera").click()
        expect_camera(page, "decoder")
        page.context.unroute_all()
        expect_camera(page, "on")


# ---------------------------------------------------------------- USB scanners


def scan(page: Page, text: str, last: str = "Enter") -> None:
    """A USB scanner types."""
    page.keyboard.type(text + {"Enter": "\n", "Tab": "\t", "": ""}[last], delay=SCANNER_MS)


def test_a_scanner_works_wherever_the_focus_is_and_however_it_ends(world: World) -> None:
    room, suite = world.ready(MEETING_ROOM), world.ready(AI_SUITE, aiAccount="lan@example.com")
    page = world.desk()
    answer, note = page.get_by_test_id("answer"), page.get_by_test_id("note")
    for placed, text, before, last in (
        (room, "Meeting Room", "", "Enter"),
        (suite, "lan@example.com", "]Q1", "Tab"),
        (room, "Meeting Room", "~", ""),
    ):
        scan(page, f"{before}5SOV://order/{placed.order_id}".swapcase(), last)
        expect(answer).to_contain_text(text)
        expect_answer(page, "deliverable")
        expect(note).to_have_value("")
        note.fill("umbrella")
        note.press("End")
    assert [world.status(placed) for placed in (room, suite)] == ["VALID", "VALID"]


def test_a_scanner_presses_no_button(world: World) -> None:
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    check_code(page, placed.code)
    expect_answer(page, "deliverable")
    page.get_by_test_id("deliver").focus()
    scan(page, "somebody else's code")
    expect_answer(page, "foreign")
    assert world.status(placed) == "VALID"


def test_a_code_that_an_input_method_takes_is_read_from_the_keys(world: World) -> None:
    first, second = world.ready(MEETING_ROOM), world.ready(AI_SUITE, aiAccount="lan@example.com")
    page = world.desk()
    check_code(page, first.code)
    expect_answer(page, "deliverable")
    note = page.get_by_test_id("note")
    note.fill("umbrella")
    keyboard = Keyboard(page)
    composed = ""
    for character in f"5SOV://order/{second.order_id}":
        code, shift = placed_on_us(character)
        keyboard.down("Process", code, shift=shift)
        composed += character
        keyboard.compose(composed.replace("or", "\u1ecf"))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("answer")).to_contain_text("lan@example.com")
    expect(page.get_by_test_id("note")).to_have_value("")
    assert world.status(first) == "VALID"


def test_a_code_that_unikey_rewrites_is_told_and_takes_the_green_before_away(world: World) -> None:
    first, second = world.ready(MEETING_ROOM), world.ready(AI_SUITE, aiAccount="lan@example.com")
    page = world.desk()
    check_code(page, first.code)
    expect_answer(page, "deliverable")
    page.get_by_test_id("note").fill("umbrella")
    scan_through_unikey(page, second.order_id)
    expect(page.get_by_test_id("answer")).to_contain_text("Unikey")
    expect_answer(page, "foreign")
    page.get_by_test_id("next").click()
    check_code(page, second.code)
    expect_answer(page, "deliverable")
    expect(page.get_by_test_id("note")).to_have_value("")
    assert [world.status(placed) for placed in (first, second)] == ["VALID", "VALID"]
