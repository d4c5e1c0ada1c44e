"""Every state of the pages, each brought about on the running demo.

A state is a generator function that brings a page into it, yields the page, and puts right what it
did to the demo afterwards. Screenshots, axe, zoom and the other checks are taken of each, in both
languages and colour schemes:

    @state("portal", "wrong-network")
    def wrong_network(world: World) -> Iterator[Page]:
        \"\"\"The wallet is on another chain.\"\"\"
        wallet = world.wallet(chain_id=1)
        page = world.portal(wallet)
        page.get_by_test_id("connect").click()
        expect(page.get_by_test_id("wrong-network")).to_be_visible()
        yield page

Names are those of `data-screen`, `data-stage`, `data-state` or `data-notice`. What a state needs
is in `World`: wallets with accounts of their own, orders, the chain, faults. A state holds still
while it is looked at: freeze mining (`with world.chain.frozen(): ... yield page`) where blocks
would move it, and wait with `expect` until it is reached. The first line of its docstring stands
beside its pictures.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, CDPSession, Page

from tests.e2e.chain import Chain
from tests.e2e.world import DEVICES, LANGUAGES, Device, World

Bring = Callable[[World], Iterator[Page]]

SETTLE_MS = 4000
SETTLED = """
async () => {
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}
"""
# The smallest picture for which Chromium applies a page's settings anew.
BEYOND = {
    "captureBeyondViewport": True,
    "clip": {"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1},
}
# A click of the script's own: it works also where a dialog or a full screen covers the switch.
SWITCH_LANGUAGE = """
(language) => {
  const button = document.querySelector(`[data-testid="language-${language}"]`);
  button?.click();
  return button !== null;
}
"""


@dataclass(frozen=True, slots=True)
class State:
    """A registered state. `core` ones are checked in `make test`, all in `make test-full`."""

    app: str
    name: str
    bring: Bring
    core: bool
    devices: tuple[Device, ...]

    @property
    def id(self) -> str:
        """Unique among all."""
        return f"{self.app}-{self.name}"

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        return (self.bring.__doc__ or "").strip().split("\n", maxsplit=1)[0]


_registered: dict[str, State] = {}


def state(
    app: str, name: str, *, core: bool = False, devices: tuple[Device, ...] = DEVICES
) -> Callable[[Bring], Bring]:
    """Register the decorated function as that state of "portal" or "console".

    `devices` are those on which it exists.

    Raises:
        ValueError: the application is unknown, the name taken, or the docstring missing.
    """

    def register(bring: Bring) -> Bring:
        one = State(app, name, bring, core, devices)
        if app not in ("portal", "console"):
            raise ValueError(f"app: must be portal or console, not {app!r}")
        if one.id in _registered:
            raise ValueError(f"name: {one.id} is registered already")
        if not one.title:
            raise ValueError(f"{one.id}: needs a docstring that says what it is")
        _registered[one.id] = one
        return bring

    return register


def all_states() -> tuple[State, ...]:
    """Every state of every module in this package."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(_registered.values())


@dataclass(frozen=True, slots=True)
class Stage:
    """Where states are brought about: a running demo and a browser."""

    stack: Mapping[str, Any]
    chain: Chain
    browser: Browser

    @contextmanager
    def world(self, **options: Any) -> Iterator[World]:
        """A world whose pages and faults end with the context."""
        world = World(self.stack, self.chain, self.browser, **options)
        try:
            yield world
        finally:
            world.close()

    @contextmanager
    def brought(self, one: State, **options: Any) -> Iterator[tuple[World, Page]]:
        """A world and the page in that state; `options` are the world's."""
        with (
            self.world(device=one.devices[0], **options) as world,
            contextmanager(one.bring)(world) as page,
        ):
            yield world, page

    def in_each_language(
        self, one: State, languages: tuple[str, ...] = LANGUAGES
    ) -> Iterator[tuple[World, Page, str]]:
        """The page in that state and each language: switched in place, else brought there anew."""
        left = list(languages)
        while left:
            language = left.pop(0)
            with self.brought(one, language=language) as (world, page):
                settle(page)
                yield world, page, language
                while left and use_language(page, left[0]):
                    settle(page)
                    yield world, page, left.pop(0)


def use_language(page: Page, language: str) -> bool:
    """Switch the page's language in place; False where it cannot be."""
    if not page.evaluate(SWITCH_LANGUAGE, language):
        return False
    for _ in range(SETTLE_MS // 100):
        if page.evaluate("document.documentElement.lang") == language:
            return True
        page.wait_for_timeout(100)
    return False


_touch: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()
"""What tells each page whether it is touched: it holds only as long as its session lasts."""


def show(page: Page, device: Device, scheme: str) -> None:
    """The page as that device shows it."""
    page.set_viewport_size({"width": device.width, "height": device.height})
    if page not in _touch:
        _touch[page] = page.context.new_cdp_session(page)
    _touch[page].send("Emulation.setTouchEmulationEnabled", {"enabled": device.touch})
    if not device.touch:
        # Media queries about the pointer stay those of a finger until the page's settings are
        # applied anew, as a picture beyond the viewport does.
        _touch[page].send("Page.captureScreenshot", BEYOND)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    settle(page)


def settle(page: Page) -> None:
    """Wait until fonts and images are there and the page is drawn."""
    page.evaluate(SETTLED)
