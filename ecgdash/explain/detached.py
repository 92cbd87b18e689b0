"""A network that may be hooked and differentiated while another thread scores with it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from torch import Tensor, nn

from ecgdash.nets.family import FamilyNet

__all__ = ["VariantLogit", "attributing", "structural_copy"]

_LOCK: Final = Lock()
"""One attribution at a time: captum's table of rules is global, and so are warning filters."""


class VariantLogit(nn.Module):
    """One variant's logit without history, as a module of its own for captum.

    Parameters
    ----------
    net : FamilyNet
    variant : str
    """

    def __init__(self, net: FamilyNet, variant: str) -> None:
        super().__init__()
        self.net = net
        self.variant = variant

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_leads, n_samples) -> (batch, 1)."""
        return self.net.logit(self.variant, x)


def structural_copy(net: FamilyNet) -> FamilyNet:
    """Return modules of its own over the same tensors, in evaluation mode.

    Hooks, modes and forms set on the copy do not reach the original; no weight is copied.
    """
    shared: list[Tensor] = [*net.parameters(), *net.buffers()]
    return copy.deepcopy(net, {id(tensor): tensor for tensor in shared}).eval()


@contextmanager
def attributing(net: FamilyNet, variant: str) -> Iterator[VariantLogit]:
    """Hold captum for this thread and hand out a variant's logit on a copy that may be hooked."""
    with _LOCK:
        yield VariantLogit(structural_copy(net), variant).eval()
