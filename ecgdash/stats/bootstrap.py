"""Bootstrap over patients, who may contribute several ECGs.

Whole patients are drawn with replacement. Every replicate is a vector of
patient multiplicities, which turns the replicates' AUROCs into weighted
AUROCs over scores that are sorted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.domain import Estimate
from ecgdash.errors import InvalidValue
from ecgdash.stats._validation import Bools, Floats, checked
from ecgdash.stats.roc import auroc_value

__all__ = [
    "ResampledAurocs",
    "bootstrap_auroc",
    "bootstrap_auroc_contrast",
    "bootstrap_auroc_difference",
    "resampled_aurocs",
]

_ELEMENTS_AT_ONCE = 4_000_000


def bootstrap_auroc(
    y: ArrayLike,
    score: ArrayLike,
    patient: ArrayLike,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return the AUROC with a percentile 95 % interval over resampled patients.

    Parameters
    ----------
    y : array-like of bool or 0/1, shape (n,)
    score : array-like of float, shape (n,)
        Higher is worse.
    patient : array-like, shape (n,)
        Whose ECG each row is.
    n_replicates : int
    seed : int

    Returns
    -------
    Estimate
        NaN limits where a replicate without cases or controls is no exception
        (more than 5 % of them).
    """
    labels, scores = checked(y, score)
    replicates = _replicates(labels, (scores,), _clusters(patient, labels), n_replicates, seed)
    return _percentile(auroc_value(labels, scores), replicates[0])


def bootstrap_auroc_difference(
    y: ArrayLike,
    scores: tuple[ArrayLike, ArrayLike],
    patient: ArrayLike,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return AUROC of the first score minus that of the second, over resampled patients.

    Both scores are evaluated on the same draw of patients; percentile 95 % interval.
    See `bootstrap_auroc`.
    """
    return bootstrap_auroc_contrast(
        y, scores, (1.0, -1.0), patient, n_replicates=n_replicates, seed=seed
    )


def bootstrap_auroc_contrast(
    y: ArrayLike,
    scores: Sequence[ArrayLike],
    factors: Sequence[float],
    patient: ArrayLike,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return a weighted sum of the AUROCs of several scores of the same ECGs.

    With factors (1, -1, -1, 1) it says by how much the gain of the first score over the second
    exceeds that of the third over the fourth. See `bootstrap_auroc_difference`.

    Parameters
    ----------
    scores : sequence of array-like, each of shape (n,)
    factors : sequence of float
        One per score.
    """
    drawn = resampled_aurocs(y, scores, patient, n_replicates=n_replicates, seed=seed)
    return drawn.contrast(factors)


@dataclass(frozen=True, eq=False)
class ResampledAurocs:
    """AUROCs of several scores, and of the same draws of patients.

    Attributes
    ----------
    values : ndarray, shape (n_scores,)
    replicates : ndarray, shape (n_scores, n_replicates)
    """

    values: Floats
    replicates: Floats

    def contrast(self, factors: Sequence[float]) -> Estimate:
        """Return the sum of the AUROCs times these factors, with its percentile 95 % interval."""
        weights = np.asarray(factors, dtype=np.float64)
        return _percentile(float(weights @ self.values), weights @ self.replicates)


def resampled_aurocs(
    y: ArrayLike,
    scores: Sequence[ArrayLike],
    patient: ArrayLike,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> ResampledAurocs:
    """Draw patients once for many contrasts of the same scores; see `bootstrap_auroc_contrast`."""
    labels, first = checked(y, scores[0])
    known = (first, *(checked(y, score)[1] for score in scores[1:]))
    replicates = _replicates(labels, known, _clusters(patient, labels), n_replicates, seed)
    values = np.array([auroc_value(labels, score) for score in known])
    return ResampledAurocs(values, replicates)


def _clusters(patient: ArrayLike, labels: Bools) -> NDArray[np.intp]:
    ids = np.asarray(patient)
    if ids.shape != labels.shape:
        raise InvalidValue(f"{ids.shape} patient ids for {labels.shape} ECGs")
    return np.unique(ids, return_inverse=True)[1]


def _replicates(
    labels: Bools,
    scores: tuple[Floats, ...],
    cluster: NDArray[np.intp],
    n_replicates: int,
    seed: int,
) -> Floats:
    """Return AUROCs of all replicates, shape (n_scores, n_replicates)."""
    rng = np.random.default_rng(seed)
    if labels.size == 0:
        return np.full((len(scores), n_replicates), np.nan)
    n_clusters = int(cluster.max()) + 1
    at_once = max(1, _ELEMENTS_AT_ONCE // labels.size)
    parts = []
    for start in range(0, n_replicates, at_once):
        rows = min(at_once, n_replicates - start)
        draws = rng.multinomial(n_clusters, np.full(n_clusters, 1.0 / n_clusters), size=rows)
        weights = draws.astype(np.float64)[:, cluster]
        parts.append(np.stack([_weighted_auroc(labels, score, weights) for score in scores]))
    return np.concatenate(parts, axis=1)


def _weighted_auroc(labels: Bools, score: Floats, weights: Floats) -> Floats:
    """Return the AUROC of each row of weights, shape (rows,); NaN where a class is missing."""
    order = np.argsort(score, kind="stable")
    starts = np.append(0, np.flatnonzero(np.diff(score[order])) + 1)
    sorted_weights = weights[:, order]
    cases = np.add.reduceat(np.where(labels[order], sorted_weights, 0.0), starts, axis=1)
    controls = np.add.reduceat(np.where(labels[order], 0.0, sorted_weights), starts, axis=1)
    below = np.cumsum(controls, axis=1) - controls / 2.0
    pairs = cases.sum(axis=1) * controls.sum(axis=1)
    with np.errstate(invalid="ignore"):
        area: Floats = (cases * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    return area


def _percentile(value: float, replicates: Floats) -> Estimate:
    defined = replicates[~np.isnan(replicates)]
    if defined.size < 0.95 * replicates.size or defined.size == 0:
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(defined, (0.025, 0.975))
    return Estimate(value, float(low), float(high))
