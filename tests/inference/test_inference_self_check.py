"""A score computed again: matches here, and is seen when engine or weights change."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from inference_family import FAMILY, LABELS, family_card, random_family_net

from ecgdash.errors import WeightsHashMismatch
from ecgdash.inference.engine import Engine
from ecgdash.inference.self_check import difference_from_check, make_self_check
from ecgdash.simulate.cohort import simulate_patients


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(
        family_card("0" * 64),
        random_family_net(),
        labels=LABELS,
        ecgs_per_batch=2,
        device=torch.device("cpu"),
    )


def test_the_check_is_the_networks_own_output(engine: Engine) -> None:
    """The logits are those of the bare network on the record's crops."""
    check = make_self_check(engine)
    record = next(simulate_patients(check.n_patients, check.seed).records([check.row]))
    assert record.sha256 == check.waveform_sha256
    with torch.inference_mode():
        by_crop = engine.net(torch.from_numpy(engine.crops(record))).numpy()  # (3, n_variants)
    for i, name in enumerate(engine.variants):
        np.testing.assert_allclose(check.logits[name], by_crop[:, i], rtol=0, atol=1e-5)


def test_the_same_weights_give_the_score_again(engine: Engine) -> None:
    check = make_self_check(engine)
    difference = difference_from_check(engine, check)
    assert difference is not None
    assert difference <= 1e-6


def test_a_changed_weight_is_seen(engine: Engine) -> None:
    check = make_self_check(engine)
    net = random_family_net()
    with torch.no_grad():
        net.branch("masked").final_layer.bias += 2e-4
    other = Engine(engine.card, net, labels=LABELS, ecgs_per_batch=2, device=torch.device("cpu"))
    with pytest.raises(WeightsHashMismatch) as caught:
        difference_from_check(other, check)
    assert str(caught.value).startswith(f"{FAMILY}: the score computed again is 0.0002 logits from")
    assert "Accepted: at most 0.0001." in str(caught.value)


def test_a_score_that_is_no_number_is_seen(engine: Engine) -> None:
    check = make_self_check(engine)
    logits = {**check.logits, "masked": (float("nan"),) * 3}
    with pytest.raises(WeightsHashMismatch):
        difference_from_check(engine, replace(check, logits=logits))


def test_other_variants_are_seen(engine: Engine) -> None:
    check = make_self_check(engine)
    with pytest.raises(WeightsHashMismatch, match="of the variants other"):
        difference_from_check(engine, replace(check, logits={"other": (0.0, 0.0, 0.0)}))


def test_another_simulated_waveform_is_not_compared(engine: Engine) -> None:
    check = make_self_check(engine)
    assert difference_from_check(engine, replace(check, waveform_sha256="0" * 64)) is None
