"""The record of imports: what became of every file."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, func, insert, select, union, update

from ecgdash.store.base import StoreBase, new_key
from ecgdash.store.objects import ImportOutcome, ImportRow
from ecgdash.store.schema import (
    diagnoses,
    ecgs,
    echoes,
    import_rows,
    import_runs,
    patients,
)

__all__ = ["ImportsPart"]

_ROWS_PER_PAGE: Final = 500

# Made once, as in `base`: every file of an import runs them.
_ADD_ROW: Final = insert(import_rows)
_HAS_ROW: Final = select(import_rows.c.id).where(
    import_rows.c.run == bindparam("of_run"), import_rows.c.source == bindparam("of_source")
)
_EARLIER_ROW: Final = (
    select(import_rows)
    .join(import_runs)
    .join(ecgs, ecgs.c.key == import_rows.c.ecg_key)
    .where(import_runs.c.fingerprint == bindparam("call"), import_runs.c.undone_at.is_(None))
    .where(import_runs.c.finished_at.is_not(None), import_rows.c.source == bindparam("of_source"))
    .order_by(import_rows.c.id.desc())
    .limit(1)
)


class ImportsPart(StoreBase):
    """The store's methods about imports."""

    def start_import(self, site: str, fingerprint: str | None = None) -> str:
        """Open an import; return its key.

        Parameters
        ----------
        site : str
        fingerprint : str, optional
            Of the call, at most 64 characters: `open_import` finds it again.
        """
        key = new_key()
        with self._writing() as connection:
            connection.execute(
                insert(import_runs).values(
                    key=key, site=site, started_at=datetime.now(UTC), fingerprint=fingerprint
                )
            )
        return key

    def open_import(self, fingerprint: str) -> str | None:
        """Return the key of the latest import of this call that never finished, or None."""
        query = (
            select(import_runs.c.key)
            .where(import_runs.c.fingerprint == fingerprint)
            .where(import_runs.c.finished_at.is_(None), import_runs.c.undone_at.is_(None))
            .order_by(import_runs.c.id.desc())
        )
        with self._reading() as connection:
            key: str | None = connection.execute(query).scalar()
            return key

    def has_finished_import(self, fingerprint: str) -> bool:
        """Tell whether an import of this call was finished, and not undone."""
        query = select(import_runs.c.id).where(
            import_runs.c.fingerprint == fingerprint,
            import_runs.c.finished_at.is_not(None),
            import_runs.c.undone_at.is_(None),
        )
        with self._reading() as connection:
            return connection.execute(query).first() is not None

    def add_import_row(self, run_key: str, row: ImportRow, source: str | None = None) -> None:
        """Write down what became of one file; `source` tells it from all others of the run."""
        with self._writing() as connection:
            run = self._run_id(connection, run_key)
            values = {
                "run": run,
                "file": row.file,
                "file_format": row.file_format,
                "outcome": row.outcome,
                "patient_code": row.patient_code,
                "ecg_key": row.ecg,
                "reason": row.reason,
                "todo": row.todo,
                "source": source,
                "audit": list(row.audit) or None,
            }
            connection.execute(_ADD_ROW, values)
            if row.outcome == "duplicate":
                owner = select(ecgs.c.import_run).where(ecgs.c.key == row.ecg)
                self._link_runs(connection, run, connection.execute(owner).scalars())

    def has_import_row(self, run_key: str, source: str) -> bool:
        """Tell whether an import has dealt with a file already."""
        with self._reading() as connection:
            asked = {"of_run": self._run_id(connection, run_key), "of_source": source}
            return connection.execute(_HAS_ROW, asked).first() is not None

    def row_of_earlier_import(self, fingerprint: str, source: str) -> ImportRow | None:
        """Return the row of a finished import of the same call that stored this very file."""
        asked = {"call": fingerprint, "of_source": source}
        with self._reading() as connection:
            found = connection.execute(_EARLIER_ROW, asked).first()
        return None if found is None else _row(found)

    def finish_import(self, run_key: str) -> None:
        """Close an import; one that was killed stays open."""
        with self._writing() as connection:
            connection.execute(
                update(import_runs)
                .where(import_runs.c.key == run_key)
                .values(finished_at=datetime.now(UTC))
            )

    def import_rows_of(self, run_key: str) -> list[ImportRow]:
        """Return what became of the files of an import, in their order."""
        return list(self.iter_import_rows(run_key))

    def iter_import_rows(
        self, run_key: str, outcomes: Sequence[ImportOutcome] = ()
    ) -> Iterator[ImportRow]:
        """Yield rows in their order, some hundred in memory at a time.

        Parameters
        ----------
        run_key : str
        outcomes : sequence of str
            Of these only; empty: all.
        """
        last = 0
        while True:
            query = _rows_of(run_key, outcomes).where(import_rows.c.id > last)
            with self._reading() as connection:
                found = connection.execute(query.limit(_ROWS_PER_PAGE)).all()
            if not found:
                return
            yield from map(_row, found)
            last = found[-1].id

    def import_rows_page(
        self, run_key: str, start: int, n_rows: int, outcomes: Sequence[ImportOutcome] = ()
    ) -> list[ImportRow]:
        """Return `n_rows` rows of an import from number `start` (from 0) on."""
        query = _rows_of(run_key, outcomes).offset(start).limit(n_rows)
        with self._reading() as connection:
            return [_row(row) for row in connection.execute(query)]

    def import_counts(self, run_key: str) -> dict[ImportOutcome, int]:
        """Return how many rows of an import have each outcome."""
        query = (
            select(import_rows.c.outcome, func.count())
            .join(import_runs)
            .where(import_runs.c.key == run_key)
            .group_by(import_rows.c.outcome)
        )
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def import_audit(self, run_key: str) -> dict[str, int]:
        """Return how many rows of an import bear each audit finding."""
        query = (
            select(import_rows.c.audit)
            .join(import_runs)
            .where(import_runs.c.key == run_key, import_rows.c.audit.is_not(None))
        )
        counts: dict[str, int] = {}
        with self._reading() as connection:
            for names in connection.execute(query).scalars():
                for name in names:
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def brought_by(self, run_key: str) -> tuple[int, int]:
        """Return how many echoes and how many diagnoses an import brought."""
        with self._reading() as connection:
            run = self._run_id(connection, run_key)
            n_echoes, n_diagnoses = (
                connection.execute(
                    select(func.count()).select_from(table).where(table.c.import_run == run)
                ).scalar_one()
                for table in (echoes, diagnoses)
            )
        return n_echoes, n_diagnoses

    def patients_of_import(self, run_key: str) -> list[str]:
        """Return the keys of patients that an import brought something for."""
        with self._reading() as connection:
            run = self._run_id(connection, run_key)
            touched = union(
                *(
                    select(table.c.patient).where(table.c.import_run == run)
                    for table in (ecgs, echoes, diagnoses)
                )
            )
            query = select(patients.c.key).where(patients.c.id.in_(touched))
            return list(connection.execute(query.order_by(patients.c.id)).scalars())

    def last_import(self) -> str | None:
        """Return the key of the import begun last, or None."""
        newest = select(func.max(import_runs.c.id)).scalar_subquery()
        with self._reading() as connection:
            key: str | None = connection.execute(
                select(import_runs.c.key).where(import_runs.c.id == newest)
            ).scalar()
            return key


def _rows_of(run_key: str, outcomes: Sequence[ImportOutcome]) -> Select[Any]:
    query = select(import_rows).join(import_runs).where(import_runs.c.key == run_key)
    if outcomes:
        query = query.where(import_rows.c.outcome.in_(list(outcomes)))
    return query.order_by(import_rows.c.id)


def _row(row: Row[Any]) -> ImportRow:
    return ImportRow(
        file=row.file,
        outcome=row.outcome,
        file_format=row.file_format,
        patient_code=row.patient_code,
        ecg=row.ecg_key,
        reason=row.reason,
        todo=row.todo,
        audit=tuple(row.audit or ()),
    )
