"""A cart's labels and statements, from measurements only.

The rules stand in the table `ecgdash.labels.table`. The first phase of training learns
these labels; no more is known to it than what a cart would have printed from the noisy
waveform.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.labels.spec import LabelSpec
from ecgdash.labels.table import LABEL_NAMES, LABELS
from ecgdash.signal.measure import Measurements

__all__ = ["LABELS", "LABEL_NAMES", "LabelSpec", "labels_batch", "statements_batch"]

_Bool = NDArray[np.bool_]

_SAID_BY: Final = {
    "SINUS": ("SINUS_BRADYCARDIA", "SINUS_TACHYCARDIA"),
    "PVC": ("FREQUENT_PVC", "BIGEMINY"),
    "FREQUENT_PVC": ("BIGEMINY",),
}
"""Label -> labels whose statement says it too, so that a cart prints only theirs."""

_RHYTHMS: Final = (
    "SINUS", "AFIB", "AFL", "SVT", "VT", "JUNCTIONAL", "ECTOPIC_ATRIAL", "PACED",
)  # fmt: skip
"""One of these names the rhythm; without any the cart prints that it is undetermined."""


def labels_batch(
    measurements: Measurements, sex: Sequence[str | None] | NDArray[np.str_] | None = None
) -> _Bool:
    """Work out every label.

    Parameters
    ----------
    measurements : Measurements
        Of n records.
    sex : sequence of {"male", "female", None}, optional
        Of the n records; None: unknown for all.

    Returns
    -------
    ndarray of bool, shape (n, 46)
        In the order of `LABEL_NAMES`.
    """
    given = [None] * len(measurements) if sex is None else list(sex)
    is_male = np.array([value == "male" for value in given], dtype=bool)
    is_female = np.array([value == "female" for value in given], dtype=bool)
    columns = [spec.rule(measurements, is_male, is_female) for spec in LABELS]
    return np.stack(columns, axis=-1)


def statements_batch(
    measurements: Measurements,
    sex: Sequence[str | None] | NDArray[np.str_] | None = None,
    age_years: NDArray[np.floating] | None = None,
) -> list[tuple[str, ...]]:
    """Return what a cart would print for each record, rhythm first.

    `ecgdash.labels.statements.affirmed_findings` reads the same labels back, except those
    that a cart gives as a number only (QRS>140, QRS>160, QTC>480, HR>100) or never says
    (T_CONCORDANT_WIDE).

    Parameters
    ----------
    measurements : Measurements
        Of n records.
    sex : sequence of {"male", "female", None}, optional
    age_years : ndarray, shape (n,), optional
        No criterion in use depends on the age; accepted so that one that does
        changes no caller.
    """
    del age_years
    held = labels_batch(measurements, sex)
    printed = _printed(held)
    named = _any_of(held, _RHYTHMS)
    out = []
    for has_rhythm, row in zip(named, printed, strict=True):
        found = [LABELS[i].statement for i in np.flatnonzero(row)]
        out.append(tuple(found if has_rhythm else ["Undetermined rhythm", *found]))
    return out


def _printed(held: _Bool) -> _Bool:
    """Return the labels whose own statement is printed."""
    out = held & np.array([bool(spec.statement) for spec in LABELS])
    for name, others in _SAID_BY.items():
        out[:, LABEL_NAMES.index(name)] &= ~_any_of(held, others)
    return np.asarray(out)


def _any_of(held: _Bool, names: Sequence[str]) -> _Bool:
    return np.asarray(held[:, [LABEL_NAMES.index(name) for name in names]].any(axis=-1))
