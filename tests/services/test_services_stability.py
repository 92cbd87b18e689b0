"""The stability panel on the shipped weights and a sample patient."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from ecgdash.domain import LEADS_OF_SET, GateFinding, GateResult, Patient, VariantScore
from ecgdash.errors import NotFound
from ecgdash.inference.history import score_with_history
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.services.stability import CROP_STARTS_S, NOISE_LEVELS_UV, RATES_HZ, stability
from ecgdash.settings import Settings
from ecgdash.signal.preprocess import preprocess_window
from ecgdash.signal.window import scored_window
from ecgdash.store import Findings, open_store
from tests.sample_patients import code_of, store_of

PATIENT = code_of("recovery, then relapse")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Return store, engines and course of one imported and scored sample patient."""
    address = f"sqlite:///{tmp_path_factory.mktemp('stability') / 'store.db'}"
    settings = Settings(database_url=address)
    store = store_of(settings, PATIENT)
    engines = load_engines(settings)
    patient = store.find_patients(f"SIM/{PATIENT}")[0].key
    first = store.record(store.ecgs_of(patient)[-1].key)
    _add_variants(store, patient, first)
    score_patients(store, engines)
    cards = [engine.card for engine in engines]
    yield store, engines, timeline(store, f"SIM/{PATIENT}", cards)
    store.close()


def _add_variants(store, patient, record):
    """Add a shortened copy, one with lead I alone, and one that the gate withheld."""
    n = round(9.4 * record.sampling_hz)
    store.add_ecg(patient, _copy(record, record.signal_mv[:, :n], "a"), Findings(GateResult()))
    lead = _copy(record, record.signal_mv[:1], "b", leads=("I",))
    store.add_ecg(patient, lead, Findings(GateResult()))
    flat = GateResult((GateFinding("flat", "withholds", "lead V2 is flat", ("V2",)),))
    silent = record.signal_mv.copy()
    silent[record.leads.index("V2")] = 0.0
    store.add_ecg(patient, _copy(record, silent, "c"), Findings(flat))


def _copy(record, signal, digit, **facts):
    days = {"a": 10, "b": 20, "c": 30}[digit]
    return replace(
        record,
        signal_mv=signal,
        recorded_at=record.recorded_at + timedelta(days=days),
        lsb_uv=None,
        **facts,
    )


def _panel(scored, point):
    store, engines, course = scored
    return stability(store, engines, course, point.ecg)


def _twelve(course):
    return [p for p in course.points if p.lead_set == "12" and p.best_variant is not None]


def _whole(course):
    """Return the last ECG of the sample patient: 10 s, twelve leads, all of the history."""
    return [p for p in _twelve(course) if p.best_variant == "recalibrated"][-2]


def test_as_scored_is_the_stored_score(scored):
    points = _twelve(scored[2])
    assert {p.best_variant for p in points} >= {"uncalibrated", "recalibrated"}
    for point in points:
        panel = _panel(scored, point)
        stored = point.scores[point.best_variant]
        assert panel.rows[0].score == pytest.approx(stored.value, abs=1e-6)
        assert panel.rows[0].shift_logit == 0.0
        assert panel.variant == point.best_variant


def test_every_condition_has_its_row_and_repeats(scored):
    point = _whole(scored[2])
    panel = _panel(scored, point)
    kinds = [row.kind for row in panel.rows]
    assert kinds == ["scored", *["crop"] * 5, *["rate"] * 2, *["noise"] * 3, *["leads"] * 2]
    assert all(row.score is not None for row in panel.rows)
    assert panel == _panel(scored, point)
    noise = [row.score for row in panel.rows if row.kind == "noise"]
    assert len(set(noise)) == 3, "each level moves the score"


def test_single_crops_and_history_by_hand(scored):
    store, engines, course = scored
    point = _whole(course)
    score = point.scores[point.best_variant]
    engine = next(e for e in engines if e.card.family == point.family)
    record = store.record(point.ecg)
    window = scored_window(record.signal_mv, record.sampling_hz)
    rows = [record.leads.index(name) for name in engine.leads]
    signal = record.signal_mv[rows, window.slice]
    panel = _panel(scored, point)
    for row, start in zip(panel.rows[1:6], CROP_STARTS_S, strict=True):
        crop = preprocess_window(signal[None], record.sampling_hz, np.array([start]))
        logits = engine.base_logits_from_crops(np.repeat(crop[None], 3, axis=1))
        base = logits[0, engine.variants.index(point.best_variant), :1]
        expected = score_with_history(engine.history_terms[point.best_variant], base, score.history)
        assert row.score == pytest.approx(expected, abs=1e-6)


def test_the_recordings_own_rate_changes_nothing(scored):
    store, _, course = scored
    seen = 0
    for point in _twelve(course):
        rate = store.record(point.ecg).sampling_hz
        panel = _panel(scored, point)
        by_rate = dict(zip(RATES_HZ, (r for r in panel.rows if r.kind == "rate"), strict=True))
        if rate in by_rate:
            assert by_rate[rate].score == pytest.approx(panel.rows[0].score, abs=1e-6)
            seen += 1
    assert seen


def test_noise_of_level_0_changes_nothing(scored, monkeypatch):
    monkeypatch.setattr("ecgdash.services.stability.NOISE_LEVELS_UV", (0.0,))
    panel = _panel(scored, _twelve(scored[2])[0])
    noise = next(row for row in panel.rows if row.kind == "noise")
    assert noise.score == pytest.approx(panel.rows[0].score, abs=1e-6)
    assert NOISE_LEVELS_UV == (10.0, 25.0, 50.0)


def test_fewer_leads_are_the_other_families_stored_scores(scored):
    store, _, course = scored
    point = _whole(course)
    stored = store.predictions_of(course.key)[point.ecg]
    rows = [row for row in _panel(scored, point).rows if row.kind == "leads"]
    assert [row.condition for row in rows] == ["6 leads", "Lead I only"]
    for row in rows:
        score = stored[row.family].scores[row.variant]
        assert isinstance(score, VariantScore)
        assert (row.score, row.threshold) == (score.value, score.threshold.value)
        assert row.shift_logit is None
        own_side = row.score >= row.threshold
        as_scored = point.scores[point.best_variant]
        assert row.changed_side == (own_side != as_scored.positive)


def test_a_short_recording_says_which_crops_it_lacks(scored):
    store, _, course = scored
    facts = {p.ecg: store.ecg(p.ecg) for p in _twelve(course)}
    short = [p for p in _twelve(course) if facts[p.ecg].n_samples < 9.5 * facts[p.ecg].sampling_hz]
    assert len(short) == 1
    crops = [row for row in _panel(scored, short[0]).rows if row.kind == "crop"]
    assert [row.score is None for row in crops] == [False, False, True, True, True]
    assert crops[2].reason == "needs 9.5 s, the scored window holds 9.40 s"
    assert crops[2].above is None


def test_leads_that_were_not_recorded_are_named(scored):
    point = next(p for p in scored[2].points if p.lead_set == "1")
    rows = [row for row in _panel(scored, point).rows if row.kind == "leads"]
    missing = [lead for lead in LEADS_OF_SET["6"] if lead != "I"]
    assert rows[1].reason == f"leads {', '.join(missing)} not recorded"
    assert all(row.score is None for row in rows)


def test_an_ecg_without_a_score_is_refused(scored):
    store, engines, course = scored
    withheld = next(p for p in course.points if p.status == "poor_quality")
    for key in (withheld.ecg, "0" * 32):
        with pytest.raises(NotFound, match="no score to vary"):
            stability(store, engines, course, key)
    with pytest.raises(NotFound, match="no score to vary"):
        stability(store, [], course, _twelve(course)[0].ecg)
    assert store.put_patient(Patient(PATIENT, "SIM")) == course.key


@pytest.mark.real
def test_real_recordings_at_500_hz(scored, shared_data):
    """500 Hz is their own rate; where the padding was trimmed, the last crop is not made."""
    _, engines, _ = scored
    files = sorted((shared_data / "ptbxl500" / "records500").rglob("*.hea"))[:4]
    store = open_store("sqlite://")
    import_paths(store, files, settings=Settings(database_url="sqlite://"))
    score_patients(store, engines)
    cards = [engine.card for engine in engines]
    courses = [timeline(store, key, cards) for key in store.patient_keys()]
    checked = 0
    for course in courses:
        for point in (*course.points, *course.undated):
            if point.best_variant is None:
                continue
            panel = stability(store, engines, course, point.ecg)
            rows = {row.condition: row for row in panel.rows}
            stored = point.scores[point.best_variant].value
            assert panel.rows[0].score == pytest.approx(stored, abs=1e-6)
            own = rows["At 500 Hz, as recorded"]
            assert own.score == pytest.approx(stored, abs=1e-6)
            assert abs(rows["Brought to 250 Hz first"].shift_logit) < 0.1
            start_s, stop_s = store.ecg(point.ecg).gate.window_s
            last = rows["One crop of 9 s from 1 s"]
            assert (last.score is None) == (stop_s - start_s < 10.0 - 1e-9)
            checked += 1
    store.close()
    assert checked >= 3
