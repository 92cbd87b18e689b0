"""Takes an import back as a whole, in one transaction."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, or_, select, union, update

from ecgdash.errors import NotFound, StoreError
from ecgdash.store.attributions import forget_attributions
from ecgdash.store.base import StoreBase
from ecgdash.store.objects import Undone
from ecgdash.store.patient_names import forget_names
from ecgdash.store.schema import (
    actions,
    diagnoses,
    ecgs,
    echoes,
    import_links,
    import_rows,
    import_runs,
    patients,
    predictions,
)

__all__ = ["UndoPart", "birth_year_of"]

_IDS_PER_STATEMENT: Final = 500
"""SQLite bounds the parameters of a statement."""


class UndoPart(StoreBase):
    """The store's method that undoes an import."""

    def undo_import(self, run_key: str, *, keep_scores: bool = True) -> Undone:
        """Remove what one import brought: all of it, or nothing.

        Its rows stay as a record of what was done, without patient codes.

        Parameters
        ----------
        run_key : str
        keep_scores : bool
            False: scores of the patients that remain go too, for they may rest on
            removed ECGs and echoes and nobody will renew them.

        Raises
        ------
        NotFound
            If there is no such import.
        StoreError
            If it was undone before, or a later import was not stored because of it.
        """
        with self._writing() as connection:
            run = _run_to_undo(connection, run_key)
            touched = _touched(connection, run)
            marked = select(ecgs.c.key).where(ecgs.c.import_run == run)
            n_marks = connection.execute(delete(actions).where(actions.c.ecg.in_(marked))).rowcount
            n_ecgs, n_echoes, n_diagnoses = (
                connection.execute(delete(table).where(table.c.import_run == run)).rowcount
                for table in (ecgs, echoes, diagnoses)
            )
            empty = _without_anything(connection, touched)
            for part in _parts(empty):
                n_marks += connection.execute(
                    delete(actions).where(actions.c.patient.in_(part))
                ).rowcount
                connection.execute(delete(patients).where(patients.c.id.in_(part)))
            forget_names(connection, run)
            forget_attributions(connection)
            gone = set(empty)
            kept = [patient for patient in touched if patient not in gone]
            for patient in kept:
                _know_again(connection, patient)
                self._mark_stale(connection, patient)
                if not keep_scores:
                    own = select(ecgs.c.id).where(ecgs.c.patient == patient)
                    connection.execute(delete(predictions).where(predictions.c.ecg.in_(own)))
            _close(connection, run)
            keys = _keys_of(connection, kept)
        return Undone(n_ecgs, n_echoes, n_diagnoses, len(empty), n_marks, keys)


def birth_year_of(local_day: date | None, age_years: float | None) -> int | None:
    """Return the year of birth by age and date; ages that code "over 89" give none."""
    if local_day is None or age_years is None or not 0 <= age_years < 120:
        return None
    return local_day.year - int(age_years)


def _run_to_undo(connection: Connection, run_key: str) -> int:
    found: Row[Any] | None = connection.execute(
        select(import_runs).where(import_runs.c.key == run_key)
    ).first()
    if found is None:
        raise NotFound(
            "no such import in this store", todo="Take its key from the report of the import"
        )
    if found.undone_at is not None:
        raise StoreError("this import was undone before", todo="Nothing is left to do")
    later = connection.execute(
        select(func.count())
        .select_from(import_links)
        .join(import_runs, import_runs.c.id == import_links.c.run)
        .where(import_links.c.relies_on == found.id, import_runs.c.undone_at.is_(None))
    ).scalar_one()
    if later:
        which = "another import" if later == 1 else f"{later} other imports"
        raise StoreError(
            f"{which} brought some of the same ECGs, echoes or diagnoses, which would be lost",
            accepted="An import can be undone when no later one holds the same",
            todo="Undo the later one first",
        )
    return int(found.id)


def _touched(connection: Connection, run: int) -> list[int]:
    """Return ids of patients that lose something, those of skipped files included."""
    return list(
        connection.execute(
            union(
                *(
                    select(table.c.patient).where(table.c.import_run == run)
                    for table in (ecgs, echoes, diagnoses)
                )
            )
        ).scalars()
    )


def _without_anything(connection: Connection, touched: Sequence[int]) -> list[int]:
    empty: list[int] = []
    owns = or_(*(exists().where(table.c.patient == patients.c.id) for table in _OWNED))
    for part in _parts(touched):
        query = select(patients.c.id).where(patients.c.id.in_(part), ~owns)
        empty += connection.execute(query.order_by(patients.c.id)).scalars()
    return empty


_OWNED: Final = (ecgs, echoes, diagnoses)


def _know_again(connection: Connection, patient: int) -> None:
    """Take sex and birth year from the ECGs that remain, as they were taken at import."""
    rows = connection.execute(
        select(ecgs.c.sex, ecgs.c.local_day, ecgs.c.age_years)
        .where(ecgs.c.patient == patient)
        .order_by(ecgs.c.id)
    ).all()
    years = (birth_year_of(row.local_day, row.age_years) for row in rows)
    known = {
        "sex": next((row.sex for row in rows if row.sex), None),
        "birth_year": next((year for year in years if year), None),
    }
    connection.execute(update(patients).where(patients.c.id == patient).values(**known))


def _close(connection: Connection, run: int) -> None:
    connection.execute(delete(import_links).where(import_links.c.run == run))
    connection.execute(
        update(import_rows).where(import_rows.c.run == run).values(ecg_key=None, patient_code=None)
    )
    connection.execute(
        update(import_runs).where(import_runs.c.id == run).values(undone_at=datetime.now(UTC))
    )


def _keys_of(connection: Connection, ids: Sequence[int]) -> tuple[str, ...]:
    keys: list[str] = []
    for part in _parts(ids):
        query = select(patients.c.key).where(patients.c.id.in_(part)).order_by(patients.c.id)
        keys += connection.execute(query).scalars()
    return tuple(keys)


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [
        ids[start : start + _IDS_PER_STATEMENT] for start in range(0, len(ids), _IDS_PER_STATEMENT)
    ]
