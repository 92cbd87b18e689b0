"""ECGs as text tables: one column per lead, one row per sample.

Rate and unit come from the sidecar or the caller, from a time column whose header
states its unit, or from units beside the lead names ("I (mV)"); lead names from the
header row, the sidecar or the caller. Nothing is ever guessed. A decimal comma is
read only where the separator cannot be a comma and every number fits it.
"""

import csv
import re
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads
from ecgdash.io.about import About
from ecgdash.io.build import Facts, lead_name, millivolts_per
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.number_rows import decoded, is_number, lines_of, matrix
from ecgdash.io.plain import PlainEcg, plain_record

SUFFIXES: Final = (".csv", ".tsv")
ABOUT: Final = About(
    title="CSV",
    versions="one column per lead; comma, semicolon or tab; with or without a header row",
    libraries=("ours",),
    reads="Samples; rate, unit, leads and whose ECG it is from the header, a sidecar "
    "(`NAME.csv.json`) or the call.",
    decides=(
        "The unit beside a lead's name (`I (mV)`) counts; without one it must be stated.",
        "The rate follows from a time column whose header states seconds or milliseconds; "
        "without one it must be stated.",
        "A decimal comma is read where the separator is a semicolon or a tab and all numbers "
        "fit it.",
    ),
    checks=(
        "Every row is as wide as the first.",
        "A stated rate against the steps of the time column, which must be equal.",
        "A stated number of samples (`n_samples` of the sidecar) against the rows.",
        "The lead names of the sidecar or call against the header row.",
    ),
    limits=(
        "A table that is cut at the end of a row cannot be told from a whole one without "
        "`n_samples`; a last row without a line end is noted.",
    ),
    proven=("numpy on 20 PTB-XL tables", "the WFDB record of the same ECG"),
)
_SEPARATORS: Final = (",", ";", "\t")
_WITH_UNIT: Final = re.compile(r"^(.*?)[\s_]*[(\[]\s*([^()\[\]]+?)\s*[)\]]$")
_TIME_NAMES: Final = frozenset({"t", "time", "timestamp", "seconds", "time_s", "time_ms"})
_SECONDS_PER: Final = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3}
_MAX_COLUMNS: Final = 256
_ROUNDED: Final = 0.002


def sniff(path: Path) -> bool:
    """Whether a table's header names a lead, or a headerless table holds numbers only."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    first = _first_line(path)
    if first is None:
        return False
    cells = _cells(first)
    return any(lead_name(_parted(cell)[0]) for cell in cells) or all(map(_is_value, cells))


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG table; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    text = decoded(path)
    lines = lines_of(text)
    while lines and not lines[0].strip():
        lines.pop(0)
    first = lines[0] if lines else ""
    cells = _cells(first)
    has_header = not all(map(_is_value, cells))
    names = _names(cells if has_header else None, known, path.name)
    values = matrix(lines[has_header:], _separator(first), path.name, 1 + has_header)
    if values.shape[1] != len(names) or len(names) > _MAX_COLUMNS:
        raise MissingLeads(
            f"{values.shape[1]} columns for {len(names)} lead names",
            where=path.name,
            accepted="Accepted: one column per lead",
        )
    notes = [] if text.endswith(("\n", "\r")) else [_NO_LINE_END]
    ecg = _ecg(names, values, notes, path.name)
    return plain_record(path, ecg, known, zone, "csv")


_NO_LINE_END: Final = "the last row has no line end: whether the table is whole cannot be told"


def _ecg(
    names: tuple[str, ...], values: np.ndarray[Any, Any], notes: list[str], where: str
) -> PlainEcg:
    rows: dict[str, np.ndarray[Any, Any]] = {}
    units: dict[str, str] = {}
    rate: float | None = None
    for name, column in zip(names, values.T, strict=True):
        plain, unit = _parted(name)
        if lead_name(plain) is None and plain.lower() in _TIME_NAMES:
            rate = _rate_of(column, plain.lower(), unit, where)
            if rate is not None:
                notes.append(f"sampling rate {rate:g} Hz by the column {plain!r}")
            continue
        if plain in rows:
            raise MissingLeads(f"column {plain} occurs twice", where=where)
        rows[plain] = column
        if unit is not None and millivolts_per(unit) is not None:
            units[plain] = unit
    return PlainEcg(rows, sampling_hz=rate, units_of=units, facts=Facts(notes=notes))


def _rate_of(column: np.ndarray[Any, Any], name: str, unit: str | None, where: str) -> float | None:
    """Return the rate by a time column in seconds or milliseconds; None where no unit is stated.

    Raises
    ------
    CorruptFile
        If its steps are not equal: rows are lost, doubled or in disorder.
    """
    per = _SECONDS_PER.get((unit or name.rpartition("_")[2]).lower())
    steps = np.diff(column)
    if steps.size == 0:
        return None
    step = float((column[-1] - column[0]) / steps.size)
    if not np.isfinite(step) or step <= 0.0 or np.abs(steps - step).max() > 0.6 * step:
        raise CorruptFile(
            f"the steps of the column {name!r} differ",
            where=where,
            accepted="Accepted: equal steps",
            todo="Export the table again, or leave the column out and state the rate",
        )
    if per is None:
        return None
    rate = 1.0 / (step * per)
    # times are rounded, so the rate by the first and last is; devices sample at whole rates
    return float(round(rate)) if abs(rate - round(rate)) < _ROUNDED * rate else round(rate, 3)


def _names(header: list[str] | None, known: ReadHints, where: str) -> tuple[str, ...]:
    if header is None:
        if known.leads is None:
            raise MissingLeads(
                "the table has no header row and no lead names are given",
                where=where,
                accepted="Accepted: a first row with lead names",
                todo="Add the row, or state the leads in a sidecar or in the call",
            )
        return known.leads
    if known.leads is None or len(known.leads) != len(header):
        return tuple(header)
    stated = [lead_name(_parted(cell)[0]) for cell in header]
    if any(stated) and stated != [lead_name(name) for name in known.leads]:
        raise MissingLeads(
            "the lead names of the header row and of the sidecar or call differ",
            where=where,
            todo="Correct one of them",
        )
    return tuple(header) if any(stated) else known.leads


def _parted(cell: str) -> tuple[str, str | None]:
    """Return a header cell's name and unit: "I (mV)" is I in mV."""
    found = _WITH_UNIT.match(cell.strip())
    if found is None:
        return cell.strip(), None
    unit = found.group(2)
    is_unit = millivolts_per(unit) is not None or unit.lower() in _SECONDS_PER
    return (found.group(1).strip(), unit) if is_unit else (cell.strip(), None)


def _first_line(path: Path) -> str | None:
    with path.open("rb") as stream:
        raw = stream.read(16384)
    if b"\0" in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    lines = [line for line in raw.decode(encoding, errors="replace").splitlines() if line.strip()]
    return lines[0] if lines else None


def _separator(line: str) -> str:
    counts = [line.count(separator) for separator in _SEPARATORS]
    # "0,5;0,7": a semicolon or tab beside commas separates, and the commas are decimal
    if counts[0] and max(counts[1:]):
        return _SEPARATORS[1 + int(counts[2] > counts[1])]
    return _SEPARATORS[counts.index(max(counts))]


def _cells(line: str) -> list[str]:
    return next(csv.reader([line[:16384]], delimiter=_separator(line)), [])


def _is_value(cell: str) -> bool:
    return is_number(cell) or is_number(cell.replace(",", "."))
