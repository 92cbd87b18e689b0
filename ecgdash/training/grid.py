"""The grid of paper 000: every phase and control for 12, 6 and 1 leads, one after another.

<work>/<lead set>/pretrain, finetune, control, finetune_2000, control_2000, masked,
recalibrated, masked_pairs     checkpoints, of which a run that was stopped goes on
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import FamilyCard
from ecgdash.training.config import (
    FINETUNINGS,
    FROM_PRETRAINING,
    Finetuning,
    TrainingConfig,
    family_name,
)
from ecgdash.training.distributed import joined
from ecgdash.training.loop import Progress
from ecgdash.training.package import enter_family
from ecgdash.training.run import run_finetune, train_family

__all__ = ["LEAD_SETS", "config_of", "train_grid"]

LEAD_SETS: Final[tuple[LeadSet, ...]] = ("12", "6", "1")


def config_of(config: TrainingConfig, lead_set: LeadSet) -> TrainingConfig:
    """Return the same training for another lead set, under the family's name."""
    return replace(config, lead_set=lead_set, family=family_name(config.architecture, lead_set))


def train_grid(  # noqa: PLR0913, PLR0917 - one call, from the command
    config: TrainingConfig,
    data: Path,
    work: Path,
    models_dir: Path,
    lead_sets: Sequence[LeadSet] = LEAD_SETS,
    progress_of: Callable[[str], Progress] | None = None,
    *,
    jobs: int = 1,
    ways: Sequence[Finetuning] = FINETUNINGS,
) -> list[FamilyCard]:
    """Train every cell of the grid and install the families.

    Parameters
    ----------
    config : TrainingConfig
        Its lead set and family are replaced by each of the grid's.
    data : Path
        Prepared shards of twelve leads, which serve all lead sets.
    work : Path
    models_dir : Path
    lead_sets : sequence of str
        Each is trained independently (paper 000).
    progress_of : callable, optional
        Lead set -> what is told of its progress; must be picklable where `jobs` is above 1.
    jobs : int
        Lead sets that are trained at once, each in a process of its own. Nothing else depends on
        it. 1 where torchrun started several processes: they train one lead set together.
    ways : sequence of Finetuning
        Phase 2 and its controls.
    """
    tasks = [
        _LeadSet(config_of(config, name), data, work / name, models_dir, progress_of, tuple(ways))
        for name in lead_sets
    ]
    if jobs <= 1 or len(tasks) < 2:
        with joined(config.device):
            return [_train(task) for task in tasks]
    # A worker that dies ends this executor with an error; a multiprocessing.Pool waits for ever.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        cards = list(pool.map(_train, tasks))
    for card in cards:  # two that finish at once may have written the manifest over each other
        enter_family(card.family, models_dir)
    return cards


@dataclass(frozen=True)
class _LeadSet:
    """One row of the grid, as it goes to a process."""

    config: TrainingConfig
    data: Path
    work: Path
    models_dir: Path
    progress_of: Callable[[str], Progress] | None
    ways: tuple[Finetuning, ...]


def _train(task: _LeadSet) -> FamilyCard:
    config, data, work = task.config, task.data, task.work
    tell = None if task.progress_of is None else task.progress_of(config.lead_set)
    card = train_family(config, data, work, task.models_dir, tell)
    for way in task.ways:
        if way != FROM_PRETRAINING:
            run_finetune(config, data, work, tell, way)
    return card
