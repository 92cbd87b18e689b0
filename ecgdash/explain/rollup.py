"""Contributions of crops laid on the ECG's own time axis, and summed by lead and wave."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.attribution import BIN_S, WAVE_COLUMNS, WaveTable
from ecgdash.errors import InvalidValue
from ecgdash.signal.beat_table import BeatTable
from ecgdash.signal.preprocess import MODEL_SAMPLING_HZ, crop_starts_s
from ecgdash.signal.window import ScoredWindow

__all__ = ["RolledUp", "crop_times_s", "roll_up", "wave_columns"]

ST_AT_LEAST_S: Final = 0.04
"""Kept for ST after the J point, however early T begins (our choice)."""

_P, _QRS, _ST, _T, _REST = range(len(WAVE_COLUMNS))


@dataclass(frozen=True, eq=False)
class RolledUp:
    """Contributions of one ECG, the mean over its crops.

    Attributes
    ----------
    start_s : float
        Where the first bin starts in the recording.
    bins : ndarray of float64, shape (n_leads, n_bins)
        Logits per `BIN_S`.
    waves : WaveTable
        Both sum to the mean over the crops of all contributions.
    """

    start_s: float
    bins: NDArray[np.float64]
    waves: WaveTable


def roll_up(
    values: NDArray[np.floating], leads: tuple[str, ...], window: ScoredWindow, beats: BeatTable
) -> RolledUp:
    """Lay the crops' contributions on the scored window and sum them.

    Parameters
    ----------
    values : ndarray, shape (n_crops, n_leads, n_samples)
        Logits, at the networks' 250 Hz; as `explain_crops` gives them.
    leads : tuple of str
    window : ScoredWindow
        From which the crops were cut.
    beats : BeatTable
        Of the same record.

    Raises
    ------
    InvalidValue
        If the leads, or the crops, are not as many as the values tell.
    """
    times = crop_times_s(window, values.shape[-1])
    if values.ndim != 3 or values.shape[:2] != (len(times), len(leads)):
        raise InvalidValue(
            f"contributions of shape {values.shape} for {len(leads)} leads",
            accepted=f"Accepted: {len(times)} crops of {len(leads)} leads",
        )
    start_s, stop_s = window.seconds
    n_bins = int(np.ceil((stop_s - start_s) / BIN_S - 1e-6))
    bins = np.zeros((len(leads), n_bins))
    waves = np.zeros((len(leads), len(WAVE_COLUMNS)))
    for crop, at in zip(values.astype(np.float64), times, strict=True):
        bin_of = np.clip(((at - start_s) / BIN_S + 1e-6).astype(np.intp), 0, n_bins - 1)
        column_of = wave_columns(at, beats)
        for lead, row in enumerate(crop):
            bins[lead] += np.bincount(bin_of, row, minlength=n_bins)
            waves[lead] += np.bincount(column_of, row, minlength=len(WAVE_COLUMNS))
    n = len(times)
    return RolledUp(start_s, bins / n, WaveTable(leads, waves / n))


def crop_times_s(window: ScoredWindow, n_samples: int) -> NDArray[np.float64]:
    """Return when each sample of each crop was recorded.

    Returns
    -------
    ndarray of float64, shape (3, n_samples)
        Seconds from the first sample of the recording.
    """
    start_s, stop_s = window.seconds
    fs = window.sampling_hz
    # crops start on a sample of the recording
    starts = np.array([round(s * fs) / fs for s in crop_starts_s(stop_s - start_s)])
    return np.asarray(start_s + starts[:, np.newaxis] + np.arange(n_samples) / MODEL_SAMPLING_HZ)


def wave_columns(times_s: NDArray[np.floating], beats: BeatTable) -> NDArray[np.intp]:
    """Return which of `WAVE_COLUMNS` each moment belongs to.

    T begins as long before its peak as it ends after it, but not within 40 ms of the J point; no
    delineator here measures that onset: our choice. A beat whose T was not found has no ST either.
    Where waves of two beats overlap, P goes before T, and QRS before all.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
        Seconds from the first sample of the recording.
    beats : BeatTable

    Returns
    -------
    ndarray of int, shape (n,)
    """
    column = np.full(len(times_s), _REST, dtype=np.intp)
    j_point = beats.offset_s
    t_onset = np.maximum(2 * beats.t_peak_s - beats.t_end_s, j_point + ST_AT_LEAST_S)
    spans = (
        (_ST, j_point, np.minimum(t_onset, beats.t_end_s)),
        (_T, t_onset, beats.t_end_s),
        (_P, beats.p_onset_s, beats.p_end_s),
        (_QRS, beats.onset_s, j_point),
    )
    for which, starts, stops in spans:
        for start, stop in zip(starts, stops, strict=True):  # comparing with NaN is false
            column[(times_s >= start) & (times_s < stop)] = which
    return column
