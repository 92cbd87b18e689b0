"""Encoding of histories, and terms without torch."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from inference_family import FAMILY

from ecgdash.domain import History, HistorySlot
from ecgdash.errors import InvalidValue
from ecgdash.inference.engine import Engine
from ecgdash.inference.history import (
    encode_histories,
    encode_history,
    load_history_terms,
    logit,
    mean_score,
    score_with_history,
    sigmoid,
)
from ecgdash.nets.family import FamilyNet

SLOTS = (
    HistorySlot("a", 0.5, 365.25 * (math.e - 1), 65.0, imputed=False),
    HistorySlot("b", 0.25, 0.0, 35.0, imputed=False),
    HistorySlot("b", 0.25, 0.0, 35.0, imputed=True),
)


def test_the_recalibrated_vector_by_hand() -> None:
    third = -math.log(3)
    expected = [1, 0, 1, 0, -1, third, 0, 0, -1, third, 0, 1]
    np.testing.assert_allclose(encode_history(History(SLOTS), "recalibrated"), expected, atol=1e-12)


def test_the_masked_vector_leaves_lvef_out() -> None:
    third = -math.log(3)
    expected = [0, 1, 0, third, 0, 0, third, 0, 1]
    np.testing.assert_allclose(encode_history(History(SLOTS), "masked"), expected, atol=1e-12)


def test_no_histories_still_have_a_width() -> None:
    assert encode_histories([], "masked").shape == (0, 9)
    assert encode_histories([], "recalibrated").shape == (0, 12)


@pytest.mark.parametrize(
    ("history", "variant"),
    [
        (History(SLOTS), "uncalibrated"),
        (History(SLOTS[:2]), "masked"),
        (History((HistorySlot("a", 0.5, 1.0, None, imputed=False),) * 3), "recalibrated"),
    ],
)
def test_what_cannot_be_encoded_is_refused(history: History, variant: str) -> None:
    with pytest.raises(InvalidValue):
        encode_history(history, variant)


@given(st.floats(-13.8, 13.8))
def test_logit_undoes_sigmoid(x: float) -> None:
    assert float(logit(sigmoid(x))) == pytest.approx(x, abs=1e-6)


def test_extreme_scores_stay_finite() -> None:
    assert np.isfinite(logit([0.0, 1.0])).all()
    np.testing.assert_array_equal(sigmoid([-1e4, 1e4]), [0.0, 1.0])


def test_terms_equal_the_networks(family_net: FamilyNet, engine: Engine) -> None:
    for variant, term in engine.history_terms.items():
        vectors = np.random.default_rng(0).normal(
            size=(7, len(encode_history(History(SLOTS), variant)))
        )
        branch = family_net.branch(variant)
        features = torch.randn(7, branch.final_layer.in_features)
        with torch.inference_mode():
            with_history = branch.head(features, torch.from_numpy(vectors).float())
            without = branch.head(features)
        difference = (with_history - without).double().numpy()[:, 0]
        np.testing.assert_allclose(term.of_vectors(vectors), difference, atol=5e-6)


def test_a_term_does_not_depend_on_its_company(engine: Engine) -> None:
    vectors = np.random.default_rng(0).normal(size=(64, 9))
    term = engine.history_terms["masked"]
    alone = np.array([term.of_vectors(row[None])[0] for row in vectors])
    np.testing.assert_array_equal(term.of_vectors(vectors), alone)


def test_terms_load_without_the_networks(engine: Engine, models_dir: Path) -> None:
    terms = load_history_terms(models_dir / FAMILY / "weights.safetensors")
    assert set(terms) == {"masked", "recalibrated"}
    for variant, term in terms.items():
        assert term(History(SLOTS)) == engine.history_terms[variant](History(SLOTS))


def test_the_score_is_the_mean_of_the_crops(engine: Engine) -> None:
    term = engine.history_terms["recalibrated"]
    base = np.array([-1.0, 0.5, 2.0])
    shifted = base + term(History(SLOTS))
    expected = (1 / (1 + np.exp(-shifted))).mean()
    assert score_with_history(term, base, History(SLOTS)) == pytest.approx(expected, abs=1e-12)
    assert mean_score(base.reshape(1, 3)).shape == (1,)
