"""What people did about a patient: marks made on the patient page."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from ecgdash.domain.timeline import ActionKind, PatientAction
from ecgdash.store.base import StoreBase
from ecgdash.store.schema import actions, patients

__all__ = ["ActionsPart"]


class ActionsPart(StoreBase):
    """The store's methods about marks."""

    def add_action(self, patient_key: str, kind: ActionKind, ecg: str, made_at: datetime) -> None:
        """Store a mark made for one ECG of a patient."""
        with self._writing() as connection:
            patient = self._id_of(connection, patients, patient_key)
            connection.execute(
                insert(actions).values(patient=patient, kind=kind, ecg=ecg, made_at=made_at)
            )
            self._mark_stale(connection, patient)

    def actions_of(self, patient_key: str) -> list[PatientAction]:
        """Return a patient's marks in the order in which they were made."""
        with self._reading() as connection:
            rows = connection.execute(
                select(actions)
                .join(patients, patients.c.id == actions.c.patient)
                .where(patients.c.key == patient_key)
                .order_by(actions.c.id)
            )
            return [PatientAction(row.kind, row.ecg, row.made_at) for row in rows]

    def undo_action(self, patient_key: str) -> bool:
        """Take a patient's latest mark back; return whether there was one."""
        with self._writing() as connection:
            patient = self._id_of(connection, patients, patient_key)
            latest = connection.execute(
                select(actions.c.id)
                .where(actions.c.patient == patient)
                .order_by(actions.c.id.desc())
                .limit(1)
            ).scalar()
            if latest is None:
                return False
            connection.execute(delete(actions).where(actions.c.id == latest))
            self._mark_stale(connection, patient)
            return True
