"""Measure each beat of one ECG by the code that measures the median beat.

The windows around the beats take the place of the records: bounds of QRS, T and
amplitudes come from the same functions, and stay near those of the median beat
where the complex has the usual shape.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.signal.beat_table import BeatTable, LeadFigures
from ecgdash.signal.beats import cut_windows
from ecgdash.signal.delineation import (
    Delineation,
    RecordDelineation,
    delineate_record,
)
from ecgdash.signal.intervals import P_MIN_CONSISTENCY, Landmarks, qrs_bounds
from ecgdash.signal.leads import derive_limb_leads
from ecgdash.signal.median_beat import AFTER_S, BEFORE_S
from ecgdash.signal.morphology import morphology_of
from ecgdash.signal.rhythm import rr_intervals
from ecgdash.signal.waves import P_HALF_S, find_t_wave

__all__ = ["measure_beats"]

QRS_SLACK_S: Final = 0.012
T_SLACK_S: Final = 0.04
P_SLACK_S: Final = 0.03
"""How far a beat's bounds may lie from the median beat's (our choice: what noise on one
beat must not move)."""
LEAD_QRS_LEVEL: Final = 0.06
LEAD_QRS_MIN_MV: Final = 0.01
"""A lead's complex: where its slope exceeds this share of its steepest, and this per 8 ms."""

_F32 = NDArray[np.float32]
_F64 = NDArray[np.float64]


def measure_beats(record: EcgRecord, delineated: RecordDelineation | None = None) -> BeatTable:
    """Measure the beats in the scored window of a record; times are from the record's start.

    Parameters
    ----------
    record : EcgRecord
        At least 2 s, with lead I.
    delineated : RecordDelineation, optional
        What `delineate_record` found in it; found here if left out.

    Raises
    ------
    InvalidValue
        Under 2 s, or without lead I.
    """
    if "I" not in record.leads:
        raise InvalidValue("lead I is not recorded", accepted="At least 2 s, with lead I")
    one = delineate_record(record) if delineated is None else delineated
    found, fs = one.found, one.sampling_hz
    exists = found.beats.exists[0]
    sample = found.beats.sample[0][exists]
    windows = _windows(found, sample, fs)
    marks, shown = _marks_of_beats(found, windows, sample, fs)
    return _table(one, windows, marks, shown, list(record.leads))


def _windows(found: Delineation, sample: NDArray[np.intp], fs: float) -> _F32:
    """Return (n_beats, 8, n_window), as the median beat is cut."""
    offsets = np.arange(-round(BEFORE_S * fs), round(AFTER_S * fs) + 1)
    windows: _F32 = cut_windows(found.signals, sample[np.newaxis], offsets)[0]
    return windows


def _near(values: NDArray[Any], usual: float, slack: float) -> _F64:
    near: _F64 = np.clip(values, usual - slack, usual + slack).astype(np.float64)
    return near


def _marks_of_beats(
    found: Delineation, windows: _F32, sample: NDArray[np.intp], fs: float
) -> tuple[Landmarks, NDArray[np.bool_]]:
    """Return landmarks of each beat in its window, and whether it has the usual shape."""
    marks, centre = found.marks, found.median.centre
    usual = found.beats.dominant[0][found.beats.exists[0]]
    if not len(sample):
        return replace(marks, **{k: v[:0] for k, v in vars(marks).items()}), usual
    onset, offset, rise = qrs_bounds(windows, centre, fs)
    slack = QRS_SLACK_S * fs
    onset = np.where(usual, _near(onset, marks.onset_at[0], slack), onset)
    offset = np.where(usual, _near(offset, marks.offset_at[0], slack), offset)
    rr = np.append(np.diff(sample), fs * np.nan_to_num(found.rhythm.rr_after_s[0], nan=1.0))
    on, off = np.rint(onset).astype(np.intp), np.rint(offset).astype(np.intp)
    t = find_t_wave(windows, on, off, rr.astype(np.float64), fs)
    slack = T_SLACK_S * fs
    t_end = np.where(usual, _near(t.end_at, marks.t_end_at[0], slack), t.end_at)
    t_peak = np.where(usual, _near(t.peak, float(marks.t_peak[0]), slack), t.peak)
    whole = sample + t_end - centre < found.signals.shape[-1]
    lag, alike = _p_match(found, windows, fs)
    starts = sample + marks.p_onset_at[0] + lag - centre >= 0
    has_p = usual & starts & bool(marks.p_found[0]) & (alike >= P_MIN_CONSISTENCY)
    return Landmarks(
        onset_at=onset,
        offset_at=offset,
        rise_at=rise,
        t_peak=np.rint(t_peak).astype(np.intp),
        t_end_at=t_end,
        t_found=t.found & whole & bool(marks.t_found[0]),
        p_peak=marks.p_peak[0] + lag,
        p_onset_at=marks.p_onset_at[0] + lag,
        p_end_at=np.minimum(marks.p_end_at[0] + lag, onset),
        p_found=has_p,
        p_consistency=alike,
    ), usual


def _p_match(found: Delineation, windows: _F32, fs: float) -> tuple[NDArray[np.intp], _F32]:
    """Return the shift at which each beat's P is most like the median's, and how alike they are."""
    marks, half, most = found.marks, round(P_HALF_S * fs), round(P_SLACK_S * fs)
    centre = min(int(marks.p_peak[0]), int(marks.onset[0]) - half)
    index = centre + np.arange(-half, half + 1)
    model = _shape(found.median.mv[:, :, np.clip(index, 0, windows.shape[-1] - 1)])
    lags = np.arange(-most, most + 1)
    likeness = np.stack(
        [
            np.einsum(
                "klf,lf->k",
                _shape(windows[:, :, np.clip(index + lag, 0, windows.shape[-1] - 1)]),
                model[0],
            )
            for lag in lags
        ]
    )
    best = likeness.argmax(axis=0)
    return lags[best], likeness.max(axis=0).astype(np.float32)


def _shape(cut: _F32) -> _F32:
    """Take level and slope off each lead and scale all leads together to length 1."""
    ramp = np.linspace(-1.0, 1.0, cut.shape[-1], dtype=np.float32)
    flat = cut - cut.mean(axis=-1, keepdims=True)
    flat = flat - ramp * ((flat * ramp).sum(axis=-1, keepdims=True) / (ramp * ramp).sum())
    length = np.sqrt((flat**2).sum(axis=(1, 2), keepdims=True))
    shape: _F32 = flat / np.maximum(length, 1e-9)
    return shape


def _twelve(beats_mv: _F32) -> _F32:
    limb = derive_limb_leads(beats_mv[:, 0], beats_mv[:, 1])
    return np.concatenate([limb, beats_mv[:, 2:]], axis=1).astype(np.float32)


def _figures(beats_mv: _F32, marks: Landmarks, held: list[int], fs: float) -> LeadFigures:
    shape = morphology_of(beats_mv, marks, fs)
    waves = np.stack([shape.p_mv, shape.q_mv, shape.r_mv, shape.s_mv, shape.t_mv], axis=-1)
    return LeadFigures(
        waves_mv=waves[:, held],
        st60_mv=shape.st60_mv[:, held],
        qrs_ms=_lead_qrs_ms(_twelve(beats_mv)[:, held], marks, fs),
    )


def _lead_qrs_ms(beats_mv: _F32, marks: Landmarks, fs: float) -> _F64:
    """Return each lead's QRS duration; NaN for a lead without a steep point."""
    arm = max(round(0.004 * fs), 1)
    slope = np.zeros_like(beats_mv)
    slope[..., arm:-arm] = np.abs(beats_mv[..., 2 * arm :] - beats_mv[..., : -2 * arm])
    position = np.arange(slope.shape[-1])
    inside = (position >= marks.onset[:, None]) & (position <= marks.offset[:, None])
    slope = np.where(inside[:, None], slope, 0.0)
    limit = np.maximum(LEAD_QRS_LEVEL * slope.max(axis=-1, keepdims=True), LEAD_QRS_MIN_MV)
    steep = slope > limit
    last = slope.shape[-1] - 1 - steep[..., ::-1].argmax(axis=-1)
    length = (last - steep.argmax(axis=-1) + 1) * 1000.0 / fs
    return np.where(steep.any(axis=-1), length, np.nan)


def _table(
    one: RecordDelineation,
    windows: _F32,
    marks: Landmarks,
    usual: NDArray[np.bool_],
    leads: list[str],
) -> BeatTable:
    found, fs = one.found, one.sampling_hz
    exists = found.beats.exists[0]
    start = found.beats.sample[0][exists] - found.median.centre
    held = [CANONICAL_LEADS.index(name) for name in leads]
    rr, valid = rr_intervals(found.beats, fs)
    pvc, pac = found.rhythm.pvc[0][exists], found.rhythm.pac[0][exists]

    def seconds(at: NDArray[np.number], ok: NDArray[np.bool_] | bool = True) -> _F64:
        return np.where(ok, one.start_s + (start + at) / fs, np.nan)

    t_ok, p_ok = marks.t_found, marks.p_found
    return BeatTable(
        leads=tuple(leads),
        kind=tuple("PVC" if v else "PAC" if a else "normal" for v, a in zip(pvc, pac, strict=True)),
        similarity=found.beats.similarity[0][exists].astype(np.float64),
        onset_s=seconds(marks.onset_at),
        peak_s=seconds(_largest(windows, marks)),
        offset_s=seconds(marks.offset_at),
        rr_s=np.where(valid[0], rr[0], np.nan)[exists],
        p_onset_s=seconds(marks.p_onset_at, p_ok),
        p_peak_s=seconds(marks.p_peak, p_ok),
        p_end_s=seconds(marks.p_end_at, p_ok),
        t_peak_s=seconds(marks.t_peak, t_ok),
        t_end_s=seconds(marks.t_end_at, t_ok),
        beats=_figures(windows, marks, held, fs),
        median_mv=_twelve(found.median.mv)[0, held],
        median_hz=fs,
        median_marks_s=_median_marks(found.marks, fs, len(start) > 0),
        median=_figures(found.median.mv, found.marks, held, fs),
    )


def _largest(windows: _F32, marks: Landmarks) -> NDArray[np.intp]:
    """Return where all leads together are largest within the complex, from its onset's level."""
    if not len(windows):
        return np.empty(0, dtype=np.intp)
    level = np.take_along_axis(windows, marks.onset[:, None, None], axis=-1)
    size = ((windows - level) ** 2).sum(axis=1)
    position = np.arange(windows.shape[-1])
    inside = (position >= marks.onset[:, None]) & (position <= marks.offset[:, None])
    largest: NDArray[np.intp] = np.where(inside, size, -1.0).argmax(axis=-1)
    return largest


def _median_marks(marks: Landmarks, fs: float, beating: bool) -> dict[str, float]:
    p, t = beating and bool(marks.p_found[0]), beating and bool(marks.t_found[0])
    rows = (
        ("onset", marks.onset_at, beating),
        ("offset", marks.offset_at, beating),
        ("p_onset", marks.p_onset_at, p),
        ("p_peak", marks.p_peak, p),
        ("p_end", marks.p_end_at, p),
        ("t_peak", marks.t_peak, t),
        ("t_end", marks.t_end_at, t),
    )
    return {name: float(at[0]) / fs if ok else float("nan") for name, at, ok in rows}
