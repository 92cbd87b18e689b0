from collections import Counter

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.inference.gate import gate
from ecgdash.signal.leads import derive_limb_leads

TIME_S = np.arange(5000) / 500.0


def good_signal(seed=0):
    """Ten seconds of beats of about 1 mV that obey Einthoven."""
    noise = np.random.default_rng(seed).normal(0, 0.01, size=(8, TIME_S.size))
    beat = np.exp(-(((TIME_S % 0.8) - 0.4) ** 2) / (2 * 0.012**2))
    eight = noise + np.linspace(0.5, 1.2, 8)[:, None] * beat
    return np.concatenate([derive_limb_leads(eight[0], eight[1]), eight[2:]])


def record(signal=None, leads=CANONICAL_LEADS, *, age=60.0, statements=(), hz=500.0):
    signal = good_signal() if signal is None else signal
    return EcgRecord(signal, leads, hz, age_years=age, statements=statements)


def changed(lead, samples, value):
    signal = good_signal()
    signal[CANONICAL_LEADS.index(lead), samples] = value
    return signal


def test_a_good_ecg_passes_without_a_word():
    result = gate(record())
    assert (result.status, result.reasons, result.notes) == ("analysable", (), ())


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (changed("V2", slice(None), 0.0), "lead V2 is flat for 10.0 s"),
        (changed("V5", slice(1000, 1750), 0.3), "lead V5 is flat for 1.5 s"),
        (changed("V3", slice(0, 600), np.nan), "lead V3 lacks 1.2 s"),
        (changed("V1", 2500, 40.0), "lead V1 reaches 40 mV, which no heart does"),
        (good_signal()[:, :4400], "the record is 8.8 s long, 9 s are needed"),
        (good_signal()[:, :4499], "the record is 8.9 s long, 9 s are needed"),
        (good_signal() * 1000, "the unit or gain is not plausible"),
        (good_signal() / 1000, "the unit or gain is not plausible"),
    ],
)
def test_poor_quality_says_why(signal, reason):
    result = gate(record(signal))
    assert result.status == "poor_quality"
    assert any(reason in said for said in result.reasons), result.reasons


def test_a_clipped_lead_is_poor_quality():
    signal = good_signal()
    signal[6] = np.clip(4 * np.sin(2 * np.pi * TIME_S), -5, 2.5)
    assert gate(record(signal)).reasons == ("lead V1 is cut off at 2.5 mV",)


def test_swapped_limb_leads_are_poor_quality():
    signal = good_signal()
    signal[2] = -signal[2] + signal[0]
    result = gate(record(signal))
    assert result.status == "poor_quality"
    assert "does not fit leads I and II" in result.reasons[0]


def test_electrode_offsets_do_no_harm():
    assert gate(record(good_signal() + 3.0)).analysable


@pytest.mark.parametrize(
    ("age", "status", "note"),
    [
        (17.9, "excluded", ""),
        (18.0, "analysable", ""),
        (None, "analysable", "age unknown"),
        (300.0, "analysable", "read as over 89"),
        (-3.0, "analysable", "which is no age"),
    ],
)
def test_age(age, status, note):
    result = gate(record(age=age))
    assert result.status == status
    assert note in " ".join(result.notes)


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("Electronic ventricular pacemaker", "excluded"),
        ("SCP code PACE (100)", "excluded"),
        ("SNOMED code 10370003", "excluded"),
        ("Paced rhythm is no longer present", "analysable"),
        ("Sinus rhythm has replaced electronic ventricular pacemaker", "analysable"),
        ("Possible pacemaker", "analysable"),
        ("Normal sinus rhythm", "analysable"),
    ],
)
def test_paced_by_statement(statement, status):
    assert gate(record(statements=(statement,))).status == status


def test_excluded_goes_before_poor_quality_and_both_are_said():
    result = gate(record(changed("V2", slice(None), 0.0), age=12.0))
    assert result.status == "excluded"
    assert len(result.reasons) == 2


def test_a_bad_chest_lead_does_not_withhold_the_limb_leads():
    bad = record(changed("V2", slice(None), 0.0))
    assert not gate(bad).analysable
    assert gate(bad, lead_set="6").analysable
    assert gate(bad, lead_set="1").analysable


def test_the_largest_lead_set_held_is_judged():
    assert gate(record(good_signal()[:6], CANONICAL_LEADS[:6])).analysable
    assert gate(record(good_signal()[:1], ("I",))).analysable
    asked = gate(record(good_signal()[:6], CANONICAL_LEADS[:6]), lead_set="12")
    assert asked.reasons == ("leads V1, V2, V3, V4, V5 and V6 are not recorded",)
    assert gate(record(good_signal()[1:2], ("II",))).reasons == ("lead I is not recorded",)


def test_only_the_first_ten_seconds_are_judged():
    long = np.concatenate([good_signal(), np.zeros((12, 5000))], axis=1)
    result = gate(record(long))
    assert result.analysable
    assert "its first 10 s are scored" in result.notes[0]


@pytest.mark.real
def test_real_records_are_withheld_for_age_and_pacing_only(shared_data):
    """All 353 PTB-XL records: 6 coded PACE, 6 of age 17, and no fault of recording."""
    import ast
    import csv

    import wfdb

    folder = shared_data / "ptbxl500"
    found = Counter()
    with (folder / "ptbxl_database.csv").open() as table:
        for row in csv.DictReader(table):
            raw = wfdb.rdrecord(str(folder / row["filename_hr"]))
            codes = ast.literal_eval(row["scp_codes"])
            result = gate(
                EcgRecord(
                    raw.p_signal.T,
                    CANONICAL_LEADS,
                    float(raw.fs),
                    age_years=float(row["age"]) if row["age"] else None,
                    statements=tuple(f"SCP code {code} ({codes[code]:g})" for code in codes),
                )
            )
            found[result.status] += 1
    assert found == {"analysable": 341, "excluded": 12}
