"""Onsets, offsets and intervals on the median beat, over all leads at once.

The QRS complex is bounded by the summed steepness of all leads, the end of T
by the tangent to its steepest descent (Lepeschkin and Surawicz 1952), and P is
sought where the leads bend most before the complex; P may be "not found".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.beats import speed
from ecgdash.signal.median_beat import MedianBeat

__all__ = ["Landmarks", "find_landmarks"]

QRS_CORE_S: Final = 0.11
QRS_CORE_LEVEL: Final = 0.25
QRS_EDGE_LEVEL: Final = 0.06
"""Of the steepest point, above the quiet level; our choice: normal ECGs then read as on carts."""
QRS_PAUSE_S: Final = 0.016
T_STEEPNESS_S: Final = (0.16, 0.36)
T_STEEPNESS_LEVEL: Final = 1.0
T_STEEPNESS_MAX: Final = 0.12
T_SEARCH_S: Final = 0.5
T_END_TANGENT: Final = 1.3
"""Carts read T's end later than the tangent meets the baseline: by 23 ms on eight real ECGs
with a cart's values, by nothing on Gaussian T waves. The factor halves the difference."""
P_SEARCH_S: Final = 0.30
P_MIN_MV: Final = 0.012
P_MIN_CONSISTENCY: Final = 0.4
"""Below, P is "not found": what follows the same bend in every beat is a P wave."""
P_HALF_S: Final = 0.05
P_ONSET_LEVEL: Final = 0.15

_F32 = NDArray[np.float32]
_Index = NDArray[np.intp]


@dataclass(frozen=True)
class Landmarks:
    """Positions on the median beat, in samples of its window.

    Attributes
    ----------
    onset, offset : ndarray of int, shape (n_records,)
        QRS complex.
    t_peak, t_end : ndarray of int, shape (n_records,)
    t_found : ndarray of bool, shape (n_records,)
    p_peak, p_onset : ndarray of int, shape (n_records,)
    p_found : ndarray of bool, shape (n_records,)
    p_consistency : ndarray of float32, shape (n_records,)
        Mean correlation between the P windows of two beats; NaN below two beats.
    p_height_mv : ndarray of float32, shape (n_records,)
        Root of the mean square over leads at the peak.
    """

    onset: _Index
    offset: _Index
    t_peak: _Index
    t_end: _Index
    t_found: NDArray[np.bool_]
    p_peak: _Index
    p_onset: _Index
    p_found: NDArray[np.bool_]
    p_consistency: _F32
    p_height_mv: _F32


def find_landmarks(median: MedianBeat, rr_s: NDArray[np.floating], sampling_hz: float) -> Landmarks:
    """Find QRS, T and P on the median beats.

    Parameters
    ----------
    median : MedianBeat
    rr_s : ndarray, shape (n_records,)
        Median RR interval, seconds; NaN where there are fewer than two beats.
    sampling_hz : float
    """
    onset, offset = _qrs_bounds(median, sampling_hz)
    rr = np.nan_to_num(rr_s, nan=1.0) * sampling_hz
    t_peak, t_end, t_found = _t_wave(median.mv, onset, offset, rr, sampling_hz)
    p_peak, p_onset, height = _p_wave(median.mv, onset, t_end - rr, sampling_hz)
    consistency = _p_consistency(median, p_peak, onset, sampling_hz)
    p_found = (height >= P_MIN_MV) & (np.nan_to_num(consistency) >= P_MIN_CONSISTENCY)
    return Landmarks(
        onset, offset, t_peak, t_end, t_found, p_peak, p_onset, p_found, consistency, height
    )


def _first_after(mask: NDArray[np.bool_], start: _Index) -> _Index:
    """Return the first True at or after `start`, else the last index."""
    position = np.arange(mask.shape[-1])
    hit = mask & (position >= start[:, None])
    first: _Index = np.where(hit.any(axis=-1), hit.argmax(axis=-1), mask.shape[-1] - 1)
    return first


def _last_before(mask: NDArray[np.bool_], start: _Index) -> _Index:
    """Return the last True at or before `start`, else 0."""
    flipped = _first_after(mask[:, ::-1], mask.shape[-1] - 1 - start)
    last: _Index = mask.shape[-1] - 1 - flipped
    return last


def _qrs_bounds(median: MedianBeat, sampling_hz: float) -> tuple[_Index, _Index]:
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    slope = uniform_filter1d(speed(median.mv), max(round(0.012 * sampling_hz), 1), axis=-1)
    core = round(QRS_CORE_S * sampling_hz)
    middle = slice(median.centre - core, median.centre + core + 1)
    top = slope[:, middle].max(axis=-1, keepdims=True)
    quiet = np.percentile(slope, 15, axis=-1, keepdims=True)
    steep = slope[:, middle] > QRS_CORE_LEVEL * top
    first = steep.argmax(axis=-1) + middle.start
    last = middle.stop - 1 - steep[:, ::-1].argmax(axis=-1)
    still = maximum_filter1d(slope, max(round(0.012 * sampling_hz), 1), axis=-1)
    rise = top - quiet
    before = still < quiet + QRS_EDGE_LEVEL * rise
    # a steep T wave follows a wide complex without a pause: its own steepness is the limit then
    t_begin, t_stop = (median.centre + round(t * sampling_hz) for t in T_STEEPNESS_S)
    t_steep = np.percentile(slope[:, t_begin:t_stop], 90, axis=-1, keepdims=True) - quiet
    level = np.clip(T_STEEPNESS_LEVEL * t_steep, QRS_EDGE_LEVEL * rise, T_STEEPNESS_MAX * rise)
    # a notch before the last deflection is shorter than the pause after the complex
    pause = max(round(QRS_PAUSE_S * sampling_hz), 1)
    calm = maximum_filter1d(still, pause, axis=-1, origin=-(pause // 2)) < quiet + level
    return _last_before(before, first), _first_after(calm, last)


def _level(mv: _F32, position: _Index) -> _F32:
    """Return all leads at one position per record, shape (n_records, n_leads, 1)."""
    clipped = np.clip(position, 0, mv.shape[-1] - 1)
    return np.take_along_axis(mv, clipped[:, None, None], axis=-1)


def _t_wave(
    mv: _F32, onset: _Index, offset: _Index, rr: NDArray[np.floating], sampling_hz: float
) -> tuple[_Index, _Index, NDArray[np.bool_]]:
    from scipy.ndimage import uniform_filter1d

    size = _rms(uniform_filter1d(mv - _level(mv, onset), round(0.02 * sampling_hz), axis=-1))
    position = np.arange(mv.shape[-1])
    begin = offset + round(0.06 * sampling_hz)
    # the next P wave begins at the earliest about 0.2 s before the next complex
    next_p = onset + (rr - 0.2 * sampling_hz).astype(np.intp)
    end = np.minimum(offset + round(T_SEARCH_S * sampling_hz), np.maximum(next_p, begin + 5))
    inside = (position >= begin[:, None]) & (position < end[:, None])
    peak = np.where(inside, size, -1.0).argmax(axis=-1)
    after = (position >= peak[:, None]) & (position < (end + round(0.06 * sampling_hz))[:, None])
    fall = np.gradient(size, axis=-1)
    steepest = np.where(after, fall, np.inf).argmin(axis=-1)
    foot = np.where(after, size, np.inf).min(axis=-1)
    height = _at(size, steepest) - foot
    t_end = steepest + T_END_TANGENT * height / np.maximum(-_at(fall, steepest), 1e-6)
    found = (_at(size, peak) - foot > 0.02) & (t_end < mv.shape[-1])
    return peak, np.clip(np.rint(t_end), 0, mv.shape[-1] - 1).astype(np.intp), found


def _p_wave(
    mv: _F32, onset: _Index, former_t_end: NDArray[np.floating], sampling_hz: float
) -> tuple[_Index, _Index, _F32]:
    """Return P's peak, its onset and its height (root mean square over leads)."""
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(mv, max(round(0.016 * sampling_hz), 1), axis=-1)
    arm = round(0.04 * sampling_hz)
    bend = np.zeros_like(smooth)
    bend[..., arm:-arm] = smooth[..., arm:-arm] - 0.5 * (
        smooth[..., 2 * arm :] + smooth[..., : -2 * arm]
    )
    bent = _rms(bend)
    position = np.arange(mv.shape[-1])
    begin = np.maximum(onset - round(P_SEARCH_S * sampling_hz), former_t_end).astype(np.intp)
    begin = np.clip(begin, arm, onset - round(0.08 * sampling_hz))
    last = onset - round(0.04 * sampling_hz)
    inside = (position >= begin[:, None]) & (position <= last[:, None])
    peak = np.where(inside, bent, -1.0).argmax(axis=-1)
    left = np.maximum(peak - round(0.09 * sampling_hz), 0)
    size = _rms(smooth - _level(smooth, left))
    climb = np.gradient(size, axis=-1)
    before = (position >= left[:, None]) & (position <= peak[:, None])
    steepest = np.where(before, climb, -np.inf).argmax(axis=-1)
    rise = _at(size, steepest) / np.maximum(_at(climb, steepest), 1e-6)
    p_onset = np.clip(steepest - rise, left, peak)
    return peak, np.rint(p_onset).astype(np.intp), _at(bent, peak).astype(np.float32)


def _p_consistency(median: MedianBeat, peak: _Index, onset: _Index, sampling_hz: float) -> _F32:
    """Return the mean correlation between the P windows of two beats."""
    half = round(P_HALF_S * sampling_hz)
    centre = np.minimum(peak, onset - half)
    index = np.clip(centre[:, None] + np.arange(-half, half + 1), 0, median.mv.shape[-1] - 1)
    cut = np.take_along_axis(median.beats_mv, index[:, None, None, :], axis=-1)
    ramp = np.linspace(-1.0, 1.0, cut.shape[-1], dtype=np.float32)
    cut = cut - cut.mean(axis=-1, keepdims=True)
    cut = cut - ramp * ((cut * ramp).sum(axis=-1, keepdims=True) / (ramp * ramp).sum())
    flat = cut.reshape(*cut.shape[:2], -1) * median.used[..., None]
    length = np.sqrt(np.einsum("bkf,bkf->bk", flat, flat))[..., None]
    total = (flat / np.maximum(length, 1e-9)).sum(axis=1)
    n = median.used.sum(axis=-1)
    pairs = np.where(n > 1, n * (n - 1), np.nan)
    agreement: _F32 = ((np.einsum("bf,bf->b", total, total) - n) / pairs).astype(np.float32)
    return agreement


def _rms(mv: _F32) -> _F32:
    size: _F32 = np.sqrt(np.mean(np.square(mv), axis=1))
    return size


def _at(rows: NDArray[np.floating], position: _Index) -> NDArray[np.floating]:
    return np.take_along_axis(rows, position[:, None], axis=-1)[:, 0]
