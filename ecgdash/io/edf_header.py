"""The header of EDF and BDF files (edfplus.info, biosemi.com): numbers and dates checked."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np

from ecgdash.errors import CorruptFile

__all__ = [
    "BDF",
    "EDF",
    "Header",
    "Signal",
    "damaged",
    "decimal",
    "header_of",
    "long_date",
    "start_of",
    "whole_number",
]

EDF: Final = b"0       "
BDF: Final = b"\xffBIOSEMI"
_MOST_SIGNALS: Final = 4096
_FIELDS: Final = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Widths of the signal header: label, transducer, unit, physical range, digital range,
filter, samples a record, reserved."""
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                  "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """One signal as the header describes it.

    Attributes
    ----------
    label, unit, filters : str
        As written.
    physical, digital : (str, str)
        The ends of the two ranges, as written; only those of leads have to be numbers.
    n_each : int
        Samples in each record.
    start : int
        Samples of a record before this signal.
    """

    label: str
    unit: str
    physical: tuple[str, str]
    digital: tuple[str, str]
    filters: str
    n_each: int
    start: int


@dataclass(frozen=True)
class Header:
    """What the header states.

    Attributes
    ----------
    width : int
        Bytes of a sample: 2 in EDF, 3 in BDF.
    patient, recording, start, reserved : str
        As written; `start` holds date and time of day.
    n_records : int
        -1 where the recorder did not close the file.
    duration_s : float
        Of one record, in seconds.
    signals : tuple of Signal
    """

    width: int
    patient: str
    recording: str
    start: str
    reserved: str
    n_records: int
    duration_s: float
    signals: tuple[Signal, ...]

    @property
    def n_bytes(self) -> int:
        """Length of the header."""
        return 256 * (1 + len(self.signals))

    @property
    def record_bytes(self) -> int:
        """Length of one record."""
        return self.width * sum(signal.n_each for signal in self.signals)


def damaged(what: str, where: str) -> CorruptFile:
    """Return the error of a file that contradicts itself."""
    return CorruptFile(what, where=where, todo="Export the ECG again")


def whole_number(raw: bytes, what: str, where: str) -> int:
    """Return the whole number that a header field holds, or raise CorruptFile."""
    text = raw.strip(b" \0")
    if not re.fullmatch(rb"[+-]?\d{1,8}", text):
        raise damaged(f"the header field {what} holds no whole number", where)
    return int(text)


def decimal(raw: str | bytes, what: str, where: str) -> float:
    """Return the finite number that a header field holds, or raise CorruptFile."""
    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    try:
        value = float(text.strip(" \0").replace(",", "."))
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise damaged(f"the header field {what} holds no number", where)
    return value


def header_of(data: bytes, where: str) -> Header:
    """Return what the header states.

    Raises
    ------
    CorruptFile
        If a number is none, or the header's own length contradicts the number of signals.
    """
    n_signals = whole_number(data[252:256], "number of signals", where)
    stated = whole_number(data[184:192], "number of bytes", where)
    if not 0 < n_signals <= _MOST_SIGNALS or stated != 256 * (n_signals + 1):
        raise damaged(
            f"the header states {n_signals} signals and {stated} bytes; "
            f"{n_signals} signals take {256 * (n_signals + 1)}",
            where,
        )
    if len(data) < stated:
        raise damaged(f"the header states {stated} bytes, the file holds {len(data)}", where)
    columns, at = [], 256
    for width in _FIELDS:
        columns.append([data[at + i * width :][:width] for i in range(n_signals)])
        at += n_signals * width
    signals, start = [], 0
    for label, _, unit, low, high, dig_low, dig_high, filters, n_each, _ in zip(
        *columns, strict=True
    ):
        n = whole_number(n_each, "samples in each record", where)
        if n <= 0:
            raise damaged(f"a signal states {n} samples in each record", where)
        texts = [
            raw.decode("latin-1").strip(" \0")
            for raw in (label, unit, low, high, dig_low, dig_high, filters)
        ]
        signals.append(
            Signal(
                label=texts[0],
                unit=texts[1],
                physical=(texts[2], texts[3]),
                digital=(texts[4], texts[5]),
                filters=texts[6],
                n_each=n,
                start=start,
            )
        )
        start += n
    return Header(
        width=3 if data[:8] == BDF else 2,
        patient=data[8:88].decode("latin-1"),
        recording=data[88:168].decode("latin-1"),
        start=data[168:184].decode("latin-1"),
        reserved=data[192:236].decode("latin-1").strip(),
        n_records=whole_number(data[236:244], "number of records", where),
        duration_s=decimal(data[244:252], "duration of a record", where),
        signals=tuple(signals),
    )


def long_date(text: str) -> date | None:
    """Return the day that EDF+ writes as 31-MAY-2024."""
    match = re.fullmatch(r"(\d{2})-([A-Z]{3})-(\d{4})", text.upper())
    if match is None or match.group(2) not in _MONTHS:
        return None
    try:
        return date(int(match.group(3)), _MONTHS.index(match.group(2)) + 1, int(match.group(1)))
    except ValueError:
        return None


def start_of(header: Header, notes: list[str]) -> datetime | None:
    """Return the start that the header states; None if it states none or two."""
    match = re.fullmatch(r"(\d\d)[.](\d\d)[.](\d\d)(\d\d)[.:](\d\d)[.:](\d\d)", header.start)
    if match is None or header.start == "01.01.8500.00.00":
        return None
    day, month, year, hour, minute, second = map(int, match.groups())
    try:
        start = datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
    except ValueError:
        return None
    fields = header.recording.split()
    stated = long_date(fields[1]) if len(fields) > 1 and fields[0] == "Startdate" else None
    if stated is None or stated == start.date():
        return start
    if (stated.day, stated.month, stated.year % 100) == (day, month, year):
        return start.replace(year=stated.year)
    notes.append("the header states two different start dates; undated")
    return None
