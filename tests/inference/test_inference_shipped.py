"""The weights in this repository: whole, small, honest about their origin, and alive."""

import numpy as np
import pytest

from ecgdash.domain import form_pairs
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import read_manifest, verify_family
from ecgdash.inference.self_check import difference_from_check
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.stats import auroc_value

ROWS = read_manifest()


@pytest.fixture(scope="module", params=list(ROWS))
def shipped(request: pytest.FixtureRequest) -> Engine:
    return Engine.load(request.param, "cpu")


def test_each_lead_set_of_the_paper_has_a_family() -> None:
    assert {Engine.load(name, "cpu").card.lead_set for name in ROWS} >= {"12", "6", "1"}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_files_are_those_of_the_manifest(row) -> None:
    verify_family(row)
    assert row.weights_path.stat().st_size < 5e6


def test_the_card_says_simulated_and_is_sane(shipped: Engine) -> None:
    card = shipped.card
    assert card.trained_on_simulated
    assert "SIMULATED" in card.trained_on
    assert shipped.variants == ("uncalibrated", "masked", "recalibrated")
    for variant in card.variants:
        assert variant.youden.n_positive >= 100
        assert variant.youden.sensitivity + variant.youden.specificity > 1.6
        assert variant.sensitivity_90.value <= variant.specificity_90.value
        assert variant.noise_floor_logit is not None
        assert variant.noise_floor_logit > 0
        assert variant.repeatability is not None
        assert variant.repeatability.n_pairs >= 100
        half = (variant.repeatability.upper_logit - variant.repeatability.lower_logit) / 2
        assert half == pytest.approx(variant.noise_floor_logit)
        assert variant.probability is not None
        assert variant.probability.ece < 0.03
        assert variant.probability.n_positive >= 100
    assert card.must_not
    assert card.differs


def test_the_score_on_the_card_is_computed_again(shipped: Engine) -> None:
    check = shipped.card.check
    assert check is not None
    difference = difference_from_check(shipped, check)
    assert difference is not None
    assert difference < 1e-4


def test_scores_do_not_depend_on_batch_or_order(shipped: Engine) -> None:
    records = list(simulate_patients(5, 998).records())[:11]
    together = shipped.base_logits(records)
    backwards = shipped.base_logits(records[::-1])[::-1]
    alone = np.concatenate([shipped.base_logits([record]) for record in records])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    np.testing.assert_allclose(together, backwards, rtol=0, atol=1e-6)


def test_lvsd_scores_above_the_rest(shipped: Engine) -> None:
    """AUROCs of .91 and more were found on thousands of pairs; these are some 30 cases."""
    cohort = simulate_patients(400, 997)
    courses = [form_pairs(cohort.ecg_refs(i), cohort.echo_studies(i)) for i in range(400)]
    first = [pairs[0] for pairs in courses if pairs]
    lvsd = np.array([pair.echo.lvsd for pair in first])
    rows = np.array([int(pair.ecg.key[1:]) for pair in first])
    logits = shipped.base_logits(cohort.records(rows))[:, 0].mean(axis=-1)
    assert lvsd.sum() >= 20
    assert auroc_value(lvsd, logits) > 0.8
