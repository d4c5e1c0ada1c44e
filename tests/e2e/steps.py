"""What people do on portal and console, step by step, for tests and screenshots."""

import base64
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect

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


def launch(playwright: Playwright, *arguments: str) -> Browser:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is missing: make chromium"
    return playwright.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", *arguments], timeout=60_000
    )


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
