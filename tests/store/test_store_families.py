"""The site's choice among families, and stores of before it."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from test_store_evidence import FIFTH_SCHEMA, FIFTH_VERSION, set_back
from test_store_worklist import make_row

from ecgdash.domain import Patient
from ecgdash.store import WorklistQuery, open_store
from ecgdash.store.schema import SCHEMA_HEAD

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_choice_is_kept_per_lead_set_and_label(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    assert store.active_families() == {}
    store.set_active_family("12", "LVEF <= 40 %", "a")
    store.set_active_family("6", "LVEF <= 40 %", "b")
    store.set_active_family("12", "LVEF < 50 %", "c")
    store.set_active_family("12", "LVEF <= 40 %", "d")
    store.close()
    store = open_store(url)
    assert store.active_families() == {
        ("12", "LVEF <= 40 %"): "d",
        ("6", "LVEF <= 40 %"): "b",
        ("12", "LVEF < 50 %"): "c",
    }
    store.close()


def _choose_and_stop(store):
    with store.transaction():
        store.set_active_family("12", "LVEF <= 40 %", "a")
        raise KeyboardInterrupt


def test_a_choice_makes_every_row_out_of_date_or_is_not_kept(store):
    keys = [store.put_patient(Patient(name)) for name in ("1", "2")]
    store.save_worklist_rows([make_row(key, 1) for key in keys])
    assert store.patient_keys(stale_only=True) == []
    with pytest.raises(KeyboardInterrupt):
        _choose_and_stop(store)
    assert store.active_families() == {}
    assert store.patient_keys(stale_only=True) == []
    store.set_active_family("12", "LVEF <= 40 %", "a")
    assert sorted(store.patient_keys(stale_only=True)) == sorted(keys)


def test_a_row_keeps_whose_score_it_is(store):
    key = store.put_patient(Patient("1"))
    store.save_worklist_rows([make_row(key, 1, family="deepecg-lvsd-12")])
    assert store.worklist(WorklistQuery()).rows[0].family == "deepecg-lvsd-12"


def test_a_store_of_the_fifth_schema_opens_with_its_rows(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    key = old.put_patient(Patient("1"))
    row = make_row(key, 1, family="deepecg-lvsd-12")
    old.save_worklist_rows([row])
    old.close()
    set_back(url, *FIFTH_SCHEMA, FIFTH_VERSION)
    engine = sa.create_engine(url)
    assert "family" not in {c["name"] for c in sa.inspect(engine).get_columns("worklist")}
    engine.dispose()
    store = open_store(url)
    (kept,) = store.worklist(WorklistQuery()).rows
    assert (kept.key, kept.value, kept.family) == (row.key, row.value, None)
    assert store.active_families() == {}
    store.set_active_family("12", "LVEF <= 40 %", "a")
    store.close()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == SCHEMA_HEAD
    engine.dispose()
