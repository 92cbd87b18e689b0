"""Takes an English ECG statement apart: sentences, clauses, and leads turned into regions."""

import re
from typing import Final

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.labels.criteria import CONTIGUOUS

__all__ = ["clauses_of", "english_part", "sentences_of"]

_OTHER_LANGUAGE: Final = re.compile(
    r"[äöåüßéèàòùñøæó¿¬½]"
    r"|\b(?:sinus ?rhythmus|sinusry\w*|sinusb\w*|sinust\w*|arrhythmie|arytmi|ekg|ritmo|normale"
    r"|normalt|lagetyp|linkstyp|rechtstyp|vorhof\w*|ventrikul\w*|supraventrikul\w*|slag med)\b"
    r"|typ\b|infarkt|rhythmus|\w+flimmer|hypertrofi"
)
"""Words and letters of the languages found beside English in PTB-XL and in carts' exports."""

_REWRITES: Final = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\bedit: .*", " "),  # PTB-XL's note of a change of code: no text of the reader
        (r"\([^()]*\)", " "),  # the criterion a cart prints behind its statement
        (r"[*<>_]{2,}", " "),
        (r"\bconfirmed by .*", "confirmed by a reader"),
        (r"\bvent\. ", "ventricular "),
        (r"\bwandering (?:atrial )?pacemaker", "wandering atrial focus"),
        (r"\b(?:ectopic )?atrial pacemaker migrating", "ectopic atrial rhythm"),
        (r"\bpacemaker artifact suspected|\bsuspect(?:ed)? pacemaker artifact", "artifact"),
        # a former infarct is one that this ECG still shows
        (
            r"\b(?:prior|previous|history of) (?!ecg\b|tracing\b)"
            r"(?=(?:[\w/-]+ ){0,3}?(?:infarct|mi\b|myocardial infarct))",
            "old ",
        ),
        # the T wave is affirmed, only its cause is considered
        (
            r"\bt[- ]wave (abnormality|inversion)s?,? (?:consider|possible|probable|suggests?)"
            r" ((?:[\w/-]+ (?:and|or) )?[\w/-]+) (?:myocardial )?ischa?emia",
            r"t wave \1 in \2 leads",
        ),
        (r"\bst abnormality, possible (?:\w+ )?subendocardial injury", "st depression"),
        (r",\s*(?=(?:in a pattern of )?(?:bi|tri)geminy)", " "),
        (r"\s+", " "),
    )
)
_LEAD: Final = r"(?:i{1,3}|av[rlf]|v ?[1-6])"
_JOINT: Final = r"(?:\s*(?:,|-|&|\band\b|\bto\b)\s*|\s+)"
_LEAD_LIST: Final = re.compile(rf"\b(in|and) ({_LEAD}(?:{_JOINT}(?:{_LEAD}|[1-6]))*)(?![\w-])")
_CLAUSE: Final = re.compile(r"[,\n]+(?!\d)| but | - ")
_SENTENCE: Final = re.compile(r"\.(?=\s|$)|;|\n")


def sentences_of(statement: str) -> list[str]:
    """Return the sentences in lower case, bracketed criteria left out, leads as regions.

    Parameters
    ----------
    statement : str

    Returns
    -------
    list of str
        "Q waves in II, III, aVF" comes back as "q waves in inferior leads".
    """
    text = statement.lower()
    for pattern, by in _REWRITES:
        text = pattern.sub(by, text)
    text = _LEAD_LIST.sub(lambda match: f"{match[1]} {_regions(match[2])}", text)
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip(" .,")]


def clauses_of(sentence: str) -> list[str]:
    """Return the clauses of a sentence; what is denied or doubted is so within its clause."""
    return [clause.strip() for clause in _CLAUSE.split(sentence) if clause.strip(" .,0123456789")]


def english_part(sentences: list[str]) -> list[str]:
    """Return the sentences before the first that shows a mark of another language."""
    marked = [bool(_OTHER_LANGUAGE.search(sentence)) for sentence in sentences]
    return sentences[: marked.index(True)] if any(marked) else sentences


def _regions(listed: str) -> str:
    """Return "inferior and lateral leads" for leads, or "one lead" where no group has two."""
    leads = _leads(listed)
    held = [name for name, group in CONTIGUOUS.items() if len(leads & set(group)) >= 2]
    return f"{' and '.join(held)} leads" if held else "one lead"


def _leads(listed: str) -> set[str]:
    """Return the leads of "v2-6" or "i, avl, v5,6"."""
    canonical = {name.lower(): name for name in CANONICAL_LEADS}
    tokens = re.findall(r"i{1,3}|av[rlf]|[1-6]|-|\bto\b", listed.replace("v ", "v"))
    leads: list[str] = []
    fill = False
    for token in tokens:
        name = canonical.get(token, f"V{token}" if token.isdigit() else "")
        if fill and name and leads:
            first = CANONICAL_LEADS.index(leads[-1])
            leads += CANONICAL_LEADS[first : CANONICAL_LEADS.index(name)]
        if name:
            leads.append(name)
        fill = token in ("-", "to")
    return set(leads)
