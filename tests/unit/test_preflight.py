"""What a listener refuses to start on, naming the setting, and what is but a warning."""

from dataclasses import replace
from typing import Any

import pytest

from listener_fn.preflight import Expected, Misconfigured, check
from tests.fakes import CHAIN_ID, CONTRACT
from tests.unit.fake_endpoint import FakeEndpoint

EXPECTED = Expected(CHAIN_ID, CONTRACT, deploy_block=10)
FOR_EVER = 10_000


def refused(*endpoints: FakeEndpoint, expected: Expected = EXPECTED) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        check(endpoints, expected)
    return caught.value


def test_what_is_right_starts_without_a_word() -> None:
    assert check([FakeEndpoint(), FakeEndpoint(head=10)], EXPECTED) == ()


def test_a_contract_in_the_very_first_block_is_right() -> None:
    assert check([FakeEndpoint(deployed=0)], replace(EXPECTED, deploy_block=0)) == ()


@pytest.mark.parametrize(
    ("facts", "deploy_block", "setting", "said"),
    [
        ({"chain_id": 56}, 10, "RPC_URLS", "rpc.example serves chain 56, CHAIN_ID is 31337"),
        ({"contract": "0x" + "11" * 20}, 10, "CONTRACT_ADDRESS", "knows no contract at 0x5FbDB"),
        ({}, 101, "DEPLOY_BLOCK", "101 is past the newest block 100 that rpc.example tells"),
        ({}, 9, "DEPLOY_BLOCK", "the contract is not there yet in block 9"),
        ({}, 11, "DEPLOY_BLOCK", "the contract is there before block 11"),
        ({}, 100, "DEPLOY_BLOCK", "its burns would be missed"),
    ],
    ids=["wrong-chain", "no-contract", "future", "too-early", "too-late", "much-too-late"],
)
@pytest.mark.parametrize("place", [0, 1])
def test_bad_configuration_is_refused_naming_the_setting(
    facts: dict[str, Any], deploy_block: int, setting: str, said: str, place: int
) -> None:
    endpoints = [FakeEndpoint(keeps=FOR_EVER), FakeEndpoint(keeps=FOR_EVER)]
    if facts:
        endpoints[place] = FakeEndpoint(keeps=FOR_EVER, **facts)
    error = refused(*endpoints, expected=replace(EXPECTED, deploy_block=deploy_block))
    assert error.setting == setting
    assert str(error).startswith(f"{setting}: ")
    assert said in str(error)


def test_every_refusal_says_how_to_mend_it() -> None:
    late = replace(EXPECTED, deploy_block=11)
    assert "the block of the transaction that created the contract" in str(
        refused(FakeEndpoint(), expected=late)
    )
    assert "let both name the same chain" in str(refused(FakeEndpoint(chain_id=56)))
    assert "set it to the deployed voucher contract" in str(refused(FakeEndpoint(contract="0x0")))


@pytest.mark.parametrize("deploy_block", [9, 10, 11])
def test_where_the_state_is_forgotten_it_is_a_warning(deploy_block: int) -> None:
    (warning,) = check([FakeEndpoint(head=1000)], replace(EXPECTED, deploy_block=deploy_block))
    assert f"in block {deploy_block} cannot be told: rpc.example: missing trie node" in warning


def test_a_node_that_calls_forgotten_code_empty_is_not_believed() -> None:
    assert check([FakeEndpoint(head=1000, forgets=True)], EXPECTED) == ()


def test_an_endpoint_that_does_not_answer_is_a_warning() -> None:
    (warning,) = check([FakeEndpoint(name="down.example", down=True), FakeEndpoint()], EXPECTED)
    assert warning == "down.example: ConnectionError"
    assert len(check([FakeEndpoint(down=True)], EXPECTED)) == 1


def test_a_node_that_is_far_behind_keeps_nobody_from_starting() -> None:
    assert check([FakeEndpoint(head=3), FakeEndpoint()], EXPECTED) == ()


def test_endpoints_on_one_host_are_told_apart() -> None:
    behind, right = FakeEndpoint(name="127.0.0.1"), FakeEndpoint(name="127.0.0.1", head=3)
    assert check([behind, right], EXPECTED) == ()


@pytest.mark.parametrize(
    "told",
    [
        {"eth_chainId": None},
        {"eth_chainId": "31337"},
        {"eth_blockNumber": "0x"},
        {"eth_getCode": None},
        {"eth_getCode": "zz"},
    ],
    ids=str,
)
def test_nonsense_is_no_verdict(told: dict[str, Any]) -> None:
    (warning,) = check([FakeEndpoint(told=told)], EXPECTED)
    assert "is malformed" in warning
