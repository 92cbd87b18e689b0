"""The six limb leads: derived from two, and checked against each other.

Einthoven's and Goldberger's laws hold for simultaneous samples; a record that
breaks them has swapped, rescaled or not simultaneous leads.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LIMB_FROM_I_II", "derive_limb_leads", "einthoven_violation"]

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


def einthoven_violation(
    signal_mv: NDArray[np.floating], leads: tuple[str, ...]
) -> tuple[str, float] | None:
    """Return the limb lead that departs most from what I and II imply.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts, finite.
    leads : tuple of str
        Canonical names.

    Returns
    -------
    (str, float) or None
        The lead, and the root mean square of its departure divided by that of
        the largest limb lead (0: exact; offsets do not count). None without
        I, II and a third limb lead.
    """
    rows = {
        name: row - row.mean() for name, row in zip(leads, signal_mv.astype(float), strict=True)
    }
    others = [name for name in LIMB_FROM_I_II if name in rows and name not in ("I", "II")]
    if not {"I", "II"} <= rows.keys() or not others:
        return None
    largest = max(_rms(rows[name]) for name in ("I", "II", *others))
    if largest == 0.0:
        return None
    departures = {}
    for name in others:
        a, b = LIMB_FROM_I_II[name]
        departures[name] = _rms(rows[name] - a * rows["I"] - b * rows["II"]) / largest
    worst = max(departures, key=lambda name: departures[name])
    return worst, departures[worst]


def _rms(row: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(row**2)))
