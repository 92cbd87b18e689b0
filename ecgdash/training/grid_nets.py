"""The networks of the grid that no family ships: controls, and the paper's masked rule."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from ecgdash.domain.leads import LEADS_OF_SET, LeadSet
from ecgdash.domain.model import MASKED, UNCALIBRATED
from ecgdash.errors import InvalidValue, WeightsMissing
from ecgdash.inference.device import use_threads
from ecgdash.inference.history import mean_score
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.stats import youden_threshold
from ecgdash.training.config import FINETUNINGS, FROM_PRETRAINING, MASKED_PAIRS
from ecgdash.training.phases import LVSD
from ecgdash.training.shards import Shard
from ecgdash.training.splits import rows_of_split

__all__ = ["CELLS", "CONTROLS", "GridNet", "cell_log", "control_thresholds", "family_logits"]

CONTROLS: Final = tuple(way.name for way in FINETUNINGS if way != FROM_PRETRAINING)
"""Cells without history that no family ships."""


CELLS: Final = (
    "pretrain",
    FROM_PRETRAINING.name,
    *CONTROLS,
    "masked",
    "recalibrated",
    MASKED_PAIRS,
)
"""Every cell of one lead set, as its checkpoints' folders are called."""

_ECGS_AT_ONCE: Final = 16


@dataclass(frozen=True)
class GridNet:
    """One cell's network.

    Attributes
    ----------
    cell : str
        One of `CELLS`, phase 1 excepted, or "family" for the shipped weights.
    path : Path
        Its weights.
    architecture : str
        Row of `ecgdash.nets.registry.ARCHITECTURES`.
    """

    lead_set: LeadSet
    cell: str
    path: Path
    architecture: str

    @property
    def branch(self) -> str:
        """The branch that the cell trained."""
        return MASKED if self.cell == MASKED_PAIRS else UNCALIBRATED

    @classmethod
    def of(cls, work: Path, lead_set: LeadSet, cell: str, name: str) -> "GridNet":
        """Return a cell of the grid that was trained in `work`.

        Raises
        ------
        WeightsMissing
            If it was not trained.
        """
        path = work / lead_set / cell / "best.safetensors"
        if not path.is_file():
            raise WeightsMissing(
                f"the cell {cell} of lead set {lead_set} has not been trained",
                todo="Run 'python -m ecgdash train grid'",
            )
        return cls(lead_set, cell, path, name)

    def base_logits(self, crops: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logits without history: (b, 3, n_leads, 2250) -> (b, 3)."""
        net = _loaded(self)
        return _in_parts(crops, lambda x: net.logit(self.branch, x))[:, 0]


def family_logits(
    family: GridNet, pairs: GridNet, crops: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the logits without history of a family's variants, and of the study's masked rule.

    Phase 3 leaves stem and blocks 1 to 3 as they are, so one pass through them serves both.

    Parameters
    ----------
    family : GridNet
        The shipped weights.
    pairs : GridNet
        The cell "masked_pairs" of the same lead set.
    crops : ndarray of float32, shape (b, 3, n_leads, 2250)

    Returns
    -------
    ndarray of float64, shape (b, n_variants + 1, 3)

    Raises
    ------
    InvalidValue
        If the two do not share their lower blocks: they are of two trainings.
    """
    net, other = _loaded(family), _loaded(pairs)
    _check_shared(family, pairs)

    def logits(x: Tensor) -> Tensor:
        shared = net.block3_map(x)
        own = [net.branch(name)(shared) for name in net.variants]
        return torch.cat([*own, other.branch(pairs.branch)(shared)], dim=1)

    return _in_parts(crops, logits)


def _in_parts(
    crops: NDArray[np.float32], logits: Callable[[Tensor], Tensor]
) -> NDArray[np.float64]:
    """Run a network over crops: (b, 3, n_leads, 2250) -> (b, n_outputs, 3)."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(crops), _ECGS_AT_ONCE):
            part = crops[start : start + _ECGS_AT_ONCE]
            flat = np.ascontiguousarray(part.reshape(-1, *part.shape[2:]))
            found = logits(torch.from_numpy(flat)).double().numpy()
            parts.append(found.reshape(len(part), 3, -1).transpose(0, 2, 1))
    return np.concatenate(parts)


@lru_cache(maxsize=16)
def _check_shared(family: GridNet, pairs: GridNet) -> None:
    one, other = _loaded(family).state_dict(), _loaded(pairs).state_dict()
    lower = ("stem.", "block1.", "block2.", "block3.")
    if not all(torch.equal(one[n], other[n]) for n in one if n.startswith(lower)):
        raise InvalidValue(
            f"the cell {pairs.cell} of lead set {pairs.lead_set} is not of the installed family's "
            "training",
            todo="Install the family of this grid: run 'python -m ecgdash train grid' again",
        )


@lru_cache(maxsize=16)
def _loaded(one: GridNet) -> FamilyNet:
    """Load a network once a process."""
    use_threads(1)
    tensors = load_file(one.path)
    n_labels = tensors["pretraining.final_layer.bias"].shape[0]
    arch = architecture(one.architecture, len(LEADS_OF_SET[one.lead_set]))
    net = FamilyNet(FamilyConfig(arch.config, n_labels, arch.history_hidden))
    net.load_state_dict(tensors)
    return net.eval()


def control_thresholds(baseline: Path, nets: tuple[GridNet, ...]) -> dict[str, float]:
    """Return each control's Youden threshold, on the validation side of the baseline pairs.

    Parameters
    ----------
    baseline : Path
        Prepared shard.
    nets : tuple of GridNet
        Of one lead set; only those without history.
    """
    if not nets:
        return {}
    shard = Shard(baseline, nets[0].lead_set)
    rows = rows_of_split(shard.patient_ids, "validation")
    rows = rows[shard.marks["analysable"][rows]]
    logits: dict[str, list[NDArray[np.float64]]] = {net.cell: [] for net in nets}
    for start in range(0, len(rows), _ECGS_AT_ONCE):
        crops = shard.fixed_crops(rows[start : start + _ECGS_AT_ONCE])
        for net in nets:
            logits[net.cell].append(net.base_logits(crops))
    lvsd = shard.marks[LVSD][rows]
    return {
        cell: youden_threshold(lvsd, mean_score(np.concatenate(parts)))
        for cell, parts in logits.items()
    }


def cell_log(work: Path, lead_set: LeadSet, cell: str) -> dict[str, Any]:
    """Return how a cell's training went: best epoch, its figures, seconds in all epochs."""
    state = json.loads((work / lead_set / cell / "state.json").read_text(encoding="utf-8"))
    best = next(row for row in state["log"] if row["epoch"] == state["best_epoch"])
    return {
        "epochs": state["epoch"],
        "best_epoch": state["best_epoch"],
        "validation_loss": best["loss"],
        "validation_auroc": best["auroc"],
        "seconds": sum(row["epoch_s"] for row in state["log"]),
    }
