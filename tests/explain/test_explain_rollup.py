"""Roll-ups: exact sums, and single marks found where a hand puts them."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecgdash.domain.attribution import BIN_S, WAVE_COLUMNS
from ecgdash.errors import InvalidValue
from ecgdash.explain.rollup import crop_times_s, roll_up, wave_columns
from ecgdash.signal.window import ScoredWindow

LEADS = ("I", "II")
WINDOW = ScoredWindow(1000, 6000, 0, 0, True, 500.0)  # 2 s to 12 s


def beats(**changed):
    """Return two beats: all waves found, then no P and no T."""
    times = {
        "p_onset_s": [2.50, np.nan],
        "p_end_s": [2.60, np.nan],
        "onset_s": [2.66, 3.66],
        "offset_s": [2.76, 3.76],
        "t_peak_s": [2.96, np.nan],
        "t_end_s": [3.06, np.nan],
    }
    return SimpleNamespace(**{name: np.array(v) for name, v in {**times, **changed}.items()})


def names(times, table):
    return [WAVE_COLUMNS[i] for i in wave_columns(np.array(times), table)]


def test_moments_fall_into_waves_by_hand():
    at = [2.4, 2.5, 2.55, 2.61, 2.66, 2.7, 2.8, 2.85, 2.87, 2.96, 3.05, 3.07, 3.55, 3.7, 3.8]
    expected = ["rest", "P", "P", "rest", "QRS", "QRS", "ST", "ST", "T", "T", "T"]
    assert names(at, beats()) == [*expected, "rest", "rest", "QRS", "rest"]


def test_t_never_begins_within_40_ms_of_the_j_point():
    early = beats(t_peak_s=np.array([2.82, np.nan]))
    assert names([2.77, 2.799, 2.801, 3.0], early) == ["ST", "ST", "T", "T"]


def test_p_goes_before_t_and_qrs_before_all():
    table = beats(p_onset_s=[2.50, 2.98], p_end_s=[2.60, 3.70])
    assert names([2.9, 3.0, 3.65, 3.67], table) == ["T", "P", "P", "QRS"]


def test_one_sample_of_one_crop_lands_in_its_bin_and_wave():
    values = np.zeros((3, 2, 2250), dtype=np.float32)
    values[1, 1, 50] = 3.0  # second crop starts 0.5 s into the window: 2 + 0.5 + 0.2 s
    found = roll_up(values, LEADS, WINDOW, beats())
    assert found.start_s == 2.0
    assert found.bins.shape == (2, 250)
    assert np.argwhere(found.bins).tolist() == [[1, 17]]
    assert found.bins[1, 17] == pytest.approx(1.0)
    assert np.argwhere(found.waves.values).tolist() == [[1, WAVE_COLUMNS.index("QRS")]]


@pytest.mark.parametrize("n_samples", [4500, 4823, 5000])
def test_both_sum_to_the_mean_over_crops(rng, n_samples):
    values = rng.normal(size=(3, 2, 2250)).astype(np.float32)
    window = ScoredWindow(7, 7 + n_samples, 0, 0, False, 500.0)
    found = roll_up(values, LEADS, window, beats())
    by_lead = values.astype(np.float64).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(found.bins.sum(axis=1), by_lead, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.waves.values.sum(axis=1), by_lead, rtol=0, atol=1e-10)
    assert found.bins.shape[1] == int(np.ceil(n_samples / 500 / BIN_S))


def test_crops_start_where_they_were_cut():
    times = crop_times_s(ScoredWindow(10, 10 + 4823, 0, 0, False, 500.0), 2250)
    # 0.646 s are left over 9 s; the half of it is 0.323 s, sample 161.5, cut at sample 162
    np.testing.assert_allclose(times[:, 0], [0.02, 0.02 + 162 / 500, 0.02 + 323 / 500])
    np.testing.assert_allclose(np.diff(times, axis=1), 0.004)


def test_another_number_of_leads_is_refused():
    with pytest.raises(InvalidValue, match="3 crops of 2 leads"):
        roll_up(np.zeros((3, 3, 2250)), LEADS, WINDOW, beats())
