"""Signal lines of WFDB headers: file, format, gain, first value and checksum."""

import re
from dataclasses import dataclass
from typing import Final

from ecgdash.errors import CorruptFile

__all__ = [
    "NO_FILE",
    "NUMBER",
    "Signal",
    "check_beside",
    "corrupt_header",
    "is_beside",
    "signal_of",
]

NO_FILE: Final = "~"
"""Stands for a signal or segment without samples."""
NUMBER: Final = r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?"
_FORMAT: Final = re.compile(
    r"^(?P<fmt>\d{1,3})(?:x(?P<per_frame>\d{1,6}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,12}))?$"
)
_GAIN: Final = re.compile(
    rf"^(?P<gain>{NUMBER})(?:\((?P<baseline>[+-]?\d{{1,10}})\))?(?:/(?P<unit>\S{{1,40}}))?$"
)
_INTEGER: Final = re.compile(r"^[+-]?\d{1,12}$")
_WIDEST_BITS: Final = 32


@dataclass(frozen=True)
class Signal:
    """One signal line.

    Attributes
    ----------
    file, fmt : str
        Name of the signal file ("~": none) and storage format.
    per_frame, skew, offset : int
        Samples per frame; frames by which it lags; bytes before the first sample
        (samples, in FLAC files).
    gain : float or None
        Units of the converter per physical unit; None if uncalibrated.
    baseline : int
        Value of the converter at 0 physical units.
    unit : str or None
    initial, checksum : int or None
        The first sample; the sum of all, of which 16 bits count.
    block_size : int
    name : str
    """

    file: str
    fmt: str
    per_frame: int
    skew: int
    offset: int
    gain: float | None
    baseline: int
    unit: str | None
    initial: int | None
    checksum: int | None
    block_size: int
    name: str


def is_beside(name: str) -> bool:
    """Whether a name stands for a file in the header's own folder."""
    return not (set(name) & set("/\\:\0") or name.startswith((".", "-")))


def corrupt_header(what: str, where: str) -> CorruptFile:
    """Return the error of a header that cannot be understood or contradicts itself."""
    return CorruptFile(
        what,
        where=where,
        accepted="Accepted: headers as WFDB's header(5) defines them",
        todo="Correct the header, or export the record again",
    )


def signal_of(line: str, number: int, where: str) -> Signal:
    """Read the line of signal `number`.

    Raises
    ------
    CorruptFile
        If a field cannot be understood, or the file lies outside the folder.
    """
    words = line.split(maxsplit=8)
    form = _FORMAT.match(words[1]) if len(words) > 1 else None
    if form is None:
        raise corrupt_header(f"line {number} of the signals names no file and format", where)
    check_beside(words[0], "signal file", where)
    gain = _GAIN.match(words[2]) if len(words) > 2 else None
    if gain is None and len(words) > 2:
        raise corrupt_header(f"signal {number}: the gain is no number", where)
    numbers: list[int | None] = [_integer(word, number, where) for word in words[3:8]]
    numbers += [None] * (5 - len(numbers))
    resolution, zero, initial, checksum, block_size = numbers
    if not 0 <= (resolution or 0) <= _WIDEST_BITS:
        raise corrupt_header(f"signal {number}: no converter has {resolution} bits", where)
    stated = gain is not None and gain["baseline"] is not None
    return Signal(
        file=words[0],
        fmt=form["fmt"],
        per_frame=int(form["per_frame"] or 1) or 1,
        skew=int(form["skew"] or 0),
        offset=int(form["offset"] or 0),
        gain=_gain(gain),
        baseline=int(gain["baseline"]) if gain is not None and stated else zero or 0,
        unit=gain["unit"] if gain is not None else None,
        initial=initial,
        checksum=checksum,
        block_size=block_size or 0,
        name=words[8] if len(words) > 8 else "",
    )


def _gain(gain: re.Match[str] | None) -> float | None:
    """Return the gain; 0 means uncalibrated."""
    return (float(gain["gain"]) or None) if gain is not None else None


def _integer(word: str, number: int, where: str) -> int:
    if not _INTEGER.match(word):
        raise corrupt_header(f"signal {number}: a field that holds whole numbers does not", where)
    return int(word)


def check_beside(name: str, what: str, where: str) -> None:
    """Refuse the name of a file that is not in the header's own folder.

    Raises
    ------
    CorruptFile
    """
    if not is_beside(name):
        raise CorruptFile(
            f"the header names a {what} outside its folder",
            where=where,
            accepted=f"Accepted: each {what} beside the header",
            todo="Put it there and correct the header",
        )
