"""One static site as a WSGI application, with the headers a web server has to send.

Headers, cache rules and content types come from `frontends/headers.json`, the one source for every
server: this one, nginx and CloudFront. For instance
`gunicorn "ops.static_site:static_site('frontends/dist/portal', '.local/demo/portal')"`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers
from wsgiref.types import StartResponse, WSGIEnvironment

from whitenoise import WhiteNoise

from ops.headers import Rules

CONFIG = "config.json"

Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def write_config(directory: Path, config: Mapping[str, Any]) -> None:
    """Write a site's runtime settings where `static_site` will look for them."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CONFIG).write_text(json.dumps(dict(config), indent=2) + "\n", "utf-8")


def static_site(site: str, settings: str) -> Application:
    """The built site in directory `site`, with `config.json` from directory `settings`.

    Files are sent as the build compressed them to whoever accepts that. Served over plain HTTP on
    this machine, so headers for HTTPS only are left out.

    Raises:
        FileNotFoundError: the site is not built, or has no settings.
        BadConfig: the settings name no API.
    """
    rules = Rules.read()
    config = json.loads((Path(settings) / CONFIG).read_text("utf-8"))
    if not (Path(site) / "index.html").is_file():
        raise FileNotFoundError(f"{site} is not built: node frontends/build.mjs")
    headers = rules.for_site(config)

    def add_headers(response: Headers, path: str, url: str) -> None:
        for name, value in headers.items():
            response[name] = value
        if content_type := rules.content_types.get(Path(path).suffix):
            response["Content-Type"] = content_type
        response["Cache-Control"] = rules.cache.of(url.lstrip("/"))

    def not_found(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        plain = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", rules.cache.not_found),
        ]
        start_response("404 Not Found", [*headers.items(), *plain])
        return [b"Not found.\n"]

    application = WhiteNoise(
        not_found,
        root=site,
        index_file=True,
        max_age=None,
        allow_all_origins=False,
        add_headers_function=add_headers,
    )
    application.add_files(settings)
    served: Application = application
    return served
