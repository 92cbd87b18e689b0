"""The same store on PostgreSQL; runs where a server and its driver are at hand.

ECGDASH_TEST_POSTGRESQL_URL names an empty database, for instance
postgresql+psycopg://postgres@localhost/ecgdash_test.
"""

import os
from datetime import UTC, datetime

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ecgdash.domain import (
    EcgEvidence,
    EcgRecord,
    EchoStudy,
    Flag,
    GateResult,
    HeadScores,
    Patient,
    Prediction,
    Provenance,
    RuleEvidence,
)
from ecgdash.store import Findings, WorklistQuery, open_store
from ecgdash.store.engine import open_engine
from ecgdash.store.schema import metadata

URL = os.environ.get("ECGDASH_TEST_POSTGRESQL_URL", "")
pytestmark = pytest.mark.skipif(
    not URL, reason="ECGDASH_TEST_POSTGRESQL_URL names no PostgreSQL database"
)


def test_schema_is_the_one_the_code_is_written_for():
    engine = open_engine(URL)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_objects_read_back_equal_and_the_worklist_answers():
    store = open_store(URL)
    patient = store.put_patient(Patient("17", "postgresql"))
    moment = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    record = EcgRecord(
        np.linspace(-1, 1, 600, dtype=np.float32).reshape(1, 600),
        ("I",),
        250.0,
        recorded_at=moment,
        measurements={"qrs_ms": 120.5},
        statements=("Ω sinus",),
    )
    if not store.ecgs_of(patient):
        store.add_ecg(patient, record, Findings(GateResult(), (Flag("LBBB", "statement", "x"),)))
        store.add_echo(patient, EchoStudy("17", moment, moment.date(), 35.5, "simpson"))
    (stored,) = store.ecgs_of(patient)
    assert stored.recorded_at == moment
    assert stored.statements == record.statements
    assert store.record(stored.key).sha256 == record.sha256
    evidence = EcgEvidence(
        {"LBBB": RuleEvidence(2.5, "QRS 152 ms")},
        {"kind": "nnV"},
        HeadScores("fam", "a" * 64, {"LBBB": 0.9}),
    )
    flags = (Flag("LBBB", "model", "label head 0.90"),)
    store.save_findings({stored.key: Findings(stored.gate, flags, {}, evidence)})
    assert store.evidence(stored.key) == evidence
    assert store.ecg(stored.key).flags == flags
    assert store.without_head([patient], "a" * 64) == []
    assert store.without_head([patient], "b" * 64) == [stored.key]
    assert [study.performed_at for study in store.echoes_of(patient)] == [moment]
    origin = Provenance("fam", "a" * 64, 1, record.sha256, "0.1", moment, "torch 2.13.0 cpu")
    store.save_predictions([Prediction(stored.key, "1", {}, {"uncalibrated": (0.5,)}, origin)])
    assert store.predictions_of(patient)[stored.key]["fam"].provenance == origin
    for order in ("action", "change", "score", "last_ecg", "patient"):
        assert store.worklist(WorklistQuery(order=order, find="%", last_echo="old")).rows == ()
    store.close()
