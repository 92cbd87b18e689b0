import json
import struct

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.plots.sheets import (
    LARGEST_PAYLOAD_BYTES,
    BeatSheet,
    Overlay,
    Sheet,
    longest_part_s,
)
from ecgdash.ui.components import pack_beats, pack_sheet
from ecgdash.ui.components.packing import colour_scale


def sheet(signal_mv, leads=("I", "II"), **changes):
    values = {
        "key": "k",
        "leads": leads,
        "signal_mv": np.asarray(signal_mv, dtype=np.float32),
        "sampling_hz": 500.0,
        "start_s": 0.0,
        "shown_from_s": 0.0,
        "recording_s": 10.0,
        "in_millivolts": True,
        "title": "12 Nov 2026, woman, 71 y",
        "foot": "Display: as recorded",
        "alt": "ECG",
    }
    return Sheet(**(values | changes))


def opened(block):
    """Read a block as its format says, without the code that wrote it."""
    (length,) = struct.unpack_from("<I", block)
    return json.loads(block[4 : 4 + length]), block[4 + length :]


def test_samples_are_little_endian_microvolts_lead_after_lead():
    head, body = opened(pack_sheet(sheet([[0.001, -1.5], [np.nan, 40.0]])))
    assert struct.unpack("<4h", body) == (1, -1500, -32768, 32767)
    assert head["leads"] == ["I", "II"]
    assert head["n_samples"] == 2
    assert head["overlay"] is None


def test_colour_follows_as_bytes_of_the_printed_scale():
    overlay = Overlay(1.0, 0.04, np.array([[0.043, -0.05], [0.0, np.nan]], np.float32), "Title −")
    head, body = opened(pack_sheet(sheet([[0.0], [0.0]], overlay=overlay)))
    assert head["overlay"] == {
        "start_s": 1.0,
        "step_s": 0.04,
        "n_steps": 2,
        "scale": 0.05,
        "title": "Title −",
        "unit": "logit per 40 ms",
    }
    # 0.043 / 0.05 of 127 steps is 109.2.
    assert struct.unpack("<4b", body[4:]) == (109, -127, 0, 0)


@pytest.mark.parametrize(
    ("largest", "scale"),
    [
        (0.0, 0.0),
        (0.043, 0.05),
        (-0.3, 0.3),
        (0.31, 0.4),
        (0.98, 1.0),
        (12.0, 20.0),
        (0.002, 0.002),
    ],
)
def test_the_scale_of_few_values_is_the_largest_rounded_up_to_one_digit(largest, scale):
    assert colour_scale(np.array([[largest, 0.0, np.nan]], np.float32)) == scale


def test_one_hot_step_does_not_pale_the_others():
    values = np.full((2, 500), 0.02, np.float32)
    values[0, 7] = -0.9
    values = np.vstack([values, np.zeros((3, 500), np.float32)])  # leads the family does not hold
    assert colour_scale(values) == 0.02
    overlay = Overlay(0.0, 0.04, values, "T")
    _, body = opened(pack_sheet(sheet([[0.0]] * 5, ("I", "II", "V1", "V2", "V3"), overlay=overlay)))
    steps = np.frombuffer(body[10:], np.int8).reshape(values.shape)
    assert steps[0, 7] == -127
    assert steps[1, 7] == 127


def test_no_colour_at_all_is_packed_as_none():
    overlay = Overlay(0.0, 0.04, np.zeros((2, 3), np.float32), "T")
    head, body = opened(pack_sheet(sheet([[0.0], [0.0]], overlay=overlay)))
    assert head["overlay"]["scale"] == 0
    assert body[4:] == bytes(6)


@pytest.mark.parametrize("rr_s", [None, float("nan")])
def test_an_unknown_rr_is_null(rr_s):
    head, _ = opened(pack_sheet(sheet([[0.0], [0.0]], rr_s=rr_s)))
    assert head["rr_s"] is None


@pytest.mark.parametrize(
    ("leads", "sampling_hz"),
    [
        (CANONICAL_LEADS, 500.0),
        (CANONICAL_LEADS, 250.0),
        (CANONICAL_LEADS[:6], 500.0),
        (("I",), 300),
    ],
)
def test_the_longest_part_with_colour_stays_under_the_limit(leads, sampling_hz):
    seconds = longest_part_s(len(leads), sampling_hz)
    assert seconds >= 10.0
    signal = np.zeros((len(leads), int(seconds * sampling_hz)), np.float32)
    steps = np.full((len(leads), 225), 0.123, np.float32)
    overlay = Overlay(0.5, 0.04, steps, "What moved the recalibrated score since 28 Jan 2025")
    long = sheet(signal, leads, sampling_hz=sampling_hz, overlay=overlay, alt="x" * 1500)
    assert len(pack_sheet(long)) < LARGEST_PAYLOAD_BYTES


def test_a_standard_ecg_with_colour_stays_under_the_limit():
    overlay = Overlay(0.0, 0.04, np.full((12, 250), 0.1, np.float32), "T")
    signal = np.ones((12, 5000), np.float32)
    block = pack_sheet(sheet(signal, CANONICAL_LEADS, overlay=overlay))
    assert 120_000 < len(block) < LARGEST_PAYLOAD_BYTES


def test_beats_of_two_ecgs_need_not_be_of_one_length():
    beats = BeatSheet(
        key="k",
        leads=("I",),
        now_mv=np.array([[0.0, 1.0]], np.float32),
        earlier_mv=np.array([[0.5, np.nan, 0.25]], np.float32),
        sampling_hz=500.0,
        centre_s=0.3,
        now="12 Nov 2026",
        earlier="28 Jan 2025",
        alt="Median beats",
    )
    head, body = opened(pack_beats(beats))
    assert (head["n_samples"], head["n_earlier"]) == (2, 3)
    assert struct.unpack("<5h", body) == (0, 1000, 500, -32768, 250)
