"""The median beat: the record's commonest complex with noise and ectopy taken out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.beats import Beats, cut_windows

__all__ = ["BEFORE_S", "MedianBeat", "median_beat"]

BEFORE_S: Final = 0.48
"""Before the middle of the QRS complex: a PR interval of 400 ms fits."""
AFTER_S: Final = 0.6
MAX_BEATS: Final = 12
"""More add time, not precision."""


@dataclass(frozen=True)
class MedianBeat:
    """Median beats of a batch.

    Attributes
    ----------
    mv : ndarray of float32, shape (n_records, n_leads, n_window)
    centre : int
        Index of the middle of the QRS complex.
    beats_mv : ndarray of float32, shape (n_records, 12, n_leads, n_window)
        The beats it was made of, padded.
    used : ndarray of bool, shape (n_records, 12)
    sample : ndarray of int, shape (n_records, 12)
    """

    mv: NDArray[np.float32]
    centre: int
    beats_mv: NDArray[np.float32]
    used: NDArray[np.bool_]
    sample: NDArray[np.intp]


def median_beat(signals_mv: NDArray[np.float32], beats: Beats, sampling_hz: float) -> MedianBeat:
    """Build the median of the dominant beats that lie wholly inside the record.

    Parameters
    ----------
    signals_mv : ndarray of float32, shape (n_records, n_leads, n_samples)
    beats : Beats
    sampling_hz : float
    """
    before, after = round(BEFORE_S * sampling_hz), round(AFTER_S * sampling_hz)
    n_samples = signals_mv.shape[-1]
    whole = (beats.sample >= before) & (beats.sample + after < n_samples) & beats.dominant
    lone = ~whole.any(axis=-1, keepdims=True)
    usable = np.where(lone, beats.dominant, whole)
    order = np.argsort(~usable, axis=-1, kind="stable")[:, :MAX_BEATS]
    used = np.take_along_axis(usable, order, axis=-1)
    sample = np.take_along_axis(beats.sample, order, axis=-1)
    cut = cut_windows(signals_mv, sample, np.arange(-before, after + 1))
    return MedianBeat(_masked_median(cut, used), before, cut, used, sample)


def _masked_median(windows: NDArray[np.float32], used: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Median over axis 1 of the windows in use; zeros where none is."""
    ranked = np.where(used[:, :, None, None], windows, np.float32(np.inf))
    ranked.sort(axis=1)
    count = used.sum(axis=1)
    low = np.maximum((count - 1) // 2, 0)[:, None, None, None]
    high = np.minimum(count // 2, windows.shape[1] - 1)[:, None, None, None]
    pair = np.take_along_axis(ranked, low, axis=1) + np.take_along_axis(ranked, high, axis=1)
    return np.where(count[:, None, None] > 0, pair[:, 0] / 2, 0.0).astype(np.float32)
