"""Portal and console through real redemptions, in Chromium, as people use them.

Everything runs: contract and chain, API, listener, both sites with their production headers. The
customer signs with the demo wallet; the console's camera sees what the portal shows.
"""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

pytestmark = pytest.mark.xdist_group("stack")

MEETING_ROOM = 1001
AI_SUITE = 6001
ON_CHAIN_MS = 60_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

# Draws the portal's QR code, slightly turned, into a frame as a camera sees it; answers the frame's
# luma as base64.
DRAW_FRAME = """
async (qr, [width, height, side]) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "#999";
  context.fillRect(0, 0, width, height);
  context.translate(width / 2, height / 2);
  context.rotate(0.12);
  context.fillStyle = "#fff";
  context.fillRect(-side * 0.6, -side * 0.6, side * 1.2, side * 1.2);
  context.drawImage(qr, -side / 2, -side / 2, side, side);
  const { data } = context.getImageData(0, 0, width, height);
  let luma = "";
  for (let at = 0; at < data.length; at += 4) luma += String.fromCharCode(16 + data[at] * 0.85);
  return btoa(luma);
}
"""

Pages = Callable[..., Page]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


def launch(playwright: Playwright, *arguments: str) -> Browser:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is missing: make chromium"
    return playwright.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", *arguments], timeout=60_000
    )


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Opens pages whose every error fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(browser: Browser, url: str, viewport: dict[str, int], **options: Any) -> Page:
        context = browser.new_context(viewport=viewport, locale="en-US", **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
        )
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def connect(page: Page) -> None:
    page.get_by_test_id("connect").click()
    page.get_by_test_id("demo-confirm").click()


def order(page: Page, token_id: int, site: str, **meta: str) -> None:
    """Fill in and send an order; the demo wallet's dialog is open afterwards."""
    page.get_by_test_id(f"voucher-{token_id}").click()
    page.get_by_test_id(f"site-{site}").check()
    for field, value in meta.items():
        page.get_by_test_id(field).fill(value)
    page.get_by_test_id("redeem").click()
    expect(page.get_by_test_id("demo-dialog")).to_be_visible()


def expect_stage(page: Page, stage: str) -> None:
    status = page.get_by_test_id("status")
    expect(status).to_have_attribute("data-stage", stage, timeout=ON_CHAIN_MS)


def order_id(page: Page) -> str:
    shown = page.get_by_test_id("order-code")
    identifier = shown.get_attribute("data-order-id")
    assert identifier
    assert identifier.endswith(shown.inner_text().replace("\n", "").replace(" ", ""))
    return identifier


def sign_in(page: Page, stack: dict[str, Any], site: str) -> None:
    staff = next(
        one for one in stack["staff"] if one["role"] == "RECEPTION" and site in one["sites"]
    )
    page.get_by_test_id("username").fill(staff["username"])
    page.get_by_test_id("password").fill(staff["password"])
    page.get_by_test_id("sign-in").click()
    if len(staff["sites"]) > 1:
        page.get_by_test_id(f"site-{site}").click()
    expect(page.get_by_test_id("code")).to_be_visible()


def expect_answer(page: Page, answer: str) -> None:
    shown = page.get_by_test_id("answer")
    expect(shown).to_have_attribute("data-state", answer, timeout=ON_CHAIN_MS)


def check_code(page: Page, code: str) -> None:
    page.get_by_test_id("code").fill(code)
    page.get_by_test_id("check").click()


def film(page: Page, target: Path) -> Path:
    """What a camera in front of the portal's QR code would see, as a film for Chromium."""
    width, height = 1280, 720
    qr = page.get_by_test_id("qr")
    luma = base64.b64decode(qr.evaluate(DRAW_FRAME, [width, height, 420]))
    frame = b"FRAME\n" + luma + bytes([128]) * (width * height // 2)
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420mpeg2\n".encode()
    target.write_bytes(head + frame * 2)
    return target


def reception_site(stack: dict[str, Any]) -> str:
    """A site that somebody at reception serves."""
    site: str = next(one["sites"][0] for one in stack["staff"] if one["role"] == "RECEPTION")
    return site


def test_a_voucher_goes_from_wallet_to_delivery_by_camera(
    stack: dict[str, Any], playwright: Playwright, browser: Browser, pages: Pages, tmp_path: Path
) -> None:
    site = reception_site(stack)
    portal = pages(browser, stack["portalUrl"], PHONE, color_scheme="light")
    connect(portal)
    held = portal.get_by_test_id(f"held-{AI_SUITE}").inner_text()
    order(portal, AI_SUITE, site, aiAccount="lan.nguyen@example.com")
    portal.get_by_test_id("demo-confirm").click()
    expect_stage(portal, "ready")
    expect(portal.get_by_test_id("confirmations")).to_contain_text("3 of 3")
    expect(portal.get_by_test_id("qr")).to_be_visible()
    assert order_id(portal) not in portal.url

    seen = film(portal, tmp_path / "camera.y4m")
    camera = launch(playwright, *CAMERA, f"--use-file-for-fake-video-capture={seen}")
    console = pages(camera, stack["receptionUrl"], PHONE, color_scheme="light")
    sign_in(console, stack, site)
    console.get_by_test_id("camera").click()
    expect_answer(console, "deliverable")
    answer = console.get_by_test_id("answer")
    expect(answer).to_contain_text("AI Suite")
    expect(answer).to_contain_text("lan.nguyen@example.com")
    console.get_by_test_id("note").fill("shown at the desk")
    console.get_by_test_id("deliver").click()
    expect_answer(console, "done")
    camera.close()

    expect_stage(portal, "delivered")
    portal.get_by_test_id("done").click()
    expect(portal.get_by_test_id(f"held-{AI_SUITE}")).not_to_have_text(held)


def test_a_typed_code_is_followed_until_it_is_final_and_delivered_once(
    stack: dict[str, Any], browser: Browser, pages: Pages
) -> None:
    site = reception_site(stack)
    portal = pages(browser, stack["portalUrl"], DESKTOP, color_scheme="dark")
    connect(portal)
    order(portal, MEETING_ROOM, site)
    portal.get_by_test_id("demo-reject").click()
    expect(portal.get_by_test_id("notice")).to_contain_text("Nothing was burned")
    expect_stage(portal, "unsigned")
    portal.reload()
    expect_stage(portal, "unsigned")
    portal.get_by_test_id("sign").click()
    portal.get_by_test_id("demo-confirm").click()
    expect(portal.get_by_test_id("order-code")).to_be_visible()
    identifier = order_id(portal)

    console = pages(browser, stack["receptionUrl"], DESKTOP, color_scheme="dark")
    sign_in(console, stack, site)
    check_code(console, identifier[-16:])
    expect_answer(console, "deliverable")
    console.context.set_offline(True)
    expect_answer(console, "offline")
    expect(console.get_by_test_id("deliver")).not_to_be_attached()
    console.context.set_offline(False)
    expect_answer(console, "deliverable")
    console.get_by_test_id("deliver").click()
    expect_answer(console, "done")
    console.get_by_test_id("next").click()

    check_code(console, f"5SOV://order/{identifier}")
    expect_answer(console, "delivered")
    expect(console.get_by_test_id("deliver")).not_to_be_attached()
    expect_stage(portal, "delivered")


def test_codes_that_are_not_orders_are_told_apart(
    stack: dict[str, Any], browser: Browser, pages: Pages
) -> None:
    console = pages(browser, stack["receptionUrl"], PHONE)
    sign_in(console, stack, reception_site(stack))
    check_code(console, stack["contractAddress"])
    expect(console.get_by_test_id("notice")).to_contain_text("wallet address")
    check_code(console, "https://example.com")
    expect(console.get_by_test_id("notice")).to_contain_text("web address")
    check_code(console, "0000 0000 0000 0000")
    expect_answer(console, "unknown")


def test_a_wrong_password_is_refused_in_words(
    stack: dict[str, Any], browser: Browser, pages: Pages
) -> None:
    console = pages(browser, stack["receptionUrl"], PHONE)
    console.get_by_test_id("username").fill("nobody")
    console.get_by_test_id("password").fill("wrong password here")
    console.get_by_test_id("sign-in").click()
    expect(console.get_by_test_id("notice")).to_contain_text("wrong")
    expect(console.get_by_test_id("username")).to_have_value("nobody")
