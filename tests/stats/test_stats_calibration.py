"""Brier score and calibration line against R, scikit-learn and simulation."""

import json

import numpy as np
import pytest

from ecgdash.stats import brier, calibration_line, reliability_bins


def test_brier_and_line_against_r(golden):
    numbers = json.loads((golden / "stats" / "golden_stats.json").read_text())
    data = {d["name"]: d for d in json.loads((golden / "stats" / "datasets.json").read_text())}
    for result in numbers["results"]:
        case = data[result["name"]]
        for name in ("score_a", "score_b"):
            expected = result[name]
            assert brier(case["y"], case[name]) == pytest.approx(expected["brier"], abs=1e-13)
            line = calibration_line(case["y"], case[name])
            wanted = expected["calibration_clip1e6"]
            assert line.slope == pytest.approx(wanted["slope"], rel=1e-5)
            assert line.intercept == pytest.approx(wanted["intercept"], rel=1e-5, abs=1e-7)
            assert line.in_the_large == pytest.approx(wanted["in_the_large"], rel=1e-5, abs=1e-7)


def test_true_probabilities_lie_on_the_ideal_line(rng):
    logit = rng.normal(-2.0, 1.5, size=40_000)
    probability = 1 / (1 + np.exp(-logit))
    y = rng.random(logit.size) < probability
    line = calibration_line(y, probability)
    assert line.slope == pytest.approx(1.0, abs=0.05)
    assert line.in_the_large == pytest.approx(0.0, abs=0.06)
    too_extreme = 1 / (1 + np.exp(-2 * logit))
    assert calibration_line(y, too_extreme).slope == pytest.approx(0.5, abs=0.03)


def test_scikit_learn_agrees(rng):
    from sklearn.metrics import brier_score_loss

    y, probability = rng.random(500) < 0.3, rng.random(500)
    assert brier(y, probability) == pytest.approx(brier_score_loss(y, probability), abs=1e-13)


def test_separated_classes_have_no_line():
    assert np.isnan(calibration_line([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]).slope)
    assert np.isnan(calibration_line([0, 0], [0.1, 0.2]).slope)


def test_bins_cover_every_ecg_once(rng):
    y, probability = rng.random(103) < 0.3, rng.random(103)
    bins = reliability_bins(y, probability, 10)
    assert sum(n for _, _, n in bins) == 103
    assert sum(share * n for _, share, n in bins) == pytest.approx(y.sum())
    assert [mean for mean, _, _ in bins] == sorted(mean for mean, _, _ in bins)
