"""One ECG's beats laid on the beats of another, so that the two can be compared sample by sample.

What rate alone does to a beat is taken over from the ECG that is laid upon; shapes stay. Up to
0.30 s before R and 0.10 s after it nothing is warped. From there to the end of T time is stretched
as the square roots of the RR intervals, as Bazett has it for QT (a squeezed T would be a steep
wave that nobody had), and the rest linearly to the RR interval. No source gives such rules for
an alignment: all are our choice.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue

__all__ = ["BEATS_AT_LEAST", "lay_beats"]

BEFORE_R_S: Final = 0.30
BEFORE_SHARE: Final = 0.30
"""P and PR: this long, but at most this share of the shorter RR interval."""
QRS_AFTER_R_S: Final = 0.10
T_AFTER_R_S: Final = 0.45
T_SHARE: Final = 0.65
"""R to the end of T at an RR interval of 1 s, and at most this share of the interval."""
BEATS_AT_LEAST: Final = 3
SHORT_AT_MOST_S: Final = 0.02
"""By this much a first or last beat may be short of samples; the level is held there."""

_F64 = NDArray[np.float64]


def lay_beats(
    earlier_mv: NDArray[np.floating],
    earlier_hz: float,
    earlier_r_s: _F64,
    r_s: _F64,
    n_samples: int,
    sampling_hz: float,
) -> _F64:
    """Lay an earlier ECG's beats on the R peaks of another, one after another.

    Are there fewer, they are used again from the first; the level goes on at the join. The first
    and last are used only where their recording reaches far enough.

    Parameters
    ----------
    earlier_mv : ndarray, shape (n_leads, n)
        Millivolts, finite.
    earlier_hz : float
    earlier_r_s, r_s : ndarray, shape (n_beats,)
        R peaks in seconds from either signal's first sample, rising.
    n_samples : int
        Of the result.
    sampling_hz : float
        Of the result.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)

    Raises
    ------
    InvalidValue
        Fewer than three beats in either.
    """
    for which, peaks in (("the earlier ECG", earlier_r_s), ("this ECG", r_s)):
        if len(peaks) < BEATS_AT_LEAST:
            raise InvalidValue(
                f"too few beats to align: {len(peaks)} in {which}",
                accepted=f"Accepted: at least {BEATS_AT_LEAST} in each",
            )
    source, source_hz = _not_faster(earlier_mv, earlier_hz, sampling_hz)
    last_s = (source.shape[-1] - 1) / source_hz
    times = np.arange(n_samples) / sampling_hz
    here = _Course(r_s, float(times[-1]))
    runs = _runs(here, _Course(earlier_r_s, last_s, here.n_before, here.n_after))
    return _read(source, source_hz, runs, times)


class _Course:
    """Beats of a recording, continued at the typical interval beyond its two ends.

    Complexes near an end are not found by the delineation; the continued beats stand for them.
    """

    def __init__(
        self, peaks_s: _F64, last_s: float, before_at_least: int = 1, after_at_least: int = 1
    ) -> None:
        typical = float(np.median(np.diff(peaks_s)))
        self.n_before = max(before_at_least, int(np.ceil(peaks_s[0] / typical)))
        self.n_after = max(after_at_least, int(np.ceil((last_s - peaks_s[-1]) / typical)))
        before = peaks_s[0] - typical * np.arange(self.n_before, 0, -1)
        after = peaks_s[-1] + typical * np.arange(1, self.n_after + 1)
        self.at: _F64 = np.concatenate([before, peaks_s, after])
        self.last_s = last_s
        self.first = self.n_before
        self.last = self.n_before + len(peaks_s) - 1

    def interval(self, beat: int) -> tuple[float, float]:
        """Return start and end of the interval after a beat."""
        return float(self.at[beat]), float(self.at[beat + 1])


_Run = tuple[list[float], list[float]]
"""Times here, and times in the source that belong to them; linear in between."""


def _runs(here: _Course, source: _Course) -> list[_Run]:
    """Return the stretches over which the source is read without a jump."""
    taken = _first_beat(here, source) - here.first
    runs: list[_Run] = [([], [])]
    for beat in range(len(here.at) - 1):
        times, reads = _knots(here.interval(beat), source.interval(taken))
        runs[-1][0].extend(times[:-1])
        runs[-1][1].extend(reads[:-1])
        following = taken + 1
        if here.first <= beat < here.last:
            following = _next_beat(beat + 1, taken, here, source)
        if following != taken + 1:
            before = times[-1] - times[-2]
            runs.append(([times[-2]], [float(source.at[following]) - before]))
        taken = following
    runs[-1][0].append(float(here.at[-1]))
    runs[-1][1].append(float(source.at[taken]))
    return runs


def _first_beat(here: _Course, source: _Course) -> int:
    """Return the first beat of the source before which enough was recorded."""
    for beat in range(source.first, source.last):
        reads = _knots(here.interval(0), source.interval(beat - here.first))
        if np.interp(0.0, *reads) >= -SHORT_AT_MOST_S:
            return beat
    return source.last - 1


def _next_beat(beat: int, taken: int, here: _Course, source: _Course) -> int:
    """Return the beat of the source that is laid on this one, after `taken`."""
    if beat < here.last:
        return taken + 1 if taken + 1 < source.last else source.first
    fitting = [
        candidate
        for candidate in (taken + 1, *range(source.first, source.last))
        if candidate <= source.last and _reaches_end(candidate, here, source)
    ]
    return fitting[0] if fitting else source.first


def _reaches_end(beat: int, here: _Course, source: _Course) -> bool:
    """Tell whether the source goes on long enough after the beat that is laid on the last one."""
    final = len(here.at) - 2
    reads = _knots(here.interval(final), source.interval(beat + final - here.last))
    return bool(np.interp(here.last_s, *reads) <= source.last_s + SHORT_AT_MOST_S)


def _knots(interval: tuple[float, float], taken: tuple[float, float]) -> _Run:
    """Return times here and in the source: R, end of QRS, end of T, before P, next R."""
    long, source = interval[1] - interval[0], taken[1] - taken[0]
    before = min(BEFORE_R_S, BEFORE_SHARE * min(long, source))
    parts = (
        [start, start + QRS_AFTER_R_S, start + _t_end(rr), start + rr - before, start + rr]
        for start, rr in ((interval[0], long), (taken[0], source))
    )
    times, reads = parts
    return times, reads


def _t_end(rr_s: float) -> float:
    return min(T_AFTER_R_S * float(np.sqrt(rr_s)), T_SHARE * rr_s)


def _read(source: _F64, source_hz: float, runs: list[_Run], times: _F64) -> _F64:
    from scipy.interpolate import CubicSpline

    recorded = np.arange(source.shape[-1]) / source_hz
    shape = CubicSpline(recorded, source, axis=-1)
    out = np.empty((len(source), len(times)))
    level = np.zeros(len(source))
    starts = [-np.inf, *(run[0][0] for run in runs[1:]), np.inf]
    for i, (here, reads) in enumerate(runs):
        if i:
            before = runs[i - 1]
            level += shape(np.clip(np.interp(here[0], *before), 0.0, recorded[-1]))
            level -= shape(np.clip(reads[0], 0.0, recorded[-1]))
        mine = (times >= starts[i]) & (times < starts[i + 1])
        at = np.clip(np.interp(times[mine], here, reads), 0.0, recorded[-1])
        out[:, mine] = shape(at) + level[:, np.newaxis]
    return out


def _not_faster(signal_mv: NDArray[np.floating], hz: float, most_hz: float) -> tuple[_F64, float]:
    """Bring a signal down to a rate; a lower one stays, for the spline reads between samples."""
    from fractions import Fraction

    from scipy.signal import resample_poly

    signal = signal_mv.astype(np.float64)
    if hz <= most_hz:
        return signal, hz
    ratio = Fraction(most_hz).limit_denominator(1000) / Fraction(hz).limit_denominator(1000)
    out = resample_poly(signal, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    return np.asarray(out), hz * float(ratio)
