"""Grad-CAM: at which moments a block's channels carry the score (Selvaraju et al. 2017; captum).

The paper's ReLU is left out: what lowers the score keeps its sign (our choice). The course is
in the block's own steps; one step of block 4 spans many samples, so no lead or wave is told
apart. The served network is not touched: captum works on a structural copy.
"""

from math import prod
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.explain.detached import attributing
from ecgdash.nets.family import FamilyNet

__all__ = ["grad_cam", "samples_per_step", "to_samples"]


def grad_cam(
    net: FamilyNet,
    crops: NDArray[np.float32],
    variant: str,
    block: Literal[3, 4] = 4,
) -> NDArray[np.float32]:
    """Return the signed Grad-CAM time course of a variant's logit without history.

    Parameters
    ----------
    net : FamilyNet
        Left as it was; may score in another thread meanwhile.
    crops : ndarray of float32, shape (n_crops, n_leads, n_samples)
        Prepared as by `preprocess_crops`.
    variant : str
    block : {4, 3}
        The variant's own last block, or the last one that all variants share.

    Returns
    -------
    ndarray of float32, shape (n_crops, n_steps)
        Channels weighted by their mean gradient over time; above 0 where they raise the logit.
        Step i is centred on sample ``i * samples_per_step(net, block)``.
    """
    from captum.attr import LayerGradCam

    with attributing(net, variant) as model:
        layer = model.net.block3 if block == 3 else model.net.branch(variant).block4
        x = torch.from_numpy(crops.copy()).to(next(net.parameters()).device).requires_grad_()
        found = LayerGradCam(model, layer).attribute(x, target=0, relu_attributions=False)
    return np.asarray(found.detach().cpu().numpy()[:, 0])  # (n, 1, n_steps) -> (n, n_steps)


def samples_per_step(net: FamilyNet, block: Literal[3, 4] = 4) -> int:
    """Return how many of the input's samples one step of a block strides."""
    config = net.config.net
    return config.stem_stride * (2 if config.stem_pool else 1) * prod(config.strides[:block])


def to_samples(
    courses: NDArray[np.float32], n_samples: int, samples_per_step: int
) -> NDArray[np.float32]:
    """Lay time courses on the input's samples, linearly between the centres of the steps.

    Parameters
    ----------
    courses : ndarray of float32, shape (n_crops, n_steps)
        As `grad_cam` gives them.
    n_samples, samples_per_step : int

    Returns
    -------
    ndarray of float32, shape (n_crops, n_samples)
        Level after the last centre.
    """
    centres = np.arange(courses.shape[1]) * samples_per_step
    at = np.arange(n_samples)
    return np.stack([np.interp(at, centres, course) for course in courses]).astype(np.float32)
