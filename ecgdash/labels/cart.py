"""A cart's labels and statements, from measurements only.

`LABELS` is the one table: name, the statement in MUSE's English (empty where
a cart prints a number instead), the criterion's source, and the rule. The
first phase of training learns these labels; no more is known to it than what a
cart would have printed from the noisy waveform.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.labels import criteria as c
from ecgdash.signal.measure import Measurements

__all__ = ["LABELS", "LABEL_NAMES", "LabelSpec", "labels_batch", "statements_batch"]

_Bool = NDArray[np.bool_]
_Rule = Callable[[Measurements, _Bool, _Bool], _Bool]


@dataclass(frozen=True)
class LabelSpec:
    """One binary label.

    Attributes
    ----------
    name : str
    statement : str
        What a cart prints; empty: it prints only the number.
    source : str
        Key of the criterion's source in `ecgdash.labels.criteria`.
    rule : callable
        (measurements, is_male, is_female) -> boolean array over records.
    """

    name: str
    statement: str
    source: str
    rule: _Rule


def _plain(rule: Callable[[Measurements], _Bool]) -> _Rule:
    return lambda m, _male, _female: rule(m)


def _above(name: str, limit: float) -> _Rule:
    return lambda m, _male, _female: np.asarray(getattr(m, name) > limit)


def _below(name: str, limit: float) -> _Rule:
    return lambda m, _male, _female: np.asarray(getattr(m, name) < limit)


def _in(rule: Callable[[Measurements, str], _Bool], region: str) -> _Rule:
    return lambda m, _male, _female: rule(m, region)


LABELS: Final[tuple[LabelSpec, ...]] = (
    LabelSpec("PACED", "Electronic ventricular pacemaker", "measured", _plain(c.paced)),
    LabelSpec("AFIB", "Atrial fibrillation", "measured", _plain(c.fibrillation)),
    LabelSpec("AFL", "Atrial flutter", "measured", _plain(c.flutter)),
    LabelSpec("AF_OR_AFL", "", "measured", _plain(lambda m: c.fibrillation(m) | c.flutter(m))),
    LabelSpec("JUNCTIONAL", "Junctional rhythm", "measured", _plain(c.junctional)),
    LabelSpec("SINUS", "", "measured", _plain(c.sinus)),
    LabelSpec("HR>100", "", "AHA 2009", _above("heart_rate_bpm", 100.0)),
    LabelSpec("HR<60", "", "AHA 2009", _below("heart_rate_bpm", 60.0)),
    LabelSpec("PR>200", "with 1st degree A-V block", "AHA 2009", _plain(c.first_degree_block)),
    LabelSpec(
        "PVC",
        "with occasional Premature ventricular complexes",
        "measured",
        _above("pvc_count", 0),
    ),
    LabelSpec(
        "PAC",
        "with occasional Premature atrial complexes",
        "measured",
        _plain(lambda m: c.sinus(m) & (m.pac_count > 0)),
    ),
    LabelSpec("LEFT_AXIS", "Left axis deviation", "AHA 2009", _plain(c.left_axis)),
    LabelSpec("RIGHT_AXIS", "Right axis deviation", "AHA 2009", _plain(c.right_axis)),
    LabelSpec("LOW_VOLTAGE", "Low voltage QRS", "AHA 2009", _plain(c.low_voltage)),
    LabelSpec("LBBB", "Left bundle branch block", "AHA 2009", _plain(c.lbbb)),
    LabelSpec("RBBB", "Right bundle branch block", "AHA 2009", _plain(c.rbbb)),
    LabelSpec("LAFB", "Left anterior fascicular block", "AHA 2009", _plain(c.lafb)),
    LabelSpec("IVCD", "Nonspecific intraventricular conduction delay", "AHA 2009", _plain(c.ivcd)),
    LabelSpec("QRS>120", "", "AHA 2009", _above("qrs_ms", 120.0)),
    LabelSpec("QRS>140", "", "paper 000", _above("qrs_ms", 140.0)),
    LabelSpec("QRS>160", "", "our choice", _above("qrs_ms", 160.0)),
    LabelSpec(
        "LVH",
        "Voltage criteria for left ventricular hypertrophy",
        "Sokolow 1949, Cornell 1985",
        lambda m, _male, female: c.lvh(m, female),
    ),
    LabelSpec("DEEP_S_V1_V2", "", "our choice", _plain(c.deep_right_s)),
    LabelSpec(
        "LEFT_ATRIAL", "Possible Left atrial enlargement", "Morris 1964", _plain(c.left_atrial)
    ),
    LabelSpec("POOR_R", "Poor R wave progression", "Zema 1979", _plain(c.poor_r_progression)),
    LabelSpec(
        "Q_ANTERIOR", "Anterior infarct, age undetermined", "UDMI 2018", _in(c.q_waves, "anterior")
    ),
    LabelSpec(
        "Q_INFERIOR", "Inferior infarct, age undetermined", "UDMI 2018", _in(c.q_waves, "inferior")
    ),
    LabelSpec(
        "Q_LATERAL", "Lateral infarct, age undetermined", "UDMI 2018", _in(c.q_waves, "lateral")
    ),
    LabelSpec("ST_DEPRESSION", "ST depression", "UDMI 2018", _plain(c.st_depressed)),
    LabelSpec("ST_ELEVATION", "ST elevation", "UDMI 2018", _plain(c.st_elevated)),
    LabelSpec(
        "T_ANTERIOR",
        "T wave abnormality, consider anterior ischemia",
        "UDMI 2018",
        _in(c.t_inverted, "anterior"),
    ),
    LabelSpec(
        "T_LATERAL",
        "T wave abnormality, consider lateral ischemia",
        "UDMI 2018",
        _in(c.t_inverted, "lateral"),
    ),
    LabelSpec(
        "T_INFERIOR",
        "T wave abnormality, consider inferior ischemia",
        "UDMI 2018",
        _in(c.t_inverted, "inferior"),
    ),
    LabelSpec("T_FLAT", "Nonspecific T wave abnormality", "AHA 2009", _plain(c.t_flat_lateral)),
    LabelSpec("T_CONCORDANT_WIDE", "", "AHA 2009", _plain(c.t_concordant_in_wide)),
    LabelSpec("LONG_QTC", "Prolonged QT", "paper 000", c.long_qtc),
    LabelSpec("QTC>480", "", "our choice", _above("qtc_ms", 480.0)),
)
"""In the order in which the statements are printed."""

LABEL_NAMES: Final = tuple(spec.name for spec in LABELS)


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
    ndarray of bool, shape (n, len(LABELS))
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
    printed = [i for i, spec in enumerate(LABELS) if spec.statement]
    texts = [LABELS[i].statement for i in printed]
    rhythm = _sinus_statements(measurements, held)
    out = []
    for first, row in zip(rhythm, held[:, printed], strict=True):
        found = [texts[i] for i in np.flatnonzero(row)]
        out.append(tuple([first, *found] if first else found))
    return out


def _sinus_statements(m: Measurements, held: _Bool) -> list[str]:
    """Name the rhythm where a consistent P wave leads it; "" where another statement does."""
    is_sinus = held[:, LABEL_NAMES.index("SINUS")]
    others = [LABEL_NAMES.index(name) for name in ("PACED", "AFIB", "AFL", "JUNCTIONAL")]
    named = held[:, others].any(axis=-1)
    rate = np.nan_to_num(m.heart_rate_bpm)
    by_rate = np.where(
        rate > 100.0,
        "Sinus tachycardia",
        np.where(rate < 60.0, "Sinus bradycardia", "Sinus rhythm"),
    )
    texts = np.where(is_sinus, by_rate, np.where(named, "", "Undetermined rhythm"))
    return [str(text) for text in texts]
