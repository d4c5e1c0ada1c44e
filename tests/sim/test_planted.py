"""Every planted bug is caught by a simulated world, and by the check that is there for it."""

import re

import pytest

from tests.sim.planted import PLANTED, Planted
from tests.sim.run import Failed, live

WORLDS = 400
"""In so many worlds every bug shows."""


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name.replace(" ", "-"))
def test_planted_bug_is_caught(bug: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = [bug.seed, *(seed for seed in range(WORLDS) if seed != bug.seed)]
    with monkeypatch.context() as patch:
        bug.plant(patch)
        caught, failure = next(
            ((seed, told) for seed in seeds if (told := _failure(bug, seed)) is not None),
            (None, None),
        )
    assert caught is not None, f"no world of {WORLDS} catches it"
    assert re.search(bug.caught_by, failure or "")
    live(caught, bug.options)  # it was the bug, and nothing else


def _failure(bug: Planted, seed: int) -> str | None:
    try:
        live(seed, bug.options)
    except Failed as failure:
        return str(failure)
    return None
