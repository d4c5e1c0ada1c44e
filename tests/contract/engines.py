"""What a store engine has to offer to go through the contract suite.

Each module of engines exports `ENGINES`: this one the memory, `sql_engines` and `dynamo_engines`
theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from chalicelib.adapters.memory import MemoryStore
from chalicelib.ports import Store

Opener = Callable[[], Store]
"""Opens one set of data, again with each call. `functools.partial` of a module's function makes one
that pickles, which engines shared by processes need. What it opens may have a `close()`."""

FreshData = Callable[[], Opener]
"""Makes a new, empty set of data; opens nothing that outlives the engine."""


class EngineMissing(Exception):
    """The engine cannot be started on this machine; says why and what would help."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One store engine under test.

    `start` runs it from when it answers until the context is left, once for many tests, and may
    raise `EngineMissing`. `trusts_races` tells whether what it does with two writers at once proves
    anything; `shared_by_processes` whether another process can open the same data.
    """

    name: str
    start: Callable[[], AbstractContextManager[FreshData]]
    trusts_races: bool = True
    shared_by_processes: bool = True


@contextmanager
def _memory() -> Iterator[FreshData]:
    def fresh() -> Opener:
        store = MemoryStore()
        return lambda: store

    yield fresh


ENGINES = (Engine("memory", _memory, shared_by_processes=False),)
