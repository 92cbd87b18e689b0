"""The bootstrap over patients."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgdash.errors import InvalidValue
from ecgdash.stats import (
    auroc,
    auroc_value,
    bootstrap_auroc,
    bootstrap_auroc_contrast,
    bootstrap_auroc_difference,
)
from ecgdash.stats.bootstrap import _weighted_auroc


def cohort(rng, n_patients=400, per_patient=4):
    """Return labels, score and patient, with a patient's own offset in the score."""
    patient = np.repeat(np.arange(n_patients), per_patient)
    y = np.repeat(rng.random(n_patients) < 0.3, per_patient)
    score = y + np.repeat(rng.normal(size=n_patients), per_patient) + 0.2 * rng.normal(size=y.size)
    return y, score, patient


def test_weights_equal_repeated_rows(rng):
    y = rng.random(80) < 0.4
    score = np.round(rng.normal(size=80) + y, 1)
    weights = rng.integers(0, 4, size=(5, 80))
    repeated = [auroc_value(np.repeat(y, row), np.repeat(score, row)) for row in weights]
    assert _weighted_auroc(y, score, weights.astype(float)) == pytest.approx(repeated, abs=1e-12)


def test_independent_rows_give_about_delongs_interval(rng):
    y = rng.random(1500) < 0.2
    score = rng.normal(size=1500) + y
    boot = bootstrap_auroc(y, score, np.arange(1500), n_replicates=1500, seed=3)
    exact = auroc(y, score)
    assert boot.value == exact.value
    assert boot.high - boot.low == pytest.approx(exact.high - exact.low, rel=0.1)


def test_rows_of_one_patient_are_not_independent(rng):
    y, score, patient = cohort(rng)
    clustered = bootstrap_auroc(y, score, patient, seed=1)
    naive = bootstrap_auroc(y, score, np.arange(y.size), seed=1)
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)


def test_difference_is_paired_and_reproducible(rng):
    y, score, patient = cohort(rng)
    better = score + 0.8 * y
    first = bootstrap_auroc_difference(y, (better, score), patient, seed=5)
    assert first == bootstrap_auroc_difference(y, (better, score), patient, seed=5)
    assert first.value == pytest.approx(auroc_value(y, better) - auroc_value(y, score))
    assert 0 < first.low < first.value < first.high
    nothing = bootstrap_auroc_difference(y, (score, score), patient, seed=5)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_a_contrast_of_gains_is_that_of_weighted_aurocs(rng):
    """Replicate by replicate against scikit-learn, patients drawn by the same generator."""
    y, score, patient = cohort(rng, 60)
    scores = [score + factor * rng.normal(size=y.size) for factor in (0.2, 0.5, 1.0, 2.0)]
    factors = (1.0, -1.0, -1.0, 1.0)
    found = bootstrap_auroc_contrast(y, scores, factors, patient, n_replicates=80, seed=4)
    draws = np.random.default_rng(4).multinomial(60, np.full(60, 1 / 60), size=80)
    replicates = [
        sum(
            factor * roc_auc_score(y, one, sample_weight=draw[patient])
            for factor, one in zip(factors, scores, strict=True)
        )
        for draw in draws
    ]
    limits = np.quantile(replicates, (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx(tuple(limits), abs=1e-12)
    nothing = bootstrap_auroc_contrast(y, [score] * 4, factors, patient, n_replicates=50)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_replicates_without_a_case_leave_the_limits_open():
    estimate = bootstrap_auroc([1, 0, 0], [0.9, 0.2, 0.1], [1, 2, 3], n_replicates=200)
    assert estimate.value == 1.0
    assert np.isnan(estimate.low)
    assert np.isnan(estimate.high)
    assert np.isnan(bootstrap_auroc([], [], []).value)


def test_patients_must_fit():
    with pytest.raises(InvalidValue, match="patient ids"):
        bootstrap_auroc([1, 0], [0.1, 0.2], [1, 2, 3])
