"""A family's own figures: written by an evaluation, installed for the right weights, read back."""

import hashlib
import json
import math

import numpy as np
import pytest

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.errors import InputFileError, WeightsHashMismatch, WeightsMissing
from ecgdash.inference.manifest import (
    InstalledFamily,
    read_manifest,
    verify_beside,
    write_manifest,
)
from ecgdash.services.evaluation import evaluate_tables
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, PairTable
from ecgdash.services.evaluation_report import write_report
from ecgdash.services.family_figures import add_evaluation, installed_figures, read_figures

N = 400
FAMILY = "family-12"
SHA = hashlib.sha256(b"weights").hexdigest()


def pairs(rng, seed):
    """Return 400 pairs of 200 patients in which history helps; nobody has LBBB."""
    follow_up = np.arange(N) % 2 == 1
    lvef = np.where(rng.random(N) < 0.25, 33.0, 60.0)
    ill = lvef <= 40
    logit = rng.normal(-2, 1, N) + 2 * ill
    logits = {UNCALIBRATED: logit, MASKED: logit + 0.4 * ill, RECALIBRATED: logit + 1.5 * ill}
    scores = {name: 1 / (1 + np.exp(-value)) for name, value in logits.items()}
    for name in (MASKED, RECALIBRATED):
        scores[name][~follow_up] = np.nan
    levels = {UNCALIBRATED: 0.11, MASKED: 0.12, RECALIBRATED: 0.2}
    members = {key: rng.random(N) < 0.5 for key in SUBGROUP_KEYS if key != "all"}
    return PairTable(
        data=f"200 simulated patients, seed {seed}",
        patient=np.repeat(np.arange(N // 2), 2),
        follow_up=follow_up,
        lvef_percent=lvef,
        scores=scores,
        thresholds={name: np.full(N, level) for name, level in levels.items()},
        n_patients=210,
        origins={name: "made up" for name in levels},
        subgroups={**members, "LBBB": np.zeros(N, dtype=bool)},
        seeds=(seed,),
        family=FAMILY,
        simulated=True,
    )


@pytest.fixture
def result(rng):
    """Return a pooled evaluation of two seeds, as `evaluate_simulated` hands it over."""
    return {**evaluate_tables([pairs(rng, 5), pairs(rng, 6)]), "weights_sha256": SHA}


@pytest.fixture
def models_dir(tmp_path):
    """Return a folder with one installed family and no evaluation."""
    folder = tmp_path / "models"
    (folder / FAMILY).mkdir(parents=True)
    row = InstalledFamily(FAMILY, folder / FAMILY, "weights", SHA, "card.json", "0" * 64)
    write_manifest([row], folder)
    return folder


@pytest.fixture
def written(result, tmp_path):
    """Return the `evaluation.json` of a report."""
    files = {path.name: path for path in write_report(result, tmp_path / "out")}
    assert set(files) == {"evaluation.md", "subgroups.csv", "evaluation.json"}
    return files["evaluation.json"]


def test_the_report_holds_the_figures_that_the_evaluation_found(result, written):
    found = read_figures(written)
    assert (found.family, found.weights_sha256) == (FAMILY, SHA)
    assert (found.seeds, found.n_patients, found.simulated) == ((5, 6), 420, True)
    assert found.data.startswith("SIMULATED: 200 simulated patients, seed 5;")
    assert found.thresholds == {UNCALIBRATED: 0.11, MASKED: 0.12, RECALIBRATED: 0.2}
    for setting in ("baseline", "follow_up"):
        part = result[setting]
        assert set(found.parts[setting]) == set(SUBGROUP_KEYS)
        for key, row in part["subgroups"].items():
            own = found.subgroup(key, setting)
            assert (own.n, own.n_positive) == (row["n"], row["n_positive"])
            assert set(own.figures) == set(part["auroc"])
            for variant, figures in own.figures.items():
                for name in ("auroc", "sensitivity", "specificity"):
                    ours, theirs = getattr(figures, name), row[variant][name]
                    assert np.array_equal(
                        [ours.value, ours.low, ours.high],
                        [theirs.value, theirs.low, theirs.high],
                        equal_nan=True,
                    )
    assert math.isnan(found.subgroup("LBBB", "baseline").figures[UNCALIBRATED].auroc.value)
    assert found.subgroup("PVC", "baseline") is None


def test_pairs_of_added_patients_are_told_apart(result, written):
    content = json.loads(written.read_text())
    content["baseline"]["subgroups"]["AFIB"]["n_enriched"] = 31
    written.write_text(json.dumps(content))
    assert read_figures(written).subgroup("AFIB", "baseline").n_added == 31


def test_without_weights_there_is_no_such_file(result, tmp_path):
    """A table of scores is of no known weights."""
    plain = {key: value for key, value in result.items() if key != "weights_sha256"}
    names = [path.name for path in write_report(plain, tmp_path / "plain")]
    assert names == ["evaluation.md", "subgroups.csv"]


def test_installed_beside_its_weights_and_read_back(written, models_dir):
    assert installed_figures(models_dir) == {}
    add_evaluation(written, models_dir)
    row = read_manifest(models_dir)[FAMILY]
    assert row.beside["evaluation"].name == "evaluation.json"
    verify_beside(row, "evaluation")
    assert installed_figures(models_dir)[FAMILY].seeds == (5, 6)
    # Once more from where it lies, as after an edit of the manifest.
    add_evaluation(models_dir / FAMILY / "evaluation.json", models_dir)
    assert list(installed_figures(models_dir)) == [FAMILY]


def test_figures_of_other_weights_are_refused(written, models_dir):
    content = {**json.loads(written.read_text()), "weights_sha256": "f" * 64}
    written.write_text(json.dumps(content))
    with pytest.raises(WeightsHashMismatch) as refused:
        add_evaluation(written, models_dir)
    assert refused.value.sentence == (
        f"evaluation.json: the figures are of weights ffffffffffff of {FAMILY}. Installed are "
        f"{SHA[:12]}. Evaluate the installed weights with 'python -m ecgdash evaluate'."
    )
    assert installed_figures(models_dir) == {}
    assert not (models_dir / FAMILY / "evaluation.json").exists()


def test_new_weights_make_the_figures_not_evaluated(written, models_dir):
    """A retrained family keeps the old file until it is evaluated anew."""
    add_evaluation(written, models_dir)
    row = read_manifest(models_dir)[FAMILY]
    changed = {**vars(row), "weights_sha256": "e" * 64}
    write_manifest([InstalledFamily(**changed)], models_dir)
    assert installed_figures(models_dir) == {}


def test_a_changed_or_missing_file_counts_as_not_evaluated(written, models_dir):
    add_evaluation(written, models_dir)
    kept = models_dir / FAMILY / "evaluation.json"
    kept.write_text(kept.read_text().replace("0.", "0.9", 1))
    assert installed_figures(models_dir) == {}
    with pytest.raises(WeightsHashMismatch, match=r"evaluation\.json has sha256"):
        verify_beside(read_manifest(models_dir)[FAMILY], "evaluation")
    kept.unlink()
    assert installed_figures(models_dir) == {}
    with pytest.raises(WeightsMissing, match=r"evaluation\.json is missing"):
        verify_beside(read_manifest(models_dir)[FAMILY], "evaluation")


def test_a_family_that_is_not_installed_is_refused(written, tmp_path):
    with pytest.raises(WeightsMissing, match="'family-12' is not installed"):
        add_evaluation(written, tmp_path / "nothing")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "the evaluation cannot be read"),
        ("[]", "the evaluation cannot be read"),
        ('{"format": "x@2"}', "format 'x@2' is not known"),
        ('{"format": "ecgdash-evaluation@1"}', "the evaluation cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(tmp_path, models_dir, text, sentence):
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(InputFileError, match=sentence):
        add_evaluation(path, models_dir)
    with pytest.raises(InputFileError, match="the evaluation cannot be read"):
        read_figures(tmp_path / "absent.json")


def test_old_manifests_stay_valid(tmp_path):
    (tmp_path / "manifest.toml").write_text(
        '[families."a"]\nfolder = "a"\nweights = "w"\nweights_sha256 = "1"\ncard = "c"\n'
        'card_sha256 = "2"\n'
    )
    row = read_manifest(tmp_path)["a"]
    assert row.beside == {}
    verify_beside(row, "evaluation")
    write_manifest([row], tmp_path)
    assert "evaluation" not in (tmp_path / "manifest.toml").read_text()
    assert read_manifest(tmp_path)["a"] == row


def test_the_shipped_figures_are_of_the_shipped_weights():
    from ecgdash.inference.manifest import default_models_dir

    rows = {name: row for name, row in read_manifest().items() if "evaluation" in row.beside}
    found = installed_figures(default_models_dir())
    assert set(found) == set(rows)
    for name, figures in found.items():
        assert figures.simulated
        assert figures.weights_sha256 == rows[name].weights_sha256
        assert figures.subgroup("LBBB", "follow_up").n > 0
