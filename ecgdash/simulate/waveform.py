"""From parameters to 12-lead waveforms.

Every lead is a weighted sum of time courses: the components of the beats, the
atrial activity, breathing, hum and the electrodes' noise. The courses of an
ECG are laid out as rows of one matrix and all leads come from one product.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.simulate.atrial import ATRIAL_ROWS, atrial_axes, atrial_signals
from ecgdash.simulate.dipole import N_COMPONENTS, BeatShape, beat_shape, ecg_lead_field
from ecgdash.simulate.events import MARGIN_S, add_events, beat_events
from ecgdash.simulate.noise import N_ELECTRODES, fill_noise, noise_levels
from ecgdash.simulate.parameters import EcgParameters, Rhythm
from ecgdash.simulate.rhythm import beat_train, respiration_hz

__all__ = ["LEAST_BIT_MV", "Truth", "synthesise", "truth"]

Signal = NDArray[np.float32]

LEAST_BIT_MV: Final = 4.88e-3
"""Amplitude resolution of the simulated cart (GE MUSE: 4.88 uV per bit)."""

_FIRST_ATRIAL: Final = N_COMPONENTS
_FIRST_HUM: Final = _FIRST_ATRIAL + ATRIAL_ROWS
_BREATHING: Final = _FIRST_HUM + 2
_FIRST_ELECTRODE: Final = _BREATHING + 1
_N_ROWS: Final = _FIRST_ELECTRODE + 2 * N_ELECTRODES

# ECGs worked on at once: their rows stay in the processor's cache.
_CHUNK: Final = 16
_ACCEPTED_HZ: Final = (100.0, 2000.0)


@dataclass(frozen=True, eq=False)
class Truth:
    """What an ECG shows by construction; for tests and validation of the simulator only.

    Attributes
    ----------
    heart_rate_bpm : ndarray (n,)
        60 over the mean RR of all beats in the recording, ectopic ones included.
    pr_ms, qrs_ms, qt_ms : ndarray (n,)
        Of the non-ectopic beats; PR is NaN without P waves, QRS and QT in
        ventricular tachycardia.
    onset_s : ndarray (n, n_beats)
        QRS onsets, NaN outside the recording.
    pvc, pac : ndarray of bool (n, n_beats)
        Ectopic beats inside the recording.
    """

    heart_rate_bpm: NDArray[np.float64]
    pr_ms: NDArray[np.float64]
    qrs_ms: NDArray[np.float64]
    qt_ms: NDArray[np.float64]
    onset_s: NDArray[np.float64]
    pvc: NDArray[np.bool_]
    pac: NDArray[np.bool_]


def truth(parameters: EcgParameters, duration_s: float = 10.0) -> Truth:
    """Return what `synthesise` puts into each ECG."""
    beats = beat_train(parameters, duration_s)
    inside = (beats.onset_s >= 0.0) & (beats.onset_s < duration_s)
    onset_s = np.where(inside, beats.onset_s, np.nan)
    count = inside.sum(axis=1)
    last = np.where(inside, beats.onset_s, -np.inf).max(axis=1)
    first = np.where(inside, beats.onset_s, np.inf).min(axis=1)
    mean_rr_s = (last - first) / np.maximum(count - 1, 1)
    events = beat_events(parameters, beats, beat_shape(parameters), duration_s)
    tachycardia = parameters.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA
    qt_sum = np.bincount(events.ecg, events.qt_ms, len(parameters))
    qt_ms = qt_sum / np.bincount(events.ecg, minlength=len(parameters))
    return Truth(
        heart_rate_bpm=60.0 / np.maximum(mean_rr_s, 1e-6),
        pr_ms=np.where(parameters.rhythm == Rhythm.SINUS, parameters.pr_ms, np.nan),
        qrs_ms=np.where(tachycardia, np.nan, parameters.qrs_ms),
        qt_ms=np.where(tachycardia, np.nan, qt_ms),
        onset_s=onset_s,
        pvc=beats.pvc & inside,
        pac=beats.pac & inside,
    )


def synthesise(
    parameters: EcgParameters, sampling_hz: float = 250.0, *, duration_s: float = 10.0
) -> Signal:
    """Synthesise 12-lead ECGs.

    Parameters
    ----------
    parameters : EcgParameters
        n ECGs. The waveform of a row depends on that row alone: the same row
        gives the same bits in any batch.
    sampling_hz : float
        100 to 2000. The beats do not depend on it, the noise does.
    duration_s : float
        2 s or more.

    Returns
    -------
    ndarray of float32 (n, 12, n_samples)
        Millivolts in canonical lead order (I, II, III, aVR, aVL, aVF, V1-V6),
        in steps of 4.88 uV; III = II - I holds exactly in these steps.

    Raises
    ------
    InvalidValue
        If the rate or the duration is out of range.
    """
    if not _ACCEPTED_HZ[0] <= sampling_hz <= _ACCEPTED_HZ[1]:
        raise InvalidValue(f"sampling_hz is {sampling_hz:g}", accepted="100 to 2000 Hz")
    if not 2.0 <= duration_s <= 600.0:
        raise InvalidValue(f"duration_s is {duration_s:g}", accepted="2 to 600 s")
    n_samples = round(duration_s * sampling_hz)
    out = np.empty((len(parameters), 12, n_samples), np.float32)
    for first in range(0, len(parameters), 256):
        batch = parameters.take(np.arange(first, min(first + 256, len(parameters))))
        _synthesise_batch(batch, sampling_hz, duration_s, out[first : first + len(batch)])
    return out


def _synthesise_batch(p: EcgParameters, sampling_hz: float, duration_s: float, out: Signal) -> None:
    """Fill `out` (n, 12, n_samples) for up to 256 ECGs."""
    beats = beat_train(p, duration_s)
    shape = beat_shape(p)
    events = beat_events(p, beats, shape, duration_s)
    levels = noise_levels(p)
    weights = _lead_weights(p, shape, levels.lead_mv)
    n_samples = out.shape[2]
    margin = round(MARGIN_S * sampling_hz)
    rows = np.empty((_CHUNK, _N_ROWS, n_samples + 2 * margin), np.float32)
    time_s = np.arange(n_samples) / sampling_hz
    oscillations = _oscillations(p, levels.phase, time_s)
    for first in range(0, len(p), _CHUNK):
        chosen = slice(first, min(first + _CHUNK, len(p)))
        count = chosen.stop - first
        rows[:count, :N_COMPONENTS] = 0.0
        add_events(rows[:count], events.between(first, chosen.stop), sampling_hz, margin)
        inner = rows[:count, :, margin : margin + n_samples]
        part = p.take(np.arange(first, chosen.stop))
        _add_atrial(inner, part, time_s)
        inner[:, _FIRST_HUM:_FIRST_ELECTRODE] = oscillations[chosen]
        fill_noise(inner[:, _FIRST_ELECTRODE:], part, levels.take(chosen), sampling_hz)
        _leads(np.matmul(weights[chosen], inner), out[chosen])


def _lead_weights(p: EcgParameters, shape: BeatShape, noise_mv: NDArray[np.float64]) -> Signal:
    """Return the weight of each row in I, II, V1-V6: (n, 8, rows)."""
    atrial = atrial_axes(p) @ ecg_lead_field(p).transpose(0, 2, 1)
    parts = [shape.lead_mv.transpose(0, 2, 1), atrial.transpose(0, 2, 1), noise_mv]
    return np.ascontiguousarray(np.concatenate(parts, axis=2), dtype=np.float32)


def _oscillations(
    p: EcgParameters, phase: NDArray[np.float64], time_s: NDArray[np.float64]
) -> Signal:
    """Return hum (sine, cosine) and breathing over time: (n, 3, n_samples)."""
    rate_hz, breath_phase = respiration_hz(p)
    out = np.empty((len(p), 3, time_s.size), np.float32)
    hum = (2.0 * np.pi * p.mains_hz[:, None] * time_s + phase).astype(np.float32)
    np.sin(hum, out=out[:, 0])
    np.cos(hum, out=out[:, 1])
    breath = 2.0 * np.pi * rate_hz[:, None] * time_s + breath_phase[:, None]
    np.sin(breath.astype(np.float32), out=out[:, 2])
    return out


def _add_atrial(inner: Signal, p: EcgParameters, time_s: NDArray[np.float64]) -> None:
    """Write f-waves and flutter waves into their rows; 0 elsewhere."""
    atrial = inner[:, _FIRST_ATRIAL:_FIRST_HUM]
    atrial[:] = 0.0
    found = np.flatnonzero((p.rhythm == Rhythm.AFIB) | (p.rhythm == Rhythm.FLUTTER))
    if found.size:
        atrial[found] = atrial_signals(p.take(found), time_s)


def _leads(independent: Signal, out: Signal) -> None:
    """Quantise I, II, V1-V6 (n, 8, n_samples) and derive the other limb leads into `out`."""
    independent *= np.float32(1.0 / LEAST_BIT_MV)
    np.rint(independent, out=independent)
    one, two = independent[:, 0], independent[:, 1]
    out[:, 0], out[:, 1] = one, two
    out[:, 6:] = independent[:, 2:]
    np.subtract(two, one, out=out[:, 2])
    half = np.float32(0.5)
    out[:, 3] = np.rint((one + two) * -half)
    out[:, 4] = np.rint(one - two * half)
    out[:, 5] = np.rint(two - one * half)
    out *= np.float32(LEAST_BIT_MV)
