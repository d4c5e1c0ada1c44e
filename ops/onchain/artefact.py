"""The committed artefact of the voucher contract: ABI and bytecode, by `contracts/build.py`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[2] / "contracts/abi/FiveSOfficeVouchers.json"


@cache
def artefact() -> dict[str, Any]:
    """The artefact's JSON, read once. Treat it as read-only."""
    loaded: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return loaded


def abi() -> list[dict[str, Any]]:
    """The contract's ABI."""
    entries: list[dict[str, Any]] = artefact()["abi"]
    return entries
