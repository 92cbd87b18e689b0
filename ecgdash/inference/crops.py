"""From records to a family's input: windows of its leads, as crops, written where they are read."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.errors import InputDoesNotFitModel
from ecgdash.signal.preprocess import CROP_S, preprocess_batch
from ecgdash.signal.window import ScoredWindow, scored_window

__all__ = ["can_be_read", "copy_crops", "write_crops"]

Crops = NDArray[np.float32]


def write_crops(
    family: str, leads: Sequence[str], records: Sequence[EcgRecord], out: Crops
) -> None:
    """Cut, resample and filter the scored windows of records.

    Neighbours of one length and rate go through the filters together, which changes no bit.

    Parameters
    ----------
    family : str
        For the error's sentence.
    leads : sequence of str
        That the family reads, in order.
    out : ndarray of float32, shape (n_records, 3, n_leads, 2250)
        Written, in millivolts.

    Raises
    ------
    InputDoesNotFitModel
        If leads are missing or the window is shorter than 9 s.
    """
    first = 0
    for (_, hz), same in groupby(map(_windowed, records), key=_length_and_rate):
        signals = [_window_mv(family, leads, record, window) for record, window in same]
        after = first + len(signals)
        preprocess_batch(np.stack(signals), hz, out[first:after])
        first = after


def copy_crops(crops: Sequence[Crops], out: Crops) -> None:
    """Write crops that are prepared already, each (3, n_leads, 2250)."""
    for row, one in zip(out, crops, strict=True):
        row[...] = one


def can_be_read(record: EcgRecord, leads: Sequence[str]) -> bool:
    """Return whether a record holds the leads, 9 s, and every sample of them."""
    if not set(leads) <= set(record.leads):
        return False
    window = scored_window(record.signal_mv, record.sampling_hz)
    if window.stop - window.start < CROP_S * record.sampling_hz - 1e-6:
        return False
    return bool(np.isfinite(record.signal_mv[:, window.slice]).all())


def _windowed(record: EcgRecord) -> tuple[EcgRecord, ScoredWindow]:
    return record, scored_window(record.signal_mv, record.sampling_hz)


def _length_and_rate(item: tuple[EcgRecord, ScoredWindow]) -> tuple[int, float]:
    record, window = item
    return window.stop - window.start, record.sampling_hz


def _window_mv(family: str, leads: Sequence[str], record: EcgRecord, window: ScoredWindow) -> Crops:
    missing = [name for name in leads if name not in record.leads]
    if missing:
        raise InputDoesNotFitModel(
            f"{family} needs leads {', '.join(missing)}",
            accepted=f"This ECG holds {', '.join(record.leads)}",
        )
    rows = [record.leads.index(name) for name in leads]
    signal_mv: Crops = record.signal_mv[rows, window.slice]
    return signal_mv
