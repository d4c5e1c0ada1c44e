"""A chain on this machine for the tests of a module."""

from collections.abc import Iterator

import pytest
from web3 import HTTPProvider, Web3

from ops import anvil


@pytest.fixture(scope="module")
def rpc_url() -> Iterator[str]:
    """Where it answers."""
    with anvil.start() as running:
        yield running.rpc_url


@pytest.fixture
def web3(rpc_url: str) -> Web3:
    """A client of it."""
    return Web3(HTTPProvider(rpc_url))
