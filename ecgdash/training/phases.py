"""Phase 1 and 2: learn the cart's labels, then LVSD on baseline pairs (paper 000)."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ecgdash.domain.model import UNCALIBRATED
from ecgdash.nets.family import FamilyNet
from ecgdash.stats import auroc_value
from ecgdash.training.checkpoint import Checkpoints, FitState
from ecgdash.training.config import (
    CONTROL_PARTS,
    FINETUNED_PARTS,
    FROM_PRETRAINING,
    PRETRAINED_PARTS,
    Finetuning,
    FitSettings,
    TrainingConfig,
)
from ecgdash.training.distributed import device_of, own_share
from ecgdash.training.loop import Batch, FitTask, Progress, fit
from ecgdash.training.shards import Shard
from ecgdash.training.splits import rows_of_split

__all__ = ["LVSD", "finetune", "pretrain"]

LVSD: Final = "lvsd"
"""Name of the mark "LVEF <= 40 %" in a shard."""

VALIDATION_BATCH: Final = 64


@dataclass(frozen=True, eq=False)
class _Targets:
    """Rows of a shard that are used, split, with their targets."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    values: NDArray[np.float32]


class _EpochBatches(Dataset[Batch]):
    """One epoch of random crops, this process's share of a batch an item.

    Crops and order follow from (seed, epoch, batch), not from who computes them.
    """

    def __init__(self, shard: Shard, targets: _Targets, size: int, seed: tuple[int, int]) -> None:
        self._shard, self._targets, self._size, self._seed = shard, targets, size, seed
        self._share = own_share(size)
        self._order = np.random.default_rng(seed).permutation(targets.train)

    def __len__(self) -> int:
        return len(self._order) // self._size

    def __getitem__(self, i: int) -> Batch:
        rows = self._order[i * self._size : (i + 1) * self._size]
        rng = np.random.default_rng((*self._seed, i))
        crops = self._shard.random_crops(rows, rng, self._share)
        return torch.from_numpy(crops), torch.from_numpy(self._targets.values[rows[self._share]])


def pretrain(
    net: FamilyNet,
    shard: Shard,
    labels: tuple[str, ...],
    config: TrainingConfig,
    checkpoints: Checkpoints,
    on_progress: Progress | None = None,
) -> FitState:
    """Phase 1: the cart's labels, all at once, by binary cross-entropy.

    Parameters
    ----------
    labels : tuple of str
        Marks of the shard, in the order of the branch's outputs.
    """
    values = np.stack([shard.marks[name] for name in labels], axis=1).astype(np.float32)
    targets = _targets(shard, values, np.ones(len(shard), bool))
    branch = net.pretraining
    with torch.no_grad():
        branch.final_layer.bias.copy_(_prior_logits(values[targets.train]))
    task = _task("pretrain", net, shard, targets, config, dict(PRETRAINED_PARTS))
    return fit(net, task, config.pretrain, config.seed, checkpoints, on_progress)


def finetune(  # noqa: PLR0913, PLR0917 - one call from each way
    net: FamilyNet,
    shard: Shard,
    config: TrainingConfig,
    checkpoints: Checkpoints,
    on_progress: Progress | None = None,
    way: Finetuning = FROM_PRETRAINING,
) -> FitState:
    """Phase 2: LVSD on baseline pairs, stem and blocks 1 and 2 frozen.

    Blocks 3 and 4 start from those of the pretraining branch, which keeps its own. A control
    starts from the network's random weights and trains all of them.
    """
    branch = net.branch(UNCALIBRATED)
    if way.pretrained:
        net.block3.load_state_dict(net.pretraining.block3.state_dict())
        branch.block4.load_state_dict(net.pretraining.block4.state_dict())
    settings = replace(
        config.finetune,
        epochs=way.epochs or config.finetune.epochs,
        learning_rate=way.learning_rate or config.finetune.learning_rate,
    )
    config = replace(config, finetune=settings)
    values = shard.marks[LVSD].astype(np.float32)[:, np.newaxis]
    targets = _targets(shard, values, shard.marks.get("analysable", np.ones(len(shard), bool)))
    if way.n_pairs is not None:
        targets = replace(targets, train=_fewer(shard, targets.train, way.n_pairs))
    with torch.no_grad():
        branch.final_layer.weight.zero_()
        branch.final_layer.bias.copy_(_prior_logits(values[targets.train]))
    parts = FINETUNED_PARTS if way.pretrained else CONTROL_PARTS
    task = _task("finetune", net, shard, targets, config, dict(parts))
    return fit(net, task, config.finetune, config.seed + 1, checkpoints, on_progress)


def _fewer(shard: Shard, rows: NDArray[np.int64], n_pairs: int) -> NDArray[np.int64]:
    """Return the rows of some patients, the same ones whatever the order of the shard."""
    ids = [shard.patient_ids[row] for row in rows]
    digests = [hashlib.sha256(f"ecgdash-few:{one}".encode()).digest() for one in ids]
    order = sorted(range(len(rows)), key=digests.__getitem__)
    return np.sort(rows[order[:n_pairs]])


def _targets(shard: Shard, values: NDArray[np.float32], usable: NDArray[np.bool_]) -> _Targets:
    sides = [rows_of_split(shard.patient_ids, side) for side in ("train", "validation")]
    train, validation = (rows[usable[rows]] for rows in sides)
    return _Targets(train, validation, values)


def _prior_logits(values: NDArray[np.float32]) -> Tensor:
    """Start a head at the labels' prevalence."""
    share = np.clip(values.mean(axis=0), 1e-3, 1 - 1e-3)
    return torch.from_numpy(np.log(share / (1 - share)).astype(np.float32))


def _task(
    name: str,
    net: FamilyNet,
    shard: Shard,
    targets: _Targets,
    config: TrainingConfig,
    parts: Mapping[str, float],
) -> FitTask:
    settings: FitSettings = getattr(config, name)
    phase = {"pretrain": 1, "finetune": 2}[name]
    device = device_of(net)

    def forward(x: Tensor) -> Tensor:
        return net.label_logits(x) if phase == 1 else net.logit(UNCALIBRATED, x)

    def batches(epoch: int) -> Iterator[Batch]:
        seed = (1_000 * config.seed + phase, epoch)
        dataset = _EpochBatches(shard, targets, settings.batch_size, seed)
        loader: Any = DataLoader(
            dataset,
            batch_size=None,
            num_workers=config.loader_processes,
            pin_memory=device.type == "cuda",
        )
        yield from loader

    def loss(batch: Batch) -> Tensor:
        x, y = (part.to(device, non_blocking=True) for part in batch)
        logits = forward(x).float()
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, y)

    def validate() -> dict[str, float]:
        rows = targets.validation
        logits = _middle_crop_logits(shard, rows, forward, device)
        y = targets.values[rows]
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(y))
        return {"loss": float(value), "auroc": _mean_auroc(y, logits.numpy())}

    n_batches = len(targets.train) // settings.batch_size
    return FitTask(name, parts, n_batches, batches, loss, validate)


def _middle_crop_logits(
    shard: Shard, rows: NDArray[np.int64], forward: Any, device: torch.device
) -> Tensor:
    """Logits of the middle crop; the three-crop mean is the engine's business."""
    parts = []
    for start in range(0, len(rows), VALIDATION_BATCH):
        crops = shard.middle_crops(rows[start : start + VALIDATION_BATCH])
        parts.append(forward(torch.from_numpy(crops).to(device)).float().cpu())
    return torch.cat(parts)


def _mean_auroc(y: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    """Mean over the labels that have both classes."""
    values = [
        auroc_value(y[:, i] > 0, logits[:, i].astype(np.float64))
        for i in range(y.shape[1])
        if 0 < y[:, i].sum() < len(y)
    ]
    return float(np.mean(values)) if values else float("nan")
