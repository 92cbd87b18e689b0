"""Rank correlation, against SciPy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from ecgdash.errors import InvalidValue
from ecgdash.stats.ranks import rank_correlation


def test_it_is_scipys_with_ties_and_in_any_shape(rng):
    a = rng.integers(0, 6, (12, 40))
    b = a + rng.integers(0, 6, (12, 40))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)


def test_nothing_that_does_not_vary_correlates():
    assert np.isnan(rank_correlation([1.0, 1.0], [0.0, 2.0]))
    assert np.isnan(rank_correlation([1.0], [2.0]))


def test_shapes_must_be_equal():
    with pytest.raises(InvalidValue):
        rank_correlation([1.0, 2.0], [1.0, 2.0, 3.0])
