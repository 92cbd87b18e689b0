"""Every sample patient that we ship opens, with the scores that the store holds."""

import json
import sys
from pathlib import Path

import pytest
from page_driver import Site, told

from ecgdash.domain import VariantScore
from ecgdash.services import demo
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import installed_cards
from ecgdash.settings import Settings
from ecgdash.store import open_store

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.name for path in (ROOT / "sample_data" / "ecgs").iterdir())
sys.path.insert(0, str(ROOT / "tests" / "inference"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Return settings with the shipped models, or with a family that never trained."""
    folder = tmp_path_factory.mktemp("samples")
    models = ROOT / "models"
    if not (models / "manifest.toml").is_file():
        from inference_family import install, random_family_net

        models = install(random_family_net(), folder / "models")
    return Settings(database_url=f"sqlite:///{folder / 'store.db'}", models_dir=models)


@pytest.fixture(scope="module")
def filled(settings):
    store = open_store(settings.database_url)
    demo.fill(store, settings)
    yield store
    store.close()


@pytest.fixture
def samples(filled, settings, monkeypatch):
    monkeypatch.setenv("ECGDASH_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(settings.models_dir))
    monkeypatch.setenv("ECGDASH_DEMO", "1")
    keys = {code: filled.find_patients(f"{demo.SITE}/{code}")[0].key for code in SAMPLES}
    return Site(filled, keys)


def test_the_worklist_counts_them_all(samples):
    at = samples.open()
    assert not at.exception
    assert f"{len(SAMPLES)} patients" in told(at)
    assert "Simulated patients and a model trained on simulated data." in told(at)


@pytest.mark.parametrize("code", SAMPLES)
def test_every_sample_patient_opens(samples, settings, code):
    at = samples.open("pages/patient.py", patient=samples.keys[code])
    assert not at.exception
    assert not at.error
    assert f"<h1>{code}</h1>" in told(at)
    course = timeline(samples.store, samples.keys[code], installed_cards(settings))
    expected = {
        (variant, point.ecg): score.value
        for point in course.points
        for variant, score in point.scores.items()
        if isinstance(score, VariantScore)
    }
    drawn = {}
    for chart in at.get("plotly_chart")[:1]:
        for trace in json.loads(chart.proto.spec)["data"]:
            if "variant" in (trace.get("meta") or {}):
                points = {key: score for key, score in trace["customdata"] if key}
                drawn |= {(trace["meta"]["variant"], key): s for key, s in points.items()}
    assert drawn == expected
    assert bool(course.undated) == ("ECGs without a date" in told(at))


def test_the_cohort_is_evaluated_on_its_own_pairs(samples, settings):
    from ecgdash.services.evaluation import evaluate_store

    at = samples.open("pages/cohort.py")
    at.button[0].click().run(timeout=60)
    assert not at.exception
    assert not at.error
    text = told(at)
    family = installed_cards(settings)[0].family
    follow_up = evaluate_store(settings, family)["follow_up"]
    auroc = follow_up["subgroups"]["all"]["recalibrated"]["auroc"]
    assert f"{follow_up['n']} pairs, {follow_up['n_positive']} with LVSD" in text
    assert f"<b>{auroc.value:.2f}</b>" in text
    assert "say nothing about patients" in text
