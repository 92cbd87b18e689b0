"""Exact intervals of proportions, and the accuracy of a test at a threshold."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgdash.domain import Estimate
from ecgdash.errors import InvalidValue
from ecgdash.stats._validation import both_classes, checked

__all__ = [
    "Accuracy",
    "Confusion",
    "accuracy_at",
    "clopper_pearson",
    "confusion_at",
    "predictive_estimates",
    "predictive_values",
    "proportion",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "threshold_at_sensitivity",
    "threshold_at_specificity",
    "youden_threshold",
]


class Confusion(NamedTuple):
    """Counts at a threshold; a score is positive when score >= threshold."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True)
class Accuracy:
    """Sensitivity, specificity and predictive values with Clopper-Pearson intervals."""

    confusion: Confusion
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of k successes in n trials.

    Clopper and Pearson (Biometrika 1934;26:404). (NaN, NaN) where n is 0.

    Raises
    ------
    InvalidValue
        If k or n is no whole number, k is not within 0..n, or the level is not
        a share.
    """
    if int(k) != k or int(n) != n or not 0 <= k <= n:
        raise InvalidValue(
            f"{k} successes in {n} trials", accepted="Accepted: whole numbers, 0 <= k <= n"
        )
    if not 0.0 < level < 1.0:
        raise InvalidValue(f"level {level} is not a share", accepted="Accepted: 0 < level < 1")
    if n == 0:
        return float("nan"), float("nan")
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1.0 - tail))
    return low, high


def proportion(k: int, n: int, level: float = 0.95) -> Estimate:
    """Return k/n with its Clopper-Pearson interval; all NaN where n is 0."""
    low, high = clopper_pearson(k, n, level)
    return Estimate(k / n if n else float("nan"), low, high)


def confusion_at(y: ArrayLike, score: ArrayLike, threshold: float) -> Confusion:
    """Count true and false positives and negatives; positive is score >= threshold."""
    labels, scores = checked(y, score)
    called = scores >= threshold
    tp, fp = int((called & labels).sum()), int((called & ~labels).sum())
    return Confusion(tp, fp, int(labels.sum()) - tp, int((~labels).sum()) - fp)


def accuracy_at(y: ArrayLike, score: ArrayLike, threshold: float, level: float = 0.95) -> Accuracy:
    """Return sensitivity, specificity, PPV and NPV at a threshold.

    PPV and NPV are those at the prevalence of these very data; for another
    prevalence see `predictive_values`.
    """
    count = confusion_at(y, score, threshold)
    return Accuracy(
        count,
        sensitivity=proportion(count.tp, count.tp + count.fn, level),
        specificity=proportion(count.tn, count.tn + count.fp, level),
        ppv=proportion(count.tp, count.tp + count.fp, level),
        npv=proportion(count.tn, count.tn + count.fn, level),
    )


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> tuple[float, float]:
    """Return (PPV, NPV) by Bayes' rule at a prevalence in [0, 1]; NaN where undefined."""
    called_ill = sensitivity * prevalence + (1.0 - specificity) * (1.0 - prevalence)
    called_well = specificity * (1.0 - prevalence) + (1.0 - sensitivity) * prevalence
    ppv = sensitivity * prevalence / called_ill if called_ill > 0 else float("nan")
    npv = specificity * (1.0 - prevalence) / called_well if called_well > 0 else float("nan")
    return ppv, npv


def predictive_estimates(
    sensitivity: Estimate, specificity: Estimate, prevalence: float
) -> tuple[Estimate, Estimate]:
    """Return (PPV, NPV) at a prevalence, with the range that both intervals leave open.

    Both values rise with sensitivity and with specificity, so the range runs
    from both lower limits to both upper limits. It is wider than a 95 %
    interval: our choice, because the joint distribution of published figures
    is not printed.

    Parameters
    ----------
    sensitivity, specificity : Estimate
        Each in [0, 1] with its own interval.
    prevalence : float
        Share of cases, 0 < prevalence < 1.

    Raises
    ------
    InvalidValue
        If the prevalence is not a share between 0 and 1.
    """
    if not 0.0 < prevalence < 1.0:
        raise InvalidValue(
            f"prevalence {prevalence} is not a share of people",
            accepted="Accepted: 0 < prevalence < 1",
        )
    value, low, high = (
        predictive_values(getattr(sensitivity, part), getattr(specificity, part), prevalence)
        for part in ("value", "low", "high")
    )
    return Estimate(value[0], low[0], high[0]), Estimate(value[1], low[1], high[1])


def youden_threshold(y: ArrayLike, score: ArrayLike) -> float:
    """Return the observed score that maximises sensitivity + specificity - 1.

    Compared in exact integers, so that true ties are ties; of several optima
    the lowest (the one with the highest sensitivity).

    Raises
    ------
    InvalidValue
        If there is no case or no control.
    """
    values, tp, fp = _counts_by_threshold(y, score)
    n_cases, n_controls = int(tp[0]), int(fp[0])
    index = tp * n_controls - fp * n_cases
    # `values` ascend, and argmax returns the first of equal maxima: the lowest.
    return float(values[int(np.argmax(index))])


def threshold_at_sensitivity(y: ArrayLike, score: ArrayLike, target: float) -> float:
    """Return the highest observed score at which sensitivity is at least `target`."""
    values, tp, _ = _counts_by_threshold(y, score)
    return float(values[np.flatnonzero(tp >= _at_least(target, int(tp[0])))[-1]])


def threshold_at_specificity(y: ArrayLike, score: ArrayLike, target: float) -> float:
    """Return the lowest threshold at which specificity is at least `target`.

    An observed score, or just above the highest one where none is enough.
    """
    values, _, fp = _counts_by_threshold(y, score)
    n_controls = int(fp[0])
    enough = np.flatnonzero(n_controls - fp >= _at_least(target, n_controls))
    return float(values[enough[0]]) if enough.size else float(np.nextafter(values[-1], np.inf))


def specificity_at_sensitivity(
    y: ArrayLike, score: ArrayLike, target: float = 0.9, level: float = 0.95
) -> Estimate:
    """Return the specificity where the threshold is set to reach a sensitivity.

    The threshold is set on these very data, so that scores with different
    thresholds compare at the same sensitivity. The interval takes the threshold
    as given. All NaN without a case or a control.
    """
    if not both_classes(checked(y, score)[0]):
        return Estimate(float("nan"), float("nan"), float("nan"))
    return accuracy_at(y, score, threshold_at_sensitivity(y, score, target), level).specificity


def sensitivity_at_specificity(
    y: ArrayLike, score: ArrayLike, target: float = 0.9, level: float = 0.95
) -> Estimate:
    """Return the sensitivity where the threshold is set to reach a specificity.

    As `specificity_at_sensitivity`, the other way round.
    """
    if not both_classes(checked(y, score)[0]):
        return Estimate(float("nan"), float("nan"), float("nan"))
    return accuracy_at(y, score, threshold_at_specificity(y, score, target), level).sensitivity


_Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


def _counts_by_threshold(y: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, _Ints, _Ints]:
    """Distinct scores ascending, with true and false positives at score >= each."""
    labels, scores = checked(y, score)
    if not both_classes(labels):
        raise InvalidValue(
            "a threshold needs at least one case and one control",
            where=f"{int(labels.sum())} cases among {labels.size} ECGs",
        )
    values, group = np.unique(scores, return_inverse=True)
    cases = np.bincount(group, weights=labels).astype(np.int64)
    controls = np.bincount(group, weights=~labels).astype(np.int64)
    return values, cases[::-1].cumsum()[::-1], controls[::-1].cumsum()[::-1]


def _at_least(target: float, n: int) -> int:
    """Smallest count whose share of n reaches the target, without rounding errors."""
    return ceil(Fraction(target).limit_denominator(1_000_000) * n)
