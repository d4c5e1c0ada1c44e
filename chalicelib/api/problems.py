"""Errors as RFC 9457 `application/problem+json`: the only place that knows their HTTP status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from chalicelib.domain.errors import (
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
    VoucherError,
)
from chalicelib.ports import Conflict, StoreUnavailable

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""As RFC 9110 has them; older Pythons know older names."""

LONGEST_FIELD_NAME = 80


class HttpError(VoucherError):
    """A request that is wrong as HTTP, whatever it asks for."""

    def __init__(self, status: HTTPStatus, code: str, message: str, **headers: str) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = headers


def status_phrase(status: int) -> str:
    """The standard's words for a status."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def malformed_json() -> HttpError:
    """The body is no JSON."""
    return HttpError(HTTPStatus.BAD_REQUEST, "MALFORMED_JSON", "The body is not valid JSON.")


def unsupported_media_type() -> HttpError:
    """The body is not declared as JSON."""
    return HttpError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "Send the body as application/json in UTF-8.",
    )


def body_too_large(limit: int) -> HttpError:
    """The body is longer than `limit` bytes."""
    return HttpError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "BODY_TOO_LARGE",
        f"The body may have at most {limit} bytes.",
    )


def no_such_route() -> NotFound:
    """Nothing is served under that path."""
    return NotFound("There is nothing at this address.")


def method_not_allowed(allowed: str) -> HttpError:
    """The path is served, not by that method; `allowed` lists those that are."""
    return HttpError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        f"This address takes {allowed}.",
        Allow=allowed,
    )


class ProblemField(BaseModel):
    """One field that breaks one rule."""

    field: str
    rule: str
    message: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details, with a stable machine-readable `code`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemField] = Field(default=[])


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error is on the wire."""

    status: HTTPStatus
    code: str
    detail: str
    fields: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """The JSON document. The type is `about:blank`, so the title is that of the status."""
        document = ProblemBody(
            type="about:blank",
            title=status_phrase(self.status),
            status=self.status.value,
            detail=self.detail,
            code=self.code,
            request_id=request_id,
        )
        if self.fields:
            document.errors = [
                ProblemField(field=one.field, rule=one.rule, message=one.message)
                for one in self.fields
            ]
        return document.model_dump_json(by_alias=True, exclude_unset=True).encode()


_STATUS: Mapping[type[VoucherError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Refused: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem_of(error: Exception) -> Problem | None:
    """The problem that `error` stands for; `None` where it is a fault of ours."""
    if isinstance(error, StoreUnavailable):
        return _try_again("STORE_UNAVAILABLE", "The service cannot reach its data now. Try again.")
    if isinstance(error, Conflict):
        return _try_again("UNAVAILABLE", "Somebody else changed the same thing. Try again.")
    if not isinstance(error, VoucherError):
        return None
    fields = error.fields if isinstance(error, InvalidInput) else ()
    detail = "The request breaks a rule; see errors." if fields else error.message
    status = error.status if isinstance(error, HttpError) else _STATUS[type(error)]
    return Problem(status, error.code, detail, fields, _headers_of(error))


def internal_problem() -> Problem:
    """A fault of ours. What went wrong is in the log under the request id, and only there."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "Something went wrong on our side. Tell us the request id if it happens again.",
    )


def _headers_of(error: VoucherError) -> Mapping[str, str]:
    if isinstance(error, HttpError):
        return error.headers
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _try_again(code: str, detail: str) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, code, detail, headers={"Retry-After": str(RETRY_SECONDS)}
    )


_RULES: Mapping[str, tuple[str, str]] = {
    "missing": ("required", "is required"),
    "extra_forbidden": ("unexpected", "is not a known field"),
    "model_type": ("type", "must be an object"),
    "int_type": ("type", "must be an integer"),
    "string_type": ("type", "must be a string"),
}
_MESSAGES: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("range", "must be at least {ge}"),
    "less_than_equal": ("range", "must be at most {le}"),
    "string_too_short": ("length", "must have at least {min_length} characters"),
    "string_too_long": ("length", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("pattern", "must match {pattern}"),
}


def bad_input(error: ValidationError) -> VoucherError:
    """What a client sent that breaks a schema: every field with its rule, or no JSON at all."""
    found = error.errors(include_url=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in found):
        return malformed_json()
    fields = []
    for one in found:
        kind = one["type"]
        if kind in _MESSAGES:
            rule, template = _MESSAGES[kind]
            message = template.format(**one["ctx"])
        else:
            rule, message = _RULES.get(kind, (kind, one["msg"]))
        # The name of an unknown field is the caller's: repeat no more of it than helps.
        name = ".".join(str(part) for part in one["loc"])[:LONGEST_FIELD_NAME] or "body"
        fields.append(FieldError(name, rule, message))
    return InvalidInput(*fields)
