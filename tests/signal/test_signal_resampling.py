"""Whole windows at the networks' rate."""

import numpy as np
import pytest

from ecgdash.signal.preprocess import preprocess_crops
from ecgdash.signal.resampling import at_model_rate


@pytest.mark.parametrize("sampling_hz", [257.0, 360.0, 500.0, 1000.0])
def test_a_sine_stays_the_same_sine(sampling_hz):
    t = np.arange(round(10 * sampling_hz)) / sampling_hz
    out = at_model_rate(np.sin(2 * np.pi * 7.0 * t)[np.newaxis], sampling_hz)[0]
    assert out.shape == (2500,)
    exact = np.sin(2 * np.pi * 7.0 * np.arange(2500) / 250.0)
    np.testing.assert_allclose(out[100:-100], exact[100:-100], atol=2e-3)


def test_250_hz_is_left_as_it_is(rng):
    signal = rng.normal(size=(12, 2437)).astype(np.float32)
    np.testing.assert_array_equal(at_model_rate(signal, 250.0), signal)


def test_never_less_than_a_crop_and_never_more_than_ten_seconds(rng):
    assert at_model_rate(rng.normal(size=(1, 3236)), 359.6).shape[-1] == 2250  # 8.9989 s
    assert at_model_rate(rng.normal(size=(1, 3597)), 359.6).shape[-1] == 2500


@pytest.mark.parametrize("sampling_hz", [500.0, 1000.0])
def test_cut_later_is_cut_first(rng, sampling_hz):
    """The engine's three crops of a noisy recording, but for the filter's reach at their ends."""
    n = round(10 * sampling_hz)
    t = np.arange(n) / sampling_hz
    beats = np.exp(-0.5 * (((t % 0.8) - 0.4) / 0.02) ** 2)
    signal = np.stack([beats + 0.3 * np.sin(t), -beats]) + rng.normal(0, 0.02, (2, n))
    first = preprocess_crops(signal, sampling_hz)
    later = preprocess_crops(at_model_rate(signal, sampling_hz), 250.0)
    np.testing.assert_allclose(later[..., 100:-100], first[..., 100:-100], atol=0.002)
    assert np.abs(later - first).max() < 0.1
