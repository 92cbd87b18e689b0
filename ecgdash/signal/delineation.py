"""From samples to beats, rhythm, median beat and landmarks: what every measurement starts from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.signal.beats import Beats, find_beats
from ecgdash.signal.intervals import Landmarks, find_landmarks
from ecgdash.signal.median_beat import MedianBeat, median_beat
from ecgdash.signal.rhythm import Rhythm, rhythm_of
from ecgdash.signal.window import WINDOW_S, scored_window

__all__ = [
    "INDEPENDENT",
    "MEASURED_AT_LEAST_S",
    "MEASURED_S",
    "Delineation",
    "RecordDelineation",
    "delineate",
    "delineate_record",
    "is_measurable",
    "without_padding",
]

MEASURED_S: Final = WINDOW_S
MEASURED_AT_LEAST_S: Final = 2.0
HIGH_PASS_HZ: Final = 0.5
"""Zero-phase; keeps ST within AHA's tolerance (Kligfield et al. 2007, below 0.67 Hz)."""
INDEPENDENT: Final = tuple(CANONICAL_LEADS.index(n) for n in ("I", "II", *CANONICAL_LEADS[6:]))
"""Canonical places of the leads that are measured: I, II, V1 to V6; the others follow from them."""


@dataclass(frozen=True)
class Delineation:
    """What was found in a batch.

    Attributes
    ----------
    signals : ndarray of float32, shape (n_records, 8, n_samples)
        Leads I, II, V1 to V6 without baseline wander, millivolts.
    beats : Beats
    rhythm : Rhythm
    median : MedianBeat
    marks : Landmarks
        On the median beat.
    """

    signals: NDArray[np.float32]
    beats: Beats
    rhythm: Rhythm
    median: MedianBeat
    marks: Landmarks


@dataclass(frozen=True)
class RecordDelineation:
    """What was found in one record, a batch of one.

    Attributes
    ----------
    found : Delineation
    sampling_hz : float
        Of what is in `found`.
    raw_mv : ndarray of float32, shape (1, 8, n_samples)
        The scored window as recorded, from `without_padding`; leads that are not held are 0.
    raw_hz : float
    start_s : float
        Where the window starts in the recording.
    """

    found: Delineation
    sampling_hz: float
    raw_mv: NDArray[np.float32]
    raw_hz: float
    start_s: float


def is_measurable(record: EcgRecord) -> bool:
    """Tell whether a record is long enough, holds lead I and is in millivolts."""
    long_enough = record.duration_s >= MEASURED_AT_LEAST_S
    return long_enough and "I" in record.leads and record.in_millivolts


def delineate_record(record: EcgRecord) -> RecordDelineation:
    """Find beats, rhythm, median beat and landmarks of one record, whatever its leads and rate.

    Raises
    ------
    InvalidValue
        Under 2 s.
    """
    if record.duration_s < MEASURED_AT_LEAST_S:
        raise InvalidValue(f"{record.duration_s:.1f} s", accepted="At least 2 s")
    window = scored_window(record.signal_mv, record.sampling_hz)
    twelve = np.zeros((len(CANONICAL_LEADS), window.stop - window.start), dtype=np.float32)
    held = [CANONICAL_LEADS.index(name) for name in record.leads]
    twelve[held] = record.signal_mv[:, window.slice]
    raw = without_padding(twelve[np.newaxis, INDEPENDENT])
    signals, sampling_hz = _at_usable_rate(raw, record.sampling_hz)
    found = delineate(signals, sampling_hz)
    return RecordDelineation(found, sampling_hz, raw, record.sampling_hz, window.seconds[0])


def delineate(signals_mv: NDArray[np.float32], sampling_hz: float) -> Delineation:
    """Find beats, rhythm, median beat and landmarks.

    Parameters
    ----------
    signals_mv : ndarray of float32, shape (n_records, 8, n_samples)
        Leads I, II, V1 to V6, from `without_padding`.
    sampling_hz : float
        From 200 to 1000.
    """
    signals = _high_pass(signals_mv, sampling_hz)
    beats = find_beats(signals, sampling_hz)
    rhythm = rhythm_of(beats, sampling_hz)
    median = median_beat(signals, beats, sampling_hz)
    marks = find_landmarks(median, rhythm.rr_before_s, rhythm.rr_after_s, sampling_hz)
    return Delineation(signals, beats, rhythm, median, marks)


def _at_usable_rate(
    signals_mv: NDArray[np.float32], sampling_hz: float
) -> tuple[NDArray[np.float32], float]:
    """Bring signals to 500 Hz where their rate is not from 240 to 512 Hz."""
    from fractions import Fraction

    from scipy.signal import resample_poly

    if 240.0 <= sampling_hz <= 512.0:
        return signals_mv, sampling_hz
    ratio = Fraction(500) / Fraction(sampling_hz).limit_denominator(1000)
    out = resample_poly(signals_mv, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    return out.astype(np.float32), 500.0


def without_padding(signals_mv: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the signals without gaps, and without the constant stretch that pads some records.

    Where no lead moves any more (PTB-XL: about 0.1 s of zeros at the end), the last
    real value is held instead, so that the step to the padding is no deflection.
    """
    signals = np.nan_to_num(signals_mv.astype(np.float32), posinf=0.0, neginf=0.0)
    moves = (signals[..., 1:] != signals[..., :-1]).any(axis=1)
    position = np.arange(signals.shape[-1])
    first = moves.argmax(axis=-1) + 1
    last = moves.shape[-1] - 1 - moves[:, ::-1].argmax(axis=-1)
    for row in np.flatnonzero(moves.any(axis=-1) & ((first > 2) | (last < moves.shape[-1] - 2))):
        signals[row] = signals[row][:, np.clip(position, first[row], last[row])]
    return signals


def _high_pass(signals_mv: NDArray[np.float32], sampling_hz: float) -> NDArray[np.float32]:
    from scipy.signal import butter, sosfiltfilt

    sos = butter(2, HIGH_PASS_HZ, "highpass", fs=sampling_hz, output="sos")
    filtered: NDArray[np.float32] = sosfiltfilt(sos, signals_mv.astype(np.float64), axis=-1).astype(
        np.float32
    )
    return filtered
