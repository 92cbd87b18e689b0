"""One loop for all phases: AdamW, one cycle, early stopping, resume.

A plain loop: the networks keep their frozen parts frozen themselves
(`FamilyNet.train_only`), whatever mode the loop asks for.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecgdash.nets.family import FamilyNet
from ecgdash.training.checkpoint import Checkpoints, FitState, load_weights
from ecgdash.training.config import FitSettings

__all__ = ["FitTask", "Progress", "fit", "one_cycle"]

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps done, steps in all."""

Batch = tuple[Tensor, ...]

FLOOR: Final = 0.01
"""The learning rate ends at this share of its peak."""


@dataclass(frozen=True)
class FitTask:
    """What a phase trains, and on what.

    Attributes
    ----------
    name : str
        For progress and log.
    parts : mapping of str to float
        Trained sub-modules and their factors on the learning rate.
    n_batches : int
        Per epoch.
    batches : callable
        Epoch (from 0) -> that epoch's batches, the same on every call.
    loss : callable
        Batch -> scalar loss.
    validate : callable
        -> figures; "loss" decides about stopping.
    """

    name: str
    parts: Mapping[str, float]
    n_batches: int
    batches: Callable[[int], Iterable[Batch]]
    loss: Callable[[Batch], Tensor]
    validate: Callable[[], dict[str, float]]


def one_cycle(step: int, n_steps: int, warm_up: float) -> float:
    """Return the factor on the learning rate: up in a line, down in a cosine.

    Parameters
    ----------
    step : int
        From 0.
    """
    n_up = max(1, round(warm_up * n_steps))
    if step < n_up:
        return (step + 1) / n_up
    fraction = (step - n_up) / max(1, n_steps - n_up)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))


def fit(
    net: FamilyNet,
    task: FitTask,
    settings: FitSettings,
    seed: int,
    checkpoints: Checkpoints,
    on_progress: Progress | None = None,
) -> FitState:
    """Train some parts of a network and leave it with the best epoch's weights.

    A fit that was killed goes on after its last finished epoch and ends with
    the same weights as one that was not.

    Returns
    -------
    FitState
        With one log row an epoch.
    """
    net.train_only(tuple(task.parts))
    optimiser = torch.optim.AdamW(
        [
            {"params": params, "lr": settings.learning_rate, "factor": factor}
            for part, factor in task.parts.items()
            if (params := list(net.get_submodule(part).parameters()))
        ],
        weight_decay=settings.weight_decay,
    )
    state = checkpoints.resume(net, optimiser)
    while not state.finished:
        started = time.perf_counter()
        torch.manual_seed(1_000 * seed + state.epoch)
        train_loss = _epoch(net, task, settings, optimiser, state.epoch, on_progress)
        train_s = time.perf_counter() - started
        net.eval()
        with torch.inference_mode():
            figures = task.validate()
        _advance(state, settings, train_loss, figures)
        state.log[-1] |= {"train_s": train_s, "epoch_s": time.perf_counter() - started}
        checkpoints.save(net, optimiser, state)
        logger.info("%s: %s", task.name, state.log[-1])
    load_weights(net, checkpoints.best_path)
    net.eval()
    return state


def _epoch(
    net: FamilyNet,
    task: FitTask,
    settings: FitSettings,
    optimiser: torch.optim.Optimizer,
    epoch: int,
    on_progress: Progress | None,
) -> float:
    net.train()
    n_steps = settings.epochs * task.n_batches
    total = 0.0
    for i, batch in enumerate(task.batches(epoch)):
        step = epoch * task.n_batches + i
        rate = settings.learning_rate * one_cycle(step, n_steps, settings.warm_up)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bf16):
            loss = task.loss(batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += float(loss.detach())
        if on_progress is not None:
            on_progress(task.name, step + 1, n_steps)
    return total / task.n_batches


def _advance(
    state: FitState, settings: FitSettings, train_loss: float, figures: dict[str, float]
) -> None:
    state.epoch += 1
    if figures["loss"] < state.best_loss:
        state.best_loss, state.best_epoch = figures["loss"], state.epoch
    waited = state.epoch - state.best_epoch
    state.finished = state.epoch >= settings.epochs or waited >= settings.patience
    state.log.append({"epoch": state.epoch, "train_loss": train_loss, **figures})
