import json

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.signal.beat_table import WAVES, BeatTable
from ecgdash.signal.delineation import delineate_record
from ecgdash.signal.measure import measure
from ecgdash.signal.measure_beats import measure_beats
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise, truth


def records(name, n, hz=500.0, seed=5, **columns):
    parameters = example_parameters(name, n, seed=seed, **columns)
    signals = synthesise(parameters, hz)
    return [EcgRecord(s, CANONICAL_LEADS, hz) for s in signals], truth(parameters)


@pytest.fixture(scope="module")
def sinus():
    return measure_beats(records("normal", 1)[0][0])


def test_every_beat_is_where_it_was_put():
    made, right = records("normal", 8)
    for row, record in enumerate(made):
        table = measure_beats(record)
        onset = right.onset_s[row]
        inside = onset[(onset > 0.31) & (onset < 9.6)]
        apart = np.abs(table.onset_s[:, None] - inside).min(axis=0)
        assert apart.max() < 0.015
        assert np.isnan(table.rr_s[0])
        np.testing.assert_allclose(table.rr_s[1:], np.diff(table.onset_s), atol=0.02)
        assert (table.onset_s < table.peak_s).all()
        assert (table.peak_s < table.offset_s).all()


@pytest.mark.parametrize("hz", [250.0, 1000.0])
def test_one_delineation_serves_both_measurements(hz):
    record = records("pvc", 1, hz)[0][0]
    shared = delineate_record(record)
    assert measure_beats(record, shared).as_dict() == measure_beats(record).as_dict()
    assert measure(record, shared).as_found() == measure(record).as_found()


def test_times_of_a_later_window_are_from_the_start_of_the_recording():
    record = records("normal", 1)[0][0]
    noise = np.random.default_rng(3).normal(0, 2.0, record.signal_mv.shape)
    long = EcgRecord(
        np.concatenate([noise, record.signal_mv], axis=1).astype(np.float32), CANONICAL_LEADS, 500.0
    )
    late, alone = measure_beats(long), measure_beats(record)
    np.testing.assert_allclose(late.onset_s, alone.onset_s + 10.0)
    np.testing.assert_allclose(late.rr_s, alone.rr_s)
    assert measure(long).as_found() == measure(record).as_found()


def test_beats_agree_with_the_measurement_of_the_median_beat():
    for record in records("normal", 6, seed=40)[0]:
        table, found = measure_beats(record), measure(record)
        assert len(table) == found.n_beats[0]
        qrs_ms = 1e3 * np.median(table.offset_s - table.onset_s)
        assert qrs_ms == pytest.approx(found.qrs_ms[0], abs=6)
        pr_ms = 1e3 * np.nanmedian(table.onset_s - table.p_onset_s)
        assert pr_ms == pytest.approx(found.pr_ms[0], abs=8)
        qt_ms = 1e3 * np.nanmedian(table.t_end_s - table.onset_s)
        assert qt_ms == pytest.approx(found.qt_ms[0], abs=12)
        for wave, column in (("R", "r_mv"), ("T", "t_mv"), ("P", "p_mv"), ("S", "s_mv")):
            np.testing.assert_allclose(table.median.wave(wave)[0], getattr(found, column)[0])
            middle = np.nanmedian(table.beats.wave(wave), axis=0)
            np.testing.assert_allclose(middle, getattr(found, column)[0], atol=0.08)
        np.testing.assert_allclose(table.median.st60_mv[0], found.st60_mv[0])
        marks = table.median_marks_s
        qrs_ms = 1e3 * (marks["offset"] - marks["onset"])
        assert qrs_ms == pytest.approx(found.qrs_ms[0], abs=0.01)
        assert (table.median.qrs_ms <= found.qrs_ms[0] + 8).all()
        assert table.median.qrs_ms.max() > 0.75 * found.qrs_ms[0]


def test_ventricular_beats_are_named_where_they_are_and_have_no_p():
    made, right = records("pvc", 30, seed=60)
    told = said = hits = 0
    for row, record in enumerate(made):
        table = measure_beats(record)
        here = right.onset_s[row][right.pvc[row]]
        here = here[(here > 0.9) & (here < 9.5)]
        found = table.onset_s[np.array(table.kind) == "PVC"]
        told, said = told + len(here), said + len(found)
        hits += sum(np.abs(found - at).min(initial=9.0) < 0.1 for at in here)
        assert np.isnan(table.p_onset_s[np.array(table.kind) == "PVC"]).all()
        assert table.count("PVC") == measure(record).pvc_count[0]
    assert told > 20
    assert hits >= 0.8 * told
    everywhere = sum(int(right.pvc[row].sum()) for row in range(len(made)))
    assert said <= everywhere


def test_a_ventricular_beat_is_wider_than_its_neighbours():
    for record in records("pvc", 10, seed=60)[0]:
        table = measure_beats(record)
        wide = np.array(table.kind) == "PVC"
        if wide.any():
            length = table.offset_s - table.onset_s
            assert np.median(length[wide]) > 1.2 * np.median(length[~wide])


def test_no_beat_in_fibrillation_has_a_p_wave():
    tables = [measure_beats(record) for record in records("afib", 10)[0]]
    found = np.concatenate([np.isfinite(table.p_peak_s) for table in tables])
    assert found.mean() < 0.1


def test_a_table_survives_json(sinus):
    written = sinus.as_dict()
    again = BeatTable.from_dict(json.loads(json.dumps(written, allow_nan=False)))
    assert again.as_dict() == written
    assert (again.leads, again.kind) == (sinus.leads, sinus.kind)
    for name in ("onset_s", "p_onset_s", "t_end_s", "rr_s"):
        np.testing.assert_allclose(getattr(again, name), getattr(sinus, name), atol=5.1e-4)
    np.testing.assert_allclose(again.beats.waves_mv, sinus.beats.waves_mv, atol=5.1e-4)
    np.testing.assert_allclose(again.median_mv, sinus.median_mv, atol=5.1e-4)
    assert again.median_marks_s == pytest.approx(sinus.median_marks_s, abs=5.1e-4, nan_ok=True)
    assert len(json.dumps(written)) < 60_000


def test_a_dictionary_of_another_format_is_refused(sinus):
    with pytest.raises(InvalidValue, match="format 99"):
        BeatTable.from_dict(sinus.as_dict() | {"format": 99})


def test_a_table_cannot_be_changed(sinus):
    for array in (sinus.onset_s, sinus.beats.waves_mv, sinus.median_mv, sinus.median.qrs_ms):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_only_the_leads_of_the_record_are_in_the_table():
    record = records("normal", 1)[0][0]
    limb = EcgRecord(record.signal_mv[:6], CANONICAL_LEADS[:6], 500.0)
    table = measure_beats(limb)
    assert table.leads == CANONICAL_LEADS[:6]
    assert table.beats.waves_mv.shape == (len(table), 6, len(WAVES))
    assert table.median_mv.shape[0] == 6


def test_a_record_without_a_beat_gives_an_empty_table_that_survives_json():
    flat = EcgRecord(np.zeros((12, 5000), dtype=np.float32), CANONICAL_LEADS, 500.0)
    table = measure_beats(flat)
    assert len(table) == 0
    assert all(np.isnan(at) for at in table.median_marks_s.values())
    again = BeatTable.from_dict(json.loads(json.dumps(table.as_dict())))
    assert len(again) == 0
    assert again.beats.waves_mv.shape == (0, 12, len(WAVES))


def test_rates_above_512_hz_keep_times_in_seconds():
    slow, fast = (
        measure_beats(records("normal", 1, hz=hz, emg_uv=0.5)[0][0]) for hz in (500.0, 1000.0)
    )
    assert fast.median_hz == 500.0
    np.testing.assert_allclose(slow.onset_s, fast.onset_s, atol=0.008)


def test_what_cannot_be_measured_is_refused():
    record = records("normal", 1)[0][0]
    with pytest.raises(InvalidValue):
        measure_beats(EcgRecord(record.signal_mv[:, :500], CANONICAL_LEADS, 500.0))
    with pytest.raises(InvalidValue):
        measure_beats(EcgRecord(record.signal_mv[6:], CANONICAL_LEADS[6:], 500.0))
