"""Another LVEF in the history re-scores exactly, on the shipped weights and a sample patient."""

import numpy as np
import pytest

from ecgdash.domain import RECALIBRATED, EcgRef, EchoStudy, History, TteEcgPair, VariantScore
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.inference.two_pass import BaseScored, score_course
from ecgdash.services.explaining import family_terms
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.services.what_if import stored_base_logits, what_if, with_lvef
from ecgdash.settings import Settings
from tests.sample_patients import code_of, store_of

PATIENT = code_of("recovery, then relapse")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Return store, course and recalibrated term of one imported and scored sample patient."""
    address = f"sqlite:///{tmp_path_factory.mktemp('what_if') / 'store.db'}"
    settings = Settings(database_url=address)
    store = store_of(settings, PATIENT)
    engines = load_engines(settings)
    score_patients(store, engines)
    cards = [engine.card for engine in engines]
    course = timeline(store, f"SIM/{PATIENT}", cards)
    yield store, course, family_terms(cards)
    store.close()


def recalibrated(course):
    """Return the points that have a recalibrated score."""
    found = [p for p in course.points if isinstance(p.scores.get(RECALIBRATED), VariantScore)]
    assert found
    return found


def observed_lvef(history):
    return [slot.lvef_percent for slot in history.slots if not slot.imputed]


def supposed(scored, point, lvef_percent):
    store, course, terms = scored
    base = stored_base_logits(store, course.key, point, RECALIBRATED)
    term = terms[point.family][RECALIBRATED]
    return what_if(base, term, point.scores[RECALIBRATED], lvef_percent)


def test_an_unchanged_history_gives_the_stored_score(scored):
    for point in recalibrated(scored[1]):
        stored = point.scores[RECALIBRATED]
        found = supposed(scored, point, observed_lvef(stored.history))
        assert found.score == pytest.approx(stored.value, abs=1e-9)
        assert found.difference_logit == pytest.approx(0.0, abs=1e-6)
        assert found.positive == stored.positive
        assert found.history == stored.history


def test_a_changed_lvef_is_the_score_of_a_patient_who_had_it(scored):
    """The two-pass scoring of a course whose echo measured 23 % gives the same score."""
    store, course, terms = scored
    point = recalibrated(course)[-1]
    changed = [23.0, *observed_lvef(point.scores[RECALIBRATED].history)[1:]]
    predictions = store.predictions_of(course.key)
    refs = {p.ecg: EcgRef(p.ecg, p.recorded_at, p.local_day) for p in course.points}
    usable = [key for key in refs if key in predictions and point.family in predictions[key]]
    ecgs = [
        BaseScored(refs[k], np.array(list(predictions[k][point.family].base_logits.values())))
        for k in usable
    ]
    slots = [s for s in point.scores[RECALIBRATED].history.slots if not s.imputed]
    pairs = [
        TteEcgPair(
            refs[slot.ecg],
            EchoStudy("x", refs[slot.ecg].recorded_at, refs[slot.ecg].local_day, lvef),
        )
        for slot, lvef in zip(slots, changed, strict=True)
    ]
    card = course.cards[point.lead_set]
    full = score_course(card, terms[point.family], ecgs, pairs)[usable.index(point.ecg)]
    found = supposed(scored, point, changed)
    assert found.score == pytest.approx(full[RECALIBRATED].value, abs=1e-9)
    assert found.score != pytest.approx(point.scores[RECALIBRATED].value, abs=1e-6)
    assert found.history == full[RECALIBRATED].history


def test_contributions_add_up_to_the_new_term(scored):
    point = recalibrated(scored[1])[0]
    n = point.scores[RECALIBRATED].history.n_observed
    found = supposed(scored, point, [35.0] * n)
    term = scored[2][point.family][RECALIBRATED]
    assert sum(found.contributions) == pytest.approx(term(found.history), abs=1e-9)


def test_imputed_slots_follow_the_slot_they_copy(scored):
    histories = [point.scores[RECALIBRATED].history for point in recalibrated(scored[1])]
    partial = [history for history in histories if history.n_observed < 3]
    assert partial
    for history in partial:
        lvef = [20.0 + i for i in range(history.n_observed)]
        changed = with_lvef(history, lvef)
        copies = [slot for slot in changed.slots if slot.imputed]
        assert len(copies) == 3 - history.n_observed
        assert {slot.lvef_percent for slot in copies} == {lvef[-1]}
        assert [s.interval_days for s in changed.slots] == [s.interval_days for s in history.slots]


@pytest.mark.parametrize("lvef", [0.0, 0.45, 1.0, 100.5, -5.0, float("nan")])
def test_an_lvef_that_is_no_percentage_is_refused(scored, lvef):
    history = recalibrated(scored[1])[0].scores[RECALIBRATED].history
    with pytest.raises(InvalidValue, match="is not in percent"):
        with_lvef(history, [lvef] * history.n_observed)


def test_what_does_not_fit_the_history_is_refused(scored):
    point = recalibrated(scored[1])[0]
    history = point.scores[RECALIBRATED].history
    with pytest.raises(InvalidValue, match="observed slots"):
        with_lvef(history, [50.0] * (history.n_observed + 1))
    masked = next(p for p in scored[1].points if getattr(p.scores["masked"], "history", None))
    with pytest.raises(InvalidValue, match="holds no LVEF"):
        with_lvef(
            History(masked.scores["masked"].history.slots),
            [50.0] * masked.scores["masked"].history.n_observed,
        )
    with pytest.raises(NotFound, match="no stored nothing prediction"):
        stored_base_logits(scored[0], scored[1].key, point, "nothing")
