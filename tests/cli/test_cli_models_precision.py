"""`models precision`: measures, keeps the record with its hash, and `models verify` knows it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from ecgdash.cli import app
from ecgdash.inference.manifest import default_models_dir, find_family, write_manifest

FAMILY = "deepecg-lvsd-1"


@pytest.fixture
def models_dir(tmp_path, monkeypatch):
    shipped = find_family(FAMILY, default_models_dir())
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copytree(shipped.folder, folder / FAMILY)
    (folder / FAMILY / "precision.json").unlink()
    kept = {kind: file for kind, file in shipped.beside.items() if kind != "precision"}
    write_manifest([type(shipped)(**{**vars(shipped), "beside": kept})], folder)
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(folder))
    monkeypatch.setenv("ECGDASH_DEVICE", "cpu")
    return folder


def test_the_outcome_is_kept_beside_the_weights(models_dir):
    done = CliRunner().invoke(
        app, ["models", "precision", FAMILY, "--ecgs", "4", "--seed", "996", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == json.loads((models_dir / FAMILY / "precision.json").read_text())
    assert told["n_ecgs"] >= 4
    assert told["weights_sha256"] == find_family(FAMILY, models_dir).weights_sha256
    assert "precision" in find_family(FAMILY, models_dir).beside
    checked = CliRunner().invoke(app, ["models", "verify"])
    assert "precision are those of the manifest" in checked.stdout
