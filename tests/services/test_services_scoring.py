"""Two-pass scoring over the store: what is scored, what looks back, what never leaks."""

from dataclasses import replace

import pytest
from courses import (
    ANALYSABLE,
    FLAT,
    MeanEngine,
    fill,
    make_card,
    make_echo,
    make_record,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgdash import __version__
from ecgdash.domain import LIMB_LEADS, MASKED, RECALIBRATED, UNCALIBRATED, VariantScore
from ecgdash.services.exporting import provenance_json, timeline_json
from ecgdash.services.scoring import score_patients
from ecgdash.services.timelines import timeline
from ecgdash.store import Findings, open_store


@pytest.fixture
def engine():
    return MeanEngine(make_card())


def scores_by_ecg(store, patient, card):
    found = store.predictions_of(patient)
    return {ecg: families[card.family].scores for ecg, families in found.items()}


def test_uncalibrated_score_is_the_mean_of_the_crops(store, engine):
    patient, (key,) = fill(store, [(make_record(-1.5, 0), ANALYSABLE)])
    report = score_patients(store, [engine])
    score = scores_by_ecg(store, patient, engine.card)[key][UNCALIBRATED]
    assert score.value == pytest.approx(1 / (1 + 2.718281828459045**1.5), abs=1e-6)
    assert score.threshold == engine.card.variant(UNCALIBRATED).youden
    assert (report.n_patients, report.n_networks, report.n_updated) == (1, 1, 1)


def test_withheld_ecgs_never_reach_the_network(store, engine):
    patient, _ = fill(store, [(make_record(0.0, 0), FLAT)])
    report = score_patients(store, [engine])
    assert engine.n_seen == 0
    assert report.n_withheld == 1
    assert store.predictions_of(patient) == {}


def test_undated_ecgs_are_scored_uncalibrated_only_and_are_no_history(store, engine):
    ecgs = [
        (make_record(1.0, None), ANALYSABLE),
        (make_record(0.5, 0), ANALYSABLE),
        (make_record(0.2, 50), ANALYSABLE),
    ]
    patient, keys = fill(store, ecgs)
    score_patients(store, [engine])
    scores = scores_by_ecg(store, patient, engine.card)
    undated = scores[keys[0]]
    assert isinstance(undated[UNCALIBRATED], VariantScore)
    assert "no date" in undated[MASKED].reason
    assert "no date" in undated[RECALIBRATED].reason
    assert {slot.ecg for slot in scores[keys[2]][MASKED].history.slots} == {keys[1]}


def test_a_new_echo_needs_no_network(store, engine):
    ecgs = [(make_record(0.5, 0), ANALYSABLE), (make_record(0.2, 50), ANALYSABLE)]
    patient, keys = fill(store, ecgs)
    score_patients(store, [engine])
    before = scores_by_ecg(store, patient, engine.card)
    assert before[keys[1]][RECALIBRATED].reason == "no earlier ECG-echo pair"
    store.add_echo(patient, make_echo(1, 30))
    report = score_patients(store, [engine])
    after = scores_by_ecg(store, patient, engine.card)
    assert (engine.n_seen, report.n_networks, report.n_updated) == (2, 0, 1)
    assert after[keys[0]] == before[keys[0]]
    assert after[keys[1]][RECALIBRATED].history.slots[0].lvef_percent == 30


def test_scoring_again_changes_nothing(store, engine):
    ecgs = [(make_record(0.5, 0), ANALYSABLE), (make_record(0.2, 50), ANALYSABLE)]
    patient, _ = fill(store, ecgs, [make_echo(1, 30)])
    score_patients(store, [engine])
    first = store.predictions_of(patient)
    report = score_patients(store, [engine])
    assert (report.n_networks, report.n_updated) == (0, 0)
    assert store.predictions_of(patient) == first


def test_new_weights_are_scored_anew(store, engine):
    patient, (key,) = fill(store, [(make_record(0.5, 0), ANALYSABLE)])
    score_patients(store, [engine])
    newer = MeanEngine(make_card(weights="x"))
    assert score_patients(store, [newer]).n_networks == 1
    made = store.predictions_of(patient)[key][newer.card.family].provenance
    assert made.weights_sha256 == "x" * 64
    assert made.waveform_sha256 == store.ecg(key).sha256


def test_a_renewed_history_keeps_what_computed_its_logits(store, engine):
    """And another backend alone scores nothing anew."""
    ecgs = [(make_record(0.5, 0), ANALYSABLE), (make_record(0.2, 50), ANALYSABLE)]
    patient, keys = fill(store, ecgs)
    engine.computed_by = "torch 2.13.0 float32 cpu"
    score_patients(store, [engine])
    engine.computed_by = "openvino 2026.4.1 float32 cpu"
    report = score_patients(store, [engine])
    assert (report.n_networks, report.n_updated) == (0, 0)

    store.add_echo(patient, make_echo(1, 30))
    third = store.add_ecg(patient, make_record(0.7, 90), Findings(ANALYSABLE))
    before = {
        ecg: found[engine.card.family].provenance
        for ecg, found in store.predictions_of(patient).items()
    }
    report = score_patients(store, [engine])
    assert (report.n_networks, report.n_updated) == (1, 2)
    after = {
        ecg: found[engine.card.family].provenance
        for ecg, found in store.predictions_of(patient).items()
    }
    assert after[keys[1]].made_at > before[keys[1]].made_at
    assert after[keys[1]].backend == before[keys[1]].backend == "torch 2.13.0 float32 cpu"
    assert after[third].backend == "openvino 2026.4.1 float32 cpu"


def test_where_a_score_comes_from_is_told_on_the_timeline_and_in_its_json(store, engine):
    ecgs = [
        (make_record(0.5, 0), ANALYSABLE),
        (make_record(0.2, 50), FLAT),
        (make_record(0.3, 90), ANALYSABLE),
    ]
    patient, _ = fill(store, ecgs)
    score_patients(store, [engine])
    course = timeline(store, patient, [engine.card])
    origin = course.points[0].provenance
    assert origin == store.predictions_of(patient)[course.points[0].ecg]["test-lvsd-12"].provenance
    scored, withheld, _ = timeline_json(course)["points"]
    assert scored["provenance"] == {
        "family": "test-lvsd-12",
        "weights_sha256": "w" * 64,
        "preprocessing_version": 1,
        "waveform_sha256": ecgs[0][0].sha256,
        "software_version": __version__,
        "backend": "numpy mean of lead I",
        "made_at": origin.made_at.isoformat(),
    }
    assert withheld["provenance"] is None
    assert provenance_json(replace(origin, backend=""))["backend"] is None


def test_a_history_holds_only_scores_of_its_own_lead_set(store):
    twelve, six = MeanEngine(make_card("12")), MeanEngine(make_card("6"))
    ecgs = [
        (make_record(0.5, 0), ANALYSABLE),
        (make_record(0.4, 50, LIMB_LEADS), ANALYSABLE),
        (make_record(0.3, 100), ANALYSABLE),
    ]
    patient, keys = fill(store, ecgs)
    score_patients(store, [twelve, six])
    found = store.predictions_of(patient)
    assert twelve.card.family not in found[keys[1]]
    slots = found[keys[2]][twelve.card.family].scores[MASKED].history.slots
    assert [slot.ecg for slot in slots] == [keys[0]] * 3
    slots = found[keys[2]][six.card.family].scores[MASKED].history.slots
    assert [slot.ecg for slot in slots] == [keys[1], keys[0], keys[0]]
    assert (twelve.n_seen, six.n_seen) == (2, 3)


def test_progress_is_told_and_the_worklist_is_fresh(store, engine):
    for code in ("1", "2", "3"):
        fill(store, [(make_record(0.5, 0), ANALYSABLE)], code=code)
    told = []
    score_patients(store, [engine], on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    assert store.patient_keys(stale_only=True) == []


days = st.integers(0, 300)
small_courses = st.tuples(
    st.lists(st.tuples(days, st.floats(-3, 3, width=16)), min_size=1, max_size=5),
    st.lists(st.tuples(days, st.integers(15, 70)), max_size=4),
)


def build(course, *more_ecgs, echo_change=None):
    """Score a course in a fresh store; return scores by the ECG's place in the course."""
    store, engine = open_store("sqlite://"), MeanEngine(make_card())
    raw_ecgs, raw_echoes = course
    # Minutes apart, so that no two ECGs are one.
    ecgs = [
        (make_record(logit, day + place / 1440), ANALYSABLE)
        for place, (day, logit) in enumerate(raw_ecgs)
    ]
    echoes = [
        make_echo(day + 0.1, echo_change[1] if echo_change and echo_change[0] == place else lvef)
        for place, (day, lvef) in enumerate(raw_echoes)
    ]
    extra = [(make_record(logit, day), ANALYSABLE) for day, logit in more_ecgs]
    patient, keys = fill(store, ecgs + extra, echoes)
    score_patients(store, [engine])
    course_seen = timeline(store, patient, [engine.card])
    places = {key: place for place, key in enumerate(keys)}

    def plain(score):
        if not isinstance(score, VariantScore):
            return score
        slots = score.history.slots if score.history else ()
        return (score.value, [(places[s.ecg], s.score, s.lvef_percent, s.imputed) for s in slots])

    scores = {
        places[p.ecg]: {name: plain(score) for name, score in p.scores.items()}
        for p in course_seen.points
    }
    echo_place = {(e.study.performed_at): e.paired_ecg for e in course_seen.echoes}
    ordered = [places.get(echo_place[echo.performed_at]) for echo in echoes]
    store.close()
    return scores, ordered


@given(small_courses, st.integers(1, 60), st.floats(-3, 3, width=16), st.integers(15, 70))
@settings(max_examples=25, deadline=None)
def test_later_records_never_change_an_earlier_point(course, later, logit, lvef):
    raw_ecgs, raw_echoes = course
    last = max([day for day, _ in raw_ecgs] + [day for day, _ in raw_echoes]) + 1 + later
    before, _ = build(course)
    after, _ = build((raw_ecgs, [*raw_echoes, (last, lvef)]), (last, logit))
    assert {place: after[place] for place in before} == before


@given(small_courses, st.integers(15, 70))
@settings(max_examples=25, deadline=None)
def test_the_labels_lvef_never_changes_the_score_it_labels(course, lvef):
    before, paired = build(course)
    for place, ecg in enumerate(paired):
        if ecg is None:
            continue
        after, _ = build(course, echo_change=(place, lvef))
        assert after[ecg] == before[ecg]
