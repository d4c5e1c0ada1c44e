"""docs/listener.md and its runbooks name what there is, with the values it has."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api.reception import SENTENCES
from chalicelib.domain import completeness
from chalicelib.domain.progress import Cursor
from chalicelib.metrics import METRICS, Kind
from chalicelib.settings import ListenerSettings
from chalicelib.usecases.reception import NotDeliverable
from chalicelib.usecases.scan import ScanSettings
from listener_fn.refusals import Refusal
from listener_fn.supervisor import EXIT_FAILED, EXIT_STUCK
from listener_fn.worker import EXIT_FORK, EXIT_SETTINGS

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs/listener.md"
RUNBOOKS = [
    ROOT / "docs/runbooks" / f"{name}.md"
    for name in ("listener-stalled", "rpc-outage", "deep-reorg", "reconciliation-difference")
]
PAGES = [DOC, *RUNBOOKS]
CODE = [*(ROOT / "listener_fn").glob("*.py"), *(ROOT / "chalicelib/usecases").glob("scan*.py")]
TELLERS = {"event", "_tell", "_abandon", "Happening"}
FENCES = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
OTHER_NAMES = {"timeout", "connection", "http", "malformed", "pg_restore"}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """Every event in the code by name, with the call that tells it."""
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in TELLERS:
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value, node


EVENTS = {name for name, _ in _calls()}


def _rows(page: Path, header: str) -> list[list[str]]:
    """The table under that header, cell by cell."""
    lines = page.read_text("utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(header)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _inline(page: Path) -> set[str]:
    """What is set in code within the text."""
    return set(re.findall(r"`([^`\n]+)`", FENCES.sub("", page.read_text("utf-8"))))


def _snake(name: str) -> str:
    metric = METRICS[name]
    suffix = "_total" if metric.kind is Kind.COUNTER else ""
    return "vouchers_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() + suffix


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_metric_that_a_page_names_is_one(page: Path) -> None:
    named = {one for one in _inline(page) if re.fullmatch(r"([A-Z][a-z]+){2,}", one)}
    assert named - {"VoucherRedeemed"} <= set(METRICS)
    served = set(re.findall(r"vouchers_[a-z_]*[a-z]", page.read_text("utf-8")))
    assert all(any(name.startswith(one) for name in map(_snake, METRICS)) for one in served)
    assert named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_event_that_a_page_names_is_one(page: Path) -> None:
    known = EVENTS | {one.value for one in Refusal} | OTHER_NAMES | set(vars(completeness))
    known |= {one.name for kind in (Cursor, ScanSettings) for one in fields(kind)}
    named = {one for one in _inline(page) if re.fullmatch(r"[a-z]+(_[a-z]+)+", one)}
    assert named - set(map(_snake, METRICS)) <= known
    logged = set(re.findall(r'"message": "([^"]+)"', page.read_text("utf-8")))
    assert logged <= EVENTS
    assert named | logged


@pytest.mark.parametrize("page", RUNBOOKS[:2], ids=lambda page: page.stem)
@pytest.mark.parametrize(
    "shown", [NotDeliverable.NOT_BURNED_YET, NotDeliverable.WAITING_FOR_CONFIRMATIONS]
)
def test_reception_is_told_what_its_screen_says(page: Path, shown: NotDeliverable) -> None:
    assert f'"{SENTENCES[shown][1]}"' in " ".join(page.read_text("utf-8").split())


def test_the_table_of_events_is_that_of_the_code() -> None:
    rows = _rows(DOC, "| event |")
    assert len(rows) == len({row[0] for row in rows})
    assert {row[0].strip("`") for row in rows} == EVENTS
    told = {row[0].strip("`"): (row[1], set(re.findall(r"`(\w+)`", row[2]))) for row in rows}
    direct = [
        (name, call)
        for name, call in _calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "event"
    ]
    for name, call in direct:
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        level = named.pop("level", ast.Constant("INFO"))
        assert isinstance(level, ast.Constant)
        assert told[name] == (level.value, set(named)), name


def test_the_table_of_settings_is_that_of_the_listener() -> None:
    told: dict[str, str] = {}
    for names, default, _ in _rows(DOC, "| setting |"):
        told |= dict.fromkeys(re.findall(r"`(\w+)`", names), default)
    assert told == {
        name: "" if field.is_required() or field.default in ("", None) else str(field.default)
        for name, field in ListenerSettings.model_fields.items()
    }


def test_exit_codes_are_those_of_the_worker() -> None:
    codes = [int(row[0]) for row in _rows(DOC, "| exit code |")]
    assert codes == [0, EXIT_FAILED, EXIT_SETTINGS, EXIT_FORK, EXIT_STUCK]
    prevented = re.search(r"^RestartPreventExitStatus=(.*)$", DOC.read_text("utf-8"), re.MULTILINE)
    assert prevented is not None
    assert [int(code) for code in prevented[1].split()] == [EXIT_SETTINGS, EXIT_FORK]


@pytest.mark.parametrize("row", _rows(DOC, "| bound |"), ids=lambda row: row[0].strip("`"))
def test_bounds_have_the_value_that_is_told(row: list[str]) -> None:
    module, _, name = row[0].strip("`").rpartition(".")
    value: Any = getattr(import_module(module), name)
    assert str(value) == row[1]


def test_fields_of_the_cursor_are_told() -> None:
    rows = _rows(DOC, "| field |")
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(told) == sorted(one.name for one in fields(Cursor))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_files_and_commands_of_the_proofs_exist() -> None:
    rows = _rows(DOC, "| proof |")
    commands = " ".join(row[1] for row in rows)
    for path in re.findall(r"tests/[\w/.]+", commands):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m (bench\.\w+)", commands):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for goal in re.findall(r"make ([a-z-]+)", commands):
        assert f"\n{goal}:" in makefile, goal
