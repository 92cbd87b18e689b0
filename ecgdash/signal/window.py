"""Which stretch of a recording is judged, measured and scored.

At either end, a stretch in which no lead moves is padding and is trimmed: PTB-XL at 500 Hz
ends with 0.1 s of one held value, CODE-15 pads short tracings with zeros. The 40 ms beside it go
too: a filter smears the step to the held value over them (PTB-XL: about 30 ms). Of what is left the
first 10 s are taken or, where more than 11 s are left, the best 10 s: among windows that start
every whole second, the one with the fewest seconds of a lead without a trace (missing, flat or
beyond what a heart gives), then the least noise, then the earliest. The rules are our choice.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["WINDOW_S", "ScoredWindow", "scored_window"]

WINDOW_S: Final = 10.0
PADDING_AT_LEAST_S: Final = 0.06
"""PTB-XL's padding is 0.09 to 0.12 s; clean ECGs, in 5 uV steps between two beats, stand still in
all leads for up to 0.04 s (1,350 simulated ones)."""
SMEARED_S: Final = 0.04
LEFT_AT_LEAST_S: Final = 2.0
"""Less left than this is a flat line with a disturbance, not a padded ECG: nothing is trimmed."""
_FLAT_MV: Final = 0.01
"""A second of a lead that moves less than this shows no trace."""
_COARSEST_HZ: Final = 10
"""Below, a second tells nothing of noise: the first window is taken."""
_SECONDS_AT_A_TIME: Final = 60
"""So that a recording of a day needs little more memory than itself."""
_STILL_MV: Final = 5e-4
"""Half the finest step in use: half a second that moves less holds one value."""
_BEYOND_MV: Final = 20.0
_SAME_NOISE_MV: Final = 0.001
"""Noise is compared in whole microvolts, so that rounding never picks the window."""


@dataclass(frozen=True)
class ScoredWindow:
    """A stretch of a recording, in samples.

    Attributes
    ----------
    start, stop : int
        First sample, and the one after the last.
    trimmed_start, trimmed_stop : int
        Samples of padding cut off at either end.
    chosen : bool
        Whether the window was chosen among several.
    sampling_hz : float
    """

    start: int
    stop: int
    trimmed_start: int
    trimmed_stop: int
    chosen: bool
    sampling_hz: float

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and stop in seconds from the first sample of the recording."""
        return self.start / self.sampling_hz, self.stop / self.sampling_hz

    @property
    def slice(self) -> slice:
        """The window as an index along samples."""
        return slice(self.start, self.stop)


def scored_window(signal_mv: NDArray[np.floating], sampling_hz: float) -> ScoredWindow:
    """Return the stretch of a recording that is judged, measured and scored.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts; NaN where there is no value. All leads of the recording: every lead
        set of an ECG is scored from one window.
    sampling_hz : float
    """
    first, last = _without_still_ends(signal_mv, sampling_hz)
    trimmed = (first, signal_mv.shape[-1] - last)
    length = math.ceil(WINDOW_S * sampling_hz - 1e-9)
    second = max(round(sampling_hz), 1)
    # whole seconds of samples may be a few more than 10 s at a rate such as 359.6 Hz
    n_starts = (last - first - max(length, int(WINDOW_S) * second)) // second + 1
    if n_starts <= 1 or second < _COARSEST_HZ:
        return ScoredWindow(first, min(first + length, last), *trimmed, False, sampling_hz)
    faults, rough, wander = _by_second(signal_mv[:, first:last], second)
    n_seconds = int(WINDOW_S)
    noise = _sums(rough, n_seconds, n_starts) + _sums(wander, n_seconds - 1, n_starts)
    ranks = (np.arange(n_starts), np.rint(noise / _SAME_NOISE_MV))
    order = np.lexsort((*ranks, _sums(faults, n_seconds, n_starts)))
    start = first + int(order[0]) * second
    return ScoredWindow(start, min(start + length, last), *trimmed, True, sampling_hz)


def _without_still_ends(signal_mv: NDArray[np.floating], sampling_hz: float) -> tuple[int, int]:
    """Return the first sample and the one after the last between still ends."""
    n = signal_mv.shape[-1]
    least = max(math.ceil(PADDING_AT_LEAST_S * sampling_hz), 2)
    if n <= 2 * least:
        return 0, n
    still_start = not _moves(signal_mv[:, :least]).any()
    still_stop = not _moves(signal_mv[:, n - least :]).any()
    if not (still_start or still_stop):  # the usual case, seen from a few samples
        return 0, n
    moving = np.flatnonzero(_moves(signal_mv))
    if moving.size == 0:  # nothing but a flat line: for the gate to say
        return 0, n
    smeared = math.ceil(SMEARED_S * sampling_hz)
    first = int(moving[0]) + 1 + smeared if still_start else 0
    last = int(moving[-1]) + 1 - smeared if still_stop else n
    return (first, last) if last - first >= LEFT_AT_LEAST_S * sampling_hz else (0, n)


def _moves(signal_mv: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return, between each two samples, whether any lead moves; absent samples stand still."""
    now, then = signal_mv[:, 1:], signal_mv[:, :-1]
    same = (now == then) | (~np.isfinite(now) & ~np.isfinite(then))
    moves: NDArray[np.bool_] = (~same).any(axis=0)
    return moves


def _by_second(
    signal_mv: NDArray[np.floating], second: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Judge each second.

    Returns
    -------
    faults, rough : ndarray, shape (n_seconds,)
        How many leads show no trace; the mean over leads of the typical second difference, mV.
    wander : ndarray, shape (n_seconds - 1,)
        The mean over leads of the baseline's change to the next second, mV.
    """
    whole = signal_mv[:, : signal_mv.shape[-1] // second * second]
    n = _SECONDS_AT_A_TIME * second
    blocks = [
        _judged(whole[:, at : at + n].reshape(len(whole), -1, second))
        for at in range(0, whole.shape[-1], n)
    ]
    bad, rough, middle = (np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True))
    either = bad[:, 1:] | bad[:, :-1]
    wander = np.where(either, 0.0, np.abs(np.diff(middle, axis=-1))).mean(axis=0)
    return bad.sum(axis=0).astype(np.float64), np.where(bad, 0.0, rough).mean(axis=0), wander


def _judged(
    seconds_mv: NDArray[np.floating],
) -> tuple[NDArray[np.bool_], NDArray[np.floating], NDArray[np.floating]]:
    """Return whether each second of each lead shows no trace, its roughness and its median.

    Parameters
    ----------
    seconds_mv : ndarray, shape (n_leads, n_seconds, n_samples)
    """
    half = seconds_mv.shape[-1] // 2
    finite = np.isfinite(seconds_mv)
    clean = np.where(finite, seconds_mv, 0.0)
    middle = np.median(clean, axis=-1)
    beyond = np.abs(clean - middle[..., None]).max(axis=-1) > _BEYOND_MV
    flat = np.ptp(clean, axis=-1) < _FLAT_MV
    for part in (clean[..., :half], clean[..., half:]):
        flat |= np.ptp(part, axis=-1) < _STILL_MV  # a flat second need not start on a whole one
    rough = np.median(np.abs(np.diff(clean, 2, axis=-1)), axis=-1)
    return ~finite.all(axis=-1) | flat | beyond, rough, middle


def _sums(values: NDArray[np.float64], n: int, n_starts: int) -> NDArray[np.float64]:
    """Return the sums over `n` neighbours from each start."""
    return np.convolve(values, np.ones(n), "valid")[:n_starts]
