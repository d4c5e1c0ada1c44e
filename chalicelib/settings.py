"""Settings: read from the environment, validated whole at start-up, frozen.

Each deployable loads its own class, so that the API needs no RPC URL and the listener no data key.
`.env.example` documents every name; a test holds the two together.
"""

import base64
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.finality import FinalityRule
from chalicelib.domain.order_hash import checksum_address

AES_256_KEY_BYTES = 32
BNB_TESTNET = 97
BNB_TESTNET_FAUCET = "https://www.bnbchain.org/en/testnet-faucet"
DEFAULT_QUORUM = 2

_HTTP_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class SettingsError(Exception):
    """One or more settings are missing or wrong; `problems` names each with its rule."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _address(value: str) -> str:
    try:
        return checksum_address(value)
    except InvalidInput as error:
        raise ValueError(error.fields[0].message) from None


def _http_url(value: str) -> str:
    if not _HTTP_URL.fullmatch(value):
        raise ValueError("must be http:// or https:// followed by a host, without blanks")
    try:
        parts = urlsplit(value)
        well_formed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        # urlsplit's own words would hold the value.
        raise ValueError("must name a host, and a port from 1 to 65535 where it names one")
    return value.rstrip("/")


def _https_url(value: str) -> str:
    checked = _http_url(value)
    if not checked.startswith("https://"):
        raise ValueError("must be https://")
    return checked


def _table_name(value: str) -> str:
    """DynamoDB's naming rule."""
    if not _TABLE_NAME.fullmatch(value):
        raise ValueError("must be 3 to 255 of a-z A-Z 0-9 _ . -")
    return value


def _origin(value: str) -> str:
    """RFC 6454: what browsers send in `Origin`, and EIP-4361 calls scheme and domain."""
    value = value.rstrip("/")
    if not _ORIGIN.fullmatch(value):
        raise ValueError("must be http:// or https:// followed by host and port alone, lower case")
    return value


def _data_keys(value: object) -> object:
    """`id:base64,id:base64` → ((id, 32 bytes), …); the first encrypts, all decrypt."""
    if not isinstance(value, str):
        return value
    ring: list[tuple[str, bytes]] = []
    for part in value.split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or len(key) != AES_256_KEY_BYTES:
            raise ValueError(
                "each key is written id:base64 of 32 bytes, for instance from"
                " `openssl rand -base64 32`"
            )
        ring.append((key_id, key))
    if len({key_id for key_id, _ in ring}) != len(ring):
        raise ValueError("key ids must differ")
    return tuple(ring)


HttpUrl = Annotated[str, AfterValidator(_http_url)]
HttpsUrl = Annotated[str, AfterValidator(_https_url)]
HttpUrls = Annotated[tuple[HttpUrl, ...], BeforeValidator(_split)]
Origin = Annotated[str, AfterValidator(_origin)]
Origins = Annotated[tuple[Origin, ...], BeforeValidator(_split)]
Address = Annotated[str, AfterValidator(_address)]
TableName = Annotated[str, AfterValidator(_table_name)]


class Settings(BaseModel):
    """Base of all settings: frozen, and values are never told in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class StoreSettings(Settings):
    """Where everything is stored: all that the commands on staff, sites and catalogue need."""

    STORE: Literal["sql", "dynamodb"]
    DATABASE_URL: str = Field(default="", repr=False)
    DYNAMODB_TABLE: TableName = ""
    DYNAMODB_ENDPOINT: HttpUrl = ""
    AWS_REGION: str = "ap-southeast-1"


class RpcSettings(Settings):
    """How a chain is reached: all that deploying the contract needs."""

    CHAIN_ID: int = Field(gt=0)
    RPC_URLS: HttpUrls = Field(min_length=1, repr=False)
    RPC_TIMEOUT_SECONDS: float = Field(default=10.0, gt=0, le=120)

    @field_validator("RPC_URLS")
    @classmethod
    def _each_once(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        """An endpoint that is named twice would agree with itself."""
        if len(set(urls)) != len(urls):
            raise ValueError("must name each endpoint once")
        return urls


class ContractSettings(RpcSettings):
    """The contract on its chain: all that the commands on it need, which do not touch the store."""

    CONTRACT_ADDRESS: Address
    DEPLOY_BLOCK: int = Field(ge=0)


class FinalitySettings(Settings):
    """When a burn is final."""

    CONFIRMATIONS: int = Field(default=3, ge=1, le=1000)
    FINALITY_FALLBACK_BLOCKS: int = Field(default=240, ge=1, le=100_000)

    @property
    def finality(self) -> FinalityRule:
        """When a burn is final."""
        return FinalityRule(
            confirmations=self.CONFIRMATIONS, fallback_blocks=self.FINALITY_FALLBACK_BLOCKS
        )


class CommonSettings(StoreSettings, FinalitySettings):
    """What API and listener both need: the store and the contract on its chain."""

    CHAIN_ID: int = Field(gt=0)
    CONTRACT_ADDRESS: Address

    READY_MAX_LAG_SECONDS: int = Field(default=180, ge=1)
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class ApiSettings(CommonSettings):
    """What the order API needs beyond that."""

    DATA_KEYS: Annotated[tuple[tuple[str, bytes], ...], BeforeValidator(_data_keys)] = Field(
        repr=False
    )
    PORTAL_ORIGIN: Origin
    CORS_ORIGINS: Origins = ()
    CHAIN_NAME: str = Field(default="BNB Smart Chain", min_length=1)
    EXPLORER_URL: HttpUrl = ""
    PUBLIC_RPC_URLS: HttpUrls = ()
    GAS_HELP_URL: HttpsUrl = ""
    BRAND_NAME: str = Field(default="5SOffice", min_length=1)
    SITES_ENFORCED: bool = True
    ORDER_TTL_SECONDS: int = Field(default=1800, ge=60, le=6 * 86400)
    ORDERS_PER_MINUTE_WALLET: int = Field(default=10, ge=1)
    ORDERS_PER_MINUTE_IP: int = Field(default=60, ge=1)
    LOGINS_PER_MINUTE_IP: int = Field(default=20, ge=1)
    TRUSTED_PROXY_HOPS: int = Field(default=0, ge=0, le=5)

    @property
    def gas_help_url(self) -> str:
        """Where customers get what gas is paid with; empty where nowhere is named."""
        return self.GAS_HELP_URL or (BNB_TESTNET_FAUCET if self.CHAIN_ID == BNB_TESTNET else "")


class ListenerSettings(CommonSettings, ContractSettings):
    """What the chain listener needs beyond that."""

    POLL_SECONDS: float = Field(default=1.0, gt=0, le=3600)
    MAX_BLOCK_RANGE: int = Field(default=2000, ge=1, le=100_000)
    WATCHDOG_SECONDS: float = Field(default=300.0, gt=0, le=86_400)
    METRICS_PORT: int | None = Field(default=None, ge=0, le=65_535)
    METRICS_HOST: str = Field(default="127.0.0.1", min_length=1)
    LEASE_SECONDS: int = Field(default=30, ge=1, le=600, validate_default=True)
    RPC_QUORUM: int | None = Field(default=None, ge=1)
    RECONCILE_SECONDS: int = Field(default=3600, ge=0, le=7 * 86400)

    @field_validator("LEASE_SECONDS")
    @classmethod
    def _outlasts_a_request(cls, seconds: int, info: ValidationInfo) -> int:
        """Or two listeners would take the lease from each other while they wait for an answer."""
        timeout = info.data.get("RPC_TIMEOUT_SECONDS")
        if timeout is not None and seconds <= timeout:
            raise ValueError(f"must be more than RPC_TIMEOUT_SECONDS, which is {timeout:g}")
        return seconds

    @field_validator("RPC_QUORUM")
    @classmethod
    def _can_be_met(cls, quorum: int | None, info: ValidationInfo) -> int | None:
        urls = info.data.get("RPC_URLS")
        if quorum is not None and urls is not None and quorum > len(urls):
            raise ValueError(
                f"must be at most {len(urls)}, the number of RPC_URLS; lower it or name more"
                " endpoints"
            )
        return quorum

    @property
    def quorum(self) -> int:
        """How many endpoints must tell the same before a burn makes an order VALID."""
        if self.RPC_QUORUM is not None:
            return self.RPC_QUORUM
        return min(DEFAULT_QUORUM, len(self.RPC_URLS))


S = TypeVar("S", bound=Settings)


def load(kind: type[S], environ: Mapping[str, str]) -> S:
    """The settings of one deployable from `environ`; an empty value counts as not set.

    Raises:
        SettingsError: naming every problem at once, never a value.
    """
    given: dict[str, Any] = {
        name: environ[name].strip() for name in kind.model_fields if environ.get(name, "").strip()
    }
    problems = _store_problems(given) if issubclass(kind, StoreSettings) else []
    settings: S | None = None
    try:
        settings = kind(**given)
    except ValidationError as error:
        problems = [*_problems(error), *problems]
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def _store_problems(given: Mapping[str, str]) -> list[str]:
    """What the chosen store needs; told together with all the rest."""
    needed = {"sql": "DATABASE_URL", "dynamodb": "DYNAMODB_TABLE"}.get(given.get("STORE", ""))
    if needed is None or needed in given:
        return []
    return [f"{needed}: is required with STORE={given['STORE']}"]


def _problems(error: ValidationError) -> list[str]:
    """One problem for each setting, the first that was found."""
    first: dict[str, str] = {}
    for one in error.errors():
        name = str(one["loc"][0])
        told = "is required" if one["type"] == "missing" else one["msg"]
        first.setdefault(name, told.removeprefix("Value error, "))
    return [f"{name}: {told}" for name, told in first.items()]
