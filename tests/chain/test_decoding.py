"""Logs and blocks as endpoints tell them, decoded as web3 decodes them, or refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3
from web3._utils.events import get_event_data
from web3.types import LogReceipt

from chalicelib.domain.redemptions import BlockRef
from listener_fn.decoding import (
    LARGEST,
    LONGEST_INDEX,
    REDEEMED_TOPIC,
    Malformed,
    block_ref,
    burns,
    quantity,
    untimed_blocks,
    word,
)

ARTEFACT = Path(__file__).parents[2] / "contracts/abi/FiveSOfficeVouchers.json"
CONTRACT = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
USER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
BLOCK_HASH, TX_HASH, ORDER_HASH = "0x" + "b1" * 32, "0x" + "c2" * 32, "0x" + "d3" * 32
ALL: dict[str, Any] = {"contract": CONTRACT, "first": 0, "last": 2**256, "times": {}}

(EVENT_ABI,) = (
    item
    for item in json.loads(ARTEFACT.read_text())["abi"]
    if item.get("name") == "VoucherRedeemed"
)
CODEC = Web3().codec

uint256 = st.integers(0, 2**256 - 1)
bytes32 = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).filter(any)


def log_of(
    *,
    user: str = USER,
    token_id: int = 1001,
    amount: int = 2,
    order_hash: str = ORDER_HASH,
    serial: int = 7,
    **told: Any,
) -> dict[str, Any]:
    """A log as the contract emits it, encoded by an independent library."""
    return {
        "address": CONTRACT,
        "topics": [
            REDEEMED_TOPIC,
            "0x" + encode(["address"], [user]).hex(),
            "0x" + encode(["uint256"], [token_id]).hex(),
            order_hash,
        ],
        "data": "0x" + encode(["uint256", "uint256"], [amount, serial]).hex(),
        "blockHash": BLOCK_HASH,
        "blockNumber": "0x10",
        "blockTimestamp": "0x6b01732d",
        "transactionHash": TX_HASH,
        "transactionIndex": "0x0",
        "logIndex": "0x3",
        "removed": False,
        **told,
    }


def as_web3_reads(log: dict[str, Any]) -> Any:
    """The log decoded by web3, which takes formatted ones."""
    formatted = {
        **log,
        "topics": [bytes.fromhex(topic[2:]) for topic in log["topics"]],
        "data": bytes.fromhex(log["data"][2:]),
        "blockNumber": int(log["blockNumber"], 16),
        "logIndex": int(log["logIndex"], 16),
        "transactionIndex": int(log["transactionIndex"], 16),
    }
    return get_event_data(CODEC, EVENT_ABI, LogReceipt(**formatted))  # type: ignore[typeddict-item]


@given(
    user=addresses,
    token_id=uint256,
    amount=uint256,
    order_hash=bytes32,
    serial=st.integers(0, LARGEST),
    log_index=st.integers(0, 16**LONGEST_INDEX - 1),
    number=st.integers(0, LARGEST),
)
def test_log_is_decoded_as_web3_does(
    user: bytes,
    token_id: int,
    amount: int,
    order_hash: bytes,
    serial: int,
    log_index: int,
    number: int,
) -> None:
    log = log_of(
        user="0x" + user.hex(),
        token_id=token_id,
        amount=amount,
        order_hash="0x" + order_hash.hex(),
        serial=serial,
        logIndex=hex(log_index),
        blockNumber=hex(number),
    )
    (burn,) = burns([log], **ALL)
    read = as_web3_reads(log)
    assert (burn.user, burn.token_id, burn.amount, burn.serial) == (
        read["args"]["user"],
        read["args"]["tokenId"],
        read["args"]["amount"],
        read["args"]["serial"],
    )
    assert burn.order_hash == "0x" + read["args"]["orderHash"].hex()
    assert (burn.log_index, burn.tx_hash) == (read["logIndex"], read["transactionHash"])
    assert burn.block == BlockRef(read["blockNumber"], read["blockHash"], 0x6B01732D)


def test_contract_may_be_told_with_its_checksum() -> None:
    log = log_of(address="0x5FbDB2315678afecb367f032d93F642f64180aa3")
    assert burns([log], **ALL) == burns([log_of()], **ALL)


def test_burns_come_in_serial_order_with_repeats_kept() -> None:
    logs = [log_of(serial=serial, logIndex=hex(serial)) for serial in (9, 7, 8, 7)]
    assert [burn.serial for burn in burns(logs, **ALL)] == [7, 7, 8, 9]
    assert burns([], **ALL) == []


def test_block_times_come_from_the_log_or_beside_it() -> None:
    untimed = {key: value for key, value in log_of().items() if key != "blockTimestamp"}
    other = {**untimed, "blockNumber": "0xf", "blockTimestamp": None}
    assert untimed_blocks([log_of(), untimed, other, untimed]) == [15, 16]
    (burn,) = burns([untimed], **{**ALL, "times": {BLOCK_HASH: 1_800_000_000}})
    assert burn.block.time == 1_800_000_000
    with pytest.raises(Malformed):
        burns([untimed], **{**ALL, "times": {TX_HASH: 1_800_000_000}})


def test_block_time_told_as_zero_is_one_left_out() -> None:
    log = log_of(blockTimestamp="0x0")
    assert untimed_blocks([log]) == [16]


def test_block_told_in_two_ways_stays_so() -> None:
    one, other = burns([log_of(serial=1), log_of(serial=2, blockTimestamp="0x1")], **ALL)
    assert one.block != other.block


def test_log_from_outside_the_range_is_refused() -> None:
    with pytest.raises(Malformed, match="outside blocks 17 to 20"):
        burns([log_of()], contract=CONTRACT, first=17, last=20, times={})
    with pytest.raises(Malformed, match="outside blocks 1 to 15"):
        burns([log_of()], contract=CONTRACT, first=1, last=15, times={})


TOPICS = log_of()["topics"]
DATA = log_of()["data"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"removed": True},
        {"address": USER.lower()},
        {"address": None},
        {"topics": TOPICS[:3]},
        {"topics": [*TOPICS, TOPICS[1]]},
        {"topics": ["0x" + "00" * 32, *TOPICS[1:]]},
        {"topics": [REDEEMED_TOPIC.upper(), *TOPICS[1:]]},
        {"topics": [TOPICS[0], "0x" + "01" * 32, *TOPICS[2:]]},
        {"topics": [TOPICS[0], "0x" + "00" * 32, *TOPICS[2:]]},
        {"topics": [*TOPICS[:2], 1001, TOPICS[3]]},
        {"topics": [*TOPICS[:3], TOPICS[3] + "0"]},
        {"topics": [*TOPICS[:2], TOPICS[2][:-1], "0" + TOPICS[3]]},
        {"topics": [*TOPICS[:2], TOPICS[2] + "," + TOPICS[3], ""]},
        {"topics": "four"},
        {"topics": None},
        {"data": DATA[:-2]},
        {"data": DATA + "00"},
        {"data": DATA[:-2] + "zz"},
        {"data": DATA[:-1] + "A"},
        {"data": DATA[:-1] + "\n"},
        {"data": None},
        {"transactionHash": None},
        {"transactionHash": TX_HASH[:-1]},
        {"logIndex": "-0x1"},
        {"logIndex": "0x" + "1" * (LONGEST_INDEX + 1)},
        {"blockNumber": hex(LARGEST + 1)},
        {"blockTimestamp": hex(LARGEST + 1)},
        {"data": "0x" + encode(["uint256", "uint256"], [1, LARGEST + 1]).hex()},
        {"logIndex": "0x03"},
        {"logIndex": "0x"},
        {"logIndex": 3},
        {"logIndex": None},
        {"blockHash": "0x1"},
        {"blockHash": ["0x1"]},
        {"blockHash": None},
        {"blockNumber": "16"},
        {"blockNumber": 16},
        {"blockNumber": "0x010"},
        {"blockTimestamp": "soon"},
        {"blockTimestamp": 1},
        {"blockTimestamp": None},
    ],
)
def test_one_malformed_or_foreign_log_spoils_the_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        burns([log_of(serial=6), log_of(**wrong)], **ALL)


@pytest.mark.parametrize("name", ["address", "topics", "data", "blockHash", "blockNumber"])
def test_log_without_a_field_is_refused(name: str) -> None:
    log = log_of()
    del log[name]
    with pytest.raises(Malformed):
        burns([log], **ALL)


@given(st.data())
def test_no_log_of_other_shape_gets_through(data: st.DataObject) -> None:
    """Any field, or any topic, exchanged for any JSON value that is not the one it was."""
    log = log_of()
    anything = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(),
        st.lists(st.text(), max_size=4),
        st.from_regex(r"0x[0-9a-fA-F]{0,70}", fullmatch=True),
    )
    value = data.draw(anything)
    name = data.draw(st.sampled_from(["data", "transactionHash", "blockHash", 1, 2, 3]))
    at: Any = log["topics"] if isinstance(name, int) else log
    length = len(at[name])
    at[name] = value
    fits = (
        isinstance(value, str)
        and len(value) == length
        and set(value[2:]) <= set("0123456789abcdef")
        and (name != 1 or value[2:26] == "0" * 24)
    )
    if fits:
        assert len(burns([log], **ALL)) == 1
    else:
        with pytest.raises(Malformed):
            burns([log], **ALL)


@pytest.mark.parametrize("answer", [None, {}, "0x", 1, [None], [[]], ["log"]])
def test_what_is_no_list_of_logs_is_refused(answer: Any) -> None:
    with pytest.raises(Malformed):
        untimed_blocks(answer)


@pytest.mark.parametrize("value", [None, 1, "", "0x", "0x00", "0xG", "0X1", "1", "0x1 ", "0xA"])
def test_malformed_quantity_is_refused(value: Any) -> None:
    with pytest.raises(Malformed, match="quantity"):
        quantity(value)


def test_quantities_words_and_blocks_are_read() -> None:
    assert [quantity(value) for value in ("0x0", "0x1", "0xff")] == [0, 1, 255]
    assert word(TX_HASH) == TX_HASH
    block = {"number": "0x10", "hash": BLOCK_HASH, "timestamp": "0x6b01732d", "miner": USER}
    assert block_ref(block) == BlockRef(16, BLOCK_HASH, 0x6B01732D)


def test_what_no_store_can_hold_is_no_quantity() -> None:
    assert quantity(hex(LARGEST)) == LARGEST == 2**63 - 1
    with pytest.raises(Malformed, match="too large"):
        quantity(hex(LARGEST + 1))
    block = {"number": "0x10", "hash": BLOCK_HASH, "timestamp": hex(2**70)}
    with pytest.raises(Malformed, match="too large"):
        block_ref(block)


@pytest.mark.parametrize("value", [None, "0x1", 1, TX_HASH + "0", TX_HASH.upper(), [TX_HASH]])
def test_malformed_word_is_refused(value: Any) -> None:
    with pytest.raises(Malformed, match="word"):
        word(value)


@pytest.mark.parametrize("value", [None, [], {}, {"number": "0x1", "hash": BLOCK_HASH}])
def test_malformed_block_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        block_ref(value)
