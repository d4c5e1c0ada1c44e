"""One running system and one browser for all end-to-end tests of a process."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.chain import Chain
from tests.e2e.states import Stage
from tests.e2e.steps import launch
from tests.e2e.system import running_demo
from tests.e2e.world import World


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `stack.json` of a demo started for these tests says; stopped at their end.

    E2E_STACK names the `stack.json` of a demo that is up already, to save its start.
    """
    if running := os.environ.get("E2E_STACK"):
        yield json.loads(Path(running).read_text("utf-8"))
        return
    with running_demo(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def chain(stack: dict[str, Any]) -> Iterator[Chain]:
    """The demo's chain."""
    chain = Chain(stack)
    yield chain
    chain.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The only one of this process: the synchronous API allows no second."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; its windows end with the tests that open them."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def stage(stack: dict[str, Any], chain: Chain, browser: Browser) -> Stage:
    """Where states are brought about."""
    return Stage(stack, chain, browser)


@pytest.fixture
def world(stage: Stage) -> Iterator[World]:
    """A share of the demo for one test: any error of its pages fails the test."""
    with stage.world() as world:
        yield world
        problems = list(world.problems)
    assert problems == []
