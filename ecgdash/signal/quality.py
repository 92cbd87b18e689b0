"""What can be wrong with a lead: gaps, flat stretches, rails, impossible amplitudes.

Numbers only; which of them withhold a score is the gate's decision.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LeadQuality", "lead_quality", "longest_run"]

_RAIL_RUN_S: Final = 0.024
"""Equal samples at the extreme that count as a rail: longer than a rounded peak stays."""


@dataclass(frozen=True)
class LeadQuality:
    """Facts about one lead over the stretch that is scored.

    Attributes
    ----------
    missing_s : float
        Seconds without a value.
    flat_s : float
        Longest stretch of one constant value, in seconds.
    range_mv : float
        Highest minus lowest sample.
    swing_mv : float
        Median over the seconds of highest minus lowest sample: a beat's size.
    peak_mv : float
        Largest distance from the median.
    rail_mv : float or None
        The value at which the lead is cut off; None: it is not.
    """

    missing_s: float
    flat_s: float
    range_mv: float
    swing_mv: float
    peak_mv: float
    rail_mv: float | None


def lead_quality(row_mv: NDArray[np.floating], sampling_hz: float) -> LeadQuality:
    """Measure one lead.

    Parameters
    ----------
    row_mv : ndarray, shape (n_samples,)
        Millivolts; NaN or infinity where there is no value.
    sampling_hz : float
    """
    finite = np.isfinite(row_mv)
    missing_s = float((~finite).sum() / sampling_hz)
    row = row_mv[finite].astype(np.float64)
    if row.size < 2:
        return LeadQuality(missing_s, 0.0, 0.0, 0.0, 0.0, None)
    steps = np.abs(np.diff(row)) < 5e-4  # half the finest step in use, 1 uV
    second = max(int(sampling_hz), 2)
    whole = row[: row.size // second * second].reshape(-1, second)
    swing = float(np.median(np.ptp(whole, axis=1))) if len(whole) else float(np.ptp(row))
    centre = float(np.median(row[::4]))  # every fourth sample: as good, and four times faster
    return LeadQuality(
        missing_s=missing_s,
        flat_s=(longest_run(steps) + 1) / sampling_hz if steps.any() else 0.0,
        range_mv=float(np.ptp(row)),
        swing_mv=swing,
        peak_mv=float(np.abs(row - centre).max()),
        rail_mv=_rail(row, centre, sampling_hz),
    )


def longest_run(mask: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    lengths = _run_lengths(mask)
    return int(lengths.max()) if lengths.size else 0


def _run_lengths(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    lengths: NDArray[np.intp] = edges[1::2] - edges[::2]
    return lengths


def _rail(row: NDArray[np.float64], centre: float, sampling_hz: float) -> float | None:
    """Return the extreme at which the lead repeatedly stays, at least 1 mV off its median."""
    for extreme in (float(row.max()), float(row.min())):
        if abs(extreme - centre) < 1.0:
            continue
        runs = _run_lengths(np.abs(row - extreme) < 5e-4) / sampling_hz
        held = runs[runs >= _RAIL_RUN_S]
        if held.size >= 2:  # one run alone is a record's padded end (PTB-XL), or flat
            return extreme
    return None
