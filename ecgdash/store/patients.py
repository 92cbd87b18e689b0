"""Patients, their echoes and diagnoses."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from ecgdash.domain.ecg import normalise_patient_id
from ecgdash.domain.patient import Diagnosis, EchoNotes, EchoStudy, Patient
from ecgdash.errors import NotFound
from ecgdash.store.base import StoreBase, new_key
from ecgdash.store.objects import StoredPatient
from ecgdash.store.patient_names import remember_name
from ecgdash.store.schema import diagnoses, echoes, patients

__all__ = ["PatientsPart"]


_FILLED_IN: Final = ("sex", "birth_year", "name", "birth_date")
"""Facts about a person that any later file may add."""

# Made once, as in `base`: every file of an import runs them.
_BY_KEY: Final = select(patients).where(patients.c.key == bindparam("patient_key"))
_BY_CODE: Final = select(patients).where(
    patients.c.site == bindparam("of_site"), patients.c.code == bindparam("of_code")
)
_KEY_OR_CODE: Final = (
    patients.c.key == bindparam("reference"),
    patients.c.code == bindparam("of_code"),
)
_NAMED: Final = select(patients).where(or_(*_KEY_OR_CODE)).order_by(patients.c.site)
_ADD: Final = insert(patients).returning(patients.c.id)
_ECHOES_OF: Final = (
    select(echoes, patients.c.code)
    .join(patients)
    .where(patients.c.key == bindparam("patient_key"))
    .order_by(echoes.c.performed_at, echoes.c.id)
)
_DIAGNOSES_OF: Final = (
    select(diagnoses, patients.c.code.label("patient_code"))
    .join(patients)
    .where(patients.c.key == bindparam("patient_key"))
    .order_by(diagnoses.c.recorded_on, diagnoses.c.id)
)


class PatientsPart(StoreBase):
    """The store's methods about people."""

    def put_patient(
        self, patient: Patient, *, simulated: bool = False, run_key: str | None = None
    ) -> str:
        """Return the key of this patient, stored now if not before.

        What the store lacks of sex, birth year, name and birth date is filled in; what it
        has stays.

        Parameters
        ----------
        patient : Patient
        simulated : bool
        run_key : str, optional
            The import that says so: undoing the last one that gave a name removes the name.
        """
        with self._writing() as connection:
            run = None if run_key is None else self._run_id(connection, run_key)
            row = connection.execute(
                _BY_CODE, {"of_site": patient.site, "of_code": patient.id}
            ).first()
            if row is None:
                return self._insert_patient(connection, patient, simulated, run)
            new = {
                name: value
                for name in _FILLED_IN
                if (value := getattr(patient, name)) and not getattr(row, name)
            }
            if new:
                connection.execute(
                    update(patients).where(patients.c.id == row.id).values(**new, stale=True)
                )
            remember_name(connection, row.id, patient, run)
            return str(row.key)

    @staticmethod
    def _insert_patient(
        connection: Connection, patient: Patient, simulated: bool, run: int | None
    ) -> str:
        key = new_key()
        values = {
            "key": key,
            "site": patient.site,
            "code": patient.id,
            "simulated": simulated,
            "stale": True,
            **{name: getattr(patient, name) for name in _FILLED_IN},
        }
        row_id = connection.execute(_ADD, values).scalar_one()
        remember_name(connection, row_id, patient, run)
        return key

    def patient(self, key: str) -> StoredPatient:
        """Return a patient by key; raises `NotFound`."""
        with self._reading() as connection:
            row = connection.execute(_BY_KEY, {"patient_key": key}).first()
        if row is None:
            raise NotFound("no such patient in this store", todo="Open the worklist and choose one")
        return _patient(row)

    def find_patients(self, reference: str) -> list[StoredPatient]:
        """Return the patients that a key, an id or SITE/ID names; several sites may share an id."""
        code = normalise_patient_id(reference) or ""
        conditions = list(_KEY_OR_CODE)
        # Sites and ids may hold slashes themselves.
        parts = reference.split("/")
        for cut in range(1, len(parts)):
            site, there = "/".join(parts[:cut]), normalise_patient_id("/".join(parts[cut:]))
            conditions.append((patients.c.site == site) & (patients.c.code == (there or "")))
        with self._reading() as connection:
            query = _NAMED
            if len(parts) > 1:
                query = select(patients).where(or_(*conditions)).order_by(patients.c.site)
            rows = connection.execute(query, {"reference": reference, "of_code": code}).all()
        return [_patient(row) for row in rows]

    def sites(self) -> list[str]:
        """Return the sites that have patients, in alphabetical order."""
        with self._reading() as connection:
            query = select(patients.c.site).distinct().order_by(patients.c.site)
            return list(connection.execute(query).scalars())

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
        """Store an echo, brought by an import; False if the very same one is there already.

        It is the same whatever its report says: the stored one keeps its report, or goes
        on without, so that undoing an import leaves nothing of it.
        """
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
                    key=key,
                    patient=patient,
                    local_day=study.local_day,
                    import_run=run,
                    report=_report_value(study.report),
                    **facts,
                )
            )
            self._mark_stale(connection, patient)
            return True

    def echoes_of(self, patient_key: str) -> list[EchoStudy]:
        """Return a patient's echoes, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(_ECHOES_OF, {"patient_key": patient_key})
            return [_echo(row) for row in rows]

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
        with self._reading() as connection:
            return [
                Diagnosis(row.patient_code, row.code_system, row.code, row.recorded_on)
                for row in connection.execute(_DIAGNOSES_OF, {"patient_key": patient_key})
            ]


def _patient(row: Row[Any]) -> StoredPatient:
    person = Patient(row.code, row.site, row.sex, row.birth_year, row.name, row.birth_date)
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
        report=_report(row.report),
    )


def _report_value(notes: EchoNotes | None) -> dict[str, Any] | None:
    if notes is None:
        return None
    return {
        "text": notes.text,
        "wall_motion": list(notes.wall_motion),
        "pulmonary_pressure": list(notes.pulmonary_pressure),
    }


def _report(value: dict[str, Any] | None) -> EchoNotes | None:
    if value is None:
        return None
    return EchoNotes(value["text"], tuple(value["wall_motion"]), tuple(value["pulmonary_pressure"]))


def _diagnosis_values(patient: int, item: Diagnosis) -> dict[str, Any]:
    return {
        "patient": patient,
        "code_system": item.code_system,
        "code": item.code,
        "recorded_on": item.recorded_on,
    }
