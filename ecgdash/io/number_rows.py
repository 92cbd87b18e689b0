"""Rows of numbers from text, fast and without leniency: what CSV and text exports share."""

import csv
import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.errors import CorruptFile, FileTooLarge

__all__ = ["decoded", "is_number", "lines_of", "matrix"]

_NUMBER: Final = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[+-]?(nan|inf)", re.IGNORECASE
)
_COMMA_NUMBER: Final = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d{1,3})?")
_LONGEST_LINE: Final = 100_000
_MAX_NUMBERS: Final = 4_000_000
"""In a text (our choice): 11 minutes of 12 leads at 500 Hz, some 5 s and 500 MB on the way."""


def decoded(path: Path) -> str:
    """Return a text file's content; UTF-8 with or without its mark, UTF-16 by its mark, or Latin-1.

    Raises
    ------
    CorruptFile
        If it holds NUL characters: no text does.
    FileTooLarge
        If it holds more lines than numbers are read.
    """
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    if "\0" in text:
        raise CorruptFile("the table holds NUL characters", where=path.name, todo="Export it again")
    if max(text.count("\n"), text.count("\r")) > _MAX_NUMBERS:
        raise _too_many(path.name)
    return text


def _too_many(where: str) -> FileTooLarge:
    return FileTooLarge(
        f"the text holds more than {_MAX_NUMBERS} numbers",
        where=where,
        accepted=f"Accepted: at most {_MAX_NUMBERS}, leads times samples",
        todo="Cut the recording, or convert it to WFDB",
    )


def lines_of(text: str) -> list[str]:
    """Return the lines of a table: only line ends separate, no other control character does."""
    ended = text.replace("\r\n", "\n")
    return ended.split("\n") if "\n" in ended else ended.split("\r")


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point, NaN or infinity; never "1_000" or "0x1"."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def matrix(
    lines: list[str], separator: str | None, where: str, first_line: int
) -> np.ndarray[Any, Any]:
    """Return rows of numbers as float64, shape (n_rows, n_columns).

    Parameters
    ----------
    lines : list of str
        Empty ones are passed over at the end only: inside they are damage.
    separator : str or None
        None: any white space. A decimal comma is read where the separator is no comma and
        every number fits it.
    where : str
        Name of the file.
    first_line : int
        Number of the first line in the file, for messages.

    Raises
    ------
    CorruptFile
        If a cell is no number or rows differ in length; absent cells are NaN.
    FileTooLarge
        If there are more than four million cells.
    """
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines:
        raise CorruptFile("the table holds no samples", where=where)
    if max(map(len, lines)) > _LONGEST_LINE:
        raise CorruptFile(f"a line is longer than {_LONGEST_LINE} characters", where=where)
    width = len(_cells(lines[0], separator))
    if width * len(lines) > _MAX_NUMBERS:
        raise _too_many(where)
    flat: list[str] = []
    for i, line in enumerate(lines):
        row = _cells(line, separator)
        if len(row) != width:
            raise CorruptFile(
                f"rows differ in length ({width} and {len(row)} cells)",
                where=f"{where}, row {first_line + i}",
                accepted="Accepted: every row as wide as the first",
                todo="Export it again: a row may be cut or lost",
            )
        flat.extend(row)
    if separator != "," and any("," in cell for cell in flat):
        flat = _with_points(flat, where)
    if all(map(_NUMBER.fullmatch, flat)):
        return np.array(flat, dtype=np.float64).reshape(len(lines), -1)
    return np.array(
        [_number(cell, where, first_line, i, width) for i, cell in enumerate(flat)]
    ).reshape(len(lines), -1)


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    if '"' in line:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    return [cell.strip() for cell in line.split(separator)]


def _with_points(cells: list[str], where: str) -> list[str]:
    """Return cells with a decimal point for the comma, if all of them fit a decimal comma."""
    if not all(_COMMA_NUMBER.fullmatch(cell) for cell in cells if cell):
        raise CorruptFile(
            "some numbers hold a comma and others do not fit a decimal comma",
            where=where,
            accepted="Accepted: one decimal sign in all of the table",
            todo="Export it again with a decimal point",
        )
    return [cell.replace(",", ".") for cell in cells]


def _number(cell: str, where: str, first_line: int, index: int, width: int) -> float:
    if not cell:
        return float("nan")
    if _NUMBER.fullmatch(cell):
        return float(cell)
    row, column = divmod(index, width)
    # what stands there is not repeated: it may be a name
    raise CorruptFile(
        "the cell is no number",
        where=f"{where}, row {first_line + row}, column {column + 1}",
        accepted="Accepted: numbers with a decimal point",
        todo="Correct the cell, or export the table again",
    )
