"""Plain values in DynamoDB's typed form and back, and the compact forms of hashes and ids."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]

LARGEST_NUMBER = 10**38 - 1
"""DynamoDB numbers carry 38 digits; a `uint256` may have 78."""


def pack(value: object) -> AttributeValue:
    """`value` as DynamoDB takes it: null, boolean, integer, text, bytes, list or map.

    Raises:
        TypeError: any other type.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {name: pack(inner) for name, inner in value.items()}}
        case Sequence():
            return {"L": [pack(inner) for inner in value]}
        case _:
            raise TypeError(f"no DynamoDB form for {type(value).__name__}")


def unpack(packed: AttributeValue) -> Any:
    """The value behind `pack`; sequences come back as tuples."""
    ((kind, value),) = packed.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value)
        case "L":
            return tuple(unpack(inner) for inner in value)
        case "M":
            return {name: unpack(inner) for name, inner in value.items()}
        case _:
            return value


def shrink_hash(text: str) -> bytes | str:
    """Half the bytes of `0x`-prefixed lower-case hexadecimal; any other text stays as it is."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return text
    return raw if grow_hash(raw) == text else text


def grow_hash(stored: bytes | str) -> str:
    """The text behind `shrink_hash`."""
    return stored if isinstance(stored, str) else "0x" + stored.hex()


def shrink_uuid(text: str) -> bytes | str:
    """The 16 bytes of a canonical UUID, which most request ids are; any other text as it is."""
    try:
        parsed = UUID(text)
    except ValueError:
        return text
    return parsed.bytes if str(parsed) == text else text


def grow_uuid(stored: bytes | str) -> str:
    """The text behind `shrink_uuid`."""
    return stored if isinstance(stored, str) else str(UUID(bytes=stored))


def shrink_uint(number: int) -> int | str:
    """A `uint256` as a number where DynamoDB has the digits for it, else as text."""
    return number if number <= LARGEST_NUMBER else str(number)
