"""Which known data set lies in a folder; nothing is written, and rows are only counted."""

import os
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from ecgdash.domain import Diagnosis, EchoStudy
from ecgdash.io.patient_table import PatientRow, PatientTable
from ecgdash.io.profiles.echoes import EchoTally, mimic_echoes
from ecgdash.io.profiles.facts import FactReader
from ecgdash.io.profiles.label_columns import LVEF_ITSELF, OWN_DEFINITION, label_definitions
from ecgdash.io.profiles.mapping import Mapping
from ecgdash.io.profiles.registry import OWN_TABLES, PROFILES, Profile
from ecgdash.io.table_rows import RowProblem, header_of, is_table, rows_of
from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv

__all__ = ["FoundTable", "Recognised", "recognise", "tables_among"]

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

    @cached_property
    def first_row(self) -> MappingOf[str, str]:
        """The first row by column, to show what a column holds; empty if there is none."""
        return next((cells for _, cells in rows_of(self.path, (), _MAX_MB)), {})


@dataclass
class Recognised:
    """A data set that was found, with the mapping to confirm or edit before reading."""

    profile: Profile
    tables: tuple[FoundTable, ...]
    mapping: Mapping
    zone: tzinfo = UTC
    tally: EchoTally = field(default_factory=EchoTally)
    keep_reports: bool = False

    def with_mapping(self, mapping: Mapping) -> "Recognised":
        """Return the same data set, to be read by another mapping."""
        return replace(self, mapping=mapping, tally=EchoTally())

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of its tables, each once."""
        return tuple(dict.fromkeys(column for table in self.tables for column in table.columns))

    def missing(self) -> tuple[str, ...]:
        """Return the fields without which nothing can be read, "a or b" where either does."""
        held = {name for column, name in self.mapping.columns if column in self.columns}
        return tuple(" or ".join(group) for group in self.profile.needed if not held & set(group))

    def label_definitions(self) -> dict[str, str]:
        """Return its own low-EF labels by column; its LVEFs, if any, get ECGDash's definition."""
        found = label_definitions(self.columns)
        if any(table.role == "echoes" for table in self.tables):
            found[LVEF_ITSELF] = OWN_DEFINITION
        return found

    def sentences(self) -> tuple[str, ...]:
        """Return what is said before anything is written."""
        rows = [f"{t.path.name}: {t.n_rows} rows." for t in self.tables]
        absent = self._absent()
        lost = [f"Columns not found, so unknown: {', '.join(absent)}."] if absent else []
        labels = [
            f"Its label {column} means LVEF {meaning} %."
            if meaning != "not stated"
            else f"It does not state which LVEF its label {column} means."
            for column, meaning in self.label_definitions().items()
            if column != LVEF_ITSELF
        ]
        return (self.profile.title, *rows, *lost, *labels, *self.profile.gives,
                *self.profile.cannot)  # fmt: skip

    def _absent(self) -> list[str]:
        """Return mapped columns that no table has, where they could be looked for."""
        held = {name for column, name in self.mapping.columns if column in self.columns}
        met = {name for group in self.profile.needed if held & set(group) for name in group}
        known = {role for role, _ in self.profile.tables}
        if known != {table.role for table in self.tables}:
            return list(self.missing())
        return [c for c, name in self.mapping.columns if c not in self.columns and name not in met]

    @cached_property
    def facts(self) -> PatientTable:
        """All facts about ECG files; empty where the waveforms' reader joins them itself."""
        reader = FactReader(self.profile, self.mapping, self.zone)
        for role, read in (
            ("people", reader.read_people),
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
            if table.role == "echoes" and self.profile.name == "mimic-iv-echo":
                yield from mimic_echoes(table.path, self.zone, self.tally)
            elif table.role == "echoes":
                studies, problems = read_echo_csv(
                    table.path, self.zone, self._names(table), keep_reports=self.keep_reports
                )
                yield from studies
                yield from problems

    def diagnoses(self) -> Iterator[Diagnosis | RowProblem]:
        """Yield diagnoses and their problems."""
        for table in self.tables:
            if table.role == "diagnoses":
                made, problems = read_diagnoses_csv(table.path, self._names(table))
                yield from made
                yield from problems

    def _names(self, table: FoundTable) -> dict[str, str]:
        return {
            name: column for name, column in self.mapping.names().items() if column in table.columns
        }

    def problems(self) -> tuple[RowProblem, ...]:
        """Rows about ECG files that were refused or changed, each with its reason."""
        return tuple(self.facts.problems)


def recognise(
    where: Path | Sequence[Path],
    zone: tzinfo = UTC,
    saved: Sequence[Mapping] = (),
) -> list[Recognised]:
    """Say which known data sets lie in a folder, or among files; none found is an empty list.

    Parameters
    ----------
    where : Path or sequence of Path
        A folder, with all below it, or files; names do not matter, headers do.
    zone : tzinfo
        Zone of times without one.
    saved : sequence of Mapping
        Mappings of tables that no profile recognises: one that has all its columns is taken.
    """
    files = _files(where)
    tables = [(file, header_of(file)) for file in files if is_table(file)]
    found = []
    for profile in PROFILES:
        matched: dict[Path, FoundTable] = {}
        for role, columns in profile.tables:
            for file, head in tables:
                if columns <= set(head):
                    matched.setdefault(file, FoundTable(role, file, head))
        roles = {table.role for table in matched.values()}
        if matched and profile.tables[0][0] in roles or _is_cinc(profile, files):
            mapping = Mapping(profile.name, profile.columns)
            held = tuple(matched.values())
            # Tables of one's own have nothing to do with each other, nor do their mappings.
            sets = [(one,) for one in held] if profile in OWN_TABLES else [held]
            found += [Recognised(profile, tables_of, mapping, zone) for tables_of in sets]
    taken = {table.path for one in found for table in one.tables}
    for file, head in tables:
        if file not in taken:
            found += _by_saved(file, head, zone, saved)
    return found


def _by_saved(
    file: Path, head: tuple[str, ...], zone: tzinfo, saved: Sequence[Mapping]
) -> list[Recognised]:
    """Return the table by the first saved mapping whose columns it has, all of them."""
    for mapping in saved:
        profile = next((one for one in OWN_TABLES if one.name == mapping.profile), None)
        if profile is None or not mapping.columns:
            continue
        table = FoundTable(profile.tables[0][0], file, head)
        one = Recognised(profile, (table,), mapping, zone)
        if {column for column, _ in mapping.columns} <= set(head) and not one.missing():
            return [one]
    return []


def tables_among(where: Path | Sequence[Path]) -> list[Path]:
    """Return the files that are tables by their suffix, where `recognise` looks for them."""
    return [file for file in _files(where) if is_table(file)]


def _files(where: Path | Sequence[Path]) -> list[Path]:
    if not isinstance(where, Path):
        return [path for path in where if path.is_file()]
    if where.is_file():
        return [where]
    return sorted(_tables_and_headers(where))


def _tables_and_headers(folder: Path) -> Iterator[Path]:
    """Yield all tables below a folder, and the first few headers; ECGs may be a million."""
    n_headers = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            is_header = name.endswith(".hea") and n_headers < _HEADERS_READ
            n_headers += is_header
            file = Path(place, name)
            if (is_header or is_table(file)) and not name.startswith(".") and file.is_file():
                yield file


def _is_cinc(profile: Profile, files: list[Path]) -> bool:
    if profile.name != "cinc":
        return False
    headers = [file for file in files if file.suffix == ".hea"][:_HEADERS_READ]
    return any(mark in _head(file) for file in headers for mark in _CINC_MARKS)


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(8192)
