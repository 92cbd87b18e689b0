"""Tables that come with an import: echoes and diagnoses, read before anything is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgdash.domain.patient import Diagnosis, EchoStudy
from ecgdash.services.import_report import TableOutcome
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.io import PatientTable, RowProblem
    from ecgdash.services.import_data_sets import DataSets, Found
    from ecgdash.services.import_privacy import Pseudonyms

__all__ = ["OneTable", "ReadTables", "patient_table_outcome", "told"]


@dataclass(frozen=True)
class OneTable:
    """Echoes or diagnoses of one file as read.

    Attributes
    ----------
    file : str
        Its name, for the report.
    items : tuple of EchoStudy or of Diagnosis
    problems : tuple of str
        One sentence per row that was refused or changed.
    remarks : tuple of str
        What concerns the table as a whole.
    """

    file: str
    items: tuple[Any, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadTables:
    """All tables of an import that come beside its ECGs."""

    echoes: tuple[OneTable, ...] = ()
    diagnoses: tuple[OneTable, ...] = ()

    @classmethod
    def read(
        cls,
        echo: Path | None,
        diagnoses: Path | None,
        sets: "DataSets",
        settings: Settings,
    ) -> "ReadTables":
        """Read the tables that are given and those of known data sets.

        Raises
        ------
        TableError
            If one cannot be used at all.
        """
        from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv

        of_echoes, of_diagnoses = [], []
        if echo is not None:
            studies, problems = read_echo_csv(
                Path(echo), settings.zone, keep_reports=settings.keep_reports
            )
            of_echoes.append(OneTable(Path(echo).name, tuple(studies), told(problems)))
        if diagnoses is not None:
            items, problems = read_diagnoses_csv(Path(diagnoses))
            of_diagnoses.append(OneTable(Path(diagnoses).name, tuple(items), told(problems)))
        of_echoes += [_of_set(found) for found in sets.echoes()]
        of_diagnoses += [_of_set(found) for found in sets.diagnoses()]
        return cls(tuple(of_echoes), tuple(of_diagnoses))

    def under(self, hidden: "Pseudonyms | None") -> "ReadTables":
        """Return the tables with pseudonyms for patient ids; the same where ids are kept."""
        if hidden is None:
            return self
        return ReadTables(
            tuple(
                replace(table, items=tuple(map(hidden.echo, table.items))) for table in self.echoes
            ),
            tuple(
                replace(table, items=tuple(map(hidden.diagnosis, table.items)))
                for table in self.diagnoses
            ),
        )

    @classmethod
    def of(cls, echoes: Sequence[EchoStudy], diagnoses: Sequence[Diagnosis]) -> "ReadTables":
        """Return what is in memory already as tables without a file; empty ones are none."""
        return cls(
            (OneTable("echoes", tuple(echoes)),) if echoes else (),
            (OneTable("diagnoses", tuple(diagnoses)),) if diagnoses else (),
        )


def _of_set(found: "Found") -> OneTable:
    return OneTable(found.file, found.items, told(found.problems), found.remarks)


def patient_table_outcome(
    file: str, table: "PatientTable", used: Collection[str]
) -> TableOutcome | None:
    """Return what became of a patient table's rows, or None if each was used and fine.

    Parameters
    ----------
    file : str
    table : PatientTable
        A row may stand under several files: PTB-XL names one of each rate.
    used : collection of str
        Keys of the files that got facts from it.
    """
    rows = {id(row) for row in table.rows.values()}
    n_used = len({id(table.rows[key]) for key in used})
    n_idle = len(rows) - n_used
    if not table.problems and not n_idle:
        return None
    idle = "1 row is about a file" if n_idle == 1 else f"{n_idle:,} rows are about files"
    remarks = (f"{idle} not among those imported",) if n_idle else ()
    return TableOutcome(file, n_used, 0, told(table.problems), remarks)


def told(problems: "Sequence[RowProblem]") -> tuple[str, ...]:
    """Return the problems of a table in the order of its rows; a row may be kept with a remark."""
    return tuple(
        f"row {problem.row}{f', {problem.column}' if problem.column else ''}: {problem.message}"
        + ("" if problem.refused else " (row kept)")
        for problem in problems
    )
