"""How leads lie on ECG paper: one literal table of layouts, and the paper's own measures.

Positions are millimetres on paper, so that nothing depends on the size of a screen; the component
draws what the table says at its pixels per millimetre.
"""

from dataclasses import dataclass
from typing import Final

from ecgdash.domain import CANONICAL_LEADS, LIMB_LEADS

__all__ = [
    "BEATS_PER_ROW",
    "CABRERA_LEADS",
    "GAINS_MM_PER_MV",
    "LAYOUTS",
    "PAPER",
    "RHYTHM_LEADS",
    "SPEEDS_MM_PER_S",
    "Layout",
    "PaperMeasures",
    "layouts_for",
]

GAINS_MM_PER_MV: Final = (5.0, 10.0, 20.0)
SPEEDS_MM_PER_S: Final = (12.5, 25.0, 50.0)
RHYTHM_LEADS: Final = ("II", "V1", "V5")
"""Leads offered for the strip below the columns; the first is the default."""
CABRERA_LEADS: Final = ("aVL", "I", "-aVR", "II", "aVF", "III")
"""Limb leads in the order of their axes, -30 to +120 degrees in steps of 30. "-": inverted."""
BEATS_PER_ROW: Final = 6


@dataclass(frozen=True)
class PaperMeasures:
    """Where things lie on the sheet, in millimetres from its top left corner.

    Not stated in any standard but the pulse: our choice, after the sheets of common carts.

    Attributes
    ----------
    left_mm : float
        Where the first sample of a row lies; the calibration pulse is left of it.
    right_mm : float
        Free paper behind the last sample.
    sheet_s : float
        Seconds that a full row holds.
    first_baseline_mm, last_margin_mm : float
        0 mV of the first row; paper below 0 mV of the last.
    rhythm_extra_mm : float
        The rhythm strip stands a little apart.
    pulse_s, pulse_mv : float
        Calibration: 5 mm wide at 25 mm/s, and 1 mV high.
    line_mm : float
        Height of a line of print below the rows.
    """

    left_mm: float = 10.0
    right_mm: float = 2.0
    sheet_s: float = 10.0
    first_baseline_mm: float = 19.0
    last_margin_mm: float = 15.0
    rhythm_extra_mm: float = 2.0
    pulse_s: float = 0.2
    pulse_mv: float = 1.0
    line_mm: float = 5.0


PAPER: Final = PaperMeasures()


@dataclass(frozen=True)
class Layout:
    """One way to lay leads out.

    Attributes
    ----------
    name : str
        By which the reader's browser remembers it.
    label : str
        For the selector, and printed on the sheet.
    rows : tuple of tuple of str
        Leads of each row, columns of equal and consecutive time; "-aVR" is drawn inverted.
    row_mm : float
        Between the baselines of two rows.
    rhythm : bool
        Whether a strip of one lead over all columns lies below.
    continuous : bool
        One lead in consecutive rows, over the whole recording.
    """

    name: str
    label: str
    rows: tuple[tuple[str, ...], ...]
    row_mm: float
    rhythm: bool = False
    continuous: bool = False

    @property
    def leads(self) -> frozenset[str]:
        """Leads that a recording must hold for it."""
        return frozenset(lead.removeprefix("-") for row in self.rows for lead in row)


def _in_rows(leads: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((lead,) for lead in leads)


LAYOUTS: Final = (
    Layout(
        "3x4+1",
        "3 × 4 + 1",
        (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")),
        30.0,
        rhythm=True,
    ),
    Layout(
        "6x2",
        "6 × 2",
        tuple(zip(LIMB_LEADS, CANONICAL_LEADS[6:], strict=True)),
        25.0,
    ),
    Layout("12x1", "12 × 1", _in_rows(CANONICAL_LEADS), 20.0),
    Layout(
        "cabrera-3x4+1",
        "Cabrera 3 × 4 + 1",
        (("aVL", "II", "V1", "V4"), ("I", "aVF", "V2", "V5"), ("-aVR", "III", "V3", "V6")),
        30.0,
        rhythm=True,
    ),
    Layout(
        "cabrera-6x2",
        "Cabrera 6 × 2",
        tuple(zip(CABRERA_LEADS, CANONICAL_LEADS[6:], strict=True)),
        25.0,
    ),
    Layout("6x1", "6 × 1", _in_rows(LIMB_LEADS), 25.0),
    Layout("3x2", "3 × 2", (("I", "aVR"), ("II", "aVL"), ("III", "aVF")), 30.0),
    Layout("cabrera-6x1", "Cabrera 6 × 1", _in_rows(CABRERA_LEADS), 25.0),
)
"""In the order in which they are offered. Six-lead layouts are not offered for twelve leads."""


def layouts_for(leads: tuple[str, ...]) -> tuple[Layout, ...]:
    """Return the layouts that fit a recording's leads, the default first.

    Parameters
    ----------
    leads : tuple of str

    Returns
    -------
    tuple of Layout
        For one lead consecutive rows; for a set that the table does not name, one row a lead.
    """
    if len(leads) == 1:
        return (Layout("strip", "10 s a row", (leads,), 30.0, continuous=True),)
    fitting = tuple(layout for layout in LAYOUTS if layout.leads == frozenset(leads))
    return fitting or (Layout("rows", f"{len(leads)} × 1", _in_rows(leads), 25.0),)
