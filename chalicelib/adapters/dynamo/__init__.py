"""The store on DynamoDB."""

from chalicelib.adapters.dynamo.store import DynamoStore, open_dynamo_store
from chalicelib.adapters.dynamo.table import create_table

__all__ = ["DynamoStore", "create_table", "open_dynamo_store"]
