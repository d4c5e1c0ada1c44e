"""Takes the screenshots in docs/images/ from a running demo, through one real redemption.

Each state is taken at 390x844 (light) and 1280x800 (dark). The state directory is that of a demo
which is up; `make screens` starts one, or uses the one that runs.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.steps import (
    AI_SUITE,
    DESKTOP,
    PHONE,
    check_code,
    connect,
    expect_answer,
    expect_stage,
    launch,
    order,
    order_id,
    reception_site,
    sign_in,
)
from tests.e2e.system import running_demo

IMAGES = Path(__file__).parents[2] / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Device:
    """A size and a colour scheme to take pictures with."""

    name: str
    viewport: dict[str, int]
    scheme: str
    scale: float


DEVICES = (
    Device("phone", PHONE, "light", 2),
    Device("desktop", DESKTOP, "dark", 1),
)


def open_page(browser: Browser, url: str, device: Device) -> Page:
    """A page of its own on that device."""
    context = browser.new_context(
        viewport=device.viewport,  # type: ignore[arg-type]
        color_scheme=device.scheme,  # type: ignore[arg-type]
        device_scale_factor=device.scale,
        locale="en-US",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    return page


def take(page: Page, device: Device, name: str) -> None:
    """One picture, as large as the device."""
    page.screenshot(path=IMAGES / f"{name}-{device.name}.png")
    print(f"  {name}-{device.name}.png", flush=True)


def portal_to_ready(portal: Page, device: Device, site: str) -> str:
    """From the first look to the QR code; the order's id."""
    expect(portal.get_by_test_id("connect")).to_be_visible()
    take(portal, device, "portal-welcome")
    connect(portal)
    expect(portal.get_by_test_id(f"voucher-{AI_SUITE}")).to_be_visible()
    take(portal, device, "portal-vouchers")
    order(portal, AI_SUITE, site, aiAccount="lan.nguyen@example.com")
    take(portal, device, "portal-signing")
    portal.get_by_test_id("demo-confirm").click()
    expect_stage(portal, "confirming")
    take(portal, device, "portal-confirming")
    expect_stage(portal, "ready")
    expect(portal.get_by_test_id("qr")).to_be_visible()
    take(portal, device, "portal-ready")
    return order_id(portal)


def console_to_done(console: Page, device: Device, stack: dict[str, Any], code: str) -> None:
    """From sign-in to the delivery, and the same code once more."""
    expect(console.get_by_test_id("sign-in")).to_be_visible()
    take(console, device, "reception-sign-in")
    sign_in(console, stack, reception_site(stack))
    take(console, device, "reception-desk")
    check_code(console, code)
    expect_answer(console, "deliverable")
    take(console, device, "reception-deliverable")
    console.get_by_test_id("deliver").click()
    expect_answer(console, "done")
    take(console, device, "reception-done")
    console.get_by_test_id("next").click()
    check_code(console, code)
    expect_answer(console, "delivered")
    take(console, device, "reception-already-delivered")


README_PAGE = """
<style>
  body {{ margin: 0; padding: 32px; display: flex; gap: 32px; justify-content: center;
          background: #e9edf2; }}
  img {{ width: 300px; border-radius: 24px; box-shadow: 0 12px 36px rgb(20 40 60 / 22%); }}
</style>
{images}
"""


def join_for_readme(browser: Browser) -> None:
    """The three pictures of the README, side by side."""
    names = ("portal-vouchers", "portal-ready", "reception-deliverable")
    images = "".join(f'<img src="{(IMAGES / f"{name}-phone.png").as_uri()}">' for name in names)
    page = browser.new_page(viewport={"width": 1060, "height": 720}, device_scale_factor=1.5)
    target = IMAGES / "readme.html"
    target.write_text(README_PAGE.format(images=images), encoding="utf-8")
    try:
        page.goto(target.as_uri())
        page.screenshot(path=IMAGES / "readme.png", full_page=True)
    finally:
        target.unlink()
    print("  readme.png", flush=True)


def take_all(stack: dict[str, Any]) -> None:
    """Every picture, from one redemption for each device."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for device in DEVICES:
            portal = open_page(browser, stack["portalUrl"], device)
            code = portal_to_ready(portal, device, reception_site(stack))
            console = open_page(browser, stack["receptionUrl"], device)
            console_to_done(console, device, stack, code)
            expect_stage(portal, "delivered")
            take(portal, device, "portal-delivered")
        join_for_readme(browser)
        browser.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Take them, from a demo that runs or one of our own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--stack", type=Path, help="stack.json of a demo that is up")
    options = parser.parse_args(arguments)
    if options.stack:
        take_all(json.loads(options.stack.read_text("utf-8")))
        return 0
    with running_demo(Path(".local") / "screens") as stack:
        take_all(stack)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
