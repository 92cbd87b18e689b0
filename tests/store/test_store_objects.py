"""Whatever is saved reads back equal."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgdash.domain import (
    CANONICAL_LEADS,
    Diagnosis,
    EcgRecord,
    EchoStudy,
    Flag,
    GateFinding,
    GateResult,
    History,
    HistorySlot,
    NotApplicable,
    OperatingPoint,
    Patient,
    Prediction,
    Provenance,
    VariantScore,
)
from ecgdash.domain.ecg import MEASUREMENT_KEYS
from ecgdash.domain.gate import GATE_CODES, GATE_EFFECTS
from ecgdash.domain.patient import ECHO_METHODS
from ecgdash.errors import NotFound, StoreBusy
from ecgdash.store import Findings, ImportRow, open_store
from ecgdash.store import jobs as jobs_module

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
zones = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-7))])
moments = st.datetimes(datetime(1980, 1, 1), datetime(2030, 1, 1), timezones=zones)
numbers = st.floats(allow_nan=True, allow_infinity=False)
unit = st.floats(0, 1)
fast = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def shared():
    store = open_store("sqlite://")
    yield store
    store.close()


@st.composite
def records(draw):
    n_leads = draw(st.sampled_from([1, 6, 12]))
    counts = draw(st.lists(st.integers(-2000, 2000), min_size=8, max_size=8))
    signal = np.tile(np.array(counts, dtype=np.float64) * 4.88 / 1000, (n_leads, 1))
    return EcgRecord(
        signal_mv=signal.astype(np.float32),
        leads=CANONICAL_LEADS[:n_leads],
        sampling_hz=draw(st.sampled_from([250.0, 500.0, 1000.0, 333.3])),
        recorded_at=draw(st.none() | moments),
        patient_id="p",
        age_years=draw(st.none() | st.floats(0, 120)),
        sex=draw(st.sampled_from([None, "male", "female"])),
        statements=tuple(draw(st.lists(text, max_size=3))),
        measurements=draw(st.dictionaries(st.sampled_from(MEASUREMENT_KEYS), numbers)),
        device=draw(st.none() | text),
        filters=draw(st.none() | text),
        source_name=draw(text),
        file_format="wfdb",
        lsb_uv=(4.88,) * n_leads,
        notes=tuple(draw(st.lists(text, max_size=2))),
    )


flag_lists = st.lists(
    st.builds(Flag, text, st.sampled_from(["statement", "measurement", "diagnosis"]), text),
    max_size=3,
)
gates = st.builds(
    GateResult,
    st.lists(
        st.builds(
            GateFinding,
            st.sampled_from(GATE_CODES),
            st.sampled_from(GATE_EFFECTS),
            text.filter(bool),
            st.lists(st.sampled_from(CANONICAL_LEADS), max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    st.none() | st.tuples(st.floats(0, 5), st.floats(6, 400)),
)


def same_numbers(a, b):
    return a.keys() == b.keys() and all(
        a[k] == b[k] or (math.isnan(a[k]) and math.isnan(b[k])) for k in a
    )


@given(records(), gates, flag_lists)
@fast
def test_ecgs(shared, record, gate, flags):
    patient = shared.put_patient(Patient("p"))
    key = shared.add_ecg(
        shared.put_patient(Patient(str(shared.n_ecgs()))), record, Findings(gate, flags)
    )
    back, facts = shared.record(key), shared.ecg(key)
    np.testing.assert_array_equal(back.signal_mv, record.signal_mv)
    assert back.sha256 == record.sha256 == facts.sha256
    for name in (
        "leads", "sampling_hz", "recorded_at", "local_day", "age_years", "sex", "statements",
        "device", "filters", "source_name", "file_format", "notes",
    ):  # fmt: skip
        assert getattr(back, name) == getattr(facts, name) == getattr(record, name), name
    assert back.lsb_uv == record.lsb_uv
    assert same_numbers(back.measurements, record.measurements)
    assert facts.gate == gate
    assert facts.flags == tuple(flags)
    assert facts.patient_key != patient


echo_studies = st.builds(
    lambda moment, lvef, method, timed: EchoStudy("7", moment, moment.date(), lvef, method, timed),
    moments,
    st.floats(1, 100, exclude_min=True),
    st.sampled_from(ECHO_METHODS),
    st.booleans(),
)


@given(st.lists(echo_studies, max_size=5))
@fast
def test_echoes(studies):
    store = open_store("sqlite://")
    patient = store.put_patient(Patient("7"))
    stored = [study for study in studies if store.add_echo(patient, study)]
    back = store.echoes_of(patient)
    assert all(not store.add_echo(patient, study) for study in studies)
    assert len({study.key for study in back}) == len(back)
    plain = [EchoStudy(**{**vars(study), "key": ""}) for study in back]
    assert sorted(plain, key=repr) == sorted(stored, key=repr)
    assert [s.performed_at for s in back] == sorted(s.performed_at for s in back)
    store.close()


operating_points = st.builds(
    OperatingPoint, text, text, unit, text, st.integers(0, 10**6), st.integers(0, 10**6), unit, unit
)
slots = st.builds(HistorySlot, text, unit, st.floats(0.1, 9999), st.none() | unit, st.booleans())
histories = st.none() | st.lists(slots, min_size=3, max_size=3).map(lambda s: History(tuple(s)))
scores = st.builds(VariantScore, unit, operating_points, histories) | st.builds(NotApplicable, text)


@given(
    st.dictionaries(text, scores, max_size=4),
    st.dictionaries(text, st.tuples(*[st.floats(-30, 30)] * 3), max_size=4),
    moments,
    text,
)
@fast
def test_predictions(shared, by_variant, logits, made_at, backend):
    patient = shared.put_patient(Patient("with predictions"))
    stored = shared.ecgs_of(patient)
    if not stored:
        record = EcgRecord(np.zeros((1, 9), np.float32), ("I",), 250.0)
        shared.add_ecg(patient, record, Findings(GateResult()))
        stored = shared.ecgs_of(patient)
    made = Provenance("family", "w" * 64, 1, stored[0].sha256, "0.1", made_at, backend)
    prediction = Prediction(stored[0].key, "1", by_variant, logits, made)
    shared.save_predictions([prediction])
    back = shared.predictions_of(patient)[stored[0].key]["family"]
    assert back == prediction
    assert list(back.scores) == list(by_variant)


def test_a_prediction_without_provenance_is_not_stored(store):
    patient = store.put_patient(Patient("1"))
    record = EcgRecord(np.zeros((1, 9), np.float32), ("I",), 250.0)
    key = store.add_ecg(patient, record, Findings(GateResult()))
    with pytest.raises(ValueError, match="without provenance"):
        store.save_predictions([Prediction(key, "1", {})])


def test_patients_of_two_sites_may_share_an_id(store):
    first = store.put_patient(Patient("13619.0", "A", "male", 1950))
    second = store.put_patient(Patient("13619", "B"))
    assert first != second
    assert store.put_patient(Patient("13619", "A")) == first
    assert {p.key for p in store.find_patients("13619")} == {first, second}
    assert [p.key for p in store.find_patients("B/13619.0")] == [second]
    assert [p.key for p in store.find_patients(first)] == [first]
    assert store.patient(first).patient == Patient("13619", "A", "male", 1950)


def test_what_is_known_of_a_patient_is_filled_in_but_never_overwritten(store):
    key = store.put_patient(Patient("1"))
    store.put_patient(Patient("1", sex="female"))
    store.put_patient(Patient("1", sex="male", birth_year=1940))
    assert store.patient(key).patient == Patient("1", sex="female", birth_year=1940)


def test_keys_are_random_and_fit_an_address(store):
    keys = {store.put_patient(Patient(str(n))) for n in range(50)}
    assert len(keys) == 50
    assert all(re.fullmatch("[0-9a-f]{24}", key) for key in keys)


def test_diagnoses_are_stored_once(store):
    key = store.put_patient(Patient("1"))
    items = [Diagnosis("1", "ICD-10", "I44.7", date(2020, 1, 2))] * 2
    assert store.add_diagnoses(key, items) == 1
    assert store.add_diagnoses(key, items) == 0
    assert list(store.diagnoses_of(key)) == items[:1]


def test_missing_things_are_said_to_be_missing(store):
    for call in (store.patient, store.ecg, store.record):
        with pytest.raises(NotFound):
            call("no-such-key")


def test_undated_ecgs_come_last(store):
    patient = store.put_patient(Patient("1"))
    gate = GateResult()
    for n, moment in enumerate(
        [None, datetime(2021, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]
    ):
        record = EcgRecord(np.full((1, 9), n, np.float32), ("I",), 250.0, recorded_at=moment)
        store.add_ecg(patient, record, Findings(gate))
    assert [ecg.recorded_at and ecg.recorded_at.year for ecg in store.ecgs_of(patient)] == [
        2020,
        2021,
        None,
    ]


def test_a_transaction_is_kept_or_lost_as_one(store):
    def half():
        with store.transaction():
            store.put_patient(Patient("1"))
            assert store.n_patients() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.n_patients() == 0


def test_import_rows_keep_their_order(store):
    run = store.start_import("local")
    rows = [
        ImportRow("b.xml", "rejected", reason="Units are not stated.", todo="State them."),
        ImportRow("a.xml", "accepted", "muse", "17", "key"),
    ]
    for row in rows:
        store.add_import_row(run, row)
    store.finish_import(run)
    assert store.import_rows_of(run) == rows
    assert store.last_import() == run


class TestJobs:
    def test_a_second_holder_waits_and_sees_the_progress(self, store, tmp_path):
        assert store.take_job("demo", "first", total=24)
        store.beat("demo", "first", 14, 24, "14 of 24 patients")
        other = open_store(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'store.db'}")
        assert not other.take_job("demo", "second")
        seen = other.job("demo")
        assert (seen.done, seen.total, seen.alive, seen.finished) == (14, 24, True, False)
        other.close()

    def test_a_dead_holders_lock_expires_and_its_progress_stays(self, store, monkeypatch):
        store.take_job("demo", "first", total=24)
        store.beat("demo", "first", 14, 24)
        monkeypatch.setattr(jobs_module, "HEARTBEAT_LIMIT_S", 0.0)
        assert not store.job("demo").alive
        assert store.take_job("demo", "second")
        assert store.job("demo").done == 14
        with pytest.raises(StoreBusy):
            store.beat("demo", "first", 15, 24)

    def test_released_work_may_go_on_at_once(self, store):
        store.take_job("demo", "first")
        store.release_job("demo", "first")
        assert store.take_job("demo", "second")

    def test_finished_work_is_not_taken_again_until_reset(self, store):
        store.take_job("demo", "first")
        store.finish_job("demo", "first")
        assert store.job("demo").finished
        assert not store.take_job("demo", "second")
        store.reset_job("demo")
        assert store.job("demo") is None
        assert store.take_job("demo", "second")
