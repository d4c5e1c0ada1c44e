"""The API's composition root: the only module of it that chooses adapters.

`app.py` and the WSGI adapter share one app, whose services are made from the environment once.
"""

import os
import sys
from collections.abc import Callable
from functools import cache

from chalicelib.adapters.security import (
    AesGcmSealer,
    Argon2Passwords,
    Secp256k1Signatures,
    SystemClock,
    SystemEntropy,
)
from chalicelib.adapters.store import check_store, open_store
from chalicelib.adapters.telemetry import PowertoolsTelemetry
from chalicelib.api.contextual import ContextualChalice
from chalicelib.api.routing import install_envelope
from chalicelib.api.services import Services
from chalicelib.api.table import PARTS
from chalicelib.ports import StoreUnavailable
from chalicelib.settings import ApiSettings, SettingsError, load

APP_NAME = "vouchers"
SETTINGS_EXIT_CODE = 2


def create_app(services: Callable[[], Services]) -> ContextualChalice:
    """The API over the services that `services()` gives; it is asked at the first request."""
    app = ContextualChalice(app_name=APP_NAME, configure_logs=False)
    install_envelope(app, services)
    for part in PARTS:
        app.register_blueprint(part.blueprint(services))
    return app


def make_services(settings: ApiSettings) -> Services:
    """One implementation of each port."""
    return Services(
        settings=settings,
        store=open_store(settings),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        sealer=AesGcmSealer(settings.DATA_KEYS),
        passwords=Argon2Passwords(),
        signatures=Secp256k1Signatures(),
        telemetry=PowertoolsTelemetry("api", level=settings.LOG_LEVEL),
    )


def settings_or_exit() -> ApiSettings:
    """The API's settings from the environment.

    Raises:
        SystemExit: with code 2, every problem named on standard error.
    """
    try:
        return load(ApiSettings, os.environ)
    except SettingsError as error:
        for problem in error.problems:
            print(f"setting {problem}", file=sys.stderr)
        raise SystemExit(SETTINGS_EXIT_CODE) from None


def exit_unless_startable() -> None:
    """What a server checks before it starts any worker.

    Raises:
        SystemExit: with code 2, saying what is wrong with the settings or the store.
    """
    settings = settings_or_exit()
    try:
        check_store(settings)
    except StoreUnavailable as error:
        print(f"store: {error}", file=sys.stderr)
        raise SystemExit(SETTINGS_EXIT_CODE) from None


@cache
def services_from_environment() -> Services:
    """The services of this process, made once.

    Raises:
        SystemExit: with code 2, every wrong setting named on standard error.
    """
    return make_services(settings_or_exit())


def application() -> ContextualChalice:
    """The API over the environment's services. On Lambda they are made now: its initialisation is
    the place to fail, not the first customer's request. Packaging imports the app without settings.
    """
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        services_from_environment()
    return create_app(services_from_environment)
