"""What a card states about a family that was just made: counted, fitted and measured.

The waveforms are noise and the network is untrained: every figure is held against another
computation of the same thing, not against what a good network would give.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgdash.domain.card import TrainingPart
from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import masked_history
from ecgdash.domain.patient import EchoStudy
from ecgdash.inference.engine import Engine
from ecgdash.inference.history import logit, mean_score, score_with_history
from ecgdash.inference.manifest import find_family, load_card, sha256_of_file, write_manifest
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.stats import auroc
from ecgdash.training.config import TrainingConfig
from ecgdash.training.package import PackageParts, write_family
from ecgdash.training.probability import LabelledScores, probability_map
from ecgdash.training.recalibrate import pairs_of_courses
from ecgdash.training.shards import Course, Shard, ShardWriter
from ecgdash.training.splits import split_of

FAMILY = "own-12"
LABELS = ("AFIB", "LBBB")
START = datetime(2021, 3, 1, 9, tzinfo=UTC)
ECG_DAYS = (0, 5, 200, 210)
"""Of every course: two repeats within 14 days, with echoes on days 0 and 200."""

N_BASELINE = {"train": 9, "validation": 60, "test": 105}
N_COURSES = {"train": 3, "validation": 40, "test": 20}


def ids(n_of_side):
    """Return patient ids with so many on each side of the split, `train` first."""
    found = {side: [] for side in n_of_side}
    for i in count():
        side = split_of(f"p{i}")
        if len(found[side]) < n_of_side[side]:
            found[side].append(f"p{i}")
        if all(len(found[side]) == n for side, n in n_of_side.items()):
            return [one for side in found.values() for one in side]


def write_shard(folder, patients, marks, values, rng):
    writer = ShardWriter(folder, patients, marks)
    # every ECG its own amplitude, so that scores differ
    scale = rng.uniform(0.05, 1.5, (len(patients), 1, 1))
    writer.append(rng.normal(size=(len(patients), 12, 2500)) * scale, values)
    return Shard(folder)


def course(patient_id, first_row, rng):
    refs = tuple(
        EcgRef(
            str(first_row + i), START + timedelta(days=day), (START + timedelta(days=day)).date()
        )
        for i, day in enumerate(ECG_DAYS)
    )
    echoes = tuple(
        EchoStudy(patient_id, ref.recorded_at, ref.local_day, float(lvef), "simpson", True)
        for ref, lvef in zip(refs[::2], rng.choice([30.0, 60.0], 2), strict=True)
    )
    return Course(patient_id, refs, echoes)


def lively_net():
    torch.manual_seed(5)
    net = FamilyNet(FamilyConfig(ARCHITECTURES["demo"].config, len(LABELS)))
    for variant in ("masked", "recalibrated"):
        torch.nn.init.normal_(net.branch(variant).perceptron.out.weight, std=0.05)
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(8, 12, 2250))
    return net.eval()


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> PackageParts:
    """Own data as the paper has them: the courses' patients are among the baseline ones."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(3)
    baseline_ids, course_ids = ids(N_BASELINE), ids(N_COURSES)
    analysable = np.ones(len(baseline_ids), bool)
    analysable[0] = False
    lvsd = rng.random(len(baseline_ids)) < 0.3
    baseline = write_shard(
        root / "baseline",
        baseline_ids,
        ["lvsd", "analysable"],
        np.stack([lvsd, analysable], 1),
        rng,
    )
    rows = [one for one in course_ids for _ in ECG_DAYS]
    follow_up = write_shard(
        root / "follow_up", rows, ["analysable"], np.ones((len(rows), 1), bool), rng
    )
    pretraining = write_shard(
        root / "pretraining", ["p0", "p0", "p1"], LABELS, np.zeros((3, 2), bool), rng
    )
    courses = [course(one, len(ECG_DAYS) * i, rng) for i, one in enumerate(course_ids)]
    return PackageParts(
        net=lively_net(),
        config=TrainingConfig(family=FAMILY),
        labels=LABELS,
        pretraining=pretraining,
        baseline=baseline,
        follow_up=follow_up,
        patients=pairs_of_courses(courses),
        origin={"simulated": False, "description": "174 patients of one hospital"},
        log={},
    )


@pytest.fixture(scope="module")
def models_dir(parts, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_family(parts, folder)
    return folder


@pytest.fixture(scope="module")
def card(models_dir) -> FamilyCard:
    return load_card(find_family(FAMILY, models_dir))[0]


@pytest.fixture(scope="module")
def engine(models_dir) -> Engine:
    return Engine.load(FAMILY, "cpu", models_dir)


def baseline_of(parts, engine, side):
    """Return label and score of one side's baseline pairs, by the engine."""
    ids_ = parts.baseline.patient_ids
    usable = parts.baseline.marks["analysable"]
    rows = np.array([i for i, one in enumerate(ids_) if split_of(one) == side and usable[i]])
    logits = engine.base_logits_from_crops(parts.baseline.fixed_crops(rows))[:, 0]
    return parts.baseline.marks["lvsd"][rows], mean_score(logits)


def test_the_map_is_fitted_on_validation_and_measured_on_test_patients(card, parts, engine):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import brier_score_loss

    y, score = baseline_of(parts, engine, "validation")
    test_y, test_score = baseline_of(parts, engine, "test")
    found = card.variant("uncalibrated").probability
    assert (found.n_fitted, found.n_positive_fitted) == (60, int(y.sum()))
    assert (found.n, found.n_positive) == (105, int(test_y.sum()))
    assert found.fitted_on == "baseline pairs of validation patients"
    assert found.measured_on == "baseline pairs of test patients"
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(score)[:, None], y)
    assert found.slope == pytest.approx(model.coef_[0, 0], abs=2e-3)
    assert found.intercept == pytest.approx(model.intercept_[0], abs=2e-3)
    mapped = model.predict_proba(logit(test_score)[:, None])[:, 1]
    assert found.brier == pytest.approx(brier_score_loss(test_y, mapped), abs=1e-4)
    assert found.brier_of_scores == pytest.approx(brier_score_loss(test_y, test_score), abs=1e-4)
    assert sum(point.n for point in found.reliability) == 105
    assert sum(round(point.n * point.observed.value) for point in found.reliability) == test_y.sum()


def test_too_few_test_pairs_give_no_map(card):
    """20 test patients have one follow-up pair each."""
    assert card.variant("masked").probability is None
    assert card.variant("recalibrated").probability is None
    assert card.variant("masked").youden.n == 40


def test_a_map_needs_both_classes_on_both_sides():
    rng = np.random.default_rng(1)
    lvsd, scores = rng.random(200) < 0.5, rng.random(200)
    good = LabelledScores("these", lvsd, scores)
    assert probability_map(good, good) is not None
    assert probability_map(good, replace(good, lvsd=np.zeros(200, bool))) is None
    assert probability_map(replace(good, lvsd=np.ones(200, bool)), good) is None
    assert probability_map(good, LabelledScores("few", lvsd[:99], scores[:99])) is None


def test_patients_in_both_shards_count_once(card, parts, engine):
    y, score = baseline_of(parts, engine, "validation")
    youden = card.variant("uncalibrated").youden
    assert (youden.n, youden.n_positive) == (60, int(y.sum()))
    assert np.isclose(score, youden.value, atol=1e-6).any()


def repeats_by_hand(parts, engine, variant):
    """Return logits of earlier and later ECG of the validation patients' repeats."""
    place, found, whose = engine.variants.index(variant), [], []
    for patient in parts.patients:
        refs = patient.course.refs
        if patient.side != "validation":
            continue
        rows = np.array([int(ref.key) for ref in refs])
        logits = engine.base_logits_from_crops(parts.follow_up.fixed_crops(rows))
        scores = {ref.key: float(mean_score(logits[i, 0])) for i, ref in enumerate(refs)}
        for a, b in ((0, 1), (2, 3)):
            history = masked_history(refs[a], refs, scores)
            if variant == "uncalibrated":
                pair = [float(mean_score(logits[i, place])) for i in (a, b)]
            elif history is None:
                continue
            else:
                term = engine.history_terms[variant]
                pair = [score_with_history(term, logits[i, place], history) for i in (a, b)]
            found.append(pair)
            whose.append(patient.course.patient_id)
    return logit(np.array(found)), whose


@pytest.mark.parametrize(("variant", "n_pairs"), [("uncalibrated", 80), ("masked", 40)])
def test_repeatability_is_of_pairs_within_14_days_and_the_earlier_history(
    card, parts, engine, variant, n_pairs
):
    values, whose = repeats_by_hand(parts, engine, variant)
    found = card.variant(variant).repeatability
    assert (found.n_pairs, found.n_patients) == (n_pairs, 40) == (len(whose), len(set(whose)))
    assert ("the earlier one's history" in found.data) == (variant == "masked")
    difference = values[:, 1] - values[:, 0]
    assert found.mean_difference_logit == pytest.approx(difference.mean(), abs=1e-5)
    half = 1.96 * difference.std(ddof=1)
    assert card.variant(variant).noise_floor_logit == pytest.approx(half, abs=1e-5)
    assert found.upper_logit - found.lower_logit == pytest.approx(2 * half, abs=1e-5)
    x, y = values.T
    ccc = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert found.ccc.value == pytest.approx(ccc, abs=1e-4)
    assert found.ccc.low < ccc < found.ccc.high
    assert len(found.points) == n_pairs
    np.testing.assert_allclose(found.points, np.stack([(x + y) / 2, y - x], 1), atol=6e-4)


def test_kappa_is_at_the_youden_threshold(card, parts, engine):
    from sklearn.metrics import cohen_kappa_score

    values, _ = repeats_by_hand(parts, engine, "uncalibrated")
    above = values >= logit(card.variant("uncalibrated").youden.value)
    found = card.variant("uncalibrated").repeatability
    assert found.kappa.value == pytest.approx(cohen_kappa_score(*above.T), abs=1e-9)
    assert found.share_of_other_side == pytest.approx((above[:, 0] != above[:, 1]).mean())


def test_training_data_are_counted_by_phase_and_side(card, parts):
    counted = {(part.phase, part.split): part for part in card.training_data}
    assert len(counted) == 9
    sides = [split_of("p0"), split_of("p0"), split_of("p1")]
    for side in ("train", "validation", "test"):
        assert counted["pretrain", side].n == sides.count(side)
    lvsd, ids_ = parts.baseline.marks["lvsd"], parts.baseline.patient_ids
    usable = parts.baseline.marks["analysable"]
    rows = [i for i, one in enumerate(ids_) if split_of(one) == "train" and usable[i]]
    assert counted["finetune", "train"] == TrainingPart(
        "finetune", "train", 8, 8, int(lvsd[rows].sum())
    )
    second = [p.course.echoes[1].lvef_percent for p in parts.patients if p.side == "validation"]
    assert counted["recalibrate", "validation"] == TrainingPart(
        "recalibrate", "validation", 40, 40, second.count(30.0)
    )


def test_own_data_are_not_called_simulated(card):
    words = json.dumps(
        [card.label_definition, card.must_not, card.chosen, card.differs, card.notes]
    )
    assert "simulated" not in words.lower()
    assert not any("phase 3 has patients of its own" in one for one in card.differs)
    assert "Simpson" in card.label_definition
    assert card.trained_on == "174 patients of one hospital"


def verify(models_dir):
    command = [sys.executable, "-m", "ecgdash", "models", "verify"]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "ECGDASH_MODELS_DIR": str(models_dir)},
    )


def test_verify_computes_the_score_again(models_dir):
    done = verify(models_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert "those of the manifest; one score recomputed, largest difference" in done.stdout
    assert float(done.stdout.split()[-2]) <= 1e-6


@pytest.mark.parametrize(
    ("field", "value", "code", "words"),
    [
        ("logits", "one", 2, "the score computed again is 1 logits from the one on the card"),
        ("waveform_sha256", "0" * 64, 0, "its score was not recomputed"),
        (None, None, 0, "its card holds no score to compute again"),
    ],
)
def test_verify_tells_a_wrong_score_from_one_it_cannot_compute(
    models_dir, tmp_path, field, value, code, words
):
    """Cards whose hash is the manifest's: what is left to find is the score."""
    row = find_family(FAMILY, models_dir)
    folder = tmp_path / FAMILY
    folder.mkdir()
    (folder / row.weights).write_bytes(row.weights_path.read_bytes())
    content = json.loads(row.card_path.read_text())
    if field is None:
        del content["check"]
    elif field == "logits":
        content["check"]["logits"]["masked"][1] += 1.0
    else:
        content["check"][field] = value
    (folder / row.card).write_text(json.dumps(content))
    changed = replace(row, folder=folder, card_sha256=sha256_of_file(folder / row.card))
    write_manifest([changed], tmp_path)
    done = verify(tmp_path)
    assert done.returncode == code
    assert words in (done.stderr if code else done.stdout)


def test_thresholds_and_figures_agree(card, parts, engine):
    y, score = baseline_of(parts, engine, "validation")
    assert parts.log["validation"]["uncalibrated"]["auroc"][0] == pytest.approx(
        auroc(y, score).value, abs=1e-6
    )
