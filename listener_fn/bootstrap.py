"""The listener's composition root: the only module of it that chooses adapters."""

import os
import random
import socket
from collections.abc import Mapping

from chalicelib.adapters.security import SystemClock, SystemEntropy
from chalicelib.adapters.store import open_store
from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.settings import ListenerSettings, load
from chalicelib.usecases.scan import ScanSettings
from listener_fn.chain import RpcChain, RpcProviders
from listener_fn.listener import Listener

OWNER_BYTES = 4


def make_listener(environ: Mapping[str, str]) -> Listener:
    """A listener as `environ` describes it. Nothing is contacted yet.

    Raises:
        SettingsError: naming every problem at once.
        StoreUnavailable: the store has not the schema this version needs, or does not answer.
    """
    settings = load(ListenerSettings, environ)
    entropy = SystemEntropy()
    return Listener(
        store=open_store(settings),
        providers=RpcProviders(
            [
                RpcChain(
                    url,
                    chain_id=settings.CHAIN_ID,
                    contract=settings.CONTRACT_ADDRESS,
                    timeout=settings.RPC_TIMEOUT_SECONDS,
                )
                for url in settings.RPC_URLS
            ]
        ),
        clock=SystemClock(),
        entropy=entropy,
        telemetry=PowertoolsTelemetry("listener", level=settings.LOG_LEVEL),
        settings=ScanSettings(
            chain_id=settings.CHAIN_ID,
            contract=settings.CONTRACT_ADDRESS,
            deploy_block=settings.DEPLOY_BLOCK,
            finality=settings.finality,
            block_range=settings.MAX_BLOCK_RANGE,
        ),
        # Two processes must never share a name, on one host or on several.
        owner=f"{socket.gethostname()}-{os.getpid()}-{entropy.random_bytes(OWNER_BYTES).hex()}",
        poll_seconds=settings.POLL_SECONDS,
        jitter=random.random,
    )
