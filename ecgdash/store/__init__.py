"""The store: the only place that speaks SQL. Everything else hands over domain objects."""

from ecgdash.store.ecgs import PreparedEcg, prepare
from ecgdash.store.objects import (
    Findings,
    ImportOutcome,
    ImportRow,
    Job,
    StoredEcg,
    StoredPatient,
    Undone,
    WorklistChange,
    WorklistOrder,
    WorklistQuery,
)
from ecgdash.store.store import Store, open_store

__all__ = [
    "Findings",
    "ImportOutcome",
    "ImportRow",
    "Job",
    "PreparedEcg",
    "Store",
    "StoredEcg",
    "StoredPatient",
    "Undone",
    "WorklistChange",
    "WorklistOrder",
    "WorklistQuery",
    "open_store",
    "prepare",
]
