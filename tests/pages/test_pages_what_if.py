"""The what-if of the patient page: another LVEF, another score, nothing stored."""

from pathlib import Path

import pytest
from page_driver import Site, told

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, VariantScore
from ecgdash.services.explaining import family_terms
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import installed_cards, load_engines, score_patients
from ecgdash.services.what_if import stored_base_logits, what_if
from ecgdash.settings import Settings
from tests.sample_patients import code_of, store_of

PATIENT = code_of("recovery, then relapse")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("what_if_page")
    return Settings(database_url=f"sqlite:///{folder / 'store.db'}")


@pytest.fixture(scope="module")
def filled(settings):
    store = store_of(settings, PATIENT)
    score_patients(store, load_engines(settings))
    yield store
    store.close()


@pytest.fixture
def sample(filled, settings, monkeypatch):
    monkeypatch.setenv("ECGDASH_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ECGDASH_DEMO", "1")
    key = filled.find_patients(f"SIM/{PATIENT}")[0].key
    return Site(filled, {PATIENT: key})


def open_sample(sample):
    at = sample.open("pages/patient.py", patient=sample.keys[PATIENT])
    assert not at.exception
    assert not at.error
    return at


def lvef_boxes(at):
    """Return the inputs of the what-if; the flag table has one of its own."""
    return [box for box in at.number_input if box.label.startswith("LVEF")]


def test_another_lvef_gives_another_score_and_reset_the_stored_one(sample, settings):
    cards = installed_cards(settings)
    key = sample.keys[PATIENT]
    before = sample.store.predictions_of(key)
    point = timeline(sample.store, key, cards).points[-1]
    stored = point.scores[RECALIBRATED]
    assert isinstance(stored, VariantScore)
    at = open_sample(sample)
    at.segmented_control[0].set_value(RECALIBRATED).run()
    assert "A thought experiment: nothing is stored." in told(at)
    assert f"Nothing is changed yet: the stored score is {stored.value:.2f}." in told(at)
    measured = [slot.lvef_percent for slot in stored.history.slots if not slot.imputed]
    assert [box.value for box in lvef_boxes(at)] == measured

    lvef_boxes(at)[0].set_value(21.0).run()
    assert not at.exception
    base = stored_base_logits(sample.store, key, point, RECALIBRATED)
    term = family_terms(cards)[point.family][RECALIBRATED]
    found = what_if(base, term, stored, [21.0, *measured[1:]])
    side = "above" if found.positive else "below"
    assert (
        f"With this history the recalibrated score would be {found.score:.2f}, {side} its "
        f"threshold of {stored.threshold.value:.2f} (stored: {stored.value:.2f})." in told(at)
    )
    assert sample.store.predictions_of(key) == before

    at.button(key="what_if_reset").click().run()
    assert not at.exception
    assert [box.value for box in lvef_boxes(at)] == measured
    assert "Nothing is changed yet" in told(at)


def test_only_a_recalibrated_score_has_a_what_if(sample):
    at = open_sample(sample)
    at.segmented_control[0].set_value(UNCALIBRATED).run()
    assert not at.exception
    assert not lvef_boxes(at)
    assert "thought experiment" not in told(at)
