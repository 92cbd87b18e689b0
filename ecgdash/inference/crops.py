"""From records to a family's input: windows of its leads, as crops, written where they are read."""

import threading
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.errors import InputDoesNotFitModel
from ecgdash.signal.preprocess import CROP_S, preprocess_batch
from ecgdash.signal.window import ScoredWindow, scored_window

__all__ = ["SharedCrops", "can_be_read", "copy_crops", "write_crops"]

Crops = NDArray[np.float32]

_MOST_KEPT: Final = 128
"""Crops of so many ECGs take 41 MB in 12 leads; services score fewer at a time. Our choice."""


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


class _Kept(NamedTuple):
    leads: tuple[str, ...]
    crops: Crops


class SharedCrops:
    """Crops that several networks read, each ECG's prepared once.

    A lead's crops do not depend on what other leads go through the filters with it, so a family
    of fewer leads reads rows of what one with more has prepared: not a bit differs. Crops are
    kept while their record lives, of `_MOST_KEPT` ECGs at most. Safe for threads.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[EcgRecord, _Kept] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def write(
        self, family: str, leads: Sequence[str], records: Sequence[EcgRecord], out: Crops
    ) -> None:
        """Do as `write_crops` does, with the same parameters and errors."""
        fresh = [i for i, record in enumerate(records) if not self._copy(record, leads, out[i])]
        if not fresh:
            return
        made = out if len(fresh) == len(records) else np.empty_like(out[: len(fresh)])
        write_crops(family, leads, [records[i] for i in fresh], made)
        for i, crops in zip(fresh, made, strict=True):
            self._keep(records[i], _Kept(tuple(leads), crops.copy()))
            if made is not out:
                out[i] = crops

    def _copy(self, record: EcgRecord, leads: Sequence[str], out: Crops) -> bool:
        """Copy what is kept of a record; False: not all of the leads are."""
        with self._lock:
            kept = self._kept.get(record)
        if kept is None or not set(leads) <= set(kept.leads):
            return False
        np.take(kept.crops, [kept.leads.index(name) for name in leads], axis=1, out=out)
        return True

    def _keep(self, record: EcgRecord, kept: _Kept) -> None:
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[record] = kept


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
