"""What moved a score adds up, on the shipped weights and a sample patient."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgdash.domain import VariantScore
from ecgdash.errors import NotFound
from ecgdash.services.explaining import (
    explain_ecg,
    family_terms,
    lead_attributions,
    with_contributions,
)
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.settings import Settings
from ecgdash.store import open_store
from tests.sample_patients import code_of

ROOT = Path(__file__).resolve().parents[2]
PATIENT = code_of("recovery, then relapse")


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Return address, store, engines and course of one imported and scored sample patient."""
    address = f"sqlite:///{tmp_path_factory.mktemp('explain') / 'store.db'}"
    settings = Settings(database_url=address)
    store = open_store(address)
    folder = settings.sample_dir
    import_paths(
        store, [folder / "ecgs" / PATIENT], settings=settings, echo=folder / "echo.csv", site="SIM"
    )
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


def test_the_command_prints_json_only(explained):
    address, _, _, course = explained
    run = subprocess.run(
        [sys.executable, "-m", "ecgdash", "explain", course.points[-1].ecg, "--json"],
        cwd=ROOT,
        env={**os.environ, "ECGDASH_DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(run.stdout)
    assert set(told["variants"]) == {"uncalibrated", "masked", "recalibrated"}
    slots = told["variants"]["recalibrated"]["history"]
    assert len(slots) == 3
    assert all("contribution_logit" in slot for slot in slots)
