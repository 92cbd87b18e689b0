"""The import page with real uploads through AppTest."""

import csv
import io

import numpy as np
import pytest
from page_driver import told

from ecgdash.services.import_report import ImportReport
from ecgdash.store.objects import ImportRow
from ecgdash.ui.import_page import report_csv, written


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


def upload(at):
    """Upload one good ECG with its sidecar, one that is none, and an echo table."""
    data, sidecar = csv_ecg()
    ecgs, echo = at.get("file_uploader")[0], at.get("file_uploader")[2]
    assert echo.label.startswith("Echo table")
    ecgs.set_value(
        [
            ("one.csv", data, "text/csv"),
            ("one.json", sidecar, "application/json"),
            ("junk.xml", b"<x/>", "text/xml"),
        ]
    )
    echo.set_value(("echo.csv", ECHOES, "text/csv"))
    at.button[0].click().run()
    assert not at.exception


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
