"""Grad-CAM: against gradients taken by differences, and where a mark was made."""

import numpy as np
import pytest
import torch

from ecgdash.explain.gradcam import grad_cam, samples_per_step, to_samples
from ecgdash.nets.se_resnext import use_complete_forms
from tests.explain.nets import lively_net

CROPS = np.random.default_rng(3).normal(size=(2, 12, 600)).astype(np.float32)


def by_differences(net, variant, block):
    """Weigh the block's channels by the slope of the logit, each found by moving the channel."""
    net = net.double()
    branch = net.branch(variant)
    x = torch.from_numpy(CROPS).double()
    step = 1e-6
    with torch.no_grad():
        shared = net.block3_map(x)
        maps = shared if block == 3 else branch.block4(shared)

        def logit(activation):
            if block == 3:
                return branch(activation)[:, 0]
            return branch.head(branch.pool(activation))[:, 0]

        weights = torch.zeros(maps.shape[:2], dtype=torch.float64)
        for channel in range(maps.shape[1]):
            up, down = maps.clone(), maps.clone()
            up[:, channel] += step
            down[:, channel] -= step
            # all steps of a channel at once: the slope is the sum of the steps' gradients
            weights[:, channel] = (logit(up) - logit(down)) / (2 * step * maps.shape[-1])
        return (weights[:, :, None] * maps).sum(dim=1).numpy()


@pytest.mark.parametrize("block", [4, 3])
@pytest.mark.parametrize("variant", ["uncalibrated", "recalibrated"])
def test_it_equals_gradients_taken_by_differences(block, variant) -> None:
    net = lively_net(stem_pool=False)
    got = grad_cam(net, CROPS, variant, block)
    expected = by_differences(net, variant, block)
    assert got.shape == expected.shape
    assert (got > 0).any()
    assert (got < 0).any()
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("stem_pool", [False, True])
@pytest.mark.parametrize("block", [3, 4])
def test_a_step_answers_most_to_the_samples_it_is_centred_on(stem_pool, block) -> None:
    net = lively_net(stem_pool=stem_pool)
    stride = samples_per_step(net, block)
    n_steps = grad_cam(net, CROPS, "masked", block).shape[1]
    assert n_steps == -(-600 // stride)
    step = n_steps // 2
    x = torch.from_numpy(CROPS[:1]).requires_grad_()
    shared = net.block3_map(x)
    maps = shared if block == 3 else net.branch("masked").block4(shared)
    slopes = torch.zeros(600)
    for channel in range(maps.shape[1]):
        (gradient,) = torch.autograd.grad(maps[0, channel, step], x, retain_graph=True)
        slopes += gradient[0].abs().sum(dim=0)
    centre = float((slopes * torch.arange(600)).sum() / slopes.sum())
    assert abs(centre - step * stride) <= stride / 2


def test_courses_are_laid_on_samples_by_hand() -> None:
    laid = to_samples(np.array([[0.0, 4.0, 2.0]], dtype=np.float32), 10, 4)
    np.testing.assert_allclose(laid, [[0, 1, 2, 3, 4, 3.5, 3, 2.5, 2, 2]])


def test_the_forms_do_not_matter_to_gradcam() -> None:
    net = lively_net(stem_pool=True)
    plain = grad_cam(net, CROPS, "masked", 3)
    with use_complete_forms(net):
        complete = grad_cam(net, CROPS, "masked", 3)
    np.testing.assert_allclose(plain, complete, rtol=0, atol=1e-5 * np.abs(plain).max())
