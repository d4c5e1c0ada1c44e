"""What people do on portal and console, step by step, for tests and screenshots."""

import shutil
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect

MEETING_ROOM = 1001
AI_SUITE = 6001
ON_CHAIN_MS = 60_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


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


def reception_site(stack: dict[str, Any]) -> str:
    """A site that somebody at reception serves."""
    site: str = next(one["sites"][0] for one in stack["staff"] if one["role"] == "RECEPTION")
    return site
