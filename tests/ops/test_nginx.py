"""The sites behind nginx: the same headers as the local static site's and CloudFront's, compressed,
the API proxied, and no order id in any log.
"""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from ops.headers import BadConfig, Rules, cli, cloudfront_policy, nginx_server, s3_objects
from ops.nginx import Nginx, NginxMissing, Site, running
from ops.static_site import static_site, write_config

CONFIG = {"apiUrl": "/api/v1"}
SCRIPT = "main-KSF5CKLR.js"
WASM = "zxing_reader-E8AF31ED.wasm"
PATHS = (
    "/",
    f"/{SCRIPT}",
    f"/{WASM}",
    "/icon.svg",
    "/manifest.webmanifest",
    "/service-worker.js",
    "/config.json",
    "/main-ZZZZZZZZ.js",
    "/nothing",
)
ORDER = "ORD_20261121_ABCDEFGHJKMNPQRS"
HTTPS_ONLY = ("strict-transport-security",)


class Api(BaseHTTPRequestHandler):
    """Answers every request with what it asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = {"path": self.path, "headers": dict(self.headers.items()), "pad": "x" * 1000}
        body = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("X-Request-Id", "0b9f3a52-6f1c-4a6e-9f2e-1d2c3b4a5968")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """Where an API answers; host:port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built site."""
    site = tmp_path_factory.mktemp("site")
    files = {
        "index.html": b"<!doctype html><title>Site</title>" * 20,
        SCRIPT: b"export const words = 'a text that shrinks';" * 20,
        WASM: b"\0asm" * 200,
        "icon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "manifest.webmanifest": b"{}",
        "service-worker.js": b"export {};",
    }
    for name, content in files.items():
        (site / name).write_bytes(content)
        (site / f"{name}.gz").write_bytes(gzip.compress(content))
    return site


@pytest.fixture(scope="module")
def nginx(root: Path, api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Both sites behind nginx."""
    sites = (Site("portal.localhost", root, CONFIG), Site("reception.localhost", root, CONFIG))
    try:
        with running(tmp_path_factory.mktemp("nginx") / "run", *sites, api) as server:
            yield server
    except NginxMissing as missing:
        pytest.skip(f"NOT TESTED on nginx: {missing}")


@pytest.fixture
def http(nginx: Nginx) -> Iterator[httpx.Client]:
    """A client of the portal's server."""
    trust = ssl.create_default_context(cafile=str(nginx.directory / "tls.crt"))
    trust.check_hostname = False
    with httpx.Client(
        base_url=f"https://127.0.0.1:{nginx.https_port}",
        headers={"Host": "portal.localhost"},
        verify=trust,
    ) as client:
        yield client


def rule_headers(answer: httpx.Response) -> dict[str, str]:
    """Of an answer's headers those that the rules speak of, and type and status."""
    rules = Rules.read()
    spoken_of = {*rules.headers, *rules.https_only, "Cache-Control", "Content-Type"}
    found = {name.lower(): answer.headers.get(name, "") for name in spoken_of}
    return found | {"status": str(answer.status_code)}


def test_nginx_and_the_local_site_send_the_same_headers(
    http: httpx.Client, root: Path, tmp_path: Path
) -> None:
    write_config(tmp_path, CONFIG)
    transport = httpx.WSGITransport(app=static_site(str(root), str(tmp_path)))
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as local:
        for path in PATHS:
            by_nginx, by_local = rule_headers(http.get(path)), rule_headers(local.get(path))
            for name in HTTPS_ONLY:
                assert by_nginx.pop(name) == Rules.read().https_only["Strict-Transport-Security"]
                assert by_local.pop(name) == ""
            assert by_nginx == by_local, path


def test_cloudfront_sends_what_nginx_sends(http: httpx.Client, root: Path) -> None:
    policy = cloudfront_policy(Rules.read(), CONFIG, "site")
    objects = {one["Key"]: one for one in s3_objects(Rules.read(), root)}
    for path in PATHS:
        answer = http.get(path)
        if answer.status_code != httpx.codes.OK:
            continue
        sent = rule_headers(answer)
        stored = objects.pop(path.lstrip("/") or "index.html")
        expected = as_sent_by_cloudfront(policy) | {
            "cache-control": stored["CacheControl"],
            "content-type": stored["ContentType"],
            "status": "200",
        }
        assert sent == expected, path
    assert objects == {}


def as_sent_by_cloudfront(policy: dict[str, Any]) -> dict[str, str]:
    """The headers that CloudFront makes of a policy (its developer guide, "security headers")."""
    security = policy["SecurityHeadersConfig"]
    hsts = security["StrictTransportSecurity"]
    words = [f"max-age={hsts['AccessControlMaxAgeSec']}"]
    words += ["includeSubDomains"] * hsts["IncludeSubdomains"] + ["preload"] * hsts["Preload"]
    own = {one["Header"].lower(): one["Value"] for one in policy["CustomHeadersConfig"]["Items"]}
    return own | {
        "content-security-policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "strict-transport-security": "; ".join(words),
        "x-frame-options": security["FrameOptions"]["FrameOption"],
        "referrer-policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "x-content-type-options": "nosniff" if security["ContentTypeOptions"]["Override"] else "",
    }


def test_every_answer_has_each_header_once(http: httpx.Client) -> None:
    for path in PATHS:
        answer = http.get(path)
        for name in (*Rules.read().headers, "Cache-Control", "Strict-Transport-Security"):
            assert len(answer.headers.get_list(name)) == 1, f"{path}: {name}"


def test_hashed_files_are_kept_for_ever_and_no_other(http: httpx.Client) -> None:
    kept = [path for path in PATHS if "immutable" in http.get(path).headers["cache-control"]]
    assert kept == [f"/{SCRIPT}", f"/{WASM}"]
    assert http.get("/config.json").headers["cache-control"] == "no-store"
    assert http.get("/main-ZZZZZZZZ.js").headers["cache-control"] == "no-store"


def test_what_the_build_compressed_is_sent_compressed(http: httpx.Client) -> None:
    small = http.get(f"/{SCRIPT}", headers={"Accept-Encoding": "gzip"})
    plain = http.get(f"/{SCRIPT}", headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert small.content == plain.content
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])


def test_each_site_has_its_own_settings(http: httpx.Client) -> None:
    for host in ("portal.localhost", "reception.localhost"):
        assert http.get("/config.json", headers={"Host": host}).json() == CONFIG


def test_plain_http_leads_to_https(nginx: Nginx) -> None:
    url = f"http://127.0.0.1:{nginx.http_port}/?language=vi"
    answer = httpx.get(url, headers={"Host": "portal.localhost"})
    assert answer.status_code == httpx.codes.MOVED_PERMANENTLY
    assert answer.headers["location"] == "https://portal.localhost/?language=vi"


def test_the_api_is_proxied_with_its_own_headers(http: httpx.Client) -> None:
    answer = http.get(
        f"/api/v1/orders/{ORDER}?x=1",
        headers={"X-Forwarded-For": "203.0.113.9", "Accept-Encoding": "gzip"},
    )
    asked = answer.json()
    assert asked["path"] == f"/api/v1/orders/{ORDER}?x=1"
    assert asked["headers"]["Host"] == "portal.localhost"
    # The client's own claim comes first; the last entry is nginx's.
    assert asked["headers"]["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]
    assert answer.headers["content-encoding"] == "gzip"
    assert "max-age" in answer.headers["strict-transport-security"]


def test_no_log_has_an_order_id(root: Path, tmp_path: Path) -> None:
    sites = (Site("portal.localhost", root, CONFIG), Site("reception.localhost", root, CONFIG))
    nobody = "127.0.0.1:1"
    asked = (
        f"/api/v1/orders/{ORDER}",
        f"/api/v1/orders/{ORDER}/qr.svg",
        f"/api/v1/orders/{ORDER}/nothing",
        f"/api/v1/reception/orders/{ORDER}?site=X",
        f"/api/v1/reception/orders?search={ORDER}",
        f"/api/v1/wallets/0x{ORDER}/orders",
        f"/api/{ORDER}",
        f"//api/v1/orders//{ORDER}",
        f"/{ORDER}",
        f"/?order={ORDER}",
    )
    try:
        with running(tmp_path / "run", *sites, nobody) as server:
            trust = ssl.create_default_context(cafile=str(server.directory / "tls.crt"))
            trust.check_hostname = False
            with httpx.Client(verify=trust, headers={"Referer": f"https://x/{ORDER}"}) as client:
                for path in asked:
                    client.get(f"https://127.0.0.1:{server.https_port}{path}")
                too_large = client.post(
                    f"https://127.0.0.1:{server.https_port}/api/v1/orders/{ORDER}/deliver",
                    content=b"x" * 200_000,
                )
            assert too_large.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
            httpx.get(f"http://127.0.0.1:{server.http_port}/{ORDER}")
    except NginxMissing as missing:
        pytest.skip(f"NOT TESTED on nginx: {missing}")
    logs = {path.name: path.read_text("utf-8") for path in server.logs.iterdir()}
    assert [name for name, text in logs.items() if ORDER in text] == []
    lines = [line.split()[:4] for line in logs["access.log"].splitlines()]
    assert [(status, path) for _, status, _, path in lines] == [
        ("502", "/api/v1/orders/{orderId}"),
        ("502", "/api/v1/orders/{orderId}/qr.svg"),
        ("502", "(unmatched)"),
        ("502", "/api/v1/reception/orders/{orderId}"),
        ("502", "/api/v1/reception/orders"),
        ("502", "/api/v1/wallets/{address}/orders"),
        ("502", "(unmatched)"),
        ("502", "/api/v1/orders/{orderId}"),
        ("404", "(unmatched)"),
        ("200", "/index.html"),
        ("413", "/api/v1/orders/{orderId}/deliver"),
        ("301", "(unmatched)"),
    ]


def test_settings_and_values_that_nginx_cannot_be_told_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"^apiUrl: must be "):
        nginx_server(Rules.read(), {})
    with pytest.raises(BadConfig, match="nginx cannot be told"):
        nginx_server(Rules.read(), {"apiUrl": 'https://api.example";return 200/api/v1'})


def test_the_commands_print_what_servers_take(root: Path, tmp_path: Path) -> None:
    write_config(tmp_path, {"apiUrl": "https://api.example/api/v1"})
    config = ["--config", str(tmp_path / "config.json")]
    server = CliRunner().invoke(cli, ["nginx-server", *config])
    assert "connect-src 'self' https://api.example;" in server.output
    once = CliRunner().invoke(cli, ["nginx-http"])
    assert "map $uri $logged_path {" in once.output
    printed = CliRunner().invoke(cli, ["cloudfront", *config, "--site", str(root)])
    policy = json.loads(printed.output)["ResponseHeadersPolicyConfig"]
    sent = as_sent_by_cloudfront(policy)["content-security-policy"]
    assert "connect-src 'self' https://api.example;" in sent


def test_a_file_of_unknown_type_is_not_uploaded(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    (tmp_path / "notes.docx").touch()
    with pytest.raises(BadConfig, match=r"^notes\.docx: contentTypes has no entry for '\.docx'$"):
        s3_objects(Rules.read(), tmp_path)
