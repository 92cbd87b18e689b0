"""What a cart's statements affirm: English sentences, SCP codes, SNOMED codes, AHA codes.

A finding counts only when it is affirmed for this ECG: "no longer present",
"has replaced", "cannot rule out" and the like are read. Other languages are not, except
that the word "pacemaker" in them raises a doubt.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ecgdash.labels.english import clauses_of, english_part, sentences_of
from ecgdash.labels.table import AHA_CODES, ENGLISH, SCP_CODES, SNOMED_CODES, implied_by
from ecgdash.labels.unlabelled import (
    AHA_WITHOUT_LABEL,
    SCP_WITHOUT_LABEL,
    SNOMED_WITHOUT_LABEL,
    reason_without_label,
)

__all__ = [
    "AHA_CODES",
    "ENGLISH",
    "SCP_CODES",
    "SNOMED_CODES",
    "affirmed_findings",
    "uncertain_findings",
    "unread_parts",
]

_REPLACED: Final = re.compile(r"\b(?:has|have) replaced\b|\breplac(?:es|ing)\b")
_NOT_EXCLUDED: Final = re.compile(
    r"\b(?:cannot|can not|can't)(?: be)?(?: \w+)? (?:ruled? out|excluded?)\b|\brule out\b"
)
_NEGATION: Final = re.compile(
    r"\bno longer\b|\bnot (?:paced|seen|present|evident|found|shown|in)\b|\bno evidence of\b"
    r"|^\s*no\b|\bwithout\b|\babsence of\b|\b(?:has|have) (?:resolved|disappeared)\b|\bruled out\b"
    r"|\bprevious(?:ly)?\b|\bprior\b|\bhistory of\b|\bno (?:significant|definite)\b"
)
_UNCERTAIN: Final = re.compile(
    r"\bpossibl[ey]\b|\bconsider\b|\bborderline\b"
    r"|-or-|\bquestionable\b|\bsuspect(?:ed)?\b|\bmay be\b|\bmight be\b|\?"
)
_SCP: Final = re.compile(r"^SCP code (\S+)(?: \((\d+(?:\.\d+)?)\))?", re.IGNORECASE)
_AHA: Final = re.compile(r"^AHA code [A-N]?(\d{1,3})\b", re.IGNORECASE)
_SNOMED: Final = re.compile(r"\b\d{6,18}\b")

_SCP_AFFIRMED_FROM: Final = 50.0
"""PTB-XL likelihoods run from 0 to 100, and 0 means "not stated"; below 50 is a doubt."""


def affirmed_findings(statements: Iterable[str]) -> dict[str, str]:
    """Return the findings affirmed for this ECG, each with the first statement that says so.

    Parameters
    ----------
    statements : iterable of str
        English sentences (any capitalisation), "SCP code AFIB (100)", "AHA code 50", or
        texts holding SNOMED CT numbers.

    Returns
    -------
    dict of str to str
        Names of the 46 labels and keys of `REMARKS` (`ecgdash.labels.table`), those that
        another finding implies included; a finding that is denied later ("... is no
        longer present") is left out.
    """
    affirmed, denied, _ = _read(statements)
    found = {name: text for name, text in affirmed.items() if name not in denied}
    return found | {name: found[by] for name, by in implied_by(found).items()}


def uncertain_findings(statements: Iterable[str]) -> dict[str, str]:
    """Return findings that are only considered ("cannot rule out", "possible")."""
    affirmed, denied, uncertain = _read(statements)
    known = affirmed.keys() | denied.keys() | implied_by(affirmed).keys()
    return {name: text for name, text in uncertain.items() if name not in known}


def unread_parts(statements: Iterable[str]) -> tuple[str, ...]:
    """Return the codes and English clauses that name no finding and no known other thing.

    Parameters
    ----------
    statements : iterable of str

    Returns
    -------
    tuple of str
        Clauses in lower case; empty where all is understood. Sentences in other languages
        are known not to be read and are not listed.
    """
    return tuple(part for statement in statements for part in _unread_in(statement))


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
    coded = _findings_of_code(statement.strip())
    return tuple(_findings_of_text(statement) if coded is None else coded)


def _findings_of_code(statement: str) -> list[tuple[str, str]] | None:
    """Return what a coded statement says, or None where it is no code."""
    scp = _SCP.match(statement)
    if scp:
        likelihood = float(scp[2] or 0.0)
        kind = "uncertain" if 0.0 < likelihood < _SCP_AFFIRMED_FROM else "affirmed"
        return [(name, kind) for name in SCP_CODES.get(scp[1].upper(), ())]
    aha = _AHA.match(statement)
    if aha:
        return [(name, "affirmed") for name in AHA_CODES.get(aha[1], ())]
    codes = [code for code in _SNOMED.findall(statement) if code in SNOMED_CODES]
    if codes:
        return [(name, "affirmed") for code in codes for name in SNOMED_CODES[code]]
    return None


def _findings_of_text(statement: str) -> list[tuple[str, str]]:
    sentences = sentences_of(statement)
    english = english_part(sentences)
    found = [item for sentence in english for item in _findings_of_sentence(sentence)]
    if any("pacemaker" in sentence for sentence in sentences[len(english) :]):
        found.append(("PACED", "uncertain"))
    return found


def _findings_of_sentence(sentence: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    n_of_last_clause = 0
    for clause in clauses_of(sentence):
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
    if _NOT_EXCLUDED.search(clause):
        return "uncertain"
    if _NEGATION.search(clause):
        return "denied"
    return "uncertain" if _UNCERTAIN.search(clause) else "affirmed"


def _named(text: str) -> list[str]:
    return [name for name, pattern in ENGLISH.items() if re.search(pattern, text)]


def _unread_in(statement: str) -> list[str]:
    text = statement.strip()
    scp, aha = _SCP.match(text), _AHA.match(text)
    if scp:
        return _unknown([scp[1].upper()], SCP_CODES.keys() | SCP_WITHOUT_LABEL.keys())
    if aha:
        return _unknown([aha[1]], AHA_CODES.keys() | AHA_WITHOUT_LABEL.keys())
    if text.upper().startswith("SNOMED"):
        known = SNOMED_CODES.keys() | SNOMED_WITHOUT_LABEL.keys()
        return _unknown(_SNOMED.findall(text), known)
    english = english_part(sentences_of(text))
    clauses = [clause for sentence in english for clause in clauses_of(sentence)]
    return [c for c in clauses if not _named(c) and reason_without_label(c) is None]


def _unknown(codes: list[str], known: Iterable[str]) -> list[str]:
    return [code for code in codes if code not in set(known)]
