"""A scorer's pairs with their histories, from the store or from simulated patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, EcgRef, FamilyCard
from ecgdash.domain.pairs import form_pairs, recalibrated_history
from ecgdash.inference.history import encode_histories, mean_score
from ecgdash.services.evaluation_histories import PairRow, Subject, pair_rows
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools, Floats, cases_of
from ecgdash.services.evaluation_simulated import SimulatedSource, subject_of
from ecgdash.services.evaluation_store import held_ecgs
from ecgdash.services.history_scores import FamiliesWork, simulated_scores
from ecgdash.store import Store
from ecgdash.training.courses import Course
from ecgdash.training.history_only import HistoryExamples, HistoryFit, fold_of
from ecgdash.training.recalibrate import CoursePairs
from ecgdash.training.repeats import RepeatPairs, repeat_pairs

if TYPE_CHECKING:
    from ecgdash.services.evaluation_ecgs import EcgScores
    from ecgdash.simulate.cohort import SimulatedCohort

__all__ = [
    "ScoredPatients",
    "ScorerPairs",
    "base_card",
    "pairs_of",
    "repeats_of",
    "simulated_pairs_of",
    "store_pairs_of",
]


@dataclass(frozen=True, eq=False)
class ScoredPatients:
    """Patients and what a scorer says of their ECGs.

    Attributes
    ----------
    subjects : sequence of Subject
        Their names are distinct.
    logits : mapping of str to ndarray, shape (n_crops,)
        Without history, by ECG key.
    members : mapping of str to ndarray of bool, shape (len(SUBGROUP_KEYS),)
        By ECG key.
    """

    subjects: Sequence[Subject]
    logits: Mapping[str, Floats]
    members: Mapping[str, Bools]


@dataclass(frozen=True, eq=False)
class ScorerPairs:
    """A scorer's pairs, with histories that hold its own scores.

    Attributes
    ----------
    card : FamilyCard
        Of the scorer, with its uncalibrated variant alone.
    patients : ScoredPatients
    rows : sequence of PairRow
    logits : ndarray, shape (n, n_crops)
        Without history.
    members : ndarray of bool, shape (n, len(SUBGROUP_KEYS))
    words : str
        What the patients are: "patients of the store".
    """

    card: FamilyCard
    patients: ScoredPatients
    rows: Sequence[PairRow]
    logits: Floats
    members: Bools
    words: str
    n_patients: int
    simulated: bool
    counts: Mapping[str, int]
    seeds: tuple[int, ...] = ()

    @property
    def cases(self) -> Bools:
        """Cases by the scorer's own label, shape (n,)."""
        return cases_of(self.card.label, np.array([row.lvef_percent for row in self.rows]))

    @property
    def with_history(self) -> Bools:
        """Rows that have a history of pairs, shape (n,); all are follow-up pairs."""
        return np.array([row.histories[RECALIBRATED] is not None for row in self.rows], dtype=bool)

    @property
    def names(self) -> list[str]:
        """Whose each row is."""
        return [row.subject.name for row in self.rows]

    def examples(self) -> HistoryExamples:
        """Return the follow-up pairs that have a history, to fit on."""
        there = self.with_history
        histories = [row.histories[RECALIBRATED] for row in self.rows]
        known = [history for history in histories if history is not None]
        return HistoryExamples(
            self.logits[there].mean(axis=1),
            encode_histories(known, RECALIBRATED),
            self.cases[there],
            np.array(self.names, dtype=str)[there],
        )


def base_card(card: FamilyCard) -> FamilyCard:
    """Return the card with its uncalibrated variant alone."""
    return replace(card, variants=(card.variant(UNCALIBRATED),))


def pairs_of(
    card: FamilyCard, patients: ScoredPatients, words: str, details: Mapping[str, int]
) -> ScorerPairs:
    """Form the pairs of real patients, by the rules of the timeline.

    Parameters
    ----------
    details : mapping of str to int
        Counts for the report.
    """
    scores = {key: float(mean_score(values)) for key, values in patients.logits.items()}
    rows = pair_rows(patients.subjects, scores)
    n_crops = next(iter(patients.logits.values())).shape[-1] if patients.logits else 1
    members = np.array([patients.members[row.ecg] for row in rows], dtype=bool)
    return ScorerPairs(
        card=base_card(card),
        patients=patients,
        rows=rows,
        logits=np.array([patients.logits[row.ecg] for row in rows]).reshape(-1, n_crops),
        members=members.reshape(len(rows), len(SUBGROUP_KEYS)),
        words=words,
        n_patients=len(patients.subjects),
        simulated=False,
        counts=details,
    )


def store_pairs_of(store: Store, card: FamilyCard) -> ScorerPairs:
    """Return a scorer's pairs from the predictions and echoes of the store.

    Raises
    ------
    NotFound
        If the store holds no ECG scored by this family.
    """
    held = held_ecgs(store, card, [UNCALIBRATED])
    logits = {key: values[0] for key, values in held.logits.items()}
    counts = {"n_ecgs": held.n_ecgs, "n_ecgs_without_score": held.n_ecgs - len(logits)}
    patients = ScoredPatients(held.subjects, logits, held.members)
    found = pairs_of(card, patients, "patients of the store", counts)
    return replace(found, simulated=card.trained_on_simulated or store.any_simulated())


def simulated_pairs_of(
    sources: Sequence[SimulatedSource],
    cards: Sequence[FamilyCard],
    models_dir: Path,
    on_progress: Callable[[str], None],
) -> list[tuple[ScorerPairs, Floats]]:
    """Simulate patients and return each family's pairs, of the same ECGs.

    Parameters
    ----------
    sources : sequence of SimulatedSource
        Their patients are taken together.
    cards : sequence of FamilyCard
        Of families that the engine runs.
    models_dir : Path
    on_progress : callable
        Told sentences.

    Returns
    -------
    list of (ScorerPairs, ndarray of shape (n, n_variants, n_crops))
        In the order of the cards; the array is of all the card's own variants.
    """
    work = FamiliesWork(tuple(cards), models_dir)
    seeds = [
        (source, *simulated_scores(source, work, _told(on_progress, source.seed)))
        for source in sources
    ]
    found = []
    first = 0
    for card in cards:
        last = first + len(card.variants)
        found.append(_of_family(seeds, card, slice(first, last)))
        first = last
    return found


def _told(tell: Callable[[str], None], seed: int) -> Callable[[str], None]:
    return lambda text: tell(f"seed {seed}: {text}")


def _of_family(
    seeds: "Sequence[tuple[SimulatedSource, SimulatedCohort, EcgScores]]",
    card: FamilyCard,
    own: slice,
) -> tuple[ScorerPairs, Floats]:
    plain = [variant.variant for variant in card.variants].index(UNCALIBRATED)
    subjects: list[Subject] = []
    logits: dict[str, Floats] = {}
    members: dict[str, Bools] = {}
    for source, cohort, ecgs in seeds:
        usable = ecgs.analysable & ~np.isnan(ecgs.base_logits[:, 0, 0])
        subjects += [_named(subject_of(cohort, i, usable), source.seed)
                     for i in range(cohort.n_patients)]  # fmt: skip
        for i in np.flatnonzero(usable):
            key = f"{source.seed}:e{i}"
            logits[key], members[key] = ecgs.base_logits[i, own], ecgs.members[i]
    told = ", ".join(f"{source.seed} ({source.n_patients:,} patients)" for source, *_ in seeds)
    counts = {
        "ecgs_scored": sum(int((~np.isnan(e.base_logits[:, 0, 0])).sum()) for *_, e in seeds),
        "ecgs_analysable": len(logits),
    }
    patients = ScoredPatients(subjects, {k: v[plain] for k, v in logits.items()}, members)
    found = pairs_of(card, patients, f"simulated patients, seeds {told}", counts)
    found = replace(found, simulated=True, seeds=tuple(source.seed for source, *_ in seeds))
    every = np.array([logits[row.ecg] for row in found.rows])
    return found, every.reshape(len(found.rows), len(card.variants), -1)


def _named(subject: Subject, seed: int) -> Subject:
    """Return the patient under keys that no other seed has."""
    refs: list[EcgRef] = [replace(ref, key=f"{seed}:{ref.key}") for ref in subject.ecgs]
    return replace(subject, name=f"{seed}:{subject.name}", ecgs=refs)


def repeats_of(data: ScorerPairs, fit: HistoryFit) -> RepeatPairs:
    """Return the patients' repeat ECGs, scored by the term that never saw the patient.

    Parameters
    ----------
    data : ScorerPairs
        What the fit was made on.
    fit : HistoryFit
    """
    keys = list(data.patients.logits)
    number = {key: str(i) for i, key in enumerate(keys)}  # a course names ECGs by their row
    logits = np.array([data.patients.logits[key] for key in keys])
    known = {number[key]: float(mean_score(data.patients.logits[key])) for key in keys}
    courses = [_course(subject, number) for subject in data.patients.subjects]
    histories = {
        ref.key: history
        for one in courses
        for ref in one.course.refs
        if (history := recalibrated_history(ref, one.pairs, known)) is not None
    }
    n_folds = len(fit.folds)
    parts = []
    for k, fold in enumerate(fit.folds):
        own = [one for one in courses if fold_of(one.course.patient_id, n_folds) == k]
        parts.append(repeat_pairs(own, logits, histories, fold.term))
    scores = np.concatenate([part.scores for part in parts])
    whose = tuple(name for part in parts for name in part.patients)
    return RepeatPairs(scores, whose, with_history=True)


def _course(subject: Subject, number: Mapping[str, str]) -> CoursePairs:
    refs = [replace(ref, key=number[ref.key]) for ref in subject.ecgs if ref.key in number]
    refs.sort(key=lambda ref: (ref.recorded_at, ref.key))
    course = Course(subject.name, tuple(refs), tuple(subject.echoes))
    return CoursePairs(course, tuple(form_pairs(course.refs, course.echoes)))
