"""Hand-written stand-ins for the ports, and builders of ordinary records.

Each fake keeps the promise of its port as far as a test can tell, deterministic and without I/O.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.catalogue import Catalogue, Group, Site, VoucherType
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Delivery,
    Order,
    OrderStatus,
    confirm_burn,
    make_order_id,
    move,
    new_order,
    see_burn,
)
from chalicelib.domain.progress import Cursor, Heartbeat
from chalicelib.domain.redemptions import BlockRef, Burn
from chalicelib.domain.staff import Role, Staff
from chalicelib.metrics import metric_of
from chalicelib.ports import Change, Conflict, Insert, Record, Store

NOW = 1_795_255_200
TTL = 1800
CHAIN_ID = 31337
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"

# Keys that every local development chain publishes; they guard nothing.
CUSTOMER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
CUSTOMER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
STRANGER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
STRANGER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"

SITE = "HCM_ROX_T09"
OTHER_SITE = "HCM_IMC_T04"
ROOM = 1001
AI_SUITE = 6001

LISTENER = Actor(ActorKind.LISTENER, "listener")
OPERATOR = Actor(ActorKind.ADMIN, "operator")


class FixedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now

    def now(self) -> int:
        """Unix seconds."""
        return self.time

    def advance(self, seconds: int) -> int:
        """Let `seconds` pass; the new time."""
        self.time += seconds
        return self.time


class CountingEntropy:
    """Bytes that never repeat, whatever thread draws them, and are the same in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        # Incrementing a number takes two steps, between which another thread may run.
        self._draws = itertools.count(1)

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes."""
        drawn = next(self._draws)
        return b"".join(
            sha256(f"{self._seed}/{drawn}/{part}".encode()).digest()
            for part in range(count // 32 + 1)
        )[:count]


class RecordingTelemetry:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.metrics: list[tuple[str, float, str]] = []
        self.labels: list[dict[str, str]] = []

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Keep an event."""
        self.events.append({"name": name, **fields})

    def metric(self, name: str, value: float, unit: str = "Count", **labels: str) -> None:
        """Keep a number; its labels are in the same place of `labels`."""
        metric_of(name, value, unit, labels)
        self.metrics.append((name, value, unit))
        self.labels.append(labels)


class PlainSealer:
    """Binds the fields to their order without hiding them."""

    def seal(self, order_id: str, meta: Mapping[str, str]) -> bytes:
        """The order id and the fields, legible."""
        return json.dumps([order_id, dict(meta)]).encode()

    def open(self, order_id: str, sealed: bytes) -> dict[str, str]:
        """The fields. Raises `ValueError` under another order id."""
        owner, meta = json.loads(sealed)
        if owner != order_id:
            raise ValueError("sealed for another order")
        fields: dict[str, str] = meta
        return fields


class QuickPasswords:
    """Hashing without the work; counts how often it was asked to verify."""

    def __init__(self) -> None:
        self.verified = 0

    def hash(self, password: str) -> str:
        """Recognisable, and not the password itself."""
        return "quick:" + sha256(password.encode()).hexdigest()

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether they fit."""
        self.verified += 1
        return password_hash == self.hash(password)


class EthAccountSignatures:
    """Recovers signers by eth_keys, the reference implementation."""

    def signer(self, digest: bytes, signature: str) -> str | None:
        """The signer of a 65-byte signature with v of 27 or 28; `None` where it is none."""
        try:
            raw = bytes.fromhex(signature.removeprefix("0x"))
            parts = Signature(raw[:64] + bytes([raw[64] - 27]))
            return parts.recover_public_key_from_msg_hash(digest).to_checksum_address()
        except (BadSignature, ValidationError, ValueError, IndexError):
            return None


def sign_cancel(
    key: str,
    *,
    order_hash: str,
    deadline: int,
    chain_id: int = CHAIN_ID,
    contract: str = CONTRACT,
) -> str:
    """What a wallet answers to `eth_signTypedData_v4` of `Cancel`."""
    signable = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Cancel": [
                    {"name": "orderHash", "type": "bytes32"},
                    {"name": "deadline", "type": "uint64"},
                ],
            },
            "primaryType": "Cancel",
            "domain": {
                "name": "5SOffice Vouchers",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": contract,
            },
            "message": {"orderHash": order_hash, "deadline": deadline},
        }
    )
    signature: bytes = Account.sign_message(signable, key).signature
    return "0x" + signature.hex()


def sign_text(key: str, text: str) -> str:
    """What a wallet answers to `personal_sign`."""
    signature: bytes = Account.sign_message(encode_defunct(text=text), key).signature
    return "0x" + signature.hex()


class InterruptedStore:
    """A store that lets something happen at chosen commits; all else passes through.

    `before[n]` runs before the n-th commit (from 1), which then goes on unless it raises;
    `after[n]` runs once the n-th commit is stored, so raising there is a lost answer.
    """

    def __init__(
        self,
        store: Store,
        *,
        before: Mapping[int, Callable[[], None]] | None = None,
        after: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        self._store = store
        self._before = dict(before or {})
        self._after = dict(after or {})
        self.commits: list[tuple[Change, ...]] = []

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit, with what was planned around it."""
        self.commits.append(tuple(changes))
        number = len(self.commits)
        self._before.get(number, _nothing)()
        self._store.commit(changes)
        self._after.get(number, _nothing)()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class EverConflictingStore(InterruptedStore):
    """A store in which somebody else always changes the same record first."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Never succeeds."""
        self.commits.append(tuple(changes))
        raise Conflict(changes[0])


def _nothing() -> None:
    """Nothing happens."""


def a_voucher_type(token_id: int = ROOM, **changes: Any) -> VoucherType:
    """An ordinary voucher of group A for every site."""
    plain = VoucherType(
        token_id=token_id,
        name={"vi": "Phòng họp", "en": "Meeting Room"},
        unit={"vi": "1 giờ", "en": "1 hour"},
        group=Group.A,
        description={"vi": "", "en": ""},
    )
    return replace(plain, **changes)


def a_site(site_id: str = SITE, *, enabled: bool = True) -> Site:
    """A site with both names."""
    return Site(site_id, {"vi": f"Cơ sở {site_id}", "en": f"Site {site_id}"}, enabled=enabled)


def a_catalogue() -> Catalogue:
    """A meeting room, and an AI suite that grants 30 days and needs an account."""
    suite = a_voucher_type(AI_SUITE, group=Group.C, requires=("aiAccount",), entitlement_days=30)
    return Catalogue((a_voucher_type(), suite))


def a_staff(username: str = "reception1", **changes: Any) -> Staff:
    """A receptionist of `SITE` whose password is `correct horse battery`."""
    plain = Staff(
        username=username,
        display_name=username.title(),
        role=Role.RECEPTION,
        sites=(SITE,),
        password_hash=QuickPasswords().hash("correct horse battery"),
        must_change_password=False,
    )
    return replace(plain, **changes)


def an_admin(username: str = "boss1", sites: tuple[str, ...] = (), **changes: Any) -> Staff:
    """An administrator, without sites unless told."""
    return a_staff(username, role=Role.ADMIN, sites=sites, **changes)


def an_order(number: int = 1, **changes: Any) -> Order:
    """A fresh order of `CUSTOMER` for one hour of a meeting room at `SITE`."""
    facts: dict[str, Any] = {
        "order_id": make_order_id(created_at=NOW, entropy=number.to_bytes(10, "big")),
        "customer": CUSTOMER,
        "token_id": ROOM,
        "amount": 1,
        "site_id": SITE,
        "created_at": NOW,
        "expires_at": NOW + TTL,
        "request_id": "req-place",
    }
    return new_order(**(facts | changes))


def a_block(number: int = 100, *, time: int = NOW + 60, branch: str = "a") -> BlockRef:
    """A block; `branch` tells blocks of one height apart."""
    digest = sha256(f"{branch}/{number}".encode()).hexdigest()
    return BlockRef(number, "0x" + digest, time)


def a_followed_chain(head: int) -> Cursor:
    """Where a listener is that is well, has proven block 90 and sees the chain up to `head`."""
    return Cursor(
        proven=a_block(90),
        last_serial=0,
        expired_through=0,
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        heartbeat=Heartbeat(at=NOW, succeeded_at=NOW, head=a_block(head)),
    )


def a_burn(order: Order, *, serial: int = 1, block: BlockRef | None = None, **changes: Any) -> Burn:
    """The burn that `order` waits for."""
    matching = Burn(
        serial=serial,
        user=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        order_hash=order.order_hash,
        tx_hash="0x" + sha256(f"tx {order.order_hash}".encode()).hexdigest(),
        log_index=0,
        block=block or a_block(),
    )
    return replace(matching, **changes)


def in_status(status: OrderStatus, order: Order | None = None) -> Order:
    """An order that got to `status` by a lawful way, its burn attached where it has one."""
    order = order or an_order()
    burn = a_burn(order)
    facts: dict[str, Any] = {"at": NOW + 90, "request_id": "req-scan"}
    match status:
        case OrderStatus.CREATED:
            return order
        case OrderStatus.PENDING_CHAIN:
            return see_burn(order, burn, actor=LISTENER, **facts)
        case OrderStatus.VALID:
            return confirm_burn(order, burn, actor=LISTENER, **facts)
        case OrderStatus.DELIVERED:
            desk = Actor(ActorKind.RECEPTION, "reception1")
            valid = in_status(OrderStatus.VALID, order)
            done = move(valid, status, actor=desk, reason="service handed over", **facts)
            return replace(done, delivery=Delivery(at=NOW + 90, by="reception1", site_id=SITE))
        case OrderStatus.EXPIRED:
            return move(order, status, actor=LISTENER, reason="no burn made in time", **facts)
        case OrderStatus.CANCELLED:
            return move(order, status, actor=OPERATOR, reason="cancelled", **facts)


def stored(store: MemoryStore, *records: Record) -> MemoryStore:
    """`store` with the records in it, whatever their versions."""
    store.commit([Insert(record) for record in records])
    return store


def a_shop() -> MemoryStore:
    """A store with catalogue, two sites, a receptionist and an administrator."""
    return stored(MemoryStore(), a_catalogue(), a_site(), a_site(OTHER_SITE), a_staff(), an_admin())


def raising(error: Exception) -> Callable[[], None]:
    """Something that happens, and fails."""

    def happen() -> None:
        raise error

    return happen
