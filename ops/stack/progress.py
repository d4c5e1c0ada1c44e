"""Tells how far the runner is, with times."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Progress:
    """One line per step: what, and how long it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what is being done, and when it is done, how long it took."""
        began = time.monotonic()
        click.echo(f"  {what} … ", nl=False)
        try:
            yield
        except BaseException:
            click.echo("failed")
            raise
        click.echo(f"{time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        """Something worth knowing."""
        click.echo(f"  {text}")

    @property
    def elapsed(self) -> float:
        """Seconds since the runner began."""
        return time.monotonic() - self._began
