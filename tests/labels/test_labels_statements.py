import pytest

from ecgdash.labels.statements import (
    ENGLISH,
    SCP_CODES,
    SNOMED_CODES,
    affirmed_findings,
    uncertain_findings,
)

AFFIRMED = [
    ("Atrial fibrillation", {"AFIB"}),
    ("ATRIAL FIBRILLATION with rapid ventricular response", {"AFIB"}),
    ("Atrial fibrillation or flutter", {"AFIB", "AFL"}),
    ("Normal sinus rhythm", {"SINUS"}),
    ("Sinus bradycardia with 1st degree A-V block", {"SINUS", "1AVB"}),
    ("Left bundle branch block", {"LBBB"}),
    ("Complete right bundle-branch block", {"RBBB"}),
    ("Electronic ventricular pacemaker", {"PACED"}),
    ("Ventricular-paced rhythm", {"PACED"}),
    ("AV dual-paced complexes", {"PACED"}),
    ("Atrial fibrillation has replaced Sinus rhythm", {"AFIB"}),
    ("Sinus rhythm has replaced Atrial fibrillation", {"SINUS"}),
    ("SCP code CLBBB (100)", {"LBBB"}),
    ("SCP code AFIB (0)", {"AFIB"}),  # 0 means that no likelihood is stated
    ("SNOMED code 164889003", {"AFIB"}),
    ("SNOMED code 733534002", {"LBBB"}),
]

NOT_AFFIRMED = [
    "Left bundle branch block is no longer Present",
    "Left bundle branch block, no longer present",
    "No evidence of atrial fibrillation",
    "Previous ECG showed atrial fibrillation",
    "Incomplete left bundle branch block",
    "Incomplete RBBB",
    "Wandering atrial pacemaker",
    "Cannot rule out atrial flutter",
    "Not paced",
    "Possible left bundle branch block",
    "SCP code CLBBB (35)",
    "SCP code IRBBB (100)",
    "SNOMED code 251120003",  # incomplete left bundle branch block
    "When compared with ECG of 12-JAN-2020 10:00,",
    "Left anterior fascicular block",
    "",
]


@pytest.mark.parametrize(("statement", "names"), AFFIRMED)
def test_affirmed(statement, names):
    found = affirmed_findings([statement])
    assert set(found) == names
    assert set(found.values()) == {statement}


@pytest.mark.parametrize("statement", NOT_AFFIRMED)
def test_not_affirmed(statement):
    assert affirmed_findings([statement]) == {}


def test_a_doubt_is_kept_apart_and_a_certainty_beats_it():
    assert set(uncertain_findings(["Cannot rule out atrial flutter"])) == {"AFL"}
    both = ["Possible left bundle branch block", "Left bundle branch block"]
    assert set(affirmed_findings(both)) == {"LBBB"}
    assert uncertain_findings(both) == {}


def test_a_comparison_ends_an_older_finding():
    statements = [
        "Normal sinus rhythm",
        "When compared with ECG of 03-MAR-2010,",
        "Sinus rhythm has replaced Atrial fibrillation",
    ]
    assert set(affirmed_findings(statements)) == {"SINUS"}


def test_every_code_means_a_known_finding():
    assert set(SCP_CODES.values()) | set(SNOMED_CODES.values()) <= set(ENGLISH)
