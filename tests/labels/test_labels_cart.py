import ast
import csv
from dataclasses import fields

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.labels.cart import LABEL_NAMES, LABELS, labels_batch, statements_batch
from ecgdash.labels.flags import flags_of_record
from ecgdash.labels.statements import affirmed_findings
from ecgdash.signal.measure import Measurements, measure_batch
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise


def measured(pattern, n=40):
    return measure_batch(synthesise(example_parameters(pattern, n, seed=11), 250.0), 250.0)


@pytest.fixture(scope="module")
def normal():
    return measured("normal")


def held(measurements, name, sex=None):
    return labels_batch(measurements, sex)[:, LABEL_NAMES.index(name)]


def altered(measurements, **values):
    """Return the measurements with some columns replaced by one value."""
    table = {f.name: getattr(measurements, f.name) for f in fields(measurements)}
    return Measurements(**(table | {k: np.full_like(table[k], v) for k, v in values.items()}))


def test_the_table_is_complete():
    assert len(LABELS) >= 24
    assert len(set(LABEL_NAMES)) == len(LABELS)
    assert all(spec.source for spec in LABELS)


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        ("lbbb", "LBBB"),
        ("rbbb", "RBBB"),
        ("afib", "AFIB"),
        ("flutter", "AFL"),
        ("paced", "PACED"),
        ("first_degree_block", "PR>200"),
        ("low_voltage", "LOW_VOLTAGE"),
        ("anterior_mi", "Q_ANTERIOR"),
        ("pac", "PAC"),
        ("pvc", "PVC"),
    ],
)
def test_a_pattern_is_seen_where_it_is_and_not_in_normal_ecgs(normal, pattern, label):
    assert held(measured(pattern), label).mean() >= 0.75
    assert held(normal, label).mean() <= 0.05


def test_statements_say_what_the_labels_hold(normal):
    for pattern, finding in (("lbbb", "LBBB"), ("rbbb", "RBBB"), ("paced", "PACED")):
        found = measured(pattern, 20)
        names = held(found, finding)
        for statements, is_held in zip(statements_batch(found), names, strict=True):
            assert (finding in affirmed_findings(statements)) == is_held
    assert sum("SINUS" in affirmed_findings(s) for s in statements_batch(normal)) >= 0.9 * 40


def test_numbers_are_labelled_at_their_limits(normal):
    for name, column, limit in (
        ("QRS>120", "qrs_ms", 120.0),
        ("QRS>140", "qrs_ms", 140.0),
        ("HR>100", "heart_rate_bpm", 100.0),
        ("QTC>480", "qtc_ms", 480.0),
    ):
        assert not held(altered(normal, **{column: limit}), name).any()
        assert held(altered(normal, **{column: limit + 1}), name).all()


def test_long_qtc_depends_on_the_sex(normal):
    between = altered(normal, qtc_ms=460.0)
    assert held(between, "LONG_QTC", ["male"] * 40).all()
    assert not held(between, "LONG_QTC", ["female"] * 40).any()
    assert not held(between, "LONG_QTC").any()


def test_nothing_found_is_no_finding():
    nothing = measure_batch(np.zeros((1, 12, 2500)), 250.0)
    row = dict(zip(LABEL_NAMES, labels_batch(nothing)[0], strict=True))
    assert not any(row[name] for name in ("AFIB", "LBBB", "RBBB", "PR>200", "PVC", "LVH"))
    assert statements_batch(nothing) == [("Undetermined rhythm",)]


@pytest.fixture(scope="module")
def ptbxl(shared_data):
    """Return records and SCP codes of the 353 real ECGs."""
    import wfdb

    folder = shared_data / "ptbxl500"
    out = []
    with (folder / "ptbxl_database.csv").open() as table:
        for row in csv.DictReader(table):
            raw = wfdb.rdrecord(str(folder / row["filename_hr"]))
            record = EcgRecord(raw.p_signal.T, CANONICAL_LEADS, float(raw.fs))
            out.append((record, set(ast.literal_eval(row["scp_codes"]))))
    return out


@pytest.mark.real
@pytest.mark.parametrize("step", [1, 2])  # 500 and 250 Hz
def test_real_rhythm_and_conduction_agree_with_the_readers(ptbxl, step):
    """Readers' SCP codes; the limits lie a little under what was measured.

    Of the six coded CLBBB, record 287 shows a right bundle branch block; of the
    five coded CRBBB at least three are found.
    """
    signals = np.stack([record.signal_mv[:, ::step] for record, _ in ptbxl])
    found = labels_batch(measure_batch(signals, 500.0 / step))
    for name, codes, sensitivity, specificity in (
        ("AF_OR_AFL", {"AFIB", "AFLT"}, 0.80, 0.98),
        ("LBBB", {"CLBBB"}, 0.80, 0.985),
        ("RBBB", {"CRBBB"}, 0.60, 0.985),
        ("PACED", {"PACE"}, 0.80, 0.995),
        ("PVC", {"PVC"}, 0.60, 0.98),
    ):
        truth = np.array([bool(codes & held_codes) for _, held_codes in ptbxl])
        positive = found[:, LABEL_NAMES.index(name)]
        assert positive[truth].mean() >= sensitivity, name
        assert (~positive[~truth]).mean() >= specificity, name


@pytest.mark.real
def test_flags_of_a_real_record_without_statements_are_measured(ptbxl):
    record = next(record for record, codes in ptbxl if codes >= {"CLBBB", "1AVB"})
    flags = {flag.name: flag for flag in flags_of_record(record)}
    assert {"LBBB", "PR>200", "QRS>140", "sinus"} <= set(flags)
    assert {flag.source for flag in flags.values()} == {"measurement"}
    assert "measured by ECGDash" in flags["QRS>140"].evidence
