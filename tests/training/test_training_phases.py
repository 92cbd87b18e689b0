"""The real loop over the three phases: what is frozen stays, what was killed goes on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgdash.domain import EcgRef, EchoStudy
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.training.checkpoint import Checkpoints
from ecgdash.training.config import FitSettings, TrainingConfig
from ecgdash.training.phases import LVSD, finetune, pretrain
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
from ecgdash.training.shards import Course, Shard, ShardWriter

LABELS = ("wide", "fast")
SMALL = FitSettings(epochs=2, learning_rate=1e-3, batch_size=8)
CONFIG = TrainingConfig(loader_processes=0, pretrain=SMALL, finetune=SMALL, recalibrate=SMALL)
N_PATIENTS = 40

torch.set_num_threads(1)


def small_net() -> FamilyNet:
    torch.manual_seed(5)
    config = replace(
        ARCHITECTURES["demo"].config,
        stem_width=8,
        widths=(8, 16, 16, 16),
        inner_widths=(8, 16, 16, 16),
    )
    return FamilyNet(FamilyConfig(config, len(LABELS), history_hidden=8))


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    """Three ECGs each of forty people; the QRS-like bump is wider in LVSD."""
    folder = tmp_path_factory.mktemp("shard")
    rng = np.random.default_rng(1)
    n = 3 * N_PATIENTS
    wide, fast = rng.random(n) < 0.4, rng.random(n) < 0.5
    time_s = np.arange(2500) / 250
    rate_hz = np.where(fast, 1.8, 1.0)[:, None]
    bump = np.exp(-(((time_s * rate_hz) % 1.0 - 0.5) ** 2) / np.where(wide, 4e-3, 5e-4)[:, None])
    signal = bump[:, None] * rng.normal(1, 0.2, (n, 12, 1)) + rng.normal(0, 0.02, (n, 12, 2500))
    marks = np.stack([wide, fast, wide ^ (rng.random(n) < 0.1)], axis=1)
    ids = [f"p{i // 3}" for i in range(n)]
    writer = ShardWriter(folder, ids, (*LABELS, LVSD))
    writer.append(signal[:50], marks[:50])
    writer.append(signal[50:], marks[50:])
    return Shard(folder)


@pytest.fixture(scope="module")
def courses(shard: Shard) -> list[Course]:
    start = datetime(2020, 1, 1, 9, tzinfo=UTC)
    made = []
    for p in range(N_PATIENTS):
        times = [start + timedelta(days=200 * k) for k in range(3)]
        refs = tuple(EcgRef(str(3 * p + k), t, t.date()) for k, t in enumerate(times))
        echoes = tuple(
            EchoStudy(f"p{p}", t, t.date(), 30.0 if shard.marks[LVSD][3 * p + k] else 60.0)
            for k, t in enumerate(times)
        )
        made.append(Course(f"p{p}", refs, echoes))
    return made


def changed(net: FamilyNet, before: dict[str, torch.Tensor]) -> set[str]:
    return {n for n, t in net.state_dict().items() if not torch.equal(t, before[n])}


def snapshot(net: FamilyNet) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def outside(names: set[str], *parts: str) -> set[str]:
    return {name for name in names if not name.startswith(parts)}


@pytest.mark.parametrize("train_block4", [False, True])
def test_every_frozen_tensor_survives_all_phases(
    shard: Shard, courses: list[Course], tmp_path: Path, train_block4: bool
) -> None:
    net, config = small_net(), replace(CONFIG, train_block4=train_block4)

    before = snapshot(net)
    state = pretrain(net, shard, LABELS, config, Checkpoints(tmp_path / "1", {}))
    assert len(state.log) == 2
    moved = changed(net, before)
    assert not outside(moved, "stem.", "block1.", "block2.", "pretraining.")
    assert {n.split(".")[0] for n in moved} == {"stem", "block1", "block2", "pretraining"}

    before = snapshot(net)
    finetune(net, shard, config, Checkpoints(tmp_path / "2", {}))
    moved = changed(net, before)
    assert not outside(moved, "block3.", "branches.uncalibrated.")
    assert any("running_mean" in n for n in moved), "trained BatchNorm must learn"

    patients = pairs_of_courses(courses)
    rows = np.arange(len(shard))
    keep = MapFile(tmp_path / "block3.f16", follow_up_rows(patients)) if train_block4 else None
    features = pooled_features(net, shard, rows, keep)
    logits = uncalibrated_logits(net, features, rows, len(shard))
    for variant in ("masked", "recalibrated"):
        examples = follow_up_examples(patients, logits, variant)
        assert len(examples.rows) == 2 * N_PATIENTS
        maps, places = features, examples.rows
        if keep is not None:
            maps = keep.open(16, 71, new=False)
            places = np.searchsorted(keep.rows, examples.rows)
        before = snapshot(net)
        task = Recalibration(net, variant, examples, maps, places, config)
        recalibrate(task, Checkpoints(tmp_path / variant, {}))
        moved = changed(net, before)
        own = f"branches.{variant}."
        assert not outside(moved, own)
        assert own + "perceptron.out.weight" in moved
        assert any(n.startswith(own + "block4") and "running" in n for n in moved)  # the copy
        if not train_block4:
            source = net.branch("uncalibrated").block4.state_dict()
            for name, tensor in net.branch(variant).block4.state_dict().items():
                assert torch.equal(tensor, source[name]), name


def test_a_killed_fit_ends_like_one_that_was_not(shard: Shard, tmp_path: Path) -> None:
    whole = small_net()
    pretrain(whole, shard, LABELS, CONFIG, Checkpoints(tmp_path / "whole", {}))

    class Killed(Exception):
        pass

    def kill_in_second_epoch(what: str, done: int, total: int) -> None:
        if done == total - 2:
            raise Killed

    cut = Checkpoints(tmp_path / "cut", {})
    with pytest.raises(Killed):
        pretrain(small_net(), shard, LABELS, CONFIG, cut, kill_in_second_epoch)
    resumed = small_net()
    state = pretrain(resumed, shard, LABELS, CONFIG, Checkpoints(tmp_path / "cut", {}))
    assert [row["epoch"] for row in state.log] == [1, 2]
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, rtol=0, atol=0, msg=name)


def test_checkpoints_of_other_settings_are_not_resumed(shard: Shard, tmp_path: Path) -> None:
    first = pretrain(small_net(), shard, LABELS, CONFIG, Checkpoints(tmp_path, {"rate": 1}))
    again = pretrain(small_net(), shard, LABELS, CONFIG, Checkpoints(tmp_path, {"rate": 2}))
    assert first.log[0]["train_loss"] == again.log[0]["train_loss"]
    assert again.log[0]["epoch"] == 1


def test_it_stops_when_validation_no_longer_improves(shard: Shard, tmp_path: Path) -> None:
    settings = FitSettings(epochs=9, learning_rate=0.0, batch_size=8, patience=1)
    config = replace(CONFIG, pretrain=replace(settings, weight_decay=0.0))
    net = small_net()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 0.0
    state = pretrain(net, shard, LABELS, config, Checkpoints(tmp_path, {}))
    assert (state.best_epoch, state.epoch) == (1, 2)


def test_the_loop_learns_what_can_be_learnt(shard: Shard, tmp_path: Path) -> None:
    settings = FitSettings(epochs=8, learning_rate=5e-3, batch_size=8, patience=8)
    config = replace(CONFIG, pretrain=settings)
    state = pretrain(small_net(), shard, LABELS, config, Checkpoints(tmp_path, {}))
    assert max(row["auroc"] for row in state.log) > 0.9
