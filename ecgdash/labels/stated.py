"""The 46 labels as a cart's output gives them: statements first, numbers where they decide.

`ecgdash.labels.cart` works the same labels out from measurements alone; this is what a
hospital's own ECGs bring instead (paper 000: "free-text diagnostic statements and ECG numerical
values").
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.labels.english import english_part, sentences_of
from ecgdash.labels.flags import Known, flags_of, qtc_of
from ecgdash.labels.statements import affirmed_findings, uncertain_findings, unread_parts
from ecgdash.labels.table import LABEL_NAMES, LABELS
from ecgdash.signal.delineation import is_measurable
from ecgdash.signal.measure import measure

__all__ = ["MEASURED_ONLY", "WIDE_QRS_MS", "are_read", "measured_only", "stated_labels"]

MEASURED_ONLY: Final = "T_CONCORDANT_WIDE"
"""The one label that no cart prints, in words or as a number: it is measured on the waveform."""

WIDE_QRS_MS: Final = 120.0
"""Below, `MEASURED_ONLY` cannot hold (AHA 2009)."""

_NUMBERS: Final = ("qrs_ms", "heart_rate_bpm")
"""Without these the labels "QRS>140", "QRS>160" and "HR>100" are unknown."""

_BY_FLAG: Final = {"PR>200": "PR>200", "QRS>140": "QRS>140", "LONG_QTC": "long_QTc"}
"""Label -> flag whose rule for numbers it takes."""


def are_read(statements: Sequence[str]) -> bool:
    """Tell whether statements say anything that is understood.

    Parameters
    ----------
    statements : sequence of str

    Returns
    -------
    bool
        True where a finding is named, affirmed or considered, or where every part is known to
        name none ("Normal ECG"). False without statements, and for those in another language.
    """
    if affirmed_findings(statements) or uncertain_findings(statements):
        return True
    english = [text for text in statements if english_part(sentences_of(text))]
    return bool(english) and not unread_parts(english)


def stated_labels(
    statements: Sequence[str],
    measurements: Mapping[str, float],
    measured: Mapping[str, float],
    sex: str | None,
) -> NDArray[np.bool_] | None:
    """Return every label of one ECG but `MEASURED_ONLY`, or None where they are unknown.

    A label holds if a statement affirms it; one of numbers, if the number is beyond its limit.
    A cart that prints statements says what it finds, so what it does not say is taken as
    absent, and so is what it only considers ("possible"): our choice, the paper does not state
    it. An ECG without statements says nothing of the kind, and neither does one whose
    statements are not understood or whose QRS duration or rate nobody measured: its labels are
    unknown, not absent, and None is returned. A QT that was not found sets no label.

    Parameters
    ----------
    statements : sequence of str
        The cart's or over-reader's.
    measurements, measured : mapping of str to float
        Keys of `MEASUREMENT_KEYS`: the cart's values, and ours for what it left out.
    sex : {"male", "female"} or None
        Unknown: no LONG_QTC by number.

    Returns
    -------
    ndarray of bool, shape (46,), or None
        In the order of `LABEL_NAMES`.
    """
    values = {**measured, **measurements}
    if not are_read(statements) or any(name not in values for name in _NUMBERS):
        return None
    held = set(affirmed_findings(statements))
    flags = {flag.name for flag in flags_of(Known(statements, measurements, measured, sex))}
    held |= {label for label, flag in _BY_FLAG.items() if flag in flags}
    qtc = qtc_of(values)[0]
    by_number = {
        "QRS>160": values["qrs_ms"] > 160.0,
        "HR>100": values["heart_rate_bpm"] > 100.0,
        "QTC>480": qtc is not None and qtc > 480.0,
    }
    held |= {name for name, holds in by_number.items() if holds}
    held.discard(MEASURED_ONLY)
    return np.array([name in held for name in LABEL_NAMES], dtype=bool)


def measured_only(record: EcgRecord) -> bool:
    """Tell whether `MEASURED_ONLY` holds for a record, by our measurements of its waveform."""
    if not is_measurable(record):
        return False
    spec = LABELS[LABEL_NAMES.index(MEASURED_ONLY)]
    sex = np.array([record.sex], dtype=object)
    return bool(spec.rule(measure(record), sex == "male", sex == "female")[0])
