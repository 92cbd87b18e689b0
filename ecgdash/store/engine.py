"""Opens a database: settings of the connection, transactions, migrations."""

from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, table, text
from sqlalchemy import column as sql_column
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from ecgdash.errors import SchemaTooNew, StoreError
from ecgdash.store.schema import SCHEMA_HEAD

__all__ = ["READ", "migrate", "open_engine"]

READ: Final = {"ecgdash_read_only": True}
"""Execution options of connections that only read: they never wait for a writer."""

_BUSY_TIMEOUT_S: Final = 30
_MIGRATION_LOCK: Final = 7_301_955_302_116_001
"""Any fixed number: PostgreSQL's advisory lock that serialises migrations."""


def open_engine(database_url: str) -> Engine:
    """Return an engine for the address, its folder made, its schema brought up to date.

    Raises
    ------
    SchemaTooNew
        If a later version of ECGDash wrote the database.
    StoreError
        If the address cannot be understood or the database cannot be reached.
    """
    try:
        url = make_url(database_url)
        engine = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else create_engine(url)
    except (ArgumentError, ModuleNotFoundError) as err:
        raise StoreError(
            "the address of the store cannot be used",
            accepted="Accepted: sqlite:///PATH, or postgresql+DRIVER://... with that driver",
            todo="Correct ECGDASH_DATABASE_URL",
        ) from err
    try:
        if url.get_backend_name() == "sqlite" and not _in_memory(url):
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        migrate(engine)
    except (OperationalError, OSError) as err:
        raise StoreError(
            "the database cannot be opened",
            accepted="Its folder must be writable, or its server must answer",
            todo="Check ECGDASH_DATABASE_URL",
        ) from err
    except DatabaseError as err:
        raise StoreError(
            "what stands at the address of the store is no database of ECGDash",
            accepted="Accepted: a database that ECGDash made, or a path where there is none yet",
            todo="Correct ECGDASH_DATABASE_URL",
        ) from err
    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to `SCHEMA_HEAD` in one transaction; a killed one leaves the old schema."""
    with engine.connect().execution_options(**READ) as connection:
        if _revision(connection) == SCHEMA_HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _revision(connection)
    if found is not None and found not in known:
        raise SchemaTooNew(
            f"the store has schema {found}, this version of ECGDash knows up to {SCHEMA_HEAD}",
            accepted="A store of this version or an earlier one",
            todo="Install the later version of ECGDash again, or choose another store",
        )
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    versions = table("alembic_version", sql_column("version_num"))
    revision: str | None = connection.execute(select(versions.c.version_num)).scalar()
    return revision


def _sqlite_engine(url: URL) -> Engine:
    options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_TIMEOUT_S}}
    in_memory = _in_memory(url)
    if in_memory:
        options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    engine = create_engine(url, **options)
    event.listen(engine, "connect", partial(_on_connect, in_memory=in_memory))
    event.listen(engine, "begin", _on_begin)
    return engine


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _on_connect(connection: Any, _record: object, *, in_memory: bool) -> None:
    # Python's sqlite3 would commit before a change of schema; with this it never begins or
    # commits by itself, and `_on_begin` says BEGIN.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    if not in_memory:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A writer takes its lock at once: two that first read and then write would deadlock.
    reads = connection.get_execution_options().get("ecgdash_read_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
