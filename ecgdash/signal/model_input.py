"""From a record to what an external network reads: crops of a length, rate and scale.

The house's own families use `ecgdash.signal.preprocess`; this module serves networks that
others trained, each with its own rules.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["InputRules", "mean_magnitude", "model_crops"]

_FILTER_ORDER: Final = 4
_RATE_DENOMINATOR: Final = 1000


@dataclass(frozen=True)
class InputRules:
    """How crops are made.

    Attributes
    ----------
    sampling_hz : float
        Of the crops.
    n_samples : int
        Of a crop.
    resampling : {"polyphase", "linear"}
        With a low-pass against aliasing, or straight lines between samples.
    band_hz : (float, float) or None
        Zero-phase Butterworth band-pass of order 4, after the resampling.
    crops : {"first", "centre", "three"}
        Three: at the start, in the middle and at the end, as evenly as the record allows.
    if_short : {"zeros", "hold"}
        Fill what is missing at the end with zeros or the last value.
    """

    sampling_hz: float
    n_samples: int
    resampling: str
    band_hz: tuple[float, float] | None
    crops: str
    if_short: str


def model_crops(
    signal_mv: NDArray[np.floating], sampling_hz: float, rules: InputRules
) -> NDArray[np.float64]:
    """Resample, filter and cut one record.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts, finite: the scored window of a recording.
    sampling_hz : float
    rules : InputRules

    Returns
    -------
    ndarray of float64, shape (n_crops, n_leads, rules.n_samples)
        Millivolts.
    """
    found = _resampled(signal_mv.astype(np.float64), sampling_hz, rules)
    if rules.band_hz is not None:
        found = _band_passed(found, rules)
    lacking = rules.n_samples - found.shape[-1]
    if lacking > 0:
        found = _filled(found, lacking, rules)
    spare = found.shape[-1] - rules.n_samples
    starts = {"first": (0,), "centre": (spare // 2,), "three": (0, spare // 2, spare)}
    return np.stack([found[:, at : at + rules.n_samples] for at in starts[rules.crops]])


def mean_magnitude(samples: NDArray[np.floating]) -> float:
    """Return the mean magnitude of a signal's discrete Fourier transform, over all its bins."""
    return float(np.abs(np.fft.fft(samples)).mean())


def _resampled(
    signal_mv: NDArray[np.float64], sampling_hz: float, rules: InputRules
) -> NDArray[np.float64]:
    from scipy.signal import resample_poly

    rate = Fraction(sampling_hz).limit_denominator(_RATE_DENOMINATOR)
    ratio = Fraction(rules.sampling_hz).limit_denominator(_RATE_DENOMINATOR) / rate
    if ratio == 1:
        return signal_mv
    if rules.resampling == "polyphase":
        found: NDArray[np.float64] = resample_poly(
            signal_mv, ratio.numerator, ratio.denominator, axis=-1, padtype="line"
        )
        return found
    n = round(signal_mv.shape[-1] * float(ratio))
    # over the whole record, first sample on first sample and last on last
    new, old = np.linspace(0.0, 1.0, n), np.linspace(0.0, 1.0, signal_mv.shape[-1])
    return np.stack([np.interp(new, old, row) for row in signal_mv])


def _band_passed(signal_mv: NDArray[np.float64], rules: InputRules) -> NDArray[np.float64]:
    from scipy.signal import butter, sosfiltfilt

    sos = butter(_FILTER_ORDER, rules.band_hz, "bandpass", fs=rules.sampling_hz, output="sos")
    found: NDArray[np.float64] = sosfiltfilt(sos, signal_mv, axis=-1)
    return found


def _filled(signal_mv: NDArray[np.float64], lacking: int, rules: InputRules) -> NDArray[np.float64]:
    mode: Literal["constant", "edge"] = "constant" if rules.if_short == "zeros" else "edge"
    return np.pad(signal_mv, ((0, 0), (0, lacking)), mode=mode)
