"""Takes a picture of every state of the pages, on the running demo, and writes an index of them.

Each state is taken on phone and desktop, in Vietnamese and English, light and dark, into
.local/screens/ (open index.html there). A run over all states also takes the pictures in
docs/images/: phone light and desktop dark, English.
"""

import argparse
import html
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.e2e.chain import Chain
from tests.e2e.states import Stage, State, all_states, show
from tests.e2e.steps import launch
from tests.e2e.system import ROOT, running_demo
from tests.e2e.world import DESKTOP, LANGUAGES, PHONE, SCHEMES, Device

SCREENS = ROOT / ".local" / "screens"
STACK = ROOT / ".local" / "screens-stack"
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 3_000_000

DOCUMENTED = (
    "portal-welcome",
    "portal-vouchers",
    "portal-redeem",
    "portal-confirming",
    "portal-ready",
    "portal-delivered",
    "portal-receipt",
    "console-desk",
    "console-deliverable",
    "console-done",
    "console-waiting",
    "console-delivered",
    "console-unsure",
)
"""The states whose pictures docs/frontends.md shows."""

README = ("portal-vouchers", "portal-ready", "console-deliverable")
"""The states whose pictures are joined into the README's."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in SCREENS."""

    state: State
    device: Device
    language: str
    scheme: str

    @property
    def path(self) -> str:
        """Below SCREENS."""
        return f"{self.state.id}/{self.device.name}-{self.language}-{self.scheme}.png"


def take(stage: Stage, one: State) -> Iterator[Picture]:
    """Every picture of one state; each is taken when the iterator yields it."""
    for _, page, language in stage.in_each_language(one):
        for device in one.devices:
            for scheme in SCHEMES:
                show(page, device, scheme)
                picture = Picture(one, device, language, scheme)
                page.screenshot(path=SCREENS / picture.path, scale="css", full_page=True)
                if (device, language, scheme) in ((PHONE, "en", "light"), (DESKTOP, "en", "dark")):
                    document(page, one, device)
                yield picture


def document(page: Page, one: State, device: Device) -> None:
    """The picture for the documents, if this state is among those shown there."""
    if one.id in DOCUMENTED:
        page.screenshot(path=IMAGES / f"{one.id}-{device.name}.png", scale="css")
    if one.id in README and device is PHONE:
        page.screenshot(path=SCREENS / f"{one.id}-large.png", scale="device")


INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Every state of the pages</title>
<style>
  body {{ font: 15px/1.4 system-ui; margin: 24px; background: #eceff2; color: #182026; }}
  fieldset {{ display: inline-flex; gap: 12px; border: 0; padding: 0; margin: 0 24px 16px 0; }}
  section {{ display: flex; flex-wrap: wrap; gap: 16px; align-items: start; }}
  h2 {{ flex-basis: 100%; margin: 24px 0 0; font-size: 17px; }}
  h2 small {{ font-weight: normal; color: #52606b; }}
  figure {{ margin: 0; }}
  figcaption {{ color: #52606b; font-size: 13px; }}
  img {{ height: 340px; object-fit: cover; object-position: top; background: #fff;
         box-shadow: 0 1px 4px #0003; }}
  {filters}
</style>
<h1>{count} pictures of {states} states</h1>
{choices}
{sections}
"""
CHOICES = {
    "app": ("portal", "console"),
    "device": (PHONE.name, DESKTOP.name),
    "language": LANGUAGES,
    "scheme": SCHEMES,
}


def write_index(pictures: Sequence[Picture]) -> None:
    """The page that shows them all, to be narrowed down by ticking; it runs no script."""
    filters, choices = [], []
    for name, values in CHOICES.items():
        boxes = []
        for value in values:
            filters.append(f"body:has(#{value}:not(:checked)) .{value} {{ display: none; }}")
            boxes.append(f'<label><input type="checkbox" id="{value}" checked> {value}</label>')
        choices.append(f'<fieldset aria-label="{name}">{"".join(boxes)}</fieldset>')
    sections = []
    for one in dict.fromkeys(picture.state for picture in pictures):
        figures = "".join(figure(picture) for picture in pictures if picture.state is one)
        title = f"<h2>{one.id} <small>{html.escape(one.title)}</small></h2>"
        sections.append(f'<section class="{one.app}">{title}{figures}</section>')
    text = INDEX.format(
        filters="\n  ".join(filters),
        count=len(pictures),
        states=len(sections),
        choices="".join(choices),
        sections="\n".join(sections),
    )
    (SCREENS / "index.html").write_text(text, encoding="utf-8")


def figure(picture: Picture) -> str:
    """One thumbnail, which opens the picture."""
    words = (picture.device.name, picture.language, picture.scheme)
    return (
        f'<figure class="{" ".join(words)}"><a href="{picture.path}">'
        f'<img loading="lazy" src="{picture.path}" alt="{picture.state.id}"></a>'
        f"<figcaption>{' · '.join(words)}</figcaption></figure>"
    )


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
    images = "".join(f'<img src="{name}-large.png">' for name in README)
    page = browser.new_page(viewport={"width": 1060, "height": 720}, device_scale_factor=1.5)
    target = SCREENS / "readme.html"
    target.write_text(README_PAGE.format(images=images), encoding="utf-8")
    page.goto(target.as_uri())
    page.screenshot(path=IMAGES / "readme.png", full_page=True)
    page.close()


def check_documented() -> list[str]:
    """Removes pictures that no document shows; what is wrong with the others."""
    wanted = {f"{name}-{device.name}.png" for name in DOCUMENTED for device in (PHONE, DESKTOP)}
    wanted.add("readme.png")
    there = {path.name for path in IMAGES.iterdir()}
    for name in there - wanted:
        (IMAGES / name).unlink()
    size = sum(path.stat().st_size for path in IMAGES.iterdir())
    print(f"docs/images: {size:,} bytes of {MOST_BYTES:,}", flush=True)
    missing = [f"docs/images/{name} is missing" for name in sorted(wanted - there)]
    return [*missing, *(["docs/images is too large"] if size > MOST_BYTES else [])]


def take_all(stage: Stage, states: Sequence[State]) -> tuple[list[Picture], list[str]]:
    """Every picture of these states, and the states that could not be reached."""
    pictures: list[Picture] = []
    failed: list[str] = []
    for number, one in enumerate(states, 1):
        began = time.monotonic()
        before = len(pictures)
        shutil.rmtree(SCREENS / one.id, ignore_errors=True)
        try:
            pictures.extend(take(stage, one))
        except (AssertionError, Error) as error:
            failed.append(f"{one.id}: {error}")
            print(f"FAILED {failed[-1]}", flush=True)
        taken = len(pictures) - before
        spent = time.monotonic() - began
        print(f"{number:3}/{len(states)}  {one.id:32} {taken} {spent:5.1f} s", flush=True)
    return pictures, failed


@contextmanager
def stage_on(stack_file: Path | None) -> Iterator[Stage]:
    """A stage on the demo that `stack_file` describes, else on one of our own."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if stack_file:
            stack = json.loads(stack_file.read_text("utf-8"))
            yield Stage(stack, Chain(stack), browser)
        else:
            with running_demo(STACK) as stack:
                yield Stage(stack, Chain(stack), browser)
        browser.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Take them; 0 when every state was reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--app", choices=CHOICES["app"], help="this application's states only")
    parser.add_argument("--only", metavar="TEXT", help="states with TEXT in their name only")
    parser.add_argument("--stack", type=Path, metavar="FILE", help="stack.json of a demo that runs")
    options = parser.parse_args(arguments)
    known = all_states()
    states = [
        one
        for one in known
        if options.app in (None, one.app) and (not options.only or options.only in one.id)
    ]
    if not states:
        parser.error(f"no state fits; there are: {', '.join(one.id for one in known)}")
    SCREENS.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with stage_on(options.stack) as stage:
        pictures, problems = take_all(stage, states)
        write_index(pictures)
        if len(states) == len(known):
            join_for_readme(stage.browser)
            problems += check_documented()
    shown = (SCREENS / "index.html").relative_to(ROOT)
    print(f"{len(pictures)} pictures of {len(states)} states: {shown}")
    for problem in problems:
        print(f"FAILED {problem.splitlines()[0]}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
