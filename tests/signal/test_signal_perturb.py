"""Added noise is as loud as stated, lies where stated, and keeps the leads consistent."""

import numpy as np
import pytest
from scipy.signal import resample, welch

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import InvalidValue
from ecgdash.signal.perturb import at_rate, electrode_noise_mv

FS = 500.0
N = 5000


def _noise(level_uv=25.0, seed=7, leads=CANONICAL_LEADS):
    return dict(zip(leads, electrode_noise_mv(leads, N, FS, level_uv, seed), strict=True))


def test_the_level_is_the_root_mean_square_of_the_limb_leads():
    found = _noise()
    for lead in ("I", "II", "III"):
        assert np.sqrt(np.mean(found[lead] ** 2)) == pytest.approx(0.025, rel=1e-6)
    # independent electrodes of variance 1/2: aVR has 1 + 1/4 + 1/4, a chest lead 1 + 3/9
    assert np.sqrt(np.mean(found["aVR"] ** 2)) == pytest.approx(0.025 * np.sqrt(1.5 / 2), rel=1e-6)
    assert np.sqrt(np.mean(found["V3"] ** 2)) == pytest.approx(
        0.025 * np.sqrt((4 / 3) / 2), rel=1e-6
    )


def test_the_leads_obey_einthoven_and_goldberger():
    found = _noise()
    np.testing.assert_allclose(found["I"] + found["III"], found["II"], atol=1e-12)
    np.testing.assert_allclose(found["aVR"], -(found["I"] + found["II"]) / 2, atol=1e-12)
    np.testing.assert_allclose(found["aVL"], (found["I"] - found["III"]) / 2, atol=1e-12)
    np.testing.assert_allclose(found["aVF"], (found["II"] + found["III"]) / 2, atol=1e-12)


def test_it_lies_within_the_band_and_half_of_it_is_flat():
    rows = np.concatenate([list(_noise(seed=seed).values()) for seed in range(20)])
    hz, power = welch(rows, FS, nperseg=2500, axis=-1)
    mean = power.mean(axis=0)
    assert mean[hz > 41].sum() / mean.sum() < 1e-3
    # white: 1/2 over 39.33 Hz; muscle: 1/2 spread as 1 / (1 + (15/f)^4), by hand over the band
    grid = np.arange(0.7, 40.0, 0.1)
    muscle = 1 / (1 + (15 / grid) ** 4)
    expected = 0.5 * (grid < 10).mean() + 0.5 * muscle[grid < 10].sum() / muscle.sum()
    assert mean[hz < 10].sum() / mean.sum() == pytest.approx(expected, abs=0.03)


def test_it_repeats_and_only_grows_with_the_level():
    np.testing.assert_array_equal(_noise()["V2"], _noise()["V2"])
    np.testing.assert_allclose(_noise(50.0)["V2"], 5 * _noise(10.0)["V2"], rtol=1e-12)
    assert not np.allclose(_noise(seed=8)["V2"], _noise(seed=7)["V2"])
    assert not np.any(_noise(0.0)["I"])


def test_fewer_leads_carry_the_same_noise():
    np.testing.assert_array_equal(_noise(leads=("I",))["I"], _noise()["I"])


def test_what_cannot_be_made_is_refused():
    with pytest.raises(InvalidValue, match="0 or more"):
        _noise(-1.0)
    with pytest.raises(InvalidValue, match="lead 'X'"):
        _noise(leads=("X",))
    with pytest.raises(InvalidValue, match="at least 2 s"):
        electrode_noise_mv(("I",), 900, FS, 10.0, 1)
    with pytest.raises(InvalidValue, match="above 0"):
        at_rate(np.zeros((1, 10)), 0.0, 250.0)


def test_its_own_rate_changes_nothing(rng):
    signal = rng.standard_normal((2, N)).astype(np.float32)
    assert at_rate(signal, FS, 500.0) is signal


def test_another_rate_is_the_band_limited_signal_there():
    t = np.arange(N) / FS
    # whole periods, so that Fourier resampling is exact
    signal = np.stack([np.sin(2 * np.pi * 5 * t), np.cos(2 * np.pi * 23 * t)]) + 0.4
    expected = resample(signal, N // 2, axis=-1)
    found = at_rate(signal, FS, 250.0)
    assert found.shape == (2, N // 2)
    np.testing.assert_allclose(found[:, 50:-50], expected[:, 50:-50], atol=2e-3)
