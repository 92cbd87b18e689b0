"""The 15 numbers of a patient's LVEF history that PULSE-HF reads beside the ECG.

Order and definitions are those of its training (the public code's `config.yaml` and
`data_processing.py`), not of its public notebook, in which two pairs of numbers are swapped.
We do otherwise in two places: the echo paired with the ECG is its label and is left out (DESIGN
decision 4), and the first LVEF counts only if it was measured before the ECG (in the training
table it could lie after it).
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from ecgdash.domain.patient import Diagnosis

__all__ = ["PULSE_HF_FEATURES", "heart_failure_since", "pulse_hf_features"]

PULSE_HF_FEATURES: Final = (
    "days_since_diagnosis",
    "initial_lvef",
    "preceding_lvef",
    "support",
    "mean",
    "min",
    "max",
    "std",
    "range",
    "any_hfref",
    "all_hfref",
    "any_hfpef",
    "all_hfpef",
    "any_hfmref",
    "all_hfmref",
)
"""LVEF in %, days as days, the rest counts and 0 or 1; what is missing is 0."""

_FIRST_DAY, _LAST_DAY = 2, 365
_REDUCED_PERCENT, _PRESERVED_PERCENT = 40.0, 50.0
_CODES: Final = ("I50", "428")
"""Heart failure in ICD-10 and ICD-9; the source looks for the words in names of diagnoses."""


def heart_failure_since(diagnoses: Sequence[Diagnosis]) -> date | None:
    """Return the day of the first diagnosis of heart failure; None: none is known."""
    days = [
        found.recorded_on
        for found in diagnoses
        if found.code_system.upper().startswith("ICD")
        and found.code.upper().replace(".", "").startswith(_CODES)
    ]
    return min(days, default=None)


def pulse_hf_features(
    day: date | None, echoes: Sequence[tuple[date, float]], since: date | None
) -> tuple[float, ...]:
    """Return the 15 numbers of one ECG.

    Parameters
    ----------
    day : date or None
        Local day of the ECG; None: undated, and every number is 0.
    echoes : sequence of (date, float)
        Local day and LVEF in % of the patient's echoes, in order of time; those that label the
        ECG left out.
    since : date or None
        Of the first diagnosis of heart failure. LVEFs before it do not count (as in training);
        None: all count, and `days_since_diagnosis` is 0.

    Returns
    -------
    tuple of float, length 15
        In the order of `PULSE_HF_FEATURES`.
    """
    if day is None:
        return (0.0,) * len(PULSE_HF_FEATURES)
    diagnosed = since is not None and since <= day
    before = [
        (when, lvef) for when, lvef in echoes if when < day and (since is None or when >= since)
    ]
    recent = np.array(
        [lvef for when, lvef in before if _FIRST_DAY <= (day - when).days <= _LAST_DAY]
    )
    found = [
        float((day - since).days) if diagnosed and since is not None else 0.0,
        before[0][1] if before else 0.0,
        before[-1][1] if before else 0.0,
        float(recent.size),
    ]
    if not recent.size:
        return (*found, *([0.0] * 11))
    groups = (
        recent <= _REDUCED_PERCENT,
        recent >= _PRESERVED_PERCENT,
        (recent > _REDUCED_PERCENT) & (recent < _PRESERVED_PERCENT),
    )
    found += [recent.mean(), recent.min(), recent.max()]
    found += [recent.std(ddof=1) if recent.size > 1 else 0.0, np.ptp(recent)]
    found += [float(which) for group in groups for which in (group.any(), group.all())]
    return tuple(float(value) for value in found)
