#!/usr/bin/env python3
"""Print what the contract's transactions cost, as a Markdown table of gas and US dollars.

    contracts/gas_table.py                                    at the assumed prices
    contracts/gas_table.py --gas-price-gwei 0.1 --bnb-usd 650 at others
    contracts/gas_table.py --write                            put the table into docs/contract.md
    contracts/gas_table.py --check                            exit 1 if the table there is another

Gas comes from snapshots/, which the contract's tests compare with what transactions use. Needs
nothing of Python beyond the standard library.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

HERE = Path(__file__).resolve().parent
SNAPSHOTS = HERE / "snapshots"
DOCUMENT = HERE.parent / "docs" / "contract.md"
BEGIN, END = "<!-- gas table -->", "<!-- end of gas table -->"

# Assumptions, not quotes: what a reader can put their own prices beside.
ASSUMED_ON = "2026-11-21"
GAS_PRICE_GWEI = Decimal("0.05")
BNB_USD = Decimal(900)
GWEI_PER_BNB = 10**9

AIRDROP = re.compile(r"airdrop of (\d+)\b")


class TableError(Exception):
    """The table cannot be made, or is not the document's; the message says why."""


def price(text: str) -> Decimal:
    """A positive decimal number."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a decimal number") from error
    if not value.is_finite() or value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


def snapshots() -> Iterator[tuple[str, int]]:
    """Name and gas of each measured transaction; of an airdrop, each recipient's share too."""
    for path in sorted(SNAPSHOTS.glob("*.json")):
        for name, gas in json.loads(path.read_text(encoding="utf-8")).items():
            yield name, int(gas)
            airdrop = AIRDROP.match(name)
            if airdrop:
                yield f"{name}: each recipient", round(int(gas) / int(airdrop[1]))


def table(gas_price_gwei: Decimal, bnb_usd: Decimal) -> str:
    """The table at these prices, with the prices."""
    lines = [
        f"At {gas_price_gwei} gwei per unit of gas and {bnb_usd} USD per BNB.",
        "",
        "| transaction | gas | USD |",
        "|---|---:|---:|",
    ]
    for name, gas in snapshots():
        usd = gas * gas_price_gwei / GWEI_PER_BNB * bnb_usd
        lines.append(f"| {name} | {gas:,} | {usd:.4f} |")
    return "\n".join(lines)


def documented(text: str) -> str:
    """The document with the table, at the assumed prices, between its markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise TableError(f"{DOCUMENT} has no place for the table: {BEGIN} … {END}")
    assumed = f"Prices are assumptions of {ASSUMED_ON}, not quotes."
    content = f"{table(GAS_PRICE_GWEI, BNB_USD)}\n\n{assumed}"
    return f"{before}{begin}\n{content}\n{end}{after}"


def update(*, write: bool) -> None:
    """Put the table into the document, or raise TableError unless it is there as it should be."""
    try:
        text = DOCUMENT.read_text(encoding="utf-8")
        made = documented(text)
        if write:
            DOCUMENT.write_text(made, encoding="utf-8")
    except OSError as error:
        raise TableError(f"{DOCUMENT}: {error.strerror}") from error
    if not write and made != text:
        raise TableError(f"the table in {DOCUMENT} is old: run contracts/gas_table.py --write")


def main() -> int:
    """Print, write or check the table; 0 when done, 1 with one message on stderr when not."""
    parser = argparse.ArgumentParser(
        description="Print what the contract's transactions cost. docs/contract.md has the table at"
        " the assumed prices."
    )
    parser.add_argument(
        "--gas-price-gwei",
        metavar="GWEI",
        type=price,
        default=GAS_PRICE_GWEI,
        help="default: %(default)s, assumed",
    )
    parser.add_argument(
        "--bnb-usd",
        metavar="USD",
        type=price,
        default=BNB_USD,
        help="default: %(default)s, assumed",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--write", action="store_true", help="put it into docs/contract.md")
    instead.add_argument("--check", action="store_true", help="compare with docs/contract.md")
    arguments = parser.parse_args()
    if not (arguments.write or arguments.check):
        print(table(arguments.gas_price_gwei, arguments.bnb_usd))
        return 0
    try:
        update(write=arguments.write)
    except TableError as error:
        print(f"contracts/gas_table.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
