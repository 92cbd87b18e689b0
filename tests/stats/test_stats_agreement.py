"""Agreement against published worked examples, statsmodels, scikit-learn and simulation."""

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.stats import cohens_kappa, concordance, limits_of_agreement

# Peak flow by two meters, first readings (Bland and Altman, Lancet 1986;327:307, table).
LARGE = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
)
MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
)


def test_limits_are_those_bland_and_altman_printed():
    limits = limits_of_agreement(MINI, LARGE)
    assert limits.mean == pytest.approx(-2.1, abs=0.05)
    assert limits.sd == pytest.approx(38.8, abs=0.05)
    # they print mean -/+ 2 sd: -79.7 and 75.5
    assert limits.mean - 2 * limits.sd == pytest.approx(-79.7, abs=0.1)
    assert limits.upper.value == limits.mean + 1.96 * limits.sd
    assert limits.lower.value == limits.mean - 1.96 * limits.sd


def test_interval_of_a_limit_holds_the_true_limit_as_often_as_it_says(rng):
    held = 0
    for _ in range(2000):
        first = rng.normal(size=30)
        lower = limits_of_agreement(first, first + rng.normal(0.3, 2.0, size=30)).lower
        held += lower.low <= 0.3 - 1.96 * 2.0 <= lower.high
    assert held / 2000 == pytest.approx(0.95, abs=0.025)


def test_concordance_by_its_other_definition():
    """1 - E(x - y)^2 over what it is for independent measurements, here 0.943."""
    found = concordance(LARGE, MINI)
    apart = ((LARGE - MINI) ** 2).mean()
    by_chance = LARGE.var() + MINI.var() + (LARGE.mean() - MINI.mean()) ** 2
    assert found.value == pytest.approx(1 - apart / by_chance, abs=1e-12)
    assert found.value == pytest.approx(0.943, abs=0.0005)


def test_concordance_by_hand():
    """x 1, 2, 3 and y 2, 3, 4: covariance 2/3, both variances 2/3, means one apart."""
    assert concordance([1, 2, 3], [2, 3, 4]).value == pytest.approx(
        (2 * 2 / 3) / (2 / 3 + 2 / 3 + 1)
    )


def test_interval_of_concordance_holds_the_truth_as_often_as_it_says(rng):
    cov = np.array([[1.0, 0.7], [0.7, 1.0]])
    truth = 2 * 0.7 / (1 + 1 + 0.4**2)
    held = 0
    for _ in range(2000):
        x, y = rng.multivariate_normal([0.0, 0.4], cov, size=60).T
        found = concordance(x, y)
        held += found.low <= truth <= found.high
    assert held / 2000 == pytest.approx(0.95, abs=0.02)


def test_interval_over_patients_is_the_asymptotic_one_where_each_has_one_pair(rng):
    x, y = rng.multivariate_normal([0, 0.3], [[1, 0.8], [0.8, 1.2]], size=800).T
    alone, drawn = concordance(x, y), concordance(x, y, np.arange(800))
    assert drawn.value == pytest.approx(alone.value, abs=1e-12)
    assert (drawn.low, drawn.high) == pytest.approx((alone.low, alone.high), abs=0.006)
    a, b = x > 0.5, y > 0.5
    alone, drawn = cohens_kappa(a, b), cohens_kappa(a, b, np.arange(800))
    assert drawn.value == pytest.approx(alone.value, abs=1e-12)
    assert (drawn.low, drawn.high) == pytest.approx((alone.low, alone.high), abs=0.012)


def test_copies_of_a_pair_narrow_nothing_over_patients(rng):
    x, y = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=100).T
    once = concordance(x, y, np.arange(100))
    patients = np.repeat(np.arange(100), 9)
    often = concordance(np.repeat(x, 9), np.repeat(y, 9), patients)
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=1e-9)
    taken_as_independent = concordance(np.repeat(x, 9), np.repeat(y, 9))
    assert taken_as_independent.high - taken_as_independent.low < 0.5 * (often.high - often.low)


STATSMODELS = [
    ([[88, 10], [14, 38]], (0.6402877697841726, 0.5097241929122305, 0.7708513466561147)),
    ([[40, 3], [2, 5]], (0.6081504702194359, 0.2966932382773721, 0.9196077021614997)),
    ([[300, 31], [9, 60]], (0.6889701022510789, 0.6001275126230246, 0.7778126918791333)),
    ([[10, 20], [25, 5]], (-0.5, -0.7160657200723431, -0.28393427992765685)),
]
"""Tables (rows: first, columns: second) with kappa and its 95 % interval by
statsmodels.stats.inter_rater.cohens_kappa, version 0.15.0."""


@pytest.mark.parametrize(("table", "expected"), STATSMODELS)
def test_kappa_and_its_interval_are_statsmodels(table, expected):
    from sklearn.metrics import cohen_kappa_score

    counts = np.ravel(table)
    first, second = np.repeat([0, 0, 1, 1], counts), np.repeat([0, 1, 0, 1], counts)
    found = cohens_kappa(first, second)
    assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_kappa_by_hand():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, by chance 0.5."""
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohens_kappa(first, second).value == pytest.approx(0.4)


def test_what_has_no_value_is_nan():
    assert np.isnan(cohens_kappa([1, 1, 1], [1, 1, 1]).value)
    assert np.isnan(concordance([2.0, 2.0], [2.0, 2.0]).value)
    assert np.isnan(concordance([], []).value)
    assert np.isnan(limits_of_agreement([1.0], [2.0]).sd)
    perfect = concordance([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert perfect.value == pytest.approx(1.0)
    assert np.isnan(perfect.low)


def test_what_is_no_pair_is_refused():
    with pytest.raises(InvalidValue, match="not pairs"):
        concordance([1.0, 2.0], [1.0])
    with pytest.raises(InvalidValue, match="not finite"):
        limits_of_agreement([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(InvalidValue, match="neither 0 nor 1"):
        cohens_kappa([0, 2], [0, 1])
    with pytest.raises(InvalidValue, match="patient ids"):
        concordance([1.0, 2.0], [1.0, 2.5], ["a"])
