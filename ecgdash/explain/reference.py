"""The patient's own earlier ECG as what an ECG is compared with.

Sample by sample, two ECGs can only be compared where their beats lie on each other. The earlier
beats are laid on this ECG's (`ecgdash.signal.beat_alignment`); what differs then is shape and
size, not rate or rhythm.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.errors import InputDoesNotFitModel, InvalidValue
from ecgdash.signal.beat_alignment import lay_beats
from ecgdash.signal.delineation import delineate_record
from ecgdash.signal.preprocess import preprocess_crops
from ecgdash.signal.window import scored_window

__all__ = ["aligned_earlier", "earlier_crops"]


def earlier_crops(
    record: EcgRecord, earlier: EcgRecord, leads: Sequence[str]
) -> NDArray[np.float32]:
    """Return the earlier ECG, beats aligned, as crops that fit those of this ECG.

    Returns
    -------
    ndarray of float32, shape (3, n_leads, 2250)

    Raises
    ------
    InputDoesNotFitModel
        If either lacks leads, or this ECG's window is shorter than 9 s.
    InvalidValue
        If either has too few beats, the earlier one lacks samples, or the two are not in one unit.
    """
    return preprocess_crops(aligned_earlier(record, earlier, leads), record.sampling_hz)


def aligned_earlier(
    record: EcgRecord, earlier: EcgRecord, leads: Sequence[str]
) -> NDArray[np.float64]:
    """Lay the beats of the earlier ECG's scored window on those of this ECG's.

    Parameters
    ----------
    record, earlier : EcgRecord
        With lead I, in one unit.
    leads : sequence of str

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
        Millivolts, as long as this ECG's scored window and at its rate.

    Raises
    ------
    InputDoesNotFitModel
        If either lacks leads.
    InvalidValue
        If either has too few beats, the earlier one lacks samples, or the two are not in one unit.
    """
    if record.in_millivolts != earlier.in_millivolts:
        raise InvalidValue(
            "one of the two ECGs is not in millivolts",
            accepted="Accepted: two ECGs in one unit",
        )
    window = scored_window(record.signal_mv, record.sampling_hz)
    source = _window_of(earlier, leads)
    _rows(record, leads)
    return lay_beats(
        source,
        earlier.sampling_hz,
        _r_peaks_s(earlier),
        _r_peaks_s(record),
        window.stop - window.start,
        record.sampling_hz,
    )


def _window_of(record: EcgRecord, leads: Sequence[str]) -> NDArray[np.floating]:
    window = scored_window(record.signal_mv, record.sampling_hz)
    signal: NDArray[np.floating] = record.signal_mv[_rows(record, leads), window.slice]
    if not np.isfinite(signal).all():
        raise InvalidValue(
            "the earlier ECG lacks samples in its scored window",
            accepted="Accepted: an ECG that was scored",
        )
    return signal


def _rows(record: EcgRecord, leads: Sequence[str]) -> list[int]:
    missing = [name for name in leads if name not in record.leads]
    if missing:
        raise InputDoesNotFitModel(
            f"leads {', '.join(missing)} are needed to compare two ECGs",
            accepted=f"One of them holds {', '.join(record.leads)}",
        )
    return [record.leads.index(name) for name in leads]


def _r_peaks_s(record: EcgRecord) -> NDArray[np.float64]:
    """Return the R peaks in seconds from the start of the scored window."""
    one = delineate_record(record)
    beats = one.found.beats
    return np.asarray(beats.sample[0][beats.exists[0]] / one.sampling_hz, dtype=np.float64)
