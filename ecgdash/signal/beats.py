"""Where the beats are, and which of them look alike.

Everything works on a whole batch at once: beats stand in arrays of shape
(n_records, n_beats) padded at the end, with a mask of the beats that exist.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Beats", "cut_windows", "find_beats", "speed"]

SLOPE_ARM_S: Final = 0.008
ENVELOPE_S: Final = 0.12
EDGE_S: Final = 0.3
"""A complex this near to either end of the record is not whole: it is no beat."""
REFRACTORY_S: Final = 0.2
"""No two QRS complexes closer than this (300 beats a minute)."""
BEAT_THRESHOLD: Final = 0.25
"""Of the typical complex (our choice). On 185 real ECGs ventricular premature complexes reach 0.7
to 1.2; the steepest T waves reach 0.3 to 0.4, and are told from complexes by the next two."""
T_WAVE_S: Final = 0.46
T_WAVE_SIZE: Final = 0.5
SHAPE_HALF_S: Final = 0.1
SAME_SHAPE: Final = 0.85
"""Correlation over all leads from which two complexes count as one shape (our choice)."""
MAX_LAG_S: Final = 0.04
COARSE_LAG_S: Final = 0.008

_F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Beats:
    """The beats of a batch.

    Attributes
    ----------
    sample : ndarray of int, shape (n_records, n_beats)
        Middle of each QRS complex; 0 where there is none.
    exists : ndarray of bool, shape (n_records, n_beats)
    similarity : ndarray of float32, shape (n_records, n_beats)
        Correlation of each complex with the record's commonest shape.
    width_s : ndarray of float32, shape (n_records, n_beats)
        Spread of the complex's activity in time, twice its standard deviation.
    """

    sample: NDArray[np.intp]
    exists: NDArray[np.bool_]
    similarity: _F32
    width_s: _F32

    @property
    def dominant(self) -> NDArray[np.bool_]:
        """Beats of the commonest shape."""
        return self.exists & (self.similarity > SAME_SHAPE)


def speed(signals_mv: _F32, sampling_hz: float) -> _F32:
    """Return the summed absolute slope over leads, mV per 16 ms.

    Over so long a stretch the slope of muscle noise averages out, that of a QRS complex does not.

    Parameters
    ----------
    signals_mv : ndarray, shape (n_records, n_leads, n_samples)
    sampling_hz : float

    Returns
    -------
    ndarray of float32, shape (n_records, n_samples)
    """
    arm = max(round(SLOPE_ARM_S * sampling_hz), 1)
    out = np.zeros((signals_mv.shape[0], signals_mv.shape[2]), dtype=np.float32)
    out[:, arm:-arm] = np.abs(signals_mv[:, :, 2 * arm :] - signals_mv[:, :, : -2 * arm]).sum(
        axis=1
    )
    return out


def find_beats(signals_mv: _F32, sampling_hz: float) -> Beats:
    """Find the QRS complexes by their steepness over all leads.

    Parameters
    ----------
    signals_mv : ndarray of float32, shape (n_records, n_leads, n_samples)
        Without baseline wander.
    sampling_hz : float
    """
    from scipy.ndimage import uniform_filter1d

    slope = speed(signals_mv, sampling_hz)
    envelope = uniform_filter1d(slope, max(round(ENVELOPE_S * sampling_hz), 1), axis=-1)
    sample, exists = _pad(_peaks(envelope, sampling_hz))
    exists &= ~_is_t_wave(envelope, sample, exists, sampling_hz)
    edge = EDGE_S * sampling_hz
    exists &= (sample >= edge) & (sample < signals_mv.shape[-1] - edge)
    similarity, lag = _compare_shapes(signals_mv, sample, exists, sampling_hz)
    sample = np.clip(sample + lag, 0, signals_mv.shape[-1] - 1)
    width = _widths(slope, sample, sampling_hz)
    return _compact(Beats(sample, exists, similarity, width))


def cut_windows(signals: _F32, sample: NDArray[np.intp], offsets: NDArray[np.intp]) -> _F32:
    """Cut one window per beat; samples beyond the record repeat its ends.

    Parameters
    ----------
    signals : ndarray, shape (n_records, n_leads, n_samples)
    sample : ndarray of int, shape (n_records, n_beats)
    offsets : ndarray of int, shape (n_window,)

    Returns
    -------
    ndarray, shape (n_records, n_beats, n_leads, n_window)
    """
    n_records, n_leads, n_samples = signals.shape
    inside = np.clip(sample[:, :, None] + offsets, 0, n_samples - 1)
    start = (np.arange(n_records)[:, None] * n_leads + np.arange(n_leads)) * n_samples
    index = inside[:, :, None, :] + start[:, None, :, None]
    windows: _F32 = np.take(np.ascontiguousarray(signals).reshape(-1), index)
    return windows


def _peaks(envelope: _F32, sampling_hz: float) -> NDArray[np.bool_]:
    from scipy.ndimage import maximum_filter1d

    block = max(round(1.5 * sampling_hz), 1)
    n_blocks = max(envelope.shape[-1] // block, 1)
    blocks = envelope[:, : n_blocks * block].reshape(len(envelope), n_blocks, -1)
    typical = np.median(blocks.max(axis=-1), axis=-1, keepdims=True)
    highest = maximum_filter1d(envelope, 2 * round(REFRACTORY_S * sampling_hz) + 1, axis=-1)
    peaks: NDArray[np.bool_] = (envelope >= highest) & (envelope > BEAT_THRESHOLD * typical)
    peaks[:, 1:] &= ~(peaks[:, :-1])  # equal neighbours are one peak
    return peaks


def _pad(peaks: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Turn a mask over samples into beat positions, padded to the longest record."""
    counts = peaks.sum(axis=-1)
    n_beats = max(int(counts.max(initial=0)), 1)
    exists = np.arange(n_beats) < counts[:, None]
    sample = np.zeros(exists.shape, dtype=np.intp)
    sample[exists] = np.nonzero(peaks)[1]
    return sample, exists


def _is_t_wave(
    envelope: _F32, sample: NDArray[np.intp], exists: NDArray[np.bool_], sampling_hz: float
) -> NDArray[np.bool_]:
    height = np.take_along_axis(envelope, sample, axis=-1)
    found = np.zeros_like(exists)
    close = np.diff(sample, axis=-1) < T_WAVE_S * sampling_hz
    small = height[:, 1:] < T_WAVE_SIZE * height[:, :-1]
    found[:, 1:] = exists[:, 1:] & close & small
    return found


def _unit(windows: _F32) -> _F32:
    """Centre each lead and scale each beat to length 1: products become correlations."""
    flat = (windows - windows.mean(axis=-1, keepdims=True)).reshape(*windows.shape[:2], -1)
    length = np.sqrt(np.einsum("bkf,bkf->bk", flat, flat))[..., None]
    unit: _F32 = flat / np.maximum(length, 1e-9)
    return unit


def _compare_shapes(
    signals: _F32, sample: NDArray[np.intp], exists: NDArray[np.bool_], sampling_hz: float
) -> tuple[_F32, NDArray[np.intp]]:
    """Return each beat's likeness to the commonest shape and the shift that fits it best."""
    half = round(SHAPE_HALF_S * sampling_hz)
    around = np.arange(-half, half + 1)
    unit = _unit(cut_windows(signals, sample, around)) * exists[..., None]
    alike = unit @ unit.transpose(0, 2, 1)
    votes = ((alike > SAME_SHAPE).sum(axis=-1) + 0.1 * alike.mean(axis=-1)) * exists
    medoid = np.take_along_axis(unit, votes.argmax(axis=-1)[:, None, None], axis=1)[:, 0]
    lag = np.zeros_like(sample)
    coarse = max(round(COARSE_LAG_S * sampling_hz), 1)
    most = round(MAX_LAG_S * sampling_hz) // coarse * coarse
    for lags in (np.arange(-most, most + 1, coarse), np.arange(1 - coarse, coarse)):
        similarity, best = _best_lag(signals, sample + lag, medoid, around, lags)
        lag += best
    return np.where(exists, similarity, 0.0).astype(np.float32), np.where(exists, lag, 0)


def _best_lag(
    signals: _F32,
    sample: NDArray[np.intp],
    medoid: _F32,
    around: NDArray[np.intp],
    lags: NDArray[np.intp],
) -> tuple[_F32, NDArray[np.intp]]:
    """Return each beat's best correlation with the commonest shape, and the lag of it."""
    wide = cut_windows(signals, sample, np.arange(around[0] + lags[0], around[-1] + lags[-1] + 1))
    by_lag = np.stack(
        [
            np.einsum("bkf,bf->bk", _unit(wide[..., at : at + around.size]), medoid)
            for at in lags - lags[0]
        ]
    )
    best = by_lag.argmax(axis=0)
    return by_lag.max(axis=0), lags[best]


def _widths(slope: _F32, sample: NDArray[np.intp], sampling_hz: float) -> _F32:
    offsets = np.arange(-round(0.12 * sampling_hz), round(0.12 * sampling_hz) + 1)
    near = cut_windows(slope[:, None, :], sample, offsets)[:, :, 0]
    weight = np.maximum(near - 0.15 * near.max(axis=-1, keepdims=True), 0.0)
    total = np.maximum(weight.sum(axis=-1), 1e-9)
    centre = (weight * offsets).sum(axis=-1) / total
    spread = (weight * (offsets - centre[..., None]) ** 2).sum(axis=-1) / total
    width: _F32 = (2.0 * np.sqrt(spread) / sampling_hz).astype(np.float32)
    return width


def _compact(beats: Beats) -> Beats:
    """Move the existing beats of each record to the front."""
    order = np.argsort(~beats.exists, axis=-1, kind="stable")
    n_beats = max(int(beats.exists.sum(axis=-1).max(initial=0)), 1)

    def front(values: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(values, order, axis=-1)[:, :n_beats]

    exists = front(beats.exists)
    sample = np.where(exists, front(beats.sample), 0)
    return Beats(sample, exists, front(beats.similarity), front(beats.width_s))
