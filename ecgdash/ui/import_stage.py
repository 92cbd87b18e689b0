"""Chosen files before anything is written: copied to a folder of the session, and looked at."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ecgdash.errors import printable
from ecgdash.io import ReadHints
from ecgdash.services.import_data_sets import DataSets
from ecgdash.services.temporary import TemporaryFolder
from ecgdash.settings import Settings
from ecgdash.ui import state

__all__ = ["Stage", "clear", "current", "stage_folder", "stage_uploads", "written"]

_LONGEST_NAME: Final = 120


@dataclass
class Stage:
    """What was chosen.

    Attributes
    ----------
    paths : list of Path
    sets : DataSets
        As recognised, with the mappings that the user changed.
    facts : str
        How many files of what size, to be shown.
    known_as : str
        The same choice has the same name, whatever folder it was copied to.
    """

    paths: list[Path]
    sets: DataSets
    site: str
    hints: ReadHints
    facts: str
    known_as: str
    folder: TemporaryFolder | None = field(default=None, repr=False)

    def close(self) -> None:
        """Remove the copies."""
        self.sets.close()
        if self.folder is not None:
            self.folder.remove()


def current() -> Stage | None:
    """Return the session's chosen files, or None."""
    stage = st.session_state.get(state.IMPORT_STAGE)
    return stage if isinstance(stage, Stage) else None


def clear() -> None:
    """Forget the chosen files."""
    stage = st.session_state.pop(state.IMPORT_STAGE, None)
    if isinstance(stage, Stage):
        stage.close()


def stage_uploads(uploads: Sequence[Any], site: str, hints: ReadHints, settings: Settings) -> Stage:
    """Copy uploads to a folder and look at them.

    Raises
    ------
    EcgDashError
        If a table that lies there cannot be used at all.
    """
    folder = TemporaryFolder()
    places = written(folder.path, uploads)
    # Each folder that a browser sent, and the one of single files, is a place of its own.
    tops = sorted({folder.path / p.relative_to(folder.path).parts[0] for p in places})
    sets = DataSets.of(tops, settings)
    size = sum(path.stat().st_size for path in places)
    files = "1 file" if len(places) == 1 else f"{len(places):,} files"
    names = sorted((str(p.relative_to(folder.path)), p.stat().st_size) for p in places)
    known_as = hashlib.sha256(repr(names).encode("utf-8", "surrogateescape")).hexdigest()
    return Stage(tops, sets, site, hints, f"{files}, {_size_words(size)}", known_as, folder)


def _size_words(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:,.1f} kB"


def stage_folder(path: Path, site: str, hints: ReadHints, settings: Settings) -> Stage:
    """Look at a folder or file on the server."""
    sets = DataSets.of([path], settings)
    return Stage([path], sets, site, hints, f"{path.name} on the server", str(path.resolve()))


def written(folder: Path, uploads: Sequence[Any]) -> list[Path]:
    """Write uploads into a folder by their names, never outside of it.

    Files of one name go to numbered folders; files that belong together (a .hea
    and its .dat) keep their names and meet in the same one. A file out of a folder
    that a browser sent keeps its place in it.
    """
    paths: list[Path] = []
    for upload in uploads:
        parts = printable(str(upload.name)).replace("\\", "/").split("/")
        plain = [part[-_LONGEST_NAME:].strip(". ") for part in parts]
        kept = [part for part in plain if part] or ["upload"]
        if len(kept) == 1:
            kept = ["upload", *kept]
        number, target = 1, folder.joinpath(*kept)
        while target.exists():
            number += 1
            target = folder.joinpath(f"{kept[0]} {number}", *kept[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(upload.getbuffer())
        paths.append(target)
    return paths
