"""Metrics for Prometheus, and the worker's own HTTP server: `/metrics` and `/healthz`.

One home for metrics at a time: a worker with METRICS_PORT keeps them here for Prometheus to fetch,
every other process writes them to its log (`chalicelib.adapters.telemetry`). Events are always
written to the log.
"""

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    MetricsHandler,
    ProcessCollector,
)

from chalicelib.metrics import METRICS, Kind, metric_of
from chalicelib.ports import Telemetry

NAMESPACE = "vouchers"

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bounds in seconds: from a pass that finds nothing new to one that is stuck."""

CLIENT_SECONDS = 5.0
"""How long a client may take to send its request."""

_WORD_BEGINS = re.compile(r"(?<!^)(?=[A-Z])")
_MAKERS: Mapping[Kind, Callable[..., Counter | Gauge | Histogram]] = {
    Kind.COUNTER: Counter,
    Kind.GAUGE: Gauge,
    Kind.HISTOGRAM: partial(Histogram, buckets=BUCKETS),
}

Health = Callable[[], Mapping[str, str | int | float]]
"""Tells how the process is: `status` is `ok` where all is well, else `reason` says why not."""


class PrometheusTelemetry:
    """Metrics in a registry of their own, beside those of the process; events go to `log`."""

    def __init__(self, log: Telemetry) -> None:
        self._log = log
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._metrics = {
            name: _MAKERS[metric.kind](
                _WORD_BEGINS.sub("_", name).lower(),
                metric.help,
                metric.labels,
                namespace=NAMESPACE,
                registry=self.registry,
            )
            for name, metric in METRICS.items()
        }

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """See `Telemetry`."""
        self._log.event(name, **fields)

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """See `Telemetry`. The number is there at the next fetch."""
        metric_of(name, value, unit, labels)
        series = self._metrics[name]
        if labels:
            series = series.labels(**labels)
        match series:
            case Counter():
                series.inc(value)
            case Gauge():
                series.set(value)
            case Histogram():
                series.observe(value)


def serve(host: str, port: int, *, registry: CollectorRegistry, health: Health) -> "MetricsServer":
    """Answer `/metrics` and `/healthz` from a thread of its own, until the process ends.

    Raises:
        OSError: the address cannot be listened on.
    """
    server = MetricsServer(host, port, registry=registry, health=health)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class MetricsServer(ThreadingHTTPServer):
    """Listens from when it is made; port 0 takes a free one, told by `server_port`."""

    def __init__(
        self, host: str, port: int, *, registry: CollectorRegistry, health: Health
    ) -> None:
        self.registry = registry
        self.health = health
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up before it has its answer is no fault to tell of."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(MetricsHandler):
    """`/metrics` as prometheus_client answers it; `/healthz`: 200 while all is well, else 503."""

    server: MetricsServer
    timeout = CLIENT_SECONDS

    def do_GET(self) -> None:  # noqa: N802 - the name http.server looks for
        """Answer one request."""
        match urlsplit(self.path).path:
            case "/metrics":
                self.registry = self.server.registry
                super().do_GET()
            case "/healthz":
                told = self.server.health()
                well = told["status"] == "ok"
                self._answer(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, told)
            case _:
                self._answer(HTTPStatus.NOT_FOUND, {"status": "not found"})

    def _answer(self, status: HTTPStatus, told: Mapping[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
