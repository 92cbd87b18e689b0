"""Grad-CAM on the ECG's own time axis, on the shipped weights."""

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord, Patient
from ecgdash.errors import InvalidValue
from ecgdash.explain.gradcam import grad_cam
from ecgdash.inference import Engine
from ecgdash.inference.gate import gate
from ecgdash.services.moments import moments
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise
from ecgdash.store import Findings, open_store


@pytest.fixture(scope="module")
def engine():
    return Engine.load("deepecg-lvsd-12")


@pytest.fixture
def stored():
    """Return a store that holds one simulated ECG, and its key."""
    signal = synthesise(example_parameters("lbbb", 1, seed=5003), 500.0)[0]
    record = EcgRecord(signal, CANONICAL_LEADS, 500.0)
    store = open_store("sqlite://")
    key = store.add_ecg(store.put_patient(Patient("P1")), record, Findings(gate(record)))
    yield store, key
    store.close()


def test_each_step_of_the_block_lies_where_its_samples_were_recorded(engine, stored):
    store, key = stored
    found = moments(store, engine, key, "masked")
    assert found.start_s == 0.0
    assert found.bins.shape == (250,)
    assert found.step_s == pytest.approx(0.256)  # 4 x 2 x 2 x 2 x 2 samples at 250 Hz
    # The three crops start at 0, 0.5 and 1 s, so at 5.12 s the first one is at step 20 and the
    # others lie between two of their steps; the hand's sum needs no code of the roll-up.
    courses = grad_cam(engine.net, engine.crops(store.record(key)), "masked")
    at = 5.12 + 0.004 * np.arange(10)
    by_crop = [
        np.interp(at - start, 0.256 * np.arange(courses.shape[1]), course)
        for start, course in zip((0.0, 0.5, 1.0), courses, strict=True)
    ]
    assert found.bins[128] == pytest.approx(np.mean(by_crop), rel=1e-4)


def test_an_unknown_variant_is_named(engine, stored):
    store, key = stored
    with pytest.raises(InvalidValue, match="has no variant 'quux'"):
        moments(store, engine, key, "quux")
