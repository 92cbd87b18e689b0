"""The single Gaussians of all beats, as flat arrays ready to be added to the rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgdash.simulate.dipole import IS_WIDE, N_MIDDLE, N_SHARP, N_SLOW, BeatShape
from ecgdash.simulate.draws import Stream, normals
from ecgdash.simulate.parameters import EcgParameters
from ecgdash.simulate.rhythm import BeatTrain, respiration_hz
from ecgdash.simulate.templates import N_QRS, PVC_QRS_MS, PVC_T_MS

__all__ = ["MARGIN_S", "BeatEvents", "add_events", "beat_events"]

FloatArray = NDArray[np.float64]
Signal = NDArray[np.float32]
BeatIndex = tuple[NDArray[np.intp], NDArray[np.intp]]

MARGIN_S: Final = 0.75
"""Room that the rows need before and after the recording."""

# Time before and after its centre over which a component of each group is drawn: above four
# typical sigmas, so that what is cut stays under 1 % of its amplitude.
_REACH_S: Final = ((0.095, 0.095), (0.12, 0.12), (0.36, 0.24))
_GROUP_SIZE: Final = (N_SHARP, N_MIDDLE, N_SLOW)
# Neighbouring beats may overlap within a row; every third one cannot.
_TURNS: Final = 3
_EARLIEST_S: Final = -0.72
_LATEST_S: Final = 0.45

_FIRST_SPIKE: Final = N_SHARP - 2
_INFARCT: Final = N_QRS + 1
_P_CENTRE_MS: Final = (34.0, 60.0)
_P_SIGMA_MS: Final = 16.0
_FAST_BPM: Final = 100.0
_U_AFTER_QT_MS: Final = 95.0
_U_SIGMA_MS: Final = 32.0
_T_SECOND_LEAD: Final = 0.5
_T_SIGMA_SHARE: Final = 0.088
_WIDE_T: Final = 1.12
# Carts read T's end at 2 to 4 % of its peak (eight real ECGs with a cart's values).
_T_END_SIGMAS: Final = 2.75
_BREATHING_GAIN: Final = 0.035
_T_GAIN_SD: Final = 0.02


@dataclass(frozen=True, eq=False)
class _Group:
    """Gaussians of one group, sorted by ECG: which ECG, row and turn; where, how wide, how tall."""

    ecg: NDArray[np.intp]
    row: NDArray[np.intp]
    turn: NDArray[np.intp]
    centre_s: FloatArray
    left_s: FloatArray
    right_s: FloatArray
    gain: FloatArray

    def between(self, first: int, stop: int) -> "_Group":
        """Return the Gaussians of ECGs `first` to `stop`, counted from `first`."""
        start, end = np.searchsorted(self.ecg, (first, stop))
        cut = slice(int(start), int(end))
        return _Group(
            self.ecg[cut] - first,
            self.row[cut],
            self.turn[cut],
            self.centre_s[cut],
            self.left_s[cut],
            self.right_s[cut],
            self.gain[cut],
        )


@dataclass(frozen=True, eq=False)
class BeatEvents:
    """All Gaussians of a batch, and the beats that they belong to.

    Attributes
    ----------
    ecg : ndarray (n_beats_in_all,)
        Row of each drawn beat, ascending.
    qt_ms : ndarray (n_beats_in_all,)
        QT of each drawn beat.
    groups : tuple
        Sharp, middle and slow Gaussians.
    """

    ecg: NDArray[np.intp]
    qt_ms: FloatArray
    groups: tuple[_Group, ...]

    def between(self, first: int, stop: int) -> tuple[_Group, ...]:
        """Return the groups of ECGs `first` to `stop`, counted from `first`."""
        return tuple(group.between(first, stop) for group in self.groups)


def _qt_ms(p: EcgParameters, ecg: NDArray[np.intp], rr_s: FloatArray) -> FloatArray:
    """Return QT after an interval: qtc RR^.34, steeper (.40) above 100 bpm."""
    exponent = np.where(p.hr_bpm[ecg] > _FAST_BPM, 0.40, 0.34)
    return np.asarray(p.qtc_ms[ecg] * rr_s**exponent)


def _sharp(
    shape: BeatShape, ecg: NDArray[np.intp], normal: FloatArray, gain: FloatArray
) -> tuple[FloatArray, ...]:
    """Return centre, left and right sigma (ms) and gain of QRS, notch, infarct and spike."""
    amount = np.repeat((normal * gain)[:, None], N_SHARP, axis=1)
    amount[:, _FIRST_SPIKE:] = normal[:, None]
    sigma = shape.sharp_sigma_ms[ecg]
    right = sigma.copy()
    right[:, _INFARCT] *= 1.15
    return shape.sharp_centre_ms[ecg], sigma, right, amount


def _middle(
    p: EcgParameters,
    beats: BeatTrain,
    at: BeatIndex,
    gain: FloatArray,
) -> tuple[FloatArray, ...]:
    """Return the same of the P wave and a PVC's QRS."""
    ecg = at[0]
    la = p.la_enlargement[ecg]
    start = -p.pr_ms[ecg] + 1000.0 * beats.p_offset_s[at]
    ones = np.ones(ecg.size)
    centre = [start + _P_CENTRE_MS[0], start + _P_CENTRE_MS[1] + 5.0 * la]
    left = [_P_SIGMA_MS * ones, _P_SIGMA_MS * ones]
    right = [_P_SIGMA_MS * ones, _P_SIGMA_MS + 1.5 * la]
    p_gain = beats.p_gain[at] * beats.has_p[at][:, None]
    pvc = np.where(beats.pvc[at], gain, 0.0)
    centre += [c * ones for c in PVC_QRS_MS[:, 0]]
    left += [s * ones for s in PVC_QRS_MS[:, 1]]
    right += [s * ones for s in PVC_QRS_MS[:, 1]]
    amounts = [p_gain[:, 0], p_gain[:, 1], pvc, pvc, pvc]
    return tuple(np.stack(part, axis=1) for part in (centre, left, right, amounts))


def _slow(
    p: EcgParameters,
    at: BeatIndex,
    qt_ms: FloatArray,
    normal: FloatArray,
    n_beats: int,
) -> tuple[FloatArray, ...]:
    """Return the same of ST, T (two), U and a PVC's T."""
    ecg = at[0]
    ones = np.ones(ecg.size)
    person = normals(p.patient_seed, Stream.PERSON, 2)[ecg]
    asymmetry = np.clip(1.7 + 0.15 * person[:, 1], 1.3, 2.2)
    # Repolarisation after wide QRS is drawn out: compared with real LBBB and paced ECGs.
    slowness = np.where(IS_WIDE[p.conduction[ecg]], _WIDE_T, 1.0)
    right = np.clip(_T_SIGMA_SHARE * slowness * qt_ms, 24.0, 60.0)
    left = right * asymmetry
    peak = qt_ms - _T_END_SIGMAS * right
    qrs = p.qrs_ms[ecg]
    st_span = np.maximum(peak - qrs, 60.0)
    centre = [
        qrs + 0.30 * st_span,
        peak,
        peak - _T_SECOND_LEAD * left,
        qt_ms + _U_AFTER_QT_MS,
        PVC_T_MS[0] * ones,
    ]
    lefts = [0.16 * st_span, left, left, _U_SIGMA_MS * ones, PVC_T_MS[1] * ones]
    rights = [0.36 * st_span, right, right, _U_SIGMA_MS * ones, PVC_T_MS[1] * ones]
    wobble = normals(p.seed, Stream.BEAT_GAIN, n_beats)[at]
    t_gain = normal * (1.0 + _T_GAIN_SD * wobble)
    amounts = [normal, t_gain, t_gain, normal, 1.0 - normal]
    return tuple(np.stack(part, axis=1) for part in (centre, lefts, rights, amounts))


def _flatten(
    parts: tuple[FloatArray, ...],
    at: BeatIndex,
    onset_s: FloatArray,
    shown: NDArray[np.bool_],
    first_row: int,
) -> _Group:
    """Keep the Gaussians that have an amplitude."""
    centre, left, right, gain = parts
    beat, component = np.nonzero((gain != 0.0) & shown)
    chosen = (beat, component)
    return _Group(
        ecg=at[0][beat],
        row=component + first_row,
        turn=at[1][beat] % _TURNS,
        centre_s=onset_s[beat] + centre[chosen] / 1000.0,
        left_s=left[chosen] / 1000.0,
        right_s=right[chosen] / 1000.0,
        gain=gain[chosen],
    )


def beat_events(
    p: EcgParameters, beats: BeatTrain, shape: BeatShape, duration_s: float
) -> BeatEvents:
    """Return every Gaussian that reaches into the recording."""
    drawn = (beats.onset_s > _EARLIEST_S) & (beats.onset_s < duration_s + _LATEST_S)
    ecg, beat = np.nonzero(drawn)
    at = (ecg, beat)
    onset_s = beats.onset_s[at]
    normal = np.where(beats.pvc[at], 0.0, 1.0)
    rate_hz, phase = respiration_hz(p)
    breath = np.sin(2.0 * np.pi * rate_hz[ecg] * onset_s + phase[ecg])
    gain = 1.0 + _BREATHING_GAIN * breath
    qt_ms = _qt_ms(p, ecg, beats.rr_s[at])
    parts = (
        _sharp(shape, ecg, normal, gain),
        _middle(p, beats, at, gain),
        _slow(p, at, qt_ms, normal, beats.pvc.shape[1]),
    )
    shown = np.abs(shape.lead_mv).max(axis=2) > 0.0
    groups, first_row = [], 0
    for part, size in zip(parts, _GROUP_SIZE, strict=True):
        columns = shown[:, first_row : first_row + size][ecg]
        groups.append(_flatten(part, at, onset_s, columns, first_row))
        first_row += size
    return BeatEvents(ecg, qt_ms, tuple(groups))


def add_events(rows: Signal, groups: tuple[_Group, ...], sampling_hz: float, margin: int) -> None:
    """Add Gaussians to the component rows of some ECGs.

    Parameters
    ----------
    rows : ndarray of float32 (n, n_rows, margin + n_samples + margin), contiguous
        Changed in place; sample `margin` is time 0.
    groups : tuple
        From `BeatEvents.between`.
    sampling_hz : float
        Sampling rate.
    margin : int
        Samples before time 0.
    """
    flat = rows.reshape(-1)
    n_rows, length = rows.shape[1:]
    for group, (before_s, after_s) in zip(groups, _REACH_S, strict=True):
        width = int((before_s + after_s) * sampling_hz) + 1
        windows = sliding_window_view(flat, width, writeable=True)
        steps_s = (np.arange(width) / sampling_hz).astype(np.float32)
        # Sharp waves narrower than the sampling step would vanish between samples.
        least_s = 0.45 / sampling_hz
        first = np.ceil((group.centre_s - before_s) * sampling_hz)
        offset_s = (first / sampling_hz - group.centre_s).astype(np.float32)
        inside = np.clip(first.astype(np.intp) + margin, 0, length - width)
        begin = (group.ecg * n_rows + group.row) * length + inside
        left = (1.0 / np.maximum(group.left_s, least_s)).astype(np.float32)
        right = (1.0 / np.maximum(group.right_s, least_s)).astype(np.float32)
        gain = group.gain.astype(np.float32)
        for turn in range(_TURNS):
            mine = np.flatnonzero(group.turn == turn)
            shift_s = offset_s[mine, None] + steps_s
            scaled = np.maximum(shift_s * right[mine, None], shift_s * -left[mine, None])
            scaled *= scaled
            scaled *= np.float32(-0.5)
            np.exp(scaled, out=scaled)
            scaled *= gain[mine, None]
            windows[begin[mine]] += scaled
