"""Is the system fit to serve (API `GET /health/ready`)."""

from dataclasses import dataclass

from chalicelib.ports import Store, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Readiness:
    """One answer per dependency: empty where it is well, else what is wrong.

    `lag_seconds` is the age of the listener's last successful pass, `lag_blocks` how far the
    proven height trails the head.
    """

    store: str
    listener: str
    rpc: str
    lag_seconds: int | None = None
    lag_blocks: int | None = None
    head: int | None = None
    proven: int | None = None

    @property
    def ready(self) -> bool:
        """Whether all is well."""
        return not (self.store or self.listener or self.rpc)


def check_ready(*, store: Store, now: int, max_lag_seconds: int) -> Readiness:
    """What the store and the listener's heartbeat tell; the API itself never asks the chain."""
    try:
        store.ping()
        cursor = store.cursor()
    except StoreUnavailable:
        return Readiness(store="does not answer", listener="unknown", rpc="unknown")
    heartbeat = cursor.heartbeat if cursor else None
    if cursor is None or heartbeat is None:
        return Readiness(store="", listener="has not run yet", rpc="unknown")
    lag = max(0, now - heartbeat.succeeded_at)
    return Readiness(
        store="",
        listener=cursor.halt_reason
        or _listener_problem(lag, max(0, now - cursor.proven.time), max_lag_seconds),
        rpc="" if heartbeat.error == cursor.halt_reason else heartbeat.error,
        lag_seconds=lag,
        lag_blocks=max(0, heartbeat.head.number - cursor.proven.number),
        head=heartbeat.head.number,
        proven=cursor.proven.number,
    )


def _listener_problem(lag: int, proven_age: int, most: int) -> str:
    if lag > most:
        return f"last succeeded {lag} seconds ago"
    if proven_age > most:
        return f"the proven height is {proven_age} seconds old"
    return ""
