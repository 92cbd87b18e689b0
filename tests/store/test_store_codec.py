"""Waveforms read back as decision 13 promises, for all signals."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecgdash.domain.ecg import content_hash
from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.store.codec import DELTA_INT16, FLOAT32, INT16, EncodedWaveform, decode, encode

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


def as_earlier_versions_wrote(counts):
    """First differences, low bytes before high bytes, zlib's level 6."""
    deltas = np.diff(counts.view(np.uint16), axis=1, prepend=np.uint16(0))
    planes = np.stack([deltas & np.uint16(0xFF), deltas >> np.uint16(8)]).astype(np.uint8)
    return zlib.compress(planes.tobytes(), 6)


@given(hnp.arrays(np.int16, shapes), st.sampled_from([4.88, 1.0]))
@settings(max_examples=200)
def test_a_row_of_an_earlier_version_decodes_to_the_same_samples(counts, step):
    signal = (counts.astype(np.float64) * step / 1000.0).astype(np.float32)
    signal[counts == -32768] = np.nan
    steps = (step,) * len(counts)
    old = EncodedWaveform(DELTA_INT16, steps, as_earlier_versions_wrote(counts))
    np.testing.assert_array_equal(decode(old, *counts.shape), signal)
    np.testing.assert_array_equal(decode(encode(signal, steps), *counts.shape), signal)


def test_the_steepest_jumps_wrap_and_come_back():
    signal = np.array([[32.767, -32.767, np.nan, 32.767, 0.0, -32.767]], dtype=np.float32)
    encoded, decoded = there_and_back(signal)
    assert encoded.codec == INT16
    np.testing.assert_array_equal(decoded, signal)


def test_one_lead_whose_step_is_wrong_does_not_change_the_others():
    signal = np.array([[0.00488, -0.00976], [0.001, 0.0017], [161.0, 0.0]], dtype=np.float32)
    encoded, decoded = there_and_back(signal, (4.88, 4.88, 1000.0))
    assert encoded.steps_uv == (4.88, 1.0, 1000.0)
    np.testing.assert_array_equal(decoded[[0, 2]], signal[[0, 2]])


def test_steps_that_do_not_fit_the_leads_are_refused():
    encoded = encode(np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="2 steps for 3 leads"):
        decode(encoded, 3, 2)


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
    with pytest.raises(ValueError, match="unknown waveform codec 'i17'"):
        decode(EncodedWaveform("i17", (1.0,), zlib.compress(b"00")), 1, 1)
