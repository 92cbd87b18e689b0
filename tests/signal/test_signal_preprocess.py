import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from ecgdash.errors import InputDoesNotFitModel, InvalidValue
from ecgdash.signal.preprocess import (
    crop_starts_s,
    preprocess_batch,
    preprocess_crops,
    preprocess_window,
)


def test_crops_equal_the_recipe_worked_out_step_by_step(rng):
    signal = rng.normal(size=(2, 4900))  # 9.8 s at 500 Hz
    sos = butter(4, (0.67, 40), "bandpass", fs=250, output="sos")
    for crop, first in zip(preprocess_crops(signal, 500.0), (0, 200, 400), strict=True):
        piece = resample_poly(signal[:, first : first + 4500], 1, 2, axis=-1, padtype="line")
        np.testing.assert_allclose(crop, sosfiltfilt(sos, piece, axis=-1), atol=1e-6)


def test_only_the_first_ten_seconds_count(rng):
    signal = rng.normal(size=(1, 30 * 250))
    assert crop_starts_s(30.0) == (0.0, 0.5, 1.0)
    np.testing.assert_array_equal(
        preprocess_crops(signal, 250.0), preprocess_crops(signal[:, :2500], 250.0)
    )


@pytest.mark.parametrize("hz", [250.0, 500.0, 360.0])
def test_a_record_gives_the_same_alone_and_in_any_batch(rng, hz):
    signals = rng.normal(size=(9, 3, round(10 * hz))).astype(np.float32)
    together = preprocess_batch(signals, hz)
    backwards = preprocess_batch(signals[::-1], hz)[::-1]
    for row in range(len(signals)):
        alone = preprocess_crops(signals[row], hz)
        np.testing.assert_allclose(together[row], alone, atol=1e-6)
        np.testing.assert_allclose(backwards[row], alone, atol=1e-6)


@pytest.mark.parametrize("hz", [128.0, 250.0, 257.0, 360.0, 500.0, 977.0, 999.56, 1000.0])
def test_every_rate_gives_2250_samples_and_keeps_a_wave_in_the_band(hz):
    time_s = np.arange(round(10 * hz)) / hz
    crops = preprocess_crops(np.sin(2 * np.pi * 10 * time_s)[np.newaxis], hz)
    assert crops.shape == (3, 1, 2250)
    assert crops.dtype == np.float32
    middle = np.arange(500, 1750) / 250.0
    np.testing.assert_allclose(crops[0, 0, 500:1750], np.sin(2 * np.pi * 10 * middle), atol=0.03)


def test_offset_wander_and_mains_are_taken_out_and_amplitude_is_kept():
    time_s = np.arange(5000) / 500.0
    offset, wander = 3.0, 0.5 * np.sin(2 * np.pi * 0.15 * time_s)
    mains = 0.2 * np.sin(2 * np.pi * 60 * time_s)
    beat = np.exp(-(((time_s % 0.8) - 0.4) ** 2) / (2 * 0.02**2))
    crop = preprocess_crops((offset + wander + mains + beat)[np.newaxis], 500.0)[0, 0, 500:1750]
    clean = preprocess_crops(beat[np.newaxis], 500.0)[0, 0, 500:1750]
    np.testing.assert_allclose(crop, clean, atol=0.02)
    double = preprocess_crops(2 * beat[np.newaxis], 500.0)[0, 0, 500:1750]
    np.testing.assert_allclose(double, 2 * clean, atol=1e-5)


def test_a_window_starts_where_it_is_told(rng):
    signals = rng.normal(size=(6, 2, 2500)).astype(np.float32)
    windows = preprocess_window(signals, 250.0, np.array([0.0, 0.5, 1.0, 0.0, 0.5, 1.0]))
    crops = preprocess_batch(signals, 250.0)
    for row in range(6):
        np.testing.assert_allclose(windows[row], crops[row, row % 3], atol=1e-6)


def test_too_short_a_record_is_refused():
    with pytest.raises(InputDoesNotFitModel, match="8.90 s long"):
        preprocess_crops(np.zeros((12, 2225)), 250.0)
    with pytest.raises(InputDoesNotFitModel, match="from 1.50 s on"):
        preprocess_window(np.zeros((1, 12, 2500)), 250.0, np.array([1.5]))


def test_a_wrong_shape_or_count_is_refused():
    with pytest.raises(InvalidValue):
        preprocess_batch(np.zeros((12, 2500)), 250.0)
    with pytest.raises(InvalidValue, match="2 starts for 1 records"):
        preprocess_window(np.zeros((1, 12, 2500)), 250.0, np.zeros(2))
