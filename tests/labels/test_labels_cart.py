import ast
import csv
from dataclasses import fields

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.labels.cart import LABEL_NAMES, LABELS, labels_batch, statements_batch
from ecgdash.labels.flags import flags_of_record
from ecgdash.labels.statements import affirmed_findings
from ecgdash.labels.table import implied_by
from ecgdash.signal.measure import Measurements, measure_batch
from ecgdash.simulate.examples import EXAMPLES, example_parameters
from ecgdash.simulate.waveform import synthesise

SAID = {spec.name for spec in LABELS if spec.statement} | {"AF_OR_AFL"}
"""Labels that a printed statement says; the others are numbers, or never said."""


def measured(pattern, n=40):
    return measure_batch(synthesise(example_parameters(pattern, n, seed=11), 250.0), 250.0)


@pytest.fixture(scope="module")
def normal():
    return measured("normal")


def held(measurements, name, sex=None):
    return labels_batch(measurements, sex)[:, LABEL_NAMES.index(name)]


def altered(measurements, **values):
    """Return the measurements with some columns replaced; a dict replaces single leads."""
    table = {f.name: getattr(measurements, f.name).copy() for f in fields(measurements)}
    for name, value in values.items():
        for lead, one in value.items() if isinstance(value, dict) else [(None, value)]:
            table[name][... if lead is None else (slice(None), CANONICAL_LEADS.index(lead))] = one
    return Measurements(**table)


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        ("lbbb", "LBBB"),
        ("rbbb", "RBBB"),
        ("afib", "AFIB"),
        ("flutter", "AFL"),
        ("paced", "PACED"),
        ("ventricular_tachycardia", "VT"),
        ("wpw", "WPW"),
        ("junctional", "JUNCTIONAL"),
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


@pytest.mark.parametrize("pattern", sorted(EXAMPLES))
def test_printed_statements_are_read_back_to_the_same_labels(pattern):
    found = measured(pattern, 30)
    sex = ["male", "female", None] * 10
    rows = labels_batch(found, sex)
    for row, statements in zip(rows, statements_batch(found, sex), strict=True):
        names = {name for name, is_held in zip(LABEL_NAMES, row, strict=True) if is_held}
        assert set(affirmed_findings(statements)) & SAID == names & SAID, statements


@pytest.mark.parametrize("pattern", sorted(EXAMPLES))
def test_measured_labels_hold_what_they_imply(pattern):
    rows = labels_batch(measured(pattern, 30))
    for row in rows:
        names = {name for name, is_held in zip(LABEL_NAMES, row, strict=True) if is_held}
        assert set(implied_by(names)) <= {"MI"}


def test_no_block_pacing_or_infarct_is_read_from_a_wide_tachycardia():
    found = measured("ventricular_tachycardia")
    is_vt = held(found, "VT")
    for name in ("LBBB", "RBBB", "IVCD", "LAFB", "LPFB", "WPW", "SINUS", "PVC", "Q_ANTERIOR"):
        assert not held(found, name)[is_vt].any(), name


def test_a_wide_tachycardia_needs_width_rate_and_no_p_or_a_very_fast_rate():
    block = measured("lbbb")
    fast = {"qrs_ms": 150.0, "heart_rate_bpm": 130.0, "rr_cv": 0.02, "spike_share": 0.0}
    assert held(altered(block, p_found=False, **fast), "VT").all()
    assert not held(altered(block, p_found=True, **fast), "VT").any()
    assert held(altered(block, p_found=True, **fast | {"heart_rate_bpm": 150.0}), "VT").all()
    assert not held(altered(block, p_found=False, **fast | {"qrs_ms": 118.0}), "VT").any()
    # irregular below 150 a minute: fibrillation with a block, which stays a block
    irregular = altered(block, p_found=False, **fast | {"rr_cv": 0.2, "rmssd": 0.2})
    assert not held(irregular, "VT").any()
    assert held(irregular, "LBBB").mean() >= 0.75


def test_rates_name_the_sinus_rhythm(normal):
    for rate, name in ((55.0, "SINUS_BRADYCARDIA"), (110.0, "SINUS_TACHYCARDIA")):
        assert held(altered(normal, heart_rate_bpm=rate), name).all()
        assert held(altered(normal, heart_rate_bpm=rate), "SINUS").all()
    for rate in (60.0, 100.0):
        row = altered(normal, heart_rate_bpm=rate)
        assert not held(row, "SINUS_BRADYCARDIA").any()
        assert not held(row, "SINUS_TACHYCARDIA").any()
    assert held(altered(normal, rr_cv=0.09), "SINUS_ARRHYTHMIA").all()
    assert not held(altered(normal, rr_cv=0.05), "SINUS_ARRHYTHMIA").any()


def test_supraventricular_tachycardia_is_narrow_regular_and_without_p(normal):
    fast = {"heart_rate_bpm": 150.0, "rr_cv": 0.01, "flutter_power": 0.1}
    assert held(altered(normal, p_found=False, **fast), "SVT").all()
    assert not held(altered(normal, p_found=True, **fast), "SVT").any()  # sinus tachycardia
    assert not held(altered(normal, p_found=False, **fast | {"rr_cv": 0.2}), "SVT").any()
    assert not held(altered(normal, p_found=False, **fast | {"qrs_ms": 130.0}), "SVT").any()


def test_rapid_fibrillation_is_above_100():
    found = altered(measured("afib"), heart_rate_bpm=101.0)
    assert (held(found, "RAPID_AF") == held(found, "AF_OR_AFL")).all()
    assert held(found, "RAPID_AF").mean() >= 0.75
    assert not held(altered(found, heart_rate_bpm=100.0), "RAPID_AF").any()


def test_an_inverted_p_wave_is_no_sinus_rhythm(normal):
    low = altered(normal, p_mv={"II": -0.08, "aVF": -0.08})
    assert held(low, "ECTOPIC_ATRIAL").all()
    assert not held(low, "SINUS").any()
    one_lead = altered(normal, p_mv={"II": 0.05, "aVF": -0.08})
    assert not held(one_lead, "ECTOPIC_ATRIAL").any()


def test_the_burden_of_ventricular_complexes(normal):
    for pvc, names in (
        (0, set()),
        (1, {"PVC"}),
        (2, {"PVC", "FREQUENT_PVC"}),
        (5, {"PVC", "FREQUENT_PVC", "BIGEMINY"}),
    ):
        row = altered(normal, pvc_count=pvc, n_beats=12)
        burden = {"PVC", "FREQUENT_PVC", "BIGEMINY"}
        assert {name for name in burden if held(row, name).all()} == names
        assert not any(held(row, name).any() for name in burden - names)
    assert not held(altered(normal, pvc_count=2, n_beats=25), "FREQUENT_PVC").any()  # 8 %


def test_hemiblocks_and_incomplete_blocks_by_their_shape(normal):
    left = {"qrs_axis_deg": -60.0, "r_mv": {"aVL": 0.8, "III": 0.1}, "s_mv": {"III": -0.9}}
    assert held(altered(normal, qrs_ms=100.0, **left), "LAFB").all()
    assert not held(altered(normal, qrs_ms=100.0, **left | {"qrs_axis_deg": -40.0}), "LAFB").any()
    assert held(altered(measured("rbbb"), **left), "LAFB").mean() >= 0.75  # bifascicular
    down = {
        "qrs_axis_deg": 110.0,
        "r_mv": {"I": 0.1, "aVL": 0.1, "III": 1.0, "aVF": 0.9},
        "s_mv": {"I": -0.6, "aVL": -0.8, "III": 0.0, "aVF": 0.0},
        "q_mv": {"III": -0.1, "aVF": -0.1},
    }
    assert held(altered(normal, qrs_ms=100.0, **down), "LPFB").all()
    assert not held(altered(normal, qrs_ms=130.0, **down), "LPFB").any()
    terminal = {"late_r_mv": {"V1": 0.3}, "s_mv": {"V1": -0.6, "V6": -0.3}}
    assert held(altered(normal, qrs_ms=112.0, **terminal), "IRBBB").all()
    assert not held(altered(normal, qrs_ms=112.0, **terminal | {"late_r_mv": 0.0}), "IRBBB").any()
    assert not held(altered(normal, qrs_ms=124.0, **terminal), "IRBBB").any()


def test_preexcitation_needs_a_short_pr_and_a_slow_start():
    found = altered(measured("wpw"), qrs_ms=126.0, pr_ms=100.0, qrs_rise_ms=45.0)
    assert held(found, "WPW").mean() >= 0.75
    assert not held(found, "LBBB")[held(found, "WPW")].any()
    assert not held(altered(found, pr_ms=125.0), "WPW").any()
    assert not held(altered(found, qrs_rise_ms=20.0), "WPW").any()


def test_q_waves_of_single_leads_that_suffice(normal):
    shallow = altered(normal, q_mv=0.0, q_ms=0.0)
    for name in ("Q_ANTERIOR", "Q_INFERIOR", "Q_LATERAL"):
        assert not held(shallow, name).any()
    deep = {"q_ms": {"III": 40.0}, "q_mv": {"III": -0.3, "aVF": -0.12}}
    assert held(altered(shallow, **deep), "Q_INFERIOR").all()
    assert not held(altered(shallow, q_ms={"III": 40.0}, q_mv={"III": -0.3}), "Q_INFERIOR").any()
    assert held(altered(shallow, q_ms={"V2": 22.0}, q_mv={"V2": -0.2}), "Q_ANTERIOR").all()
    assert not held(altered(shallow, q_ms={"V4": 22.0}, q_mv={"V4": -0.2}), "Q_ANTERIOR").any()


def test_numbers_are_labelled_at_their_limits(normal):
    for name, column, limit in (
        ("QRS>140", "qrs_ms", 140.0),
        ("QRS>160", "qrs_ms", 160.0),
        ("HR>100", "heart_rate_bpm", 100.0),
        ("QTC>480", "qtc_ms", 480.0),
        ("PR>200", "pr_ms", 200.0),
    ):
        assert not held(altered(normal, **{column: limit}), name).any()
        assert held(altered(normal, **{column: limit + 1}), name).all()


def test_a_t_wave_taken_for_p_is_no_long_pr(normal):
    assert not held(altered(normal, pr_ms=330.0, heart_rate_bpm=99.0), "PR>200").any()
    assert held(altered(normal, pr_ms=330.0, heart_rate_bpm=60.0), "PR>200").all()


def test_long_qtc_depends_on_the_sex(normal):
    between = altered(normal, qtc_ms=460.0)
    assert held(between, "LONG_QTC", ["male"] * 40).all()
    assert not held(between, "LONG_QTC", ["female"] * 40).any()
    assert not held(between, "LONG_QTC").any()


def test_nothing_found_is_no_finding():
    nothing = measure_batch(np.zeros((1, 12, 2500)), 250.0)
    row = dict(zip(LABEL_NAMES, labels_batch(nothing)[0], strict=True))
    assert {name for name, is_held in row.items() if is_held} <= {"LOW_VOLTAGE"}
    assert statements_batch(nothing)[0][0] == "Undetermined rhythm"


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
