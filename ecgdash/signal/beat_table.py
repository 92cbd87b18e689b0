"""Each beat of one ECG on its own, and the median beat: times, kinds, amplitudes per lead."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue

__all__ = ["KINDS", "WAVES", "BeatTable", "LeadFigures"]

KINDS: Final = ("normal", "PVC", "PAC")
WAVES: Final = ("P", "Q", "R", "S", "T")
FORMAT: Final = 1
"""Of the dictionary; raised when its keys change."""

_F64 = NDArray[np.float64]
_TIMES: Final = (
    "onset_s",
    "peak_s",
    "offset_s",
    "rr_s",
    "p_onset_s",
    "p_peak_s",
    "p_end_s",
    "t_peak_s",
    "t_end_s",
)


@dataclass(frozen=True, eq=False)
class LeadFigures:
    """Amplitudes and durations of beats, lead by lead; NaN where a wave was not found.

    Attributes
    ----------
    waves_mv : ndarray, shape (n_beats, n_leads, 5)
        P, Q, R, S and T, signed, millivolts; see `ecgdash.signal.morphology.Morphology`.
    st60_mv : ndarray, shape (n_beats, n_leads)
        Level 60 ms after the end of QRS, from the level at its onset.
    qrs_ms : ndarray, shape (n_beats, n_leads)
        From the first to the last steep point of the lead within the complex.
    """

    waves_mv: _F64
    st60_mv: _F64
    qrs_ms: _F64

    def wave(self, name: str) -> _F64:
        """Return one of `WAVES`, shape (n_beats, n_leads)."""
        column: _F64 = self.waves_mv[:, :, WAVES.index(name)]
        return column

    def as_dict(self) -> dict[str, Any]:
        """Return whole microvolts and milliseconds; None for NaN."""
        return {
            "waves_uv": _whole(self.waves_mv * 1e3),
            "st60_uv": _whole(self.st60_mv * 1e3),
            "qrs_ms": _whole(self.qrs_ms),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], n_leads: int) -> "LeadFigures":
        """Return what `as_dict` wrote."""
        return cls(
            _numbers(values["waves_uv"], (-1, n_leads, len(WAVES))) / 1e3,
            _numbers(values["st60_uv"], (-1, n_leads)) / 1e3,
            _numbers(values["qrs_ms"], (-1, n_leads)),
        )


@dataclass(frozen=True, eq=False)
class BeatTable:
    """The beats of one ECG in time order; arrays are read-only, NaN where nothing was found.

    Attributes
    ----------
    leads : tuple of str
        Leads of the record, in canonical order.
    kind : tuple of str, length n_beats
        "normal", "PVC" or "PAC".
    similarity : ndarray, shape (n_beats,)
        Correlation of the complex with the record's commonest shape, -1 to 1.
    onset_s, peak_s, offset_s : ndarray, shape (n_beats,)
        QRS, seconds from the record's first sample; the peak is where all leads
        together are largest.
    rr_s : ndarray, shape (n_beats,)
        Interval from the beat before; NaN for the first.
    p_onset_s, p_peak_s, p_end_s, t_peak_s, t_end_s : ndarray, shape (n_beats,)
        P is NaN where no P wave like the record's leads the beat.
    beats : LeadFigures
        Per beat and lead.
    median_mv : ndarray of float32, shape (n_leads, n_window)
        The median of the normal beats.
    median_hz : float
        Its rate.
    median_marks_s : dict of str to float
        "onset", "offset", "p_onset", "p_peak", "p_end", "t_peak", "t_end" in
        seconds from the window's first sample; NaN where not found.
    median : LeadFigures
        Of the median beat (n_beats = 1).
    """

    leads: tuple[str, ...]
    kind: tuple[str, ...]
    similarity: _F64
    onset_s: _F64
    peak_s: _F64
    offset_s: _F64
    rr_s: _F64
    p_onset_s: _F64
    p_peak_s: _F64
    p_end_s: _F64
    t_peak_s: _F64
    t_end_s: _F64
    beats: LeadFigures
    median_mv: NDArray[np.float32]
    median_hz: float
    median_marks_s: dict[str, float]
    median: LeadFigures

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for holder in (self, self.beats, self.median):
            for field in fields(holder):
                value = getattr(holder, field.name)
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of beats."""
        return len(self.kind)

    def count(self, kind: str) -> int:
        """Return the number of beats of one of `KINDS`."""
        return self.kind.count(kind)

    def as_dict(self) -> dict[str, Any]:
        """Return the table as JSON can hold it.

        Times become whole milliseconds, amplitudes whole microvolts, the
        similarity two decimals, NaN None; "kind" has one letter a beat (n, V, A).
        """
        return {
            "format": FORMAT,
            "leads": list(self.leads),
            "kind": "".join(_LETTER[kind] for kind in self.kind),
            "similarity": [None if np.isnan(v) else round(float(v), 2) for v in self.similarity],
            "times_ms": {name[:-2]: _whole(getattr(self, name) * 1e3) for name in _TIMES},
            "beats": self.beats.as_dict(),
            "median_uv": _whole(self.median_mv.astype(np.float64) * 1e3),
            "median_hz": self.median_hz,
            "median_marks_ms": {
                name: None if np.isnan(at) else round(at * 1e3)
                for name, at in self.median_marks_s.items()
            },
            "median": self.median.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "BeatTable":
        """Return the table that `as_dict` wrote, to its rounding.

        Raises
        ------
        InvalidValue
            Written in another format.
        """
        if values.get("format") != FORMAT:
            raise InvalidValue(f"beat table of format {values.get('format')}", accepted=str(FORMAT))
        leads = tuple(values["leads"])
        times = {f"{k}_s": _numbers(v, (-1,)) / 1e3 for k, v in values["times_ms"].items()}
        marks = values["median_marks_ms"]
        return cls(
            leads=leads,
            kind=tuple(_KIND[letter] for letter in values["kind"]),
            similarity=_numbers(values["similarity"], (-1,)),
            beats=LeadFigures.from_dict(values["beats"], len(leads)),
            median_mv=(_numbers(values["median_uv"], (len(leads), -1)) / 1e3).astype(np.float32),
            median_hz=float(values["median_hz"]),
            median_marks_s={k: np.nan if v is None else v / 1e3 for k, v in marks.items()},
            median=LeadFigures.from_dict(values["median"], len(leads)),
            **times,
        )


_LETTER: Final = {"normal": "n", "PVC": "V", "PAC": "A"}
_KIND: Final = {letter: kind for kind, letter in _LETTER.items()}


def _whole(values: _F64) -> list[Any]:
    """Return nested lists of whole numbers, None for NaN."""
    found = np.isfinite(values)
    whole = np.where(found, np.rint(np.where(found, values, 0.0)), 0.0).astype(np.int64)
    if found.all():
        listed: list[Any] = whole.tolist()
        return listed
    mixed = whole.astype(object)
    mixed[~found] = None
    listed = mixed.tolist()
    return listed


def _numbers(values: Any, shape: tuple[int, ...]) -> _F64:
    if np.size(values) == 0:
        return np.empty(tuple(max(n, 0) for n in shape))
    return np.array(values, dtype=np.float64).reshape(shape)
