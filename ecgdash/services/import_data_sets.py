"""Known data sets among the paths of an import: whose ECG each file is, and their echoes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecgdash.domain.patient import Diagnosis, EchoStudy
from ecgdash.errors import TableError
from ecgdash.services.temporary import TemporaryFolder
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.io import PatientTable
    from ecgdash.io.profiles import Mapping as TableMapping
    from ecgdash.io.profiles import Recognised
    from ecgdash.io.table_rows import RowProblem

__all__ = ["LEFT_OUT", "DataSets", "Found"]

LEFT_OUT: Final = "the 500 Hz file of the same record is taken"


@dataclass(frozen=True)
class Found:
    """Echoes or diagnoses of a data set, with the file that is named in the report.

    Attributes
    ----------
    items : tuple of EchoStudy or Diagnosis
    problems : tuple of RowProblem
    remarks : tuple of str
        What concerns the table as a whole.
    """

    file: str
    items: "tuple[Any, ...]"
    problems: "tuple[RowProblem, ...]"
    remarks: tuple[str, ...] = ()


@dataclass
class DataSets:
    """What was recognised; empty where the paths hold no known table.

    Tables of archives lie in a temporary folder until `close`.

    Attributes
    ----------
    found : tuple of Recognised
    unknown : tuple of Path
        Tables that nothing recognises; the import tries them as ECGs and says so.
    archived : mapping of Path to str
        Tables of archives, with the names that the import shows for them.
    zone, keep_reports
        As the settings say.
    """

    found: "tuple[Recognised, ...]" = ()
    unknown: tuple[Path, ...] = ()
    archived: Mapping[Path, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    keep_reports: bool = False
    folders: tuple[TemporaryFolder, ...] = field(default=(), repr=False)

    @classmethod
    def of(
        cls, paths: Sequence[Path], settings: Settings, mapping: str | None = None
    ) -> "DataSets":
        """Look into the folders, files and archives; nothing is written.

        Parameters
        ----------
        paths : sequence of Path
        settings : Settings
        mapping : str, optional
            Name of a saved mapping to use for the data set of its profile.

        Raises
        ------
        TableError
            If there is no mapping of that name, or no table has its columns.
        """
        from ecgdash.io.profiles import recognise, tables_among, unknown_tables

        saved = saved_mappings(settings)
        chosen = _chosen(saved, mapping)
        named = [Path(path) for path in paths]
        archived, folders = _unpacked_tables(named, settings)
        places: list[Path | list[Path]] = [path for path in named if path.is_dir()]
        files = [path for path in named if path.is_file() and path not in places]
        places += [group for group in (files, list(archived)) if group]
        known = [chosen] if chosen is not None else list(saved.values())
        found = [
            replace(one, keep_reports=settings.keep_reports)
            for place in places
            for one in recognise(place, settings.zone, known)
        ]
        taken = [table.path for one in found for table in one.tables]
        tables = [path for place in places for path in tables_among(place)]
        unknown = tuple(unknown_tables(tables, taken))
        sets = cls(tuple(found), unknown, archived, settings.zone, settings.keep_reports, folders)
        return sets if chosen is None else sets._read_by(chosen, mapping or "")

    def _read_by(self, mapping: "TableMapping", name: str) -> "DataSets":
        """Return the same data sets, those that have the mapping's columns read by it."""
        found = [
            one.with_mapping(mapping)
            if one.profile.name == mapping.profile and not one.with_mapping(mapping).missing()
            else one
            for one in self.found
        ]
        if not any(one.mapping == mapping for one in found):
            self.close()
            raise TableError(
                f"no table has the columns of the mapping {name}",
                accepted=f"Its columns: {', '.join(column for column, _ in mapping.columns)}",
                todo="Choose another mapping, or map the table on the import page",
            )
        return replace(self, found=tuple(found))

    def mapped(self, mapping: "TableMapping", table: Path) -> "DataSets":
        """Return the same data sets, that of one table read by the mapping.

        Parameters
        ----------
        mapping : Mapping
        table : Path
            One of `unknown`, which is a table of the mapping's profile from now on; or a
            table of the data set that is meant.
        """
        from ecgdash.io.profiles import FoundTable, Recognised, profile_named
        from ecgdash.io.table_rows import header_of

        found, unknown = list(self.found), list(self.unknown)
        if table in unknown:
            profile = profile_named(mapping.profile)
            held = FoundTable(profile.tables[0][0], table, header_of(table))
            found.append(
                Recognised(profile, (held,), mapping, self.zone, keep_reports=self.keep_reports)
            )
            unknown.remove(table)
        for place, one in enumerate(found):
            if any(held.path == table for held in one.tables):
                found[place] = one.with_mapping(mapping)
        return replace(self, found=tuple(found), unknown=tuple(unknown))

    def close(self) -> None:
        """Remove the copies of archived tables."""
        for folder in self.folders:
            folder.remove()

    def __enter__(self) -> "DataSets":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sentences(self) -> tuple[str, ...]:
        """Return what was understood, to be said before anything is written."""
        return tuple(sentence for one in self.found for sentence in one.sentences())

    def check(self) -> None:
        """Raise `TableError` if a mapping leaves out what its profile cannot do without."""
        for one in self.found:
            if one.missing() and one.tables:
                raise TableError(
                    f"no column gives {', '.join(one.missing())}",
                    where=one.tables[0].path.name,
                    accepted=f"Its columns: {', '.join(one.columns)}",
                    todo="Map a column to each",
                )

    @property
    def files(self) -> tuple[Path, ...]:
        """The tables that are read."""
        return tuple(table.path for one in self.found for table in one.tables)

    @property
    def mappings(self) -> "tuple[TableMapping, ...]":
        """What each data set is read by."""
        return tuple(one.mapping for one in self.found)

    @property
    def records_file(self) -> str:
        """Name of the first table that says whose ECG each file is."""
        held = [t for one in self.found for t in one.tables if t.role in {"records", "labels"}]
        return held[0].path.name if held else "patients"

    def without(self, given: Sequence[Path | None], *, records: bool) -> "DataSets":
        """Leave out tables that the caller gives by name, and with `records` those of files."""
        named = {path.resolve() for path in given if path is not None}
        kept = tuple(
            one
            for one in self.found
            if not named & {table.path.resolve() for table in one.tables}
            and not (records and any(table.role == "records" for table in one.tables))
        )
        return replace(self, found=kept)

    def is_table(self, name: str, path: Path) -> bool:
        """Tell whether what the import found is one of these tables, also inside an archive."""
        return path in self.files or name in self._archived_names

    @cached_property
    def _archived_names(self) -> frozenset[str]:
        return frozenset(self.archived[path] for path in self.files if path in self.archived)

    @property
    def dates_moved(self) -> bool:
        """Whether one of them moved its dates into the future, as MIMIC did."""
        return any(one.profile.shifted_dates for one in self.found)

    def sources(self) -> list[dict[str, Any]]:
        """Return what the store keeps about each data set: its tables and label definitions."""
        return [
            {
                "profile": one.profile.name,
                "tables": [table.path.name for table in one.tables],
                "label_definitions": one.label_definitions(),
            }
            for one in self.found
        ]

    @cached_property
    def table(self) -> "PatientTable | None":
        """All facts about ECG files; None where no table gives any."""
        from ecgdash.io import PatientTable

        held = [one for one in self.found if one.facts.rows or one.facts.problems]
        if len(held) == 1:
            return held[0].facts
        joined = PatientTable()
        for one in held:
            for file, row in one.facts.rows.items():
                joined.add(file, row)
            joined.problems.extend(one.facts.problems)
        return joined if joined.rows or joined.problems else None

    def is_left_out(self, name: str) -> bool:
        """Tell whether a file is a second copy of a record that the import takes."""
        return any(one.is_left_out(name) for one in self.found)

    def echoes(self) -> Iterator[Found]:
        """Yield the echoes of each data set that has a table of them."""
        for one in self.found:
            if any(table.role == "echoes" for table in one.tables):
                found = list(one.echoes())
                yield _found(one, "echoes", found, _remarks(one.tally.n_other))

    def diagnoses(self) -> Iterator[Found]:
        """Yield the diagnoses of each data set that has a table of them."""
        for one in self.found:
            if any(table.role == "diagnoses" for table in one.tables):
                yield _found(one, "diagnoses", list(one.diagnoses()))


def saved_mappings(settings: Settings) -> "Mapping[str, TableMapping]":
    """Return the mappings that were saved under a name; raises `TableError` if one is broken."""
    from ecgdash.io.profiles import load_mapping

    return load_mapping(settings.mappings_dir)


def _chosen(saved: "Mapping[str, TableMapping]", name: str | None) -> "TableMapping | None":
    if name is None:
        return None
    if name not in saved:
        raise TableError(
            "there is no saved mapping of that name",
            accepted=f"Saved: {', '.join(saved) or 'none'}",
            todo="Choose one of them",
        )
    return saved[name]


def _unpacked_tables(
    paths: Sequence[Path], settings: Settings
) -> tuple[dict[Path, str], tuple[TemporaryFolder, ...]]:
    """Take the tables out of the archives among paths, and among the files of folders."""
    from ecgdash.io.archive_tables import archived_tables

    found: dict[Path, str] = {}
    folders = []
    for archive, shown in _archives(paths):
        folder = TemporaryFolder()
        folders.append(folder)
        for member, copy in archived_tables(archive, folder.path, settings.max_archive_mb):
            found[copy] = f"{shown}/{member}"
    return found, tuple(folders)


def _archives(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield archives with the names that the import shows for them."""
    for path in paths:
        if path.is_dir():
            inner = sorted(path.rglob("*.[zZ][iI][pP]"))
            base = path.name or path.resolve().name
            yield from ((file, f"{base}/{file.relative_to(path).as_posix()}") for file in inner)
        elif path.suffix.lower() == ".zip" and path.is_file():
            yield path, path.name


def _remarks(n_other: int) -> tuple[str, ...]:
    if not n_other:
        return ()
    rows = "1 row is" if n_other == 1 else f"{n_other:,} rows are"
    return (f"{rows} about other measurements than LVEF",)


def _found(
    one: "Recognised",
    role: str,
    made: "list[Any]",
    remarks: tuple[str, ...] = (),
) -> Found:
    name = next(table.path.name for table in one.tables if table.role == role)
    items = tuple(item for item in made if isinstance(item, EchoStudy | Diagnosis))
    problems = tuple(item for item in made if not isinstance(item, EchoStudy | Diagnosis))
    return Found(name, items, problems, remarks)
