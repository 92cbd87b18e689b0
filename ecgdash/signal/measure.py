"""What a cart would measure, for a whole batch of ECGs at once."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.signal.beats import find_beats
from ecgdash.signal.intervals import find_landmarks
from ecgdash.signal.median_beat import median_beat
from ecgdash.signal.morphology import morphology_of
from ecgdash.signal.rhythm import flutter_power, noise_uv, rhythm_of, spike_share

__all__ = ["Measurements", "measure", "measure_batch"]

MEASURED_S: Final = 10.0
HIGH_PASS_HZ: Final = 0.5
"""Zero-phase; keeps ST within AHA's tolerance (Kligfield et al. 2007, below 0.67 Hz)."""
_INDEPENDENT: Final = tuple(CANONICAL_LEADS.index(n) for n in ("I", "II", *CANONICAL_LEADS[6:]))
_BLOCK: Final = 32
"""Records measured at a time: what fits the processor's cache."""

_F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Measurements:
    """Measurements of a batch; arrays over records, NaN where not found.

    Attributes
    ----------
    heart_rate_bpm, rr_cv, rmssd : ndarray, shape (n,)
        See `ecgdash.signal.rhythm.Rhythm`; `rmssd` is relative to the mean RR.
    n_beats, pvc_count, pac_count, ectopic_beats : ndarray of int, shape (n,)
    p_found : ndarray of bool, shape (n,)
    p_consistency : ndarray, shape (n,)
        Mean correlation between the P windows of two beats, -1 to 1.
    pr_ms, qrs_ms, qt_ms, qtc_ms : ndarray, shape (n,)
        `qtc_ms` by Bazett from the mean RR interval.
    qrs_axis_deg, t_axis_deg, p_axis_deg : ndarray, shape (n,)
    r_mv ... late_r_mv : ndarray, shape (n, 12)
        See `ecgdash.signal.morphology.Morphology`; canonical lead order.
    p_terminal_v1_mv : ndarray, shape (n,)
    flutter_power : ndarray, shape (n,)
        Share of the power between QRS complexes at one rate of 4 to 6 Hz.
    spike_share : ndarray, shape (n,)
        Share of beats that follow a pacing spike.
    noise_uv : ndarray, shape (n,)
        High-frequency noise, microvolts root mean square.
    """

    heart_rate_bpm: _F64
    rr_cv: _F64
    rmssd: _F64
    n_beats: NDArray[np.intp]
    pvc_count: NDArray[np.intp]
    pac_count: NDArray[np.intp]
    ectopic_beats: NDArray[np.intp]
    p_found: NDArray[np.bool_]
    p_consistency: _F64
    pr_ms: _F64
    qrs_ms: _F64
    qt_ms: _F64
    qtc_ms: _F64
    qrs_axis_deg: _F64
    t_axis_deg: _F64
    p_axis_deg: _F64
    r_mv: _F64
    q_mv: _F64
    s_mv: _F64
    q_ms: _F64
    r_peak_ms: _F64
    qrs_net_mv_ms: _F64
    qrs_pp_mv: _F64
    st60_mv: _F64
    t_mv: _F64
    late_r_mv: _F64
    p_terminal_v1_mv: _F64
    flutter_power: _F64
    spike_share: _F64
    noise_uv: _F64

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.heart_rate_bpm)

    def lead(self, name: str, lead: str) -> NDArray[Any]:
        """Return one lead's column of a per-lead measurement, shape (n,)."""
        column: NDArray[Any] = getattr(self, name)[:, CANONICAL_LEADS.index(lead)]
        return column

    def take(self, rows: NDArray[np.intp] | slice) -> "Measurements":
        """Return the measurements of some records."""
        return Measurements(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def as_cart(self, row: int = 0) -> dict[str, float]:
        """Return one record's values under the names of `MEASUREMENT_KEYS`, found ones only."""
        names = ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms")
        axes = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")
        values = {name: float(getattr(self, name)[row]) for name in (*names, *axes)}
        return {name: value for name, value in values.items() if np.isfinite(value)}


def measure_batch(signals_mv: NDArray[np.floating], sampling_hz: float) -> Measurements:
    """Measure records of one length and rate.

    Each row equals the measurement of that record alone.

    Parameters
    ----------
    signals_mv : ndarray, shape (n_records, 12, n_samples)
        Millivolts, canonical lead order; missing samples (NaN) count as 0. Only
        the first 10 s are used.
    sampling_hz : float
        From 200 to 1000.

    Raises
    ------
    InvalidValue
        Not twelve leads, under 2 s, or another rate.
    """
    if signals_mv.ndim != 3 or signals_mv.shape[1] != len(CANONICAL_LEADS):
        raise InvalidValue(f"signals of shape {signals_mv.shape}", accepted="(n, 12, samples)")
    if not 200.0 <= sampling_hz <= 1000.0:
        raise InvalidValue(f"sampling_hz {sampling_hz:g}", accepted="Accepted: 200 to 1000")
    if signals_mv.shape[-1] < 2 * sampling_hz:
        raise InvalidValue(f"{signals_mv.shape[-1] / sampling_hz:.1f} s", accepted="At least 2 s")
    used = signals_mv[:, _INDEPENDENT, : round(MEASURED_S * sampling_hz)]
    blocks = [
        _measure_block(used[first : first + _BLOCK], sampling_hz)
        for first in range(0, max(len(used), 1), _BLOCK)
    ]
    if len(blocks) == 1:
        return blocks[0]
    names = [f.name for f in fields(Measurements)]
    return Measurements(
        **{name: np.concatenate([getattr(block, name) for block in blocks]) for name in names}
    )


def measure(record: EcgRecord) -> Measurements:
    """Measure one record, whatever its leads and rate; a batch of one.

    Figures of leads that the record does not hold are NaN. Intervals need at
    least lead I.
    """
    twelve = np.zeros((len(CANONICAL_LEADS), record.n_samples), dtype=np.float32)
    held = [CANONICAL_LEADS.index(name) for name in record.leads]
    twelve[held] = record.signal_mv
    signal, rate = _at_usable_rate(twelve, record.sampling_hz)
    found = measure_batch(signal[np.newaxis], rate)
    missing = [i for i in range(len(CANONICAL_LEADS)) if i not in held]
    if missing:
        for field in fields(found):
            values = getattr(found, field.name)
            if values.ndim == 2:
                values[:, missing] = np.nan
    if "aVF" not in record.leads and "II" not in record.leads:
        for axis in (found.qrs_axis_deg, found.t_axis_deg, found.p_axis_deg):
            axis[:] = np.nan
    return found


def _at_usable_rate(
    signal_mv: NDArray[np.float32], sampling_hz: float
) -> tuple[NDArray[np.float32], float]:
    """Bring a record to 500 Hz where its rate is not from 240 to 512 Hz."""
    from fractions import Fraction

    from scipy.signal import resample_poly

    if 240.0 <= sampling_hz <= 512.0:
        return signal_mv, sampling_hz
    ratio = Fraction(500) / Fraction(sampling_hz).limit_denominator(1000)
    finite = np.nan_to_num(signal_mv)
    out = resample_poly(finite, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    return out.astype(np.float32), 500.0


def _high_pass(signals_mv: NDArray[np.floating], sampling_hz: float) -> NDArray[np.float32]:
    from scipy.signal import butter, sosfiltfilt

    sos = butter(2, HIGH_PASS_HZ, "highpass", fs=sampling_hz, output="sos")
    clean = np.nan_to_num(signals_mv.astype(np.float64), posinf=0.0, neginf=0.0)
    filtered: NDArray[np.float32] = sosfiltfilt(sos, clean, axis=-1).astype(np.float32)
    return filtered


def _where_beating(values: _F64, beating: NDArray[np.bool_]) -> _F64:
    """Blank the records without a single beat."""
    return np.where(beating if values.ndim == 1 else beating[:, None], values, np.nan)


def _measure_block(signals_mv: NDArray[np.floating], sampling_hz: float) -> Measurements:
    signals = _high_pass(signals_mv, sampling_hz)
    beats = find_beats(signals, sampling_hz)
    rhythm = rhythm_of(beats, sampling_hz)
    median = median_beat(signals, beats, sampling_hz)
    marks = find_landmarks(median, rhythm.rr_s, sampling_hz)
    shape = morphology_of(median, marks, sampling_hz)
    beating = rhythm.n_beats > 0
    step_ms = 1000.0 / sampling_hz
    qrs_ms = np.where(beating, (marks.offset - marks.onset) * step_ms, np.nan)
    qt_ms = np.where(beating & marks.t_found, (marks.t_end - marks.onset) * step_ms, np.nan)
    pr_ms = np.where(beating & marks.p_found, (marks.onset - marks.p_onset) * step_ms, np.nan)
    flutter = flutter_power(signals[:, [1, 2]], beats, marks, median.centre, sampling_hz)
    return Measurements(
        heart_rate_bpm=rhythm.heart_rate_bpm,
        rr_cv=rhythm.rr_cv,
        rmssd=rhythm.rmssd,
        n_beats=rhythm.n_beats,
        pvc_count=rhythm.pvc_count,
        pac_count=rhythm.pac_count,
        ectopic_beats=rhythm.pvc_count + rhythm.pac_count,
        p_found=marks.p_found & beating,
        p_consistency=marks.p_consistency.astype(np.float64),
        pr_ms=pr_ms,
        qrs_ms=qrs_ms,
        qt_ms=qt_ms,
        qtc_ms=qt_ms * np.sqrt(rhythm.heart_rate_bpm / 60.0),
        flutter_power=flutter,
        spike_share=spike_share(signals, median, marks.onset, sampling_hz),
        noise_uv=noise_uv(signals),
        **{name: _where_beating(values, beating) for name, values in vars(shape).items()},
    )
