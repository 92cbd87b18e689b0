"""AUROC, DeLong and average precision against pROC, scikit-learn, print and pencil."""

import json

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.stats import (
    auprc,
    auroc,
    auroc_value,
    delong_interval,
    delong_test,
    delong_variance,
)

# Hanley and McNeil, Radiology 1982;143:29, Table I: ratings 1..5 of 58 normal and 51 abnormal
# images; the article gives an area of 0.893.
HANLEY_NORMAL = (33, 6, 6, 11, 2)
HANLEY_ABNORMAL = (3, 2, 2, 11, 33)

# Worked on paper: placements of the cases (2, 3.5, 4)/4, of the controls (3, 3, 2, 1.5)/3.
PENCIL_Y = (1, 1, 1, 0, 0, 0, 0)
PENCIL_SCORE = (3, 5, 6, 1, 2, 4, 5)


def golden_cases(golden):
    numbers = json.loads((golden / "stats" / "golden_stats.json").read_text())
    data = {d["name"]: d for d in json.loads((golden / "stats" / "datasets.json").read_text())}
    return [(data[result["name"]], result) for result in numbers["results"]]


def test_published_rating_example():
    ratings = np.arange(1, 6)
    score = np.concatenate([np.repeat(ratings, HANLEY_NORMAL), np.repeat(ratings, HANLEY_ABNORMAL)])
    y = np.repeat([0, 1], [sum(HANLEY_NORMAL), sum(HANLEY_ABNORMAL)])
    assert auroc_value(y, score) == pytest.approx(0.893, abs=0.0005)


def test_delong_variance_worked_on_paper():
    # cases: mean 0.791667, variance 0.0677083, / 3; controls: variance 0.0625, / 4.
    assert auroc_value(PENCIL_Y, PENCIL_SCORE) == pytest.approx(2.375 / 3)
    expected = 0.1354166667 / 2 / 3 + 0.1875 / 3 / 4
    assert delong_variance(PENCIL_Y, PENCIL_SCORE) == pytest.approx(expected, rel=1e-9)


def test_interval_is_clipped_to_the_possible_range():
    estimate = auroc(PENCIL_Y, PENCIL_SCORE)
    assert estimate.high == 1.0
    half_width = 1.959963984540054 * np.sqrt(0.03819444444)
    assert estimate.low == pytest.approx(2.375 / 3 - half_width, abs=1e-9)


def test_proc_auroc_variance_and_interval(golden):
    for data, result in golden_cases(golden):
        for name in ("score_a", "score_b"):
            y, score, expected = data["y"], data[name], result[name]
            assert auroc_value(y, score) == pytest.approx(expected["auroc"], abs=1e-13)
            variance = expected["delong_variance"]
            assert delong_variance(y, score) == pytest.approx(variance, rel=1e-11)
            for level, key in ((0.95, "delong_ci95"), (0.9, "delong_ci90")):
                estimate = auroc(y, score, level)
                assert estimate.low == pytest.approx(expected[key]["lower"], abs=1e-12)
                assert estimate.high == pytest.approx(expected[key]["upper"], abs=1e-12)


def test_proc_paired_delong(golden):
    for data, result in golden_cases(golden):
        expected = result["delong_paired_a_minus_b"]
        test = delong_test(data["y"], data["score_a"], data["score_b"])
        assert test.difference == pytest.approx(expected["auc_diff"], abs=1e-13)
        assert test.z == pytest.approx(expected["z"], rel=1e-9)
        assert test.p == pytest.approx(expected["p_two_sided"], rel=1e-8)
        interval = delong_interval(data["y"], data["score_a"], data["score_b"])
        assert [interval.low, interval.high] == pytest.approx(expected["ci95_diff"], abs=1e-11)


def test_auprc_equals_the_golden_step_sum(golden):
    for data, result in golden_cases(golden):
        for name in ("score_a", "score_b"):
            expected = result[name]["auprc_average_precision_step"]
            assert auprc(data["y"], data[name]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_scikit_learn_agrees_with_and_without_ties(rng, decimals):
    from sklearn.metrics import average_precision_score, roc_auc_score

    y = rng.random(700) < 0.12
    score = np.round(rng.normal(size=700) + y, decimals)
    assert auroc_value(y, score) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert auprc(y, score) == pytest.approx(average_precision_score(y, score), abs=1e-12)


def test_delong_test_is_antisymmetric_and_calibrated_under_no_difference(rng):
    y = rng.random(500) < 0.3
    a, b = rng.normal(size=(2, 500)) + 0.8 * y
    forward, backward = delong_test(y, a, b), delong_test(y, b, a)
    assert forward.difference == pytest.approx(-backward.difference, abs=1e-15)
    assert forward.p == pytest.approx(backward.p, rel=1e-12)
    # Two equally good scores: p below 0.05 in about 5 % of 400 draws (binomial limits 99.9 %).
    labels = np.repeat([0, 1], [120, 60])
    rejected = sum(
        delong_test(labels, *(rng.normal(size=(2, 180)) + labels)).p < 0.05 for _ in range(400)
    )
    assert 7 <= rejected <= 36


def test_a_score_against_itself_differs_by_nothing():
    assert delong_test(PENCIL_Y, PENCIL_SCORE, PENCIL_SCORE) == (0.0, 0.0, 1.0)


def test_tiny_p_values_do_not_underflow_to_zero(rng):
    y = np.repeat([0, 1], [8000, 2000])
    good, poor = rng.normal(size=10_000) + 2 * y, rng.normal(size=10_000) + 0.5 * y
    assert 0 < delong_test(y, good, poor).p < 1e-100


def test_one_class_gives_nan_everywhere():
    assert np.isnan(auroc([1, 1], [0.1, 0.2]).value)
    assert np.isnan(delong_variance([0, 0], [0.1, 0.2]))
    assert np.isnan(delong_test([0, 0], [0.1, 0.2], [0.3, 0.2]).p)
    assert np.isnan(auprc([0, 0], [0.1, 0.2]))


def test_only_ranks_count(rng):
    y, score = rng.random(200) < 0.4, rng.normal(size=200)
    assert auroc(y, score) == auroc(y, np.exp(score))


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([0, 1], [0.1, np.nan], "1 scores are NaN"),
        ([0, 2], [0.1, 0.2], "neither 0 nor 1"),
        ([0, 1, 1], [0.1, 0.2], "do not fit"),
    ],
)
def test_wrong_input_is_refused(y, score, message):
    with pytest.raises(InvalidValue, match=message):
        auroc(y, score)
