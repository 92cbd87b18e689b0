"""Which ECGs lie in the files, folders and ZIP archives a user names.

An archive is unpacked into a temporary folder that lives until the next one is
opened or the iteration ends: read each file as it comes.
"""

import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from ecgdash.errors import CorruptFile, FileTooLarge, InputFileError, UnsupportedFormat
from ecgdash.io.formats import json_leads, wfdb_files
from ecgdash.io.hints import sidecar_of
from ecgdash.io.readers import MEGABYTE, list_members
from ecgdash.io.table_rows import known_table

__all__ = ["FoundFile", "Limits", "find_ecg_files"]

_CHUNK: Final = 1024 * 1024
MAX_ARCHIVE_FILES: Final = 100_000
"""Members of one archive (our choice: more than PTB-XL has)."""
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


class SizeLimits(Protocol):
    """How much one call may bring in, in megabytes; the settings are one."""

    @property
    def max_archive_mb(self) -> int:
        """All that one archive unpacks to."""
        ...


@dataclass(frozen=True)
class Limits:
    """Size limits without settings."""

    max_archive_mb: int = 2048

    @classmethod
    def of(cls, settings: SizeLimits) -> "Limits":
        """Return the limits that the settings state."""
        return cls(max_archive_mb=settings.max_archive_mb)


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
            closed = CorruptFile(
                "it may not be read by this user", where=path.name, todo="Give the right to read it"
            )
            yield FoundFile(path, path.name, closed)


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
    """Yield the ECGs below a folder; an archive inside an archive is left to `read_ecg`."""
    files = sorted(
        file for file in folder.rglob("*") if file.is_file() and not _is_hidden(file, folder)
    )
    parts = _record_parts(files)
    for file in files:
        display_name = f"{shown}/{file.relative_to(folder).as_posix()}"
        if file in parts or _is_companion(file):
            continue
        if open_archives and file.suffix.lower() == ".zip" and zipfile.is_zipfile(file):
            yield from _unpacked(file, display_name, limits)
        else:
            yield from _ecgs_of(file, display_name)


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


def _is_hidden(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _record_parts(files: list[Path]) -> set[Path]:
    """Return the files that belong to another: signal files, annotations, sidecars."""
    parts = set()
    for file in files:
        if file.suffix.lower() == ".hea" and _may_read(file):
            parts |= {file.parent / name for name in wfdb_files.signal_files(file)}
            parts |= {file.with_suffix(ending) for ending in _ANNOTATIONS}
            continue
        sidecar = sidecar_of(file) if file.suffix.lower() in _MAY_HAVE_SIDECAR else None
        if sidecar is not None and not json_leads.sniff(sidecar):
            parts.add(sidecar)
    return parts


def _is_companion(file: Path) -> bool:
    return file.name.lower() in _COMPANIONS or (_may_read(file) and known_table(file) is not None)


def _may_read(file: Path) -> bool:
    """Whether the file opens; one that does not is yielded, and named when it is read."""
    return os.access(file, os.R_OK)


def _unpacked(archive: Path, shown: str, limits: SizeLimits) -> Iterator[FoundFile]:
    with tempfile.TemporaryDirectory(prefix="ecgdash-") as folder:
        try:
            _extract(archive, Path(folder), limits)
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


def _extract(archive: Path, folder: Path, limits: SizeLimits) -> None:
    """Unpack with every name checked first and every byte counted, whatever the archive declares.

    Raises
    ------
    CorruptFile
        If a member would land outside the folder, or is a link.
    FileTooLarge
        If the archive exceeds a limit.
    """
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        if len(members) > MAX_ARCHIVE_FILES:
            raise FileTooLarge(
                f"the archive holds {len(members)} files",
                where=archive.name,
                accepted=f"Accepted: at most {MAX_ARCHIVE_FILES}",
                todo="Split it, or import the folder",
            )
        for member in members:
            _check_member(member, archive.name)
        if len({member.filename for member in members}) < len(members):
            raise CorruptFile(
                "two members of the archive have the same name",
                where=archive.name,
                accepted="Accepted: each name once",
                todo="Pack it again",
            )
        left = limits.max_archive_mb * MEGABYTE
        if sum(member.file_size for member in members) > left:
            raise _too_large(archive.name, limits)
        for member in members:
            target = folder / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(opened, member, target, left)
            if left < 0:
                raise _too_large(archive.name, limits)


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """Copy one member, stopping beyond `limit` bytes; return how many were written."""
    written = 0
    with opened.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > limit:
                break
            sink.write(chunk)
    return written


def _check_member(member: zipfile.ZipInfo, where: str) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    drive = path.parts[:1] and ":" in path.parts[0]
    if not path.parts or path.is_absolute() or ".." in path.parts or drive or is_link:
        raise CorruptFile(
            "a member of the archive points outside of it",
            where=where,
            accepted="Accepted: plain files in plain folders",
            todo="Pack it again",
        )


def _too_large(where: str, limits: SizeLimits) -> FileTooLarge:
    return FileTooLarge(
        "the archive unpacks to more than the limit",
        where=where,
        accepted=f"Accepted: at most {limits.max_archive_mb} MB",
        todo="Split it, or raise ECGDASH_MAX_ARCHIVE_MB",
    )
