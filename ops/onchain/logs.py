"""The contract's logs: which events, decoded how far, in how wide ranges of blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_abi import abi as eth_abi
from eth_typing import ABIEvent
from eth_utils.abi import event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from web3.types import LogReceipt

from ops.onchain.artefact import abi

LOG_RANGE = 5000
"""Blocks asked for at once at first: what BNB Chain's own nodes allow."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log: the event's name, its block, its indexed arguments by name.

    What is not indexed stays undecoded: the contract takes any bytes for a string, and one that is
    no text must not stand in the way of the rest.
    """

    event: str
    block: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the ABI: its name, its first topic, name and type of its indexed arguments and
    of those in the data."""

    name: str
    topic: str
    indexed: Sequence[tuple[str, str]]
    data: Sequence[tuple[str, str]]

    def log(self, raw: LogReceipt) -> Log:
        """The log. Raises `DecodingError` or `ValueError` where it is none of this event."""
        return Log(self.name, raw["blockNumber"], self._topics(raw))

    def arguments(self, raw: LogReceipt) -> Mapping[str, Any]:
        """All arguments by name, those in the data as well. Raises as `log` does."""
        told = eth_abi.decode([kind for _, kind in self.data], bytes(raw["data"]))
        return self._topics(raw) | {
            name: value for (name, _), value in zip(self.data, told, strict=True)
        }

    def _topics(self, raw: LogReceipt) -> dict[str, Any]:
        values = zip(self.indexed, raw["topics"][1:], strict=True)
        return {name: _decoded(kind, bytes(topic)) for (name, kind), topic in values}


def _decoded(kind: str, topic: bytes) -> Any:
    (value,) = eth_abi.decode([kind], topic)
    return to_checksum_address(value) if kind == "address" else value


def event_of(name: str) -> Event:
    """An event of the contract, by its name."""
    (entry,) = (one for one in abi() if one["type"] == "event" and one["name"] == name)
    inputs = [(one["name"], one["type"], one["indexed"]) for one in entry["inputs"]]
    return Event(
        name,
        "0x" + event_abi_to_log_topic(cast("ABIEvent", entry)).hex(),
        indexed=tuple((name, kind) for name, kind, indexed in inputs if indexed),
        data=tuple((name, kind) for name, kind, indexed in inputs if not indexed),
    )
