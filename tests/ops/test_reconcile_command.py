"""`vouchers reconcile` on a real chain, with a real listener and an SQLite store between them."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.ports import MAX_CHANGES
from ops import anvil
from ops.cli.bootstrap import system_tools
from ops.cli.main import cli
from ops.seed.files import CATALOGUE_FILE
from tests.chain.fault_proxy import (
    Action,
    always,
    double_log,
    drop_log,
    edit,
    foreign_block_hash,
    hang_up,
    logs,
    method,
    no_logs,
    proxy_to,
    set_in_log,
    swap_serials,
)
from tests.chain.test_listener import (
    COLOUR_PRINT,
    MEETING_ROOM,
    Stack,
    stack_on,
)

KEPT_STATES = 40


@dataclass
class World:
    """A chain that forgets old states, a store in a file, and the command line over both."""

    stack: Stack
    file: Path
    environ: dict[str, str]

    def burn(self, *amounts: int, token_id: int = MEETING_ROOM) -> None:
        for amount in amounts:
            number = self.stack.chain.web3.eth.block_number
            self.stack.burn(
                "0x" + number.to_bytes(32, "big").hex(), token_id=token_id, amount=amount
            )

    def settle(self) -> int:
        """Let the listener see all burns final; the height it has proven."""
        self.stack.chain.mine(3)
        assert self.stack.scan().error == ""
        cursor = self.stack.store.cursor()
        assert cursor is not None
        return cursor.proven.number

    def tamper(self, statement: str) -> None:
        """Change a row behind the store's back."""
        with closing(sqlite3.connect(self.file)) as database, database:
            assert database.execute(statement).rowcount == 1

    def load_catalogue(self) -> None:
        done = CliRunner().invoke(
            cli, ["catalog", "load", str(CATALOGUE_FILE)], obj=system_tools(self.environ)
        )
        assert done.exit_code == 0, done.output

    def __call__(self, *args: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ("reconcile", *args), obj=system_tools(self.environ))
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *args: str, exit_code: int = 0) -> Any:
        return json.loads(self(*args, "--json", exit_code=exit_code).stdout)

    def untold(self, *args: str) -> str:
        """It could not be told: one sentence, exit code 2 and nothing on standard output."""
        result = self(*args, exit_code=2)
        assert result.stdout == ""
        return result.stderr


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "vouchers.db"
    url = f"sqlite:///{file}"
    migrate(url)
    store = open_sql_store(url)
    with anvil.start(kept_states=KEPT_STATES) as running:
        stack = stack_on(running.rpc_url, store)
        yield World(stack, file, stack.environ(STORE="sql", DATABASE_URL=url))


def test_burned_scanned_and_equal(world: World) -> None:
    world.burn(1, 2)
    world.burn(5, token_id=COLOUR_PRINT)
    proven = world.settle()
    told = world.json()
    assert told["equal"] is True
    assert told["block"]["number"] == proven
    assert told["redemptions"] == {"contract": 3, "ledger": 3}
    assert told["tokens"] == [
        {"tokenId": MEETING_ROOM, "contract": 3, "ledger": 3, "difference": 0},
        {"tokenId": COLOUR_PRINT, "contract": 5, "ledger": 5, "difference": 0},
    ]
    said = world().stdout
    assert "The ledger equals the contract." in said
    assert f"as of block {proven}" in said


def test_burns_beyond_the_proven_block_are_no_difference(world: World) -> None:
    world.burn(1)
    proven = world.settle()
    world.burn(7)
    world.stack.chain.mine(5)
    told = world.json()
    assert (told["equal"], told["block"]["number"]) == (True, proven)
    assert told["redemptions"] == {"contract": 1, "ledger": 1}
    # The listener sees it, final not yet: still none.
    world.burn(2)
    world.stack.scan()
    told = world.json()
    assert (told["equal"], told["redemptions"]["contract"]) == (True, 2)


def test_an_older_block_on_demand(world: World) -> None:
    world.burn(1)
    first = world.settle()
    world.burn(1)
    second = world.settle()
    assert world.json("--block", str(first))["redemptions"]["contract"] == 1
    assert world.json("--block", str(second))["redemptions"]["contract"] == 2
    assert f"block {second + 1} lies outside" in world.untold("--block", str(second + 1))


AMOUNT_OF_2 = "UPDATE redemptions SET body = json_set(body, '$.burn.amount', 9) WHERE serial = 2"
DROP_3 = "DELETE FROM redemptions WHERE serial = 3"


def _copy(serial: int, *, to: int) -> str:
    body = f"json_set(body, '$.burn.serial', {to})"
    row = f"SELECT {to}, version, {body} FROM redemptions WHERE serial = {serial}"
    return f"INSERT INTO redemptions (serial, version, body) {row}"


@pytest.mark.parametrize(
    ("statement", "room", "colour_print", "missing", "extra"),
    [
        (AMOUNT_OF_2, 7, 0, [], []),
        (DROP_3, 0, -5, [[3, 3]], []),
        (_copy(1, to=4), 1, 0, [], [[4, 4]]),
    ],
)
def test_a_tampered_row_is_told_for_its_type(
    world: World,
    statement: str,
    room: int,
    colour_print: int,
    missing: list[list[int]],
    extra: list[list[int]],
) -> None:
    world.burn(1, 2)
    world.burn(5, token_id=COLOUR_PRINT)
    world.settle()
    world.load_catalogue()
    world.tamper(statement)
    told = world.json(exit_code=1)
    assert told["equal"] is False
    differences = {one["tokenId"]: one["difference"] for one in told["tokens"]}
    assert differences.pop(MEETING_ROOM) == room
    assert differences.pop(COLOUR_PRINT) == colour_print
    assert not any(differences.values())
    assert (told["missing"], told["extra"]) == (missing, extra)
    said = world(exit_code=1).stdout
    wrong = COLOUR_PRINT if colour_print else MEETING_ROOM
    assert f"The ledger of type {wrong} differs from the contract." in said
    assert f"{room or colour_print:+d}" in said
    assert ("Missing in the ledger: serial 3." in said) is bool(missing)
    assert ("In the ledger, not in the contract: serial 4." in said) is bool(extra)


def test_an_entry_on_the_next_page_of_the_ledger_is_found(world: World) -> None:
    world.burn(1)
    world.settle()
    world.tamper(_copy(1, to=MAX_CHANGES + 1))
    told = world.json(exit_code=1)
    assert told["extra"] == [[MAX_CHANGES + 1, MAX_CHANGES + 1]]
    assert told["redemptions"] == {"contract": 1, "ledger": 2}


def test_a_listener_behind_what_the_node_keeps_is_neither_equal_nor_different(world: World) -> None:
    world.burn(1)
    proven = world.settle()
    world.stack.chain.mine(2 * KEPT_STATES)
    behind = world.stack.chain.web3.eth.block_number - proven
    for _ in range(2):
        told = world.untold()
        assert f"does not tell the contract's state as of block {proven}, {behind} blocks" in told
        assert "let the listener catch up, or name an archive node" in told
        world.tamper("UPDATE redemptions SET body = json_set(body, '$.burn.amount', 9)")
    world.settle()
    assert world.json(exit_code=1)["tokens"][0]["difference"] == 8


def test_a_fork_below_the_proven_block_is_neither_equal_nor_different(world: World) -> None:
    world.burn(1)
    world.stack.chain.mine(4)
    proven = world.settle()
    world.stack.chain.request("anvil_reorg", 8, [])
    told = world.untold()
    assert f"block {proven} was 0x" in told
    assert "one of them follows another branch" in told


def test_a_burn_of_a_type_that_neither_knows_is_a_missing_serial(world: World) -> None:
    world.burn(1)
    world.burn(5, token_id=COLOUR_PRINT)
    world.settle()
    world.tamper("DELETE FROM redemptions WHERE serial = 2")
    told = world.json(exit_code=1)
    assert [one["tokenId"] for one in told["tokens"]] == [MEETING_ROOM]
    assert (told["missing"], told["redemptions"]) == ([[2, 2]], {"contract": 2, "ledger": 1})
    assert "Missing in the ledger: serial 2." in world(exit_code=1).stdout


@pytest.mark.parametrize(
    "fault", [RuntimeError("a\x1b[2Jbug"), MemoryError(), KeyboardInterrupt(), BrokenPipeError()]
)
@pytest.mark.parametrize("where", ["store", "node"])
def test_whatever_goes_wrong_is_no_difference(
    world: World, fault: BaseException, where: str
) -> None:
    world.burn(1)
    world.settle()

    def fail(*_: object, **__: object) -> Any:
        raise fault

    tools = system_tools(world.environ)
    if where == "store":
        tools.open_store = fail
    else:
        tools.open_node = fail
    result = CliRunner().invoke(cli, ["reconcile"], obj=tools)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "equal" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_reader_that_is_gone_is_no_difference(world: World) -> None:
    world.burn(1)
    world.settle()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        (sys.executable, "-m", "ops.cli", "reconcile"),
        env={**os.environ, **world.environ},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    os.close(writer)
    assert done.returncode not in (0, 1), done.stderr
    assert "could not be told: BrokenPipeError" in done.stderr


def test_before_the_listener_ran_it_says_so(world: World) -> None:
    assert "Nothing was compared: the listener has not run yet." in world.untold()


def test_what_cannot_be_reached_is_one_sentence_and_no_difference(world: World) -> None:
    world.burn(1)
    world.settle()
    with anvil.start() as stranger:
        world.environ["RPC_URLS"] = stranger.rpc_url
        assert "there is no contract at CONTRACT_ADDRESS" in world.untold()
    assert "cannot be reached" in world.untold()
    del world.environ["DEPLOY_BLOCK"]
    assert "DEPLOY_BLOCK: is required" in world.untold()


# ------------------------------------------------------------------------------------ the re-scan


def _scanned(world: World) -> int:
    """Six redemptions, of orders and of none, in several blocks; the proven height."""
    for _ in range(2):
        world.stack.redeem(world.stack.order())
    world.stack.burn(world.stack.order(amount=2).order_hash)
    world.burn(1, 2)
    world.burn(5, token_id=COLOUR_PRINT)
    return world.settle()


def test_every_log_is_read_again_and_equal(world: World) -> None:
    proven = _scanned(world)
    world.burn(1)
    told = world.json("--rescan")
    assert (told["equal"], told["logs"], told["differences"], told["listed"]) == (True, 6, 0, [])
    assert told["block"]["number"] == proven
    said = world("--rescan").stdout
    assert "The ledger equals the chain, log by log." in said
    assert "Logs read: 6" in said


def _body(serial: int, field: str, value: str) -> str:
    change = f"json_set(body, '$.{field}', {value})"
    return f"UPDATE redemptions SET body = {change} WHERE serial = {serial}"


def _order_of(serial: int, change: str) -> str:
    named = f"SELECT json_extract(body, '$.burn.order_hash') FROM redemptions WHERE serial={serial}"
    return f"UPDATE orders SET {change} WHERE order_hash = ({named})"


OTHER_TX = f"body = json_set(body, '$.burn.tx_hash', '0x{'ab' * 32}')"


@pytest.mark.parametrize(
    ("statement", "serial", "field"),
    [
        (_body(1, "burn.user", "'0x70997970C51812dc3A010C7d01b50e0d17dc79C8'"), 1, "user"),
        (_body(2, "burn.token_id", "2001"), 2, "tokenId"),
        (_body(3, "burn.amount", "7"), 3, "amount"),
        (_body(4, "burn.order_hash", f"'0x{'ab' * 32}'"), 4, "orderHash"),
        (_body(5, "burn.tx_hash", f"'0x{'ab' * 32}'"), 5, "txHash"),
        (_body(6, "burn.log_index", "9"), 6, "logIndex"),
        (_body(1, "burn.block.number", "1"), 1, "blockNumber"),
        (_body(2, "burn.block.hash", f"'0x{'ab' * 32}'"), 2, "blockHash"),
        (_body(3, "burn.block.time", "1"), 3, "blockTime"),
        (_body(4, "final", "json('false')"), 4, "final"),
        (_body(5, "outcome", "'LATE'"), 5, "outcome"),
        (_body(3, "outcome", "'MATCHED'"), 3, "outcome"),
        ("DELETE FROM redemptions WHERE serial = 2", 2, "entry"),
        (_copy(6, to=7), 7, "entry"),
        ("DELETE FROM exceptions WHERE exception_id LIKE '4-%'", 4, "exception"),
        (_order_of(1, "status = 'CREATED'"), 1, "orderStatus"),
        (_order_of(2, OTHER_TX), 2, "order"),
    ],
    ids=lambda one: one if isinstance(one, str) and " " not in one else "",
)
def test_every_field_that_was_tampered_with_is_found(
    world: World, statement: str, serial: int, field: str
) -> None:
    _scanned(world)
    world.tamper(statement)
    told = world.json("--rescan", exit_code=1)
    assert (told["equal"], told["differences"]) == (False, 1)
    (difference,) = told["listed"]
    assert (difference["serial"], difference["field"]) == (serial, field)
    assert difference["expected"] != difference["stored"]
    said = world("--rescan", exit_code=1).stdout
    assert "The ledger differs from what the endpoint tells: 1 difference(s)." in said
    assert field in said


def test_totals_that_cancel_out_are_equal_and_told_by_the_rescan(world: World) -> None:
    _scanned(world)
    world.tamper(_body(4, "burn.amount", "2"))
    world.tamper(_body(5, "burn.amount", "1"))
    assert world.json()["equal"] is True
    assert world.json("--rescan", exit_code=1)["differences"] == 2


FOREIGN = "0x" + "11" * 20


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (edit(drop_log()), "the endpoint's logs do not add up: redemption"),
        (edit(drop_log(-1)), "the contract counts 6 redemptions, the logs tell 5"),
        (edit(no_logs), "the contract counts 6 redemptions, the logs tell 0"),
        (edit(double_log()), "the endpoint's logs do not add up"),
        (edit(swap_serials()), "the endpoint's logs do not add up"),
        (edit(set_in_log(removed=True)), "answers with something that is no JSON-RPC"),
        (edit(set_in_log(address=FOREIGN)), "answers with something that is no JSON-RPC"),
        (edit(set_in_log(data="0x1234")), "answers with something that is no JSON-RPC"),
        (edit(set_in_log(blockNumber="0xffffff")), "tells logs of other blocks"),
        (hang_up(), "cannot be reached"),
    ],
    ids=[
        "dropped",
        "last-dropped",
        "none",
        "doubled",
        "swapped",
        "removed",
        "foreign",
        "malformed",
        "out-of-range",
        "interrupted",
    ],
)
def test_an_endpoint_at_fault_is_neither_equal_nor_different(
    world: World, fault: Action, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scanned(world)
    monkeypatch.setattr("ops.onchain.rpc.PAUSES", (0.0,))
    with proxy_to(world.environ["RPC_URLS"]) as proxy:
        proxy.add(always(method("eth_getLogs"), fault))
        world.environ["RPC_URLS"] = proxy.url
        assert why in world.untold("--rescan")


def test_a_log_of_a_foreign_block_is_a_difference_to_ask_another_endpoint_of(
    world: World,
) -> None:
    _scanned(world)
    with proxy_to(world.environ["RPC_URLS"]) as proxy:
        proxy.add(always(logs(), edit(foreign_block_hash(0))))
        world.environ["RPC_URLS"] = proxy.url
        told = world.json("--rescan", exit_code=1)["listed"]
        said = world("--rescan", exit_code=1).stdout
    # Entry and order are held against the log, each for itself.
    assert [(one["serial"], one["field"]) for one in told] == [(1, "blockHash"), (1, "order")]
    assert "Ask another one with --endpoint before you believe it." in said


def test_times_are_read_from_blocks_where_logs_do_not_tell_them(world: World) -> None:
    _scanned(world)
    with proxy_to(world.environ["RPC_URLS"]) as proxy:
        proxy.add(always(logs(), edit(lambda told: [_without_time(log) for log in told])))
        world.environ["RPC_URLS"] = proxy.url
        assert world.json("--rescan")["equal"] is True
        world.tamper(_body(3, "burn.block.time", "1"))
        (told,) = world.json("--rescan", exit_code=1)["listed"]
    assert (told["serial"], told["field"]) == (3, "blockTime")


def _without_time(log: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in log.items() if name != "blockTimestamp"}


def test_a_chosen_endpoint_is_asked(world: World) -> None:
    _scanned(world)
    right = world.environ["RPC_URLS"]
    with proxy_to(right) as proxy:
        proxy.add(always(method("eth_getLogs"), edit(no_logs)))
        world.environ["RPC_URLS"] = f"{proxy.url},{right}"
        assert "do not add up" in world.untold("--rescan")
        host = right.removeprefix("http://")
        assert world.json("--rescan", "--endpoint", host)["equal"] is True
    told = world.untold("--rescan", "--endpoint", "rpc.example")
    assert "none of RPC_URLS is at rpc.example" in told


def test_a_rescan_goes_up_to_the_proven_block_only(world: World) -> None:
    assert "leave out --block" in world.untold("--rescan", "--block", "1")


def test_a_rescan_while_burns_come_in_raises_no_alarm(world: World) -> None:
    _scanned(world)
    with proxy_to(world.environ["RPC_URLS"]) as proxy:

        def meanwhile(told: Any) -> Any:
            world.burn(1)
            world.settle()
            return told

        proxy.add(always(method("eth_getLogs"), edit(meanwhile)))
        world.environ["RPC_URLS"] = proxy.url
        told = world.json("--rescan")
    assert (told["equal"], told["logs"]) == (True, 6)
