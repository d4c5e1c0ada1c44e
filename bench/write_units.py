"""What one order costs in DynamoDB write units, item by item and index by index.

    python -m bench.write_units

Drives the use cases and domain functions over a local engine that reports consumed capacity as
DynamoDB does (`ReturnConsumedCapacity=INDEXES`). Two paths: the burn final when first seen, and the
burn seen pending first. The items' own shares are computed from their sizes by DynamoDB's rules;
a sum that differs from what the engine reports is an error.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import uuid4

from pynamodb.connection import Connection

from chalicelib.adapters.dynamo import DynamoStore
from chalicelib.adapters.dynamo.table import connect, create_table_over, introduce
from chalicelib.domain.catalogue import Catalogue, Group, Site, VoucherType
from chalicelib.domain.matching import apply_burn
from chalicelib.domain.order_hash import text_ref
from chalicelib.domain.orders import Actor, ActorKind, Order
from chalicelib.domain.progress import Cursor, Heartbeat, advance
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, record
from chalicelib.domain.staff import Role, Staff
from chalicelib.ports import Change, Insert, Update
from chalicelib.usecases.changes import order_changes
from chalicelib.usecases.deliver import deliver
from chalicelib.usecases.place_order import OrderRequest, OrderRules, place_order
from ops.dynoxide import start, use_local_credentials

BUDGET = 14
"""Most write units for reserve + create + valid + deliver at one burn a slice."""

KILOBYTE = 1024
TABLE = "write-units"
REGION = "ap-southeast-1"
START = 1_790_000_000
PLAIN = "plain: "
PENDING = "pending first: "
NEW_SITE = "first order of a site: "
CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"
LISTENER = Actor(ActorKind.LISTENER, "listener-1")


class UnitsDiffer(Exception):
    """The engine charged something else than DynamoDB's rules say."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Write units of one item or index in one step; `size` in bytes, 0 for an index."""

    step: str
    what: str
    units: int
    size: int = 0


@dataclass(slots=True)
class Meter:
    """Reads the consumed capacity off every write of a store."""

    charges: list[Charge] = field(default_factory=list)
    step: str = ""
    _request: dict[str, Any] = field(default_factory=dict)

    def attach(self, connection: Connection) -> None:
        """Watch a connection's botocore client."""
        events: Any = connection.client.meta.events
        events.register("before-parameter-build.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        """Name the step that writes from here on; outside of steps nothing is recorded."""
        self.step = step
        yield
        self.step = ""

    def units(self, path: str) -> int:
        """Write units of all steps of a path."""
        return sum(charge.units for charge in self.charges if charge.step.startswith(path))

    def _before(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"
        self._request = params

    def _after(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if not self.step or model.name not in ("PutItem", "UpdateItem", "TransactWriteItems"):
            return
        reported = parsed["ConsumedCapacity"]
        if isinstance(reported, list):
            (reported,) = reported
        on_table = round(reported["Table"]["CapacityUnits"])
        charges = list(self._item_charges(on_table))
        if sum(charge.units for charge in charges) != on_table:
            raise UnitsDiffer(f"{self.step}: {charges} but the engine charged {on_table}")
        indexes = reported.get("GlobalSecondaryIndexes", {})
        charges += [
            Charge(self.step, f"index {name}", round(used["CapacityUnits"]))
            for name, used in indexes.items()
        ]
        self.charges += charges

    def _item_charges(self, on_table: int) -> Iterator[Charge]:
        if "TransactItems" in self._request:
            for action in self._request["TransactItems"]:
                yield self._charge(action["Put"]["Item"], factor=2)
        elif "Item" in self._request:
            yield self._charge(self._request["Item"], factor=1)
        else:
            yield Charge(self.step, _name(self._request["Key"]), on_table)

    def _charge(self, item: dict[str, Any], *, factor: int) -> Charge:
        size = item_bytes(item)
        return Charge(self.step, _name(item), factor * math.ceil(size / KILOBYTE), size)


def item_bytes(item: Mapping[str, dict[str, Any]]) -> int:
    """Size of an item as DynamoDB counts it (Developer Guide: "Item sizes and formats")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(packed: dict[str, Any]) -> int:
    ((kind, value),) = packed.items()
    match kind:
        case "S":
            return len(str(value).encode())
        case "B":
            return len(bytes(value))
        case "N":
            number = str(value)
            digits = number.lstrip("-").strip("0")
            return (len(digits) + 1) // 2 + 1 + number.startswith("-")
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(x) for name, x in value.items())
        case _:
            return 1


def _name(item: Mapping[str, dict[str, Any]]) -> str:
    if "hi" in item:
        return "order"
    prefix: str = item["pk"]["S"].partition("#")[0]
    return {"HASH": "hash pointer"}.get(prefix, prefix.lower())


class _Counting:
    """Entropy that counts: ids differ, and nothing is secret here."""

    def __init__(self) -> None:
        self._drawn = 0

    def random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")


class _AsLongAsSealed:
    """As long as AES-256-GCM with key id, nonce and tag would make it."""

    def seal(self, order_id: str, meta: Mapping[str, str]) -> bytes:
        del order_id
        return bytes(1 + 12 + 16) + json.dumps(dict(meta)).encode()

    def open(self, order_id: str, sealed: bytes) -> dict[str, str]:
        raise NotImplementedError


@dataclass(slots=True)
class Scenario:
    """One redemption after another through use cases and domain functions."""

    store: DynamoStore
    meter: Meter
    entropy: _Counting = field(default_factory=_Counting)
    serial: int = 0

    def set_up(self) -> None:
        """A catalogue, a site and the listener's cursor."""
        kind = VoucherType(
            token_id=6001,
            name={"vi": "AI Suite", "en": "AI Suite"},
            unit={"vi": "1 tháng", "en": "1 month"},
            group=Group.C,
            description={},
            requires=("aiAccount",),
            entitlement_days=30,
        )
        site = Site("HCM_ROX_T09", {"vi": "ROX", "en": "ROX"})
        cursor = Cursor(
            proven=_block(0),
            last_serial=0,
            expired_through=START,
            chain_id=56,
            contract=CUSTOMER,
            lease_owner="listener-1",
            lease_until=START + 60,
            heartbeat=Heartbeat(START, START, _block(3)),
        )
        self.store.commit([Insert(Catalogue((kind,))), Insert(site), Insert(cursor)])

    def redeem(self, path: str, *, pending_first: bool) -> Order:
        """One life of an order, from the reserved key to the delivery."""
        self.serial += 1
        order = self.place(path)
        burn = Burn(
            serial=self.serial,
            user=order.customer,
            token_id=order.token_id,
            amount=order.amount,
            order_hash=order.order_hash,
            tx_hash=text_ref(f"transaction {self.serial}"),
            log_index=217,
            block=_block(1000 + self.serial),
        )
        if pending_first:
            self._slice(f"{path}pending", order, burn, final=False)
        self._slice(f"{path}valid", order, burn, final=True)
        with self.meter.during(f"{path}deliver"):
            done = deliver(
                order.order_id,
                Staff("nguyen.van.a", "A", Role.RECEPTION, ("HCM_ROX_T09",), "", False),
                note="",
                desk_site="HCM_ROX_T09",
                store=self.store,
                entropy=self.entropy,
                now=START + 90,
                request_id=str(uuid4()),
                key=str(uuid4()),
                input_method="camera",
                device=str(uuid4()),
            )
        return done.order

    def count_requests(self) -> None:
        """What the rate limits of `POST /orders` cost on top of each request."""
        with self.meter.during("rate limits"):
            self.store.count(
                "orders:203.0.113.7:29833333", ["ip", CUSTOMER], expires_at=START + 120
            )

    def place(self, path: str) -> Order:
        """Reserve the idempotency key and create the order."""
        request = OrderRequest(CUSTOMER, 6001, 1, "HCM_ROX_T09", {"aiAccount": "a.b@example.com"})
        with self.meter.during(f"{path}reserve + create"):
            placed = place_order(
                request,
                key=f"{'k' * 22}-{self.serial}",
                rules=OrderRules(ttl=1800, sites_enforced=True),
                store=self.store,
                entropy=self.entropy,
                sealer=_AsLongAsSealed(),
                now=START,
                request_id=str(uuid4()),
            )
        return placed.order

    def _slice(self, step: str, order: Order, burn: Burn, *, final: bool) -> None:
        """One commit of the listener with one burn in it: ledger, order and fenced cursor."""
        before = self.store.order(order.order_id)
        cursor = self.store.cursor()
        if before is None or cursor is None:
            raise LookupError("the scenario lost its order or cursor")
        (known,) = self.store.redemptions(burn.serial, burn.serial) or (None,)
        entry = record(known, burn, Outcome.MATCHED, final=final)
        if entry is None:
            raise LookupError("the burn is in the ledger already")
        after = apply_burn(
            before, burn, final=final, actor=LISTENER, at=START + 30, request_id=str(uuid4())
        )
        moved = advance(
            cursor,
            proven=burn.block if final else None,
            last_serial=burn.serial if final else None,
            heartbeat=Heartbeat(START + 30, START + 30, _block(burn.block.number + 5)),
        )
        ledger: Change = Insert(entry) if known is None else Update(entry)
        with self.meter.during(step):
            self.store.commit([*order_changes(before, after), ledger, Update(moved)])


def _block(number: int) -> BlockRef:
    return BlockRef(52_000_000 + number, text_ref(f"block {number}"), START + number)


def measure(endpoint: str) -> Meter:
    """Make a table on the engine, redeem on both paths, and return every charge."""
    connection = connect(region=REGION, endpoint=endpoint)
    create_table_over(connection, TABLE)
    introduce(connection, TABLE)
    meter = Meter()
    meter.attach(connection)
    scenario = Scenario(DynamoStore(connection, TABLE), meter)
    scenario.set_up()
    scenario.place(NEW_SITE)
    scenario.redeem(PLAIN, pending_first=False)
    scenario.redeem(PENDING, pending_first=True)
    scenario.count_requests()
    return meter


def report(meter: Meter) -> Iterator[str]:
    """The charges as lines of a table, step by step."""
    for step, charges in groupby(meter.charges, key=lambda charge: charge.step):
        listed = list(charges)
        yield f"{step:<44}{sum(charge.units for charge in listed):>3} units"
        for charge in listed:
            size = f"{charge.size} bytes" if charge.size else ""
            yield f"    {charge.what:<24}{size:>12}{charge.units:>7}"
    yield f"{'burn final when first seen, in all':<44}{meter.units(PLAIN):>3} (budget {BUDGET})"
    yield f"{'burn seen pending first, in all':<44}{meter.units(PENDING):>3}"


def main() -> int:
    """Print the report; exit code 1 where the budget is exceeded."""
    use_local_credentials()
    with start() as engine:
        meter = measure(engine.endpoint)
    sys.stdout.writelines(f"{line}\n" for line in report(meter))
    return 0 if meter.units(PLAIN) <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
