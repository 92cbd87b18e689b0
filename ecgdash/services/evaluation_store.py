"""Evaluate what the store holds: its pairs, scored from its stored logits."""

from collections.abc import Mapping, Sequence

import numpy as np

from ecgdash.domain import FamilyCard, Prediction, TimelinePoint
from ecgdash.errors import NotFound
from ecgdash.inference.history import HistoryTerm, mean_score
from ecgdash.services.evaluation_histories import Subject, pair_rows
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools, Floats, PairTable
from ecgdash.services.evaluation_simulated import table_of_rows
from ecgdash.services.monitoring import timeline
from ecgdash.store import Store

__all__ = ["HeldEcgs", "held_ecgs", "store_pairs"]


def store_pairs(store: Store, card: FamilyCard, terms: Mapping[str, HistoryTerm]) -> PairTable:
    """Return all pairs of the store with the scores of one family.

    ECGs whose score is missing or of other weights take no part; `counts` says how many.

    Raises
    ------
    NotFound
        If the store holds no ECG scored by this family.
    """
    held = held_ecgs(store, card)
    table = _table(held, terms)
    counts = {"n_ecgs": held.n_ecgs, "n_ecgs_without_score": held.n_ecgs - len(held.logits)}
    simulated = card.trained_on_simulated or store.any_simulated()
    details = {"data": "the store", "n_patients": len(held.subjects), "counts": counts}
    return PairTable(**{**vars(table), **details, "simulated": simulated})


def held_ecgs(store: Store, card: FamilyCard, variants: Sequence[str] | None = None) -> "HeldEcgs":
    """Return all patients with what one family has stored of them.

    Parameters
    ----------
    store : Store
    card : FamilyCard
    variants : sequence of str, optional
        Whose logits are wanted; all of the card's by default.

    Raises
    ------
    NotFound
        If the store holds no ECG scored by this family.
    """
    held = HeldEcgs(card, variants or [one.variant for one in card.variants])
    for key in store.patient_keys():
        held.take(store, key)
    if not held.logits:
        raise NotFound(
            f"no stored ECG is scored by {card.family}",
            todo="Run 'python -m ecgdash score --all' first",
        )
    return held


class HeldEcgs:
    """What the store holds, patient by patient.

    Attributes
    ----------
    subjects : list of Subject
    logits : dict of str to ndarray, shape (n_variants, n_crops)
        Without history, by ECG key, of the variants that are wanted.
    members : dict of str to ndarray of bool, shape (len(SUBGROUP_KEYS),)
        By ECG key.
    n_ecgs : int
        Those without a score included.
    """

    def __init__(self, card: FamilyCard, variants: Sequence[str]) -> None:
        self.card, self.variants = card, tuple(variants)
        self.subjects: list[Subject] = []
        self.logits: dict[str, Floats] = {}
        self.members: dict[str, Bools] = {}
        self.n_ecgs = 0

    def take(self, store: Store, patient_key: str) -> None:
        """Add one patient's scored ECGs, echoes and subgroups."""
        predictions = store.predictions_of(patient_key)
        ecgs = store.ecgs_of(patient_key)
        self.n_ecgs += len(ecgs)
        refs = []
        for ecg in ecgs:
            made = predictions.get(ecg.key, {}).get(self.card.family)
            if made is None or ecg.ref is None or not ecg.gate.analysable or self._stale(made):
                continue
            refs.append(ecg.ref)
            self.logits[ecg.key] = np.array([made.base_logits[name] for name in self.variants])
        course = timeline(store, patient_key, [self.card])
        ages = {ecg.key: ecg.age_years for ecg in ecgs}
        for point in course.points:
            self.members[point.ecg] = _members(point, ages.get(point.ecg), course.patient.sex)
        self.subjects.append(Subject(patient_key, refs, store.echoes_of(patient_key)))

    def _stale(self, made: Prediction) -> bool:
        """Whether a prediction is of other weights than the family's, or of fewer variants."""
        origin = made.provenance
        lacking = set(self.variants) - set(made.base_logits)
        return origin is None or origin.weights_sha256 != self.card.weights_sha256 or bool(lacking)


def _table(held: HeldEcgs, terms: Mapping[str, HistoryTerm]) -> PairTable:
    card, logits = held.card, held.logits
    names = [variant.variant for variant in card.variants]
    plain = names.index("uncalibrated")
    scores = {key: float(mean_score(values[plain])) for key, values in logits.items()}
    rows = pair_rows(held.subjects, scores)
    n_crops = next(iter(logits.values())).shape[-1]
    base = np.array([logits[row.ecg] for row in rows]).reshape(len(rows), len(names), n_crops)
    members = np.array([held.members[row.ecg] for row in rows], dtype=bool)
    return table_of_rows(
        rows, base, members.reshape(len(rows), len(SUBGROUP_KEYS)), (card, terms), seed=0
    )


def _members(point: TimelinePoint, age_years: float | None, sex: str | None) -> Bools:
    from ecgdash.labels.subgroups import subgroups_of

    held = subgroups_of(point.flags, age_years, sex)
    return np.array([key in held for key in SUBGROUP_KEYS], dtype=bool)
