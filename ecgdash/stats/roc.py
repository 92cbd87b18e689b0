"""Areas under ROC and precision-recall curves, with DeLong's variance and paired test.

The variance follows DeLong, DeLong and Clarke-Pearson (Biometrics 1988;44:837)
in the O(n log n) form of Sun and Xu (IEEE Signal Process Lett 2014;21:1389),
which gets the placement values from midranks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgdash.domain import Estimate
from ecgdash.stats._validation import Bools, Floats, both_classes, checked

__all__ = [
    "DeLong",
    "auprc",
    "auroc",
    "auroc_value",
    "delong_interval",
    "delong_test",
    "delong_variance",
]


class DeLong(NamedTuple):
    """Paired comparison of two AUROCs on the same cases.

    Attributes
    ----------
    difference : float
        AUROC of the first score minus that of the second.
    z : float
        Difference over its standard error; 0 where two scores rank alike.
    p : float
        Two-sided.
    """

    difference: float
    z: float
    p: float


def auroc(y: ArrayLike, score: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the AUROC with DeLong's interval, clipped to [0, 1].

    Parameters
    ----------
    y : array-like of bool or 0/1, shape (n,)
        True for a case.
    score : array-like of float, shape (n,)
        Higher means more likely a case; only the ranks count.
    level : float
        Of the two-sided interval.

    Returns
    -------
    Estimate
        All NaN where there is no case or no control; ties count one half.
    """
    labels, scores = checked(y, score)
    if not both_classes(labels):
        return Estimate(float("nan"), float("nan"), float("nan"))
    value, variance = _value_and_variance(labels, scores)
    reach = _normal_quantile(0.5 + level / 2.0) * np.sqrt(variance)
    return Estimate(value, float(max(value - reach, 0.0)), float(min(value + reach, 1.0)))


def auroc_value(y: ArrayLike, score: ArrayLike) -> float:
    """Return the AUROC alone; NaN where there is no case or no control."""
    labels, scores = checked(y, score)
    if not both_classes(labels):
        return float("nan")
    return float(_placements(labels, scores)[0].mean())


def delong_variance(y: ArrayLike, score: ArrayLike) -> float:
    """Return DeLong's variance of the AUROC; NaN with fewer than 2 cases or 2 controls."""
    return _value_and_variance(*checked(y, score))[1]


def delong_test(y: ArrayLike, a: ArrayLike, b: ArrayLike) -> DeLong:
    """Compare the AUROCs of two scores of the same ECGs.

    The test takes the ECGs as independent; where patients contribute several,
    `ecgdash.stats.bootstrap_auroc_difference` respects it.

    Parameters
    ----------
    y : array-like of bool or 0/1, shape (n,)
    a, b : array-like of float, shape (n,)
        Scores of the same ECGs in the same order, higher is worse.

    Returns
    -------
    DeLong
        AUROC of `a` minus AUROC of `b`; NaN with fewer than 2 cases or 2 controls.
    """
    difference, variance = _difference_and_variance(y, a, b)
    if difference == 0.0 and variance == 0.0:
        return DeLong(0.0, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        z = float(np.divide(difference, np.sqrt(variance)))
    return DeLong(difference, z, _two_sided_p(z))


def delong_interval(y: ArrayLike, a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the AUROC of `a` minus that of `b` with DeLong's interval (not clipped)."""
    difference, variance = _difference_and_variance(y, a, b)
    reach = float(_normal_quantile(0.5 + level / 2.0) * np.sqrt(variance))
    return Estimate(difference, difference - reach, difference + reach)


def auprc(y: ArrayLike, score: ArrayLike) -> float:
    """Return average precision: sum of precision times the step in recall.

    Tied scores form one step (scikit-learn's `average_precision_score`); no
    interpolation between points. NaN without a case. Depends on prevalence:
    never compare it across populations.
    """
    labels, scores = checked(y, score)
    if not labels.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), labels.size - 1)
    hits = np.cumsum(labels[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / hits[-1])


def _difference_and_variance(y: ArrayLike, a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    labels, first = checked(y, a)
    _, second = checked(y, b)
    if not both_classes(labels):
        return float("nan"), float("nan")
    cases_a, controls_a = _placements(labels, first)
    cases_b, controls_b = _placements(labels, second)
    difference = float(cases_a.mean() - cases_b.mean())
    return difference, _variance(cases_a - cases_b, controls_a - controls_b)


def _value_and_variance(labels: Bools, scores: Floats) -> tuple[float, float]:
    if not both_classes(labels):
        return float("nan"), float("nan")
    cases, controls = _placements(labels, scores)
    return float(cases.mean()), _variance(cases, controls)


def _variance(cases: Floats, controls: Floats) -> float:
    """Variance of a mean placement; works on differences of placements too."""
    if cases.size < 2 or controls.size < 2:
        return float("nan")
    return float(cases.var(ddof=1) / cases.size + controls.var(ddof=1) / controls.size)


def _placements(labels: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Share of controls below each case, and of cases above each control."""
    cases, controls = scores[labels], scores[~labels]
    ranks = _midranks(scores)
    of_cases = (ranks[labels] - _midranks(cases)) / controls.size
    of_controls = 1.0 - (ranks[~labels] - _midranks(controls)) / cases.size
    return of_cases, of_controls


def _midranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    midrank: Floats = (ends - (counts - 1) / 2.0)[group]
    return midrank


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _two_sided_p(z: float) -> float:
    from scipy.special import ndtr

    return float(2.0 * ndtr(-abs(z)))
