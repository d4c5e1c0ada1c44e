"""What the core needs from the world, as protocols. Adapters implement them; nothing else does.

The store knows records, not tables. Every record carries a `version`: 1 when inserted, one more
with each update. A use case loads, decides, and calls `commit` once.
"""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from chalicelib.domain.audit import AuditItem
from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.exceptions import ExceptionRecord
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import ANY_ORDER, OrderFilter
from chalicelib.domain.orders import HistoryRecord, Order, OrderStatus
from chalicelib.domain.progress import Cursor
from chalicelib.domain.reconciliation import ContractTotals
from chalicelib.domain.redemptions import BlockRef, Burn, Header, Redemption
from chalicelib.domain.staff import Session, Staff, WalletNonce

MAX_CHANGES = 100
"""Changes that a commit takes on every store; `Store.max_changes` may be more."""

LOOKS_PER_ITEM = 40
"""Orders that a filtered list looks at for each that it may give out: what bounds a page's cost."""

Record = (
    AuditItem
    | Catalogue
    | Cursor
    | ExceptionRecord
    | HistoryRecord
    | Order
    | Redemption
    | Reservation
    | Session
    | Site
    | Staff
    | WalletNonce
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Insert:
    """Store a record that must not exist yet. An order also takes its order hash."""

    record: Record


@dataclass(frozen=True, slots=True)
class Update:
    """Replace a record whose stored version must be one below `record.version`.

    An order keeps its hash, customer, site and times; whoever changes them is mistaken.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a record whose stored version must be `record.version`."""

    record: Record


@dataclass(frozen=True, slots=True)
class Check:
    """Change nothing, yet fail the commit unless the stored version is `record.version`."""

    record: Record


Change = Insert | Update | Delete | Check


class Conflict(Exception):
    """A change met another state than it expected; nothing of the commit was stored."""

    def __init__(self, change: Change) -> None:
        super().__init__(f"stale {type(change).__name__} of {type(change.record).__name__}")
        self.change = change


class StoreUnavailable(Exception):
    """The store cannot answer now. Whether a commit went through is unknown to the caller."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records, and where to go on (`None` at the end)."""

    items: tuple[T, ...]
    next_cursor: str | None


class Store(Protocol):
    """All that is stored. Reads by key are strongly consistent; lists may lag by a second."""

    @property
    def max_changes(self) -> int:
        """Most changes in a commit, and most records in a bulk read; at least `MAX_CHANGES`."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Store all `changes` or none.

        At most `max_changes`, no record twice. An order that is inserted or deleted counts two:
        its hash is taken or given back with it. So does an exception record that is inserted,
        updated or deleted: whether it is open is kept apart.

        Raises:
            Conflict: a record was not in the expected version.
            ValueError: too many changes, none, or one record twice.
            StoreUnavailable: the engine failed.
        """

    def order(self, order_id: str) -> Order | None:
        """The order with that id."""

    def order_by_hash(self, order_hash: str) -> Order | None:
        """The order made with that hash."""

    def orders_with_hashes(self, hashes: Collection[str]) -> dict[str, Order]:
        """The orders made with those hashes, by hash; a hash that no order has is left out.

        Raises:
            ValueError: more than `max_changes` hashes.
        """

    def history(self, order_hash: str) -> tuple[HistoryRecord, ...]:
        """The moves that no longer fit into the order, oldest first."""

    def orders_of_customer(
        self, customer: str, *, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """A wallet's orders, newest first."""

    def orders_of_site(
        self,
        site_id: str,
        *,
        statuses: frozenset[OrderStatus],
        among: OrderFilter = ANY_ORDER,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Order]:
        """A site's orders in the given statuses and fitting the filter, latest `expires_at` first.

        A page may be shorter than `limit`, even empty, and still have a next one: of a filtered
        list it looks at no more than about `LOOKS_PER_ITEM` orders for each it may give out.
        """

    def orders_expiring(
        self, *, after: int, through: int, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """Orders with `after < expires_at <= through`, whatever their status, in any order."""

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        """Ledger entries with serials from `first` to `last`, both included, ascending.

        Raises:
            ValueError: more than `max_changes` serials.
        """

    def exception(self, exception_id: str) -> ExceptionRecord | None:
        """The exception with that id."""

    def exceptions(
        self, *, open_only: bool, limit: int, cursor: str | None = None
    ) -> Page[ExceptionRecord]:
        """All exceptions, or those that nobody has resolved, lowest serial first.

        A page may be shorter than `limit`, even empty, and still have a next one. The cost of a
        list of open ones does not grow with how many were ever resolved.
        """

    def cursor(self) -> Cursor | None:
        """The listener's place on the chain."""

    def reservation(self, key_hash: str) -> Reservation | None:
        """What an idempotency key stands for; may have run out."""

    def catalogue(self) -> Catalogue | None:
        """The voucher types."""

    def sites(self) -> tuple[Site, ...]:
        """All sites, by id."""

    def staff(self, username: str) -> Staff | None:
        """A member of staff."""

    def all_staff(self) -> tuple[Staff, ...]:
        """Everybody, by username."""

    def session(self, session_id: str) -> Session | None:
        """A session; may have expired."""

    def wallet_nonce(self, nonce: str) -> WalletNonce | None:
        """A sign-in that was begun; may have expired."""

    def audit(self, *, day: str, limit: int, cursor: str | None = None) -> Page[AuditItem]:
        """What was tried on a day (`YYYY-MM-DD`, UTC), oldest first."""

    def count(self, bucket: str, members: Sequence[str], *, expires_at: int) -> tuple[int, ...]:
        """Add one to each member's counter in `bucket`; the new values, in order.

        Counters are for limits, not for books: they vanish after `expires_at`.
        """

    def purge(self, now: int) -> int:
        """Remove what ran out by `now` (unix seconds) and so is of no use: reservations, sessions,
        sign-ins, counters. How many went; 0 where the engine does so by itself."""

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store answers."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Burns in serial order, of all blocks up to `through`, itself included."""

    burns: tuple[Burn, ...]
    through: int


@dataclass(frozen=True, slots=True)
class Tips:
    """Where a chain has got to: its newest block, the height of its `finalized` one (`None` where
    there is no such tag), the block it has at the height asked for (`None` where the head is
    older), and the height others have got to as well (`None`: none was asked)."""

    head: BlockRef
    finalized: int | None
    proven: BlockRef | None
    agreed_head: int | None = None


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest part of a chain: burns in serial order up to the head, `redemptionCount()` as of
    the head, and the headers from some final block to the head."""

    burns: tuple[Burn, ...]
    count: int
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What one provider told, for others to confirm.

    `burns` are all of the blocks from `first` to `through` whose serials come after `after`.
    `counted` tells of recent blocks, from `through` to the head, how many redemptions the contract
    had counted by each; it is empty where nothing was read of them.
    """

    first: int
    through: int
    after: int
    burns: tuple[Burn, ...]
    counted: tuple[tuple[BlockRef, int], ...] = ()


class Provider(Protocol):
    """The chain as one endpoint tells it. Every method may raise `ChainUnavailable`."""

    @property
    def name(self) -> str:
        """What it is called in logs and metrics; never its URL, which may hold a key."""

    @property
    def calls(self) -> Counter[str]:
        """What was sent to it, by method; whoever measures it clears it."""

    @property
    def errors(self) -> Counter[str]:
        """What failed, by reason; likewise."""

    @property
    def splits(self) -> Counter[str]:
        """Ranges of blocks that it found too wide; likewise."""

    @property
    def reach(self) -> int:
        """How many blocks `burns` can be asked for at once, as far as is known."""

    def tips(self, height: int) -> Tips:
        """Head, finality and the block at `height`, in one request."""

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        """Burns from block `first` on, the count, and headers from `final` on, all up to `head`; in
        one request where the provider takes so wide a range."""

    def burns(self, first: int, last: int) -> Stretch:
        """The contract's burns from block `first` on, to `last` or as far as the provider tells at
        once: at least of one block."""

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """The blocks at those heights, in the same order."""

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        """The burns of those transactions that are on the chain, in serial order."""


class Chain(Protocol):
    """The chain as several providers tell it, one of them read and the others asked to confirm.

    Every method may raise `ChainUnavailable`.
    """

    def tips(self, proven: BlockRef) -> Tips:
        """Choose the provider to read in this pass, and tell where it has got to.

        `agreed_head` is as high as a quorum has got, `finalized` the lowest over the providers, and
        `None` where fewer than a quorum tell one.

        Raises:
            Forked: a quorum has another block at that height.
        """

    def burns(self, first: int, last: int) -> Generator[Stretch, None, None]:
        """The burns of those blocks, range by range, each following the one before."""

    def tail(self, first: int, final: int, head: BlockRef) -> Tail:
        """See `Provider`."""

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Provider`."""

    def burns_of(self, tx_hashes: Sequence[str]) -> tuple[Burn, ...]:
        """See `Provider`."""

    def confirm(self, claim: Claim, keep: Callable[[], None]) -> str:
        """Empty where a quorum tells the same, the provider in use included; else why not.

        `keep` is called from time to time while that takes long.
        """

    def agreed(self, numbers: Sequence[int]) -> tuple[BlockRef | None, ...]:
        """The blocks at those heights as a quorum tells them; `None` where there is no quorum, so
        that nothing is known of the block."""

    def distrust(self, reason: str) -> None:
        """What was read does not add up: let another provider be read from now on."""


class ContractBooks(Protocol):
    """The contract's own totals, as one provider tells them. Every method may raise
    `ChainUnavailable`.
    """

    def blocks(self, numbers: Sequence[int]) -> tuple[BlockRef, ...]:
        """See `Chain`."""

    def totals(self, block: BlockRef, token_ids: Collection[int]) -> ContractTotals:
        """Redemption count, and vouchers redeemed of those token ids, as of that block.

        Providers forget the state of old blocks: that, too, is `ChainUnavailable`.
        """


class ChainUnavailable(Exception):
    """The provider cannot answer, or what it answers cannot be true."""


class WrongChain(ChainUnavailable):
    """The provider serves another chain, or the contract is not there."""


class Forked(Exception):
    """The chain has another block at a height that was proven final."""


class Clock(Protocol):
    """Time as the servers see it."""

    def now(self) -> int:
        """Unix seconds."""


class Entropy(Protocol):
    """Unpredictable bytes."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes fit for secrets."""


class Sealer(Protocol):
    """Encrypts personal data at rest, bound to the order it belongs to."""

    def seal(self, order_id: str, meta: Mapping[str, str]) -> bytes:
        """Ciphertext that only opens under the same order id."""

    def open(self, order_id: str, sealed: bytes) -> dict[str, str]:
        """The plain fields. Raises `ValueError` where key, order or bytes do not fit."""


class Passwords(Protocol):
    """Slow password hashing."""

    def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether they fit. Takes as long for an empty hash as for a real one."""


class Signatures(Protocol):
    """Recovers who signed."""

    def signer(self, digest: bytes, signature: str) -> str | None:
        """Checksummed address of a plain key's 65-byte signature; `None` where it is none."""


class Telemetry(Protocol):
    """Metrics and structured events. Never given an order id or anything secret."""

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Something worth a log line; `level` is `INFO` unless given as `WARNING` or `ERROR`."""

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """A number to watch, as `chalicelib.metrics.METRICS` declares it; it raises `ValueError`
        for a name, unit or label that is not there."""
