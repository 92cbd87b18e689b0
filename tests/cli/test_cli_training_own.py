"""Train on own data as a researcher would: files, import, prepare --store, the phases, score."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ecgdash.cli import app
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.inference.engine import Engine
from ecgdash.labels.cart import LABEL_NAMES, labels_batch
from ecgdash.services.training_plan import plan_training
from ecgdash.signal.measure import measure
from ecgdash.store import open_store
from ecgdash.training.shards import Shard

RUN = CliRunner()
PHASE = ["--epochs", "1", "--batch-size", "16"]


def run(*args: str) -> str:
    result = RUN.invoke(app, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Simulated patients as a hospital's files, a fifth of them never seen by echo; imported."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGDASH_MODELS_DIR", str(folder / "models"))
        patch.setenv("ECGDASH_DATABASE_URL", f"sqlite:///{folder / 'store.db'}")
        files = folder / "files"
        # the smallest cohort found that has LVSD in baseline and later pairs of all three sides
        run("simulate", "--patients", "80", "--seed", "74", "--out", str(files))
        with (files / "echo.csv").open(newline="") as source:
            head, *rows = csv.reader(source)
        with (folder / "echo.csv").open("w", newline="") as target:
            csv.writer(target).writerows([head, *(r for r in rows if int(r[0][-1]) % 5)])
        run(
            "import", str(files / "ecgs"), "--echo", str(folder / "echo.csv"),
            "--diagnoses", str(files / "diagnoses.csv"), "--jobs", "1",
        )  # fmt: skip
        yield folder


@pytest.fixture(scope="module")
def prepared(site):
    said = run("train", "prepare", "--store", "--out", str(site / "t"))
    return site / "t/data", said


def test_every_ecg_is_accounted_for(prepared):
    data, said = prepared
    origin = json.loads((data / "origin.json").read_text())
    assert sum(origin["ecgs"].values()) == 372
    for name in ("pretraining", "pairs", "between_pairs"):
        assert f"{origin['ecgs'][name]} " in said
    assert len(Shard(data / "pretraining")) == origin["ecgs"]["pretraining"]
    assert "baseline pairs with LVSD: " in said


def test_labels_of_phase_1_are_those_that_the_waveform_shows(site, prepared):
    """The simulator's cart prints what it measures: measured again, the ECG says the same."""
    store = open_store(f"sqlite:///{site / 'store.db'}")
    shard = Shard(prepared[0] / "pretraining")
    plan = plan_training(store)
    found = np.stack([shard.marks[name] for name in LABEL_NAMES], axis=1)
    records = store.records(plan.pretraining.keys)
    again = np.concatenate([labels_batch(measure(one), [one.sex]) for one in records])
    store.close()
    agreement = (found == again).mean(axis=0)
    # whole microvolts in the files, and PR and QTc by the flags' rules, move a few on their limits
    assert agreement.min() >= 0.9
    assert (found == again).mean() >= 0.995
    assert found.any(axis=0).sum() > 20


def test_own_data_train_a_family_that_scores(site, prepared):
    out = ["--out", str(site / "t")]
    assert "epoch 1" in run("train", "pretrain", *out, *PHASE)
    assert "phase 2" in run("train", "finetune", *out, *PHASE)
    assert "installed deepecg-lvsd-12" in run("train", "recalibrate", *out, *PHASE)
    [card] = json.loads(run("models", "list", "--json"))
    assert not card["trained_on_simulated"]
    assert card["trained_on"].startswith("own data: ")
    youden = run("models", "show", "deepecg-lvsd-12")
    assert "baseline pairs of validation patients" in youden
    assert "patients of its own" not in youden

    report = run("score", "--all")
    assert "80 patients: " in report
    course = json.loads(run("timeline", "SIM-A-000001", "--json"))
    scores = course["points"][-1]["scores"]
    assert 0 < scores["uncalibrated"]["value"] < 1

    engine = Engine.load("deepecg-lvsd-12", "cpu", site / "models")
    store = open_store(f"sqlite:///{site / 'store.db'}")
    keys = plan_training(store).follow_up.keys[:20]
    crops = np.stack([engine.crops(record) for record in store.records(keys)])
    store.close()
    shard = Shard(prepared[0] / "follow_up")
    np.testing.assert_allclose(shard.fixed_crops(np.arange(20)), crops, atol=1e-5)


def test_store_and_simulated_sizes_are_not_mixed(site: Path) -> None:
    with pytest.raises(InvalidValue, match="sizes and seed of simulated ones"):
        run("train", "prepare", "--store", "--seed", "3", "--out", str(site / "mixed"))
    assert not (site / "mixed").exists()


def test_an_empty_store_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECGDASH_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(NotFound, match="python -m ecgdash import"):
        run("train", "prepare", "--store", "--out", str(tmp_path / "t"))
