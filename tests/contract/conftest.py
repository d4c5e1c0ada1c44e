"""Every test that takes `data` or `store` runs on every engine that can prove it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from chalicelib.ports import Store
from tests.contract import dynamo_engines, engines, sql_engines
from tests.contract.data import Data
from tests.contract.engines import Engine, EngineMissing, FreshData
from tests.contract.team import Team, team_of_processes

ALL = (*engines.ENGINES, *sql_engines.ENGINES, *dynamo_engines.ENGINES)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the engines: for races those that can be trusted, for processes those they share."""
    if "fresh" not in metafunc.fixturenames:
        return
    race = metafunc.definition.get_closest_marker("race") is not None
    processes = "team" in metafunc.fixturenames
    chosen = [
        engine
        for engine in ALL
        if (engine.trusts_races or not race) and (engine.shared_by_processes or not processes)
    ]
    names = [engine.name for engine in chosen]
    metafunc.parametrize("fresh", chosen, ids=names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def fresh(request: pytest.FixtureRequest) -> Iterator[FreshData]:
    """Makes empty sets of data on a running engine."""
    engine: Engine = request.param
    with ExitStack() as running:
        try:
            made = running.enter_context(engine.start())
        except EngineMissing as missing:
            pytest.skip(f"NOT TESTED on {engine.name}: {missing}")
        yield made


@pytest.fixture
def make_data(fresh: FreshData) -> Iterator[Callable[[], Data]]:
    """Makes empty sets of data, closed at the end of the test."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(Data(fresh()))


@pytest.fixture
def data(make_data: Callable[[], Data]) -> Data:
    """An empty set of data."""
    return make_data()


@pytest.fixture
def store(data: Data) -> Store:
    """A store onto an empty set of data."""
    return data.open()


@pytest.fixture(scope="module")
def lasting_store(fresh: FreshData) -> Iterator[Store]:
    """A store that the examples of a property share."""
    with Data(fresh()) as made:
        yield made.open()


@pytest.fixture(scope="session")
def team() -> Iterator[Team]:
    """Processes that start together."""
    with team_of_processes() as ready:
        yield ready
