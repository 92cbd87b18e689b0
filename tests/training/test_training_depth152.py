"""The paper's own depth by the same phases: a few steps on a few ECGs, every block at work."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.training.checkpoint import Checkpoints
from ecgdash.training.config import FitSettings, TrainingConfig
from ecgdash.training.phases import LVSD, finetune, pretrain
from ecgdash.training.shards import Shard, ShardWriter
from ecgdash.training.splits import split_of

LABELS = ("wide", "fast")
STEPS = FitSettings(epochs=1, learning_rate=1e-3, batch_size=2, bf16=True)
CONFIG = TrainingConfig(
    architecture="se-resnext-152", loader_processes=0, pretrain=STEPS, finetune=STEPS
)
N_TRAIN = {"pretrain": 4, "finetune": 2}

torch.set_num_threads(1)


def shard_of(folder: Path, n_train: int, marks: tuple[str, ...]) -> Shard:
    """Store noise of as many training patients, and of one validation patient."""
    names = [f"p{i}" for i in range(200)]
    train = [name for name in names if split_of(name) == "train"][:n_train]
    ids = [*train, next(name for name in names if split_of(name) == "validation")]
    rng = np.random.default_rng(2)
    writer = ShardWriter(folder, ids, marks)
    writer.append(
        rng.normal(0, 0.3, (len(ids), 12, 2500)), rng.random((len(ids), len(marks))) < 0.5
    )
    return Shard(folder)


def moved(net: FamilyNet, before: dict[str, Tensor]) -> set[str]:
    return {name for name, t in net.state_dict().items() if not torch.equal(t, before[name])}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is emptied afterwards: the checkpoints hold gigabytes."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.fixture
def net() -> FamilyNet:
    torch.manual_seed(CONFIG.seed)
    row = architecture(CONFIG.architecture)
    return FamilyNet(FamilyConfig(row.config, len(LABELS), row.history_hidden))


def test_phases_1_and_2_train_their_blocks_and_leave_the_frozen_ones(
    net: FamilyNet, folder: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    shard = shard_of(folder / "1", N_TRAIN["pretrain"], LABELS)
    state = pretrain(net, shard, LABELS, CONFIG, Checkpoints(folder / "pretrain", {}))
    assert math.isfinite(state.log[0]["train_loss"])
    assert math.isfinite(state.best_loss)
    changed = moved(net, before)
    trained = ("stem.", "block1.", "block2.", "pretraining.")
    # every tensor: all 50 bottlenecks of the path learn, their BatchNorms see ECGs
    assert changed == {name for name in before if name.startswith(trained)}
    assert {name.split(".")[1] for name in changed if name.startswith("block2.")} == {
        str(i) for i in range(8)
    }

    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    shard = shard_of(folder / "2", N_TRAIN["finetune"], (LVSD,))
    config = replace(CONFIG, finetune=replace(STEPS, accumulate=2))
    state = finetune(net, shard, config, Checkpoints(folder / "finetune", {}))
    assert math.isfinite(state.log[0]["train_loss"])
    changed = moved(net, before)
    assert changed == {n for n in before if n.startswith(("block3.", "branches.uncalibrated."))}
