"""The family: shared trunk, linear histories, freezing that holds."""

import pytest
import torch

from ecgdash.nets.family import HISTORY_INPUTS, FamilyConfig, FamilyNet, HistoryPerceptron
from ecgdash.nets.registry import ARCHITECTURES


@pytest.fixture
def net() -> FamilyNet:
    torch.manual_seed(3)
    return FamilyNet(FamilyConfig(ARCHITECTURES["demo"].config, n_labels=20))


def test_one_forward_equals_the_variants_one_by_one(net: FamilyNet) -> None:
    net.eval()
    x = torch.randn(3, *net.input_shape)
    with torch.inference_mode():
        together = net(x)
        alone = torch.cat([net.logit(name, x) for name in net.variants], dim=1)
    assert together.shape == (3, 3)
    torch.testing.assert_close(together, alone, rtol=0, atol=0)


def test_all_branches_fit_in_five_megabytes(net: FamilyNet) -> None:
    n_bytes = sum(t.numel() * t.element_size() for t in net.state_dict().values())
    assert n_bytes < 5e6


def test_the_label_head_has_one_output_a_label(net: FamilyNet) -> None:
    assert net.label_logits(torch.randn(2, *net.input_shape)).shape == (2, 20)


def test_an_untrained_perceptron_changes_nothing() -> None:
    assert not HistoryPerceptron(9, 16, 32)(torch.randn(4, 9)).any()


@pytest.mark.parametrize("variant", ["masked", "recalibrated"])
def test_the_history_adds_a_term_that_the_ecg_does_not_enter(net: FamilyNet, variant: str) -> None:
    net.eval()
    perceptron = net.branch(variant).perceptron
    assert perceptron is not None
    torch.nn.init.normal_(perceptron.out.weight, std=0.1)
    history = torch.randn(1, HISTORY_INPUTS[variant]).expand(4, -1)
    x = torch.randn(4, *net.input_shape)
    with torch.inference_mode():
        term = net.logit(variant, x, history) - net.logit(variant, x)
    assert term.abs().min() > 1e-3
    torch.testing.assert_close(term, term[:1].expand(4, -1), rtol=0, atol=1e-5)


def test_frozen_parts_keep_weights_and_statistics_in_training_mode(net: FamilyNet) -> None:
    net.train_only(("block3", "branches.uncalibrated"))
    net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net.logit("uncalibrated", torch.randn(8, *net.input_shape)).square().mean().backward()
    optimiser.step()
    changed = {n for n, t in net.state_dict().items() if not torch.equal(t, before[n])}
    assert changed
    assert all(n.startswith(("block3.", "branches.uncalibrated.")) for n in changed)
    assert any("running_mean" in n for n in changed)
