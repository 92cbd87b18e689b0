"""The six limb leads, derived from two by Einthoven's and Goldberger's laws.

`ecgdash.signal.limb_leads` checks recorded ones against the laws.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LIMB_FROM_I_II", "derive_limb_leads"]

LIMB_FROM_I_II: Final = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""Each limb lead as a x I + b x II."""


def derive_limb_leads(
    lead_i_mv: NDArray[np.floating], lead_ii_mv: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return all six limb leads from I and II.

    Parameters
    ----------
    lead_i_mv, lead_ii_mv : ndarray, shape (..., n_samples)
        Millivolts, simultaneous.

    Returns
    -------
    ndarray of float64, shape (..., 6, n_samples)
        I, II, III, aVR, aVL, aVF.
    """
    rows = [a * lead_i_mv + b * lead_ii_mv for a, b in LIMB_FROM_I_II.values()]
    return np.stack(rows, axis=-2).astype(np.float64)
