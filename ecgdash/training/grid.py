"""The grid of paper 000: every phase and control for 12, 6 and 1 leads, one after another.

<work>/<lead set>/pretrain, finetune, control, finetune_2000, control_2000, masked,
recalibrated, masked_pairs     checkpoints, of which a run that was stopped goes on
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import FamilyCard
from ecgdash.training.config import FINETUNINGS, FROM_PRETRAINING, TrainingConfig, family_name
from ecgdash.training.distributed import joined
from ecgdash.training.loop import Progress
from ecgdash.training.run import run_finetune, train_family

__all__ = ["LEAD_SETS", "config_of", "train_grid"]

LEAD_SETS: Final[tuple[LeadSet, ...]] = ("12", "6", "1")


def config_of(config: TrainingConfig, lead_set: LeadSet) -> TrainingConfig:
    """Return the same training for another lead set, under the family's name."""
    return replace(config, lead_set=lead_set, family=family_name(config.architecture, lead_set))


def train_grid(
    config: TrainingConfig,
    data: Path,
    work: Path,
    models_dir: Path,
    lead_sets: Sequence[LeadSet] = LEAD_SETS,
    on_progress: Progress | None = None,
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
    """
    cards = []
    with joined(config.device):
        for lead_set in lead_sets:
            own, place = config_of(config, lead_set), work / lead_set
            cards.append(train_family(own, data, place, models_dir, on_progress))
            for way in FINETUNINGS:
                if way != FROM_PRETRAINING:
                    run_finetune(own, data, place, on_progress, way)
    return cards
