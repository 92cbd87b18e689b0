from datetime import date

import pytest

from ecgdash.domain import CANONICAL_LEADS, Diagnosis, EcgRecord, RuleEvidence
from ecgdash.labels.diagnoses import diagnoses_known_on
from ecgdash.labels.flags import FLAG_RULES, Known, combined_logit, flags_of, flags_of_record
from ecgdash.labels.subgroups import SUBGROUP_KEYS, subgroups_of
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise


def names(*, statements=(), measurements=None, sex=None, diagnoses=()):
    known = Known(statements, measurements or {}, sex=sex)
    return [f.name for f in flags_of(known, diagnoses)]


def stated(*statements):
    return flags_of(Known(statements))


def judged(rules=None, head=None, **known):
    """Return name -> sources of what rules (logits) and head (scores) raise."""
    evidence = {name: RuleEvidence(logit, f"{name} measured") for name, logit in rules.items()}
    found = {}
    for flag in flags_of(Known(rules=evidence, head=head or {}, **known)):
        found.setdefault(flag.name, []).append((flag.source, flag.evidence))
    return found


def diagnosis(code, system="ICD-10", day=date(2020, 5, 1)):
    return Diagnosis("7", system, code, day)


def test_a_flag_names_its_source_and_its_evidence():
    (flag,) = stated("Atrial flutter")
    assert (flag.name, flag.source, flag.evidence) == ("AFIB", "statement", "Atrial flutter")
    (flag,) = flags_of(Known(measurements={"qrs_ms": 152.0}))
    assert (flag.name, flag.source, flag.evidence) == ("QRS>140", "measurement", "QRS 152 ms")
    (flag,) = flags_of(Known(), [diagnosis("I25.1")])
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
    assert names(statements=["Sinus rhythm with 1st degree A-V block"]) == ["PR>200", "sinus"]


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("I25.10", "ICD-10-CM", ["IHD"]),
        ("n18.3", "icd10", ["CKD"]),
        ("E119", "ICD-10", ["DM"]),
        ("I10", "ICD-10", ["HTN"]),
        ("I50.0", "ICD-10", []),
        ("I25.2", "ICD-10", ["prior_MI", "IHD"]),
        ("412", "ICD-9", ["prior_MI", "IHD"]),
        ("I20.0", "ICD-10", ["IHD"]),
        ("4280", "ICD-9", []),
        ("41401", "ICD-9-CM", ["IHD"]),
        ("25000", "ICD9", ["DM"]),
        ("I10", "SNOMED", []),
        ("I48.0", "ICD-10", ["AFIB"]),
        ("I48.92", "ICD-10-CM", ["AFIB"]),
        ("427.31", "ICD-9-CM", ["AFIB"]),
        ("42769", "ICD-9", []),
    ],
)
def test_diagnoses_by_code(code, system, expected):
    assert names(diagnoses=[diagnosis(code, system)]) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("Sinus rhythm", {("sinus", "statement")}),
        ("Electronic ventricular pacemaker", {("paced", "statement")}),
        ("Atrial fibrillation", {("AFIB", "statement"), ("AFIB", "diagnosis")}),
        ("Left bundle branch block", {("LBBB", "statement"), ("AFIB", "diagnosis")}),
    ],
)
def test_a_coded_fibrillation_flags_no_ecg_that_shows_another_rhythm(statement, expected):
    flags = flags_of(Known([statement]), [diagnosis("I48.0")])
    assert {(flag.name, flag.source) for flag in flags} == expected


def test_a_later_diagnosis_is_not_known_yet():
    known = [diagnosis("I10", day=date(2020, 5, 1)), diagnosis("N18", day=date(2020, 5, 2))]
    assert diagnoses_known_on(known, date(2020, 5, 1)) == known[:1]
    assert diagnoses_known_on(known, None) == []


def test_subgroups_are_keys_of_the_contract():
    flags = flags_of(Known(["Sinus rhythm", "Left bundle branch block"], {"qrs_ms": 160.0}))
    held = subgroups_of(flags, 71.0, "male")
    assert held == {"all", "sinus", "LBBB", "QRS>140", "age>70", "male"}
    assert held <= set(SUBGROUP_KEYS)


def test_sinus_without_bundle_branch_block():
    flags = stated("Normal sinus rhythm")
    assert "sinus_no_bbb" in subgroups_of(flags, None, None)
    assert subgroups_of((), None, None) == {"all"}  # nothing known is not "sinus"


def test_paced_is_a_flag_but_no_subgroup():
    flags = stated("Electronic ventricular pacemaker")
    assert [flag.name for flag in flags] == ["paced"]
    assert subgroups_of(flags, None, None) == {"all"}


def test_age_at_the_limit_and_coded_ages():
    assert "age<=70" in subgroups_of((), 70.0, None)
    assert "age>70" in subgroups_of((), 300.0, None)
    assert subgroups_of((), -1.0, None) == {"all"}


def test_rule_and_head_are_added_and_each_that_speaks_for_the_flag_is_named():
    assert judged({"LBBB": 2.0}, {"LBBB": 0.9}) == {
        "LBBB": [("measurement", "LBBB measured"), ("model", "label head 0.90")]
    }
    # one that is sure outweighs one that doubts; only the one that speaks for it is named
    assert judged({"LBBB": 3.0}, {"LBBB": 0.2}) == {"LBBB": [("measurement", "LBBB measured")]}
    assert judged({"LBBB": -1.0}, {"LBBB": 0.97}) == {"LBBB": [("model", "label head 0.97")]}
    assert judged({"LBBB": 1.0}, {"LBBB": 0.05}) == {}
    assert judged({"LBBB": -4.0}, {"LBBB": 0.95}) == {}


def test_the_sum_is_of_logits_and_no_head_is_surer_than_six():
    known = Known(rules={"RBBB": RuleEvidence(1.5, "")}, head={"RBBB": 0.5})
    assert combined_logit("RBBB", known) == pytest.approx(1.5)
    sure = Known(rules={"RBBB": RuleEvidence(1.5, "")}, head={"RBBB": 1.0})
    assert combined_logit("RBBB", sure) == pytest.approx(7.5)
    assert combined_logit("LBBB", known) is None  # nothing judged it: unknown, not absent


def test_spikes_alone_raise_the_flag_as_they_exclude_at_the_gate():
    assert judged({"PACED": 1.0}, {"PACED": 0.01}) == {"paced": [("measurement", "PACED measured")]}
    assert judged({"PACED": -1.0}, {"PACED": 0.6}) == {}


def test_a_statement_is_never_overruled():
    found = judged({"AF_OR_AFL": -4.0}, {"AF_OR_AFL": 0.01}, statements=["Atrial fibrillation"])
    assert found == {"AFIB": [("statement", "Atrial fibrillation")]}


def test_sinus_rhythm_by_measurement_gives_way_to_fibrillation():
    assert list(judged({"AF_OR_AFL": 3.0, "SINUS": 2.0})) == ["AFIB"]
    # a cart that says sinus is shown beside what contradicts it
    found = judged({"AF_OR_AFL": 3.0, "SINUS": 2.0}, statements=["Sinus rhythm"])
    assert list(found) == ["AFIB", "sinus"]
    flags = flags_of(Known(["Sinus rhythm"], rules={"AF_OR_AFL": RuleEvidence(3.0, "")}))
    assert "sinus" not in subgroups_of(flags, None, None)


def test_in_a_wide_complex_tachycardia_the_shape_names_no_block_and_no_pacing():
    rules = {"VT": 2.0, "LBBB": 3.0, "RBBB": -1.0, "PACED": 2.0, "Q_INFERIOR": 2.0, "SINUS": 2.0}
    assert list(judged(rules, measured={"pr_ms": 240.0})) == ["wide_tachycardia"]
    found = judged(rules, statements=["Left bundle branch block"])
    assert list(found) == ["wide_tachycardia", "LBBB"]
    assert found["LBBB"] == [("statement", "Left bundle branch block")]


def test_prior_infarction_by_the_strongest_region():
    found = judged({"Q_ANTERIOR": -2.5, "Q_INFERIOR": 2.0, "Q_LATERAL": -1.0})
    assert found == {"prior_MI": [("measurement", "Q_INFERIOR measured")]}


def test_our_interval_fills_what_the_cart_left_out():
    (flag,) = flags_of(Known(measured={"qrs_ms": 150.0}))
    assert flag.evidence == "QRS 150 ms, measured by ECGDash"
    assert flags_of(Known(measurements={"qrs_ms": 130.0}, measured={"qrs_ms": 150.0})) == ()


def test_our_own_pr_beyond_half_of_the_interval_is_no_pr():
    long = {"pr_ms": 340.0, "heart_rate_bpm": 96.0}
    assert flags_of(Known(measured=long)) == ()
    assert [f.name for f in flags_of(Known(measured=long | {"heart_rate_bpm": 60.0}))] == ["PR>200"]
    assert [f.name for f in flags_of(Known(measurements=long))] == ["PR>200"]  # the cart's word


def test_every_flag_has_a_place_in_the_order():
    statements = [
        "Atrial fibrillation", "Ventricular tachycardia", "Left bundle branch block",
        "Right bundle branch block", "Electronic ventricular pacemaker", "Sinus rhythm",
        "with occasional Premature ventricular complexes", "Inferior infarct, age undetermined",
    ]  # fmt: skip
    assert {flag.name for flag in stated(*statements)} >= {rule.name for rule in FLAG_RULES}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("afib", "AFIB"),
        ("flutter", "AFIB"),
        ("lbbb", "LBBB"),
        ("rbbb", "RBBB"),
        ("paced", "paced"),
        ("pvc", "PVC"),
        ("inferior_mi", "prior_MI"),
        ("first_degree_block", "PR>200"),
        ("ventricular_tachycardia", "wide_tachycardia"),
    ],
)
def test_patterns_are_flagged_by_measurement_with_their_values(pattern, expected):
    signals = synthesise(example_parameters(pattern, 20, seed=5), 250.0)
    flagged = [flags_of_record(EcgRecord(row, CANONICAL_LEADS, 250.0)) for row in signals]
    held = [flag for flags in flagged for flag in flags if flag.name == expected]
    assert len(held) >= 14
    assert all(flag.source == "measurement" and any(c.isdigit() for c in flag.evidence)
               or expected == "prior_MI" for flag in held)  # fmt: skip


def test_an_ecg_without_chest_leads_is_judged_for_rhythm_only():
    signal = synthesise(example_parameters("lbbb", 1, seed=5), 250.0)[0, :6]
    names_found = {f.name for f in flags_of_record(EcgRecord(signal, CANONICAL_LEADS[:6], 250.0))}
    assert "LBBB" not in names_found
    assert "sinus" in names_found
