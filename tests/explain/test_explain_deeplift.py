"""DeepLIFT: complete on the family's nets, on references of either shape."""

import numpy as np
import pytest
import torch

from ecgdash.errors import InvalidValue
from ecgdash.explain.deeplift import explain_crops
from tests.explain.nets import lively_net


def random_crops(seed, n=3):
    return np.random.default_rng(seed).normal(size=(n, 12, 600)).astype(np.float32)


@pytest.mark.parametrize("stem_pool", [False, True])
@pytest.mark.parametrize("varying", [False, True])
def test_contributions_sum_to_the_difference(stem_pool: bool, varying: bool) -> None:
    net = lively_net(stem_pool=stem_pool)
    crops = random_crops(4)
    reference = random_crops(5, 1)[0] if varying else None
    got = explain_crops(net, crops, "uncalibrated", reference)
    difference = got.logits - got.reference_logits
    assert np.abs(difference).max() > 0.05
    total = got.values.astype(np.float64).sum(axis=(1, 2))
    np.testing.assert_allclose(total, difference, rtol=0, atol=1e-3 * np.abs(difference).max())
    np.testing.assert_allclose(got.gap, total - difference, rtol=0, atol=1e-5)
    assert got.values.shape == crops.shape


def test_logits_are_those_of_the_plain_network() -> None:
    net = lively_net(stem_pool=True)
    crops, reference = random_crops(6), random_crops(7)
    got = explain_crops(net, crops, "masked", reference)
    with torch.inference_mode():
        for array, logits in ((crops, got.logits), (reference, got.reference_logits)):
            plain = net(torch.from_numpy(array))[:, net.variants.index("masked")]
            np.testing.assert_allclose(logits, plain.numpy(), rtol=0, atol=1e-6)


def test_a_reference_for_each_crop_equals_crop_by_crop() -> None:
    net = lively_net(stem_pool=False)
    crops, references = random_crops(8), random_crops(9)
    together = explain_crops(net, crops, "recalibrated", references)
    for i in range(3):
        alone = explain_crops(net, crops[i : i + 1], "recalibrated", references[i])
        np.testing.assert_allclose(together.values[i], alone.values[0], rtol=0, atol=1e-6)
        assert together.logits[i] == pytest.approx(alone.logits[0], abs=1e-6)


def test_an_ecg_differs_in_nothing_from_itself() -> None:
    crops = random_crops(10)
    got = explain_crops(lively_net(stem_pool=False), crops, "masked", crops)
    assert not got.values.any()


def test_a_reference_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidValue, match="one for each crop"):
        explain_crops(lively_net(stem_pool=False), random_crops(1), "masked", random_crops(2, 2))
