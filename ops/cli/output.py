"""How commands print: tables for people, JSON for programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """`--json`, the same on every command that prints data; arrives as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def emit(data: object, text: str, *, as_json: bool) -> None:
    """Print `data` as JSON, or `text` for people, on standard output."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2) if as_json else text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, under a header."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )


def listed(facts: Mapping[str, str]) -> str:
    """Names and facts, one on each line, the facts under each other."""
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {fact}" for name, fact in facts.items())


def moment(unix_seconds: int) -> str:
    """A time as RFC 3339 in UTC; beyond the year 9999, where that ends, as unix seconds."""
    try:
        at = datetime.fromtimestamp(unix_seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return str(unix_seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
