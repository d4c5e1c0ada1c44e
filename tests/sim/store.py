"""The store of a simulated world, and a listener's unreliable connection to it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Protocol, cast

from chalicelib.adapters.sql import migrate, open_sql_store
from chalicelib.domain.orders import Order
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Redemption
from chalicelib.ports import Change, Record, Store, StoreUnavailable

SMALLEST_COMMIT = 100
"""What every engine takes in a commit: small slices interleave the most."""


class Crash(BaseException):
    """The process ended. No code of the listener may hold it up."""


class Checker(Protocol):
    """What looks at every commit."""

    def check(self, before: Sequence[Record | None], changes: Sequence[Change]) -> None:
        """Raise where a promise is broken; `before` is what each change replaced."""


class CheckedStore:
    """A store whose every commit is checked, whoever makes it."""

    def __init__(self, store: Store, checker: Checker) -> None:
        self._store = store
        self._checker = checker
        self.max_changes = SMALLEST_COMMIT

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit, then check."""
        before = [self._stored(change.record) for change in changes]
        self._store.commit(changes)
        self._checker.check(before, changes)

    def _stored(self, record: Record) -> Record | None:
        match record:
            case Order():
                return self._store.order(record.order_id)
            case Redemption():
                return next(iter(self._store.redemptions(record.serial, record.serial)), None)
            case Cursor():
                return self._store.cursor()
            case _:
                return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True, slots=True)
class StoreFaults:
    """Chances for each call: that the store fails before or after it, or the process dies."""

    unavailable: float = 0.0
    crash: float = 0.0


class FaultyStore:
    """One listener's connection: `before` runs ahead of every call, which may then fail."""

    def __init__(
        self,
        store: Store,
        *,
        rng: Random,
        faults: Callable[[], StoreFaults],
        before: Callable[[], None],
        shown: Counter[str],
    ) -> None:
        self._store = store
        self._rng = rng
        self._faults = faults
        self._before = before
        self._shown = shown

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit, or fail before it, or lose the answer to it."""
        self._before()
        self._maybe("before_commit")
        self._store.commit(changes)
        self._maybe("after_commit")

    def _maybe(self, when: str) -> None:
        faults = self._faults()
        if faults.crash and self._rng.random() < faults.crash:
            self._shown[f"crash_{when}"] += 1
            raise Crash
        if faults.unavailable and self._rng.random() < faults.unavailable:
            self._shown[f"store_down_{when}"] += 1
            raise StoreUnavailable(when)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._before()
            self._maybe("at_read")
            return value(*args, **kwargs)

        return call


def as_store(store: CheckedStore | FaultyStore) -> Store:
    """The same, for the type checker, which does not see through `__getattr__`."""
    return cast("Store", store)


def sqlite_store() -> Store:
    """A fresh store in a file, which goes when the process does."""
    url = f"sqlite:///{_folder().name}/{next(_numbers)}.db"
    migrate(url)
    return open_sql_store(url)


_numbers = count()


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="vouchers-sim-")
