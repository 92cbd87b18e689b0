"""An earlier ECG as reference: itself, simulated and real ones, and refusals."""

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InputDoesNotFitModel, InvalidValue
from ecgdash.explain.reference import aligned_earlier, earlier_crops
from ecgdash.io import read_ecg
from ecgdash.signal.delineation import delineate_record
from ecgdash.signal.preprocess import preprocess_crops
from ecgdash.signal.window import scored_window
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise


def simulated(name, seed, hz=500.0, leads=CANONICAL_LEADS):
    signal = synthesise(example_parameters(name, 1, seed=seed), hz)[0]
    rows = [CANONICAL_LEADS.index(lead) for lead in leads]
    return EcgRecord(signal[rows], leads, hz)


@pytest.mark.parametrize("name", ["normal", "lbbb", "afib", "paced", "pvc"])
def test_a_simulated_ecg_against_itself_is_itself(name):
    record = simulated(name, 5002)
    own = preprocess_crops(record.signal_mv, 500.0)
    np.testing.assert_allclose(earlier_crops(record, record, record.leads), own, atol=1e-6)


@pytest.mark.real
def test_real_ecgs_against_themselves_and_each_other(shared_data):
    files = sorted((shared_data / "ptbxl500" / "records500").rglob("*.hea"))[:6]
    records = [read_ecg(file) for file in files]
    for record, other in zip(records, records[1:] + records[:1], strict=True):
        window = scored_window(record.signal_mv, record.sampling_hz)
        own = record.signal_mv[:, window.slice]
        np.testing.assert_allclose(aligned_earlier(record, record, record.leads), own, atol=1e-6)
        laid = aligned_earlier(record, other, record.leads)
        assert laid.shape == own.shape
        assert np.isfinite(laid).all()
        assert earlier_crops(record, other, record.leads).shape == (3, 12, 2250)


@pytest.mark.parametrize(
    ("this", "earlier"), [("normal", "lbbb"), ("lbbb", "normal"), ("pvc", "normal")]
)
def test_the_beats_of_the_earlier_ecg_are_found_on_those_of_this_one(this, earlier):
    record, before = simulated(this, 11), simulated(earlier, 12)
    laid = aligned_earlier(record, before, record.leads)
    again = EcgRecord(laid.astype(np.float32), record.leads, 500.0)
    of_laid, of_this = (
        one.found.beats.sample[0][one.found.beats.exists[0]] / one.sampling_hz
        for one in (delineate_record(again), delineate_record(record))
    )
    apart = np.abs(of_laid[:, np.newaxis] - of_this).min(axis=0)
    assert np.median(apart) < 0.02
    assert (apart < 0.06).mean() > 0.9


def test_leads_and_rates_of_the_earlier_ecg_may_differ():
    record = simulated("normal", 3, 250.0, CANONICAL_LEADS[:6])
    before = simulated("normal", 4, 500.0)
    laid = aligned_earlier(record, before, record.leads)
    assert laid.shape == record.signal_mv.shape


def test_absent_leads_are_named():
    record, six = simulated("normal", 3), simulated("normal", 4, 500.0, CANONICAL_LEADS[:6])
    for pair in ((record, six), (six, record)):
        with pytest.raises(InputDoesNotFitModel, match="leads V1, V2, V3, V4, V5, V6"):
            aligned_earlier(*pair, CANONICAL_LEADS)


def test_missing_samples_and_another_unit_are_refused():
    record = simulated("normal", 3)
    gap = record.signal_mv.copy()
    gap[1, 2000:2050] = np.nan
    with pytest.raises(InvalidValue, match="lacks samples"):
        aligned_earlier(record, EcgRecord(gap, record.leads, 500.0), record.leads)
    standardised = EcgRecord(record.signal_mv, record.leads, 500.0, in_millivolts=False)
    with pytest.raises(InvalidValue, match="not in millivolts"):
        aligned_earlier(record, standardised, record.leads)
