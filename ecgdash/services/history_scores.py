"""Simulated ECGs scored by several families at once, for what histories need and no more."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, LEADS_OF_SET, FamilyCard
from ecgdash.domain.pairs import PAIRING_WINDOW_DAYS
from ecgdash.services.evaluation_ecgs import EcgPart, EcgScores, score_ecgs
from ecgdash.services.evaluation_family import judged
from ecgdash.services.evaluation_pairs import Bools
from ecgdash.services.evaluation_simulated import SimulatedSource
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = ["FamiliesWork", "follow_up_ecgs", "simulated_scores"]

_SAMPLING_HZ = 250.0
_DAY_S = 86_400


@dataclass(frozen=True)
class FamiliesWork:
    """Score ECGs by several installed families, so that a waveform is simulated only once.

    Attributes
    ----------
    cards : tuple of FamilyCard
    models_dir : Path
    """

    cards: tuple[FamilyCard, ...]
    models_dir: Path

    @property
    def key(self) -> str:
        """Weights and preprocessing of all families, which decide the results."""
        told = [f"{c.family}/{c.weights_sha256}/{c.preprocessing_version}" for c in self.cards]
        return "follow-up/" + "/".join(told)

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Judge and score one batch; the families' variants one after another."""
        from ecgdash.signal.preprocess import preprocess_batch

        analysable, members = judged(batch, cohort)
        logits = []
        for card in self.cards:
            rows = [CANONICAL_LEADS.index(name) for name in LEADS_OF_SET[card.lead_set]]
            crops = preprocess_batch(batch.signal_mv[:, rows], _SAMPLING_HZ)
            engine = _engine(card.family, self.models_dir)
            logits.append(engine.base_logits_from_crops(crops))
        return EcgPart(batch.index, np.concatenate(logits, axis=1), analysable, members)


@lru_cache(maxsize=8)
def _engine(family: str, models_dir: Path) -> "Engine":
    """Load a family once a process."""
    from ecgdash.inference import Engine

    return Engine.load(family, "cpu", models_dir)


def follow_up_ecgs(cohort: SimulatedCohort) -> Bools:
    """Return the ECGs that follow-up pairs and their histories of pairs can need.

    Those within reach of an echo, of patients with two echoes and two such ECGs at least.

    Returns
    -------
    ndarray of bool, shape (n_ecgs,)
    """
    needed = np.zeros(cohort.n_ecgs, dtype=bool)
    for patient in range(cohort.n_patients):
        rows = np.array(cohort.ecgs_of(patient))
        echoes = cohort.echo_studies(patient)
        if rows.size < 2 or len(echoes) < 2:
            continue
        at = np.array([study.performed_at.timestamp() for study in echoes])
        away_s = np.abs(cohort.recorded_at_s[rows][:, None] - at[None, :])  # (n_ecgs, n_echoes)
        # a day more than the window, because days are counted by the calendar
        near = (away_s <= (PAIRING_WINDOW_DAYS + 1) * _DAY_S).any(axis=1)
        if near.sum() >= 2:
            needed[rows] = near
    return needed


def simulated_scores(
    source: SimulatedSource, work: FamiliesWork, on_progress: Callable[[str], None]
) -> tuple[SimulatedCohort, EcgScores]:
    """Simulate the patients of one seed and score what their follow-up pairs need.

    Parameters
    ----------
    source : SimulatedSource
    work : FamiliesWork
    on_progress : callable
        Told sentences.
    """
    cohort = source.cohort()
    return cohort, score_ecgs(source, cohort, follow_up_ecgs(cohort), work, on_progress)
