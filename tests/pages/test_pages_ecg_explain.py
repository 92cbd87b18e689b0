"""The ECG page explains a score, and tells how steady it is, when it is asked to."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from page_driver import Site, told

from ecgdash.domain import VariantScore
from ecgdash.services.explaining import attribute, earlier_of
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.services.stability import stability
from ecgdash.settings import Settings
from ecgdash.ui import words

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # a page test leaves itself as __main__

from tests.sample_patients import code_of, store_of  # noqa: E402

CODES = {
    "scored": code_of("recovery, then relapse"),
    "flat": code_of("poor quality: lead V3"),
    "six": code_of("6-lead ECGs after"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return settings, store and engines with some sample patients, scored."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('e') / 'store.db'}")
    store = store_of(settings, *CODES.values())
    engines = load_engines(settings)
    score_patients(store, engines)
    yield settings, store, engines
    store.close()


@pytest.fixture
def opened(filled, monkeypatch):
    """Return a way to open the last ECG of a patient, and its course."""
    settings, store, engines = filled
    monkeypatch.setenv("ECGDASH_DATABASE_URL", settings.database_url)
    monkeypatch.delenv("ECGDASH_MODELS_DIR", raising=False)
    monkeypatch.delenv("ECGDASH_DEMO", raising=False)

    def open_last(which):
        course = timeline(store, f"SIM/{CODES[which]}", [engine.card for engine in engines])
        point = course.points[-1]
        site = Site(store, {})
        at = site.open("pages/ecg.py", patient=course.key, ecg=point.ecg)
        assert not at.exception
        return at, course, point

    return open_last


def _control(at, point):
    return next(w for w in at.segmented_control if w.key == f"moved_{point.ecg}")


def _engine(filled, point):
    return next(engine for engine in filled[2] if engine.card.family == point.family)


def _toggle(at):
    return next(w for w in at.toggle if w.key == "stability_asked")


def test_nothing_is_explained_and_no_network_loaded_before_it_is_asked_for(opened, monkeypatch):
    def fail(*_):
        raise AssertionError("a network was loaded for the plain page")

    monkeypatch.setattr("ecgdash.services.scoring.load_engines", fail)
    at, _, point = opened("scored")
    assert _control(at, point).value == "off"
    assert not _toggle(at).value
    assert "How steady this score is" in told(at)
    assert "Map reliability" not in told(at)
    assert "Lead by wave" not in told(at)


def test_against_a_flat_line(opened, filled):
    at, _, point = opened("scored")
    _control(at, point).set_value("zero").run(timeout=60)
    assert not at.exception
    assert not at.error
    found = attribute(filled[1], _engine(filled, point), point.ecg, point.best_variant)
    text = told(at)
    assert f"adds up to the {words.signed(found.logit - found.reference_logit, 2)}" in text
    assert "Map reliability" in text
    assert "Supporting evidence only." in text
    assert "Logit change of the recalibrated score against a flat line" in text
    assert "How far to trust this map" in text
    assert "History at work" in text


def test_since_the_earlier_ecg_and_for_another_variant(opened, filled):
    at, course, point = opened("scored")
    _control(at, point).set_value("earlier").run(timeout=60)
    assert not at.exception
    key = earlier_of(course, point.ecg)
    earlier = next(p for p in course.points if p.ecg == key)
    found = attribute(filled[1], _engine(filled, point), point.ecg, point.best_variant, key)
    day = words.day(earlier.recorded_at, filled[0].zone)
    moved = words.signed(found.logit - found.earlier_logit, 2)
    assert f"Since {day} the logit without history moved by {moved}" in told(at)

    chosen = next(w for w in at.selectbox if w.key == f"moved_variant_{point.ecg}")
    chosen.set_value("uncalibrated").run(timeout=60)
    assert not at.exception
    other = attribute(filled[1], _engine(filled, point), point.ecg, "uncalibrated", key)
    moved = words.signed(other.logit - other.earlier_logit, 2)
    text = told(at)
    assert f"Since {day} the logit without history moved by {moved}" in text
    assert f"Logit change of the uncalibrated score since {day}" in text
    assert "The map leaves out history" not in text

    _control(at, point).set_value("off").run(timeout=60)
    assert "Map reliability" not in told(at)


def test_grad_cam_tells_moments_and_says_that_it_tells_no_more(opened):
    at, _, point = opened("scored")
    _control(at, point).set_value("moments").run(timeout=60)
    assert not at.exception
    assert not at.error
    text = told(at)
    assert "in steps of 256 ms" in text
    assert "Map reliability" not in text
    assert "Lead by wave" not in text


def test_an_ecg_of_fewer_leads_has_a_map_of_its_own_family(opened, filled):
    at, _, point = opened("six")
    assert point.lead_set == "6"
    _control(at, point).set_value("zero").run(timeout=60)
    assert not at.exception
    text = told(at)
    assert "Lead by wave" in text
    heat = text[text.index("ed-heat") :]
    heat = heat[: heat.index("</table>")]
    assert ">aVF<" in heat
    assert ">V1<" not in heat


def test_what_cannot_be_aligned_is_said_and_the_map_is_off(opened, monkeypatch):
    from ecgdash.errors import InvalidValue

    def refuse(*_):
        raise InvalidValue("1 beat found in the earlier ECG", accepted="Accepted: at least 3")

    monkeypatch.setattr("ecgdash.explain.reference.earlier_crops", refuse)
    monkeypatch.setattr("ecgdash.store.store.Store.attribution", lambda *_: None)
    at, _, point = opened("scored")
    _control(at, point).set_value("earlier").run(timeout=60)
    assert not at.exception
    text = told(at)
    assert "No map. 1 beat found in the earlier ECG. Accepted: at least 3." in text
    assert "Lead by wave" not in text
    assert "Map reliability" not in text


def test_an_ecg_that_the_gate_withheld_is_no_reference(opened, monkeypatch):
    at, course, point = opened("scored")
    key = earlier_of(course, point.ecg)
    chosen = next(w for w in at.selectbox if w.key == f"ecg_compared_{point.ecg}")
    assert chosen.value == key
    other = next(p for p in course.points if p.ecg not in (key, point.ecg))
    chosen.set_value(other.ecg).run(timeout=60)
    zone = Settings().zone
    assert f"Since {words.day(other.recorded_at, zone)}" in _control(at, point).options
    withheld = replace(other, status="poor_quality", scores={})
    points = tuple(withheld if p is other else p for p in course.points)
    changed = replace(course, points=points)
    monkeypatch.setattr("ecgdash.services.monitoring.timeline", lambda *_, **__: changed)
    at.run(timeout=60)
    assert not at.exception
    before = next(p for p in course.points if p.ecg == key)
    assert f"Since {words.day(before.recorded_at, zone)}" in _control(at, point).options


def test_an_ecg_without_a_score_says_why(opened):
    at, _, point = opened("flat")
    assert _control(at, point).disabled
    text = told(at)
    assert "Nothing can be explained: score withheld: " in text
    assert "This ECG has no score, so there is none to vary." in text
    assert not [w for w in at.toggle if w.key == "stability_asked"]


def test_the_stability_panel_on_request(opened, filled):
    at, course, point = opened("scored")
    _toggle(at).set_value(True).run(timeout=60)
    assert not at.exception
    assert not at.error
    panel = stability(filled[1], filled[2], course, point.ecg)
    text = told(at)
    for row in panel.rows:
        assert row.condition in text
    score = point.scores[point.best_variant]
    assert isinstance(score, VariantScore)
    assert f"The recalibrated score of {score.value:.2f} is" in text
    assert len(at.get("plotly_chart")) == 2


def test_the_panel_is_computed_once(opened, monkeypatch):
    at, _, _ = opened("scored")
    _toggle(at).set_value(True).run(timeout=60)
    before = told(at)

    def fail(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr("ecgdash.services.stability.stability", fail)
    at.run(timeout=60)
    assert not at.exception
    assert told(at) == before
