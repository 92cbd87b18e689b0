"""One loop for all phases: AdamW, one cycle, early stopping, resume.

A plain loop: the networks keep their frozen parts frozen themselves
(`FamilyNet.train_only`), whatever mode the loop asks for.

A step's batch may be computed in micro-batches of equal size, one after another
(`FitSettings.accumulate`) or in several processes (`training.distributed`), or both. Two
processes and two micro-batches in one process then do the same, to rounding: the same ECGs
are normalised together, with the same dropout, and gradients and BatchNorm's statistics are
averaged. With one micro-batch in all the steps are the plain ones.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ecgdash.errors import InvalidValue
from ecgdash.nets.family import FamilyNet
from ecgdash.training.checkpoint import Checkpoints, FitState, load_weights
from ecgdash.training.config import FitSettings
from ecgdash.training.distributed import (
    average,
    average_statistics,
    device_of,
    first_goes_ahead,
    is_first,
    n_processes,
    own_share,
    tell_all,
)

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
        Epoch (from 0) -> that epoch's batches, the same on every call; of each the share of
        this process.
    loss : callable
        Batch or micro-batch -> scalar loss, a mean over its ECGs.
    validate : callable
        -> figures; "loss" decides about stopping. Called in the first process.
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

    Raises
    ------
    InvalidValue
        If a batch cannot be cut into equal micro-batches, or the data do not fill one.
    """
    _check_batches(task, settings)
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
    gradients = _Gradients(net, task, settings, seed)
    while not state.finished:
        started = time.perf_counter()
        torch.manual_seed(1_000 * seed + state.epoch)
        report = on_progress if is_first() else None
        train_loss = _epoch(net, task, settings, optimiser, gradients, state.epoch, report)
        average_statistics(net)
        train_s = time.perf_counter() - started
        figures = _validate(net, task)
        _advance(state, settings, train_loss, figures)
        state.log[-1] |= {"train_s": train_s, "epoch_s": time.perf_counter() - started}
        with first_goes_ahead():
            if is_first():
                checkpoints.save(net, optimiser, state)
                logger.info("%s: %s", task.name, state.log[-1])
    load_weights(net, checkpoints.best_path)
    net.eval()
    return state


def _check_batches(task: FitTask, settings: FitSettings) -> None:
    n_parts = settings.accumulate * n_processes()
    if settings.batch_size % n_parts:
        raise InvalidValue(
            f"a batch of {settings.batch_size} ECGs cannot be cut into {n_parts} equal micro-"
            f"batches ({settings.accumulate} in each of {n_processes()} processes)",
            accepted="Accepted: a batch size that is a multiple of both together",
            todo="Change --batch-size or --accumulate",
        )
    if task.n_batches < 1:
        raise InvalidValue(
            f"there are fewer training ECGs for '{task.name}' than one batch of "
            f"{settings.batch_size}",
            todo="Choose a smaller --batch-size or prepare more patients",
        )


def _validate(net: FamilyNet, task: FitTask) -> dict[str, float]:
    """Return the figures in the first process, the loss alone in the others."""
    net.eval()
    figures = {"loss": math.nan}
    if is_first():
        with torch.inference_mode():
            figures = task.validate()
    return figures | {"loss": tell_all(figures["loss"], device_of(net))}


class _LossOf(nn.Module):
    """A task's loss as a module's forward pass, which is what DistributedDataParallel wraps."""

    def __init__(self, net: FamilyNet, loss: Callable[[Batch], Tensor]) -> None:
        super().__init__()
        self.net = net  # for its parameters; `loss` runs the branch that the phase trains
        self._loss = loss

    def forward(self, batch: Batch) -> Tensor:
        return self._loss(batch)


class _Gradients:
    """Forward and backward passes of one step, whatever it is cut into.

    DistributedDataParallel averages the gradients: in every phase each trained parameter takes
    part in every loss and frozen ones need no gradient, so it meets no unused parameter. It
    also starts all processes from the first one's weights. BatchNorm's statistics are not its
    business: it would give all processes the first one's instead of the mean.
    """

    def __init__(self, net: FamilyNet, task: FitTask, settings: FitSettings, seed: int) -> None:
        self._device = device_of(net)
        self._settings, self._seed = settings, seed
        self._n_parts = settings.accumulate * n_processes()
        self._own = range(self._n_parts)[own_share(self._n_parts)]
        self._momenta = [
            (module, module.momentum)
            for module in net.modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.momentum is not None
        ]
        self._loss: Callable[[Batch], Tensor] = task.loss
        self._wrapped: DistributedDataParallel | None = None
        if n_processes() > 1:
            self._wrapped = DistributedDataParallel(
                _LossOf(net, task.loss), forward_sync_buffers=False
            )
            self._loss = self._wrapped

    def add(self, batch: Batch, epoch: int, i: int) -> float:
        """Add the gradients of the i-th batch of an epoch and return its mean loss."""
        n = self._settings.accumulate
        total = 0.0
        for k, part in enumerate(zip(*(whole.chunk(n) for whole in batch), strict=True)):
            if self._n_parts > 1:
                # Of the micro-batch's place in the step, not of the process that computes it.
                torch.manual_seed(_seed_of(self._seed, epoch, i, self._own[k]))
            with self._momenta_of(k), self._together_only(last=k == n - 1):
                with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.bf16):
                    loss = self._loss(part)
                (loss if n == 1 else loss / n).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) / n
        return total

    @contextmanager
    def _momenta_of(self, k: int) -> Iterator[None]:
        """Weigh a micro-batch's statistics so that after n they count as their mean, once.

        With r <- (1 - m_k) r + m_k s_k and m_k = m / (n - (n - 1 - k) m) the n updates leave
        (1 - m) r + m mean(s): what n processes give whose statistics are averaged.
        """
        n = self._settings.accumulate
        if n == 1:
            yield
            return
        for module, m in self._momenta:
            module.momentum = m / (n - (n - 1 - k) * m)
        yield
        for module, m in self._momenta:
            module.momentum = m

    def _together_only(self, *, last: bool) -> AbstractContextManager[None]:
        """Exchange gradients once a step, with the last micro-batch."""
        if self._wrapped is None or last:
            return nullcontext()
        return self._wrapped.no_sync()


def _seed_of(*numbers: int) -> int:
    """Return a seed for torch that follows from some numbers, below 2^63."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _epoch(  # noqa: PLR0913, PLR0917 - one call
    net: FamilyNet,
    task: FitTask,
    settings: FitSettings,
    optimiser: torch.optim.Optimizer,
    gradients: _Gradients,
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
        optimiser.zero_grad()
        total += gradients.add(batch, epoch, i)
        optimiser.step()
        if on_progress is not None:
            on_progress(task.name, step + 1, n_steps)
    return average(total / task.n_batches, device_of(net))


def _advance(
    state: FitState, settings: FitSettings, train_loss: float, figures: dict[str, float]
) -> None:
    state.epoch += 1
    if figures["loss"] < state.best_loss:
        state.best_loss, state.best_epoch = figures["loss"], state.epoch
    waited = state.epoch - state.best_epoch
    state.finished = state.epoch >= settings.epochs or waited >= settings.patience
    state.log.append({"epoch": state.epoch, "train_loss": train_loss, **figures})
