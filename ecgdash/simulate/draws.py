"""Random draws that depend on an ECG's own seed and on nothing else.

A counter-based generator: draw j of a stream is a hash of (seed, stream, j),
so thousands of ECGs draw at once and no draw depends on the batch.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream", "normals", "uniforms"]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


class Stream(IntEnum):
    """What a draw is for; each use has its own numbers."""

    RATE = 1
    BEAT_INTERVAL = 2
    ECTOPY = 3
    P_WAVE = 4
    BEAT_GAIN = 5
    ATRIAL = 6
    NOISE_CROP = 7
    NOISE_LEVEL = 8
    MAINS = 9
    RESPIRATION = 10
    NON_DIPOLAR = 11
    PERSON = 12
    MOTION = 13


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise 64-bit states (Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014)."""
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))


def uniforms(seed: NDArray[np.uint64], stream: Stream, *shape: int) -> NDArray[np.float64]:
    """Draw numbers evenly from the open interval (0, 1).

    Parameters
    ----------
    seed : ndarray of uint64 (n,)
        One per ECG (or per patient).
    stream : Stream
        What the draws are for.
    *shape : int
        Shape of the draws of one ECG.

    Returns
    -------
    ndarray (n, *shape)
        Row i depends on `seed[i]` only; multiples of 2^-53, never 0 or 1.
    """
    count = int(np.prod(shape, dtype=np.int64))
    stream_key = np.array([stream], dtype=np.uint64) * _MIX_1  # arrays wrap silently
    key = _mix(_mix(seed + _GOLDEN) + stream_key)
    counter = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    bits = _mix(key[:, None] + counter)
    unit = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return unit.reshape(len(seed), *shape)


def normals(seed: NDArray[np.uint64], stream: Stream, *shape: int) -> NDArray[np.float64]:
    """Draw from N(0, 1) (Box and Muller, Ann Math Stat 1958;29:610).

    Parameters and result as of `uniforms`. A stream serves `uniforms` or
    `normals`, not both: the same bits would make their draws depend on each other.
    """
    pair = uniforms(seed, stream, 2, *shape)
    radius = np.sqrt(-2.0 * np.log(pair[:, 0]))
    drawn: NDArray[np.float64] = radius * np.cos(2.0 * np.pi * pair[:, 1])
    return drawn
