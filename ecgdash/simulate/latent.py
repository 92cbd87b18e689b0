"""The hidden truth of simulated patients: never a label, an input or a flag.

Nothing outside `ecgdash.simulate` may import this module (a test reads every
import of the tree): what the models learn from must be what a hospital holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FEATURES",
    "LatentCohort",
    "LatentCourses",
    "LatentHearts",
    "LatentPeople",
    "LatentVisits",
    "Table",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FEATURES: Final = (
    "qrs",
    "axis",
    "limb_voltage",
    "posterior_force",
    "r_progression",
    "t_wave",
    "p_wave",
    "heart_rate",
    "qtc",
    "ectopy",
    "st_segment",
    "fragmentation",
)
"""The twelve ways in which a heart shows in its ECG; columns of every feature array."""


@dataclass(frozen=True, eq=False)
class Table:
    """A struct of arrays with one row per patient or visit."""

    def take(self, rows: ArrayLike) -> Self:
        """Return the given rows (integers or a mask), in that order."""
        index = np.asarray(rows)
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def replaced(self, **columns: Any) -> Self:
        """Return the same rows with some columns replaced."""
        return type(self)(**vars(self) | columns)

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Return all rows of `parts` one after the other."""
        return cls(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(getattr(self, fields(self)[0].name).shape[0])


@dataclass(frozen=True, eq=False)
class LatentPeople(Table):
    """Who they are and what they suffer from; one row per patient.

    Attributes
    ----------
    number : int (n,)
        Running number within the cohort, part of the id.
    age_years : (n,)
        At the baseline visit.
    male, hypertension, diabetes, ischaemia, kidney_disease : bool (n,)
    fibrillation : bool (n,)
        Has atrial fibrillation or flutter, at least at times.
    paroxysmal, flutter : bool (n,)
        Not always in it; flutter instead of fibrillation.
    conduction : int8 (n,)
        Codes of `parameters.Conduction`.
    """

    number: IntArray
    age_years: FloatArray
    male: BoolArray
    hypertension: BoolArray
    diabetes: BoolArray
    ischaemia: BoolArray
    kidney_disease: BoolArray
    fibrillation: BoolArray
    paroxysmal: BoolArray
    flutter: BoolArray
    conduction: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class LatentCourses(Table):
    """The course of the true LVEF; times in years from the baseline visit.

    Each patient has up to two events. An event lowers LVEF by `drop` with time
    constant `fall_years`; from `recovery_at` on, the share `recovered` of it
    comes back with `recovery_years`; from `relapse_at` on, the share `relapsed`
    of what came back is lost again. No event: drop 0.

    Attributes
    ----------
    archetype : int8 (n,)
        Codes of `courses.Archetype`.
    base_percent : (n,)
        LVEF without events.
    slope_percent : (n,)
        Points a year from the first event on.
    onset, drop, fall_years, recovery_at, recovered, recovery_years, relapse_at, relapsed : (n, 2)
    wobble_percent : (n,)
        SD of the slow variation around the course.
    wobble_rate, wobble_phase : (n, 8)
        Its random Fourier features (rad a year, rad).
    """

    archetype: NDArray[np.int8]
    base_percent: FloatArray
    slope_percent: FloatArray
    onset: FloatArray
    drop: FloatArray
    fall_years: FloatArray
    recovery_at: FloatArray
    recovered: FloatArray
    recovery_years: FloatArray
    relapse_at: FloatArray
    relapsed: FloatArray
    wobble_percent: FloatArray
    wobble_rate: FloatArray
    wobble_phase: FloatArray


@dataclass(frozen=True, eq=False)
class LatentHearts(Table):
    """Patient constants of the ECG: anatomy and personal offsets; one row per patient.

    Attributes
    ----------
    offset : (n, 12)
        Constant personal offset of each of `FEATURES`.
    pseudo_remodelling : (n,)
        A remodelled-looking ECG without low LVEF, along the same direction.
    sensitivity : (n,)
        How strongly this heart shows its remodelling.
    rate_bpm, pr_ms, qrs_ms, qtc_ms : (n,)
        Before any feature acts.
    infarct : (n, 3)
        Strength of anterior, inferior, lateral infarction, from `infarct_at` on (years).
    t_offset_mv, st_offset_mv : (n, 3)
        What repolarisation differs by for reasons other than a low LVEF.
    remaining : arrays named as the columns of `EcgParameters` they fill.
    """

    offset: FloatArray
    pseudo_remodelling: FloatArray
    sensitivity: FloatArray
    rate_bpm: FloatArray
    pr_ms: FloatArray
    qrs_ms: FloatArray
    qtc_ms: FloatArray
    infarct: FloatArray
    infarct_at: FloatArray
    qrs_shape: FloatArray
    frontal_rotation_deg: FloatArray
    horizontal_rotation_deg: FloatArray
    lead_field: FloatArray
    electrode_shift: FloatArray
    qrs_gain: FloatArray
    t_gain: FloatArray
    t_direction: FloatArray
    t_offset_mv: FloatArray
    st_offset_mv: FloatArray
    p_gain: FloatArray
    u_wave_mv: FloatArray
    lvh: FloatArray
    lvh_strain: FloatArray
    spike_gain: FloatArray
    spike_ms: FloatArray
    spike_rebound: FloatArray
    pvc_logit: FloatArray
    pac_logit: FloatArray
    pvc_focus: FloatArray
    f_wave_mv: FloatArray
    f_wave_hz: FloatArray
    flutter_ratio: NDArray[np.int8]
    non_dipolar: FloatArray
    rsa_factor: FloatArray
    low_voltage: FloatArray


@dataclass(frozen=True, eq=False)
class LatentVisits(Table):
    """One row per ECG: when, and what differs from the patient's other ECGs.

    Attributes
    ----------
    patient : int (m,)
        Row of the patient.
    years : (m,)
        From the patient's baseline visit.
    rhythm : int8 (m,)
        Codes of `parameters.Rhythm`.
    noise : (m, 12)
        Visit noise of each feature, SD 1.
    swing : (m,)
        Visit noise along the remodelling direction (volume status), SD 1.
    remaining : as the columns of `EcgParameters` they change.
    """

    patient: IntArray
    years: FloatArray
    rhythm: NDArray[np.int8]
    noise: FloatArray
    swing: FloatArray
    electrode_shift: FloatArray
    limb_gain: FloatArray
    chest_gain: FloatArray
    p_jitter: FloatArray
    emg_uv: FloatArray
    baseline_uv: FloatArray
    motion_uv: FloatArray
    mains_uv: FloatArray
    mains_hz: FloatArray


@dataclass(frozen=True, eq=False)
class LatentCohort:
    """Everything hidden about a cohort."""

    people: LatentPeople
    courses: LatentCourses
    hearts: LatentHearts
    visits: LatentVisits
