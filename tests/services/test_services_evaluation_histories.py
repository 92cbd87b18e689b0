"""Pairs, histories and controls against the domain's rules and hand-worked terms."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    EcgRef,
    EchoStudy,
    FamilyCard,
    OperatingPoint,
    VariantCard,
)
from ecgdash.inference.history import HistoryTerm, logit, sigmoid
from ecgdash.services.evaluation_histories import (
    Subject,
    _other_patients,
    control_scores,
    pair_rows,
    variant_scores,
)
from ecgdash.services.evaluation_pairs import MASKED_PAIRS

START = datetime(2020, 1, 1, 9, tzinfo=UTC)


def ecg(key, day):
    at = START + timedelta(days=day)
    return EcgRef(key, at, at.date())


def echo(patient, day, lvef):
    at = START + timedelta(days=day, hours=2)
    return EchoStudy(patient, at, at.date(), lvef)


def card():
    point = OperatingPoint("p", "youden", 0.1, "made up", 100, 8, 0.9, 0.9)
    variants = tuple(
        VariantCard(name, point, point, point) for name in (UNCALIBRATED, MASKED, RECALIBRATED)
    )
    return FamilyCard(
        "fam", "t", "12", "signal", "a", "LVEF <= 40 %", "0" * 64, 1, "made up", True, "x", variants
    )


def lvef_term():
    """Return a term that is -1 x (LVEF of the first slot - 50) / 15, for LVEF above or below."""
    weights = np.zeros((2, 12))
    weights[0, 0], weights[1, 0] = 1.0, -1.0
    return HistoryTerm(RECALIBRATED, weights, np.zeros(2), np.array([-1.0, 1.0]), 0.0)


def score_term():
    """Return a term that is half the first slot's logit."""
    weights = np.zeros((2, 9))
    weights[0, 0], weights[1, 0] = 1.0, -1.0
    return HistoryTerm(MASKED, weights, np.zeros(2), np.array([0.5, -0.5]), 0.0)


@pytest.fixture
def subjects():
    """Return a patient with an unpaired ECG between two pairs, and 20 with two pairs each."""
    first = Subject("a", [ecg("a0", 0), ecg("a1", 100), ecg("a2", 200)],
                    [echo("a", 1, 30), echo("a", 200, 60)])  # fmt: skip
    others = [
        Subject(f"p{i}", [ecg(f"p{i}0", 0), ecg(f"p{i}1", 300)],
                [echo(f"p{i}", 0, 40 + i), echo(f"p{i}", 301, 50)])
        for i in range(20)
    ]  # fmt: skip
    return [first, *others]


@pytest.fixture
def scored(subjects, rng):
    keys = [ref.key for subject in subjects for ref in subject.ecgs]
    return {key: float(value) for key, value in zip(keys, rng.random(len(keys)), strict=True)}


def test_masked_takes_the_unpaired_ecg_and_masked_pairs_does_not(subjects, scored):
    row = pair_rows(subjects[:1], scored)[1]
    assert row.follow_up
    assert [slot.ecg for slot in row.histories[MASKED].slots] == ["a1", "a0", "a0"]
    assert [slot.ecg for slot in row.histories[MASKED_PAIRS].slots] == ["a0", "a0", "a0"]
    recalibrated = row.histories[RECALIBRATED]
    assert [slot.lvef_percent for slot in recalibrated.slots] == [30, 30, 30]
    assert [slot.imputed for slot in recalibrated.slots] == [False, True, True]


def test_baseline_has_no_history_and_a_withheld_ecg_no_row(subjects, scored):
    rows = pair_rows(subjects[:1], scored)
    assert rows[0].histories == {MASKED: None, MASKED_PAIRS: None, RECALIBRATED: None}
    del scored["a2"]
    assert [row.ecg for row in pair_rows(subjects[:1], scored)] == ["a0"]


def test_scores_are_mean_over_crops_of_logit_plus_term(subjects, scored):
    rows = pair_rows(subjects, scored)
    base = np.zeros((len(rows), 3, 3))
    base[:, 0] = -1.0
    base[:, 1] = np.array([-1.0, 0.0, 1.0])
    base[:, 2] = np.array([-2.0, 0.0, 0.5])
    terms = {RECALIBRATED: lvef_term(), MASKED: score_term()}
    scores = variant_scores(rows, base, card(), terms)
    assert scores[UNCALIBRATED] == pytest.approx(sigmoid(-1.0))
    assert np.isnan(scores[RECALIBRATED][0])
    # LVEF 30 in the first slot: the term is (50 - 30) / 15.
    expected = np.mean([sigmoid(x + 20 / 15) for x in (-2.0, 0.0, 0.5)])
    assert scores[RECALIBRATED][1] == pytest.approx(expected)
    expected = np.mean([sigmoid(x + 0.5 * logit(scored["a1"])) for x in (-1.0, 0.0, 1.0)])
    assert scores[MASKED][1] == pytest.approx(expected)
    expected = np.mean([sigmoid(x + 0.5 * logit(scored["a0"])) for x in (-1.0, 0.0, 1.0)])
    assert scores[MASKED_PAIRS][1] == pytest.approx(expected)


def test_controls(subjects, scored):
    rows = pair_rows(subjects, scored)
    base = np.zeros((len(rows), 3, 3))
    terms = {RECALIBRATED: lvef_term(), MASKED: score_term()}
    controls = control_scores(rows, base, card(), terms, seed=4)
    later = np.array([row.follow_up for row in rows])
    assert all(np.isnan(values[~later]).all() for values in controls.values())
    assert controls["no_history"][later] == pytest.approx(0.5)
    last = [row.histories[RECALIBRATED].slots[0].lvef_percent for row in rows if row.follow_up]
    assert controls["last_lvef_alone"][later].tolist() == [-value for value in last]
    # Each LVEF occurs once, so an own history would show as the own score.
    own = variant_scores(rows, base, card(), terms)[RECALIBRATED]
    assert (np.abs(controls["shuffled_histories"] - own)[later] > 1e-6).all()
    assert sorted(controls["shuffled_histories"][later]) == pytest.approx(sorted(own[later]))


def test_nobody_gets_the_own_history(rng):
    names = [f"p{i}" for i in rng.integers(0, 30, size=200)]
    donors = _other_patients(names, seed=1)
    assert sorted(donors) == list(range(200))
    assert all(names[i] != names[donor] for i, donor in enumerate(donors))
    assert _other_patients(["a", "a", "b"], seed=1) is None
