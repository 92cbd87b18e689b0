"""The 17 rhythm and 8 conduction labels of the table (`ecgdash.labels.table`)."""

from typing import Final

from ecgdash.labels import criteria as c
from ecgdash.labels import criteria_waves as w
from ecgdash.labels.spec import LabelSpec, plain

__all__ = ["CONDUCTION", "RHYTHM"]

RHYTHM: Final = (
    LabelSpec(
        "SINUS", "rhythm", "our choice", "Sinus rhythm", "measured", plain(c.sinus),
        pattern=r"\bsinus (?:rhythm|bradycardia|tachycardia|arrhythmia)\b",
        scp=("SR",), snomed=("426783006",), aha=("20",),
    ),
    LabelSpec(
        "SINUS_BRADYCARDIA", "rhythm", "our choice", "Sinus bradycardia", "AHA 2007",
        plain(c.sinus_bradycardia), pattern=r"\bsinus brady(?:cardia|arrhythmia)\b",
        scp=("SBRAD",), snomed=("426177001",), aha=("22",), implies=("SINUS",),
    ),
    LabelSpec(
        "SINUS_TACHYCARDIA", "rhythm", "our choice", "Sinus tachycardia", "AHA 2007",
        plain(c.sinus_tachycardia), pattern=r"\bsinus tachycardia\b",
        scp=("STACH",), snomed=("427084000",), aha=("21",), implies=("SINUS", "HR>100"),
    ),
    LabelSpec(
        "SINUS_ARRHYTHMIA", "rhythm", "our choice", "with sinus arrhythmia", "AHA 2007",
        plain(c.sinus_arrhythmia), pattern=r"\bsinus (?:brady)?arrhythmia\b",
        scp=("SARRH",), snomed=("427393009",), aha=("23",), implies=("SINUS",),
    ),
    LabelSpec(
        "AFIB", "rhythm", "stated", "Atrial fibrillation", "measured", plain(c.fibrillation),
        pattern=r"\batrial fib(?:rillation)?\b|\ba[- ]?fib\b|fibrillation/flutter",
        scp=("AFIB",),
        # fibrillation; paroxysmal; chronic; rapid
        snomed=("164889003", "282825002", "426749004", "314208002"),
        aha=("50",), implies=("AF_OR_AFL",),
    ),
    LabelSpec(
        "AFL", "rhythm", "stated", "Atrial flutter", "measured", plain(c.flutter),
        pattern=r"\batrial flutter|\ba[- ]?flutter\b|fibrillation(?:\s*(?:/|or|and)\s*)flutter",
        scp=("AFLT",), snomed=("164890007",), aha=("51",), implies=("AF_OR_AFL",),
    ),
    LabelSpec(
        "AF_OR_AFL", "rhythm", "our choice", "", "measured", plain(c.fibrillation_or_flutter),
        pattern=r"\batrial (?:fib|flutter)",
        snomed=("195080001",),
    ),
    LabelSpec(
        "RAPID_AF", "rhythm", "our choice", "with rapid ventricular response", "AHA 2007",
        plain(c.rapid_fibrillation),
        pattern=r"\brapid ventricular (?:response|rate)|\brvr\b|\brapid atrial fib",
        snomed=("314208002",), implies=("AF_OR_AFL", "HR>100"),
    ),
    LabelSpec(
        "SVT", "rhythm", "our choice", "Supraventricular tachycardia", "SVT 2015",
        plain(c.supraventricular_tachycardia),
        pattern=r"\bsupraventricular tachycardia|\bp?svt\b|\batrial tachycardia"
        r"|\b(?:a-?v|atrioventricular)(?: (?:node|nodal))? re-?entr\w+ tachycardia",
        scp=("SVTAC", "PSVT"),
        # SVT; paroxysmal; atrial tachycardia; AVRT; AVNRT
        snomed=("426761007", "67198005", "713422000", "233897008", "251166008"),
        aha=("52", "53", "55", "56"), implies=("HR>100",),
    ),
    LabelSpec(
        "VT", "rhythm", "our choice", "Wide QRS tachycardia", "VA 2017",
        plain(c.wide_complex_tachycardia),
        pattern=r"(?<!supra)\bventricular tachycardia|\bwide[- ](?:qrs|complex) tachycardia",
        snomed=("164895002", "425856008"), aha=("70", "71", "72", "75", "76"),
    ),
    LabelSpec(
        "JUNCTIONAL", "rhythm", "our choice", "Junctional rhythm", "measured", plain(c.junctional),
        pattern=r"\b(?:junctional|nodal) (?:escape )?(?:rhythm|bradycardia|tachycardia)"
        r"|\baccelerated junctional",
        # AV junctional; accelerated; junctional tachycardia; junctional escape
        snomed=("29320008", "426664006", "426648003", "426995002"), aha=("38", "39", "54"),
    ),
    LabelSpec(
        "ECTOPIC_ATRIAL", "rhythm", "our choice", "Unusual P axis, possible ectopic atrial rhythm",
        "AHA 2007", plain(c.ectopic_atrial),
        pattern=r"\bectopic atrial|\bunusual p[- ]axis|(?<!multifocal )\batrial rhythm"
        r"|\bmultifocal atrial|\bwandering atrial",
        # atrial rhythm; accelerated atrial escape; wandering atrial pacemaker; sinus to atrial
        snomed=("106068003", "233892002", "195101003", "17366009"), aha=("33", "34", "35"),
    ),
    LabelSpec(
        "PACED", "rhythm", "our choice", "Electronic ventricular pacemaker", "measured",
        plain(c.paced), pattern=r"\bpaced\b|\bpacing\b|pacemaker",
        scp=("PACE",), snomed=("10370003", "251266004", "251268003"),
        aha=("180", "181", "182", "183", "184"),
    ),
    LabelSpec(
        "PAC", "rhythm", "stated", "with occasional Premature atrial complexes", "measured",
        plain(c.atrial_premature),
        pattern=r"\bpremature (?:atrial|supraventricular)|\batrial (?:premature|extrasysto|ectop)"
        r"|\bsupraventricular (?:premature|extrasysto|ectop)|\bpacs?\b",
        scp=("PAC",),
        # premature atrial; supraventricular premature; blocked; supraventricular bigeminy; atrial
        snomed=("284470004", "63593006", "251170000", "251168009", "251173003"), aha=("30",),
    ),
    LabelSpec(
        "PVC", "rhythm", "stated", "with occasional Premature ventricular complexes", "measured",
        plain(c.ventricular_premature),
        pattern=r"\bpremature ventricular|\bventricular (?:premature|extrasysto|ectop)|\bpvcs?\b",
        scp=("PVC",),
        # premature contractions; premature beats; ectopics
        snomed=("427172004", "17338001", "164884008"), aha=("60",),
    ),
    LabelSpec(
        "FREQUENT_PVC", "rhythm", "our choice", "with frequent Premature ventricular complexes",
        "Minnesota", plain(c.frequent_ventricular_premature),
        pattern=r"\b(?:frequent|multiple)(?: \w+){0,2}? (?:premature ventricular|pvcs?\b)"
        r"|\b(?:frequent|multiple)(?: \w+){0,2}? ventricular (?:premature|extrasysto|ectop)",
        snomed=("251182009",), implies=("PVC",),  # paired complexes
    ),
    LabelSpec(
        "BIGEMINY", "rhythm", "our choice",
        "with frequent Premature ventricular complexes in a pattern of bigeminy", "our choice",
        plain(c.ventricular_bigeminy),
        pattern=r"(?:premature ventricular|\bventricular|\bpvcs?\b)[^.;]*\b(?:bi|tri)geminy",
        snomed=("11157007", "251180001"), implies=("FREQUENT_PVC", "PVC"),
    ),
)  # fmt: skip
"""In the order of the network's outputs."""

CONDUCTION: Final = (
    LabelSpec(
        "LBBB", "conduction", "stated", "Left bundle branch block", "AHA 2009", plain(c.lbbb),
        pattern=r"(?<!incomplete )\b(?:left bundle[- ]branch block|lbbb\b)",
        scp=("CLBBB",), snomed=("164909002", "733534002"), aha=("104",),
    ),
    LabelSpec(
        "RBBB", "conduction", "stated", "Right bundle branch block", "AHA 2009", plain(c.rbbb),
        pattern=r"(?<!incomplete )\b(?:right bundle[- ]branch block|rbbb\b)",
        scp=("CRBBB",), snomed=("59118001", "713427006"), aha=("106",),
    ),
    LabelSpec(
        "IRBBB", "conduction", "our choice", "Incomplete right bundle branch block", "AHA 2009",
        plain(c.incomplete_rbbb), pattern=r"\bincomplete (?:right bundle[- ]branch|rbbb\b)",
        scp=("IRBBB",), snomed=("713426002",), aha=("105",),
    ),
    LabelSpec(
        "LAFB", "conduction", "our choice", "Left anterior fascicular block", "AHA 2009",
        plain(c.lafb), pattern=r"\bleft anterior (?:fasci\w+ block|hemiblock)|\bla[fh]b\b",
        scp=("LAFB",), snomed=("445118002",), aha=("101",),
    ),
    LabelSpec(
        "LPFB", "conduction", "our choice", "Left posterior fascicular block", "AHA 2009",
        plain(c.lpfb), pattern=r"\bleft posterior (?:fasci\w+ block|hemiblock)|\blp[fh]b\b",
        scp=("LPFB",), snomed=("445211001",), aha=("102",),
    ),
    LabelSpec(
        "IVCD", "conduction", "our choice", "Nonspecific intraventricular conduction delay",
        "Minnesota", plain(c.ivcd),
        pattern=r"\bintra-?ventricular (?:conduction )?(?:delay|block|disturbance|defect|disorder)"
        r"|\bivcd\b",
        scp=("IVCD",), snomed=("698252002", "82226007"), aha=("107",),
    ),
    LabelSpec(
        "WPW", "conduction", "our choice", "Wolff-Parkinson-White", "AHA 2009",
        plain(c.preexcitation),
        pattern=r"\bwolff?[- ]parkinson[- ]white|^\s*wpw\s*$|\bwpw (?:pattern|type|syndrome)\b"
        r"|pre-?excitation|\bdelta waves?\b",
        scp=("WPW",), snomed=("74390002", "195060002"), aha=("108",),
    ),
    LabelSpec(
        "T_CONCORDANT_WIDE", "conduction", "our choice", "", "AHA 2009",
        plain(w.t_concordant_in_wide), pattern=r"\bconcordant t[- ]waves?\b",
    ),
)  # fmt: skip
