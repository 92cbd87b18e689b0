"""The sample patients as files: ECGs in two formats, an echo and a diagnosis table."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import (
    CANONICAL_LEADS,
    LIMB_LEADS,
    Diagnosis,
    EcgRecord,
    EchoStudy,
    Patient,
)
from ecgdash.errors import InvalidValue
from ecgdash.services.sample_stories import (
    Chosen,
    choose_patients,
    echoes_on_file,
    sample_cohort,
)
from ecgdash.services.simulated_calendar import (
    last_day_of,
    moved_diagnosis,
    moved_ecg,
    moved_echo,
    moved_patient,
)
from ecgdash.services.simulation import (
    SimulationReport,
    write_diagnoses_csv,
    write_echo_csv,
)
from ecgdash.simulate.cohort import SimulatedCohort

__all__ = ["SAMPLE_SITE", "SamplePatient", "sample_patients", "write_sample_data"]

SAMPLE_SITE: Final = "SIM"

_LAST_SEEN: Final = date(2026, 9, 30)
"""Last day of the first patient; each further one was last seen some weeks earlier,
unless its story says when."""

_WEEKS_BETWEEN: Final = 3


@dataclass(frozen=True)
class SamplePatient:
    """One sample patient, edited and moved to recent years, ready to be written.

    Attributes
    ----------
    left_out_lvef : tuple of float
        Of the echoes that the story leaves out of echo.csv: the truth behind it.
    """

    code: str
    story: str
    patient: Patient
    file_format: str
    records: tuple[EcgRecord, ...]
    echoes: tuple[EchoStudy, ...]
    diagnoses: tuple[Diagnosis, ...]
    left_out_lvef: tuple[float, ...] = ()


def sample_patients() -> list[SamplePatient]:
    """Choose, edit and return the sample patients; always the same ones."""
    cohort = sample_cohort()
    people: list[SamplePatient] = []
    by_place = 0
    for chosen in choose_patients(cohort):
        weeks = chosen.story.weeks_ago
        if weeks is None:
            weeks = _WEEKS_BETWEEN * by_place
            by_place += 1
        people.append(_prepared(cohort, chosen, _LAST_SEEN - timedelta(weeks=weeks)))
    return people


def write_sample_data(
    out: Path, on_progress: Callable[[int, int], None] | None = None
) -> SimulationReport:
    """Write `ecgs/`, `echo.csv`, `diagnoses.csv`, `patients.csv` and `README.md`.

    Parameters
    ----------
    out : Path
        A folder that is absent or empty.
    on_progress : callable, optional
        Told patients done and in all.

    Raises
    ------
    InvalidValue
        If `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise InvalidValue(f"{out.name} is not empty", todo="Name a folder that is absent or empty")
    people = sample_patients()
    for done, person in enumerate(people, start=1):
        _write_ecgs(person, out / "ecgs" / person.code)
        if on_progress is not None:
            on_progress(done, len(people))
    echoes = [study for person in people for study in person.echoes]
    write_echo_csv(out / "echo.csv", echoes)
    write_diagnoses_csv(out / "diagnoses.csv", [d for person in people for d in person.diagnoses])
    _write_patients(out / "patients.csv", people)
    (out / "README.md").write_text(_readme(people), encoding="utf-8")
    n_ecgs = sum(len(person.records) for person in people)
    return SimulationReport(len(people), n_ecgs, len(echoes), out)


def _prepared(cohort: SimulatedCohort, chosen: Chosen, last_seen: date) -> SamplePatient:
    patient, edit = chosen.patient, chosen.story.edit
    echoes = _echoes(cohort, patient, edit)
    diagnoses = list(cohort.diagnoses(patient))
    last = last_day_of(cohort, patient)
    if edit == "echo_pending":
        # What the coming echo will lead to is not known on the day of the ECG either.
        last = max(ref.local_day for ref in cohort.ecg_refs(patient))
        diagnoses = [d for d in diagnoses if d.recorded_on <= last]
    back = (last - last_seen).days
    code = chosen.code
    person = moved_patient(cohort.patients[patient], back)
    return SamplePatient(
        code=code,
        story=chosen.story.text,
        patient=replace(person, id=code, site=SAMPLE_SITE),
        file_format=chosen.story.file_format,
        records=tuple(
            replace(moved_ecg(record, back), patient_id=code)
            for record in _edited(chosen.records, edit)
        ),
        echoes=tuple(replace(moved_echo(e, back), patient_id=code) for e in echoes),
        diagnoses=tuple(replace(moved_diagnosis(d, back), patient_id=code) for d in diagnoses),
        left_out_lvef=tuple(
            e.lvef_percent for e in cohort.echo_studies(patient) if e not in echoes
        ),
    )


def _echoes(cohort: SimulatedCohort, patient: int, edit: str) -> list[EchoStudy]:
    """Return the echoes that a story leaves on file."""
    if edit == "no_echo":
        return []
    every = cohort.echo_studies(patient)
    return echoes_on_file(cohort, patient) if edit == "echo_pending" else every


def _edited(records: Sequence[EcgRecord], edit: str) -> list[EcgRecord]:
    """Apply a story's change to the files."""
    if edit == "flat_lead":
        return [*records[:-1], _flattened(records[-1], "V3")]
    if edit == "undated":
        return [records[0], replace(records[1], recorded_at=None, local_day=None), *records[2:]]
    if edit == "limb_leads":
        return [records[0], *(_with_leads(record, LIMB_LEADS) for record in records[1:])]
    if edit == "lead_i":
        return [records[0], *(_with_leads(record, ("I",)) for record in records[1:])]
    return list(records)


def _flattened(record: EcgRecord, lead: str) -> EcgRecord:
    """Return the record with one electrode off: that lead reads nothing."""
    signal = np.array(record.signal_mv)
    signal[record.leads.index(lead)] = 0.0
    return replace(record, signal_mv=signal)


def _with_leads(record: EcgRecord, leads: tuple[str, ...]) -> EcgRecord:
    """Return fewer leads, as a smaller device records: it states and measures nothing."""
    rows = [record.leads.index(name) for name in leads]
    return replace(
        record, signal_mv=record.signal_mv[rows], leads=leads, statements=(), measurements={}
    )


def _write_ecgs(person: SamplePatient, folder: Path) -> None:
    from ecgdash.io.writers import write_muse_xml, write_wfdb

    folder.mkdir(parents=True)
    for number, record in enumerate(person.records, start=1):
        name = f"{person.code}_{number:02d}"
        if person.file_format == "muse" and record.leads == CANONICAL_LEADS:
            write_muse_xml(record, folder / f"{name}.xml")
        else:
            write_wfdb(record, folder, name)


def _write_patients(path: Path, people: Sequence[SamplePatient]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("patient_id", "sex", "birth_year", "n_ecgs", "n_echoes", "shows"))
        for person in people:
            facts = (person.patient.sex, person.patient.birth_year)
            counts = (len(person.records), len(person.echoes))
            writer.writerow((person.code, *facts, *counts, person.story))


def _readme(people: Sequence[SamplePatient]) -> str:
    rows = [f"| {p.code} | {p.story} | {len(p.records)} | {_lvefs(p)} |" for p in people]
    return "\n".join(
        [
            "# Sample patients: SIMULATED",
            "",
            "Nobody here ever lived. These files are made by ECGDash's own simulator, so that the",
            "dashboard can be seen at work without patient data. Research use only.",
            "",
            "Made, file for file, by:",
            "",
            "    python -m ecgdash simulate --sample-data --out sample_data",
            "",
            "The patients are taken from a simulated cohort by what a hospital would see: their",
            "measured LVEFs and the cart's statements (`ecgdash/services/sample_stories.py`).",
            "ECGs are 10 s long, in WFDB or in MUSE-like XML; `echo.csv` and `diagnoses.csv` are",
            "in the formats that `python -m ecgdash import --echo --diagnoses` reads.",
            "LVEFs in brackets are left out of `echo.csv`: echoes not on file, or yet to be done",
            "when the last ECG was recorded. Some patients were picked because the shipped model's",
            "scores show the story; that says nothing about how often they do.",
            "",
            "| patient | shows | ECGs | LVEF, % |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _lvefs(person: SamplePatient) -> str:
    on_file = ", ".join(f"{study.lvef_percent:g}" for study in person.echoes) or "none"
    left_out = ", ".join(f"{lvef:g}" for lvef in person.left_out_lvef)
    return f"{on_file} ({left_out})" if left_out else on_file
