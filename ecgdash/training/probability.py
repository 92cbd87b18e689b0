"""The map from score to probability: fitted on some patients, measured on others.

The paper has none and reads its output as a likelihood. A net trained on one mix of patients
is not calibrated on another, so ours says so: Platt's map, two numbers, because a few hundred
cases do not carry a freer curve.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.card import ProbabilityMap
from ecgdash.stats import (
    brier,
    calibration_line,
    expected_calibration_error,
    platt_mapped,
    reliability_points,
)

__all__ = ["LabelledScores", "probability_map"]

MIN_PAIRS: Final = 100
"""Pairs below which a map is not measured, and so not stated."""

N_GROUPS: Final = 10


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Pairs of some patients.

    Attributes
    ----------
    words : str
        Which pairs of which patients.
    lvsd : ndarray of bool, shape (n,)
    scores : ndarray, shape (n,)
        In [0, 1].
    """

    words: str
    lvsd: NDArray[np.bool_]
    scores: NDArray[np.float64]

    @property
    def n_positive(self) -> int:
        """Pairs with LVSD."""
        return int(self.lvsd.sum())


def probability_map(fitted: LabelledScores, measured: LabelledScores) -> ProbabilityMap | None:
    """Fit the map on some pairs and measure it on those of other patients.

    Returns
    -------
    ProbabilityMap or None
        None if there are fewer than 100 pairs to measure it on, a class is missing on either
        side, or no line can be fitted.
    """
    n = measured.lvsd.size
    if n < MIN_PAIRS or measured.n_positive in (0, n):
        return None
    line = calibration_line(fitted.lvsd, fitted.scores)
    if not np.isfinite([line.slope, line.intercept]).all():
        return None
    mapped = platt_mapped(measured.scores, line.slope, line.intercept)
    after = calibration_line(measured.lvsd, mapped)
    return ProbabilityMap(
        slope=line.slope,
        intercept=line.intercept,
        fitted_on=fitted.words,
        n_fitted=int(fitted.lvsd.size),
        n_positive_fitted=fitted.n_positive,
        measured_on=measured.words,
        n=int(n),
        n_positive=measured.n_positive,
        brier=brier(measured.lvsd, mapped),
        brier_of_scores=brier(measured.lvsd, measured.scores),
        calibration_slope=after.slope,
        calibration_intercept=after.intercept,
        ece=expected_calibration_error(measured.lvsd, mapped, N_GROUPS),
        reliability=reliability_points(measured.lvsd, mapped, N_GROUPS),
    )
