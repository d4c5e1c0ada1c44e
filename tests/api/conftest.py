"""A running API for each test."""

from collections.abc import Iterator

import pytest

from tests.api.harness import Api


@pytest.fixture
def api() -> Iterator[Api]:
    """A shop with catalogue, two sites, a receptionist and an administrator."""
    with Api() as running:
        yield running
