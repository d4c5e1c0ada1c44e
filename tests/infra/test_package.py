"""What ships to Lambda: built by `chalice package`, trimmed, and run as Lambda would run it."""

import base64
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.dynamo import create_table, open_dynamo_store
from chalicelib.adapters.security import SystemEntropy
from chalicelib.domain.catalogue import Group, Site, VoucherType
from chalicelib.domain.orders import Actor, ActorKind
from chalicelib.usecases.manage import add_site, load_catalogue
from infra.package import build, is_needed, unpacked
from ops import dynoxide
from tests.infra.runtime_api import RuntimeApi

ZIP_BUDGET_BYTES = 8_000_000
CUSTOMER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
ABSENT = ("web3", "eth_account", "sqlalchemy", "boto3", "moto", "gunicorn", "chalice/cli")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built once."""
    return build(tmp_path_factory.mktemp("package"), stage="prod")


def names(archive: Path) -> list[str]:
    """Every file in the package."""
    with zipfile.ZipFile(archive) as packed:
        return packed.namelist()


def test_the_package_stays_within_its_budget(archive: Path) -> None:
    assert archive.stat().st_size <= ZIP_BUDGET_BYTES


@pytest.mark.parametrize("name", ABSENT)
def test_the_package_leaves_out(archive: Path, name: str) -> None:
    assert not [file for file in names(archive) if file.startswith(f"{name}/")]


def test_the_package_holds_the_api_and_nothing_of_the_listener(archive: Path) -> None:
    files = set(names(archive))
    assert {"app.py", "chalicelib/bootstrap.py", "chalice/app.py"} <= files
    assert not [file for file in files if file.startswith(("listener_fn/", "ops/", "tests/"))]


def test_the_template_treats_every_body_as_binary(archive: Path) -> None:
    template = json.loads((archive.parent / "sam.json").read_text())
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert definition["x-amazon-apigateway-binary-media-types"] == ["*/*"]


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("app.py", True),
        ("botocore/data/dynamodb/2012-08-10/service-2.json.gz", True),
        ("botocore/data/endpoints.json", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("Crypto/SelfTest/Hash/test_keccak.py", False),
        ("chalicelib/adapters/sql/store.py", False),
        ("chalicelib/adapters/dynamo/store.py", True),
    ],
)
def test_what_is_trimmed(name: str, needed: bool) -> None:
    assert is_needed(name) is needed


def rest_event(
    method: str,
    resource: str,
    *,
    path_parameters: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An API Gateway REST proxy event (payload version 1.0), as its documentation shows it."""
    path = resource
    for name, value in (path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", value)
    sent = {"Accept": "application/json", "Host": "api.example", **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/json"
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path_parameters,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "abc123",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "extended",
            "requestTime": "21/Nov/2026:10:00:00 +0000",
            "path": f"/prod{path}",
            "accountId": "000000000000",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainName": "api.example",
            "requestTimeEpoch": 1795255200000,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "test"},
            "apiId": "api",
        },
        # The template asks the gateway to treat every body as binary.
        "body": None if body is None else base64.b64encode(json.dumps(body).encode()).decode(),
        "isBase64Encoded": body is not None,
    }


def body_of(answer: dict[str, Any]) -> bytes:
    """What the gateway would send to the client."""
    body: str = answer["body"]
    return base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, str]]:
    """A seeded table on the local engine, and the environment that points at it."""
    dynoxide.use_local_credentials()
    with dynoxide.start() as engine:
        place = {"table": "vouchers", "region": "us-east-1", "endpoint": engine.endpoint}
        create_table(**place)
        store = open_dynamo_store(**place)
        common: dict[str, Any] = {
            "store": store,
            "entropy": SystemEntropy(),
            "actor": Actor(ActorKind.ADMIN, "test"),
            "now": int(time.time()),
            "request_id": "test",
        }
        add_site(Site("SITE_A", {"vi": "A", "en": "A"}), **common)
        kind = VoucherType(
            token_id=1001,
            name={"vi": "Phòng họp", "en": "Meeting room"},
            unit={"vi": "giờ", "en": "hour"},
            description={"vi": "", "en": ""},
            group=Group.A,
        )
        load_catalogue((kind,), **common)
        yield {
            "STORE": "dynamodb",
            "DYNAMODB_TABLE": place["table"],
            "DYNAMODB_ENDPOINT": place["endpoint"],
            "AWS_REGION": place["region"],
            "AWS_DEFAULT_REGION": place["region"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "CHAIN_ID": "31337",
            "CONTRACT_ADDRESS": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
            "PORTAL_ORIGIN": "https://vouchers.example",
            "DATA_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        }


def runtime_client(folder: Path) -> Path:
    """The Lambda runtime client alone: nothing else of this environment may be importable."""
    client = folder / "client"
    client.mkdir()
    for name in ("awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client"):
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not installed"
        assert spec.origin is not None
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, client / name)
        else:
            shutil.copy(origin, client / origin.name)
    return client


@dataclass(frozen=True, slots=True)
class Function:
    """The packaged function, running."""

    api: RuntimeApi
    process: subprocess.Popen[bytes]
    errors: Path


@pytest.fixture
def function(
    archive: Path, table: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Function]:
    """The packaged function under the Lambda runtime client; the interpreter sees only these."""
    overrides: dict[str, str] = getattr(request, "param", {})
    client = runtime_client(tmp_path)
    with unpacked(archive) as task, RuntimeApi() as api:
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(task), str(client)]),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "api",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "LAMBDA_TASK_ROOT": str(task),
            **table,
            **overrides,
        }
        with (tmp_path / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-S", "-m", "awslambdaric", "app.app"],
                cwd=task,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            yield Function(api, process, tmp_path / "stderr")
        finally:
            process.kill()
            process.wait(timeout=30)


def test_the_packaged_api_answers_api_gateway(function: Function) -> None:
    alive = function.api.invoke(rest_event("GET", "/api/v1/health"))
    assert alive["statusCode"] == 200

    created = function.api.invoke(
        rest_event(
            "POST",
            "/api/v1/orders",
            body={"customerAddress": CUSTOMER, "tokenId": 1001, "amount": 1, "siteId": "SITE_A"},
            headers={"Idempotency-Key": secrets.token_urlsafe(18)},
        )
    )
    assert created["statusCode"] == 201, created
    order = json.loads(body_of(created))
    assert order["status"] == "CREATED"

    seen = function.api.invoke(
        rest_event(
            "GET",
            "/api/v1/orders/{orderId}",
            path_parameters={"orderId": order["orderId"]},
        )
    )
    assert seen["statusCode"] == 200
    assert json.loads(body_of(seen))["orderHash"] == order["orderHash"]

    drawn = function.api.invoke(
        rest_event(
            "GET",
            "/api/v1/orders/{orderId}/qr.png",
            path_parameters={"orderId": order["orderId"]},
            headers={"Accept": "image/png"},
        )
    )
    assert drawn["statusCode"] == 200
    assert body_of(drawn).startswith(b"\x89PNG")

    refused = function.api.invoke(
        rest_event(
            "POST",
            "/api/v1/orders/{orderId}/deliver",
            path_parameters={"orderId": order["orderId"]},
            body={},
        )
    )
    assert refused["statusCode"] == 401
    assert json.loads(body_of(refused))["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("function", [{"CHAIN_ID": "many", "DATA_KEYS": ""}], indirect=True)
def test_the_packaged_api_names_every_wrong_setting_and_stops(function: Function) -> None:
    assert function.process.wait(timeout=60) == 2
    told = function.errors.read_text()
    assert "CHAIN_ID" in told
    assert "DATA_KEYS" in told
    assert "many" not in told
