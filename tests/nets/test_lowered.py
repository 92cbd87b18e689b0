"""The lowered form is the same function as `FamilyNet`, and its float32 is as exact."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.lowered import lower_labels, lower_variants
from ecgdash.nets.registry import architecture

ROOT = Path(__file__).resolve().parents[2]
NETS = [("demo", 12), ("demo", 6), ("demo", 1), ("se-resnext-152", 12)]


def lively(name: str, n_leads: int) -> tuple[FamilyNet, Tensor]:
    """Return a net whose normalisations hold statistics far from 0 and 1, and crops for it."""
    torch.manual_seed(5)
    net = FamilyNet(FamilyConfig(architecture(name, n_leads).config, n_labels=46))
    crops = torch.randn(3 if name == "demo" else 1, *net.input_shape) * 0.3
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1.0
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    net.train()
    with torch.no_grad():
        net(crops)
        net.label_logits(crops)
    return net.eval().requires_grad_(False), crops


def apart(found: Tensor, exact: Tensor) -> float:
    return float((found.double() - exact).abs().max())


@pytest.mark.parametrize(("name", "n_leads"), NETS)
def test_it_is_the_same_function(name: str, n_leads: int) -> None:
    """Held against the plain network in double precision, which it must come as near to."""
    net, crops = lively(name, n_leads)
    fresh = crops.roll(700, dims=-1) * 1.2
    exact = deepcopy(net).double()
    with torch.inference_mode():
        for lower, plain in ((lower_variants, "forward"), (lower_labels, "label_logits")):
            known = getattr(exact, plain)(fresh.double())
            size = float(known.abs().max())
            eager = apart(getattr(net, plain)(fresh), known)
            assert float(known.std()) > 1e-3
            for channels_last in (True, False):
                found = lower(net, channels_last=channels_last)(fresh)
                assert found.dtype == torch.float32
                assert found.shape == known.shape
                assert apart(found, known) <= 4 * eager + 1e-6
                assert apart(found, known) < 2e-4 * size
            doubled = lower(net, torch.float64)(fresh)
            assert apart(doubled, known) < 1e-5 * size  # pooling and heads are in float32


def test_bfloat16_keeps_heads_in_float32() -> None:
    net, crops = lively("demo", 12)
    with torch.inference_mode():
        found = lower_variants(net, torch.bfloat16)(crops)
        known = net(crops)
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.bfloat16().float())
    assert 0 < float((found - known).abs().max()) < 0.2


def test_what_it_gives_is_fixed_and_the_network_is_left_alone() -> None:
    net, crops = lively("demo", 12)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.requires_grad_(True)
    lowered = lower_variants(net)
    with torch.inference_mode():
        first = lowered(crops)
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.mul_(1.5)
        assert torch.equal(lowered(crops), first)
    assert all(one.requires_grad for one in net.parameters())
    for name, tensor in net.state_dict().items():
        expected = before[name] * 1.5 if tensor.is_floating_point() else before[name]
        torch.testing.assert_close(tensor, expected)


def test_every_crop_is_its_own() -> None:
    net, crops = lively("demo", 12)
    lowered = lower_variants(net)
    with torch.inference_mode():
        together = lowered(crops).numpy()
        alone = np.concatenate([lowered(crops[i : i + 1]).numpy() for i in range(len(crops))])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


def test_a_branch_alone_gives_its_own_logits() -> None:
    net, crops = lively("demo", 12)
    lowered = lower_variants(net)
    with torch.inference_mode():
        together = lowered(crops)
        alone = [lowered.only(i)(crops) for i in range(3)]
        torch.testing.assert_close(torch.cat(alone, dim=1), together, rtol=0, atol=0)
        assert lowered(crops).shape == together.shape
