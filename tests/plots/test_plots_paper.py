import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.plots.paper import PAPER_HEIGHT_MM, PAPER_WIDTH_MM, sheet


def record(leads=CANONICAL_LEADS, sampling_hz=500.0, seconds=10):
    n = int(seconds * sampling_hz)
    ramp = np.arange(len(leads) * n, dtype=np.float32).reshape(len(leads), n)
    return EcgRecord(ramp, leads, sampling_hz)


def test_twelve_leads_as_three_rows_of_four_and_a_rhythm_strip():
    ecg = record()
    strips = sheet(ecg)
    assert [strip.lead for strip in strips] == [
        *("I", "aVR", "V1", "V4"),
        *("II", "aVL", "V2", "V5"),
        *("III", "aVF", "V3", "V6"),
        "II",
    ]
    v5 = next(strip for strip in strips if strip.lead == "V5")
    assert v5.x_mm == 10 + 7.5 * 25
    assert v5.baseline_mm == 49
    assert np.array_equal(v5.signal_mv, ecg.lead("V5")[3750:5000])
    assert np.array_equal(strips[-1].signal_mv, ecg.lead("II"))


@pytest.mark.parametrize("sampling_hz", [250.0, 500.0, 1000.0])
def test_one_second_is_25_mm(sampling_hz):
    strip = sheet(record(sampling_hz=sampling_hz))[-1]
    assert strip.step_mm * sampling_hz == pytest.approx(25.0)


@pytest.mark.parametrize("leads", [("I",), CANONICAL_LEADS[:6]])
def test_fewer_leads_get_a_row_each_inside_the_paper(leads):
    strips = sheet(record(leads))
    assert [strip.lead for strip in strips] == list(leads)
    assert all(0 < strip.baseline_mm < PAPER_HEIGHT_MM for strip in strips)
    assert all(s.x_mm + len(s.signal_mv) * s.step_mm <= PAPER_WIDTH_MM for s in strips)


def test_a_short_record_leaves_the_rest_empty():
    strips = sheet(record(seconds=4))
    assert len(strips[3].signal_mv) == 0
    assert len(strips[0].signal_mv) == 1250
