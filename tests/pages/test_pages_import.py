"""The import page with real uploads through AppTest."""

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from page_driver import told

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "io"))
import fixtures_profiles as layouts

from ecgdash.services.import_report import ImportReport
from ecgdash.store.objects import ImportRow
from ecgdash.ui.import_report import report_csv
from ecgdash.ui.import_stage import written


class Upload:
    def __init__(self, name, data=b"x"):
        self.name = name
        self._data = data

    def getbuffer(self):
        return memoryview(self._data)


def test_written_files_stay_in_the_folder(tmp_path):
    names = [
        "../../evil.hea",
        "/etc/passwd",
        "a\\..\\..\\b.dat",
        "rec.hea",
        "rec.dat",
        "rec.hea",
        "..",
    ]
    paths = written(tmp_path / "in", [Upload(name) for name in names])
    assert all(path.resolve().is_relative_to(tmp_path / "in") for path in paths)
    assert len(set(paths)) == len(names)


def test_files_that_belong_together_meet(tmp_path):
    hea, dat = written(tmp_path, [Upload("rec.hea"), Upload("rec.dat")])
    assert hea.parent == dat.parent


def csv_ecg():
    """Return a CSV ECG whose sidecar states rate, units and patient."""
    rng = np.random.default_rng(3)
    t = np.arange(2500) / 250
    names = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
    beat = sum(np.exp(-(((t - c) / 0.02) ** 2)) for c in np.arange(0.4, 10, 0.8))
    rows = np.stack(
        [beat * (0.5 + 0.1 * i) + 0.01 * rng.standard_normal(2500) for i in range(8)], 1
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows(rows.round(4).tolist())
    sidecar = (
        b'{"sampling_hz": 250, "units": "mV", "patient_id": "UP-1", '
        b'"recorded_at": "2024-03-02T10:00:00+00:00", "age_years": 61, "sex": "female"}'
    )
    return out.getvalue().encode(), sidecar


ECHOES = b"""patient_id,performed_at,lvef_percent,method
UP-1,2024-03-03,55,simpson
UP-1,2024-03-04,0.5,simpson
"""


def press(at, label):
    (button,) = (one for one in at.button if one.label == label)
    button.click().run()
    assert not at.exception


def look(at, *files):
    """Upload files and look at them."""
    at.get("file_uploader")[0].set_value(list(files))
    press(at, "Look at them")


def upload(at):
    """Import one good ECG with its sidecar, one that is none, and an echo table."""
    data, sidecar = csv_ecg()
    look(
        at,
        ("one.csv", data, "text/csv"),
        ("one.json", sidecar, "application/json"),
        ("junk.xml", b"<x/>", "text/xml"),
        ("echo.csv", ECHOES, "text/csv"),
    )
    press(at, "Import and score")


def test_uploads_are_imported_and_reported(empty_site, monkeypatch, tmp_path):
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "none"))
    at = empty_site.open("pages/import_data.py")
    upload(at)
    assert not at.error
    text = told(at)
    assert '<div class="figure">1</div><div class="word">× rejected' in text
    assert "junk.xml" in text
    assert "1 of 2 rows stored" in text
    assert empty_site.store.n_ecgs() == 1
    (found,) = empty_site.store.find_patients("UP-1")
    assert [echo.lvef_percent for echo in empty_site.store.echoes_of(found.key)] == [55.0]


def test_an_import_is_undone_as_a_whole(empty_site, monkeypatch, tmp_path):
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "none"))
    at = empty_site.open("pages/import_data.py")
    upload(at)
    assert empty_site.store.n_ecgs() == 1
    (button,) = (one for one in at.button if one.label == "Remove what this import brought")
    button.click().run()
    assert not at.exception
    assert empty_site.store.n_ecgs() == 0
    assert not empty_site.store.find_patients("UP-1")
    assert at.success[0].value.startswith("Undone: 1 ECG, 1 echo, 0 diagnoses and 1 patient that")
    assert "Report of" not in told(at)
    at.run()
    assert not at.success


def test_the_report_stays_where_no_model_can_be_loaded(empty_site, tmp_path):
    for weights in tmp_path.rglob("weights.safetensors"):
        weights.unlink()
    at = empty_site.open("pages/import_data.py")
    upload(at)
    assert "weights.safetensors is missing" in at.error[0].value
    assert empty_site.store.n_ecgs() == 1
    assert "Report of" in told(at)
    at.run()
    assert not at.error
    assert "Report of" in told(at)


def test_nothing_chosen_is_said(empty_site):
    at = empty_site.open("pages/import_data.py")
    at.button[0].click().run()
    assert "Nothing was chosen" in at.warning[0].value


@pytest.mark.parametrize("name", ["=cmd|x.csv", "+1.csv", "@a.csv"])
def test_report_csv_runs_no_formula(name):
    report = ImportReport("key", (ImportRow(name, "rejected", reason="broken"),), (), 1.0)
    (row,) = csv.DictReader(io.StringIO(report_csv(report).decode()))
    assert row["file"] == f"'{name}"
    assert row["notice"].startswith("Research use only")


def folder_upload(at, folder):
    """Upload a folder as a browser sends it: every file with its place below the folder."""
    files = [
        (f"{folder.name}/{file.relative_to(folder).as_posix()}", file.read_bytes(), "text/plain")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    ]
    at.get("file_uploader")[1].set_value(files)
    press(at, "Look at them")


@pytest.fixture
def bare_site(empty_site, monkeypatch, tmp_path):
    """Return a site without models, whose mappings lie in a folder of the test."""
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("ECGDASH_MAPPINGS_DIR", str(tmp_path / "mappings"))
    return empty_site


def test_a_ptbxl_folder_is_understood_before_anything_is_written(bare_site, tmp_path):
    layouts.ptbxl(tmp_path / "ptb-xl", {})
    at = bare_site.open("pages/import_data.py")
    folder_upload(at, tmp_path / "ptb-xl")
    text = told(at)
    assert "Nothing is written yet" in text
    assert "PTB-XL 1.0.3" in text
    assert "never both files" in text
    assert bare_site.store.n_ecgs() == 0
    assert not bare_site.store.find_patients("101")
    press(at, "Import and score")
    (found,) = bare_site.store.find_patients("101")
    (ecg,) = bare_site.store.ecgs_of(found.key)
    assert ecg.age_years == 56.0
    report = told(at)
    assert '<div class="figure">1</div><div class="word">✓ accepted' in report
    assert '<div class="figure">1</div><div class="word">= duplicate' in report


def test_other_files_are_chosen_without_a_trace(bare_site, tmp_path):
    layouts.ptbxl(tmp_path / "ptb-xl", {})
    at = bare_site.open("pages/import_data.py")
    folder_upload(at, tmp_path / "ptb-xl")
    press(at, "Choose other files")
    assert "Nothing is written yet" not in told(at)
    assert bare_site.store.n_ecgs() == 0
    assert bare_site.store.n_patients() == 0


def test_the_mimic_layout_imports_from_the_page(bare_site, tmp_path):
    layouts.mimic(tmp_path / "mimic")
    at = bare_site.open("pages/import_data.py")
    folder_upload(at, tmp_path / "mimic")
    assert "MIMIC-IV-ECG 1.0" in told(at)
    assert "MIMIC-IV-ECHO 1.0" in told(at)
    press(at, "Import and score")
    (found,) = bare_site.store.find_patients("10")
    assert [echo.lvef_percent for echo in bare_site.store.echoes_of(found.key)] == [42.5]
    assert bare_site.store.ecgs_of(found.key)[0].measurements["qrs_ms"] == 140.0
    assert "1 row is about other measurements than LVEF" in told(at)


HOSPITAL = b"""MRN,STUDY_DATE,EF,COMMENT
UP-1,2024-03-03,55,ok
UP-1,2024-03-04,0.5,ok
"""


def box(at, label):
    (found,) = (one for one in at.selectbox if one.label == label)
    return found


def test_a_hospitals_own_table_is_mapped_saved_and_known_again(bare_site):
    at = bare_site.open("pages/import_data.py")
    look(at, ("echo_export.csv", HOSPITAL, "text/csv"))
    assert "no profile recognises" in told(at)
    press(at, "Map its columns")
    assert box(at, "Patient id").value == "mrn"
    box(at, "LVEF (%)").set_value("comment").run()
    assert not at.exception
    box(at, "LVEF (%)").set_value("ef").run()
    at.text_input[0].set_value("our echoes").run()
    press(at, "Save")
    assert at.success[0].value.startswith("Saved as “our echoes”")
    press(at, "Import and score")
    (found,) = bare_site.store.find_patients("UP-1")
    assert [echo.lvef_percent for echo in bare_site.store.echoes_of(found.key)] == [55.0]
    assert "row 3, ef: LVEF 0.5: percent or fraction?" in told(at)
    look(at, ("next_year.csv", HOSPITAL, "text/csv"))
    assert "no profile recognises" not in told(at)
    assert "A table of echoes" in told(at)
    assert box(at, "Patient id").value == "mrn"


def test_what_is_not_mapped_holds_the_import_back(bare_site):
    at = bare_site.open("pages/import_data.py")
    look(at, ("echo_export.csv", HOSPITAL, "text/csv"))
    press(at, "Map its columns")
    box(at, "Patient id").set_value("").run()
    assert at.warning[0].value == "echo_export.csv: choose the column of Patient id."
    (button,) = (one for one in at.button if one.label == "Import and score")
    assert button.disabled


def test_a_folder_on_the_server_needs_no_upload(bare_site, monkeypatch, tmp_path):
    layouts.mimic(tmp_path / "data" / "mimic")
    monkeypatch.setenv("ECGDASH_IMPORT_DIR", str(tmp_path / "data"))
    at = bare_site.open("pages/import_data.py")
    box(at, "Or a folder or ZIP on the server").set_value("mimic")
    press(at, "Look at them")
    press(at, "Import and score")
    assert bare_site.store.n_ecgs() == 1


def test_a_table_that_cannot_be_read_leaves_a_way_back(bare_site):
    at = bare_site.open("pages/import_data.py")
    table = b"patient_id,performed_at,lvef_percent,method\nM\xfcller,2024-03-03,55,simpson\n"
    look(at, ("echo.csv", table, "text/csv"))
    assert "no UTF-8 CSV" in at.error[0].value
    (button,) = (one for one in at.button if one.label == "Import and score")
    assert button.disabled
    press(at, "Choose other files")
    assert not at.error
