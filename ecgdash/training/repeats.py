"""How far a score moves between two ECGs of a heart that has not changed.

Two ECGs of two days, at most 14 days apart: within the window in which an echo counts as
simultaneous the heart is taken as stable; what differs is the recording and the day. The
paper measures nothing of the kind: our choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.card import Repeatability
from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.pairs import PAIRING_WINDOW_DAYS, History
from ecgdash.inference.history import HistoryTerm, logit, mean_score
from ecgdash.stats import cohens_kappa, concordance, limits_of_agreement
from ecgdash.stats.agreement import LIMITS_SD
from ecgdash.training.recalibrate import CoursePairs

__all__ = ["RepeatPairs", "noise_floor", "repeat_pairs", "repeatability"]

MIN_REPEATS: Final = 30
"""Repeat pairs below which nothing is stated."""

MAX_POINTS: Final = 400
"""Pairs that a card keeps for the plot."""


@dataclass(frozen=True, eq=False)
class RepeatPairs:
    """One variant's scores of pairs of ECGs.

    Attributes
    ----------
    scores : ndarray, shape (n, 2)
        Earlier and later.
    patients : tuple of str
        Whose each pair is; a patient may have several.
    with_history : bool
        Whether the variant takes a history: then both ECGs have the earlier one's.
    """

    scores: NDArray[np.float64]
    patients: tuple[str, ...]
    with_history: bool

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def logits(self) -> NDArray[np.float64]:
        """The scores' logits, shape (n, 2)."""
        return logit(self.scores)


def repeat_pairs(
    patients: Sequence[CoursePairs],
    logits: NDArray[np.float64],
    histories: Mapping[str, History],
    term: HistoryTerm | None,
) -> RepeatPairs:
    """Collect successive ECGs of two days, at most 14 days apart.

    Both are scored with the history of the earlier one: what a new slot adds is knowledge,
    not noise.

    Parameters
    ----------
    logits : ndarray, shape (n_ecgs, 3)
        Of the variant, without history.
    histories : mapping of str to History
        Of the variant, by ECG key.
    term : HistoryTerm or None
        Of the variant; None for one that takes no history.
    """
    scores, whose = [], []
    for patient in patients:
        refs = [ref for ref in patient.course.refs if ref.analysable]
        for earlier, later in zip(refs, refs[1:], strict=False):
            if not _is_repeat(earlier, later):
                continue
            shift = 0.0
            if term is not None:
                if earlier.key not in histories:
                    continue
                shift = term(histories[earlier.key])
            scores.append(mean_score(logits[[int(earlier.key), int(later.key)]] + shift))
            whose.append(patient.course.patient_id)
    values = np.array(scores, np.float64).reshape(-1, 2)
    return RepeatPairs(values, tuple(whose), with_history=term is not None)


def _is_repeat(earlier: EcgRef, later: EcgRef) -> bool:
    days = (later.local_day - earlier.local_day).days
    return 1 <= days <= PAIRING_WINDOW_DAYS


def noise_floor(repeats: RepeatPairs) -> float | None:
    """Return the half width of the 95 % limits of agreement, in logits; None below 30 pairs."""
    if len(repeats) < MIN_REPEATS:
        return None
    earlier, later = repeats.logits.T
    return float(LIMITS_SD * limits_of_agreement(earlier, later).sd)


def repeatability(repeats: RepeatPairs, threshold: float, words: str) -> Repeatability | None:
    """Describe the pairs; None below 30.

    The intervals of CCC and kappa are percentiles over 1000 draws of whole patients, because
    pairs of one patient are not independent.

    Parameters
    ----------
    threshold : float
        The variant's Youden threshold, a score.
    words : str
        Which patients.
    """
    if len(repeats) < MIN_REPEATS:
        return None
    earlier, later = repeats.logits.T
    limits = limits_of_agreement(earlier, later)
    above = repeats.scores >= threshold
    history = "; both scored with the earlier one's history" if repeats.with_history else ""
    return Repeatability(
        data=(
            f"successive ECGs of {words}, on two days at most {PAIRING_WINDOW_DAYS} days apart, "
            f"within which the heart is taken as stable{history}"
        ),
        n_pairs=len(repeats),
        n_patients=len(set(repeats.patients)),
        mean_difference_logit=limits.mean,
        lower_logit=limits.lower.value,
        upper_logit=limits.upper.value,
        ccc=concordance(earlier, later, repeats.patients),
        kappa=cohens_kappa(above[:, 0], above[:, 1], repeats.patients),
        share_of_other_side=float((above[:, 0] != above[:, 1]).mean()),
        points=_points(earlier, later),
    )


def _points(
    earlier: NDArray[np.float64], later: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Return mean and difference of at most 400 pairs, drawn with a fixed seed."""
    n = len(earlier)
    rows = np.arange(n)
    if n > MAX_POINTS:
        rows = np.sort(np.random.default_rng(0).choice(n, MAX_POINTS, replace=False))
    means, differences = (earlier + later) / 2.0, later - earlier
    return tuple((round(float(means[i]), 3), round(float(differences[i]), 3)) for i in rows)
