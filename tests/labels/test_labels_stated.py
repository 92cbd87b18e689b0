"""Labels from statements and numbers, held against those from measurements of the waveform."""

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.labels.cart import LABEL_NAMES, labels_batch, statements_batch
from ecgdash.labels.stated import MEASURED_ONLY, are_read, measured_only, stated_labels
from ecgdash.signal.measure import measure_batch
from ecgdash.simulate.pretraining import pretraining_ecgs

NUMBERS = {"qrs_ms": 92.0, "heart_rate_bpm": 70.0, "pr_ms": 160.0, "qt_ms": 390.0}


def held(statements, measurements=NUMBERS, measured=None, sex="male"):
    labels = stated_labels(statements, measurements, measured or {}, sex)
    return None if labels is None else {LABEL_NAMES[i] for i in np.flatnonzero(labels)}


@pytest.fixture(scope="module")
def simulated():
    cohort = pretraining_ecgs(150, 77)
    batch = next(cohort.iter_ecgs(150, 250.0, np.arange(150)))
    return batch, measure_batch(batch.signal_mv, 250.0)


def test_a_cart_that_prints_what_it_measures_gives_the_measured_labels(simulated):
    batch, found = simulated
    measured = labels_batch(found, batch.sex)
    measured[:, LABEL_NAMES.index(MEASURED_ONLY)] = False
    printed = statements_batch(found, batch.sex)
    n_checked = n_other = 0
    for i, statements in enumerate(printed):
        labels = stated_labels(statements, found.as_cart(i), {}, batch.sex[i])
        if labels is None:  # no QRS was found
            continue
        names = {LABEL_NAMES[k] for k in np.flatnonzero(labels ^ measured[i])}
        # PR and QTc by number follow the flags' rules, which are not the criteria's to the letter
        assert names <= {"PR>200", "LONG_QTC", "QTC>480"}, (statements, names)
        n_checked += 1
        n_other += len(names)
    assert n_checked > 120
    assert n_other <= 3
    assert measured.any(axis=0).sum() > 35  # most labels occur


def test_the_label_that_no_cart_prints_is_measured(simulated):
    batch, found = simulated
    column = labels_batch(found, batch.sex)[:, LABEL_NAMES.index(MEASURED_ONLY)]
    rows = [*np.flatnonzero(column)[:3], *np.flatnonzero(~column)[:3]]
    assert column.any()
    for i in rows:
        record = EcgRecord(batch.signal_mv[i], CANONICAL_LEADS, 250.0, sex=batch.sex[i])
        assert measured_only(record) == column[i]


def test_unknown_is_not_absent():
    assert held(()) is None
    assert held(("Sinusrhythmus",)) is None
    assert held(("Qqq zzz",)) is None
    assert held(("Sinus rhythm",), {"heart_rate_bpm": 70.0}) is None
    assert held(("Sinus rhythm",), {"qrs_ms": 90.0}) is None
    assert held(("Sinus rhythm",), {"heart_rate_bpm": 70.0}, {"qrs_ms": 90.0}) == {"SINUS"}


def test_what_names_no_finding_is_read_all_the_same():
    assert are_read(("Normal ECG",))
    assert held(("Normal ECG",)) == set()
    assert held(("SCP code NORM (100)", "SCP code SR (0)")) == {"SINUS"}


def test_numbers_decide_their_labels():
    wide = {**NUMBERS, "qrs_ms": 165.0, "heart_rate_bpm": 101.0}
    assert held(("Sinus tachycardia", "Left bundle branch block"), wide) == {
        "SINUS", "SINUS_TACHYCARDIA", "HR>100", "LBBB", "QRS>140", "QRS>160", "LONG_QTC", "QTC>480",
    }  # fmt: skip
    assert held(("Sinus rhythm",), {**NUMBERS, "pr_ms": 210.0}) == {"SINUS", "PR>200"}
    assert "PR>200" not in held(("Atrial fibrillation",), {**NUMBERS, "pr_ms": 210.0})
    # 440 ms at 75 a minute: Bazett 440 sqrt(75 / 60) = 491.9 ms
    assert "QTC>480" in held(("Sinus rhythm",), {**NUMBERS, "qt_ms": 440.0, "heart_rate_bpm": 75.0})


def test_what_is_only_considered_is_not_set():
    assert held(("Sinus rhythm", "Cannot rule out anterior infarct")) == {"SINUS"}
    assert held(("Sinus rhythm", "Left bundle branch block, no longer present")) == {"SINUS"}
