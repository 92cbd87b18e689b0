"""What moved a score adds up, on the shipped weights and a sample patient."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgdash.domain import VariantScore
from ecgdash.domain.attribution import WAVE_COLUMNS
from ecgdash.errors import NotFound
from ecgdash.services.explaining import (
    explain_ecg,
    family_terms,
    lead_attributions,
    with_contributions,
)
from ecgdash.services.exporting import provenance_json
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.settings import Settings
from tests.sample_patients import code_of, store_of

ROOT = Path(__file__).resolve().parents[2]
PATIENT = code_of("recovery, then relapse")


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Return address, store, engines and course of one imported and scored sample patient."""
    address = f"sqlite:///{tmp_path_factory.mktemp('explain') / 'store.db'}"
    settings = Settings(database_url=address)
    store = store_of(settings, PATIENT)
    engines = load_engines(settings)
    score_patients(store, engines)
    cards = [engine.card for engine in engines]
    course = timeline(store, f"SIM/{PATIENT}", cards)
    return address, store, engines, with_contributions(course, family_terms(cards))


def test_slot_contributions_add_up_to_the_term_of_the_history(explained):
    _, _, engines, course = explained
    checked = 0
    for point in course.points:
        for variant, pushes in point.contributions.items():
            score = point.scores[variant]
            assert isinstance(score, VariantScore)
            assert score.history is not None
            term = engines[0].history_terms[variant](score.history)
            assert sum(pushes) == pytest.approx(term, abs=1e-9)
            checked += 1
    assert checked >= 4


def test_lead_attributions_add_up_to_the_difference_from_a_flat_line(explained):
    _, store, engines, course = explained
    for found in lead_attributions(store, engines[0], course.points[-1].ecg):
        difference = found.logit - found.baseline_logit
        assert sum(found.leads.values()) == pytest.approx(difference, abs=1e-3 + found.largest_gap)
        assert found.largest_gap < 1e-3 * max(1.0, abs(difference))


def test_an_unknown_ecg_is_refused(explained):
    _, store, engines, course = explained
    with pytest.raises(NotFound, match="no score to explain"):
        explain_ecg(store, engines, course, "nothing")


def assert_adds_up(told):
    waves = told["lead_by_wave"]
    assert all(tuple(row) == WAVE_COLUMNS for row in waves.values())
    total = sum(sum(row.values()) for row in waves.values())
    assert told["sum"] == pytest.approx(total, abs=1e-9)
    assert sum(told["leads"].values()) == pytest.approx(total, abs=1e-9)
    difference = told["logit_without_history"] - told["reference"]["logit"]
    assert told["logit_difference"] == pytest.approx(difference, abs=1e-12)
    assert told["completeness_gap"] == pytest.approx(abs(total - difference), abs=1e-9)
    assert told["completeness_gap"] <= 1e-3 * max(abs(difference), 0.01)


def test_against_a_flat_line(explained):
    _, store, engines, course = explained
    ecg = course.points[-1].ecg
    told = explain_ecg(store, engines, course, ecg)
    assert told == explain_ecg(store, engines, course, ecg, "zero")
    assert "flat line" in told["method"]
    origin = store.predictions_of(course.key)[ecg][told["family"]].provenance
    assert origin.backend.split()[0] in ("torch", "openvino")
    assert told["score_provenance"] == provenance_json(origin)
    for one in told["variants"].values():
        assert_adds_up(one)
        assert one["reference"] == {"kind": "zero", "logit": one["logit_of_flat_line"]}
        assert "not_shown_logit" not in one


def test_against_the_previous_ecg_or_any_by_key(explained):
    _, store, engines, course = explained
    first, *_, previous, last = course.points
    told = explain_ecg(store, engines, course, last.ecg, "previous")
    assert told == explain_ecg(store, engines, course, last.ecg, previous.ecg)
    assert "an earlier ECG" in told["method"]
    for name, one in told["variants"].items():
        assert_adds_up(one)
        reference = one["reference"]
        assert (reference["kind"], reference["ecg"]) == ("earlier", previous.ecg)
        assert reference["recorded_at"] == previous.recorded_at.isoformat()
        scored = store.predictions_of(course.key)[previous.ecg][told["family"]]
        mean = sum(scored.base_logits[name]) / 3
        assert reference["earlier_logit"] == pytest.approx(mean, abs=1e-5)
        left_out = reference["earlier_logit"] - reference["logit"]
        assert one["not_shown_logit"] == pytest.approx(left_out, abs=1e-9)
        assert "rate and rhythm" in one["not_shown_is"]
        assert "logit_of_flat_line" not in one
    other = explain_ecg(store, engines, course, last.ecg, first.ecg)
    assert other["variants"] != told["variants"]


def test_what_it_cannot_be_compared_with_is_refused(explained):
    _, store, engines, course = explained
    with pytest.raises(NotFound, match="no earlier analysable ECG"):
        explain_ecg(store, engines, course, course.points[0].ecg, "previous")
    with pytest.raises(NotFound):
        explain_ecg(store, engines, course, course.points[0].ecg, "nothing")


def call(address, *words):
    return subprocess.run(
        [sys.executable, "-m", "ecgdash", "explain", *words],
        cwd=ROOT,
        env={**os.environ, "ECGDASH_DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_compares_with_the_previous_ecg(explained):
    address, store, engines, course = explained
    ecg = course.points[-1].ecg
    run = call(address, ecg, "--against", "previous", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    expected = explain_ecg(store, engines, course, ecg, "previous")
    told = json.loads(run.stdout)
    for name, one in expected["variants"].items():
        assert told["variants"][name]["reference"]["ecg"] == one["reference"]["ecg"]
        assert told["variants"][name]["sum"] == pytest.approx(one["sum"], abs=1e-9)
    words = call(address, ecg, "--against", "previous").stdout
    assert "against an earlier ECG" in words
    assert "not shown" in words


def test_the_command_refuses_in_one_sentence(explained):
    address, _, _, course = explained
    run = call(address, course.points[0].ecg, "--against", "previous", "--json")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "no earlier analysable ECG" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_the_command_prints_json_only(explained):
    address, _, _, course = explained
    run = call(address, course.points[-1].ecg, "--json")
    assert run.returncode == 0
    told = json.loads(run.stdout)
    assert set(told["variants"]) == {"uncalibrated", "masked", "recalibrated"}
    slots = told["variants"]["recalibrated"]["history"]
    assert len(slots) == 3
    assert all("contribution_logit" in slot for slot in slots)
