#!/usr/bin/env python3
"""Hold slither's findings to the accepted ones.

    contracts/proofs/slither_findings.py FINDINGS ACCEPTED

FINDINGS is what `slither --json` wrote; ACCEPTED lists the findings judged to be harmless:
`check` (the detector), `where` (the function) and `reason`. Exit status 1, with one line for each,
if there is a finding that is not accepted, or an accepted one that slither no longer reports.
"""

import json
import sys
from pathlib import Path
from typing import Any


def key_of(finding: dict[str, Any]) -> tuple[str, str]:
    """Detector and function of a finding, as in ("timestamp", "_checkOrder")."""
    elements = finding["elements"]
    return finding["check"], elements[0]["name"] if elements else ""


def problems(report: dict[str, Any], accepted: list[dict[str, str]]) -> list[str]:
    """What is wrong, one line each; empty if the findings are exactly the accepted ones."""
    if not report["success"]:
        return [f"slither failed: {report['error']}"]
    found = {key_of(finding): finding for finding in report["results"].get("detectors", [])}
    known = {(entry["check"], entry["where"]) for entry in accepted}
    lines = [
        f"new finding: {finding['check']}: {' '.join(finding['description'].split())}"
        for key, finding in found.items()
        if key not in known
    ]
    lines += [
        f"accepted but no longer found: {check} in {where}"
        for check, where in sorted(known - found.keys())
    ]
    lines += [
        f"accepted without a reason: {entry['check']} in {entry['where']}"
        for entry in accepted
        if not entry.get("reason", "").strip()
    ]
    return lines


def main(arguments: list[str]) -> int:
    """0 if the findings are exactly the accepted ones, 1 if not."""
    report, accepted = (json.loads(Path(name).read_text(encoding="utf-8")) for name in arguments)
    lines = problems(report, accepted)
    for line in lines:
        print(f"slither: {line}", file=sys.stderr)
    if not lines:
        print(f"slither: {len(accepted)} findings, each accepted in {arguments[1]}; no other")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
