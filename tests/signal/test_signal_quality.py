import numpy as np
import pytest

from ecgdash.signal.leads import derive_limb_leads, einthoven_violation
from ecgdash.signal.quality import lead_quality, longest_run

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")


def test_derived_leads_obey_einthoven_and_goldberger(rng):
    one, two = rng.normal(size=(2, 100))
    limb = derive_limb_leads(one, two)
    np.testing.assert_allclose(limb[2], two - one)
    np.testing.assert_allclose(limb[3] + limb[4] + limb[5], 0.0, atol=1e-12)
    np.testing.assert_allclose(limb[4], (one - limb[2]) / 2)
    name, size = einthoven_violation(limb + 5.0, LIMB)  # electrode offsets do not count
    assert size == pytest.approx(0.0, abs=1e-9)


def test_a_foreign_lead_is_named(rng):
    limb = derive_limb_leads(*rng.normal(size=(2, 1000)))
    limb[5] = -limb[5]
    name, size = einthoven_violation(limb, LIMB)
    assert name == "aVF"
    assert size > 0.5


def test_nothing_to_check_without_a_third_limb_lead(rng):
    assert einthoven_violation(rng.normal(size=(2, 10)), ("I", "II")) is None
    assert einthoven_violation(np.zeros((3, 10)), ("I", "II", "III")) is None


def test_longest_run():
    assert longest_run(np.array([], dtype=bool)) == 0
    assert longest_run(np.array([1, 1, 0, 1, 1, 1, 0, 1], dtype=bool)) == 3


def test_quality_figures_of_a_made_lead():
    time_s = np.arange(5000) / 500.0
    lead = np.sin(2 * np.pi * time_s)
    lead[1000:2250] = 0.25
    lead[4000:4050] = np.nan
    quality = lead_quality(lead, 500.0)
    assert quality.flat_s == pytest.approx(2.5)
    assert quality.missing_s == pytest.approx(0.1)
    assert quality.range_mv == pytest.approx(2.0, abs=1e-3)
    assert quality.rail_mv is None


def test_a_lead_that_hits_its_rail_again_and_again_is_cut_off():
    time_s = np.arange(5000) / 500.0
    lead = np.clip(3.0 * np.sin(2 * np.pi * time_s), -4.0, 2.0)
    assert lead_quality(lead, 500.0).rail_mv == pytest.approx(2.0)
    padded_end = 0.1 * np.sin(2 * np.pi * time_s)
    padded_end[-60:] = 2.0
    assert lead_quality(padded_end, 500.0).rail_mv is None


def test_an_empty_lead_is_all_missing():
    assert lead_quality(np.full(1000, np.nan), 500.0).missing_s == 2.0
