"""What the ECG page says of a map adds up and names how far to trust it."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ecgdash.domain import (
    BIN_S,
    TRUST_MARKS,
    WAVE_COLUMNS,
    Attribution,
    Estimate,
    FamilyTrust,
    NotApplicable,
    TimelinePoint,
    TrustCheck,
    WaveTable,
)
from ecgdash.ui import ecg_explain_words
from ecgdash.ui.ecg_explain import overlay_of

UTC_ZONE = ZoneInfo("UTC")


def _map(leads=("I", "II"), earlier_logit=None, logit=-1.2, reference_logit=-2.004):
    bins = np.arange(len(leads) * 3, dtype=np.float32).reshape(len(leads), 3)
    return Attribution(
        family="f",
        variant="recalibrated",
        weights_sha256="w" * 64,
        preprocessing_version=1,
        waveform_sha256="e" * 64,
        reference="zero" if earlier_logit is None else "earlier",
        reference_sha256=None,
        start_s=0.5,
        leads=leads,
        bins=bins,
        waves=WaveTable(leads, np.zeros((len(leads), len(WAVE_COLUMNS)))),
        logit=logit,
        reference_logit=reference_logit,
        gap=0.0,
        earlier_logit=earlier_logit,
    )


def _point(day, hour=9, **facts):
    at = datetime(2026, 3, day, hour, 5, tzinfo=UTC)
    return TimelinePoint("e", at, at.date(), "analysable", (), "12", "f", (), {}, **facts)


def _trust(n_passed, weights="w"):
    checks = tuple(
        TrustCheck(mark.key, Estimate(0.25, 0.2, 0.3), None, i < n_passed, 40)
        for i, mark in enumerate(TRUST_MARKS)
    )
    trust = FamilyTrust("f", weights * 64, "Simulated ECGs", 5001, True, {"recalibrated": checks})
    return {"f": trust}


def test_the_overlay_lies_in_the_sheets_lead_order():
    overlay = overlay_of(_map(("II", "V5")), ("I", "II", "V5"), "title")
    np.testing.assert_array_equal(overlay.values, [[0, 0, 0], [0, 1, 2], [3, 4, 5]])
    assert (overlay.start_s, overlay.step_s, overlay.title) == (0.5, BIN_S, "title")
    fewer = overlay_of(_map(("I", "II")), ("II",), "title")
    np.testing.assert_array_equal(fewer.values, [[3, 4, 5]])


def test_the_sentence_of_an_earlier_reference_adds_up():
    # moved -1.2 + 2.084 = 0.884, shown 0.804: 0.88 = 0.80 + 0.08
    told = ecg_explain_words.sum_sentence(_map(earlier_logit=-2.084), "since 28 Jan 2025")
    assert told == (
        "Since 28 Jan 2025 the logit without history moved by +0.88: the map shows +0.80 of it; "
        "+0.08 come from rate and rhythm, which aligning the beats cannot keep."
    )


def test_a_part_of_the_other_sign_is_no_part_of_it():
    found = _map(logit=0.0, reference_logit=0.02, earlier_logit=-0.22)
    told = ecg_explain_words.sum_sentence(found, "since 28 Jan 2025")
    assert "moved by +0.22: the map shows −0.02; +0.24 come from" in told


@pytest.mark.parametrize("seed", range(20))
def test_its_figures_add_up_as_they_are_read(seed):
    rng = np.random.default_rng(seed)
    logit, reference, earlier = rng.normal(0, 2, 3)
    found = _map(logit=logit, reference_logit=reference, earlier_logit=earlier)
    told = ecg_explain_words.sum_sentence(found, "since then").replace("−", "-")
    figures = [float(word.strip(":;")) for word in told.split() if word[0] in "+-"]
    moved, shown, rest = figures
    assert moved == pytest.approx(shown + rest, abs=1e-9)
    assert moved == pytest.approx(logit - earlier, abs=0.0051)


def test_the_sentence_of_a_flat_line():
    told = ecg_explain_words.sum_sentence(_map(), "against a flat line")
    assert "logit is −1.20, for a flat line −2.00: the map adds up to the +0.80" in told


def test_the_reference_is_named_by_its_day_or_its_hour():
    since = ecg_explain_words.since_words
    assert since(_point(9), _point(2), UTC_ZONE) == "since 2 Mar 2026"
    assert since(_point(2), _point(9), UTC_ZONE) == "against 9 Mar 2026"
    assert since(_point(2, hour=12), _point(2), UTC_ZONE) == "since 2 Mar 2026, 09:05"
    assert since(_point(2), None, UTC_ZONE) == ""


def test_why_there_is_no_score():
    point = replace(_point(2), scores={"masked": NotApplicable("score withheld: V2 is flat.")})
    assert ecg_explain_words.why_no_score(point) == "score withheld: V2 is flat"
    assert "course" in ecg_explain_words.why_no_score(None)


@pytest.mark.parametrize(
    ("n_passed", "verdict"), [(6, "good"), (4, "limited"), (3, "poor"), (0, "poor")]
)
def test_the_badge_gives_the_verdict_its_numbers_and_a_warning(n_passed, verdict):
    told = ecg_explain_words.badge(_map(), _trust(n_passed)).html
    assert verdict in told
    assert f"{n_passed} of 6 checks passed" in told
    assert told.count("<li>") == 6
    assert told.count(", not passed") == 6 - n_passed
    assert "family=f" in told
    assert ("Read this map with caution." in told) == (verdict != "good")
    for mark in TRUST_MARKS[n_passed:]:
        assert mark.failed in told


def test_figures_of_other_weights_do_not_count():
    for measured in ({}, _trust(6, weights="x")):
        assert ecg_explain_words.trust_of(_map(), measured) is None
        told = ecg_explain_words.badge(_map(), measured).html
        assert "not measured for these weights" in told
        assert "checks passed" not in told


def test_history_is_told_beside_the_map():
    class Page:
        zone = UTC_ZONE

    now = _point(9, contributions={"recalibrated": (0.5, -0.2, 0.0)})
    then = _point(2, contributions={"recalibrated": (-1.0, 0.0, 0.0)})
    sentence = ecg_explain_words.history_sentence
    head = "The map leaves out history, which adds +0.30 to the recalibrated logit of this ECG"
    assert sentence("recalibrated", now, None, Page) == f"{head}."
    assert sentence("recalibrated", now, then, Page) == f"{head} and added −1.00 on 2 Mar 2026."
    assert sentence("recalibrated", now, _point(2), Page) == (
        f"{head}; on 2 Mar 2026 there was no recalibrated score."
    )
    other = replace(then, family="other")
    assert sentence("recalibrated", now, other, Page) == f"{head}."
