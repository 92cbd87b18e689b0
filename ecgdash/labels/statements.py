"""What a cart's statements affirm: English sentences, SCP codes, SNOMED codes.

A finding counts only when it is affirmed for this ECG: "no longer present",
"has replaced", "cannot rule out" and the like are read. Other languages are not.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

__all__ = ["ENGLISH", "SCP_CODES", "SNOMED_CODES", "affirmed_findings", "uncertain_findings"]

ENGLISH: Final[dict[str, str]] = {
    "AFIB": r"atrial fib(?:rillation)?\b|\ba[- ]?fib\b",
    "AFL": r"atrial flutter|\ba[- ]?flutter\b|fibrillation(?:\s*(?:/|or|and)\s*)flutter",
    "LBBB": r"left bundle[- ]branch block|\blbbb\b",
    "RBBB": r"right bundle[- ]branch block|\brbbb\b",
    "BIFASCICULAR": r"bifascicular block",
    "1AVB": r"(?:1st|first)[- ]degree (?:a-?v|atrioventricular)(?:[- ]block)?"
    r"|prolonged pr(?:[- ]interval)?",
    "PACED": r"\bpaced\b|\bpacing\b|pacemaker",
    "SINUS": r"\bsinus (?:rhythm|bradycardia|tachycardia|arrhythmia)\b",
    "LONG_QT": r"(?:prolonged|long) qt",
    "PVC": r"premature ventricular|ventricular premature|\bpvcs?\b",
    "PAC": r"premature (?:atrial|supraventricular)|atrial premature|\bpacs?\b",
    "LVH": r"left ventricular hypertrophy|\blvh\b",
    "LOW_VOLTAGE": r"low voltage",
}
"""Finding -> what names it in an English statement (MUSE and Philips wording)."""

SCP_CODES: Final[dict[str, str]] = {
    "AFIB": "AFIB",
    "AFLT": "AFL",
    "CLBBB": "LBBB",
    "CRBBB": "RBBB",
    "1AVB": "1AVB",
    "LPR": "1AVB",
    "PACE": "PACED",
    "SR": "SINUS",
    "SBRAD": "SINUS",
    "STACH": "SINUS",
    "SARRH": "SINUS",
    "LNGQT": "LONG_QT",
    "PVC": "PVC",
    "PAC": "PAC",
    "LVH": "LVH",
    "LVOLT": "LOW_VOLTAGE",
}
"""SCP-ECG acronyms as PTB-XL's scp_statements.csv spells them."""

SNOMED_CODES: Final[dict[str, str]] = {
    "164889003": "AFIB",
    "164890007": "AFL",
    "164909002": "LBBB",
    "733534002": "LBBB",  # complete
    "59118001": "RBBB",
    "713427006": "RBBB",  # complete
    "270492004": "1AVB",
    "164947007": "1AVB",  # prolonged PR interval
    "10370003": "PACED",
    "251266004": "PACED",  # ventricular pacing pattern
    "251268003": "PACED",  # atrial pacing pattern
    "426783006": "SINUS",
    "426177001": "SINUS",  # bradycardia
    "427084000": "SINUS",  # tachycardia
    "427393009": "SINUS",  # arrhythmia
    "111975006": "LONG_QT",
    "427172004": "PVC",
    "17338001": "PVC",
    "284470004": "PAC",
    "63593006": "PAC",
    "164873001": "LVH",
    "251146004": "LOW_VOLTAGE",
}
"""SNOMED CT codes of the PhysioNet/CinC 2021 challenge (dx_mapping_scored/unscored)."""

_IGNORED: Final = re.compile(
    r"incomplete (?:left|right) bundle[- ]branch block|incomplete [lr]bbb"
    r"|wandering (?:atrial )?pacemaker|(?:ectopic )?atrial pacemaker migrating"
    r"|pacemaker artifact suspected|suspect(?:ed)? pacemaker artifact"
)
"""Phrases that name a finding and mean another."""

_REPLACED: Final = re.compile(r"\b(?:has|have) replaced\b|\breplac(?:es|ing)\b")
_NEGATION: Final = re.compile(
    r"\bno longer\b|\bnot (?:paced|seen|present|evident|found|shown|in)\b|\bno evidence of\b"
    r"|^\s*no\b|\bwithout\b|\babsence of\b|\b(?:has|have) (?:resolved|disappeared)\b|\bruled out\b"
    r"|\bprevious(?:ly)?\b|\bprior\b|\bhistory of\b|\bno significant\b"
)
_UNCERTAIN: Final = re.compile(
    r"\b(?:cannot|can not|can't) (?:rule out|exclude)\b|\brule out\b|\bpossibl[ey]\b|\bconsider\b"
    r"|\bquestionable\b|\bsuspect(?:ed)?\b|\bmay be\b|\bmight be\b|\?"
)
_CLAUSE: Final = re.compile(r"[.;,\n]+(?!\d)| but | - ")
_SCP: Final = re.compile(r"^SCP code (\S+)(?: \((\d+(?:\.\d+)?)\))?", re.IGNORECASE)
_SNOMED: Final = re.compile(r"\b\d{8,9}\b")

_SCP_AFFIRMED_FROM: Final = 50.0
"""PTB-XL likelihoods run from 0 to 100, and 0 means "not stated"; below 50 is a doubt."""


def affirmed_findings(statements: Iterable[str]) -> dict[str, str]:
    """Return the findings affirmed for this ECG, each with the first statement that says so.

    Parameters
    ----------
    statements : iterable of str
        English sentences (any capitalisation), "SCP code AFIB (100)", or texts
        holding SNOMED CT numbers.

    Returns
    -------
    dict of str to str
        Keys from `ENGLISH`; a finding that is denied later ("... is no longer
        present") is left out.
    """
    affirmed, denied, _ = _read(statements)
    return {name: text for name, text in affirmed.items() if name not in denied}


def uncertain_findings(statements: Iterable[str]) -> dict[str, str]:
    """Return findings that are only considered ("cannot rule out", "possible")."""
    affirmed, denied, uncertain = _read(statements)
    known = affirmed.keys() | denied.keys()
    return {name: text for name, text in uncertain.items() if name not in known}


_Found = dict[str, str]


def _read(statements: Iterable[str]) -> tuple[_Found, _Found, _Found]:
    affirmed: _Found = {}
    denied: _Found = {}
    uncertain: _Found = {}
    for statement in statements:
        for name, kind in _findings_of(statement):
            book = {"affirmed": affirmed, "denied": denied, "uncertain": uncertain}[kind]
            book.setdefault(name, statement.strip())
    return affirmed, denied, uncertain


@lru_cache(maxsize=4096)
def _findings_of(statement: str) -> tuple[tuple[str, str], ...]:
    """Read one statement; carts print the same few sentences over and over."""
    return tuple(_findings_of_code(statement) or _findings_of_text(statement))


def _findings_of_code(statement: str) -> list[tuple[str, str]]:
    coded = _SCP.match(statement.strip())
    if coded:
        name = SCP_CODES.get(coded[1].upper())
        likelihood = float(coded[2] or 0.0)
        kind = "uncertain" if 0.0 < likelihood < _SCP_AFFIRMED_FROM else "affirmed"
        return [(name, kind)] if name else []
    snomed = [SNOMED_CODES[code] for code in _SNOMED.findall(statement) if code in SNOMED_CODES]
    return [(name, "affirmed") for name in snomed]


def _findings_of_text(statement: str) -> list[tuple[str, str]]:
    text = _IGNORED.sub(" ", statement.lower())
    found: list[tuple[str, str]] = []
    n_of_last_clause = 0
    for clause in _CLAUSE.split(text):
        kind = _kind(clause)
        here = _findings_of_clause(clause, kind)
        if not here and kind == "denied":  # "Left bundle branch block, no longer present"
            start = len(found) - n_of_last_clause
            found[start:] = [(name, kind) for name, _ in found[start:]]
        found += here
        n_of_last_clause = len(here)
    return found


def _findings_of_clause(clause: str, kind: str) -> list[tuple[str, str]]:
    now, *former = _REPLACED.split(clause, maxsplit=1)
    found = [(name, kind) for name in _named(now)]
    return found + [(name, "denied") for part in former for name in _named(part)]


def _kind(clause: str) -> str:
    if _NEGATION.search(clause):
        return "denied"
    return "uncertain" if _UNCERTAIN.search(clause) else "affirmed"


def _named(text: str) -> list[str]:
    return [name for name, pattern in ENGLISH.items() if re.search(pattern, text)]
