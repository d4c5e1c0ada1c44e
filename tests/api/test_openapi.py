"""`docs/openapi.json` is valid, and says what the code does."""

import json
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib.api.openapi import COMMITTED, document, main
from chalicelib.api.routing import PREFIX

ISSUE_ROUTES = {
    "GET /health",
    "GET /health/ready",
    "GET /config",
    "GET /catalog",
    "GET /metadata/{tokenId}",
    "POST /orders",
    "GET /orders/{orderId}",
    "GET /orders/{orderId}/qr.svg",
    "GET /orders/{orderId}/qr.png",
    "POST /orders/{orderId}/transaction",
    "POST /orders/{orderId}/cancel",
    "POST /auth/wallet/nonce",
    "POST /auth/wallet/verify",
    "GET /wallets/{address}/orders",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /auth/password",
    "GET /reception/orders/{orderId}",
    "GET /reception/orders",
    "POST /orders/{orderId}/deliver",
}


def documented() -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, operations in document()["paths"].items()
        for method in operations
    }


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_what_chalice_serves_is_what_is_documented() -> None:
    served = {
        f"{method} {path.removeprefix(PREFIX)}"
        for path, methods in app.routes.items()
        for method in methods
    }
    assert served == documented() == ISSUE_ROUTES


def test_the_committed_document_is_the_codes() -> None:
    assert json.loads(COMMITTED.read_text()) == document()
    assert main(["--check"]) == 0


def test_drift_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "openapi.json"
    assert main(["--check"], committed=stale) == 1
    stale.write_text(COMMITTED.read_text().replace("/health", "/healthy"))
    assert main(["--check"], committed=stale) == 1
    assert "differs from the code" in capsys.readouterr().err


def test_every_operation_is_told_in_words() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert len(operation["summary"]) > 10, f"{method} {path}"
            assert any(status.startswith("2") for status in operation["responses"])
            assert all(response["description"] for response in operation["responses"].values())
