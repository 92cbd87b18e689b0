"""Simulated patients as files: WFDB records, echo, diagnosis and patient tables."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgdash.domain import Diagnosis, EcgRecord, EchoStudy, Patient
from ecgdash.errors import InvalidValue
from ecgdash.services.cart_records import cart_records
from ecgdash.services.simulated_calendar import (
    days_back,
    moved_diagnosis,
    moved_ecg,
    moved_echo,
    moved_patient,
)
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients

__all__ = [
    "SimulationReport",
    "parse_enrich",
    "simulate_to_files",
    "write_diagnoses_csv",
    "write_echo_csv",
    "write_patients_csv",
]

_BATCH = 128


@dataclass(frozen=True)
class SimulationReport:
    """What was written."""

    n_patients: int
    n_ecgs: int
    n_echoes: int
    folder: Path


def parse_enrich(items: Sequence[str]) -> dict[str, int]:
    """Read ``["LBBB=200"]`` as ``{"LBBB": 200}``.

    Raises
    ------
    InvalidValue
        If an entry is not CLASS=K with a whole K of at least 1.
    """
    found: dict[str, int] = {}
    for item in items:
        name, _, count = item.partition("=")
        if not name or not count.isdecimal() or int(count) < 1:
            raise InvalidValue(f"cannot read {item!r}", accepted="Accepted: CLASS=K, as LBBB=200")
        found[name] = found.get(name, 0) + int(count)
    return found


def simulate_to_files(
    n_patients: int,
    seed: int,
    out: Path,
    *,
    enrich: Mapping[str, int] | None = None,
    sampling_hz: float = 250.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> SimulationReport:
    """Simulate patients and write what a hospital would hold about them.

    Writes ``out/ecgs/<patient>/<patient>_<nn>.hea`` and ``.dat``, and the tables
    ``echo.csv``, ``diagnoses.csv`` and ``patients.csv``.

    Parameters
    ----------
    n_patients, seed : int
    out : Path
        A folder that is absent or empty.
    enrich : mapping of str to int, optional
        Patients to add by class; `patients.csv` names them.
    sampling_hz : float
    on_progress : callable, optional
        Told ECGs done and in all.

    Raises
    ------
    InvalidValue
        If `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise InvalidValue(f"{out.name} is not empty", todo="Name a folder that is absent or empty")
    cohort = simulate_patients(n_patients, seed, dict(enrich or {}))
    out.mkdir(parents=True, exist_ok=True)
    for done, _ in enumerate(_write_ecgs(cohort, out / "ecgs", sampling_hz), start=1):
        if on_progress is not None:
            on_progress(done, cohort.n_ecgs)
    n_echoes = _write_tables(cohort, out)
    return SimulationReport(cohort.n_patients, cohort.n_ecgs, n_echoes, out)


def _write_tables(cohort: SimulatedCohort, out: Path) -> int:
    """Write the three tables; return the number of echoes."""
    back = {i: days_back(cohort, i) for i in range(cohort.n_patients)}
    echoes = [moved_echo(e, days) for i, days in back.items() for e in cohort.echo_studies(i)]
    diagnoses = [moved_diagnosis(d, days) for i, days in back.items() for d in cohort.diagnoses(i)]
    patients = [moved_patient(cohort.patients[i], days) for i, days in back.items()]
    added = [str(name) for name in cohort.enriched_as]
    write_echo_csv(out / "echo.csv", echoes)
    write_diagnoses_csv(out / "diagnoses.csv", diagnoses)
    write_patients_csv(out / "patients.csv", zip(patients, added, strict=True))
    return len(echoes)


def _write_ecgs(cohort: SimulatedCohort, folder: Path, sampling_hz: float) -> Iterator[EcgRecord]:
    from ecgdash.io.writers import write_wfdb

    number: dict[str, int] = {}
    for batch in cohort.iter_ecgs(_BATCH, sampling_hz):
        back = [days_back(cohort, int(i)) for i in batch.patient_index]
        for record, days in zip(cart_records(batch, cohort, sampling_hz), back, strict=True):
            code = record.patient_id or "unnamed"
            number[code] = number.get(code, 0) + 1
            place = folder / code
            place.mkdir(parents=True, exist_ok=True)
            write_wfdb(moved_ecg(record, days), place, f"{code}_{number[code]:02d}")
            yield record


def write_echo_csv(path: Path, studies: Iterable[EchoStudy]) -> None:
    """Write the echo table of the contract; a study without a time has its day only."""
    rows = (
        (
            study.patient_id,
            study.performed_at.isoformat() if study.has_time else study.local_day.isoformat(),
            f"{study.lvef_percent:g}",
            study.method,
        )
        for study in studies
    )
    _write_csv(path, ("patient_id", "performed_at", "lvef_percent", "method"), rows)


def write_diagnoses_csv(path: Path, diagnoses: Iterable[Diagnosis]) -> None:
    """Write the diagnosis table of the contract."""
    rows = ((d.patient_id, d.code_system, d.code, d.recorded_on.isoformat()) for d in diagnoses)
    _write_csv(path, ("patient_id", "code_system", "code", "recorded_on"), rows)


def write_patients_csv(path: Path, patients: Iterable[tuple[Patient, str]]) -> None:
    """Write id, sex and birth year, and the class an extra patient was added for."""
    rows = ((p.id, p.sex or "", p.birth_year or "", added) for p, added in patients)
    _write_csv(path, ("patient_id", "sex", "birth_year", "added_for"), rows)


def _write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
