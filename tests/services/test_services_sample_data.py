"""The shipped sample patients: real files, every kind present, tables that fit."""

import csv
import re
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from ecgdash.domain.pairs import PAIRING_WINDOW_DAYS
from ecgdash.inference.gate import gate
from ecgdash.io import read_ecg
from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv
from ecgdash.labels.statements import affirmed_findings
from ecgdash.services import demo
from ecgdash.services.monitoring import WorklistQuery, timeline, worklist
from ecgdash.services.sample_stories import STORIES, choose_patients, sample_cohort
from ecgdash.services.scoring import installed_cards
from ecgdash.settings import Settings
from ecgdash.store import open_store
from tests.sample_patients import SAMPLES, code_of

STEPS = {
    code_of("last echo normal, over a year ago"): ("act", "rule 4"),
    code_of("mildly reduced LVEF, score rises"): ("act", "rule 4"),
    code_of("LVSD that stays, and no echo on file"): ("act", "rule 7"),
    code_of("last echo normal, within the year"): ("repeat", "rule 5"),
    code_of("lead V3 is flat"): ("repeat", "rule 1"),
}
"""Group and rule of the patients that the worklist is to put forward."""
BLOCK = code_of("left bundle branch block, LVEF normal, next echo yet to be done")


@pytest.fixture(scope="module")
def patients():
    return list(csv.DictReader((SAMPLES / "patients.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def records(patients):
    """Return each patient's ECGs in the order of their files."""
    return {
        row["patient_id"]: [read_ecg(path) for path in files_of(row["patient_id"])]
        for row in patients
    }


def files_of(code):
    place = SAMPLES / "ecgs" / code
    return sorted([*place.glob("*.hea"), *place.glob("*.xml")])


def of_story(patients, records, text):
    found = [records[row["patient_id"]] for row in patients if text in row["shows"]]
    assert found, text
    return found


def test_all_stories_are_there_in_two_formats_and_two_rates(patients, records):
    expected = Counter({story.text: story.count for story in STORIES})
    assert Counter(row["shows"] for row in patients) == expected
    formats = Counter(path.suffix for row in patients for path in files_of(row["patient_id"]))
    assert formats[".hea"] > 50
    assert formats[".xml"] >= 10
    rates = {record.sampling_hz for own in records.values() for record in own}
    assert rates == {250.0, 500.0}


def test_size_codes_and_counts(patients, records):
    size = sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file())
    assert size < 15_000_000
    for row in patients:
        assert re.fullmatch(r"SIM-\d{4}", row["patient_id"])
        own = records[row["patient_id"]]
        assert len(own) == int(row["n_ecgs"])
        assert {record.patient_id for record in own} == {row["patient_id"]}
        assert {record.sex for record in own} == {row["sex"]}
    text = (SAMPLES / "README.md").read_text()
    assert "SIMULATED" in text
    assert all(row["patient_id"] in text for row in patients)


def test_tables_hold_known_patients_and_read_without_a_problem(patients):
    codes = {row["patient_id"] for row in patients}
    echoes, problems = read_echo_csv(SAMPLES / "echo.csv")
    assert not problems
    diagnoses, problems = read_diagnoses_csv(SAMPLES / "diagnoses.csv")
    assert not problems
    assert {study.patient_id for study in echoes} <= codes
    assert {diagnosis.patient_id for diagnosis in diagnoses} <= codes
    counts = Counter(study.patient_id for study in echoes)
    assert {row["patient_id"]: int(row["n_echoes"]) for row in patients} == {
        code: counts[code] for code in codes
    }


def test_withheld_ecgs_are_those_of_the_stories(patients, records):
    for row in patients:
        status = [gate(record).status for record in records[row["patient_id"]]]
        if "flat" in row["shows"]:
            assert status[-1] == "poor_quality"
            assert set(status[:-1]) == {"analysable"}
        elif "paced" in row["shows"]:
            assert set(status) == {"excluded"}
        else:
            assert set(status) == {"analysable"}, row["patient_id"]


def test_fewer_leads_undated_and_no_echo(patients, records):
    for own in of_story(patients, records, "6-lead"):
        assert [record.lead_sets[0] for record in own] == ["12"] + ["6"] * (len(own) - 1)
    for own in of_story(patients, records, "1-lead"):
        assert [record.lead_sets[0] for record in own] == ["12"] + ["1"] * (len(own) - 1)
    for own in of_story(patients, records, "without a date"):
        assert [record.recorded_at is None for record in own].count(True) == 1
    assert [len(own) for own in of_story(patients, records, "one ECG only")] == [1]
    assert [row["n_echoes"] for row in patients if "no echo" in row["shows"]] == ["0", "0"]


def test_an_echo_yet_to_be_done_is_not_on_file(patients, records):
    pending = {story.text for story in STORIES if story.edit == "echo_pending"}
    assert len(pending) == 4
    echoes, _ = read_echo_csv(SAMPLES / "echo.csv")
    diagnoses, _ = read_diagnoses_csv(SAMPLES / "diagnoses.csv")
    for row in patients:
        if row["shows"] not in pending:
            continue
        code = row["patient_id"]
        last = max(record.recorded_at for record in records[code])
        opens = last - timedelta(days=PAIRING_WINDOW_DAYS)
        own = [study.performed_at for study in echoes if study.patient_id == code]
        assert own
        assert max(own) < opens
        coded = [d.recorded_on for d in diagnoses if d.patient_id == code]
        assert all(day <= last.date() for day in coded)
        # The echo that is left out is told in the README, in brackets.
        line = next(x for x in (SAMPLES / "README.md").read_text().splitlines() if code in x)
        assert re.search(r"\(\d+(, \d+)*\) \|$", line)


@pytest.fixture(scope="module")
def demo_store(tmp_path_factory):
    """Return a store with those sample patients that the worklist is to put forward."""
    folder = tmp_path_factory.mktemp("worklist")
    (folder / "ecgs").mkdir()
    for code in (*STEPS, BLOCK):
        (folder / "ecgs" / code).symlink_to(SAMPLES / "ecgs" / code)
    for name in ("echo.csv", "diagnoses.csv"):
        (folder / name).symlink_to(SAMPLES / name)
    settings = Settings(
        database_url=f"sqlite:///{folder / 'store.db'}",
        sample_dir=folder,
        models_dir=SAMPLES.parent / "models",
    )
    store = open_store(settings.database_url)
    demo.fill(store, settings)
    yield store, installed_cards(settings)
    store.close()


def test_the_shipped_model_puts_them_forward_for_different_reasons(demo_store):
    store, _ = demo_store
    page = worklist(store, WorklistQuery())
    steps = {row.code: (row.group, row.next_reason.split(":")[0]) for row in page.rows}
    assert steps == {**STEPS, BLOCK: ("stable", "")}


def test_recalibration_holds_a_block_below_its_threshold(demo_store):
    store, cards = demo_store
    latest = timeline(store, f"{demo.SITE}/{BLOCK}", cards).points[-1]
    above = {variant: score.positive for variant, score in latest.scores.items()}
    assert above == {"uncalibrated": True, "masked": True, "recalibrated": False}


def test_block_and_fibrillation_are_stated_on_every_ecg(patients, records):
    for text, names in (("left bundle", {"LBBB"}), ("atrial fib", {"AFIB", "AFL"})):
        for own in of_story(patients, records, text):
            assert all(names & set(affirmed_findings(record.statements)) for record in own)


def test_ecgdatakit_reads_the_muse_like_files_alike(patients):
    from ecgdatakit.parsing import FileParser

    path = next(p for row in patients for p in files_of(row["patient_id"]) if p.suffix == ".xml")
    theirs = FileParser.parse(path)
    ours = read_ecg(path)
    assert theirs.file_format.name == "GE MUSE XML"
    assert theirs.patient.patient_id == ours.patient_id
    for lead in theirs.leads:
        assert lead.samples == pytest.approx(ours.lead(lead.label), abs=1e-6)


def test_the_command_makes_these_very_files(patients):
    chosen = next(choose_patients(sample_cohort()))
    assert chosen.code == patients[0]["patient_id"]
    for made, path in zip(chosen.records, files_of(chosen.code), strict=True):
        assert np.abs(read_ecg(path).signal_mv - made.signal_mv).max() <= 0.00051
