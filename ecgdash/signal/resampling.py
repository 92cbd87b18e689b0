"""Whole recordings at the networks' rate, to be stored and cut later."""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.preprocess import CROP_SAMPLES, MODEL_SAMPLING_HZ
from ecgdash.signal.window import WINDOW_S

__all__ = ["at_model_rate"]

_MOST_SAMPLES: Final = int(WINDOW_S * MODEL_SAMPLING_HZ)
_RATE_DENOMINATOR: Final = 1000
"""As in `ecgdash.signal.preprocess`: rates are rationals to a thousandth of a hertz."""


def at_model_rate(signal_mv: NDArray[np.floating], sampling_hz: float) -> NDArray[np.float64]:
    """Bring a scored window to 250 Hz, unfiltered, by the resampling of the engine's crops.

    The engine cuts first and resamples the crop; here the whole window is resampled and cut
    later. Both are the same but for the filter's reach at a crop's two ends and for starts that
    fall between two samples at 250 Hz (at most 2 ms).

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts, finite; 9 to 10 s.
    sampling_hz : float

    Returns
    -------
    ndarray of float64, shape (n_leads, n)
        n from 2,250 to 2,500: where an odd rate rounds to a sample less than 9 s, the last
        one is repeated, as the engine does.
    """
    from scipy.signal import resample_poly

    rate = Fraction(sampling_hz).limit_denominator(_RATE_DENOMINATOR)
    ratio = Fraction(int(MODEL_SAMPLING_HZ)) / rate
    out = signal_mv.astype(np.float64)
    if ratio != 1:
        out = resample_poly(out, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    missing = CROP_SAMPLES - out.shape[-1]
    if missing > 0:
        out = np.concatenate([out, np.repeat(out[..., -1:], missing, axis=-1)], axis=-1)
    return np.asarray(out[..., :_MOST_SAMPLES])
