"""Noise of the nine electrodes, so that leads share it as real leads do.

Muscle noise and wander are crops of long precomputed banks; hum and breathing
are single oscillations with a size of their own at each electrode.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.draws import Stream, normals, uniforms
from ecgdash.simulate.parameters import EcgParameters

__all__ = ["ELECTRODE_TO_LEAD", "N_ELECTRODES", "NoiseLevels", "fill_noise", "noise_levels"]

Signal = NDArray[np.float32]

N_ELECTRODES: Final = 9


def _electrode_to_lead() -> NDArray[np.float64]:
    """Return I, II, V1-V6 (8) from RA, LA, LL, V1-V6 (9); Wilson's terminal for the chest."""
    table = np.zeros((8, N_ELECTRODES))
    table[0, [0, 1]] = -1.0, 1.0
    table[1, [0, 2]] = -1.0, 1.0
    table[2:, :3] = -1.0 / 3.0
    table[2:, 3:] = np.eye(6)
    return table


ELECTRODE_TO_LEAD: Final = _electrode_to_lead()

# Limb electrodes lie on muscle: 9 uV against 6 uV at the chest in the same ECG (our choice).
_EMG_SHARE: Final = np.array([1.2] * 3 + [0.8] * 6)
_MOTION_CHANCE: Final = 0.06
_BREATHING_SHARE: Final = 0.5
_BANK_LENGTH: Final = 1 << 20
_BANK_SEED: Final = 20_261_121
_UV_TO_MV: Final = 1e-3


def _shaped(rng: np.random.Generator, sampling_hz: float, band: str) -> Signal:
    """Return a bank of unit RMS with the spectrum of `band`."""
    hz = np.fft.rfftfreq(_BANK_LENGTH, 1.0 / sampling_hz)
    safe = np.maximum(hz, 1e-3)
    gain = {
        # flat muscle spectrum with soft edges, up to a cart's 150 Hz
        "emg": 1.0 / np.sqrt((1.0 + (15.0 / safe) ** 4) * (1.0 + (hz / 140.0) ** 8)),
        # 1/f^1.2 in power between .04 and .9 Hz
        "wander": safe**-0.6 * ((hz >= 0.04) & (hz <= 0.9)),
        # electrode movement, .5 to 12 Hz
        "motion": safe**-0.5 * ((hz >= 0.5) & (hz <= 12.0)),
    }[band]
    white = rng.standard_normal(hz.size) + 1j * rng.standard_normal(hz.size)
    bank = np.fft.irfft(white * gain, _BANK_LENGTH)
    return np.asarray(bank / bank.std(), dtype=np.float32)


@lru_cache(maxsize=4)
def _banks(sampling_hz: float) -> tuple[Signal, Signal, Signal]:
    """Return the banks of muscle noise, wander and motion at a sampling rate."""
    rng = np.random.default_rng(_BANK_SEED)
    emg, wander, motion = (_shaped(rng, sampling_hz, b) for b in ("emg", "wander", "motion"))
    for bank in (emg, wander, motion):
        bank.flags.writeable = False
    return emg, wander, motion


@dataclass(frozen=True, eq=False)
class NoiseLevels:
    """Where each ECG's noise is cropped and how large it is at each electrode.

    Attributes
    ----------
    lead_mv : ndarray (n, 8, 21)
        Share of each noise row in I, II, V1-V6: two of hum, one of breathing,
        nine of muscle, nine of wander.
    crop : ndarray (n, 3, 9)
        Start in the banks as a fraction.
    motion : ndarray (n, 9)
        Motion relative to wander; 0 at most electrodes.
    phase : ndarray (n, 1)
        Of the hum, radians.
    """

    lead_mv: NDArray[np.float64]
    crop: NDArray[np.float64]
    motion: NDArray[np.float64]
    phase: NDArray[np.float64]

    def take(self, chosen: slice) -> "NoiseLevels":
        """Return the noise of some of the ECGs."""
        return NoiseLevels(
            self.lead_mv[chosen], self.crop[chosen], self.motion[chosen], self.phase[chosen]
        )


def noise_levels(p: EcgParameters) -> NoiseLevels:
    """Draw the noise of each ECG from its levels and seed."""
    spread = normals(p.seed, Stream.NOISE_LEVEL, 5, N_ELECTRODES)
    size = np.exp(0.25 * spread)
    emg = p.emg_uv[:, None] * _EMG_SHARE * size[:, 0]
    wander = np.maximum(p.baseline_uv, 1e-3)[:, None] * size[:, 1]
    hum = p.mains_uv[:, None, None] * spread[:, 2:4]
    breathing = p.baseline_uv[:, None] * _BREATHING_SHARE * spread[:, 4]
    moved = uniforms(p.seed, Stream.MOTION, N_ELECTRODES) < _MOTION_CHANCE
    motion = np.where(moved, p.motion_uv[:, None], 0.0) / wander
    diagonal = np.eye(N_ELECTRODES)
    electrode = np.concatenate(
        [
            hum,
            breathing[:, None],
            emg[:, :, None] * diagonal,
            wander[:, :, None] * diagonal,
        ],
        axis=1,
    )
    lead_mv = ELECTRODE_TO_LEAD @ electrode.transpose(0, 2, 1) * _UV_TO_MV
    crop = uniforms(p.seed, Stream.NOISE_CROP, 3, N_ELECTRODES)
    phase = 2.0 * np.pi * uniforms(p.seed, Stream.MAINS, 1)
    return NoiseLevels(lead_mv, crop, motion, phase)


def fill_noise(rows: Signal, p: EcgParameters, levels: NoiseLevels, sampling_hz: float) -> None:
    """Write muscle noise and wander of unit size, with motion, into `rows`.

    Parameters
    ----------
    rows : ndarray of float32 (n, 18, n_samples)
        Overwritten.
    p : EcgParameters
        n ECGs.
    levels : NoiseLevels
        As drawn for `p`.
    sampling_hz : float
        Sampling rate.
    """
    n_samples = rows.shape[2]
    emg, wander, motion = _banks(sampling_hz)
    start = (levels.crop * (_BANK_LENGTH - n_samples)).astype(np.intp)
    for i in range(len(p)):
        for electrode in range(N_ELECTRODES):
            first = start[i, 0, electrode]
            rows[i, electrode] = emg[first : first + n_samples]
            first = start[i, 1, electrode]
            rows[i, N_ELECTRODES + electrode] = wander[first : first + n_samples]
    for i, electrode in zip(*np.nonzero(levels.motion), strict=True):
        first = start[i, 2, electrode]
        share = np.float32(levels.motion[i, electrode])
        rows[i, N_ELECTRODES + electrode] += share * motion[first : first + n_samples]
