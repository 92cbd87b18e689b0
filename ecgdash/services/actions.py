"""Marks on a patient: an echo was ordered, or the latest ECG was acknowledged."""

from collections.abc import Sequence
from datetime import datetime

from ecgdash.domain.model import FamilyCard
from ecgdash.domain.timeline import ActionKind
from ecgdash.errors import NotFound
from ecgdash.services.timelines import timeline
from ecgdash.services.worklists import refresh_worklist
from ecgdash.store import Store

__all__ = ["mark", "undo"]


def mark(
    store: Store, patient_key: str, kind: ActionKind, now: datetime, cards: Sequence[FamilyCard]
) -> None:
    """Mark a patient's latest dated ECG as acted on, and write the worklist row anew.

    Raises
    ------
    NotFound
        If the patient has no ECG with a date.
    """
    with store.transaction():
        points = timeline(store, patient_key, cards).points
        if not points:
            raise NotFound("the patient has no ECG with a date", todo="Import one")
        store.add_action(patient_key, kind, points[-1].ecg, now)
        refresh_worklist(store, cards, [patient_key])


def undo(store: Store, patient_key: str, cards: Sequence[FamilyCard]) -> bool:
    """Take the latest mark back and write the worklist row anew; return whether there was one."""
    with store.transaction():
        undone = store.undo_action(patient_key)
        refresh_worklist(store, cards, [patient_key])
    return undone
