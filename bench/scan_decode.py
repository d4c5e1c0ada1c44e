"""How many synthetic camera frames each way of decoding reads, and how long it takes.

    python -m bench.scan_decode [--frames 24]

The frames are the scenes of bench.scan, in a blank page of Chromium; the decoder is the console's
own library and WebAssembly. What the console does is marked with an asterisk.
"""

import argparse
import random
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from bench.scan import modules_of, percentile
from tests.e2e.steps import launch
from tests.e2e.world import Placed

ROOT = Path(__file__).resolve().parent.parent
WASM = ROOT / "node_modules/zxing-wasm/dist/reader/zxing_reader.wasm"
SITE = "http://decode.localhost/"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LIBRARY = """
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
globalThis.readBarcodes = readBarcodes;
globalThis.ready = prepareZXingModule({
  overrides: { locateFile: () => "/reader.wasm" },
  fireImmediately: true,
});
"""

PLAIN: Mapping[str, Any] = {
    "tryHarder": True,
    "tryInvert": True,
    "tryRotate": False,
    "downscaleFactor": 2,
    "maxNumberOfSymbols": 4,
}
# `part` of the frame's shorter side, or all of it if 1; `side` is the longest that is decoded.
WAYS: Mapping[str, Mapping[str, Any]] = {
    "whole, 1280 *": {"part": 1, "side": 1280, **PLAIN},
    "whole, 800 *": {"part": 1, "side": 800, **PLAIN},
    "middle, full detail *": {"part": 0.8, "side": 2000, **PLAIN},
    "whole, 640": {"part": 1, "side": 640, **PLAIN},
    "1280, downscale 3": {"part": 1, "side": 1280, **PLAIN, "downscaleFactor": 3},
    "1280, no downscale": {"part": 1, "side": 1280, **PLAIN, "tryDownscale": False},
    "1280, rotate": {"part": 1, "side": 1280, **PLAIN, "tryRotate": True},
    "1280, denoise": {"part": 1, "side": 1280, **PLAIN, "tryDenoise": True},
    "1280, not harder": {"part": 1, "side": 1280, **PLAIN, "tryHarder": False},
    "1280, no invert": {"part": 1, "side": 1280, **PLAIN, "tryInvert": False},
    "1280, one threshold": {"part": 1, "side": 1280, **PLAIN, "binarizer": "GlobalHistogram"},
}

DECODE = """
async ([codes, ways, frames]) => {
  await ready;
  const scene = makeScene(1280, 720);
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  const results = [];
  for (const kind of scene.kinds) {
    for (let seed = 0; seed < frames; seed += 1) {
      const modules = codes[seed % codes.length];
      scene.paint({ modules, kind, seed: seed + 100, ms: 137 * seed });
      const { width, height } = scene.canvas;
      for (const [way, { part, side, ...options }] of Object.entries(ways)) {
        const square = Math.round(Math.min(width, height) * part);
        const [w, h] = part < 1 ? [square, square] : [width, height];
        const scale = Math.min(1, side / Math.max(w, h));
        const began = performance.now();
        Object.assign(canvas, { width: Math.round(w * scale), height: Math.round(h * scale) });
        const [left, top] = [(width - w) / 2, (height - h) / 2];
        context.drawImage(scene.canvas, left, top, w, h, 0, 0, canvas.width, canvas.height);
        const image = context.getImageData(0, 0, canvas.width, canvas.height);
        const [code] = await readBarcodes(image, { formats: ["QRCode"], ...options });
        const read = Boolean(code?.text.startsWith("5SOV://order/ORD_"));
        results.push({ way, kind, read, ms: performance.now() - began });
      }
    }
  }
  return results;
}
"""


def library() -> str:
    """The decoding library as one script."""
    bundled = subprocess.run(
        [ROOT / "node_modules/.bin/esbuild", "--bundle", "--format=esm"],
        cwd=ROOT,
        input=LIBRARY,
        capture_output=True,
        text=True,
        check=True,
    )
    return bundled.stdout


def serve(route: Route) -> None:
    """The blank page, the library, the WebAssembly."""
    url = route.request.url
    if url.endswith(".wasm"):
        route.fulfill(path=WASM, content_type="application/wasm")
    elif url.endswith(".js"):
        route.fulfill(body=library(), content_type="text/javascript")
    else:
        route.fulfill(body="<script type=module src=/reader.js></script>", content_type="text/html")


def decode(page: Page, frames: int) -> list[dict[str, Any]]:
    """What each way made of each frame."""
    chance = random.Random(7)
    codes = []
    for _ in range(4):
        code = "".join(chance.choice(CROCKFORD) for _ in range(16))
        codes.append(modules_of(Placed(f"ORD_20261121_{code}", "", {})))
    page.route("**/*", serve)
    page.goto(SITE)
    page.add_script_tag(path=ROOT / "bench/scan_scenes.js")
    page.wait_for_function("globalThis.ready")
    results: list[dict[str, Any]] = page.evaluate(DECODE, [codes, WAYS, frames])
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Decode, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--frames", type=int, default=24, help="frames of each kind")
    options = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        results = decode(browser.new_page(), options.frames)
        browser.close()
    kinds = list(dict.fromkeys(one["kind"] for one in results))
    print(f"\nRead of {options.frames} frames of each kind, and milliseconds for one frame")
    print(f"{'way':<22}" + "".join(f"{kind:>10}" for kind in kinds) + "     p50     p95")
    for way in WAYS:
        mine = [one for one in results if one["way"] == way]
        read = [sum(one["read"] for one in mine if one["kind"] == kind) for kind in kinds]
        times = [one["ms"] for one in mine]
        line = f"{way:<22}" + "".join(f"{count:>10}" for count in read)
        print(f"{line}{statistics.median(times):8.0f}{percentile(times, 0.95):8.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
