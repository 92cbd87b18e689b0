"""DeepLIFT: complete on the family's nets, and it leaves nothing behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr._core import deep_lift

from ecgdash.explain.deeplift import explain_crops
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.nets.se_resnext import Square


def lively_net(*, stem_pool: bool) -> FamilyNet:
    """Return a small net whose gates and maxima matter."""
    torch.manual_seed(2)
    config = replace(
        ARCHITECTURES["demo"].config,
        n_samples=600,
        stem_width=16,
        widths=(16, 16, 32, 32),
        inner_widths=(16, 16, 32, 32),
        stem_pool=stem_pool,
    )
    net = FamilyNet(FamilyConfig(config, n_labels=2))
    net.train()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.5)
        for _ in range(5):
            net(torch.randn(16, 12, 600))
    return net.eval()


@pytest.mark.parametrize("stem_pool", [False, True])
@pytest.mark.parametrize("varying", [False, True])
def test_contributions_sum_to_the_difference(stem_pool: bool, varying: bool) -> None:
    net = lively_net(stem_pool=stem_pool)
    rng = np.random.default_rng(4)
    crops = rng.normal(size=(3, 12, 600)).astype(np.float32)
    baseline = rng.normal(size=(12, 600)).astype(np.float32) if varying else None
    got = explain_crops(net, crops, "uncalibrated", baseline)
    difference = got.logits - got.baseline_logits
    assert np.abs(difference).max() > 0.05
    total = got.values.astype(np.float64).sum(axis=(1, 2))
    np.testing.assert_allclose(total, difference, rtol=0, atol=1e-3 * np.abs(difference).max())
    np.testing.assert_allclose(got.gap, total - difference, rtol=0, atol=1e-5)
    assert got.values.shape == crops.shape


def test_nothing_is_left_behind() -> None:
    net = lively_net(stem_pool=False)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    crops = np.random.default_rng(1).normal(size=(1, 12, 600)).astype(np.float32)
    explain_crops(net, crops, "masked")
    with pytest.raises(RuntimeError):
        explain_crops(net, crops[:, :5], "masked")
    assert not net.training
    assert not any(m._forward_hooks or m._backward_hooks for m in net.modules())
    assert not any(m._forward_pre_hooks for m in net.modules())
    assert Square not in deep_lift.SUPPORTED_NON_LINEAR
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name])
