"""A standard ECG sheet to scale: 3 rows of 4 leads of 2.5 s each, and a rhythm strip.

Positions are millimetres on paper (25 mm/s, 10 mm/mV), so that nothing depends
on the size of a screen; the component multiplies by its pixels per millimetre.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.plots.style import ECG_PAPER

__all__ = ["PAPER_HEIGHT_MM", "PAPER_WIDTH_MM", "Strip", "sheet"]

PAPER_WIDTH_MM: Final = 262.0
PAPER_HEIGHT_MM: Final = 126.0
_LEFT_MM: Final = 10.0
_COLUMN_S: Final = 2.5
_FIRST_BASELINE_MM: Final = 19.0
_ROW_MM: Final = 30.0
_RHYTHM_BASELINE_MM: Final = 111.0
_SHEET: Final = (
    ("I", "aVR", "V1", "V4"),
    ("II", "aVL", "V2", "V5"),
    ("III", "aVF", "V3", "V6"),
)


@dataclass(frozen=True, eq=False)
class Strip:
    """A stretch of one lead.

    Attributes
    ----------
    lead : str
    x_mm, baseline_mm : float
        Where the first sample and 0 mV lie, from the top left corner.
    step_mm : float
        Between two samples.
    signal_mv : ndarray of float32, shape (n_samples,)
        NaN where the file holds no sample.
    """

    lead: str
    x_mm: float
    baseline_mm: float
    step_mm: float
    signal_mv: NDArray[np.float32]


def sheet(record: EcgRecord) -> list[Strip]:
    """Lay a record out on paper.

    Twelve leads: consecutive 2.5 s in four columns, and lead II as rhythm strip.
    Fewer leads: one row of 10 s for each.

    Parameters
    ----------
    record : EcgRecord

    Returns
    -------
    list of Strip
        Samples are the record's own, neither filtered nor resampled.
    """
    if len(record.leads) < 12:
        rows = record.leads
        gap = min(_ROW_MM, (PAPER_HEIGHT_MM - 26.0) / max(len(rows) - 1, 1))
        return [
            _strip(record, lead, (0.0, 10.0), _FIRST_BASELINE_MM + gap * row)
            for row, lead in enumerate(rows)
        ]
    strips = [
        _strip(
            record,
            lead,
            (column * _COLUMN_S, (column + 1) * _COLUMN_S),
            _FIRST_BASELINE_MM + _ROW_MM * row,
        )
        for row, leads in enumerate(_SHEET)
        for column, lead in enumerate(leads)
    ]
    return [*strips, _strip(record, "II", (0.0, 10.0), _RHYTHM_BASELINE_MM)]


def _strip(
    record: EcgRecord, lead: str, window_s: tuple[float, float], baseline_mm: float
) -> Strip:
    first = round(window_s[0] * record.sampling_hz)
    last = round(window_s[1] * record.sampling_hz)
    return Strip(
        lead=lead,
        x_mm=_LEFT_MM + window_s[0] * ECG_PAPER.speed_mm_per_s,
        baseline_mm=baseline_mm,
        step_mm=ECG_PAPER.speed_mm_per_s / record.sampling_hz,
        signal_mv=record.lead(lead)[first:last],
    )
