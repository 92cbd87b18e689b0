"""The checks of a map, against hand calculations and a network whose logit is a known sum."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from ecgdash.domain.attribution import WaveTable
from ecgdash.errors import InvalidValue
from ecgdash.explain.trust import (
    agreement,
    binned,
    crop_stability,
    deletion,
    in_steps,
    pointing,
    relative_gap,
)
from ecgdash.explain.trust_shuffle import shuffled
from ecgdash.inference import Engine

FAMILY = "deepecg-lvsd-1"


@pytest.fixture(scope="module")
def engine():
    return Engine.load(FAMILY, "cpu")


class SumOfSamples:
    """A reader whose logit is a weighted sum, so that contributions are weight x sample."""

    variants = ("uncalibrated",)

    def __init__(self, weights):
        self.weights = weights

    def base_logits_from_crops(self, crops):
        return (crops * self.weights).sum(axis=(2, 3))[:, np.newaxis]


def test_cells_are_sums_of_40_ms():
    values = np.arange(25.0)[np.newaxis]
    np.testing.assert_array_equal(binned(values), [[45.0, 145.0]])


def test_a_gap_is_told_in_parts_of_the_difference():
    gap = np.array([0.001, -0.004, 0.001])
    logits, reference = np.array([1.0, 2.0, 0.0]), np.array([0.0, 0.0, 0.005])
    # 0.1 %, 0.2 %, and 0.001 of a difference that counts as 0.01
    assert relative_gap(gap, logits, reference) == pytest.approx(0.1)
    assert relative_gap(gap[:2], logits[:2], reference[:2]) == pytest.approx(0.002)


def test_a_map_that_stays_with_the_ecg_is_stable(rng):
    whole = rng.normal(size=(2, 2500))
    starts = np.array([0.0, 0.5, 1.0])
    crops = np.stack([whole[:, round(s * 250) :][:, :2250] for s in starts])
    assert crop_stability(crops, starts) == pytest.approx(1.0)
    stays_with_the_crop = np.stack([whole[:, :2250]] * 3)
    assert abs(crop_stability(stays_with_the_crop, starts)) < 0.2


def test_steps_take_the_samples_nearest_to_their_centre():
    values = np.ones((1, 2, 10))
    np.testing.assert_array_equal(in_steps(values, 3, 4), [[4.0, 8.0, 8.0]])


def test_agreement_is_the_mean_rank_correlation_of_the_courses(rng):
    values, courses = rng.normal(size=(3, 2, 64)), rng.normal(size=(3, 8))
    steps = in_steps(values, 8, 8)
    expected = np.mean([spearmanr(a, b).statistic for a, b in zip(steps, courses, strict=True)])
    assert agreement(values, courses, 8) == pytest.approx(expected)


def test_deletion_of_a_sum_loses_what_was_contributed(rng):
    weights = rng.normal(size=(2, 100))
    crops = rng.normal(size=(3, 2, 100)).astype(np.float32)
    values = crops * weights
    got = deletion(SumOfSamples(weights), crops, {"uncalibrated": values}, rng)["uncalibrated"]
    cells = binned(values).reshape(3, 20)
    top = np.sort(cells, axis=1)[:, -2:]  # 10 % of 20
    assert got.top == pytest.approx(np.where(top > 0, top, 0).sum(axis=1).mean(), rel=1e-5)
    largest = np.argsort(-binned(np.abs(crops)).reshape(3, 20), axis=1)[:, :2]
    lost = np.take_along_axis(cells, largest, axis=1).sum(axis=1).mean()
    assert got.amplitude == pytest.approx(lost, rel=1e-5)
    assert 0 < got.random < got.top


def test_pointing_is_the_share_in_the_true_quarter():
    cause = np.zeros((2, 5))
    cause[0, 1], cause[1, 3] = 3.0, 2.0
    cause[:, 4] = 9.0  # between the waves: no cell
    found = np.full((2, 5), 0.5)
    found[0, 1], found[1, 3] = -2.0, 1.0
    share = pointing(WaveTable(("I", "II"), found), WaveTable(("I", "II"), cause))
    assert share == pytest.approx(3.0 / 6.0)  # 2 + 1 of 2 + 1 + 6 x 0.5
    alike = WaveTable(("I", "II"), np.ones((2, 5)))
    assert pointing(alike, WaveTable(("I", "II"), cause)) == 0.25
    with pytest.raises(InvalidValue):
        pointing(alike, WaveTable(("I", "III"), cause))


def test_shuffling_keeps_what_a_tensor_holds_and_leaves_the_network_alone(engine):
    net = engine.net
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    crops = np.random.default_rng(3).normal(size=(96, 1, 2250)).astype(np.float32)
    other, again = shuffled(net, crops, 1), shuffled(net, crops, 1)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name])
    moved = 0
    for (name, a), b in zip(other.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(a.flatten().sort().values, before[name].flatten().sort().values)
            moved += not torch.equal(a, before[name])
    assert moved > 20
    norm = next(m for m in other.stem.modules() if isinstance(m, nn.BatchNorm1d))
    conv = next(m for m in other.stem.modules() if isinstance(m, nn.Conv1d))
    with torch.inference_mode():
        seen = conv(torch.from_numpy(crops))
    torch.testing.assert_close(norm.running_mean, seen.mean(dim=(0, 2)), rtol=1e-3, atol=1e-4)
    assert not other.training
