"""What is kept only on request: names, the text of echo reports; and an import's sources."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from ecgdash.domain import EcgRecord, EchoStudy, GateResult, Patient
from ecgdash.domain.patient import EchoNotes
from ecgdash.errors import NotFound
from ecgdash.store import Findings, open_store
from ecgdash.store.schema import patient_names, patients
from tests.store.test_store_evidence import FOURTH_SCHEMA, FOURTH_VERSION, set_back

BORN = date(1960, 6, 1)
JANE = Patient("1", name="Jane Doe", birth_date=BORN)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOTES = EchoNotes("LVEF 35 %. Apex akinetic.", ("Apex akinetic.",), ())


def add_ecg(store, patient, run, seed):
    signal = np.random.default_rng(seed).normal(size=(1, 500)).astype(np.float32)
    record = EcgRecord(signal, ("I",), 50.0, recorded_at=NOON)
    return store.add_ecg(patient, record, Findings(GateResult()), run)


def brought(store, *people, seed=0):
    """Return the key of an import that brought an ECG of each."""
    run = store.start_import("local")
    for n, person in enumerate(people):
        add_ecg(store, store.put_patient(person, run_key=run), run, seed + n)
    return run


def names(store, key):
    found = store.patient(key).patient
    return found.name, found.birth_date


class TestNames:
    def test_no_repr_shows_them(self, store):
        found = store.patient(store.put_patient(JANE))
        for shown in (repr(JANE), repr(found), str([found])):
            assert "Jane" not in shown
            assert "1960" not in shown

    def test_they_are_filled_in_once_and_never_overwritten(self, store):
        key = store.put_patient(Patient("1"))
        assert names(store, key) == (None, None)
        store.put_patient(Patient("1", name="Jane Doe"))
        store.put_patient(Patient("1", name="John", birth_date=BORN))
        assert names(store, key) == ("Jane Doe", BORN)
        assert store.find_patients("1")[0].patient.name == "Jane Doe"

    def test_nothing_is_written_beside_for_who_gives_none(self, store):
        store.put_patient(Patient("1", sex="female"), run_key=store.start_import("local"))
        with store._reading() as connection:
            assert connection.execute(sa.select(patient_names)).all() == []

    def test_a_name_goes_with_the_import_that_brought_it(self, store):
        first = brought(store, Patient("1"))
        key = store.find_patients("1")[0].key
        second = brought(store, JANE, seed=9)
        assert names(store, key) == ("Jane Doe", BORN)
        assert store.undo_import(second).patient_keys == (key,)
        assert names(store, key) == (None, None)
        assert store.undo_import(first).n_patients == 1

    def test_a_name_stays_while_another_import_says_it(self, store):
        first = brought(store, JANE)
        key = store.find_patients("1")[0].key
        brought(store, JANE, seed=9)
        store.undo_import(first)
        assert names(store, key) == ("Jane Doe", BORN)

    def test_what_the_remaining_imports_say_is_shown(self, store):
        first = brought(store, JANE)
        key = store.find_patients("1")[0].key
        brought(store, Patient("1", name="J. Miller"), seed=9)
        store.undo_import(first)
        assert names(store, key) == ("J. Miller", None)

    def test_a_name_without_an_import_survives_every_undo(self, store):
        key = store.put_patient(JANE)
        run = brought(store, JANE)
        brought(store, Patient("1"), seed=9)
        store.undo_import(run)
        assert names(store, key) == ("Jane Doe", BORN)

    def test_an_import_of_names_alone_is_undone_and_loses_no_score(self, store):
        """Its files were stored before: nothing but the names is its own."""
        brought(store, Patient("1"))
        key = store.find_patients("1")[0].key
        run = store.start_import("local")
        store.put_patient(JANE, run_key=run)
        undone = store.undo_import(run, keep_scores=False)
        assert (undone.n_patients, undone.patient_keys) == (0, ())
        assert names(store, key) == (None, None)

    def test_many_files_of_one_import_say_it_once(self, store):
        brought(store, JANE, JANE, JANE)
        with store._reading() as connection:
            assert len(connection.execute(sa.select(patient_names)).all()) == 1

    def test_nothing_is_left_of_a_patient_who_goes(self, store):
        run = brought(store, JANE)
        store.undo_import(run)
        with store._reading() as connection:
            for table in (patients, patient_names):
                assert connection.execute(sa.select(table)).all() == []

    def test_a_new_name_asks_for_a_new_worklist_row(self, store):
        key = store.put_patient(Patient("1"))
        with store._writing() as connection:
            connection.execute(sa.update(patients).values(stale=False))
        store.put_patient(Patient("1"))
        assert store.patient_keys(stale_only=True) == []
        store.put_patient(JANE)
        assert store.patient_keys(stale_only=True) == [key]


def test_sites(store):
    assert store.sites() == []
    for site in ("North", "local", "North"):
        store.put_patient(Patient("1", site))
    assert store.sites() == ["North", "local"]


def test_a_report_reads_back_equal_and_makes_no_other_study(store):
    key = store.put_patient(Patient("1"))
    study = EchoStudy("1", NOON, NOON.date(), 35.0, report=NOTES)
    plain = EchoStudy("1", NOON, NOON.date(), 35.0)
    other = EchoStudy("1", NOON, NOON.date(), 45.0)
    assert store.add_echo(key, study)
    assert store.add_echo(key, other)
    assert not store.add_echo(key, plain)
    assert [echo.report for echo in store.echoes_of(key)] == [NOTES, None]
    assert study == plain
    assert "akinetic" not in repr(study) + repr(NOTES)


def test_a_stored_echo_gets_no_report_later(store):
    """The import that gave it could not take it back."""
    key = store.put_patient(Patient("1"))
    plain = EchoStudy("1", NOON, NOON.date(), 35.0)
    assert store.add_echo(key, plain)
    assert not store.add_echo(key, EchoStudy("1", NOON, NOON.date(), 35.0, report=NOTES))
    assert store.echoes_of(key)[0].report is None


def test_an_imports_sources_read_back(store):
    run, other = store.start_import("local"), store.start_import("local")
    assert store.import_sources(run) == []
    sources = [{"fact": "sex", "file": "a.csv", "column": "Geschlecht", "n": 3, "of": None}]
    store.set_import_sources(run, sources)
    assert store.import_sources(run) == sources
    assert store.import_sources(other) == []
    store.set_import_sources(run, [])
    assert store.import_sources(run) == []
    store.set_import_sources(run, sources)
    store.undo_import(run)
    assert store.import_sources(run) == sources
    for call in (store.import_sources, lambda key: store.set_import_sources(key, [])):
        with pytest.raises(NotFound):
            call("nothing")


def test_a_store_of_the_fourth_schema_keeps_its_rows(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    run = brought(old, Patient("1", sex="female", birth_year=1960))
    key = old.find_patients("1")[0].key
    old.add_echo(key, EchoStudy("1", NOON, NOON.date(), 35.0), run)
    ecgs = old.ecgs_of(key)
    old.close()
    set_back(url, *FOURTH_SCHEMA, FOURTH_VERSION)
    store = open_store(url)
    assert store.patient(key).patient == Patient("1", sex="female", birth_year=1960)
    assert store.ecgs_of(key) == ecgs
    assert [echo.report for echo in store.echoes_of(key)] == [None]
    assert store.import_sources(run) == []
    store.put_patient(JANE)
    assert names(store, key) == ("Jane Doe", BORN)
    store.close()
