"""What an ideal reader could see in each simulated ECG, for tuning the simulator.

A quick classifier on these quantities stands in for a network that takes an
hour to train. It knows rhythm, conduction and sizes, but no feature, course
or LVEF. Used by ``benchmarks/oracle.py`` only; no model learns from it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.courses import true_lvef_percent
from ecgdash.simulate.expression import express_features, remodelling
from ecgdash.simulate.latent import FEATURES
from ecgdash.simulate.observables import SimulatedCohort
from ecgdash.simulate.parameters import Conduction, EcgParameters, Rhythm
from ecgdash.simulate.templates import CONDUCTION_TEMPLATES

__all__ = [
    "bazett_qtc_ms",
    "effect_sizes",
    "normal_visits",
    "true_intervals",
    "visible_quantities",
    "visits_by",
]

FloatArray = NDArray[np.float64]

_NORMAL_T: Final = CONDUCTION_TEMPLATES[Conduction.NORMAL].t_mv


def visible_quantities(cohort: SimulatedCohort, seed: int = 0) -> FloatArray:
    """Return the readable quantities of each ECG with a reader's error, shape (m, 30)."""
    p = cohort._parameters(np.arange(cohort.n_ecgs))
    rng = np.random.default_rng(seed)
    without_p = np.isin(p.rhythm, (Rhythm.AFIB, Rhythm.FLUTTER, Rhythm.JUNCTIONAL))
    wide = np.isin(p.conduction, (Conduction.LBBB, Conduction.PACED))
    t_vector = p.t_gain[:, None] * _NORMAL_T * (1 + p.t_direction) + p.t_vector_delta
    columns = [
        (p.qrs_ms, 3.0),
        (p.hr_bpm, 1.0),
        (bazett_qtc_ms(p), 6.0),
        (p.frontal_rotation_deg + p.axis_delta_deg, 3.0),
        (p.horizontal_rotation_deg + p.posterior_rotation_deg, 3.0),
        (np.log(p.qrs_gain * p.limb_gain), 0.05),
        (np.log(p.qrs_gain * p.posterior_force), 0.08),
        (np.log(p.qrs_gain * np.maximum(p.anterior_force, 0.05)), 0.15),
        (np.where(without_p, 0.0, p.pr_ms), 4.0),
        (np.where(without_p, 0.0, p.la_enlargement * p.p_gain), 0.2),
        (np.minimum(rng.poisson(12 * p.pvc_probability), 4), 0.1),
        (p.notch_mv * p.qrs_gain, 0.02),
        *((t_vector[:, i], 0.03) for i in range(3)),
        *((p.st_delta[:, i], 0.006) for i in range(3)),
        *((np.where(wide, 0.0, p.infarct[:, i]), 0.2) for i in range(3)),
        (p.lvh, 0.2),
        (p.lvh_strain, 0.2),
        *((p.rhythm == code, 0.0) for code in Rhythm if code != Rhythm.VENTRICULAR_TACHYCARDIA),
        *((p.conduction == code, 0.0) for code in (1, 2, 3)),
    ]
    values = np.stack([np.asarray(c, dtype=np.float64) for c, _ in columns], axis=1)
    return values + np.array([e for _, e in columns]) * rng.standard_normal(values.shape)


def bazett_qtc_ms(p: EcgParameters) -> FloatArray:
    """Return QTc by Bazett's formula, as a cart would compute it, shape (m,)."""
    rr_s = 60.0 / p.hr_bpm
    qt_ms = p.qtc_ms * rr_s ** np.where(p.hr_bpm > 100.0, 0.40, 0.34)
    return np.asarray(qt_ms / np.sqrt(rr_s))


def true_intervals(cohort: SimulatedCohort, rows: NDArray[np.int64]) -> dict[str, FloatArray]:
    """Return rate, PR (NaN without P), QRS and Bazett QTc that shaped the given ECGs."""
    p = cohort._parameters(rows)
    return {
        "HR": p.hr_bpm,
        "PR": np.where(p.rhythm == Rhythm.SINUS, p.pr_ms, np.nan),
        "QRS": p.qrs_ms,
        "QTc": bazett_qtc_ms(p),
    }


def effect_sizes(cohort: SimulatedCohort) -> dict[str, float]:
    """Return each feature's correlation with remodelling over all ECGs."""
    features = express_features(cohort._latent)
    truth = remodelling(cohort._latent)
    return {
        name: float(np.corrcoef(features[:, j], truth)[0, 1]) for j, name in enumerate(FEATURES)
    }


def visits_by(cohort: SimulatedCohort, group: str) -> NDArray[np.bool_]:
    """Return which ECGs belong to a group by the simulator's truth, shape (m,).

    Parameters
    ----------
    cohort : SimulatedCohort
    group : {"AFIB", "LBBB", "RBBB", "PACED", "sinus_no_bbb"}
    """
    rhythm = cohort._latent.visits.rhythm
    conduction = cohort._latent.people.conduction[cohort.patient_index]
    blocks = (Conduction.LBBB, Conduction.RBBB, Conduction.PACED)
    groups = {
        "AFIB": np.isin(rhythm, (Rhythm.AFIB, Rhythm.FLUTTER)),
        "LBBB": conduction == Conduction.LBBB,
        "RBBB": conduction == Conduction.RBBB,
        "PACED": conduction == Conduction.PACED,
        "sinus_no_bbb": (rhythm == Rhythm.SINUS) & ~np.isin(conduction, blocks),
    }
    return np.asarray(groups[group])


def normal_visits(cohort: SimulatedCohort) -> NDArray[np.bool_]:
    """Return which ECGs are of healthy people, shape (m,).

    Sinus rhythm, normal conduction, none of the simulated diseases, true LVEF of at
    least 55 %. For comparison with real ECGs that a cardiologist called normal.
    """
    rows, hidden = cohort.patient_index, cohort._latent
    people = hidden.people
    ill = people.hypertension | people.diabetes | people.ischaemia | people.kidney_disease
    ill |= people.fibrillation | (people.conduction != Conduction.NORMAL)
    lvef = true_lvef_percent(hidden.courses.take(rows), hidden.visits.years)
    return np.asarray(~ill[rows] & (lvef >= 55.0) & (hidden.visits.rhythm == Rhythm.SINUS))
