"""The listener's composition root: the only module of it that chooses adapters."""

import os
import random
import socket
import time
from collections.abc import Mapping

from chalicelib.adapters.security import SystemClock, SystemEntropy
from chalicelib.adapters.store import open_store
from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.ports import Telemetry
from chalicelib.settings import ListenerSettings, SettingsError, load
from chalicelib.usecases.scan import ScanSettings
from listener_fn.chain import RpcChain
from listener_fn.listener import Listener
from listener_fn.providers import Providers
from listener_fn.supervisor import Health, Supervisor, Watchdog
from listener_fn.systemd import notifier

OWNER_BYTES = 4


def make_listener(environ: Mapping[str, str]) -> Listener:
    """A listener as `environ` describes it, metrics in its log. Nothing is contacted yet.

    Raises:
        SettingsError: naming every problem at once.
        StoreUnavailable: the store has not the schema this version needs, or does not answer.
    """
    settings = load(ListenerSettings, environ)
    return _listener(settings, _log(settings))


def make_supervisor(environ: Mapping[str, str]) -> Supervisor:
    """The worker's listener under supervision; with METRICS_PORT, metrics are served at once.

    Raises:
        SettingsError, StoreUnavailable: see `make_listener`; METRICS_PORT may be taken, too.
    """
    settings = load(ListenerSettings, environ)
    health = Health(max_age=settings.READY_MAX_LAG_SECONDS, succeeded_at=time.monotonic())
    telemetry = _log(settings)
    if settings.METRICS_PORT is not None:
        telemetry = _served(settings, telemetry, health, settings.METRICS_PORT)
    return Supervisor(
        listener=_listener(settings, telemetry),
        watchdog=Watchdog(settings.WATCHDOG_SECONDS),
        health=health,
        notify=notifier(environ),
    )


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


def _listener(settings: ListenerSettings, telemetry: Telemetry) -> Listener:
    clock, entropy = SystemClock(), SystemEntropy()
    return Listener(
        store=open_store(settings),
        providers=Providers(
            [
                RpcChain(
                    url,
                    chain_id=settings.CHAIN_ID,
                    contract=settings.CONTRACT_ADDRESS,
                    timeout=settings.RPC_TIMEOUT_SECONDS,
                    max_range=settings.MAX_BLOCK_RANGE,
                )
                for url in settings.RPC_URLS
            ],
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
