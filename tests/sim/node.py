"""RPC nodes of a simulated world: each tells the chain in JSON-RPC, with faults of its own."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import requests

from chalicelib.domain.redemptions import BlockRef
from tests.sim.chain import (
    CONTRACT,
    TRANSFER_TOPIC,
    Branch,
    Redeem,
    SimChain,
    burn_of,
    log_of,
)

CHAIN_ID = 31337
COUNT_SELECTOR = "0x26ea3799"
STATE_BLOCKS = 30
"""Blocks for which nodes keep state, as full nodes do for 128."""

OUTAGES = ("http_429", "http_503", "timeout", "closed", "not_json", "batch_short", "batch_error")
LOG_FAULTS = (
    "logs_empty",
    "log_missing",
    "log_doubled",
    "logs_reordered",
    "log_foreign",
    "log_removed",
    "log_truncated",
    "log_malformed",
    "log_other_hash",
)
OTHER_FAULTS = (
    "lag",
    "load_balanced",
    "wrong_chain",
    "no_code",
    "header_malformed",
    "header_missing",
    "header_other",
    "tag_null",
    "tag_zero",
    "tag_stuck",
    "tag_error",
    "count_wrong",
    "count_malformed",
    "state_pruned",
    "range_limit",
    "logs_disabled",
    "logs_pruned",
)
FAULTS = (*OUTAGES, *LOG_FAULTS, *OTHER_FAULTS)
"""What an endpoint that means well may suffer, in any combination, on all nodes at once: with any
of these an answer is refused, or contradicts itself."""

LIES = ("burn_invented", "burn_hidden", "dead_branch", "tag_ahead", "header_forged")
"""What only a lying endpoint does: answers that are consistent in themselves, and false. No more of
the nodes lie than the quorum can bear."""

RANGE_WORDS: Sequence[tuple[int, str]] = (
    (-32000, "exceed maximum block range: {n}"),
    (-32614, "eth_getLogs is limited to a {n} range"),
    (-32600, "You can make eth_getLogs requests with up to a {n} block range."),
    (-32602, "Based on your parameters, this block range should work: [{lo}, {hi}]"),
    (-32005, "query returned more than 10000 results. Try with this block range [{lo}, {hi}]."),
    (-32000, "ranges over {n} blocks are not supported on freetier"),
    (-32701, "Please specify an address in your request or, block range too wide"),
    (-32008, "Response is too big"),
    (-32000, "backend response too large"),
    (-32000, "query timeout exceeded"),
)
NO_QUANTITIES: Sequence[Any] = ("0x", "0xzz", None, 7, "0x01", "", [], "0x-1")
TAG_WORDS = ("'finalized' tag not supported on pre-merge network", "Unknown block", "bad tag")


class View(NamedTuple):
    """What one backend has: a branch up to a height, and how far it holds it for finalized."""

    branch: Branch
    head: int
    finalized: int


@dataclass(frozen=True, slots=True)
class Traits:
    """What a node is like when all is well.

    `range_limit` is the most blocks it tells logs of at once, `range_words` how it refuses more.
    `strict_range` refuses a last block beyond its head, which others cut off silently.
    """

    range_limit: int
    range_words: int
    refuses_by_status: bool
    strict_range: bool
    tells_log_times: bool
    has_tag: bool


@dataclass
class Node:
    """One endpoint. `faults` maps each active fault to the chance that it shows in an answer."""

    name: str
    chain: SimChain
    rng: Random
    traits: Traits
    shown: Counter[str]
    faults: dict[str, float] = field(default_factory=dict)
    lag: int = 0
    stuck_tag: int = 0
    limit: int = 1
    hidden: set[str] = field(default_factory=set)
    invented: dict[str, list[Redeem]] = field(default_factory=dict)
    dead: Branch = field(default_factory=list)

    def suffer(self, fault: str, chance: float) -> None:
        """From now on."""
        self.faults[fault] = chance
        self.lag = self.rng.randint(1, 6)
        self.limit = self.rng.randint(1, 4)
        self.stuck_tag = max(0, self.chain.finalized - self.rng.randint(0, 3))
        if fault == "dead_branch" and self.chain.dead:
            self.dead = list(self.rng.choice(self.chain.dead)[1])

    def recover(self, fault: str) -> None:
        """The fault is gone, and with it what it made up."""
        self.faults.pop(fault, None)
        if fault == "burn_hidden":
            self.hidden.clear()
        if fault == "burn_invented":
            self.invented.clear()
        if fault == "dead_branch":
            self.dead = []

    def invent(self, redeem: Redeem, block: BlockRef) -> None:
        """Tell a transaction, as the last of `block`, that was never mined."""
        self.invented.setdefault(block.hash, []).append(redeem)

    def shows(self, fault: str) -> bool:
        """Whether an active fault shows this time."""
        chance = self.faults.get(fault)
        if chance is None or self.rng.random() >= chance:
            return False
        self.shown[fault] += 1
        return True

    # ------------------------------------------------------------------------------ requests

    def request(self, method: str, params: Sequence[Any]) -> Any:
        """The answer to a single call."""
        self._fail()
        if self.shows("not_json"):
            raise ValueError("<html>bad gateway</html>")
        return self._answer(self._view(), method, params)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> Any:
        """The answers to several calls, in order."""
        self._fail()
        if self.shows("batch_error"):
            return _error(-32600, "batch too large")
        view = self._view()
        answers = []
        for method, params in calls:
            answers.append(self._answer(view, method, params))
            if "load_balanced" in self.faults:
                view = self._view()
        if self.shows("batch_short"):
            answers.pop()
        return answers

    def _fail(self) -> None:
        if self.shows("http_429"):
            raise _http(429, {"error": {"code": -32005, "message": "Too Many Requests"}})
        if self.shows("http_503"):
            raise _http(503, None)
        if self.shows("timeout"):
            raise requests.Timeout("read timed out")
        if self.shows("closed"):
            raise requests.ConnectionError("connection reset by peer")

    def _view(self) -> View:
        chain = self.chain
        if self.dead and self.shows("dead_branch"):
            self._grow_dead()
            top = len(self.dead) - 1
            return View(self.dead, top, top - chain.finality_lag)
        top = len(chain.blocks) - 1
        if self.shows("lag"):
            return self._lagging(top - self.lag)
        if self.shows("load_balanced"):
            near = [(parting, branch) for parting, branch in chain.dead if parting >= chain.final]
            if near and self.rng.random() < 0.5:
                parting, branch = near[-1]
                return View(branch, len(branch) - 1, min(parting, chain.finalized))
            return self._lagging(top - self.rng.randint(0, 4))
        return View(chain.blocks, top, chain.finalized)

    def _lagging(self, head: int) -> View:
        head = max(0, head)
        return View(self.chain.blocks, head, min(head, self.chain.finalized))

    def _grow_dead(self) -> None:
        """A partition goes on by itself, with empty blocks."""
        while len(self.dead) < len(self.chain.blocks):
            tip = self.dead[-1]
            self.dead.append(self.chain.next_block(tip, [], tip.ref.time + 1))

    # ------------------------------------------------------------------------------- methods

    def _answer(self, view: View, method: str, params: Sequence[Any]) -> dict[str, Any]:
        answer = {
            "eth_chainId": self._chain_id,
            "eth_getCode": self._code,
            "eth_blockNumber": self._block_number,
            "eth_getBlockByNumber": self._block,
            "eth_getLogs": self._logs,
            "eth_call": self._call,
            "eth_getTransactionReceipt": self._receipt,
        }.get(method)
        if answer is None:
            return _error(-32601, f"the method {method} does not exist/is not available")
        return {"jsonrpc": "2.0", "id": 1} | answer(view, params)

    def _chain_id(self, _view: View, _params: Sequence[Any]) -> dict[str, Any]:
        return {"result": hex(56 if self.shows("wrong_chain") else CHAIN_ID)}

    def _code(self, _view: View, _params: Sequence[Any]) -> dict[str, Any]:
        return {"result": "0x" if self.shows("no_code") else "0x6080"}

    def _block_number(self, view: View, _params: Sequence[Any]) -> dict[str, Any]:
        return {"result": hex(view.head)}

    def _block(self, view: View, params: Sequence[Any]) -> dict[str, Any]:
        which = params[0]
        if which == "finalized":
            return self._finalized(view)
        number = view.head if which == "latest" else int(which, 16)
        if self.shows("header_missing") or not 0 <= number <= view.head:
            return {"result": None}
        header = view.branch[number].header
        if self.shows("header_malformed"):
            header = dict(header)
            header[self.rng.choice(sorted(header))] = self.rng.choice(NO_QUANTITIES)
        if self.shows("header_other"):
            other = {"number": "0x1", "parentHash": "0x" + 64 * "e"}
            name = self.rng.choice(sorted(other))
            header = header | {name: other[name]}
        if self.shows("header_forged"):
            header = header | {"hash": "0x" + 64 * "f"}
        return {"result": header}

    def _finalized(self, view: View) -> dict[str, Any]:
        if self.shows("tag_error") or not self.traits.has_tag:
            return _error(-32000, self.rng.choice(TAG_WORDS))
        if self.shows("tag_null"):
            return {"result": None}
        number = max(0, view.finalized)
        if self.shows("tag_zero"):
            number = 0
        if self.shows("tag_stuck"):
            number = min(self.stuck_tag, number)
        if self.shows("tag_ahead"):
            number = view.head
        return {"result": view.branch[number].header}

    def _call(self, view: View, params: Sequence[Any]) -> dict[str, Any]:
        call, which = params
        if call["to"].lower() != CONTRACT.lower() or call["data"] != COUNT_SELECTOR:
            return _error(3, "execution reverted")
        number = view.head if which == "latest" else int(which, 16)
        if number > view.head:
            return _error(-32000, "header not found")
        if number < view.head - STATE_BLOCKS or self.shows("state_pruned"):
            return _error(-32000, "missing trie node 5f3a (path ) state is not available")
        if self.shows("count_malformed"):
            return {"result": self.rng.choice(("0x", "0x01", None, 3, "0x" + 63 * "0"))}
        count = view.branch[number].count
        if self._is_lying:
            count = sum(1 for log in self._told(view, 0, number))
        if self.shows("count_wrong"):
            # Only ever too many: too few could agree by chance with a log that is missing.
            count += self.rng.randint(1, 3)
        return {"result": f"0x{count:064x}"}

    def _receipt(self, view: View, params: Sequence[Any]) -> dict[str, Any]:
        for log in self._told(view, 0, view.head):
            if log["transactionHash"] == params[0]:
                transfer = log | {
                    "topics": [TRANSFER_TOPIC, *log["topics"][1:]],
                    "logIndex": hex(int(log["logIndex"], 16) - 1),
                }
                told = {name: log[name] for name in ("transactionHash", "blockHash", "blockNumber")}
                return {"result": told | {"status": "0x1", "logs": [transfer, self._dated(log)]}}
        return {"result": None}

    def _logs(self, view: View, params: Sequence[Any]) -> dict[str, Any]:
        asked = params[0]
        first, last = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
        refusal = self._refusal(view, first, last)
        if refusal is not None:
            return refusal
        logs = [self._dated(log) for log in self._told(view, first, min(last, view.head))]
        topics = asked.get("topics") or [None]
        logs = [log for log in logs if topics[0] in (None, log["topics"][0])]
        for fault in LOG_FAULTS:
            if logs and self.shows(fault):
                logs = _LOG_FAULTS[fault](logs, self.rng)
        return {"result": logs}

    def _refusal(self, view: View, first: int, last: int) -> dict[str, Any] | None:
        if self.shows("logs_disabled"):
            return _error(-32005, "limit exceeded")
        if self.shows("logs_pruned"):
            return _error(-32000, "history has been pruned for this block")
        if last > view.head and self.traits.strict_range:
            return _error(-32000, "invalid block range params")
        limit = self.limit if self.shows("range_limit") else self.traits.range_limit
        if last - first < limit:
            return None
        code, words = RANGE_WORDS[self.traits.range_words]
        said = words.format(n=limit, lo=hex(first), hi=hex(first + limit - 1))
        if self.traits.refuses_by_status:
            raise _http(400, {"error": {"code": code, "message": said}})
        return _error(code, said)

    def _dated(self, log: dict[str, Any]) -> dict[str, Any]:
        if self.traits.tells_log_times:
            return log
        return {name: value for name, value in log.items() if name != "blockTimestamp"}

    # ---------------------------------------------------------------------------------- lies

    @property
    def _is_lying(self) -> bool:
        return bool(self.hidden or self.invented)

    def _told(self, view: View, first: int, last: int) -> list[dict[str, Any]]:
        """The logs of some blocks. A lie renumbers all that follows, so that it adds up."""
        if not self._is_lying:
            return [log for block in view.branch[first : last + 1] for log in block.logs]
        self.shown["lies_told"] += 1
        told: list[dict[str, Any]] = []
        serial = 0
        for block in view.branch[: last + 1]:
            redeems: list[Redeem] = [
                Redeem(burn.tx_hash, burn.user, burn.token_id, burn.amount, burn.order_hash)
                for burn in block.burns
                if burn.tx_hash not in self.hidden
            ]
            redeems += self.invented.get(block.ref.hash, [])
            for index, redeem in enumerate(redeems):
                serial += 1
                if block.ref.number >= first:
                    told.append(log_of(burn_of(redeem, block.ref, serial=serial, index=index)))
        return told


@dataclass(frozen=True, slots=True)
class Transport:
    """A listener's connection to a node; `before` runs ahead of every request."""

    node: Node
    before: Callable[[], None]

    def make_request(self, method: str, params: Any) -> Any:
        """As web3's `HTTPProvider`."""
        self.before()
        return self.node.request(str(method), params)

    def make_batch_request(self, calls: Sequence[tuple[str, Any]]) -> Any:
        """As web3's `HTTPProvider`."""
        self.before()
        return self.node.batch([(str(method), params) for method, params in calls])


def _error(code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}


def _http(status: int, body: dict[str, Any] | None) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response._content = b"<html></html>" if body is None else json.dumps(body).encode()
    return requests.HTTPError(f"{status}", response=response)


Logs = list[dict[str, Any]]


def _one_less(logs: Logs, rng: Random) -> Logs:
    gone = rng.randrange(len(logs))
    return [log for at, log in enumerate(logs) if at != gone]


def _one_twice(logs: Logs, rng: Random) -> Logs:
    return [*logs, rng.choice(logs)]


def _reordered(logs: Logs, rng: Random) -> Logs:
    return rng.sample(logs, len(logs))


def _one_changed(**choices: Sequence[Any]) -> Callable[[Logs, Random], Logs]:
    """A fault that gives one log's field one of some values."""

    def change(logs: Logs, rng: Random) -> Logs:
        at = rng.randrange(len(logs))
        name = rng.choice(sorted(choices))
        return [*logs[:at], logs[at] | {name: rng.choice(choices[name])}, *logs[at + 1 :]]

    return change


def _one_foreign(logs: Logs, rng: Random) -> Logs:
    log = rng.choice(logs)
    data = f"0x{1:064x}{rng.randint(1, 99):064x}"
    return [*logs, log | {"address": "0x" + 40 * "9", "data": data}]


_LOG_FAULTS: dict[str, Callable[[Logs, Random], Logs]] = {
    "logs_empty": lambda _logs, _rng: [],
    "log_missing": _one_less,
    "log_doubled": _one_twice,
    "logs_reordered": _reordered,
    "log_foreign": _one_foreign,
    "log_removed": _one_changed(removed=(True,)),
    "log_truncated": _one_changed(data=("0x", "0x" + 64 * "0", "0x" + 127 * "0"), topics=([],)),
    "log_malformed": _one_changed(
        blockNumber=(None, "0x", "0xg", 5, "0x00"),
        logIndex=(None, "0x", "-0x1"),
        blockHash=("0x12", None, "0x" + 64 * "G"),
        transactionHash=("0x", None),
        topics=("none", [None, None, None, None]),
    ),
    "log_other_hash": _one_changed(blockHash=("0x" + 64 * "d",)),
}
