"""Rank correlation."""

import numpy as np
from numpy.typing import ArrayLike

from ecgdash.errors import InvalidValue

__all__ = ["rank_correlation"]


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's rank correlation, ties at their mean rank.

    Parameters
    ----------
    a, b : array_like
        Of one shape; taken in order, whatever the shape. Finite.

    Returns
    -------
    float
        In [-1, 1]; NaN with fewer than two values, or where one side does not vary.

    Raises
    ------
    InvalidValue
        If the shapes differ.
    """
    from scipy.stats import rankdata

    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise InvalidValue(f"cannot correlate shapes {left.shape} and {right.shape}")
    x, y = (rankdata(side.ravel()) for side in (left, right))
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
