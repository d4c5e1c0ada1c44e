"""`vouchers doctor`: all is well, or what is wrong and how to mend it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import BlockRef
from chalicelib.ports import Insert, Store, StoreUnavailable
from ops.cli.bootstrap import Tools
from ops.cli.main import cli
from ops.cli.probe import ChainProbe
from ops.onchain.errors import NodeFailed
from ops.stack.demo_seed import seed
from tests.fakes import CHAIN_ID, CONTRACT, NOW
from tests.ops.test_cli import fake_tools

RPC = "https://rpc.example.com/v2/secret-key"
SETTINGS = {
    "STORE": "sql",
    "DATABASE_URL": "sqlite://",
    "CHAIN_ID": str(CHAIN_ID),
    "CONTRACT_ADDRESS": CONTRACT,
    "DATA_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
    "PORTAL_ORIGIN": "https://vouchers.example.com",
    "RPC_URLS": RPC,
    "DEPLOY_BLOCK": "1",
}
ALL_TYPES = frozenset({1001, 2001, 2002, 3001, 5001, 6001})
HEAD = BlockRef(number=50, hash="0x" + "50" * 32, time=NOW - 1)
CURSOR = Cursor(
    proven=BlockRef(number=48, hash="0x" + "48" * 32, time=NOW - 3),
    last_serial=0,
    expired_through=0,
    chain_id=CHAIN_ID,
    contract=CONTRACT,
    heartbeat=Heartbeat(at=NOW - 2, succeeded_at=NOW - 2, head=HEAD),
)


class FakeProbe:
    """An endpoint that answers as it is told; what is an exception is raised."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = {
            "chain_id": CHAIN_ID,
            "head": HEAD.number,
            "finalized": 48,
            "has_code": True,
            "redemption_count": 0,
            "recent_redemptions": 0,
            "enabled_types": ALL_TYPES,
            **answers,
        }

    def _answer(self, name: str) -> Any:
        answer = self._answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def chain_id(self) -> int:
        return int(self._answer("chain_id"))

    def head(self) -> int:
        return int(self._answer("head"))

    def finalized(self) -> int | None:
        number: int | None = self._answer("finalized")
        return number

    def has_code(self) -> bool:
        return bool(self._answer("has_code"))

    def redemption_count(self) -> int:
        return int(self._answer("redemption_count"))

    def recent_redemptions(self) -> int:
        return int(self._answer("recent_redemptions"))

    def enabled_types(self, token_ids: tuple[int, ...]) -> frozenset[int]:
        enabled: frozenset[int] = self._answer("enabled_types")
        return enabled & set(token_ids)


def seeded(cursor: Cursor | None = CURSOR) -> Store:
    store = MemoryStore()
    seed(tools_of(store))
    if cursor is not None:
        store.commit([Insert(cursor)])
    return store


def tools_of(
    store: Store, environ: Mapping[str, str] = SETTINGS, probe: Mapping[str, Any] | None = None
) -> Tools:
    def open_probe(_url: str, _contract: str, _timeout: float) -> ChainProbe:
        return FakeProbe(probe or {})

    tools = fake_tools(store, environ)
    tools.open_probe = open_probe
    return tools


def examine(tools: Tools, exit_code: int) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(cli, ["doctor", "--json"], obj=tools)
    assert result.exit_code == exit_code, result.output
    return {one["check"]: one for one in json.loads(result.stdout)}


def wrong(tools: Tools) -> dict[str, dict[str, Any]]:
    findings = {name: one for name, one in examine(tools, 1).items() if not one["ok"]}
    assert all(one["fix"] for one in findings.values())
    return findings


def test_all_is_well() -> None:
    findings = examine(tools_of(seeded()), 0)
    assert all(one["ok"] for one in findings.values())
    assert {"settings", "store", "sites", "catalogue", "administrator", "listener"} <= set(findings)
    assert "block 50" in findings["rpc rpc.example.com"]["found"]


def test_people_are_told_in_words() -> None:
    result = CliRunner().invoke(cli, ["doctor"], obj=tools_of(MemoryStore()))
    assert result.exit_code == 1
    assert "✗ catalogue: none is loaded" in result.stdout
    assert "    → vouchers catalog load ops/seed/catalogue.json" in result.stdout
    assert "thing(s) to mend, from the top." in result.stdout


def test_secrets_in_urls_are_not_shown() -> None:
    failing = {"chain_id": NodeFailed("cannot be reached (HTTP 401)")}
    for probe in ({}, failing):
        result = CliRunner().invoke(cli, ["doctor"], obj=tools_of(seeded(), probe=probe))
        assert "secret-key" not in result.output


def test_a_new_system_is_told_what_to_do_next() -> None:
    assert set(wrong(tools_of(MemoryStore()))) == {
        "sites",
        "catalogue",
        "administrator",
        "listener",
    }


def test_every_wrong_setting_is_a_finding_and_the_rest_is_looked_at() -> None:
    environ = {name: SETTINGS[name] for name in ("STORE", "DATABASE_URL", "CHAIN_ID")}
    findings = examine(tools_of(seeded(), environ), 1)
    assert {name for name, one in findings.items() if not one["ok"]} == {
        f"setting {name}"
        for name in (
            "CONTRACT_ADDRESS",
            "DATA_KEYS",
            "PORTAL_ORIGIN",
            "RPC_URLS",
            "DEPLOY_BLOCK",
        )
    }
    assert findings["catalogue"]["ok"]


def test_a_store_that_does_not_answer_hides_only_what_is_in_it() -> None:
    def unreachable(_settings: object) -> Store:
        raise StoreUnavailable("refused")

    tools = tools_of(MemoryStore())
    tools.open_store = unreachable
    assert set(wrong(tools)) == {"store"}
    assert examine(tools, 1)["rpc rpc.example.com"]["ok"]


@pytest.mark.parametrize(
    ("probe", "check", "said"),
    [
        ({"chain_id": NodeFailed("cannot be reached")}, "rpc rpc.example.com", "reached"),
        ({"chain_id": 56}, "rpc rpc.example.com", "serves chain 56, CHAIN_ID is 31337"),
        ({"has_code": False}, "rpc rpc.example.com", "no contract at"),
        ({"redemption_count": NodeFailed("an error")}, "rpc rpc.example.com", "an error"),
        ({"recent_redemptions": NodeFailed("limit exceeded")}, "rpc rpc.example.com", "limit"),
        ({"head": 0}, "setting DEPLOY_BLOCK", "1 is past the newest block 0"),
        (
            {"enabled_types": ALL_TYPES - {6001}},
            "rpc rpc.example.com voucher types",
            "not created or not enabled in the contract: 6001",
        ),
    ],
)
def test_what_is_wrong_with_the_chain(probe: Mapping[str, Any], check: str, said: str) -> None:
    findings = wrong(tools_of(seeded(), probe=probe))
    assert set(findings) == {check}
    assert said in findings[check]["found"]


def test_a_chain_without_finality_tag_is_no_fault() -> None:
    findings = examine(tools_of(seeded(), probe={"finalized": None}), 0)
    assert "burns wait 240 blocks" in findings["rpc rpc.example.com finality"]["found"]


@pytest.mark.parametrize(
    ("cursor", "said"),
    [
        (None, "has not run yet"),
        (
            replace(CURSOR, heartbeat=Heartbeat(at=NOW, succeeded_at=NOW - 181, head=HEAD)),
            "last succeeded 181 seconds ago",
        ),
        (
            replace(CURSOR, heartbeat=Heartbeat(at=NOW, succeeded_at=NOW, head=HEAD, error="rpc")),
            "rpc",
        ),
        (replace(CURSOR, chain_id=56), "the store belongs to contract"),
    ],
)
def test_what_is_wrong_with_the_listener(cursor: Cursor | None, said: str) -> None:
    findings = wrong(tools_of(seeded(cursor)))
    assert set(findings) == {"listener"}
    assert said in findings["listener"]["found"]
