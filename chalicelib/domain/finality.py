"""When a block can no longer be taken back (spec: Listener)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FinalityRule:
    """`confirmations` counts the burn's own block: 1 means it is the newest.

    `fallback_blocks` is the depth that stands in for the `finalized` tag where a chain or provider
    has none.
    """

    confirmations: int
    fallback_blocks: int


def final_height(rule: FinalityRule, *, head: int, finalized: int | None) -> int:
    """The highest block that is final: deep enough **and** finalized. May be below zero.

    A tag that is missing, zero or stuck gives way to the fallback depth.
    """
    by_depth = head - (rule.confirmations - 1)
    by_age = head - rule.fallback_blocks
    by_tag = max(finalized, by_age) if finalized else by_age
    return min(by_depth, by_tag)


def confirmations_of(block: int, *, head: int) -> int:
    """How many blocks confirm `block`, its own included; 0 where the head is older."""
    return max(0, head - block + 1)
