"""Patients, and what is stored of them beside ECGs."""

from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, String, Table, UniqueConstraint

from ecgdash.store.schema_base import metadata, patient_link
from ecgdash.store.utc import UtcDateTime

__all__ = ["actions", "diagnoses", "echoes", "patient_names", "patients"]

patients = Table(
    "patients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("site", String(200), nullable=False),
    Column("code", String(200), nullable=False),
    Column("sex", String(8)),
    Column("birth_year", Integer),
    # NULL unless the site keeps names.
    Column("name", String(200)),
    Column("birth_date", Date),
    Column("simulated", Boolean, nullable=False),
    # True: something changed since the worklist row was written.
    Column("stale", Boolean, nullable=False, index=True),
    UniqueConstraint("site", "code"),
)

# Which import said who the person is: the name goes with the last of them.
patient_names = Table(
    "patient_names",
    metadata,
    Column("id", Integer, primary_key=True),
    patient_link(index=True),
    Column("import_run", Integer, index=True),
    Column("name", String(200)),
    Column("birth_date", Date),
)

echoes = Table(
    "echoes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    patient_link(index=True),
    Column("performed_at", UtcDateTime, nullable=False),
    Column("local_day", Date, nullable=False),
    Column("has_time", Boolean, nullable=False),
    Column("lvef_percent", Float, nullable=False),
    Column("method", String(12), nullable=False),
    # NULL unless the site keeps reports.
    Column("report", JSON(none_as_null=True)),
    # No foreign key: SQLite cannot add one to a table that holds rows. Runs are never deleted.
    Column("import_run", Integer, index=True),
    UniqueConstraint("patient", "performed_at", "has_time", "lvef_percent", "method"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Integer, primary_key=True),
    patient_link(index=True),
    Column("kind", String(16), nullable=False),
    Column("ecg", String(32), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    Column("id", Integer, primary_key=True),
    patient_link(index=True),
    Column("code_system", String(80), nullable=False),
    Column("code", String(80), nullable=False),
    Column("recorded_on", Date, nullable=False),
    Column("import_run", Integer, index=True),
    UniqueConstraint("patient", "code_system", "code", "recorded_on"),
)
