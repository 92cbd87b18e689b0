"""How far scores are from being probabilities: Brier score, calibration line, Platt's map."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgdash.domain.card import ReliabilityPoint
from ecgdash.stats._validation import Bools, Floats, both_classes, checked
from ecgdash.stats.proportions import proportion

__all__ = [
    "CalibrationLine",
    "brier",
    "calibration_line",
    "expected_calibration_error",
    "platt_mapped",
    "reliability_bins",
    "reliability_points",
]

_CLIP = 1e-6
_MAX_STEPS = 50


class CalibrationLine(NamedTuple):
    """Logistic recalibration of a score (Cox 1958; Steyerberg, Epidemiology 2010;21:128).

    Attributes
    ----------
    slope : float
        1 is ideal; below 1 the scores are too extreme.
    intercept : float
        Of the line with that slope.
    in_the_large : float
        Intercept with the slope held at 1; below 0 the scores are too high.
    """

    slope: float
    intercept: float
    in_the_large: float


def brier(y: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean squared distance of probabilities in [0, 1] from the labels."""
    labels, values = checked(y, probability)
    return float(np.mean((values - labels) ** 2)) if labels.size else float("nan")


def calibration_line(y: ArrayLike, probability: ArrayLike) -> CalibrationLine:
    """Fit logit P(y) = intercept + slope * logit(probability).

    Expects probabilities, not logits; they are clipped to [1e-6, 1 - 1e-6].
    NaN without both classes, or where the classes do not overlap.

    Fitted to scores, slope and intercept are Platt's map (Advances in Large Margin
    Classifiers, 1999), without his smoothing of the labels; see `platt_mapped`.
    """
    labels, values = checked(y, probability)
    if not both_classes(labels):
        return CalibrationLine(float("nan"), float("nan"), float("nan"))
    logit = _logit(values)
    ones = np.ones_like(logit)
    line = _fit(labels, np.column_stack([ones, logit]), np.zeros_like(logit))
    shift = _fit(labels, ones[:, None], logit)
    return CalibrationLine(float(line[1]), float(line[0]), float(shift[0]))


def platt_mapped(score: ArrayLike, slope: float, intercept: float) -> Floats:
    """Return probabilities: logit(probability) = intercept + slope * logit(score).

    Parameters
    ----------
    score : array-like of float, any shape
        In [0, 1]; clipped to [1e-6, 1 - 1e-6].
    slope, intercept : float
        Of a `calibration_line` that was fitted on other patients.

    Returns
    -------
    ndarray of float64, in (0, 1)
    """
    with np.errstate(over="ignore"):
        mapped: Floats = 1.0 / (
            1.0 + np.exp(-(intercept + slope * _logit(np.asarray(score, dtype=np.float64))))
        )
    return mapped


def expected_calibration_error(y: ArrayLike, probability: ArrayLike, n_bins: int = 10) -> float:
    """Return the mean distance of observed share and mean probability, in [0, 1].

    Over groups of equal size (Nixon and others, CVPR Workshops 2019), weighted by their size:
    groups of equal width would hold next to no patients at most probabilities.
    """
    bins = reliability_bins(y, probability, n_bins)
    n = sum(size for _, _, size in bins)
    return sum(abs(mean - share) * size for mean, share, size in bins) / n if n else float("nan")


def reliability_points(
    y: ArrayLike, probability: ArrayLike, n_bins: int = 10
) -> tuple[ReliabilityPoint, ...]:
    """Return the groups of `reliability_bins`, the shares with Clopper-Pearson intervals."""
    return tuple(
        ReliabilityPoint(mean, proportion(round(share * n), n), n)
        for mean, share, n in reliability_bins(y, probability, n_bins)
    )


def reliability_bins(
    y: ArrayLike, probability: ArrayLike, n_bins: int = 10
) -> list[tuple[float, float, int]]:
    """Return (mean probability, observed share, n) of groups of equal size, ascending."""
    labels, values = checked(y, probability)
    order = np.argsort(values, kind="stable")
    groups = [group for group in np.array_split(order, n_bins) if group.size]
    return [(float(values[g].mean()), float(labels[g].mean()), int(g.size)) for g in groups]


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, _CLIP, 1.0 - _CLIP)
    logit: Floats = np.log(clipped / (1.0 - clipped))
    return logit


def _fit(labels: Bools, design: Floats, offset: Floats) -> Floats:
    """Newton's method for a logistic regression; NaN where it does not settle."""
    beta = np.zeros(design.shape[1])
    for _ in range(_MAX_STEPS):
        with np.errstate(over="ignore"):
            fitted = 1.0 / (1.0 + np.exp(-(design @ beta + offset)))
        hessian = design.T @ (design * (fitted * (1.0 - fitted))[:, None])
        try:
            step = np.linalg.solve(hessian, design.T @ (labels - fitted))
        except np.linalg.LinAlgError:
            break
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return beta
    return np.full(design.shape[1], np.nan)
