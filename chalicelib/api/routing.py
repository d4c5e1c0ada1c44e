"""Routes: one decorator registers, guards, parses, answers and documents each of them.

A handler takes a `Call` and its checked input and returns an `Answer`; it knows nothing of HTTP
beyond that. Around every request runs one envelope: request id, size limit, security headers,
access log.
"""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar, cast

from chalice.app import Blueprint, CaseInsensitiveMapping, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.api import problems
from chalicelib.api.client import client_of, request_id_of
from chalicelib.api.contextual import ContextualChalice
from chalicelib.api.services import Services
from chalicelib.domain.errors import Unauthenticated, invalid
from chalicelib.domain.order_hash import checksum_address
from chalicelib.domain.orders import ORDER_ID
from chalicelib.domain.staff import Role
from chalicelib.usecases.staff_sessions import Authenticated, authenticate, authenticate_any
from chalicelib.usecases.wallet_sign_in import authenticate_wallet

PREFIX = "/api/v1"
UNMATCHED = "/{proxy+}"
"""The resource path of a request that no route matches, as API Gateway spells a catch-all."""

MAX_BODY_BYTES = 64 * 1024
JSON = "application/json"
JSON_CHARSETS = ("", "charset=utf-8")

COMMON_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "PUBLIC"
    WALLET = "WALLET"
    """The wallet whose address is in the path, signed in."""
    STAFF = "STAFF"
    """Any member of staff, even one who has to change the password first."""
    RECEPTION = "RECEPTION"
    """A receptionist."""


class Nothing(BaseModel):
    """Input of a route that takes none."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler says: a model as JSON, or bytes of `media_type`, or no body at all."""

    body: BaseModel | bytes | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


@dataclass(slots=True)
class Call:
    """One request as a handler sees it. `now` is in unix seconds, the same all through it.

    `client` is the client's address as limits count it. Handlers add to `facts` what the access
    log should tell (an order by its hash, never by its id).
    """

    services: Services
    request_id: str
    now: int
    client: str
    path: Mapping[str, str]
    headers: Mapping[str, str]
    facts: dict[str, str | int]
    staff_session: Authenticated | None = None

    @property
    def who(self) -> Authenticated:
        """The member of staff behind the request.

        Raises:
            Unauthenticated: the route is not one for staff.
        """
        if self.staff_session is None:
            raise Unauthenticated("Sign in, please.")
        return self.staff_session


T = TypeVar("T", bound=BaseModel)
Handler = Callable[[Call, T], Answer]
Content = type[BaseModel] | str | None


@dataclass(frozen=True, slots=True)
class Route:
    """One route as it is documented.

    `answers` maps a status to the model, the media type or nothing that it carries; `refusals` maps
    one to the codes beyond those that follow from access and input.
    """

    method: str
    path: str
    access: Access
    tag: str
    takes: type[BaseModel]
    answers: Mapping[int, Content]
    refusals: Mapping[int, Sequence[str]]
    request_headers: Mapping[str, str]
    answer_headers: Mapping[str, str]
    handler: Callable[[Call, Any], Answer]

    @property
    def template(self) -> str:
        """The full path, placeholders unfilled: how logs name the route."""
        return PREFIX + self.path

    @property
    def takes_body(self) -> bool:
        """Whether the input is a JSON body; it is query parameters otherwise."""
        return self.method == "POST" and self.takes is not Nothing


class Routes:
    """The routes of one part of the API, gathered by `@routes.route(...)`."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        access: Access = Access.PUBLIC,
        takes: type[T],
        answers: Mapping[int, Content],
        refusals: Mapping[int, Sequence[str]] | None = None,
        request_headers: Mapping[str, str] | None = None,
        answer_headers: Mapping[str, str] | None = None,
    ) -> Callable[[Handler[T]], Handler[T]]:
        """Serve `handler` at `path`; its docstring documents it."""

        def record(handler: Handler[T]) -> Handler[T]:
            self.all.append(
                Route(
                    method=method,
                    path=path,
                    access=access,
                    tag=self.tag,
                    takes=takes,
                    answers=answers,
                    refusals=refusals or {},
                    request_headers=request_headers or {},
                    answer_headers=answer_headers or {},
                    handler=handler,
                )
            )
            return handler

        return record

    def blueprint(self, services: Callable[[], Services]) -> Blueprint:
        """These routes for one app."""
        blueprint = Blueprint(self.tag)
        for route in self.all:
            # Chalice's own check of the media type is off: it passes `*/*` and asks of GET too.
            blueprint.route(
                route.template,
                methods=[route.method],
                content_types=["*/*"],
                name=route_name(route),
            )(_view(route, services))
        return blueprint


def route_name(route: Route) -> str:
    """The route's name for Chalice and OpenAPI: that of its handler."""
    return route.handler.__name__


# ------------------------------------------------------------------------------- around a request


@dataclass(slots=True)
class _Exchange:
    """What is known of the request this thread serves."""

    request: Request
    request_id: str
    facts: dict[str, str | int]


_exchange: ContextVar[_Exchange] = ContextVar("exchange")


def install_envelope(app: ContextualChalice, services: Callable[[], Services]) -> None:
    """Put the envelope around every request of `app`, those that match no route included."""
    # Every answer is handed over as bytes: API Gateway then passes all of them through unread,
    # whatever the first media type of `Accept` may be.
    app.api.binary_types = ["*/*"]

    def envelope(request: Request, get_response: Callable[[Any], Response]) -> Response:
        started = time.perf_counter()
        exchange = _Exchange(request, request_id_of(request), {})
        _exchange.set(exchange)
        route = request.path if app.routes.get(request.path) else UNMATCHED
        # No `Accept` means that anything is welcome (RFC 9110, 12.5.1); Chalice wants it said.
        request.headers = CaseInsensitiveMapping({"accept": "*/*", **dict(request.headers)})
        try:
            _check_size(request)
            _check_route(app, request)
            response = get_response(request)
        except Exception as error:  # noqa: BLE001 - nothing may leave but a problem document
            response = _refuse(error, services(), exchange)
        response.headers = {
            **COMMON_HEADERS,
            **response.headers,
            "X-Request-Id": exchange.request_id,
        }
        services().telemetry.event(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            durationMs=round((time.perf_counter() - started) * 1000, 2),
            requestId=exchange.request_id,
            **exchange.facts,
        )
        return response

    app.register_middleware(envelope, "http")


def _check_size(request: Request) -> None:
    declared = request.headers.get("content-length", "0")
    too_large = not declared.isascii() or not declared.isdigit() or int(declared) > MAX_BODY_BYTES
    if too_large or len(request.raw_body) > MAX_BODY_BYTES:
        raise problems.body_too_large(MAX_BODY_BYTES)


def _check_route(app: ContextualChalice, request: Request) -> None:
    methods = app.routes.get(request.path)
    if not methods:
        raise problems.no_such_route()
    if request.method not in methods:
        raise problems.method_not_allowed(", ".join(sorted(methods)))


def _refuse(error: Exception, services: Services, exchange: _Exchange) -> Response:
    problem = problems.problem_of(error)
    if problem is None:
        problem = problems.internal_problem()
        # A message may quote what was asked for; the id is a secret even from the log.
        stack = ORDER_ID.sub("ORD_…", "".join(traceback.format_exception(error)))
        services.telemetry.event("fault", level="ERROR", requestId=exchange.request_id, stack=stack)
        services.telemetry.metric("ApiFaults", 1)
    elif problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        exchange.facts["cause"] = ORDER_ID.sub("ORD_…", str(error))
    exchange.facts["code"] = problem.code
    return Response(
        problem.body(exchange.request_id),
        {"Content-Type": problems.MEDIA_TYPE, **problem.headers},
        problem.status.value,
    )


def _view(route: Route, provide: Callable[[], Services]) -> Callable[..., Response]:
    """`route.handler` behind its guards, as Chalice calls it."""

    def view(**path: str) -> Response:
        exchange, services = _exchange.get(), provide()
        request = exchange.request
        try:
            call = Call(
                services=services,
                request_id=exchange.request_id,
                now=services.clock.now(),
                client=client_of(request, services.settings.TRUSTED_PROXY_HOPS),
                path=path,
                headers=request.headers,
                facts=exchange.facts,
            )
            _guard(route.access, call)
            return _render(route.handler(call, _input_of(route, request)))
        except Exception as error:  # noqa: BLE001 - nothing may leave but a problem document
            return _refuse(error, services, exchange)

    view.__name__ = route_name(route)
    return view


def _guard(access: Access, call: Call) -> None:
    if access is Access.PUBLIC:
        return
    store, now, token = call.services.store, call.now, _bearer_token(call.headers)
    if access is Access.WALLET:
        address = checksum_address(call.path["address"])
        authenticate_wallet(token, address=address, store=store, now=now)
    elif access is Access.STAFF:
        call.staff_session = authenticate_any(token, store=store, now=now)
    else:
        call.staff_session = authenticate(token, role=Role.RECEPTION, store=store, now=now)
    if call.staff_session is not None:
        call.facts["user"] = call.staff_session.staff.username


def _bearer_token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Sign in, please.")
    return token.strip()


def _input_of(route: Route, request: Request) -> BaseModel:
    try:
        if route.takes_body:
            return route.takes.model_validate_json(_json_body(request, route.takes))
        return route.takes.model_validate(_single_parameters(request))
    except ValidationError as error:
        # Here it is the client's mistake; a record of ours that does not validate is a fault.
        raise problems.bad_input(error) from None


def _json_body(request: Request, model: type[BaseModel]) -> bytes:
    body = cast("bytes", request.raw_body)
    all_optional = not any(one.is_required() for one in model.model_fields.values())
    if not body and all_optional:
        return b"{}"
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != JSON or parameters.replace('"', "").strip() not in JSON_CHARSETS:
        raise problems.unsupported_media_type()
    return body


def _single_parameters(request: Request) -> dict[str, str]:
    given = request.query_params
    if given is None:
        return {}
    for name in given:
        if len(given.getlist(name)) > 1:
            raise invalid(name[: problems.LONGEST_FIELD_NAME], "single", "is given more than once")
    return dict(given)


def _render(answer: Answer) -> Response:
    headers: dict[str, str | list[str]] = dict(answer.headers)
    if answer.body is None:
        return Response(b"", headers, answer.status)
    body = answer.body if isinstance(answer.body, bytes) else to_json(answer.body)
    return Response(body, {"Content-Type": answer.media_type, **headers}, answer.status)


def to_json(model: BaseModel) -> bytes:
    """A model on the wire: camelCase, and only what was set (`null` where it was set so)."""
    return model.model_dump_json(by_alias=True, exclude_unset=True).encode()
