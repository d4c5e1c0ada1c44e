"""How an endpoint is asked, and how its failures are told: patiently, briefly, without its keys."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from random import random
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from eth_abi.exceptions import DecodingError
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from web3 import HTTPProvider
from web3.exceptions import BadResponseFormat, ContractLogicError, Web3Exception, Web3RPCError
from web3.types import RPCEndpoint, RPCResponse

from ops.onchain.errors import NodeFailed, RequestRefused, Reverted
from ops.onchain.reverts import decode, sentence
from ops.onchain.text import printable

PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait before asking again where the trouble may pass; up to half as long more by
chance, so that commands which failed together do not ask together."""

TOO_MUCH = frozenset({400, 413})
"""HTTP statuses by which endpoints refuse ranges of blocks as too wide."""

GATEWAY_TIMEOUTS = frozenset({408, 504, 524})
"""HTTP statuses of a time-out, that of Cloudflare among them."""

SHOWN_CHARACTERS = 200
"""As much is shown of what an endpoint says."""

KEY_CHARACTERS = 8
"""Parts of a URL's path or query as long as this may be a key."""

NO_JSON_RPC = "answers with something that is no JSON-RPC"

T = TypeVar("T")


class PatientProvider(HTTPProvider):
    """web3's provider, which asks again where an endpoint is busy or closes the connection.

    `sleep` takes seconds. A request to send a transaction is made once: the first may have arrived.
    """

    def __init__(self, url: str, *, timeout: float, sleep: Callable[[float], None]) -> None:
        # web3 asks for the chain before almost every request: once is enough.
        super().__init__(
            url,
            request_kwargs={"timeout": timeout},
            exception_retry_configuration=None,
            cache_allowed_requests=True,
            cacheable_requests={RPCEndpoint("eth_chainId")},
        )
        self._sleep = sleep

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        ask = partial(super().make_request, method, params)
        return ask() if method == "eth_sendTransaction" else self._patiently(ask)

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        return self._patiently(partial(super().make_batch_request, batch_requests))

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """Raises `ValueError` for a batch's answers without ids: in what order they are, nobody
        knows."""
        answer: Any = HTTPProvider.decode_rpc_response(raw_response)
        if isinstance(answer, list) and not all(isinstance(one["id"], int) for one in answer):
            raise ValueError("an answer has no id")
        return cast("RPCResponse", answer)

    def pause(self, tries: int) -> None:
        """Wait after so many tries, at most as many as `PAUSES` has."""
        self._sleep(PAUSES[tries - 1] * (1 + random() / 2))  # noqa: S311 - no secret

    def _patiently(self, ask: Callable[[], T]) -> T:
        for tries in range(1, len(PAUSES) + 1):
            try:
                return ask()
            except OSError as error:
                if not _may_pass(error):
                    raise
            self.pause(tries)
        return ask()


class Faults:
    """Tells what went wrong with one endpoint; `name` is its host."""

    def __init__(self, url: str) -> None:
        self.name = urlsplit(url).hostname or "the RPC endpoint"
        self._secrets = _secrets(url)

    @contextmanager
    def told(self) -> Iterator[None]:
        """What went wrong, in words; messages of the HTTP client hold the URL and are left out.

        Around requests and the reading of their answers alone: whatever an answer does not have is
        the endpoint's fault.
        """
        try:
            yield
        except ContractLogicError as error:
            raise self.reverted(error.data) from error
        except Web3RPCError as error:
            raise self.refused((error.rpc_response or {}).get("error")) from error
        except OSError as error:
            raise self._unreached(error) from error
        except BadResponseFormat as error:
            raise NodeFailed(f"{self.name} {NO_JSON_RPC}") from error
        except Web3Exception as error:
            raise NodeFailed(f"{self.name} answers with an error: {self._shown(error)}") from error
        except (AttributeError, DecodingError, LookupError, TypeError, ValueError) as error:
            raise NodeFailed(f"{self.name} {NO_JSON_RPC}") from error

    def reverted(self, data: object) -> Reverted:
        """For the revert data of a call, which is the contract's to explain, not the endpoint's."""
        known = decode(data) if isinstance(data, str) else None
        if known is None:
            return Reverted("the contract refuses, without a reason", error=None)
        return Reverted(f"the contract refuses: {printable(sentence(*known))}", error=known[0])

    def refused(self, error: object) -> RequestRefused:
        """For the error of a JSON-RPC answer."""
        told, code = _message_and_code(error)
        said = self._shown(told)
        message = f"{self.name} answers with an error: {said}"
        return RequestRefused(message, said=said, rpc_code=code)

    def _unreached(self, error: OSError) -> NodeFailed:
        """For an HTTP status or none; some endpoints tell their JSON-RPC errors with one."""
        response = getattr(error, "response", None)
        status = None if response is None else response.status_code
        said, code = type(error).__name__ if status is None else f"HTTP {status}", None
        inner = None if response is None else _rpc_error(response)
        if inner is not None:
            told, code = _message_and_code(inner)
            said += f": {self._shown(told)}"
        message = f"{self.name} cannot be reached ({said})"
        if status in TOO_MUCH or _is_timeout(error):
            return RequestRefused(message, said=said, rpc_code=code)
        return NodeFailed(message)

    def _shown(self, foreign: object) -> str:
        """What an endpoint says: short, printable, and without the parts of its URL."""
        text = str(foreign)
        for secret in self._secrets:
            text = text.replace(secret, "…")
        text = printable(text)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _secrets(url: str) -> tuple[str, ...]:
    """What of a URL may be a key, the longest first."""
    parts = urlsplit(url)
    whole = (f"{parts.path}?{parts.query}", parts.path, parts.query)
    pieces = (*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)))
    found = {
        *(one for one in whole if one.strip("/?")),
        *(one for one in pieces if len(one) >= KEY_CHARACTERS),
        *(one for one in (parts.username, parts.password) if one),
    }
    return tuple(sorted(found | set(map(unquote, found)), key=len, reverse=True))


def _rpc_error(response: requests.Response) -> object:
    """The JSON-RPC error in the body of an HTTP error; `None` where there is none."""
    try:
        return response.json()["error"]
    except (LookupError, TypeError, ValueError):
        return None


def _message_and_code(error: Any) -> tuple[object, int | None]:
    """Of a JSON-RPC error, or of what an endpoint sends in its place."""
    if not isinstance(error, Mapping):
        return error, None
    code = error.get("code")
    return error.get("message", error), code if isinstance(code, int) else None


def _may_pass(error: OSError) -> bool:
    """Whether asking again may help: too many requests, a server's fault, a closed connection."""
    response = getattr(error, "response", None)
    if response is None:
        return isinstance(_cause(error), ProtocolError)
    status: int = response.status_code
    return status == HTTPStatus.TOO_MANY_REQUESTS or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in GATEWAY_TIMEOUTS
    )


def _is_timeout(error: OSError) -> bool:
    """Whether the answer did not come in time; not a connection that did not."""
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in GATEWAY_TIMEOUTS
    return isinstance(error, requests.ReadTimeout) or isinstance(_cause(error), ReadTimeoutError)


def _cause(error: OSError) -> object:
    """urllib3's error in that of requests."""
    return error.args[0] if error.args else None
