from datetime import date

import pytest

from ecgdash.domain import Diagnosis
from ecgdash.labels.flags import SUBGROUP_KEYS, diagnoses_known_on, flags_of, subgroups_of


def names(*, statements=(), measurements=None, sex=None, diagnoses=()):
    return [f.name for f in flags_of(statements, measurements or {}, sex, None, diagnoses)]


def diagnosis(code, system="ICD-10", day=date(2020, 5, 1)):
    return Diagnosis("7", system, code, day)


def test_a_flag_names_its_source_and_its_evidence():
    (flag,) = flags_of(["Atrial flutter"], {}, None, None, ())
    assert (flag.name, flag.source, flag.evidence) == ("AFIB", "statement", "Atrial flutter")
    (flag,) = flags_of((), {"qrs_ms": 152.0}, None, None, ())
    assert (flag.name, flag.source, flag.evidence) == ("QRS>140", "measurement", "QRS 152 ms")
    (flag,) = flags_of((), {}, None, None, [diagnosis("I25.1")])
    assert (flag.name, flag.source, flag.evidence) == ("IHD", "diagnosis", "I25.1 of 2020-05-01")


@pytest.mark.parametrize(
    ("measurements", "sex", "expected"),
    [
        ({"pr_ms": 200.0, "qrs_ms": 140.0}, "male", []),
        ({"pr_ms": 201.0}, None, ["PR>200"]),
        ({"qt_ms": 440.0, "heart_rate_bpm": 64.0}, "male", ["long_QTc"]),  # Bazett 454
        ({"qt_ms": 440.0, "heart_rate_bpm": 64.0}, "female", []),
        ({"qt_ms": 460.0, "heart_rate_bpm": 64.0}, "female", ["long_QTc"]),  # Bazett 475
        ({"qt_ms": 500.0, "heart_rate_bpm": 64.0}, None, []),  # sex unknown: not set
        ({"qtc_ms": 455.0}, "male", ["long_QTc"]),
        # the cart's own correction gives way to Bazett where QT and rate are known
        ({"qtc_ms": 455.0, "qt_ms": 400.0, "heart_rate_bpm": 60.0}, "male", []),
    ],
)
def test_intervals_at_their_limits(measurements, sex, expected):
    assert names(measurements=measurements, sex=sex) == expected


def test_a_pr_interval_in_fibrillation_means_nothing():
    assert names(statements=["Atrial fibrillation"], measurements={"pr_ms": 240.0}) == ["AFIB"]


def test_first_degree_block_by_statement_is_a_long_pr():
    assert names(statements=["Sinus rhythm with 1st degree A-V block"]) == ["sinus", "PR>200"]


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("I25.10", "ICD-10-CM", ["IHD"]),
        ("n18.3", "icd10", ["CKD"]),
        ("E119", "ICD-10", ["DM"]),
        ("I10", "ICD-10", ["HTN"]),
        ("I50.0", "ICD-10", []),
        ("4280", "ICD-9", []),
        ("41401", "ICD-9-CM", ["IHD"]),
        ("25000", "ICD9", ["DM"]),
        ("I10", "SNOMED", []),
    ],
)
def test_diagnoses_by_code(code, system, expected):
    assert names(diagnoses=[diagnosis(code, system)]) == expected


def test_a_later_diagnosis_is_not_known_yet():
    known = [diagnosis("I10", day=date(2020, 5, 1)), diagnosis("N18", day=date(2020, 5, 2))]
    assert diagnoses_known_on(known, date(2020, 5, 1)) == known[:1]
    assert diagnoses_known_on(known, None) == []


def test_subgroups_are_keys_of_the_contract():
    flags = flags_of(
        ["Sinus rhythm", "Left bundle branch block"], {"qrs_ms": 160.0}, "male", 71, ()
    )
    held = subgroups_of(flags, 71.0, "male")
    assert held == {"all", "sinus", "LBBB", "QRS>140", "age>70", "male"}
    assert held <= set(SUBGROUP_KEYS)


def test_sinus_without_bundle_branch_block():
    flags = flags_of(["Normal sinus rhythm"], {}, None, None, ())
    assert "sinus_no_bbb" in subgroups_of(flags, None, None)
    assert subgroups_of((), None, None) == {"all"}  # nothing known is not "sinus"


def test_paced_is_a_flag_but_no_subgroup():
    flags = flags_of(["Electronic ventricular pacemaker"], {}, None, None, ())
    assert [flag.name for flag in flags] == ["paced"]
    assert subgroups_of(flags, None, None) == {"all"}


def test_age_at_the_limit_and_coded_ages():
    assert "age<=70" in subgroups_of((), 70.0, None)
    assert "age>70" in subgroups_of((), 300.0, None)
    assert subgroups_of((), -1.0, None) == {"all"}
