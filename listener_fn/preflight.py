"""What must be true of endpoints and contract before the listener starts (spec: Listener).

What is wrong is refused, naming the setting and how to mend it. What cannot be told is a warning:
the listener works with endpoints that fail, and with nodes that keep no old state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.ports import ChainUnavailable
from listener_fn.books import Endpoint, checked
from listener_fn.decoding import quantity

FIND_IT = "set DEPLOY_BLOCK to the block of the transaction that created the contract"


class Misconfigured(Exception):
    """The listener must not start. `setting` names what is wrong, the message says how to mend
    it."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings say of the chain: its id, the contract's address and first block."""

    chain_id: int
    contract: str
    deploy_block: int


def check(endpoints: Sequence[Endpoint], expected: Expected) -> tuple[str, ...]:
    """Look at every endpoint; warnings, one for each thing that could not be told.

    A node that has not got to DEPLOY_BLOCK yet is passed over while another one has.

    Raises:
        Misconfigured: an endpoint serves another chain; or there is no such contract, or
            DEPLOY_BLOCK is not the block it was deployed in.
    """
    warnings: list[str] = []
    heads: list[tuple[int, Endpoint]] = []
    for endpoint in endpoints:
        try:
            heads.append((_head(endpoint, expected), endpoint))
        except ChainUnavailable as error:
            warnings.append(str(error))
    head, newest = max(heads, key=lambda one: one[0], default=(expected.deploy_block, None))
    if newest is not None and head < expected.deploy_block:
        raise Misconfigured(
            "DEPLOY_BLOCK",
            f"{expected.deploy_block} is past the newest block {head} that {newest.name} tells;"
            f" {FIND_IT}",
        )
    for head, endpoint in heads:
        if head >= expected.deploy_block:
            try:
                warnings += _contract_warnings(endpoint, expected)
            except ChainUnavailable as error:
                warnings.append(str(error))
    return tuple(warnings)


def _head(endpoint: Endpoint, expected: Expected) -> int:
    """The newest block of an endpoint that serves the right chain."""
    served = checked(endpoint, quantity, endpoint.call("eth_chainId"))
    if served != expected.chain_id:
        raise Misconfigured(
            "RPC_URLS",
            f"{endpoint.name} serves chain {served}, CHAIN_ID is {expected.chain_id}; let both"
            " name the same chain",
        )
    return checked(endpoint, quantity, endpoint.call("eth_blockNumber"))


def _contract_warnings(endpoint: Endpoint, expected: Expected) -> list[str]:
    """What could not be told of the contract and of the block it was deployed in."""
    if not _has_code(endpoint, expected, "latest"):
        raise Misconfigured(
            "CONTRACT_ADDRESS",
            f"{endpoint.name} knows no contract at {expected.contract} on chain"
            f" {expected.chain_id}; set it to the deployed voucher contract",
        )
    first = expected.deploy_block
    try:
        early = not _has_code(endpoint, expected, hex(first)) and not _has_logs(endpoint, expected)
        late = first > 0 and _has_code(endpoint, expected, hex(first - 1))
    except ChainUnavailable as error:
        return [f"whether the contract was deployed in block {first} cannot be told: {error}"]
    if early:
        raise Misconfigured(
            "DEPLOY_BLOCK",
            f"the contract is not there yet in block {first}, as {endpoint.name} tells; {FIND_IT}",
        )
    if late:
        raise Misconfigured(
            "DEPLOY_BLOCK",
            f"the contract is there before block {first}, as {endpoint.name} tells, and its burns"
            f" would be missed; {FIND_IT}",
        )
    return []


def _has_code(endpoint: Endpoint, expected: Expected, block: str) -> bool:
    code = endpoint.call("eth_getCode", expected.contract, block)
    if not isinstance(code, str) or not code.startswith("0x"):
        raise ChainUnavailable(f"{endpoint.name}: code is malformed")
    return code != "0x"


def _has_logs(endpoint: Endpoint, expected: Expected) -> bool:
    """Whether the contract was there in its first block: the constructor tells roles.

    Some nodes that forgot a block's state say there is no code, instead of that they forgot.
    """
    first = hex(expected.deploy_block)
    asked = {"address": expected.contract, "fromBlock": first, "toBlock": first}
    return bool(endpoint.call("eth_getLogs", asked))
