"""How many blocks to ask an endpoint for at once."""

from dataclasses import dataclass

FORGET_AFTER = 50
"""Answered ranges after which a refusal is forgotten."""


@dataclass(slots=True)
class Ranges:
    """Closes in on what the endpoint takes, from both sides; `size` in blocks.

    What it refused is forgotten from time to time, since it may have been a passing trouble.
    """

    size: int
    limit: int | None = None
    successes: int = 0

    def taken(self, blocks: int) -> None:
        """So many blocks were answered: try more, unless more could have been asked for."""
        if blocks < self.size:
            return
        self.successes += 1
        if self.successes % FORGET_AFTER == 0:
            self.limit = None
        self.size = self.size * 2 if self.limit is None else (self.size + self.limit) // 2

    def refused(self, blocks: int, *, allowed: int | None = None) -> None:
        """So many blocks were refused: try fewer, as many as the endpoint says where it says so."""
        self.limit = blocks
        self.size = allowed if allowed is not None and 0 < allowed < blocks else max(1, blocks // 2)
