"""The backbone: parameter counts, shapes, and forms equal to the stock operations."""

from dataclasses import replace

import pytest
import torch

from ecgdash.errors import InvalidValue
from ecgdash.nets.registry import ARCHITECTURES, architecture
from ecgdash.nets.se_resnext import (
    GatedProduct,
    MaxOverTime,
    MaxPool3,
    SeResNeXt1d,
    make_block,
    use_complete_forms,
)


def n_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameter_count_is_the_registered_one(name: str) -> None:
    row = ARCHITECTURES[name]
    with torch.device("meta"):
        net = SeResNeXt1d(row.config)
    assert n_parameters(net) == row.n_parameters


def test_stage_four_of_the_paper_backbone_holds_a_quarter() -> None:
    with torch.device("meta"):
        block = make_block(ARCHITECTURES["se-resnext-152"].config, 3)
    assert n_parameters(block) / 1e6 == pytest.approx(15.53, abs=0.005)


def test_depth_152_has_152_weighted_layers_and_runs_forward() -> None:
    config = replace(ARCHITECTURES["se-resnext-152"].config, n_samples=256)
    net = SeResNeXt1d(config).eval()
    bottlenecks = sum(config.depths)
    assert 3 * bottlenecks + 2 == 152  # three a bottleneck, the stem and the final layer
    with torch.inference_mode():
        logits = net(torch.randn(1, *net.input_shape))
    assert logits.shape == (1, 1)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("n_leads", [12, 6, 1])
def test_the_first_layer_takes_the_lead_sets(n_leads: int) -> None:
    net = SeResNeXt1d(architecture("demo", n_leads).config).eval()
    assert net.input_shape == (n_leads, 2250)
    assert net(torch.randn(2, n_leads, 2250)).shape == (2, 1)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(InvalidValue, match="resnet-9"):
        architecture("resnet-9")


@pytest.mark.parametrize("n_samples", [8, 9, 563])
def test_max_pooling_equals_the_stock_one(n_samples: int) -> None:
    x = torch.relu(torch.randn(3, 4, n_samples))
    pool = MaxPool3()
    with use_complete_forms(pool):
        complete = pool(x)
    stock = torch.nn.MaxPool1d(3, stride=2, padding=1)(x)
    torch.testing.assert_close(complete, stock, rtol=0, atol=1e-6)
    torch.testing.assert_close(pool(x), stock, rtol=0, atol=0)


@pytest.mark.parametrize("n_samples", [1, 2, 7, 36])
def test_max_over_time_equals_the_stock_one(n_samples: int) -> None:
    x = torch.randn(3, 4, n_samples)
    pool = MaxOverTime()
    with use_complete_forms(pool):
        torch.testing.assert_close(pool(x), x.amax(-1), rtol=0, atol=1e-6)


def test_the_gated_product_equals_the_plain_one() -> None:
    x, gate = torch.randn(3, 4, 50), torch.rand(3, 4, 1)
    product = GatedProduct()
    with use_complete_forms(product):
        torch.testing.assert_close(product(x, gate), x * gate, rtol=1e-6, atol=1e-6)


def test_complete_forms_end_with_the_block_even_after_an_error() -> None:
    net = SeResNeXt1d(ARCHITECTURES["demo"].config).eval()
    x = torch.randn(2, 12, 2250)
    with torch.inference_mode():
        plain = net(x)
        with use_complete_forms(net):
            torch.testing.assert_close(net(x), plain, rtol=1e-6, atol=1e-6)
        with pytest.raises(RuntimeError), use_complete_forms(net):
            net(torch.randn(2, 5, 2250))
        torch.testing.assert_close(net(x), plain, rtol=0, atol=0)
