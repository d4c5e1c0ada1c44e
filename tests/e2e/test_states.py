"""Every state of the pages: accessible, readable at every size, calm, and talking to no stranger.

Where a state exists on one device only it is still checked on both: a window can be any size.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import axe, checks
from tests.e2e.states import Stage, State, all_states, use_language
from tests.e2e.world import World

pytestmark = pytest.mark.timeout(120)

STATES = [pytest.param(one, id=one.id) for one in all_states()]
CORE = [pytest.param(one, id=one.id) for one in all_states() if one.core]


@pytest.mark.parametrize("one", CORE)
def test_core_state(stage: Stage, one: State) -> None:
    """In Vietnamese, the longer language, on one light and one dark screen."""
    with stage.brought(one, language="vi") as (world, page):
        problems = checks.briefly(page, "vi") + world.problems
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("one", STATES)
def test_state(stage: Stage, one: State) -> None:
    """In both languages and colour schemes, at every size."""
    places: dict[str, list[str]] = {}
    for world, page, language in stage.in_each_language(one):
        said = [*checks.of_page(page, language), *(("anywhere", what) for what in world.problems)]
        for place, problem in said:
            places.setdefault(problem, []).append(f"{language} {place}")
        world.problems.clear()
    assert not places, "\n".join(f"{what} ({'; '.join(at)})" for what, at in places.items())


# ---------------------------------------------------------------- the checks can fail


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    yield page
    page.close()


def put(page: Page, body: str, style: str = "") -> None:
    head = f"<title>t</title><style>{style}</style>"
    page.set_content(f"<!doctype html><html lang=en>{head}<main><h1>Title</h1>{body}</main>")


SOUND = "<p>Some text</p><button style='min-height: 44px'>Go on</button>"


def test_a_sound_page_passes(page: Page) -> None:
    put(page, SOUND)
    assert list(checks.of_page(page, "en")) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p style='color: #bbb'>pale</p>", "axe color-contrast"),
        ("<img src='data:,'>", "axe image-alt"),
        ("<input>", "axe label"),
        (
            "<button style='padding:0;width:12px;height:12px' aria-label='a'></button>" * 2,
            "axe target-size",
        ),
    ],
)
def test_axe_finds(page: Page, body: str, said: str) -> None:
    put(page, body)
    assert any(one.startswith(said) for one in axe.violations(page))


LONG = "word " * 40


@pytest.mark.parametrize(
    ("check", "body", "said"),
    [
        ("headings", "<h1>Another</h1>", "2 h1"),
        ("sideways", "<p style='width: 500px'>wide</p>", "scrolls sideways"),
        (
            "clipped",
            f"<p style='overflow: hidden; white-space: nowrap; text-overflow: ellipsis'>{LONG}</p>",
            "text is cut",
        ),
        ("clipped", f"<p style='height: 1.2em; overflow: hidden'>{LONG}</p>", "text is cut"),
        (
            "outside",
            "<button style='position: fixed; left: 300px; width: 80px'>b</button>",
            "outside the screen",
        ),
        (
            "covered",
            "<button>b</button><div style='position: fixed; inset: 0'>over it</div>",
            "cannot be reached",
        ),
        ("small", "<button style='height: 20px; width: 90px'>b</button>", "target of 20 px"),
        ("moving", "<p class=moves>m</p>", "moves although"),
    ],
)
def test_the_check_finds(page: Page, check: str, body: str, said: str) -> None:
    moves = ".moves { animation: m 5s infinite } @keyframes m { to { opacity: 0.5 } }"
    put(page, SOUND)
    assert checks.found(page, check) == []
    put(page, SOUND + body, moves)
    (problem,) = checks.found(page, check)[:1]
    assert problem.startswith(said)


def test_a_wrong_language_is_found(page: Page) -> None:
    put(page, SOUND)
    assert checks.of_language(page, "vi") == ["lang is en, not vi"]
    assert not use_language(page, "vi")


def test_page_errors_policy_violations_and_strangers_are_found(world: World) -> None:
    page = world.portal()
    page.evaluate("fetch('http://127.0.0.1:9/stranger').catch(() => {})")
    page.evaluate("setTimeout(() => { throw new Error('planted') })")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('img'),"
        " { src: 'https://stranger.example/pixel.png' }))"
    )
    page.wait_for_timeout(200)
    found = " ".join(world.problems)
    world.problems.clear()
    assert "request to http://127.0.0.1:9/stranger" in found or "Security Policy" in found
    assert "page error: " in found
    assert "planted" in found
    assert "stranger.example" in found
