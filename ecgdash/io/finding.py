"""Which ECGs lie in the files, folders and ZIP archives a user names.

An archive is unpacked into a temporary folder that lives until the next one is
opened or the iteration ends: read each file as it comes.
"""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgdash.errors import CorruptFile, InputFileError, UnsupportedFormat
from ecgdash.io.archives import Limits, SizeLimits, unpack
from ecgdash.io.formats import json_leads, wfdb_files
from ecgdash.io.readers import list_members
from ecgdash.io.table_rows import is_table, known_table

__all__ = ["FoundFile", "Limits", "find_ecg_files"]

# Text that accompanies data sets; an ECG never has these names.
_COMPANIONS: Final = frozenset(
    {"license", "license.txt", "readme", "readme.md", "readme.txt", "records", "sha256sums.txt"}
)

_ANNOTATIONS: Final = (
    ".ann", ".ari", ".atr", ".gqrs", ".pu", ".pu0", ".pu1", ".pwave", ".qrs", ".qrsc", ".sqrs",
    ".st", ".stf", ".wqrs", ".xws",
)  # fmt: skip
"""What PhysioNet calls annotations beside a header."""
_MAY_HAVE_SIDECAR: Final = frozenset(
    {".asc", ".csv", ".h5", ".hdf5", ".json", ".mat", ".npy", ".tsv", ".txt"}
)
_MANY: Final = frozenset({".h5", ".hdf5", ".npy"})
"""Suffixes of formats in `CONTAINERS`: only these are opened while a folder is walked."""


@dataclass(frozen=True)
class FoundFile:
    """One ECG file, or one input that cannot be opened.

    Attributes
    ----------
    path : Path
        Where to read it; of a WFDB record the header.
    display_name : str
        As the user knows it: below the folder or archive that was named. As the file
        system writes it: `ecgdash.errors.printable` makes it fit to be shown or stored.
    error : InputFileError or None
        Why there is nothing to read.
    member : str or None
        Which ECG of a file that holds many.
    """

    path: Path
    display_name: str
    error: InputFileError | None = None
    member: str | None = None


def find_ecg_files(
    paths: Iterable[Path | str], limits: SizeLimits | None = None
) -> Iterator[FoundFile]:
    """Walk files, folders and ZIP archives, in the order given and by name.

    A WFDB record is one ECG, named by its header; sidecars, hidden files,
    licence texts and recognised tables are no ECGs and are passed over inside
    folders and archives, never when named directly.

    Yields
    ------
    FoundFile
    """
    bounds = limits or Limits()
    for given in paths:
        path = Path(given)
        try:
            yield from _found(path, bounds)
        except PermissionError:
            yield FoundFile(path, path.name, _closed(path))


def _closed(path: Path) -> CorruptFile:
    return CorruptFile(
        "it may not be read by this user", where=path.name, todo="Give the right to read it"
    )


def _found(path: Path, bounds: SizeLimits) -> Iterator[FoundFile]:
    if path.is_dir():
        yield from _walk(path, path.name or path.resolve().name, bounds)
    elif path.is_file() and zipfile.is_zipfile(path):
        yield from _unpacked(path, path.name, bounds)
    elif path.is_file() or path.with_name(path.name + ".hea").is_file():
        yield from _ecgs_of(_header_or_self(path), path.name)
    else:
        missing = UnsupportedFormat(
            "there is no such file or folder", where=path.name, todo="Check the path"
        )
        yield FoundFile(path, path.name, missing)


def _header_or_self(path: Path) -> Path:
    if not path.is_file():
        return path.with_name(path.name + ".hea")
    return wfdb_files.header_of(path) or path


def _walk(
    folder: Path, shown: str, limits: SizeLimits, *, open_archives: bool = True
) -> Iterator[FoundFile]:
    """Yield the ECGs below a folder; an archive inside an archive is left to `read_ecg`.

    One folder after another, as names: a data set has hundreds of thousands of files.
    """
    try:
        names, folders = _listing(folder)
    except PermissionError:
        yield FoundFile(folder, shown, _closed(folder))
        return
    parts = _record_parts(folder, [name for name in names if name not in folders])
    for name in names:
        display_name = f"{shown}/{name}"
        if name in folders:
            yield from _walk(folder / name, display_name, limits, open_archives=open_archives)
            continue
        if name in parts:
            continue
        file = folder / name
        if _is_companion(file):
            continue
        if open_archives and name.lower().endswith(".zip") and zipfile.is_zipfile(file):
            yield from _unpacked(file, display_name, limits)
        else:
            yield from _ecgs_of(file, display_name)


def _listing(folder: Path) -> tuple[list[str], set[str]]:
    """Return the names in a folder in their order, and which of them are folders.

    Hidden ones are left out, and so are links to folders, which may lead round in a circle.
    """
    names, folders = [], set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_hidden(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.add(entry.name)
            elif entry.is_symlink():
                if not Path(entry.path).is_file():
                    continue
            elif not entry.is_file(follow_symlinks=False):
                continue
            names.append(entry.name)
    names.sort()
    return names, folders


def _ecgs_of(file: Path, shown: str) -> Iterator[FoundFile]:
    """Yield a file, or each ECG of one that holds many as `name#member`."""
    try:
        members = list_members(file) if file.suffix.lower() in _MANY else ()
    except InputFileError as error:
        yield FoundFile(file, shown, error)
        return
    if len(members) < 2:
        yield FoundFile(file, shown)
        return
    for member in members:
        yield FoundFile(file, f"{shown}#{member}", member=member)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _record_parts(folder: Path, names: list[str]) -> set[str]:
    """Return which files of a folder belong to another: signal files, annotations, sidecars."""
    parts: set[str] = set()
    beside = {name for name in names if name.endswith(".json")}
    annotations: dict[str, list[str]] = {}
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix in _ANNOTATIONS:
            annotations.setdefault(stem, []).append(name)
    for name in names:
        stem, suffix = os.path.splitext(name)
        kind = suffix.lower()
        if kind == ".hea" and _may_read(folder / name):
            parts.update(wfdb_files.signal_files(folder / name))
            parts.update(annotations.get(stem, ()))
        elif kind in _MAY_HAVE_SIDECAR:
            described_by = (f"{name}.json", f"{stem}.json")
            sidecar = next((one for one in described_by if one in beside and one != name), None)
            if sidecar is not None and not json_leads.sniff(folder / sidecar):
                parts.add(sidecar)
    return parts


def _is_companion(file: Path) -> bool:
    if file.name.lower() in _COMPANIONS:
        return True
    return is_table(file) and _may_read(file) and known_table(file) is not None


def _may_read(file: Path) -> bool:
    """Whether the file opens; one that does not is yielded, and named when it is read."""
    return os.access(file, os.R_OK)


def _unpacked(archive: Path, shown: str, limits: SizeLimits) -> Iterator[FoundFile]:
    with tempfile.TemporaryDirectory(prefix="ecgdash-") as folder:
        try:
            unpack(archive, Path(folder), limits)
        except InputFileError as error:
            yield FoundFile(archive, shown, error)
            return
        except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, ValueError) as error:
            broken = CorruptFile(
                f"the archive cannot be unpacked ({_reason(error)})",
                where=archive.name,
                accepted="Accepted: undamaged ZIP archives without password",
                todo="Pack it again",
            )
            yield FoundFile(archive, shown, broken)
            return
        yield from _walk(Path(folder), shown, limits, open_archives=False)


def _reason(error: Exception) -> str:
    """Return why, without names of members or of our own folders."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it needs a password" if "password" in str(error) else type(error).__name__
