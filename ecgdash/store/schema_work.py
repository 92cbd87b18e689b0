"""What is derived and can be made again: the worklist, and the jobs that run."""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from ecgdash.store.schema_base import metadata
from ecgdash.store.utc import UtcDateTime

__all__ = ["jobs", "worklist"]

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
    # What families that judge another question said, beside the row's own.
    Column("others", JSON, nullable=False, server_default="[]"),
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
