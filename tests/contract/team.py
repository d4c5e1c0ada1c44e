"""Processes, and threads in them, that start at the same moment; and what they do to a store.

Nothing here may import what is slow: every process does so again.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Barrier
from threading import Barrier as ThreadBarrier
from typing import TypeVar

from chalicelib.domain.staff import Staff
from chalicelib.ports import Change, Conflict, Store, Update
from chalicelib.usecases.deliver import Delivered, deliver
from tests.contract.data import Data
from tests.contract.engines import Opener

T = TypeVar("T")

PROCESSES = 4
WAIT_SECONDS = 60
MAX_TRIES = 2000


class OsEntropy:
    """Bytes that differ from process to process."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes."""
        return os.urandom(count)


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run each task in a thread of its own, all starting together; what each returned."""
    start = ThreadBarrier(len(tasks))

    def run(task: Callable[[], T]) -> T:
        start.wait(WAIT_SECONDS)
        return task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


class Team:
    """`PROCESSES` processes, each doing the same function with arguments of its own."""

    def __init__(self, processes: ProcessPoolExecutor) -> None:
        self._processes = processes

    def at_once(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run each task (it has to pickle) in a process of its own, all starting together."""
        assert len(tasks) == PROCESSES
        running = [self._processes.submit(_together, task) for task in tasks]
        return [one.result(WAIT_SECONDS) for one in running]


@contextmanager
def team_of_processes() -> Iterator[Team]:
    """A team, from when it is asked to work until the context is left."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(PROCESSES)
    with ProcessPoolExecutor(
        PROCESSES, mp_context=spawn, initializer=_take_place, initargs=(start,)
    ) as processes:
        yield Team(processes)


_start: list[Barrier] = []


def _take_place(start: Barrier) -> None:
    _start.append(start)


def _together(task: Callable[[], T]) -> T:
    """Wait for the others, so each process takes one task."""
    _start[0].wait(WAIT_SECONDS)
    return task()


def deliver_at_once(opener: Opener, order_id: str, desks: Sequence[Staff], at: int) -> list[bool]:
    """Every desk delivers the order, all together; whether each was the one who did.

    Each asks once more, as after a lost answer, and has to be told the same.
    """
    with Data(opener) as data:
        store = data.open()

        def press(desk: Staff) -> Delivered:
            return deliver(
                order_id,
                desk,
                note=desk.username,
                desk_site="",
                store=store,
                entropy=OsEntropy(),
                now=at,
                request_id=desk.username,
                key=desk.username.ljust(22, "-"),
            )

        def hand_over(desk: Staff) -> bool:
            done, again = press(desk), press(desk)
            assert (again.delivery, again.already_delivered) == (
                done.delivery,
                done.already_delivered,
            )
            return not done.already_delivered

        return at_once([partial(hand_over, desk) for desk in desks])


def add_failures(opener: Opener, usernames: Sequence[str], times: int) -> int:
    """Add one to the failures of all those members of staff, in one commit, `times` over; how often
    somebody else was faster."""
    with Data(opener) as data:
        store = data.open()
        return sum(_add_failure(store, usernames) for _ in range(times))


def _add_failure(store: Store, usernames: Sequence[str]) -> int:
    for conflicts in range(MAX_TRIES):
        changes: list[Change] = []
        for username in usernames:
            known = store.staff(username)
            assert known is not None
            changes.append(
                Update(replace(known, failures=known.failures + 1, version=known.version + 1))
            )
        try:
            store.commit(changes)
        except Conflict:
            continue
        return conflicts
    raise AssertionError(f"never got through in {MAX_TRIES} tries")


def count_at_once(opener: Opener, threads: int, times: int) -> list[int]:
    """Count one member of a bucket in every thread, `times` over; all the values that came back."""
    with Data(opener) as data:
        store = data.open()

        def count() -> list[int]:
            return [
                store.count("bucket", ["ip"], expires_at=4_000_000_000)[0] for _ in range(times)
            ]

        return [value for part in at_once([count] * threads) for value in part]
