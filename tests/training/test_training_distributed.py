"""Micro-batches: in one process against plain sums, in two of torchrun's against one."""

import copy
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ecgdash.errors import InvalidValue
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.training.checkpoint import Checkpoints
from ecgdash.training.config import (
    FitSettings,
    SimulatedData,
    TrainingConfig,
    family_name,
)
from ecgdash.training.grid import LEAD_SETS, config_of
from ecgdash.training.loop import Batch, FitTask, fit
from ecgdash.training.run import run_finetune, run_pretrain, run_recalibrate
from ecgdash.training.shards import Shard
from ecgdash.training.simulated import prepare_simulated

ROOT = Path(__file__).resolve().parents[2]
DATA = SimulatedData(pretraining_ecgs=96, baseline_patients=200, follow_up_patients=120, seed=41)
BATCH, EPOCHS = 16, 2

STATISTICS_RTOL = 1e-5
"""Running statistics in float32: one process weighs two micro-batches in turn, two processes
average afterwards. Equal but for the rounding of a few steps (2^-24 each); measured 1.5e-6."""

LOSS_ATOL = 1e-6
"""What such a difference of the statistics does to a validation loss; measured 7e-9."""

torch.set_num_threads(1)


def small_net() -> FamilyNet:
    """Build a net without dropout, so that a sum over its parts can be written down."""
    torch.manual_seed(5)
    config = replace(
        ARCHITECTURES["demo"].config,
        stem_width=8,
        widths=(8, 16, 16, 16),
        inner_widths=(8, 16, 16, 16),
        dropout=0.0,
    )
    return FamilyNet(FamilyConfig(config, 2, history_hidden=8))


def task_of(net: FamilyNet, batch: Batch, n_batches: int = 1) -> FitTask:
    def loss(part: Batch) -> Tensor:
        return binary_cross_entropy_with_logits(net.label_logits(part[0]), part[1])

    parts = {"stem": 1.0, "block1": 1.0, "block2": 1.0, "pretraining": 1.0}
    return FitTask("few", parts, n_batches, lambda _: [batch], loss, lambda: {"loss": 1.0})


def a_batch(n: int) -> Batch:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 12, 2250, generator=generator)
    return x, (torch.rand(n, 2, generator=generator) < 0.5).float()


def test_a_step_in_three_micro_batches_is_their_mean(tmp_path: Path) -> None:
    net, (x, y) = small_net(), a_batch(12)
    by_hand = copy.deepcopy(net)
    settings = FitSettings(epochs=1, learning_rate=1e-3, batch_size=12, accumulate=3)
    fit(net, task_of(net, (x, y)), settings, 1, Checkpoints(tmp_path, {}))

    by_hand.eval()  # statistics of the first BatchNorm by hand; those of batches come below
    convolution, norm = by_hand.stem[0]
    with torch.no_grad():
        maps = [convolution(x[i : i + 4]) for i in (0, 4, 8)]  # (4, 8, time) each
    mean = torch.stack([m.mean((0, 2)) for m in maps]).mean(0)
    variance = torch.stack([m.var((0, 2), unbiased=True) for m in maps]).mean(0)
    first = net.stem[0][1]
    torch.testing.assert_close(first.running_mean, 0.9 * norm.running_mean + 0.1 * mean)
    torch.testing.assert_close(first.running_var, 0.9 * norm.running_var + 0.1 * variance)
    assert first.momentum == norm.momentum == 0.1

    by_hand.train()
    trained = [
        p for n, p in by_hand.named_parameters() if not n.startswith(("branches.", "block3."))
    ]
    losses = [
        binary_cross_entropy_with_logits(by_hand.label_logits(x[i : i + 4]), y[i : i + 4])
        for i in (0, 4, 8)
    ]
    gradients = torch.autograd.grad(sum(losses, torch.tensor(0.0)) / 3, trained)
    optimiser = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.02)
    for parameter, gradient in zip(trained, gradients, strict=True):
        parameter.grad = gradient
    optimiser.step()
    ours = dict(net.named_parameters())
    moved = [n for n, p in by_hand.named_parameters() if p.grad is not None]
    # The first step of Adam is lr g / (|g| + eps): a gradient near zero may turn by rounding.
    clear = {
        n: dict(by_hand.named_parameters())[n].grad.abs() > 1e-5  # type: ignore[union-attr]
        for n in moved
    }
    assert sum(int(c.sum()) for c in clear.values()) > 1_000
    for name, parameter in by_hand.named_parameters():
        if name in clear:
            torch.testing.assert_close(
                ours[name][clear[name]], parameter[clear[name]], rtol=1e-5, atol=1e-7, msg=name
            )


def test_batches_that_cannot_be_cut_are_refused(tmp_path: Path) -> None:
    net, settings = small_net(), FitSettings(1, 1e-3, batch_size=16, accumulate=3)
    with pytest.raises(
        InvalidValue, match="a batch of 16 ECGs cannot be cut into 3 equal micro-batches"
    ):
        fit(net, task_of(net, a_batch(16)), settings, 1, Checkpoints(tmp_path, {}))
    with pytest.raises(InvalidValue, match="fewer training ECGs for 'few' than one batch of 16"):
        fit(
            net,
            task_of(net, a_batch(16), n_batches=0),
            replace(settings, accumulate=1),
            1,
            Checkpoints(tmp_path, {}),
        )


def test_a_share_holds_the_crops_it_has_among_all(data: Path) -> None:
    shard, rows = Shard(data / "data/pretraining"), np.arange(8)
    whole = shard.random_crops(rows, np.random.default_rng(1))
    for share in (slice(0, 4), slice(4, 8)):
        part = shard.random_crops(rows, np.random.default_rng(1), share)
        np.testing.assert_array_equal(part, whole[share])


def test_checkpoints_of_the_shipped_training_would_go_on() -> None:
    """The settings that a log of the plain steps' time holds are those of today."""
    log = json.loads((ROOT / "models/deepecg-lvsd-12/training_log.json").read_text())
    known = log["phases"]["pretrain"]["settings"]
    today = TrainingConfig().deciding(1)
    assert today.keys() == known.keys()
    for phase in ("pretrain", "finetune", "recalibrate"):
        assert today[phase].keys() == known[phase].keys()


def test_checkpoints_know_micro_batches_but_not_who_computes_them() -> None:
    one = TrainingConfig()
    cut = replace(one, device="cuda", pretrain=replace(one.pretrain, accumulate=2))
    assert one.deciding(2)["pretrain"] == cut.deciding(1)["pretrain"] != one.deciding(1)["pretrain"]
    assert cut.deciding(2)["pretrain"]["micro_batches"] == 4


def test_every_architecture_and_lead_set_has_a_family_of_its_own() -> None:
    assert family_name("demo", "12") == "deepecg-lvsd-12"
    assert family_name("se-resnext-152", "12") == "deepecg-lvsd-12-152"
    names = {family_name(name, leads) for name in ARCHITECTURES for leads in LEAD_SETS}
    assert len(names) == len(ARCHITECTURES) * len(LEAD_SETS)
    assert config_of(TrainingConfig(architecture="se-resnext-152"), "6").family == (
        "deepecg-lvsd-6-152"
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two")
    prepare_simulated(DATA, root / "data")
    return root


@pytest.fixture(scope="module")
def two(data: Path) -> Path:
    """Run the three phases by the command in two processes, and return the checkpoints."""
    options = ("--epochs", str(EPOCHS), "--batch-size", str(BATCH), "--out", str(data))
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "-m", "ecgdash", "train", "all", *options),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "ECGDASH_MODELS_DIR": str(data / "models-of-two"),
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr
    assert launched.stdout.startswith("installed deepecg-lvsd-12 ")
    assert len(launched.stdout.splitlines()) == 1, "the first process alone reports"
    return data / "work"


@pytest.fixture(scope="module")
def one(data: Path, two: Path) -> Path:
    """Run the same phases in this process, each step in two micro-batches.

    Each phase starts from what the one before left in two processes: a rounding of phase 1's
    statistics would be enlarged by Adam, whose step on a gradient near zero is a sign.
    """
    work = data / "work-of-one"
    base = TrainingConfig()
    changed: dict[str, Any] = {
        phase: replace(getattr(base, phase), epochs=EPOCHS, batch_size=BATCH, accumulate=2)
        for phase in ("pretrain", "finetune", "recalibrate")
    }
    config = replace(base, loader_processes=0, **changed)
    run_pretrain(config, data / "data", work / "1")
    shutil.copytree(two / "pretrain", work / "2" / "pretrain")
    run_finetune(config, data / "data", work / "2")
    for name in ("pretrain", "finetune"):
        shutil.copytree(two / name, work / "3" / name)
        shutil.copy(two / f"{name}.time.json", work / "3")
    run_recalibrate(config, data / "data", work / "3", data / "models-of-one")
    return work


@pytest.mark.parametrize(
    ("place", "phase"),
    [
        ("1", "pretrain"),
        ("2", "finetune"),
        ("3", "masked"),
        ("3", "recalibrated"),
        ("3", "masked_pairs"),
    ],
)
def test_two_processes_train_as_two_micro_batches_do(
    two: Path, one: Path, place: str, phase: str
) -> None:
    """The same loss curve and the same weights; statistics and validation as said above.

    (a / 2 + b / 2) has one result in whatever order two processes or one compute it, so the
    weights were equal to the bit; the tolerance leaves room for another order of the sums.
    """
    logs = [json.loads((w / phase / "state.json").read_text())["log"] for w in (two, one / place)]
    assert len(logs[0]) == len(logs[1]) > 0
    for ours, theirs in zip(*logs, strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-6)
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=LOSS_ATOL)
        assert ours["auroc"] == pytest.approx(theirs["auroc"], abs=0.02, nan_ok=True)
    nets = [load_file(w / phase / "best.safetensors") for w in (two, one / place)]
    for name, tensor in nets[0].items():
        if not name.endswith("num_batches_tracked"):  # a process counts its own micro-batches
            torch.testing.assert_close(
                tensor, nets[1][name], rtol=STATISTICS_RTOL, atol=1e-6, msg=f"{phase} {name}"
            )


def test_two_processes_install_the_family_once(two: Path, one: Path, data: Path) -> None:
    cards = [
        json.loads((data / f"models-of-{n}/deepecg-lvsd-12/card.json").read_text())
        for n in ("two", "one")
    ]
    for ours, theirs in zip(*(card["variants"] for card in cards), strict=True):
        assert ours["variant"] == theirs["variant"]
        assert ours["youden"]["value"] == pytest.approx(theirs["youden"]["value"], abs=1e-4)
