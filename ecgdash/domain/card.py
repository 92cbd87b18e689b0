"""What a card states beside thresholds: probability map, repeatability, training data, a check.

Measured when a family is packaged; kept in `card.json` and drawn on the models page.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ecgdash.domain.estimate import Estimate

__all__ = ["ProbabilityMap", "ReliabilityPoint", "Repeatability", "SelfCheck", "TrainingPart"]


@dataclass(frozen=True)
class ReliabilityPoint:
    """One group of patients with like probabilities.

    Attributes
    ----------
    mean : float
        Mean mapped probability of the group, in [0, 1].
    observed : Estimate
        Share with the label, with its Clopper-Pearson 95 % interval.
    n : int
    """

    mean: float
    observed: Estimate
    n: int


@dataclass(frozen=True)
class ProbabilityMap:
    """A map from score to probability: logit(probability) = intercept + slope * logit(score).

    Fitted on one set of patients and measured on another; it holds at the prevalence of those
    patients. Platt's map; the paper has none: our choice, because a score is not a probability.

    Attributes
    ----------
    slope, intercept : float
        Of the map.
    fitted_on, measured_on : str
        Which patients, in words.
    n_fitted, n_positive_fitted, n, n_positive : int
        Pairs the map was fitted on, and those it was measured on.
    brier : float
        Of the mapped probabilities on the latter, in [0, 1]; lower is better.
    brier_of_scores : float
        Of the scores as they come, on the same pairs.
    calibration_slope, calibration_intercept : float
        Of the mapped probabilities on the pairs measured; 1 and 0 are ideal.
    ece : float
        Expected calibration error over `reliability`, in [0, 1]; lower is better.
    reliability : tuple of ReliabilityPoint
        Groups of equal size, ascending.
    """

    slope: float
    intercept: float
    fitted_on: str
    n_fitted: int
    n_positive_fitted: int
    measured_on: str
    n: int
    n_positive: int
    brier: float
    brier_of_scores: float
    calibration_slope: float
    calibration_intercept: float
    ece: float
    reliability: tuple[ReliabilityPoint, ...]


@dataclass(frozen=True)
class Repeatability:
    """How far the score of a stable patient moves from one ECG to the next.

    Attributes
    ----------
    data : str
        Which patients and which pairs of ECGs, in words.
    n_pairs, n_patients : int
    mean_difference_logit : float
        Later minus earlier.
    lower_logit, upper_logit : float
        95 % limits of agreement (Bland and Altman): mean -/+ 1.96 standard deviations.
    ccc : Estimate
        Lin's concordance correlation coefficient of the logits, in [-1, 1].
    kappa : Estimate
        Cohen's kappa of "above the Youden threshold", in [-1, 1].
    share_of_other_side : float
        Share of pairs whose ECGs lie on different sides of the threshold.
    points : tuple of (float, float)
        Some pairs' mean and difference, logits, for the plot.
    """

    data: str
    n_pairs: int
    n_patients: int
    mean_difference_logit: float
    lower_logit: float
    upper_logit: float
    ccc: Estimate
    kappa: Estimate
    share_of_other_side: float
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class TrainingPart:
    """What one phase of the training learned from.

    Attributes
    ----------
    phase : str
        "pretrain", "finetune" or "recalibrate".
    split : str
        "train", "validation" or "test".
    n, n_patients : int
        ECGs (phase 1) or pairs, and whose.
    n_positive : int or None
        With the label; None where a phase has many labels.
    """

    phase: str
    split: str
    n: int
    n_patients: int
    n_positive: int | None


@dataclass(frozen=True)
class SelfCheck:
    """A score that `models verify` computes again: of a simulated ECG, so no patient's.

    Attributes
    ----------
    n_patients, seed, row : int
        Of the simulated cohort, and the ECG's row in it.
    waveform_sha256 : str
        Of the simulated waveform; another one means another simulator.
    logits : mapping of str to tuple of float
        Without history, by variant, one per crop.
    """

    n_patients: int
    seed: int
    row: int
    waveform_sha256: str
    logits: Mapping[str, tuple[float, ...]]
