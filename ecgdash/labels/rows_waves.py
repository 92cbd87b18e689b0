"""The 8 ischaemia, 7 other and 6 number labels of the table (`ecgdash.labels.table`)."""

from typing import Final

from ecgdash.labels import criteria as c
from ecgdash.labels import criteria_waves as w
from ecgdash.labels.spec import (
    LabelSpec,
    above,
    female_apart,
    infarct_in,
    inverted_t_in,
    plain,
    region,
)

__all__ = ["ISCHAEMIA", "NUMBERS", "OTHER"]

ISCHAEMIA: Final = (
    LabelSpec(
        "Q_ANTERIOR", "ischaemia", "stated", "Anterior infarct, age undetermined", "UDMI 2018",
        region(c.q_waves, "anterior"), pattern=infarct_in("anterior"),
        scp=("AMI", "ASMI", "ALMI"), snomed=("54329005",), aha=("160", "165", "166"),
        implies=("MI",),
    ),
    LabelSpec(
        "Q_INFERIOR", "ischaemia", "stated", "Inferior infarct, age undetermined", "UDMI 2018",
        region(c.q_waves, "inferior"), pattern=infarct_in("inferior"),
        scp=("IMI", "ILMI", "IPMI", "IPLMI"), aha=("161",), implies=("MI",),
    ),
    LabelSpec(
        "Q_LATERAL", "ischaemia", "stated", "Lateral infarct, age undetermined", "UDMI 2018",
        region(c.q_waves, "lateral"), pattern=infarct_in("lateral"),
        scp=("LMI", "ALMI", "ILMI", "IPLMI"), aha=("163",), implies=("MI",),
    ),
    LabelSpec(
        "ST_ELEVATION", "ischaemia", "our choice", "ST elevation", "UDMI 2018",
        plain(w.st_elevated),
        pattern=r"\bst[- ](?:segment )?elevat"
        r"|\bst (?:segments? )?(?:(?:is|are|now|more|less|slightly|no|longer) )*elevated"
        r"|\binjury pattern|\bstemi\b",
        scp=("STE_",), snomed=("164931005",),
    ),
    LabelSpec(
        "ST_DEPRESSION", "ischaemia", "our choice", "ST depression", "UDMI 2018",
        plain(w.st_depressed),
        pattern=r"\bst[- ](?:segment )?depress|\bsubendocardial injury|\bmarked st abnormality"
        r"|\bst (?:segments? )?(?:(?:is|are|now|more|less|slightly|no|longer) )*depressed",
        scp=("STD_", "INJAS", "INJAL", "INJIN", "INJLA", "INJIL"),
        snomed=("429622005", "704997005"),
    ),
    LabelSpec(
        "T_ANTERIOR", "ischaemia", "our choice", "T wave abnormality, consider anterior ischemia",
        "UDMI 2018", region(w.t_inverted, "anterior"), pattern=inverted_t_in("anterior"),
        scp=("ISCAN", "ISCAS", "ISCAL"), snomed=("426434006",),
    ),
    LabelSpec(
        "T_LATERAL", "ischaemia", "our choice", "T wave abnormality, consider lateral ischemia",
        "UDMI 2018", region(w.t_inverted, "lateral"), pattern=inverted_t_in("lateral"),
        scp=("ISCLA", "ISCAL", "ISCIL"), snomed=("425623009",),
    ),
    LabelSpec(
        "T_INFERIOR", "ischaemia", "our choice", "T wave abnormality, consider inferior ischemia",
        "UDMI 2018", region(w.t_inverted, "inferior"), pattern=inverted_t_in("inferior"),
        scp=("ISCIN", "ISCIL"), snomed=("425419005",),
    ),
)  # fmt: skip
"""Infarcts count as Q waves of a region: the paper's "myocardial infarction", by region."""

OTHER: Final = (
    LabelSpec(
        "LVH", "other", "our choice", "Voltage criteria for left ventricular hypertrophy",
        "Sokolow 1949, Cornell 1985", female_apart(w.lvh),
        pattern=r"\bleft ventricular hypertrophy|\blvh\b",
        scp=("LVH", "VCLVH"), snomed=("164873001", "55827005"), aha=("142",),
    ),
    LabelSpec(
        "LEFT_ATRIAL", "other", "our choice", "Left atrial enlargement", "Morris 1964",
        plain(w.left_atrial),
        pattern=r"\bleft atrial (?:enlarge|abnormal|overload|hypertrophy|dilat)"
        r"|\bbi-?atrial (?:enlarge|abnormal)|\blae\b|\bp[- ]mitrale\b",
        scp=("LAO/LAE",),
        # abnormality; enlargement; hypertrophy
        snomed=("253352002", "67741000119109", "446813000"), aha=("140",),
    ),
    LabelSpec(
        "LOW_VOLTAGE", "other", "our choice", "Low voltage QRS", "AHA 2009", plain(w.low_voltage),
        pattern=r"\blow (?:\w+ ){0,3}?voltages?\b",
        scp=("LVOLT",),
        # all leads; limb; precordial
        snomed=("251146004", "251147008", "251148003"), aha=("125",),
    ),
    LabelSpec(
        "LEFT_AXIS", "other", "our choice", "Left axis deviation", "AHA 2009", plain(w.left_axis),
        pattern=r"\bleft axis(?: deviation)?\b", snomed=("39732003",), aha=("121",),
    ),
    LabelSpec(
        "RIGHT_AXIS", "other", "our choice", "Right axis deviation", "AHA 2009",
        plain(w.right_axis),
        pattern=r"\bright(?:ward)? (?:superior )?axis\b|\bnorth-?west axis\b",
        snomed=("47665007",), aha=("120", "122"),
    ),
    LabelSpec(
        "POOR_R", "other", "our choice", "Poor R wave progression", "Zema 1979",
        plain(w.poor_r_progression),
        pattern=r"\bpoor r[- ]wave progression|\bpoor progression of r[- ]waves?"
        r"|\bprecordial r/s transition late",
        snomed=("365413008",),
    ),
    LabelSpec(
        "T_FLAT", "other", "our choice", "Nonspecific T wave abnormality", "AHA 2009",
        plain(w.t_flat_lateral),
        pattern=r"\bnon-?specific (?:anterior |lateral |inferior )?"
        r"(?:st(?:[- ]segment)?(?: (?:&|and|or) |[-/. ]))?t(?:[- ]waves?)? "
        r"(?:abnormal|change|flatten)|\bnon-?specific (?:\w+ )?st\.t change"
        r"|\bt[- ]waves? flatten|\bflat(?:tened)? t[- ]waves?"
        r"|\bt[- ]waves? (?:is|are) (?:low|flat)|\blow amplitude t",
        scp=("NDT", "NT_", "LOWT"), snomed=("428750005",),
    ),
)  # fmt: skip

NUMBERS: Final = (
    LabelSpec(
        "PR>200", "number", "stated", "with 1st degree A-V block", "AHA 2007, paper 000",
        plain(c.first_degree_block),
        pattern=r"\b(?:1st|first)[- ]degree (?:a-?v|atrioventricular)(?:[- ]block)?"
        r"|\bprolonged pr\b|\bpr (?:interval )?(?:is )?prolong",
        scp=("1AVB", "LPR"), snomed=("270492004", "164947007"), aha=("82",),
    ),
    LabelSpec("QRS>140", "number", "stated", "", "paper 000", above("qrs_ms", 140.0)),
    LabelSpec(
        "LONG_QTC", "number", "stated", "Prolonged QT", "paper 000", w.long_qtc,
        pattern=r"\b(?:prolonged|long) qtc?\b|\bqtc?[- ](?:interval )?(?:is )?prolong",
        scp=("LNGQT",), snomed=("111975006",), aha=("148",),
    ),
    LabelSpec("QRS>160", "number", "our choice", "", "our choice", above("qrs_ms", 160.0)),
    LabelSpec("QTC>480", "number", "our choice", "", "our choice", above("qtc_ms", 480.0)),
    LabelSpec("HR>100", "number", "our choice", "", "AHA 2007", above("heart_rate_bpm", 100.0)),
)  # fmt: skip
