"""Attributions on the shipped weights are complete, kept, and made again when doubtful."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy as sa
import torch

from ecgdash.domain import CANONICAL_LEADS, EcgRecord, GateResult, Patient
from ecgdash.domain.leads import LEADS_OF_SET
from ecgdash.errors import InputDoesNotFitModel, InvalidValue, NotFound
from ecgdash.inference import Engine
from ecgdash.io import read_ecg
from ecgdash.nets.se_resnext import use_complete_forms
from ecgdash.services import attributions as module
from ecgdash.services.attributions import attribute, attribute_record, earlier_of
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.settings import Settings
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise
from ecgdash.store import Findings
from ecgdash.store.schema import attributions
from tests.sample_patients import code_of, store_of

PATIENT = code_of("recovery, then relapse")
SEED = 5002
ALIKE_LOGIT = 0.01
COMPLETE = 0.001


@pytest.fixture(scope="module")
def engines():
    """Return the three shipped families."""
    return {lead_set: Engine.load(f"deepecg-lvsd-{lead_set}") for lead_set in LEADS_OF_SET}


@pytest.fixture(scope="module")
def simulated():
    names = ("normal", "lbbb", "afib", "paced")
    signals = [synthesise(example_parameters(name, 1, seed=SEED), 500.0)[0] for name in names]
    return [EcgRecord(signal, CANONICAL_LEADS, 500.0) for signal in signals]


def assert_complete(engine, records):
    for record, earlier in zip(records, records[1:] + records[:1], strict=True):
        for reference in (None, earlier):
            for variant in engine.variants:
                found = attribute_record(engine, record, variant, reference)
                scored = engine.base_logits([record])[0, engine.variants.index(variant)].mean()
                assert found.logit == pytest.approx(scored, abs=1e-5)
                assert found.leads == engine.leads
                difference = found.logit - found.reference_logit
                allowed = COMPLETE * max(abs(difference), ALIKE_LOGIT)
                assert abs(found.bins.sum(dtype=np.float64) - difference) <= allowed
                assert abs(found.waves.values.sum() - difference) <= allowed
                by_lead = found.bins.sum(axis=1, dtype=np.float64)
                np.testing.assert_allclose(found.waves.values.sum(axis=1), by_lead, atol=1e-5)
                assert np.abs(found.bins).max() > 0


@pytest.mark.parametrize("lead_set", LEADS_OF_SET)
def test_maps_of_simulated_ecgs_sum_to_the_difference(engines, simulated, lead_set):
    assert_complete(engines[lead_set], simulated)


@pytest.mark.real
@pytest.mark.parametrize("lead_set", LEADS_OF_SET)
def test_maps_of_real_ecgs_sum_to_the_difference(engines, shared_data, lead_set):
    files = sorted((shared_data / "ptbxl500" / "records500").rglob("*.hea"))[:3]
    assert_complete(engines[lead_set], [read_ecg(file) for file in files])


@pytest.mark.parametrize("lead_set", LEADS_OF_SET)
def test_complete_forms_change_no_logit_of_the_shipped_weights(engines, simulated, lead_set):
    engine = engines[lead_set]
    x = torch.from_numpy(np.concatenate([engine.crops(record) for record in simulated]))
    with torch.inference_mode():
        plain = engine.net(x)
        with use_complete_forms(engine.net):
            complete = engine.net(x)
    assert float((plain - complete).abs().max()) <= 1e-6


@pytest.mark.parametrize("lead_set", LEADS_OF_SET)
def test_an_ecg_against_itself_has_nothing_to_explain(engines, simulated, lead_set):
    engine = engines[lead_set]
    against_flat = attribute_record(engine, simulated[0], "uncalibrated")
    found = attribute_record(engine, simulated[0], "uncalibrated", simulated[0])
    assert np.abs(found.bins).max() < 1e-4 * np.abs(against_flat.bins).max()
    assert found.logit == pytest.approx(found.reference_logit, abs=1e-5)
    assert found.earlier_logit == pytest.approx(found.logit, abs=1e-5)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a store with one scored sample patient, and the patient's course."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('kept') / 'store.db'}")
    store = store_of(settings, PATIENT)
    loaded = load_engines(settings)
    score_patients(store, loaded)
    yield store, timeline(store, f"SIM/{PATIENT}", [engine.card for engine in loaded])
    store.close()


class Counted:
    """How often a map was computed, and not looked up."""

    def __init__(self, monkeypatch):
        self.n = 0
        plain = module.attribute_record

        def counting(*args):
            self.n += 1
            return plain(*args)

        monkeypatch.setattr(module, "attribute_record", counting)


def test_a_map_is_made_once_and_made_again_when_its_row_is_damaged(course, engines, monkeypatch):
    store, known = course
    with store._writing() as connection:
        connection.execute(sa.delete(attributions))
    counted = Counted(monkeypatch)
    ecg = known.points[-1].ecg
    earlier = earlier_of(known, ecg)
    for reference in (None, earlier):
        first = attribute(store, engines["12"], ecg, "masked", reference)
        again = attribute(store, engines["12"], ecg, "masked", reference)
        np.testing.assert_array_equal(first.bins, again.bins)
        np.testing.assert_array_equal(first.waves.values, again.waves.values)
        assert (first.logit, first.earlier_logit) == (again.logit, again.earlier_logit)
    assert counted.n == 2
    with store._writing() as connection:
        connection.execute(sa.update(attributions).values(bins=b"alien"))
    mended = attribute(store, engines["12"], ecg, "masked", earlier)
    np.testing.assert_array_equal(mended.bins, first.bins)
    assert counted.n == 3
    attribute(store, engines["12"], ecg, "masked", earlier)
    assert counted.n == 3


def test_families_and_variants_are_kept_apart(course, engines):
    store, known = course
    ecg = known.points[-1].ecg
    for _ in range(2):
        for engine in engines.values():
            for variant in engine.variants:
                found = attribute(store, engine, ecg, variant)
                assert (found.family, found.variant) == (engine.card.family, variant)
                assert found.weights_sha256 == engine.card.weights_sha256


def test_the_earlier_one_is_the_last_analysable_one_with_the_leads(course):
    _, known = course
    points = known.points
    assert len(points) >= 3
    assert earlier_of(known, points[0].ecg) is None
    assert earlier_of(known, "nothing") is None
    assert earlier_of(known, points[2].ecg) == points[1].ecg
    for change in ({"status": "excluded"}, {"status": "poor_quality"}, {"lead_set": "6"}):
        changed = type(known)(**{**vars(known), "points": _with(points, 1, **change)})
        assert earlier_of(changed, points[2].ecg) == points[0].ecg
    fewer = type(known)(**{**vars(known), "points": _with(points, 2, lead_set="1")})
    assert earlier_of(fewer, points[2].ecg) == points[1].ecg


def _with(points, at, **values):
    new = type(points[at])(**{**vars(points[at]), **values})
    return (*points[:at], new, *points[at + 1 :])


def test_what_cannot_be_compared_is_refused(course, engines):
    store, known = course
    ecg = known.points[0].ecg
    with pytest.raises(NotFound):
        attribute(store, engines["12"], "nothing", "masked")
    with pytest.raises(InvalidValue, match="has no variant 'best'"):
        attribute(store, engines["12"], ecg, "best")
    with pytest.raises(InvalidValue, match="another one of the same patient"):
        attribute(store, engines["12"], ecg, "masked", ecg)
    record = store.record(ecg)
    stranger = store.put_patient(Patient("stranger", site="SIM"))
    moved = replace(record, recorded_at=record.recorded_at + timedelta(days=1))
    foreign = store.add_ecg(stranger, moved, Findings(GateResult()))
    with pytest.raises(InvalidValue, match="another one of the same patient"):
        attribute(store, engines["12"], ecg, "masked", foreign)


def test_an_ecg_without_the_leads_is_refused(engines, simulated):
    six = EcgRecord(simulated[0].signal_mv[:6], CANONICAL_LEADS[:6], 500.0)
    with pytest.raises(InputDoesNotFitModel, match="needs leads V1"):
        attribute_record(engines["12"], six, "masked")
    with pytest.raises(InputDoesNotFitModel, match="leads V1"):
        attribute_record(engines["12"], simulated[0], "masked", six)
