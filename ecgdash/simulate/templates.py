"""Literal tables of the cardiac vector: one beat as a sum of Gaussians.

Times are in ms from the onset of QRS, amplitudes in mV along X (left),
Y (inferior), Z (posterior). The shapes are our choice: vector loops drawn to
give the textbook 12-lead pattern of each kind of conduction through Dower's
lead field; amplitudes, durations and R-peak times of NORMAL follow 179 real normal
ECGs (PTB-XL, NORM in sinus rhythm).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.parameters import Conduction

__all__ = [
    "CONDUCTION_TEMPLATES",
    "INFARCT_SITES",
    "LVH_GAIN",
    "LVH_STRAIN_ST_MV",
    "LVH_STRAIN_T_MV",
    "N_QRS",
    "PVC_AMPLITUDE",
    "PVC_QRS_MS",
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
        80.0,
        [
            (12.0, 5.5, -0.16, -0.07, -0.23),
            (23.5, 6.6, 0.58, 0.31, -0.32),
            (34.5, 7.2, 0.98, 0.49, 0.46),
            (47.5, 7.8, 0.18, 0.07, 0.62),
            (62.0, 6.4, -0.16, -0.14, 0.12),
        ],
        t_mv=(0.295, 0.135, -0.20),
        st_mv=(0.015, 0.010, -0.022),
        wide=False,
    ),
    Conduction.LBBB: _template(
        152.0,
        [
            (20, 9, 0.14, 0.05, -0.12),
            (43, 13.5, 0.78, 0.2, 1.05),
            (75, 16, 0.80, 0.12, 1.36),
            (105, 13.5, 0.82, 0.02, 0.84),
            (128, 9.5, 0.1, -0.06, 0.2),
        ],
        t_mv=(-0.11, 0.10, -0.46),
        st_mv=(-0.03, 0.02, -0.10),
        wide=True,
    ),
    Conduction.RBBB: _template(
        150.0,
        [
            (13, 6, -0.15, -0.05, -0.25),
            (26, 7, 0.58, 0.28, -0.28),
            (38, 8, 0.92, 0.45, 0.26),
            (58, 10, 0.12, 0.06, 0.16),
            (86, 13, -0.3, 0.02, -0.24),
            (109, 13.5, -0.42, -0.04, -0.48),
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
        t_mv=(0.28, 0.15, -0.18),
        st_mv=(0.015, 0.01, -0.022),
        wide=False,
    ),
    Conduction.PACED: _template(
        172.0,
        [
            (18, 8.5, 0.06, -0.12, -0.04),
            (49, 15, 0.42, -0.6, 0.64),
            (82, 17.5, 0.42, -0.72, 1.02),
            (115, 15.5, 0.28, -0.32, 0.6),
            (138, 9.5, 0.02, -0.05, 0.12),
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
        29.0,
        13.0,
        loss_mv=(-0.10, -0.02, 0.62),
        t_mv=(-0.24, -0.03, 0.36),
        st_mv=(0.0, 0.0, -0.05),
        injury_mv=(0.10, -0.04, -0.26),
    ),
    "inferior": _site(
        25.0,
        10.5,
        loss_mv=(0.06, -0.62, 0.02),
        t_mv=(0.04, -0.30, -0.08),
        st_mv=(0.0, 0.02, 0.0),
        injury_mv=(-0.06, 0.24, 0.06),
    ),
    "lateral": _site(
        24.0,
        10.0,
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
"""Pacing spike of a bipolar lead at the right ventricular apex."""

LVH_GAIN: Final = np.array([0.50, 0.15, 0.65])
"""Growth of the QRS vector's X, Y and posterior Z per unit of `lvh`."""

LVH_STRAIN_T_MV: Final = np.array([-0.42, -0.14, 0.26])
LVH_STRAIN_ST_MV: Final = np.array([-0.070, -0.025, 0.060])
"""Lateral ST depression and T inversion per unit of `lvh_strain`."""

PVC_QRS_MS: Final = np.array([[42.0, 19.0], [86.0, 20.0], [124.0, 16.0]])
PVC_AMPLITUDE: Final = np.array([0.85, 1.05, 0.50])
PVC_T_MS: Final = np.array([330.0, 58.0])
PVC_T_AMPLITUDE: Final = -0.42
"""Premature ventricular beat along its focus: centre and sigma, then factors; T discordant."""
