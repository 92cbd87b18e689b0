"""Literal tables of the cardiac vector: one beat as a sum of Gaussians.

Times are in ms from the onset of QRS, amplitudes in mV along X (left),
Y (inferior), Z (posterior). The shapes are our choice: vector loops drawn to
give the textbook 12-lead pattern of each kind of conduction through Dower's
lead field; amplitudes, durations and R-peak times of NORMAL follow 99 real normal
ECGs (PTB-XL, NORM in sinus rhythm; `benchmarks.gap` prints the comparison).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.parameters import Conduction

__all__ = [
    "CONDUCTION_TEMPLATES",
    "INFARCT_SITES",
    "LVH_ANTERIOR_LOSS",
    "LVH_GAIN",
    "LVH_ROTATION_DEG",
    "LVH_STRAIN_ST_MV",
    "LVH_STRAIN_T_MV",
    "N_QRS",
    "PVC_AMPLITUDE",
    "PVC_QRS_MS",
    "PVC_TURNS_DEG",
    "PVC_T_AMPLITUDE",
    "PVC_T_MS",
    "P_LEFT_MV",
    "P_RIGHT_MV",
    "SPIKE_MV",
    "U_WAVE_MV",
    "ConductionTemplate",
    "InfarctSite",
]

FloatArray = NDArray[np.float64]

N_QRS: Final = 6
"""QRS components per template; only right bundle branch block needs the sixth."""


@dataclass(frozen=True, eq=False)
class ConductionTemplate:
    """QRS, ST and T of one kind of conduction at its reference duration.

    Attributes
    ----------
    reference_ms : float
        QRS duration at which the times hold.
    centre_ms, sigma_ms : ndarray (6,)
        Of the QRS components.
    vector_mv : ndarray (6, 3)
        Their amplitudes; 0 where fewer are needed.
    t_mv, st_mv : ndarray (3,)
        Repolarisation.
    wide : bool
        Whether conduction hides infarction and damps personal variation.
    """

    reference_ms: float
    centre_ms: FloatArray
    sigma_ms: FloatArray
    vector_mv: FloatArray
    t_mv: FloatArray
    st_mv: FloatArray
    wide: bool


def _template(
    reference_ms: float,
    rows: list[tuple[float, float, float, float, float]],
    t_mv: tuple[float, float, float],
    st_mv: tuple[float, float, float],
    wide: bool,
) -> ConductionTemplate:
    unused = (reference_ms, 10.0, 0.0, 0.0, 0.0)
    table = np.array(rows + [unused] * (N_QRS - len(rows)))
    return ConductionTemplate(
        reference_ms, table[:, 0], table[:, 1], table[:, 2:], np.array(t_mv), np.array(st_mv), wide
    )


# Rows: centre ms, sigma ms, X, Y, Z in mV.
CONDUCTION_TEMPLATES: Final[dict[Conduction, ConductionTemplate]] = {
    Conduction.NORMAL: _template(
        86.0,
        [
            (16.5, 7.0, -0.15, -0.07, -0.22),
            (29.5, 6.6, 0.56, 0.33, -0.28),
            (40.0, 6.3, 1.05, 0.64, 0.48),
            (52.0, 7.2, 0.17, 0.08, 0.78),
            (67.0, 6.4, -0.18, -0.14, 0.16),
        ],
        t_mv=(0.36, 0.185, -0.22),
        st_mv=(0.020, 0.012, -0.055),
        wide=False,
    ),
    Conduction.LBBB: _template(
        159.0,
        [
            (23, 9, 0.14, 0.05, -0.12),
            (46, 13.5, 0.78, 0.2, 1.05),
            (78, 16, 0.80, 0.12, 1.36),
            (108, 13.5, 0.82, 0.02, 0.84),
            (131, 9.5, 0.1, -0.06, 0.2),
        ],
        t_mv=(-0.11, 0.10, -0.46),
        st_mv=(-0.03, 0.02, -0.10),
        wide=True,
    ),
    Conduction.RBBB: _template(
        153.0,
        [
            (15, 6, -0.15, -0.05, -0.25),
            (28, 7, 0.58, 0.28, -0.28),
            (40, 8, 0.92, 0.45, 0.26),
            (60, 10, 0.12, 0.06, 0.16),
            (88, 13, -0.3, 0.02, -0.24),
            (111, 13.5, -0.42, -0.04, -0.48),
        ],
        t_mv=(0.28, 0.18, 0.12),
        st_mv=(0.01, 0.01, 0.01),
        wide=True,
    ),
    Conduction.LAFB: _template(
        104.0,
        [
            (13, 6.5, -0.1, 0.2, -0.24),
            (26, 8, 0.56, 0.02, -0.24),
            (40, 9, 0.84, -0.42, 0.44),
            (57, 10, 0.26, -0.4, 0.48),
            (76, 8.5, -0.06, -0.16, 0.12),
        ],
        t_mv=(0.33, 0.18, -0.20),
        st_mv=(0.020, 0.012, -0.045),
        wide=False,
    ),
    Conduction.PACED: _template(
        181.0,
        [
            (22, 8.5, 0.06, -0.12, -0.04),
            (53, 15, 0.42, -0.6, 0.64),
            (86, 17.5, 0.42, -0.72, 1.02),
            (119, 15.5, 0.28, -0.32, 0.6),
            (142, 9.5, 0.02, -0.05, 0.12),
        ],
        t_mv=(-0.06, 0.34, -0.37),
        st_mv=(-0.02, 0.06, -0.08),
        wide=True,
    ),
    Conduction.WPW: _template(
        133.0,
        [
            (28, 14, 0.22, 0.16, -0.16),
            (56, 11, 0.55, 0.30, -0.10),
            (74, 10, 0.85, 0.42, 0.42),
            (90, 9.5, 0.20, 0.08, 0.42),
            (106, 8, -0.08, -0.08, 0.10),
        ],
        t_mv=(-0.05, 0.02, -0.12),
        st_mv=(-0.03, -0.02, 0.02),
        wide=True,
    ),
    Conduction.IRBBB: _template(
        104.0,
        [
            (12, 5.5, -0.16, -0.06, -0.24),
            (23.5, 6.6, 0.58, 0.3, -0.32),
            (34.5, 7.2, 0.95, 0.47, 0.40),
            (48, 7.8, 0.16, 0.06, 0.34),
            (64, 8.5, -0.18, -0.04, -0.06),
            (80, 9, -0.22, 0.02, -0.24),
        ],
        t_mv=(0.34, 0.18, -0.12),
        st_mv=(0.018, 0.012, -0.03),
        wide=False,
    ),
    Conduction.LPFB: _template(
        98.0,
        [
            (16, 6, 0.06, -0.22, -0.22),
            (29, 7.5, 0.34, 0.34, -0.30),
            (43, 8.5, 0.22, 0.98, 0.40),
            (58, 9, -0.30, 0.62, 0.52),
            (74, 8, -0.30, 0.12, 0.14),
        ],
        t_mv=(0.30, 0.16, -0.20),
        st_mv=(0.018, 0.012, -0.04),
        wide=False,
    ),
}


@dataclass(frozen=True, eq=False)
class InfarctSite:
    """What an old infarction of strength 1 takes from QRS and does to ST and T."""

    centre_ms: float
    sigma_ms: float
    loss_mv: FloatArray
    t_mv: FloatArray
    st_mv: FloatArray
    injury_mv: FloatArray


def _site(centre_ms: float, sigma_ms: float, **vectors: tuple[float, float, float]) -> InfarctSite:
    return InfarctSite(centre_ms, sigma_ms, **{k: np.array(v) for k, v in vectors.items()})


# Times at a QRS of 92 ms. The loss points away from the dead wall: Q waves in its leads.
INFARCT_SITES: Final = {
    "anterior": _site(
        33.0,
        11.0,
        loss_mv=(-0.10, -0.02, 0.62),
        t_mv=(-0.24, -0.03, 0.36),
        st_mv=(0.0, 0.0, -0.05),
        injury_mv=(0.10, -0.04, -0.26),
    ),
    "inferior": _site(
        29.0,
        9.5,
        loss_mv=(0.06, -0.62, 0.02),
        t_mv=(0.04, -0.30, -0.08),
        st_mv=(0.0, 0.02, 0.0),
        injury_mv=(-0.06, 0.24, 0.06),
    ),
    "lateral": _site(
        28.0,
        9.0,
        loss_mv=(-0.50, 0.05, -0.05),
        t_mv=(-0.30, 0.0, 0.0),
        st_mv=(0.02, 0.0, 0.0),
        injury_mv=(0.20, 0.0, -0.05),
    ),
}
"""In the order of the columns of `EcgParameters.infarct`."""

P_RIGHT_MV: Final = np.array([0.072, 0.082, -0.056])
P_LEFT_MV: Final = np.array([0.090, 0.036, 0.030])
"""Right and left atrial vectors at normal size; the left one comes later and turns back."""

U_WAVE_MV: Final = np.array([0.55, 0.35, -0.75])
"""Direction of the U wave: tallest in V2 and V3."""

SPIKE_MV: Final = np.array([0.45, -0.75, 0.45])
"""First phase of a pacing spike from the right ventricular apex."""

LVH_GAIN: Final = np.array([0.50, 0.15, 0.70])
"""Growth of the QRS vector's X, Y and posterior Z per unit of `lvh`."""

LVH_ANTERIOR_LOSS: Final = 0.52
LVH_ROTATION_DEG: Final = 13.0
"""Loss of anterior forces and posterior turn per unit of `lvh`: a low R and a deep S in V3, as
19 real ECGs with PTB-XL's code LVH show (median .4 and 2.0 mV)."""

LVH_STRAIN_T_MV: Final = np.array([-0.62, -0.20, -0.06])
LVH_STRAIN_ST_MV: Final = np.array([-0.130, -0.040, -0.025])
"""Lateral ST depression and T inversion per unit of `lvh_strain`; T stays upright in V1 to V3,
against the deep S waves there (AHA/ACCF/HRS part V: strain is an ST-T opposite to QRS)."""

PVC_QRS_MS: Final = np.array([[36.0, 13.0], [74.0, 16.0], [112.0, 13.0]])
PVC_AMPLITUDE: Final = np.array([1.50, 1.75, 0.85])
PVC_T_MS: Final = np.array([330.0, 58.0])
PVC_T_AMPLITUDE: Final = -0.70
PVC_TURNS_DEG: Final = np.array([-35.0, 0.0, 38.0])
"""Premature ventricular beat along its focus: centre and sigma, then factors; T discordant.

Steep and tall: in seven real ones (PTB-XL) the mean summed slope over 120 ms was 0.7 to 1.2
of the normal complex's. The loop turns, so that leads across the focus show a notch.
"""
