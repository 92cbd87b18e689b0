"""When the beats of an ECG fall, and what kind each is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.draws import Stream, normals, uniforms
from ecgdash.simulate.parameters import EcgParameters, Rhythm

__all__ = ["BeatTrain", "beat_train", "respiration_hz"]

FloatArray = NDArray[np.float64]

_SHORTEST_RR_S: Final = 0.27
_LONGEST_RR_S: Final = 2.6
_LEAD_IN_S: Final = 1.6
# Slow rhythm beside respiration: .1 Hz Mayer waves, then 0.4 % beat-to-beat jitter.
_MAYER_SHARE: Final = 0.5
_JITTER: Final = 0.004
_AFIB_SHORTEST_RR_S: Final = 0.30
_PVC_COUPLING: Final = (0.58, 0.70)
_PAC_COUPLING: Final = (0.66, 0.80)
# Our choice: half of junctional beats hide the retrograde P in QRS, a quarter show it before.
_RETROGRADE_HIDDEN: Final = 0.5
_RETROGRADE_BEFORE: Final = 0.75


@dataclass(frozen=True, eq=False)
class BeatTrain:
    """All beats of all ECGs, those outside the recording included.

    Attributes
    ----------
    onset_s : ndarray (n, n_beats)
        Onset of QRS after the start of the recording.
    rr_s : ndarray (n, n_beats)
        Interval before each beat that repolarisation follows (half its own, half the mean).
    pvc, pac : ndarray of bool (n, n_beats)
        Ectopic beats.
    has_p : ndarray of bool (n, n_beats)
        Whether the beat has a P wave.
    p_offset_s : ndarray (n, n_beats)
        Shift of P against `pr_ms` before QRS, beat by beat.
    p_gain : ndarray (n, n_beats, 2)
        Factors on the right and left atrial parts.
    """

    onset_s: FloatArray
    rr_s: FloatArray
    pvc: NDArray[np.bool_]
    pac: NDArray[np.bool_]
    has_p: NDArray[np.bool_]
    p_offset_s: FloatArray
    p_gain: FloatArray


def respiration_hz(p: EcgParameters) -> tuple[FloatArray, FloatArray]:
    """Return rate (.18 to .32 Hz) and phase (radians) of breathing, each (n,)."""
    drawn = uniforms(p.seed, Stream.RESPIRATION, 2)
    return 0.18 + 0.14 * drawn[:, 0], 2.0 * np.pi * drawn[:, 1]


def _sinus_intervals(p: EcgParameters, n_beats: int) -> FloatArray:
    """Return RR with respiratory arrhythmia, a .1 Hz wave and jitter."""
    mean_s = (60.0 / p.hr_bpm)[:, None]
    rate_hz, phase = respiration_hz(p)
    elapsed_s = mean_s * np.arange(n_beats)
    breath = np.sin(2 * np.pi * rate_hz[:, None] * elapsed_s + phase[:, None])
    mayer = np.sin(2 * np.pi * 0.1 * elapsed_s + 3.1 * phase[:, None])
    jitter = normals(p.seed, Stream.BEAT_INTERVAL, n_beats)
    swing = p.rsa_depth[:, None] * (breath + _MAYER_SHARE * mayer)
    return np.asarray(mean_s * (1.0 + swing + _JITTER * jitter))


def _afib_intervals(p: EcgParameters, n_beats: int) -> FloatArray:
    """Return RR without memory: lognormal about the mean, no shorter than .30 s."""
    spread = p.rr_irregularity[:, None]
    drawn = normals(p.seed, Stream.BEAT_INTERVAL, n_beats)
    rr_s = (60.0 / p.hr_bpm)[:, None] * np.exp(spread * drawn - 0.5 * spread**2)
    return np.maximum(rr_s, _AFIB_SHORTEST_RR_S)


def _flutter_intervals(p: EcgParameters, n_beats: int) -> FloatArray:
    """Return RR in whole flutter cycles: n:1, or a varying number about the rate."""
    cycle_s = (1.0 / p.f_wave_hz)[:, None]
    wanted = 60.0 / p.hr_bpm[:, None] / cycle_s
    drawn = uniforms(p.seed, Stream.BEAT_INTERVAL, n_beats)
    varying = np.clip(2.0 * np.floor(0.5 * wanted + drawn), 2.0, 8.0)
    fixed = p.flutter_ratio[:, None].astype(np.float64)
    return np.asarray(np.where(fixed > 0, fixed, varying) * cycle_s)


def _steady_intervals(p: EcgParameters, n_beats: int) -> FloatArray:
    """Return RR of a pacemaker, a junction or a ventricular tachycardia: nearly constant."""
    jitter = normals(p.seed, Stream.BEAT_INTERVAL, n_beats)
    spread = np.where(p.paced, 0.001, np.where(p.rhythm == Rhythm.JUNCTIONAL, 0.012, 0.006))
    return np.asarray((60.0 / p.hr_bpm)[:, None] * (1.0 + spread[:, None] * jitter))


def _intervals(p: EcgParameters, n_beats: int) -> FloatArray:
    """Return RR (n, n_beats) before ectopy."""
    steady = (p.rhythm == Rhythm.JUNCTIONAL) | (p.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA)
    steady |= p.paced & (p.rhythm != Rhythm.SINUS)
    rr_s = _sinus_intervals(p, n_beats)
    choices = [
        (p.rhythm == Rhythm.AFIB, _afib_intervals),
        (p.rhythm == Rhythm.FLUTTER, _flutter_intervals),
        (steady, _steady_intervals),
    ]
    for chosen, make in choices:
        if chosen.any():
            rr_s = np.where(chosen[:, None], make(p, n_beats), rr_s)
    return np.clip(rr_s, _SHORTEST_RR_S, _LONGEST_RR_S)


def _previous(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for each beat whether the one before is flagged."""
    before = np.zeros_like(flags)
    before[:, 1:] = flags[:, :-1]
    return before


def _ectopy(
    p: EcgParameters, rr_s: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_], FloatArray]:
    """Return intervals with ectopic beats, PVC and PAC flags, and the PVCs' prematurity (s)."""
    drawn = uniforms(p.seed, Stream.ECTOPY, rr_s.shape[1], 3)
    own = ~p.paced & (p.rhythm != Rhythm.VENTRICULAR_TACHYCARDIA)
    pvc = (drawn[:, :, 0] < p.pvc_probability[:, None]) & own[:, None]
    pvc &= ~_previous(pvc)
    with_p = (own & (p.rhythm == Rhythm.SINUS))[:, None]
    pac = (drawn[:, :, 1] < p.pac_probability[:, None]) & with_p & ~pvc & ~_previous(pvc)
    pac &= ~_previous(pac)
    share = drawn[:, :, 2]
    pvc_coupling = _PVC_COUPLING[0] + (_PVC_COUPLING[1] - _PVC_COUPLING[0]) * share
    pac_coupling = _PAC_COUPLING[0] + (_PAC_COUPLING[1] - _PAC_COUPLING[0]) * share
    mean_s = (60.0 / p.hr_bpm)[:, None]
    early = np.where(pvc, pvc_coupling * mean_s, np.where(pac, pac_coupling * mean_s, rr_s))
    prematurity = np.where(pvc, mean_s - early, 0.0)
    # A PVC leaves the sinus node alone (full compensatory pause); a PAC resets it.
    pause = np.zeros_like(rr_s)
    pause[:, 1:] = prematurity[:, :-1]
    early = np.where(_previous(pac), early * 1.06, early) + pause
    return np.clip(early, _SHORTEST_RR_S, _LONGEST_RR_S), pvc, pac, prematurity


def _p_waves(
    p: EcgParameters, pac: NDArray[np.bool_], prematurity_s: FloatArray
) -> tuple[NDArray[np.bool_], FloatArray, FloatArray]:
    """Return presence, shift and the two gains of each beat's P wave."""
    n_beats = pac.shape[1]
    drawn = normals(p.seed, Stream.P_WAVE, n_beats, 3)
    person = uniforms(p.patient_seed, Stream.ATRIAL, 3)
    jitter = p.p_jitter[:, None]
    gain = np.exp(jitter[:, :, None] * drawn[:, :, :2] - 0.5 * jitter[:, :, None] ** 2)
    ectopic = np.stack([1.6 * person[:, 0] - 0.7, 0.5 + person[:, 1]], axis=1)[:, None, :]
    gain = np.where(pac[:, :, None], gain * ectopic, gain)
    # Beyond its amplitude the P wave also walks by a few ms.
    offset_s = prematurity_s + 0.03 * jitter * drawn[:, :, 2]
    junctional = p.rhythm == Rhythm.JUNCTIONAL
    hidden = person[:, 2] < _RETROGRADE_HIDDEN
    before = person[:, 2] > _RETROGRADE_BEFORE
    late_s = np.where(before, p.pr_ms - 100.0, p.pr_ms + p.qrs_ms + 10.0) / 1000.0
    offset_s = np.where(junctional[:, None], late_s[:, None], offset_s)
    gain = np.where(junctional[:, None, None], -0.9 * gain, gain)
    present = (p.rhythm == Rhythm.SINUS) | (junctional & ~hidden)
    return np.repeat(present[:, None], n_beats, axis=1), offset_s, gain


def beat_train(p: EcgParameters, duration_s: float) -> BeatTrain:
    """Return the beats of each ECG, from before its start to after its end.

    Parameters
    ----------
    p : EcgParameters
        n ECGs.
    duration_s : float
        Length of the recording.

    Returns
    -------
    BeatTrain
        The number of columns depends on `duration_s` alone.
    """
    n_beats = int(np.ceil((duration_s + _LEAD_IN_S + 1.5) / _SHORTEST_RR_S))
    rr_s, pvc, pac, prematurity_s = _ectopy(p, _intervals(p, n_beats))
    first_s = -_LEAD_IN_S - 0.8 * uniforms(p.seed, Stream.RATE, 1)
    onset_s = first_s + np.cumsum(rr_s, axis=1) - rr_s[:, :1]
    if np.any(p.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA):
        pvc = pvc | (p.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA)[:, None]
    has_p, p_offset_s, p_gain = _p_waves(p, pac, prematurity_s)
    mean_s = (60.0 / p.hr_bpm)[:, None]
    followed = 0.35 * rr_s + 0.65 * np.clip(mean_s, _SHORTEST_RR_S, _LONGEST_RR_S)
    return BeatTrain(onset_s, followed, pvc, pac, has_p, p_offset_s, p_gain)
