"""From a record to what the networks read: three 9-s crops, 250 Hz, 0.67-40 Hz.

One function and one version number (DESIGN decision 2). The paper states the
crop length, the rate, the band, and that cropping comes first and filtering last
("Model Architecture and Data Preprocessing"); the filter's kind and order and the
absence of a normalisation are not stated in the paper: our choice.
"""

from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InputDoesNotFitModel, InvalidValue

__all__ = [
    "CROP_S",
    "CROP_SAMPLES",
    "MODEL_SAMPLING_HZ",
    "N_CROPS",
    "PREPROCESSING_VERSION",
    "crop_starts_s",
    "preprocess_batch",
    "preprocess_crops",
    "preprocess_window",
]

PREPROCESSING_VERSION: Final = 1
"""Stored with every prediction; goes up with any change that moves an output."""

MODEL_SAMPLING_HZ: Final = 250.0
CROP_S: Final = 9.0
CROP_SAMPLES: Final = 2250
N_CROPS: Final = 3
MAX_RECORD_S: Final = 10.0
BAND_HZ: Final = (0.67, 40.0)
FILTER_ORDER: Final = 4

_RATE_DENOMINATOR: Final = 1000
"""Rates are read as rationals to a thousandth of a hertz."""

_BLOCK: Final = 4
"""Records filtered at a time: what fits the processor's cache (64 took 3.5 times longer)."""

_Signal = NDArray[np.floating]


def crop_starts_s(duration_s: float) -> tuple[float, float, float]:
    """Return where the three crops of a record start, in seconds.

    Parameters
    ----------
    duration_s : float
        Length of the record; only its first 10 s are used.

    Raises
    ------
    InputDoesNotFitModel
        Shorter than 9 s.
    """
    used_s = min(duration_s, MAX_RECORD_S)
    if used_s < CROP_S - 1e-9:
        raise InputDoesNotFitModel(
            f"the record is {duration_s:.2f} s long", accepted="Accepted: at least 9 s"
        )
    return (0.0, (used_s - CROP_S) / 2, used_s - CROP_S)


def preprocess_crops(signal_mv: _Signal, sampling_hz: float) -> NDArray[np.float32]:
    """Cut, resample and filter one record.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts, finite (the gate comes first).
    sampling_hz : float

    Returns
    -------
    ndarray of float32, shape (3, n_leads, 2250)
        Millivolts at 250 Hz.

    Raises
    ------
    InputDoesNotFitModel
        Shorter than 9 s.
    """
    crops: NDArray[np.float32] = preprocess_batch(signal_mv[np.newaxis], sampling_hz)[0]
    return crops


def preprocess_batch(
    signals_mv: _Signal, sampling_hz: float, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Cut, resample and filter records of one length and rate.

    Each row equals `preprocess_crops` of that record, whatever the batch.

    Parameters
    ----------
    signals_mv : ndarray, shape (n_records, n_leads, n_samples)
        Millivolts, finite.
    sampling_hz : float
    out : ndarray of float32, shape (n_records, 3, n_leads, 2250), optional
        Where the crops are written.

    Returns
    -------
    ndarray of float32, shape (n_records, 3, n_leads, 2250)
    """
    _check_shape(signals_mv)
    starts_s = crop_starts_s(signals_mv.shape[-1] / sampling_hz)
    if out is None:
        out = np.empty((len(signals_mv), N_CROPS, signals_mv.shape[1], CROP_SAMPLES), np.float32)
    for first in range(0, len(signals_mv), _BLOCK):
        block = slice(first, first + _BLOCK)
        crops = [_cut(signals_mv[block], start_s, sampling_hz) for start_s in starts_s]
        _to_model(np.stack(crops, axis=1), sampling_hz, out[block])
    return out


def preprocess_window(
    signals_mv: _Signal, sampling_hz: float, start_s: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Cut one 9-s window per record at its own start, resample and filter it.

    Parameters
    ----------
    signals_mv : ndarray, shape (n_records, n_leads, n_samples)
        Millivolts, finite.
    sampling_hz : float
    start_s : ndarray, shape (n_records,)
        Seconds, from 0 to the record's length minus 9 s.

    Returns
    -------
    ndarray of float32, shape (n_records, n_leads, 2250)
    """
    _check_shape(signals_mv)
    if len(start_s) != len(signals_mv):
        raise InvalidValue(f"{len(start_s)} starts for {len(signals_mv)} records")
    out = np.empty((*signals_mv.shape[:2], CROP_SAMPLES), np.float32)
    for first in range(0, len(signals_mv), _BLOCK):
        block = slice(first, first + _BLOCK)
        windows = [
            _cut(signal, float(start), sampling_hz)
            for signal, start in zip(signals_mv[block], start_s[block], strict=True)
        ]
        _to_model(np.stack(windows), sampling_hz, out[block])
    return out


def _check_shape(signals_mv: _Signal) -> None:
    if signals_mv.ndim != 3:
        raise InvalidValue(
            f"signals of shape {signals_mv.shape}", accepted="Accepted: (records, leads, samples)"
        )


def _cut(signal_mv: _Signal, start_s: float, sampling_hz: float) -> _Signal:
    n_needed = round(CROP_S * sampling_hz)
    first = round(start_s * sampling_hz)
    if first < 0 or first + n_needed > signal_mv.shape[-1]:
        raise InputDoesNotFitModel(
            f"no 9 s from {start_s:.2f} s on in {signal_mv.shape[-1] / sampling_hz:.2f} s"
        )
    return signal_mv[..., first : first + n_needed]


def _to_model(crops_mv: _Signal, sampling_hz: float, out: NDArray[np.float32]) -> None:
    """Resample to 250 Hz and filter, along the last axis."""
    from scipy.signal import sosfiltfilt

    resampled = _resample(crops_mv.astype(np.float64), sampling_hz)
    out[...] = sosfiltfilt(_band_pass(), resampled, axis=-1)


def _resample(crops_mv: NDArray[np.float64], sampling_hz: float) -> NDArray[np.float64]:
    """Bring crops to exactly 2250 samples.

    The line from first to last sample is taken off during the resampling, so
    that an electrode offset makes no step at the crop's ends (our choice).
    """
    from scipy.signal import resample_poly

    rate = Fraction(sampling_hz).limit_denominator(_RATE_DENOMINATOR)
    ratio = Fraction(int(MODEL_SAMPLING_HZ)) / rate
    if ratio == 1:
        return crops_mv
    out: NDArray[np.float64] = resample_poly(
        crops_mv, ratio.numerator, ratio.denominator, axis=-1, padtype="line"
    )
    missing = CROP_SAMPLES - out.shape[-1]
    if missing > 0:  # odd rates can round to a sample less
        out = np.concatenate([out, np.repeat(out[..., -1:], missing, axis=-1)], axis=-1)
    return out[..., :CROP_SAMPLES]


@cache
def _band_pass() -> NDArray[np.float64]:
    from scipy.signal import butter

    sos: NDArray[np.float64] = butter(
        FILTER_ORDER, BAND_HZ, "bandpass", fs=MODEL_SAMPLING_HZ, output="sos"
    )
    return sos
