"""What goes over the wire, in and out: the one source of `docs/openapi.json`.

camelCase. Input refuses unknown fields and wrong types and is bounded; `tokenId` and `amount` are
JSON integers, other large numbers decimal strings. Times are unix seconds unless typed `date-time`
(RFC 3339, UTC). A field that may be missing has a default here; one that may be `null` says so.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from chalicelib.domain.catalogue import LARGEST_AMOUNT, LARGEST_TOKEN_ID, MAX_META_LENGTH, SITE_ID
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.exceptions import ExceptionKind
from chalicelib.domain.order_filter import LATEST_TIME
from chalicelib.domain.order_hash import checksum_address, hash32
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.redemptions import Outcome
from chalicelib.domain.staff import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, Role
from chalicelib.usecases.reception import NotDeliverable
from chalicelib.usecases.view_order import NotRedeemable

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DIGITS = re.compile(r"[0-9]{1,11}")
_SPACED_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _by_domain(rule: Any) -> AfterValidator:
    """A rule of the domain as a validator: its rule name and sentence, this schema's field."""

    def check(value: str) -> str:
        try:
            checked: str = rule(value)
        except InvalidInput as error:
            broken = error.fields[0]
            raise PydanticCustomError(broken.rule, broken.message) from None
        return checked

    return AfterValidator(check)


def _one_line(value: str) -> str:
    if _SPACED_CONTROL.search(value):
        raise PydanticCustomError("characters", "must not hold control characters")
    return value


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("characters", "must not hold control characters")
    return value


def _from_digits(value: object) -> object:
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise PydanticCustomError("integer", "takes unix seconds")
        return int(value)
    return value


Address = Annotated[
    str,
    _by_domain(checksum_address),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
]
Hash32 = Annotated[
    str,
    _by_domain(lambda value: hash32(value, field="")),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
]
Signature = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
SiteId = Annotated[str, Field(pattern=f"^{SITE_ID.pattern}$")]
SiteIdOrNone = Annotated[str, Field(pattern=f"^({SITE_ID.pattern})?$")]
Line = Annotated[str, AfterValidator(_one_line)]
Cursor = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_one_line)]
RefreshToken = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD_LENGTH)]
UnixSeconds = Annotated[
    int,
    BeforeValidator(_from_digits),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LATEST_TIME}),
]
"""A time in a query, where all that is given is text."""
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Input(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


class Output(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


def rfc3339(at: int) -> str:
    """Unix seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ------------------------------------------------------------------------------------------ shared


class Bilingual(Output):
    """A text in Vietnamese and English."""

    vi: str
    en: str


class Health(Output):
    """The process answers."""

    status: Literal["ok"]


class DependencyHealth(Output):
    """One dependency; `detail` says what is wrong."""

    ok: bool
    detail: str


class Readiness(Output):
    """Whether the system is fit to serve, and what is wrong if not.

    `lagSeconds` is the age of the listener's last good pass, `lagBlocks` how far the proven height
    trails the head.
    """

    ready: bool
    checks: dict[str, DependencyHealth]
    lag_seconds: int | None
    lag_blocks: int | None
    head: int | None
    proven: int | None


class NativeCurrency(Output):
    """What gas is paid in (EIP-3085)."""

    name: str
    symbol: str
    decimals: int


class Brand(Output):
    """Whose vouchers these are."""

    name: str


class Eip712Domain(Output):
    """Name and version of the contract's EIP-712 domain."""

    name: str
    version: str


class Config(Output):
    """What the frontends need to know of this system.

    `gasHelpUrl` is where to get what gas is paid with: the faucet on a test network.
    """

    chain_id: int
    chain_name: str
    contract_address: str
    confirmations: int
    finality_fallback_blocks: int
    explorer_url: str | None
    rpc_urls: list[str]
    native_currency: NativeCurrency
    gas_help_url: str | None
    order_ttl_seconds: int
    brand: Brand
    eip712: Eip712Domain


class CatalogType(Output):
    """A voucher type. `sites` is `null` where every site serves it."""

    token_id: int
    name: Bilingual
    unit: Bilingual
    group: Literal["A", "B", "C"]
    sites: list[str] | None
    requires: list[str]
    min_amount: int
    max_amount: int


class CatalogSite(Output):
    """A site that takes orders."""

    site_id: str
    name: Bilingual


class Catalog(Output):
    """All voucher types and sites."""

    version: int
    types: list[CatalogType]
    sites: list[CatalogSite]


class MetadataProperties(Output):
    """What a voucher stands for."""

    token_id: int
    unit: Bilingual
    group: Literal["A", "B", "C"]
    name: Bilingual


class Metadata(Output):
    """ERC-1155 metadata of one token type."""

    name: str
    description: str
    decimals: int
    properties: MetadataProperties


# ------------------------------------------------------------------------------------------ orders


class CustomerMeta(Input):
    """What some services need to know of the customer; kept encrypted."""

    ai_account: Line = Field(default="", min_length=1, max_length=MAX_META_LENGTH)
    job_provider: Line = Field(default="", min_length=1, max_length=MAX_META_LENGTH)


class NewOrder(Input):
    """An order to be made. `siteId` is needed where sites are enforced."""

    customer_address: Address
    token_id: int = Field(ge=1, le=LARGEST_TOKEN_ID)
    amount: int = Field(ge=1, le=LARGEST_AMOUNT)
    site_id: SiteIdOrNone = ""
    customer_meta: CustomerMeta = CustomerMeta()


class TransactionHint(Input):
    """The transaction that burns for the order."""

    tx_hash: Hash32


class Cancellation(Input):
    """EIP-712 `Cancel(bytes32 orderHash,uint64 deadline)`, signed; good until `deadline`."""

    deadline: int = Field(ge=0, lt=2**53)
    signature: Signature


class CallOrder(Output):
    """Exactly what `redeemOrder` takes."""

    order_ref: str
    customer: str
    token_id: int
    amount: int
    site_ref: str
    expires_at: int


class PlacedOrder(Output):
    """An order that was accepted, and what to call the contract with."""

    order_id: str
    status: OrderStatus
    order_hash: str
    expires_at: int
    qr_payload: str
    order: CallOrder


class ServiceView(Output):
    """The service an order is for."""

    name: Bilingual
    unit: Bilingual
    group: Literal["A", "B", "C"]


class ChainProgress(Output):
    """Where the burn stands, and what proves it; `confirmations` counts its own block.

    `serial` is the contract's gap-free count of the redemption, in decimal; `logIndex` its log's
    place in the block; `blockTime` is in unix seconds.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    block_time: int
    log_index: int
    serial: str
    confirmations: int
    required: int
    final: bool
    explorer_url: str | None


class OrderSummary(Output):
    """An order as the holder of its id, or of its wallet, sees it in a list."""

    order_id: str
    status: OrderStatus
    order_hash: str
    site_id: str
    token_id: int
    amount: int
    customer_address_masked: str
    service: ServiceView | None
    created_at: Instant
    expires_at: int
    redeemable: bool
    reason: NotRedeemable | None = None
    delivered_at: Instant | None = None
    delivered_site: str | None = None
    exception: Outcome | None = None
    transaction_hints: list[str]
    order: CallOrder


class OrderDetails(OrderSummary):
    """An order as the holder of its id sees it; `chain` appears once a burn is seen."""

    chain: ChainProgress | None = None


class HintAccepted(Output):
    """The hints the listener will look at, oldest first."""

    order_id: str
    transaction_hints: list[str]


# ----------------------------------------------------------------------------------------- wallets


class NonceRequest(Input):
    """The wallet that wants to sign in."""

    address: Address


class Nonce(Output):
    """The exact EIP-4361 text for `personal_sign`, good until `expiresAt`."""

    nonce: str
    message: str
    expires_at: int


class SignedMessage(Input):
    """That text, signed."""

    message: str = Field(min_length=1, max_length=2000)
    signature: Signature


class WalletSession(Output):
    """A wallet's session. `expiresIn` in seconds."""

    access_token: str
    expires_in: int
    address: str


class WalletOrdersQuery(Input):
    """Where to go on in the list."""

    cursor: Cursor = ""


class WalletOrders(Output):
    """A wallet's orders, newest first."""

    items: list[OrderSummary]
    next_cursor: str | None


# ------------------------------------------------------------------------------------------- staff


class Login(Input):
    """Who signs in."""

    username: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_line)]
    password: Password


class RefreshRequest(Input):
    """The latest refresh token that the client has got."""

    refresh_token: RefreshToken


class PasswordChange(Input):
    """From the current password to a new one."""

    current_password: Password
    new_password: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description=f"{MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
    )


class StaffView(Output):
    """A member of staff."""

    username: str
    display_name: str
    role: Role
    sites: list[str]
    must_change_password: bool


class StaffSession(Output):
    """A session's tokens. `expiresIn` is that of the access token, `sessionEndsIn` that of the
    session however often it is refreshed, both in seconds."""

    access_token: str
    expires_in: int
    session_ends_in: int
    refresh_token: str
    staff: StaffView


# --------------------------------------------------------------------------------------- reception


class NotDeliverableReason(Output):
    """Why an order must not be delivered now, in one sentence."""

    code: NotDeliverable
    message: Bilingual


class DeliveryView(Output):
    """The one delivery of an order: by whom (`by` is the username), when and at which site."""

    at: Instant
    by: str
    by_name: str
    site: str
    note: str


class MetaView(Output):
    """What the service needs to know of the customer."""

    ai_account: str = ""
    job_provider: str = ""


class ReceptionOrder(Output):
    """All that is needed to deliver, and if the order is not deliverable, why.

    `exception` is why an administrator has to look at it. `DELIVERED_REORGED`: after the service
    was handed over, the chain took the burn back; `chain` is missing then.
    """

    order_id: str
    status: OrderStatus
    order_hash: str
    site_id: str
    token_id: int
    amount: int
    customer_address: str
    customer_address_masked: str
    customer_meta: MetaView | None
    service: ServiceView | None
    created_at: Instant
    expires_at: int
    redeemable: bool
    deliverable: bool
    reason: NotDeliverableReason | None
    delivered: DeliveryView | None
    exception: ExceptionKind | None = None
    chain: ChainProgress | None = None


class QueueQuery(Input):
    """Which orders to list: `status` takes one or several, separated by commas.

    `from` and `to` bound the order's creation, in unix seconds, both included.
    """

    site: SiteId = ""
    status: str = Field(default="", min_length=1, max_length=80)
    created_from: UnixSeconds = Field(default=0, alias="from")
    created_to: UnixSeconds = Field(default=LATEST_TIME, alias="to")
    search: Line = Field(
        default="",
        min_length=1,
        max_length=80,
        description="an order hash or its first 8 or more hexadecimal digits, or a wallet address"
        " or its last 4 or more; never an order's id or its 16-character code",
    )
    cursor: Cursor = ""


class QueueItem(Output):
    """An order in a list: by its hash, never by its id. `exception` is as in `ReceptionOrder`."""

    order_hash: str
    token_id: int
    amount: int
    service: ServiceView | None
    site_id: str
    status: OrderStatus
    created_at: Instant
    expires_at: int
    delivered_at: Instant | None = None
    delivered_by: str | None = None
    delivered_by_name: str | None = None
    exception: ExceptionKind | None = None
    customer_address_masked: str


class Queue(Output):
    """A site's orders, latest expiry first. A page may be short, even empty, and still have a next
    one."""

    items: list[QueueItem]
    next_cursor: str | None


class DeliverRequest(Input):
    """`siteId` is where the desk stands; needed where the order has no site and the member of
    staff has several."""

    note: Annotated[str, Field(max_length=500), AfterValidator(_text)] = ""
    site_id: SiteIdOrNone = ""


class DeliveryDone(Output):
    """The one delivery, and whether another request than this one made it.

    A repeat with the same `Idempotency-Key` by the same member of staff is the same request.
    `entitledUntil` (unix seconds) is what delivery grants for services of group C.
    """

    order_id: str
    status: OrderStatus
    delivered_at: Instant
    delivered_by: str
    delivered_by_name: str
    delivered_site: str
    already_delivered: bool
    entitled_until: int | None = None
