"""Which known data set lies in a folder; nothing is written, and rows are only counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from ecgdash.domain import EchoStudy
from ecgdash.io.patient_table import PatientRow, PatientTable
from ecgdash.io.profiles.echoes import EchoTally, mimic_echoes
from ecgdash.io.profiles.facts import FactReader
from ecgdash.io.profiles.mapping import Mapping
from ecgdash.io.profiles.registry import PROFILES, Profile
from ecgdash.io.table_rows import RowProblem, header_of, rows_of

__all__ = ["FoundTable", "Recognised", "recognise"]

_DEPTH: Final = 2
_MAX_MB: Final = 65_536
_HEADERS_READ: Final = 5
_CINC_MARKS: Final = (b"#Dx:", b"# Dx:")


@dataclass(frozen=True)
class FoundTable:
    """A table of a data set: its role, file, columns, and number of rows (counted on demand)."""

    role: str
    path: Path
    columns: tuple[str, ...]

    @cached_property
    def n_rows(self) -> int:
        """Rows that hold anything, counted by streaming; raises `TableError` if it is no CSV."""
        return sum(1 for _ in rows_of(self.path, (), _MAX_MB))


@dataclass
class Recognised:
    """A data set that was found, with the mapping to confirm or edit before reading."""

    profile: Profile
    tables: tuple[FoundTable, ...]
    mapping: Mapping
    zone: tzinfo = UTC
    tally: EchoTally = field(default_factory=EchoTally)

    def with_mapping(self, mapping: Mapping) -> "Recognised":
        """Return the same data set, to be read by another mapping."""
        return replace(self, mapping=mapping, tally=EchoTally())

    def sentences(self) -> tuple[str, ...]:
        """Return what is said before anything is written."""
        rows = [f"{t.path.name}: {t.n_rows} rows." for t in self.tables]
        columns = {column for table in self.tables for column in table.columns}
        absent = [c for c, _ in self.mapping.columns if self.tables and c not in columns]
        lost = [f"Columns not found, so unknown: {', '.join(absent)}."] if absent else []
        label = f"Its label means LVEF {self.profile.label_definition} %."
        labels = [] if self.profile.label_definition == "none" else [label]
        return (self.profile.title, *rows, *lost, *labels, *self.profile.gives,
                *self.profile.cannot)  # fmt: skip

    @cached_property
    def facts(self) -> PatientTable:
        """All facts about ECG files; empty where the waveforms' reader joins them itself."""
        reader = FactReader(self.profile, self.mapping, self.zone)
        for role, read in (
            ("records", reader.read_records),
            ("measurements", reader.read_measurements),
        ):
            for table in self.tables:
                if table.role == role:
                    read(table.path)
        return reader.table

    def facts_for(self, display_name: str) -> PatientRow | None:
        """Return what the tables say about a file, or None."""
        if self.is_left_out(display_name):
            return None
        return self.facts.find(display_name)

    def is_left_out(self, display_name: str) -> bool:
        """Tell whether a file is PTB-XL's 100 Hz copy of a record whose 500 Hz file is taken."""
        if self.profile.name != "ptb-xl":
            return False
        stem = PurePosixPath(display_name.replace("\\", "/")).stem
        twin = stem.removesuffix("_lr") + "_hr"
        return stem.endswith("_lr") and self.facts.find(twin) is not None

    def echoes(self) -> Iterator[EchoStudy | RowProblem]:
        """Yield echoes and their problems; `tally` counts the rows that are no LVEF."""
        for table in self.tables:
            if table.role == "echoes":
                yield from mimic_echoes(table.path, self.zone, self.tally)

    def problems(self) -> tuple[RowProblem, ...]:
        """Rows about ECG files that were refused or changed, each with its reason."""
        return tuple(self.facts.problems)


def recognise(where: Path | Sequence[Path], zone: tzinfo = UTC) -> list[Recognised]:
    """Say which known data sets lie in a folder, or among files; none found is an empty list.

    Parameters
    ----------
    where : Path or sequence of Path
        A folder (searched two levels deep) or files; names do not matter, headers do.
    zone : tzinfo
        Zone of times without one.
    """
    files = _files(where)
    tables = [(file, header_of(file)) for file in files if _is_table(file)]
    found = []
    for profile in PROFILES:
        matched: list[FoundTable] = []
        for role, columns in profile.tables:
            matched += [FoundTable(role, f, head) for f, head in tables if columns <= set(head)]
        roles = {table.role for table in matched}
        if matched and profile.tables[0][0] in roles or _is_cinc(profile, files):
            mapping = Mapping(profile.name, profile.columns)
            found.append(Recognised(profile, tuple(matched), mapping, zone))
    return found


def _files(where: Path | Sequence[Path]) -> list[Path]:
    if not isinstance(where, Path):
        return [path for path in where if path.is_file()]
    if where.is_file():
        return [where]
    levels = ["/".join("*" * depth) for depth in range(1, _DEPTH + 1)]
    return sorted(path for level in levels for path in where.glob(level) if path.is_file())


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith((".csv", ".tsv", ".csv.gz"))


def _is_cinc(profile: Profile, files: list[Path]) -> bool:
    if profile.name != "cinc":
        return False
    headers = [file for file in files if file.suffix == ".hea"][:_HEADERS_READ]
    return any(mark in _head(file) for file in headers for mark in _CINC_MARKS)


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(8192)
