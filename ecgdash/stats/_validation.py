"""The one check that every statistic makes on its input."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.errors import InvalidValue

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def checked(y: ArrayLike, score: ArrayLike) -> tuple[Bools, Floats]:
    """Return labels as bool and scores as float64, both of shape (n,).

    Raises
    ------
    InvalidValue
        If the shapes differ, a label is neither 0 nor 1, or a score is NaN.
    """
    labels = np.asarray(y)
    scores = np.asarray(score, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise InvalidValue(
            f"labels of shape {labels.shape} do not fit scores of shape {scores.shape}",
            accepted="Expected two vectors of the same length",
        )
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise InvalidValue("a label is neither 0 nor 1", accepted="Accepted: 0, 1, False, True")
    if np.isnan(scores).any():
        raise InvalidValue(
            f"{int(np.isnan(scores).sum())} scores are NaN",
            todo="Leave out the ECGs without a score and report how many they are",
        )
    return labels.astype(bool), scores


def both_classes(labels: Bools) -> bool:
    """Whether there is at least one case and one control."""
    return bool(labels.any() and not labels.all())
