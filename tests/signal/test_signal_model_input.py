"""Crops for external networks: against numpy's and scipy's own functions, and by hand."""

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from ecgdash.signal.model_input import InputRules, mean_magnitude, model_crops

RNG = np.random.default_rng(8)
SIGNAL = RNG.standard_normal((2, 5000))


def rules(**changed):
    made = {
        "sampling_hz": 250.0,
        "n_samples": 2500,
        "resampling": "polyphase",
        "band_hz": None,
        "crops": "first",
        "if_short": "zeros",
    }
    return InputRules(**{**made, **changed})


def test_linear_is_numpys_interpolation_over_the_whole_record():
    found = model_crops(SIGNAL, 500.0, rules(resampling="linear"))
    ends = np.linspace(0, 1, 2500), np.linspace(0, 1, 5000)
    np.testing.assert_allclose(found[0, 1], np.interp(*ends, SIGNAL[1]), atol=1e-12)


def test_polyphase_then_band_are_scipys():
    found = model_crops(SIGNAL, 500.0, rules(band_hz=(0.67, 40.0)))
    plain = resample_poly(SIGNAL, 1, 2, axis=-1, padtype="line")
    sos = butter(4, (0.67, 40.0), "bandpass", fs=250.0, output="sos")
    np.testing.assert_allclose(found[0], sosfiltfilt(sos, plain, axis=-1), atol=1e-12)


def test_the_right_rate_is_left_alone_bit_by_bit():
    np.testing.assert_array_equal(
        model_crops(SIGNAL[:, :2500], 250.0, rules())[0], SIGNAL[:, :2500]
    )


@pytest.mark.parametrize(
    ("crops", "starts"), [("first", [0]), ("centre", [125]), ("three", [0, 125, 250])]
)
def test_crops_start_where_their_name_says(crops, starts):
    found = model_crops(SIGNAL[:, :2500], 250.0, rules(crops=crops, n_samples=2250))
    expected = [SIGNAL[:, start : start + 2250] for start in starts]
    np.testing.assert_array_equal(found, np.stack(expected))


@pytest.mark.parametrize(("if_short", "filled"), [("zeros", 0.0), ("hold", SIGNAL[1, 2399])])
def test_a_short_record_is_filled_at_its_end(if_short, filled):
    found = model_crops(SIGNAL[:, :2400], 250.0, rules(if_short=if_short))[0]
    np.testing.assert_array_equal(found[:, :2400], SIGNAL[:, :2400])
    assert set(found[1, 2400:].tolist()) == {filled}
    assert found.shape == (2, 2500)


def test_the_mean_magnitude_of_a_cosine_by_hand():
    # amplitude 2, 5 whole periods in 100 samples: two bins of 2 * 100 / 2, 98 of zero
    wave = 2 * np.cos(2 * np.pi * 5 * np.arange(100) / 100)
    assert mean_magnitude(wave) == pytest.approx(2 * 100 / 100, abs=1e-12)
