"""DeepLIFT on the ECG's samples (Shrikumar et al. 2017; captum).

Stock captum is not complete for products and max-pooling; here both are
computed in forms for which DeepLIFT's rules are exact (`use_complete_forms`),
with a rule of its own for the square. Signs are kept. Departure from the paper:
the paper shows no DeepLIFT; the reference (flat line by default) is our choice.
The served network is not touched: captum works on a structural copy.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.explain.detached import attributing
from ecgdash.nets.family import FamilyNet
from ecgdash.nets.se_resnext import Square, use_complete_forms

__all__ = ["CropAttribution", "explain_crops"]


@dataclass(frozen=True, eq=False)
class CropAttribution:
    """Contributions of samples to a logit, crop by crop.

    Attributes
    ----------
    values : ndarray of float32, shape (n_crops, n_leads, n_samples)
        Logits, above 0 where a sample raised the score against the reference.
    logits, reference_logits : ndarray of float64, shape (n_crops,)
        Of the crops and of what they are compared with.
    gap : ndarray of float64, shape (n_crops,)
        Sum of the values minus the logits' difference; 0 if complete.
    """

    values: NDArray[np.float32]
    logits: NDArray[np.float64]
    reference_logits: NDArray[np.float64]
    gap: NDArray[np.float64]


def explain_crops(
    net: FamilyNet,
    crops: NDArray[np.float32],
    variant: str,
    reference: NDArray[np.float32] | None = None,
) -> CropAttribution:
    """Attribute a variant's logit without history to the samples.

    Parameters
    ----------
    net : FamilyNet
        Left as it was; may score in another thread meanwhile.
    crops : ndarray of float32, shape (n_crops, n_leads, n_samples)
        Prepared as by `preprocess_crops`.
    variant : str
    reference : ndarray of float32, shape (n_leads, n_samples) or that of crops, optional
        What the crops are compared with, one for all or one each; the flat line by default.

    Raises
    ------
    InvalidValue
        If the reference has another shape.
    """
    from captum.attr import DeepLift

    compared = _one_each(crops, reference)
    with attributing(net, variant) as model:
        device = next(net.parameters()).device
        x, baseline = (
            torch.from_numpy(array).to(device).requires_grad_()
            for array in (crops.copy(), compared)
        )
        with torch.inference_mode():
            logits, reference_logits = model(x)[:, 0], model(baseline)[:, 0]
        with use_complete_forms(model), _square_rule(), warnings.catch_warnings():
            # captum announces its hooks, which here sit on a copy that is thrown away
            warnings.filterwarnings("ignore", "Setting forward, backward hooks", UserWarning)
            found = DeepLift(model).attribute(x, baselines=baseline, target=0)
    values = found.detach().cpu().numpy()
    at, against = logits.cpu().double().numpy(), reference_logits.cpu().double().numpy()
    gap = values.astype(np.float64).sum(axis=(1, 2)) - (at - against)
    return CropAttribution(values, at, against, gap)


def _one_each(
    crops: NDArray[np.float32], reference: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    if reference is None:
        return np.zeros_like(crops)
    if reference.shape not in (crops.shape, crops.shape[1:]):
        raise InvalidValue(
            f"a reference of shape {reference.shape} for crops of shape {crops.shape}",
            accepted="Accepted: one reference, or one for each crop",
        )
    return np.broadcast_to(reference, crops.shape).astype(np.float32)


@contextmanager
def _square_rule() -> Iterator[None]:
    """Teach captum the square: the multiplier is the ratio of the differences."""
    from captum.attr._core import deep_lift

    table: dict[Any, Any] = deep_lift.SUPPORTED_NON_LINEAR
    table[Square] = deep_lift.nonlinear
    try:
        yield
    finally:
        del table[Square]
