"""Chalice made safe for threads: what belongs to one request stays with that request.

Chalice keeps the current request and the Lambda context as plain attributes of the one app object,
so under a threaded server one request reads another's data. Here both live in context variables,
which every thread has its own of.
"""

from contextvars import ContextVar
from typing import Any

from chalice.app import Chalice, Request

_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
_lambda_context: ContextVar[Any] = ContextVar("lambda_context", default=None)


class ContextualChalice(Chalice):
    """A `Chalice` that may serve many threads at once."""

    @property
    def current_request(self) -> Request | None:
        """The request this thread is serving."""
        return _request.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _request.set(request)

    @property
    def lambda_context(self) -> Any:
        """The Lambda context of this thread's invocation; `None` outside Lambda."""
        return _lambda_context.get()

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        _lambda_context.set(context)
