"""The schema's versions: numbered files that are run once each, in order.

They lie in `ops/migrations` of the checkout that this file belongs to, as `0001_name.sql`,
`0002_name.sql` …: a VPS runs from a checkout, and the API's Lambda package leaves SQL out. The
highest number is the version this code needs; the table `schema_version` tells what was run.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from sqlalchemy import Connection, inspect, text

from chalicelib.adapters.sql.database import Database, parse_url
from chalicelib.ports import StoreUnavailable

MIGRATIONS = Path(__file__).parents[3] / "ops/migrations"
COMMAND = "vouchers store migrate"

_FILE_NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")
_END_OF_STATEMENT = re.compile(r";[ \t]*\n")
_PLACEHOLDERS = {
    "sqlite": {"text": "TEXT", "integer": "INTEGER", "bytes": "BLOB", "options": "STRICT"},
    # Byte order, as everywhere else, whatever the database's own language is.
    "postgresql": {
        "text": 'TEXT COLLATE "C"',
        "integer": "BIGINT",
        "bytes": "BYTEA",
        "options": "",
    },
}
_MIGRATING = 5_503_310_001
"""PostgreSQL's advisory lock of whoever migrates; any number that nobody else uses."""


class SchemaMismatch(StoreUnavailable):
    """The database's schema is not the one that this version of the program needs."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from schema version `version - 1` to `version`."""

    version: int
    path: Path

    def statements(self, dialect: str) -> list[str]:
        """Its statements as the dialect (`sqlite`, `postgresql`) spells them."""
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        code = "".join(line for line in lines if not line.lstrip().startswith("--"))
        filled = Template(code).substitute(_PLACEHOLDERS[dialect])
        parts = (part.strip() for part in _END_OF_STATEMENT.split(filled + "\n"))
        return [part for part in parts if part]


def migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """All migrations, in order.

    Raises:
        SchemaMismatch: there are none, or their numbers leave a gap or repeat.
    """
    found = sorted(path for path in folder.glob("*.sql"))
    known: list[Migration] = []
    for expected, path in enumerate(found, start=1):
        name = _FILE_NAME.fullmatch(path.name)
        if name is None or int(name[1]) != expected:
            raise SchemaMismatch(f"migration {expected:04d}_<name>.sql expected, not {path.name}")
        known.append(Migration(expected, path))
    if not known:
        raise SchemaMismatch(f"no migrations in {folder}: run from a whole checkout")
    return tuple(known)


def migrate(url: str, *, folder: Path = MIGRATIONS) -> tuple[int, ...]:
    """Run the migrations that the database lacks; their versions, in order.

    Each is stored as a whole or not at all, and two who migrate at once wait for each other.
    A SQLite file is made where there is none, its folder too, and set to write-ahead logging.

    Raises:
        SchemaMismatch: the database is newer than this program, or the migrations are not whole.
        StoreUnavailable: the engine failed.
    """
    known = migrations(folder)
    database = Database(url)
    try:
        if database.on_sqlite:
            _make_folder(Path(database.url.database or ""))
            with database.reading() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        return tuple(one.version for one in known if _run(database, one, newest=len(known)))
    finally:
        database.close()


def check_schema(url: str, *, folder: Path = MIGRATIONS) -> None:
    """Nothing, where the database has the schema version that this program needs.

    Raises:
        SchemaMismatch: it has another, or none; naming the command that helps.
        StoreUnavailable: the engine failed.
    """
    newest = migrations(folder)[-1].version
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise SchemaMismatch(f"there is no database file yet: run `{COMMAND}`")
    database = Database(url)
    try:
        with database.reading() as connection:
            current = _current_version(connection)
    finally:
        database.close()
    _refuse_newer(current, newest)
    if current < newest:
        raise SchemaMismatch(
            f"the database has schema version {current}, this program needs {newest}:"
            f" run `{COMMAND}`"
        )


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"DATABASE_URL: its folder cannot be made: {error.strerror}"
        ) from error


def _run(database: Database, migration: Migration, *, newest: int) -> bool:
    """Run a migration unless it was; whether it was run now."""
    with database.writing() as connection:
        if not database.on_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        current = _current_version(connection)
        _refuse_newer(current, newest)
        if current >= migration.version:
            return False
        if current == 0:
            connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
        for statement in migration.statements(database.dialect):
            connection.exec_driver_sql(statement)
        connection.execute(
            text("INSERT INTO schema_version (version) VALUES (:version)"),
            {"version": migration.version},
        )
    return True


def _current_version(connection: Connection) -> int:
    """The schema version of the database, 0 where it has none."""
    if not inspect(connection).has_table("schema_version"):
        return 0
    return connection.execute(text("SELECT max(version) FROM schema_version")).scalar() or 0


def _refuse_newer(current: int, newest: int) -> None:
    if current > newest:
        raise SchemaMismatch(
            f"the database has schema version {current}, this program knows {newest}:"
            " run a newer version of the program"
        )
