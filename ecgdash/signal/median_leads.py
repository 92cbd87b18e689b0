"""The median beat of one record in the leads that a sheet shows, to lay two ECGs together."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.signal.delineation import (
    INDEPENDENT,
    RecordDelineation,
    delineate_record,
    is_measurable,
)
from ecgdash.signal.leads import LIMB_FROM_I_II, derive_limb_leads

__all__ = ["AFTER_S", "BEAT_HZ", "BEFORE_S", "LeadBeat", "lead_beat"]

BEAT_HZ: Final = 500.0
BEFORE_S: Final = 0.3
"""Before the middle of the QRS complex: a PR interval of 240 ms fits."""
AFTER_S: Final = 0.48
"""With the above 39 mm at 50 mm/s: six beats fit the width of a sheet (our choice)."""
_LEVEL_S: Final = (0.03, 0.01)
"""Before the QRS onset, where a beat's zero is taken: the PR segment (our choice)."""


@dataclass(frozen=True, eq=False)
class LeadBeat:
    """A record's median beat.

    Attributes
    ----------
    leads : tuple of str
        The twelve, in canonical order.
    mv : ndarray of float32, shape (12, n_samples)
        At 500 Hz, each lead's PR segment at 0; NaN for a lead that is neither held nor follows
        from leads I and II.
    centre_s : float
        The middle of the QRS complex, seconds from the first sample.
    n_beats : int
        Beats that the median was taken of.
    """

    leads: tuple[str, ...]
    mv: NDArray[np.float32]
    centre_s: float
    n_beats: int


def lead_beat(record: EcgRecord, delineated: RecordDelineation | None = None) -> LeadBeat | None:
    """Return the median beat of a record's scored window, or None if none was found.

    Parameters
    ----------
    record : EcgRecord
    delineated : RecordDelineation, optional
        What `delineate_record` found in it; found here if left out.
    """
    if not is_measurable(record):
        return None
    one = delineate_record(record) if delineated is None else delineated
    n_beats = int(one.found.median.used[0].sum())
    if n_beats == 0:
        return None
    onset = int(one.found.marks.onset_at[0])
    beats = _at_common_rate(one, _without_level(one.found.median.mv[0], onset, one.sampling_hz))
    mv = np.full((len(CANONICAL_LEADS), beats.shape[-1]), np.nan)
    mv[list(INDEPENDENT)] = beats
    absent = [i for i in INDEPENDENT if CANONICAL_LEADS[i] not in record.leads]
    mv[absent] = np.nan
    places = [CANONICAL_LEADS.index(name) for name in LIMB_FROM_I_II]
    limb = derive_limb_leads(mv[0], mv[1])
    limb[:2] = mv[:2]  # what is missing of II must not blank I
    mv[places] = limb
    return LeadBeat(CANONICAL_LEADS, mv.astype(np.float32), BEFORE_S, n_beats)


def _without_level(
    beat_mv: NDArray[np.float32], onset: int, sampling_hz: float
) -> NDArray[np.float64]:
    start = max(onset - math.ceil(_LEVEL_S[0] * sampling_hz), 0)
    stop = max(onset - math.floor(_LEVEL_S[1] * sampling_hz), start + 1)
    level = np.median(beat_mv[:, start:stop], axis=-1, keepdims=True)
    return (beat_mv - level).astype(np.float64)


def _at_common_rate(one: RecordDelineation, beat_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring a beat to 500 Hz with the middle of its QRS complex on a sample."""
    from scipy.interpolate import CubicSpline

    at_s = (np.arange(beat_mv.shape[-1]) - one.found.median.centre) / one.sampling_hz
    wanted = np.arange(-round(BEFORE_S * BEAT_HZ), round(AFTER_S * BEAT_HZ) + 1) / BEAT_HZ
    moved: NDArray[np.float64] = CubicSpline(at_s, beat_mv, axis=-1)(wanted)
    return moved
