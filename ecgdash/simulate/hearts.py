"""Patient constants of the simulated ECG: anatomy, old damage and personal offsets.

The offsets act in the very features through which a low LVEF shows itself. One
ECG cannot tell a personal offset from disease; a patient's history can.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.courses import Archetype
from ecgdash.simulate.latent import FEATURES, LatentCourses, LatentHearts, LatentPeople
from ecgdash.simulate.lead_field import personal_lead_field
from ecgdash.simulate.parameters import Conduction

__all__ = ["HYPERTROPHIC", "draw_hearts"]

FloatArray = NDArray[np.float64]

OFFSET_SD: Final = 0.85
"""SD of personal offsets in feature units (our choice: sets how much history can repair)."""

FIBRILLATION_OFFSET_FACTOR: Final = 2.5
LBBB_OFFSET_FACTOR: Final = 2.2
"""Personal offsets are wider in atrial fibrillation and LBBB (our choice, for their over-calls)."""

PSEUDO_SD: Final = 0.60
"""SD of the remodelled look that no low LVEF explains (our choice)."""

PSEUDO_IN_FIBRILLATION: Final = (1.0, 1.5)
PSEUDO_IN_LBBB: Final = (0.7, 1.5)
"""Mean and SD added to it in two conditions that strain or disguise the ventricle (our choice)."""

_QRS_MS: Final = {
    Conduction.NORMAL: (89.0, 5.0),
    Conduction.LBBB: (149.0, 8.0),
    Conduction.RBBB: (134.0, 8.0),
    Conduction.LAFB: (97.0, 6.0),
    Conduction.PACED: (166.0, 9.0),
    Conduction.WPW: (122.0, 9.0),
    Conduction.IRBBB: (103.0, 5.0),
    Conduction.LPFB: (91.0, 6.0),
}

HYPERTROPHY_SHARE: Final = (0.025, 0.12, 0.15)
"""Of everyone, and added by hypertension and by kidney disease: ECG criteria of hypertrophy
hold in about a tenth of hypertensives, whatever their LVEF (our choice of shares)."""

STRAIN_SHARE: Final = 0.70
"""Of hypertrophy, with ST depression and T inversion (our choice)."""

NONSPECIFIC_SHARE: Final = (0.06, 0.05, 0.12)
"""Of everyone, and added by hypertension or kidney disease and by ischaemia: flat or inverted
T and ST depression that no low LVEF explains (drugs, electrolytes, ischaemia; our choice: real
collections label ST-T changes in a tenth to a fifth of all ECGs)."""


_FLATTENED_T: Final = np.array([-0.30, -0.15, 0.06])
_DEPRESSED_ST: Final = np.array([-0.090, -0.040, 0.025])
"""Of nonspecific changes of size 1: most of a normal T goes, V4 to V6 first."""

HYPERTROPHIC: Final = np.array(
    [{"qrs": 2.4, "axis": 1.2, "p_wave": 1.5, "qtc": 0.6}.get(name, 0.0) for name in FEATURES]
)
"""Features moved per unit of hypertrophy: wider QRS, left axis, large atrium (our choice)."""


def draw_hearts(
    rng: np.random.Generator, people: LatentPeople, courses: LatentCourses
) -> LatentHearts:
    """Draw the patient constants of the ECG."""
    n = len(people)
    wide = np.isin(people.conduction, (Conduction.LBBB, Conduction.PACED))
    columns: dict[str, Any] = {}
    columns |= _personal_offsets(rng, people)
    columns |= _intervals(rng, people, wide)
    columns |= _infarcts(rng, people, courses)
    columns |= _anatomy(rng, people, wide)
    columns |= _hypertrophy(rng, people)
    columns["offset"] += np.outer(columns["lvh"], HYPERTROPHIC)
    columns |= _own_repolarisation(rng, people)
    columns |= _ectopy(rng, people)
    columns |= _spikes(rng, n)
    columns |= {
        "f_wave_mv": np.clip(
            np.exp(rng.normal(np.log(0.065), 0.4, n)) * np.where(people.flutter, 2.2, 1.0), 0, 0.4
        ),
        "f_wave_hz": np.where(
            people.flutter, rng.normal(4.8, 0.35, n), rng.normal(6.3, 0.8, n)
        ).clip(3.2, 9.5),
        "flutter_ratio": rng.choice([0, 2, 3, 4], n, p=[0.3, 0.25, 0.1, 0.35]).astype(np.int8),
        "rsa_factor": np.exp(rng.normal(0.0, 0.4, n)),
    }
    return LatentHearts(**columns)


def _personal_offsets(rng: np.random.Generator, people: LatentPeople) -> dict[str, FloatArray]:
    n = len(people)
    lbbb = people.conduction == Conduction.LBBB
    factor = np.where(people.fibrillation, FIBRILLATION_OFFSET_FACTOR, 1.0)
    factor = np.where(lbbb, np.maximum(factor, LBBB_OFFSET_FACTOR), factor)
    pseudo = rng.normal(0.0, PSEUDO_SD, n)
    for group, (mean, sd) in (
        (people.fibrillation, PSEUDO_IN_FIBRILLATION),
        (lbbb, PSEUDO_IN_LBBB),
    ):
        pseudo += np.where(group, rng.normal(mean, sd, n), 0.0)
    return {
        "offset": OFFSET_SD * factor[:, None] * rng.standard_normal((n, len(FEATURES))),
        "pseudo_remodelling": pseudo,
        "sensitivity": np.exp(rng.normal(0.0, 0.25, n)),
    }


def _intervals(
    rng: np.random.Generator, people: LatentPeople, wide: NDArray[np.bool_]
) -> dict[str, FloatArray]:
    """Draw rate and intervals without disease; spreads from paper 000, Table 1."""
    n = len(people)
    mean, spread = np.array([_QRS_MS[Conduction(c)] for c in people.conduction]).T
    block = np.where(rng.random(n) < 0.035, rng.uniform(30.0, 100.0, n), 0.0)
    rbbb = people.conduction == Conduction.RBBB
    return {
        "rate_bpm": rng.normal(72.0, 12.5, n),
        "pr_ms": np.where(
            people.conduction == Conduction.WPW,
            rng.normal(102.0, 9.0, n),
            rng.normal(159.5, 20.5, n) + 0.15 * (people.age_years - 63.0) + block,
        ),
        "qrs_ms": rng.normal(mean, spread) + np.where(people.male, 3.0, -4.0),
        "qtc_ms": rng.normal(412.0, 22.0, n)
        + np.where(people.male, -4.0, 8.0)
        + np.where(wide, 32.0, np.where(rbbb, 14.0, 0.0)),
    }


def _infarcts(
    rng: np.random.Generator, people: LatentPeople, courses: LatentCourses
) -> dict[str, FloatArray]:
    """Draw infarct scars: with most ischaemic courses, and small ones in other ischaemia."""
    n = len(people)
    ischaemic = courses.archetype == Archetype.INFARCTION
    scar = np.where(ischaemic, rng.random(n) < 0.65, people.ischaemia & (rng.random(n) < 0.2))
    # Anterior scars go with larger drops (our choice): the others take more of the small ones.
    large = courses.drop[:, 0] > 20.0
    draw = rng.random(n)
    anterior = draw < np.where(large, 0.68, 0.35)
    lateral = ~anterior & (draw > 0.85)
    site = np.stack([anterior, ~anterior & ~lateral, lateral], axis=1)
    strength = 0.75 + 0.25 * np.abs(rng.standard_normal(n))
    strength *= np.where(ischaemic, 1.0, 0.6)
    return {
        "infarct": np.clip(site * (scar * strength)[:, None], 0.0, 2.0),
        "infarct_at": np.where(ischaemic, courses.onset[:, 0], -100.0),
    }


def _anatomy(
    rng: np.random.Generator, people: LatentPeople, wide: NDArray[np.bool_]
) -> dict[str, FloatArray]:
    n = len(people)
    shape_sd = np.where(wide, 0.07, 0.14)[:, None, None] * np.ones((5, 3))
    # Septal and early anterior forces differ most: a healthy V1 may hold hardly any R.
    shape_sd[~wide, 0] = 0.45
    shape_sd[~wide, 1, 2] = 0.40
    body_mass = rng.normal(24.3, 3.8, n)  # paper 000, Table 1
    return {
        "qrs_shape": np.clip(1.0 + shape_sd * rng.standard_normal((n, 5, 3)), -3.5, 3.5),
        "frontal_rotation_deg": np.clip(rng.normal(0.0, 14.0, n), -170.0, 170.0),
        "horizontal_rotation_deg": np.clip(rng.normal(0.0, 14.0, n), -80.0, 80.0),
        "lead_field": personal_lead_field(
            np.exp(rng.normal(0.0, 0.10, (n, 8))), rng.normal(0.0, 0.05, (n, 8, 3))
        ),
        "electrode_shift": np.repeat(rng.normal(0.0, 0.22, (n, 1)), 6, axis=1),
        "qrs_gain": np.exp(rng.normal(0.0, 0.20, n) - 0.008 * (body_mass - 24.3)),
        "t_gain": np.exp(rng.normal(-0.06, 0.25, n)),
        "t_direction": rng.normal(0.0, 0.05, (n, 3)),
        "p_gain": np.clip(np.exp(rng.normal(0.0, 0.28, n)), 0.2, 3.5),
        "u_wave_mv": np.clip(rng.normal(0.02, 0.012, n), 0.0, 0.1),
        "non_dipolar": np.clip(np.exp(rng.normal(np.log(0.205), 0.25, n)), 0.03, 0.4),
        "low_voltage": np.where(rng.random(n) < 0.015, rng.uniform(0.35, 0.6, n), 1.0),
    }


def _hypertrophy(rng: np.random.Generator, people: LatentPeople) -> dict[str, FloatArray]:
    """Draw hypertrophy: voltage and strain that mean no low LVEF."""
    n = len(people)
    everyone, pressure, kidney = HYPERTROPHY_SHARE
    share = everyone + pressure * people.hypertension + kidney * people.kidney_disease
    voltage = np.where(rng.random(n) < share, rng.uniform(0.4, 1.4, n), 0.0)
    strained = rng.random(n) < STRAIN_SHARE
    return {"lvh": voltage, "lvh_strain": voltage * strained * rng.uniform(0.4, 1.4, n)}


def _own_repolarisation(rng: np.random.Generator, people: LatentPeople) -> dict[str, FloatArray]:
    """Draw ST and T of persons, and the nonspecific changes that look like a weak heart."""
    n = len(people)
    everyone, pressure, ischaemia = NONSPECIFIC_SHARE
    share = everyone + pressure * (people.hypertension | people.kidney_disease)
    changed = rng.random(n) < share + ischaemia * people.ischaemia
    amount = (changed * rng.uniform(0.3, 1.5, n))[:, None]
    own_st = rng.normal(0.0, (0.010, 0.008, 0.022), (n, 3))
    return {
        "t_offset_mv": amount * (_FLATTENED_T + rng.normal(0.0, 0.10, (n, 3))),
        "st_offset_mv": own_st + amount * rng.uniform(0.0, 1.0, (n, 1)) * _DEPRESSED_ST,
    }


def _spikes(rng: np.random.Generator, n: int) -> dict[str, FloatArray]:
    """Draw pacing spikes: mostly bipolar and small, before or after a cart's low-pass."""
    bipolar = rng.random(n) < 0.7
    filtered = rng.random(n) < 0.6
    size = np.where(bipolar, rng.normal(np.log(0.4), 0.5, n), rng.normal(np.log(1.8), 0.5, n))
    return {
        "spike_gain": np.exp(size).clip(0.1, 6.0),
        "spike_ms": np.where(filtered, rng.uniform(1.8, 2.6, n), rng.uniform(0.8, 1.4, n)),
        "spike_rebound": np.where(bipolar, rng.uniform(0.5, 0.95, n), rng.uniform(0.0, 0.4, n)),
    }


def _ectopy(rng: np.random.Generator, people: LatentPeople) -> dict[str, FloatArray]:
    """Draw the log-odds per beat of premature beats: under 8 % of normal ECGs show one."""
    n = len(people)
    z = (people.age_years - 63.4) / 15.1
    focus = rng.standard_normal((n, 3))
    length = np.linalg.norm(focus, axis=1, keepdims=True)
    return {
        "pvc_logit": rng.normal(-7.0, 1.7, n) + 0.2 * z,
        "pac_logit": rng.normal(-7.0, 1.5, n) + 0.4 * z,
        # The length of such a vector, about 1.6, tells nothing of its direction: it sets the size.
        "pvc_focus": focus / length * (length / 1.6) ** 0.6,
    }
