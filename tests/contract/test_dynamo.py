"""What the DynamoDB adapter promises beyond the port: cost, sizes, keys, and lost answers."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from bench.write_units import BUDGET, PENDING, PLAIN, Meter, item_bytes, measure
from chalicelib.adapters.dynamo import DynamoStore, create_table, open_dynamo_store
from chalicelib.adapters.dynamo.items import key_of
from chalicelib.adapters.dynamo.values import Item
from chalicelib.domain.catalogue import Site
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.exceptions import (
    ExceptionKind,
    dismiss,
    exception_place,
    raise_exception,
)
from chalicelib.domain.idempotency import Reservation
from chalicelib.domain.order_hash import text_ref
from chalicelib.domain.orders import (
    Actor,
    ActorKind,
    Delivery,
    Order,
    OrderStatus,
    add_transaction_hint,
    confirm_burn,
    make_order_id,
    move,
    new_order,
    see_burn,
)
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import BlockRef, Burn, Outcome, Redemption
from chalicelib.domain.staff import Session, SessionKind, WalletNonce
from chalicelib.ports import (
    Check,
    Conflict,
    Delete,
    Insert,
    Page,
    Record,
    StoreUnavailable,
    Update,
)
from ops.dynoxide import start, use_local_credentials
from tests.contract.dynamo_engines import REGION, connected, new_table, open_store
from tests.contract.lossy_proxy import LossyProxy, answer, error, lose, proxy_to

NOW = 1_790_000_000
CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"
LISTENER = Actor(ActorKind.LISTENER, "listener-1")
RECEPTION = Actor(ActorKind.RECEPTION, "nguyen.van.a")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    use_local_credentials()
    with start() as engine:
        yield engine.endpoint


@pytest.fixture
def table(endpoint: str) -> str:
    return new_table(endpoint)


@pytest.fixture
def store(endpoint: str, table: str) -> DynamoStore:
    return open_store(endpoint, table)


@pytest.fixture
def proxy(endpoint: str) -> Iterator[LossyProxy]:
    with proxy_to(endpoint) as running:
        yield running


@pytest.fixture
def shaky(proxy: LossyProxy, table: str) -> DynamoStore:
    """A store whose engine is reached through the proxy."""
    return open_dynamo_store(table=table, region=REGION, endpoint=proxy.endpoint)


def an_order(number: int = 1, *, site_id: str = "HCM_ROX_T09", expires_at: int = NOW) -> Order:
    return new_order(
        order_id=make_order_id(created_at=NOW, entropy=number.to_bytes(10, "big")),
        customer=CUSTOMER,
        token_id=6001,
        amount=1,
        site_id=site_id,
        created_at=NOW - 1800,
        expires_at=expires_at,
        request_id=str(uuid4()),
    )


def a_burn(order: Order) -> Burn:
    return Burn(
        serial=100_000,
        user=order.customer,
        token_id=order.token_id,
        amount=order.amount,
        order_hash=order.order_hash,
        tx_hash=text_ref("transaction"),
        log_index=217,
        block=BlockRef(52_345_678, text_ref("block"), NOW - 900),
    )


def a_site(version: int = 1) -> Site:
    return Site("HCM_ROX_T09", {"vi": "ROX", "en": "ROX"}, version=version)


def raw_item(endpoint: str, table: str, record: Record) -> Item:
    key = key_of(record)
    connection = connected(endpoint, table)
    item: Item = connection.get_item(table, key.pk, key.sk, consistent_read=True)["Item"]
    return item


@pytest.fixture(scope="module")
def meter(endpoint: str) -> Meter:
    return measure(endpoint)


class TestWriteUnits:
    def test_one_redemption_costs_at_most_the_budget(self, meter: Meter) -> None:
        assert BUDGET == 14
        assert 0 < meter.units(PLAIN) <= BUDGET

    def test_a_burn_seen_pending_adds_one_slice(self, meter: Meter) -> None:
        assert meter.units(PENDING) == meter.units(PLAIN) + 6

    def test_only_creation_writes_to_the_indexes(self, meter: Meter) -> None:
        indexed = [
            (charge.step, charge.what)
            for charge in meter.charges
            if charge.what.startswith("index") and charge.step.startswith(PLAIN)
        ]
        assert sorted(indexed) == [
            (f"{PLAIN}reserve + create", "index byCustomer"),
            (f"{PLAIN}reserve + create", "index bySite"),
        ]

    def test_every_step_is_metered(self, meter: Meter) -> None:
        assert meter.units(f"{PLAIN}reserve + create") == 7
        assert meter.units(f"{PLAIN}valid") == 6
        assert meter.units(f"{PLAIN}deliver") == 1
        assert meter.units("rate limits") == 1


class TestItems:
    def test_an_order_with_four_moves_and_all_it_can_hold_fits_one_kilobyte(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        order = replace(an_order(), sealed_meta=bytes(29 + 60))
        for number in range(3):
            order = add_transaction_hint(order, text_ref(f"hint {number}"))
        order = see_burn(order, a_burn(order), actor=LISTENER, at=NOW, request_id=str(uuid4()))
        order = confirm_burn(order, a_burn(order), actor=LISTENER, at=NOW, request_id=str(uuid4()))
        order = move(
            order,
            OrderStatus.DELIVERED,
            actor=RECEPTION,
            at=NOW,
            reason="service handed over",
            request_id=str(uuid4()),
        )
        delivery = Delivery(
            at=NOW,
            by=RECEPTION.name,
            site_id=order.site_id,
            note="paid for parking",
            entitled_until=NOW + 86_400,
            key_hash="ab" * 32,
            input_method="camera",
            device=str(uuid4()),
        )
        order = replace(order, delivery=delivery, version=1)
        assert len(order.history) == 4

        store.commit([Insert(order)])

        assert store.order(order.order_id) == order
        assert item_bytes(raw_item(endpoint, table, order)) <= 1024

    def test_what_has_no_compact_form_is_kept_as_it_is(self, store: DynamoStore) -> None:
        order = an_order(site_id="")
        first = replace(order.history[0], request_id="C6AF9AC6-7B61-11E6-9A41-93E8DEADBEEF")
        order = replace(
            order,
            history=(replace(first, actor=Actor(ActorKind.ADMIN, "")),),
            transaction_hints=("0xABCD", "not a hash", "0x"),
            burn=replace(a_burn(order), token_id=2**256 - 1, user=CUSTOMER.lower()),
        )
        stored = Redemption(replace(a_burn(order), amount=2**256 - 1), Outcome.WRONG_AMOUNT, True)

        store.commit([Insert(order), Insert(stored)])

        assert store.order(order.order_id) == order
        assert store.redemptions(100_000, 100_000) == (stored,)

    def test_a_cursor_of_an_earlier_version_has_no_incidents(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        cursor = Cursor(a_burn(an_order()).block, 0, NOW, 97, CUSTOMER)
        store.commit([Insert(cursor)])
        item = raw_item(endpoint, table, cursor)
        del item["halts"]
        connected(endpoint, table).put_item(table, "CURSOR", "-", attributes=item)
        assert store.cursor() == cursor

    def test_a_session_of_an_earlier_version_has_spent_nothing(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        session = Session("5e", SessionKind.STAFF, "admin", 1, "h", NOW, "r", NOW, NOW)
        store.commit([Insert(session)])
        item = raw_item(endpoint, table, session)
        del item["spent_hash"], item["spent_at"]
        connected(endpoint, table).put_item(table, item["pk"]["S"], "-", attributes=item)
        assert store.session("5e") == session

    def test_a_refreshed_session_fits_one_kilobyte(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        session = Session(
            session_id="5e" * 16,
            kind=SessionKind.STAFF,
            subject="n" * 32,
            token_version=10_000,
            access_hash="ac" * 32,
            access_expires_at=NOW + 900,
            refresh_hash="4e" * 32,
            started_at=NOW,
            expires_at=NOW + 28_800,
            spent_hash="5b" * 32,
            spent_at=NOW,
        )
        store.commit([Insert(session)])
        assert item_bytes(raw_item(endpoint, table, session)) <= 1024

    def test_only_what_runs_out_has_a_time_to_live(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        until = NOW + 60
        passing: list[Record] = [
            Reservation("ab", "ORD_1", "cd", until),
            Session("s", SessionKind.STAFF, "admin", 1, "h", until, "r", NOW, until),
            WalletNonce("n", CUSTOMER, "message", until),
        ]
        lasting: list[Record] = [
            an_order(),
            a_site(),
            Redemption(a_burn(an_order()), Outcome.LATE, True),
        ]
        store.commit([Insert(record) for record in passing + lasting])

        ttls = [raw_item(endpoint, table, record).get("ttl") for record in passing]
        assert ttls == [{"N": str(until)}] * 3
        assert all("ttl" not in raw_item(endpoint, table, record) for record in lasting)

    def test_counters_of_a_bucket_share_an_item_that_runs_out(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        store.count("orders/203.0.113.7/1", ["ip", "wallet"], expires_at=NOW)
        store.count("orders/203.0.113.7/1", ["ip"], expires_at=NOW)
        (counted,) = connected(endpoint, table).scan(table)["Items"]
        assert counted["ttl"] == {"N": str(NOW)}
        assert sorted(value["N"] for value in counted.values() if "N" in value) == sorted(
            ["2", "1", str(NOW)]
        )

    def test_no_key_and_no_cursor_holds_an_order_id(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        orders = [an_order(number) for number in range(3)]
        store.commit([Insert(order) for order in orders])
        connection = connected(endpoint, table)
        scanned = connection.scan(table)["Items"]
        keys = [f"{item['pk']['S']} {item['sk']['S']}" for item in scanned]
        everything = frozenset(OrderStatus)
        cursors = [
            store.orders_of_customer(CUSTOMER, limit=1).next_cursor,
            store.orders_of_site("HCM_ROX_T09", statuses=everything, limit=1).next_cursor,
            store.orders_expiring(after=0, through=NOW, limit=1).next_cursor,
        ]

        assert len(scanned) == 7  # three orders, three pointers, the site's name
        assert None not in cursors
        assert not [text for text in (*keys, *map(str, cursors)) if "ORD_" in text]


class TestTable:
    def test_indexes_hold_only_what_never_changes(self, endpoint: str, table: str) -> None:
        described = connected(endpoint, table).describe_table(table)
        indexes = {
            index["IndexName"]: (
                index["Projection"]["ProjectionType"],
                [key["AttributeName"] for key in index["KeySchema"]],
                sorted(index["Projection"].get("NonKeyAttributes", [])),
            )
            for index in described["GlobalSecondaryIndexes"]
        }

        assert indexes == {
            "byCustomer": ("KEYS_ONLY", ["c", "t"], []),
            "bySite": ("INCLUDE", ["s", "e"], ["c", "h", "t"]),
        }
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

    def test_items_are_deleted_by_their_ttl(self, endpoint: str, table: str) -> None:
        client: Any = connected(endpoint, table).client
        described = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}

    def test_making_a_table_again_changes_nothing(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        store.commit([Insert(a_site())])
        create_table(table=table, region=REGION, endpoint=endpoint)
        assert store.sites() == (a_site(),)


class TestConflicts:
    """The reasons of a cancelled transaction lead back to the change that met another state."""

    @pytest.mark.parametrize(
        "stale",
        [
            Insert(an_order()),
            Update(replace(an_order(), version=3)),
            Delete(replace(an_order(), version=2)),
            Check(replace(an_order(), version=2)),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_names_the_change(
        self, store: DynamoStore, stale: Insert | Update | Delete | Check
    ) -> None:
        store.commit([Insert(an_order())])
        good = Insert(an_order(2))
        with pytest.raises(Conflict) as caught:
            store.commit([good, stale, Insert(a_site())])
        assert caught.value.change is stale
        assert store.order(an_order(2).order_id) is None
        assert store.sites() == ()

    def test_an_order_whose_hash_is_taken_is_a_conflict_of_its_insert(
        self, store: DynamoStore
    ) -> None:
        store.commit([Insert(an_order())])
        twin = Insert(replace(an_order(2), order_hash=an_order().order_hash))
        with pytest.raises(Conflict) as caught:
            store.commit([twin])
        assert caught.value.change is twin


class TestLostAnswers:
    """The engine wrote, the answer got lost, and the repeat meets its own work."""

    def test_of_a_single_write(self, shaky: DynamoStore, proxy: LossyProxy) -> None:
        proxy.scripts = [lose("PutItem")]
        shaky.commit([Insert(a_site())])
        proxy.scripts = [lose("PutItem")]
        shaky.commit([Update(a_site(version=2))])

        assert proxy.asked.count("PutItem") == 4
        assert shaky.sites() == (a_site(version=2),)

    def test_of_a_transaction(self, shaky: DynamoStore, proxy: LossyProxy) -> None:
        shaky.commit([Insert(a_site())])
        proxy.scripts = [lose("TransactWriteItems")]
        shaky.commit([Update(a_site(version=2)), Insert(an_order())])

        assert proxy.asked.count("TransactWriteItems") == 2
        assert shaky.sites() == (a_site(version=2),)
        assert shaky.order(an_order().order_id) is not None

    def test_of_a_transaction_that_the_engine_cannot_recognise(
        self, shaky: DynamoStore, proxy: LossyProxy
    ) -> None:
        """The engine has forgotten the request token: what it refuses carries our mark."""
        seen: list[dict[str, Any]] = []

        def refuse(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            seen.append(body)
            met = body["TransactItems"][0]["Put"]["Item"]
            reasons = [{"Code": "ConditionalCheckFailed", "Item": met}, {"Code": "None"}]
            return error("TransactionCanceledException", CancellationReasons=reasons)(body)

        proxy.scripts = [answer("TransactWriteItems", refuse)]
        shaky.commit([Insert(a_site()), Delete(a_site_elsewhere())])
        assert len(seen) == 1

    def test_an_equal_write_of_somebody_else_is_a_conflict(
        self, store: DynamoStore, shaky: DynamoStore, proxy: LossyProxy
    ) -> None:
        """Two failed logins at once count two: equality alone must not pass for success."""
        store.commit([Insert(a_site())])
        store.commit([Update(a_site(version=2))])
        with pytest.raises(Conflict):
            shaky.commit([Update(a_site(version=2))])

    def test_that_never_arrive_leave_the_outcome_unknown(
        self, shaky: DynamoStore, proxy: LossyProxy
    ) -> None:
        proxy.scripts = [lose("PutItem")] * 3
        with pytest.raises(StoreUnavailable):
            shaky.commit([Insert(a_site())])


def a_site_elsewhere() -> Site:
    return replace(a_site(), site_id="HCM_IMC_T04")


class TestEngineTrouble:
    def test_a_busy_item_is_tried_again(self, shaky: DynamoStore, proxy: LossyProxy) -> None:
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
        cancelled = error("TransactionCanceledException", CancellationReasons=reasons)
        proxy.scripts = [answer("TransactWriteItems", cancelled)] * 2
        shaky.commit([Insert(a_site()), Insert(a_site_elsewhere())])
        proxy.scripts = [answer("PutItem", error("TransactionConflictException"))]
        shaky.commit([Update(a_site(version=2))])

        assert proxy.asked.count("TransactWriteItems") == 3
        assert proxy.asked.count("PutItem") == 2
        assert len(shaky.sites()) == 2

    def test_an_item_that_stays_busy_is_a_conflict_of_its_change(
        self, shaky: DynamoStore, proxy: LossyProxy
    ) -> None:
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
        cancelled = error("TransactionCanceledException", CancellationReasons=reasons)
        proxy.scripts = [answer("TransactWriteItems", cancelled)] * 6
        busy = Insert(a_site_elsewhere())
        with pytest.raises(Conflict) as caught:
            shaky.commit([Insert(a_site()), busy])
        assert caught.value.change is busy
        assert shaky.sites() == ()

    @pytest.mark.parametrize(
        "trouble",
        [
            error("AccessDeniedException"),
            error("ResourceNotFoundException"),
            error(
                "TransactionCanceledException",
                CancellationReasons=[{"Code": "ThrottlingError"}, {"Code": "None"}],
            ),
        ],
    )
    def test_anything_else_is_unavailability(
        self, shaky: DynamoStore, proxy: LossyProxy, trouble: Any
    ) -> None:
        proxy.scripts = [answer("TransactWriteItems", trouble)]
        with pytest.raises(StoreUnavailable):
            shaky.commit([Insert(a_site()), Insert(a_site_elsewhere())])

    def test_throttling_that_lasts_is_unavailability(
        self, shaky: DynamoStore, proxy: LossyProxy
    ) -> None:
        throttled = error("ProvisionedThroughputExceededException")
        proxy.scripts = [answer("GetItem", throttled)] * 3
        with pytest.raises(StoreUnavailable, match="ProvisionedThroughputExceeded"):
            shaky.ping()
        assert proxy.asked == ["GetItem"] * 3

    def test_keys_left_unprocessed_are_asked_for_again(
        self, shaky: DynamoStore, store: DynamoStore, proxy: LossyProxy
    ) -> None:
        store.commit([Insert(an_order())])
        proxy.scripts = [
            answer(
                "BatchGetItem",
                lambda body: (200, {"Responses": {}, "UnprocessedKeys": body["RequestItems"]}),
            )
        ]
        found = shaky.orders_of_customer(CUSTOMER, limit=5)
        assert found.items == (an_order_as_stored(store),)
        assert proxy.asked.count("BatchGetItem") == 2

    def test_a_bulk_read_is_consistent_and_asks_again_for_what_was_left(
        self, shaky: DynamoStore, store: DynamoStore, proxy: LossyProxy
    ) -> None:
        orders = [an_order(number) for number in range(3)]
        store.commit([Insert(order) for order in orders])
        asked: list[Any] = []

        def leave_all(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            asked.extend(body["RequestItems"].values())
            return 200, {"Responses": {}, "UnprocessedKeys": body["RequestItems"]}

        proxy.scripts = [answer("BatchGetItem", leave_all)] * 2
        hashes = [order.order_hash for order in (*orders, an_order(3))]
        assert shaky.orders_with_hashes(hashes) == {order.order_hash: order for order in orders}
        assert [(len(one["Keys"]), one["ConsistentRead"]) for one in asked] == [(4, True)] * 2
        assert proxy.asked.count("BatchGetItem") == 4

    def test_an_engine_that_is_not_there_is_unavailable(self, table: str) -> None:
        nowhere = open_dynamo_store(table=table, region=REGION, endpoint="http://127.0.0.1:9")
        with pytest.raises(StoreUnavailable):
            nowhere.ping()

    def test_a_table_that_is_not_there_is_unavailable(self, endpoint: str) -> None:
        elsewhere = open_dynamo_store(table="no-such", region=REGION, endpoint=endpoint)
        with pytest.raises(StoreUnavailable, match="ResourceNotFound"):
            elsewhere.ping()


def an_order_as_stored(store: DynamoStore) -> Order:
    order = store.order(an_order().order_id)
    assert order is not None
    return order


class TestReads:
    def test_expiry_visits_the_sites_of_every_process(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        sites = ["", "HCM_IMC_T04", "HCM_ROX_T09"]
        orders = [
            an_order(number, site_id=site_id, expires_at=NOW + number)
            for number, site_id in enumerate(sites * 3)
        ]
        for order in orders:
            process = open_store(endpoint, table)
            process.commit([Insert(order)])

        found: list[Order] = []
        cursor: str | None = None
        for _ in range(20):
            page = store.orders_expiring(after=NOW, through=NOW + 7, limit=2, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break

        assert cursor is None
        assert sorted(order.expires_at for order in found) == [NOW + n for n in range(1, 8)]

    @pytest.mark.parametrize("cursor", ["", "x", "1.0x12", f"1.{text_ref('x')}/a", "ORD_1"])
    def test_a_made_up_cursor_is_bad_input(self, store: DynamoStore, cursor: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            store.orders_of_customer(CUSTOMER, limit=1, cursor=cursor)
        assert [field.field for field in caught.value.fields] == ["cursor"]

    def test_a_list_of_open_exceptions_reads_no_resolved_one(
        self, store: DynamoStore, endpoint: str, table: str
    ) -> None:
        burn = a_burn(an_order())
        raised = [
            raise_exception(replace(burn, serial=serial), ExceptionKind.LATE, NOW)
            for serial in range(1, 9)
        ]
        store.commit([Insert(record) for record in raised])
        admin = Actor(ActorKind.ADMIN, "admin")
        done = [dismiss(record, actor=admin, at=NOW, reason="seen") for record in raised[:7]]
        store.commit([Update(record) for record in done])

        connection = connected(endpoint, table)
        listed = connection.query(table, "EXCEPTION_OPEN", consistent_read=True)["Items"]
        assert [item["sk"]["S"] for item in listed] == [exception_place(raised[7].exception_id)]
        assert store.exceptions(open_only=True, limit=5) == Page((raised[7],), None)

    @pytest.mark.parametrize("name", ["", "x" * 3000])
    def test_under_an_impossible_key_lies_nothing(self, store: DynamoStore, name: str) -> None:
        assert store.staff(name) is None
        assert store.session(name) is None

    def test_at_most_a_hundred_serials_at_once(self, store: DynamoStore) -> None:
        assert store.redemptions(1, 100) == ()
        with pytest.raises(ValueError, match="100 serials"):
            store.redemptions(1, 101)


class TestImport:
    def test_brings_in_neither_boto3_nor_the_model_layer(self) -> None:
        script = (
            "import sys, chalicelib.adapters.dynamo;"
            "sys.exit(', '.join({'boto3', 'pynamodb.models', 's3transfer', 'sqlalchemy'}"
            " & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert done.stderr.strip() == ""
