"""Amplitudes, durations and axes of the median beat, lead by lead."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.intervals import Landmarks
from ecgdash.signal.leads import derive_limb_leads

__all__ = ["Morphology", "morphology_of"]

Q_MIN_MV: Final = 0.02

_F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Morphology:
    """Figures per record and lead (n_records, 12), canonical order, and per record.

    Attributes
    ----------
    r_mv, q_mv, s_mv : ndarray
        Largest positive deflection (>= 0), and the deepest negative one before
        and after it (<= 0), from the level at QRS onset.
    q_ms : ndarray
        Duration of the negative deflection before R; the whole complex where
        there is no R (QS); 0 without a Q.
    r_peak_ms : ndarray
        QRS onset to R peak.
    qrs_net_mv_ms : ndarray
        Area, positive minus negative.
    qrs_pp_mv, st60_mv, t_mv : ndarray
        Peak to peak; level 60 ms after the J point; T's largest deflection, signed.
    late_r_mv : ndarray
        Largest value in the last 50 ms of the complex (terminal R).
    p_mv : ndarray
        P's largest deflection, signed, from the line between its onset and end; NaN
        without a P.
    p_terminal_v1_mv : ndarray, shape (n_records,)
        Lowest value in V1 from P's peak to 60 ms after it, from the level at P
        onset; NaN without a P.
    qrs_axis_deg, t_axis_deg, p_axis_deg : ndarray, shape (n_records,)
        Frontal, -180 to 180, from I and aVF.
    """

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
    qrs_axis_deg: _F64
    t_axis_deg: _F64
    p_axis_deg: _F64


def morphology_of(
    beats_mv: NDArray[np.float32], marks: Landmarks, sampling_hz: float
) -> Morphology:
    """Measure (median) beats of I, II, V1 to V6; the other limb leads are derived.

    Parameters
    ----------
    beats_mv : ndarray of float32, shape (n_records, 8, n_window)
        Leads I, II, V1, V2, V3, V4, V5, V6.
    marks : Landmarks
        In samples of the window.
    sampling_hz : float
    """
    limb = derive_limb_leads(beats_mv[:, 0], beats_mv[:, 1])
    twelve = np.concatenate([limb, beats_mv[:, 2:].astype(np.float64)], axis=1)
    mv = twelve - _mean_before(twelve, marks.onset, max(round(0.012 * sampling_hz), 1))
    position = np.arange(mv.shape[-1])
    inside = ((position >= marks.onset[:, None]) & (position <= marks.offset[:, None]))[:, None]
    step_ms = 1000.0 / sampling_hz
    qrs = np.where(inside, mv, 0.0)
    r_mv, r_at = qrs.max(axis=-1), qrs.argmax(axis=-1)
    r_at = np.where(r_mv > 0, r_at, marks.onset[:, None])
    before = position < r_at[..., None]
    q_mv = np.where(before, qrs, 0.0).min(axis=-1)
    late = inside & (position >= marks.offset[:, None, None] - round(0.05 * sampling_hz))
    net = qrs.sum(axis=-1) * step_ms
    t_mv = _t_amplitude(mv, marks, position)
    p_mv, p_area = _p_wave(mv, marks, position)
    return Morphology(
        r_mv=r_mv,
        q_mv=q_mv,
        s_mv=np.where(before, 0.0, qrs).min(axis=-1),
        q_ms=_q_duration(qrs, before, r_mv, q_mv, step_ms),
        r_peak_ms=np.asarray((r_at - marks.onset[:, None]) * step_ms, dtype=np.float64),
        qrs_net_mv_ms=net,
        qrs_pp_mv=qrs.max(axis=-1) - qrs.min(axis=-1),
        st60_mv=_at_offset(mv, marks.offset + round(0.06 * sampling_hz)),
        t_mv=t_mv,
        late_r_mv=np.where(late, mv, -np.inf).max(axis=-1),
        p_mv=np.where(marks.p_found[:, None], p_mv, np.nan),
        p_terminal_v1_mv=_p_terminal(mv[:, 6], marks, position, sampling_hz),
        qrs_axis_deg=_axis(net),
        t_axis_deg=_axis(t_mv),
        p_axis_deg=np.where(marks.p_found, _axis(p_area), np.nan),
    )


def _mean_before(mv: _F64, onset: NDArray[np.intp], n: int) -> _F64:
    index = np.clip(onset[:, None] - np.arange(n), 0, mv.shape[-1] - 1)
    level: _F64 = np.take_along_axis(mv, index[:, None, :], axis=-1).mean(axis=-1, keepdims=True)
    return level


def _at_offset(mv: _F64, position: NDArray[np.intp]) -> _F64:
    index = np.clip(position, 0, mv.shape[-1] - 1)
    value: _F64 = np.take_along_axis(mv, index[:, None, None], axis=-1)[..., 0]
    return value


def _q_duration(
    qrs: _F64, before: NDArray[np.bool_], r_mv: _F64, q_mv: _F64, step_ms: float
) -> _F64:
    """Return the time below the level before R, or in the whole complex where R is no wave."""
    below = qrs < -Q_MIN_MV
    pathless = (r_mv < 0.05) | (r_mv < 0.05 * -qrs.min(axis=-1))
    counted = np.where(pathless[..., None], below, below & before)
    return np.where((q_mv < -Q_MIN_MV) | pathless, counted.sum(axis=-1) * step_ms, 0.0)


def _t_amplitude(mv: _F64, marks: Landmarks, position: NDArray[np.intp]) -> _F64:
    end = np.maximum(marks.t_end, marks.t_peak + 1)
    begin = marks.offset + (marks.t_peak - marks.offset) // 3
    span = ((position >= begin[:, None]) & (position <= end[:, None]))[:, None]
    strongest = np.where(span, np.abs(mv), -1.0).argmax(axis=-1)
    value: _F64 = np.take_along_axis(mv, strongest[..., None], axis=-1)[..., 0]
    return np.where(marks.t_found[:, None], value, np.nan)


def _p_wave(mv: _F64, marks: Landmarks, position: NDArray[np.intp]) -> tuple[_F64, _F64]:
    """Return P's largest deflection and its area from the line between its onset and end.

    The line takes out the slope on which P rides (the end of the T wave before).
    """
    begin, end = marks.p_onset[:, None], np.maximum(marks.p_end, marks.p_onset + 1)[:, None]
    left, right = _at_offset(mv, begin[:, 0])[..., None], _at_offset(mv, end[:, 0])[..., None]
    share = ((position - begin) / (end - begin))[:, None]
    inside = ((position >= begin) & (position <= end))[:, None]
    wave = np.where(inside, mv - left - share * (right - left), 0.0)
    strongest = np.abs(wave).argmax(axis=-1)
    return np.take_along_axis(wave, strongest[..., None], axis=-1)[..., 0], wave.sum(axis=-1)


def _p_terminal(v1: _F64, marks: Landmarks, position: NDArray[np.intp], sampling_hz: float) -> _F64:
    last = np.minimum(marks.p_peak + round(0.06 * sampling_hz), marks.onset)
    span = (position >= marks.p_peak[:, None]) & (position <= last[:, None])
    level = np.take_along_axis(v1, marks.p_onset[:, None], axis=-1)[:, 0]
    depth: _F64 = np.where(span, v1, np.inf).min(axis=-1) - level
    return np.where(marks.p_found, depth, np.nan)


def _axis(lead_values: _F64) -> _F64:
    """Return the frontal axis from leads I (index 0) and aVF (index 5), in degrees.

    aVF is scaled by 2 / sqrt(3): Goldberger's leads are that much shorter than
    Einthoven's.
    """
    angle: _F64 = np.degrees(np.arctan2(lead_values[:, 5] * 2.0 / np.sqrt(3.0), lead_values[:, 0]))
    return angle
