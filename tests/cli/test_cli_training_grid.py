"""train grid and train cell: from nothing to a results file, and a cell of it again."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ecgdash.cli import app
from ecgdash.errors import InvalidValue
from ecgdash.services.grid import read_results
from ecgdash.services.training_data import FROM_STORE
from ecgdash.training import config as settings
from ecgdash.training.config import FINETUNINGS, FROM_PRETRAINING
from ecgdash.training.grid import train_grid

RUN = CliRunner()


@pytest.fixture
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch of everything, on few patients; the commands have no option for these."""
    short = tuple(w if w == FROM_PRETRAINING else replace(w, epochs=1) for w in FINETUNINGS)
    monkeypatch.setattr("ecgdash.training.grid.train_grid", partial(train_grid, ways=short))
    monkeypatch.setattr("ecgdash.services.grid_cell.FINETUNINGS", short)
    few = settings.SimulatedData(96, 200, 100, 41)
    monkeypatch.setattr("ecgdash.training.config.SimulatedData", lambda: few)
    one = settings.FitSettings(epochs=1, learning_rate=1e-3, batch_size=16)
    small = settings.TrainingConfig(pretrain=one, finetune=one, recalibrate=one)
    monkeypatch.setattr(
        "ecgdash.cli.training_grid.config_of", lambda *_: replace(small, loader_processes=0)
    )
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "models"))


@pytest.mark.usefixtures("_small")
def test_one_command_runs_the_grid_and_another_repeats_a_cell(tmp_path: Path) -> None:
    out = tmp_path / "t"
    sizes = ["--patients", "120", "--seeds", "61", "--shifted-seeds", "62", "--workers", "1"]
    call = ["train", "grid", "--out", str(out), "--lead-sets", "1", *sizes]
    result = RUN.invoke(app, call, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "installed deepecg-lvsd-1 " in result.stdout
    file = out / "results" / "results.json"
    assert f"written: {file}" in result.stdout
    before = read_results(file)
    assert (
        before["reproduce"]["command"] == "python -m ecgdash train cell control_2000 --lead-set 1"
    )
    assert set(before["sites"]) == {"A", "B"}

    result = RUN.invoke(app, call, catch_exceptions=False)  # goes on: nothing is left to do
    assert result.exit_code == 0
    assert read_results(file) == before

    again = ["train", "cell", "control_2000", "--results", str(file), "--workers", "1"]
    result = RUN.invoke(app, [*again, "--out", str(tmp_path / "c")], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "difference +0.0000" in result.stdout or "difference -0.0000" in result.stdout


def test_half_prepared_own_data_are_not_overwritten(tmp_path: Path) -> None:
    """A preparation from the store that was stopped: the grid must not simulate over it."""
    origin = tmp_path / "data" / "origin.json"
    origin.parent.mkdir()
    origin.write_text(json.dumps({"kind": FROM_STORE, "simulated": False}), encoding="utf-8")
    before = origin.read_bytes()
    with pytest.raises(InvalidValue, match="ECGs of the store, which would be overwritten"):
        RUN.invoke(app, ["train", "grid", "--out", str(tmp_path)], catch_exceptions=False)
    assert origin.read_bytes() == before
