"""`vouchers order show`: what it tells of an order, and what it keeps to itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from chalicelib.adapters.memory import MemoryStore
from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import (
    INLINE_HISTORY,
    Delivery,
    Order,
    OrderStatus,
    add_transaction_hint,
    displaced_history,
    lose_burn,
    note_exception,
    see_burn,
)
from chalicelib.domain.redemptions import Outcome
from ops import anvil
from ops.cli.bootstrap import Tools, system_tools
from ops.cli.main import cli
from ops.onchain.errors import NodeFailed
from ops.onchain.node import Node
from tests.chain.test_listener import ALICE, stack_on
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    LISTENER,
    NOW,
    PlainSealer,
    a_burn,
    a_catalogue,
    a_followed_chain,
    an_order,
    in_status,
    stored,
)
from tests.ops.test_cli import STORE_ONLY, fake_tools

CONTRACT_SETTINGS = STORE_ONLY | {
    "CHAIN_ID": str(CHAIN_ID),
    "RPC_URLS": "http://rpc.test",
    "CONTRACT_ADDRESS": CONTRACT,
    "DEPLOY_BLOCK": "10",
}
SECRETS = PlainSealer().seal("", {"aiAccount": "someone@example.com"})
UNKNOWN = "0x" + "ab" * 32


@dataclass
class FakeNode:
    """A node behind which the contract answers as it is told; `down` fails every call."""

    redeemed: bool = False
    balance: int = 0
    newest: int = 120
    down: bool = False
    name: str = "rpc.test"

    def chain_id(self) -> int:
        if self.down:
            raise NodeFailed("rpc.test cannot be reached (Timeout)")
        return CHAIN_ID

    def code(self, at: str) -> bytes:
        return b"\x60" if at == CONTRACT else b""

    def head(self) -> int:
        return self.newest

    def view(self, contract: str, name: str, *arguments: Any, block: int | None = None) -> Any:
        assert contract == CONTRACT
        match name, arguments:
            case "isRedeemed", (str(user), str(_)):
                assert user == CUSTOMER
                return self.redeemed
            case "balanceOf", (str(account), int(_)):
                assert account == CUSTOMER
                return self.balance
        raise AssertionError(f"{name} was not expected")


class Line:
    """`vouchers order show` over a store with one order, and perhaps a node."""

    def __init__(
        self,
        order: Order,
        *,
        node: FakeNode | None = None,
        environ: Mapping[str, str] | None = None,
        head: int = 102,
    ) -> None:
        self.order = order
        self.store = stored(MemoryStore(), a_catalogue(), order, a_followed_chain(head))
        known = environ or (STORE_ONLY if node is None else CONTRACT_SETTINGS)
        self.tools: Tools = fake_tools(self.store, known)
        if node is not None:
            self.tools.open_node = lambda _url, _timeout: cast("Node", node)

    def __call__(self, *args: str, exit_code: int = 0, typed: str | None = None) -> Result:
        arguments = ("order", "show", *args)
        result = CliRunner().invoke(cli, arguments, obj=self.tools, input=typed)
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *args: str) -> Any:
        return json.loads(self(self.order.order_hash, *args, "--json").stdout)

    def text(self, *args: str) -> str:
        return self(self.order.order_hash, *args).stdout


# -------------------------------------------------------------------------------- which order it is


def test_an_order_is_found_by_hash_by_id_and_on_standard_input() -> None:
    line = Line(an_order())
    order = line.order
    shouted = "0x" + order.order_hash[2:].upper()
    by_hash = line(order.order_hash).stdout
    assert line(shouted).stdout == by_hash
    assert line(order.order_id).stdout == by_hash
    assert line("-", typed=f"{order.order_id}\n").stdout == by_hash
    assert line("-", typed=order.order_hash).stdout == by_hash
    assert f"order hash  {order.order_hash}" in by_hash


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_the_order_id_is_shown_on_demand_only(extra: tuple[str, ...]) -> None:
    line = Line(an_order())
    order_id = line.order.order_id
    hidden = line(order_id, *extra).stdout
    assert "ORD_20261121_…" in hidden
    assert order_id[len("ORD_20261121_") :] not in hidden
    assert order_id in line(order_id, "--reveal-id", *extra).stdout


@pytest.mark.parametrize("extra", [(), ("--json",), ("--reveal-id",)])
def test_personal_data_is_never_shown(extra: tuple[str, ...]) -> None:
    line = Line(an_order(sealed_meta=SECRETS))
    said = line(line.order.order_hash, *extra).stdout
    assert "example" not in said
    assert "meta" not in said.lower()


@pytest.mark.parametrize(
    "wrong",
    ["", "ORD_20261121_0000000000", "ord_20261121_000000000000000A", "0x1234", "ORD_20261121_OIL"],
)
@pytest.mark.parametrize("typed", [False, True])
def test_a_malformed_name_is_told_the_rule_and_not_repeated(wrong: str, typed: bool) -> None:
    line = Line(an_order())
    result = line("-" if typed else wrong, typed=f"{wrong}\n" if typed else None, exit_code=2)
    told = " ".join(result.stderr.split())
    assert "takes an order id, ORD_ followed by 8 digits" in told
    assert "or an order hash, 0x followed by 64 hexadecimal digits" in told
    assert not wrong or f"{wrong} " not in told
    assert result.stdout == ""


@pytest.mark.parametrize("name", [UNKNOWN, "ORD_20261121_ZZZZZZZZZZZZZZZZ"])
def test_an_order_that_is_not_there_is_one_sentence(name: str) -> None:
    result = Line(an_order())(name, exit_code=1)
    assert result.stderr == "Error: There is no such order.\n"
    assert result.stdout == ""


# ------------------------------------------------------------------------------------ what is told


def test_all_of_a_delivered_order_is_told() -> None:
    delivery = Delivery(NOW + 90, "reception1", "HCM_ROX_T09", "room 4", NOW + 86_400)
    order = replace(in_status(OrderStatus.DELIVERED), delivery=delivery)
    told = Line(order).json()
    burn = order.burn
    assert burn is not None
    history = told.pop("history")
    assert told == {
        "orderHash": order.order_hash,
        "orderId": "ORD_20261121_…",
        "status": "DELIVERED",
        "exception": None,
        "openExceptions": [],
        "tokenId": 1001,
        "name": {"vi": "Phòng họp", "en": "Meeting Room"},
        "amount": 1,
        "siteId": "HCM_ROX_T09",
        "customerAddress": CUSTOMER,
        "createdAt": "2026-11-21T10:00:00Z",
        "expiresAt": "2026-11-21T10:30:00Z",
        "delivery": {
            "deliveredAt": "2026-11-21T10:01:30Z",
            "deliveredBy": "reception1",
            "deliveredSite": "HCM_ROX_T09",
            "note": "room 4",
            "entitledUntil": "2026-11-22T10:00:00Z",
        },
        "chain": {
            "txHash": burn.tx_hash,
            "blockNumber": 100,
            "blockHash": burn.block.hash,
            "blockTime": "2026-11-21T10:01:00Z",
            "serial": 1,
            "confirmations": 3,
            "required": 3,
            "final": True,
        },
        "transactionHints": [],
        "contract": None,
        "contractNotAsked": (
            "settings missing or wrong: CHAIN_ID, RPC_URLS, CONTRACT_ADDRESS, DEPLOY_BLOCK"
        ),
    }
    assert [(one["from"], one["to"]) for one in history] == [
        (None, "CREATED"),
        ("CREATED", "VALID"),
        ("VALID", "DELIVERED"),
    ]
    assert history[1] == {
        "seq": 2,
        "at": "2026-11-21T10:01:30Z",
        "from": "CREATED",
        "to": "VALID",
        "actor": {"kind": "LISTENER", "name": "listener"},
        "reason": "burn final",
        "block": 100,
        "requestId": "req-scan",
    }


def test_people_are_told_the_same() -> None:
    delivery = Delivery(NOW + 90, "reception1", "HCM_ROX_T09", "room 4", NOW + 86_400)
    order = replace(in_status(OrderStatus.DELIVERED), delivery=delivery)
    said = Line(order).text()
    for fact in (
        "status      DELIVERED",
        "type        1001 Meeting Room / Phòng họp",
        "site        HCM_ROX_T09",
        f"customer    {CUSTOMER}",
        "created     2026-11-21T10:00:00Z",
        "delivered   2026-11-21T10:01:30Z by reception1 at HCM_ROX_T09: room 4",
        " (entitled until 2026-11-22T10:00:00Z)",
        "burn        serial 1 in block 100, final, 3 of 3 confirmations, 0x",
        "contract    not asked (settings missing or wrong: CHAIN_ID",
        "VALID → DELIVERED",
        "RECEPTION reception1",
        "service handed over",
        "req-scan",
    ):
        assert fact in said


def test_a_burn_that_waits_is_told_with_its_confirmations() -> None:
    order = in_status(OrderStatus.PENDING_CHAIN)
    environ = STORE_ONLY | {"CONFIRMATIONS": "7"}
    chain = Line(order, environ=environ, head=101).json()["chain"]
    assert (chain["confirmations"], chain["required"], chain["final"]) == (2, 7, False)


def test_exception_and_reported_transactions_are_told() -> None:
    order = note_exception(in_status(OrderStatus.EXPIRED), Outcome.LATE)
    order = add_transaction_hint(order, UNKNOWN)
    line = Line(order)
    told = line.json()
    assert (told["exception"], told["transactionHints"]) == ("LATE", [UNKNOWN])
    assert "exception   LATE" in line.text()
    assert f"reported    {UNKNOWN}" in line.text()


def test_a_type_the_catalogue_no_longer_lists_is_no_obstacle() -> None:
    line = Line(an_order(token_id=4004))
    assert line.json()["name"] is None
    assert "4004 (not in the catalogue)" in line.text()


def test_the_whole_history_is_told_also_what_no_longer_fits_the_order() -> None:
    order = an_order()
    displaced = []
    for turn in range(INLINE_HISTORY):
        facts: dict[str, Any] = {"actor": LISTENER, "at": NOW + turn, "request_id": f"req-{turn}"}
        seen = see_burn(order, a_burn(order), **facts)
        lost = lose_burn(seen, **facts)
        displaced += [*displaced_history(order, seen), *displaced_history(seen, lost)]
        order = lost
    line = Line(order)
    stored(line.store, *displaced)
    history = line.json()["history"]
    assert len(history) == 1 + 2 * INLINE_HISTORY
    assert [one["seq"] for one in history] == list(range(1, len(history) + 1))
    said = line.text()
    assert all(f"req-{turn}" in said for turn in range(INLINE_HISTORY))


# --------------------------------------------------------------------------- what the contract says


def test_the_contract_is_asked_where_it_can_be() -> None:
    line = Line(in_status(OrderStatus.VALID), node=FakeNode(redeemed=True, balance=4))
    told = line.json()
    assert told["contractNotAsked"] is None
    assert told["contract"] == {
        "block": 120,
        "redeemed": True,
        "balance": 4,
        "disagreement": None,
    }
    assert "redeemed as of block 120; the customer holds 4 now" in line.text()


def test_a_disagreement_stands_first_in_one_sentence() -> None:
    line = Line(an_order(), node=FakeNode(redeemed=True))
    sentence = (
        "The contract has this order redeemed, the store does not know the burn yet: the listener"
        " is 18 block(s) behind."
    )
    assert line.json()["contract"]["disagreement"] == sentence
    assert line.text().splitlines()[0] == sentence


def test_without_the_chain_nothing_is_asked() -> None:
    line = Line(an_order(), environ=CONTRACT_SETTINGS)
    assert line.json("--no-chain")["contractNotAsked"] == "--no-chain"


def test_a_node_that_is_down_does_not_hide_the_order_unless_one_insists() -> None:
    line = Line(an_order(), node=FakeNode(down=True))
    reason = "rpc.test cannot be reached (Timeout); nothing was done"
    assert line.json()["contractNotAsked"] == reason
    assert f"not asked ({reason})" in line.text()
    insisting = line(line.order.order_hash, "--chain", exit_code=1)
    assert insisting.stderr == f"Error: {reason}\n"
    assert insisting.stdout == ""


def test_insisting_without_settings_names_them() -> None:
    line = Line(an_order())
    assert "RPC_URLS: is required" in line(line.order.order_hash, "--chain", exit_code=2).stderr


def test_on_a_real_chain_the_listener_catches_up_with_the_contract(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/vouchers.db"
    migrate(url)
    store = open_sql_store(url)
    with anvil.start() as running:
        stack = stack_on(running.rpc_url, store)
        tools = system_tools(stack.environ(STORE="sql", DATABASE_URL=url))

        def show(order: Order) -> Any:
            args = ("order", "show", order.order_hash, "--chain", "--json")
            result = CliRunner().invoke(cli, args, obj=tools)
            assert result.exit_code == 0, result.output
            return json.loads(result.stdout)

        stack.scan()
        order = stack.order()
        before = show(order)["contract"]
        assert (before["redeemed"], before["balance"], before["disagreement"]) == (False, 100, None)
        stack.redeem(order)
        burned = show(order)
        assert burned["status"] == "CREATED"
        assert burned["customerAddress"] == ALICE
        assert (burned["contract"]["redeemed"], burned["contract"]["balance"]) == (True, 99)
        assert "the listener is 1 block(s) behind" in burned["contract"]["disagreement"]
        stack.chain.mine(2)
        stack.scan()
        valid = show(order)
        assert (valid["status"], valid["chain"]["final"]) == ("VALID", True)
        assert valid["contract"]["disagreement"] is None
