"""What every state of every page must hold, and how it is looked at."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e import axe
from tests.e2e.states import settle, show
from tests.e2e.world import DESKTOP, PHONE, SCHEMES, Device

SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8").strip().split("\n", maxsplit=1)[1]

NARROW = Device("320 px wide", 320, 640, touch=True)
"""What 1280 px become at 400 % zoom (WCAG 1.4.10)."""

ZOOMED = Device("at 200 % zoom", DESKTOP.width // 2, DESKTOP.height // 2, touch=False)
"""What a desktop becomes at 200 % (WCAG 1.4.4)."""


def found(page: Page, *names: str) -> list[str]:
    """What the checks of these names (see checks.js) say about the page as it is."""
    run = f"(names) => {{ const all = {SCRIPT}; return names.flatMap((name) => all[name]()); }}"
    problems: list[str] = page.evaluate(run, list(names))
    return problems


def of_language(page: Page, language: str) -> list[str]:
    """The page says which language it is in."""
    said = page.evaluate("document.documentElement.lang")
    return [] if said == language else [f"lang is {said}, not {language}"]


def of_size(page: Page) -> list[str]:
    """Nothing is cut off, covered or out of reach on a screen of the present size."""
    return found(page, "sideways", "clipped", "outside", "covered", "small")


def briefly(page: Page, language: str) -> list[str]:
    """The most telling of what is checked of a state."""
    problems = of_language(page, language) + found(page, "headings", "moving")
    show(page, DESKTOP, "dark")
    problems += axe.violations(page)
    show(page, PHONE, "light")
    problems += axe.violations(page)
    show(page, NARROW, "light")
    return problems + of_size(page)


def of_page(page: Page, language: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a state in one language: where, and what."""
    settle(page)
    for problem in of_language(page, language) + found(page, "headings", "moving"):
        yield "anywhere", problem
    for device in (PHONE, DESKTOP):
        for scheme in SCHEMES:
            show(page, device, scheme)
            for problem in axe.violations(page):
                yield f"{device.name} {scheme}", problem
        for problem in of_size(page):
            yield device.name, problem
    for device in (NARROW, ZOOMED):
        show(page, device, "light")
        for problem in of_size(page):
            yield device.name, problem
