"""Patients, their echoes and diagnoses."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from ecgdash.domain.ecg import normalise_patient_id
from ecgdash.domain.patient import Diagnosis, EchoStudy, Patient
from ecgdash.errors import NotFound
from ecgdash.store.base import StoreBase, new_key
from ecgdash.store.objects import StoredPatient
from ecgdash.store.schema import diagnoses, echoes, patients

__all__ = ["PatientsPart"]


class PatientsPart(StoreBase):
    """The store's methods about people."""

    def put_patient(self, patient: Patient, *, simulated: bool = False) -> str:
        """Return the key of this patient, stored now if not before.

        A sex or birth year that the store lacks is filled in; one that it has stays.
        """
        with self._writing() as connection:
            row = connection.execute(
                select(patients).where(
                    patients.c.site == patient.site, patients.c.code == patient.id
                )
            ).first()
            if row is None:
                return self._insert_patient(connection, patient, simulated)
            known = {
                "sex": row.sex or patient.sex,
                "birth_year": row.birth_year or patient.birth_year,
            }
            if known != {"sex": row.sex, "birth_year": row.birth_year}:
                connection.execute(
                    update(patients).where(patients.c.id == row.id).values(**known, stale=True)
                )
            return str(row.key)

    @staticmethod
    def _insert_patient(connection: Connection, patient: Patient, simulated: bool) -> str:
        key = new_key()
        connection.execute(
            insert(patients).values(
                key=key,
                site=patient.site,
                code=patient.id,
                sex=patient.sex,
                birth_year=patient.birth_year,
                simulated=simulated,
                stale=True,
            )
        )
        return key

    def patient(self, key: str) -> StoredPatient:
        """Return a patient by key; raises `NotFound`."""
        with self._reading() as connection:
            row = connection.execute(select(patients).where(patients.c.key == key)).first()
        if row is None:
            raise NotFound("no such patient in this store", todo="Open the worklist and choose one")
        return _patient(row)

    def find_patients(self, reference: str) -> list[StoredPatient]:
        """Return the patients that a key, an id or SITE/ID names; several sites may share an id."""
        code = normalise_patient_id(reference) or ""
        conditions = [patients.c.key == reference, patients.c.code == code]
        # Sites and ids may hold slashes themselves.
        parts = reference.split("/")
        for cut in range(1, len(parts)):
            site, there = "/".join(parts[:cut]), normalise_patient_id("/".join(parts[cut:]))
            conditions.append((patients.c.site == site) & (patients.c.code == (there or "")))
        with self._reading() as connection:
            rows = connection.execute(
                select(patients).where(or_(*conditions)).order_by(patients.c.site)
            ).all()
        return [_patient(row) for row in rows]

    def patient_keys(self, *, stale_only: bool = False) -> list[str]:
        """Return keys of all patients, or of those whose worklist row is out of date."""
        query = select(patients.c.key).order_by(patients.c.id)
        if stale_only:
            query = query.where(patients.c.stale)
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def n_patients(self) -> int:
        """Return how many patients are stored."""
        with self._reading() as connection:
            return int(connection.execute(select(func.count()).select_from(patients)).scalar_one())

    def any_simulated(self) -> bool:
        """Tell whether any stored patient is simulated."""
        return self._any(patients.c.simulated)

    def any_real(self) -> bool:
        """Tell whether any stored patient is not simulated."""
        return self._any(~patients.c.simulated)

    def _any(self, condition: ColumnElement[bool]) -> bool:
        with self._reading() as connection:
            return (
                connection.execute(select(patients.c.id).where(condition).limit(1)).first()
                is not None
            )

    def add_echo(self, patient_key: str, study: EchoStudy, run_key: str | None = None) -> bool:
        """Store an echo, brought by an import; False if the very same one is there already."""
        facts = {
            "performed_at": study.performed_at,
            "has_time": study.has_time,
            "lvef_percent": study.lvef_percent,
            "method": study.method,
        }
        with self._writing() as connection:
            patient = self._id_of(connection, patients, patient_key)
            run = None if run_key is None else self._run_id(connection, run_key)
            same = select(echoes.c.import_run).where(
                echoes.c.patient == patient,
                *(echoes.c[name] == fact for name, fact in facts.items()),
            )
            found = connection.execute(same).first()
            if found is not None:
                self._link_runs(connection, run, [found.import_run])
                return False
            key = study.key or new_key()
            connection.execute(
                insert(echoes).values(
                    key=key, patient=patient, local_day=study.local_day, import_run=run, **facts
                )
            )
            self._mark_stale(connection, patient)
            return True

    def echoes_of(self, patient_key: str) -> list[EchoStudy]:
        """Return a patient's echoes, oldest first."""
        query = (
            select(echoes, patients.c.code)
            .join(patients)
            .where(patients.c.key == patient_key)
            .order_by(echoes.c.performed_at, echoes.c.id)
        )
        with self._reading() as connection:
            return [_echo(row) for row in connection.execute(query)]

    def add_diagnoses(
        self, patient_key: str, items: Iterable[Diagnosis], run_key: str | None = None
    ) -> int:
        """Store diagnoses, brought by an import, unless there; return how many were new."""
        with self._writing() as connection:
            patient = self._id_of(connection, patients, patient_key)
            run = None if run_key is None else self._run_id(connection, run_key)
            owners = connection.execute(
                select(
                    diagnoses.c.code_system,
                    diagnoses.c.code,
                    diagnoses.c.recorded_on,
                    diagnoses.c.import_run,
                ).where(diagnoses.c.patient == patient)
            )
            known = {tuple(row)[:3]: row.import_run for row in owners}
            given = {(item.code_system, item.code, item.recorded_on): item for item in items}
            self._link_runs(connection, run, [known[fact] for fact in given if fact in known])
            fresh = [item for fact, item in given.items() if fact not in known]
            if fresh:
                connection.execute(
                    insert(diagnoses),
                    [{"import_run": run, **_diagnosis_values(patient, item)} for item in fresh],
                )
                self._mark_stale(connection, patient)
            return len(fresh)

    def diagnoses_of(self, patient_key: str) -> Sequence[Diagnosis]:
        """Return a patient's diagnoses, oldest first."""
        query = (
            select(diagnoses, patients.c.code.label("patient_code"))
            .join(patients)
            .where(patients.c.key == patient_key)
            .order_by(diagnoses.c.recorded_on, diagnoses.c.id)
        )
        with self._reading() as connection:
            return [
                Diagnosis(row.patient_code, row.code_system, row.code, row.recorded_on)
                for row in connection.execute(query)
            ]


def _patient(row: Row[Any]) -> StoredPatient:
    person = Patient(row.code, row.site, row.sex, row.birth_year)
    return StoredPatient(row.key, person, row.simulated)


def _echo(row: Row[Any]) -> EchoStudy:
    return EchoStudy(
        patient_id=row.code,
        performed_at=row.performed_at,
        local_day=row.local_day,
        lvef_percent=row.lvef_percent,
        method=row.method,
        has_time=row.has_time,
        key=row.key,
    )


def _diagnosis_values(patient: int, item: Diagnosis) -> dict[str, Any]:
    return {
        "patient": patient,
        "code_system": item.code_system,
        "code": item.code,
        "recorded_on": item.recorded_on,
    }
