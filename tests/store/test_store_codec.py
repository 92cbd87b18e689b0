"""Waveforms read back as decision 13 promises, for all signals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecgdash.domain.ecg import content_hash
from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.store.codec import FLOAT32, INT16, EncodedWaveform, decode, encode

HALF_UV_IN_MV = 0.0005
FLOAT32_ROUNDING_MV = 2e-6

shapes = st.tuples(st.integers(1, 3), st.integers(1, 60))
millivolts = st.floats(-32, 32, width=32) | st.just(float("nan"))


def there_and_back(signal, lsb_uv=None):
    encoded = encode(signal, lsb_uv)
    return encoded, decode(encoded, *signal.shape)


@given(hnp.arrays(np.float32, shapes, elements=millivolts))
@settings(max_examples=200)
def test_any_signal_in_range_is_at_most_half_a_microvolt_off(signal):
    encoded, decoded = there_and_back(signal)
    assert encoded.codec == INT16
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(decoded), np.isnan(signal))
    error = np.abs(decoded.astype(np.float64) - signal.astype(np.float64))
    assert np.nanmax(error, initial=0.0) <= HALF_UV_IN_MV + FLOAT32_ROUNDING_MV


@given(
    hnp.arrays(np.int16, shapes, elements=st.integers(-32767, 32767)),
    st.sampled_from([4.88, 2.5, 5.0, 1.0, 0.5, 4.8828125, 3.33, 10.0]),
    st.data(),
)
@settings(max_examples=200)
def test_a_known_step_reproduces_every_sample(counts, lsb_uv, data):
    signal = (counts.astype(np.float64) * lsb_uv / 1000.0).astype(np.float32)
    missing = data.draw(hnp.arrays(np.bool_, signal.shape))
    signal[missing] = np.nan
    _, decoded = there_and_back(signal, (lsb_uv,) * len(signal))
    np.testing.assert_array_equal(decoded, signal)


@given(
    hnp.arrays(np.float32, shapes, elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan)),
    st.none() | st.sampled_from([4.88, 1.0]),
)
@settings(max_examples=200)
def test_the_content_hash_stays(signal, lsb_uv):
    leads = CANONICAL_LEADS[: len(signal)]
    steps = None if lsb_uv is None else (lsb_uv,) * len(signal)
    _, decoded = there_and_back(signal, steps)
    assert content_hash(decoded, leads, 500.0) == content_hash(signal, leads, 500.0)


def test_beyond_int16_nothing_is_lost():
    signal = np.array([[0.0, 51.2345, np.nan, -1e5]], dtype=np.float32)
    encoded, decoded = there_and_back(signal)
    assert encoded.codec == FLOAT32
    np.testing.assert_array_equal(decoded, signal)


def test_a_wrong_step_is_not_believed():
    signal = np.array([[0.001, 0.0017, -0.0004]], dtype=np.float32)
    encoded, decoded = there_and_back(signal, (4.88,))
    assert encoded.steps_uv == (1.0,)
    assert np.abs(decoded - signal).max() <= HALF_UV_IN_MV + FLOAT32_ROUNDING_MV


def test_steps_may_differ_between_leads():
    signal = np.array([[0.00488, -0.00976], [0.0025, 0.005]], dtype=np.float32)
    encoded, decoded = there_and_back(signal, (4.88, 2.5))
    assert encoded.steps_uv == (4.88, 2.5)
    np.testing.assert_array_equal(decoded, signal)


def test_an_ordinary_ecg_shrinks_to_less_than_half_of_its_int16(rng):
    t = np.arange(5000) / 500
    signal = np.stack([np.sin(2 * np.pi * (1 + lead) * t) for lead in range(12)])
    signal = (signal + rng.normal(scale=0.005, size=signal.shape)).astype(np.float32)
    assert len(encode(signal).data) < 12 * 5000 * 2 / 2


def test_an_unknown_codec_is_refused():
    import zlib

    with pytest.raises(ValueError, match="unknown waveform codec 'i17'"):
        decode(EncodedWaveform("i17", (1.0,), zlib.compress(b"00")), 1, 1)
