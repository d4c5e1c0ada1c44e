"""Lighthouse on portal and console as production serves them.

    python -m bench.lighthouse [--runs 3] [--out .local/lighthouse] [--page portal]

The sites are built without the demo wallet and served by nginx over HTTPS and HTTP/2, with the
production headers and compressed, before the API of a running demo. On Lighthouse's default mobile
profile every category has to reach 95, the performance one in the median run, and the browser has
to find each page installable (Lighthouse has no category for that any more). On its regular 3G
with a processor six times slower the script that a page needs has to stay within 30,000 bytes
gzipped; times are printed, the goal being interactive within 3 s (spec: Web frontends stay lean).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.nginx import Nginx, NginxMissing, Site, running
from tests.e2e.system import running_demo

ROOT = Path(__file__).parents[1]
SCORE = 95
SCRIPT_BYTES = 30_000
INTERACTIVE_GOAL_MS = 3_000
QUIET_SPEED = 1_000
"""Lighthouse's benchmark index of a machine that it calls no slow one."""
CONFIG = {"apiUrl": "/api/v1"}
PAGES = ("portal", "console", "desk")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
TIMES = ("firstContentfulPaint", "largestContentfulPaint", "interactive", "totalBlockingTime")
PAGES_OWN = ("data:", "blob:")
"""Addresses of what a page carries in itself."""
PROFILES = ("mobile", "3g")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a score or a size is missed, 2 when something is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="of each page and profile")
    parser.add_argument("--out", type=Path, default=ROOT / ".local/lighthouse")
    parser.add_argument("--page", choices=PAGES, action="append", help="only this one")
    parser.add_argument("--profile", choices=PROFILES, action="append", help="only this one")
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is missing: make chromium", file=sys.stderr)
        return 2
    out: Path = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    pages, profiles = options.page or PAGES, options.profile or PROFILES
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        dist = _build(work / "dist")
        portal = Site("portal.localhost", dist / "portal", CONFIG)
        console = Site("reception.localhost", dist / "reception", CONFIG)
        with running_demo(work / "demo") as stack:
            api = urlsplit(stack["apiUrl"]).netloc
            try:
                with running(work / "nginx", portal, console, api) as nginx:
                    plan = {
                        "chromium": chromium,
                        "spki": nginx.spki,
                        "audits": [
                            _audit(page, profile, options.runs, nginx, (portal, console), stack)
                            for page in pages
                            for profile in profiles
                        ],
                    }
                    found = _lighthouse(plan, work / "plan.json", out)
            except NginxMissing as missing:
                print(missing, file=sys.stderr)
                return 2
        problems = [problem for one in found for problem in _problems(one, dist)]
        print(_table(found, dist))
    print(f"\nReports: {out}")
    for problem in problems:
        print(f"MISSED  {problem}", file=sys.stderr)
    slowest = min(run["speed"] for one in found for run in one["runs"])
    if problems and slowest < QUIET_SPEED:
        print(
            f"This machine was busy or slow (benchmark index {slowest} of {QUIET_SPEED}), which"
            " lowers performance scores: try again when it is quiet.",
            file=sys.stderr,
        )
    return 1 if problems else 0


def _build(dist: Path) -> Path:
    """The sites as production has them: no demo wallet."""
    environment = os.environ | {"FRONTENDS_DIST": str(dist)}
    build = ["node", "frontends/build.mjs"]
    subprocess.run(build, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return dist


def _audit(
    page: str,
    profile: str,
    runs: int,
    nginx: Nginx,
    sites: tuple[Site, Site],
    stack: dict[str, Any],
) -> dict[str, Any]:
    """One page's part of the plan; see frontends/lighthouse.mjs."""
    portal, console = sites
    audit: dict[str, Any] = {
        "name": page,
        "url": nginx.url(portal if page == "portal" else console) + "/",
        "profile": profile,
        "runs": runs,
    }
    if page == "desk":
        staff = next(one for one in stack["staff"] if one["role"] == "RECEPTION")
        audit["signIn"] = {name: staff[name] for name in ("username", "password")}
    return audit


def _lighthouse(plan: dict[str, Any], plan_file: Path, out: Path) -> list[dict[str, Any]]:
    plan_file.write_text(json.dumps(plan), "utf-8")
    command = ["node", "frontends/lighthouse.mjs", str(plan_file), str(out)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _problems(found: dict[str, Any], dist: Path) -> Iterable[str]:
    """Which goals this page missed on this profile, and what lost points."""
    what = f"{found['name']}, {found['profile']}"
    asked = [one["url"] for one in found["requests"] if not one["url"].startswith(PAGES_OWN)]
    strangers = {url for url in asked if _origin(url) != _origin(asked[0])}
    if strangers:
        yield f"{what}: requests to others: {', '.join(sorted(strangers))}"
    script = _script_bytes(found, dist)
    if not 0 < script <= SCRIPT_BYTES:
        yield f"{what}: {script} B of script, gzipped, of {SCRIPT_BYTES}"
    if found["hindrances"]:
        yield f"{what}: cannot be installed: {', '.join(found['hindrances'])}"
    if found["profile"] == "mobile":
        for category, score in found["scores"].items():
            if score < SCORE:
                lost = [one for one in found["lost"] if one.startswith(category)]
                yield f"{what}: {category} {score} of {SCORE}: {'; '.join(lost)}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _script_bytes(found: dict[str, Any], dist: Path) -> int:
    """The gzipped size of the scripts that the page loaded, headers apart, and what reads codes by
    camera, which comes after the page (the same that `frontends/build.mjs` leaves out).
    """
    site = dist / ("portal" if found["name"] == "portal" else "reception")
    names = {Path(urlsplit(one["url"]).path).name for one in found["requests"]}
    later = ("scanner-", "decoder-")
    scripts = [name for name in names if name.endswith(".js") and not name.startswith(later)]
    return sum((site / f"{name}.gz").stat().st_size for name in scripts)


def _table(found: Iterable[dict[str, Any]], dist: Path) -> str:
    columns = (*("perf", "a11y", "best", "seo"), *("FCP", "LCP", "TTI", "TBT", "CLS"))
    names = "".join(f"{name:>7}" for name in (*columns, "script", "all"))
    lines = [f"{'page':<9}{'profile':<9}{names}  TTI of all runs"]
    for one in found:
        times, scores = one["times"], one["scores"]
        figures = (
            *(scores.get(name, "-") for name in CATEGORIES),
            *(times[name] for name in TIMES),
            f"{one['layoutShift']:.3f}",
            _script_bytes(one, dist),
            one["bytes"]["all"],
        )
        runs = ", ".join(str(run["interactive"]) for run in one["runs"])
        slow = one["profile"] == "3g" and times["interactive"] > INTERACTIVE_GOAL_MS
        lines.append(
            f"{one['name']:<9}{one['profile']:<9}{''.join(f'{figure:>7}' for figure in figures)}"
            f"  {runs}{'  over the goal of 3 s' if slow else ''}"
        )
    return "\n".join([*lines, "times in ms; script in bytes gzipped, all in bytes with headers"])


if __name__ == "__main__":
    raise SystemExit(main())
