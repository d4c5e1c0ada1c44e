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
from tests.chain.test_listener import COLOUR_PRINT, MEETING_ROOM, Stack, deploy, listener_of

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
        chain, deployed = deploy(running.rpc_url)
        yield World(
            Stack(chain, deployed, store, listener_of(store, [running.rpc_url], deployed)),
            file,
            {
                "STORE": "sql",
                "DATABASE_URL": url,
                "CHAIN_ID": str(anvil.CHAIN_ID),
                "RPC_URLS": running.rpc_url,
                "CONTRACT_ADDRESS": deployed.address,
                "DEPLOY_BLOCK": str(deployed.block),
            },
        )


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
