"""Rows of a CSV table, the problems they may have, and which tables are known."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from ecgdash.errors import TableError
from ecgdash.io.xlsx_rows import xlsx_rows

__all__ = [
    "DIAGNOSIS_COLUMNS",
    "ECHO_COLUMNS",
    "PTBXL_COLUMNS",
    "REPORT_COLUMNS",
    "SURPLUS",
    "RowProblem",
    "header_of",
    "is_table",
    "known_table",
    "rows_of",
]

ECHO_COLUMNS: Final = ("patient_id", "performed_at", "lvef_percent")
REPORT_COLUMNS: Final = ("patient_id", "performed_at", "report")
"""Echoes whose LVEF stands in free text."""
DIAGNOSIS_COLUMNS: Final = ("patient_id", "code_system", "code", "recorded_on")
PTBXL_COLUMNS: Final = ("patient_id", "filename_hr", "recording_date")
_DATA_SETS: Final = (
    {"exam_id", "is_male"},  # CODE-15
    {"ecg_id", "aha_code"},  # SPH
    {"ecg_key", "patient_key"},  # EchoNext
    {"ecg_id", "shd"},  # EchoNext's labels
    {"ecg_id", "scp_codes"},  # extracts of PTB-XL
    {"description", "diagnostic_class"},  # PTB-XL's scp_statements.csv
)
"""Columns by which the tables beside a data set's waveforms are known."""
MAX_TABLE_MB: Final = 512
MAX_HEADER: Final = 65_536
"""Characters of a header line that are looked at."""
MAX_LINE: Final = 1_048_576
"""Characters of one line (our choice)."""
SURPLUS: Final = "\n"
"""Key of what stands in a row beyond the header's columns; no column has this name."""


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong with one row of a table.

    Attributes
    ----------
    row : int
        Line of the file; the header is line 1.
    column : str
    message : str
        What is wrong and what to do, in one sentence.
    refused : bool
        False: the row was kept, and the message says what was changed.
    """

    row: int
    column: str
    message: str
    refused: bool = True


def known_table(path: Path) -> str | None:
    """Return what a table's header says it is, or None.

    "echo", "diagnoses", "patients", or "data set": the table beside a data set's waveforms.
    """
    if not is_table(path):
        return None
    columns = set(header_of(path))
    if columns.issuperset(ECHO_COLUMNS) or columns.issuperset(REPORT_COLUMNS):
        return "echo"
    if columns.issuperset(DIAGNOSIS_COLUMNS):
        return "diagnoses"
    is_patients = columns.issuperset(PTBXL_COLUMNS) or columns.issuperset({"patient_id", "file"})
    if is_patients:
        return "patients"
    return "data set" if any(columns >= known for known in _DATA_SETS) else None


def is_table(path: Path) -> bool:
    """Tell by its suffix whether a file may be a table."""
    return path.name.lower().endswith((".csv", ".tsv", ".csv.gz", ".xlsx"))


def rows_of(
    path: Path, required: tuple[str, ...], max_mb: int = MAX_TABLE_MB
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with its line; keys are lower-case column names, values stripped.

    Parameters
    ----------
    path : Path
        A CSV, or one compressed as `.csv.gz`; it is streamed, never held.
    required : tuple of str
        Columns that must be there, lower case.
    max_mb : int
        Size of the file, MiB.

    Raises
    ------
    TableError
        If the file is missing, too large, no text, or lacks a column.
    """
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such file"
        raise TableError(what, where=path.name, todo="Check the path")
    if path.stat().st_size > max_mb * 1024 * 1024:
        raise TableError("the table is too large", where=path.name, todo="Split it")
    if path.suffix.lower() == ".xlsx":
        yield from _sheet_rows(path, required)
        return
    try:
        with _open(path) as stream:
            header = stream.readline(MAX_HEADER)
            separator = max((",", ";", "\t"), key=header.count)
            stream.seek(0)
            reader = csv.DictReader(_lines(stream), delimiter=separator)
            columns = [(name or "").strip().lower() for name in reader.fieldnames or []]
            _check_columns(columns, required, path.name)
            reader.fieldnames = columns
            for cells in reader:
                texts = {k: (v or "").strip() for k, v in cells.items() if isinstance(k, str)}
                texts[SURPLUS] = "".join(cells.get(None, ())).strip()
                if any(texts.values()):
                    yield reader.line_num, texts
    except PermissionError as error:
        raise TableError(
            "the table may not be read by this user",
            where=path.name,
            todo="Give the right to read it",
        ) from error
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(
            f"the table is no UTF-8 CSV ({error})", where=path.name, todo="Save it as CSV (UTF-8)"
        ) from error


def _sheet_rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    rows = xlsx_rows(path)
    columns = [name.lower() for name in next(rows, (1, []))[1]]
    while columns and not columns[-1]:
        columns.pop()
    _check_columns(columns, required, path.name)
    for number, cells in rows:
        padded = cells + [""] * (len(columns) - len(cells))
        texts = dict(zip(columns, padded, strict=False))
        texts[SURPLUS] = "".join(padded[len(columns) :])
        if any(texts.values()):
            yield number, texts


def header_of(path: Path) -> tuple[str, ...]:
    """Return the lower-case column names of a CSV, `.csv.gz` or `.xlsx`; empty if it is none."""
    if path.suffix.lower() == ".xlsx":
        return _sheet_header(path)
    try:
        # Only the header need be text; what stands in the rows is told when they are read.
        with _open(path, "replace") as stream:
            line = stream.readline(MAX_HEADER)
    except (OSError, EOFError, zlib.error):
        return ()
    separator = max((",", ";", "\t"), key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return ()
    return tuple(cell.strip().lower() for cell in cells)


def _sheet_header(path: Path) -> tuple[str, ...]:
    try:
        with closing(xlsx_rows(path)) as rows:
            return tuple(name.lower() for name in next(rows, (1, []))[1])
    except TableError:
        return ()


def _lines(stream: TextIO) -> Iterator[str]:
    """Yield lines, none longer than memory allows: a small `.gz` can unpack to one endless line."""
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise csv.Error(f"a line is longer than {MAX_LINE} characters")
        yield line


def _open(path: Path, errors: str = "strict") -> TextIO:
    if path.suffix.lower() != ".gz":
        return path.open(encoding="utf-8-sig", errors=errors, newline="")
    return gzip.open(path, "rt", encoding="utf-8-sig", errors=errors, newline="")


def _check_columns(columns: list[str], required: tuple[str, ...], where: str) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        raise TableError(
            f"columns are missing: {', '.join(missing)}; found {', '.join(columns) or 'none'}",
            where=where,
            accepted=f"Needed: {', '.join(required)}",
            todo="Rename or add the columns",
        )
