import numpy as np
import pytest

from ecgdash.signal.window import scored_window


def recording(rng, seconds, hz=500, leads=3):
    return rng.normal(0, 0.05, size=(leads, round(seconds * hz)))


def of(window):
    return window.start, window.stop, window.trimmed_start, window.trimmed_stop, window.chosen


@pytest.mark.parametrize("seconds", [9.0, 9.5, 10.0])
def test_a_record_of_at_most_ten_seconds_is_taken_whole(rng, seconds):
    window = scored_window(recording(rng, seconds), 500.0)
    assert of(window) == (0, round(seconds * 500), 0, 0, False)
    assert window.seconds == (0.0, seconds)


def test_under_eleven_seconds_the_first_ten_are_taken(rng):
    assert of(scored_window(recording(rng, 10.9), 500.0)) == (0, 5000, 0, 0, False)


@pytest.mark.parametrize("value", [0.0, 0.7, np.nan])
def test_still_ends_are_trimmed(rng, value):
    signal = recording(rng, 10.0)
    signal[:, :100] = value
    signal[:, -50:] = value
    # 0.04 s beside each are trimmed too
    assert of(scored_window(signal, 500.0)) == (120, 4930, 120, 70, False)


def test_the_end_is_trimmed_only_where_all_leads_stand_still(rng):
    signal = recording(rng, 10.0)
    signal[:2, -50:] = 0.0
    assert of(scored_window(signal, 500.0)) == (0, 5000, 0, 0, False)


def test_a_stand_of_less_than_60_ms_is_no_padding(rng):
    signal = recording(rng, 10.0)
    signal[:, -28:] = 0.0
    assert of(scored_window(signal, 500.0)) == (0, 5000, 0, 0, False)


def test_a_smeared_step_to_the_held_value_goes_with_it(rng):
    """As at the end of PTB-XL at 500 Hz: 0.1 s of one value, and 30 ms of step before it."""
    signal = recording(rng, 10.0) - 2.0
    signal[:, -50:] = 0.0
    signal[:, -65:-50] = np.linspace(-2.0, 0.0, 15, endpoint=False)
    window = scored_window(signal, 500.0)
    assert signal[:, window.slice].max() < -1.5
    assert window.stop == 4930


def test_a_flat_line_is_not_trimmed_away(rng):
    assert of(scored_window(np.zeros((3, 5000)), 500.0)) == (0, 5000, 0, 0, False)
    disturbed = np.zeros((3, 5000))
    disturbed[:, 2000:2400] = recording(rng, 0.8)
    assert of(scored_window(disturbed, 500.0)) == (0, 5000, 0, 0, False)


def test_zeros_after_a_short_tracing_leave_its_own_length(rng):
    signal = np.zeros((3, 4096))
    signal[:, 600:-600] = recording(rng, 2896 / 400, 400)
    window = scored_window(signal, 400.0)
    assert (window.trimmed_start, window.trimmed_stop) == (616, 616)
    assert window.stop - window.start == 2896 - 32


def test_the_window_with_the_fewest_faults_is_chosen(rng):
    signal = recording(rng, 30.0)
    signal[1, 2000:2500] = 0.0  # second 4 of one lead
    signal[:, 8000:8400] += 40.0  # second 16 of all leads
    window = scored_window(signal, 500.0)
    assert window.chosen
    assert window.start >= 17 * 500
    assert window.stop - window.start == 5000
    signal[2, 12000:12500] = np.nan  # second 24: the early fault is now the lesser
    assert scored_window(signal, 500.0).seconds == (5.0, 15.0)


def test_among_equal_windows_the_quietest_then_the_earliest(rng):
    signal = np.tile(recording(rng, 1.0), 30)
    assert scored_window(signal, 500.0).seconds == (0.0, 10.0)
    signal[:, :2000] += rng.normal(0, 0.2, size=(3, 2000))
    assert scored_window(signal, 500.0).seconds[0] == 4.0


def test_the_window_depends_on_nothing_else(rng):
    signal = recording(rng, 40.0)
    assert scored_window(signal, 500.0) == scored_window(signal.copy(), 500.0)


def test_at_1000_hz_and_odd_rates(rng):
    assert of(scored_window(recording(rng, 10.0, 1000), 1000.0)) == (0, 10000, 0, 0, False)
    window = scored_window(recording(rng, 30.0, 360.5), 360.5)
    assert window.stop - window.start == 3605


@pytest.mark.parametrize("hz", [0.5, 1.0, 9.4, 100.0, 359.6, 360.4, 511.844])
@pytest.mark.parametrize("n", [1, 2, 40, 3956, 4000, 9001])
def test_any_rate_and_length_gives_a_window_inside_the_recording(rng, hz, n):
    window = scored_window(rng.normal(size=(2, n)), hz)
    assert 0 <= window.start < window.stop <= n
    assert window.stop - window.start == min(n, int(np.ceil(10 * hz)))
