"""The exception tree of the whole back end.

    VoucherError
    ├── InvalidInput       a field breaks a rule; names each field and rule
    ├── Unauthenticated    nobody is signed in, or no longer
    ├── Forbidden          signed in, without the right
    ├── NotFound           there is no such thing
    ├── Refused            the thing exists, its state forbids the move
    ├── TooMany            a limit is reached; says when to come back
    └── Unavailable        a dependency fails; nothing was changed

Each carries a stable machine-readable `code` and a sentence for people. Which HTTP status an
error becomes is decided in one place, `chalicelib.api.problems`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: the field's path, the rule's name, and a sentence."""

    field: str
    rule: str
    message: str


class VoucherError(Exception):
    """Base of every error the project raises on purpose."""

    code = "ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class InvalidInput(VoucherError):
    """Input breaks one or more rules; nothing was changed."""

    code = "INVALID_INPUT"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__("; ".join(f"{f.field}: {f.message}" for f in fields))
        self.fields = fields


def invalid(field: str, rule: str, message: str) -> InvalidInput:
    """An `InvalidInput` about one field."""
    return InvalidInput(FieldError(field, rule, message))


class Unauthenticated(VoucherError):
    """No valid session stands behind the request."""

    code = "UNAUTHENTICATED"


class Forbidden(VoucherError):
    """The session is valid and lacks the right."""

    code = "FORBIDDEN"


class NotFound(VoucherError):
    """Nothing is stored under that name."""

    code = "NOT_FOUND"


class Refused(VoucherError):
    """The state of the thing forbids the move; nothing was changed."""

    code = "REFUSED"


class TooMany(VoucherError):
    """A limit is reached. `retry_after` is in seconds, at least 1."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = max(1, retry_after)


class Unavailable(VoucherError):
    """A dependency cannot answer now; nothing was changed and the request may be repeated."""

    code = "UNAVAILABLE"
