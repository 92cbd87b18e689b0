"""Histories as the networks read them, and scores from stored logits (DESIGN section 2).

Encoding, slot by slot, the most recent first (paper 000: LVEF, model output,
interval and a flag for missing data; the scalings are not stated in the paper:
our choice, so that all inputs are of order one):

    (LVEF - 50) / 15        recalibrated only
    logit(score)            clipped to +-13.8 (scores 1e-6 and 1 - 1e-6)
    log(1 + years)
    1 if the slot repeats a nearer one, else 0

A head is linear, so logit = base + term(history). The term is computed here in
float64 without torch; with stored base logits it gives the score of a full pass.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.domain.model import MASKED, RECALIBRATED
from ecgdash.domain.pairs import HISTORY_SLOTS, History
from ecgdash.errors import InvalidValue

__all__ = [
    "HistoryTerm",
    "encode_histories",
    "encode_history",
    "history_terms_from_tensors",
    "load_history_terms",
    "logit",
    "mean_score",
    "score_with_history",
    "sigmoid",
]

DAYS_PER_YEAR: Final = 365.25
SCORE_CLIP: Final = 1e-6
LVEF_CENTRE_PERCENT: Final = 50.0
LVEF_SCALE_PERCENT: Final = 15.0

_Floats = NDArray[np.float64]


def logit(score: ArrayLike) -> _Floats:
    """Return log(p / (1 - p)) of scores, clipped to 1e-6 from either end."""
    clipped = np.clip(np.asarray(score, dtype=np.float64), SCORE_CLIP, 1 - SCORE_CLIP)
    result: _Floats = np.log(clipped) - np.log1p(-clipped)
    return result


def sigmoid(logits: ArrayLike) -> _Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    x = np.asarray(logits, dtype=np.float64)
    small = np.exp(-np.abs(x))
    result: _Floats = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return result


def mean_score(crop_logits: ArrayLike) -> _Floats:
    """Return the mean of the crops' scores: (..., n_crops) -> (...)."""
    result: _Floats = np.asarray(sigmoid(crop_logits).mean(axis=-1))
    return result


def encode_history(history: History, variant: str) -> _Floats:
    """Return the numbers a variant is told about the past.

    Parameters
    ----------
    history : History
    variant : {"masked", "recalibrated"}

    Returns
    -------
    ndarray of float64, shape (9,) or (12,)

    Raises
    ------
    InvalidValue
        If the variant takes no history, or an LVEF is missing in a slot that needs one.
    """
    if variant not in (MASKED, RECALIBRATED):
        raise InvalidValue(f"variant {variant!r} takes no history")
    if len(history.slots) != HISTORY_SLOTS:
        raise InvalidValue(f"a history of {len(history.slots)} slots", accepted="Accepted: 3")
    numbers: list[float] = []
    for slot in history.slots:
        if variant == RECALIBRATED:
            if slot.lvef_percent is None:
                raise InvalidValue("a recalibrated history without LVEF")
            numbers.append((slot.lvef_percent - LVEF_CENTRE_PERCENT) / LVEF_SCALE_PERCENT)
        numbers.append(float(logit(slot.score)))
        numbers.append(math.log1p(slot.interval_days / DAYS_PER_YEAR))
        numbers.append(float(slot.imputed))
    return np.array(numbers, dtype=np.float64)


def encode_histories(histories: Sequence[History], variant: str) -> _Floats:
    """Encode many histories: shape (n, 9) or (n, 12)."""
    width = HISTORY_SLOTS * (4 if variant == RECALIBRATED else 3)
    rows = [encode_history(history, variant) for history in histories]
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


@dataclass(frozen=True, eq=False)
class HistoryTerm:
    """w.g(h): what a history adds to a variant's logit.

    The last layer of g and the linear head are one product here.

    Attributes
    ----------
    variant : str
    hidden_weight, hidden_bias : ndarray, shapes (n_hidden, n_inputs), (n_hidden,)
    out_weight : ndarray, shape (n_hidden,)
        Head weights times g's last layer.
    out_bias : float
    """

    variant: str
    hidden_weight: _Floats
    hidden_bias: _Floats
    out_weight: _Floats
    out_bias: float

    def of_vectors(self, vectors: ArrayLike) -> _Floats:
        """Return the terms of encoded histories: (n, n_inputs) -> (n,)."""
        h = np.asarray(vectors, dtype=np.float64)
        # einsum sums a row the same way whatever the number of rows; matmul need not
        hidden = np.einsum("ni,hi->nh", h, self.hidden_weight) + self.hidden_bias
        terms: _Floats = (
            np.einsum("nh,h->n", np.maximum(hidden, 0.0), self.out_weight) + self.out_bias
        )
        return terms

    def __call__(self, history: History) -> float:
        """Return the term of one history, in logits."""
        return float(self.of_vectors(encode_history(history, self.variant)[np.newaxis])[0])


def history_terms_from_tensors(
    tensors: Mapping[str, NDArray[np.floating]],
) -> dict[str, HistoryTerm]:
    """Collect the history terms from a family's tensors by name."""
    terms = {}
    for variant in (MASKED, RECALIBRATED):
        head = f"branches.{variant}."
        if head + "perceptron.out.weight" not in tensors:
            continue
        found = {
            name: np.asarray(tensors[head + name], dtype=np.float64)
            for name in (
                "perceptron.hidden.weight",
                "perceptron.hidden.bias",
                "perceptron.out.weight",
                "perceptron.out.bias",
                "final_layer.weight",
            )
        }
        w = found["final_layer.weight"][0]
        terms[variant] = HistoryTerm(
            variant,
            found["perceptron.hidden.weight"],
            found["perceptron.hidden.bias"],
            w @ found["perceptron.out.weight"],
            float(w @ found["perceptron.out.bias"]),
        )
    return terms


def load_history_terms(weights_path: Path) -> dict[str, HistoryTerm]:
    """Read the history terms of a family's weights file, without torch."""
    from safetensors.numpy import load_file

    return history_terms_from_tensors(load_file(weights_path))


def score_with_history(term: HistoryTerm, base_logits: ArrayLike, history: History) -> float:
    """Return the score of an ECG whose base logits are known.

    Parameters
    ----------
    term : HistoryTerm
        Of the variant that the base logits are of.
    base_logits : array_like, shape (n_crops,)
        Logits without history, one a crop.
    history : History

    Returns
    -------
    float
        Mean over the crops of the scores with the term added, in [0, 1].
    """
    return float(mean_score(np.asarray(base_logits, dtype=np.float64) + term(history)))
