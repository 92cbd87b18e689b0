"""Pseudonyms: whose key it is decides, and the id stands nowhere afterwards."""

import hashlib
import hmac
import json
import pickle
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from ecgdash.domain import Diagnosis, EcgRecord, EchoStudy, GateResult, Patient
from ecgdash.domain.ecg import Identity
from ecgdash.domain.patient import EchoNotes
from ecgdash.errors import InvalidValue
from ecgdash.services.import_privacy import Pseudonyms, find_by_original_id, resolve
from ecgdash.settings import Settings
from ecgdash.store import Findings, ImportRow, open_store

KEY = "correct horse battery staple"
HIDDEN = Pseudonyms(KEY, "local")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def ecg(patient_id="10000032", **facts):
    signal = np.random.default_rng(3).normal(size=(1, 500)).astype(np.float32)
    return EcgRecord(signal, ("I",), 50.0, recorded_at=NOON, patient_id=patient_id, **facts)


@pytest.fixture
def settings():
    return Settings(id_key=KEY)


class TestTheHash:
    def test_it_is_the_keyed_hash_that_is_promised(self):
        digest = hmac.new(KEY.encode(), b"local\x0010000032", hashlib.sha256).hexdigest()
        assert HIDDEN.of("10000032") == "P" + digest[:20]
        assert re.fullmatch(r"P[0-9a-f]{20}", HIDDEN.of("Müller-7"))

    def test_ways_to_write_one_id_are_one_person(self):
        assert HIDDEN.of("13619.0") == HIDDEN.of(" 13619 ") == HIDDEN.of("13619")
        assert HIDDEN.of("013619") != HIDDEN.of("13619")

    def test_another_key_or_site_is_another_person(self):
        assert len({Pseudonyms(k, s).of("1") for k in (KEY, KEY + "!") for s in ("a", "b")}) == 4

    def test_ids_do_not_collide(self):
        assert len({HIDDEN.of(str(n)) for n in range(20_000)}) == 20_000

    @pytest.mark.parametrize("empty", ["", "  ", "nan", "None"])
    def test_an_empty_id_is_refused(self, empty):
        with pytest.raises(InvalidValue, match="an empty patient id"):
            HIDDEN.of(empty)

    def test_the_key_is_in_no_repr_and_travels_to_workers(self):
        assert KEY not in repr(HIDDEN)
        assert pickle.loads(pickle.dumps(HIDDEN)) == HIDDEN  # noqa: S301 - our own
        assert hash(HIDDEN) == hash(Pseudonyms(KEY, "local"))

    def test_its_mark_tells_keys_apart_and_holds_none(self):
        marks = {Pseudonyms(k, s).mark for k in (KEY, KEY + "!") for s in ("a", "b")}
        assert len(marks) == 4
        assert all(re.fullmatch(r"[0-9a-f]{16}", mark) for mark in marks)

    def test_settings_decide(self, settings):
        assert Pseudonyms.of_settings(settings, "A") == Pseudonyms(KEY, "A")
        assert Pseudonyms.of_settings(Settings(), "A") is None


class TestRecords:
    def test_the_id_leaves_every_text_of_the_ecg(self):
        record = ecg(
            source_name="p10000032_s40689238.hea",
            statements=("Patient 10000032: sinus rhythm", "Rate 75"),
            notes=("sidecar of P10000032 was read", "100000321 samples"),
            device="Cart (10000032)",
            filters="10000032",
            identity=Identity("Jane Doe", date(1960, 6, 1)),
        )
        hidden, alias = HIDDEN.record(record), HIDDEN.of("10000032")
        assert hidden.patient_id == alias
        assert hidden.identity is None
        assert hidden.source_name == f"{alias}_s40689238.hea"
        assert hidden.statements == (f"Patient {alias}: sinus rhythm", "Rate 75")
        # A longer number is another one.
        assert hidden.notes == (f"sidecar of {alias} was read", "100000321 samples")
        assert (hidden.device, hidden.filters) == (f"Cart ({alias})", alias)
        assert hidden.sha256 == record.sha256
        assert (hidden.recorded_at, hidden.leads) == (record.recorded_at, record.leads)

    def test_a_record_without_id_loses_its_identity_alone(self):
        record = ecg(None, source_name="a.hea", identity=Identity("Jane"))
        assert HIDDEN.record(record).identity is None
        assert HIDDEN.record(record).source_name == "a.hea"
        plain = ecg(None)
        assert HIDDEN.record(plain) is plain
        assert HIDDEN.record(ecg("7")).device is None

    @pytest.mark.parametrize(
        "statement", ["Rate 63", "QRS 120 ms", "P 120 ms", "T axis 63", "age 63", "V1-V3"]
    )
    def test_a_short_id_spoils_no_measured_value(self, statement):
        for code in ("63", "120", "V1"):
            assert HIDDEN.record(ecg(code, statements=(statement,))).statements == (statement,)

    @pytest.mark.parametrize("said", ["Patient 63", "patient: 63", "ID 0063", "MRN #63"])
    def test_a_short_id_goes_where_a_word_says_what_it_is(self, said):
        (shown,) = HIDDEN.record(ecg("63", statements=(f"{said}, normal ECG",))).statements
        assert shown.endswith(f"{HIDDEN.of('63')}, normal ECG")
        assert "63," not in shown.replace(HIDDEN.of("63"), "")

    def test_a_measured_value_is_no_id(self):
        texts = ("ST 0.1234 mV", "rate 1234.5", "1234.0 of 1234, see 1234.")
        hidden = HIDDEN.record(ecg("1234", statements=texts)).statements
        alias = HIDDEN.of("1234")
        assert hidden == (texts[0], texts[1], f"{alias}.0 of {alias}, see {alias}.")
        # No value has that many digits.
        long = HIDDEN.record(ecg("10000032", statements=("study 10000032.5",)))
        assert "10000032" not in long.statements[0]

    @pytest.mark.parametrize(
        ("code", "name", "expected"),
        [
            ("10000032", "files/p10/p10000032/s1/s1.hea", "files/p10/{}/s1/s1.hea"),
            ("17", "patient017_0.dat", "{}_0.dat"),
            ("17", "00017_hr.hea", "{}_hr.hea"),
            ("0017", "17.xml", "{}.xml"),
            ("17", "117_17a_171.xml", "117_17a_171.xml"),
            ("P-007", "p_007 (2).xml", "{} (2).xml"),
            ("P-007", "P007.xml", "{}.xml"),
            ("A/B", "A_B.dcm", "{}.dcm"),
            ("902", "exams.hdf5#902", "exams.hdf5#{}"),
            ("Doe", "Doering_doe.xml", "Doering_{}.xml"),
            ("???", "a.xml", "a.xml"),
            ("a.c", "abc_a.c.xml", "abc_{}.xml"),
            ("0", "0.xml", "{}.xml"),
        ],
    )
    def test_names_of_files(self, code, name, expected):
        assert HIDDEN.text(name, code) == expected.format(HIDDEN.of(code))

    def test_a_name_stays_where_the_person_is_unknown(self):
        assert HIDDEN.text("10000032.hea", None) == "10000032.hea"


def test_echoes_and_diagnoses():
    notes = EchoNotes("MRN 10000032. LVEF 35 %.", ("10000032: akinetic",), ("p10000032",))
    study = EchoStudy("10000032.0", NOON, NOON.date(), 35.0, "simpson", report=notes)
    hidden, alias = HIDDEN.echo(study), HIDDEN.of("10000032")
    assert hidden == replace(study, patient_id=alias)
    assert hidden.report == EchoNotes(f"MRN {alias}. LVEF 35 %.", (f"{alias}: akinetic",), (alias,))
    assert HIDDEN.echo(replace(study, report=None)).report is None
    item = Diagnosis("10000032", "ICD-10", "I44.7", date(2020, 1, 2))
    assert HIDDEN.diagnosis(item) == replace(item, patient_id=alias)


@pytest.mark.parametrize("code", ["10000032", "MRN-0815/x"])
def test_no_column_of_any_table_holds_the_id(code, tmp_path):
    """Nor does the file of the database, a byte at a time."""
    database = tmp_path / "store.db"
    store = open_store(f"sqlite:///{database}")
    run = store.start_import("local")
    plain = ecg(
        code,
        source_name=f"{code.replace('/', '_')}.hea",
        statements=(f"Patient {code}: sinus rhythm",),
        notes=(f"id {code} by the sidecar",),
        device=f"Cart of {code}",
        identity=Identity("Jane Doe", date(1960, 6, 1)),
    )
    record = HIDDEN.record(plain)
    year = NOON.year - 64
    key = store.put_patient(Patient(record.patient_id, birth_year=year), run_key=run)
    stored = store.add_ecg(key, record, Findings(GateResult()), run)
    report = EchoNotes(f"{code} at rest", (f"{code}: akinetic",))
    store.add_echo(key, HIDDEN.echo(EchoStudy(code, NOON, NOON.date(), 35.0, report=report)), run)
    item = Diagnosis(code, "ICD-10", "I44.7", date(2020, 1, 2))
    store.add_diagnoses(key, [HIDDEN.diagnosis(item)], run)
    name = HIDDEN.text(f"folder/p{code.replace('/', '_')}.hea", code)
    store.add_import_row(run, ImportRow(name, "accepted", "wfdb", record.patient_id, stored))
    store.set_import_sources(run, [{"file": "a.csv", "column": "subject_id"}])
    store.close()

    words = re.findall(r"[^\W_]+", code)
    wanted = re.compile(r"[\W_]?".join(words) + "|Jane|Doe", re.IGNORECASE)
    engine = sa.create_engine(f"sqlite:///{database}")
    seen = 0
    with engine.connect() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        for table in found.sorted_tables:
            for row in connection.execute(sa.select(table)):
                seen += 1
                for column, value in row._mapping.items():
                    text = (
                        value.decode("latin-1")
                        if isinstance(value, bytes)
                        else json.dumps(value, default=str, ensure_ascii=False)
                    )
                    assert not wanted.search(text), f"{table.name}.{column}"
    engine.dispose()
    assert seen > 6
    for file in tmp_path.iterdir():
        assert code.encode() not in file.read_bytes()


class TestFinding:
    @pytest.fixture
    def keys(self, store):
        people = [("local", "17"), ("North/East", "17"), ("North/East", "a/b")]
        return [store.put_patient(Patient(Pseudonyms(KEY, s).of(c), s)) for s, c in people]

    def found(self, store, reference, settings):
        return [one.key for one in find_by_original_id(store, reference, settings)]

    def test_the_original_id_finds_its_patient(self, store, settings, keys):
        assert set(self.found(store, "17", settings)) == set(keys[:2])
        assert self.found(store, "local/17.0", settings) == [keys[0]]
        assert self.found(store, "North/East/17", settings) == [keys[1]]
        assert self.found(store, "North/East/a/b", settings) == [keys[2]]
        assert self.found(store, "a/b", settings) == [keys[2]]
        assert self.found(store, "18", settings) == []
        assert self.found(store, "", settings) == []

    def test_keys_and_pseudonyms_find_it_too(self, store, settings, keys):
        alias = HIDDEN.of("17")
        for reference in (keys[0], alias, f"local/{alias}"):
            assert self.found(store, reference, settings) == [keys[0]]

    def test_without_the_key_nobody_goes_back(self, store, keys):
        assert self.found(store, "17", Settings()) == []
        assert self.found(store, "17", Settings(id_key=KEY + "!")) == []

    def test_a_patient_of_before_the_key_is_found_once(self, store, settings):
        key = store.put_patient(Patient("99"))
        assert self.found(store, "99", settings) == [key]

    def test_what_is_looked_up(self, settings):
        assert resolve("17", Settings()) == ("17",)
        assert resolve("17", settings) == ("17", f"local/{HIDDEN.of('17')}")
        assert resolve("A/17", settings, ()) == ("A/17", f"A/{Pseudonyms(KEY, 'A').of('17')}")
