"""What the ECG page draws of a recording: parts of it, filtered for the eye, and median beats.

Nothing here changes what is stored, measured or scored.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.signal.display_filter import (
    DRAWN_HZ,
    DisplayFilter,
    Mains,
    at_drawing_rate,
    display_filtered,
    mains_of,
)
from ecgdash.signal.median_leads import LeadBeat, lead_beat

__all__ = [
    "DrawnPart",
    "Part",
    "draw_part",
    "mains_in",
    "part_holding",
    "parts_of",
    "scored_beat",
]

_LONG_S: Final = 12.0


@dataclass(frozen=True)
class Part:
    """A stretch of a recording that goes on one sheet.

    Attributes
    ----------
    number, of : int
        Counted from 1.
    start_s, stop_s : float
        Seconds from the recording's first sample.
    """

    number: int
    of: int
    start_s: float
    stop_s: float


@dataclass(frozen=True, eq=False)
class DrawnPart:
    """A part as it is drawn.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Filtered as chosen; NaN where there is no sample.
    sampling_hz : float
        500 at most.
    start_s : float
        Where the first sample lies in the recording.
    resampled_from_hz : float or None
        The recording's rate, where that is higher.
    """

    signal_mv: NDArray[np.float32]
    sampling_hz: float
    start_s: float
    resampled_from_hz: float | None


def parts_of(duration_s: float, longest_s: float) -> tuple[Part, ...]:
    """Cut a recording into parts of whole seconds that follow each other.

    Parameters
    ----------
    duration_s : float
        Above 0.
    longest_s : float
        What fits one sheet, at least 1 s; parts are this long, in whole seconds, and the last
        one is what is left.
    """
    if duration_s <= longest_s:
        return (Part(1, 1, 0.0, duration_s),)
    step = max(math.floor(longest_s), 1)
    n_parts = math.ceil(duration_s / step)
    return tuple(
        Part(i + 1, n_parts, float(i * step), min(float((i + 1) * step), duration_s))
        for i in range(n_parts)
    )


def part_holding(parts: tuple[Part, ...], window_s: tuple[float, float] | None) -> int:
    """Return the index of the part with most of a stretch; the first one if None."""
    if window_s is None:
        return 0
    shared = [min(part.stop_s, window_s[1]) - max(part.start_s, window_s[0]) for part in parts]
    return shared.index(max(shared))


def draw_part(record: EcgRecord, part: Part, chosen: DisplayFilter) -> DrawnPart:
    """Return one part of a recording, filtered for the eye, at 500 Hz or less.

    The filter reads what lies beside the part, so that parts join without a step.
    """
    hz = record.sampling_hz
    first, stop = round(part.start_s * hz), min(round(part.stop_s * hz), record.n_samples)
    margin = math.ceil(chosen.margin_s * hz)
    before = min(first, margin)
    wide = record.signal_mv[:, first - before : min(stop + margin, record.n_samples)]
    filtered = display_filtered(wide, hz, chosen)[:, before : before + stop - first]
    drawn, rate = at_drawing_rate(filtered, hz)
    return DrawnPart(drawn, rate, first / hz, hz if hz > DRAWN_HZ else None)


def scored_beat(record: EcgRecord, window_s: tuple[float, float] | None) -> LeadBeat | None:
    """Return the median beat of what was scored, or None if no beat is found.

    Of a long recording only the scored window is searched, which is known: finding it again takes
    seconds for a recording of a day.
    """
    if window_s is not None and record.duration_s > _LONG_S:
        first, stop = (round(at * record.sampling_hz) for at in window_s)
        record = replace(record, signal_mv=record.signal_mv[:, first:stop])
    return lead_beat(record)


def mains_in(record: EcgRecord, window_s: tuple[float, float] | None) -> Mains | None:
    """Return the mains frequency of a recording; None where its rate holds none.

    Parameters
    ----------
    record : EcgRecord
    window_s : (float, float) or None
        The scored window, which is read; None: the recording's start.
    """
    first = round((window_s[0] if window_s else 0.0) * record.sampling_hz)
    return mains_of(record.signal_mv[:, first:], record.sampling_hz)
