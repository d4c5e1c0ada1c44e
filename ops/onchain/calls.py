"""What an operator signs, independent of how: one transaction, told in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | bool | tuple["Value", ...]
"""An argument: addresses and byte strings as `0x` hexadecimals."""


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction without value.

    `words` says in a sentence what it does. `signature` and `arguments` decode `data`; both are
    empty where `data` is not a call of the voucher contract.
    """

    to: str
    data: str
    words: str
    signature: str = ""
    arguments: Mapping[str, Value] = field(default_factory=dict)


def shown(value: Value) -> str:
    """An argument as Foundry's tools and people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ",".join(shown(one) for one in value) + "]"
    return str(value)
