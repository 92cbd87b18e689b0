"""What became of the files of an import."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, overload

from ecgdash.store import ImportOutcome, ImportRow, Store

__all__ = ["ImportReport", "StoredRows", "TableOutcome"]


class StoredRows(Sequence[ImportRow]):
    """The rows of an import as a sequence that reads them from the store, a page at a time.

    Parameters
    ----------
    store : Store
    key : str
        Of the import.
    outcomes : sequence of str
        Of these only; empty: all.
    """

    def __init__(self, store: Store, key: str, outcomes: Sequence[ImportOutcome] = ()) -> None:
        self._store, self._key, self._outcomes = store, key, tuple(outcomes)

    @cached_property
    def counts(self) -> dict[str, int]:
        """All rows of the import by outcome."""
        return {str(name): n for name, n in self._store.import_counts(self._key).items()}

    def of(self, *outcomes: ImportOutcome) -> "StoredRows":
        """Return the rows of these outcomes."""
        return StoredRows(self._store, self._key, outcomes)

    def __len__(self) -> int:
        counts = self.counts
        return sum(counts.get(name, 0) for name in self._outcomes or counts)

    def __iter__(self) -> Iterator[ImportRow]:
        return self._store.iter_import_rows(self._key, self._outcomes)

    @overload
    def __getitem__(self, index: int) -> ImportRow: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ImportRow]: ...

    def __getitem__(self, index: int | slice) -> ImportRow | Sequence[ImportRow]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._page(places, 1)[0]
        if not places:
            return []
        low = min(places[0], places[-1])
        page = self._page(low, abs(places[-1] - places[0]) + 1)
        return [page[place - low] for place in places]

    def _page(self, start: int, n_rows: int) -> list[ImportRow]:
        return self._store.import_rows_page(self._key, start, n_rows, self._outcomes)


@dataclass(frozen=True)
class TableOutcome:
    """What became of the rows of an echo or diagnosis table.

    Attributes
    ----------
    problems : tuple of str
        One sentence per row that was refused or changed, with its number.
    remarks : tuple of str
        What concerns the table as a whole.
    """

    file: str
    n_accepted: int
    n_duplicate: int
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def n_refused(self) -> int:
        """Rows that were not kept."""
        return sum(not problem.endswith("(row kept)") for problem in self.problems)


@dataclass(frozen=True)
class ImportReport:
    """Rows of one import, with counts.

    Attributes
    ----------
    key : str
        Key of the import in the store.
    rows : sequence of ImportRow
        One per file, in the order of reading; read from the store as they are asked for.
    tables : tuple of TableOutcome
    seconds : float
    patient_keys : tuple of str
        Patients that got something new.
    n_same_waveform : int
        ECGs kept although their waveform is stored for another patient or time.
    n_resumed : int
        Files that an earlier run of the same call, which did not finish, had dealt with.
    audit : mapping of str to int
        ECGs that were kept although something looks wrong, by `import_audit.AUDIT`.
    sources : sequence of dict
        Data sets by profile, with their tables and what their low-EF labels mean.
    """

    key: str
    rows: Sequence[ImportRow]
    tables: tuple[TableOutcome, ...]
    seconds: float
    patient_keys: tuple[str, ...] = ()
    n_same_waveform: int = 0
    n_resumed: int = 0
    audit: Mapping[str, int] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Files by outcome."""
        rows = self.rows
        found = Counter(
            rows.counts if isinstance(rows, StoredRows) else Counter(row.outcome for row in rows)
        )
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
        if isinstance(self.rows, StoredRows):
            return self.rows.of("rejected", "withheld")
        return [row for row in self.rows if row.outcome in ("rejected", "withheld")]

    @property
    def audited(self) -> Iterator[ImportRow]:
        """Rows that were accepted although something looks wrong."""
        return (row for row in self.rows if row.audit and row.outcome == "accepted")

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {**self._head(), "rows": [asdict(row) for row in self.rows]}

    def json_parts(self) -> Iterator[str]:
        """Yield the same object as text, row by row: a report can be larger than the memory."""
        yield json.dumps(self._head(), allow_nan=False)[:-1] + ', "rows": ['
        for number, row in enumerate(self.rows):
            yield (", " if number else "") + json.dumps(asdict(row), allow_nan=False)
        yield "]}"

    def _head(self) -> dict[str, Any]:
        return {
            "import": self.key,
            "counts": self.counts,
            "same_waveform_kept": self.n_same_waveform,
            "audit": dict(self.audit),
            "sources": [dict(source) for source in self.sources],
            "resumed": self.n_resumed,
            "seconds": round(self.seconds, 3),
            "tables": [asdict(table) for table in self.tables],
        }
