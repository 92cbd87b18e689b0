"""From simulated patients to an installed family, in small."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgdash.domain import form_pairs
from ecgdash.errors import WeightsMissing
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import read_manifest, sha256_of_file
from ecgdash.labels.cart import LABEL_NAMES
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.training.config import FitSettings, SimulatedData, TrainingConfig
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
    assert any("not stated in the paper" in note.lower() for note in card.notes)


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
