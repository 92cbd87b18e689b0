"""How the heart shows in the ECG: from latent states to `EcgParameters`.

A falling LVEF acts only through twelve features, and each of them is also
moved by a constant personal offset, by diseases that need no low LVEF, and by
visit-to-visit noise. The structure and the sizes are our choice (the paper
has no such model); they were set so that the model's errors in atrial
fibrillation and left bundle branch block arise by mechanism.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.courses import true_lvef_percent
from ecgdash.simulate.latent import (
    FEATURES,
    LatentCohort,
    LatentHearts,
    LatentPeople,
    LatentVisits,
)
from ecgdash.simulate.parameters import Conduction, EcgParameters, Rhythm

__all__ = ["express_features", "express_parameters", "remodelling"]

FloatArray = NDArray[np.float64]

REMODELLING_SCALE: Final = 2.9
VISIT_NOISE: Final = 0.55
VISIT_SWING: Final = 0.55


def _row(**values: float) -> FloatArray:
    return np.array([values.get(name, 0.0) for name in FEATURES])


# Rate, QRS and QTc react less than the other features: in patients the three differ by fewer
# standard deviations between low and normal LVEF than T wave and R progression do.
_BETA: Final = _row(
    qrs=0.38,
    axis=0.40,
    limb_voltage=0.76,
    posterior_force=0.50,
    r_progression=0.68,
    t_wave=0.85,
    p_wave=0.90,
    heart_rate=0.36,
    qtc=0.31,
    ectopy=0.45,
    st_segment=0.48,
    fragmentation=0.60,
)
_HYPERTENSION: Final = _row(
    posterior_force=0.5, r_progression=0.15, t_wave=0.35, p_wave=0.3, qtc=0.5
)
_ISCHAEMIA: Final = _row(
    r_progression=0.45, t_wave=0.5, qrs=0.25, fragmentation=0.5, st_segment=0.3, qtc=0.3
)
_KIDNEY: Final = _row(
    t_wave=0.5, qtc=0.8, posterior_force=0.35, p_wave=0.3, heart_rate=0.2, st_segment=0.2
)
_FIBRILLATION: Final = _row(heart_rate=1.0, t_wave=0.5, qtc=0.7, st_segment=0.3, limb_voltage=0.2)
_DIABETES: Final = _row(heart_rate=0.3, t_wave=0.15, qtc=0.3)
_DECADE: Final = _row(qrs=0.1, axis=0.25, t_wave=0.1, p_wave=0.15, qtc=0.2)


def remodelling(cohort: LatentCohort) -> FloatArray:
    """Return how remodelled each visit's heart looks, shape (m,), 0 up to about 4.

    The ECG lags behind the LVEF by some months (three tenths of it are a quarter year old).
    """
    rows = cohort.visits.patient
    courses = cohort.courses.take(rows)
    years = cohort.visits.years
    past = true_lvef_percent(courses, years - 0.25)
    lagged = 0.7 * true_lvef_percent(courses, years) + 0.3 * past
    reserve = np.logaddexp(0.0, (52.0 - lagged) / 5.0)
    return np.asarray(cohort.hearts.sensitivity[rows] * reserve * 5.0 / 12.0)


def express_features(cohort: LatentCohort) -> FloatArray:
    """Return the features of each visit, shape (m, 12), columns as `FEATURES`."""
    visits, hearts = cohort.visits, cohort.hearts
    rows = visits.patient
    features = REMODELLING_SCALE * _BETA * remodelling(cohort)[:, None]
    features += hearts.offset[rows]
    features += _BETA * hearts.pseudo_remodelling[rows, None]
    features += _comorbidity(cohort.people.take(rows))
    features += VISIT_NOISE * visits.noise + VISIT_SWING * visits.swing[:, None] * _BETA
    return features


def express_parameters(
    cohort: LatentCohort, visit_seed: NDArray[np.uint64], patient_seed: NDArray[np.uint64]
) -> EcgParameters:
    """Map latent states to what shapes each visit's waveform.

    Parameters
    ----------
    cohort : LatentCohort
    visit_seed : ndarray of uint64 (m,)
        One per visit.
    patient_seed : ndarray of uint64 (n,)
        One per patient.
    """
    visits, rows = cohort.visits, cohort.visits.patient
    people, hearts = cohort.people.take(rows), cohort.hearts.take(rows)
    f = dict(zip(FEATURES, express_features(cohort).T, strict=True))
    wide = _is_wide(people.conduction)
    columns: dict[str, FloatArray] = {}
    columns |= _intervals(f, hearts, visits, people.conduction)
    columns |= _qrs_forces(f, hearts, people, wide)
    columns |= _repolarisation(f, hearts, wide)
    columns |= _beats(f, hearts, visits, people)
    columns |= _recorder(hearts, visits)
    columns["limb_gain"] = columns["limb_gain"] * visits.limb_gain
    since_infarct = visits.years - hearts.infarct_at
    return EcgParameters(
        seed=visit_seed,
        patient_seed=patient_seed[rows],
        rhythm=visits.rhythm,
        conduction=people.conduction,
        flutter_ratio=hearts.flutter_ratio,
        infarct=np.where((since_infarct >= 0.0)[:, None], hearts.infarct, 0.0),
        injury=np.where((since_infarct >= 0.0) & (since_infarct < 0.02), 0.8, 0.0),
        **columns,
    )


def _comorbidity(people: LatentPeople) -> FloatArray:
    parts = (
        (people.hypertension, _HYPERTENSION),
        (people.ischaemia, _ISCHAEMIA),
        (people.kidney_disease, _KIDNEY),
        (people.fibrillation, _FIBRILLATION),
        (people.diabetes, _DIABETES),
        ((people.age_years - 63.4) / 10.0, _DECADE),
    )
    return np.asarray(sum(np.outer(amount, effect) for amount, effect in parts))


def _is_wide(conduction: NDArray[np.int8]) -> NDArray[np.bool_]:
    return np.isin(conduction, (Conduction.LBBB, Conduction.PACED))


def _intervals(
    f: dict[str, FloatArray],
    hearts: LatentHearts,
    visits: LatentVisits,
    conduction: NDArray[np.int8],
) -> dict[str, FloatArray]:
    wide = _is_wide(conduction)
    raw_rate = hearts.rate_bpm + 7.5 * f["heart_rate"]
    fast = np.where(visits.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA, 85.0, 0.0)
    # An accessory pathway short-cuts what a large atrium delays.
    atrial_delay = np.where(conduction == Conduction.WPW, 0.0, 3.0 * f["p_wave"])
    # The exponential keeps fast hearts fast and slow ones above 35 beats a minute.
    rate = 60.0 * np.exp((raw_rate - 60.0) / 75.0) + fast
    return {
        "hr_bpm": np.clip(rate, 38.0, 190.0),
        "pr_ms": np.clip(hearts.pr_ms + atrial_delay, 85.0, 360.0),
        "qrs_ms": np.clip(hearts.qrs_ms + np.where(wide, 8.0, 5.5) * f["qrs"], 62.0, 220.0),
        "qtc_ms": np.clip(hearts.qtc_ms + 11.0 * f["qtc"], 330.0, 600.0),
    }


def _qrs_forces(
    f: dict[str, FloatArray],
    hearts: LatentHearts,
    people: LatentPeople,
    wide: NDArray[np.bool_],
) -> dict[str, FloatArray]:
    masked = np.where(wide, 0.35, 1.0)
    age = people.age_years - 63.4
    return {
        "qrs_shape": hearts.qrs_shape,
        "qrs_gain": np.clip(hearts.qrs_gain, 0.3, 3.0),
        "limb_gain": np.clip(hearts.low_voltage * np.exp(-0.075 * f["limb_voltage"]), 0.15, 3.0),
        "frontal_rotation_deg": hearts.frontal_rotation_deg,
        "horizontal_rotation_deg": hearts.horizontal_rotation_deg,
        "axis_delta_deg": np.clip(-9.0 * f["axis"] - 0.15 * age, -100.0, 60.0),
        "posterior_rotation_deg": np.clip(4.5 * masked * f["r_progression"], -30.0, 45.0),
        "posterior_force": np.clip(1.0 + 0.17 * masked * f["posterior_force"], 0.3, 3.0),
        "anterior_force": np.clip(1.0 - 0.27 * masked * f["r_progression"], 0.0, 2.5),
        "notch_mv": np.clip(0.02 + 0.03 * f["fragmentation"], -0.05, 0.3),
        "lvh": hearts.lvh,
    }


# Along the normal T, so that T shrinks and then inverts without turning its axis much.
_T_EFFECT: Final = np.array([-0.074, -0.037, 0.018])
_ST_EFFECT: Final = np.array([-0.011, -0.006, 0.005])


def _repolarisation(
    f: dict[str, FloatArray], hearts: LatentHearts, wide: NDArray[np.bool_]
) -> dict[str, FloatArray]:
    # A block's secondary T wave hides most of what the muscle would show.
    masked = np.where(wide, 0.25, 1.0)
    return {
        "t_vector_delta": np.clip(
            (masked * f["t_wave"])[:, None] * _T_EFFECT + hearts.t_offset_mv, -1.0, 1.0
        ),
        "st_delta": np.clip(
            (masked * f["st_segment"])[:, None] * _ST_EFFECT + hearts.st_offset_mv, -0.4, 0.4
        ),
        "t_direction": hearts.t_direction,
        "t_gain": hearts.t_gain,
        "u_wave_mv": hearts.u_wave_mv,
        "lvh_strain": hearts.lvh_strain,
        "la_enlargement": np.clip(1.0 + 0.30 * f["p_wave"], 0.15, 3.2),
        "p_gain": hearts.p_gain,
    }


def _beats(
    f: dict[str, FloatArray],
    hearts: LatentHearts,
    visits: LatentVisits,
    people: LatentPeople,
) -> dict[str, FloatArray]:
    breathing = 0.070 * np.exp(-(people.age_years - 30.0) / 35.0) * hearts.rsa_factor
    regular = visits.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA
    return {
        "rsa_depth": np.clip(breathing, 0.002, 0.2),
        "p_jitter": visits.p_jitter,
        "rr_irregularity": np.clip(0.21 * hearts.rsa_factor**0.4, 0.08, 0.4),
        "pvc_probability": np.where(regular, 0.0, _share(hearts.pvc_logit + 0.8 * f["ectopy"])),
        "pac_probability": np.where(regular, 0.0, _share(hearts.pac_logit)),
        "pvc_focus": hearts.pvc_focus,
        "f_wave_mv": hearts.f_wave_mv,
        "f_wave_hz": hearts.f_wave_hz,
    }


def _share(logit: FloatArray) -> FloatArray:
    return np.asarray(np.clip(1.0 / (1.0 + np.exp(-logit)), 0.0, 0.45))


def _recorder(hearts: LatentHearts, visits: LatentVisits) -> dict[str, FloatArray]:
    return {
        "lead_field": hearts.lead_field,
        "electrode_shift": np.clip(hearts.electrode_shift + visits.electrode_shift, -1.8, 1.8),
        "chest_gain": visits.chest_gain,
        "non_dipolar": hearts.non_dipolar,
        "spike_gain": hearts.spike_gain,
        "spike_ms": hearts.spike_ms,
        "spike_rebound": hearts.spike_rebound,
        "emg_uv": visits.emg_uv,
        "baseline_uv": visits.baseline_uv,
        "motion_uv": visits.motion_uv,
        "mains_uv": visits.mains_uv,
        "mains_hz": visits.mains_hz,
    }
