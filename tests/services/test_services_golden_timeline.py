"""A course of nine ECGs and seven echoes against pairs and slots worked out by hand."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from courses import MeanEngine, make_card

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.inference.history import sigmoid
from ecgdash.io import write_wfdb
from ecgdash.services.exporting import timeline_json
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import score_patients
from ecgdash.settings import Settings
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise

GOLDEN = json.loads(Path(__file__).with_name("golden_timeline_SIM-1358.json").read_text())
CODE = GOLDEN["patient"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with the golden course as files: nine ECGs and a table of echoes."""
    folder = tmp_path_factory.mktemp("golden")
    signals = synthesise(example_parameters("normal", len(GOLDEN["points"]), seed=3), 250.0)
    (folder / "ecgs").mkdir()
    for point, signal in zip(GOLDEN["points"], signals, strict=True):
        record = EcgRecord(
            signal.astype(np.float32),
            CANONICAL_LEADS,
            250.0,
            recorded_at=datetime.fromisoformat(point["recorded_at"]),
            patient_id=CODE,
            age_years=60.0,
        )
        write_wfdb(record, folder / "ecgs", f"{CODE}_{point['ecg']}")
    rows = [
        f"{CODE},{echo['performed_at']},{echo['lvef_percent']},{echo['method']}"
        for echo in GOLDEN["echoes"]
    ]
    head = "patient_id,performed_at,lvef_percent,method"
    (folder / "echo.csv").write_text("\n".join([head, *rows]) + "\n")
    return folder


@pytest.fixture
def course(store, files, tmp_path):
    """Return the timeline as JSON, with the numbers of the files in place of random keys."""
    engine = MeanEngine(make_card())
    settings = Settings(models_dir=tmp_path)
    import_paths(store, [files / "ecgs"], settings=settings, echo=files / "echo.csv", site="SIM")
    key = store.find_patients(f"SIM/{CODE}")[0].key
    score_patients(store, [engine], [key])
    text = json.dumps(timeline_json(timeline(store, key, [engine.card])))
    for ecg in store.ecgs_of(key):
        text = text.replace(ecg.key, Path(ecg.source_name).stem[-2:])
    return json.loads(text)


def slots(point, variant):
    return [
        [slot["ecg"], slot["lvef_percent"], slot["interval_days"], slot["imputed"]]
        for slot in point["history"][variant]
    ]


def test_pairs(course):
    keys = ("performed_at", "lvef_percent", "method", "paired_ecg")
    assert [{key: echo[key] for key in keys} for echo in course["echoes"]] == GOLDEN["echoes"]


def test_points_in_order_of_time(course):
    found = [(point["ecg"], point["recorded_at"], point["status"]) for point in course["points"]]
    assert found == [(p["ecg"], p["recorded_at"], "analysable") for p in GOLDEN["points"]]
    assert course["undated"] == []


@pytest.mark.parametrize("variant", ["masked", "recalibrated"])
def test_history_slots(course, variant):
    for point, expected in zip(course["points"], GOLDEN["points"], strict=True):
        found = slots(point, variant)
        assert [(e, lvef, i) for e, lvef, _, i in found] == [
            (e, lvef, i) for e, lvef, _, i in expected[variant]
        ], point["ecg"]
        days = [interval for _, _, interval, _ in expected[variant]]
        assert [interval for _, _, interval, _ in found] == pytest.approx(days, abs=5e-5)
        withheld = "not_applicable" in point["scores"][variant]
        assert withheld == (not expected[variant])


def test_slot_scores_are_the_uncalibrated_ones(course, files):
    from ecgdash.io import read_ecg

    by_ecg = {p["ecg"]: p["scores"]["uncalibrated"]["value"] for p in course["points"]}
    for point in course["points"]:
        for slot in (*point["history"]["masked"], *point["history"]["recalibrated"]):
            assert slot["score"] == pytest.approx(by_ecg[slot["ecg"]], abs=1e-12)
    first = read_ecg(files / "ecgs" / f"{CODE}_01.hea")
    assert by_ecg["01"] == pytest.approx(sigmoid(first.lead("I").mean()), abs=1e-4)
