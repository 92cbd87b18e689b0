"""Filters for looking at an ECG: never for what is scored or measured.

All run forwards and backwards, so that no wave moves in time. A recorded gap stays a gap.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DISPLAY_BANDS",
    "DRAWN_HZ",
    "DisplayFilter",
    "Mains",
    "at_drawing_rate",
    "display_filtered",
    "mains_of",
    "sections",
]

DISPLAY_BANDS: Final[tuple[tuple[float, float] | None, ...]] = (None, (0.05, 150.0), (0.5, 40.0))
"""Pass bands, Hz; None: as recorded. 0.05-150 Hz is the diagnostic band of Kligfield et al. 2007,
0.5-40 Hz the usual one of monitors."""
DRAWN_HZ: Final = 500.0
"""A faster recording is drawn at this rate."""
NOTCH_WIDTH_HZ: Final = 2.0
"""Between the two half-power points of both passes (not stated in a source: our choice)."""
_MAINS_HZ: Final = (50.0, 60.0)
_MAINS_OVER_REST: Final = 6.0
"""How often the line must exceed the typical power beside it to count as mains: our choice."""
_ORDER: Final = 2
_LOWEST_S: Final = 1.0
_RATE_DENOMINATOR: Final = 1000


@dataclass(frozen=True)
class Mains:
    """Frequency of the mains.

    Attributes
    ----------
    hz : float
        50 or 60.
    seen : bool
        Whether its line stands out in the signal; if not, 50 Hz is assumed.
    """

    hz: float
    seen: bool


@dataclass(frozen=True)
class DisplayFilter:
    """What is filtered for the eye.

    Attributes
    ----------
    band_hz : (float, float) or None
        Half-power points of the pass band, both passes together.
    mains_hz : float or None
        Centre of the notch.
    """

    band_hz: tuple[float, float] | None = None
    mains_hz: float | None = None

    @property
    def is_off(self) -> bool:
        """Whether the signal is drawn as recorded."""
        return self.band_hz is None and self.mains_hz is None

    @property
    def margin_s(self) -> float:
        """Seconds of signal that the filter wants on either side of what is drawn."""
        slowest = _LOWEST_S if self.band_hz is None else 2.0 / self.band_hz[0]
        return 0.0 if self.is_off else max(slowest, _LOWEST_S)


def sections(chosen: DisplayFilter, sampling_hz: float) -> NDArray[np.float64]:
    """Return the filter's second-order sections for one pass, shape (n_sections, 6).

    Two passes multiply the response by itself, so that each pass is made to lose 1.5 dB at the
    band's ends: both together lose 3 dB there. A bound at or above half the sampling rate is left
    out: the recording itself ends there.
    """
    from scipy.signal import butter, iirnotch, tf2sos

    rows = []
    if chosen.band_hz is not None:
        low, high = (_one_pass(hz, sampling_hz) for hz in chosen.band_hz)
        if low is not None:
            bound = _warped(low / _SHIFT, sampling_hz)
            rows.append(butter(_ORDER, bound, "highpass", fs=sampling_hz, output="sos"))
        if high is not None:
            bound = _warped(high * _SHIFT, sampling_hz)
            rows.append(butter(_ORDER, bound, "lowpass", fs=sampling_hz, output="sos"))
    if chosen.mains_hz is not None and chosen.mains_hz < sampling_hz / 2:
        # Half power of one pass is a quarter of both: the width of one pass is made smaller.
        width = NOTCH_WIDTH_HZ * math.sqrt(math.sqrt(2.0) - 1.0)
        rows.append(tf2sos(*iirnotch(chosen.mains_hz, chosen.mains_hz / width, fs=sampling_hz)))
    return np.concatenate(rows) if rows else np.zeros((0, 6))


_SHIFT: Final = (math.sqrt(2.0) - 1.0) ** (-1.0 / (2 * _ORDER))
"""How far outside its band's end one pass has its own half-power point."""


def _one_pass(hz: float, sampling_hz: float) -> float | None:
    """Return a bound on the analogue axis, rad; None where the recording ends before it."""
    return math.tan(math.pi * hz / sampling_hz) if hz < sampling_hz / 2 else None


def _warped(bound: float, sampling_hz: float) -> float:
    return math.atan(bound) * sampling_hz / math.pi


def display_filtered(
    signal_mv: NDArray[np.float32], sampling_hz: float, chosen: DisplayFilter
) -> NDArray[np.float32]:
    """Return a signal filtered for display.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        NaN where there is no sample; left untouched.
    sampling_hz : float
    chosen : DisplayFilter

    Returns
    -------
    ndarray of float32, shape (n_leads, n_samples)
        NaN where the input is. Beyond either end the filter reads the signal's mirror image.
    """
    if chosen.is_off or signal_mv.shape[-1] < 2:
        return signal_mv
    # Imported late: the first sheet after a start need not wait for it.
    from scipy.signal import sosfiltfilt

    rows = sections(chosen, sampling_hz)
    if not len(rows):
        return signal_mv
    whole, gaps = _bridged(signal_mv)
    beyond = math.ceil(chosen.margin_s * sampling_hz)
    padded = np.pad(whole, ((0, 0), (beyond, beyond)), mode="reflect")
    filtered = sosfiltfilt(rows, padded, axis=-1, padtype=None)
    out: NDArray[np.float32] = filtered[:, beyond : beyond + whole.shape[-1]].astype(np.float32)
    out[gaps] = np.nan
    return out


def at_drawing_rate(
    signal_mv: NDArray[np.float32], sampling_hz: float
) -> tuple[NDArray[np.float32], float]:
    """Bring a signal of more than 500 Hz to 500 Hz, by polyphase filtering; return its rate too.

    A sample is a gap where either of the recorded ones beside it is.
    """
    if sampling_hz <= DRAWN_HZ:
        return signal_mv, sampling_hz
    from scipy.signal import resample_poly

    rate = Fraction(sampling_hz).limit_denominator(_RATE_DENOMINATOR)
    ratio = Fraction(int(DRAWN_HZ)) / rate
    whole, gaps = _bridged(signal_mv)
    out = resample_poly(whole, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    drawn: NDArray[np.float32] = out.astype(np.float32)
    place = np.arange(drawn.shape[-1]) * float(1 / ratio)
    last = signal_mv.shape[-1] - 1
    below = np.minimum(np.floor(place).astype(int), last)
    above = np.minimum(np.ceil(place).astype(int), last)
    drawn[gaps[:, below] | gaps[:, above]] = np.nan
    return drawn, DRAWN_HZ


def mains_of(signal_mv: NDArray[np.float32], sampling_hz: float) -> Mains | None:
    """Return the mains frequency, from the signal or assumed; None below 100 Hz or so.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        The first 10 s are read.
    sampling_hz : float
        At 100 Hz or less, 50 Hz is not in the recording.
    """
    if sampling_hz <= 2 * _MAINS_HZ[0]:
        return None
    whole, _ = _bridged(signal_mv[:, : math.ceil(10.0 * sampling_hz)])
    tapered = (whole - whole.mean(axis=-1, keepdims=True)) * np.hanning(whole.shape[-1])
    power = (np.abs(np.fft.rfft(tapered, axis=-1)) ** 2).sum(axis=0)
    at_hz = np.fft.rfftfreq(whole.shape[-1], 1.0 / sampling_hz).astype(np.float64)
    over = {hz: _over_rest(power, at_hz, hz) for hz in _MAINS_HZ}
    strongest = max(over, key=lambda hz: over[hz])
    seen = over[strongest] > _MAINS_OVER_REST
    return Mains(strongest if seen else _MAINS_HZ[0], seen)


def _over_rest(power: NDArray[np.float64], at_hz: NDArray[np.float64], hz: float) -> float:
    """Return the line's mean power over that of the 4 Hz on either side."""
    away = np.abs(at_hz - hz)
    line, rest = power[away <= 0.5], power[(away > 1.0) & (away <= 4.0)]
    if hz + 4.0 > at_hz[-1] or not line.size or not rest.size:
        return 0.0
    return float(line.mean() / max(float(rest.mean()), 1e-30))


def _bridged(
    signal_mv: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the signal with straight lines across its gaps, and where the gaps are."""
    gaps = ~np.isfinite(signal_mv)
    whole = signal_mv.astype(np.float64)
    place = np.arange(whole.shape[-1])
    for row, gap in zip(whole, gaps, strict=True):
        if gap.all():
            row[:] = 0.0
        elif gap.any():
            row[gap] = np.interp(place[gap], place[~gap], row[~gap])
    return whole, gaps
