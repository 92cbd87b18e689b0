"""Atrial activity without P waves: fibrillation and flutter."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.draws import Stream, uniforms
from ecgdash.simulate.parameters import EcgParameters, Rhythm

__all__ = ["ATRIAL_ROWS", "atrial_axes", "atrial_signals"]

Signal = NDArray[np.float32]

ATRIAL_ROWS: Final = 2

# Two sources, in X, Y, Z per unit amplitude (our choice): f-waves best seen in V1, then in the
# inferior leads; typical flutter negative in II, III, aVF and upright in V1.
_AFIB_AXES: Final = np.array([[-0.30, 0.35, -0.80], [0.15, 0.36, 0.03]])
_FLUTTER_AXES: Final = np.array([[-0.10, 1.30, 0.25], [0.05, -0.15, -0.75]])
# Harmonics of f-waves (second .38, third .12 of the first) and of a falling saw-tooth.
_AFIB_HARMONICS: Final = (1.0, 0.38, 0.12)
_FLUTTER_HARMONICS: Final = (0.80, 0.34, 0.12)
# Slow modulation of frequency and amplitude: Hz of the modulators.
_MODULATION_HZ: Final = (0.23, 0.61, 1.37)


def atrial_axes(p: EcgParameters) -> NDArray[np.float64]:
    """Return the two sources' vectors in mV, (n, 2, 3); 0 where the atria beat regularly."""
    fibrillates = (p.rhythm == Rhythm.AFIB)[:, None, None]
    flutters = (p.rhythm == Rhythm.FLUTTER)[:, None, None]
    axes = np.where(fibrillates, _AFIB_AXES, np.where(flutters, _FLUTTER_AXES, 0.0))
    return np.asarray(axes * p.f_wave_mv[:, None, None])


def _oscillation(phase: Signal, harmonics: tuple[float, float, float]) -> Signal:
    """Return the sum of three sine harmonics of a phase."""
    sine, cosine = np.sin(phase), np.cos(phase)
    first, second, third = (np.float32(h) for h in harmonics)
    # sin 2a = 2 sin a cos a; sin 3a = sin a (4 cos^2 a - 1)
    wave: Signal = sine * (
        first
        + np.float32(2.0) * second * cosine
        + third * (np.float32(4.0) * cosine * cosine - np.float32(1.0))
    )
    return wave


def atrial_signals(p: EcgParameters, time_s: NDArray[np.float64]) -> Signal:
    """Return the two sources over time for ECGs in fibrillation or flutter.

    Parameters
    ----------
    p : EcgParameters
        n ECGs, all in AFIB or FLUTTER.
    time_s : ndarray (n_samples,)
        Sample times.

    Returns
    -------
    ndarray of float32 (n, 2, n_samples)
        Dimensionless, about 1 in amplitude.
    """
    drawn = uniforms(p.seed, Stream.ATRIAL, ATRIAL_ROWS, 3, 3)
    flutters = p.rhythm == Rhythm.FLUTTER
    out = np.empty((len(p), ATRIAL_ROWS, time_s.size), np.float32)
    step_s = float(time_s[1] - time_s[0])
    for i in range(len(p)):
        rate_hz = float(p.f_wave_hz[i])
        if flutters[i]:
            out[i, 0] = _sawtooth(rate_hz, float(drawn[i, 0, 0, 0]), time_s)
            # One circuit drives both sources: the second follows by a fifth of a cycle.
            out[i, 1] = np.roll(out[i, 0], round(0.2 / rate_hz / step_s))
        else:
            for source in range(ATRIAL_ROWS):
                out[i, source] = _fibrillation(rate_hz, drawn[i, source], time_s)
    return out


def _sawtooth(rate_hz: float, start: float, time_s: NDArray[np.float64]) -> Signal:
    """Return flutter waves: slowly falling, rising fast."""
    phase = 2.0 * np.pi * (rate_hz * time_s + start)
    return _oscillation(phase.astype(np.float32), _FLUTTER_HARMONICS)


def _fibrillation(
    rate_hz: float, drawn: NDArray[np.float64], time_s: NDArray[np.float64]
) -> Signal:
    """Return f-waves: an oscillator that wanders in rate and size."""
    turn = 2.0 * np.pi
    slow = np.sin(turn * (np.array(_MODULATION_HZ)[:, None] * time_s + drawn[0][:, None]))
    swing = np.sin(turn * (0.7 * np.array(_MODULATION_HZ)[:, None] * time_s + drawn[1][:, None]))
    phase = turn * (rate_hz * (0.95 + 0.1 * drawn[2, 0]) * time_s + drawn[2, 1])
    phase = phase + 1.6 * slow[0] + 1.1 * slow[1] + 0.7 * slow[2]
    size = 1.0 + 0.30 * swing[0] + 0.25 * swing[1] + 0.15 * swing[2]
    wave = _oscillation(phase.astype(np.float32), _AFIB_HARMONICS)
    return np.asarray(wave * size.astype(np.float32))
