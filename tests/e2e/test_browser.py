"""Portal and console through real redemptions, in Chromium, as people use them.

Everything runs: contract and chain, API, listener, both sites with their production headers. The
customer signs with the demo wallet.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.steps import (
    DESKTOP,
    MEETING_ROOM,
    PHONE,
    check_code,
    connect,
    expect_answer,
    expect_stage,
    order,
    order_id,
    reception_site,
    sign_in,
)

Pages = Callable[..., Page]


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


def test_a_typed_code_is_followed_until_it_is_final_and_delivered_once(
    stack: dict[str, Any], browser: Browser, pages: Pages
) -> None:
    site = reception_site(stack)
    portal = pages(browser, stack["portalUrl"], DESKTOP, color_scheme="dark")
    connect(portal)
    order(portal, MEETING_ROOM, site)
    portal.get_by_test_id("demo-reject").click()
    expect(portal.get_by_test_id("notice")).to_contain_text("Your voucher was not used")
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
