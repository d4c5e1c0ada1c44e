"""The operator's node as the listener's code asks one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.ports import ChainUnavailable
from ops.onchain.errors import NodeFailed
from ops.onchain.node import Node


@dataclass(frozen=True, slots=True)
class NodeEndpoint:
    """`listener_fn.books.Endpoint` by a node, which is patient."""

    node: Node

    @property
    def name(self) -> str:
        """See `Endpoint`."""
        return self.node.name

    def call(self, method: str, *params: Any) -> Any:
        """See `Endpoint`."""
        try:
            return self.node.request(method, *params)
        except NodeFailed as error:
            raise ChainUnavailable(error.message) from error

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """See `Endpoint`."""
        try:
            return self.node.batch(calls)
        except NodeFailed as error:
            raise ChainUnavailable(error.message) from error
