"""A network that learned nothing: all weights shuffled (Adebayo et al. 2018)."""

import copy
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgdash.nets.family import FamilyNet

__all__ = ["shuffled"]

_CROPS_AT_A_TIME: Final = 48


def shuffled(net: FamilyNet, crops: NDArray[np.float32], seed: int) -> FamilyNet:
    """Return a copy of a network with every tensor's entries in another order.

    Convolutions and linear layers keep their distribution of weights. The four vectors of a
    BatchNorm move together, so that a channel keeps a scale that fits its spread; its running
    statistics are then estimated anew, or signals would vanish or overflow: our choice.

    Parameters
    ----------
    net : FamilyNet
        Left as it was.
    crops : ndarray of float32, shape (n, n_leads, n_samples)
        On which the statistics are estimated; some hundred.
    seed : int
    """
    copied = copy.deepcopy(net).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    norms: list[nn.BatchNorm1d] = []
    for module in copied.modules():
        if isinstance(module, nn.BatchNorm1d):
            _move_together(module, generator)
            norms.append(module)
        elif isinstance(module, nn.Conv1d | nn.Linear):
            for tensor in module.parameters(recurse=False):
                order = torch.randperm(tensor.numel(), generator=generator)
                tensor.copy_(tensor.flatten()[order].view_as(tensor))
    _estimate_anew(copied, norms, crops)
    return copied


def _move_together(norm: nn.BatchNorm1d, generator: torch.Generator) -> None:
    order = torch.randperm(norm.num_features, generator=generator)
    for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        if tensor is not None:
            tensor.copy_(tensor[order])


def _estimate_anew(net: FamilyNet, norms: list[nn.BatchNorm1d], crops: NDArray[np.float32]) -> None:
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    with torch.inference_mode():
        for first in range(0, len(crops), _CROPS_AT_A_TIME):
            net(torch.from_numpy(crops[first : first + _CROPS_AT_A_TIME].copy()))
    net.eval()
