"""The tables, in types that SQLite and PostgreSQL share.

Only `migrations/` creates or alters them; this module is what queries are
written against, and a test compares the two.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from ecgdash.store.utc import UtcDateTime

__all__ = [
    "SCHEMA_HEAD",
    "UtcDateTime",
    "actions",
    "active_families",
    "attributions",
    "diagnoses",
    "ecg_evidence",
    "ecgs",
    "echoes",
    "import_links",
    "import_rows",
    "import_runs",
    "jobs",
    "metadata",
    "patient_names",
    "patients",
    "predictions",
    "waveforms",
    "worklist",
]

SCHEMA_HEAD: Final = "0007"
"""Newest migration (tested against the migrations folder)."""


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _patient_link(index: bool = False) -> Column[int]:
    link = ForeignKey("patients.id", ondelete="CASCADE")
    return Column("patient", Integer, link, nullable=False, index=index)


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
    _patient_link(index=True),
    Column("import_run", Integer, index=True),
    Column("name", String(200)),
    Column("birth_date", Date),
)

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

ecgs = Table(
    "ecgs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    _patient_link(),
    Column("recorded_at", UtcDateTime),
    Column("local_day", Date),
    Column("leads", JSON, nullable=False),
    Column("sampling_hz", Float, nullable=False),
    Column("n_samples", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("age_years", Float),
    Column("sex", String(8)),
    Column("statements", JSON, nullable=False),
    Column("measurements", JSON, nullable=False),
    Column("measured", JSON, nullable=False),
    Column("device", Text),
    Column("filters", Text),
    Column("source_name", Text, nullable=False),
    Column("file_format", String(40), nullable=False),
    Column("lsb_uv", JSON(none_as_null=True)),
    # False: a data set standardised its amplitudes.
    Column("in_millivolts", Boolean, nullable=False, server_default=true()),
    Column("notes", JSON, nullable=False),
    Column("gate_status", String(12), nullable=False),
    Column("gate_findings", JSON, nullable=False, server_default="[]"),
    Column("gate_window_s", JSON(none_as_null=True)),
    Column("flags", JSON, nullable=False),
    Column("import_run", Integer, ForeignKey("import_runs.id", ondelete="SET NULL"), index=True),
    UniqueConstraint("patient", "sha256", "recorded_at"),
    Index("ix_ecgs_patient_recorded_at", "patient", "recorded_at"),
)

waveforms = Table(
    "waveforms",
    metadata,
    Column("ecg", Integer, ForeignKey("ecgs.id", ondelete="CASCADE"), primary_key=True),
    Column("codec", String(24), nullable=False),
    Column("steps_uv", JSON, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# What flags are made of, and the beats: read one ECG at a time, so lists never load it.
ecg_evidence = Table(
    "ecg_evidence",
    metadata,
    Column("ecg", Integer, ForeignKey("ecgs.id", ondelete="CASCADE"), primary_key=True),
    Column("rules", JSON, nullable=False),
    Column("beats", LargeBinary),  # JSON, deflated: a third of its size
    Column("head_family", String(80)),
    Column("head_weights", String(64)),
    Column("head_scores", JSON(none_as_null=True)),
)

echoes = Table(
    "echoes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    _patient_link(index=True),
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
    _patient_link(index=True),
    Column("kind", String(16), nullable=False),
    Column("ecg", String(32), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    Column("id", Integer, primary_key=True),
    _patient_link(index=True),
    Column("code_system", String(80), nullable=False),
    Column("code", String(80), nullable=False),
    Column("recorded_on", Date, nullable=False),
    Column("import_run", Integer, index=True),
    UniqueConstraint("patient", "code_system", "code", "recorded_on"),
)

predictions = Table(
    "predictions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ecg", Integer, ForeignKey("ecgs.id", ondelete="CASCADE"), nullable=False),
    Column("family", String(80), nullable=False),
    Column("lead_set", String(4), nullable=False),
    Column("weights_sha256", String(64), nullable=False),
    Column("preprocessing_version", Integer, nullable=False),
    Column("waveform_sha256", String(64), nullable=False),
    Column("software_version", String(40), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("base_logits", JSON, nullable=False),
    Column("scores", JSON, nullable=False),
    UniqueConstraint("ecg", "family"),
)

# A site's choice among the families of one lead set and label; no row: the first installed one.
active_families = Table(
    "active_families",
    metadata,
    Column("lead_set", String(4), primary_key=True),
    Column("label", String(200), primary_key=True),
    Column("family", String(80), nullable=False),
)

_CONTENTS = ("waveform", "reference", "weights")  # reference "": a flat line
_VERSIONS = ("preprocessing", "method")
# Kept by content, for any ECG that holds the waveform; a row goes with the last such ECG.
attributions = Table(
    "attributions",
    metadata,
    *(Column(f"{name}_sha256", String(64), primary_key=True) for name in _CONTENTS),
    *(Column(f"{name}_version", Integer, primary_key=True) for name in _VERSIONS),
    Column("variant", String(40), primary_key=True),
    Column("family", String(80), nullable=False),
    Column("bins", LargeBinary, nullable=False),  # float32, little-endian, deflated
    Column("details", JSON, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(32)),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("finished", Boolean, nullable=False),
)

worklist = Table(
    "worklist",
    metadata,
    Column("patient", Integer, ForeignKey("patients.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(32), nullable=False),
    Column("code", String(200), nullable=False),
    Column("site", String(200), nullable=False),
    Column("age_years", Float),
    Column("sex", String(8)),
    # "|LBBB|AFIB|", so that one flag is one LIKE
    Column("flags", Text, nullable=False),
    Column("group_rank", Integer, nullable=False),
    Column("lead_set", String(4)),
    # NULL: no score, or written by a version that did not say it.
    Column("family", String(80)),
    Column("variant", String(40)),
    Column("value", Float),
    Column("threshold", Float),
    Column("withheld_reason", Text),
    Column("weak_evidence", Text),
    Column("change_kind", String(8), nullable=False),
    Column("change", JSON(none_as_null=True)),
    Column("trend", JSON, nullable=False),
    Column("last_lvef_percent", Float),
    Column("last_echo_at", UtcDateTime),
    Column("last_ecg_at", UtcDateTime),
    Column("n_ecgs", Integer, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("next_reason", Text, nullable=False),
    Column("folded", Boolean, nullable=False),
    Column("folded_reason", Text, nullable=False),
    # Sort keys without NULL, because the two databases order NULL differently; larger comes first.
    Column("sort_change", Float, nullable=False),
    Column("sort_level", Float, nullable=False),
    Column("sort_ecg", Float, nullable=False),
    Index("ix_worklist_action", "group_rank", "sort_change", "patient"),
    Index("ix_worklist_change", "sort_change", "patient"),
    Index("ix_worklist_level", "sort_level", "patient"),
    Index("ix_worklist_ecg", "sort_ecg", "patient"),
    Index("ix_worklist_code", "code", "patient"),
)
