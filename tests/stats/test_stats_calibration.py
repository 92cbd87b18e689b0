"""Brier score and calibration line against R, scikit-learn and simulation."""

import json

import numpy as np
import pytest

from ecgdash.stats import (
    brier,
    calibration_line,
    expected_calibration_error,
    platt_mapped,
    reliability_bins,
    reliability_points,
)


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


def test_platts_map_is_scikit_learns_logistic_regression(rng):
    from sklearn.linear_model import LogisticRegression

    logit = rng.normal(-1.0, 2.0, size=3000)
    score = 1 / (1 + np.exp(-logit))
    y = rng.random(logit.size) < 1 / (1 + np.exp(-(0.6 * logit - 0.8)))
    line = calibration_line(y, score)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], y)
    expected = reference.predict_proba(logit[:, None])[:, 1]
    np.testing.assert_allclose(platt_mapped(score, line.slope, line.intercept), expected, atol=1e-5)
    # on the patients it was fitted on, the mapped scores have the ideal line
    again = calibration_line(y, platt_mapped(score, line.slope, line.intercept))
    assert (again.slope, again.intercept) == pytest.approx((1.0, 0.0), abs=1e-6)


def test_a_map_of_slope_1_changes_nothing_but_the_ends():
    score = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    mapped = platt_mapped(score, 1.0, 0.0)
    np.testing.assert_allclose(mapped, np.clip(score, 1e-6, 1 - 1e-6), atol=1e-12)
    assert platt_mapped([0.5], 2.0, np.log(3.0))[0] == pytest.approx(0.75)


def test_ece_by_hand_and_against_scikit_learns_curve(rng):
    """Two groups of two: |0.15 - 0.5| and |0.85 - 1|, each of half the patients."""
    assert expected_calibration_error([0, 1, 1, 1], [0.1, 0.2, 0.8, 0.9], 2) == pytest.approx(0.25)
    from sklearn.calibration import calibration_curve

    probability = rng.random(1000)
    y = rng.random(1000) < probability**2
    observed, mean = calibration_curve(y, probability, n_bins=10, strategy="quantile")
    ece = expected_calibration_error(y, probability, 10)
    assert ece == pytest.approx(np.abs(observed - mean).mean(), abs=1e-12)
    points = reliability_points(y, probability, 10)
    np.testing.assert_allclose([point.mean for point in points], mean)
    np.testing.assert_allclose([point.observed.value for point in points], observed)


def test_reliability_points_carry_exact_intervals():
    from scipy.stats import binomtest

    y, probability = np.repeat([0, 1], [13, 7]), np.linspace(0.1, 0.6, 20)
    [point] = reliability_points(y, probability, 1)
    expected = binomtest(7, 20).proportion_ci(method="exact")
    assert (point.observed.low, point.observed.high) == pytest.approx(tuple(expected), abs=1e-9)
    assert point.n == 20
    assert point.observed.value == 0.35
