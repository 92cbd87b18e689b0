import pytest

from ecgdash.labels.statements import affirmed_findings, uncertain_findings, unread_parts

AF = {"AFIB", "AF_OR_AFL"}
FLUTTER = {"AFL", "AF_OR_AFL"}

AFFIRMED = [
    ("Atrial fibrillation", AF),
    (
        "ATRIAL FIBRILLATION with rapid ventricular response",
        AF | {"RAPID_AF", "HR>100"},
    ),
    ("Atrial fibrillation or flutter", AF | FLUTTER),
    ("Normal sinus rhythm", {"SINUS"}),
    ("Sinus tachycardia", {"SINUS", "SINUS_TACHYCARDIA", "HR>100"}),
    ("Sinus bradycardia with 1st degree A-V block", {"SINUS", "SINUS_BRADYCARDIA", "PR>200"}),
    ("Sinus bradycardia has replaced Sinus rhythm", {"SINUS", "SINUS_BRADYCARDIA"}),
    ("with sinus arrhythmia", {"SINUS", "SINUS_ARRHYTHMIA"}),
    ("Left bundle branch block", {"LBBB"}),
    ("Complete right bundle-branch block", {"RBBB"}),
    ("Incomplete RBBB", {"IRBBB"}),
    ("Electronic ventricular pacemaker", {"PACED"}),
    ("Ventricular-paced rhythm", {"PACED"}),
    ("AV dual-paced complexes", {"PACED"}),
    ("Wandering atrial pacemaker", {"ECTOPIC_ATRIAL"}),
    ("Unusual P axis, possible ectopic atrial rhythm", {"ECTOPIC_ATRIAL"}),
    ("Atrial fibrillation has replaced Sinus rhythm", AF),
    ("Sinus rhythm has replaced Atrial fibrillation", {"SINUS"}),
    ("Supraventricular tachycardia", {"SVT", "HR>100"}),
    ("Wide QRS tachycardia", {"VT"}),
    ("Supraventricular premature beats", {"PAC"}),
    ("Premature atrial complexes in a pattern of bigeminy", {"PAC"}),
    ("with occasional Premature ventricular complexes", {"PVC"}),
    ("with frequent Premature ventricular complexes", {"PVC", "FREQUENT_PVC"}),
    ("Premature ventricular contraction(s), bigeminy.", {"PVC", "FREQUENT_PVC", "BIGEMINY"}),
    ("Wolff-Parkinson-White, type A", {"WPW"}),
    ("Nonspecific intraventricular block (QRSd >115mS, not LBBB/RBBB)", {"IVCD"}),
    ("Anterolateral infarct, age undetermined", {"Q_ANTERIOR", "Q_LATERAL", "MI"}),
    ("Septal infarct (cited on or before 01-JAN-2000)", {"Q_ANTERIOR", "MI"}),
    ("Prior inferior infarct", {"Q_INFERIOR", "MI"}),
    ("Q waves in II, III, aVF consistent with old infarction", {"Q_INFERIOR", "MI"}),
    ("Q waves in V2-4", {"Q_ANTERIOR", "MI"}),
    ("History of myocardial infarction", {"MI"}),
    ("Acute anterior STEMI", {"MI", "ST_ELEVATION"}),
    ("Marked ST abnormality, possible inferior subendocardial injury", {"ST_DEPRESSION"}),
    ("T wave abnormality, consider inferolateral ischemia", {"T_INFERIOR", "T_LATERAL"}),
    ("T wave inversion now evident in Anterior leads", {"T_ANTERIOR"}),
    ("T waves are low or flat in I, V5,6 and inverted in aVL", {"T_FLAT"}),  # one lead
    ("Nonspecific ST and T wave abnormality", {"T_FLAT"}),
    ("Minimal voltage criteria for LVH, may be normal variant", {"LVH"}),
    ("Low limb lead voltage", {"LOW_VOLTAGE"}),
    ("Right superior axis deviation", {"RIGHT_AXIS"}),
    ("Prolonged QT", {"LONG_QTC"}),
    ("Left atrial enlargement. Poor R wave progression.", {"LEFT_ATRIAL", "POOR_R"}),
    ("SCP code CLBBB (100)", {"LBBB"}),
    ("SCP code AFIB (0)", AF),  # 0 means that no likelihood is stated
    ("SCP code ILMI (80)", {"Q_INFERIOR", "Q_LATERAL", "MI"}),
    ("SCP code PMI (100)", {"MI"}),
    ("SNOMED code 164889003", AF),
    ("SNOMED code 733534002", {"LBBB"}),
    ("SNOMED code 67741000119109", {"LEFT_ATRIAL"}),
    ("AHA code D30+Modifier308", {"PAC"}),
]

DENIED = [  # what affirms, and what then denies
    ("Left bundle branch block", "Left bundle branch block is no longer Present"),
    ("Left bundle branch block", "Left bundle branch block, no longer present"),
    ("Inferior infarct", "Criteria for Inferior infarct are no longer Present"),
    ("T wave inversion in Lateral leads", "T wave inversion no longer evident in Lateral leads"),
    ("ST depressed in Inferior leads", "ST no longer depressed in Inferior leads"),
    ("Atrial fibrillation", "No evidence of atrial fibrillation"),
    ("Atrial fibrillation", "Previous ECG showed atrial fibrillation"),
    ("Inferior infarct", "Previous ECG showed inferior infarct"),
    ("Atrial flutter", "Rhythm was previously atrial flutter"),
    ("Paced rhythm", "Not paced"),
]

NOTHING = [
    "Incomplete left bundle branch block",
    "SNOMED code 251120003",  # incomplete left bundle branch block
    "When compared with ECG of 12-JAN-2020 10:00,",
    "Abnormal R-wave progression, early transition",
    "Leftward axis",
    "The cause of the bradycardia is not evident",
    "Vorhofflimmern mit Linksschenkelblock, WPW typ b, LVH wahrscheinlich",  # not English
    "",
]

UNCERTAIN = [
    ("Cannot rule out atrial flutter", {"AFL", "AF_OR_AFL"}),
    ("Cannot rule out Anterior infarct , age undetermined", {"Q_ANTERIOR", "MI"}),
    ("Old anteroseptal infarct cannot be excluded", {"Q_ANTERIOR", "MI"}),
    ("Possible Left atrial enlargement", {"LEFT_ATRIAL"}),
    ("Possible left bundle branch block", {"LBBB"}),
    ("Right bundle branch block -or- Right ventricular hypertrophy", {"RBBB"}),
    ("Borderline left axis deviation", {"LEFT_AXIS"}),
    ("SCP code CLBBB (35)", {"LBBB"}),
    ("Sinusrhythmus, pacemaker ekg", {"PACED"}),  # the one word read in other languages
]


@pytest.mark.parametrize(("statement", "names"), AFFIRMED)
def test_affirmed(statement, names):
    found = affirmed_findings([statement])
    assert set(found) == names
    assert set(found.values()) == {statement}
    assert uncertain_findings([statement]).keys().isdisjoint(names)
    assert unread_parts([statement]) == ()


@pytest.mark.parametrize("statement", [denial for _, denial in DENIED] + NOTHING)
def test_neither_affirmed_nor_considered(statement):
    assert affirmed_findings([statement]) == {}
    assert uncertain_findings([statement]) == {}
    assert unread_parts([statement]) == ()


@pytest.mark.parametrize(("positive", "denial"), DENIED)
def test_a_denial_ends_what_another_statement_affirms(positive, denial):
    found = affirmed_findings([positive])
    assert found
    left = affirmed_findings([positive, denial])
    assert left.keys().isdisjoint(found)


@pytest.mark.parametrize(("statement", "names"), UNCERTAIN)
def test_considered_only(statement, names):
    assert affirmed_findings([statement]) == {}
    assert set(uncertain_findings([statement])) == names


def test_a_certainty_beats_a_doubt():
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


def test_a_flutter_after_fibrillation_is_still_either_of_them():
    found = affirmed_findings(["Atrial flutter has replaced Atrial fibrillation"])
    assert set(found) == FLUTTER


def test_a_bifascicular_block_holds_the_hemiblock_that_is_named():
    assert {"RBBB", "LAFB"} <= set(affirmed_findings(["Bifascicular block"]))
    posterior = affirmed_findings(["Left posterior fascicular block", "Bifascicular block"])
    assert {"RBBB", "LPFB"} <= set(posterior)
    assert "LAFB" not in posterior


def test_what_is_unknown_is_said():
    statements = ["SCP code XYZ (100)", "SNOMED code 123456789", "AHA code 999", "Zebra wave"]
    assert unread_parts(statements) == ("XYZ", "123456789", "999", "zebra wave")
