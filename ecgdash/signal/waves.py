"""The T and the P wave of the median beat, over all leads at once."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["PWave", "TWave", "find_p_wave", "find_t_wave", "p_consistency"]

T_AFTER_QRS_S: Final = 0.06
T_SEARCH_S: Final = 0.5
T_END_REACH_S: Final = 0.16
"""After T's steepest descent, where T is over at the latest (our choice: then T ends where it
does on carts, at 2 to 4 % of its peak)."""
T_MIN_MV: Final = 0.02
EARLIEST_P_S: Final = 0.2
"""The next P wave begins at the earliest about so long before the next complex."""
P_SEARCH_S: Final = 0.36
P_USUAL_S: Final = 0.24
P_EARLY_WEIGHT: Final = 0.7
"""Of a summit earlier than that: rather the foot of T than P, where another one follows."""
P_LATEST_S: Final = 0.04
P_REACH_S: Final = 0.08
P_LAST_SUMMIT: Final = 0.85
"""Of the highest; P's own end bends half as much as its peak."""
P_TANGENT: Final = 1.2
"""Carts see P begin a little before the tangent meets the level: by 5 ms of PR on eight real
ECGs with a cart's values."""
P_HALF_S: Final = 0.05

_F32 = NDArray[np.float32]
_Float = NDArray[np.floating]
_Index = NDArray[np.intp]


class TWave(NamedTuple):
    """T waves of a batch, each of shape (n_records,); positions in samples of the window."""

    peak: _Index
    end_at: _Float
    found: NDArray[np.bool_]


class PWave(NamedTuple):
    """P waves of a batch, each of shape (n_records,); positions in samples of the window.

    `height_mv` is the root of the mean square over leads of the bend at the peak.
    """

    peak: _Index
    onset_at: _Float
    end_at: _Float
    height_mv: _F32


def find_t_wave(mv: _F32, onset: _Index, offset: _Index, rr: _Float, fs: float) -> TWave:
    """Find T's peak and its end.

    The end is where the area of the trapezium between T's steepest descent and
    a point after T is largest (Vazquez-Seisdedos et al., BioMed Eng OnLine
    2011): it follows the slow end of real T waves, as carts do, where the
    tangent (Lepeschkin and Surawicz 1952) read 20 ms less than eight carts.

    Parameters
    ----------
    mv : ndarray of float32, shape (n_records, n_leads, n_window)
    onset, offset : ndarray of int, shape (n_records,)
        QRS complex.
    rr : ndarray, shape (n_records,)
        RR interval in samples.
    fs : float
        Samples per second.
    """
    from scipy.ndimage import uniform_filter1d

    n_window = mv.shape[-1]
    smooth = uniform_filter1d(mv, max(round(0.02 * fs), 1), axis=-1)
    size = _rms(smooth - _level(smooth, onset))
    position = np.arange(n_window)
    begin = offset + round(T_AFTER_QRS_S * fs)
    next_p = onset + (rr - EARLIEST_P_S * fs).astype(np.intp)
    end = np.minimum(offset + round(T_SEARCH_S * fs), np.maximum(next_p, begin + 5))
    inside = (position >= begin[:, None]) & (position < end[:, None])
    peak = np.where(inside, size, -1.0).argmax(axis=-1)
    limit = np.minimum(end + round(0.06 * fs), n_window - 1)
    after = (position >= peak[:, None]) & (position < limit[:, None])
    steepest = np.where(after, np.gradient(size, axis=-1), np.inf).argmin(axis=-1)
    right = np.maximum(np.minimum(steepest + round(T_END_REACH_S * fs), limit), steepest + 2)
    area = (_at(size, steepest)[:, None] - size) * (2 * right - steepest)[:, None]
    area -= (_at(size, steepest)[:, None] - size) * position
    tail = (position >= steepest[:, None]) & (position <= right[:, None])
    end_at = np.where(tail, area, -np.inf).argmax(axis=-1)
    foot = np.where(after, size, np.inf).min(axis=-1)
    return TWave(peak, end_at.astype(np.float64), _at(size, peak) - foot > T_MIN_MV)


def find_p_wave(mv: _F32, onset: _Index, former_t_end: _Float, fs: float) -> PWave:
    """Find P where the leads bend most before the complex.

    Parameters
    ----------
    mv : ndarray of float32, shape (n_records, n_leads, n_window)
    onset : ndarray of int, shape (n_records,)
        QRS onset.
    former_t_end : ndarray, shape (n_records,)
        End of the T wave of the beat before, in samples of this window.
    fs : float
        Samples per second.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    smooth = uniform_filter1d(mv, max(round(0.016 * fs), 1), axis=-1)
    arm = round(0.04 * fs)
    bend = np.zeros_like(smooth)
    bend[..., arm:-arm] = smooth[..., arm:-arm] - 0.5 * (
        smooth[..., 2 * arm :] + smooth[..., : -2 * arm]
    )
    bent = _rms(bend)
    position = np.arange(mv.shape[-1])
    begin = np.maximum(onset - round(P_SEARCH_S * fs), former_t_end).astype(np.intp)
    begin = np.clip(begin, arm, np.maximum(onset - round(0.08 * fs), arm))
    last = onset - round(P_LATEST_S * fs)
    inside = (position >= begin[:, None]) & (position <= last[:, None])
    summit = inside & (bent >= maximum_filter1d(bent, 2 * (arm // 2) + 1, axis=-1))
    # the foot of the T wave before bends too, but earlier: the last of the high summits is P
    early = position < (onset - round(P_USUAL_S * fs))[:, None]
    weighed = np.where(summit, bent * np.where(early, P_EARLY_WEIGHT, 1.0), -1.0)
    high = summit & (weighed >= P_LAST_SUMMIT * weighed.max(axis=-1, keepdims=True))
    peak = mv.shape[-1] - 1 - high[:, ::-1].argmax(axis=-1)
    peak = np.where(high.any(axis=-1), peak, last)
    reach = round(P_REACH_S * fs)
    onset_at = _foot_before(smooth, peak, np.maximum(peak - reach, 0))
    backwards = mv.shape[-1] - 1
    right = np.clip(peak + reach, peak, np.maximum(onset, peak))
    end_at = backwards - _foot_before(smooth[..., ::-1], backwards - peak, backwards - right)
    return PWave(peak, onset_at, end_at, _at(bent, peak).astype(np.float32))


def p_consistency(
    beats_mv: _F32, used: NDArray[np.bool_], peak: _Index, onset: _Index, fs: float
) -> _F32:
    """Return the mean correlation between the P windows of two beats; NaN below two beats.

    Parameters
    ----------
    beats_mv : ndarray of float32, shape (n_records, n_beats, n_leads, n_window)
    used : ndarray of bool, shape (n_records, n_beats)
    peak, onset : ndarray of int, shape (n_records,)
        P's peak and QRS onset, in samples of the window.
    fs : float
        Samples per second.
    """
    half = round(P_HALF_S * fs)
    centre = np.minimum(peak, onset - half)
    index = np.clip(centre[:, None] + np.arange(-half, half + 1), 0, beats_mv.shape[-1] - 1)
    cut = np.take_along_axis(beats_mv, index[:, None, None, :], axis=-1)
    ramp = np.linspace(-1.0, 1.0, cut.shape[-1], dtype=np.float32)
    cut = cut - cut.mean(axis=-1, keepdims=True)
    cut = cut - ramp * ((cut * ramp).sum(axis=-1, keepdims=True) / (ramp * ramp).sum())
    flat = cut.reshape(*cut.shape[:2], -1) * used[..., None]
    length = np.sqrt(np.einsum("bkf,bkf->bk", flat, flat))[..., None]
    total = (flat / np.maximum(length, 1e-9)).sum(axis=1)
    n = used.sum(axis=-1)
    pairs = np.where(n > 1, n * (n - 1), np.nan)
    agreement: _F32 = ((np.einsum("bf,bf->b", total, total) - n) / pairs).astype(np.float32)
    return agreement


def _foot_before(smooth: _F32, peak: _Index, left: _Index) -> _Float:
    """Return where the tangent to the steepest climb from `left` to the peak leaves the level."""
    size = _rms(smooth - _level(smooth, left))
    climb = np.gradient(size, axis=-1)
    position = np.arange(smooth.shape[-1])
    before = (position >= left[:, None]) & (position <= peak[:, None])
    steepest = np.where(before, climb, -np.inf).argmax(axis=-1)
    rise = _at(size, steepest) / np.maximum(_at(climb, steepest), 1e-6)
    foot: _Float = np.clip(steepest - P_TANGENT * rise, left, peak)
    return foot


def _level(mv: _F32, position: _Index) -> _F32:
    """Return all leads at one position per record, shape (n_records, n_leads, 1)."""
    clipped = np.clip(position, 0, mv.shape[-1] - 1)
    return np.take_along_axis(mv, clipped[:, None, None], axis=-1)


def _rms(mv: _F32) -> _F32:
    size: _F32 = np.sqrt(np.einsum("bls,bls->bs", mv, mv) / mv.shape[1])
    return size


def _at(rows: _Float, position: _Index) -> _Float:
    return np.take_along_axis(rows, position[:, None], axis=-1)[:, 0]
