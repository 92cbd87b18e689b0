"""What looks wrong with an ECG, echo or diagnosis that is kept all the same.

Nothing is dropped for it: each finding is a remark of the row, a note of the ECG, and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecgdash.domain.patient import Diagnosis, EchoStudy
from ecgdash.store import PreparedEcg, StoredEcg, StoredPatient
from ecgdash.store.import_undo import birth_year_of

__all__ = ["AUDIT", "Remark", "audit_ecg", "table_remarks"]

AUDIT: Final[dict[str, str]] = {
    "same_waveform_other_patient": "Check whose ECG this is and when it was recorded",
    "same_waveform_other_time": "Check whose ECG this is and when it was recorded",
    "future_date": "Check the clock of the cart",
    "birth_year": "Check whose ECG this is and how old the patient is",
    "sex": "Check whose ECG this is",
}
"""Names of the findings about ECGs, with what to do."""

_CLOCKS_APART: Final = timedelta(days=1)
"""Zones and clocks differ by less (our choice)."""
_YEARS_APART: Final = 1
"""Birth years from ages in whole years differ by this much for one person."""


@dataclass(frozen=True)
class Remark:
    """One finding.

    Attributes
    ----------
    name : str
        Row of `AUDIT`.
    text : str
        One clause, without the patient's name or id.
    """

    name: str
    text: str


def audit_ecg(
    ecg: PreparedEcg, patient: StoredPatient, twins: Sequence[StoredEcg], now: datetime
) -> Iterator[Remark]:
    """Compare an ECG with the clock, with its patient and with the same waveform elsewhere.

    Parameters
    ----------
    ecg : PreparedEcg
    patient : StoredPatient
        As stored: sex and birth year are of the patient's first ECG that states them.
    twins : sequence of StoredEcg
        Stored ECGs of the same content hash.
    now : datetime
        Aware.
    """
    if any(twin.patient_key != patient.key for twin in twins):
        yield Remark(
            "same_waveform_other_patient", "the same waveform is stored for another patient"
        )
    elif twins:
        yield Remark("same_waveform_other_time", "the same waveform is stored at another time")
    if ecg.recorded_at is not None and ecg.recorded_at > now + _CLOCKS_APART:
        yield Remark("future_date", "it is dated in the future")
    year, known = birth_year_of(ecg.local_day, ecg.age_years), patient.patient.birth_year
    if year is not None and known is not None and abs(year - known) > _YEARS_APART:
        yield Remark(
            "birth_year",
            f"the age is {abs(year - known)} years off the patient's other ECGs",
        )
    if ecg.sex and patient.patient.sex and ecg.sex != patient.patient.sex:
        yield Remark("sex", "the sex differs from that of the patient's other ECGs")


def table_remarks(
    items: Sequence[EchoStudy | Diagnosis], noun: str, now: datetime
) -> Iterator[tuple[int, str]]:
    """Yield repeated and future entries of a table, by their number among those that were read.

    Parameters
    ----------
    items : sequence of EchoStudy or Diagnosis
    noun : str
        "echo" or "diagnosis".
    now : datetime
        Aware.
    """
    seen: dict[object, int] = {}
    tomorrow = (now + _CLOCKS_APART).date()
    for number, item in enumerate(items, start=1):
        day = item.local_day if isinstance(item, EchoStudy) else item.recorded_on
        first = seen.setdefault(item, number)
        if first != number:
            yield number, f"{noun} {number} repeats number {first}; stored once"
        elif day > tomorrow:
            yield number, f"{noun} {number} is dated in the future (row kept)"
