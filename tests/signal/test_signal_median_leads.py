"""Median beats of two records lie together: same leads, rate and place, whatever was recorded."""

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.signal.leads import derive_limb_leads
from ecgdash.signal.median_leads import AFTER_S, BEAT_HZ, BEFORE_S, lead_beat

# A heart made of five waves: (time from QRS onset in s, width in s, mV in I, II, V1..V6)
WAVES = (
    (-0.12, 0.018, (0.08, 0.12, 0.05, 0.06, 0.06, 0.07, 0.07, 0.06)),
    (0.015, 0.007, (-0.05, -0.05, 0.2, 0.25, 0.1, -0.05, -0.1, -0.1)),
    (0.042, 0.010, (0.7, 0.9, -0.2, 0.2, 0.8, 1.4, 1.3, 1.0)),
    (0.070, 0.009, (-0.1, -0.15, -0.9, -1.3, -0.7, -0.4, -0.2, -0.1)),
    (0.27, 0.040, (0.2, 0.3, -0.05, 0.3, 0.35, 0.3, 0.3, 0.25)),
)


def twelve(time_s, onsets_s):
    eight = np.zeros((8, time_s.size))
    for onset in onsets_s:
        for at, width, size in WAVES:
            eight += np.outer(size, np.exp(-((time_s - onset - at) ** 2) / (2 * width**2)))
    return np.concatenate([derive_limb_leads(eight[0], eight[1]), eight[2:]])


def record(sampling_hz, *, leads=CANONICAL_LEADS, seed=0, shift_s=0.0):
    time_s = np.arange(round(10 * sampling_hz)) / sampling_hz
    signal = twelve(time_s, 0.5 + shift_s + 0.8 * np.arange(12))
    signal += np.random.default_rng(seed).normal(0, 0.003, signal.shape)
    held = [CANONICAL_LEADS.index(name) for name in leads]
    return EcgRecord(signal[held].astype(np.float32), leads, sampling_hz)


@pytest.mark.parametrize("sampling_hz", [250.0, 360.0, 500.0, 1000.0])
def test_the_beat_is_the_one_that_was_drawn(sampling_hz):
    beat = lead_beat(record(sampling_hz))
    assert beat.leads == CANONICAL_LEADS
    assert beat.mv.shape[1] == round((BEFORE_S + AFTER_S) * BEAT_HZ) + 1
    assert beat.n_beats >= 10
    at_s = np.arange(beat.mv.shape[1]) / BEAT_HZ - beat.centre_s
    # where in the drawn beat the middle of the complex was put, to the nearest half sample
    shifts = np.arange(0.02, 0.08, 0.0005)
    drawn = [twelve(at_s + shift, [0.0]) for shift in shifts]
    errors = [np.abs(beat.mv - one).max() for one in drawn]
    # 0.5 Hz high-pass and 3 uV of noise leave less than a quarter of a small square
    assert min(errors) < 0.06


def test_two_recordings_of_one_heart_lie_on_each_other():
    one, other = lead_beat(record(500.0)), lead_beat(record(250.0, seed=1, shift_s=0.123))
    assert one.mv.shape == other.mv.shape
    assert one.centre_s == other.centre_s
    steep = np.abs(np.gradient(one.mv, axis=1)).max()
    assert np.abs(one.mv - other.mv).max() < 2 * steep  # at most two samples, 4 ms, apart


def test_limb_leads_follow_from_two_and_missing_ones_stay_missing():
    whole = lead_beat(record(500.0))
    two = lead_beat(record(500.0, leads=("I", "II")))
    assert np.isnan(two.mv[6:]).all()
    place = [CANONICAL_LEADS.index(name) for name in ("I", "II", "III", "aVR", "aVL", "aVF")]
    assert np.isfinite(two.mv[place]).all()
    assert two.mv[2] == pytest.approx(two.mv[1] - two.mv[0], abs=1e-6)
    alone = lead_beat(record(500.0, leads=("I",)))
    assert np.isfinite(alone.mv[0]).all()
    assert np.isnan(alone.mv[1:]).all()
    assert np.isfinite(whole.mv).all()


def test_without_beats_or_millivolts_there_is_none():
    flat = EcgRecord(np.zeros((1, 5000), dtype=np.float32), ("I",), 500.0)
    assert lead_beat(flat) is None
    units = EcgRecord(record(500.0).signal_mv, CANONICAL_LEADS, 500.0, in_millivolts=False)
    assert lead_beat(units) is None
