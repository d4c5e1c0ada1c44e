"""`vouchers exceptions`: what it lists, what it changes, and what it answers with."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.adapters.memory import MemoryStore
from chalicelib.adapters.sql import migrate
from chalicelib.adapters.sql.migrations import MIGRATIONS
from chalicelib.domain.exceptions import ExceptionKind, ExceptionRecord, raise_exception, withdraw
from chalicelib.domain.orders import ActorKind, Order, OrderStatus, note_exception
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Outcome, Redemption
from chalicelib.ports import Insert, Record, Store, StoreUnavailable, Update
from ops.cli.bootstrap import Tools, system_tools
from ops.cli.main import cli
from tests.fakes import (
    CHAIN_ID,
    CONTRACT,
    CUSTOMER,
    LISTENER,
    NOW,
    STRANGER,
    TTL,
    FixedClock,
    a_block,
    a_burn,
    an_order,
    in_status,
)
from tests.ops.test_cli import fake_tools

DAY = 86_400
MINT = "0x" + "5e" * 32
WHY = ("--reason", "our page was down")


@dataclass
class Line:
    """The command line over a store with a late burn, a stranger's burn and an incident."""

    tools: Tools

    def __post_init__(self) -> None:
        self.orders = [an_order(1), an_order(2), an_order(3)]
        expired = note_exception(in_status(OrderStatus.EXPIRED, self.orders[0]), Outcome.LATE)
        delivered = in_status(OrderStatus.DELIVERED, self.orders[2])
        late = a_burn(self.orders[0], serial=9, block=a_block(150, time=NOW + TTL + 30))
        foreign = a_burn(self.orders[1], serial=10, user=STRANGER, block=a_block(151))
        gone = a_burn(self.orders[2], serial=2, block=a_block(102))
        self.late = raise_exception(late, ExceptionKind.LATE, NOW)
        self.foreign = raise_exception(foreign, ExceptionKind.WRONG_WALLET, NOW)
        self.incident = raise_exception(gone, ExceptionKind.DELIVERED_REORGED, NOW)
        entries = [
            Redemption(late, Outcome.LATE, final=True),
            Redemption(foreign, Outcome.WRONG_WALLET, final=True),
        ]
        stored = [replace(order, version=1) for order in (expired, self.orders[1], delivered)]
        self.store: Store = self.tools.store
        raised = (self.late, self.foreign, self.incident)
        cursor = a_cursor(self.incident.exception_id)
        records: list[Record] = [*stored, *entries, *raised, cursor]
        self.store.commit(list(map(Insert, records)))

    def __call__(self, *args: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ("exceptions", *args), obj=self.tools)
        assert result.exit_code == exit_code, result.output
        for order in self.orders:
            assert order.order_id[len("ORD_20261121_") :] not in result.output
        return result

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--json").stdout)

    def listed(self, *args: str) -> list[str]:
        return [one["exceptionId"] for one in self.json("list", *args)]

    def order(self, number: int) -> Order:
        order = self.store.order(self.orders[number].order_id)
        assert order is not None
        return order


def a_cursor(*halts: str) -> Cursor:
    return Cursor(
        a_block(160), 10, NOW, CHAIN_ID, CONTRACT, scanned=160, seen_serial=10, halts=halts
    )


@pytest.fixture(params=["memory", "sqlite"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    if request.param == "memory":
        yield Line(fake_tools(MemoryStore()))
        return
    environ = {"STORE": "sql", "DATABASE_URL": f"sqlite:///{tmp_path}/vouchers.db"}
    tools = system_tools(environ)
    tools.clock = FixedClock()
    tools.migrate_store()
    yield Line(tools)


# ------------------------------------------------------------------------------------------ listing


def test_none_is_said_plainly() -> None:
    tools = fake_tools(MemoryStore())

    def said(*args: str) -> str:
        result = CliRunner().invoke(cli, ("exceptions", "list", *args), obj=tools)
        assert result.exit_code == 0
        return result.stdout

    assert said() == "There are no open exceptions.\n"
    assert said("--all") == "There are no exceptions.\n"
    assert json.loads(said("--json")) == []


def test_the_open_ones_are_a_table(line: Line) -> None:
    clock = line.tools.clock
    assert isinstance(clock, FixedClock)
    clock.advance(2 * DAY + 3 * 3600 + 59)
    rows = [row.split("  ") for row in line("list").stdout.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[0] == [
        *("ID", "KIND", "TOKEN", "AMOUNT", "ORDER HASH", "BLOCK", "AGE", "RESOLUTION"),
    ]
    assert cells[1:] == [
        [one.exception_id, one.kind, "1001", "1", one.order_hash, block, "2 d 3 h", "open"]
        for one, block in ((line.incident, "102"), (line.late, "150"), (line.foreign, "151"))
    ]


@pytest.mark.parametrize(
    ("seconds", "age"), [(-5, "0 min"), (59, "0 min"), (61, "1 min"), (3600, "1 h 0 min")]
)
def test_the_age_of_a_young_one(seconds: int, age: str) -> None:
    line = Line(fake_tools(MemoryStore()))
    assert isinstance(line.tools.clock, FixedClock)
    line.tools.clock.advance(seconds)
    assert f"  {age} " in line("list").stdout


def test_resolved_ones_are_listed_on_demand(line: Line) -> None:
    line("resolve", line.late.exception_id, "DISMISS", *WHY)
    gone = withdraw(line.foreign, actor=LISTENER, at=NOW, reason="burn gone")
    line.store.commit([Update(gone)])
    both = [line.incident.exception_id, line.late.exception_id, gone.exception_id]
    assert line.listed() == both[:1]
    assert line.listed("--all") == both
    said = line("list", "--all").stdout
    assert [row.split()[-1] for row in said.splitlines()[1:]] == ["open", "DISMISS", "WITHDRAWN"]


def test_every_page_is_listed() -> None:
    line = Line(fake_tools(MemoryStore()))
    more = [
        raise_exception(a_burn(an_order(n), serial=n), ExceptionKind.DUPLICATE, NOW)
        for n in range(100, 350)
    ]
    for start in range(0, len(more), 50):
        line.store.commit([Insert(one) for one in more[start : start + 50]])
    assert line.listed()[3:] == [one.exception_id for one in more]


def test_the_json_of_one(line: Line) -> None:
    line("resolve", line.late.exception_id, "REISSUE", "--mint", MINT, *WHY)
    told = line.json("show", line.late.exception_id)
    burn = line.late.burn
    assert told == {
        "exceptionId": line.late.exception_id,
        "kind": "LATE",
        "raisedAt": "2026-11-21T10:00:00Z",
        "orderHash": line.orders[0].order_hash,
        "orderStatus": "EXPIRED",
        "burn": {
            "serial": 9,
            "user": CUSTOMER,
            "tokenId": "1001",
            "amount": "1",
            "txHash": burn.tx_hash,
            "logIndex": 0,
            "blockNumber": 150,
            "blockHash": burn.block.hash,
            "blockTime": "2026-11-21T10:30:30Z",
        },
        "resolution": {
            "kind": "REISSUE",
            "at": "2026-11-21T10:00:00Z",
            "actor": {"kind": "ADMIN", "name": line.tools.actor.name},
            "reason": "our page was down",
            "txHash": MINT,
        },
        "earlier": [],
    }


def test_all_of_one_is_told_its_past_too(line: Line) -> None:
    gone = withdraw(line.late, actor=LISTENER, at=NOW, reason="burn gone")
    line.store.commit([Update(gone)])
    line.store.commit([Update(raise_exception(gone.burn, gone.kind, NOW + 60, gone))])
    line("resolve", gone.exception_id, "DISMISS", *WHY)
    said = line("show", gone.exception_id).stdout
    by = line.tools.actor.name
    for fact in (
        f"order hash   {line.orders[0].order_hash}",
        "order        EXPIRED",
        f"burned       1 of type 1001 by {CUSTOMER}",
        f"transaction  {gone.burn.tx_hash}, log 0, serial 9",
        f"resolution   DISMISS at 2026-11-21T10:00:00Z by {by}: our page was down",
        "earlier 1    LATE, raised 2026-11-21T10:00:00Z; WITHDRAWN at 2026-11-21T10:00:00Z by",
    ):
        assert fact in said


def test_a_burn_that_names_no_order_is_told(line: Line) -> None:
    burn = replace(line.late.burn, serial=11, order_hash="0x" + "ab" * 32)
    unknown = raise_exception(burn, ExceptionKind.UNKNOWN_ORDER, NOW)
    line.store.commit([Insert(unknown)])
    assert "there is none of that hash" in line("show", unknown.exception_id).stdout
    assert line.json("show", unknown.exception_id)["orderStatus"] is None


# ---------------------------------------------------------------------------------------- resolving


def test_honouring_says_what_became_of_the_order(line: Line) -> None:
    line("acknowledge", line.incident.exception_id, *WHY)
    tried = line("resolve", line.late.exception_id, "honour", *WHY, "--dry-run").stdout
    name, order_hash = line.late.exception_id, line.late.order_hash
    assert tried.splitlines() == [
        f"Exception {name} (LATE) would be resolved: HONOUR.",
        f"Order {order_hash} would be VALID.",
        "This was a dry run: nothing was changed.",
    ]
    assert line.order(0).status is OrderStatus.EXPIRED
    done = line("resolve", name, "HONOUR", *WHY).stdout
    assert done.splitlines() == [
        f"Exception {name} (LATE) is resolved: HONOUR.",
        f"Order {order_hash} is VALID.",
    ]
    move = line.order(0).history[-1]
    assert (move.actor, move.request_id) == (line.tools.actor, line.tools.request_id)
    assert move.actor.kind is ActorKind.ADMIN


def test_the_audit_names_who_typed_it(line: Line) -> None:
    line("resolve", line.late.exception_id, "REISSUE", "--mint", MINT, *WHY)
    (item,) = line.store.audit(day="2026-11-21", limit=5).items
    assert (item.actor, item.subject) == (line.tools.actor, line.late.order_hash)
    assert item.detail["txHash"] == MINT


def test_json_tells_what_was_done(line: Line) -> None:
    told = line.json("acknowledge", line.incident.exception_id, *WHY)
    assert (told["dryRun"], told["halts"]) == (False, [])
    told = line.json("resolve", line.late.exception_id, "HONOUR", *WHY, "--dry-run")
    assert (told["dryRun"], told["orderStatus"]) == (True, "VALID")
    assert told["resolution"]["kind"] == "HONOUR"
    assert line.json("show", line.late.exception_id)["resolution"] is None


def test_acknowledging_lets_the_books_go_on(line: Line) -> None:
    halted = line("resolve", line.late.exception_id, "HONOUR", *WHY, exit_code=1).stderr
    assert halted == (
        "Error: No order becomes VALID before somebody acknowledges"
        f" {line.incident.exception_id}.\n"
    )
    said = line("acknowledge", line.incident.exception_id, *WHY).stdout
    assert said.splitlines() == [
        f"Exception {line.incident.exception_id} (DELIVERED_REORGED) is resolved: ACKNOWLEDGE.",
        "No incident is left: orders become VALID again.",
    ]
    assert line.store.cursor() == replace(a_cursor(), version=2)
    line("resolve", line.late.exception_id, "HONOUR", *WHY)


def test_incidents_that_are_left_are_named(line: Line) -> None:
    two = a_cursor(line.incident.exception_id, "7-0badc0de")
    line.store.commit([Update(replace(two, version=2))])
    said = line("acknowledge", line.incident.exception_id, *WHY).stdout
    assert "Orders still do not become VALID: acknowledge 7-0badc0de." in said


def test_a_second_time_is_refused_with_who_and_when(line: Line) -> None:
    line("resolve", line.late.exception_id, "DISMISS", *WHY)
    again = line("resolve", line.late.exception_id, "DISMISS", *WHY, exit_code=1)
    assert again.stderr == (
        f"Error: Exception {line.late.exception_id} is resolved already: DISMISS"
        f" by {line.tools.actor.name} at 2026-11-21T10:00:00Z.\n"
    )
    assert again.stdout == ""


@pytest.mark.parametrize(
    ("which", "args", "told"),
    [
        ("foreign", ("HONOUR",), "another wallet burned than the order's; REISSUE or DISMISS."),
        ("incident", ("DISMISS",), "so it can only be acknowledged."),
        ("late", ("REISSUE", "--mint", "0x12"), "txHash: must be 0x followed by 64 hexadecimal"),
        ("late", ("DISMISS", "--reason", "a\tb"), "reason: must be one line, without control"),
    ],
)
def test_a_refusal_is_a_sentence_and_changes_nothing(
    line: Line, which: str, args: tuple[str, ...], told: str
) -> None:
    record: ExceptionRecord = getattr(line, which)
    if which != "incident":
        line("acknowledge", line.incident.exception_id, *WHY)
    result = line("resolve", record.exception_id, *WHY, *args, exit_code=1)
    assert told in " ".join(result.stderr.split())
    assert line.store.exception(record.exception_id) == record


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("resolve", "9-00000000", "REISSUE", *WHY), "REISSUE with --mint"),
        (("resolve", "9-00000000", "DISMISS", "--mint", MINT, *WHY), "--mint TX_HASH goes with"),
        (("resolve", "9-00000000", "ACKNOWLEDGE", *WHY), "is not one of"),
        (("resolve", "9-00000000", "DISMISS"), "Missing option '--reason'"),
        (("acknowledge", "9-00000000"), "Missing option '--reason'"),
        (("show",), "Missing argument 'ID'"),
    ],
)
def test_wrong_usage_is_told(line: Line, args: tuple[str, ...], told: str) -> None:
    assert told in line(*args, exit_code=2).stderr


@pytest.mark.parametrize("command", [("show",), ("acknowledge", *WHY)])
def test_an_id_that_none_has(line: Line, command: tuple[str, ...]) -> None:
    name, *options = command
    said = line(name, "99-00000000", *options, exit_code=1).stderr
    assert said == "Error: There is no exception 99-00000000.\n"
    said = line(name, "ORD_20261121_0000000000", *options, exit_code=1).stderr
    assert said == "Error: exceptionId: is <serial>-<8 hexadecimal digits>\n"


def test_a_store_that_fails_is_told() -> None:
    class Down(MemoryStore):
        def exceptions(self, **_: Any) -> Any:
            raise StoreUnavailable("SQL: OperationalError")

    result = CliRunner().invoke(cli, ("exceptions", "list"), obj=fake_tools(Down()))
    assert result.exit_code == 1
    assert "The store cannot be used: SQL: OperationalError." in result.stderr


# ----------------------------------------------------------------------------------- other commands


def test_the_order_names_its_open_exceptions(line: Line) -> None:
    def shown(*args: str) -> str:
        args = ("order", "show", line.orders[0].order_hash, "--no-chain", *args)
        result = CliRunner().invoke(cli, args, obj=line.tools)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert json.loads(shown("--json"))["openExceptions"] == [line.late.exception_id]
    assert f"to resolve  {line.late.exception_id}" in shown()
    line("resolve", line.late.exception_id, "DISMISS", *WHY)
    assert json.loads(shown("--json"))["openExceptions"] == []
    assert "to resolve  nothing" in shown()


def test_a_store_from_before_there_were_exceptions_is_brought_up(tmp_path: Path) -> None:
    environ = {"STORE": "sql", "DATABASE_URL": f"sqlite:///{tmp_path}/vouchers.db"}
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(MIGRATIONS / "0001_initial.sql", old)
    migrate(environ["DATABASE_URL"], folder=old)

    def run(*args: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(cli, args, obj=system_tools(environ))
        assert result.exit_code == exit_code, result.output
        return result.output

    assert "run `vouchers store migrate`" in run("exceptions", "list", exit_code=1)
    assert run("store", "migrate") == "Ran migration 2.\n"
    assert run("exceptions", "list") == "There are no open exceptions.\n"
