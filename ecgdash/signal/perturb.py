"""An ECG as another device or a restless patient would have given it: other rate, added noise."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue

__all__ = ["NOISE_BAND_HZ", "at_rate", "electrode_noise_mv"]

NOISE_BAND_HZ: Final = (0.67, 40.0)
"""Where added noise lies: the band that the networks read, so that the level is what they see."""

_RATE_DENOMINATOR: Final = 1000
"""As in `ecgdash.signal.preprocess`: rates are rationals to a thousandth of a hertz."""
_EMG_CORNER_HZ: Final = 15.0
"""Muscle noise rises up to here, as in `ecgdash.simulate.noise`; above 40 Hz nothing is kept."""
_ELECTRODES: Final = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
_THIRD: Final = 1.0 / 3.0
_LIMB_ROWS: Final = {
    "I": (-1.0, 1.0, 0.0),
    "II": (-1.0, 0.0, 1.0),
    "III": (0.0, -1.0, 1.0),
    "aVR": (1.0, -0.5, -0.5),
    "aVL": (-0.5, 1.0, -0.5),
    "aVF": (-0.5, -0.5, 1.0),
}
"""Limb leads from RA, LA and LL."""


def at_rate(
    signal_mv: NDArray[np.floating], sampling_hz: float, target_hz: float
) -> NDArray[np.floating]:
    """Bring a signal to another rate, polyphase with an anti-alias filter.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolts, finite.
    sampling_hz, target_hz : float
        Above 0.

    Returns
    -------
    ndarray, shape (n_leads, n)
        The signal itself where both rates are equal.

    Raises
    ------
    InvalidValue
        If a rate is not above 0.
    """
    if not (sampling_hz > 0.0 and target_hz > 0.0):
        raise InvalidValue(
            f"sampling rates of {sampling_hz:g} and {target_hz:g} Hz", accepted="Accepted: above 0"
        )
    source = Fraction(sampling_hz).limit_denominator(_RATE_DENOMINATOR)
    ratio = Fraction(target_hz).limit_denominator(_RATE_DENOMINATOR) / source
    if ratio == 1:
        return signal_mv
    from scipy.signal import resample_poly

    # The line from first to last sample is taken off, so that an offset makes no step at the ends.
    out: NDArray[np.float64] = resample_poly(
        signal_mv.astype(np.float64), ratio.numerator, ratio.denominator, axis=-1, padtype="line"
    )
    return out


def electrode_noise_mv(
    leads: Sequence[str], n_samples: int, sampling_hz: float, level_uv: float, seed: int
) -> NDArray[np.float64]:
    """Return noise as nine electrodes would carry it into the leads.

    Half of its power is white, half has the spectrum of muscle noise (rising up to 15 Hz);
    both within 0.67 to 40 Hz. Each electrode has its own, so that the leads stay consistent
    (I + III = II, against Wilson's terminal in the chest). The same seed gives the same noise
    at every level. No source states such a test: our choice.

    Parameters
    ----------
    leads : sequence of str
        Of the twelve standard leads.
    n_samples : int
        At least 2 s.
    sampling_hz : float
    level_uv : float
        Root mean square of leads I, II and III, microvolts, 0 or more. The augmented leads carry
        0.87 of it, the chest leads 0.82, as independent electrodes of one loudness give.
    seed : int
        0 or more.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
        Millivolts.

    Raises
    ------
    InvalidValue
        If the level is negative, a lead is unknown or the stretch is too short.
    """
    if not level_uv >= 0.0:
        raise InvalidValue(f"a noise level of {level_uv:g} µV", accepted="Accepted: 0 or more")
    if n_samples < 2 * sampling_hz:
        raise InvalidValue(f"{n_samples} samples for noise", accepted="Accepted: at least 2 s")
    mixing = np.array([_electrode_weights(lead) for lead in leads])
    rng = np.random.default_rng(seed)
    hz = np.fft.rfftfreq(n_samples, 1.0 / sampling_hz)
    gain = np.sqrt(_power(hz.astype(np.float64)))
    shape = (len(_ELECTRODES), hz.size)
    drawn = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    raw = np.fft.irfft(drawn * gain, n_samples, axis=-1)
    # Exactly uncorrelated and equally loud over the stretch: the level then holds for every draw.
    basis, _ = np.linalg.qr(raw.T)
    electrodes = basis.T * np.sqrt(n_samples)
    per_electrode_mv = 1e-3 * level_uv / np.sqrt(2.0)  # a bipolar lead is the sum of two
    return np.asarray(per_electrode_mv * (mixing @ electrodes))


def _power(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spectrum of the noise: half white, half muscle, within the band."""
    low, high = NOISE_BAND_HZ
    within = (hz >= low) & (hz <= high)
    safe = np.maximum(hz, low)
    muscle = np.where(within, 1.0 / (1.0 + (_EMG_CORNER_HZ / safe) ** 4), 0.0)
    white = within.astype(np.float64)
    return np.asarray(0.5 * white / white.sum() + 0.5 * muscle / muscle.sum())


def _electrode_weights(lead: str) -> list[float]:
    chest = _ELECTRODES[3:]
    if lead in _LIMB_ROWS:
        return [*_LIMB_ROWS[lead], *(0.0 for _ in chest)]
    if lead not in chest:
        raise InvalidValue(
            f"lead {lead!r}", accepted=f"Accepted: {', '.join((*_LIMB_ROWS, *chest))}"
        )
    return [-_THIRD, -_THIRD, -_THIRD, *(float(lead == name) for name in chest)]
