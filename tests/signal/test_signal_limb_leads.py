import numpy as np
import pytest

from ecgdash.signal.leads import derive_limb_leads
from ecgdash.signal.limb_leads import limb_fit, repairs, smallest_bipolar


@pytest.fixture
def limb(rng):
    return derive_limb_leads(*rng.normal(size=(2, 1000)))


def test_derived_leads_obey_einthoven_and_goldberger(rng):
    one, two = rng.normal(size=(2, 100))
    limb = derive_limb_leads(one, two)
    np.testing.assert_allclose(limb[2], two - one)
    np.testing.assert_allclose(limb[3] + limb[4] + limb[5], 0.0, atol=1e-12)
    np.testing.assert_allclose(limb[4], (one - limb[2]) / 2)
    fit = limb_fit(limb + 5.0)  # electrode offsets do not count
    assert fit.departure == pytest.approx(0.0, abs=1e-6)


def test_a_foreign_lead_is_named(limb, rng):
    limb[5] = 2 * rng.normal(size=1000)
    fit = limb_fit(limb)
    assert fit.lead == "aVF"
    assert fit.departure > 0.5
    assert repairs(limb, 0.05) == ()


def test_the_departure_is_relative_to_the_largest_limb_lead():
    wave = np.sin(2 * np.pi * np.arange(1000) / 100)
    limb = derive_limb_leads(0 * wave, wave)  # II, III of size 1
    limb[4] += 0.3 * np.cos(2 * np.pi * np.arange(1000) / 100)
    fit = limb_fit(limb)
    assert fit.lead == "aVL"
    assert fit.departure == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (0, 1, "leads I and II are exchanged"),
        (1, 2, "leads II and III are exchanged"),
        (3, 4, "leads aVR and aVL are exchanged"),
        (4, 5, "leads aVL and aVF are exchanged"),
        (0, 5, "leads I and aVF are exchanged"),
    ],
)
def test_exchanged_rows_are_named(limb, first, second, words):
    limb[[first, second]] = limb[[second, first]]
    assert limb_fit(limb).departure > 0.2
    assert repairs(limb, 0.05) == (words,)


def test_an_inverted_row_is_named(limb):
    limb[3] = -limb[3]
    assert repairs(limb, 0.05) == ("lead aVR is inverted",)


def test_flat_leads():
    assert limb_fit(np.zeros((6, 100))) is None
    wave = np.sin(np.arange(1000.0))
    assert smallest_bipolar(derive_limb_leads(wave, 0.01 * wave)) == ("II", pytest.approx(0.01))
