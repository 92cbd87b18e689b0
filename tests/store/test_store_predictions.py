"""What a prediction keeps of how it was made, and stores of before that."""

from datetime import UTC, datetime

import numpy as np
import pytest
import sqlalchemy as sa
from test_store_evidence import SEVENTH_SCHEMA, SEVENTH_VERSION, set_back
from test_store_worklist import make_row

from ecgdash.domain import EcgRecord, GateResult, Patient, Prediction, Provenance
from ecgdash.store import Findings, WorklistQuery, open_store
from ecgdash.store.schema import SCHEMA_HEAD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TORCH = "torch 2.13.0 float32 cpu"


def with_prediction(store, backend):
    patient = store.put_patient(Patient("1"))
    record = EcgRecord(np.zeros((1, 9), np.float32), ("I",), 250.0)
    ecg = store.add_ecg(patient, record, Findings(GateResult()))
    made = Provenance("family", "w" * 64, 1, record.sha256, "0.1", NOW, backend)
    store.save_predictions([Prediction(ecg, "1", {}, {"uncalibrated": (0.25,)}, made)])
    return patient, ecg


@pytest.mark.parametrize(("backend", "column"), [(TORCH, TORCH), ("", None)])
def test_what_carried_out_the_network_is_kept_and_unknown_is_null(store, backend, column):
    patient, ecg = with_prediction(store, backend)
    with store._reading() as connection:
        found = connection.exec_driver_sql("SELECT backend FROM predictions").scalar_one()
    assert found == column
    assert store.predictions_of(patient)[ecg]["family"].provenance.backend == backend


def test_a_store_of_the_seventh_schema_opens_with_its_predictions_and_rows(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    patient, ecg = with_prediction(old, TORCH)
    old.save_worklist_rows([make_row(patient, 1)])
    before = old.predictions_of(patient)[ecg]["family"]
    old.close()
    set_back(url, *SEVENTH_SCHEMA, SEVENTH_VERSION)
    engine = sa.create_engine(url)
    columns = {
        name: {c["name"] for c in sa.inspect(engine).get_columns(name)}
        for name in ("predictions", "worklist")
    }
    assert "backend" not in columns["predictions"]
    assert "others" not in columns["worklist"]
    engine.dispose()

    store = open_store(url)
    kept = store.predictions_of(patient)[ecg]["family"]
    assert kept.provenance.backend == ""
    assert (kept.base_logits, kept.provenance.made_at) == (before.base_logits, NOW)
    (row,) = store.worklist(WorklistQuery()).rows
    assert row.key == patient
    with store._reading() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        others = connection.exec_driver_sql("SELECT others FROM worklist").scalar()
    assert (version, others) == (SCHEMA_HEAD, "[]")
    store.close()
