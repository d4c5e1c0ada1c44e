"""Metrics: one table, both homes; and what the worker's own server answers."""

import io
import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.metrics import METRICS, Kind, metric_of
from chalicelib.ports import Telemetry
from listener_fn.metrics import PrometheusTelemetry, serve
from tests.fakes import RecordingTelemetry

ROOT = Path(__file__).parents[2]


def snake(name: str) -> str:
    return "vouchers_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def as_row(name: str) -> str:
    metric = METRICS[name]
    suffix = "_total" if metric.kind is Kind.COUNTER else ""
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return (
        f"| `{name}` | `{snake(name)}{suffix}` | {metric.kind} | {metric.unit} | {labels} |"
        f" {metric.help} |"
    )


@pytest.fixture
def log() -> RecordingTelemetry:
    return RecordingTelemetry()


@pytest.fixture
def prometheus(log: RecordingTelemetry) -> PrometheusTelemetry:
    return PrometheusTelemetry(log)


# -------------------------------------------------------------------------------------- table


def test_the_documented_metrics_are_those_of_the_table() -> None:
    documented = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [line for line in documented.splitlines() if line.startswith("| `")]
    assert rows == [as_row(name) for name in METRICS]


@pytest.mark.parametrize(
    ("name", "unit", "labels", "message"),
    [
        ("HeadBlocks", "Count", {}, "not in chalicelib.metrics"),
        ("HeadBlock", "Seconds", {}, "unit is Count"),
        ("HeadBlock", "Count", {"provider": "a"}, "labels are"),
        ("RpcErrors", "Count", {"provider": "a", "method": "eth_call"}, "labels are"),
    ],
)
@pytest.mark.parametrize("kind", ["log", "prometheus", "fake"])
def test_what_the_table_does_not_know_is_refused_at_once(
    kind: str,
    prometheus: PrometheusTelemetry,
    log: RecordingTelemetry,
    name: str,
    unit: str,
    labels: dict[str, str],
    message: str,
) -> None:
    kinds: dict[str, Telemetry] = {
        "log": PowertoolsTelemetry("metrics-test"),
        "prometheus": prometheus,
        "fake": log,
    }
    with pytest.raises(ValueError, match=message):
        kinds[kind].metric(name, 1, unit, **labels)


def test_a_counter_never_goes_down() -> None:
    with pytest.raises(ValueError, match="cannot change by -1"):
        metric_of("Reorgs", -1, "Count", {})
    metric_of("ReorgDepth", -1, "Count", {})


# ------------------------------------------------------------------------------- in the log


def test_on_lambda_labels_are_dimensions_beside_the_service() -> None:
    printed = io.StringIO()
    telemetry = PowertoolsTelemetry("listener")
    with redirect_stdout(printed):
        telemetry.metric("RpcErrors", 2, provider="rpc.example", reason="rate_limited")
    (line,) = printed.getvalue().splitlines()
    told: dict[str, Any] = json.loads(line)
    assert told["RpcErrors"] == [2.0]
    dimensions = {name: told[name] for name in ("service", "provider", "reason")}
    assert dimensions == {
        "service": "listener",
        "provider": "rpc.example",
        "reason": "rate_limited",
    }
    (declared,) = told["_aws"]["CloudWatchMetrics"]
    assert sorted(*declared["Dimensions"]) == sorted(dimensions)
    assert declared["Metrics"] == [{"Name": "RpcErrors", "Unit": "Count"}]


# ----------------------------------------------------------------------------- for Prometheus


class Served:
    """A server whose health is what `told` says."""

    def __init__(self, telemetry: PrometheusTelemetry, told: dict[str, str | float]) -> None:
        self.server = serve("127.0.0.1", 0, registry=telemetry.registry, health=lambda: told)

    def get(self, path: str) -> httpx.Response:
        port = self.server.server_port
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10, verify=False)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def told() -> dict[str, str | float]:
    return {"status": "ok", "secondsSinceSuccess": 1.5}


@pytest.fixture
def served(prometheus: PrometheusTelemetry, told: dict[str, str | float]) -> Iterator[Served]:
    with closing(Served(prometheus, told)) as made:
        yield made


def scraped(served: Served) -> dict[tuple[str, ...], float]:
    """Every sample, by name and label values."""
    answer = served.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_prometheus_fetches_each_kind_as_it_is_meant(
    served: Served, prometheus: PrometheusTelemetry
) -> None:
    for _ in range(2):
        prometheus.metric("BurnExceptions", 2, kind="LATE")
        prometheus.metric("LagBlocks", 7)
        prometheus.metric("ScanSeconds", 0.2, "Seconds")
    samples = scraped(served)
    assert samples["vouchers_burn_exceptions_total", "LATE"] == 4
    assert samples["vouchers_lag_blocks",] == 7
    assert samples["vouchers_scan_seconds_count",] == 2
    assert samples["vouchers_scan_seconds_bucket", "0.1"] == 0
    assert samples["vouchers_scan_seconds_bucket", "0.25"] == 2
    assert samples["process_start_time_seconds",] > 0


def test_prometheus_knows_every_metric_of_the_table(
    served: Served, prometheus: PrometheusTelemetry
) -> None:
    for name, metric in METRICS.items():
        prometheus.metric(name, 1, metric.unit, **dict.fromkeys(metric.labels, "x"))
    families = {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(served.get("/metrics").text)
    }
    for name, metric in METRICS.items():
        assert families[snake(name)] == (metric.kind, metric.help)


def test_every_telemetry_has_numbers_of_its_own(prometheus: PrometheusTelemetry) -> None:
    other = PrometheusTelemetry(RecordingTelemetry())
    prometheus.metric("Reorgs", 1)
    assert prometheus.registry.get_sample_value("vouchers_reorgs_total") == 1
    assert other.registry.get_sample_value("vouchers_reorgs_total") == 0


def test_with_prometheus_events_go_to_the_log_and_metrics_do_not(
    prometheus: PrometheusTelemetry, log: RecordingTelemetry
) -> None:
    prometheus.event("caught_up", blocks=3)
    prometheus.metric("Reorgs", 1)
    assert log.events == [{"name": "caught_up", "blocks": 3}]
    assert log.metrics == []


def test_health_is_200_or_503_and_says_why(served: Served, told: dict[str, str | float]) -> None:
    well = served.get("/healthz")
    assert (well.status_code, well.json()) == (200, told)
    told.update(status="failing", reason="no pass has succeeded for 190 s")
    ill = served.get("/healthz")
    assert (ill.status_code, ill.json()["reason"]) == (503, "no pass has succeeded for 190 s")


def test_nothing_else_is_served(served: Served) -> None:
    assert served.get("/").status_code == 404
    assert served.get("/metrics/../etc").status_code == 404


def test_a_client_that_says_nothing_keeps_nobody_waiting(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.server.server_port)):
        assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("fault", "told"), [(BrokenPipeError(), False), (KeyError("a fault of ours"), True)]
)
def test_a_client_that_hangs_up_is_not_worth_a_stack(
    served: Served, capsys: pytest.CaptureFixture[str], fault: Exception, *, told: bool
) -> None:
    try:
        raise fault
    except type(fault):
        served.server.handle_error(None, ("127.0.0.1", 1))
    assert ("Traceback" in capsys.readouterr().err) is told
