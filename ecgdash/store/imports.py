"""The record of imports: what became of every file."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from ecgdash.store.base import StoreBase, new_key
from ecgdash.store.objects import ImportRow
from ecgdash.store.schema import import_rows, import_runs

__all__ = ["ImportsPart"]


class ImportsPart(StoreBase):
    """The store's methods about imports."""

    def start_import(self, site: str) -> str:
        """Open an import; return its key."""
        key = new_key()
        with self._writing() as connection:
            connection.execute(
                insert(import_runs).values(key=key, site=site, started_at=datetime.now(UTC))
            )
        return key

    def add_import_row(self, run_key: str, row: ImportRow) -> None:
        """Write down what became of one file."""
        with self._writing() as connection:
            connection.execute(
                insert(import_rows).values(
                    run=self._id_of(connection, import_runs, run_key),
                    file=row.file,
                    file_format=row.file_format,
                    outcome=row.outcome,
                    patient_code=row.patient_code,
                    ecg_key=row.ecg,
                    reason=row.reason,
                    todo=row.todo,
                )
            )

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
        query = (
            select(import_rows)
            .join(import_runs)
            .where(import_runs.c.key == run_key)
            .order_by(import_rows.c.id)
        )
        with self._reading() as connection:
            return [_row(row) for row in connection.execute(query)]

    def last_import(self) -> str | None:
        """Return the key of the import begun last, or None."""
        newest = select(func.max(import_runs.c.id)).scalar_subquery()
        with self._reading() as connection:
            key: str | None = connection.execute(
                select(import_runs.c.key).where(import_runs.c.id == newest)
            ).scalar()
            return key


def _row(row: Row[Any]) -> ImportRow:
    return ImportRow(
        file=row.file,
        outcome=row.outcome,
        file_format=row.file_format,
        patient_code=row.patient_code,
        ecg=row.ecg_key,
        reason=row.reason,
        todo=row.todo,
    )
