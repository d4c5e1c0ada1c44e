"""Every metric there is, in one table: what both homes of metrics, the runbooks and tests go by.

CloudWatch shows them under their own names, by service and label. Prometheus shows them as
`vouchers_` and the name in snake case, counters with `_total` behind (`RpcCalls` is
`vouchers_rpc_calls_total`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """How a metric's values are to be read."""

    COUNTER = "counter"
    """How many more: values are added up."""

    GAUGE = "gauge"
    """How things stand: the last value counts."""

    HISTOGRAM = "histogram"
    """One measurement of many, told apart by size."""


COUNT = "Count"
SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its kind, its unit as CloudWatch spells it, its labels, and what it says.

    Labels are few-valued: each combination of values is a series of its own, and is paid for.
    """

    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str


def _counter(text: str, *labels: str) -> Metric:
    return Metric(Kind.COUNTER, COUNT, labels, text)


def _gauge(text: str, *labels: str, unit: str = COUNT) -> Metric:
    return Metric(Kind.GAUGE, unit, labels, text)


def _seconds(text: str, *labels: str) -> Metric:
    return Metric(Kind.HISTOGRAM, SECONDS, labels, text)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        # ---- API
        "ApiFaults": _counter("Requests that failed for a reason of our own."),
        "DataKeyMissing": _counter("Personal data that no configured key opens."),
        "OrdersCreated": _counter("Orders accepted."),
        "OrdersDelivered": _counter("Services handed over."),
        "RateLimited": _counter("Requests refused for coming too often."),
        # ---- where the listener stands
        "HeadBlock": _gauge("Newest block of the chain."),
        "ProvenBlock": _gauge("Block up to which everything is final, complete and stored."),
        "LagBlocks": _gauge("Blocks that the proven one trails the newest one."),
        "LagSeconds": _gauge("Age of the proven block.", unit=SECONDS),
        "LastSuccessTime": _gauge("Unix time of the last pass without error.", unit=SECONDS),
        "ScanSeconds": _seconds("Time a pass took: one every five seconds, and every longer one."),
        "ScanFailures": _counter("Passes that ended with an error."),
        "StuckPasses": _counter("Times that a pass outlasted WATCHDOG_SECONDS."),
        "InvocationSeconds": _seconds("Time an invocation took, by why it ended.", "ended"),
        "InvocationPasses": _gauge("Passes of the last invocation."),
        # ---- what it found
        "BurnsFinal": _counter("Burns stored as final."),
        "BurnsPending": _gauge("Burns on the chain that are not final yet."),
        "BurnsLost": _counter("Pending burns that a fork took away."),
        "BurnsMatched": _counter("Final burns that made an order VALID."),
        "BurnExceptions": _counter("Final burns that match no order, by outcome.", "kind"),
        "OrdersExpired": _counter("Orders whose time ran out without a burn."),
        "OrdersReverted": _counter("VALID orders whose burn a fork took away."),
        "ExceptionsOpen": _gauge("Exceptions that nobody has resolved."),
        "IncidentsOpen": _gauge("Incidents that halt the listener until acknowledged."),
        "ReconciliationDifference": _gauge(
            "Vouchers by which contract and ledger differ, summed over the token ids."
        ),
        # ---- forks
        "Reorgs": _counter("Forks above the proven block."),
        "ReorgDepth": _gauge("Blocks replaced by the last such fork."),
        "Rewinds": _counter("Forks below the proven block, followed by a rewind."),
        "RewindDepth": _gauge("Blocks taken back by the last rewind."),
        # ---- providers
        "RpcCalls": _counter("JSON-RPC calls sent.", "provider", "method"),
        "RpcErrors": _counter("JSON-RPC calls that failed.", "provider", "reason"),
        "RpcRangeSplits": _counter("Block ranges a provider found too wide.", "provider"),
        "ProvidersAside": _gauge("1 while a provider is set aside, else 0.", "provider"),
        "ProviderDisagreements": _counter("Times it told other than the quorum.", "provider"),
        "QuorumUnmet": _counter("Passes in which too few providers agreed."),
    }
)


def metric_of(name: str, value: float, unit: str, labels: Mapping[str, str]) -> Metric:
    """The metric of that name, whose unit and labels these are.

    Raises:
        ValueError: the table has no such metric, or not with that unit or those labels, or a
            counter would go down. A mistake in the code: every adapter and every fake asks here.
    """
    known = METRICS.get(name)
    if known is None:
        raise ValueError(f"metric {name}: not in chalicelib.metrics.METRICS")
    if unit != known.unit:
        raise ValueError(f"metric {name}: unit is {known.unit}, not {unit}")
    if set(labels) != set(known.labels):
        raise ValueError(f"metric {name}: labels are {known.labels}, not {tuple(labels)}")
    if known.kind is Kind.COUNTER and value < 0:
        raise ValueError(f"metric {name}: a counter cannot change by {value}")
    return known
