"""From prepared shards to an installed family, phase by phase, each resumable.

<work>/pretrain, finetune, masked, recalibrated    checkpoints
<models>/<family>/weights.safetensors, card.json, training_log.json

Each may run in several processes that torchrun started (`training.distributed`); the first one
writes.
"""

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.domain.leads import LEADS_OF_SET
from ecgdash.domain.model import MASKED, RECALIBRATED, FamilyCard
from ecgdash.errors import WeightsMissing
from ecgdash.inference.device import use_threads
from ecgdash.inference.manifest import find_family, load_card, sha256_of_file
from ecgdash.labels.cart import LABEL_NAMES
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.training.checkpoint import Checkpoints, FitState, load_weights
from ecgdash.training.config import (
    FROM_PRETRAINING,
    MASKED_PAIRS,
    Finetuning,
    TrainingConfig,
)
from ecgdash.training.distributed import (
    first_goes_ahead,
    is_first,
    joined,
    n_processes,
    on_device,
)
from ecgdash.training.loop import Progress
from ecgdash.training.package import PackageParts, write_family
from ecgdash.training.phases import finetune, pretrain
from ecgdash.training.recalibrate import (
    MapFile,
    Recalibration,
    follow_up_examples,
    follow_up_rows,
    pairs_of_courses,
    pooled_features,
    recalibrate,
    uncalibrated_logits,
)
from ecgdash.training.shards import Shard, read_courses, write_json

__all__ = ["run_finetune", "run_pretrain", "run_recalibrate", "train_family"]

HISTORY_VARIANTS: Final = (MASKED, RECALIBRATED)


def train_family(
    config: TrainingConfig,
    data: Path,
    work: Path,
    models_dir: Path,
    on_progress: Progress | None = None,
) -> FamilyCard:
    """Run the three phases and install the family.

    Parameters
    ----------
    data : Path
        Prepared shards: `pretraining/`, `baseline/`, `follow_up/`.
    work : Path
        Checkpoints; a run that was killed goes on from there.
    models_dir : Path
        Where `manifest.toml` is or will be.
    """
    with joined(config.device):
        run_pretrain(config, data, work, on_progress)
        run_finetune(config, data, work, on_progress)
        return run_recalibrate(config, data, work, models_dir, on_progress)


def run_pretrain(
    config: TrainingConfig, data: Path, work: Path, on_progress: Progress | None = None
) -> FitState:
    """Phase 1 on `data/pretraining`."""
    shard = Shard(data / "pretraining", config.lead_set)
    labels = tuple(shard.marks)
    with joined(config.device) as device:
        net = _new_net(config, labels, device)
        checkpoints = _checkpoints(config, data, work, "pretrain")
        return _timed(
            work,
            "pretrain",
            lambda: pretrain(net, shard, labels, config, checkpoints, on_progress),
        )


def run_finetune(
    config: TrainingConfig,
    data: Path,
    work: Path,
    on_progress: Progress | None = None,
    way: Finetuning = FROM_PRETRAINING,
) -> FitState:
    """Phase 2 on `data/baseline`, from phase 1's best epoch, or from random weights."""
    with joined(config.device) as device:
        net = _new_net(config, _labels(data), device)
        if way.pretrained:
            _load_phase(net, work, "pretrain")
        shard = Shard(data / "baseline", config.lead_set)
        own = {} if way == FROM_PRETRAINING else {"way": asdict(way)}
        checkpoints = _checkpoints(config, data, work, way.name, own)
        return _timed(
            work, way.name, lambda: finetune(net, shard, config, checkpoints, on_progress, way)
        )


def run_recalibrate(
    config: TrainingConfig,
    data: Path,
    work: Path,
    models_dir: Path,
    on_progress: Progress | None = None,
) -> FamilyCard:
    """Phase 3 on `data/follow_up`, from phase 2's best epoch; then install the family."""
    with joined(config.device) as device:
        parts = _recalibrated(config, data, work, device, on_progress)
        with first_goes_ahead():
            if is_first():
                return write_family(parts, models_dir, on_progress)
            return load_card(find_family(config.family, models_dir))[0]


def _recalibrated(
    config: TrainingConfig,
    data: Path,
    work: Path,
    device: torch.device,
    on_progress: Progress | None,
) -> PackageParts:
    labels = _labels(data)
    net = _new_net(config, labels, device)
    _load_phase(net, work, "finetune")
    started = time.perf_counter()
    shard = Shard(data / "follow_up", config.lead_set)
    patients = pairs_of_courses(list(read_courses(data / "follow_up" / "courses.jsonl")))
    rows = np.flatnonzero(shard.marks["analysable"])
    targets = follow_up_rows(patients)
    keep = MapFile(work / "block3.f16", targets) if config.train_block4 else None
    with first_goes_ahead():
        features = _features(net, shard, rows, work, keep, on_progress)
    logits = uncalibrated_logits(net, features, rows, len(shard))
    maps, in_maps = _maps(features, rows, keep, config)
    other = _new_net(config, labels, device)
    _load_phase(other, work, "finetune")
    for variant in (*HISTORY_VARIANTS, MASKED_PAIRS):
        examples = follow_up_examples(patients, logits, variant)
        places = np.searchsorted(in_maps, examples.rows)
        # The paper's masked rule is trained beside the family, for the comparison.
        trained = other if variant == MASKED_PAIRS else net
        task = Recalibration(trained, variant, examples, maps, places, config)
        recalibrate(task, _checkpoints(config, data, work, variant), on_progress)
    seconds = time.perf_counter() - started
    return PackageParts(
        net=net,
        config=config,
        labels=labels,
        pretraining=Shard(data / "pretraining", config.lead_set),
        baseline=Shard(data / "baseline", config.lead_set),
        follow_up=shard,
        patients=patients,
        origin=json.loads((data / "origin.json").read_text(encoding="utf-8")),
        log=_training_log(data, work, seconds, device),
    )


def _new_net(config: TrainingConfig, labels: tuple[str, ...], device: torch.device) -> FamilyNet:
    use_threads(1)
    torch.manual_seed(config.seed)
    lead_set = config.lead_set
    arch = architecture(config.architecture, len(LEADS_OF_SET[lead_set]))
    # made on the CPU, so that a seed's first weights are the same on every device
    net = FamilyNet(FamilyConfig(arch.config, len(labels), arch.history_hidden))
    on_device(net, device)
    return net


def _labels(data: Path) -> tuple[str, ...]:
    """Return the labels of phase 1; a control can be trained where only phase 2 is prepared."""
    folder = data / "pretraining"
    return tuple(Shard(folder).marks) if folder.exists() else LABEL_NAMES


def _checkpoints(
    config: TrainingConfig, data: Path, work: Path, name: str, own: dict[str, Any] | None = None
) -> Checkpoints:
    origin = json.loads((data / "origin.json").read_text(encoding="utf-8"))
    settings = config.deciding(n_processes())
    return Checkpoints(work / name, {"config": settings, "data": origin, **(own or {})})


def _load_phase(net: FamilyNet, work: Path, name: str) -> None:
    path = work / name / "best.safetensors"
    if not path.exists():
        raise WeightsMissing(
            f"the phase '{name}' has not run in this folder",
            where=work.name,
            todo=f"Run 'python -m ecgdash train {name}' first",
        )
    load_weights(net, path)


def _timed(work: Path, name: str, run: Any) -> FitState:
    started = time.perf_counter()
    state: FitState = run()
    if not is_first():
        return state
    path = work / f"{name}.time.json"
    # a run that goes on, or finds the phase done, adds to the time spent before
    before = json.loads(path.read_text(encoding="utf-8"))["seconds"] if path.exists() else 0.0
    write_json(path, {"seconds": before + time.perf_counter() - started})
    return state


def _features(
    net: FamilyNet,
    shard: Shard,
    rows: NDArray[np.int64],
    work: Path,
    keep: MapFile | None,
    on_progress: Progress | None,
) -> NDArray[np.float32]:
    """Return phase 2's pooled features, kept on disk for a run that goes on."""
    phase2 = sha256_of_file(work / "finetune" / "best.safetensors")
    path = work / f"features-{phase2[:12]}-{len(rows)}.npy"
    if path.exists() and (keep is None or keep.path.exists()):
        known: NDArray[np.float32] = np.load(path)
        return known
    features = pooled_features(net, shard, rows, keep, on_progress)
    np.save(path, features)
    return features


def _maps(
    features: NDArray[np.float32],
    rows: NDArray[np.int64],
    keep: MapFile | None,
    config: TrainingConfig,
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Return what phase 3 starts from, and the shard's rows it holds."""
    if keep is None:
        return features, rows
    width = architecture(config.architecture).config.widths[2]
    n_samples = keep.path.stat().st_size // (2 * 3 * width * len(keep.rows))
    return keep.open(width, n_samples, new=False), keep.rows


def _training_log(
    data: Path, work: Path, recalibrate_s: float, device: torch.device
) -> dict[str, Any]:
    phases: dict[str, dict[str, Any]] = {}
    for name in ("pretrain", "finetune", *HISTORY_VARIANTS):
        state = json.loads((work / name / "state.json").read_text(encoding="utf-8"))
        phases[name] = {
            "settings": state["settings"]["config"],
            "best_epoch": state["best_epoch"],
            "epochs": state["log"],
        }
    for name in ("pretrain", "finetune"):
        timing = json.loads((work / f"{name}.time.json").read_text(encoding="utf-8"))
        phases[name]["seconds"] = timing["seconds"]
    return {
        "data": json.loads((data / "origin.json").read_text(encoding="utf-8")),
        "phases": phases,
        "recalibrate_seconds": recalibrate_s,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": device.type,
        "processes": n_processes(),
    }
