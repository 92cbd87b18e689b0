"""Opening, migrating, refusing; the same schema for SQLite and PostgreSQL."""

import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from ecgdash.errors import SchemaTooNew, StoreError
from ecgdash.store import open_store
from ecgdash.store.engine import open_engine
from ecgdash.store.schema import SCHEMA_HEAD, UtcDateTime, metadata

ROOT = Path(__file__).resolve().parents[2]


def test_migrations_give_the_schema_the_code_is_written_for(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == SCHEMA_HEAD
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_write_ahead_log_and_foreign_keys_are_on(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.text("INSERT INTO waveforms VALUES (77, 'x', '[]', x'00')"))
    engine.dispose()


def test_a_newer_schema_is_refused_with_advice(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaTooNew) as caught:
        open_store(url)
    assert caught.value.sentence == (
        f"the store has schema 9999, this version of ECGDash knows up to {SCHEMA_HEAD}. "
        "A store of this version or an earlier one. "
        "Install the later version of ECGDash again, or choose another store."
    )


@pytest.mark.parametrize("url", ["not an address", "mysql+nodriver://x/y", "oracle9i://x"])
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(StoreError, match="address of the store cannot be used"):
        open_store(url)


def test_an_unwritable_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="the database cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'store.db'}")


def test_in_memory_store_serves_more_than_one_thread():
    from concurrent.futures import ThreadPoolExecutor

    from ecgdash.domain import Patient

    store = open_store("sqlite://")
    store.put_patient(Patient("1"))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.n_patients).result() == 1
    store.close()


def test_every_table_compiles_for_postgresql():
    for table in metadata.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "DATETIME" not in ddl
        if table.name == "ecgs":
            assert "recorded_at TIMESTAMP WITH TIME ZONE" in ddl


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])
def test_times_are_aware_utc_on_both(dialect):
    seoul = datetime(2024, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    kind = UtcDateTime()
    back = kind.process_result_value(kind.process_bind_param(seoul, dialect), dialect)
    assert back == seoul
    assert back.tzinfo == UTC
    with pytest.raises(ValueError, match="no time zone"):
        kind.process_bind_param(datetime(2024, 5, 1), dialect)


def test_a_killed_migration_leaves_the_old_schema(tmp_path):
    """A real process dies in the middle of its migration; the next one starts from the old."""
    database = tmp_path / "a.db"
    script = textwrap.dedent(
        f"""
        import os, signal
        import alembic.op
        from ecgdash.store import open_store
        plain, made = alembic.op.create_table, []
        def create_table(*args, **options):
            made.append(args[0])
            if len(made) == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **options)
        alembic.op.create_table = create_table
        open_store("sqlite:///{database}")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ}, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    engine = sa.create_engine(f"sqlite:///{database}")
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    store = open_store(f"sqlite:///{database}")
    assert store.n_patients() == 0
    store.close()
