"""Exact intervals, accuracy at a threshold, and thresholds."""

import json

import numpy as np
import pytest

from ecgdash.domain import Estimate
from ecgdash.errors import InvalidValue
from ecgdash.labels.published import BASELINE, subgroup_for
from ecgdash.stats import (
    accuracy_at,
    clopper_pearson,
    confusion_at,
    predictive_estimates,
    predictive_values,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    threshold_at_sensitivity,
    threshold_at_specificity,
    youden_threshold,
)

# Newcombe, Stat Med 1998;17:857, Table I, method 5 (Clopper-Pearson, 95 %).
NEWCOMBE = [
    (81, 263, 0.2527, 0.3676),
    (15, 148, 0.0578, 0.1617),
    (0, 20, 0.0000, 0.1684),
    (1, 29, 0.0009, 0.1776),
]


@pytest.mark.parametrize(("k", "n", "low", "high"), NEWCOMBE)
def test_published_clopper_pearson(k, n, low, high):
    assert clopper_pearson(k, n) == pytest.approx((low, high), abs=0.00005)


def test_clopper_pearson_against_r(golden):
    table = json.loads((golden / "stats" / "golden_stats.json").read_text())
    for row in table["clopper_pearson_table"]:
        k, n = row["x"], row["n"]
        assert clopper_pearson(k, n) == pytest.approx((row["lower"], row["upper"]), abs=1e-12)
        for level, key in ((0.9, "ci90"), (0.99, "ci99")):
            expected = (row[key]["lower"], row[key]["upper"])
            assert clopper_pearson(k, n, level) == pytest.approx(expected, abs=1e-12)


def test_clopper_pearson_without_trials_and_with_nonsense():
    assert all(np.isnan(clopper_pearson(0, 0)))
    with pytest.raises(InvalidValue, match="5 successes in 3 trials"):
        clopper_pearson(5, 3)


def test_youden_counts_and_accuracy_against_r(golden):
    numbers = json.loads((golden / "stats" / "golden_stats.json").read_text())
    data = {d["name"]: d for d in json.loads((golden / "stats" / "datasets.json").read_text())}
    for result in numbers["results"]:
        case = data[result["name"]]
        for name in ("score_a", "score_b"):
            expected = result[name]["at_lowest_youden_threshold"]
            threshold = youden_threshold(case["y"], case[name])
            assert threshold == expected["threshold"]
            accuracy = accuracy_at(case["y"], case[name], threshold)
            counts = tuple(expected[key] for key in ("tp", "fp", "fn", "tn"))
            assert accuracy.confusion == counts
            for key in ("sensitivity", "specificity", "ppv", "npv"):
                estimate = getattr(accuracy, key)
                wanted = tuple(expected[key][part] for part in ("estimate", "lower", "upper"))
                assert (estimate.value, estimate.low, estimate.high) == pytest.approx(wanted)


def test_youden_takes_the_lowest_of_exact_ties():
    # J = 1/3 at 0.2 (3/3 - 2/3), 0.5 (2/3 - 1/3) and 0.8 (1/3 - 0): equal in integers only.
    y = [0, 1, 0, 1, 0, 1]
    score = [0.1, 0.2, 0.3, 0.5, 0.6, 0.8]
    assert youden_threshold(y, score) == 0.2


def test_youden_is_an_observed_score_and_needs_both_classes(rng):
    y, score = rng.random(300) < 0.2, rng.random(300)
    assert youden_threshold(y, score) in score
    with pytest.raises(InvalidValue, match="at least one case and one control"):
        youden_threshold([0, 0], [0.1, 0.2])


def test_a_score_equal_to_the_threshold_is_positive():
    assert confusion_at([1, 0, 1, 0], [0.5, 0.5, 0.4, 0.1], 0.5) == (1, 1, 1, 1)


def test_target_of_90_percent_is_met_exactly_where_floating_point_would_miss():
    # 9 of 10 cases is 90 %; 0.9 * 10 in floating point is 9.000000000000000 or just above.
    y = [1] * 10 + [0] * 4
    score = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.05, 0.32, 0.2, 0.1, 0.0]
    assert threshold_at_sensitivity(y, score, 0.9) == 0.3
    specificity = specificity_at_sensitivity(y, score, 0.9)
    assert specificity.value == 0.75
    assert (specificity.low, specificity.high) == clopper_pearson(3, 4)


@pytest.mark.parametrize("target", [0.8, 0.9, 0.95])
def test_operating_points_against_the_roc_curve(rng, target):
    from sklearn.metrics import roc_curve

    y = rng.random(900) < 0.2
    score = np.round(rng.normal(size=900) + 1.5 * y, 2)
    fpr, tpr, _ = roc_curve(y, score, drop_intermediate=False)
    best = 1 - fpr[tpr >= target - 1e-12].min()
    assert specificity_at_sensitivity(y, score, target).value == pytest.approx(best)
    best = tpr[1 - fpr >= target - 1e-12].max()
    assert sensitivity_at_specificity(y, score, target).value == pytest.approx(best)


def test_specificity_out_of_reach_puts_the_threshold_above_every_score():
    threshold = threshold_at_specificity([0, 1], [0.9, 0.1], 0.9)
    assert threshold > 0.9
    assert confusion_at([0, 1], [0.9, 0.1], threshold) == (0, 0, 1, 1)


def test_predictive_values_by_hand():
    # 1000 people, 80 ill: 72 found, 920 well: 736 cleared.
    ppv, npv = predictive_values(0.9, 0.8, 0.08)
    assert ppv == pytest.approx(72 / (72 + 184))
    assert npv == pytest.approx(736 / (736 + 8))
    assert np.isnan(predictive_values(0.0, 1.0, 0.1)[0])


def test_predictive_estimates_run_between_the_limits_of_both():
    sensitivity, specificity = Estimate(0.9, 0.85, 0.95), Estimate(0.8, 0.7, 0.85)
    ppv, npv = predictive_estimates(sensitivity, specificity, 0.08)
    assert (ppv.value, npv.value) == predictive_values(0.9, 0.8, 0.08)
    corners = [predictive_values(a, b, 0.08) for a in (0.85, 0.95) for b in (0.7, 0.85)]
    assert ppv.low == min(c[0] for c in corners)
    assert ppv.high == max(c[0] for c in corners)
    assert npv.low == min(c[1] for c in corners)
    assert npv.high == max(c[1] for c in corners)


@pytest.mark.parametrize(
    ("key", "ppv", "npv"), [("LBBB", 0.456, 0.973), ("AFIB", 0.174, 0.991), ("DM", 0.270, 0.993)]
)
def test_bayes_rule_gives_back_the_predictive_values_that_the_study_prints(key, ppv, npv):
    """DeepECG LVSD, Table 3: at the subgroup's own prevalence, from its printed figures."""
    row = subgroup_for(key, BASELINE)
    own = row.figures["uncalibrated"]
    found = predictive_estimates(own.sensitivity, own.specificity, row.n_positive / row.n)
    assert [one.value for one in found] == pytest.approx([ppv, npv], abs=0.002)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, 4.9, float("nan")])
def test_a_prevalence_in_percent_is_refused(prevalence):
    with pytest.raises(InvalidValue, match="not a share of people"):
        predictive_estimates(Estimate(0.9, 0.8, 1.0), Estimate(0.9, 0.8, 1.0), prevalence)


@pytest.mark.parametrize(("k", "n", "level"), [(5, 10, 95), (5, 10, 0.0), (1.5, 10, 0.95)])
def test_an_interval_of_nonsense_is_refused(k, n, level):
    with pytest.raises(InvalidValue):
        clopper_pearson(k, n, level)
