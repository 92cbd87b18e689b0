"""From simulated patients to an installed family, in small."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ecgdash.domain import form_pairs
from ecgdash.errors import WeightsMissing
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import read_manifest, sha256_of_file
from ecgdash.labels.cart import LABEL_NAMES
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.training.config import (
    FINETUNINGS,
    FROM_PRETRAINING,
    FitSettings,
    SimulatedData,
    TrainingConfig,
)
from ecgdash.training.grid import train_grid
from ecgdash.training.phases import _fewer
from ecgdash.training.run import run_finetune, run_pretrain, train_family
from ecgdash.training.shards import Shard, read_courses
from ecgdash.training.simulated import prepare_simulated

DATA = SimulatedData(pretraining_ecgs=96, baseline_patients=300, follow_up_patients=150, seed=41)
ONE = FitSettings(epochs=1, learning_rate=1e-3, batch_size=16)
CONFIG = TrainingConfig(
    family="tiny-12", loader_processes=0, pretrain=ONE, finetune=ONE, recalibrate=ONE
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("training")
    prepare_simulated(DATA, root / "data")
    train_family(CONFIG, root / "data", root / "work", root / "models")
    return root


def test_the_family_loads_and_scores(folder: Path) -> None:
    engine = Engine.load("tiny-12", "cpu", folder / "models")
    assert engine.labels == LABEL_NAMES
    assert len(engine.labels) >= 20
    cohort = simulate_patients(6, 999)
    records = list(cohort.records(cohort.patient_index == 0))
    predictions = engine.score_cohort(records, [])
    assert len(predictions) == len(records)
    assert (folder / "models/tiny-12/weights.safetensors").stat().st_size < 5e6


def test_the_card_says_where_it_comes_from(folder: Path) -> None:
    card = Engine.load("tiny-12", "cpu", folder / "models").card
    assert card.trained_on_simulated
    assert "SIMULATED" in card.trained_on
    assert (
        "baseline pairs of simulated validation patients"
        in card.variant("uncalibrated").youden.data
    )
    assert "follow-up pairs" in card.variant("masked").youden.data
    assert any("not stated in the paper" in note.lower() for note in card.chosen)


def test_the_log_holds_settings_seeds_and_figures(folder: Path) -> None:
    log = json.loads((folder / "models/tiny-12/training_log.json").read_text())
    assert log["data"]["seed"] == DATA.seed
    for phase in ("pretrain", "finetune", "masked", "recalibrated"):
        assert log["phases"][phase]["settings"]["seed"] == CONFIG.seed
        assert len(log["phases"][phase]["epochs"]) == 1
        assert log["phases"][phase]["epochs"][0]["loss"] > 0
    assert set(log["validation"]) == {"uncalibrated", "masked", "recalibrated"}


def test_the_same_seed_gives_the_same_weights(folder: Path, tmp_path: Path) -> None:
    train_family(CONFIG, folder / "data", tmp_path / "work", tmp_path / "models")
    first, second = (
        sha256_of_file(root / "models/tiny-12/weights.safetensors") for root in (folder, tmp_path)
    )
    assert first == second


def test_a_second_family_joins_the_manifest(folder: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, family="other-12")
    models = tmp_path / "models"
    for name in (CONFIG, config):
        train_family(name, folder / "data", tmp_path / name.family, models)
    assert list(read_manifest(models)) == ["tiny-12", "other-12"]


def test_a_phase_found_done_keeps_the_time_it_took(folder: Path, tmp_path: Path) -> None:
    run_pretrain(CONFIG, folder / "data", tmp_path)
    took = json.loads((tmp_path / "pretrain.time.json").read_text())["seconds"]
    run_pretrain(CONFIG, folder / "data", tmp_path)
    assert json.loads((tmp_path / "pretrain.time.json").read_text())["seconds"] > took


def test_phase_2_without_phase_1_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="train pretrain"):
        run_finetune(CONFIG, folder / "data", tmp_path)


def test_prepared_labels_and_courses_are_the_cohorts(folder: Path) -> None:
    baseline = Shard(folder / "data/baseline")
    cohort = simulate_patients(DATA.baseline_patients, DATA.seed)
    first = [
        pairs[0]
        for p in range(cohort.n_patients)
        if (pairs := form_pairs(cohort.ecg_refs(p), cohort.echo_studies(p)))
    ]
    np.testing.assert_array_equal(baseline.marks["lvsd"], [pair.echo.lvsd for pair in first])
    signal = next(cohort.iter_ecgs(1, 250.0, [int(first[7].ecg.key[1:])])).signal_mv[0]
    np.testing.assert_allclose(baseline.signals_mv(np.array([7]))[0], signal, atol=1e-5)

    follow_up = Shard(folder / "data/follow_up")
    courses = list(read_courses(folder / "data/follow_up/courses.jsonl"))
    assert sum(len(course.refs) for course in courses) == len(follow_up)
    for course in courses:
        for ref in course.refs:
            assert follow_up.patient_ids[int(ref.key)] == course.patient_id
            assert ref.analysable == follow_up.marks["analysable"][int(ref.key)]


def test_no_patient_trains_both_phase_2_and_phase_3(folder: Path) -> None:
    baseline = set(Shard(folder / "data/baseline").patient_ids)
    assert not baseline & set(Shard(folder / "data/follow_up").patient_ids)


@pytest.fixture(scope="module")
def grid(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the grid of one lead in small: every cell for one epoch."""
    root = tmp_path_factory.mktemp("grid")
    ways = tuple(
        replace(way, epochs=1, n_pairs=None if way.n_pairs is None else 60) for way in FINETUNINGS
    )
    places = (folder / "data", root / "work", root / "models")
    train_grid(CONFIG, *places, ["1"], ways=(FROM_PRETRAINING, *ways[1:]))
    stamps = {path: path.stat().st_mtime_ns for path in root.rglob("best.safetensors")}
    train_grid(CONFIG, *places, ["1"], ways=(FROM_PRETRAINING, *ways[1:]))
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}  # nothing was done twice
    return root


def test_the_grid_trains_every_cell_of_a_lead_set(grid: Path) -> None:
    cells = {path.parent.name for path in (grid / "work/1").glob("*/best.safetensors")}
    assert cells == {
        "pretrain", "finetune", "control", "finetune_2000", "control_2000",
        "masked", "recalibrated", "masked_pairs",
    }  # fmt: skip
    engine = Engine.load("deepecg-lvsd-1", "cpu", grid / "models")
    assert engine.card.lead_set == "1"
    assert engine.card.title == "DeepECG LVSD, 1 lead"
    cohort = simulate_patients(6, 999)
    records = list(cohort.records(cohort.patient_index == 0))
    assert len(engine.score_cohort(records, [])) == len(records)


def test_the_control_starts_at_random_and_trains_all_of_it(grid: Path) -> None:
    start = load_file(grid / "work/1/pretrain/best.safetensors")
    tuned = load_file(grid / "work/1/finetune/best.safetensors")
    control = load_file(grid / "work/1/control/best.safetensors")
    frozen = [name for name in start if name.startswith(("stem.", "block1.", "block2."))]
    assert all(torch.equal(start[name], tuned[name]) for name in frozen)
    weights = [name for name in frozen if name.endswith("weight")]
    assert all(not torch.equal(start[name], control[name]) for name in weights)


def test_the_papers_masked_rule_is_trained_beside_the_family(grid: Path) -> None:
    beside = load_file(grid / "work/1/masked_pairs/best.safetensors")
    family = load_file(grid / "models/deepecg-lvsd-1/weights.safetensors")
    shared = [name for name in family if name.startswith(("stem.", "block3."))]
    assert all(torch.equal(beside[name], family[name]) for name in shared)
    name = "branches.masked.perceptron.out.weight"
    assert not torch.equal(beside[name], family[name])


def test_a_lead_set_sees_its_leads_alone(folder: Path) -> None:
    rows = np.array([3, 1])
    twelve = Shard(folder / "data/baseline").fixed_crops(rows)
    for lead_set, leads in (("6", slice(0, 6)), ("1", slice(0, 1))):
        fewer = Shard(folder / "data/baseline", lead_set).fixed_crops(rows)
        np.testing.assert_array_equal(fewer, twelve[:, :, leads])


def test_few_pairs_are_the_same_ones_in_any_order(folder: Path) -> None:
    shard = Shard(folder / "data/baseline")
    rows = np.arange(len(shard))
    few = _fewer(shard, rows, 20)
    np.testing.assert_array_equal(few, _fewer(shard, rows[::-1], 20))
    assert set(few) < set(_fewer(shard, rows, 40))
