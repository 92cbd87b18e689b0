"""Waveforms as bytes: int16 with a step per lead, delta-coded and compressed.

What is stored decodes to the very samples where the source's step is known
and reproduces them; else every sample is at most half a microvolt off (plus
the rounding of float32); signals beyond the range of int16 stay float32. The
content hash of a record is the same before and after, in all three cases.
"""

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["EncodedWaveform", "decode", "encode"]

INT16: Final = "i16-delta-zlib-1"
FLOAT32: Final = "f32-zlib-1"

_MISSING: Final = -32768
"""Stands for NaN."""

_COMPRESSION_LEVEL: Final = 6


@dataclass(frozen=True)
class EncodedWaveform:
    """A waveform ready for one database row.

    Attributes
    ----------
    codec : str
        Name of the form, with its version.
    steps_uv : tuple of float
        Microvolts per count, per lead; empty for float32.
    data : bytes
    """

    codec: str
    steps_uv: tuple[float, ...]
    data: bytes


def encode(
    signal_mv: NDArray[np.float32], lsb_uv: tuple[float, ...] | None = None
) -> EncodedWaveform:
    """Encode a signal.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Millivolts; NaN is kept.
    lsb_uv : tuple of float, optional
        Per lead, the source's step in microvolts, where known.
    """
    counts = np.empty(signal_mv.shape, dtype=np.int16)
    steps: list[float] = []
    for row, lead_mv in enumerate(signal_mv):
        candidates = (lsb_uv[row], 1.0) if lsb_uv is not None else (1.0,)
        step = _write_counts(lead_mv, candidates, counts[row])
        if step is None:
            return EncodedWaveform(
                FLOAT32, (), zlib.compress(signal_mv.astype("<f4").tobytes(), _COMPRESSION_LEVEL)
            )
        steps.append(step)
    return EncodedWaveform(INT16, tuple(steps), _compress(counts))


def decode(encoded: EncodedWaveform, n_leads: int, n_samples: int) -> NDArray[np.float32]:
    """Decode to millivolts, float32 of shape (n_leads, n_samples).

    Raises
    ------
    ValueError
        If the codec is unknown or the data do not have the stated shape.
    """
    raw = zlib.decompress(encoded.data)
    if encoded.codec == FLOAT32:
        return np.frombuffer(raw, dtype="<f4").reshape(n_leads, n_samples).astype(np.float32)
    if encoded.codec != INT16:
        raise ValueError(f"unknown waveform codec {encoded.codec!r}")
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(2, n_leads, n_samples).astype(np.uint16)
    deltas = planes[0] | (planes[1] << np.uint16(8))
    # Sums of uint16 wrap as the differences did.
    counts = np.cumsum(deltas, axis=1, dtype=np.uint16).view(np.int16)
    return np.stack(
        [_millivolts(row, step) for row, step in zip(counts, encoded.steps_uv, strict=True)]
    )


def _write_counts(
    lead_mv: NDArray[np.float32], steps_uv: tuple[float, ...], out: NDArray[np.int16]
) -> float | None:
    """Fill `out` by the first step that serves and return it; None: none does."""
    missing = np.isnan(lead_mv)
    for step in steps_uv:
        if not (np.isfinite(step) and step > 0):
            continue
        exact = np.rint(np.where(missing, 0.0, lead_mv).astype(np.float64) * 1000.0 / step)
        if np.abs(exact).max(initial=0.0) > 32767:
            continue
        out[:] = np.where(missing, _MISSING, exact).astype(np.int16)
        # A step of one microvolt needs no proof: it is never more than half of one off.
        if step == 1.0 or np.array_equal(_millivolts(out, step), lead_mv, equal_nan=True):
            return step
    return None


def _millivolts(counts: NDArray[np.int16], step_uv: float) -> NDArray[np.float32]:
    millivolts = (counts.astype(np.float64) * step_uv / 1000.0).astype(np.float32)
    millivolts[counts == _MISSING] = np.nan
    return millivolts


def _compress(counts: NDArray[np.int16]) -> bytes:
    """Differences along time, low bytes before high bytes: these compress best."""
    unsigned = counts.view(np.uint16)
    deltas = np.diff(unsigned, axis=1, prepend=np.uint16(0))
    planes = np.stack([deltas & np.uint16(0xFF), deltas >> np.uint16(8)]).astype(np.uint8)
    return zlib.compress(planes.tobytes(), _COMPRESSION_LEVEL)
