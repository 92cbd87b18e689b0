"""The models command: a family's own figures are installed for the right weights only."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))
from inference_family import FAMILY, install, random_family_net

from ecgdash.inference.manifest import read_manifest


def models(folder, *words):
    command = [sys.executable, "-m", "ecgdash", "models", *map(str, words)]
    environment = {**os.environ, "ECGDASH_MODELS_DIR": str(folder)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory):
    return install(random_family_net(), tmp_path_factory.mktemp("models"))


@pytest.fixture
def evaluation(models_dir, tmp_path):
    """Write an evaluation of the installed weights."""
    one = {"value": 0.8, "low": 0.7, "high": 0.9}
    figures = {"auroc": one, "sensitivity": one, "specificity": one}
    group = {"n": 50, "n_positive": 10, "uncalibrated": figures}
    part = {"n": 50, "n_positive": 10, "subgroups": {"all": group}}
    content = {
        "format": "ecgdash-evaluation@1",
        "family": FAMILY,
        "weights_sha256": read_manifest(models_dir)[FAMILY].weights_sha256,
        "simulated": True,
        "data": "SIMULATED: made up",
        "seeds": [1],
        "n_patients": 60,
        "interval_method": "95 %",
        "thresholds": {"uncalibrated": 0.1},
        "baseline": part,
        "follow_up": part,
    }
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(content))
    return path


def test_add_evaluation_installs_and_verify_checks_it(models_dir, evaluation):
    done = models(models_dir, "add-evaluation", evaluation)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{FAMILY}: its pages now show the figures of evaluation.json\n"
    checked = models(models_dir, "verify")
    assert "weights, card and evaluation are those of the manifest" in checked.stdout
    kept = read_manifest(models_dir)[FAMILY].folder / "evaluation.json"
    kept.write_text(kept.read_text() + " ")
    broken = models(models_dir, "verify")
    assert broken.returncode == 2
    assert "evaluation.json has sha256" in broken.stderr


def test_figures_of_other_weights_exit_2_with_one_sentence(models_dir, evaluation):
    content = {**json.loads(evaluation.read_text()), "weights_sha256": "f" * 64}
    evaluation.write_text(json.dumps(content))
    done = models(models_dir, "add-evaluation", evaluation)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the figures are of weights ffffffffffff" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_told_without_its_folder(models_dir, tmp_path):
    done = models(models_dir, "add-evaluation", tmp_path / "absent.json")
    assert done.returncode == 2
    assert "absent.json: the evaluation cannot be read (No such file" in done.stderr
    assert str(tmp_path) not in done.stderr


def test_use_keeps_the_choice_in_the_store(models_dir, tmp_path, monkeypatch):
    from ecgdash.store import open_store

    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("ECGDASH_DATABASE_URL", url)
    done = models(models_dir, "use", FAMILY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{FAMILY} is shown for ")
    store = open_store(url)
    assert list(store.active_families().values()) == [FAMILY]
    store.close()
    done = models(models_dir, "use", "nothing")
    assert done.returncode == 2
    assert done.stderr == (
        f"no family 'nothing' that scores stored ECGs is installed. Installed: {FAMILY}. "
        "Look it up with 'python -m ecgdash models list'.\n"
    )
