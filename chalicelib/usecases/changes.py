"""Turning decided records into the changes of one commit."""

from dataclasses import replace

from chalicelib.domain.orders import Order, displaced_history
from chalicelib.ports import Change, Insert, Update

MAX_ATTEMPTS = 5
"""How often a use case decides anew after a `Conflict` before it gives up."""


def order_changes(before: Order, after: Order) -> list[Change]:
    """The update of an order, and the history that no longer fits into it; nothing if unchanged.

    `after` may be several moves ahead of `before`: they are stored as one step.
    """
    if after is before:
        return []
    version = before.version + 1
    stored = after if after.version == version else replace(after, version=version)
    return [Update(stored), *(Insert(entry) for entry in displaced_history(before, after))]
