"""Parts of a recording: they hold all of it once, and a filter joins them without a step."""

import numpy as np
import pytest

from ecgdash.domain import EcgRecord
from ecgdash.services.ecg_views import Part, draw_part, mains_in, part_holding, parts_of
from ecgdash.signal.display_filter import DisplayFilter, Mains, display_filtered


def record(seconds, hz=250.0):
    time_s = np.arange(round(seconds * hz)) / hz
    wave = np.sin(2 * np.pi * 1.2 * time_s) + 2.0 * np.sin(2 * np.pi * 0.02 * time_s)
    noise = 0.05 * np.random.default_rng(5).standard_normal((2, time_s.size))
    return EcgRecord((wave + noise).astype(np.float32), ("I", "II"), hz)


def test_what_fits_one_sheet_is_one_part():
    assert parts_of(10.0, 14.2) == (Part(1, 1, 0.0, 10.0),)


def test_parts_follow_each_other_in_whole_seconds_and_hold_all():
    parts = parts_of(65.3, 14.2)
    assert [(part.start_s, part.stop_s) for part in parts] == [
        (0.0, 14.0),
        (14.0, 28.0),
        (28.0, 42.0),
        (42.0, 56.0),
        (56.0, 65.3),
    ]
    assert [part.number for part in parts] == [1, 2, 3, 4, 5]
    assert {part.of for part in parts} == {5}


@pytest.mark.parametrize(
    ("window_s", "index"), [(None, 0), ((0.0, 10.0), 0), ((30.0, 40.0), 2), ((13.0, 23.0), 1)]
)
def test_the_first_part_shown_holds_most_of_what_was_scored(window_s, index):
    assert part_holding(parts_of(65.3, 14.2), window_s) == index


@pytest.mark.parametrize("chosen", [DisplayFilter(), DisplayFilter((0.5, 40.0), 50.0)])
def test_parts_joined_are_the_whole_recording_filtered(chosen):
    long = record(65.3)
    drawn = [draw_part(long, part, chosen) for part in parts_of(long.duration_s, 14.2)]
    joined = np.concatenate([part.signal_mv for part in drawn], axis=1)
    whole = display_filtered(long.signal_mv, 250.0, chosen)
    assert joined.shape == whole.shape
    # what the filter loses by reading 4 s beyond a part and no further
    assert np.abs(joined - whole).max() < 0.0033
    assert [part.start_s for part in drawn] == [0.0, 14.0, 28.0, 42.0, 56.0]


def test_mains_are_sought_in_what_was_scored():
    clean = record(40.0, 500.0)
    time_s = np.arange(clean.n_samples) / 500.0
    hum = np.where(time_s >= 20.0, 0.05 * np.sin(2 * np.pi * 60.0 * time_s), 0.0)
    noisy = EcgRecord((clean.signal_mv + hum).astype(np.float32), clean.leads, 500.0)
    assert mains_in(noisy, None) == Mains(50.0, seen=False)
    assert mains_in(noisy, (25.0, 35.0)) == Mains(60.0, seen=True)
