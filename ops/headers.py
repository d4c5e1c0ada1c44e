"""The static sites' response headers: one source, `frontends/headers.json`, for every server.

The local static site applies the rules as they are. nginx includes what `nginx-http` and
`nginx-server` print; CloudFront gets the policy that `cloudfront` prints, and S3 each file's own
headers (spec: Security, strict policy).

    python -m ops.headers nginx-http
    python -m ops.headers nginx-server --config config.json
    python -m ops.headers cloudfront --config config.json --site frontends/dist/portal
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self
from urllib.parse import urlsplit

import click

ROOT = Path(__file__).parents[1]
HEADERS_FILE = ROOT / "frontends/headers.json"
API_FILE = ROOT / "docs/openapi.json"
CONNECT = "{connect}"
COMPRESSED = (".br", ".gz")
UNQUOTABLE = re.compile(r'["$\\\r\n]')
"""nginx has no way to write these inside a quoted value."""
MAX_AGE = re.compile(r"max-age=(\d+)")


class BadConfig(ValueError):
    """A site's `config.json` or the header rules cannot be used; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """`Cache-Control` by file: `files` by name, `hashed` by pattern, `default` for all others."""

    default: str
    not_found: str
    files: Mapping[str, str]
    hashed_pattern: str
    hashed: str

    def of(self, name: str) -> str:
        """The value for the file `name`, a path from the site's root without a slash in front."""
        if name in self.files:
            return self.files[name]
        return self.hashed if re.search(self.hashed_pattern, name) else self.default


@dataclass(frozen=True, slots=True)
class Rules:
    """What `headers.json` says; content types by suffix, dot included."""

    headers: Mapping[str, str]
    https_only: Mapping[str, str]
    cache: CacheRules
    content_types: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = HEADERS_FILE) -> Self:
        """The committed rules."""
        found = json.loads(path.read_text("utf-8"))
        cache = found["cacheControl"]
        return cls(
            found["headers"],
            found["httpsOnly"],
            CacheRules(
                cache["default"],
                cache["notFound"],
                cache["files"],
                cache["hashed"]["pattern"],
                cache["hashed"]["value"],
            ),
            found["contentTypes"],
        )

    def for_site(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The headers of every answer of the site that `config` belongs to, HTTPS or not.

        Pages may talk to their own origin and to those that `config` sends them to.

        Raises:
            BadConfig: `config` names no API.
        """
        if not isinstance(config.get("apiUrl"), str) or not config["apiUrl"]:
            raise BadConfig("apiUrl: must be the base of the order API, like /api/v1")
        urls = [config["apiUrl"], config.get("demoWallet", {}).get("rpcUrl", "")]
        origins = dict.fromkeys(_origin(url) for url in urls if urlsplit(url).netloc)
        connect = "".join(f" {origin}" for origin in origins)
        return {name: value.replace(CONNECT, connect) for name, value in self.headers.items()}


def read_api() -> dict[str, Any]:
    """The committed OpenAPI document."""
    document: dict[str, Any] = json.loads(API_FILE.read_text("utf-8"))
    return document


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# ---------------------------------------------------------------- nginx


def nginx_http(rules: Rules, api: Mapping[str, Any]) -> str:
    """What nginx includes once, in `http`: maps from an answer to its headers and its log path.

    `$site_cache_control` follows status and path. `$site_<header>` of each header for HTTPS only is
    empty, and so not sent, over plain HTTP. `$logged_path` is a route's template as the OpenAPI
    document `api` has it, or the name of a file with a known suffix, and nothing else: order ids
    stay out of logs (spec: On the wire).
    """
    cache = rules.cache
    lines = ["map $status:$uri $site_cache_control {", f"    default {_quoted(cache.default)};"]
    lines += [f"    ~^404: {_quoted(cache.not_found)};"]
    for name, value in cache.files.items():
        lines.append(f'    "~:/{re.escape(name)}$" {_quoted(value)};')
    lines += [f'    "~{cache.hashed_pattern}" {_quoted(cache.hashed)};', "}"]
    for name, value in rules.https_only.items():
        lines += [f"map $scheme {_variable(name)} {{", f"    https {_quoted(value)};", "}"]
    lines += ["map $uri $logged_path {", '    default "(unmatched)";', "    / /;"]
    base = api["servers"][0]["url"]
    for path in api["paths"]:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(base + path))
        lines.append(f'    "~^{pattern}$" {_quoted(base + path)};')
    suffixes = "|".join(suffix.removeprefix(".") for suffix in rules.content_types)
    lines += [rf'    "~^/[\w-]+\.({suffixes})$" $uri;', "}"]
    return "\n".join(lines) + "\n"


def nginx_server(rules: Rules, config: Mapping[str, Any]) -> str:
    """What nginx includes in a site's `server`: content types and headers of every answer.

    A `location` with an `add_header` of its own inherits none of them: nginx's rule.

    Raises:
        BadConfig: `config` names no API, or leads to a header that nginx cannot be told.
    """
    lines = ["types {"]
    for suffix, content_type in rules.content_types.items():
        lines.append(f"    {_quoted(content_type)} {suffix.removeprefix('.')};")
    lines += ["}", "default_type application/octet-stream;"]
    for name, value in rules.for_site(config).items():
        lines.append(f"add_header {name} {_quoted(value)} always;")
    lines += [f"add_header {name} {_variable(name)} always;" for name in rules.https_only]
    lines += ["add_header Cache-Control $site_cache_control always;"]
    return "\n".join(lines) + "\n"


def _variable(header: str) -> str:
    return f"$site_{header.lower().replace('-', '_')}"


def _quoted(value: str) -> str:
    if UNQUOTABLE.search(value):
        raise BadConfig(f'{value!r}: nginx cannot be told a value with ", $, \\ or a line break')
    return f'"{value}"'


# ---------------------------------------------------------------- CloudFront and S3


def cloudfront_policy(rules: Rules, config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`ResponseHeadersPolicyConfig` of CloudFront, as CloudFormation and the API take it.

    Headers that CloudFront has fields for go there (it refuses them as custom ones). HSTS is in it,
    since CloudFront sends it over HTTPS only.

    Raises:
        BadConfig: `config` names no API.
    """
    headers = {**rules.for_site(config), **rules.https_only}
    age = headers.pop("Strict-Transport-Security")
    found = MAX_AGE.search(age)
    if found is None:
        raise BadConfig(f"Strict-Transport-Security: must have a max-age, not {age!r}")
    if headers.pop("X-Content-Type-Options") != "nosniff":
        raise BadConfig("X-Content-Type-Options: must be nosniff, CloudFront sends no other")
    return {
        "Name": name,
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {
                "ContentSecurityPolicy": headers.pop("Content-Security-Policy"),
                "Override": True,
            },
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"FrameOption": headers.pop("X-Frame-Options"), "Override": True},
            "ReferrerPolicy": {"ReferrerPolicy": headers.pop("Referrer-Policy"), "Override": True},
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": int(found[1]),
                "IncludeSubdomains": "includeSubDomains" in age,
                "Preload": "preload" in age,
                "Override": True,
            },
        },
        "CustomHeadersConfig": {
            "Items": [
                {"Header": header, "Value": value, "Override": True}
                for header, value in headers.items()
            ]
        },
    }


def s3_objects(rules: Rules, site: Path) -> list[dict[str, str]]:
    """What to upload of the built site in `site`, with `PutObject`'s `CacheControl` and
    `ContentType` of each; `config.json` among them, which whoever deploys writes.

    CloudFront compresses by itself, so what the build compressed stays behind.

    Raises:
        BadConfig: a file has a suffix that the rules know no content type for.
    """
    names = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    return [
        {
            "Key": name,
            "CacheControl": rules.cache.of(name),
            "ContentType": _content_type(rules, name),
        }
        for name in sorted({*names, "config.json"})
        if not name.endswith(COMPRESSED)
    ]


def _content_type(rules: Rules, name: str) -> str:
    suffix = PurePosixPath(name).suffix
    try:
        return rules.content_types[suffix]
    except KeyError:
        raise BadConfig(f"{name}: contentTypes has no entry for {suffix!r}") from None


# ---------------------------------------------------------------- command line


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Print the static sites' response headers as servers want to be told."""


_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The site's config.json: what its pages may talk to.",
)


@cli.command("nginx-http")
def nginx_http_command() -> None:
    """For nginx's http block, once."""
    click.echo(nginx_http(Rules.read(), read_api()), nl=False)


@cli.command("nginx-server")
@_config_option
def nginx_server_command(config_file: Path) -> None:
    """For the server block of the site with that config.json."""
    click.echo(nginx_server(Rules.read(), _read_config(config_file)), nl=False)


@cli.command("cloudfront")
@_config_option
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The built site, like frontends/dist/portal.",
)
@click.option("--name", default="vouchers-site", show_default=True, help="The policy's name.")
def cloudfront_command(config_file: Path, site: Path, name: str) -> None:
    """The response headers policy for CloudFront, and the headers of each object in S3."""
    rules = Rules.read()
    rendered = {
        "ResponseHeadersPolicyConfig": cloudfront_policy(rules, _read_config(config_file), name),
        "Objects": s3_objects(rules, site),
    }
    click.echo(json.dumps(rendered, indent=2))


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadConfig(f"{path}: is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise BadConfig(f"{path}: must be a JSON object")
    return config


def main() -> None:
    """Run the command; what is wrong with its input is told in a sentence."""
    try:
        cli(prog_name="python -m ops.headers", standalone_mode=True)
    except BadConfig as error:
        raise SystemExit(f"Error: {error}") from error


if __name__ == "__main__":
    main()
