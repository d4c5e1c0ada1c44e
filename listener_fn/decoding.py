"""From what an endpoint answers to the domain's types, or a refusal.

Nothing is believed before it has been checked for shape: whatever is not spelled exactly as the
JSON-RPC specification has it (lower-case hexadecimal, fixed lengths, quantities without leading
zeros) is malformed. Logs of the one fixed event are cut at fixed places, which is many times faster
than any general decoder.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.order_hash import checksum_address, keccak256
from chalicelib.domain.redemptions import BlockRef, Burn

REDEEMED_TOPIC = "0x" + keccak256(b"VoucherRedeemed(address,uint256,uint256,bytes32,uint256)").hex()

LARGEST = (1 << 63) - 1
"""What every store can hold. No height, time, index or serial comes near."""

REMEMBERED_ADDRESSES = 16_384
"""Checksums are dear, and customers come back."""

_LARGEST_WORD = f"{LARGEST:064x}"
LONGEST_INDEX = 15
"""Digits."""

_NO_TIME = (None, "0x0")
"""How nodes leave the block's time out of a log."""

_QUANTITY = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")
_WORD = re.compile(r"0x[0-9a-f]{64}")

# One match for all of a log that differs from burn to burn. No part can hold a comma, so each is as
# long as it must be.
_LOG = re.compile(
    r"0x0{24}([0-9a-f]{40})"  # topic 1: user
    r",0x([0-9a-f]{64})"  # topic 2: token id
    r",(0x[0-9a-f]{64})"  # topic 3: order hash
    r",0x([0-9a-f]{64})([0-9a-f]{64})"  # data: amount, serial
    r",(0x[0-9a-f]{64})"  # transaction hash
    r",0x(0|[1-9a-f][0-9a-f]{0,63})"  # log index
)


class Malformed(Exception):
    """An answer has not the shape it must have; says what of it."""


def quantity(value: Any) -> int:
    """An integer as JSON-RPC spells it: a height, a time, an index; no token's amount.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Malformed("a quantity is malformed")
    number = int(value, 16)
    if number > LARGEST:
        raise Malformed("a quantity is too large to be true")
    return number


def word(value: Any) -> str:
    """32 bytes, `0x` and 64 lower-case digits.

    Raises:
        Malformed: they are none.
    """
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise Malformed("a 32-byte word is malformed")
    return value


def block_ref(value: Any) -> BlockRef:
    """What counts of a block or header.

    Raises:
        Malformed: it is none, or there is no such block.
    """
    if not isinstance(value, dict):
        raise Malformed("no such block")
    return BlockRef(
        number=quantity(value.get("number")),
        hash=word(value.get("hash")),
        time=quantity(value.get("timestamp")),
    )


def untimed_blocks(logs: Any) -> list[int]:
    """Heights of the blocks whose time the logs do not tell, ascending.

    Raises:
        Malformed: this is no list of logs.
    """
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        raise Malformed("a list of logs is malformed")
    return sorted(
        {quantity(log.get("blockNumber")) for log in logs if log.get("blockTimestamp") in _NO_TIME}
    )


def burns(
    logs: Any, *, contract: str, first: int, last: int, times: Mapping[str, int]
) -> list[Burn]:
    """The burns that `VoucherRedeemed` logs of blocks `first` to `last` tell, in serial order.

    `contract` is the address in lower case. `times` has the block times (unix seconds) by block
    hash, for logs that do not tell them. What is doubled, or missing, is so in the answer too.

    Raises:
        Malformed: one is a removed log, or none of that event, contract or range.
    """
    blocks: dict[tuple[Any, Any, Any], BlockRef] = {}
    told: list[Burn] = []
    try:
        for log in logs:
            if log["address"].lower() != contract or log.get("removed"):
                raise Malformed("a log of another contract, or a removed one")
            event, user, token_id, order_hash = log["topics"]
            if event != REDEEMED_TOPIC:
                raise Malformed("a log of another event")
            parts = (user, token_id, order_hash, log["data"], log["transactionHash"])
            cut = _LOG.fullmatch(",".join((*parts, log["logIndex"])))
            if cut is None:
                raise Malformed("a log's topics, data, transaction or index are malformed")
            user, token_id, order_hash, amount, serial, tx_hash, index = cut.groups()
            if serial > _LARGEST_WORD or len(index) > LONGEST_INDEX:
                raise Malformed("a log's serial or index is too large to be true")
            place = (log["blockNumber"], log["blockHash"], log.get("blockTimestamp"))
            block = blocks.get(place)
            if block is None:
                block = blocks[place] = _block_of(*place, times)
            told.append(
                Burn(
                    int(serial, 16),
                    _address(user),
                    int(token_id, 16),
                    int(amount, 16),
                    order_hash,
                    tx_hash,
                    int(index, 16),
                    block,
                )
            )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Malformed("a log is malformed") from error
    if any(not first <= block.number <= last for block in blocks.values()):
        raise Malformed(f"a log from outside blocks {first} to {last}")
    told.sort(key=_serial)
    return told


def _block_of(number: Any, block_hash: Any, time: Any, times: Mapping[str, int]) -> BlockRef:
    known = times.get(word(block_hash))
    return BlockRef(quantity(number), block_hash, quantity(time) if known is None else known)


@lru_cache(maxsize=REMEMBERED_ADDRESSES)
def _address(digits: str) -> str:
    try:
        return checksum_address("0x" + digits)
    except InvalidInput as error:
        raise Malformed("an address is malformed") from error


def _serial(burn: Burn) -> int:
    return burn.serial
