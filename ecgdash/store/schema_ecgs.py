"""ECGs, their waveforms, and what their flags are made of."""

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
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from ecgdash.store.schema_base import metadata, patient_link
from ecgdash.store.utc import UtcDateTime

__all__ = ["ecg_evidence", "ecgs", "waveforms"]

ecgs = Table(
    "ecgs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    patient_link(),
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
