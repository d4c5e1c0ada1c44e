"""The store port on DynamoDB."""

import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from pynamodb.connection import Connection
from pynamodb.constants import UPDATE_ITEM
from pynamodb.expressions.operand import Path

from chalicelib.adapters.dynamo import items
from chalicelib.adapters.dynamo.commit import commit
from chalicelib.adapters.dynamo.items import Key, stored_values
from chalicelib.adapters.dynamo.table import (
    BY_CUSTOMER,
    BY_SITE,
    ENGINE_ERRORS,
    INDEXES,
    connect,
    introduce,
    unavailable,
)
from chalicelib.adapters.dynamo.values import Item, grow_hash, pack
from chalicelib.domain.audit import AuditItem
from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.errors import invalid
from chalicelib.domain.exceptions import EXCEPTION_ID, EXCEPTION_PLACE, ExceptionRecord
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_filter import ANY_ORDER, OrderFilter
from chalicelib.domain.orders import HistoryRecord, Order, OrderStatus
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.staff import Session, Staff, WalletNonce
from chalicelib.ports import (
    LOOKS_PER_ITEM,
    MAX_CHANGES,
    Change,
    Insert,
    Page,
    StoreUnavailable,
)

BATCH_KEYS = 100
BATCH_ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.05

T = TypeVar("T")


class Place(NamedTuple):
    """Where an order stands in an index: its partition, its sort value, its table key."""

    partition: str
    at: int
    pk: str


def open_dynamo_store(*, table: str, region: str, endpoint: str | None = None) -> "DynamoStore":
    """The store in a table as `create_table` makes it. Nothing is sent yet.

    `endpoint` stands in for the region's own, for engines on this machine. Credentials come from
    where botocore finds them.
    """
    connection = connect(region=region, endpoint=endpoint)
    introduce(connection, table)
    return DynamoStore(connection, table)


class DynamoStore:
    """`chalicelib.ports.Store` in one table. Threads may share it; each process opens its own.

    The connection has been introduced to the table.
    """

    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        self._table = table
        self._registered_sites: frozenset[str] = frozenset()

    @property
    def max_changes(self) -> int:
        """See `Store`. As many items as `TransactWriteItems` takes."""
        return MAX_CHANGES

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        for change in changes:
            if isinstance(change, Insert) and isinstance(change.record, Order):
                self._register_site(items.site_partition(change.record.site_id))
        commit(self._connection, self._table, changes)

    def order(self, order_id: str) -> Order | None:
        """See `Store`."""
        return self._get(items.order_key(order_id), items.decode_order)

    def order_by_hash(self, order_hash: str) -> Order | None:
        """See `Store`."""
        pk = self._get(items.pointer_key(order_hash), lambda stored: stored["order"])
        return None if pk is None else self._get(Key(pk), items.decode_order)

    def orders_with_hashes(self, hashes: Collection[str]) -> dict[str, Order]:
        """See `Store`. Two batches: where the hashes point, and the orders there."""
        if len(hashes) > self.max_changes:
            raise ValueError(f"at most {self.max_changes} order hashes at once")
        pointers = self._batch([items.pointer_key(order_hash) for order_hash in set(hashes)])
        stored = self._batch([Key(pointer["order"]) for pointer in pointers.values()])
        orders = map(items.decode_order, stored.values())
        return {order.order_hash: order for order in orders}

    def history(self, order_hash: str) -> tuple[HistoryRecord, ...]:
        """See `Store`."""
        return self._listed(items.history_partition(order_hash), items.decode_history)

    def orders_of_customer(
        self, customer: str, *, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`."""
        places, more = self._places(BY_CUSTOMER, customer, limit, _parse_place(customer, cursor))
        return Page(self._orders(places), _cursor_after(places) if more else None)

    def orders_of_site(
        self,
        site_id: str,
        *,
        statuses: frozenset[OrderStatus],
        among: OrderFilter = ANY_ORDER,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Order]:
        """See `Store`. The index tells what never changes; only orders that fit by that are read.
        Statuses change and so are not in the index: they are looked at here."""
        partition = items.site_partition(site_id)
        after = _parse_place(partition, cursor)
        if among == ANY_ORDER:
            taken, more = self._places(BY_SITE, partition, limit, after)
            going_on = _cursor_after(taken) if more else None
        else:
            expiring = (among.created_from, among.latest_expiry)
            looks = limit * LOOKS_PER_ITEM
            entries, more = self._entries(BY_SITE, partition, looks, after, between=expiring)
            fitting = [place for place, facts in entries if _fits(among, facts)]
            taken = fitting[:limit]
            if len(fitting) > limit:
                going_on = _cursor_after(taken)
            else:
                going_on = _cursor_after([place for place, _ in entries]) if more else None
        orders = tuple(order for order in self._orders(taken) if order.status in statuses)
        return Page(orders, going_on)

    def orders_expiring(
        self, *, after: int, through: int, limit: int, cursor: str | None = None
    ) -> Page[Order]:
        """See `Store`. Goes from one site's partition to the next."""
        if after >= through:
            return Page((), None)
        first, _, place = (cursor or "").rpartition("/")
        partitions = [name for name in sorted(self._stored_sites()) if name >= first]
        found: list[Place] = []
        more = False
        for index, partition in enumerate(partitions):
            begun = partition == first
            places, left = self._places(
                BY_SITE,
                partition,
                limit - len(found),
                _parse_place(partition, place) if begun else None,
                between=(after + 1, through),
            )
            found += places
            more = left or index + 1 < len(partitions)
            if left or len(found) >= limit:
                break
        next_cursor = f"{found[-1].partition}/{_cursor_after(found)}" if found and more else None
        return Page(self._orders(found), next_cursor)

    def redemptions(self, first: int, last: int) -> tuple[Redemption, ...]:
        """See `Store`."""
        if last - first >= self.max_changes:
            raise ValueError(f"at most {self.max_changes} serials at once")
        keys = [items.redemption_key(serial) for serial in range(first, last + 1)]
        found = [items.decode_redemption(stored) for stored in self._batch(keys).values()]
        return tuple(sorted(found, key=lambda redemption: redemption.serial))

    def exception(self, exception_id: str) -> ExceptionRecord | None:
        """See `Store`."""
        if not EXCEPTION_ID.fullmatch(exception_id):
            return None
        return self._get(items.exception_key(exception_id), items.decode_exception)

    def exceptions(
        self, *, open_only: bool, limit: int, cursor: str | None = None
    ) -> Page[ExceptionRecord]:
        """See `Store`. The open ones are listed, then read."""
        if cursor is not None and not EXCEPTION_PLACE.fullmatch(cursor):
            raise invalid("cursor", "pattern", "is none that this list gave out")
        partition = items.OPEN_EXCEPTIONS if open_only else items.EXCEPTIONS
        answer = self._query(
            partition,
            consistent_read=True,
            limit=limit,
            exclusive_start_key=_packed_key(Key(partition, cursor)) if cursor else None,
        )
        stored = [stored_values(item) for item in answer["Items"]]
        after = stored[-1]["sk"] if "LastEvaluatedKey" in answer else None
        if open_only:
            listed = self._batch([Key(items.EXCEPTIONS, one["sk"]) for one in stored])
            stored = [listed[key] for key in sorted(listed)]
        found = map(items.decode_exception, stored)
        return Page(tuple(one for one in found if one.is_open or not open_only), after)

    def cursor(self) -> Cursor | None:
        """See `Store`."""
        return self._get(items.CURSOR, items.decode_cursor)

    def reservation(self, key_hash: str) -> Reservation | None:
        """See `Store`."""
        return self._get(items.reservation_key(key_hash), items.decode_reservation)

    def catalogue(self) -> Catalogue | None:
        """See `Store`."""
        return self._get(items.CATALOGUE, items.decode_catalogue)

    def sites(self) -> tuple[Site, ...]:
        """See `Store`."""
        return self._listed(items.SITES, items.decode_site)

    def staff(self, username: str) -> Staff | None:
        """See `Store`."""
        return self._get(Key(items.STAFF, username), items.decode_staff)

    def all_staff(self) -> tuple[Staff, ...]:
        """See `Store`."""
        return self._listed(items.STAFF, items.decode_staff)

    def session(self, session_id: str) -> Session | None:
        """See `Store`."""
        return self._get(items.session_key(session_id), items.decode_session)

    def wallet_nonce(self, nonce: str) -> WalletNonce | None:
        """See `Store`."""
        return self._get(items.nonce_key(nonce), items.decode_nonce)

    def audit(self, *, day: str, limit: int, cursor: str | None = None) -> Page[AuditItem]:
        """See `Store`."""
        partition = items.audit_partition(day)
        answer = self._query(
            partition,
            consistent_read=True,
            limit=limit,
            exclusive_start_key=_packed_key(Key(partition, cursor)) if cursor else None,
        )
        found = tuple(items.decode_audit(stored_values(item)) for item in answer["Items"])
        more = answer.get("LastEvaluatedKey")
        return Page(found, found[-1].audit_id if more else None)

    def count(self, bucket: str, members: Sequence[str], *, expires_at: int) -> tuple[int, ...]:
        """See `Store`. One item for each bucket, one write unit while it stays below 1 kB."""
        if not members:
            return ()
        names = {f"#m{index}": f"n:{name}" for index, name in enumerate(dict.fromkeys(members))}
        request = {
            "TableName": self._table,
            "Key": _packed_key(items.counter_key(bucket)),
            "UpdateExpression": "SET #ttl = :ttl ADD "
            + ", ".join(f"{placeholder} :one" for placeholder in names),
            "ExpressionAttributeNames": {"#ttl": "ttl", **names},
            "ExpressionAttributeValues": {":ttl": pack(expires_at), ":one": pack(1)},
            "ReturnValues": "UPDATED_NEW",
        }
        with _engine_errors():
            answer = self._connection.dispatch(UPDATE_ITEM, request)
        counted = stored_values(answer["Attributes"])
        return tuple(counted[f"n:{name}"] for name in members)

    def purge(self, now: int) -> int:
        """See `Store`. The table's time-to-live does it."""
        del now
        return 0

    def ping(self) -> None:
        """See `Store`."""
        self._get(items.CURSOR, lambda _: None)

    def _get(self, key: Key, decode: Callable[[dict[str, Any]], T]) -> T | None:
        if not key.possible:
            return None
        with _engine_errors():
            answer = self._connection.get_item(self._table, key.pk, key.sk, consistent_read=True)
        item = answer.get("Item")
        return decode(stored_values(item)) if item else None

    def _query(self, partition: str, **options: Any) -> dict[str, Any]:
        with _engine_errors():
            answer: dict[str, Any] = self._connection.query(self._table, partition, **options)
        return answer

    def _listed(self, partition: str, decode: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
        """A whole partition of the table, in the order of its sort keys."""
        found: list[T] = []
        start: Item | None = None
        while True:
            answer = self._query(partition, consistent_read=True, exclusive_start_key=start)
            found += [decode(stored_values(item)) for item in answer["Items"]]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return tuple(found)

    def _places(
        self,
        index: str,
        partition: str,
        limit: int,
        after: Place | None,
        *,
        between: tuple[int, int] | None = None,
    ) -> tuple[list[Place], bool]:
        """One page of an index, latest first, and whether there may be more."""
        entries, more = self._entries(index, partition, limit, after, between=between)
        return [place for place, _ in entries], more

    def _entries(
        self,
        index: str,
        partition: str,
        limit: int,
        after: Place | None,
        *,
        between: tuple[int, int] | None = None,
    ) -> tuple[list[tuple[Place, dict[str, Any]]], bool]:
        """`_places`, each with all that the index holds of it."""
        hash_name, range_name = (key["AttributeName"] for key in INDEXES[index])
        condition = None
        if between:
            low, high = map(pack, between)
            condition = Path([range_name]).between(low, high)
        start = after and {
            **_packed_key(Key(after.pk)),
            hash_name: pack(after.partition),
            range_name: pack(after.at),
        }
        answer = self._query(
            partition,
            index_name=index,
            range_key_condition=condition,
            limit=limit,
            scan_index_forward=False,
            exclusive_start_key=start,
        )
        found = [stored_values(item) for item in answer["Items"]]
        entries = [(Place(partition, one[range_name], one["pk"]), one) for one in found]
        return entries, bool(entries) and "LastEvaluatedKey" in answer

    def _orders(self, places: Sequence[Place]) -> tuple[Order, ...]:
        """The orders themselves, as stored now, in the order of the index."""
        stored = self._batch([Key(place.pk) for place in places])
        return tuple(
            items.decode_order(stored[Key(place.pk)]) for place in places if Key(place.pk) in stored
        )

    def _batch(self, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
        """What is stored under `keys`, strongly consistent."""
        found: dict[Key, dict[str, Any]] = {}
        possible = [key for key in keys if key.possible]
        for start in range(0, len(possible), BATCH_KEYS):
            for item in self._batch_items(possible[start : start + BATCH_KEYS]):
                stored = stored_values(item)
                found[Key(stored["pk"], stored["sk"])] = stored
        return found

    def _batch_items(self, keys: Sequence[Key]) -> Iterator[Item]:
        left: Any = [_packed_key(key) for key in keys]  # pynamodb's own type for it is wrong
        for attempt in range(BATCH_ATTEMPTS):
            if attempt:
                longest = FIRST_PAUSE_SECONDS * 2**attempt
                time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads retries
            with _engine_errors():
                answer = self._connection.batch_get_item(self._table, left, consistent_read=True)
            yield from answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not left:
                return
        raise StoreUnavailable("DynamoDB: keys left unprocessed")

    def _stored_sites(self) -> frozenset[str]:
        names = self._get(items.SITE_PARTITIONS, lambda stored: frozenset(stored["names"]))
        return names or frozenset()

    def _register_site(self, partition: str) -> None:
        """Write down that the site index has this partition, before its first order.

        An index cannot tell its partitions, and expiry has to visit them all. Costs a read once in
        a process and a write once in the life of a site.
        """
        if partition in self._registered_sites:
            return
        known = self._stored_sites()
        if partition not in known:
            key = items.SITE_PARTITIONS
            addition = Path(["names"]).add({"SS": [partition]})
            with _engine_errors():
                self._connection.update_item(self._table, key.pk, key.sk, actions=[addition])
        self._registered_sites = known | {partition}


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except ENGINE_ERRORS as error:
        raise unavailable(error) from error


def _packed_key(key: Key) -> Item:
    return {"pk": pack(key.pk), "sk": pack(key.sk)}


_PLACE = re.compile(r"([0-9]{1,15})\.(0x[0-9a-f]{64})")


def _parse_place(partition: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    parsed = _PLACE.fullmatch(cursor)
    if parsed is None:
        raise invalid("cursor", "pattern", "is none that this list gave out")
    return Place(partition, int(parsed[1]), parsed[2])


def _fits(among: OrderFilter, facts: dict[str, Any]) -> bool:
    return among.fits(order_hash=grow_hash(facts["h"]), customer=facts["c"], created_at=facts["t"])


def _cursor_after(places: Sequence[Place]) -> str:
    return f"{places[-1].at}.{places[-1].pk}"
