"""From a code in view of the console's camera to the answer on its screen.

    python -m bench.scan [--scans 35] [--films 2]

The running demo, the console in Chromium at a phone's size, one camera stream for all scans as in a
shift; each code is that of another order, burned and final. The camera is a canvas that shows an
empty desk, then the code in a customer's hand; the clock runs from the moment that the first frame
with the code is painted until the frame with the answer is. Then a few scans go through Chromium's
own fake camera, from films of the same scenes whose corner tells when the code is in view.

What no browser can measure is not in it: exposure and delivery of a real sensor's frame.
"""

import argparse
import base64
import os
import random
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from qrcode import constants
from qrcode.main import QRCode

from tests.e2e.chain import Chain
from tests.e2e.steps import CAMERA, MEETING_ROOM, launch
from tests.e2e.system import running_demo
from tests.e2e.world import Placed, World

HERE = Path(__file__).parent
GOAL_MS = 1000.0
BUSY_PER_CORE = 2.0
LIMIT_MS = 5000
FINAL_SECONDS = 60.0
PREFIX = "5SOV://order/"
FILM_KINDS = ("clean", "small", "defocused")
FILM_SIZE = (1280, 720)
FILM_RATE = 15
FILM_BLANK_FRAMES = 2 * FILM_RATE
FILM_CODE_FRAMES = 3 * FILM_RATE
STEPS = ("read", "asked", "told", "painted")

PAINT_FILM = """
([modules, kind, seed, milliseconds]) => {
  globalThis.scene ??= makeScene(1280, 720);
  scene.paint(modules && { modules, kind, seed, ms: milliseconds });
  const corner = benchCamera.CORNER * 2;
  scene.context.fillStyle = modules ? "#fff" : "#000";
  scene.context.fillRect(0, 0, corner, corner);
  const { data } = scene.context.getImageData(0, 0, 1280, 720);
  const luma = new Uint8Array(1280 * 720);
  for (let at = 0; at < luma.length; at += 1) {
    const [r, g, b] = data.subarray(at * 4, at * 4 + 3);
    luma[at] = 16 + (r * 65.5 + g * 128.6 + b * 25) / 256;
  }
  let text = "";
  for (let at = 0; at < luma.length; at += 8192) {
    text += String.fromCharCode(...luma.subarray(at, at + 8192));
  }
  return btoa(text);
}
"""


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: how the code was seen, and milliseconds from sight to each step; none if unread."""

    kind: str
    steps: Mapping[str, float] | None

    @property
    def painted(self) -> float | None:
        """Milliseconds from sight to answer."""
        return None if self.steps is None else self.steps["painted"]


def modules_of(placed: Placed) -> list[str]:
    """The order's QR code as the portal shows it: rows of 0 and 1."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, border=0)
    code.add_data(PREFIX + placed.order_id)
    code.make()
    return ["".join("1" if dark else "0" for dark in row) for row in code.get_matrix()]


def final_orders(world: World, count: int) -> list[Placed]:
    """So many orders whose burns are final."""
    accounts = [world.chain.account({MEETING_ROOM: 1}) for _ in range(count)]
    orders = [world.place(account, MEETING_ROOM) for account in accounts]
    for account, placed in zip(accounts, orders, strict=True):
        world.burn(account, placed)
    world.chain.mine(4)
    for placed in orders:
        world.until(
            lambda placed=placed: world.status(placed) == "VALID",  # type: ignore[misc]
            "the burn is final",
            FINAL_SECONDS,
        )
    return orders


def desk_with_camera(world: World, *, fake: bool) -> Page:
    """The console at the desk with its camera on."""
    page = world.desk()
    page.add_init_script(path=HERE / "scan_scenes.js")
    page.add_init_script(path=HERE / "scan_camera.js")
    if fake:
        page.add_init_script("benchCamera.fake()")
    page.reload()
    open_camera(page)
    return page


def open_camera(page: Page) -> None:
    """Until there is a picture."""
    page.get_by_test_id("camera").click()
    expect(page.get_by_test_id("camera-view")).to_have_attribute("data-camera", "on")


def take_scan(page: Page, kind: str, call: str, argument: Any) -> Scan:
    """One scan with the camera on, which is on again afterwards."""
    told = page.evaluate(call, argument)
    if told is None:
        return Scan(kind, None)
    assert told["state"] == "deliverable", told
    page.get_by_test_id("next").click()
    open_camera(page)
    return Scan(kind, {step: told[step] for step in STEPS})


def scan_canvas(page: Page, orders: Sequence[Placed]) -> list[Scan]:
    """Each order scanned once, the kinds in turn."""
    kinds = page.evaluate("makeScene(64, 36).kinds")
    chance = random.Random(5)
    scans: list[Scan] = []
    for number, placed in enumerate(orders):
        kind = kinds[number % len(kinds)]
        page.wait_for_timeout(300 + chance.random() * 300)
        held = {
            "modules": modules_of(placed),
            "kind": kind,
            "seed": 1000 + number,
            "ms": chance.random() * 5000,
        }
        scans.append(take_scan(page, kind, f"(held) => benchCamera.hold(held, {LIMIT_MS})", held))
    return scans


@contextmanager
def film_of(page: Page, placed: Placed, kind: str, folder: Path) -> Iterator[Path]:
    """A film of the empty desk, then of the code in a hand, over and over."""
    width, height = FILM_SIZE
    target = folder / f"{kind}.y4m"
    chroma = bytes([128]) * (width * height // 2)
    modules = modules_of(placed)
    with target.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F{FILM_RATE}:1 Ip A1:1 C420mpeg2\n".encode())
        for number in range(FILM_BLANK_FRAMES + FILM_CODE_FRAMES):
            shown = modules if number >= FILM_BLANK_FRAMES else None
            luma = page.evaluate(PAINT_FILM, [shown, kind, 7, number * 1000 / FILM_RATE])
            film.write(b"FRAME\n" + base64.b64decode(luma) + chroma)
    yield target
    target.unlink()


def scan_films(
    playwright: Playwright, world: World, painter: Page, orders: Sequence[Placed], times: int
) -> list[Scan]:
    """Through Chromium's own fake camera: each kind's film so many times."""
    scans: list[Scan] = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, placed in zip(FILM_KINDS, orders, strict=True):
            with film_of(painter, placed, kind, Path(folder)) as film:
                camera = launch(playwright, *CAMERA, f"--use-file-for-fake-video-capture={film}")
                with filming_world(world, camera) as desk:
                    page = desk_with_camera(desk, fake=False)
                    for _ in range(times):
                        call = f"() => benchCamera.film({2 * LIMIT_MS})"
                        scans.append(take_scan(page, kind, call, None))
                camera.close()
    return scans


@contextmanager
def filming_world(world: World, browser: Browser) -> Iterator[World]:
    """The same demo in another browser."""
    other = World(world.stack, world.chain, browser)
    yield other
    other.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so great a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def table(title: str, scans: Sequence[Scan]) -> None:
    """Print a line for each kind, and one for all."""
    head = "".join(f"{name:>9}" for name in ("p50", "p95", "max", *STEPS[:-1]))
    print(f"\n{title}\n{'seen':<12}{'read':>8}{head}   (ms from sight; steps: medians)")
    groups = {
        kind: [one for one in scans if one.kind == kind]
        for kind in dict.fromkeys(one.kind for one in scans)
    }
    for kind, group in [*groups.items(), ("all", list(scans))]:
        done = [one.steps for one in group if one.steps is not None]
        line = f"{kind:<12}{len(done):>4}/{len(group):<3}"
        if done:
            painted = [steps["painted"] for steps in done]
            figures = [
                statistics.median(painted),
                percentile(painted, 0.95),
                max(painted),
                *(statistics.median(steps[step] for steps in done) for step in STEPS[:-1]),
            ]
            line += "".join(f"{figure:9.0f}" for figure in figures)
        print(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan, print; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--scans", type=int, default=35)
    parser.add_argument("--films", type=int, default=2, help="scans of each film")
    options = parser.parse_args(arguments)
    with (
        running_demo(Path(".local") / "bench-scan") as stack,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        world = World(stack, Chain(stack), browser)
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        page = desk_with_camera(world, fake=True)
        orders = final_orders(world, options.scans + len(FILM_KINDS))
        held = scan_canvas(page, orders[: options.scans])
        filmed = scan_films(playwright, world, page, orders[options.scans :], options.films)
        table("Canvas as camera", held)
        table("Films through the browser's own fake camera", filmed)
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        world.close()
        browser.close()
    if os.getloadavg()[0] > BUSY_PER_CORE * (os.cpu_count() or 1):
        print("\nThe machine is busy: this measures the queue for its cores. Run it again alone.")
    missed = [one for one in held if one.steps is None]
    reached = percentile([one.painted or LIMIT_MS for one in held], 0.95)
    print(f"\np95 {reached:.0f} ms (goal {GOAL_MS:.0f}), {len(missed)} of {len(held)} unread")
    return 0 if reached <= GOAL_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
