"""The OpenAPI 3.1 document, generated from the routes and their schemas.

`python -m chalicelib.api.openapi > docs/openapi.json` writes it, `--check` compares.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from chalicelib.api.problems import MEDIA_TYPE, ProblemBody, status_phrase
from chalicelib.api.routing import JSON, PREFIX, Access, Nothing, Route, route_name
from chalicelib.api.table import ROUTES
from chalicelib.domain.orders import ORDER_ID

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"

ACCESS_REFUSALS: Mapping[Access, Mapping[int, Sequence[str]]] = {
    Access.PUBLIC: {},
    Access.WALLET: {401: ("UNAUTHENTICATED",), 403: ("FORBIDDEN_WALLET",)},
    Access.STAFF: {401: ("UNAUTHENTICATED",)},
    Access.RECEPTION: {
        401: ("UNAUTHENTICATED",),
        403: ("PASSWORD_CHANGE_REQUIRED", "FORBIDDEN_ROLE"),
    },
}
BODY_REFUSALS: Mapping[int, Sequence[str]] = {
    400: ("MALFORMED_JSON",),
    415: ("UNSUPPORTED_MEDIA_TYPE",),
    422: ("INVALID_INPUT",),
}
ANY_REFUSALS: Mapping[int, Sequence[str]] = {
    413: ("BODY_TOO_LARGE",),
    500: ("INTERNAL",),
    503: ("STORE_UNAVAILABLE", "UNAVAILABLE"),
}
PATH_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "orderId": {"type": "string", "pattern": f"^{ORDER_ID.pattern}$"},
    "address": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
    "tokenId": {"type": "string", "pattern": "^([1-9][0-9]{0,15}|[0-9a-fA-F]{64})$"},
}
REQUIRED_HEADERS = (("/orders", "Idempotency-Key"),)


class SchemaGenerator(GenerateJsonSchema):
    """Schemas as the wire has them: a field with a default may be missing, and then it is."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Missing means missing: the default is not told, nor `null` where it stands for it."""
        inner = schema["schema"]
        if schema.get("default") is None and inner["type"] == "nullable":
            inner = inner["schema"]
        return self.generate_inner(inner)

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the base asks
        """Names speak for themselves."""
        return False


def document() -> dict[str, Any]:
    """The whole document."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in _models()],
        ref_template="#/components/schemas/{model}",
        schema_generator=SchemaGenerator,
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "5SOffice Web3 Vouchers",
            "version": "1",
            "description": "Vouchers are burned on BNB Chain for orders that reception delivers,"
            " once. Errors are RFC 9457 problem documents with a stable `code`. An order id is a"
            " bearer secret.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "staff": {"type": "http", "scheme": "bearer", "description": "from /auth/login"},
                "wallet": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "from /auth/wallet/verify",
                },
            },
            "headers": {
                "X-Request-Id": {
                    "description": "names the request in logs and history",
                    "schema": {"type": "string", "format": "uuid"},
                }
            },
        },
    }


def refusals(route: Route) -> dict[int, tuple[str, ...]]:
    """Every code that the route may refuse with, by status."""
    merged: dict[int, list[str]] = {}
    parts = (route.refusals, ACCESS_REFUSALS[route.access], ANY_REFUSALS, _input_refusals(route))
    for part in parts:
        for status, codes in part.items():
            merged.setdefault(status, []).extend(codes)
    return {status: tuple(dict.fromkeys(merged[status])) for status in sorted(merged)}


def _input_refusals(route: Route) -> Mapping[int, Sequence[str]]:
    if route.takes_body:
        return BODY_REFUSALS
    takes_something = route.takes is not Nothing or route.access is Access.WALLET
    return {422: ("INVALID_INPUT",)} if takes_something else {}


def _models() -> Iterator[type[BaseModel]]:
    yield ProblemBody
    for route in ROUTES:
        if route.takes_body:
            yield route.takes
        for content in route.answers.values():
            if isinstance(content, type):
                yield content


def _operation(route: Route) -> dict[str, Any]:
    summary, _, rest = (route.handler.__doc__ or "").strip().partition(". ")
    operation: dict[str, Any] = {
        "operationId": route_name(route),
        "tags": [route.tag],
        "summary": summary.removesuffix("."),
        "parameters": list(_parameters(route)),
        "responses": dict(_responses(route)),
    }
    if rest:
        operation["description"] = " ".join(rest.split())
    if route.access is not Access.PUBLIC:
        scheme = "wallet" if route.access is Access.WALLET else "staff"
        operation["security"] = [{scheme: []}]
    if route.takes_body:
        needed = any(field.is_required() for field in route.takes.model_fields.values())
        operation["requestBody"] = {"required": needed, "content": {JSON: _schema(route.takes)}}
    return operation


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}
    if not route.takes_body:
        # Query parameters are plain scalars, so their schemas refer to nothing.
        schema = route.takes.model_json_schema(schema_generator=SchemaGenerator)
        for name, one in schema.get("properties", {}).items():
            yield {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": one,
            }
    for name, description in route.request_headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": (route.path, name) in REQUIRED_HEADERS,
            "description": description,
            "schema": {"type": "string"},
        }


def _responses(route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    own = {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in route.answer_headers.items()
    }
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    refused = refusals(route)
    for status in sorted({*route.answers, *refused}):
        content: dict[str, Any] = {}
        words = status_phrase(status)
        answers = status in route.answers
        if answers:
            content.update(_content(route.answers[status]))
        if status in refused:
            content[MEDIA_TYPE] = _schema(ProblemBody)
            words += ": " + ", ".join(refused[status])
        response: dict[str, Any] = {
            "description": words,
            "headers": {**headers, **(own if answers else {})},
        }
        if content:
            response["content"] = content
        yield str(status), response


def _content(answer: type[BaseModel] | str | None) -> dict[str, Any]:
    if answer is None:
        return {}
    if isinstance(answer, str):
        return {answer: {}}
    return {JSON: _schema(answer)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}


def rendered() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None, *, committed: Path = COMMITTED) -> int:
    """Print the document, or compare it with the committed one (exit code 1 if they differ)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="compare with docs/openapi.json")
    options = parser.parse_args(arguments)
    if not options.check:
        sys.stdout.write(rendered())
        return 0
    if committed.exists() and committed.read_text() == rendered():
        return 0
    print(
        "docs/openapi.json differs from the code;"
        " run: python -m chalicelib.api.openapi > docs/openapi.json",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
