"""Tables that lie beside a data set's waveforms, and which ECG of a file is meant."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, overload

from ecgdash.errors import CorruptFile, FileTooLarge, MissingLeads

__all__ = [
    "MemberNames",
    "chosen_member",
    "companion_rows",
    "number_in",
    "numbered",
    "version_of",
]

_MAX_BYTES: Final = 512 * 1024 * 1024
_MAX_ROWS: Final = 2_000_000
_MAX_MEMBERS: Final = 1_000_000
"""Of one file (our choice)."""


class MemberNames(Sequence[str]):
    """Names of the ECGs of one file; a name's place is found at once, however many there are."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._places = dict(zip(reversed(self._names), reversed(range(len(self._names)))))  # noqa: B905 - equally long

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._names[index]

    def place(self, name: str) -> int | None:
        """Return the first place of a name, or None."""
        return self._places.get(name)


def version_of(path: Path) -> tuple[int, int]:
    """Return what changes when a file does: what was read of it is kept until then."""
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=4)
def numbered(count: int, where: str) -> MemberNames:
    """Return "0", "1", ... for the ECGs of a file that names none.

    Raises
    ------
    FileTooLarge
        If there are more than a file is meant to hold: a header can claim any number.
    """
    if count > _MAX_MEMBERS:
        raise FileTooLarge(
            f"the file holds {count} ECGs",
            where=where,
            accepted=f"Accepted: at most {_MAX_MEMBERS}",
            todo="Split it",
        )
    return MemberNames(str(i) for i in range(count))


def chosen_member(members: MemberNames, member: str | None, where: str) -> int:
    """Return the place of the ECG that is meant; of a single one, without naming it.

    Raises
    ------
    MissingLeads
        If none of many is named, or there is none of that name.
    """
    if member is None and len(members) == 1:
        return 0
    place = None if member is None else members.place(member)
    if place is None:
        what = f"holds {len(members)} ECGs and none is named"
        if member is not None:
            what = f"holds no ECG of that name among its {len(members)}"
        raise MissingLeads(
            f"the file {what}",
            where=where,
            accepted=f"Accepted: a name such as {members[0] if members else 'none, it is empty'}",
            todo="Read the folder or file by the command, which names each ECG as FILE#NAME",
        )
    return place


def companion_rows(
    folder: Path, names: Sequence[str], key: str, columns: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the wanted columns of the first table of these names in a folder, by its key.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Names of files, any case.
    key : str
        The column that names each ECG; "" takes the row's number within its file.
    columns : sequence of str
        Wanted where the table has them; lower case.

    Returns
    -------
    mapping
        Empty without such a table. Names, birth dates and the like are never loaded.
    """
    wanted = {name.lower() for name in names}
    found = sorted(file for file in folder.iterdir() if file.name.lower() in wanted)
    if not found:
        return {}
    return _rows(found[0], version_of(found[0]), key, tuple(columns))


@lru_cache(maxsize=2)
def _rows(
    file: Path, _version: tuple[int, int], key: str, columns: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    if _version[1] > _MAX_BYTES:
        raise CorruptFile("the table is too large", where=file.name, todo="Split it")
    rows: dict[str, dict[str, str]] = {}
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        try:
            reader = csv.DictReader(stream)
            reader.fieldnames = [(name or "").strip().lower() for name in reader.fieldnames or []]
            for number, cells in enumerate(reader):
                if number >= _MAX_ROWS:
                    break
                name = str(number) if not key else (cells.get(key) or "").strip()
                rows[name] = {c: (cells.get(c) or "").strip() for c in columns}
        except csv.Error as error:
            raise CorruptFile("the table is no CSV", where=file.name) from error
    return rows


def number_in(row: Mapping[str, str], column: str) -> float | None:
    """Return a cell's number, or None."""
    try:
        return float(row.get(column, ""))
    except ValueError:
        return None
