"""Import runs, what they rely on, and what became of every row of a file."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from ecgdash.store.schema_base import metadata
from ecgdash.store.utc import UtcDateTime

__all__ = ["import_links", "import_rows", "import_runs"]

import_runs = Table(
    "import_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("site", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    # Of the call: the same one goes on where a killed import stopped.
    Column("fingerprint", String(64)),
    Column("undone_at", UtcDateTime),
    Column("sources", JSON(none_as_null=True)),
)

# An import whose files or rows were stored already relies on the one that brought them.
import_links = Table(
    "import_links",
    metadata,
    Column("run", Integer, ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "relies_on", Integer, ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True
    ),
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "run", Integer, ForeignKey("import_runs.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("file", Text, nullable=False),
    Column("file_format", String(40), nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("patient_code", String(200)),
    Column("ecg_key", String(32)),
    Column("reason", Text, nullable=False),
    Column("todo", Text, nullable=False),
    # Which file this was, content included; NULL: it was in memory.
    Column("source", String(64)),
    Column("audit", JSON(none_as_null=True)),
    Index("ix_import_rows_run_source", "run", "source", unique=True),
)
