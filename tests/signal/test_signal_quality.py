import numpy as np
import pytest

from ecgdash.signal.quality import lead_quality, longest_run


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
