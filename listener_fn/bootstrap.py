"""The listener's composition root: the only module of it that chooses adapters."""

import os
import random
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.adapters.security import SystemClock, SystemEntropy
from chalicelib.adapters.store import open_store
from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.ports import Telemetry
from chalicelib.settings import ListenerSettings, SettingsError, load
from chalicelib.usecases.reconcile import Deployed
from chalicelib.usecases.scan import ScanSettings
from listener_fn import preflight
from listener_fn.chain import RpcChain, host_of
from listener_fn.listener import Listener
from listener_fn.providers import Providers
from listener_fn.reconciler import Reconciler
from listener_fn.supervisor import Health, Supervisor, Watchdog
from listener_fn.systemd import notifier

OWNER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the scheduled Lambda works with."""

    listener: Listener
    reconciler: Reconciler


def make_scheduled(environ: Mapping[str, str]) -> Scheduled:
    """Listener and reconciler as `environ` describes them, metrics in their log.

    Raises:
        SettingsError: naming every problem at once; or what does not fit the chain.
        StoreUnavailable: the store has not the schema this version needs, or does not answer.
    """
    settings = load(ListenerSettings, environ)
    return _made(settings, _log(settings))


def make_supervisor(environ: Mapping[str, str]) -> Supervisor:
    """The worker's listener under supervision; with METRICS_PORT, metrics are served at once.

    Raises:
        SettingsError, StoreUnavailable: see `make_scheduled`; METRICS_PORT may be taken, too.
    """
    settings = load(ListenerSettings, environ)
    health = Health(max_age=settings.READY_MAX_LAG_SECONDS, succeeded_at=time.monotonic())
    telemetry = _log(settings)
    if settings.METRICS_PORT is not None:
        telemetry = _served(settings, telemetry, health, settings.METRICS_PORT)
    made = _made(settings, telemetry)
    return Supervisor(
        listener=made.listener,
        watchdog=Watchdog(settings.WATCHDOG_SECONDS),
        health=health,
        notify=notifier(environ),
        after_pass=made.reconciler.after_pass,
    )


def _made(settings: ListenerSettings, telemetry: Telemetry) -> Scheduled:
    endpoints = [
        RpcChain(
            url,
            chain_id=settings.CHAIN_ID,
            contract=settings.CONTRACT_ADDRESS,
            timeout=settings.RPC_TIMEOUT_SECONDS,
            max_range=settings.MAX_BLOCK_RANGE,
            name=name,
        )
        for url, name in zip(settings.RPC_URLS, _names(settings.RPC_URLS), strict=True)
    ]
    listener = _listener(settings, endpoints, telemetry)
    _check(settings, endpoints, telemetry)
    return Scheduled(
        listener,
        Reconciler(
            store=listener.store,
            endpoints=endpoints,
            deployed=Deployed(settings.CHAIN_ID, settings.CONTRACT_ADDRESS, settings.DEPLOY_BLOCK),
            clock=listener.clock,
            telemetry=telemetry,
            every_seconds=settings.RECONCILE_SECONDS,
        ),
    )


def _names(urls: Sequence[str]) -> list[str]:
    """A name of its own for each endpoint, although some may share a host."""
    hosts = [host_of(url) for url in urls]
    return [
        f"{host}#{hosts[:place].count(host) + 1}" if hosts.count(host) > 1 else host
        for place, host in enumerate(hosts)
    ]


def _check(settings: ListenerSettings, endpoints: Sequence[RpcChain], telemetry: Telemetry) -> None:
    expected = preflight.Expected(
        settings.CHAIN_ID, settings.CONTRACT_ADDRESS, settings.DEPLOY_BLOCK
    )
    try:
        warnings = preflight.check(endpoints, expected)
    except preflight.Misconfigured as error:
        raise SettingsError([str(error)]) from None
    for problem in warnings:
        telemetry.event("preflight_warning", level="WARNING", problem=problem)


def _log(settings: ListenerSettings) -> Telemetry:
    return PowertoolsTelemetry("listener", level=settings.LOG_LEVEL)


def _served(settings: ListenerSettings, log: Telemetry, health: Health, port: int) -> Telemetry:
    from listener_fn.metrics import PrometheusTelemetry, serve  # noqa: PLC0415 - not on Lambda

    telemetry = PrometheusTelemetry(log)
    try:
        server = serve(
            settings.METRICS_HOST,
            port,
            registry=telemetry.registry,
            health=lambda: health.told(time.monotonic()),
        )
    except OSError as error:
        problem = f"METRICS_PORT: cannot listen on {settings.METRICS_HOST}:{port}: {error.strerror}"
        raise SettingsError([problem]) from None
    telemetry.event("metrics_served", host=settings.METRICS_HOST, port=server.server_port)
    return telemetry


def _listener(
    settings: ListenerSettings, endpoints: Sequence[RpcChain], telemetry: Telemetry
) -> Listener:
    clock, entropy = SystemClock(), SystemEntropy()
    return Listener(
        store=open_store(settings),
        providers=Providers(
            endpoints,
            quorum=settings.quorum,
            clock=clock,
            telemetry=telemetry,
        ),
        clock=clock,
        entropy=entropy,
        telemetry=telemetry,
        settings=ScanSettings(
            chain_id=settings.CHAIN_ID,
            contract=settings.CONTRACT_ADDRESS,
            deploy_block=settings.DEPLOY_BLOCK,
            finality=settings.finality,
            lease_seconds=settings.LEASE_SECONDS,
        ),
        # Two processes must never share a name, on one host or on several.
        owner=f"{socket.gethostname()}-{os.getpid()}-{entropy.random_bytes(OWNER_BYTES).hex()}",
        poll_seconds=settings.POLL_SECONDS,
        jitter=random.random,
    )
