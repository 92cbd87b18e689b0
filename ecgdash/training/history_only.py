"""A history perceptron beside a scorer that stays as it is: logit + w.g(history).

The scorer gives numbers only: its logits and its own earlier scores, so no waveform and no
network of the scorer is needed. Paper 000's recalibrated model fine-tunes block 4 together
with the perceptron; here nothing of the scorer is trained: our choice, because then any
scorer will do.

Every ECG is predicted by a perceptron that has seen neither its patient nor, in choosing
when to stop, that patient's fold.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgdash.domain.model import RECALIBRATED
from ecgdash.errors import InvalidValue
from ecgdash.inference.history import HistoryTerm, history_terms_from_tensors
from ecgdash.nets.family import HISTORY_INPUTS, HistoryPerceptron

__all__ = [
    "FoldFit",
    "HistoryExamples",
    "HistoryFit",
    "HistorySettings",
    "fit_history",
    "fold_of",
    "save_history",
    "term_of",
]

MIN_FOLDS: Final = 3
"""One fold is predicted, one says when to stop, one at least trains."""

_PERCEPTRON: Final = f"branches.{RECALIBRATED}.perceptron."
_HEAD: Final = f"branches.{RECALIBRATED}.final_layer.weight"

Tensors = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class HistorySettings:
    """How the perceptron is fitted.

    Not stated in the paper: our choice. Hidden units, rate and batch as of phase 3; a constant
    rate, so that the epoch to stop at means the same in the folds and in the last fit; more
    patience, because with few hundred pairs an epoch is a few steps.

    Attributes
    ----------
    n_folds : int
        At least 3.
    n_hidden : int
    learning_rate, weight_decay : float
        Of AdamW.
    batch_size : int
        Pairs a step.
    epochs : int
        At most.
    patience : int
        Epochs without a better validation loss before it stops.
    """

    n_folds: int = 5
    n_hidden: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    batch_size: int = 128
    epochs: int = 200
    patience: int = 20
    seed: int = 1


@dataclass(frozen=True, eq=False)
class HistoryExamples:
    """Follow-up pairs that have a history.

    Attributes
    ----------
    logits : ndarray of float64, shape (n,)
        Of the scorer, mean over the crops.
    vectors : ndarray of float64, shape (n, 12)
        As `inference.history.encode_histories` gives them for "recalibrated".
    cases : ndarray of bool, shape (n,)
        By the scorer's own label.
    patients : ndarray of str, shape (n,)
    """

    logits: NDArray[np.float64]
    vectors: NDArray[np.float64]
    cases: NDArray[np.bool_]
    patients: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.logits)

    def take(self, rows: NDArray[np.bool_]) -> "HistoryExamples":
        """Return some of the examples."""
        return HistoryExamples(
            self.logits[rows], self.vectors[rows], self.cases[rows], self.patients[rows]
        )


@dataclass(frozen=True, eq=False)
class FoldFit:
    """A perceptron that never saw one fold's patients.

    Attributes
    ----------
    term : HistoryTerm
    best_epoch : int
        0: no epoch was better than no history at all.
    validation_loss, loss_without : float
        Mean binary cross-entropy of the fold that said when to stop, with the best epoch's
        perceptron and without a history.
    """

    term: HistoryTerm
    best_epoch: int
    validation_loss: float
    loss_without: float


@dataclass(frozen=True, eq=False)
class HistoryFit:
    """What a cross-validation leaves.

    Attributes
    ----------
    settings : HistorySettings
    folds : tuple of FoldFit
        Of fold 0, 1, ...
    epochs : int
        Of the last fit: the median of the folds' best epochs.
    tensors : dict of str to ndarray
        Of the last fit, on all patients; names as in a family's weights.
    """

    settings: HistorySettings
    folds: tuple[FoldFit, ...]
    epochs: int
    tensors: Tensors

    @property
    def term(self) -> HistoryTerm:
        """The last fit's term."""
        return term_of(self.tensors)

    def log(self) -> dict[str, Any]:
        """Return settings and the folds' figures, for a report."""
        return {
            "settings": vars(self.settings),
            "epochs": self.epochs,
            "folds": [
                {
                    "best_epoch": fold.best_epoch,
                    "validation_loss": fold.validation_loss,
                    "loss_without_history": fold.loss_without,
                }
                for fold in self.folds
            ],
        }


def fold_of(patient: str, n_folds: int) -> int:
    """Return the fold of a patient, by a hash: the same on any machine, whoever is added later."""
    digest = hashlib.sha256(f"ecgdash-fold:{patient}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % n_folds


def term_of(tensors: Mapping[str, NDArray[np.floating]]) -> HistoryTerm:
    """Return the term that tensors hold, as the engine reads it."""
    return history_terms_from_tensors(tensors)[RECALIBRATED]


def save_history(tensors: Tensors, path: Path) -> None:
    """Write a fit's tensors as safetensors; the file appears whole or not at all."""
    from safetensors.numpy import save_file

    part = path.with_suffix(path.suffix + ".part")
    save_file(tensors, part)
    part.replace(path)


def fit_history(examples: HistoryExamples, settings: HistorySettings) -> HistoryFit:
    """Fit by patient-wise cross-validation, then once on all patients.

    Fold k is predicted by a perceptron fitted on the others without the next one, which says
    when to stop.

    Parameters
    ----------
    examples : HistoryExamples
    settings : HistorySettings

    Returns
    -------
    HistoryFit
        The same for the same examples in the same order, settings and torch version.

    Raises
    ------
    InvalidValue
        If there are fewer than 3 folds, or a fold lacks cases or controls.
    """
    n = settings.n_folds
    if n < MIN_FOLDS:
        raise InvalidValue(
            f"{n} folds: one is predicted, one says when to stop and the others train",
            accepted=f"Accepted: {MIN_FOLDS} folds or more",
        )
    fold = np.array([fold_of(str(patient), n) for patient in examples.patients], np.int64)
    _check_folds(examples, fold, n)
    folds = []
    for held in range(n):
        stops = (held + 1) % n
        training = examples.take((fold != held) & (fold != stops))
        folds.append(_fit_fold(training, examples.take(fold == stops), settings, held))
    epochs = int(np.median([one.best_epoch for one in folds]))
    net = _net(settings, n)
    for _ in _epochs(net, examples, settings, n, epochs):
        pass
    return HistoryFit(settings, tuple(folds), epochs, _tensors(net))


def _check_folds(examples: HistoryExamples, fold: NDArray[np.int64], n: int) -> None:
    for k in range(n):
        cases = examples.cases[fold == k]
        if cases.all() or not cases.any():  # an empty fold is "all" too
            raise InvalidValue(
                f"fold {k + 1} of {n} holds {int(cases.sum())} cases and {int((~cases).sum())} "
                f"controls among {len(examples)} follow-up pairs with a history",
                accepted="Accepted: both in every fold",
                todo="Add patients with several echoes, or choose fewer folds",
            )


def _fit_fold(
    training: HistoryExamples, stops: HistoryExamples, settings: HistorySettings, number: int
) -> FoldFit:
    net = _net(settings, number)
    without = _loss(net, stops)  # the last layer starts at zero
    best, best_epoch, kept = without, 0, _tensors(net)
    for epoch in _epochs(net, training, settings, number, settings.epochs):
        loss = _loss(net, stops)
        if loss < best:
            best, best_epoch, kept = loss, epoch, _tensors(net)
        elif epoch - best_epoch >= settings.patience:
            break
    return FoldFit(term_of(kept), best_epoch, best, without)


def _net(settings: HistorySettings, number: int) -> HistoryPerceptron:
    """Return an untrained perceptron of one output: the head's weight stays at one."""
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
        torch.manual_seed(1_000 * settings.seed + number)
        net = HistoryPerceptron(HISTORY_INPUTS[RECALIBRATED], settings.n_hidden, 1)
    return net.double()


def _epochs(
    net: HistoryPerceptron,
    examples: HistoryExamples,
    settings: HistorySettings,
    number: int,
    n_epochs: int,
) -> Iterator[int]:
    """Train and yield the number of epochs done, from 1."""
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    values = _as_tensors(examples)
    rng = np.random.default_rng([settings.seed, number])
    for epoch in range(1, n_epochs + 1):
        order = rng.permutation(len(examples))
        for start in range(0, len(order), settings.batch_size):
            rows = torch.from_numpy(order[start : start + settings.batch_size])
            optimiser.zero_grad()
            loss = _cross_entropy(net, [value[rows] for value in values])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        yield epoch


def _as_tensors(examples: HistoryExamples) -> list[Tensor]:
    columns = (examples.logits, examples.vectors, examples.cases.astype(np.float64))
    return [torch.from_numpy(np.ascontiguousarray(column)) for column in columns]


def _cross_entropy(net: HistoryPerceptron, values: Sequence[Tensor]) -> Tensor:
    logits, vectors, cases = values
    shifted = logits + net(vectors)[:, 0]  # (b, 1) -> (b,)
    return nn.functional.binary_cross_entropy_with_logits(shifted, cases)


def _loss(net: HistoryPerceptron, examples: HistoryExamples) -> float:
    with torch.inference_mode():
        return float(_cross_entropy(net, _as_tensors(examples)))


def _tensors(net: HistoryPerceptron) -> Tensors:
    """Return a copy of the perceptron under the names of a family's weights."""
    own = {_PERCEPTRON + name: value.numpy().copy() for name, value in net.state_dict().items()}
    return {**own, _HEAD: np.ones((1, 1))}
