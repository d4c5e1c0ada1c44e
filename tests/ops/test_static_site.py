"""The static sites as this machine serves them: files, headers, caching."""

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.headers import BadConfig, Rules
from ops.stack.services import check_built
from ops.stack.supervisor import StackFailed
from ops.static_site import static_site, write_config

API = "http://127.0.0.1:8000/api/v1"
SCRIPT = "main-KSF5CKLR.js"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    site = tmp_path / "portal"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Portal</title>")
    script = b"export const words = 'a text that shrinks';" * 20
    (site / SCRIPT).write_bytes(script)
    (site / f"{SCRIPT}.gz").write_bytes(gzip.compress(script))
    (site / "zxing_reader-E8AF31ED.wasm").write_bytes(b"\0asm")
    (site / "service-worker.js").write_text("export {};")
    (site / "manifest.webmanifest").write_text("{}")
    return site


def client(site: Path, config: dict[str, Any]) -> httpx.Client:
    settings = site.parent / "settings"
    write_config(settings, config)
    application = static_site(str(site), str(settings))
    return httpx.Client(
        transport=httpx.WSGITransport(app=application),
        base_url="http://127.0.0.1:8080",
    )


def policy(response: httpx.Response) -> dict[str, list[str]]:
    directives = response.headers["content-security-policy"].split(";")
    return {words[0]: words[1:] for words in (one.split() for one in directives)}


def test_pages_may_talk_to_the_api_and_the_demo_chain_only(built: Path) -> None:
    config = {"apiUrl": API, "demoWallet": {"rpcUrl": "http://127.0.0.1:8545", "accounts": []}}
    with client(built, config) as http:
        page = http.get("/")
    assert page.status_code == 200
    assert policy(page)["connect-src"] == [
        "'self'",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8545",
    ]
    assert policy(page)["default-src"] == ["'none'"]
    assert "access-control-allow-origin" not in page.headers
    assert "strict-transport-security" not in page.headers


def test_an_api_on_the_sites_own_origin_needs_no_exception(built: Path) -> None:
    with client(built, {"apiUrl": "/api/v1"}) as http:
        assert policy(http.get("/"))["connect-src"] == ["'self'"]


def test_every_answer_has_every_header(built: Path) -> None:
    with client(built, {"apiUrl": API}) as http:
        for path in ("/", f"/{SCRIPT}", "/config.json", "/no-such-file"):
            answer = http.get(path)
            missing = [name for name in Rules.read().headers if name not in answer.headers]
            assert missing == [], path


@pytest.mark.parametrize(
    ("path", "content_type", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        (f"/{SCRIPT}", "text/javascript; charset=utf-8", FOR_EVER),
        ("/zxing_reader-E8AF31ED.wasm", "application/wasm", FOR_EVER),
        ("/service-worker.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/config.json", "application/json", "no-store"),
        ("/main-ZZZZZZZZ.js", "text/plain; charset=utf-8", "no-store"),
    ],
)
def test_types_and_caching(built: Path, path: str, content_type: str, cache: str) -> None:
    with client(built, {"apiUrl": API}) as http:
        answer = http.get(path)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == cache


def test_what_the_build_compressed_is_sent_compressed(built: Path) -> None:
    with client(built, {"apiUrl": API}) as http:
        small = http.get(f"/{SCRIPT}", headers={"Accept-Encoding": "gzip"})
        plain = http.get(f"/{SCRIPT}", headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in small.headers["vary"].lower()
    assert small.headers["content-type"] == plain.headers["content-type"]
    assert small.headers["cache-control"] == plain.headers["cache-control"] == FOR_EVER
    assert "content-encoding" not in plain.headers
    assert small.content == plain.content
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])


def test_settings_without_an_api_are_refused(built: Path) -> None:
    with pytest.raises(BadConfig, match=r"^apiUrl: must be "):
        client(built, {})


def test_settings_are_served_as_written(built: Path) -> None:
    with client(built, {"apiUrl": API}) as http:
        assert http.get("/config.json").json() == {"apiUrl": API}


def test_nothing_outside_the_site_is_served(built: Path) -> None:
    (built.parent / "secret.txt").write_text("secret")
    with client(built, {"apiUrl": API}) as http:
        for path in ("/nothing", "/%2e%2e/secret.txt", "/..%2fsecret.txt"):
            assert http.get(path).status_code == 404, path


def test_the_stack_names_what_is_not_built(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.stack.services.DIST", built.parent)
    (built.parent / "reception").mkdir()
    (built.parent / "reception/index.html").touch()
    check_built()
    with pytest.raises(StackFailed, match=r"^portal/demo-wallet\.js not built: .* --demo$"):
        check_built("portal/demo-wallet.js")


def test_a_site_that_is_not_built_is_named(tmp_path: Path) -> None:
    write_config(tmp_path, {"apiUrl": API})
    with pytest.raises(FileNotFoundError, match=r"is not built: node frontends/build\.mjs"):
        static_site(str(tmp_path / "portal"), str(tmp_path))
