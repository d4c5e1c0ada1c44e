"""Structured logs and CloudWatch metrics (embedded metric format) on standard output."""

import sys
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.base import SingleMetric
from pydantic_core import to_json

from chalicelib.metrics import metric_of

NAMESPACE = "Vouchers"


class PowertoolsTelemetry:
    """One JSON line per event, one per metric; CloudWatch reads metrics from the same stream."""

    def __init__(self, service: str, *, level: str = "INFO") -> None:
        """`service` names the deployable: a log field and the metrics' dimension."""
        self._service = service
        logger = Logger(
            service=service,
            level=level,
            location=None,
            utc=True,
            use_rfc3339=True,
            json_serializer=_to_json,
        )
        self._writers = {
            "INFO": logger.info,
            "WARNING": logger.warning,
            "ERROR": logger.error,
        }

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """A log line; `level` among the fields is `INFO` (if not given), `WARNING` or `ERROR`."""
        write = self._writers[str(fields.pop("level", "INFO"))]
        write(name, extra=fields)

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """A number under the namespace `Vouchers`, by service and labels."""
        metric_of(name, value, unit, labels)
        metric = SingleMetric(namespace=NAMESPACE)
        metric.add_metric(name=name, unit=MetricUnit(unit), value=value)
        for dimension, given in {"service": self._service, **labels}.items():
            metric.add_dimension(name=dimension, value=given)
        # One write and at once: lines of several threads must not run into each other.
        sys.stdout.write(_to_json(metric.serialize_metric_set()) + "\n")
        sys.stdout.flush()


def _to_json(value: Any) -> str:
    """Faster than the standard library; what is no JSON is told by its text."""
    return to_json(value, fallback=str).decode()
