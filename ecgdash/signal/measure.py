"""What a cart would measure, for a whole batch of ECGs at once."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.domain.ecg import OWN_MEASUREMENT_KEYS
from ecgdash.errors import InvalidValue
from ecgdash.signal.delineation import (
    INDEPENDENT,
    MEASURED_AT_LEAST_S,
    MEASURED_S,
    Delineation,
    RecordDelineation,
    delineate,
    delineate_record,
    without_padding,
)
from ecgdash.signal.morphology import morphology_of
from ecgdash.signal.rhythm import flutter_power, noise_uv, spike_share

__all__ = ["Measurements", "measure", "measure_batch"]

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
    pr_ms, qrs_ms, qt_ms, qtc_ms, qtc_fridericia_ms : ndarray, shape (n,)
        `qtc_ms` by Bazett, both from the mean RR interval.
    p_ms : ndarray, shape (n,)
        Duration of P; NaN without a P.
    qrs_rise_ms : ndarray, shape (n,)
        QRS onset until the summed slope over leads first reaches half of its
        peak: long where the complex begins slowly (a delta wave).
    qrs_axis_deg, t_axis_deg, p_axis_deg : ndarray, shape (n,)
    r_mv ... p_mv : ndarray, shape (n, 12)
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
    qtc_fridericia_ms: _F64
    p_ms: _F64
    qrs_rise_ms: _F64
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
    p_mv: _F64
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
        return self._found((*names, *axes), row)

    def as_found(self, row: int = 0) -> dict[str, float]:
        """Return one record's values under the names of `OWN_MEASUREMENT_KEYS`, found ones only."""
        return self._found(OWN_MEASUREMENT_KEYS, row)

    def _found(self, names: tuple[str, ...], row: int) -> dict[str, float]:
        values = {name: float(getattr(self, name)[row]) for name in names}
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
    if signals_mv.shape[-1] < MEASURED_AT_LEAST_S * sampling_hz:
        raise InvalidValue(f"{signals_mv.shape[-1] / sampling_hz:.1f} s", accepted="At least 2 s")
    used = signals_mv[:, INDEPENDENT, : round(MEASURED_S * sampling_hz)]
    blocks = []
    for first in range(0, max(len(used), 1), _BLOCK):
        clean = without_padding(used[first : first + _BLOCK])
        found = delineate(clean, sampling_hz)
        blocks.append(_measured(found, sampling_hz, (clean, sampling_hz)))
    if len(blocks) == 1:
        return blocks[0]
    names = [f.name for f in fields(Measurements)]
    return Measurements(
        **{name: np.concatenate([getattr(block, name) for block in blocks]) for name in names}
    )


def measure(record: EcgRecord, delineated: RecordDelineation | None = None) -> Measurements:
    """Measure one record, whatever its leads and rate; a batch of one.

    Figures of leads that the record does not hold are NaN. Intervals need at
    least lead I. A rate that is not from 240 to 512 Hz is brought to 500 Hz, but
    pacing spikes are sought at the record's own.

    Parameters
    ----------
    record : EcgRecord
    delineated : RecordDelineation, optional
        What `delineate_record` found in it; found here if left out.

    Raises
    ------
    InvalidValue
        Under 2 s.
    """
    one = delineate_record(record) if delineated is None else delineated
    found = _measured(one.found, one.sampling_hz, (one.raw_mv, one.raw_hz))
    held = [CANONICAL_LEADS.index(name) for name in record.leads]
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


def _where_beating(values: _F64, beating: NDArray[np.bool_]) -> _F64:
    """Blank the records without a single beat."""
    return np.where(beating if values.ndim == 1 else beating[:, None], values, np.nan)


def _measured(
    found: Delineation, sampling_hz: float, original: tuple[NDArray[np.float32], float]
) -> Measurements:
    """Measure what was found; `original` is signals and rate before resampling."""
    beats, rhythm, median, marks = found.beats, found.rhythm, found.median, found.marks
    shape = morphology_of(median.mv, marks, sampling_hz)
    beating = rhythm.n_beats > 0
    step_ms = 1000.0 / sampling_hz
    qrs_ms = np.where(beating, (marks.offset_at - marks.onset_at) * step_ms, np.nan)
    qt_ms = np.where(beating & marks.t_found, (marks.t_end_at - marks.onset_at) * step_ms, np.nan)
    has_p = beating & marks.p_found
    pr_ms = np.where(has_p, (marks.onset_at - marks.p_onset_at) * step_ms, np.nan)
    p_ms = np.where(has_p, (marks.p_end_at - marks.p_onset_at) * step_ms, np.nan)
    rise_ms = np.where(beating, (marks.rise_at - marks.onset_at) * step_ms, np.nan)
    rate = rhythm.heart_rate_bpm / 60.0
    onset_s = (median.sample + (marks.onset - median.centre)[:, None]) / sampling_hz
    flutter = flutter_power(found.signals[:, [1, 2]], beats, marks, median.centre, sampling_hz)
    return Measurements(
        heart_rate_bpm=rhythm.heart_rate_bpm,
        rr_cv=rhythm.rr_cv,
        rmssd=rhythm.rmssd,
        n_beats=rhythm.n_beats,
        pvc_count=rhythm.pvc.sum(axis=-1),
        pac_count=rhythm.pac.sum(axis=-1),
        ectopic_beats=(rhythm.pvc | rhythm.pac).sum(axis=-1),
        p_found=has_p,
        p_consistency=marks.p_consistency.astype(np.float64),
        pr_ms=pr_ms,
        qrs_ms=qrs_ms,
        qt_ms=qt_ms,
        qtc_ms=qt_ms * np.sqrt(rate),
        qtc_fridericia_ms=qt_ms * np.cbrt(rate),
        p_ms=p_ms,
        qrs_rise_ms=rise_ms,
        flutter_power=flutter,
        spike_share=spike_share(original[0], onset_s, median.used, original[1]),
        noise_uv=noise_uv(found.signals),
        **{name: _where_beating(values, beating) for name, values in vars(shape).items()},
    )
