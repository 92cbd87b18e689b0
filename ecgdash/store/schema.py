"""The tables, in types that SQLite and PostgreSQL share.

Only `migrations/` creates or alters them; this module is what queries are
written against, and a test compares the two. The tables stand by subject in
`schema_*.py`; import them from here, where `metadata` knows them all.
"""

from typing import Final

from ecgdash.store.schema_base import metadata
from ecgdash.store.schema_ecgs import ecg_evidence, ecgs, waveforms
from ecgdash.store.schema_imports import import_links, import_rows, import_runs
from ecgdash.store.schema_patients import actions, diagnoses, echoes, patient_names, patients
from ecgdash.store.schema_scores import active_families, attributions, predictions
from ecgdash.store.schema_work import jobs, worklist
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

SCHEMA_HEAD: Final = "0008"
"""Newest migration (tested against the migrations folder)."""
