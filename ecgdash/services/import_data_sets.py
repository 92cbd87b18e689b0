"""Known data sets among the paths of an import: whose ECG each file is, and their echoes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.domain.patient import EchoStudy
from ecgdash.services.import_profiles import found_data_sets
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.io import PatientTable
    from ecgdash.io.profiles import Recognised
    from ecgdash.io.table_rows import RowProblem

__all__ = ["LEFT_OUT", "DataSets"]

LEFT_OUT: Final = "the 500 Hz file of the same record is taken"


@dataclass
class DataSets:
    """What was recognised; empty where no path is a folder of a known data set."""

    found: "tuple[Recognised, ...]" = ()

    @classmethod
    def of(cls, paths: Sequence[Path], settings: Settings) -> "DataSets":
        """Look into the folders among the paths, two levels deep; nothing is written."""
        folders = [Path(path) for path in paths if Path(path).is_dir()]
        return cls(tuple(one for folder in folders for one in found_data_sets(folder, settings)))

    def sentences(self) -> tuple[str, ...]:
        """Return what was understood, to be said before anything is written."""
        return tuple(sentence for one in self.found for sentence in one.sentences())

    @property
    def files(self) -> tuple[Path, ...]:
        """The tables that are read."""
        return tuple(table.path for one in self.found for table in one.tables)

    @property
    def dates_moved(self) -> bool:
        """Whether one of them moved its dates into the future, as MIMIC did."""
        return any(one.profile.shifted_dates for one in self.found)

    @cached_property
    def table(self) -> "PatientTable | None":
        """All facts about ECG files; None where no table gives any."""
        from ecgdash.io import PatientTable

        joined = PatientTable()
        for one in self.found:
            for file, row in one.facts.rows.items():
                joined.add(file, row)
            joined.problems.extend(one.facts.problems)
        return joined if joined.rows or joined.problems else None

    def is_left_out(self, name: str) -> bool:
        """Tell whether a file is a second copy of a record that the import takes."""
        return any(one.is_left_out(name) for one in self.found)

    def echoes(self) -> "tuple[list[EchoStudy], list[RowProblem]]":
        """Return the data sets' echoes and what was wrong with other rows."""
        studies: list[EchoStudy] = []
        problems: list[RowProblem] = []
        for one in self.found:
            for item in one.echoes():
                if isinstance(item, EchoStudy):
                    studies.append(item)
                else:
                    problems.append(item)
        return studies, problems
