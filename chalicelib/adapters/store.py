"""Which store it is: the choice that every composition root makes alike."""

from chalicelib.ports import Store
from chalicelib.settings import StoreSettings


def check_store(settings: StoreSettings) -> None:
    """Nothing, where a server may start on the store: an SQL schema has to be this program's.

    Raises:
        StoreUnavailable: it is not, naming the command that helps, or the engine does not answer.
    """
    if settings.STORE == "sql":
        from chalicelib.adapters.sql import check_schema  # noqa: PLC0415 - imported on use

        check_schema(settings.DATABASE_URL)


def open_store(settings: StoreSettings) -> Store:
    """The store that the settings choose. Only its own libraries are imported.

    Raises:
        StoreUnavailable: an SQL database whose schema is not the one this code needs.
    """
    if settings.STORE == "sql":
        from chalicelib.adapters.sql import open_sql_store  # noqa: PLC0415 - imported on use

        return open_sql_store(settings.DATABASE_URL)
    from chalicelib.adapters.dynamo import open_dynamo_store  # noqa: PLC0415 - imported on use

    return open_dynamo_store(
        table=settings.DYNAMODB_TABLE,
        region=settings.AWS_REGION,
        endpoint=settings.DYNAMODB_ENDPOINT or None,
    )
