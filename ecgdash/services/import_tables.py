"""Tables that come with an import: echoes and diagnoses, read before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecgdash.domain.patient import Diagnosis, EchoStudy
from ecgdash.services.import_report import TableOutcome
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.io import PatientTable, RowProblem

__all__ = ["ReadTables", "patient_table_outcome"]


@dataclass
class ReadTables:
    """Echoes and diagnoses as read, with the names and problems of their files."""

    echoes: list[EchoStudy] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    echo_file: str = "echoes"
    diagnosis_file: str = "diagnoses"
    echo_problems: tuple[str, ...] = ()
    diagnosis_problems: tuple[str, ...] = ()
    given: tuple[bool, bool] = (False, False)

    @classmethod
    def read(cls, echo: Path | None, diagnoses: Path | None, settings: Settings) -> "ReadTables":
        """Read the tables that are given; raises `TableError` if one cannot be used at all."""
        from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv

        read = cls(given=(echo is not None, diagnoses is not None))
        if echo is not None:
            read.echoes, problems = read_echo_csv(Path(echo), settings.zone)
            read.echo_file, read.echo_problems = Path(echo).name, _told(problems)
        if diagnoses is not None:
            read.diagnoses, problems = read_diagnoses_csv(Path(diagnoses))
            read.diagnosis_file = Path(diagnoses).name
            read.diagnosis_problems = _told(problems)
        return read

    def add_echoes(self, echoes: Sequence[EchoStudy], problems: "Sequence[RowProblem]") -> None:
        """Add a data set's echoes to those of the table."""
        if not echoes and not problems:
            return
        if not self.given[0]:
            self.echo_file = "echoes of the data set"
        self.echoes = [*self.echoes, *echoes]
        self.echo_problems = (*self.echo_problems, *_told(problems))
        self.given = (True, self.given[1])


def patient_table_outcome(file: Path, table: "PatientTable", n_used: int) -> TableOutcome | None:
    """Return what was wrong with rows of a patient table, or None if nothing was.

    `n_accepted` counts the files that got facts from the table.
    """
    if not table.problems:
        return None
    return TableOutcome(file.name, n_used, 0, _told(table.problems))


def _told(problems: "Sequence[RowProblem]") -> tuple[str, ...]:
    """Return the problems of a table in the order of its rows; a row may be kept with a remark."""
    return tuple(
        f"row {problem.row}{f', {problem.column}' if problem.column else ''}: {problem.message}"
        + ("" if problem.refused else " (row kept)")
        for problem in problems
    )
