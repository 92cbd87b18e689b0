"""What each phase learned from, counted for the card."""

from collections.abc import Sequence

import numpy as np

from ecgdash.domain.card import TrainingPart
from ecgdash.training.phases import LVSD
from ecgdash.training.recalibrate import CoursePairs
from ecgdash.training.shards import Shard
from ecgdash.training.splits import SPLITS, Split, rows_of_split

__all__ = ["training_parts"]


def training_parts(
    pretraining: Shard, baseline: Shard, patients: Sequence[CoursePairs]
) -> tuple[TrainingPart, ...]:
    """Count ECGs or pairs, patients and cases of every phase and side of the split.

    Phase 1 counts ECGs, phase 2 baseline pairs, phase 3 follow-up pairs, of analysable ECGs.
    The test side trained nothing.

    Parameters
    ----------
    patients : sequence of CoursePairs
        Of phase 3.
    """
    return (
        *(_rows("pretrain", side, pretraining) for side in SPLITS),
        *(_rows("finetune", side, baseline) for side in SPLITS),
        *(_pairs(side, patients) for side in SPLITS),
    )


def _rows(phase: str, side: Split, shard: Shard) -> TrainingPart:
    rows = rows_of_split(shard.patient_ids, side)
    if phase == "finetune":
        rows = rows[shard.marks.get("analysable", np.ones(len(shard), bool))[rows]]
    return TrainingPart(
        phase=phase,
        split=side,
        n=len(rows),
        n_patients=len({shard.patient_ids[row] for row in rows}),
        n_positive=int(shard.marks[LVSD][rows].sum()) if phase == "finetune" else None,
    )


def _pairs(side: Split, patients: Sequence[CoursePairs]) -> TrainingPart:
    own = [patient.pairs[1:] for patient in patients if patient.side == side and patient.pairs[1:]]
    pairs = [pair for of_patient in own for pair in of_patient]
    return TrainingPart(
        phase="recalibrate",
        split=side,
        n=len(pairs),
        n_patients=len(own),
        n_positive=sum(pair.echo.lvsd for pair in pairs),
    )
