"""Train one cell of the grid again, from nothing, and compare it with the results file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, LEADS_OF_SET, UNCALIBRATED
from ecgdash.errors import InvalidValue
from ecgdash.inference.history import mean_score
from ecgdash.inference.manifest import sha256_of_file
from ecgdash.services.evaluation_ecgs import EcgPart, score_ecgs
from ecgdash.services.evaluation_family import judged
from ecgdash.services.evaluation_histories import pair_rows
from ecgdash.services.evaluation_pairs import LVSD_PERCENT
from ecgdash.services.evaluation_simulated import SimulatedSource, needed_ecgs, subject_of
from ecgdash.signal.preprocess import PREPROCESSING_VERSION
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort
from ecgdash.stats import auroc_value
from ecgdash.training.config import (
    FINETUNINGS,
    FROM_PRETRAINING,
    FitSettings,
    SimulatedData,
    TrainingConfig,
)
from ecgdash.training.grid_nets import GridNet
from ecgdash.training.loop import Progress
from ecgdash.training.run import run_finetune, run_pretrain
from ecgdash.training.simulated import prepare_simulated

__all__ = ["CHEAPEST", "TOLERANCE", "WHY_TOLERANCE", "CellAgain", "baseline_auroc", "train_cell"]

CHEAPEST: Final = "control_2000"
"""Needs no phase 1 and the fewest steps."""

TOLERANCE: Final = 0.02
WHY_TOLERANCE: Final = (
    "With the versions named above, on one kind of processor, it is the same to the last digit. "
    "Another processor adds float32 numbers in another order, which a training can enlarge up to "
    "what another seed changes: two other seeds of weights and crops changed the shipped grid's "
    "control_2000 of 1 lead by 0.010 and 0.008."
)

_SAMPLING_HZ = 250.0


@dataclass(frozen=True)
class CellAgain:
    """A cell that was trained again.

    Attributes
    ----------
    published, found : float
        AUROC on the baseline pairs of `seed`: of the results file, and now.
    tolerance : float
        Largest difference that counts as the same, either way; of the results file.
    """

    lead_set: str
    cell: str
    seed: int
    published: float
    found: float
    tolerance: float


@dataclass(frozen=True)
class CellWork:
    """Scores ECGs by one network; see `ecgdash.services.evaluation_ecgs.EcgWork`."""

    net: GridNet

    @property
    def key(self) -> str:
        """Weights and preprocessing."""
        return f"cell/{sha256_of_file(self.net.path)}/{PREPROCESSING_VERSION}"

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Judge and score one batch."""
        from ecgdash.signal.preprocess import preprocess_batch

        analysable, members = judged(batch, cohort)
        rows = [CANONICAL_LEADS.index(name) for name in LEADS_OF_SET[self.net.lead_set]]
        crops = preprocess_batch(batch.signal_mv[:, rows], _SAMPLING_HZ)
        logits = self.net.base_logits(crops)[:, np.newaxis]
        return EcgPart(batch.index, logits, analysable, members)


def train_cell(  # noqa: PLR0913, PLR0917 - one call, from the command
    results: Mapping[str, Any],
    lead_set: str,
    cell: str,
    out: Path,
    workers: int = 1,
    on_progress: Progress | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> CellAgain:
    """Prepare what the cell learns from, train it, and score the first seed's baseline pairs.

    Parameters
    ----------
    results : mapping
        The results file: its settings and data are used, so that they are the same.
    lead_set : {"12", "6", "1"}
    cell : str
        One of `ecgdash.training.config.FINETUNINGS`; a pretrained one runs phase 1 first.
    out : Path
        Gets `data/` and `work/`; a run that was stopped goes on.
    workers : int
        Processes that score.
    on_progress, tell : callable, optional
        Told of the training's steps, and sentences.

    Raises
    ------
    InvalidValue
        If the results file holds no such cell.
    """
    ways = {way.name: way for way in FINETUNINGS}
    if cell not in ways or lead_set not in results["training"]:
        raise InvalidValue(
            f"the results hold no cell {cell!r} of lead set {lead_set!r}",
            accepted=f"Accepted: {', '.join(ways)}; 12, 6 and 1 leads",
        )
    way = ways[cell]
    config = _config(results["training"][lead_set]["settings"])
    origin = {key: n for key, n in results["training"]["data"].items() if key != "simulated"}
    parts = ("pretraining", "baseline") if way.pretrained else ("baseline",)
    prepare_simulated(SimulatedData(**origin), out / "data", on_progress, parts)
    work = out / "work" / lead_set
    if way.pretrained:
        run_pretrain(config, out / "data", work, on_progress)
    run_finetune(config, out / "data", work, on_progress, way)
    site = results["sites"]["A"]
    published = site["lead_sets"][lead_set]["per_seed"][0]
    name = UNCALIBRATED if way == FROM_PRETRAINING else cell
    source = SimulatedSource(
        site["n_patients"] // len(site["seeds"]), published["seed"], workers=workers
    )
    net = GridNet.of(out / "work", config.lead_set, cell, config.architecture)
    found = baseline_auroc(source, net, tell)
    tolerance = results["reproduce"]["tolerance"]
    return CellAgain(lead_set, cell, source.seed, published["baseline"][name], found, tolerance)


def _config(settings: Mapping[str, Any]) -> TrainingConfig:
    """Build a training's settings again from what its log holds of them."""
    phases = {
        name: FitSettings(**settings[name]) for name in ("pretrain", "finetune", "recalibrate")
    }
    return TrainingConfig(**{**settings, **phases})


def baseline_auroc(source: SimulatedSource, net: GridNet, tell: Callable[[str], None]) -> float:
    """Return a network's AUROC on the baseline pairs of simulated patients."""
    source = replace(source, enrich={})
    cohort = source.cohort()
    which = needed_ecgs(cohort)
    ecgs = score_ecgs(source, cohort, which, CellWork(net), tell)
    usable = which & ecgs.analysable
    scores = mean_score(ecgs.base_logits[:, 0])
    known = {f"e{i}": float(scores[i]) for i in np.flatnonzero(usable)}
    rows = pair_rows((subject_of(cohort, i, usable) for i in range(cohort.n_patients)), known)
    first = [row for row in rows if not row.follow_up]
    lvsd = [row.lvef_percent <= LVSD_PERCENT for row in first]
    return auroc_value(lvsd, [known[row.ecg] for row in first])
