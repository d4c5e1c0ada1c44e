"""The `vouchers` command line: what it does, says and answers with, on real and fake stores."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.staff import FAILURES_BEFORE_LOCK, after_failed_login
from chalicelib.ports import Store, StoreUnavailable, Update
from ops import dynoxide
from ops.cli.bootstrap import Tools, system_tools
from ops.cli.main import cli
from ops.cli.output import moment
from ops.cli.probe import ChainProbe
from ops.onchain.node import Node
from ops.seed.files import CATALOGUE_FILE
from tests.fakes import NOW, CountingEntropy, FixedClock, QuickPasswords

STORE_ONLY = {"STORE": "sql", "DATABASE_URL": "sqlite://"}
SITE = ("site", "add", "HCM_ROX_T09", "--vi", "Tầng 9", "--en", "Floor 9")


class Line:
    """The command line over one set of tools."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    def __call__(self, *args: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, args, obj=self.tools)
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--json").stdout)


def no_chain(_url: str, _contract: str, _timeout: float) -> ChainProbe:
    raise AssertionError("this command must not ask the chain")


def no_node(_url: str, _timeout: float) -> Node:
    raise AssertionError("this command must not ask the chain")


def fake_tools(store: Store, environ: Mapping[str, str] = STORE_ONLY) -> Tools:
    return Tools(
        environ=environ,
        clock=FixedClock(),
        entropy=CountingEntropy(),
        open_store=lambda _: store,
        check_schema=lambda _: None,
        migrate=lambda _: "migrated",
        open_passwords=QuickPasswords,
        open_probe=no_chain,
        open_node=no_node,
    )


@pytest.fixture
def memory() -> Line:
    return Line(fake_tools(MemoryStore()))


@pytest.fixture(params=["memory", "sqlite"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    if request.param == "memory":
        yield Line(fake_tools(MemoryStore()))
        return
    tools = system_tools({"STORE": "sql", "DATABASE_URL": f"sqlite:///{tmp_path}/vouchers.db"})
    tools.open_passwords = QuickPasswords
    sqlite = Line(tools)
    sqlite("store", "migrate")
    yield sqlite


def test_first_admin_gets_a_one_time_password_that_is_shown_once(line: Line) -> None:
    printed = line("staff", "add", "thu.ha", "--role", "ADMIN").stdout
    (password,) = [
        text.removeprefix("One-time password: ")
        for text in printed.splitlines()
        if text.startswith("One-time password: ")
    ]
    stored = line.tools.store.staff("thu.ha")
    assert stored is not None
    assert QuickPasswords().verify(stored.password_hash, password)
    assert stored.must_change_password
    assert password not in line("staff", "list").stdout
    assert password not in line("staff", "list", "--json").stdout


def test_staff_from_adding_to_enabling(line: Line) -> None:
    line(*SITE)
    added = line.json("staff", "add", "minh", "--role", "RECEPTION", "--site", "HCM_ROX_T09")
    assert added["sites"] == ["HCM_ROX_T09"]
    reset = line.json("staff", "reset", "minh")
    assert reset["oneTimePassword"] != added["oneTimePassword"]
    line("staff", "disable", "minh")
    assert line.json("staff", "list")[0]["state"] == "disabled"
    line("staff", "enable", "minh")
    assert line.json("staff", "list") == [
        {
            "username": "minh",
            "displayName": "minh",
            "role": "RECEPTION",
            "sites": ["HCM_ROX_T09"],
            "state": "must change password",
        }
    ]


def test_list_tells_who_is_locked_out(memory: Line) -> None:
    memory("staff", "add", "thu.ha", "--role", "ADMIN")
    staff = memory.tools.store.staff("thu.ha")
    assert staff is not None
    for _ in range(FAILURES_BEFORE_LOCK):
        staff = after_failed_login(staff, at=NOW)
        memory.tools.store.commit([Update(staff)])
    assert memory.json("staff", "list")[0]["state"] == "locked"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("staff", "add", "minh", "--role", "RECEPTION"), "sites: a receptionist needs at least"),
        (("staff", "add", "X", "--role", "ADMIN"), "username: takes 3 to 32"),
        (
            ("staff", "add", "minh", "--role", "RECEPTION", "--site", "NOWHERE"),
            "sites: there is no site NOWHERE",
        ),
        (("staff", "reset", "nobody"), "There is no member of staff nobody."),
        (("staff", "disable", "nobody"), "There is no member of staff nobody."),
        (("site", "add", "lower", "--vi", "a", "--en", "b"), "siteId: takes 2 to 32"),
        (("site", "add", "OK", "--vi", " ", "--en", "b"), "name.vi: is missing"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(
    line: Line, args: tuple[str, ...], said: str
) -> None:
    result = line(*args, exit_code=1)
    assert f"Error: {said}" in result.stderr
    assert result.stdout == ""
    assert line.tools.store.all_staff() == ()
    assert line.tools.store.sites() == ()


def test_the_same_name_twice_is_refused(line: Line) -> None:
    line(*SITE)
    assert "There is a site HCM_ROX_T09 already." in line(*SITE, exit_code=1).stderr
    line("staff", "add", "thu.ha", "--role", "ADMIN")
    again = line("staff", "add", "thu.ha", "--role", "ADMIN", exit_code=1)
    assert "There is a member of staff thu.ha already." in again.stderr


def test_sites_are_listed_with_both_names(line: Line) -> None:
    line(*SITE)
    name = {"vi": "Tầng 9", "en": "Floor 9"}
    assert line.json("site", "list") == [{"siteId": "HCM_ROX_T09", "name": name, "enabled": True}]
    assert "Tầng 9" in line("site", "list").stdout


def test_the_catalogue_at_start_loads_and_loading_it_again_changes_nothing(line: Line) -> None:
    line("catalog", "check", str(CATALOGUE_FILE))
    assert line.tools.store.catalogue() is None
    loaded = line.json("catalog", "load", str(CATALOGUE_FILE))
    assert loaded == {"version": 1, "types": 6, "changed": True}
    catalogue = line.tools.store.catalogue()
    assert catalogue is not None
    assert {kind.token_id: (kind.group.value, kind.requires) for kind in catalogue.types} == {
        1001: ("A", ()),
        2001: ("A", ()),
        2002: ("A", ()),
        3001: ("A", ()),
        5001: ("A", ("jobProvider",)),
        6001: ("C", ("aiAccount",)),
    }
    assert line.json("catalog", "load", str(CATALOGUE_FILE))["changed"] is False


def test_every_problem_of_a_catalogue_is_told_with_its_place(memory: Line, tmp_path: Path) -> None:
    good = json.loads(CATALOGUE_FILE.read_text("utf-8"))["types"][0]
    file = tmp_path / "catalogue.json"
    entries = [
        {**good, "tokenId": "1001"},
        {**good, "colour": "red"},
        good,
        {**good, "name": {"en": "Room"}, "maxAmount": 0, "sites": ["NOWHERE"]},
        {**good, "tokenId": 7, "group": "C", "requires": ["shoeSize"]},
        {**good, "tokenId": 8, "availableFrom": 20, "availableUntil": 10},
        "a room",
    ]
    file.write_text(json.dumps({"types": entries}), "utf-8")
    for command in ("check", "load"):
        told = memory("catalog", command, str(file), exit_code=1).stderr
        for problem in (
            "types[0].tokenId: ",
            "types[1].colour: ",
            "types[3].tokenId: 1001 is repeated",
            "types[3].name.vi: is missing",
            "types[3].minAmount: needs 1 <= minAmount",
            "types[3].sites: there is no site NOWHERE",
            "types[4].entitlementDays: goes with group C",
            "types[4].requires: shoeSize is none of",
            "types[5].availableUntil: must not be before availableFrom",
            "types[6]: ",
        ):
            assert problem in told
    assert memory.tools.store.catalogue() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"types": [', "line 1 column 12"),
        ("[]", 'must be {"types": [ … ]} and nothing else'),
        ('{"types": [], "more": 1}', 'must be {"types": [ … ]} and nothing else'),
        ('{"types": []}', "types: the catalogue holds no voucher type"),
        ("\udcff", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(
    memory: Line, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text(text, "utf-8", errors="surrogateescape")
    assert said in memory("catalog", "load", str(file), exit_code=1).stderr


def test_all_wrong_settings_are_told_at_once_with_exit_code_2() -> None:
    line = Line(fake_tools(MemoryStore(), {"STORE": "sql", "AWS_REGION": "x"}))
    told = line("staff", "list", exit_code=2).stderr
    assert "DATABASE_URL: is required with STORE=sql" in told
    assert (
        "STORE: is required"
        in Line(fake_tools(MemoryStore(), {}))("staff", "list", exit_code=2).stderr
    )


def test_setting_up_needs_the_stores_settings_alone(memory: Line) -> None:
    assert set(memory.tools.environ) == {"STORE", "DATABASE_URL"}
    memory(*SITE)
    memory("staff", "add", "thu.ha", "--role", "ADMIN")


@pytest.mark.parametrize(
    "args", [("staff", "ad"), ("staff", "add", "minh", "--role", "BOSS"), ("--env-file", "none")]
)
def test_wrong_usage_ends_with_exit_code_2(memory: Line, args: tuple[str, ...]) -> None:
    memory(*args, exit_code=2)


def test_a_store_that_does_not_answer_is_told_in_a_sentence() -> None:
    def unreachable(_settings: object) -> Store:
        raise StoreUnavailable("refused")

    tools = fake_tools(MemoryStore())
    tools.open_store = unreachable
    told = Line(tools)("staff", "list", exit_code=1).stderr
    assert told == "Error: The store cannot be used: refused. `vouchers doctor` looks closer.\n"


def test_a_store_without_schema_names_the_command_that_helps(tmp_path: Path) -> None:
    database = tmp_path / "new/folder/vouchers.db"
    line = Line(system_tools({"STORE": "sql", "DATABASE_URL": f"sqlite:///{database}"}))
    for command in (("store", "check"), ("staff", "list")):
        assert "`vouchers store migrate`" in line(*command, exit_code=1).stderr
    assert line("store", "migrate").stdout.startswith("Ran migration 1")
    assert "Nothing to do" in line("store", "migrate").stdout
    line("store", "check")


def test_a_dynamodb_table_is_made_on_a_local_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with dynoxide.start() as engine:
        line = Line(
            system_tools(
                {
                    "STORE": "dynamodb",
                    "DYNAMODB_TABLE": "vouchers",
                    "DYNAMODB_ENDPOINT": engine.endpoint,
                }
            )
        )
        assert "ResourceNotFound" in line("store", "check", exit_code=1).stderr
        assert "is there, with its indexes" in line("store", "migrate").stdout
        line("store", "check")
        line(*SITE)
        assert line.json("site", "list")[0]["siteId"] == "HCM_ROX_T09"


def test_env_file_is_read_under_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"STORE=sql\nDATABASE_URL=sqlite:///{tmp_path}/from-file.db\n")
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert CliRunner().invoke(cli, ["store", "migrate"]).exit_code == 0
    assert (tmp_path / "from-file.db").exists()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/from-environment.db")
    assert CliRunner().invoke(cli, ["store", "migrate"]).exit_code == 0
    assert (tmp_path / "from-environment.db").exists()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_an_env_file_in_another_encoding_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    text = f"STORE=sql\nDATABASE_URL=sqlite:///{tmp_path}/é.db\n"
    (tmp_path / ".env").write_text(text, encoding)
    monkeypatch.chdir(tmp_path)
    for named in ([], ["--env-file", ".env"]):
        result = CliRunner().invoke(cli, [*named, "store", "check"])
        assert result.exit_code == 2
        assert "Error: .env is not UTF-8 text" in result.stderr


def test_an_env_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--env-file", str(tmp_path), "store", "check"])
    assert result.exit_code == 2
    assert "is a directory" in result.stderr
    # Reading a process's memory from address 0 fails for everyone, root included.
    result = CliRunner().invoke(cli, ["--env-file", "/proc/self/mem", "store", "check"])
    assert result.exit_code == 2
    assert "Error: /proc/self/mem cannot be read (Input/output error)" in result.stderr


def test_an_env_file_may_begin_with_a_byte_order_mark_and_may_be_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STORE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    text = f"STORE=sql\nDATABASE_URL=sqlite:///{tmp_path}/vouchers.db\n"
    (tmp_path / "env").write_text(text, "utf-8-sig")
    (tmp_path / "pipe").symlink_to("/dev/stdin")
    for file, piped in (("env", None), ("pipe", text)):
        with subprocess.Popen(
            (sys.executable, "-m", "ops.cli", "--env-file", tmp_path / file, "store", "migrate"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as command:
            told, _ = command.communicate(piped)
        assert command.returncode == 0, told


@pytest.mark.parametrize(
    ("unix_seconds", "told"),
    [
        (1_753_920_000, "2025-07-31T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "253402300800"),
        (2**48 - 1, str(2**48 - 1)),
        (2**256 - 1, str(2**256 - 1)),
    ],
)
def test_a_moment_no_calendar_holds_is_told_in_unix_seconds(unix_seconds: int, told: str) -> None:
    assert moment(unix_seconds) == told


def test_every_command_explains_itself() -> None:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*path, name))

    for path in walk(cli, ()):
        shown = CliRunner().invoke(cli, [*path, "--help"], obj=fake_tools(MemoryStore()))
        assert shown.exit_code == 0
        assert len(shown.stdout.splitlines()) > 4, path
