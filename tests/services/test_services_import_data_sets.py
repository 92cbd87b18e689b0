"""Known data sets through the import: unedited folders, with every file and row accounted for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "io"))
import fixtures_profiles as fixtures
import io_fixtures as made

from ecgdash.io.writers import write_wfdb
from ecgdash.services.import_data_sets import LEFT_OUT, DataSets
from ecgdash.services.importing import import_paths
from ecgdash.settings import Settings


@pytest.fixture
def settings(tmp_path):
    """Settings of a site without models."""
    return Settings(models_dir=tmp_path / "no-models")


def imported(store, settings, folder, **more):
    sets = DataSets.of([folder], settings)
    return sets, import_paths(store, [folder], settings=settings, data_sets=sets, **more)


def test_a_ptbxl_folder_needs_no_options(store, settings, tmp_path):
    folder = tmp_path / "ptbxl"
    fixtures.ptbxl(folder, {})
    sets, report = imported(store, settings, folder)
    assert sets.sentences()[0] == "PTB-XL 1.0.3"
    assert [(row.outcome, row.file.rpartition("/")[2]) for row in report.rows] == [
        ("duplicate", "00001_lr.hea"),
        ("accepted", "00001_hr.hea"),
    ]
    assert report.rows[0].reason == LEFT_OUT
    (patient,) = store.find_patients("101")
    (ecg,) = store.ecgs_of(patient.key)
    assert ecg.recorded_at.isoformat() == "1991-03-02T10:11:12+00:00"
    assert ecg.age_years == 56.0
    assert "SCP code AFLT (100)" in ecg.statements


def mimic(folder):
    """Make a folder of one MIMIC ECG and three rows of its patient's echoes."""
    fixtures.write(
        folder / "record_list.csv",
        fixtures.MIMIC_RECORDS,
        {
            "subject_id": 10, "study_id": 40, "file_name": 40, "ecg_time": "2150-01-01 09:00:00",
            "path": "files/p10/s40/40",
        },
    )  # fmt: skip
    fixtures.write(
        folder / "machine_measurements.csv",
        fixtures.MIMIC_MEASUREMENTS,
        {
            "subject_id": 10, "study_id": 40, "report_0": "Sinus rhythm", "rr_interval": 800,
            "qrs_onset": 200, "qrs_end": 340, "p_axis": 29999,
        },
    )  # fmt: skip
    fixtures.write(
        folder / "structured_measurement.csv.gz",
        fixtures.MIMIC_ECHO,
        fixtures.echo_row("biplane_lvef", 42.5),
        fixtures.echo_row("lvedd", 5.1, unit="cm"),
        fixtures.echo_row("biplane_lvef", 4200, measurement_id="8"),
    )
    place = folder / "files" / "p10" / "s40"
    place.mkdir(parents=True)
    write_wfdb(made.make_record(patient_id=None, recorded_at=None, local_day=None), place, "40")
    return folder


def test_mimic_joins_ecgs_measurements_and_echoes(store, settings, tmp_path):
    _, report = imported(store, settings, mimic(tmp_path / "mimic"))
    assert [row.outcome for row in report.rows] == ["accepted"]
    (patient,) = store.find_patients("10")
    (ecg,) = store.ecgs_of(patient.key)
    assert ecg.recorded_at.year == 2150
    assert ecg.measurements["qrs_ms"] == 140.0
    assert [(e.lvef_percent, e.method) for e in store.echoes_of(patient.key)] == [(42.5, "simpson")]
    (table,) = report.tables
    assert (table.n_accepted, len(table.problems)) == (1, 1)


def test_the_same_import_again_and_its_undoing(store, settings, tmp_path):
    from ecgdash.services.importing import undo_import

    folder = mimic(tmp_path / "mimic")
    _, first = imported(store, settings, folder)
    _, second = imported(store, settings, folder)
    assert [row.outcome for row in second.rows] == ["duplicate"]
    assert store.n_ecgs() == 1
    undo_import(store, second.key, settings=settings, engines=())
    undone = undo_import(store, first.key, settings=settings, engines=())
    assert (undone.n_ecgs, undone.n_echoes, undone.n_patients) == (1, 1, 1)
    assert store.n_ecgs() == 0


def test_a_folder_without_known_tables_is_imported_as_before(store, settings, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    write_wfdb(made.make_record(), folder, "one")
    sets, report = imported(store, settings, folder)
    assert (sets.found, sets.table, sets.sentences()) == ((), None, ())
    assert [row.outcome for row in report.rows] == ["accepted"]


@pytest.mark.real
def test_the_ptbxl_folder_imports_unedited(store, settings, shared_data):
    _, report = imported(store, settings, shared_data / "ptbxl500", jobs=2)
    counts = report.counts
    assert (counts["accepted"], counts["withheld"], counts["rejected"]) == (339, 11, 0)
    assert counts["duplicate"] == 353 + 3
    (patient,) = store.find_patients("13619")
    assert len(store.ecgs_of(patient.key)) == 8
