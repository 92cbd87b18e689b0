"""Rate, regularity, ectopic beats, flutter waves, pacing spikes and noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.beats import Beats, cut_windows
from ecgdash.signal.intervals import Landmarks

__all__ = [
    "Rhythm",
    "flutter_power",
    "masked_median",
    "noise_uv",
    "rhythm_of",
    "rr_intervals",
    "spike_share",
]

PVC_PREMATURE: Final = 0.92
PVC_DISSIMILAR: Final = 0.75
PVC_WIDER: Final = 1.15
PVC_FIRST_WIDER: Final = 1.5
PVC_PAUSE: Final = 0.95
PAC_PREMATURE: Final = 0.85
"""Of the median RR interval (our choice; carts use 0.75 to 0.9)."""
PAC_MAX_SHARE: Final = 0.34
REGULAR_SPREAD: Final = 0.07
"""Median departure from the median RR, relative; above, early beats are no ectopy."""
FLUTTER_HZ: Final = (3.8, 6.2)
SPIKE_ARM_S: Final = 0.002
SPIKE_MV: Final = 0.4
SPIKE_OVER_NOISE: Final = 10.0
SPIKE_OVER_QRS: Final = 1.5
"""Five paced real ECGs have 2 to 20, all others at most 1.25."""

_F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Rhythm:
    """Rhythm figures of a batch, of shape (n_records,) unless said otherwise.

    Attributes
    ----------
    heart_rate_bpm : ndarray
        From the mean RR interval; NaN below two beats.
    rr_before_s, rr_after_s : ndarray
        Median interval before and after the dominant beats: they differ in bigeminy.
    rr_cv : ndarray
        Standard deviation over mean of the intervals between dominant beats
        without those next to an ectopic beat; NaN below three.
    rmssd : ndarray
        Root mean square of successive differences of the same intervals,
        relative to their mean.
    n_beats : ndarray of int
    pvc, pac : ndarray of bool, shape (n_records, n_beats)
        Ventricular and atrial premature complexes.
    """

    heart_rate_bpm: _F64
    rr_before_s: _F64
    rr_after_s: _F64
    rr_cv: _F64
    rmssd: _F64
    n_beats: NDArray[np.intp]
    pvc: NDArray[np.bool_]
    pac: NDArray[np.bool_]


def masked_median(values: NDArray[np.floating], mask: NDArray[np.bool_]) -> _F64:
    """Return the median along the last axis where `mask` holds; NaN where it never does."""
    ranked = np.sort(np.where(mask, values, np.inf), axis=-1)
    count = mask.sum(axis=-1)
    low = np.maximum((count - 1) // 2, 0)[..., None]
    high = np.minimum(count // 2, values.shape[-1] - 1)[..., None]
    middle = np.take_along_axis(ranked, low, -1) + np.take_along_axis(ranked, high, -1)
    return np.where(count > 0, middle[..., 0] / 2, np.nan)


def rr_intervals(beats: Beats, sampling_hz: float) -> tuple[_F64, NDArray[np.bool_]]:
    """Return the interval before each beat in seconds, and where there is one."""
    valid = np.zeros_like(beats.exists)
    valid[:, 1:] = beats.exists[:, 1:] & beats.exists[:, :-1]
    rr = np.zeros(beats.exists.shape)
    rr[:, 1:] = np.diff(beats.sample, axis=-1) / sampling_hz
    return np.where(valid, rr, 0.0), valid


def rhythm_of(beats: Beats, sampling_hz: float) -> Rhythm:
    """Count and time the beats."""
    rr, valid = rr_intervals(beats, sampling_hz)
    typical = masked_median(rr, valid)
    pvc = _ventricular(beats, rr, valid, typical)
    pac = _atrial(beats, rr, valid, typical) & ~pvc
    ectopic = pvc | pac
    normal = valid & beats.dominant & ~ectopic
    normal[:, 1:] &= ~ectopic[:, :-1] & beats.dominant[:, :-1]
    mean, spread = _mean_and_spread(rr, normal)
    both = normal[:, 1:] & normal[:, :-1]
    steps = np.where(both, np.diff(rr, axis=-1), 0.0)
    n_steps = both.sum(axis=-1)
    n_rr = valid.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = 60.0 * n_rr / rr.sum(axis=-1)
        rmssd = np.sqrt((steps**2).sum(axis=-1) / n_steps) / mean
        cv = spread / mean
    return Rhythm(
        heart_rate_bpm=np.where(n_rr > 0, rate, np.nan),
        rr_before_s=masked_median(rr, valid & beats.dominant),
        rr_after_s=masked_median(rr[:, 1:], valid[:, 1:] & beats.dominant[:, :-1])
        if rr.shape[1] > 1
        else typical,
        rr_cv=np.where(normal.sum(axis=-1) >= 3, cv, np.nan),
        rmssd=np.where(n_steps >= 2, rmssd, np.nan),
        n_beats=beats.exists.sum(axis=-1),
        pvc=pvc,
        pac=pac,
    )


def _mean_and_spread(values: _F64, mask: NDArray[np.bool_]) -> tuple[_F64, _F64]:
    n = np.maximum(mask.sum(axis=-1), 1)
    mean = np.where(mask, values, 0.0).sum(axis=-1) / n
    variance = np.where(mask, (values - mean[:, None]) ** 2, 0.0).sum(axis=-1) / n
    return mean, np.sqrt(variance)


def _ventricular(
    beats: Beats, rr: _F64, valid: NDArray[np.bool_], typical: _F64
) -> NDArray[np.bool_]:
    """Premature, of another shape and wider than the dominant complex.

    Nothing tells whether the record's first complex is premature: it must be
    much wider, and the interval after it no shorter than usual.
    """
    usual_width = masked_median(beats.width_s, beats.dominant)[:, None]
    wider = beats.width_s / np.nan_to_num(usual_width, nan=np.inf)
    usual = np.nan_to_num(typical)[:, None]
    early = valid & (rr < PVC_PREMATURE * usual) & (wider > PVC_WIDER)
    first = np.zeros_like(early)
    first[:, 0] = beats.exists[:, 0] & (wider[:, 0] > PVC_FIRST_WIDER)
    first[:, 0] &= (rr[:, 1:2] > PVC_PAUSE * usual)[:, 0] if rr.shape[1] > 1 else False
    return beats.exists & (beats.similarity < PVC_DISSIMILAR) & (early | first)


def _atrial(beats: Beats, rr: _F64, valid: NDArray[np.bool_], typical: _F64) -> NDArray[np.bool_]:
    """Premature, of the dominant shape, in an otherwise regular rhythm.

    The interval is short against the one before it too, or follows another such
    beat: sinus arrhythmia shortens the intervals gradually.
    """
    usual = np.nan_to_num(typical, nan=np.inf)[:, None]
    short = valid & beats.dominant & (rr < PAC_PREMATURE * usual)
    early = short.copy()
    early[:, 1:] &= short[:, :-1] | ~valid[:, :-1] | (rr[:, 1:] < PAC_PREMATURE * rr[:, :-1])
    followed = np.ones_like(early)
    followed[:, :-1] = ~valid[:, 1:] | short[:, 1:] | (rr[:, 1:] > 0.9 * usual)
    found = early & followed
    departure = np.abs(rr - np.where(np.isfinite(usual), usual, 0.0)) / usual
    regular = np.nan_to_num(masked_median(departure, valid & ~found), nan=1.0) < REGULAR_SPREAD
    share = found.sum(axis=-1) / np.maximum(valid.sum(axis=-1), 1)
    kept: NDArray[np.bool_] = found & (regular & (share <= PAC_MAX_SHARE))[:, None]
    return kept


def flutter_power(
    leads_mv: NDArray[np.float32], beats: Beats, landmarks: Landmarks, centre: int, fs: float
) -> _F64:
    """Return the share of the power between the QRS complexes that beats at 4 to 6 Hz.

    Parameters
    ----------
    leads_mv : ndarray, shape (n_records, n_leads, n_samples)
        The leads that show flutter waves best (II and V1).
    beats, landmarks : Beats, Landmarks
    centre : int
        Middle of the QRS complex in the median beat's window.
    fs : float
        Samples per second.

    Returns
    -------
    ndarray, shape (n_records,)
        Power within 0.3 Hz of the strongest frequency from 3.8 to 6.2 Hz and of
        its double, over the power from 1 to 15 Hz; the larger of the leads.
    """
    from scipy.fft import next_fast_len, rfft

    bridged = _bridge_qrs(leads_mv, beats, landmarks, centre, round(0.02 * fs))
    n_fft = next_fast_len(max(leads_mv.shape[-1], int(8 * fs)), real=True)
    window = np.hanning(leads_mv.shape[-1]).astype(np.float32)
    power = np.abs(rfft(bridged * window, n_fft, axis=-1)) ** 2
    hz = np.arange(power.shape[-1]) * fs / n_fft
    total = power[..., (hz >= 1.0) & (hz <= 15.0)].sum(axis=-1)
    running = np.cumsum(power, axis=-1)
    arm = max(round(0.3 * n_fft / fs), 1)
    tried = np.flatnonzero((hz >= FLUTTER_HZ[0]) & (hz <= FLUTTER_HZ[1]))
    comb = sum(running[..., k * tried + arm] - running[..., k * tried - arm - 1] for k in (1, 2))
    share = np.max(comb, axis=-1) / np.maximum(total, 1e-12)
    return np.asarray(share.max(axis=-1), dtype=np.float64)


def _bridge_qrs(
    leads_mv: NDArray[np.float32], beats: Beats, landmarks: Landmarks, centre: int, margin: int
) -> NDArray[np.float32]:
    """Replace each QRS complex by a straight line."""
    out = leads_mv.copy()
    position = np.arange(leads_mv.shape[-1])
    left = landmarks.onset - centre - margin
    right = landmarks.offset - centre + margin
    for row, (samples, exists) in enumerate(zip(beats.sample, beats.exists, strict=True)):
        edges = np.zeros(position.size + 1, dtype=np.int32)
        found = samples[exists]
        np.add.at(edges, np.clip(found + left[row], 0, position.size), 1)
        np.add.at(edges, np.clip(found + right[row], 0, position.size), -1)
        keep = np.cumsum(edges[:-1]) == 0
        if keep.any():
            for lead in out[row]:
                lead[~keep] = np.interp(position[~keep], position[keep], lead[keep])
    return out


def _sharpness(signals_mv: NDArray[np.float32], arm: int) -> NDArray[np.float32]:
    """Return each sample's distance from the mean of those `arm` samples off; ends 0."""
    out = np.zeros_like(signals_mv)
    out[..., arm:-arm] = signals_mv[..., arm:-arm] - 0.5 * (
        signals_mv[..., 2 * arm :] + signals_mv[..., : -2 * arm]
    )
    return out


def noise_uv(signals_mv: NDArray[np.float32]) -> _F64:
    """Return the high-frequency noise, root mean square in microvolts, median over leads."""
    every_fifth = np.abs(_sharpness(signals_mv, 1)[..., 1:-1:5])
    # 1.4826 x median absolute deviation; white noise grows by sqrt(1.5) in the sharpness
    sigma = 1.4826 * np.median(every_fifth, axis=-1) / np.sqrt(1.5)
    return np.asarray(np.median(sigma, axis=-1) * 1000.0, dtype=np.float64)


def spike_share(
    signals_mv: NDArray[np.float32], onset_s: _F64, used: NDArray[np.bool_], fs: float
) -> _F64:
    """Return the share of beats that start with a pacing spike.

    A spike is a point around QRS onset (80 ms before to 20 ms after) that is
    sharper than the noise and than anything in the complex that follows.

    Parameters
    ----------
    signals_mv : ndarray of float32, shape (n_records, n_leads, n_samples)
        At the rate of the recording: resampling blunts spikes.
    onset_s : ndarray, shape (n_records, n_beats)
        QRS onsets.
    used : ndarray of bool, shape (n_records, n_beats)
        Beats that count.
    fs : float
        Samples per second.
    """
    sharp = np.abs(_sharpness(signals_mv, max(round(SPIKE_ARM_S * fs), 1))).sum(axis=1)
    usual = np.median(sharp[:, ::3], axis=-1)
    start = np.rint(onset_s * fs).astype(np.intp)

    def sharpest(begin_s: float, end_s: float) -> NDArray[np.float32]:
        offsets = np.arange(round(begin_s * fs), round(end_s * fs) + 1)
        top: NDArray[np.float32] = cut_windows(sharp[:, None, :], start, offsets)[:, :, 0].max(-1)
        return top

    limit = np.maximum(SPIKE_MV, SPIKE_OVER_NOISE * usual)[:, None]
    near = sharpest(-0.08, 0.02)
    spiked = (near > limit) & (near > SPIKE_OVER_QRS * sharpest(0.028, 0.12)) & used
    n = np.maximum(used.sum(axis=-1), 1)
    return np.asarray(spiked.sum(axis=-1) / n, dtype=np.float64)
