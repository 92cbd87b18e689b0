"""Headers of WFDB records: what each line states, taken strictly.

The wfdb package takes from a header line as much as fits its pattern and drops the
rest, so it reads "12-May-2020" as 12 seconds past midnight, a gain of "1E3" as 1 and
"µV" as "V" (it drops what is not ASCII). Here every field is understood whole or the
header is refused. Layout: WFDB Applications Guide, header(5).
"""

import re
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Final

from ecgdash.errors import UnknownSamplingRate
from ecgdash.io.wfdb_record.signal_line import (
    NO_FILE,
    NUMBER,
    Signal,
    check_beside,
    corrupt_header,
    is_beside,
    signal_of,
)

__all__ = [
    "NO_FILE",
    "Header",
    "Segment",
    "Signal",
    "content_lines",
    "parse_header",
    "record_files",
]

LONGEST_HEADER: Final = 1_000_000
"""Bytes (our choice: more than a thousand signals or segments need)."""
_USUAL_HEADER: Final = 8_192
MOST_SEGMENTS: Final = 2_000
_NAME: Final = re.compile(r"^([\w.-]+?)(?:/(\d{1,9}))?$")
_RATE: Final = re.compile(
    rf"^({NUMBER})(?:/{NUMBER}(?:\({NUMBER}\))?)?$"
)  # the counter frequency and its start are no times of samples
_WHOLE: Final = re.compile(r"^\d{1,12}$", re.ASCII)
_CLOCK: Final = re.compile(r"^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?$")
_DAY: Final = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
_FEW_WORDS: Final = 2


@dataclass(frozen=True)
class Segment:
    """One segment line: a record beside this one ("~": a gap) and its frames."""

    name: str
    n_frames: int


@dataclass(frozen=True)
class Header:
    """What a header states.

    Attributes
    ----------
    where : str
        Its file name, for messages.
    n_signals : int
    frames_hz : float
        Frames a second.
    n_frames : int or None
        None if not stated (0 means that too).
    day, clock : date or None, time or None
        Start of the recording.
    odd_start : bool
        Whether something stands there that is no WFDB time and date.
    signals, segments : tuple
        One of both is empty.
    comments : tuple of str
        Without "#".
    """

    where: str
    n_signals: int
    frames_hz: float
    n_frames: int | None
    day: date | None
    clock: time | None
    odd_start: bool
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    comments: tuple[str, ...]


def content_lines(path: Path) -> list[str]:
    """Return the lines that are neither empty nor comments, of at most a megabyte."""
    return _split(path)[0]


def _split(path: Path) -> tuple[list[str], list[str]]:
    with path.open("rb") as stream:
        raw = stream.read(_USUAL_HEADER)
        if len(raw) == _USUAL_HEADER:  # asking for the most would make room for it every time
            raw += stream.read(LONGEST_HEADER + 1 - _USUAL_HEADER)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    # Not `splitlines`, which ends a line at other characters too.
    ends = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [line for line in map(str.strip, ends) if line]
    comments = [line.strip(" \t#") for line in lines if line.startswith("#")]
    return [line for line in lines if not line.startswith("#")], comments


def record_files(path: Path) -> tuple[str, ...]:
    """Return the names of all files beside a header that belong to its record.

    Signal files; of a record of several segments their headers and signal files. Names that
    lead out of the folder are left out, and nothing is checked.
    """
    lines = content_lines(path)
    first = [line.split()[0] for line in lines[1:]]
    names = [name for name in first if name != NO_FILE and is_beside(name)]
    if not lines or "/" not in lines[0].split()[0]:
        return tuple(dict.fromkeys(names))
    files = []
    for name in dict.fromkeys(names[:MOST_SEGMENTS]):
        part = path.with_name(f"{name}.hea")
        files.append(part.name)
        try:
            below = [line.split()[0] for line in content_lines(part)[1:]]
        except OSError:
            continue
        files += [one for one in below if one != NO_FILE and is_beside(one)]
    return tuple(name for name in dict.fromkeys(files) if name != path.name)


def parse_header(path: Path) -> Header:
    """Read a header.

    Raises
    ------
    CorruptFile
        If a field cannot be understood, a count differs from the lines that follow, or
        a file outside the folder is named.
    UnknownSamplingRate
        If no positive rate is stated.
    """
    where = path.name
    if path.stat().st_size > LONGEST_HEADER:
        raise corrupt_header(f"the header holds {path.stat().st_size} bytes", where)
    lines, comments = _split(path)
    words = lines[0].split() if lines else []
    name = _NAME.match(words[0]) if len(words) >= _FEW_WORDS else None
    if name is None:
        raise corrupt_header("the first line is no WFDB record line", where)
    n_signals = _whole(words[1], "the number of signals", where)
    n_frames = _whole(words[3], "the number of samples", where) if len(words) > 3 else 0
    day, clock, odd = _start(words[4:])
    several = name[2] is not None
    segments = _segments(lines[1:], int(name[2]), where) if several else ()
    signals = () if several else _signals(lines[1:], n_signals, where)
    return Header(
        where=where,
        n_signals=n_signals,
        frames_hz=_rate(words, where),
        n_frames=n_frames or None,
        day=day,
        clock=clock,
        odd_start=odd,
        signals=signals,
        segments=segments,
        comments=tuple(comments),
    )


def _whole(word: str, meaning: str, where: str) -> int:
    if not _WHOLE.match(word):
        raise corrupt_header(f"{meaning} is no whole number", where)
    return int(word)


def _rate(words: list[str], where: str) -> float:
    if len(words) <= _FEW_WORDS:
        raise UnknownSamplingRate(
            "the header states no sampling rate",
            where=where,
            accepted="Accepted: a rate in the first line",
            todo="State it there, after the number of signals",
        )
    match = _RATE.match(words[2])
    if match is None or not 0 < float(match[1]) < float("inf"):
        raise UnknownSamplingRate(
            "the sampling rate in the header is no positive number",
            where=where,
            accepted="Accepted: a rate such as 500 or 360/360(0)",
            todo="Correct the first line",
        )
    return float(match[1])


def _start(words: list[str]) -> tuple[date | None, time | None, bool]:
    """Return day and clock; what is not HH:MM:SS and DD/MM/YYYY, in this order, is not used."""
    if not words:
        return None, None, False
    clock = _CLOCK.match(words[0])
    day = _DAY.match(words[1]) if len(words) > 1 else None
    if clock is None or (len(words) > 1 and day is None):
        return None, None, True
    try:
        hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
        at = time(hour, minute, second, int((clock[4] or "").ljust(6, "0")))
        return date(int(day[3]), int(day[2]), int(day[1])) if day else None, at, False
    except ValueError:
        return None, None, True


def _segments(lines: list[str], n_stated: int, where: str) -> tuple[Segment, ...]:
    if n_stated != len(lines) or not 0 < n_stated <= MOST_SEGMENTS:
        raise corrupt_header(f"the header states {n_stated} segments and lists {len(lines)}", where)
    segments = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if len(words) != _FEW_WORDS:
            raise corrupt_header(f"the line of segment {number} is no name and length", where)
        check_beside(words[0], "segment", where)
        n_frames = _whole(words[1], f"the length of segment {number}", where)
        if n_frames == 0 and number > 1:
            raise corrupt_header(f"segment {number} has no samples", where)
        segments.append(Segment(words[0], n_frames))
    return tuple(segments)


def _signals(lines: list[str], n_stated: int, where: str) -> tuple[Signal, ...]:
    if n_stated != len(lines) or n_stated == 0:
        raise corrupt_header(
            f"the header states {n_stated} signals and describes {len(lines)}", where
        )
    return tuple(signal_of(line, number, where) for number, line in enumerate(lines, start=1))
