"""The one table: its keys, indexes and how to reach it."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.exceptions import PynamoDBException

from chalicelib.ports import StoreUnavailable

BY_CUSTOMER = "byCustomer"
BY_SITE = "bySite"
TTL_ATTRIBUTE = "ttl"

ATTRIBUTE_DEFINITIONS = [
    {"AttributeName": "pk", "AttributeType": "S"},
    {"AttributeName": "sk", "AttributeType": "S"},
    {"AttributeName": "c", "AttributeType": "S"},
    {"AttributeName": "t", "AttributeType": "N"},
    {"AttributeName": "s", "AttributeType": "S"},
    {"AttributeName": "e", "AttributeType": "N"},
]


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


KEY_SCHEMA = _keys("pk", "sk")
INDEXES = {BY_CUSTOMER: _keys("c", "t"), BY_SITE: _keys("s", "e")}
"""Both are of what never changes: an order that moves costs no index write."""
PROJECTED = {BY_CUSTOMER: (), BY_SITE: ("h", "c", "t")}
"""What an index holds beside its keys and the table's, for a list to be filtered by."""

BOTOCORE_ERRORS = (BotoCoreError, ClientError)
ENGINE_ERRORS = (*BOTOCORE_ERRORS, PynamoDBException)

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
TOTAL_ATTEMPTS = 3
POOL_CONNECTIONS = 50


def connect(*, region: str, endpoint: str | None = None) -> Connection:
    """A connection, to be told its table by `introduce`. Nothing is sent yet.

    `endpoint` stands in for the region's own, for engines on this machine. Credentials come from
    where botocore finds them.
    """
    return Connection(
        region=region,
        host=endpoint,
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
        retry_configuration={"total_max_attempts": TOTAL_ATTEMPTS, "mode": "standard"},
        max_pool_connections=POOL_CONNECTIONS,
    )


def introduce(connection: Connection, table: str) -> None:
    """Tell a connection the keys of a table, which pynamodb needs to know before its first use.

    Raises:
        ValueError: the connection knows the table already.
    """
    connection.add_meta_table(
        MetaTable(
            {
                "TableName": table,
                "KeySchema": KEY_SCHEMA,
                "AttributeDefinitions": ATTRIBUTE_DEFINITIONS,
                "GlobalSecondaryIndexes": [
                    {"IndexName": name, "KeySchema": keys} for name, keys in INDEXES.items()
                ],
            }
        )
    )


def create_table(*, table: str, region: str, endpoint: str | None = None) -> None:
    """Make the table, paid per request, with TTL and, where the engine has it, PITR.

    Does nothing where a table of that name exists.

    Raises:
        StoreUnavailable: the engine refused or failed.
    """
    create_table_over(connect(region=region, endpoint=endpoint), table)


def create_table_over(connection: Connection, table: str) -> None:
    """`create_table` over a connection that is there already."""
    try:
        _create(connection, table)
    except ENGINE_ERRORS as error:
        raise unavailable(error) from error


def _create(connection: Connection, table: str) -> None:
    client: Any = connection.client
    if _exists(client, table):
        return
    connection.create_table(
        table,
        attribute_definitions=ATTRIBUTE_DEFINITIONS,
        key_schema=KEY_SCHEMA,
        global_secondary_indexes=[
            {"index_name": name, "key_schema": keys, "projection": _projection(PROJECTED[name])}
            for name, keys in INDEXES.items()
        ],
        billing_mode=PAY_PER_REQUEST_BILLING_MODE,
    )
    client.get_waiter("table_exists").wait(
        TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    connection.update_time_to_live(table, TTL_ATTRIBUTE)
    try:
        client.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    except ClientError as error:
        if error_code(error) != "UnknownOperationException":
            raise


def _projection(attributes: Sequence[str]) -> dict[str, Any]:
    if not attributes:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(attributes)}


def _exists(client: Any, table: str) -> bool:
    try:
        client.describe_table(TableName=table)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return False
    return True


def error_code(error: Exception) -> str:
    """DynamoDB's name for what went wrong, or the exception's where none was answered."""
    cause = getattr(error, "cause", None) or error
    if not isinstance(cause, ClientError):
        return type(cause).__name__
    code: str = cause.response["Error"]["Code"]
    return code


def unavailable(error: Exception) -> StoreUnavailable:
    """The port's word for an engine that failed. Tells the code only: messages may hold keys."""
    return StoreUnavailable(f"DynamoDB: {error_code(error)}")
