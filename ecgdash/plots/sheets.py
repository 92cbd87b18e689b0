"""What is drawn on ECG paper: an ECG with what may lie beneath its trace, and median beats.

The canvas component draws them to scale; nothing here knows pixels or a page.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue

__all__ = ["LARGEST_PAYLOAD_BYTES", "BeatSheet", "Overlay", "Sheet", "longest_part_s"]

LARGEST_PAYLOAD_BYTES: Final = 200_000
"""Of one sheet, everything counted; a longer recording is shown in parts."""
_FOR_SAMPLES: Final = 170_000
"""What the samples may take of it; words and colour take the rest."""
HIGHEST_HZ: Final = 500.0
"""Faster recordings are drawn at this rate: 20 samples a millimetre at 25 mm/s."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """Colour beneath the trace.

    Attributes
    ----------
    start_s : float
        Where the first step starts, seconds from the recording's first sample.
    step_s : float
    values : ndarray of float32, shape (n_leads, n_steps)
        In `unit`, above 0 where the score was raised; leads as in the sheet.
    title : str
        What the colour means, for instance "What moved the recalibrated score since 28 Jan 2025".
    unit : str
        Of the values, for the legend.
    """

    start_s: float
    step_s: float
    values: NDArray[np.float32]
    title: str
    unit: str = "logit per 40 ms"


@dataclass(frozen=True, eq=False)
class Sheet:
    """An ECG, or the part of a long one that is drawn.

    Attributes
    ----------
    key : str
        Content hash of the ECG: the component keeps its place by it.
    leads : tuple of str
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        As it is to be drawn, filtered if a filter was chosen; NaN: no sample.
    sampling_hz : float
    start_s : float
        Where the first sample lies in the recording.
    shown_from_s : float
        Where in the recording the sheet starts at first: the scored window.
    recording_s : float
        Length of the whole recording.
    in_millivolts : bool
        False: arbitrary units, so no calibration pulse and no voltage.
    title : str
        Over a printed sheet: date and time, age, sex; the patient's code only if asked for.
    foot : str
        Filter for display, filter of the cart, filter of the model's input.
    alt : str
        The ECG in words, for those who cannot see it.
    simulated : bool
    rr_s : float or None
        Mean interval between beats, for QTc by the calipers.
    overlay : Overlay or None
    """

    key: str
    leads: tuple[str, ...]
    signal_mv: NDArray[np.float32]
    sampling_hz: float
    start_s: float
    shown_from_s: float
    recording_s: float
    in_millivolts: bool
    title: str
    foot: str
    alt: str
    simulated: bool = False
    rr_s: float | None = None
    overlay: Overlay | None = None

    def __post_init__(self) -> None:
        """Check that signal, leads and colour fit."""
        if self.signal_mv.ndim != 2 or len(self.signal_mv) != len(self.leads):
            raise InvalidValue(
                f"a signal of shape {self.signal_mv.shape} for {len(self.leads)} leads"
            )
        if self.overlay is not None and len(self.overlay.values) != len(self.leads):
            raise InvalidValue(
                f"colour for {len(self.overlay.values)} leads on a sheet of {len(self.leads)}"
            )


@dataclass(frozen=True, eq=False)
class BeatSheet:
    """Median beats of one ECG, or of two on top of each other, aligned on R.

    Attributes
    ----------
    key : str
    leads : tuple of str
    now_mv, earlier_mv : ndarray of float32, shape (n_leads, n_samples)
        Both at `sampling_hz` with R at `centre_s`; a lead that the earlier ECG lacks is NaN.
    sampling_hz, centre_s : float
    now, earlier : str
        Dates, as the legend names them; `earlier` is "" without an earlier ECG.
    alt : str
    """

    key: str
    leads: tuple[str, ...]
    now_mv: NDArray[np.float32]
    earlier_mv: NDArray[np.float32] | None
    sampling_hz: float
    centre_s: float
    now: str
    earlier: str
    alt: str


def longest_part_s(n_leads: int, sampling_hz: float) -> float:
    """Return how many seconds of a recording fit one sheet, as int16 at no more than 500 Hz."""
    rate = min(sampling_hz, HIGHEST_HZ)
    return _FOR_SAMPLES / (2 * n_leads * rate)
