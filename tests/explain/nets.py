"""Networks that explanations are tried on."""

from dataclasses import replace

import torch

from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES


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
