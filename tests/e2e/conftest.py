"""One running system for all end-to-end tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.system import running_demo


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `stack.json` of a demo started for these tests says; stopped at their end."""
    with running_demo(tmp_path_factory.mktemp("stack")) as running:
        yield running
