"""train and models: the phases as separate commands, and what they install."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ecgdash.cli import app
from ecgdash.errors import CorruptFile, InvalidValue, WeightsHashMismatch, WeightsMissing

RUN = CliRunner()
SIZES = ["--simulated-patients", "300", "--follow-up-patients", "150", "--pretraining-ecgs", "100"]


def run(*args: str) -> str:
    result = RUN.invoke(app, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(folder))
    return folder


def test_the_phases_one_by_one_install_a_family(models_dir: Path, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "t")]
    assert run("models", "list").strip() == "no model installed"
    run("train", "prepare", *out, *SIZES, "--seed", "41")
    assert "epoch 1" in run("train", "pretrain", *out, "--epochs", "1")
    assert "phase 2" in run("train", "finetune", *out, "--epochs", "1")
    assert "installed deepecg-lvsd-12" in run("train", "recalibrate", *out, "--epochs", "1")

    assert "SIMULATED" in run("models", "list")
    [card] = json.loads(run("models", "list", "--json"))
    assert card == json.loads(run("models", "show", "deepecg-lvsd-12", "--json"))
    assert card["weights_sha256"] in run("models", "show", "deepecg-lvsd-12")
    assert "those of the manifest" in run("models", "verify")

    weights = models_dir / "deepecg-lvsd-12" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(WeightsHashMismatch):
        run("models", "verify", "deepecg-lvsd-12")


def test_nothing_prepared_is_one_sentence(models_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="train prepare"):
        run("train", "pretrain", "--out", str(tmp_path))


def test_nothing_installed_cannot_be_verified_or_shown(models_dir: Path) -> None:
    with pytest.raises(WeightsMissing):
        run("models", "verify")
    with pytest.raises(WeightsMissing, match="deepecg-lvsd-12"):
        run("models", "show", "deepecg-lvsd-12")


def test_the_grid_refuses_what_it_does_not_know(models_dir: Path, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path))
    with pytest.raises(InvalidValue, match="'12,3' names a lead set"):
        run("train", "grid", *out, "--lead-sets", "12,3")
    with pytest.raises(InvalidValue, match="'4001;4002' is no list of seeds"):
        run("train", "grid", *out, "--seeds", "4001;4002")
    assert not list(tmp_path.iterdir())  # refused before anything is prepared
