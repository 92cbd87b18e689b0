"""Names and birth dates of patients, where a site keeps them: which import said so.

The patient's row holds what is shown. Who said so stands beside it, so that a name goes
with the last import that brought it.
"""

from datetime import date

from sqlalchemy import Connection, delete, insert, select, update

from ecgdash.domain.patient import Patient
from ecgdash.store.schema import patient_names, patients

__all__ = ["forget_names", "remember_name"]


def remember_name(
    connection: Connection, patient_id: int, patient: Patient, run: int | None
) -> None:
    """Note that an import (or None) states who the person is, once for each."""
    if patient.name is None and patient.birth_date is None:
        return
    said = {"name": patient.name, "birth_date": patient.birth_date}
    same = select(patient_names.c.id).where(
        patient_names.c.patient == patient_id,
        patient_names.c.import_run == run,
        *(patient_names.c[column] == value for column, value in said.items()),
    )
    if connection.execute(same).first() is None:
        connection.execute(insert(patient_names).values(patient=patient_id, import_run=run, **said))


def forget_names(connection: Connection, run: int) -> None:
    """Take back what an import said; what others said stays, the first of them shown."""
    said = delete(patient_names).where(patient_names.c.import_run == run)
    touched = set(connection.execute(said.returning(patient_names.c.patient)).scalars())
    for patient in sorted(touched):
        left = connection.execute(
            select(patient_names.c.name, patient_names.c.birth_date)
            .where(patient_names.c.patient == patient)
            .order_by(patient_names.c.id)
        ).all()
        name: str | None = next((row.name for row in left if row.name), None)
        birth: date | None = next((row.birth_date for row in left if row.birth_date), None)
        connection.execute(
            update(patients)
            .where(patients.c.id == patient)
            .values(name=name, birth_date=birth, stale=True)
        )
