import numpy as np
import pytest

from ecgdash.signal.noise import lead_noise

TIME_S = np.arange(5000) / 500.0


def test_white_noise_gives_its_own_size(rng):
    """A mean of 12 samples taken off leaves 11/12 of white noise's power."""
    noise = lead_noise(rng.normal(0, 0.1, size=(4, 5000)), 500.0)
    assert noise.noise_mv == pytest.approx(0.1 * np.sqrt(11 / 12), rel=0.05)


def test_a_beat_is_no_noise_and_no_baseline():
    beat = np.exp(-(((TIME_S % 0.8) - 0.4) ** 2) / (2 * 0.012**2))
    noise = lead_noise(beat[np.newaxis], 500.0)
    assert noise.noise_mv[0] < 0.001
    assert noise.wander_mv[0] < 0.001


def test_wander_and_step_in_millivolts():
    slow = 1.5 * np.sin(2 * np.pi * 0.1 * TIME_S)
    step = np.where(TIME_S < 5.0, 0.0, 2.0)
    noise = lead_noise(np.stack([slow, step]), 500.0)
    assert noise.wander_mv == pytest.approx([3.0, 2.0], rel=0.05)
    assert noise.step_mv[0] < 0.5
    assert noise.step_mv[1] == pytest.approx(2.0)
