"""Phase 3: histories, on follow-up pairs, the first three blocks frozen (paper 000).

Everything below block 4 is fixed, so block 3's output (or, where block 4 is
fixed too, its pooled features) is computed once for the engine's three crops;
training draws one of the three in every step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.model import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.domain.pairs import (
    History,
    TteEcgPair,
    form_pairs,
    masked_history,
    recalibrated_history,
)
from ecgdash.inference.history import encode_histories, mean_score
from ecgdash.nets.family import FamilyNet
from ecgdash.stats import auroc_value
from ecgdash.training.checkpoint import Checkpoints, FitState
from ecgdash.training.config import MASKED_PAIRS, TrainingConfig, recalibrated_parts
from ecgdash.training.distributed import device_of, own_share
from ecgdash.training.loop import Batch, FitTask, Progress, fit
from ecgdash.training.shards import Course, Shard
from ecgdash.training.splits import Split, split_of

__all__ = [
    "CoursePairs",
    "FollowUp",
    "MapFile",
    "Recalibration",
    "follow_up_examples",
    "follow_up_rows",
    "pairs_of_courses",
    "pooled_features",
    "recalibrate",
    "uncalibrated_logits",
]

ECGS_AT_ONCE: Final = 16
"""ECGs per pass through the networks."""


@dataclass(frozen=True, eq=False)
class CoursePairs:
    """All TTE-ECG pairs of one patient, in time order: the first is the baseline."""

    course: Course
    pairs: tuple[TteEcgPair, ...]

    @property
    def side(self) -> Split:
        """Which side of the 8:1:1 split the patient is on."""
        return split_of(self.course.patient_id)


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Follow-up pairs as training examples of one variant.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the shard.
    lvsd : ndarray of bool, shape (n,)
    vectors : ndarray of float64, shape (n, 9) or (n, 12)
        Encoded histories.
    sides : ndarray of str, shape (n,)
        Side of the split.
    """

    rows: NDArray[np.int64]
    lvsd: NDArray[np.bool_]
    vectors: NDArray[np.float64]
    sides: NDArray[np.str_]

    def on(self, side: Split) -> NDArray[np.int64]:
        """Return the examples of one side."""
        return np.flatnonzero(self.sides == side)


def pairs_of_courses(courses: Sequence[Course]) -> list[CoursePairs]:
    """Form the pairs of every course, by the rules that the product uses."""
    return [
        CoursePairs(course, tuple(form_pairs(course.refs, course.echoes))) for course in courses
    ]


def follow_up_rows(patients: Sequence[CoursePairs]) -> NDArray[np.int64]:
    """Return the rows of all follow-up pairs' ECGs, ascending."""
    rows = {int(pair.ecg.key) for patient in patients for pair in patient.pairs[1:]}
    return np.array(sorted(rows), np.int64)


def follow_up_examples(
    patients: Sequence[CoursePairs], logits: NDArray[np.float64], variant: str
) -> FollowUp:
    """Collect the follow-up pairs that have a history of this variant.

    Parameters
    ----------
    logits : ndarray, shape (n_ecgs, 3)
        Uncalibrated, by row of the shard.
    """
    rows, lvsd, histories, sides = [], [], [], []
    for patient in patients:
        scores = {
            ref.key: float(mean_score(logits[int(ref.key)]))
            for ref in patient.course.refs
            if ref.analysable
        }
        for pair in patient.pairs[1:]:
            history = _history(variant, pair.ecg, patient, scores)
            if history is not None:
                rows.append(int(pair.ecg.key))
                lvsd.append(pair.echo.lvsd)
                histories.append(history)
                sides.append(patient.side)
    return FollowUp(
        np.array(rows, np.int64),
        np.array(lvsd, bool),
        encode_histories(histories, MASKED if variant == MASKED_PAIRS else variant),
        np.array(sides, str),
    )


def _history(
    variant: str, ecg: EcgRef, patient: CoursePairs, scores: dict[str, float]
) -> History | None:
    if variant == MASKED:
        return masked_history(ecg, patient.course.refs, scores)
    if variant == MASKED_PAIRS:
        return masked_history(ecg, [pair.ecg for pair in patient.pairs], scores)
    return recalibrated_history(ecg, patient.pairs, scores)


@dataclass(frozen=True, eq=False)
class MapFile:
    """Block 3's output of some ECGs on disk, for training block 4.

    Attributes
    ----------
    path : Path
        float16, memory-mapped.
    rows : ndarray of int
        Rows of the shard to keep, ascending.
    """

    path: Path
    rows: NDArray[np.int64]

    def open(self, width: int, n_samples: int, *, new: bool) -> NDArray[np.floating]:
        """Map the file: (len(rows), 3 crops, width, n_samples)."""
        shape = (len(self.rows), 3, width, n_samples)
        return np.memmap(self.path, np.float16, "w+" if new else "r", shape=shape)


def pooled_features(
    net: FamilyNet,
    shard: Shard,
    rows: NDArray[np.int64],
    keep: MapFile | None = None,
    on_progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Return phase 2's pooled features, (len(rows), 3 crops, n_features).

    Parameters
    ----------
    keep : MapFile, optional
        Filled with block 3's output on the way.
    """
    net.eval()
    branch = net.branch(UNCALIBRATED)
    out = np.empty((len(rows), 3, branch.final_layer.in_features), np.float32)
    kept: NDArray[np.floating] | None = None
    for start in range(0, len(rows), ECGS_AT_ONCE):
        part = rows[start : start + ECGS_AT_ONCE]
        crops = shard.fixed_crops(part)  # (b, 3, leads, 2250)
        with torch.inference_mode():
            x = torch.from_numpy(crops.reshape(-1, *crops.shape[2:])).to(device_of(net))
            maps = net.block3_map(x)
            features = branch.features(maps)  # (3 b, width, time) -> (3 b, n_features)
        out[start : start + len(part)] = features.cpu().numpy().reshape(len(part), 3, -1)
        if keep is not None:
            if kept is None:
                kept = keep.open(maps.shape[1], maps.shape[2], new=True)
            held = np.isin(part, keep.rows)
            by_ecg = maps.cpu().numpy().reshape(len(part), 3, *maps.shape[1:])
            kept[np.searchsorted(keep.rows, part[held])] = by_ecg[held]
        if on_progress is not None:
            on_progress("features of follow-up ECGs", start + len(part), len(rows))
    return out


def uncalibrated_logits(
    net: FamilyNet, features: NDArray[np.float32], rows: NDArray[np.int64], n_ecgs: int
) -> NDArray[np.float64]:
    """Return phase 2's logits by row of the shard, (n_ecgs, 3 crops); NaN in other rows."""
    out = np.full((n_ecgs, 3), np.nan)
    with torch.inference_mode():
        values = torch.from_numpy(features).to(device_of(net))
        logits = net.branch(UNCALIBRATED).eval().head(values)
    out[rows] = logits[..., 0].double().cpu().numpy()  # (n, 3, 1) -> (n, 3)
    return out


@dataclass(frozen=True, eq=False)
class Recalibration:
    """One variant's training: what it learns from.

    Attributes
    ----------
    maps : ndarray
        Pooled features, or block 3's maps where block 4 is trained.
    places : ndarray of int
        Where an example stands in `maps`.
    """

    net: FamilyNet
    variant: str
    examples: FollowUp
    maps: NDArray[np.floating]
    places: NDArray[np.int64]
    config: TrainingConfig

    @property
    def phase(self) -> int:
        """Number that keeps the variants' random streams apart."""
        return {MASKED: 3, RECALIBRATED: 4, MASKED_PAIRS: 5}[self.variant]

    @property
    def branch(self) -> str:
        """The branch that is trained; the paper's masked rule has the masked one's shape."""
        return MASKED if self.variant == MASKED_PAIRS else self.variant

    def logits(self, rows: NDArray[np.int64], crops: NDArray[np.int64]) -> Tensor:
        """Logits (b, 1) of examples, each in one of its three crops."""
        branch, device = self.net.branch(self.branch), device_of(self.net)
        maps = self.maps[self.places[rows], crops].astype(np.float32)
        values = torch.from_numpy(maps).to(device, non_blocking=True)
        features = branch.features(values) if self.config.train_block4 else values
        history = torch.from_numpy(self.examples.vectors[rows].astype(np.float32))
        return branch.head(features, history.to(device, non_blocking=True)).float()

    def lvsd(self, rows: NDArray[np.int64]) -> Tensor:
        """Targets, (b, 1)."""
        return torch.from_numpy(self.examples.lvsd[rows].astype(np.float32))[:, None]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores as the engine gives them: the mean over the crops, shape (b,)."""
        n_crops = self.maps.shape[1]
        parts = []
        for part in np.array_split(rows, max(1, len(rows) // 256)):
            crops = np.tile(np.arange(n_crops), len(part))
            logits = self.logits(np.repeat(part, n_crops), crops)  # (b n_crops, 1)
            parts.append(mean_score(logits.cpu().numpy().reshape(-1, n_crops)))
        return np.concatenate(parts)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """One epoch: rows of examples, each with a random crop; this process's share."""
        rng = np.random.default_rng((1_000 * self.config.seed + self.phase, epoch))
        order = rng.permutation(self.examples.on("train"))
        size = self.config.recalibrate.batch_size
        share = own_share(size)
        for i in range(len(order) // size):
            rows = order[i * size : (i + 1) * size]
            crops = rng.integers(0, self.maps.shape[1], size)
            yield torch.from_numpy(rows[share]), torch.from_numpy(crops[share])

    def loss(self, batch: Batch) -> Tensor:
        """Binary cross-entropy of a batch."""
        rows, crops = (part.numpy() for part in batch)
        logits = self.logits(rows, crops)
        return torch.nn.functional.binary_cross_entropy_with_logits(
            logits, self.lvsd(rows).to(logits.device)
        )

    def validate(self) -> dict[str, float]:
        """Loss and AUROC of the scores on the validation patients."""
        rows = self.examples.on("validation")
        score = self.scores(rows)
        loss = torch.nn.functional.binary_cross_entropy(
            torch.from_numpy(score)[:, None], self.lvsd(rows).double()
        )
        return {"loss": float(loss), "auroc": auroc_value(self.examples.lvsd[rows], score)}


def recalibrate(
    task: Recalibration, checkpoints: Checkpoints, on_progress: Progress | None = None
) -> FitState:
    """Train one variant's history perceptron and head (and block 4 if so configured).

    The branch starts as a copy of phase 2's, with a perceptron that adds zero.
    """
    net, config = task.net, task.config
    source, branch = net.branch(UNCALIBRATED), net.branch(task.branch)
    branch.block4.load_state_dict(source.block4.state_dict())
    branch.final_layer.load_state_dict(source.final_layer.state_dict())
    n_batches = len(task.examples.on("train")) // config.recalibrate.batch_size
    parts = recalibrated_parts(task.branch, train_block4=config.train_block4)
    fit_task = FitTask(task.variant, parts, n_batches, task.batches, task.loss, task.validate)
    seed = config.seed + task.phase
    return fit(net, fit_task, config.recalibrate, seed, checkpoints, on_progress)
