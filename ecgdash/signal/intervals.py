"""Onsets, offsets and intervals on the median beat, over all leads at once.

The QRS complex is bounded by the summed steepness of all leads; T and P are
found by `ecgdash.signal.waves`. P may be "not found".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.median_beat import MedianBeat
from ecgdash.signal.waves import find_p_wave, find_t_wave, p_consistency

__all__ = ["Landmarks", "find_landmarks", "qrs_bounds", "steepness"]

QRS_CORE_S: Final = 0.11
QRS_CORE_LEVEL: Final = 0.25
QRS_EDGE_LEVEL: Final = 0.015
"""Of the steepest point, above the quiet level. On the median beats of four real ECGs of a
GE cart, its own onset and offset lie where the steepness is 2 to 5 % of the peak (our choice,
set on those and on seven real ECGs with a cart's duration)."""
QUIET_FACTOR: Final = 1.25
"""The quiet level is a low percentile; noise passes it often, and this seldom."""
QRS_PAUSE_S: Final = 0.016
NEIGHBOUR_S: Final = 0.07
"""Where P runs into the complex (a delta wave) or the complex into T (bundle branch block),
the leads are nowhere calm: the least steepness within this time of the steep part is the limit."""
T_STEEPNESS_S: Final = (0.16, 0.36)
T_STEEPNESS_LEVEL: Final = 0.85
T_STEEPNESS_MAX: Final = 0.12
P_MIN_MV: Final = 0.012
P_MIN_CONSISTENCY: Final = 0.4
"""Below, P is "not found": what follows the same bend in every beat is a P wave."""

_F32 = NDArray[np.float32]
_Float = NDArray[np.floating]
_Index = NDArray[np.intp]


def _nearest(position: _Float) -> _Index:
    return np.rint(position).astype(np.intp)


@dataclass(frozen=True)
class Landmarks:
    """Positions on the median beat, in samples of its window.

    Attributes
    ----------
    onset_at, offset_at, rise_at : ndarray, shape (n_records,)
        QRS complex, between samples, and where the summed slope over leads
        first reaches half of its peak within the complex.
    t_peak : ndarray of int, shape (n_records,)
    t_end_at : ndarray, shape (n_records,)
    t_found : ndarray of bool, shape (n_records,)
    p_peak : ndarray of int, shape (n_records,)
    p_onset_at, p_end_at : ndarray, shape (n_records,)
    p_found : ndarray of bool, shape (n_records,)
    p_consistency : ndarray of float32, shape (n_records,)
        Mean correlation between the P windows of two beats; NaN below two beats.
    """

    onset_at: _Float
    offset_at: _Float
    rise_at: _Float
    t_peak: _Index
    t_end_at: _Float
    t_found: NDArray[np.bool_]
    p_peak: _Index
    p_onset_at: _Float
    p_end_at: _Float
    p_found: NDArray[np.bool_]
    p_consistency: _F32

    @property
    def onset(self) -> _Index:
        """The sample nearest to QRS onset."""
        return _nearest(self.onset_at)

    @property
    def offset(self) -> _Index:
        """The sample nearest to the end of QRS."""
        return _nearest(self.offset_at)

    @property
    def t_end(self) -> _Index:
        """The sample nearest to T's end."""
        return _nearest(self.t_end_at)

    @property
    def p_onset(self) -> _Index:
        """The sample nearest to P onset."""
        return _nearest(self.p_onset_at)

    @property
    def p_end(self) -> _Index:
        """The sample nearest to P's end."""
        return _nearest(self.p_end_at)


def find_landmarks(
    median: MedianBeat, rr_before_s: _Float, rr_after_s: _Float, sampling_hz: float
) -> Landmarks:
    """Find QRS, T and P on the median beats.

    Parameters
    ----------
    median : MedianBeat
    rr_before_s, rr_after_s : ndarray, shape (n_records,)
        Median RR interval before and after the beats, seconds; NaN: there is none.
    sampling_hz : float
    """
    onset_at, offset_at, rise_at = qrs_bounds(median.mv, median.centre, sampling_hz)
    onset = _nearest(onset_at)
    rr_before, rr_after = (
        np.nan_to_num(rr, nan=1.0) * sampling_hz for rr in (rr_before_s, rr_after_s)
    )
    t = find_t_wave(median.mv, onset, _nearest(offset_at), rr_after, sampling_hz)
    p = find_p_wave(median.mv, onset, t.end_at - rr_before, sampling_hz)
    consistency = p_consistency(median.beats_mv, median.used, p.peak, onset, sampling_hz)
    p_found = (p.height_mv >= P_MIN_MV) & (np.nan_to_num(consistency) >= P_MIN_CONSISTENCY)
    return Landmarks(
        onset_at=onset_at,
        offset_at=offset_at,
        rise_at=rise_at,
        t_peak=t.peak,
        t_end_at=t.end_at,
        t_found=t.found,
        p_peak=p.peak,
        p_onset_at=p.onset_at,
        p_end_at=p.end_at,
        p_found=p_found,
        p_consistency=consistency,
    )


def steepness(mv: _F32, sampling_hz: float) -> _F32:
    """Return the summed absolute slope over leads, mV per 8 ms, lightly smoothed.

    The same stretch of time counts at every rate, so that durations agree.

    Parameters
    ----------
    mv : ndarray of float32, shape (n_records, n_leads, n_window)
    sampling_hz : float

    Returns
    -------
    ndarray of float32, shape (n_records, n_window)
    """
    step = max(round(0.004 * sampling_hz), 1)
    slope = np.zeros((mv.shape[0], mv.shape[2]), dtype=np.float32)
    slope[:, step:-step] = np.abs(mv[..., 2 * step :] - mv[..., : -2 * step]).sum(axis=1)
    slope *= np.float32(0.004 * sampling_hz / step)
    smooth = slope.copy()
    smooth[:, step:-step] *= np.float32(0.5)
    smooth[:, step:-step] += np.float32(0.25) * (slope[:, 2 * step :] + slope[:, : -2 * step])
    return smooth


def qrs_bounds(mv: _F32, centre: int, sampling_hz: float) -> tuple[_Float, _Float, _Float]:
    """Return QRS onset, offset and where the slope first reaches half of its peak.

    Parameters
    ----------
    mv : ndarray of float32, shape (n_records, n_leads, n_window)
    centre : int
        Sample of the window in the middle of the complexes.
    sampling_hz : float

    Returns
    -------
    tuple of ndarray, each of shape (n_records,)
        In samples of the window, between samples.
    """
    slope = steepness(mv, sampling_hz)
    core = round(QRS_CORE_S * sampling_hz)
    middle = slice(centre - core, centre + core + 1)
    top = slope[:, middle].max(axis=-1, keepdims=True)
    quiet = np.percentile(slope, 15, axis=-1, keepdims=True)
    steep = slope[:, middle] > QRS_CORE_LEVEL * top
    first = steep.argmax(axis=-1) + middle.start
    last = middle.stop - 1 - steep[:, ::-1].argmax(axis=-1)
    rise = top - quiet
    reach = np.arange(round(NEIGHBOUR_S * sampling_hz))
    calmest = _least(slope, first[:, None] - reach)
    before = QUIET_FACTOR * np.maximum(quiet, calmest) + QRS_EDGE_LEVEL * rise
    # a steep T wave follows a wide complex without a pause: its own steepness is the limit then
    t_begin, t_stop = (centre + round(t * sampling_hz) for t in T_STEEPNESS_S)
    t_steep = np.percentile(slope[:, t_begin:t_stop], 90, axis=-1, keepdims=True) - quiet
    limit = np.clip(T_STEEPNESS_LEVEL * t_steep, QRS_EDGE_LEVEL * rise, T_STEEPNESS_MAX * rise)
    after = np.maximum(
        quiet * QUIET_FACTOR + limit, QUIET_FACTOR * _least(slope, last[:, None] + reach)
    )
    pause = max(round(QRS_PAUSE_S * sampling_hz), 1)
    backwards = slope.shape[-1] - 1
    onset_at = backwards - _calm_after(slope[:, ::-1], backwards - first, before, pause // 2)
    rise_at = _crossing_before(slope >= 0.5 * top, slope, _nearest(onset_at), 0.5 * top)
    return onset_at, _calm_after(slope, last, after, pause), rise_at


def _least(slope: _F32, index: _Index) -> _F32:
    """Return the least steepness at some positions of each record, shape (n_records, 1)."""
    inside = np.clip(index, 0, slope.shape[-1] - 1)
    least: _F32 = np.take_along_axis(slope, inside, axis=-1).min(axis=-1, keepdims=True)
    return least


def _calm_after(slope: _F32, start: _Index, level: _F32, pause: int) -> _Float:
    """Return where the slope falls below a level from `start` on and stays there for a pause.

    A notch before the last deflection is shorter than the pause after the complex.
    """
    from scipy.ndimage import maximum_filter1d

    ahead = maximum_filter1d(slope, max(pause, 1), axis=-1, origin=-(pause // 2))
    position = np.arange(slope.shape[-1])
    calm = (ahead < level) & (position >= start[:, None])
    found = np.where(calm.any(axis=-1), calm.argmax(axis=-1), slope.shape[-1] - 1)
    return _between(slope, found, level)


def _crossing_before(above: NDArray[np.bool_], slope: _F32, start: _Index, level: _F32) -> _Float:
    """Return where the slope first comes above a level from `start` on."""
    position = np.arange(slope.shape[-1])
    hit = above & (position >= start[:, None])
    return _between(slope, hit.argmax(axis=-1), level)


def _between(slope: _F32, position: _Index, level: _F32) -> _Float:
    """Return where the line from the sample before to `position` crosses the level."""
    row = np.arange(len(slope))
    before, here = slope[row, np.maximum(position - 1, 0)], slope[row, position]
    step = before - here
    share = (before - level[:, 0]) / np.where(step == 0, 1.0, step)
    crossing: _Float = np.maximum(position - 1 + np.clip(share, 0.0, 1.0), 0)
    return crossing
