"""Filters for display, against scipy's own frequency response and signals known exactly."""

import numpy as np
import pytest
from scipy.signal import freqz_sos

from ecgdash.signal.display_filter import (
    DISPLAY_BANDS,
    DRAWN_HZ,
    DisplayFilter,
    Mains,
    at_drawing_rate,
    display_filtered,
    mains_of,
    sections,
)

DIAGNOSTIC, MONITOR = DISPLAY_BANDS[1:]


def both_passes_db(chosen, sampling_hz, at_hz):
    """Return scipy's response of one pass, twice, decibels."""
    rows = sections(chosen, sampling_hz)
    _, response = freqz_sos(rows, worN=np.atleast_1d(at_hz), fs=sampling_hz)
    return 40.0 * np.log10(np.maximum(np.abs(response), 1e-12))


def sine(at_hz, sampling_hz, seconds=60.0):
    t = np.arange(round(seconds * sampling_hz)) / sampling_hz
    return np.sin(2 * np.pi * at_hz * t)[None].astype(np.float32)


@pytest.mark.parametrize("sampling_hz", [360.0, 500.0, 1000.0])
@pytest.mark.parametrize("band", [DIAGNOSTIC, MONITOR])
def test_both_passes_lose_3_db_at_the_ends_that_the_label_names(band, sampling_hz):
    at_ends = both_passes_db(DisplayFilter(band), sampling_hz, band)
    assert at_ends == pytest.approx([-3.01, -3.01], abs=0.02)
    inside = both_passes_db(DisplayFilter(band), sampling_hz, [4 * band[0], band[1] / 4])
    assert (inside > -0.05).all()
    assert both_passes_db(DisplayFilter(band), sampling_hz, band[0] / 10)[0] < -60


@pytest.mark.parametrize("at_hz", [0.5, 1.0, 10.0, 25.0, 40.0, 80.0])
def test_a_sine_comes_out_as_the_response_says_and_in_phase(at_hz):
    chosen = DisplayFilter(MONITOR)
    wave = sine(at_hz, 500.0)
    out = display_filtered(wave, 500.0, chosen)
    middle = slice(10_000, 20_000)
    gain = float((out[0, middle] @ wave[0, middle]) / (wave[0, middle] @ wave[0, middle]))
    expected = 10 ** (both_passes_db(chosen, 500.0, at_hz)[0] / 20)
    assert gain == pytest.approx(expected, abs=2e-3)
    # what is left after the in-phase part would be a shift in time
    assert np.abs(out[0, middle] - gain * wave[0, middle]).max() < 3e-3


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_the_notch_is_2_hz_wide_and_leaves_the_rest(mains_hz):
    chosen = DisplayFilter(mains_hz=mains_hz)
    at = [mains_hz - 1.0, mains_hz, mains_hz + 1.0, mains_hz - 10.0, mains_hz + 10.0]
    loss = both_passes_db(chosen, 500.0, at)
    assert loss[[0, 2]] == pytest.approx([-3.0, -3.0], abs=0.15)
    assert loss[1] < -100
    assert (loss[3:] > -0.1).all()


def test_an_offset_and_a_spike_at_the_very_end_leave_no_baseline():
    signal = np.full((1, 5000), 3.0, dtype=np.float32)
    signal[0, -5:] = 5.0  # a QRS complex cut by the end
    out = display_filtered(signal, 500.0, DisplayFilter(DIAGNOSTIC))
    assert np.abs(out[0, :-50]).max() < 0.05


def test_gaps_stay_gaps_and_spread_nowhere():
    signal = sine(10.0, 500.0, 10.0)
    signal[0, 2000:2200] = np.nan
    twice = np.concatenate([signal, np.full_like(signal, np.nan)])
    kept = twice.copy()
    out = display_filtered(twice, 500.0, DisplayFilter(MONITOR, 50.0))
    assert np.array_equal(np.isnan(out), np.isnan(kept))
    assert np.array_equal(twice, kept, equal_nan=True)
    whole = display_filtered(sine(10.0, 500.0, 10.0), 500.0, DisplayFilter(MONITOR, 50.0))
    far = np.r_[0:1800, 2400:5000]
    assert np.abs(out[0, far] - whole[0, far]).max() < 0.02


def test_as_recorded_is_the_very_signal():
    signal = sine(10.0, 500.0, 2.0)
    assert DisplayFilter().is_off
    assert display_filtered(signal, 500.0, DisplayFilter()) is signal


def test_bounds_that_the_recording_does_not_reach_are_left_out():
    assert len(sections(DisplayFilter((0.05, 150.0)), 250.0)) == 1  # the high-pass alone
    assert len(sections(DisplayFilter(mains_hz=50.0), 100.0)) == 0


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_mains_are_found_by_their_line(mains_hz):
    noise = 0.02 * np.random.default_rng(1).standard_normal((3, 5000)).astype(np.float32)
    assert mains_of(noise, 500.0) == Mains(50.0, seen=False)
    assert mains_of(noise + 0.02 * sine(mains_hz, 500.0, 10.0), 500.0) == Mains(mains_hz, seen=True)
    assert mains_of(noise[:, :1000], 100.0) is None


@pytest.mark.parametrize("sampling_hz", [1000.0, 512.0, 2000.0])
def test_a_fast_recording_is_drawn_at_500_hz_with_its_gaps(sampling_hz):
    signal = sine(10.0, sampling_hz, 10.0)
    n = signal.shape[1]
    gap = slice(n // 2, n // 2 + round(0.2 * sampling_hz))
    signal[0, gap] = np.nan
    out, rate = at_drawing_rate(signal, sampling_hz)
    assert rate == DRAWN_HZ
    expected = sine(10.0, 500.0, 10.0)[0]
    at_s = np.arange(out.shape[1]) / 500.0
    absent = (at_s > gap.start / sampling_hz - 1e-9) & (at_s < (gap.stop - 1) / sampling_hz + 1e-9)
    assert np.isnan(out[0, absent]).all()
    clear = (np.abs(at_s - 5.1) > 0.2) & (at_s > 0.1) & (at_s < 9.9)
    assert np.abs(out[0, clear] - expected[: len(at_s)][clear]).max() < 0.02
    slow, same = at_drawing_rate(sine(10.0, 250.0, 1.0), 250.0)
    assert (slow.shape[1], same) == (250, 250.0)
