from itertools import pairwise

import numpy as np
import pytest

from ecgdash.plots.labels import spread


def test_labels_with_room_stay():
    assert spread([(10, 15), (100, 15), (60, 15)], 200) == [10, 100, 60]


def test_two_that_touch_move_apart_by_the_same():
    assert spread([(100, 16), (104, 16)], 300) == [94, 110]


def test_a_label_at_the_edge_stays_inside():
    assert spread([(1, 20), (299, 20)], 300) == [10, 290]


def test_nothing():
    assert spread([], 300) == []


@pytest.mark.parametrize("seed", range(20))
def test_never_overlapping_in_order_and_inside(seed):
    rng = np.random.default_rng(seed)
    wanted = [(float(rng.uniform(0, 300)), float(rng.uniform(12, 45))) for _ in range(6)]
    centres = spread(wanted, 300)
    order = sorted(range(6), key=lambda i: wanted[i][0])
    spans = [(centres[i] - wanted[i][1] / 2, centres[i] + wanted[i][1] / 2) for i in order]
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(spans))
    assert spans[0][0] >= -1e-9
    assert spans[-1][1] <= 300 + 1e-9
