from zoneinfo import ZoneInfo

import pytest
from handmade_timelines import NOISE, START, course, point, timeline

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.plots import series
from ecgdash.plots.scale import logit

UTC = ZoneInfo("UTC")


def keys(runs):
    return [[item.ecg for item in run] for run in runs]


def test_a_withheld_score_ends_a_run():
    assert keys(series.scored_runs(course(), RECALIBRATED, "12", UTC)) == [["b", "c", "d"], ["f"]]
    assert keys(series.scored_runs(course(), UNCALIBRATED, "12", UTC)) == [
        ["a", "b", "c", "d"],
        ["f"],
    ]


def test_not_applicable_in_between_ends_a_run():
    scores = {UNCALIBRATED: 0.1, MASKED: 0.1}
    line = timeline(
        [
            point("a", 0, scores),
            point("b", 9, {UNCALIBRATED: 0.1}, absent=(MASKED,)),
            point("c", 20, scores),
        ]
    )
    assert keys(series.scored_runs(line, MASKED, "12", UTC)) == [["a"], ["c"]]


def test_lead_sets_are_never_joined():
    scores = {UNCALIBRATED: 0.1}
    line = timeline(
        [
            point("a", 0, scores),
            point("b", 9, scores, lead_set="6"),
            point("c", 20, scores),
            point("d", 30, scores, lead_set="6"),
        ]
    )
    assert keys(series.scored_runs(line, UNCALIBRATED, "12", UTC)) == [["a", "c"]]
    assert keys(series.scored_runs(line, UNCALIBRATED, "6", UTC)) == [["b", "d"]]
    assert series.lead_sets(line) == ("12", "6")
    assert series.main_lead_set(line) == "6"


def test_noise_spans_reach_across_withheld_scores():
    runs = series.scored_runs(course(), RECALIBRATED, "12", UTC)
    spans = [(a.ecg, b.ecg) for a, b in series.noise_spans(runs)]
    assert spans == [("b", "c"), ("c", "d"), ("d", "f")]


@pytest.mark.parametrize(("noise", "beyond"), [(0.7, True), (5.0, False), (None, None)])
def test_last_change_is_in_logits(noise, beyond):
    runs = series.scored_runs(course(), RECALIBRATED, "12", UTC)
    change = series.last_change(runs, noise)
    assert (change.earlier.ecg, change.latest.ecg) == ("d", "f")
    assert change.difference_logit == pytest.approx(logit(0.3) - logit(0.03))
    assert change.beyond_noise is beyond


def test_one_score_is_no_change():
    assert series.last_change([], 0.7) is None
    runs = series.scored_runs(
        timeline([point("a", 0, {UNCALIBRATED: 0.1})]), UNCALIBRATED, "12", UTC
    )
    assert series.last_change(runs, 0.7) is None


def test_marks_say_why():
    assert [(m.ecg, m.reason) for m in series.withheld(course(), UTC)] == [
        ("e", "withheld: lead V2 is flat for 10.0 s")
    ]
    assert [(m.ecg, m.reason) for m in series.not_applicable(course(), RECALIBRATED, UTC)] == [
        ("a", "no earlier ECG-echo pair")
    ]
    assert series.not_applicable(course(), UNCALIBRATED, UTC) == []
    bare = timeline([point("a", 0)], cards={})
    assert series.not_applicable(bare, UNCALIBRATED, UTC)[0].reason == series.NO_MODEL


def test_noise_floor_is_the_cards():
    assert series.noise_floor(course(), MASKED, "12") == NOISE[MASKED]
    assert series.noise_floor(course(), MASKED, "6") is None


def test_times_are_those_of_the_site():
    runs = series.scored_runs(course(), UNCALIBRATED, "12", ZoneInfo("Asia/Kolkata"))
    assert runs[0][0].at.isoformat() == "2020-01-15T15:00:00"
    assert START.isoformat() == "2020-01-15T09:30:00+00:00"


def test_variants_in_the_order_of_the_card():
    assert series.variants_of(course()) == (UNCALIBRATED, MASKED, RECALIBRATED)
