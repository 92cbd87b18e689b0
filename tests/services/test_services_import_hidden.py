"""A whole import under a key, and what is kept on request: no id, name or text slips through."""

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "io"))
import fixtures_profiles as fixtures
import io_fixtures as made

from ecgdash.io.writers import write_wfdb
from ecgdash.services.import_data_sets import DataSets
from ecgdash.services.import_privacy import find_by_original_id
from ecgdash.services.importing import import_paths
from ecgdash.settings import Settings
from ecgdash.store.schema import metadata

KEY = "a key of at least sixteen characters"
REPORT = "LVEF 35 % by Simpson. Mr 7654321 has an akinetic apex. RVSP 45 mmHg."


@pytest.fixture
def folder(tmp_path):
    """Return a folder whose files, names and tables all hold one patient id."""
    place = tmp_path / "clinic"
    (place / "p7654321").mkdir(parents=True)
    record = made.make_record(patient_id="7654321", statements=("Sinus rhythm, 7654321",))
    write_wfdb(record, place / "p7654321", "7654321_a")
    fixtures.write(
        place / "echoes.csv",
        ["patient_id", "performed_at", "report"],
        {"patient_id": "7654321", "performed_at": "2020-01-02", "report": REPORT},
    )
    fixtures.write(
        place / "codes.csv",
        ["patient_id", "code_system", "code", "recorded_on"],
        {"patient_id": "7654321", "code_system": "ICD-10", "code": "I10",
         "recorded_on": "2020-01-01"},
    )  # fmt: skip
    fixtures.write(
        place / "files.csv",
        ["file", "patient_id"],
        {"file": "p7654321/7654321_a.hea", "patient_id": "7654321"},
    )
    (place / "p7654321" / "7654321_b.hea").write_text("7654321_b 1 500 5000\nno.dat 16\n")
    return place


def imported(store, folder, settings, jobs=1):
    with DataSets.of([folder], settings) as sets:
        return import_paths(store, [folder], settings=settings, data_sets=sets, jobs=jobs)


def cells(store):
    """Return every value of every table as text."""
    with store._reading() as connection:
        return [
            str(value)
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
            for value in row
        ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_under_a_key_no_table_holds_the_id(store, folder, jobs, tmp_path):
    settings = Settings(models_dir=tmp_path / "none", id_key=KEY, keep_names=True)
    report = imported(store, folder, settings, jobs)
    assert [row.outcome for row in report.rows] == ["accepted", "rejected"]
    held = [value for value in cells(store) if "7654321" in value]
    # Of a file that cannot be read nobody knows whose it is: its name stays.
    assert held == ["clinic/p7654321/7654321_b.hea"]
    (patient,) = find_by_original_id(store, "7654321", settings)
    assert patient.patient.id.startswith("P")
    assert [echo.lvef_percent for echo in store.echoes_of(patient.key)] == [35.0]
    assert [item.code for item in store.diagnoses_of(patient.key)] == ["I10"]
    assert store.ecgs_of(patient.key)[0].statements == (f"Sinus rhythm, {patient.patient.id}",)
    assert not store.find_patients("7654321")


def test_the_same_import_under_the_key_changes_nothing(store, folder, tmp_path):
    settings = Settings(models_dir=tmp_path / "none", id_key=KEY)
    first = imported(store, folder, settings)
    again = imported(store, folder, settings)
    assert [row.outcome for row in again.rows] == ["duplicate", "rejected"]
    assert again.rows[0].file == first.rows[0].file
    assert "7654321" not in again.rows[0].file
    assert (store.n_ecgs(), store.n_patients()) == (1, 1)


def test_text_of_reports_is_kept_only_on_request(store, folder, tmp_path):
    imported(store, folder, Settings(models_dir=tmp_path / "none"))
    assert not any("akinetic" in value for value in cells(store))


def test_kept_reports_say_wall_motion_and_pressure(store, folder, tmp_path):
    imported(store, folder, Settings(models_dir=tmp_path / "none", keep_reports=True))
    (patient,) = store.find_patients("7654321")
    (echo,) = store.echoes_of(patient.key)
    assert echo.report.text == REPORT
    assert echo.report.wall_motion == ("Mr 7654321 has an akinetic apex",)
    assert echo.report.pulmonary_pressure == ("RVSP 45 mmHg",)
