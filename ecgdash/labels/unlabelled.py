"""Codes and phrases that are known and belong to none of the 46 labels, with the reason.

What stands neither here nor in `ecgdash.labels.table` is unknown, and
`ecgdash.labels.statements.unread_parts` says so.
"""

import re
from typing import Final

__all__ = [
    "AHA_WITHOUT_LABEL",
    "SCP_WITHOUT_LABEL",
    "SNOMED_WITHOUT_LABEL",
    "reason_without_label",
]

_VERDICT: Final = "a verdict on the whole ECG"
_NO_REGION: Final = "region or direction not told"
_RARE: Final = "not among the 46"
_CAUSE: Final = "a cause or disease, no finding of the trace"
_RIGHT: Final = "right heart: not among the 46"
_BLOCK: Final = "atrioventricular block above first degree: not among the 46"
_ESCAPE: Final = "ventricular escape or chaos: not among the 46"
_ROTATION: Final = "rotation or transition: not among the 46"
_TECHNICAL: Final = "technical"
_COMPARISON: Final = "compares with another ECG"

SCP_WITHOUT_LABEL: Final[dict[str, str]] = {
    "NORM": _VERDICT,
    "ABQRS": "abnormal QRS, kind not told",
    "NST_": _NO_REGION,
    "ISC_": _NO_REGION,
    "TAB_": "T wave abnormality, kind not told",
    "INVT": _NO_REGION,
    "QWAVE": _NO_REGION,
    "HVOLT": "high voltage, side not told",
    "DIG": _CAUSE,
    "EL": _CAUSE,
    "ANEUR": _RARE,
    "RVH": _RIGHT,
    "RAO/RAE": _RIGHT,
    "SEHYP": "septal hypertrophy: " + _RARE,
    "ILBBB": "incomplete left bundle branch block: " + _RARE,
    "2AVB": _BLOCK,
    "3AVB": _BLOCK,
    "PRC(S)": "premature complexes, origin not told",
    "BIGU": "bigeminy, origin not told",
    "TRIGU": "trigeminy, origin not told",
    "SVARR": "supraventricular arrhythmia, kind not told",
}
"""SCP-ECG acronym, as in PTB-XL's scp_statements.csv -> reason."""

SNOMED_WITHOUT_LABEL: Final[dict[str, str]] = {
    "164934002": "T wave abnormality, kind not told",
    "59931005": "T wave inversion: " + _NO_REGION,
    "164930006": "ST interval abnormal: " + _NO_REGION,
    "55930002": "ST-T change: " + _NO_REGION,
    "164861001": "myocardial ischaemia: " + _NO_REGION,
    "413844008": "chronic myocardial ischaemia: " + _NO_REGION,
    "413444003": "acute myocardial ischaemia: " + _NO_REGION,
    "164917005": "Q wave abnormal: " + _NO_REGION,
    "164921003": "R wave abnormal, kind not told",
    "164912004": "P wave change, kind not told",
    "251205003": "prolonged P wave: " + _RARE,
    "251223006": _RIGHT,  # tall P wave
    "253339007": _RIGHT,  # right atrial abnormality
    "446358003": _RIGHT,  # right atrial hypertrophy
    "67751000119106": _RIGHT,  # right atrial high voltage
    "89792004": _RIGHT,  # right ventricular hypertrophy
    "195126007": "atrial hypertrophy, side not told",
    "266249003": "ventricular hypertrophy, side not told",
    "370365005": "left ventricular strain: " + _RARE,
    "6374002": "bundle branch block, side not told",
    "251120003": "incomplete left bundle branch block: " + _RARE,
    "233917008": "atrioventricular block, degree not told",
    "195042002": _BLOCK,  # second degree
    "54016002": _BLOCK,  # Mobitz I
    "426183003": _BLOCK,  # Mobitz II
    "27885002": _BLOCK,  # complete
    "204384007": _BLOCK,  # congenital incomplete
    "50799005": "atrioventricular dissociation: " + _RARE,
    "426627000": "bradycardia, rhythm not told",
    "3424008": "tachycardia, rhythm not told",
    "698247007": "dysrhythmia, kind not told",
    "74615001": _CAUSE,  # brady-tachy syndrome
    "60423000": _CAUSE,  # sinus node dysfunction
    "65778007": "sinoatrial block: " + _RARE,
    "5609005": "sinus arrest: " + _RARE,
    "13640000": "fusion beats: " + _RARE,
    "164903001": "parasystole: " + _RARE,
    "251164006": "junctional premature complexes: " + _RARE,
    "75532003": _ESCAPE,  # ventricular escape beat
    "81898007": _ESCAPE,  # ventricular escape rhythm
    "49260003": _ESCAPE,  # idioventricular rhythm
    "61277005": _ESCAPE,  # accelerated idioventricular rhythm
    "164896001": _ESCAPE,  # ventricular fibrillation
    "111288001": _ESCAPE,  # ventricular flutter
    "418818005": "Brugada pattern: " + _RARE,
    "428417006": "early repolarisation: " + _RARE,
    "49578007": "short PR: alone no pre-excitation",
    "77867006": "short QT: " + _RARE,
    "251259000": "high T: " + _RARE,
    "164937009": "U wave: " + _RARE,
    "164942001": "fragmented QRS: " + _RARE,
    "251200008": "indeterminate axis: " + _RARE,
    "251198002": _ROTATION,  # clockwise
    "251199005": _ROTATION,  # counterclockwise
    "61721007": _ROTATION,  # vectorcardiographic loop
    "251139008": _TECHNICAL,  # arm leads reversed
    "53741008": _CAUSE,  # coronary heart disease
    "84114007": _CAUSE,  # heart failure
    "368009": _CAUSE,  # heart valve disorder
    "266257000": _CAUSE,  # transient ischaemic attack
}
"""SNOMED CT code of the PhysioNet/CinC 2021 challenge -> reason."""

AHA_WITHOUT_LABEL: Final[dict[str, str]] = {
    "1": _VERDICT,
    "2": _VERDICT,
    "3": _VERDICT,
    "4": _VERDICT,
    "145": "ST deviation: " + _NO_REGION,
    "146": "ST deviation with T change: " + _NO_REGION,
    "147": "T wave abnormality, kind not told",
    "153": _CAUSE,
    "155": "early repolarisation: " + _RARE,
    "141": _RIGHT,
    "143": _RIGHT,
    "83": _BLOCK,
    "84": _BLOCK,
    "85": _BLOCK,
    "86": _BLOCK,
    "87": _BLOCK,
    "88": _BLOCK,
    "36": "junctional premature complexes: " + _RARE,
    "37": "junctional escape complexes: " + _RARE,
    "80": "short PR: alone no pre-excitation",
    "128": "abnormal R progression, kind not told",
    "205": _CAUSE,
}
"""AHA 2007 statement number -> reason."""

_PHRASES: Final = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"\bnormal ecg\b|\babnormal ecg\b|\bborderline ecg\b|\bno definite", _VERDICT),
        (r"\bnormal (?:variant|for age)\b|\b(?:may be|probably) normal\b|\bdoubtful", _VERDICT),
        (r"\bpr interval is normal\b|\botherwise normal\b|\bundetermined rhythm\b", _VERDICT),
        (
            r"\bcompared with\b|\bchanged?\b|\bsimilar\b|\bsince\b|\bhas \w+(?:ed|ened)\b",
            _COMPARISON,
        ),
        (r"^type [ab]$|^no longer (?:present|evident)$", "on another clause"),
        (r"\bage (?:un|in)determined\b|^(?:acute|recent|old)\b|>>>? acute", "age of an infarct"),
        (r"\bconfirmed by\b|\bedit:|\btrace only requested\b|\bunconfirmed\b", "administrative"),
        (r"\bdigitalis\b|\bdrug\b|\belectrolyte\b|\bhypokal|\bbradycardia is not evident", _CAUSE),
        (r"\bisch?a?emi[ac]\b|\bstrain\b|\bheart disease\b|\bpericarditis\b", _CAUSE),
        (r"\bicd-10\b", _CAUSE),
        (r"\btransition\b|\br[- ]wave progression\b|\bclockwise\b", _ROTATION),
        (r"\b(?:leftward|normal|indeterminate) axis\b", "axis within limits, or not told"),
        (r"\bartifact\b|\bpoor quality\b|\blead reversal\b|\bmissing leads?\b", _TECHNICAL),
        (r"\bincomplete left bundle|\bincomplete lbbb\b", "incomplete LBBB: " + _RARE),
        (r"\b(?:2nd|3rd|second|third)[- ]degree\b|\bmobitz\b|\bheart block\b", _BLOCK),
        (r"\bright atrial\b|\bright ventricular\b|\brvh\b", _RIGHT),
        (r"\bearly repolari[sz]ation\b|\bu waves?\b|\bbrugada\b", _RARE),
        (r"\bq waves?\b|\bqs complex|\br waves?\b|\bnon-?specific st\b", _NO_REGION),
        (r"\bst segments?\b|\bt waves?\b|\bthese leads\b|\bin one lead\b", _NO_REGION),
        (r"^non-?specific$|^(?:this|it|findings|suggest|interpretation)\b", "on another clause"),
        (r"\ba-?v block\b", "conduction ratio: " + _RARE),
    )
)


def reason_without_label(clause: str) -> str | None:
    """Return why a lower-case English clause names no label, or None where it is unknown."""
    for pattern, reason in _PHRASES:
        if pattern.search(clause):
            return reason
    return None
