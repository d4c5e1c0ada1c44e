"""The command line's composition root: the only module of it that chooses adapters.

Each command loads only the settings it uses, and imports only the engine it talks to: web3 and
SQLAlchemy take longer to import than most commands to run.
"""

import getpass
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from click import UsageError
from dotenv import dotenv_values

from chalicelib.adapters.security import Argon2Passwords, SystemClock, SystemEntropy
from chalicelib.adapters.store import open_store
from chalicelib.domain.orders import Actor, ActorKind, OrderStatus
from chalicelib.ports import Clock, Entropy, Passwords, Store
from chalicelib.settings import StoreSettings, load
from ops.cli.probe import ChainProbe

if TYPE_CHECKING:
    from ops.onchain.node import Node

DEFAULT_ENV_FILE = Path(".env")


@dataclass
class Tools:
    """What commands work with. `store` and `passwords` are opened when a command first needs them.

    `open_store` and `migrate` raise `StoreUnavailable` where the engine fails.
    """

    environ: Mapping[str, str]
    clock: Clock
    entropy: Entropy
    open_store: Callable[[StoreSettings], Store]
    check_schema: Callable[[StoreSettings], None]
    migrate: Callable[[StoreSettings], str]
    open_passwords: Callable[[], Passwords]
    open_probe: Callable[[str, str, float], ChainProbe]
    open_node: "Callable[[str, float], Node]"
    request_id: str = field(default_factory=lambda: f"cli-{secrets.token_hex(8)}")

    @cached_property
    def store_settings(self) -> StoreSettings:
        """The store's settings. Raises `SettingsError`."""
        return load(StoreSettings, self.environ)

    @cached_property
    def store(self) -> Store:
        """The store of the settings."""
        return self.open_store(self.store_settings)

    @cached_property
    def passwords(self) -> Passwords:
        """Slow hashing of passwords."""
        return self.open_passwords()

    @cached_property
    def actor(self) -> Actor:
        """Who the audit names: the operating system's user."""
        return Actor(ActorKind.ADMIN, f"cli:{getpass.getuser()}")

    def check_store(self) -> None:
        """Raise `StoreUnavailable` unless the store answers and its schema is this version's."""
        self.check_schema(self.store_settings)
        self.store.ping()

    def migrate_store(self) -> str:
        """Bring the store to this version's schema; what was done, in a sentence."""
        return self.migrate(self.store_settings)


def environment(env_file: Path | None) -> dict[str, str]:
    """The process's environment over what `env_file` (or .env, where there is one) says.

    Raises:
        UsageError: the file cannot be read, or is not UTF-8 text.
    """
    path = env_file or DEFAULT_ENV_FILE
    text = _env_text(path) if env_file or path.is_file() else ""
    from_file = dotenv_values(stream=StringIO(text))
    given = {name: value for name, value in from_file.items() if value is not None}
    return given | dict(os.environ)


def _env_text(path: Path) -> str:
    """What an env file says; a byte order mark, as some editors write, does not count."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    if "\0" in text:  # UTF-16 without its mark
        raise UsageError(f"{path} is not UTF-8 text; save it in that encoding")
    return text


def system_tools(environ: Mapping[str, str]) -> Tools:
    """The tools of a real command: this machine's clock and randomness, the settings' engines."""
    return Tools(
        environ=environ,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        open_store=open_store,
        check_schema=_check_schema,
        migrate=_migrate,
        open_passwords=Argon2Passwords,
        open_probe=_open_probe,
        open_node=_open_node,
    )


def _check_schema(settings: StoreSettings) -> None:
    if settings.STORE == "sql":
        from chalicelib.adapters.sql import check_schema  # noqa: PLC0415 - see above

        check_schema(settings.DATABASE_URL)
        return
    # A table without its indexes answers reads by key: ask each index for anything.
    store = open_store(settings)
    store.orders_of_customer("0x" + "00" * 20, limit=1)
    store.orders_of_site("", statuses=frozenset(OrderStatus), limit=1)


def _migrate(settings: StoreSettings) -> str:
    if settings.STORE == "sql":
        from chalicelib.adapters.sql import migrate  # noqa: PLC0415 - see above

        ran = ", ".join(map(str, migrate(settings.DATABASE_URL)))
        return f"Ran migration {ran}." if ran else "Nothing to do: the schema is up to date."
    if settings.DYNAMODB_ENDPOINT:
        from chalicelib.adapters.dynamo import create_table  # noqa: PLC0415 - see above

        create_table(
            table=settings.DYNAMODB_TABLE,
            region=settings.AWS_REGION,
            endpoint=settings.DYNAMODB_ENDPOINT,
        )
    _check_schema(settings)
    return f"The table {settings.DYNAMODB_TABLE} is there, with its indexes."


def _open_probe(url: str, contract: str, timeout: float) -> ChainProbe:
    from ops.cli.web3_probe import Web3Probe  # noqa: PLC0415 - see above

    return Web3Probe(url, contract=contract, timeout=timeout)


def _open_node(url: str, timeout: float) -> "Node":
    from ops.onchain.node import Node  # noqa: PLC0415 - see above

    return Node(url, timeout=timeout)
