"""What a hospital would hold about simulated patients who never lived.

A `SimulatedCohort` shows observables only. Each ECG's waveform follows from its own
seed, not from the batch it is asked for in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.domain.ecg import EcgRecord, EcgRef, Sex
from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.domain.patient import Diagnosis, EchoStudy, Patient
from ecgdash.errors import InvalidValue
from ecgdash.simulate.blocks import PatientBlock
from ecgdash.simulate.expression import express_parameters
from ecgdash.simulate.latent import (
    LatentCohort,
    LatentCourses,
    LatentHearts,
    LatentPeople,
    LatentVisits,
)
from ecgdash.simulate.parameters import EcgParameters
from ecgdash.simulate.visits import DAY_S, METHOD_OF_CODE, DiagnosisTable, EchoTable

__all__ = ["EcgBatch", "SimulatedCohort", "assemble"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T", LatentVisits, EchoTable, DiagnosisTable)


@dataclass(frozen=True, eq=False)
class EcgBatch:
    """Some ECGs of a cohort.

    Attributes
    ----------
    index : int (b,)
        Rows of the cohort's ECGs.
    signal_mv : float32 (b, 12, n_samples)
        Millivolts, leads in canonical order.
    recorded_at_s : int (b,)
        Seconds since 1970, UTC.
    patient_index : int (b,)
    age_years : (b,)
        At recording.
    male : bool (b,)
    """

    index: IntArray
    signal_mv: NDArray[np.float32]
    recorded_at_s: IntArray
    patient_index: IntArray
    age_years: FloatArray
    male: BoolArray

    @property
    def recorded_at(self) -> list[datetime]:
        """Return the times of recording, aware, UTC."""
        return [_utc(s) for s in self.recorded_at_s]

    @property
    def sex(self) -> list[Sex]:
        """Return the patients' sexes."""
        return [_sex(m) for m in self.male]


@dataclass(frozen=True, eq=False)
class SimulatedCohort:
    """Patients, ECG times, echoes and diagnoses; waveforms on request.

    Rows of ECGs are sorted by patient and time.

    Attributes
    ----------
    seed : int
    site : str
    id_prefix : str
        First part of every patient id.
    n_patients : int
    patient_index : int (m,)
        Patient of each ECG.
    recorded_at_s : int (m,)
        Seconds since 1970, UTC.
    age_years : (m,)
        At each ECG.
    male : bool (m,)
        Of each ECG's patient.
    noise_uv : (m,)
        Level of the recorder's muscle and mains noise, microvolts RMS.
    birth_year : int (n_patients,)
    enriched_as : str (n_patients,)
        Class a patient was added for by `enrich`, "" for the plain cohort.
    echoes : EchoTable
    diagnosis_codes : DiagnosisTable
    """

    seed: int
    site: str
    id_prefix: str
    n_patients: int
    patient_index: IntArray
    recorded_at_s: IntArray
    age_years: FloatArray
    male: BoolArray
    noise_uv: FloatArray
    birth_year: IntArray
    enriched_as: NDArray[np.str_]
    echoes: EchoTable
    diagnosis_codes: DiagnosisTable
    _latent: LatentCohort
    _visit_seed: NDArray[np.uint64]
    _patient_seed: NDArray[np.uint64]

    @property
    def n_ecgs(self) -> int:
        """Number of ECGs."""
        return int(self.patient_index.size)

    @cached_property
    def patients(self) -> tuple[Patient, ...]:
        """All patients, in order of `patient_index`."""
        male = self._latent.people.male
        return tuple(
            Patient(self.patient_id(i), f"{self.id_prefix}-{self.site}", _sex(male[i]), int(year))
            for i, year in enumerate(self.birth_year)
        )

    def patient_id(self, patient: int) -> str:
        """Return a patient's id, for instance ``SIM-A-000123``."""
        return f"{self.id_prefix}-{self.site}-{int(self._latent.people.number[patient]):06d}"

    def ecgs_of(self, patient: int) -> range:
        """Return the rows of a patient's ECGs."""
        return _rows_of(self.patient_index, patient)

    def ecg_refs(self, patient: int) -> list[EcgRef]:
        """Return a patient's ECGs in time order; the key of row 17 is ``e17``."""
        times = [(i, _utc(self.recorded_at_s[i])) for i in self.ecgs_of(patient)]
        return [EcgRef(f"e{i}", time, time.date()) for i, time in times]

    def echo_studies(self, patient: int) -> list[EchoStudy]:
        """Return a patient's echoes in time order; the key of row 5 is ``t5``."""
        table = self.echoes
        studies = []
        for i in _rows_of(table.patient, patient):
            time = _utc(table.performed_at_s[i])
            studies.append(
                EchoStudy(
                    patient_id=self.patient_id(patient),
                    performed_at=time,
                    local_day=time.date(),
                    lvef_percent=float(table.lvef_percent[i]),
                    method=METHOD_OF_CODE[table.method[i]],
                    has_time=bool(table.has_time[i]),
                    key=f"t{i}",
                )
            )
        return studies

    def diagnoses(self, patient: int) -> list[Diagnosis]:
        """Return a patient's coded diagnoses in time order."""
        table = self.diagnosis_codes
        return [
            Diagnosis(self.patient_id(patient), "ICD-10", str(table.code[i]), _day(table.day[i]))
            for i in _rows_of(table.patient, patient)
        ]

    def iter_ecgs(
        self, batch: int = 256, sampling_hz: float = 250.0, which: ArrayLike | None = None
    ) -> Iterator[EcgBatch]:
        """Synthesise ECGs, batch by batch.

        Parameters
        ----------
        batch : int
            ECGs at a time; has no influence on any waveform.
        sampling_hz : float
            Samples per second.
        which : array_like, optional
            Mask (m,) or rows of the ECGs wanted; default all.

        Yields
        ------
        EcgBatch
        """
        from ecgdash.simulate.waveform import synthesise

        if batch < 1:
            raise InvalidValue(f"batch must be at least 1, got {batch}")
        rows = self._rows(which)
        for start in range(0, rows.size, batch):
            index = rows[start : start + batch]
            signal = synthesise(self._parameters(index), sampling_hz)
            yield EcgBatch(
                index=index,
                signal_mv=signal,
                recorded_at_s=self.recorded_at_s[index],
                patient_index=self.patient_index[index],
                age_years=self.age_years[index],
                male=self.male[index],
            )

    def records(
        self, index: ArrayLike | None = None, sampling_hz: float = 250.0
    ) -> Iterator[EcgRecord]:
        """Yield ECGs as records, without statements or measurements.

        Parameters
        ----------
        index : array_like, optional
            Mask (m,) or rows of the ECGs wanted; default all.
        sampling_hz : float
            Samples per second.
        """
        for part in self.iter_ecgs(64, sampling_hz, index):
            for i, row in enumerate(part.index):
                yield EcgRecord(
                    signal_mv=part.signal_mv[i],
                    leads=CANONICAL_LEADS,
                    sampling_hz=sampling_hz,
                    recorded_at=_utc(part.recorded_at_s[i]),
                    patient_id=self.patient_id(int(part.patient_index[i])),
                    age_years=float(np.floor(part.age_years[i])),
                    sex=_sex(part.male[i]),
                    device="ECGDash simulator",
                    source_name=f"e{row}",
                    file_format="simulated",
                )

    def _rows(self, which: ArrayLike | None) -> IntArray:
        if which is None:
            return np.arange(self.n_ecgs)
        wanted = np.asarray(which)
        if wanted.dtype == bool:
            return np.flatnonzero(wanted)
        return np.atleast_1d(wanted).astype(np.int64)

    def _parameters(self, rows: IntArray) -> EcgParameters:
        hidden = self._latent
        part = LatentCohort(hidden.people, hidden.courses, hidden.hearts, hidden.visits.take(rows))
        return express_parameters(part, self._visit_seed[rows], self._patient_seed)


def assemble(
    blocks: Sequence[PatientBlock], seed: int, site: str, labels: Sequence[str], prefix: str = "SIM"
) -> SimulatedCohort:
    """Put blocks of patients together into one cohort.

    Parameters
    ----------
    blocks : sequence of PatientBlock
    seed : int
    site : str
    labels : sequence of str
        Class each patient was added for, "" for none.
    prefix : str
        First part of the patients' ids.
    """
    sizes = [len(block.latent.people) for block in blocks]
    starts = np.cumsum([0, *sizes[:-1]])
    shift = list(zip(blocks, starts, strict=True))
    people = LatentPeople.concat([b.latent.people for b in blocks])
    visits = LatentVisits.concat([_moved(b.latent.visits, s) for b, s in shift])
    recorded_at_s = np.concatenate([b.schedule.recorded_at_s for b in blocks])
    patient = visits.patient
    baseline_s = recorded_at_s - np.rint(visits.years * 365.25 * DAY_S).astype(np.int64)
    first_of = np.searchsorted(patient, np.arange(len(people)))
    baseline_year = 1970 + baseline_s[first_of] / DAY_S / 365.25
    return SimulatedCohort(
        seed=seed,
        site=site,
        id_prefix=prefix,
        n_patients=len(people),
        patient_index=patient,
        recorded_at_s=recorded_at_s,
        age_years=people.age_years[patient] + visits.years,
        male=people.male[patient],
        noise_uv=np.hypot(visits.emg_uv, visits.mains_uv),
        birth_year=np.floor(baseline_year - people.age_years).astype(np.int64),
        enriched_as=np.array(labels),
        echoes=EchoTable.concat([_moved(b.echoes, s) for b, s in shift]),
        diagnosis_codes=DiagnosisTable.concat([_moved(b.diagnoses, s) for b, s in shift]),
        _latent=LatentCohort(
            people,
            LatentCourses.concat([b.latent.courses for b in blocks]),
            LatentHearts.concat([b.latent.hearts for b in blocks]),
            visits,
        ),
        _visit_seed=np.concatenate([b.visit_seed for b in blocks]),
        _patient_seed=np.concatenate([b.patient_seed for b in blocks]),
    )


def _moved(table: _T, start: int) -> _T:
    """Count the patients of a table from `start` on."""
    return table.replaced(patient=table.patient + start)


def _rows_of(patients: IntArray, patient: int) -> range:
    low, high = np.searchsorted(patients, [patient, patient + 1])
    return range(int(low), int(high))


def _utc(seconds: int | np.integer) -> datetime:
    return _EPOCH + timedelta(seconds=int(seconds))


def _day(days: int | np.integer) -> date:
    return _EPOCH.date() + timedelta(days=int(days))


def _sex(male: bool | np.bool_) -> Sex:
    return "male" if male else "female"
