"""Rows of an Excel table (.xlsx) as the same texts a CSV would hold."""

import zipfile
from collections.abc import Generator
from datetime import datetime, time
from pathlib import Path
from typing import Final

from ecgdash.errors import TableError

__all__ = ["xlsx_rows"]

MAX_INFLATED_MB: Final = 64
"""What an .xlsx may unpack to, MiB (our choice); checked before anything is unpacked."""


def xlsx_rows(path: Path) -> Generator[tuple[int, list[str]], None, None]:
    """Yield each row of the first sheet with its number; the header is the first row.

    Formulas are not evaluated: a cell holds its formula as text, which no column accepts.
    Dates become ISO 8601; midnight without a time is a day.

    Raises
    ------
    TableError
        If the file is no .xlsx, or unpacks to more than 64 MiB.
    """
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    try:
        with zipfile.ZipFile(path) as archive:
            inflated = sum(member.file_size for member in archive.infolist())
        if inflated > MAX_INFLATED_MB * 1024 * 1024:
            raise TableError(
                "the table unpacks to more than 64 MiB", where=path.name, todo="Save it as CSV"
            )
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            for number, cells in enumerate(rows, 1):
                yield number, [_text(cell) for cell in cells]
        finally:
            book.close()
    except TableError:
        raise
    except Exception as error:
        # openpyxl raises whatever its parser meets in a broken file
        raise TableError(
            "the table is no readable .xlsx", where=path.name, todo="Save it as CSV (UTF-8)"
        ) from error


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        is_day = cell.time() == time(0)
        return cell.date().isoformat() if is_day else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
