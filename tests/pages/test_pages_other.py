"""Import, models, cohort and ECG pages."""

import json
import struct
from dataclasses import replace

import handmade_store
import numpy as np
import pytest
from page_driver import told

from ecgdash.domain import Patient
from ecgdash.inference.gate import gate
from ecgdash.store import Findings

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


@pytest.mark.parametrize("code", ["HM-0102", "HM-0276", "HM-0391", "HM-0500"])
def test_every_ecg_opens_on_paper(site, code):
    for ecg in site.store.ecgs_of(site.keys[code])[:2]:
        at = site.open("pages/ecg.py", patient=site.keys[code], ecg=ecg.key)
        assert not at.exception
        assert not at.error
        block = sheet_of(at)
        size = struct.unpack("<I", block[:4])[0]
        head = json.loads(block[4 : 4 + size])
        samples = np.frombuffer(block[4 + size :], "<i2")
        strips = head["sheet"]["strips"]
        assert len(samples) == sum(strip["n"] for strip in strips)
        first = site.store.record(ecg.key).lead(strips[0]["lead"])[: strips[0]["n"]]
        assert np.abs(samples[: strips[0]["n"]] / 1000 - first).max() <= 0.00051


def head_of(block):
    return json.loads(block[4 : 4 + struct.unpack("<I", block[:4])[0]])["sheet"]


def test_arbitrary_units_have_no_pulse_and_say_so(site):
    (ecg, *_) = site.store.ecgs_of(site.keys["HM-0102"])
    record = site.store.record(ecg.key)
    moved = replace(record, in_millivolts=False, signal_mv=record.signal_mv * 0.5)
    key = site.store.add_ecg(site.keys["HM-0102"], moved, Findings(gate(moved)))
    at = site.open("pages/ecg.py", patient=site.keys["HM-0102"], ecg=key)
    head = head_of(sheet_of(at))
    assert not any(strip["pulse"] for strip in head["strips"])
    assert "arbitrary units" in head["foot"]
    assert "amplitudes are in arbitrary units" in told(at)
    real = head_of(sheet_of(site.open("pages/ecg.py", patient=site.keys["HM-0102"], ecg=ecg.key)))
    assert any(strip["pulse"] for strip in real["strips"])
    assert "10 mm/mV" in real["foot"]


def sheet_of(at):
    """Return the bytes that the sheet component was given."""
    (component,) = (
        c for c in at.get("bidi_component") if c.proto.component_name == "ecgdash_sheet"
    )
    return component.proto.bytes


def test_an_unknown_ecg_is_one_sentence(site):
    at = site.open("pages/ecg.py", ecg="nothing")
    assert "no such ECG" in at.error[0].value


def test_cohort_counts(site):
    text = told(site.open("pages/cohort.py"))
    assert f"{len(handmade_store.THRESHOLDS) + 5} patients" in text
    assert f"{site.store.n_ecgs()} ECGs" in text
