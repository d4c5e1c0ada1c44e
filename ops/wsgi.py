"""The order API under any WSGI server: each request becomes the event API Gateway would send.

The event has the form of a REST API's Lambda proxy integration (payload format 1.0), so one app
runs on Lambda and on a VPS. Cross-origin requests are answered for the exact origins in
`CORS_ORIGINS`; API Gateway never sees any, there site and API share an origin.

Run it with `gunicorn ops.wsgi:application`; `gunicorn.conf.py` holds the server's settings.
"""

import base64
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from chalice.app import Chalice

from chalicelib.api.routing import MAX_BODY_BYTES, UNMATCHED
from chalicelib.bootstrap import create_app, services_from_environment

STAGE = "local"
PREFLIGHT_SECONDS = "600"
ALLOWED_HEADERS = (
    "authorization, content-type, idempotency-key, if-none-match, x-device-id, x-input-method,"
    " x-request-id"
)
BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
EXPOSED_HEADERS = "Date, ETag, Idempotency-Replayed, Retry-After, X-Request-Id"

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class WsgiAdapter:
    """A Chalice app as a WSGI application. `origins` may call it from other origins."""

    def __init__(self, app: Chalice, origins: Iterable[str] = ()) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._fixed = frozenset(path for path in app.routes if "{" not in path)
        self._patterns = [
            (path, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))))
            for path in app.routes
            if "{" in path
        ]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        # Answered as GET, the body left away (RFC 9110, 9.3.2).
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        method = "GET" if is_head else environ["REQUEST_METHOD"]
        headers = _headers_of(environ)
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        resource, parameters = self._match(path)
        cors = self._cross_origin(headers, resource)
        if method == "OPTIONS" and "access-control-request-method" in headers:
            start_response("204 No Content", [*cors, ("X-Request-Id", str(uuid.uuid4()))])
            return []
        event = _event(environ, method, headers, path, resource, parameters)
        answer = self._app(event, None)
        body = answer["body"].encode() if isinstance(answer["body"], str) else answer["body"]
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body)
        status = HTTPStatus(answer["statusCode"])
        sent = [*answer["headers"].items(), *cors]
        if status not in BODILESS:
            sent.append(("Content-Length", str(len(body))))
        start_response(f"{status.value} {status.phrase}", sent)
        return [] if is_head else [body]

    def _match(self, path: str) -> tuple[str, dict[str, str]]:
        if path in self._fixed:
            return path, {}
        for resource, pattern in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None:
                return resource, found.groupdict()
        return UNMATCHED, {"proxy": path.lstrip("/")}

    def _cross_origin(self, headers: Mapping[str, str], resource: str) -> list[tuple[str, str]]:
        if not self._origins:
            return []
        vary = ("Vary", "Origin")
        origin = headers.get("origin", "")
        if origin not in self._origins:
            return [vary]
        return [
            vary,
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", ", ".join(sorted(self._app.routes.get(resource, ())))),
            ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
            ("Access-Control-Expose-Headers", EXPOSED_HEADERS),
            ("Access-Control-Max-Age", PREFLIGHT_SECONDS),
        ]


def _headers_of(environ: Environ) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers


def _event(
    environ: Environ,
    method: str,
    headers: dict[str, str],
    path: str,
    resource: str,
    parameters: dict[str, str],
) -> dict[str, Any]:
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    body = _body_of(environ)
    now = datetime.now(UTC)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": path,
            "protocol": environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
            "stage": STAGE,
            "requestId": str(uuid.uuid4()),
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "domainName": headers.get("host", ""),
            "identity": {
                "sourceIp": environ.get("REMOTE_ADDR", ""),
                "userAgent": headers.get("user-agent"),
            },
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def _body_of(environ: Environ) -> bytes:
    """The body, unless its length is declared too large: then the app refuses it unread.

    A chunked body declares nothing; of that, one byte too many is enough to be refused.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared.isascii() and declared.isdigit():
        length = int(declared)
        return b"" if length > MAX_BODY_BYTES else bytes(environ["wsgi.input"].read(length))
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return bytes(environ["wsgi.input"].read(MAX_BODY_BYTES + 1))
    return b""


def make_application() -> WsgiAdapter:
    """The API over the environment's settings.

    Raises:
        SystemExit: with code 2, every wrong setting named on standard error.
    """
    services = services_from_environment()
    return WsgiAdapter(create_app(services_from_environment), services.settings.CORS_ORIGINS)


def __getattr__(name: str) -> WsgiAdapter:
    # Made when the server asks for it: importing the adapter alone needs no settings.
    if name == "application":
        made = globals()["application"] = make_application()
        return made
    raise AttributeError(name)
