"""Trust measured on the shipped one-lead family, few ECGs; and maps over a store."""

import numpy as np
import pytest

from ecgdash.domain.trust import TRUST_MARKS
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.inference import Engine
from ecgdash.services.attributions import attribute_record
from ecgdash.services.importing import import_records
from ecgdash.services.trust import cohort_map, measure_trust
from ecgdash.services.trust_maps import LOW_LVEF
from ecgdash.services.trust_sample import trust_sample
from ecgdash.settings import Settings

FAMILY = "deepecg-lvsd-1"
N = 4


@pytest.fixture(scope="module")
def engine():
    return Engine.load(FAMILY, "cpu")


@pytest.fixture(scope="module")
def sample():
    return trust_sample(N, 78)


@pytest.fixture(scope="module")
def found(engine):
    return measure_trust(engine, N, 78)


def test_half_of_the_sample_has_a_low_lvef_and_nobody_twice(sample):
    checked = [ecg for ecg in sample.ecgs if ecg.checked]
    assert [ecg.low for ecg in checked] == [True, True, False, False]
    people = sample.cohort.patient_index[[ecg.row for ecg in sample.ecgs]]
    assert len(set(people.tolist())) == len(sample.ecgs)
    for name in ("LBBB", "AFIB"):
        assert sum(name in ecg.groups for ecg in sample.ecgs) >= N
    for ecg in checked:
        near = [
            study.lvef_percent
            for study in sample.cohort.echo_studies(int(sample.cohort.patient_index[ecg.row]))
            if abs((study.performed_at - ecg.record.recorded_at).days) <= 14
        ]
        assert ecg.lvef_percent in near
        if ecg.earlier is not None:
            assert ecg.earlier.patient_id == ecg.record.patient_id
            assert ecg.earlier.recorded_at < ecg.record.recorded_at


def test_every_check_is_judged_by_its_mark(found, engine):
    assert found.weights_sha256 == engine.card.weights_sha256
    for checks in found.checks.values():
        assert [check.key for check in checks] == [mark.key for mark in TRUST_MARKS]
        for check, mark in zip(checks, TRUST_MARKS, strict=True):
            assert check.passed == mark.is_passed(check.result.value, check.aside)
            assert check.n_ecgs == (N // 2 if check.key == "pointing" else N)
            assert np.isfinite(check.result.value)
        assert checks[0].passed  # completeness is exact by construction


def test_the_maps_are_the_means_of_each_ecgs_attribution(found, sample, engine):
    tables = [
        attribute_record(engine, ecg.record, "masked").waves.values
        for ecg in sample.ecgs
        if ecg.checked and ecg.low
    ]
    one = found.maps["masked"][LOW_LVEF]
    assert one.n_ecgs == len(tables) == 2
    np.testing.assert_allclose(one.signed.values, np.mean(tables, axis=0), atol=1e-6)
    np.testing.assert_allclose(one.absolute.values, np.mean(np.abs(tables), axis=0), atol=1e-6)
    assert (one.absolute.values >= np.abs(one.signed.values) - 1e-9).all()
    assert found.cause.values[:, :4].sum() > 0


def test_too_few_ecgs_are_refused(engine):
    with pytest.raises(InvalidValue, match="cannot check maps on 2 ECGs"):
        measure_trust(engine, 2)


def test_a_map_over_a_store_takes_the_subgroup_that_is_asked_for(store, sample, engine):
    named = [(f"e{ecg.row}", ecg.record) for ecg in sample.ecgs]
    import_records(store, named, settings=Settings(), simulated=True)
    told = []
    whole = cohort_map(store, engine, "uncalibrated", on_progress=lambda *n: told.append(n))
    assert told[-1] == (whole.n_ecgs, whole.n_ecgs)
    some = cohort_map(store, engine, "uncalibrated", "AFIB", limit=3)
    assert some.n_ecgs == 3
    assert not np.allclose(some.signed.values, whole.signed.values)
    with pytest.raises(InvalidValue, match="no subgroup 'XYZ'"):
        cohort_map(store, engine, "uncalibrated", "XYZ")


def test_an_empty_store_has_no_map(store, engine):
    with pytest.raises(NotFound, match="no analysable ECG in LBBB"):
        cohort_map(store, engine, "uncalibrated", "LBBB")
