"""Lower precisions: the rule counted by hand, the record, and that only a pass switches one on."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.errors import InputFileError, WeightsHashMismatch
from ecgdash.inference.backend_choice import BackendWish
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import default_models_dir, find_family, verify_beside
from ecgdash.inference.precision_record import (
    PrecisionRecord,
    PrecisionResult,
    lower_precisions,
    precision_document,
    read_precision,
)
from ecgdash.services.precision import (
    compare_scores,
    install_precision,
    installed_precision,
    measure_precision,
    result_words,
)

FAMILY = "deepecg-lvsd-1"
PASSED = PrecisionResult("openvino", "bfloat16", "2026.4.1", 50, 0.01, 0.3, 1, 0)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """Return a folder with one shipped family, its files linked, and a manifest of its own."""
    shipped = default_models_dir()
    folder = tmp_path / "models"
    (folder / FAMILY).mkdir(parents=True)
    for name in ("weights.safetensors", "card.json"):
        (folder / FAMILY / name).symlink_to(shipped / FAMILY / name)
    row = find_family(FAMILY, shipped)
    (folder / "manifest.toml").write_text(
        f'[families."{FAMILY}"]\nfolder = "{FAMILY}"\n'
        f'weights = "weights.safetensors"\nweights_sha256 = "{row.weights_sha256}"\n'
        f'card = "card.json"\ncard_sha256 = "{row.card_sha256}"\n'
    )
    return folder


def record(models_dir: Path, *results: PrecisionResult) -> PrecisionRecord:
    sha = find_family(FAMILY, models_dir).weights_sha256
    return PrecisionRecord(FAMILY, sha, "SIMULATED: 7 ECGs", 7, 5, results)


def score(logit: float, threshold: float = 0.5) -> VariantScore:
    return VariantScore(1.0 / (1.0 + math.exp(-logit)), threshold)


def test_the_rule_is_counted_by_hand() -> None:
    """One variant, all thresholds at logit 0, noise floor 0.5; the errors are set here."""
    point = SimpleNamespace(value=0.5)
    variant = SimpleNamespace(
        variant="a",
        youden=point,
        sensitivity_90=point,
        specificity_90=point,
        noise_floor_logit=0.5,
    )
    card = SimpleNamespace(variants=(variant,))
    exact = [0.9, 1.1, -0.2, 0.7, None]
    found = [0.915, 1.6, 0.1, -0.1, None]  # near; far; changed within; changed beyond
    rows = [
        [{"a": NotApplicable("none") if one is None else score(one)} for one in side]
        for side in (exact, found)
    ]
    backend = SimpleNamespace(precision="bfloat16", version="1")
    result = compare_scores(card, rows[0], rows[1], ("openvino", backend))
    assert (result.n_near, result.n_changed, result.n_changed_beyond) == (3, 2, 1)
    assert result.error_near_logit == pytest.approx(0.8)
    assert result.error_logit == pytest.approx(0.8)
    assert not result.passed
    result = compare_scores(card, rows[0][:2], rows[1][:2], ("openvino", backend))
    assert result.error_near_logit == pytest.approx(0.015)
    assert result.error_logit == pytest.approx(0.5)
    assert result.passed


@pytest.mark.parametrize(
    "change",
    [
        {"error_near_logit": 0.0201},
        {"n_changed_beyond": 1},
        {"n_near": 0},
        {"error_near_logit": math.nan},
    ],
)
def test_each_part_of_the_rule_can_fail(change: dict[str, float]) -> None:
    assert PASSED.passed
    assert not replace(PASSED, **change).passed


def test_only_a_pass_for_these_weights_and_this_version_switches_it_on(models_dir: Path) -> None:
    failed = replace(PASSED, error_near_logit=0.04)
    assert lower_precisions(find_family(FAMILY, models_dir), "auto") == ()
    install_precision(record(models_dir, failed), models_dir)
    assert lower_precisions(find_family(FAMILY, models_dir), "auto") == ()
    row = install_precision(record(models_dir, PASSED, failed), models_dir)
    verify_beside(row, "precision")
    assert lower_precisions(row, "auto") == (PASSED,)
    assert lower_precisions(row, "float32") == ()
    wish = BackendWish("auto", 1, lower_precisions(row, "auto"))
    assert wish.precision("openvino", "2026.4.1") == "bfloat16"
    assert wish.precision("openvino", "2026.5.0") == "float32"
    assert wish.precision("torch", "2026.4.1") == "float32"
    (models_dir / FAMILY / "precision.json").write_text("{}")
    assert lower_precisions(row, "auto") == ()


def test_an_engine_takes_what_passed_and_says_so(models_dir: Path) -> None:
    engine = Engine.load(FAMILY, "cpu", models_dir)
    version = engine.chosen.backend.version
    on_torch = replace(PASSED, backend="torch", version=version)
    install_precision(record(models_dir, on_torch), models_dir)
    lower = Engine.load(FAMILY, "cpu", models_dir, precision="auto")
    assert (engine.precision, lower.precision) == ("float32", "bfloat16")
    crops = np.random.default_rng(3).normal(0, 0.3, (2, 3, 1, 2250)).astype(np.float32)
    error = np.abs(lower.base_logits_from_crops(crops) - engine.base_logits_from_crops(crops)).max()
    assert 0 < error < 0.5


def test_a_record_is_read_back_and_of_other_weights_refused(models_dir: Path) -> None:
    made = record(models_dir, PASSED)
    install_precision(made, models_dir)
    assert installed_precision(models_dir) == {FAMILY: made}
    document = precision_document(made)
    document["results"][0]["passed"] = False  # the figures decide, not the word
    path = models_dir / "edited.json"
    path.write_text(json.dumps(document))
    assert read_precision(path).results[0].passed
    with pytest.raises(WeightsHashMismatch, match="figures are of weights"):
        install_precision(replace(made, weights_sha256="0" * 64), models_dir)
    path.write_text('{"format": "other"}')
    with pytest.raises(InputFileError, match="lower precisions cannot be read"):
        read_precision(path)


def test_what_another_machine_measured_on_the_same_ecgs_is_kept(models_dir: Path) -> None:
    on_gpu = replace(PASSED, backend="torch-cuda", precision="tf32", processor="Some GPU")
    install_precision(record(models_dir, on_gpu, PASSED), models_dir)
    again = replace(PASSED, error_near_logit=0.015)
    install_precision(record(models_dir, again), models_dir)
    assert installed_precision(models_dir)[FAMILY].results == (again, on_gpu)
    assert "tf32 on torch-cuda 2026.4.1 (Some GPU): passed" in result_words(on_gpu)
    other_ecgs = replace(record(models_dir, again), data="SIMULATED: 8 ECGs")
    install_precision(other_ecgs, models_dir)
    assert installed_precision(models_dir)[FAMILY].results == (again,)


def test_it_is_measured_on_whole_courses_of_simulated_patients(models_dir: Path) -> None:
    engine = Engine.load(FAMILY, "cpu", models_dir)
    found = measure_precision(engine, 8, 996)
    assert found.n_ecgs >= 8
    assert found.data.startswith("SIMULATED")
    kinds = {one.backend for one in found.results}
    assert kinds == {name for name, _ in engine.lower_backends()}
    for one in found.results:
        assert one.precision == "bfloat16"
        assert 0 < one.error_logit < 0.5
        assert one.n_near > 0


@pytest.mark.parametrize("family", ["deepecg-lvsd-12", "deepecg-lvsd-6", "deepecg-lvsd-1"])
def test_each_shipped_family_has_its_record(family: str) -> None:
    found = installed_precision()[family]
    assert found.n_ecgs >= 400
    assert {one.backend for one in found.results} >= {"openvino", "torch"}
