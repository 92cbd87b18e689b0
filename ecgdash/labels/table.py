"""The 46 labels of the first training phase, and what names them in text and codes.

`LABELS` is the one table, in the order of the network's outputs: 17 rhythms, 8 of
conduction, 8 of ischaemia, 7 others and 6 numbers, as counted in paper 000 (section "First
Pretraining Phase"), which names only some of them: each row says "stated" or "our choice".
"""

from collections.abc import Iterable, Mapping
from typing import Final

from ecgdash.labels.rows_rhythm import CONDUCTION, RHYTHM
from ecgdash.labels.rows_waves import ISCHAEMIA, NUMBERS, OTHER
from ecgdash.labels.spec import LabelSpec

__all__ = [
    "AHA_CODES",
    "ENGLISH",
    "LABELS",
    "LABEL_NAMES",
    "REMARKS",
    "SCP_CODES",
    "SNOMED_CODES",
    "implied_by",
]

LABELS: Final[tuple[LabelSpec, ...]] = (*RHYTHM, *CONDUCTION, *ISCHAEMIA, *OTHER, *NUMBERS)
LABEL_NAMES: Final = tuple(spec.name for spec in LABELS)

REMARKS: Final[dict[str, str]] = {
    "MI": r"\binfarct|\bmi\b|\bmyocardial (?:damage|scar)\b|\bstemi\b",
    "BIFASCICULAR": r"\bbifascicular block",
}
"""Findings that are no label of their own -> English pattern.

MI is any infarct, whatever its region and age. A bifascicular block is RBBB with LAFB,
or with LPFB where that is stated.
"""
_REMARK_SCP: Final = {
    "MI": ("AMI", "ASMI", "ALMI", "IMI", "ILMI", "IPMI", "IPLMI", "LMI", "PMI"),
}
_REMARK_SNOMED: Final = {"MI": ("164865005", "164867002", "57054005", "54329005")}
_REMARK_AHA: Final = {"MI": ("160", "161", "162", "163", "165", "166")}

ENGLISH: Final[dict[str, str]] = {s.name: s.pattern for s in LABELS if s.pattern} | REMARKS
"""Finding -> what names it in an English statement, lower case (MUSE and Philips wording)."""


def _by_code(
    rows: Iterable[tuple[str, tuple[str, ...]]], remarks: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, codes in (*rows, *remarks.items()):
        for code in codes:
            found[code] = (*found.get(code, ()), name)
    return found


SCP_CODES: Final = _by_code(((s.name, s.scp) for s in LABELS), _REMARK_SCP)
"""SCP-ECG acronym, as in PTB-XL's scp_statements.csv -> findings."""
SNOMED_CODES: Final = _by_code(((s.name, s.snomed) for s in LABELS), _REMARK_SNOMED)
"""SNOMED CT code -> findings."""
AHA_CODES: Final = _by_code(((s.name, s.aha) for s in LABELS), _REMARK_AHA)
"""AHA 2007 statement number -> findings."""

_IMPLIES: Final = {spec.name: spec.implies for spec in LABELS}


def implied_by(names: Iterable[str]) -> dict[str, str]:
    """Return what holds wherever these findings do, each with the finding that implies it.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    dict of str to str
        Without the given names themselves.
    """
    given = list(names)
    out: dict[str, str] = {}
    for name in given:
        for implied in _IMPLIES.get(name, ()):
            out.setdefault(implied, name)
    if "BIFASCICULAR" in given:
        out.setdefault("RBBB", "BIFASCICULAR")
        if "LPFB" not in given:
            out.setdefault("LAFB", "BIFASCICULAR")
    return {name: by for name, by in out.items() if name not in given}
