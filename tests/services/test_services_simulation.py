"""Simulated patients as files, read back by our own readers."""

import csv
from datetime import date, timedelta

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.io import read_ecg
from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv
from ecgdash.services.simulation import parse_enrich, simulate_to_files
from ecgdash.simulate.cohort import simulate_patients

N_PATIENTS, SEED = 8, 12  # one of them would be seen after the last day of the files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "out"
    simulate_to_files(N_PATIENTS, SEED, out, enrich={"LBBB": 2})
    return out


@pytest.fixture(scope="module")
def cohort():
    return simulate_patients(N_PATIENTS, SEED, {"LBBB": 2})


def days_back_of(cohort):
    """Return by how many days each patient was moved; worked out apart from the package."""
    moved = {}
    for i in range(cohort.n_patients):
        days = [ref.local_day for ref in cohort.ecg_refs(i)]
        days += [echo.local_day for echo in cohort.echo_studies(i)]
        days += [diagnosis.recorded_on for diagnosis in cohort.diagnoses(i)]
        moved[cohort.patient_id(i)] = timedelta(days=max((max(days) - date(2025, 12, 31)).days, 0))
    return moved


def test_every_ecg_reads_back_with_what_a_cart_knows(folder, cohort):
    files = sorted((folder / "ecgs").rglob("*.hea"))
    assert len(files) == cohort.n_ecgs
    back = days_back_of(cohort)
    assert any(back.values())
    expected = {(r.patient_id, r.recorded_at - back[r.patient_id]): r for r in cohort.records()}
    for file in files:
        record = read_ecg(file)
        made = expected.pop((record.patient_id, record.recorded_at))
        assert record.recorded_at.date() <= date(2025, 12, 31)
        assert record.sex == made.sex
        assert record.age_years == made.age_years
        assert record.statements
        assert record.measurements["heart_rate_bpm"] > 20
        # Whole microvolts in the file.
        assert np.abs(record.signal_mv - made.signal_mv).max() <= 0.00051
    assert not expected


def test_tables_read_back(folder, cohort):
    back = days_back_of(cohort)
    echoes, problems = read_echo_csv(folder / "echo.csv")
    assert not problems
    facts = [(e.patient_id, e.performed_at, e.lvef_percent, e.method, e.has_time) for e in echoes]
    assert facts == [
        (e.patient_id, e.performed_at - back[e.patient_id], e.lvef_percent, e.method, e.has_time)
        for i in range(cohort.n_patients)
        for e in cohort.echo_studies(i)
    ]
    diagnoses, problems = read_diagnoses_csv(folder / "diagnoses.csv")
    assert not problems
    made = [d for i in range(cohort.n_patients) for d in cohort.diagnoses(i)]
    assert [(d.code, d.recorded_on) for d in diagnoses] == [
        (d.code, d.recorded_on - back[d.patient_id]) for d in made
    ]
    rows = list(csv.DictReader((folder / "patients.csv").read_text().splitlines()))
    assert [row["added_for"] for row in rows] == [""] * N_PATIENTS + ["LBBB"] * 2


def test_a_folder_with_something_in_it_is_refused(folder):
    with pytest.raises(InvalidValue, match="is not empty"):
        simulate_to_files(1, 1, folder)


def test_enrich_is_read_or_refused():
    assert parse_enrich(["LBBB=200", "AFIB=5", "LBBB=1"]) == {"LBBB": 201, "AFIB": 5}
    for wrong in ("LBBB", "LBBB=", "=4", "LBBB=0", "LBBB=-3"):
        with pytest.raises(InvalidValue, match="Accepted: CLASS=K"):
            parse_enrich([wrong])
