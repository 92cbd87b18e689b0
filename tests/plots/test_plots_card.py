"""The figures of a card are read back and compared with what was measured."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    Estimate,
    ProbabilityMap,
    ReliabilityPoint,
    Repeatability,
)
from ecgdash.plots import DARK, LIGHT
from ecgdash.plots.card import reliability, reliability_top, repeat_ranges, repeats
from ecgdash.plots.style import series_colour

COUNTS = ((0, 120, 0.004), (3, 120, 0.031), (40, 119, 0.28))


def clopper_pearson(k, n):
    low = 0.0 if k == 0 else beta.ppf(0.025, k, n - k + 1)
    high = 1.0 if k == n else beta.ppf(0.975, k + 1, n - k)
    return Estimate(k / n, low, high)


def a_map(counts=COUNTS):
    points = tuple(ReliabilityPoint(mean, clopper_pearson(k, n), n) for k, n, mean in counts)
    return ProbabilityMap(
        1.1, -0.2, "half", 800, 60, "other half", 359, 43, 0.05, 0.06, 0.97, 0.02, 0.011, points
    )


def a_repeat(seed=1, n=40):
    rng = np.random.default_rng(seed)
    first = rng.normal(-3, 1, n)
    second = first + rng.normal(0.1, 0.4, n)
    d = second - first
    mean, half = float(d.mean()), 1.96 * float(d.std(ddof=1))
    points = tuple(zip(((first + second) / 2).tolist(), d.tolist(), strict=True))
    one = Estimate(0.9, 0.8, 0.95)
    return Repeatability("pairs", n, n, mean, mean - half, mean + half, one, one, 0.1, points)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_reliability_draws_the_groups_and_their_intervals(theme):
    figure = reliability(a_map(), MASKED, theme, 0.5)
    ideal, groups = figure.data
    assert (list(ideal.x), list(ideal.y)) == ([0, 0.5], [0, 0.5])
    assert list(groups.x) == [mean for _, _, mean in COUNTS]
    assert list(groups.y) == pytest.approx([k / n for k, n, _ in COUNTS])
    low = [y - e for y, e in zip(groups.y, groups.error_y.arrayminus, strict=True)]
    high = [y + e for y, e in zip(groups.y, groups.error_y.array, strict=True)]
    assert low == pytest.approx([clopper_pearson(k, n).low for k, n, _ in COUNTS])
    assert high == pytest.approx([clopper_pearson(k, n).high for k, n, _ in COUNTS])
    assert groups.line.color == series_colour(theme, MASKED)
    assert tuple(figure.layout.xaxis.range) == tuple(figure.layout.yaxis.range)


@pytest.mark.parametrize(
    ("counts", "top"),
    [
        (((0, 400, 0.01), (9, 400, 0.02)), 0.1),
        (((0, 120, 0.01), (40, 119, 0.28)), 0.5),
        (((5, 10, 0.6), (10, 10, 0.9)), 1.0),
    ],
)
def test_axes_end_above_every_interval_and_are_shared(counts, top):
    assert reliability_top([a_map(counts)]) == top
    assert reliability_top([a_map(counts), a_map(((10, 10, 0.9),))]) == 1.0


def test_repeats_draw_pairs_and_limits():
    found = a_repeat()
    figure = repeats(found, RECALIBRATED, LIGHT, repeat_ranges([found]))
    (pairs,) = figure.data
    assert list(zip(pairs.x, pairs.y, strict=True)) == list(found.points)
    lines = {shape.name: (shape.y0, shape.y1) for shape in figure.layout.shapes}
    expected = {
        "mean": found.mean_difference_logit,
        "lower": found.lower_logit,
        "upper": found.upper_logit,
    }
    assert lines == {name: (value, value) for name, value in expected.items()}
    texts = [note.text.replace("−", "-") for note in figure.layout.annotations]
    assert [float(text) for text in texts] == pytest.approx(list(expected.values()), abs=0.005)


def test_the_horizontal_axis_is_logits_labelled_in_scores():
    found = a_repeat()
    axis = repeats(found, RECALIBRATED, LIGHT, repeat_ranges([found])).layout.xaxis
    for place, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert 1 / (1 + math.exp(-place)) == pytest.approx(float(text), rel=1e-9)
    assert len(axis.tickvals) >= 2
    assert all(axis.range[0] <= place <= axis.range[1] for place in axis.tickvals)


def test_variants_share_axes_that_hold_every_pair_and_limit():
    both = [a_repeat(1), a_repeat(2)]
    (low, high), (bottom, top) = repeat_ranges(both)
    for one in both:
        assert all(low < x < high and bottom < y < top for x, y in one.points)
        assert bottom < one.lower_logit < one.upper_logit < top
    assert bottom == -top
