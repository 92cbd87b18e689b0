"""DeepLIFT on the ECG's samples (Shrikumar et al. 2017; captum).

Stock captum is not complete for products and max-pooling; here both are
computed in forms for which DeepLIFT's rules are exact (`use_complete_forms`),
with a rule of its own for the square. Signs are kept. Departure from the paper:
the paper shows no DeepLIFT; the baseline (flat line by default) is our choice.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgdash.nets.family import FamilyNet
from ecgdash.nets.se_resnext import Square, use_complete_forms

__all__ = ["Attribution", "explain_crops"]


@dataclass(frozen=True, eq=False)
class Attribution:
    """Contributions of samples to a logit.

    Attributes
    ----------
    values : ndarray of float32, shape (n_crops, n_leads, n_samples)
        Logits, above 0 where a sample raised the score.
    logits, baseline_logits : ndarray, shape (n_crops,)
        Of the crops and of the baseline.
    gap : ndarray, shape (n_crops,)
        Sum of the values minus the logits' difference; 0 if complete.
    """

    values: NDArray[np.float32]
    logits: NDArray[np.float64]
    baseline_logits: NDArray[np.float64]
    gap: NDArray[np.float64]


class _VariantLogit(nn.Module):
    """One variant's logit without history, as a module of its own for captum."""

    def __init__(self, net: FamilyNet, variant: str) -> None:
        super().__init__()
        self.net = net
        self.variant = variant

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_leads, n_samples) -> (batch, 1)."""
        return self.net.logit(self.variant, x)


def explain_crops(
    net: FamilyNet,
    crops: NDArray[np.float32],
    variant: str,
    baseline: NDArray[np.float32] | None = None,
) -> Attribution:
    """Attribute a variant's logit without history to the samples.

    Parameters
    ----------
    net : FamilyNet
        In evaluation mode; left as it was.
    crops : ndarray of float32, shape (n_crops, n_leads, n_samples)
        Prepared as by `preprocess_crops`.
    variant : str
    baseline : ndarray of float32, shape (n_leads, n_samples), optional
        What the crops are compared with; the flat line by default.
    """
    from captum.attr import DeepLift

    x = torch.from_numpy(crops).clone().requires_grad_()
    one = np.zeros_like(crops[0]) if baseline is None else baseline
    reference = torch.from_numpy(np.repeat(one[np.newaxis], len(crops), axis=0)).requires_grad_()
    model = _VariantLogit(net, variant).eval()
    with use_complete_forms(net), _square_rule(), warnings.catch_warnings():
        # captum announces hooks that it takes off again; a test holds it to that
        warnings.filterwarnings("ignore", "Setting forward, backward hooks", UserWarning)
        values, delta = DeepLift(model).attribute(
            x, baselines=reference, target=0, return_convergence_delta=True
        )
        with torch.inference_mode():
            logits, baseline_logits = model(x)[:, 0], model(reference)[:, 0]
    return Attribution(
        values.detach().numpy(),
        logits.double().numpy(),
        baseline_logits.double().numpy(),
        delta.detach().double().numpy(),
    )


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
