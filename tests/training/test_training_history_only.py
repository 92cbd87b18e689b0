"""A history beside a scorer: it finds what the scorer lacks, and never knows whom it predicts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score

from ecgdash.errors import InvalidValue
from ecgdash.inference.history import load_history_terms, sigmoid
from ecgdash.nets.family import HistoryPerceptron
from ecgdash.training.history_only import (
    HistoryExamples,
    HistorySettings,
    fit_history,
    fold_of,
    save_history,
)

SETTINGS = HistorySettings(epochs=30)
N_PATIENTS, N_EACH = 700, 3


def effect(vectors):
    """Return what the scorer lacks, in logits: a low earlier LVEF, the more the more recent."""
    lvef, years = vectors[:, 0], vectors[:, 2]
    return 2.5 * np.maximum(-lvef, 0.0) * np.exp(-years) - 0.8 * lvef


def draw(seed=3):
    """Return examples whose cases follow from base logit and history, and the true logits."""
    rng = np.random.default_rng(seed)
    n = N_PATIENTS * N_EACH
    vectors = np.column_stack(
        [
            part
            for _ in range(3)
            for part in (
                rng.normal(0, 1, n),
                rng.normal(-2, 1, n),
                rng.exponential(0.7, n),
                rng.integers(0, 2, n),
            )
        ]
    )
    base = rng.normal(-1.5, 1.0, n)
    true = base + effect(vectors)
    cases = rng.random(n) < sigmoid(true)
    patients = np.repeat([f"p{i}" for i in range(N_PATIENTS)], N_EACH)
    return HistoryExamples(base, vectors, cases, patients), true


def out_of_fold(examples, fit):
    """Return logits, each by the term of the patient's fold."""
    n = len(fit.folds)
    fold = np.array([fold_of(name, n) for name in examples.patients])
    terms = np.stack([one.term.of_vectors(examples.vectors) for one in fit.folds])
    return examples.logits + terms[fold, np.arange(len(fold))]


@pytest.fixture(scope="module")
def drawn():
    return draw()


@pytest.fixture(scope="module")
def fit(drawn):
    return fit_history(drawn[0], SETTINGS)


def test_the_term_recovers_what_the_scorer_lacks(drawn, fit):
    examples, true = drawn
    oracle = roc_auc_score(examples.cases, true)
    before = roc_auc_score(examples.cases, examples.logits)
    found = roc_auc_score(examples.cases, out_of_fold(examples, fit))
    assert oracle - before > 0.1
    assert found == pytest.approx(oracle, abs=0.015)
    # on patients that nobody saw, the installed term too
    others, their_true = draw(seed=4)
    shifted = others.logits + fit.term.of_vectors(others.vectors)
    oracle = roc_auc_score(others.cases, their_true)
    assert roc_auc_score(others.cases, shifted) == pytest.approx(oracle, abs=0.015)


def test_the_shift_is_the_effect_in_logits(drawn, fit):
    vectors = drawn[0].vectors
    found, expected = fit.term.of_vectors(vectors), effect(vectors)
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert abs(found.mean() - expected.mean()) < 0.25


def test_no_one_is_predicted_by_what_saw_the_patient():
    """Each patient has a random code and random cases: what is learnt of a patient says all."""
    rng = np.random.default_rng(5)
    n_patients, each = 150, 8
    code = rng.normal(0, 1.5, (n_patients, 12)).repeat(each, axis=0)
    cases = (rng.random(n_patients) < 0.5).repeat(each)
    patients = np.repeat([f"q{i}" for i in range(n_patients)], each)
    base = np.zeros(len(cases))
    settings = replace(SETTINGS, epochs=80, patience=80)
    by_patient = HistoryExamples(base, code, cases, patients)
    # the same rows as if each were a patient: then the code is known, and the test can fail
    names = np.array([f"r{i}" for i in range(len(cases))])
    by_row = replace(by_patient, patients=names)
    leaking = roc_auc_score(cases, out_of_fold(by_row, fit_history(by_row, settings)))
    honest = roc_auc_score(cases, out_of_fold(by_patient, fit_history(by_patient, settings)))
    assert leaking > 0.95
    # 150 patients: the standard error of an AUROC at chance is 0.047
    assert honest == pytest.approx(0.5, abs=0.14)


def test_histories_of_other_patients_help_nobody(drawn):
    examples, _ = drawn
    rolled = replace(examples, vectors=np.roll(examples.vectors, 5 * N_EACH, axis=0))
    fit = fit_history(rolled, SETTINGS)
    before = roc_auc_score(examples.cases, examples.logits)
    assert roc_auc_score(examples.cases, out_of_fold(rolled, fit)) < before + 0.01


def test_the_same_seed_gives_the_same_term_and_another_does_not(drawn):
    few = drawn[0].take(np.arange(len(drawn[0])) < 600)
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    first, second = (fit_history(few, SETTINGS) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.epochs == second.epochs
    for name, values in first.tensors.items():
        assert np.array_equal(values, second.tensors[name])
    other = fit_history(few, replace(SETTINGS, seed=2)).tensors
    assert any(not np.array_equal(v, other[name]) for name, v in first.tensors.items())


def test_the_written_term_is_the_perceptron_that_was_trained(drawn, fit, tmp_path):
    path = tmp_path / "history.safetensors"
    save_history(fit.tensors, path)
    term = load_history_terms(path)["recalibrated"]
    net = HistoryPerceptron(12, SETTINGS.n_hidden, 1).double()
    head = "branches.recalibrated.perceptron."
    state = {k.removeprefix(head): torch.from_numpy(v) for k, v in fit.tensors.items() if head in k}
    net.load_state_dict(state)
    vectors = drawn[0].vectors
    with torch.inference_mode():
        expected = net(torch.from_numpy(vectors))[:, 0].numpy()
    assert np.abs(term.of_vectors(vectors) - expected).max() < 1e-9
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_loss_without_history_is_the_cross_entropy_of_the_scores(drawn, fit):
    examples, _ = drawn
    fold = np.array([fold_of(name, 5) for name in examples.patients])
    for held, one in enumerate(fit.folds):
        stops = fold == (held + 1) % 5
        expected = log_loss(examples.cases[stops], sigmoid(examples.logits[stops]))
        assert one.loss_without == pytest.approx(expected, abs=1e-9)
        assert one.validation_loss < one.loss_without


def test_folds_that_cannot_be_judged_are_refused(drawn):
    examples, _ = drawn
    with pytest.raises(InvalidValue, match="2 folds"):
        fit_history(examples, replace(SETTINGS, n_folds=2))
    none = replace(examples, cases=np.zeros(len(examples), bool))
    with pytest.raises(InvalidValue, match="holds 0 cases"):
        fit_history(none, SETTINGS)
    with pytest.raises(InvalidValue, match="fold"):
        fit_history(examples.take(examples.patients == "p1"), SETTINGS)


def test_a_patient_stays_in_the_fold_whoever_is_added():
    assert [fold_of(name, 5) for name in ("a", "b", "c", "17")] == [
        int(digest, 16) % 5
        for digest in (
            # sha256sum of "ecgdash-fold:<name>", first 16 hex digits
            DIGESTS["a"],
            DIGESTS["b"],
            DIGESTS["c"],
            DIGESTS["17"],
        )
    ]


DIGESTS = {
    "a": "2bb966ee8ca17cbd",
    "b": "12fc8edd9fb1029c",
    "c": "d35c4b0ca5ac19d4",
    "17": "4720669812c4a284",
}
