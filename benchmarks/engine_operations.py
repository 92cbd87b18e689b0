"""Floating-point operations of a network, counted from its modules as they run.

Two operations a multiply-accumulate, convolutions and linear layers only: what a matrix
product could do at its peak. Normalisation, activations, pooling and gates are left out; they
move memory and are part of the distance from the floor.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture

N_CROPS = 3
PAPER_NET, DEMO_NET = "se-resnext-152", "demo"


@dataclass
class Operations:
    """How many were seen so far."""

    n: int = 0

    def see(self, module: nn.Module, _: Any, output: Tensor) -> None:
        """Add one call of a convolution or a linear layer; any batch, any length."""
        if isinstance(module, nn.Conv1d):
            per_output = module.in_channels // module.groups * module.kernel_size[0]
        elif isinstance(module, nn.Linear):
            per_output = module.in_features
        else:
            return
        self.n += 2 * per_output * output.numel()


@contextmanager
def counted(net: nn.Module) -> Iterator[Operations]:
    """Count what runs through a network's modules meanwhile."""
    found = Operations()
    hooks = [m.register_forward_hook(found.see) for m in net.modules()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class FamilyOperations:
    """Operations of one ECG (three crops), in GFLOP.

    Attributes
    ----------
    shared : float
        The three variants by the shared trunk.
    separate : float
        The three variants, each by a whole network.
    one : float
        One variant by a whole network.
    labels : float
        The branch of the cart's labels, trunk included.
    """

    shared: float
    separate: float
    one: float
    labels: float


def family_operations(name: str, n_labels: int, n_leads: int = 12) -> FamilyOperations:
    """Count a family's operations, from shapes alone: no tensor holds memory."""
    with torch.device("meta"):
        net = FamilyNet(FamilyConfig(architecture(name, n_leads).config, n_labels)).eval()
        crops = torch.empty(N_CROPS, *net.input_shape)
    one = [_gflop(net, lambda v=v: net.logit(v, crops)) for v in net.variants]  # type: ignore[misc]
    return FamilyOperations(
        shared=_gflop(net, lambda: net(crops)),
        separate=sum(one),
        one=one[0],
        labels=_gflop(net, lambda: net.label_logits(crops)),
    )


def _gflop(net: nn.Module, act: Callable[[], object]) -> float:
    with torch.no_grad(), counted(net) as found:
        act()
    return found.n / 1e9
