"""The files of an import, one task each, with what tells a file from every other.

Files of an archive exist only until the next one is opened. Workers look ahead, so the
unpacked folder is linked under a name of our own until its last file is dealt with.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.errors import EcgDashError, printable

if TYPE_CHECKING:
    from ecgdash.io import FoundFile, Limits, PatientTable

__all__ = ["FileTask", "UnpackedFolders", "any_archive", "file_tasks", "fingerprint_of"]

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class FileTask:
    """One ECG to read.

    Attributes
    ----------
    path : Path
    name : str
        As shown to the importing user.
    member : str or None
        Which ECG of a file that holds many.
    source : str
        sha256 (hex) over the file's place in the call and all of its content.
    facts : PatientTable or None
        The patient table with this file's row alone; None: there is no table.
    error : EcgDashError or None
        Why there is nothing to read.
    """

    path: Path
    name: str
    member: str | None
    source: str
    facts: "PatientTable | None" = None
    error: EcgDashError | None = None


def fingerprint_of(paths: Sequence[Path], tables: Sequence[Path | None], *stated: object) -> str:
    """Return what tells a call from others: where it reads, its tables' content, its options."""
    told = {
        "paths": [str(path.resolve()) for path in paths],
        "tables": [None if path is None else _content(path) for path in tables],
        "stated": [repr(item) for item in stated],
    }
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogateescape")).hexdigest()


def any_archive(paths: Sequence[Path]) -> bool:
    """Tell whether the number of files is unknown before archives are unpacked."""
    return any(
        path.suffix.lower() == ".zip" or any(name.lower().endswith(".zip") for name in _below(path))
        for path in paths
    )


def _below(path: Path) -> Iterator[str]:
    """Yield the names of all files below a folder."""
    for _, _, names in os.walk(path):
        yield from names


def file_tasks(
    paths: Sequence[Path],
    limits: "Limits",
    table: "PatientTable | None",
    unpacked: "UnpackedFolders",
    tables: frozenset[Path] = frozenset(),
) -> Iterator[FileTask]:
    """Yield the ECGs below the paths in the order in which they are found.

    Parameters
    ----------
    paths : sequence of Path
    limits : Limits
    table : PatientTable or None
    unpacked : UnpackedFolders
        Where files of archives stay until they are taken.
    tables : frozenset of Path
        Tables of known data sets, which are no ECGs.
    """
    from ecgdash.io import find_ecg_files

    n_yielded = 0
    for number, given in enumerate(paths):
        for file in find_ecg_files([given], limits):
            path = file.path
            if path in tables:
                continue
            if file.error is None and _is_unpacked(path, given):
                path = unpacked.kept(path, n_yielded)
            n_yielded += 1
            yield FileTask(
                path=path,
                name=file.display_name,
                member=file.member,
                source=_source(number, file, path),
                facts=_row_alone(table, file.display_name),
                error=file.error,
            )


def _is_unpacked(path: Path, given: Path) -> bool:
    return not path.is_relative_to(given) and path.parent != given.parent


class UnpackedFolders:
    """Folders of unpacked archives, kept alive by links until their tasks are taken.

    Parameters
    ----------
    n_taken : callable
        How many tasks, in order, need their files no more.
    """

    def __init__(self, n_taken: Callable[[], int]) -> None:
        self._n_taken = n_taken
        self._folders: dict[Path, Path] = {}
        self._last_task: dict[Path, int] = {}

    def __enter__(self) -> "UnpackedFolders":
        return self

    def __exit__(self, *_: object) -> None:
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)

    def kept(self, path: Path, task: int) -> Path:
        """Return where the file of a task stays when its own folder is removed."""
        base = Path(tempfile.gettempdir())
        root = base / path.relative_to(base).parts[0]
        if root not in self._folders:
            for old in [one for one, last in self._last_task.items() if last < self._n_taken()]:
                shutil.rmtree(self._folders.pop(old), ignore_errors=True)
                del self._last_task[old]
            self._folders[root] = _linked(root)
        self._last_task[root] = task
        return self._folders[root] / path.relative_to(root)


def _linked(root: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ecgdash-"))
    shutil.copytree(root, folder, copy_function=_link, dirs_exist_ok=True)
    return folder


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _row_alone(table: "PatientTable | None", name: str) -> "PatientTable | None":
    """Return a table with one row, so that a worker does not hold the rows of a whole cohort."""
    if table is None:
        return None
    row = table.find(name)
    alone = replace(table, rows={}, problems=[], _by_stem={})
    if row is not None:
        alone.add(name, row)
    return alone


def _source(number: int, file: "FoundFile", path: Path) -> str:
    digest = hashlib.sha256(f"{number}\0{printable(file.display_name)}\0{file.member}\0".encode())
    if file.error is None:
        for part in _parts(path):
            digest.update(f"{printable(part.name)}\0{_content(part)}\0".encode())
    return digest.hexdigest()


def _parts(path: Path) -> Iterator[Path]:
    """Yield the file and those beside it that are read with it."""
    from ecgdash.io.formats import wfdb_files
    from ecgdash.io.hints import sidecar_of

    yield path
    if path.suffix.lower() == ".hea":
        try:
            yield from (path.parent / name for name in wfdb_files.signal_files(path))
        except (EcgDashError, OSError):
            return
    sidecar = sidecar_of(path)
    if sidecar is not None:
        yield sidecar


def _content(path: Path) -> str:
    """Return size and sha256 of a file; empty for one that cannot be read."""
    try:
        facts = path.stat()
        return _hashed(path, facts.st_size, facts.st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=8)
def _hashed(path: Path, size: int, _mtime_ns: int) -> str:
    """Hash a file once, however many ECGs it holds; a changed one is hashed anew."""
    digest = hashlib.sha256()
    # Most files are far smaller than a chunk, and asking for one costs more than reading them.
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(min(_CHUNK, size + 1)):
            digest.update(chunk)
    return f"{size}:{digest.hexdigest()}"
