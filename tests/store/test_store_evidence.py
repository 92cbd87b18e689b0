"""Evidence is kept per ECG, replaced as a whole, and never loaded with lists."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from ecgdash.domain import (
    EcgEvidence,
    EcgRecord,
    Flag,
    GateFinding,
    GateResult,
    HeadScores,
    Patient,
    RuleEvidence,
)
from ecgdash.errors import InvalidValue, NotFound, StoreError
from ecgdash.store import Findings, ImportRow, open_store

RULES = {"LBBB": RuleEvidence(2.5, "QRS 152 ms"), "AF_OR_AFL": RuleEvidence(-4.0, "")}
BEATS = {"onset_ms": [120, 980], "kind": ["normal", "PVC"]}


def head(weights="a"):
    return HeadScores("fam", weights * 64, {"LBBB": 0.93, "AFIB": 0.01})


@pytest.fixture
def store():
    opened = open_store("sqlite://")
    yield opened
    opened.close()


def added(store, evidence=None, days=0):
    patient = store.put_patient(Patient("17"))
    findings = Findings(GateResult(), evidence=evidence or EcgEvidence())
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=days)
    record = EcgRecord(np.full((1, 500), 0.1 * days), ("I",), 50.0, recorded_at=at)
    return patient, store.add_ecg(patient, record, findings)


def test_evidence_reads_back_equal(store):
    _, ecg = added(store, EcgEvidence(RULES, BEATS, head()))
    assert store.evidence(ecg) == EcgEvidence(RULES, BEATS, head())
    _, plain = added(store, days=1)
    assert store.evidence(plain) == EcgEvidence()


def test_an_unknown_ecg_is_refused(store):
    with pytest.raises(NotFound, match="no such ECG"):
        store.evidence("nothing")


def test_ecgs_without_head_scores_of_these_weights_are_found(store):
    patient, ecg = added(store, EcgEvidence(RULES))
    _, other = added(store, EcgEvidence(RULES, head=head("a")), days=1)
    assert store.without_head([patient], "a" * 64) == [ecg]
    assert store.without_head([patient], "b" * 64) == [ecg, other]
    assert store.without_head([], "b" * 64) == []


def test_saving_replaces_evidence_and_flags_and_asks_for_a_new_worklist_row(store):
    patient, ecg = added(store, EcgEvidence(RULES, BEATS))
    store.save_worklist_rows([])
    flags = (Flag("LBBB", "model", "label head 0.93"),)
    gate = GateResult(
        (
            GateFinding("pacing", "excludes", "paced rhythm"),
            GateFinding("pacing", "notes", "paced by measurement: spikes"),
        ),
        (0.0, 10.0),
    )
    evidence = EcgEvidence(RULES, BEATS, head())
    store.save_findings({ecg: Findings(gate, flags, {"qrs_ms": 152.0}, evidence)})
    assert store.evidence(ecg).head == head()
    stored = store.ecg(ecg)
    assert (stored.flags, stored.gate, stored.measured) == (flags, gate, {"qrs_ms": 152.0})
    assert store.patient_keys(stale_only=True) == [patient]


def test_all_or_nothing(store):
    _, ecg = added(store, EcgEvidence(RULES))
    new = Findings(GateResult(), evidence=EcgEvidence(RULES, head=head()))
    with pytest.raises(NotFound):
        store.save_findings({ecg: new, "nothing": new})
    assert store.evidence(ecg).head is None


def test_scores_out_of_range_are_refused():
    with pytest.raises(InvalidValue, match="label scores of AFIB"):
        HeadScores("fam", "a" * 64, {"AFIB": 1.2})
    with pytest.raises(InvalidValue):
        HeadScores("fam", "a" * 64, {"AFIB": float("nan")})


SEVENTH_SCHEMA = (
    "ALTER TABLE predictions DROP COLUMN backend",
    "ALTER TABLE worklist DROP COLUMN others",
)
SEVENTH_VERSION = "UPDATE alembic_version SET version_num = '0007'"
SIXTH_SCHEMA = (*SEVENTH_SCHEMA, "DROP TABLE attributions")
SIXTH_VERSION = "UPDATE alembic_version SET version_num = '0006'"
FIFTH_SCHEMA = (
    *SIXTH_SCHEMA,
    "DROP TABLE active_families",
    "ALTER TABLE worklist DROP COLUMN family",
)
FIFTH_VERSION = "UPDATE alembic_version SET version_num = '0005'"
FOURTH_SCHEMA = (
    *FIFTH_SCHEMA,
    "DROP TABLE patient_names",
    "ALTER TABLE patients DROP COLUMN name",
    "ALTER TABLE patients DROP COLUMN birth_date",
    "ALTER TABLE echoes DROP COLUMN report",
    "ALTER TABLE import_runs DROP COLUMN sources",
    "ALTER TABLE ecgs DROP COLUMN in_millivolts",
)
FOURTH_VERSION = "UPDATE alembic_version SET version_num = '0004'"
THIRD_SCHEMA = (
    *FOURTH_SCHEMA,
    "DROP TABLE import_links",
    *(f"DROP INDEX ix_{name}_import_run" for name in ("ecgs", "echoes", "diagnoses")),
    *(f"ALTER TABLE {name} DROP COLUMN import_run" for name in ("echoes", "diagnoses")),
    "DROP INDEX ix_import_rows_run_source",
    "ALTER TABLE import_rows DROP COLUMN source",
    "ALTER TABLE import_rows DROP COLUMN audit",
    "ALTER TABLE import_runs DROP COLUMN fingerprint",
    "ALTER TABLE import_runs DROP COLUMN undone_at",
)
THIRD_VERSION = "UPDATE alembic_version SET version_num = '0003'"
SECOND_SCHEMA = (
    *THIRD_SCHEMA,
    "ALTER TABLE ecgs ADD COLUMN gate_reasons JSON NOT NULL DEFAULT '[]'",
    "ALTER TABLE ecgs ADD COLUMN gate_notes JSON NOT NULL DEFAULT '[]'",
    "ALTER TABLE ecgs DROP COLUMN gate_findings",
    "ALTER TABLE ecgs DROP COLUMN gate_window_s",
    "UPDATE alembic_version SET version_num = '0002'",
)
FIRST_SCHEMA = (
    *SECOND_SCHEMA,
    "DROP TABLE ecg_evidence",
    "UPDATE alembic_version SET version_num = '0001'",
)


def set_back(url, *orders):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for order in orders:
            connection.exec_driver_sql(order)
    engine.dispose()


def test_a_store_of_the_first_schema_opens_and_lacks_the_head(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    patient, ecg = added(old, EcgEvidence(RULES))
    old.close()
    set_back(url, *FIRST_SCHEMA)
    store = open_store(url)
    assert store.evidence(ecg) == EcgEvidence()
    assert store.without_head([patient], "a" * 64) == [ecg]
    store.close()


@pytest.mark.parametrize(
    ("status", "effect"), [("excluded", "excludes"), ("poor_quality", "withholds")]
)
def test_sentences_of_the_second_schema_become_findings(tmp_path, status, effect):
    """And the tables that point to the ECG keep their rows."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    _, ecg = added(old, EcgEvidence(RULES, BEATS))
    signal = old.record(ecg).signal_mv
    old.close()
    set_back(
        url,
        *SECOND_SCHEMA,
        f"""UPDATE ecgs SET gate_status = '{status}', gate_reasons = '["why"]',
            gate_notes = '["age unknown"]'""",
    )
    store = open_store(url)
    gate = store.ecg(ecg).gate
    assert gate.findings == (
        GateFinding("earlier_version", effect, "why"),
        GateFinding("earlier_version", "notes", "age unknown"),
    )
    assert (gate.status, gate.window_s) == (status, None)
    np.testing.assert_array_equal(store.record(ecg).signal_mv, signal)
    assert store.evidence(ecg) == EcgEvidence(RULES, BEATS)
    store.close()


def test_head_scores_of_the_second_schema_are_out_of_date(tmp_path):
    """They, like predictions, were of the first 10 s, padding included."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    patient, ecg = added(old, EcgEvidence(RULES, BEATS, head()))
    assert old.without_head([patient], head().weights_sha256) == []
    old.close()
    set_back(url, *SECOND_SCHEMA)
    store = open_store(url)
    assert store.without_head([patient], head().weights_sha256) == [ecg]
    assert store.evidence(ecg) == EcgEvidence(RULES, BEATS)
    store.close()


def test_duplicates_of_the_third_schema_become_links(tmp_path):
    """An import of before, whose ECG a later one brought again, is not undone under it."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    first, later = old.start_import("local"), old.start_import("local")
    patient, _ = added(old, EcgEvidence(RULES))
    (ecg,) = [one.key for one in old.ecgs_of(patient)]
    old.add_import_row(later, ImportRow("again", "duplicate", ecg=ecg))
    old.close()
    set_back(url, "UPDATE ecgs SET import_run = 1", *THIRD_SCHEMA, THIRD_VERSION)
    store = open_store(url)
    assert store.import_rows_of(later) == [ImportRow("again", "duplicate", ecg=ecg)]
    with pytest.raises(StoreError, match="another import brought some of the same"):
        store.undo_import(first)
    store.undo_import(later)
    assert store.undo_import(first).n_ecgs == 1
    store.close()
