"""nginx before both sites and the order API: its configuration, and one that runs on this machine.

`sites.conf.template` and `shared.conf` are what a VPS includes. `running` starts the nginx of this
machine with them on free ports, with a certificate of its own, for tests and measurements.
"""

import os
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

from ops.headers import Rules, nginx_http, nginx_server, read_api
from ops.static_site import write_config

HERE = Path(__file__).parent
HOST = "127.0.0.1"
START_SECONDS = 10.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
MAIN = """\
daemon off;
master_process off;
pid ${DIRECTORY}/nginx.pid;
error_log ${LOGS}/error.log;
events { }
http {
    client_body_temp_path ${DIRECTORY}/temp;
    proxy_temp_path ${DIRECTORY}/temp;
    fastcgi_temp_path ${DIRECTORY}/temp;
    uwsgi_temp_path ${DIRECTORY}/temp;
    scgi_temp_path ${DIRECTORY}/temp;
    include ${DIRECTORY}/sites.conf;
}
"""


class NginxMissing(Exception):
    """nginx is not installed, or does not come up with this configuration."""


@dataclass(frozen=True, slots=True)
class Site:
    """A built site in `root`, its settings, and the name it is served under."""

    host: str
    root: Path
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where nginx listens (`http`, `https`), where the API does, and where files are."""

    http: str
    https: str
    api: str
    tls_certificate: Path
    tls_key: Path
    logs: Path


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx.

    `spki` is the hash of its certificate's key, by which Chromium can be told to trust it.
    """

    http_port: int
    https_port: int
    directory: Path
    logs: Path
    spki: str

    def url(self, site: Site) -> str:
        """Where `site` is."""
        return f"https://{site.host}:{self.https_port}"


def write(directory: Path, portal: Site, reception: Site, places: Places) -> Path:
    """Write the whole configuration for nginx's http block; answers the file to include.

    Raises:
        BadConfig: a site's settings name no API.
    """
    rules = Rules.read()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "http.conf").write_text(nginx_http(rules, read_api()), "utf-8")
    for name, site in (("portal", portal), ("reception", reception)):
        write_config(directory / name, site.config)
        (directory / name / "headers.conf").write_text(nginx_server(rules, site.config), "utf-8")
    shutil.copy(HERE / "shared.conf", directory)
    template = (HERE / "sites.conf.template").read_text("utf-8")
    values = {
        "DIRECTORY": directory,
        "HTTP": places.http,
        "HTTPS": places.https,
        "API": places.api,
        "LOGS": places.logs,
        "TLS_CERTIFICATE": places.tls_certificate,
        "TLS_KEY": places.tls_key,
        "PORTAL_HOST": portal.host,
        "PORTAL_ROOT": portal.root,
        "RECEPTION_HOST": reception.host,
        "RECEPTION_ROOT": reception.root,
    }
    # As Docker's image does it: names of ours alone, nginx's own variables are left in place.
    (directory / "sites.conf").write_text(Template(template).safe_substitute(values), "utf-8")
    return directory / "sites.conf"


@contextmanager
def running(directory: Path, portal: Site, reception: Site, api: str) -> Iterator[Nginx]:
    """Run nginx on free ports of 127.0.0.1 before the API at `api` (host:port).

    It runs from when it answers until the context is left; all it writes is in `directory`.

    Raises:
        NginxMissing: nginx is not installed, or says that the configuration is wrong.
    """
    program = _program()
    directory = directory.resolve()
    logs = directory / "logs"
    logs.mkdir(parents=True)
    (directory / "temp").mkdir()
    http_port, https_port = _free_ports()
    spki = _certificate(directory, (portal.host, reception.host))
    places = Places(
        f"{HOST}:{http_port}",
        f"{HOST}:{https_port}",
        api,
        directory / "tls.crt",
        directory / "tls.key",
        logs,
    )
    write(directory, portal, reception, places)
    main = Template(MAIN).substitute(DIRECTORY=directory, LOGS=logs)
    (directory / "nginx.conf").write_text(main, "utf-8")
    command = [program, "-e", "stderr", "-p", str(directory), "-c", str(directory / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if checked.returncode != 0:
        raise NginxMissing(f"nginx -t: {checked.stderr.strip()}")
    with (logs / "stderr.log").open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory
        )
    try:
        _wait(server, https_port, logs)
        yield Nginx(http_port, https_port, directory, logs, spki)
    finally:
        server.terminate()
        server.wait(STOP_SECONDS)


def _program() -> str:
    # Debian keeps it where only root's PATH leads.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    program = shutil.which("nginx", path=path)
    if program is None:
        raise NginxMissing("nginx is not installed (Debian: apt-get install nginx-light)")
    return program


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind((HOST, 0))
        two.bind((HOST, 0))
        return one.getsockname()[1], two.getsockname()[1]


def _certificate(directory: Path, hosts: tuple[str, ...]) -> str:
    """Write `tls.crt` and `tls.key` for `hosts`; the hash of the key, base64."""
    names = ",".join(f"DNS:{host}" for host in hosts)
    key, certificate = directory / "tls.key", directory / "tls.crt"
    _openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(key))
    _openssl(
        *("req", "-x509", "-key", str(key), "-out", str(certificate), "-days", "2"),
        *("-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}"),
    )
    public = _openssl("pkey", "-in", str(key), "-pubout", "-outform", "DER")
    return b64encode(sha256(public).digest()).decode()


def _openssl(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise NginxMissing("openssl is not installed (Debian: apt-get install openssl)") from error
    return done.stdout


def _wait(server: "subprocess.Popen[bytes]", port: int, logs: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1.0).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    told = (logs / "stderr.log").read_text("utf-8")
    raise NginxMissing(f"nginx does not come up: {told.strip()}")
