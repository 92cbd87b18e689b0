"""Import, models and cohort pages."""

import handmade_store
import pytest
from page_driver import told

from ecgdash.domain import Patient

PAGES = ("pages/cohort.py", "pages/import_data.py", "pages/models.py")


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_on_a_full_and_on_an_empty_store(site, page):
    at = site.open(page)
    assert not at.exception
    assert not at.error
    assert "Research use only" in told(at)


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_on_an_empty_store(empty_site, page):
    at = empty_site.open(page)
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize("page", ["", *PAGES])
def test_pages_open_without_models(empty_site, monkeypatch, tmp_path, page):
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "nothing"))
    at = empty_site.open(page)
    assert not at.exception
    assert "No model installed." in told(at)


def test_a_broken_manifest_is_one_sentence(empty_site, tmp_path):
    (tmp_path / "models" / "manifest.toml").write_text("families = 3")
    at = empty_site.open("pages/models.py")
    assert not at.exception
    assert "manifest" in at.error[0].value


def test_models_page_shows_thresholds_with_origin(site):
    text = told(site.open("pages/models.py")).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("Youden index", "validation set", "1,812", "8.0 %", "±0.70", "A card for tests."):
        assert words in text
    assert "Trained on: nothing (simulated)" in text


def test_demo_closes_the_import(site, monkeypatch):
    monkeypatch.setenv("ECGDASH_DEMO", "1")
    at = site.open("pages/import_data.py")
    assert not at.get("file_uploader")
    assert "import is closed" in told(at)


def test_the_banner_tells_real_patients_apart(site):
    key = site.store.put_patient(Patient("R1", "local", "male", 1950), simulated=False)
    text = told(site.open("pages/patient.py", patient=key))
    assert "The model was trained on simulated data." in text
    assert "Simulated patients" not in text


def test_cohort_counts(site):
    text = told(site.open("pages/cohort.py"))
    assert f"{len(handmade_store.THRESHOLDS) + 5} patients" in text
    assert f"{site.store.n_ecgs()} ECGs" in text
