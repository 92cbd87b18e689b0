"""From the cardiac dipole to the eight independent leads, and from these to twelve."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["INDEPENDENT_LEADS", "LEAD_FIELD", "personal_lead_field", "shift_electrodes"]

INDEPENDENT_LEADS: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

# Dower, Machado, Osborne, "On deriving the electrocardiogram from vectorcardiographic leads",
# Clin Cardiol 1980;3:87: leads from Frank's X (left), Y (inferior), Z (posterior).
_DOWER: Final = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

# Our choice: against 99 real normal ECGs (PTB-XL) the plain field made V1 too large and
# I and V2 too small.
_ROW_FACTOR: Final = np.array([1.25, 0.92, 0.68, 1.20, 0.95, 1.08, 1.06, 1.03])

LEAD_FIELD: Final = _DOWER * _ROW_FACTOR[:, None]
"""Average lead field, shape (8, 3): mV in I, II, V1-V6 per mV of X, Y, Z."""


def personal_lead_field(
    row_gain: NDArray[np.float64], element_offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return lead fields of persons.

    Parameters
    ----------
    row_gain : ndarray (n, 8)
        Factor on each lead, about exp(N(0, .10)) (our choice: spread of chest walls).
    element_offset : ndarray (n, 8, 3)
        Added to each element, about N(0, .05) (our choice: position of the heart).

    Returns
    -------
    ndarray (n, 8, 3)
        For `EcgParameters.lead_field`.
    """
    return np.asarray(LEAD_FIELD * row_gain[:, :, None] + element_offset)


def shift_electrodes(
    lead_field: NDArray[np.float64], electrode_shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move the chest electrodes along their row, by interpolation between its leads.

    Parameters
    ----------
    lead_field : ndarray (n, 8, 3)
        mV per mV in I, II, V1-V6.
    electrode_shift : ndarray (n, 6)
        Displacement in electrode spacings; positive towards V6. The row ends at V1 and V6.

    Returns
    -------
    ndarray (n, 8, 3)
        The field at the displaced electrodes; limb leads unchanged.
    """
    position = np.clip(np.arange(6) + electrode_shift, 0.0, 5.0)
    lower = np.minimum(position.astype(np.intp), 4)
    weight = (position - lower)[:, :, None]
    rows = np.arange(len(lead_field))[:, None]
    chest = lead_field[:, 2:]
    moved = chest[rows, lower] * (1.0 - weight) + chest[rows, lower + 1] * weight
    shifted: NDArray[np.float64] = np.concatenate([lead_field[:, :2], moved], axis=1)
    return shifted
