"""The store on SQLite or PostgreSQL."""

from chalicelib.adapters.sql.migrations import SchemaMismatch, check_schema, migrate
from chalicelib.adapters.sql.store import SqlStore, open_sql_store

__all__ = ["SchemaMismatch", "SqlStore", "check_schema", "migrate", "open_sql_store"]
