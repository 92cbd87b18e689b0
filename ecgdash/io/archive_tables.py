"""The tables inside a ZIP archive, taken out alone, so that a data set in it is recognised."""

import csv
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from ecgdash.io.table_rows import MAX_HEADER, is_table

__all__ = ["archived_tables"]

_CHUNK: Final = 1024 * 1024
_MAX_TABLES: Final = 1_000
"""Of one archive (our choice): one with more holds ECGs as CSV, not tables about them."""


def archived_tables(archive: Path, folder: Path, max_mb: int) -> Iterator[tuple[str, Path]]:
    """Copy what may be a table about ECGs into a folder, under names of our own.

    Parameters
    ----------
    archive : Path
        One that cannot be opened yields nothing: the import itself says why.
    folder : Path
        Empty; each table gets a numbered folder in it, so that no name can leave it.
    max_mb : int
        What all of them may unpack to, whatever the archive declares; the rest is left out.

    Yields
    ------
    (str, Path)
        The name within the archive, and the copy.
    """
    left = max_mb * _CHUNK
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if is_table(Path(m.filename))][:_MAX_TABLES]
            for number, member in enumerate(members):
                if not _may_be_about_ecgs(opened, member):
                    continue
                name = PurePosixPath(member.filename.replace("\\", "/")).name
                target = folder / str(number) / name
                target.parent.mkdir(parents=True)
                left -= _copy(opened, member, target, left)
                if left < 0:
                    target.unlink()
                    return
                yield member.filename, target
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, ValueError, NotImplementedError):
        return


def _may_be_about_ecgs(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Leave out rows of samples: their first row holds a number, or no second column."""
    if not member.filename.lower().endswith((".csv", ".tsv")):
        return True
    with opened.open(member) as stream:
        line = stream.read(MAX_HEADER).decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    separator = max((",", ";", "\t"), key=line.count)
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    return len(cells) > 1 and not any(cell[:1].isdigit() or cell[:1] == "-" for cell in cells)


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """Copy one member, stopping beyond `limit` bytes; return how many were read."""
    n_read = 0
    with opened.open(member) as source, target.open("wb") as sink:
        while n_read <= limit and (chunk := source.read(_CHUNK)):
            n_read += len(chunk)
            sink.write(chunk)
    return n_read
