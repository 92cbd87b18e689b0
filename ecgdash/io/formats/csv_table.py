"""ECGs as text tables: one column per lead, one row per sample.

Rate and unit come from the sidecar or the caller; lead names from the header
row, the sidecar or the caller. Nothing of the three is ever guessed. A decimal
comma is refused, because it cannot be told from a separator for sure.
"""

import csv
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads
from ecgdash.io.build import lead_name
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.plain import plain_record

SUFFIXES: Final = (".csv", ".tsv")
_SEPARATORS: Final = (",", ";", "\t")


def sniff(path: Path) -> bool:
    """Whether a table's header names a lead, or a headerless table holds numbers only."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    first = _first_line(path)
    if first is None:
        return False
    cells = _cells(first)
    return any(lead_name(cell) for cell in cells) or all(_is_number(cell) for cell in cells)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG table; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    first = _first_line(path) or ""
    cells = _cells(first)
    has_header = not all(_is_number(cell) for cell in cells)
    names = _names(cells if has_header else None, known, path.name)
    values = _values(path, has_header, _separator(first))
    if values.shape[1] != len(names):
        raise MissingLeads(
            f"{values.shape[1]} columns for {len(names)} lead names",
            where=path.name,
            accepted="Accepted: one column per lead",
        )
    return plain_record(path, dict(zip(names, values.T, strict=True)), known, "csv")


def _names(header: list[str] | None, known: ReadHints, where: str) -> tuple[str, ...]:
    if header is None:
        if known.leads is None:
            raise MissingLeads(
                "the table has no header row and no lead names are given",
                where=where,
                accepted="Accepted: a first row with lead names",
                todo="Add the row, or state the leads in a sidecar",
            )
        return known.leads
    if known.leads is None or len(known.leads) != len(header):
        return tuple(header)
    stated = [lead_name(cell) for cell in header]
    if any(stated) and stated != [lead_name(name) for name in known.leads]:
        raise MissingLeads(
            "the lead names of the header row and of the sidecar or call differ",
            where=where,
            todo="Correct one of them",
        )
    return known.leads


def _values(path: Path, has_header: bool, separator: str) -> np.ndarray[Any, Any]:
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for line, cells in enumerate(csv.reader(stream, delimiter=separator), start=1):
            if (line == 1 and has_header) or not cells:
                continue
            rows.append([_number(cell, path.name, line, column) for column, cell in _count(cells)])
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        raise CorruptFile(
            f"rows differ in length ({sorted(widths)})" if rows else "the table holds no samples",
            where=path.name,
        )
    return np.asarray(rows, dtype=np.float64)


def _count(cells: list[str]) -> list[tuple[int, str]]:
    return list(enumerate(cells, start=1))


def _number(cell: str, where: str, line: int, column: int) -> float:
    if not cell.strip():
        return float("nan")
    try:
        return float(cell)
    except ValueError as error:
        raise CorruptFile(
            f"{cell!r} is no number",
            where=f"{where}, row {line}, column {column}",
            accepted="Accepted: numbers with a decimal point",
        ) from error


def _first_line(path: Path) -> str | None:
    with path.open("rb") as stream:
        raw = stream.read(16384)
    if b"\0" in raw:
        return None
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    return lines[0] if lines and lines[0].strip() else None


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _cells(line: str) -> list[str]:
    return next(csv.reader([line], delimiter=_separator(line)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
