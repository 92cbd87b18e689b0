"""Evaluate a family on simulated patients: cohort, ECG scores, pairs, table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ecgdash.domain import FamilyCard
from ecgdash.domain.pairs import PAIRING_WINDOW_DAYS
from ecgdash.inference.history import HistoryTerm, mean_score
from ecgdash.services.evaluation_ecgs import EcgScores, EcgWork, score_ecgs
from ecgdash.services.evaluation_histories import (
    PairRow,
    Subject,
    control_scores,
    pair_rows,
    variant_scores,
)
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools, Floats, PairTable
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients

__all__ = ["SimulatedSource", "needed_ecgs", "simulated_pairs", "table_of_rows"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class SimulatedSource:
    """Which patients to simulate and how to go about it.

    Attributes
    ----------
    n_patients : int
        Of the plain cohort.
    seed : int
    enrich : mapping of str to int
        Patients added by subgroup key; they count in that subgroup only.
    cache_dir : Path or None
        Where scores of ECGs are kept for the next evaluation.
    workers : int
        Processes.
    site : str
        Key of `ecgdash.simulate.people.SITES`: A is where the shipped families were trained.
    """

    n_patients: int
    seed: int
    enrich: Mapping[str, int] = field(default_factory=dict)
    cache_dir: Path | None = None
    workers: int = 1
    site: str = "A"

    def cohort(self) -> SimulatedCohort:
        """Draw the patients, without any waveform."""
        return simulate_patients(self.n_patients, self.seed, dict(self.enrich), self.site)


def simulated_pairs(
    source: SimulatedSource,
    work: EcgWork,
    card: FamilyCard,
    terms: Mapping[str, HistoryTerm],
    on_progress: Progress | None = None,
) -> PairTable:
    """Simulate the patients, score what their pairs need, and return the pairs.

    Parameters
    ----------
    source : SimulatedSource
    work : EcgWork
        What is computed for an ECG, and by which family.
    card, terms : FamilyCard, mapping of str to HistoryTerm
        Of the same family.
    on_progress : callable, optional
        Told sentences such as "1024 of 30110 ECGs".
    """
    cohort = source.cohort()
    which = needed_ecgs(cohort)
    ecgs = score_ecgs(source, cohort, which, work, on_progress or (lambda _: None))
    names = [variant.variant for variant in card.variants]
    uncalibrated = mean_score(ecgs.base_logits[:, names.index("uncalibrated")])
    usable = which & ecgs.analysable
    scores = {f"e{i}": float(uncalibrated[i]) for i in np.flatnonzero(usable)}
    rows = pair_rows((subject_of(cohort, i, usable) for i in range(cohort.n_patients)), scores)
    index = np.array([int(row.ecg[1:]) for row in rows], dtype=np.int64)
    table = table_of_rows(
        rows, ecgs.base_logits[index], ecgs.members[index], (card, terms), source.seed
    )
    plain = int((cohort.enriched_as == "").sum())
    details: Mapping[str, object] = {
        "data": _description(source),
        "n_patients": plain,
        "counts": _counts(cohort, which, ecgs),
        "seeds": (source.seed,),
        "simulated": True,
    }
    return PairTable(**{**vars(table), **details})


def subject_of(cohort: SimulatedCohort, patient: int, usable: Bools) -> Subject:
    """Return one simulated patient as pairing needs them."""
    refs = [ref for ref in cohort.ecg_refs(patient) if usable[int(ref.key[1:])]]
    return Subject(
        cohort.patient_id(patient),
        refs,
        cohort.echo_studies(patient),
        str(cohort.enriched_as[patient]),
    )


def needed_ecgs(cohort: SimulatedCohort) -> Bools:
    """Return the ECGs that pairs and their histories can need, shape (n_ecgs,).

    Those within reach of an echo, and for patients with several pairs all
    before the last one: the masked history takes ECGs without an echo too.
    """
    needed = np.zeros(cohort.n_ecgs, dtype=bool)
    reach_s = (PAIRING_WINDOW_DAYS + 1) * 86_400
    for patient in range(cohort.n_patients):
        rows = np.array(cohort.ecgs_of(patient))
        echoes = cohort.echo_studies(patient)
        if rows.size == 0 or not echoes:
            continue
        times = cohort.recorded_at_s[rows]
        at = np.array([study.performed_at.timestamp() for study in echoes])
        needed[rows] = (np.abs(times[:, None] - at[None, :]) <= reach_s).any(axis=1)
        if needed[rows].sum() > 1:
            needed[rows[: np.flatnonzero(needed[rows]).max() + 1]] = True
    return needed


def table_of_rows(
    rows: list[PairRow],
    base_logits: Floats,
    members: Bools,
    family: tuple[FamilyCard, Mapping[str, HistoryTerm]],
    seed: int,
) -> PairTable:
    """Score the rows and put them into a table.

    Parameters
    ----------
    rows : list of PairRow
    base_logits : ndarray, shape (n_rows, n_variants, n_crops)
    members : ndarray of bool, shape (n_rows, len(SUBGROUP_KEYS))
    family : (FamilyCard, mapping of str to HistoryTerm)
    seed : int
        Of the shuffled controls.
    """
    card, terms = family
    scores = variant_scores(rows, base_logits, card, terms)
    points = {variant.variant: variant.youden for variant in card.variants}
    points["masked_pairs"] = points.get("masked", points["uncalibrated"])
    return PairTable(
        data="",
        patient=np.array([row.subject.name for row in rows], dtype=str),
        follow_up=np.array([row.follow_up for row in rows], dtype=bool),
        lvef_percent=np.array([row.lvef_percent for row in rows], dtype=float),
        scores=scores,
        thresholds={name: np.full(len(rows), points[name].value) for name in scores},
        n_patients=len({row.subject.name for row in rows}),
        origins={name: _origin(card, name) for name in scores},
        subgroups={key: members[:, i] for i, key in enumerate(SUBGROUP_KEYS) if key != "all"},
        controls=control_scores(rows, base_logits, card, terms, seed=seed),
        family=card.family,
        enriched_as=np.array([row.subject.enriched_as for row in rows], dtype=str),
        label=card.label,
    )


def _origin(card: FamilyCard, name: str) -> str:
    point = card.variant("masked" if name == "masked_pairs" else name).youden
    return (
        f"{point.value:.4f}, Youden on {point.data} (n {point.n}, prevalence "
        f"{point.prevalence:.3f}; there sensitivity {point.sensitivity:.3f}, "
        f"specificity {point.specificity:.3f})"
    )


def _description(source: SimulatedSource) -> str:
    extra = ", ".join(f"{count} added for {key}" for key, count in source.enrich.items())
    where = "" if source.site == "A" else f" of the shifted site {source.site}"
    return f"{source.n_patients} simulated patients{where}, seed {source.seed}" + (
        f" ({extra}: they count in that subgroup only)" if extra else ""
    )


def _counts(cohort: SimulatedCohort, which: Bools, ecgs: EcgScores) -> dict[str, int]:
    n_echoes = int(cohort.echoes.patient.size)
    return {
        "patients_simulated": cohort.n_patients,
        "ecgs_simulated": cohort.n_ecgs,
        "echoes": n_echoes,
        "ecgs_scored": int(which.sum()),
        "ecgs_withheld_by_the_gate": int((which & ~ecgs.analysable).sum()),
    }
