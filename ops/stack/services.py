"""What demo and run have in common: API, listener, portal and reception console."""

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from ops.stack.ports import HOST, Port, port_of
from ops.stack.progress import Progress
from ops.stack.supervisor import StackFailed, Supervisor
from ops.static_site import write_config

API_BASE = "/api/v1"
ROOT = Path(__file__).parents[2]
DIST = Path(os.environ.get("FRONTENDS_DIST", ROOT / "frontends/dist")).resolve()
API_CONFIG = str(ROOT / "gunicorn.conf.py")
SITE_CONFIG = "python:ops.gunicorn_sites"
START_SECONDS = 60.0
GRACEFUL_SECONDS = 5


API_KEEPS_OUT = ("RPC_URLS",)
SITES_KEEP_OUT = ("DATABASE_URL", "DATA_KEYS", "RPC_URLS")
"""Secrets that a program has no use for are not in its environment."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Listening sockets of the three web programs, opened before anything is started."""

    api: socket.socket
    portal: socket.socket
    reception: socket.socket

    @classmethod
    def open(cls, wanted: Mapping[str, int | None], progress: Progress, stack: ExitStack) -> Self:
        """Open all three; `stack` closes them. Raises `PortTaken`."""
        api, portal, reception = (
            stack.enter_context(Port(name, preferred, wanted.get(name)).listen(progress))
            for name, preferred in (
                ("API_PORT", 8000),
                ("PORTAL_PORT", 8080),
                ("RECEPTION_PORT", 8081),
            )
        )
        return cls(api, portal, reception)

    @property
    def api_url(self) -> str:
        """Base of the API, version included."""
        return _url(self.api) + API_BASE

    @property
    def portal_url(self) -> str:
        """Where customers go."""
        return _url(self.portal)

    @property
    def reception_url(self) -> str:
        """Where reception goes."""
        return _url(self.reception)

    def published(self) -> dict[str, Any]:
        """As the state file has them."""
        return {
            "apiUrl": self.api_url,
            "portalUrl": self.portal_url,
            "receptionUrl": self.reception_url,
        }


def check_built(*files: str) -> None:
    """See that the static sites, and these files of theirs, are built.

    Raises:
        StackFailed: naming what is missing and the command that builds it.
    """
    needed = ("portal/index.html", "reception/index.html", *files)
    missing = [name for name in needed if not (DIST / name).is_file()]
    if missing:
        option = " --demo" if files else ""
        raise StackFailed(f"{', '.join(missing)} not built: run node frontends/build.mjs{option}")


def _without(env: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in names}


def start_services(
    supervisor: Supervisor,
    progress: Progress,
    sockets: Sockets,
    *,
    env: Mapping[str, str],
    state_dir: Path,
    portal_config: Mapping[str, Any],
) -> None:
    """Start everything that does not depend on whose chain it is, and wait until it answers."""
    web = {
        "api": (sockets.api, "ops.wsgi:application", f"{API_BASE}/health"),
        "portal": (sockets.portal, _site("portal", portal_config, state_dir), "/"),
        "reception": (
            sockets.reception,
            _site("reception", {"apiUrl": sockets.api_url}, state_dir),
            "/",
        ),
    }
    supervisor.start(
        "listener", [sys.executable, "-m", "listener_fn.worker"], env=_without(env, "DATA_KEYS")
    )
    for name, (listening, application, _) in web.items():
        config = API_CONFIG if name == "api" else SITE_CONFIG
        command = _gunicorn(application, listening, config)
        own = _without(env, *(API_KEEPS_OUT if name == "api" else SITES_KEEP_OUT))
        supervisor.start(name, command, env=own, sockets=[listening])
    for name, (listening, _, probe) in web.items():
        with progress.step(f"{name} at {_url(listening)}"):
            supervisor.wait_until(
                partial(_answers, listening, probe),
                what=f"an answer of {name}",
                seconds=START_SECONDS,
            )


def wait_ready(supervisor: Supervisor, progress: Progress, sockets: Sockets) -> None:
    """Wait until the API calls itself ready: the store answers and the listener keeps up."""
    with progress.step("listener in step with the chain"):
        supervisor.wait_until(
            partial(_answers, sockets.api, f"{API_BASE}/health/ready"),
            what="readiness (see /health/ready)",
            seconds=START_SECONDS,
        )


def _site(site: str, config: Mapping[str, Any], state_dir: Path) -> str:
    """Write the site's settings; the gunicorn name of the application that serves it."""
    settings = state_dir / "sites" / site
    write_config(settings, config)
    return f"ops.static_site:static_site({str(DIST / site)!r}, {str(settings)!r})"


def _gunicorn(application: str, listening: socket.socket, config: str) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", application),
        *("--bind", f"fd://{listening.fileno()}"),
        *("--config", config, "--graceful-timeout", str(GRACEFUL_SECONDS)),
    ]


def _answers(listening: socket.socket, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port_of(listening), timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _url(listening: socket.socket) -> str:
    return f"http://{HOST}:{port_of(listening)}"
