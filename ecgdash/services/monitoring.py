"""Following patients: timeline, change, worklist, summary; each part is a module of its own."""

from ecgdash.domain.ecg import EcgRecord
from ecgdash.services.changes import best_common_variant, change_between
from ecgdash.services.families import active_order, cards_by_lead_set, rivals
from ecgdash.services.next_steps import RULES, NextStep, next_step, situation_of
from ecgdash.services.summaries import (
    Summary,
    change_words,
    echo_sentence,
    summary,
    variant_name,
    weak_evidence,
)
from ecgdash.services.timelines import find_patient, no_model, timeline
from ecgdash.services.worklists import choose_family, refresh_worklist, worklist, worklist_row
from ecgdash.store import Store, StoredEcg, StoredPatient, WorklistQuery

__all__ = [
    "RULES",
    "NextStep",
    "StoredEcg",
    "StoredPatient",
    "Summary",
    "WorklistQuery",
    "active_order",
    "best_common_variant",
    "cards_by_lead_set",
    "change_between",
    "change_words",
    "choose_family",
    "ecg_facts",
    "ecg_record",
    "echo_sentence",
    "find_patient",
    "next_step",
    "no_model",
    "refresh_worklist",
    "rivals",
    "situation_of",
    "summary",
    "timeline",
    "variant_name",
    "weak_evidence",
    "worklist",
    "worklist_row",
]


def ecg_record(store: Store, ecg_key: str) -> EcgRecord:
    """Return a stored ECG with its waveform; raises `NotFound`."""
    return store.record(ecg_key)


def ecg_facts(store: Store, ecg_key: str) -> StoredEcg:
    """Return a stored ECG without its waveform; raises `NotFound`."""
    return store.ecg(ecg_key)
