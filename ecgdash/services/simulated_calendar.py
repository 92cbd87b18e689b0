"""Move simulated patients in time: a cohort's years are arbitrary, a file's are not.

Readers refuse dates in the future, so patients whose course runs past the
present are moved back as a whole; the days between their visits stay.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from ecgdash.domain import Diagnosis, EcgRecord, EchoStudy, Patient
from ecgdash.simulate.cohort import SimulatedCohort

__all__ = [
    "LAST_DAY",
    "days_back",
    "last_day_of",
    "moved_diagnosis",
    "moved_ecg",
    "moved_echo",
    "moved_patient",
]

LAST_DAY = date(2025, 12, 31)
"""No simulated ECG, echo or diagnosis in a file is later."""


def last_day_of(cohort: SimulatedCohort, patient: int) -> date:
    """Return the day of a patient's last ECG, echo or diagnosis."""
    days = [ref.local_day for ref in cohort.ecg_refs(patient)]
    days += [study.local_day for study in cohort.echo_studies(patient)]
    days += [diagnosis.recorded_on for diagnosis in cohort.diagnoses(patient)]
    return max(days)


def days_back(cohort: SimulatedCohort, patient: int) -> int:
    """Return by how many days to move a patient back; 0 where all lies in the past."""
    return max((last_day_of(cohort, patient) - LAST_DAY).days, 0)


def moved_ecg(record: EcgRecord, days: int) -> EcgRecord:
    """Return the record as if recorded `days` earlier."""
    if record.recorded_at is None or days == 0:
        return record
    return replace(record, recorded_at=_earlier(record.recorded_at, days), local_day=None)


def moved_echo(study: EchoStudy, days: int) -> EchoStudy:
    """Return the echo as if performed `days` earlier."""
    at = _earlier(study.performed_at, days)
    return replace(study, performed_at=at, local_day=study.local_day - timedelta(days=days))


def moved_diagnosis(diagnosis: Diagnosis, days: int) -> Diagnosis:
    """Return the diagnosis as if coded `days` earlier."""
    return replace(diagnosis, recorded_on=diagnosis.recorded_on - timedelta(days=days))


def moved_patient(patient: Patient, days: int) -> Patient:
    """Return the patient born `days` earlier, in whole years."""
    if patient.birth_year is None:
        return patient
    return replace(patient, birth_year=patient.birth_year - round(days / 365.25))


def _earlier(at: datetime, days: int) -> datetime:
    return at - timedelta(days=days)
