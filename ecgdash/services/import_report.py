"""What became of the files of an import."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ecgdash.store import ImportRow

__all__ = ["ImportReport", "TableOutcome"]


@dataclass(frozen=True)
class TableOutcome:
    """What became of the rows of an echo or diagnosis table.

    Attributes
    ----------
    problems : tuple of str
        One sentence per row that was refused, with its number.
    """

    file: str
    n_accepted: int
    n_duplicate: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """Rows of one import, with counts.

    Attributes
    ----------
    key : str
        Key of the import in the store.
    rows : tuple of ImportRow
        One per file, in the order of reading.
    tables : tuple of TableOutcome
    seconds : float
    patient_keys : tuple of str
        Patients that got something new.
    n_same_waveform : int
        ECGs kept although their waveform is stored for another patient or time.
    """

    key: str
    rows: tuple[ImportRow, ...]
    tables: tuple[TableOutcome, ...]
    seconds: float
    patient_keys: tuple[str, ...] = ()
    n_same_waveform: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Files by outcome."""
        found = Counter(row.outcome for row in self.rows)
        return {
            "accepted": found["accepted"],
            "duplicate": found["duplicate"],
            "withheld": found["withheld"],
            "rejected": found["rejected"],
        }

    @property
    def any_accepted(self) -> bool:
        """Whether anything of what was handed over could be used."""
        usable = sum(self.counts.values()) - self.counts["rejected"]
        return usable > 0 or any(table.n_accepted + table.n_duplicate for table in self.tables)

    @property
    def needs_a_look(self) -> Sequence[ImportRow]:
        """Rows that were rejected or withheld."""
        return [row for row in self.rows if row.outcome in ("rejected", "withheld")]

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "import": self.key,
            "counts": self.counts,
            "same_waveform_kept": self.n_same_waveform,
            "seconds": round(self.seconds, 3),
            "rows": [asdict(row) for row in self.rows],
            "tables": [asdict(table) for table in self.tables],
        }
