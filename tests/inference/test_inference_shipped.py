"""The weights in this repository: whole, small, honest about their origin, and alive."""

import numpy as np
import pytest

from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import read_manifest, verify_family
from ecgdash.simulate.cohort import simulate_patients

ROWS = read_manifest()


@pytest.fixture(scope="module")
def shipped() -> Engine:
    return Engine.load("deepecg-lvsd-12", "cpu")


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


def test_scores_do_not_depend_on_batch_or_order(shipped: Engine) -> None:
    records = list(simulate_patients(5, 998).records())[:11]
    together = shipped.base_logits(records)
    backwards = shipped.base_logits(records[::-1])[::-1]
    alone = np.concatenate([shipped.base_logits([record]) for record in records])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    np.testing.assert_allclose(together, backwards, rtol=0, atol=1e-6)


def test_lvsd_scores_above_the_rest(shipped: Engine) -> None:
    cohort = simulate_patients(120, 997)
    studies = {i: cohort.echo_studies(i) for i in range(120)}
    known = [i for i, own in studies.items() if own]
    first = np.flatnonzero(np.diff(cohort.patient_index, prepend=-1))[known]
    lvef = np.array([studies[i][0].lvef_percent for i in known])
    logits = shipped.base_logits(cohort.records(first))[:, 0].mean(axis=-1)
    low, normal = logits[lvef <= 40], logits[lvef >= 55]
    assert len(low) >= 4
    assert np.median(low) - np.median(normal) > 2.0
