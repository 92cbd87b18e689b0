"""A sample patient's timeline against pairs and history slots worked out by hand."""

import json
from pathlib import Path

import pytest
from courses import MeanEngine, make_card

from ecgdash.inference.history import sigmoid
from ecgdash.io import read_ecg
from ecgdash.services.exporting import timeline_json
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import score_patients
from ecgdash.settings import Settings

GOLDEN = json.loads(Path(__file__).with_name("golden_timeline_SIM-1358.json").read_text())
CODE = GOLDEN["patient"]
SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture
def course(store, tmp_path):
    """Return the timeline as JSON, with the numbers of the files in place of random keys."""
    engine = MeanEngine(make_card())
    settings = Settings(models_dir=tmp_path)
    folder = SAMPLES / "ecgs" / CODE
    import_paths(store, [folder], settings=settings, echo=SAMPLES / "echo.csv", site="SIM")
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


def test_slot_scores_are_the_uncalibrated_ones(course):
    by_ecg = {p["ecg"]: p["scores"]["uncalibrated"]["value"] for p in course["points"]}
    for point in course["points"]:
        for slot in (*point["history"]["masked"], *point["history"]["recalibrated"]):
            assert slot["score"] == pytest.approx(by_ecg[slot["ecg"]], abs=1e-12)
    first = read_ecg(SAMPLES / "ecgs" / CODE / f"{CODE}_01.hea")
    assert by_ecg["01"] == pytest.approx(sigmoid(first.lead("I").mean()), abs=1e-4)
