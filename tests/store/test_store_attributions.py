"""Kept attributions: by content, gone with the patient, and never shown damaged."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from ecgdash.domain import Patient
from ecgdash.domain.attribution import Attribution, WaveTable
from ecgdash.store import open_store
from ecgdash.store.attributions import AttributionKey
from ecgdash.store.schema import SCHEMA_HEAD, attributions
from tests.store.test_store_evidence import SIXTH_SCHEMA, SIXTH_VERSION, set_back
from tests.store.test_store_privacy import add_ecg

LEADS = ("I", "II")


def made(waveform, reference=None, **changed):
    rng = np.random.default_rng(7)
    bins = rng.normal(size=(2, 250)).astype(np.float32)
    total = float(bins.sum(dtype=np.float64))
    waves = np.zeros((2, 5))
    waves[:, 1] = bins.sum(axis=1, dtype=np.float64)
    whole = Attribution(
        family="deepecg-lvsd-12",
        variant="masked",
        weights_sha256="w" * 64,
        preprocessing_version=1,
        waveform_sha256=waveform,
        reference="zero" if reference is None else "earlier",
        reference_sha256=reference,
        start_s=2.0,
        leads=LEADS,
        bins=bins,
        waves=WaveTable(LEADS, waves),
        logit=total - 0.25,
        reference_logit=-0.25,
        gap=1e-6,
        earlier_logit=None if reference is None else 0.5,
    )
    return replace(whole, **changed)


def key_of(attribution, method=1):
    return AttributionKey(
        attribution.waveform_sha256,
        attribution.reference_sha256,
        attribution.weights_sha256,
        attribution.preprocessing_version,
        method,
        attribution.variant,
    )


def stored(store, code, seed, run=None):
    key = add_ecg(store, store.put_patient(Patient(code), run_key=run), run, seed)
    return store.ecg(key).sha256


def rows(store):
    with store._reading() as connection:
        return connection.execute(sa.select(attributions)).all()


def assert_same(a, b):
    for name in vars(a):
        left, right = getattr(a, name), getattr(b, name)
        if name == "waves":
            assert left.leads == right.leads
            np.testing.assert_array_equal(left.values, right.values)
        elif name == "bins":
            assert left.dtype == right.dtype == np.float32
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, name


@pytest.mark.parametrize("with_earlier", [False, True])
def test_what_is_kept_comes_back_as_it_was(store, with_earlier):
    waveform, earlier = stored(store, "1", 0), stored(store, "1", 1)
    kept = made(waveform, earlier if with_earlier else None)
    assert store.attribution(key_of(kept)) is None
    store.save_attribution(kept, 1)
    assert_same(store.attribution(key_of(kept)), kept)


@pytest.mark.parametrize(
    "other",
    [
        {"weights_sha256": "v" * 64},
        {"preprocessing_version": 2},
        {"variant": "recalibrated"},
        {"method_version": 2},
        {"reference_sha256": "e" * 64},
        {"waveform_sha256": "x" * 64},
    ],
)
def test_it_is_found_by_all_it_depends_on(store, other):
    kept = made(stored(store, "1", 0))
    store.save_attribution(kept, 1)
    assert store.attribution(replace(key_of(kept), **other)) is None


def test_a_second_one_takes_the_place_of_the_first(store):
    first = made(stored(store, "1", 0))
    store.save_attribution(first, 1)
    again = replace(first, start_s=0.0)
    store.save_attribution(again, 1)
    assert len(rows(store)) == 1
    assert store.attribution(key_of(first)).start_s == 0.0


def test_nothing_is_kept_of_a_waveform_that_is_not_stored(store):
    waveform = stored(store, "1", 0)
    store.save_attribution(made("f" * 64), 1)
    store.save_attribution(made(waveform, "f" * 64), 1)
    assert rows(store) == []


def test_it_goes_with_the_ecg_or_with_the_reference(store):
    first = store.start_import("local")
    earlier = stored(store, "1", 1, first)
    second = store.start_import("local")
    waveform = stored(store, "1", 0, second)
    alone, compared, other = made(waveform), made(waveform, earlier), made(earlier)
    for one in (alone, compared, other):
        store.save_attribution(one, 1)
    store.undo_import(first)
    assert store.attribution(key_of(alone)) is not None
    assert store.attribution(key_of(compared)) is None
    assert store.attribution(key_of(other)) is None
    store.undo_import(second)
    assert rows(store) == []


def test_it_stays_while_another_patient_holds_the_same_waveform(store):
    first, second = store.start_import("local"), store.start_import("local")
    waveform = stored(store, "1", 0, first)
    assert stored(store, "2", 0, second) == waveform
    kept = made(waveform)
    store.save_attribution(kept, 1)
    store.undo_import(first)
    assert store.attribution(key_of(kept)) is not None
    store.undo_import(second)
    assert rows(store) == []


def test_an_undo_that_fails_removes_nothing(store):
    run = store.start_import("local")
    kept = made(stored(store, "1", 0, run))
    store.save_attribution(kept, 1)

    def undo_and_stop():
        with store.transaction():
            store.undo_import(run)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        undo_and_stop()
    assert store.attribution(key_of(kept)) is not None


def damage_details(**values):
    def change(row):
        details = {**row.details, **values}
        return {"details": {k: v for k, v in details.items() if v != "absent"}}

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {"bins": row.bins[:100]},
        lambda row: {"bins": b""},
        lambda row: {"bins": bytes(reversed(row.bins))},
        damage_details(logit=99.0),
        damage_details(logit=None),
        damage_details(gap="absent"),
        damage_details(leads=["I"]),
        damage_details(leads=[]),
        damage_details(waves=[[0.0] * 5] * 2),
        damage_details(waves=[[0.0] * 4] * 2),
        damage_details(earlier_logit=0.5),
        lambda row: {"details": []},
        lambda row: {"details": "nothing"},
    ],
)
def test_a_damaged_row_counts_as_absent_and_can_be_replaced(store, change):
    kept = made(stored(store, "1", 0))
    store.save_attribution(kept, 1)
    (row,) = rows(store)
    with store._writing() as connection:
        connection.execute(sa.update(attributions).values(**change(row)))
    assert store.attribution(key_of(kept)) is None
    store.save_attribution(kept, 1)
    assert_same(store.attribution(key_of(kept)), kept)


def test_a_store_of_the_sixth_schema_opens_with_its_ecgs(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = open_store(url)
    waveform = stored(old, "1", 0)
    old.close()
    set_back(url, *SIXTH_SCHEMA, SIXTH_VERSION)
    store = open_store(url)
    kept = made(waveform)
    store.save_attribution(kept, 1)
    assert_same(store.attribution(key_of(kept)), kept)
    with store._reading() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == SCHEMA_HEAD
    store.close()
